# SPDX-License-Identifier: ISC
"""Printing for real: through a CUPS of our own to a driverless printer
(ippeveprinter), one that is slow to answer (slowprinter.py), and to raw port 9100
lasers, PostScript and PCL; what arrives is read back and carries the log's own hash.
Matters: a page in a language that the printer does not know is no evidence."""
import hashlib
import re
import shutil
import subprocess
import time

import pytest

from ceremony_tools import BIN, HOSTILE, SCRIPTS, run_tty, stub, sysroot
from cups_room import codes, free_port, pages_of, pdf_text
from slowprinter import SlowPrinter

CONFIGURE = SCRIPTS / "configure-printer"
PRINTLOG = SCRIPTS / "printlog"


@pytest.fixture(scope="module")
def printer(room):
    """A driverless printer, set up; the folder of its pages."""
    uri, pages = room.everywhere()
    done = room.command(CONFIGURE, uri)
    assert done.returncode == 0, done.stderr
    text = pdf_text(room.printed(pages)[0])
    assert "Printer test page" in text and uri in text
    room.uri = uri
    return pages


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "ksrsigner-20261122-133000.log"
    path.write_text("".join(f"2026-11-22T13:30:00Z: [INFO] line {n}\n" for n in range(80)))
    return path


def test_log_reaches_the_driverless_printer(room, printer, log, tmp_path):
    before = len(room.papers(printer))
    done = room.command(PRINTLOG, log, "5")
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256(log.read_bytes()).hexdigest()
    assert f"SHA-256:    {digest}\n".encode() in done.stdout
    assert b"pages: 2, copies: 5" in done.stdout
    paper = room.printed(printer, before + 1)[-1]
    text = pdf_text(paper)
    assert log.name in text and "page 1 of 2" in text and digest in text
    assert "13:30:00Z" not in text and "line 79" in text
    words = subprocess.run([BIN / "sha2wordlist", log], capture_output=True, check=True)
    assert text.split(digest)[1].split()[:32] == \
        words.stdout.decode().split("PGP Words:")[1].split()
    assert codes(pages_of(paper, tmp_path, 150)[0]) == [f"SHA256:{digest.upper()}"]


def test_default_queue_is_hp(room, printer):
    assert room.command("lpstat", "-d").stdout.strip().endswith(b": HP")
    assert b"HP is ready" in room.command("lpq", "-P", "HP").stdout
    assert room.command("lpadmin", "-p", "HP", "-o", "copies-default=5").returncode == 0
    assert b"copies=5" in room.command("lpoptions", "-p", "HP").stdout.replace(b"-default", b"")


def test_recordings_and_hsm_logs(room, printer, tmp_path):
    (tmp_path / "terminal.typescript").write_bytes(b"\x1b[31mkskm\b\b\b\bkey\x1b[Kmaster\x1b[0m\r\n")
    (tmp_path / "ttyaudit.log").write_bytes(b"2026-11-22T13:30:00Z HSM ready\r\n")
    for tool, name, shown in (("print-script", "terminal.typescript", "keymaster"),
                              ("print-ttyaudit", "ttyaudit.log", "2026-11-22T13:30:00Z HSM ready")):
        before = len(room.papers(printer))
        assert room.command(SCRIPTS / tool, tmp_path / name).returncode == 0
        text = pdf_text(room.printed(printer, before + 1)[-1])
        assert re.search(rf"^\s*{shown}$", text, re.M) and name in text


def test_hsmfd_hash_on_paper(room, printer, tmp_path):
    (tmp_path / "HSMFD").mkdir()
    (tmp_path / "HSMFD" / "a").write_text("a")
    before = len(room.papers(printer))
    done = room.command(BIN / "hsmfd-hash", "-p", "2", "--drive", tmp_path / "HSMFD")
    assert done.returncode == 0, done.stderr
    text = pdf_text(room.printed(printer, before + 1)[-1])
    assert "HSMFD hash" in text and hashlib.sha256(b"a").hexdigest() in text


@pytest.mark.slow
def test_hostile_names(room, printer, tmp_path):
    before = len(room.papers(printer))
    names = HOSTILE[::2]  # test_text2pdf has them all
    for name in names:
        (tmp_path / name).write_text(f"content of {name!r}\n")
        done = subprocess.run([PRINTLOG, "--", name], env=room.env, cwd=tmp_path,
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, (name, done.stderr)
        assert b"\x1b" not in done.stdout
    papers = room.printed(printer, before + len(names), 60)
    assert len(papers) == before + len(names)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.slow
@pytest.mark.parametrize("model,mark", [("ps", b"%!PS"), ("pcl", b"\x1bE")])
def test_classic_laser_at_port_9100(room, log, tmp_path, model, mark):
    uri, jobs = room.listener()
    queue = f"laser-{model}"
    done = room.command(CONFIGURE, "--queue", queue, "--no-test", uri, model)
    assert done.returncode == 0, done.stderr
    room.env["KEYROOM_QUEUE"] = queue
    try:
        assert room.command(PRINTLOG, log, "3").returncode == 0
    finally:
        del room.env["KEYROOM_QUEUE"]
    assert room.wait(lambda: jobs and room.idle(), 40)
    data = jobs[0]
    assert mark in data[:200]
    if model == "pcl":
        # The end of each picture and a form feed: three copies of two pages.
        assert len(re.findall(rb"\x1b\*r0?[BC]\x0c", data)) == 6
        return
    (tmp_path / "job.ps").write_bytes(data)
    if not shutil.which("ps2pdf"):
        pytest.skip("no ps2pdf")
    subprocess.run(["ps2pdf", tmp_path / "job.ps", tmp_path / "job.pdf"], check=True)
    pages = pages_of(tmp_path / "job.pdf", tmp_path, 150)
    digest = hashlib.sha256(log.read_bytes()).hexdigest()
    assert all(codes(png) == [f"SHA256:{digest.upper()}"] for png in pages)
    # The fonts are pictures by now, so pages are told apart by how they look.
    looks = [hashlib.sha256(png.read_bytes()).hexdigest() for png in pages]
    assert len(set(looks)) == 2
    # Collated, unless the printer itself is told to make the copies.
    assert looks in (looks[:2] * 3, looks[:2]), looks
    assert len(looks) == 6 or re.search(rb"NumCopies|#copies|COPIES", data)


@pytest.mark.slow
def test_printer_that_takes_only_raster(room, log):
    """CUPS 2.4.2 prints there; 2.4.10, which the disc has, wants PDF or image/urf, and says
    so while it is asked: no minute is waited for another answer."""
    uri, pages = room.everywhere("image/pwg-raster")
    able = room.command("lpadmin", "-p", "able", "-v", uri, "-m", "everywhere")
    started = time.monotonic()
    done = room.command(CONFIGURE, "--queue", "raster", uri)
    if b"does not support" in able.stderr:
        assert done.returncode == 5 and b"needs PDF or AirPrint's image/urf" in done.stderr, done
        assert time.monotonic() - started < 20 and b"raster" not in room.command("lpstat", "-v").stdout
        return
    assert done.returncode == 0, done.stderr
    assert room.printed(pages)[0].read_bytes()[:4] in (b"RaS2", b"2SaR")


def test_no_queue(room, log):
    room.env["KEYROOM_QUEUE"] = "absent"
    try:
        done = room.command(PRINTLOG, log)
    finally:
        del room.env["KEYROOM_QUEUE"]
    assert done.returncode == 5 and b"run configure-printer" in done.stderr


def test_queue_that_knows_no_language(room, log):
    """A raw one, as CUPS has it until a driverless printer has answered: bytes of a PDF
    would go to whatever printer it is."""
    uri, jobs = room.listener()
    room.command("lpadmin", "-p", "raw", "-E", "-v", uri)
    room.env["KEYROOM_QUEUE"] = "raw"
    try:
        done = room.command(PRINTLOG, log)
    finally:
        del room.env["KEYROOM_QUEUE"]
    assert done.returncode == 5 and b"run configure-printer" in done.stderr, done
    assert room.idle() and jobs == []


@pytest.mark.parametrize("argv,status", [
    ([], 2), (["a", "b", "c"], 2), (["FILE", "0"], 2), (["FILE", "100"], 2), (["FILE", "x"], 2),
    (["FILE", "-1"], 2), (["--frob", "FILE"], 2), (["--title"], 2), (["absent"], 3),
    (["/dev/null"], 3), (["new\nline\x1b"], 3)])
def test_printlog_errors(room, printer, log, argv, status):
    argv = [str(log) if a == "FILE" else a for a in argv]
    before = len(room.papers(printer))
    done = room.command(PRINTLOG, *argv)
    assert done.returncode == status, done
    assert b"\x1b" not in done.stderr and len(room.papers(printer)) == before


def test_job_refused(room, printer, log):
    room.command("cupsreject", "HP")
    try:
        done = room.command(PRINTLOG, log)
    finally:
        room.command("cupsaccept", "HP")
    assert done.returncode == 5 and b"not printed" in done.stderr


@pytest.mark.parametrize("argv,status", [
    (["http://x"], 2), (["socket://localhost:9100", "everywhere"], 2), (["ipp://localhost:1/", "laser"], 2), (["a", "b", "c"], 2),
    (["--queue"], 2), (["--queue", "a b"], 2), (["--queue", "-x"], 2), (["--queue", "a\nb"], 2),
    (["--frob"], 2)])
def test_configure_errors(room, argv, status):
    done = room.command(CONFIGURE, *argv)
    assert done.returncode == status and done.stdout == b"", done


def test_no_printer_anywhere(room):
    done = room.command(CONFIGURE)
    assert done.returncode == 3 and b"no printer found" in done.stderr


@pytest.mark.slow
def test_configure_printer_that_does_not_answer(room):
    room.env["KEYROOM_PATIENCE"] = "3"
    try:
        done = room.command(CONFIGURE, "--queue", "gone", f"ipp://localhost:{free_port()}/ipp/print")
    finally:
        del room.env["KEYROOM_PATIENCE"]
    assert done.returncode == 5 and b"ipp://localhost" in done.stderr and b"does not answer" in done.stderr
    assert b"gone:" not in room.command("lpstat", "-v").stdout


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1.5, 4])
@pytest.mark.parametrize("before", [None, "ps"])
def test_page_waits_for_what_the_slow_printer_takes(room, seconds, before):
    """Not as raw PDF, and not as the last printer of that name had it."""
    queue = f"slow-{before}-{seconds:.0f}"
    printer = SlowPrinter(seconds)
    if before:
        assert room.command(CONFIGURE, "--queue", queue, "--no-test",
                            f"socket://localhost:{free_port()}", before).returncode == 0
    done = room.command(CONFIGURE, "--queue", queue, printer.uri)
    assert done.returncode == 0, done
    assert room.wait(lambda: printer.jobs, 30)
    assert [job[:7] for job in printer.jobs] == [b"UNIRAST"]
    assert f"{queue}-probe" not in room.command("lpstat", "-v").stdout.decode()


def shown_by(room, *argv, **more):
    return run_tty(CONFIGURE, "--no-test", *argv, env=dict(room.env, **more))


@pytest.mark.slow
def test_slow_printer_is_waited_for_with_a_line(room):
    printer = SlowPrinter(7)
    status, shown = shown_by(room, "--queue", "patient", printer.uri)
    assert status == 0, shown
    assert f"waiting for the printer at {printer.uri}, 5 s of at most 60; Ctrl-C ends" in shown


@pytest.mark.slow
def test_old_setting_stays_where_the_new_printer_does_not_answer(room):
    """And CUPS, which still asks, lives on."""
    uri, _ = room.listener()
    assert room.command(CONFIGURE, "--queue", "kept", "--no-test", uri, "ps").returncode == 0
    printer = SlowPrinter(6)
    status, shown = shown_by(room, "--queue", "kept", printer.uri, KEYROOM_PATIENCE="2")
    assert status == 5 and f"{printer.uri}: the printer does not answer" in shown
    assert f"kept: {uri}" in room.command("lpstat", "-v").stdout.decode()
    # The next one does not take the first one's late answer for its own.
    status, shown = shown_by(room, "--queue", "kept", SlowPrinter(0, ["application/pdf"]).uri)
    assert status == 0, shown
    assert not room.wait(lambda: room.processes[0].poll() is not None, 6)
    ppd = (room.top / "root/ppd/kept.ppd").read_text()
    assert "application/pdf" in ppd and "image/urf" not in ppd
    # What was answered since is removed.
    assert shown_by(room, "--queue", "kept", SlowPrinter(0).uri)[0] == 0
    assert b"kept-probe" not in room.command("lpstat", "-v").stdout


def test_configure_without_service(room, tmp_path):
    env = dict(room.env, CUPS_SERVER=str(tmp_path / "absent"))
    done = subprocess.run([CONFIGURE], env=env, capture_output=True, check=False, timeout=30)
    assert done.returncode == 5 and b"does not run" in done.stderr


def test_driverless_usb_is_found_first(room):
    """ipp-usb offers it at a port of localhost."""
    uri, pages = room.everywhere()
    port = re.search(r":(\d+)/", uri)[1]
    env = dict(room.env, KEYROOM_IPP_PORTS=f"{free_port()} {port}")
    done = subprocess.run([CONFIGURE, "--queue", "usb"], env=env, capture_output=True,
                          check=False, timeout=60)
    assert done.returncode == 0 and uri.encode() in done.stdout, done
    assert "Printer test page" in pdf_text(room.printed(pages)[0])


@pytest.mark.slow
def test_slow_driverless_usb_printer_is_no_laser(room, tmp_path):
    """The USB backend lists it, too."""
    printer = SlowPrinter(7)
    env = dict(usb(tmp_path, room.env, "MFG:HP;CMD:POSTSCRIPT;"), KEYROOM_IPP_PORTS=str(printer.port),
               PATH=room.env["PATH"])
    status, shown = run_tty(CONFIGURE, "--queue", "slowusb", "--no-test", env=env)
    assert status == 0, shown
    assert f"waiting for the printer at ipp://localhost:{printer.port}/ipp/print, 2 s of at most 60" in shown
    assert "Model:      everywhere" in shown
    assert "image/urf" in (room.top / "root/ppd/slowusb.ppd").read_text()


@pytest.mark.slow
def test_driverless_usb_printer_that_does_not_answer_is_no_laser(room, tmp_path):
    printer = SlowPrinter(30)
    env = dict(usb(tmp_path, room.env, "MFG:HP;CMD:POSTSCRIPT;"), KEYROOM_IPP_PORTS=str(printer.port),
               PATH=room.env["PATH"], KEYROOM_PATIENCE="3")
    status, shown = run_tty(CONFIGURE, "--queue", "mute", "--no-test", env=env)
    assert status == 5 and f"ipp://localhost:{printer.port}/ipp/print: the printer does not answer" in shown, shown
    assert "mute:" not in room.command("lpstat", "-v").stdout.decode()


# The descriptors of two devices: classic at first, IPP as the other setting; classic.
CLASSIC = bytes.fromhex("12010002 00000040 09120101 00010102 0301 09022000 01010080 32 "
                        "09040000 02070102 00 07050102 000200 07058202 000200")
DRIVERLESS = CLASSIC + bytes.fromhex("09040001 02070104 00 07050102 000200 07058202 000200")


def bus(folder, descriptors):
    (folder / "bus/devices/1-2").mkdir(parents=True)
    (folder / "bus/devices/1-2/descriptors").write_bytes(descriptors)
    return str(sysroot(usb=folder / "bus"))


@pytest.mark.slow
def test_what_ipp_usb_is_about_to_offer_is_waited_for(room, tmp_path):
    printer = SlowPrinter(0)
    stub(tmp_path / "late", "ss", f"[ $(($(date +%s) - {time.time():.0f})) -lt 3 ] || echo LISTEN\n")
    env = dict(usb(tmp_path, room.env, "MFG:HP;CMD:POSTSCRIPT;"), SYSROOT=bus(tmp_path, DRIVERLESS),
               KEYROOM_IPP_PORTS=str(printer.port), PATH=f"{tmp_path}/late:{room.env['PATH']}")
    status, shown = run_tty(CONFIGURE, "--queue", "late", "--no-test", env=env)
    assert status == 0 and f"Printer:    {printer.uri}\nModel:      everywhere\n" in shown, shown


@pytest.mark.parametrize("descriptors, said", [(CLASSIC, False), (DRIVERLESS, True)],
                         ids=["classic", "driverless"])
def test_classic_printer_where_ipp_usb_offers_none(room, tmp_path, descriptors, said):
    env = dict(usb(tmp_path, room.env, "MFG:HP;CMD:PCL;"), SYSROOT=bus(tmp_path, descriptors), KEYROOM_PATIENCE="3")
    done = subprocess.run([CONFIGURE, "--no-test"], env=env, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0 and b"Model:      pcl" in done.stdout
    assert (b"not offered by ipp-usb" in done.stderr) == said


def usb(folder, env, *device_ids):
    """A USB backend that lists printers with these descriptions, and an lpadmin
    that says how it was called."""
    lines = "".join(f"direct usb://HP/LaserJet%20M203?serial=X{n} \"HP LaserJet\" \"HP \x1b[2J\" "
                    f"\"{device_id}\" \"\"\n" for n, device_id in enumerate(device_ids))
    (folder / "list").write_text("direct hp:/no\n" + lines)
    stub(folder / "bin", "usb", f"cat {folder}/list\n")
    stub(folder / "bin", "lpadmin",
         f'case "$*" in *ipp://*) exit 1 ;; esac; printf "%s\\n" "$@" >>{folder}/how\n')
    return dict(env, PATH=f"{folder}/bin:{env['PATH']}", KEYROOM_USB_BACKEND=f"{folder}/bin/usb")


@pytest.mark.parametrize("device_id,model", [
    ("MFG:HP;CMD:PJL,PCL,POSTSCRIPT;", "ps"), ("MFG:HP;CMD:PJL,PCLXL,PCL;", "pcl"),
    ("MFG:HP;CMD:PS;", "ps"), ("MFG:KM;COMMAND SET:PCLXL,PostScript Emulation,PCL5E;", "ps"),
    ("MFG:R;CMD:PJL,PCL 6;", "pcl")])
def test_classic_usb_laser_follows_what_it_says(room, tmp_path, device_id, model):
    env = usb(tmp_path, room.env, device_id)
    done = subprocess.run([CONFIGURE, "--no-test"], env=env, capture_output=True, check=False,
                          timeout=30)
    assert done.returncode == 0, done
    how = (tmp_path / "how").read_text()
    assert f"/{model}.ppd\n" in how and "usb://HP/LaserJet%20M203?serial=X0\n" in how


@pytest.mark.parametrize("device_id,says", [
    ("MFG:HP;MDL:PostScript PCL;CMD:PWGRaster,URF;", "understands PWGRaster,URF, neither PostScript nor PCL"),
    ("MFG:HP;CMD:PCLXL,PCL3GUI,PCLM;", "understands PCLXL,PCL3GUI,PCLM, neither"),
    ("MFG:HP;CMD:;", "nothing that it names"), ("", "nothing that it names")])
def test_usb_printer_that_understands_neither_is_refused(room, tmp_path, device_id, says):
    env = usb(tmp_path, room.env, device_id)
    for uri in ([], ["usb://HP/LaserJet%20M203?serial=X0"]):
        done = subprocess.run([CONFIGURE, "--no-test", *uri], env=env, capture_output=True, check=False, timeout=30)
        assert done.returncode == 5 and says in done.stderr.decode(), done
        assert b"usb://HP/LaserJet%20M203?serial=X0: " in done.stderr
    assert not (tmp_path / "how").exists()


def test_usb_printer_by_its_uri_follows_what_it_says(room, tmp_path):
    env = usb(tmp_path, room.env, "CMD:PS;", "CMD:PCL;")
    uri = "usb://HP/LaserJet%20M203?serial=X"
    for argv, status, model in (([f"{uri}1"], 0, "pcl"), ([f"{uri}1", "ps"], 0, "ps"), ([f"{uri}2"], 3, None)):
        done = subprocess.run([CONFIGURE, "--no-test", *argv], env=env, capture_output=True, check=False, timeout=30)
        assert done.returncode == status, done
        assert model is None or f"/{model}.ppd\n" in (tmp_path / "how").read_text()
        (tmp_path / "how").unlink(missing_ok=True)


@pytest.mark.parametrize("answer,status", [("2\n", 0), ("3\n", 1), ("x\n", 1)])
def test_several_usb_lasers_are_asked_about(room, tmp_path, answer, status):
    env = usb(tmp_path, room.env, "CMD:PS;", "CMD:PCL;")
    code, shown = run_tty(CONFIGURE, "--no-test", answers=[("by number? ", answer)], env=env)
    assert code == status, shown
    assert "serial=X0" in shown and "\x1b" not in shown
    if status == 0:
        assert "serial=X1\n" in (tmp_path / "how").read_text()


@pytest.mark.parametrize("uri", ["ipp://192.168.0.3/ipp/print", "socket://192.168.0.3:9100",
                                 "lpd://192.168.0.30/raw", "ipp://localhost:1@192.168.0.3/",
                                 "ipps://localhost.example/"])
def test_network_printer_needs_the_network_opened(room, tmp_path, uri):
    env = dict(room.env, SYSROOT=str(sysroot(run=tmp_path)))
    for opened in ("", "eth0 192.168.0.4\n", "eth0 192.168.0\n"):
        if opened:
            (tmp_path / "printer-network").write_text(opened)
        done = subprocess.run([CONFIGURE, uri], env=env, capture_output=True, check=False, timeout=30)
        assert done.returncode == 1 and b"hsm-network printer ADDRESS" in done.stderr, done


def test_opened_network_printer_is_set_up(room, tmp_path):
    env = usb(tmp_path, room.env)
    (tmp_path / "printer-network").write_text("eth0 192.168.0.3\n")
    done = subprocess.run([CONFIGURE, "--no-test", "socket://192.168.0.3:9100", "pcl"],
                          env=dict(env, SYSROOT=str(sysroot(run=tmp_path))), capture_output=True, check=False)
    assert done.returncode == 0, done
    assert "socket://192.168.0.3:9100\n" in (tmp_path / "how").read_text()


def test_plain_text_is_set_as_printlog_sets_it(room, printer, tmp_path):
    (tmp_path / "note.txt").write_text("plain text, by lp\n")
    before = len(room.papers(printer))
    assert room.command("lp", "-d", "HP", "-t", "a note", tmp_path / "note.txt").returncode == 0
    text = pdf_text(room.printed(printer, before + 1)[-1])
    assert "plain text, by lp" in text and "page 1 of 1" in text and "a note" in text
    assert hashlib.sha256((tmp_path / "note.txt").read_bytes()).hexdigest() in text
