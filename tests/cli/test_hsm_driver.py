# SPDX-License-Identifier: ISC
"""A descriptor in packages/drivers is the one place that says what an HSM's
driver needs: what it asks for is what the disc or the extension gets, and what
is not understood is refused by file and line.  hsm-driver loads exactly the
bytes whose hash it has shown; hsm-list shows what every program sees."""
import hashlib
import os
import subprocess

import pytest

from ceremony_tools import BIN, HOSTILE, ROOT, SCRIPTS, TOP, environment, run, run_tty, stub
from tokens import SOFTHSM

DRIVER = TOP / "packages/lib/driver"
DESCRIPTORS = sorted((TOP / "packages/drivers").glob("*.conf"))
WHOLE = """# A comment.
title: An HSM
delivery: extension
package: softhsm2  # why
vendor: file-1.0.tar.gz {0}
take: in/lib.so /usr/lib/x/lib.so
take: in/more /opt/x/more
module: /usr/lib/x/lib.so
env: A_b=/usr/lib/x
env: C=1,2
file: /usr/share/x/x.conf first = "line";
file: /usr/share/x/x.conf second # line
udev: SUBSYSTEM=="usb", ATTR{{idVendor}}=="1234", SYMLINK+="hsm"
host: 192.168.0.2 hsm-x
port: 5000
port: 5001
kernel: pl2303
rehearsal: Only for tests.
""".format("0" * 64)


def describe(folder, text, name="whole"):
    path = folder / f"{name}.conf"
    path.write_text(text)
    return path


def without(key):
    return "".join(line + "\n" for line in WHOLE.splitlines() if not line.startswith(key + ":"))


# Descriptors

@pytest.mark.parametrize("path", DESCRIPTORS, ids=lambda path: path.stem)
def test_descriptor_of_ours_is_one(path):
    done = run(DRIVER, "check", path)
    assert done.returncode == 0 and done.stderr == b""


def test_the_drivers_there_should_be():
    assert {"opensc", "yubihsm2", "softhsm", "keyper", "luna"} <= {path.stem for path in DESCRIPTORS}


def test_the_table_of_the_readme_is_that_of_the_program():
    text = (TOP / "packages/drivers/README.md").read_text()
    listed = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    program = [line.split('"')[1] for line in DRIVER.read_text().splitlines() if line.startswith('\t\tfield("')]
    assert listed == program


@pytest.mark.parametrize("key", ["title", "delivery", "module"])
def test_missing_key_is_named(tmp_path, key):
    done = run(DRIVER, "check", describe(tmp_path, without(key)))
    assert done.returncode == 1 and f": no {key}\n".encode() in done.stderr


@pytest.mark.parametrize("key", ["title", "delivery", "vendor", "module", "host", "rehearsal"])
def test_second_value_is_refused(tmp_path, key):
    line = next(line for line in WHOLE.splitlines() if line.startswith(key))
    done = run(DRIVER, "check", describe(tmp_path, WHOLE + line + "\n"))
    assert done.returncode == 1 and f"whole.conf:19: a second {key}".encode() in done.stderr


@pytest.mark.parametrize("line, words", [
    ("colour: red", "no such key: colour"),
    ("nonsense", "no such key: nonsense"),
    ("package: softhsm2", "package: not understood"),
    ("package: soft hsm # why", "package: not understood"),
    ("take: ../etc/shadow /usr/lib/x", "take: not understood"),
    ("take: lib.so /etc/x", "take: not understood"),
    ("take: lib.so /usr/../etc/x", "take: not understood"),
    ("env: 1A=b", "env: not understood"),
    ("env: A=b'; reboot; '", "env: not understood"),
    ("file: /etc/passwd root::0:0", "file: not understood"),
    ("udev: RUN", "udev: not understood"),
    ("port: 0", "port: not understood"),
    ("port: ssh", "port: not understood"),
    ("kernel: ../x", "kernel: not understood"),
])
def test_what_is_not_understood_is_refused_by_line(tmp_path, line, words):
    done = run(DRIVER, "check", describe(tmp_path, WHOLE + line + "\n"))
    assert done.returncode == 1 and f"whole.conf:19: {words}".encode() in done.stderr


@pytest.mark.parametrize("old, new, words", [
    ("delivery: extension", "delivery: floppy", "delivery: not understood"),
    ("delivery: extension", "delivery: disc", "only what Debian has the source of"),
    ("0" * 64, "0" * 63, "a SHA-256 has 64 digits"),
    ("module: /usr/lib/x/lib.so", "module: lib.so", "module: not understood"),
    ("host: 192.168.0.2 hsm-x\n", "", "port: no host"),
    ("host: 192.168.0.2", "host: hsm.example", "host: not understood"),
    ("port: 5000\nport: 5001\n", "", "host: no port"),
])
def test_what_does_not_fit_together_is_refused(tmp_path, old, new, words):
    assert old in WHOLE
    done = run(DRIVER, "check", describe(tmp_path, WHOLE.replace(old, new)))
    assert done.returncode == 1 and words.encode() in done.stderr


def test_a_driver_comes_from_somewhere(tmp_path):
    text = "title: X\ndelivery: extension\nmodule: /usr/lib/x.so\n"
    done = run(DRIVER, "check", describe(tmp_path, text))
    assert done.returncode == 1 and b"comes from nowhere" in done.stderr
    done = run(DRIVER, "check", describe(tmp_path, text + "package: x # y\ntake: a /usr/a\n"))
    assert done.returncode == 1 and b"no vendor file to take from" in done.stderr
    done = run(DRIVER, "check", describe(tmp_path, text.replace("extension", "disc")))
    assert done.returncode == 1 and b"a driver on the disc is a package" in done.stderr


@pytest.mark.parametrize("name", ["Two", "a_b", "a-1", "-x", "two words"])
def test_names_that_no_extension_can_have(tmp_path, name):
    done = run(DRIVER, "check", describe(tmp_path, WHOLE, name))
    assert done.returncode == 1 and b"the name of a descriptor" in done.stderr


def test_values(tmp_path):
    path = describe(tmp_path, WHOLE)
    for key, lines in {"package": ["softhsm2"], "port": ["5000", "5001"], "title": ["An HSM"],
                       "vendor": ["file-1.0.tar.gz " + "0" * 64]}.items():
        assert run(DRIVER, "get", key, path).stdout.decode().splitlines() == lines


def test_install_does_what_each_key_says(tmp_path):
    tree = tmp_path / "tree"
    assert run(DRIVER, "install", describe(tmp_path, WHOLE), tree).returncode == 0
    found = {str(path.relative_to(tree)): path.read_text() for path in tree.rglob("*") if path.is_file()}
    assert found["usr/share/p11-kit/modules/whole.module"] == "module: /usr/lib/x/lib.so\n"
    assert found["usr/lib/keyroom/environment/whole"] == "export A_b='/usr/lib/x'\nexport C='1,2'\n"
    assert found["usr/share/x/x.conf"] == 'first = "line";\nsecond # line\n'
    assert found["usr/lib/udev/rules.d/70-keyroom-whole.rules"].startswith('SUBSYSTEM=="usb", ATTR{idVendor}')
    assert found["usr/share/keyroom/network/whole.hosts"] == "192.168.0.2\thsm-x\n"
    assert found["usr/share/keyroom/network/whole.ports"] == "192.168.0.2 5000 5001\n"
    assert found["usr/lib/modules-load.d/keyroom-whole.conf"] == "pl2303\n"
    assert found["usr/lib/keyroom/rehearsal"] == "Only for tests.\n"
    assert "title: An HSM\n" in found["usr/share/keyroom/drivers/whole"]
    assert len(found) == 9


def test_install_leaves_the_registration_of_the_package(tmp_path):
    modules = tmp_path / "tree/usr/share/p11-kit/modules"
    modules.mkdir(parents=True)
    (modules / "theirs.module").write_text("module: lib.so\n")
    assert run(DRIVER, "install", describe(tmp_path, WHOLE), tmp_path / "tree").returncode == 0
    assert [path.name for path in modules.iterdir()] == ["theirs.module"]


def test_wrong_command_lines(tmp_path):
    for argv in ([], ["check"], ["get", "title"], ["install", "x"], ["remove", "x"]):
        assert run(DRIVER, *argv).returncode == 2


# hsm-driver, in a root of the test's own

@pytest.fixture
def room(tmp_path):
    root = tmp_path / "root"
    for folder in ("usr/share/keyroom/network", "usr/lib/keyroom/environment", "usr/lib/modules-load.d",
                   "usr/lib/udev/rules.d", "run/keyroom", "etc"):
        (root / folder).mkdir(parents=True)
    (root / "etc/hosts").write_text("127.0.0.1\tlocalhost\n")
    (root / "usr/share/keyroom/extensions").write_text("")
    for name in ("systemd-sysext", "udevadm", "modprobe", "logger", "ceremony-log"):
        stub(tmp_path / "bin", name, f'echo "{name} $*" >>"{tmp_path}/calls"\n')
    merges(tmp_path, root)
    return root


def merges(folder, root):
    """systemd-sysext takes what is there."""
    stub(folder / "bin", "systemd-sysext", f"""echo "systemd-sysext $*" >>"{folder}/calls"
mkdir -p "{root}/usr/lib/extension-release.d"
for raw in "{root}"/run/extensions/*.raw; do
	touch "{root}/usr/lib/extension-release.d/extension-release.$(basename "$raw" .raw)"
done
""")


def hsm_driver(room, *argv, answers=None):
    env = environment(root=room, PATH=f"{room.parent}/bin:{environment()['PATH']}")
    tool = ROOT / "usr/sbin/hsm-driver"
    if answers is not None:
        return run_tty(tool, *argv, answers=answers, env=env)
    return run(tool, *argv, env=env)


def extension(folder, name="keyroom-x-0.2.0.raw"):
    path = folder / name
    path.write_bytes(b"an extension")
    return path


def know(room, path):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (room / "usr/share/keyroom/extensions").write_text(f"{digest} {path.name}\n")
    return digest


def test_load_what_the_disc_knows(room, tmp_path):
    share = room / "usr/share/keyroom"
    (share / "network/x.hosts").write_text("192.168.0.2\tx\n")
    (room / "usr/lib/modules-load.d/keyroom-x.conf").write_text("pl2303\n")
    (room / "usr/lib/udev/rules.d/70-keyroom-x.rules").write_text("rule\n")
    (room / "usr/lib/keyroom/environment/x").write_text("export A='b'\n")
    digest = know(room, extension(tmp_path))
    done = hsm_driver(room, "load", tmp_path / "keyroom-x-0.2.0.raw")
    assert done.returncode == 0, done.stderr
    assert digest.encode() in done.stdout and b"in the list on this disc" in done.stdout
    assert b"Setting:    A='b'\n" in done.stdout
    assert (room / "run/extensions/keyroom-x.raw").read_bytes() == b"an extension"
    assert (room / "etc/hosts").read_text().endswith("192.168.0.2\tx\n")
    assert (tmp_path / "calls").read_text().splitlines() == [
        "systemd-sysext refresh", "modprobe -a pl2303", "udevadm control --reload",
        "udevadm trigger --action=change --settle", f"logger -t hsm-driver loaded keyroom-x {digest}",
        f"ceremony-log note hsm-driver: loaded keyroom-x {digest}"]
    assert hsm_driver(room, "list").stdout.decode() == hsm_driver(room).stdout.decode() == f"{digest} keyroom-x\n"
    assert not (room / "run/keyroom/rehearsal").exists()
    again = hsm_driver(room, "load", tmp_path / "keyroom-x-0.2.0.raw")
    assert again.returncode == 1 and b"already loaded" in again.stderr


def test_network_that_is_on_is_opened_to_the_drivers_hsm(room, tmp_path):
    """Where that fails, the driver is loaded all the same, and the operator told."""
    (room / "usr/share/keyroom/network/x.ports").write_text("192.168.0.2 5000\n")
    know(room, extension(tmp_path))
    for status in (0, 5):
        stub(tmp_path / "bin", "hsm-network", f'echo "hsm-network $*" >>"{tmp_path}/calls"\nexit {status}\n')
        done = hsm_driver(room, "load", tmp_path / "keyroom-x-0.2.0.raw")
        assert done.returncode == 0 and b"keyroom-x: loaded" in done.stdout
        assert (b"the network is not open to the HSM of x" in done.stderr) == (status != 0)
        assert (tmp_path / "calls").read_text().count("hsm-network reopen\n") == 1
        for path in (room / "run/extensions/keyroom-x.raw", tmp_path / "calls"):
            path.unlink()


def test_the_drive_may_change_after_it_was_read(room, tmp_path):
    path = extension(tmp_path)
    know(room, path)
    assert hsm_driver(room, "load", path).returncode == 0
    path.write_bytes(b"something else")
    assert (room / "run/extensions/keyroom-x.raw").read_bytes() == b"an extension"


def test_a_software_token_is_a_rehearsal(room, tmp_path):
    (room / "usr/lib/keyroom/rehearsal").write_text("x\n")
    know(room, extension(tmp_path))
    assert hsm_driver(room, "load", tmp_path / "keyroom-x-0.2.0.raw").returncode == 0
    assert (room / "run/keyroom/rehearsal").exists()


def nothing_is_left(room):
    assert not list((room / "run").rglob("*.raw*")) and not (room / "run/keyroom/drivers").exists()


def test_unknown_extension_needs_the_operator(room, tmp_path):
    path = extension(tmp_path)
    words = run(BIN / "sha2wordlist", path).stdout.decode().split("PGP Words:")[1].split()
    done = hsm_driver(room, "load", path)
    assert done.returncode == 1 and b"no terminal to ask on" in done.stderr
    nothing_is_left(room)
    status, shown = hsm_driver(room, "load", path, answers=[("(y/N)? ", "n\n")])
    assert status == 1 and shown.split("PGP Words:")[1].split()[:32] == words
    nothing_is_left(room)
    status, shown = hsm_driver(room, "load", path, answers=[("(y/N)? ", "y\n")])
    assert status == 0 and "keyroom-x: loaded" in shown


@pytest.mark.parametrize("program,script,status,words", [
    ("systemd-sysext", "echo 'no suitable extensions' >&2; exit 1", 5,
     [b"no suitable extensions", b"made for this release?"]),
    # It ends with 0 where an extension is for another release.
    ("systemd-sysext", "exit 0", 5, [b"made for this release?"]),
    ("cp", "echo 'No space left on device' >&2; exit 1", 3, [b"into memory"])],
    ids=["refused", "left out", "memory full"])
def test_what_fails_halfway_leaves_nothing(room, tmp_path, program, script, status, words):
    know(room, extension(tmp_path))
    stub(tmp_path / "bin", program, script + "\n")
    done = hsm_driver(room, "load", tmp_path / "keyroom-x-0.2.0.raw")
    assert done.returncode == status and all(word in done.stderr for word in words), done.stderr
    nothing_is_left(room)


@pytest.mark.parametrize("name", [*HOSTILE, "keyroom-.raw", "softhsm.raw", "keyroom-A.raw", "keyroom-a b.raw"])
def test_names_of_no_extension(room, tmp_path, name):
    extension(tmp_path, name)
    done = hsm_driver(room, "load", f"{tmp_path}/{name}")
    assert done.returncode == 3 and b"\x1b" not in done.stderr and done.stderr.count(b"\n") == 1
    nothing_is_left(room)


@pytest.mark.parametrize("argv, status", [
    (["load"], 2), (["load", "a", "b"], 2), (["list", "x"], 2), (["unload", "x"], 2), (["--force"], 2),
    (["load", "/absent/keyroom-x.raw"], 3), (["load", "/"], 3),
])
def test_wrong_command_lines_of_hsm_driver(room, argv, status):
    done = hsm_driver(room, *argv)
    assert done.returncode == status and done.stderr.startswith(b"hsm-driver: ")


# hsm-list

@pytest.fixture
def registered(tmp_path):
    root = tmp_path / "root"
    (root / "usr/share/p11-kit/modules").mkdir(parents=True)
    (root / "usr/share/keyroom/drivers").mkdir(parents=True)
    return root


def register(root, name, module, title=None):
    (root / f"usr/share/p11-kit/modules/{name}.module").write_text(f"module: {module}\n")
    if title:
        (root / f"usr/share/keyroom/drivers/{title.split()[0].lower()}").write_text(
            f"title: {title}\nmodule: {module}\n")
    path = root / module.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def hsm_list(root, path=None, **extra):
    return run(SCRIPTS / "hsm-list", env=environment(
        root=root,
        PATH=f"{path}:{environment()['PATH']}" if path else environment()["PATH"], **extra))


def test_list_of_a_real_token(registered, tmp_path):
    """What pkcs11-tool says of SoftHSM, in our words; the file's hash."""
    register(registered, "other", "/usr/lib/soft.so", "Soft token").symlink_to(SOFTHSM)
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "two words", "--pin", "1234",
                    "--so-pin", "1234"], env=dict(os.environ, SOFTHSM2_CONF=str(conf)), check=True,
                   stdout=subprocess.DEVNULL)
    done = hsm_list(registered, SOFTHSM2_CONF=conf)
    assert done.returncode == 0, done.stderr
    out = done.stdout.decode()
    assert "Driver:     soft, Soft token\n" in out
    assert hashlib.sha256(open(SOFTHSM, "rb").read()).hexdigest() in out
    assert "    label:        two words\n" in out and "    manufacturer: SoftHSM project\n" in out
    assert "  Slot 1:     " in out and "    a token without a label\n" in out


def test_list_of_several_drivers(registered, tmp_path):
    for name in ("a", "b", "c"):
        register(registered, name, f"/usr/lib/{name}.so", f"{name.upper()} \x1b[31mHSM").write_text(name)
    (registered / "usr/share/p11-kit/modules/trust.module").write_text("trust-policy: yes\nmodule: t.so\n")
    stub(tmp_path / "bin", "pkcs11-tool", """case $2 in
*/a.so) printf 'Slot 0 (0x0): reader\\n  (empty)\\nSlot 1 (0x1): other\\n  token label        : \\033[31mred\\n' ;;
*/b.so) echo 'error: PKCS11 function C_Initialize failed: rv = CKR_DEVICE_REMOVED (0x32)' >&2; exit 1 ;;
*/c.so) echo 'No slots.'; echo 'Available slots:' >&2; exit 1 ;;
esac
""")
    done = hsm_list(registered, tmp_path / "bin")
    assert done.returncode == 0 and b"\x1b" not in done.stdout
    first, second, third = done.stdout.decode().split("\n\n")
    assert "  Slot 0:     reader\n    no token\n  Slot 1:     other\n    label:        ?[31mred" in first
    assert "  no HSM answers: PKCS11 function C_Initialize failed: rv = CKR_DEVICE_REMOVED (0x32)" in second
    assert "  no slots" in third


def test_list_errors(registered):
    assert b"no driver is registered" in hsm_list(registered).stderr
    register(registered, "gone", "/usr/lib/gone.so")
    done = hsm_list(registered)
    assert done.returncode == 3 and b"MISSING" in done.stdout and b"file is missing" in done.stderr
    assert run(SCRIPTS / "hsm-list", "x", env=environment()).returncode == 2


def test_interrupt_does_not_leave_a_driver_off_the_record(room, tmp_path):
    """Ctrl-C while the software token comes in: it is in, and known as one."""
    digest = know(room, extension(tmp_path))
    stub(tmp_path / "bin", "systemd-sysext", f"""mkdir -p "{room}/usr/lib/extension-release.d"
touch "{room}/usr/lib/extension-release.d/extension-release.keyroom-x" "{room}/usr/lib/keyroom/rehearsal"
kill -INT $PPID
""")
    done = hsm_driver(room, "load", tmp_path / "keyroom-x-0.2.0.raw")
    assert done.returncode == 0, done.stderr
    assert (room / "run/keyroom/drivers").read_text() == f"{digest} keyroom-x\n"
    assert (room / "run/keyroom/rehearsal").exists()
