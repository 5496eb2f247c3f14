# SPDX-License-Identifier: ISC
"""A CUPS of our own for a test: its own folder, socket and queue, and printers
that are ippeveprinter (IPP Everywhere) or a listener on a TCP port (lasers)."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from ceremony_tools import BIN, LIB, ROOT, TOP, environment


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class CupsRoom:
    def __init__(self):
        # Not below pytest's folder: CUPS works as a user of its own.
        top = pathlib.Path(tempfile.mkdtemp(prefix="keyroom-cups-"))
        for program in ("cupsd", "lp", "lpadmin", "gs", "ippeveprinter", "pdftotext"):
            if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"):
                pytest.skip(f"no {program}")
        self.top = top
        self.socket = top / "s"
        for name in ("root", "cache", "spool", "spool/tmp", "state", "log"):
            (top / name).mkdir()
        for path in [top, *top.iterdir(), top / "spool/tmp"]:
            path.chmod(0o755)
            if os.getuid() == 0 and path != top:
                shutil.chown(path, "lp", "lp")
        # The disc's own settings, on a socket of ours.
        settings = (LIB / "cupsd.conf").read_text()
        settings = settings.replace("/run/cups/cups.sock", str(self.socket))
        (top / "cupsd.conf").write_text(settings.replace("LogLevel info", "LogLevel debug"))
        self.install_filters()
        (top / "cups-files.conf").write_text(f"""
ServerRoot {top}/root
ServerBin {top}/bin
DataDir {top}/share
SetEnv PATH {top}/programs:/usr/bin:/bin
CacheDir {top}/cache
RequestRoot {top}/spool
TempDir {top}/spool/tmp
StateDir {top}/state
AccessLog {top}/log/access
ErrorLog {top}/log/error
PageLog {top}/log/page
SystemGroup root lpadmin
FileDevice Yes
""")
        self.processes = []
        self.start(["/usr/sbin/cupsd", "-f", "-c", top / "cupsd.conf",
                    "-s", top / "cups-files.conf"])
        self.env = environment(CUPS_SERVER=self.socket, CUPS_SERVERROOT=top / "root", run=top / "run",
                               KEYROOM_IPP_PORTS=str(free_port()))
        assert self.wait(lambda: self.command("lpstat", "-r").returncode == 0), \
            (top / "log/error").read_text(errors="replace")[-2000:] if (top / "log/error").exists() else "no log"

    def install_filters(self):
        """The disc's filters, and no other that this machine may have; and what they
        start, for CUPS' own user, who cannot read a clone below somebody's home."""
        (self.top / "programs").mkdir()
        shutil.copy(BIN / "text2pdf", self.top / "programs")
        (self.top / "share/mime").mkdir(parents=True)
        shutil.copy("/usr/share/cups/mime/mime.types", self.top / "share/mime")
        for path in (TOP / "image/rootfs/usr/share/cups/mime").iterdir():
            shutil.copy(path, self.top / "share/mime")
        shutil.copytree(ROOT / "usr/lib/cups/filter", self.top / "bin/filter")
        for name in ("backend", "daemon", "notifier"):
            (self.top / "bin" / name).symlink_to(f"/usr/lib/cups/{name}")

    def start_names(self):
        """ippeveprinter wants a name service: one that sees only "lo"."""
        if "DBUS_SYSTEM_BUS_ADDRESS" in self.env:
            return
        for program in ("dbus-daemon", "avahi-daemon"):
            if not shutil.which(program, path="/usr/sbin:/usr/bin") or os.getuid() != 0:
                pytest.skip(f"ippeveprinter needs {program}")
        bus = self.top / "bus"
        (self.top / "bus.conf").write_text(f"""<!DOCTYPE busconfig PUBLIC
"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={bus}</listen>
<auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
""")
        (self.top / "avahi.conf").write_text(
            "[server]\nhost-name=keyroomtest\nallow-interfaces=lo\nuse-ipv6=no\n"
            "[publish]\npublish-workstation=no\n")
        self.env["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={bus}"
        self.start(["dbus-daemon", f"--config-file={self.top}/bus.conf", "--nofork",
                    "--nopidfile"])
        assert self.wait(bus.exists)
        self.start(["unshare", "-m", "sh", "-c",
                    "mkdir -p /run/avahi-daemon; mount -t tmpfs none /run/avahi-daemon; "
                    'exec avahi-daemon -f "$1" --no-drop-root --no-chroot --no-rlimits',
                    "sh", self.top / "avahi.conf"], env=self.env)

    def start(self, argv, **how):
        process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, **how)
        self.processes.append(process)
        return process

    def wait(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.1)
        return False

    def command(self, *argv, **how):
        return subprocess.run([str(a) for a in argv], env=self.env, capture_output=True,
                              timeout=60, check=False, **how)

    def everywhere(self, formats="application/pdf,image/pwg-raster,image/urf,image/jpeg"):
        """A driverless printer; returns its URI and the folder of its pages."""
        self.start_names()
        port = free_port()
        pages = self.top / f"pages-{port}"
        pages.mkdir()
        # What the printer was told of each job.
        told = self.top / f"told-{port}"
        told.write_text(f'#!/bin/sh\nenv >{pages}/"${{1##*/}}".told\n')
        told.chmod(0o755)
        def up():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        def start():
            if self.processes[-1].poll() is not None or "printer" not in self.names:
                self.names.add("printer")
                self.start(["ippeveprinter", "-r", "off", "-n", "localhost", "-p", port,
                            "-k", "-c", told, "-d", pages, "-f", formats,
                            f"Test Laser {port}"], env=self.env)
            return self.wait(up, 1)
        self.names = set()
        assert self.wait(start)
        return f"ipp://localhost:{port}/ipp/print", pages

    def listener(self):
        """A laser at a raw port; returns its URI and the jobs that arrive."""
        server = socket.create_server(("127.0.0.1", 0))
        jobs = []

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    data = b""
                    while piece := connection.recv(65536):
                        data += piece
                if data:
                    jobs.append(data)
        threading.Thread(target=serve, daemon=True).start()
        self.server = server
        return f"socket://localhost:{server.getsockname()[1]}", jobs

    def papers(self, pages):
        """What reached the printer; .prn is what its command had to say."""
        return sorted((p for p in pages.iterdir() if p.suffix not in (".prn", ".told")),
                      key=lambda p: p.stat().st_mtime)

    def printed(self, pages, count=1, seconds=30):
        """The files that reached the printer, once they are whole."""
        def ready():
            found = self.papers(pages)
            return found if len(found) >= count and self.idle() else None
        assert self.wait(lambda: ready() is not None, seconds), (
            list(pages.iterdir()), (self.top / "log/error").read_text(errors="replace")[-3000:])
        return ready()

    def idle(self):
        return self.command("lpstat", "-o").stdout == b""

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.top, ignore_errors=True)


def pdf_text(path):
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True,
                          check=True).stdout.decode()


def pages_of(path, top, resolution=100):
    """PNG files, one a page."""
    subprocess.run(["pdftoppm", "-r", str(resolution), "-png", path, top / "page"], check=True)
    return sorted(pathlib.Path(top).glob("page*.png"))


def codes(png):
    if not shutil.which("zbarimg"):
        pytest.skip("no zbarimg")
    done = subprocess.run(["zbarimg", "-q", "--raw", "--set", "disable", "--set", "qrcode.enable",
                           png], capture_output=True, check=False)
    return done.stdout.decode().split()


def is_root():
    return os.getuid() == 0
