# SPDX-License-Identifier: ISC
"""displaycsr, digest, usb-allow, show and screencap-verify: what they show is
true (openssl and sha*sum are asked too), and what a file or device says of
itself cannot repaint the screen."""
import base64
import hashlib
import os
import re
import shutil
import subprocess
import time

import dns.dnssec
import dns.name
import pytest

from ceremony_tools import BIN, HOSTILE, LIB, SCRIPTS, environment, png, run, run_tty, stub, sysroot

ENV = environment()


def tool(name, *argv, cwd=None, **extra):
    return run(SCRIPTS / name, *argv, env=dict(ENV, **{k: str(v) for k, v in extra.items()}), cwd=cwd)


@pytest.fixture(scope="module")
def csr(tmp_path_factory):
    top = tmp_path_factory.mktemp("csr")
    subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", top / "key", "-out", top / "req.pem", "-subj",
         "/O=Example \x1b[31mred/CN=Gr\u00fc\u00dfe", "-utf8"], check=True, capture_output=True)
    subprocess.run(["openssl", "req", "-in", top / "req.pem", "-outform", "DER", "-out",
                    top / "req.der"], check=True)
    return top


def csr_tool(*argv, cwd=None):
    return run(BIN / "displaycsr", *argv, cwd=cwd)


@pytest.mark.parametrize("form", ["req.pem", "req.der"])
def test_csr_is_shown(csr, form):
    done = csr_tool(csr / form)
    assert done.returncode == 0, done.stderr
    assert b"Subject:" in done.stdout and b"prime256v1" in done.stdout
    assert b"Signature:  good\n" in done.stdout and b"\x1b" not in done.stdout
    assert hashlib.sha256((csr / form).read_bytes()).hexdigest().encode() in done.stdout


def test_csr_of_2010(data):
    done = csr_tool(data / "production/ksk-2010.csr")
    assert done.returncode == 0 and b"2048 bit" in done.stdout


def test_csr_with_a_wrong_signature(csr, tmp_path):
    data = bytearray((csr / "req.der").read_bytes())
    data[-3] ^= 1
    (tmp_path / "bad.der").write_bytes(data)
    done = csr_tool(tmp_path / "bad.der")
    assert done.returncode == 1 and b"Signature:  WRONG" in done.stdout


FORGED = ("DNSKEY:     . IN DNSKEY 257 3 8 AwEAA", "Subject DS: . IN DS 20326 8 2 E06D", "            this key's",
          "Signature:  good", "Request:    2 of 2", "File:       other.csr", "SHA-256:    00")


def forger(folder, between, before=""):
    """A request whose attributes and names say what displaycsr's own lines do."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    text = before + between + between.join(FORGED) + between
    plain = text.encode("ascii", "replace").decode()
    names = [x509.DNSName(plain), x509.UniformResourceIdentifier("u:" + plain)]
    made = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.PSEUDONYM, text)]))
    for oid in ("1.2.840.113549.1.9.7", "1.2.840.113549.1.9.2"):  # challengePassword, unstructuredName
        made = made.add_attribute(x509.ObjectIdentifier(oid), text.encode())
    made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    (folder / "x.csr").write_bytes(made.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(
        serialization.Encoding.PEM))
    return folder / "x.csr"


def own_lines(shown):
    """The first words of what stands at the beginning of a line, but for what the request says."""
    return [line.split(" ")[0] for line in shown.split("\n") if line[:1] not in ("|", " ", "")]


OWN = ["DNSKEY:", "Key", "DS:", "Subject", "Signature:", "File:", "SHA-256:", "PGP"]


@pytest.mark.parametrize("between", ["\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029", "\x1b[E", "\b"],
                         ids=ascii)
def test_csr_begins_no_line(tmp_path, between):
    """OpenSSL prints attributes and names with their line ends: a forged record, or a
    second request, would stand where the true one does."""
    path = forger(tmp_path, between)
    done = csr_tool(path)
    shown = done.stdout.decode("ascii")
    assert done.returncode == 0, done.stderr
    assert own_lines(shown) == OWN and shown.count("\nSubject DS: none\n") == 1
    assert set(shown) <= {"\n", *map(chr, range(0x20, 0x7f))}
    block, _, ours = shown.partition("\n\n")
    assert all(line.startswith("| ") for line in block.split("\n"))
    assert "20326" in block and "20326" not in ours


def test_csr_begins_no_row_of_a_screen(tmp_path):
    """What is longer than the screen is wide would go on where lines begin."""
    for before in range(8):
        path = forger(tmp_path, "", " " * (70 + before) + "DNSKEY: " * 40)
        status, shown = run_tty(BIN / "displaycsr", path)
        rows = shown.split("\n")
        assert status == 0 and max(map(len, rows)) <= 80
        assert own_lines(shown) == OWN and rows.index("") < rows.index("Subject DS: none")
        assert all(row.startswith("| ") for row in rows[:rows.index("")])
    # Nor a DS in the subject, nor the file's name.
    path, _ = request(tmp_path, "y", KINDS[13][0], f"ds={'x ' * 40}Signature:  good\n")
    name = tmp_path / (" " * (80 - 12 - len(str(tmp_path)) - 1) + "SHA-256:    00")
    name.write_bytes(path.read_bytes())
    status, shown = run_tty(BIN / "displaycsr", name)
    assert status == 1 and own_lines(shown)[:-1] == OWN and max(map(len, shown.split("\n")[:-2])) <= 80


def test_csr_errors(tmp_path):
    (tmp_path / "text").write_text("no request\n")
    assert csr_tool().returncode == 2
    assert csr_tool("-x").returncode == 2
    assert csr_tool("a", "b").returncode == 2
    assert csr_tool(tmp_path / "text").returncode == 3
    assert csr_tool(tmp_path / "absent\x1b\n").returncode == 3
    assert csr_tool(tmp_path).returncode == 3


def ds_of(public, zone, algorithm, kind=2):
    """What dnspython makes of a public key in DER."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key
    key = dns.dnssec.make_dnskey(load_der_public_key(public), algorithm, 257)
    ds = dns.dnssec.make_ds(dns.name.from_text(zone), key, {2: "SHA256", 4: "SHA384"}[kind])
    return key, f"{zone} IN DS {ds}"


def request(folder, name, kind, subject, digest="sha256"):
    key = folder / f"{name}.key"
    if not key.exists():
        subprocess.run(["openssl", "genpkey", *kind, "-out", key], check=True, capture_output=True)
    (folder / "cnf").write_text("oid_section=o\n[o]\nds=1.3.6.1.4.1.1000.53\n[req]\ndistinguished_name=d\n"
                                "prompt=no\nutf8=yes\nstring_mask=utf8only\n[d]\n" + subject)
    subprocess.run(["openssl", "req", "-new", "-key", key, "-config", folder / "cnf", f"-{digest}",
                    "-out", folder / f"{name}.csr"], check=True, capture_output=True)
    return folder / f"{name}.csr", subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"],
                                                  check=True, capture_output=True).stdout


KINDS = {8: (["-algorithm", "RSA"], "sha256"), 10: (["-algorithm", "RSA"], "sha512"),
         13: (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "sha256"),
         14: (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "sha384"),
         15: (["-algorithm", "ED25519"], "sha256"), 16: (["-algorithm", "ED448"], "sha256")}


@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("zone,digest", [(".", 2), ("example.", 4)])
def test_csr_shows_the_key_as_dnssec_has_it(tmp_path, algorithm, zone, digest):
    pytest.importorskip("cryptography")
    kind, signs = KINDS[algorithm]
    _, public = request(tmp_path, "x", kind, "O=x\n", signs)
    key, ds = ds_of(public, zone, algorithm, digest)
    path, _ = request(tmp_path, "x", kind, f"O=x\nds={ds}\n", signs)
    done = csr_tool(path)
    shown = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert f"DNSKEY:     {zone} IN DNSKEY 257 3 {algorithm} " in shown
    assert base64.b64encode(key.key).decode() in shown
    assert f"Key tag:    {dns.dnssec.key_id(key)}\n" in shown
    assert f"DS:         {ds_of(public, zone, algorithm)[1].upper()}\n".replace("EXAMPLE", "example") in shown
    assert f"Subject DS: {ds}\n            this key's\n" in shown


@pytest.mark.parametrize("change,reason", [
    (lambda ds: "no record", "no DS record"), (lambda ds: "", "no DS record"), (lambda ds: ds[:-2], "digest"),
    (lambda ds: ds[:-1], "no DS record"), (lambda ds: ds.replace(" 13 ", " 14 "), "algorithm"),
    (lambda ds: ds.replace("DS ", "DS 1"), "no DS record|tag"), (lambda ds: ds.replace(" 2 ", " 1 "), "neither"),
    (lambda ds: ds.replace(". IN", "other. IN"), "digest"), (lambda ds: ds.replace("IN DS", "IN TXT"), "no DS"),
    (lambda ds: ds[:-1] + ("0" if ds[-1] != "0" else "1"), "digest"), (lambda ds: "a..b" + ds[1:], "no name")])
def test_csr_whose_subject_names_another_ds(tmp_path, change, reason):
    """As it was signed by who asked, and so it looks right."""
    pytest.importorskip("cryptography")
    kind, signs = KINDS[13]
    _, public = request(tmp_path, "x", kind, "O=x\n", signs)
    wrong = change(ds_of(public, ".", 13)[1])
    path, _ = request(tmp_path, "x", kind, f"O=x\nds={wrong or ' '}\nCN=y\n", signs)
    done = csr_tool(path)
    if not wrong:
        assert b"Subject DS:" in done.stdout
        return
    assert done.returncode == 1 and b"NOT that of the key" in done.stderr, done
    assert re.search(rf"NOT .*this key's: .*({reason})", done.stdout.decode()), done.stdout
    assert b"Signature:  good" in done.stdout


def test_csr_with_a_ds_in_capitals_small_or_in_pieces(tmp_path):
    pytest.importorskip("cryptography")
    kind, signs = KINDS[13]
    _, public = request(tmp_path, "x", kind, "O=x\n", signs)
    ds = ds_of(public, ".", 13)[1]
    for text in (ds.upper(), ds.lower(), ds[:-20] + " " + ds[-20:]):
        assert csr_tool(request(tmp_path, "x", kind, f"ds={text}\n", signs)[0]).returncode == 0
    done = csr_tool(request(tmp_path, "x", kind, f"0.ds={ds}\n1.ds=. IN DS 1 13 2 {'0' * 64}\n", signs)[0])
    assert done.returncode == 1 and done.stdout.count(b"Subject DS:") == 2


def test_csr_every_request_of_a_file(csr, tmp_path):
    one, key = (csr / "req.pem").read_text(), (csr / "key").read_text()
    other, _ = request(tmp_path, "x", KINDS[15][0], "O=the other\n")
    (tmp_path / "two.pem").write_text("a note before\n" + one + key + "between\n" + other.read_text() + "behind\n")
    done = csr_tool(tmp_path / "two.pem")
    assert done.returncode == 0 and done.stdout.count(b"Signature:  good") == 2, done.stderr
    assert b"Request:    1 of 2" in done.stdout and b"the other" in done.stdout
    # One of them is wrong or damaged: none is passed over.
    bad = bytearray((csr / "req.der").read_bytes())
    bad[-3] ^= 1
    wrong = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(bad).decode() + "-----END CERTIFICATE REQUEST-----\n"
    (tmp_path / "two.pem").write_text(one + wrong)
    done = csr_tool(tmp_path / "two.pem")
    assert done.returncode == 1 and b"Signature:  WRONG" in done.stdout and b"Signature:  good" in done.stdout
    for damaged in (one[:-60], one.replace("\nMI", "\nNI", 1), wrong.replace("END CERT", "END CART")):
        (tmp_path / "two.pem").write_text(one + damaged)
        done = csr_tool(tmp_path / "two.pem")
        assert done.returncode == 3 and done.stdout == b"" and b"damaged" in done.stderr, damaged
    (tmp_path / "two.der").write_bytes((csr / "req.der").read_bytes() * 2)
    done = csr_tool(tmp_path / "two.der")
    assert done.returncode == 3 and b"behind the certification request" in done.stderr


def indented(text):
    return "".join(f"  {line}\n" for line in text.splitlines())


PASSED_OVER = {
    "indented": indented,
    "a tab": lambda text: "\t" + text,
    "quoted": lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
    "four dashes": lambda text: text.replace("-----BEGIN", "----BEGIN"),
    "four dashes behind": lambda text: text.replace("REQUEST-----\n", "REQUEST----\n", 1),
    "no blank": lambda text: text.replace("-----BEGIN ", "-----BEGIN"),
    "two blanks": lambda text: text.replace("-----BEGIN ", "-----BEGIN  "),
    "another name": lambda text: text.replace("CERTIFICATE", "X509 CERTIFICATE"),
    "in a line": lambda text: "here it is: " + text,
    "without newlines": lambda text: text.replace("\n", ""),
}


@pytest.mark.parametrize("change", PASSED_OVER.values(), ids=PASSED_OVER)
@pytest.mark.parametrize("place", ["before", "behind", "alone"])
def test_csr_that_would_be_passed_over_is_said(csr, tmp_path, change, place):
    """Whoever reads the file sees two requests, and one was shown as all there is."""
    other, _ = request(tmp_path, "x", KINDS[15][0], "O=the other\n")
    text, hidden = (csr / "req.pem").read_text(), change(other.read_text())
    (tmp_path / "two.pem").write_text({"before": hidden + "\n" + text, "behind": text + hidden, "alone": hidden}[place])
    done = csr_tool(tmp_path / "two.pem")
    assert done.returncode == 3 and done.stdout == b"" and done.stderr.count(b"\n") == 1, done


def test_csr_in_text_that_begins_as_der_does(csr, tmp_path):
    """DER begins with the byte that a 0 is in text."""
    text = (csr / "req.pem").read_text()
    for before in ("0 of 3\n", "0\n", "00:00\r\n"):
        (tmp_path / "x").write_text(before + text)
        done = csr_tool(tmp_path / "x")
        assert done.returncode == 0 and b"Signature:  good" in done.stdout, done
    # A request in DER that holds another in PEM: neither is all of it.
    subject = "/O=x/CN=" + "-----BEGIN CERTIFICATE REQUEST-----"
    subprocess.run(["openssl", "req", "-new", "-key", csr / "key", "-outform", "DER", "-out", tmp_path / "y",
                    "-subj", subject], check=True)
    for more in (b"", b"\n" + text.encode()):
        (tmp_path / "z").write_bytes((tmp_path / "y").read_bytes() + more)
        done = csr_tool(tmp_path / "z")
        assert done.returncode == 3 and done.stdout == b"", done


@pytest.mark.parametrize("kind", [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
                                  ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]])
def test_csr_of_a_key_that_dnssec_does_not_have(tmp_path, kind):
    path, _ = request(tmp_path, "x", kind, "O=x\n")
    done = csr_tool(path)
    assert done.returncode == 0 and b"DNSKEY:     none" in done.stdout and b"Signature:  good" in done.stdout


def test_csr_hostile_names(csr, tmp_path):
    for name in HOSTILE:
        shutil.copy(csr / "req.pem", tmp_path / name)
        done = csr_tool("--", name, cwd=tmp_path)
        assert done.returncode == 0 and b"\x1b" not in done.stdout, (name, done)
    assert not (tmp_path / "pwned").exists()


def test_digest(tmp_path):
    for name in HOSTILE:
        (tmp_path / name).write_bytes(name.encode() * 3)
    done = tool("digest", "--", *HOSTILE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    flat = done.stdout.decode().replace("\n            ", "")
    for name in HOSTILE:
        data = name.encode() * 3
        for kind in ("sha256", "sha384", "sha512"):
            assert hashlib.new(kind, data).hexdigest() in flat
        assert f"Size:       {len(data)} bytes\n" in done.stdout.decode()
    assert "\x1b" not in flat and not (tmp_path / "pwned").exists()


def test_digest_of_a_file_whose_name_means_standard_input(tmp_path):
    (tmp_path / "-").write_bytes(b"the file")
    done = tool("digest", "-", cwd=tmp_path)
    assert done.returncode == 0 and b"Size:       8 bytes" in done.stdout, done
    for kind in ("sha256", "sha384", "sha512"):
        assert hashlib.new(kind, b"the file").hexdigest() in done.stdout.decode().replace("\n            ", "")


def test_digest_errors(tmp_path):
    assert tool("digest").returncode == 2
    assert tool("digest", "--md5", "x").returncode == 2
    (tmp_path / "there").write_text("x")
    done = tool("digest", tmp_path / "there", tmp_path / "absent\x1b")
    assert done.returncode == 3 and done.stdout == b"" and b"\x1b" not in done.stderr
    assert tool("digest", "/dev/null").returncode == 3


def usb_device(root, name, authorized, product, interface_class, protocol="01"):
    """A device with one interface; returns the interface's leave."""
    device, interface = root / "devices" / name, root / "devices" / f"{name}:1.0"
    device.mkdir(parents=True)
    interface.mkdir()
    (root / "drivers_probe").touch()
    for key, value in {"product": product, "manufacturer": "Maker", "serial": "S1",
                       "idVendor": "046d", "idProduct": "c31c"}.items():
        (device / key).write_text(value + "\n")
    for key, value in {"authorized": authorized, "bInterfaceClass": interface_class,
                       "bInterfaceProtocol": protocol}.items():
        (interface / key).write_text(value + "\n")
    return interface / "authorized"


def test_usb_allow(tmp_path):
    let = usb_device(tmp_path, "1-2", "0", "Key \x1b[2Jboard", "03")
    stay = usb_device(tmp_path, "1-3", "0", "Camera", "0e")
    usb_device(tmp_path, "1-4", "1", "Storage", "08")
    env = environment(usb=tmp_path)
    status, shown = run_tty(SCRIPTS / "usb-allow", "1-2", env=env, answers=[("(y/N)? ", "y\n")])
    assert status == 0, shown
    assert "keyboard" in shown and "\x1b[2J" not in shown
    assert let.read_text() == "1\n" and stay.read_text() == "0\n"
    status, shown = run_tty(SCRIPTS / "usb-allow", env=env, answers=[("(y/N)? ", "y\n")])
    assert status == 0 and "camera" in shown and "1-4" not in shown and "1-2" not in shown
    assert stay.read_text() == "1\n"


def test_usb_allow_list_lets_nothing_in(tmp_path):
    let = usb_device(tmp_path, "1-2", "0", "Keyboard", "03")
    done = tool("usb-allow", "--list", SYSROOT=sysroot(usb=tmp_path))
    assert done.returncode == 0 and b"keyboard" in done.stdout and let.read_text() == "0\n"


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"])
def test_usb_allow_refused(tmp_path, answer):
    let = usb_device(tmp_path, "1-2", "0", "Keyboard", "03")
    env = environment(usb=tmp_path)
    status, shown = run_tty(SCRIPTS / "usb-allow", "1-2", env=env, answers=[("(y/N)? ", answer)])
    assert status == 1 and let.read_text() == "0\n" and "keyboard" in shown
    assert tool("usb-allow", "1-2", SYSROOT=sysroot(usb=tmp_path)).returncode == 1  # no terminal


@pytest.mark.parametrize("name,status", [
    ("1-4", 3), ("1-9", 3), ("", 2), ("../1-2", 2), ("1-2/../1-4", 2), ("-x", 2), ("*", 2),
    ("1-2\n1-4", 2), ("new\nline\x1b", 2)])
def test_usb_allow_other_names(tmp_path, name, status):
    usb_device(tmp_path, "1-2", "0", "Keyboard", "03")
    usb_device(tmp_path, "1-4", "1", "Storage", "08")
    done = tool("usb-allow", "--", name, SYSROOT=sysroot(usb=tmp_path))
    assert done.returncode == status and b"\x1b" not in done.stderr, done


def test_usb_allow_nothing_refused(tmp_path):
    (tmp_path / "devices").mkdir()
    done = tool("usb-allow", SYSROOT=sysroot(usb=tmp_path))
    assert done.returncode == 0 and b"no USB device is refused" in done.stdout
    assert tool("usb-allow", "--frob", SYSROOT=sysroot(usb=tmp_path)).returncode == 2


@pytest.fixture
def console(tmp_path):
    (tmp_path / "root/dev").mkdir(parents=True)
    rows = [b"# ksrsigner".ljust(40), b"esc \x1b[2J".ljust(40)] + [b" " * 40] * 3
    (tmp_path / "root/dev/vcs2").write_bytes(b"".join(rows))
    (tmp_path / "root/dev/vcsa2").write_bytes(bytes([5, 40, 0, 0]) + bytes(400))
    stub(tmp_path / "bin", "printlog", f'printf "%s\\n" "$@" >{tmp_path}/printed\n')
    (tmp_path / "work").mkdir()
    return tmp_path


def test_screencap_of_a_text_console(console):
    done = tool("screencap-verify", "--console", "2", "3", cwd=console / "work",
                SYSROOT=sysroot(console / "root"), PATH=f"{console}/bin:{ENV['PATH']}")
    assert done.returncode == 0, done.stderr
    files = list((console / "work").iterdir())
    assert len(files) == 1 and files[0].name.startswith("screencap-2")
    assert files[0].read_bytes().startswith(b"# ksrsigner\nesc \x1b[2J\n")
    assert hashlib.sha256(files[0].read_bytes()).hexdigest().encode() in done.stdout
    assert b"# ksrsigner\n" in done.stdout and b"\x1b" not in done.stdout
    assert (console / "printed").read_text() == f"--\n{files[0].name}\n3\n"


@pytest.mark.parametrize("argv,status", [
    (["--console", "7"], 2), (["--console"], 2), (["--console", "../2"], 2), ([], 2), (["--frob"], 2),
    (["--console", "2", "0"], 2), (["--console", "2", "1", "1"], 2), (["--console", "3"], 3)])
def test_screencap_errors(console, argv, status):
    done = tool("screencap-verify", *argv, cwd=console / "work", SYSROOT=sysroot(console / "root"),
                PATH=f"{console}/bin:{ENV['PATH']}")
    assert done.returncode == status, done
    assert list((console / "work").iterdir()) == []


def test_screencap_of_the_desktop(console):
    (console / "shot.png").write_bytes(png())
    stub(console / "bin", "grim", f'cat {console}/shot.png >"$1"\n')
    stub(console / "bin", "show", f'echo "$1" >{console}/shown\n')
    stub(console / "bin", "lpstat", "exit 0\n")
    stub(console / "bin", "lp", f'printf "%s\\n" "$@" >{console}/printed; echo "request id is HP-7 (1 file(s))"\n')
    extra = {"WAYLAND_DISPLAY": "wayland-0", "PATH": f"{console}/bin:{ENV['PATH']}"}
    done = tool("screencap-verify", "2", cwd=console / "work", **extra)
    assert done.returncode == 0, done.stderr
    assert b"Job:        HP-7, pages: 1, copies: 2" in done.stdout
    assert "-n\n2\n" in (console / "printed").read_text()
    assert done.stdout.count(hashlib.sha256(png()).hexdigest().encode()) == 2
    assert f"Picture:    {console}/work/screencap-2".encode() in done.stdout
    assert (console / "shown").read_text().startswith("screencap-2")
    (console / "printed").unlink()
    for old in (console / "work").iterdir():
        old.unlink()
    done = tool("screencap-verify", "--no-print", cwd=console / "work", **extra)
    assert done.returncode == 0 and b"SHA-256:" in done.stdout
    assert not (console / "printed").exists()
    stub(console / "bin", "grim", "exit 1\n")
    assert tool("screencap-verify", cwd=console / "work", **extra).returncode in (3, 5)


def test_screencap_where_nothing_can_be_written(console):
    if os.getuid() == 0:
        done = run("unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none . && cd "$PWD" && exec "$@"',
                   "sh", SCRIPTS / "screencap-verify", "--console", "2", cwd=console / "work",
                   env=dict(ENV, SYSROOT=str(sysroot(console / "root"))))
        assert done.returncode == 5 and b"cannot write: Read-only file system" in done.stderr
    assert BIN.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="needs mounts")
@pytest.mark.parametrize("options", ["size=64k", "size=1m,nr_inodes=2"])
def test_screencap_on_a_full_drive(console, options):
    """The picture was taken: that there is no room for it is another thing, and says
    what helps.  Nothing half-written stays."""
    (console / "shot.png").write_bytes(png() + b"x" * 100_000)
    stub(console / "bin", "grim", f'cat {console}/shot.png >"$1"\n')
    done = run("unshare", "-m", "sh", "-c",
               f'mount -t tmpfs -o {options} none . && cd "$PWD" && : >filler; "$@"; status=$?; ls -A; exit $status',
               "sh", SCRIPTS / "screencap-verify", "--no-print", cwd=console / "work",
               env=dict(ENV, WAYLAND_DISPLAY="wayland-0", PATH=f"{console}/bin:{ENV['PATH']}"))
    said = done.stderr.decode()
    assert done.returncode == 5 and len(said.splitlines()) == 1, said
    assert ": cannot write: the disk is full: delete what is not needed there, or write elsewhere\n" in said
    assert done.stdout == b"filler\n"


@pytest.fixture
def shown(tmp_path):
    """The tool "show", its window and its pager replaced by what writes down
    what they were given."""
    lib = tmp_path / "usr/lib/keyroom"
    shutil.copytree(LIB, lib)
    stub(lib, "desktop-terminal", f'printf "%s\\n" "$@" >{tmp_path}/new; mv {tmp_path}/new {tmp_path}/window\n')
    stub(tmp_path / "bin", "less", f'shift; cat -- "$1" >{tmp_path}/paged\n')

    def call(*argv, **extra):
        return tool("show", *argv, cwd=tmp_path, SYSROOT=tmp_path,
                    PATH=f"{tmp_path}/bin:{ENV['PATH']}", **extra)
    return call


def test_show_goes_by_what_a_file_holds(shown, tmp_path):
    (tmp_path / "page").write_text("page of text\n")
    subprocess.run([BIN / "text2pdf", "--title=t", "--", "page"], cwd=tmp_path, check=True,
                   stdout=open(tmp_path / "odd (name).txt", "wb"))
    (tmp_path / "picture.pdf").write_bytes(b"\x89PNG\r\n\x1a\n")
    for name in ("odd (name).txt", "picture.pdf"):
        assert shown(name, WAYLAND_DISPLAY="wayland-0").returncode == 0
        for _ in range(50):
            if (tmp_path / "window").exists():
                break
            time.sleep(0.1)
        assert (tmp_path / "window").read_text() == f"show\n{tmp_path}/usr/lib/keyroom/show-pages\n{tmp_path}/{name}\n"
        (tmp_path / "window").unlink()
    assert shown("odd (name).txt").returncode == 0
    assert "page of text" in (tmp_path / "paged").read_text()
    assert shown("page").returncode == 0
    assert (tmp_path / "paged").read_text() == "page of text\n"
    assert shown("picture.pdf").returncode == 3
    # $() takes a newline away, and there is a file of the name that is left.
    (tmp_path / "page\n").write_text("another page\n")
    assert shown("page\n").returncode == 0 and (tmp_path / "paged").read_text() == "another page\n"
    (tmp_path / "page\n").unlink()
    assert shown("page\n").returncode == 3


@pytest.mark.parametrize("head", ["%PDF-1.4", "%PDF", "%PDFx", "%PDF\n-", "%!PS"])
def test_show_runs_no_program(shown, tmp_path, head):
    """To gs a file is PostScript unless its head is a PDF's to the dash, and PostScript writes
    to the terminal as it likes."""
    (tmp_path / "x.pdf").write_text(head + "\n(\x1b[31mforged\n) dup print flush (%stderr) (w) file exch writestring\n")
    done = shown("x.pdf")
    assert b"forged" not in done.stdout + done.stderr, done
    if head != "%PDF-1.4":
        assert "forged" in (tmp_path / "paged").read_text()


@pytest.mark.parametrize("argv,status", [([], 2), (["a", "b"], 2), (["--frob"], 2), (["nothing"], 3), (["."], 3)])
def test_show_errors(shown, argv, status):
    done = shown(*argv)
    assert done.returncode == status and done.stdout == b"" and done.stderr, done
