# SPDX-License-Identifier: ISC
"""The audit is the one witness that nobody else checks.  On a made-up system, of
which every check finds all in order: what is wrong is found by the check for it and
by no other, each check can fail, and what somebody adds to the kernel's command
line cannot hide behind bytes that only the kernel takes for blanks."""
import re
import shutil

import pytest

from ceremony_tools import LIB, SCRIPTS, TOP, environment, run, stub

AUDIT = SCRIPTS / "system-audit"
CHECKS = sorted(LIB.glob("audit/*"))
ROOT_HASH = "0123456789abcdef" * 4
MENU = (f"BOOT_IMAGE=/live/vmlinuz keyroom.medium=KEYROOM_0123 keyroom.verity=sha256:{ROOT_HASH}:00:1:2:3:2 "
        "quiet loglevel=3 init_on_alloc=1 init_on_free=1 lockdown=confidentiality panic=0 ipv6.disable=1 "
        "systemd.show_status=0 fbcon=font:TER16x32")
MOUNTS = """overlay / overlay rw,lowerdir=/run/keyroom/lower,upperdir=/run/keyroom/upper/upper 0 0
/dev/dm-0 /run/keyroom/lower squashfs ro,relatime 0 0
/dev/sr0 /run/keyroom/medium iso9660 ro,relatime 0 0
proc /proc proc rw 0 0
/dev/sdb1 /media/KSR vfat rw,nosuid,nodev,noexec,sync 0 0
"""
KEYBOARD = """I: Bus=0003 Vendor=046d Product=c31c Version=0110
N: Name="Logitech USB Keyboard"
P: Phys=usb-0000:00:14.0-2/input0
S: Sysfs=/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/0003:046D:C31C.0001/input/input5
U: Uniq=
H: Handlers=sysrq kbd event5 leds
B: PROP=0
B: EV=120013

I: Bus=0003 Vendor=046d Product=c31c Version=0110
N: Name="Logitech USB Keyboard Consumer Control"
S: Sysfs=/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.1/0003:046D:C31C.0002/input/input6
H: Handlers=kbd event6
B: EV=1f

I: Bus=0011 Vendor=0001 Product=0001 Version=ab41
N: Name="AT Translated Set 2 keyboard"
S: Sysfs=/devices/platform/i8042/serio0/input/input0
H: Handlers=sysrq kbd event0 leds
B: EV=120013

I: Bus=0003 Vendor=046d Product=c077 Version=0111
N: Name="Logitech USB Mouse"
S: Sysfs=/devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/0003:046D:C077.0003/input/input7
H: Handlers=mouse0 event7
B: EV=17
"""
FIREWALL = ('table inet keyroom {\n' + ''.join(
    f'\tchain {name} {{\n\t\ttype filter hook {name} priority filter; policy drop;\n{accept}\t}}\n' for name, accept in (
        ('input', '\t\tiifname "lo" accept\n'), ('output', '\t\toifname "lo" accept\n'), ('forward', ''),
        ('arp-in', ''), ('arp-out', ''))) + '}\n')


class System:
    """A machine's files below one folder, all as they should be."""

    def __init__(self, folder):
        self.folder = folder / "machine"
        self.bin = folder / "bin"
        settings = (TOP / "image/rootfs/usr/lib/sysctl.d/99-keyroom.conf").read_text()
        for path, text in {
            "proc/cmdline": MENU + "\n",
            "proc/sys/kernel/osrelease": "6.12.0-test\n",
            "sys/kernel/security/lockdown": "none integrity [confidentiality]\n",
            "etc/keyroom-release": "KEYROOM_VERSION=1.2.3\nKEYROOM_PROFILE=test\nKEYROOM_BUILD_ID=0123456789abcdef\n"
                                   f"KEYROOM_LOCK={'ab' * 32}\n",
            "run/keyroom/boot": f"id=KEYROOM_0123\nroothash={ROOT_HASH}\n",
            "run/keyroom/keyboards": "1-2 046d:c31c Logitech USB Keyboard\n",
            "proc/bus/input/devices": KEYBOARD,
            "sys/block/dm-0/ro": "1\n",
            "sys/block/sda/ro": "1\n",
            "proc/mounts": MOUNTS,
            "usr/lib/sysctl.d/99-keyroom.conf": settings,
            "usr/lib/modules/6.12.0-test/modules.dep": "kernel/drivers/usb/host/xhci-hcd.ko.xz:\n",
            "proc/modules": "xhci_hcd 1 0 - Live 0x0\n",
            "proc/swaps": "Filename Type Size Used Priority\n",
            "proc/self/limits": "Limit Soft Hard\nMax core file size        0                    0          bytes\n",
            "etc/shadow": "root:*:1:::::\ndaemon:!*:1:::::\n",
            "proc/net/tcp": "sl local rem st\n",
            "sys/class/net/lo/flags": "0x9\n",
            "sys/class/net/eth0/flags": "0x1002\n",
            "etc/keyroom-network": "HSM_ADDRESS=192.168.0.2\n",
            "sys/bus/usb/devices/usb1/interface_authorized_default": "0\n",
            "usr/share/keyroom/setuid": "",
            "usr/share/keyroom/package-count": "2\n",
            "usr/share/keyroom/dpkg-verify": "missing     /usr/share/doc/a/copyright\n",
        }.items():
            self.write(path, text)
        (self.folder / "run/keyroom/upper/upper").mkdir(parents=True)
        for line in settings.splitlines():
            if re.match("[a-z]", line):
                name, value = line.split(" = ")
                self.write("proc/sys/" + name.replace(".", "/"), value + "\n")
        for name, text in (("nft", FIREWALL), ("systemctl", ""), ("dpkg-query", ".\n.\n"),
                           ("dpkg", "missing     /usr/share/doc/a/copyright\n")):
            self.says(name, text)

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())

    def says(self, name, text):
        """A program of the system that prints this."""
        stub(self.bin, name, f"cat <<'END'\n{text}END\n" if text else "")

    def env(self, **extra):
        return environment(**{"root": self.folder, "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin", **extra})

    def audit(self, *options, **extra):
        done = run(AUDIT, *options, env=self.env(**extra))
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    def failed(self, *options, **extra):
        status, page = self.audit(*options, **extra)
        names = re.findall(r"^FAIL  (\w+)", page, re.M)
        assert status == (1 if names else 0), page
        return names, page


@pytest.fixture
def system(tmp_path):
    return System(tmp_path)


def test_all_in_order_passes_and_fits_on_a_screen(system):
    """25 rows of 84 letters are what the desktop's terminal has; the command stands
    above, and the next prompt takes three below."""
    status, page = system.audit()
    assert status == 0, page
    lines = page.splitlines()
    assert len(lines) <= 25 - 1 - 3 and max(map(len, lines)) <= 80
    assert page.count("\nPASS  ") == len(CHECKS) and lines[-1] == f"SYSTEM AUDIT PASSED: {len(CHECKS)} checks"
    assert re.match(r"Keyroom 1\.2\.3 \(test\), build 0123456789abcdef   \d{4}-\d\d-\d\d [\d:]{8} UTC$", lines[0])
    assert lines[1] == "disc KEYROOM_0123, lock abababababababab..."


def test_quick_leaves_out_what_takes_long(system):
    status, page = system.audit("--quick")
    assert status == 0 and not re.search("setuid|services|packages", page.split("SYSTEM")[0]), page
    assert page.splitlines()[-1] == f"SYSTEM AUDIT PASSED: {len(CHECKS) - 3} checks, 3 that take long left out"


# What need not be there: controllers and the loopback's flags, which nobody reads.
MAY_BE_GONE = {"sys/class/net/lo/flags", "sys/bus/usb/devices/usb1/interface_authorized_default"}


@pytest.mark.slow
def test_what_cannot_be_read_is_no_pass(system):
    """A check that finds nothing to look at has not found that all is well.  Each file
    of the system is taken away in its turn."""
    unseen = []
    for path in sorted(one for one in system.folder.rglob("*") if one.is_file()):
        name = str(path.relative_to(system.folder))
        data = path.read_bytes()
        path.unlink()
        status, page = system.audit()
        path.write_bytes(data)
        if status == 0 or not ("FAIL  " in page or status > 1):
            unseen.append(name)
    assert set(unseen) <= MAY_BE_GONE, unseen


def test_what_cannot_be_read_is_not_what_was_read_before(system):
    """Of two of a kind the second is not judged by the first one's answer."""
    for kind, files, check in (
            ("sys/block", {"sda/ro": "1\n", "sdb/size": "1\n"}, "disks"),
            ("sys/class/net", {"eth0/flags": "0x1002\n", "eth1/mtu": "1500\n"}, "network"),
            ("sys/bus/usb/devices", {"usb1/interface_authorized_default": "0\n",
                                     "usb2/interface_authorized_default": ""}, "usb")):
        for name, text in files.items():
            system.write(f"{kind}/{name}", text)
        names, page = system.failed("--quick")
        assert check in names, page


# Each way a check can fail: its name, a file, what stands there then.
BROKEN = [
    ("root", "run/keyroom/damaged", ""),
    ("root", "sys/block/dm-0/ro", "0\n"),
    ("root", "run/keyroom/boot", "id=KEYROOM_0123\nroothash=" + "f" * 64 + "\n"),
    ("root", "proc/mounts", MOUNTS.replace("/dev/dm-0", "/dev/sda1")),
    ("kernel", "proc/cmdline", MENU.replace(" init_on_free=1", "") + "\n"),
    ("kernel", "proc/cmdline", MENU.replace(" init_on_alloc=1", "") + "\n"),
    ("kernel", "proc/cmdline", MENU.replace(" ipv6.disable=1", "") + "\n"),
    ("kernel", "sys/kernel/security/lockdown", "none [integrity] confidentiality\n"),
    ("settings", "proc/sys/kernel/yama/ptrace_scope", "1\n"),
    ("modules", "proc/modules", "xhci_hcd 1 0 -\nrootkit 1 0 -\n"),
    ("modules", "usr/lib/modules/6.12.0-test/modules.dep", ""),
    ("extension", "run/keyroom/upper/upper/usr/bin/less", "other"),
    ("extension", "usr/lib/extension-release.d/extension-release.odd", ""),
    ("mounts", "proc/mounts", MOUNTS.replace(",noexec", "")),
    ("mounts", "proc/mounts", MOUNTS + "tmpfs /usr/share/keyroom tmpfs rw 0 0\n"),
    ("disks", "sys/block/sda/ro", "0\n"),
    ("memory", "proc/swaps", "Filename\n/dev/sda1 partition 1 0 -2\n"),
    ("memory", "proc/self/limits", "Max core file size unlimited unlimited bytes\n"),
    ("memory", "var/log/journal/x", ""),
    ("accounts", "etc/shadow", "root:$y$j9T$x:1:::::\nlp::1:::::\n"),
    ("accounts", "etc/shadow", "root:*:1:::::\nlp::1:::::"),
    ("sockets", "proc/net/tcp", "sl local rem st\n0: 0100007F:0016 00000000:0000 0A\n"),
    ("sockets", "proc/net/tcp", "sl local rem st\n0: 00000000:EA70 00000000:0000 0A\n"),
    ("sockets", "proc/net/tcp", "sl local rem st\n0: 0100A8C0:EA60 00000000:0000 0A\n"),
    ("sockets", "proc/net/udp", "sl local rem st\n0: 00000000:EA60 00000000:0000 07\n"),
    ("network", "sys/class/net/eth0/flags", "0x1003\n"),
    ("network", "proc/net/if_inet6", ""),
    ("usb", "sys/bus/usb/devices/usb1/interface_authorized_default", "1\n"),
    ("packages", "usr/share/keyroom/package-count", "3\n"),
    ("packages", "usr/share/keyroom/dpkg-verify", ""),
]


@pytest.mark.parametrize("check, path, text", BROKEN)
def test_what_is_wrong_is_found_by_its_check_alone(system, check, path, text):
    if path.startswith("proc/sys"):
        assert (system.folder / path).exists(), "the disc's settings have that one"
    system.write(path, text)
    names, page = system.failed()
    assert names == [check], page
    assert page.splitlines()[-1] == f"SYSTEM AUDIT FAILED: 1 of {len(CHECKS)} checks"


@pytest.mark.parametrize("check, name, text", [
    ("firewall", "nft", FIREWALL.replace('iifname "lo" accept', "accept")),
    ("firewall", "nft", ""),
    ("services", "systemctl", "pcscd.service loaded failed failed PC/SC\ncups.service loaded failed failed CUPS\n"),
])
def test_what_a_program_says_is_found(system, check, name, text):
    system.says(name, text)
    names, page = system.failed()
    assert names == [check], page
    if check == "services":
        assert "pcscd.service cups.service" in page


@pytest.mark.parametrize("address", ["0100007F", "00000000"])
@pytest.mark.parametrize("port", ["EA60", "EA6F"])
def test_a_driverless_printer_is_no_listener(system, address, port):
    """ipp-usb's ports, 60000 to 60015; it listens at every address, as it does on the disc."""
    system.write("proc/net/tcp", f"sl local rem st\n0: {address}:{port} 00000000:0000 0A\n")
    assert system.failed()[0] == []


def test_folders_that_find_cannot_read_are_no_pass(system):
    """What it has not seen may be what it was to look for."""
    (system.folder / "run/keyroom/upper/upper/usr").mkdir()
    assert system.failed()[0] == []
    stub(system.bin, "find", "exit 1\n")
    names, page = system.failed()
    assert names == ["extension", "setuid"] and page.count("not all can be read") == 2, page


def test_layer_that_is_written_to_must_be_seen(system):
    (system.folder / "run/keyroom/upper/upper").rmdir()
    assert system.failed()[0] == ["extension"]


def test_rules_that_cannot_be_listed_are_no_pass(system):
    """Not even if what came before the failure is all that there should be."""
    stub(system.bin, "nft", f"cat <<'END'\n{FIREWALL}END\nexit 1\n")
    assert system.failed("--quick")[0] == ["firewall"]


def test_lists_without_keyboards_fail(system):
    (system.folder / "run/keyroom/keyboards").unlink()
    assert system.failed()[0] == ["keyboards"]


def test_program_with_more_rights_is_found(system):
    program = system.folder / "usr/bin/less"
    program.parent.mkdir(parents=True)
    program.write_text("")
    program.chmod(0o4755)
    assert system.failed()[0] == ["setuid"]


def test_terminal_that_is_not_recorded_is_found(system):
    """tests/cli/test_ceremony_log.py has the log itself say so."""
    system.write("run/keyroom/log/socket", "")
    stub(system.bin, "ceremony-log", "echo 'Terminal:   pts/7: NOT RECORDED'; exit 1\n")
    names, page = system.failed()
    assert names == ["terminals"] and "pts/7 is not" in page, page


def test_every_check_can_fail():
    """Here or above, each by its name."""
    tried = {one[0] for one in BROKEN} | {"firewall", "services", "keyboards", "setuid", "terminals"}
    assert {path.name[3:] for path in CHECKS} == tried


@pytest.fixture
def kernel(tmp_path):
    """The folder with that check alone: many command lines are tried."""
    lib = tmp_path / "kernel"
    shutil.copytree(LIB, lib, ignore=lambda folder, names: [
        name for name in names if folder.endswith("audit") and name != "15-kernel"])
    return lib


@pytest.mark.parametrize("word", [
    b"init=/bin/sh", b"systemd.unit=emergency.target", b"single", b"init_on_free=0", b"keyroom.debug",
    b"--", b"SYSROOT=/media/X", b"quiet=1", b"console=ttyS1", b'"', b"\\", b"*", b"$(x)"])
@pytest.mark.parametrize("blank", [b" ", b"\t", b"\n", b"\v", b"\f", b"\r", b"\xa0"])
def test_word_that_the_menu_does_not_have_is_found_and_named(system, kernel, word, blank):
    """Whatever of the kernel's blanks stands before it, at the end and in the middle."""
    for line in (MENU.encode() + blank + word + b"\n",
                 MENU.encode().replace(b" quiet ", b" quiet" + blank + word + b" "),
                 MENU.encode() + blank + word + blank + b"\n"):
        system.write("proc/cmdline", line)
        names, page = system.failed(lib=kernel)
        assert names == ["kernel"], page
        assert word.decode() in page, page


@pytest.mark.parametrize("form", ["a word", "at the end", "between", "inside", "at the start", "in a value"])
def test_any_byte_but_printable_ascii_fails(system, kernel, form):
    """Between words of the menu alone, at their start and their end, and inside one."""
    menu = MENU.encode()
    for number in (*range(1, 32), *range(127, 256)):
        byte = bytes([number])
        line = {"a word": menu + b" " + byte, "at the end": menu + byte, "between": menu + b" " + byte + b" quiet",
                "inside": menu.replace(b"quiet", b"qu" + byte + b"iet"), "at the start": byte + menu,
                "in a value": menu.replace(b"BOOT_IMAGE=", b"BOOT_IMAGE=" + byte)}[form]
        system.write("proc/cmdline", line + b"\n")
        names, page = system.failed(lib=kernel)
        assert names == ["kernel"], (byte, page)
        assert not re.search(r"[^\n -~]", page), page


def test_the_menus_own_words_pass(system, kernel):
    system.write("proc/cmdline", MENU + " session=console console=tty0 console=ttyS0,115200 keyroom.toram keyroom.check\n")
    assert system.failed(lib=kernel)[0] == []


def test_shell_on_a_serial_line_is_asked_for_by_the_menus_own_word():
    """systemd compares the whole word: with another one in the menu, no shell would start."""
    unit = (TOP / "image/rootfs/etc/systemd/system/serial-getty@.service.d/keyroom.conf").read_text()
    word = re.search(r"^ConditionKernelCommandLine=(.*)$", unit, re.M).group(1).replace("%I", "ttyS0")
    menu = (TOP / "image/boot/grub.cfg.in").read_text()
    assert set(re.findall(r"console=ttyS[^\s\"]*", menu)) == {word}


def test_words_in_quotes_are_one_to_the_kernel(system):
    """It would take init_on_free=1 for a part of the first word's value."""
    system.write("proc/cmdline", MENU.replace("BOOT_IMAGE=", 'BOOT_IMAGE="') + ' BOOT_IMAGE="\n')
    assert system.failed("--quick")[0] == ["kernel"]


def test_keyboards_are_listed(system):
    status, page = system.audit("--quick")
    assert status == 0 and "046d:c31c Logitech USB Keyboard on 1-2" in page, page
    assert "Mouse" not in page and "AT Translated" not in page


def test_keyboard_of_later_is_told_apart(system):
    late = KEYBOARD.replace("1-2", "1-4").replace("c31c", "0001").replace("Logitech USB", "Fast \x1b[31mTyping")
    system.write("proc/bus/input/devices", KEYBOARD + "\n" + late)
    status, page = system.audit("--quick")
    assert status == 0 and "since then: 046d:0001 Fast ?[31mTyping Keyboard on 1-4" in page.replace("\n" + " " * 17, " "), page


@pytest.mark.parametrize("name", ["Logitech USB Keyboard ", " Logitech USB Keyboard", "Logitech  USB Keyboard"])
def test_blanks_of_a_name_make_no_other_keyboard_of_it_nor_the_same_of_another(system, name):
    there = f"1-2 046d:c31c {name}\n"
    system.write("run/keyroom/keyboards", there)
    assert "since then" in system.audit("--quick")[1]
    system.write("proc/bus/input/devices", KEYBOARD.replace("Logitech USB Keyboard", name, 1))
    status, page = system.audit("--quick")
    assert status == 0 and "since then" not in page, page


def test_keyboards_are_who_can_type(system):
    done = run(LIB / "usb-keyboards", env=system.env())
    assert done.stdout.decode() == "1-2 046d:c31c Logitech USB Keyboard\n", done


def test_long_findings_are_whole(system):
    name = "x" * 150
    system.write("sys/class/net/" + name + "/flags", "0x1003\n")
    names, page = system.failed("--quick")
    assert names == ["network"] and name in re.sub(r"\n +", "", page)
    assert max(map(len, page.splitlines())) <= 80


def test_findings_break_between_words(system):
    words = " ".join(f"odd{'x' * n}" for n in range(1, 19))
    system.write("proc/cmdline", f"{MENU} {words}\n")
    page = system.failed("--quick")[1]
    assert words in page.replace("\n" + " " * 17, " ") and max(map(len, page.splitlines())) <= 80


def test_list_tells_what_each_looks_at(system):
    status, page = system.audit("--list")
    assert status == 0
    assert re.findall(r"^(\w+)  +\S", page, re.M) == [path.name[3:] for path in CHECKS]
    assert max(map(len, page.splitlines())) <= 80


def test_checks_are_files_of_one_form():
    """As hooks are: the promise, when it is made, what it looks at."""
    for path in CHECKS:
        lines = path.read_text().splitlines()
        assert re.fullmatch(r"\d\d-[a-z]{2,9}", path.name)
        assert lines[0] == "# SPDX-License-Identifier: ISC" and re.match("# shellcheck shell=sh", lines[1])
        assert re.fullmatch(r"# Promise: [a-z].{,48}", lines[2]) and "check()" in lines
        assert lines[3] in ("#", "# When: on demand")


def test_one_more_file_is_one_more_check(system, tmp_path):
    """Nothing else has to be touched; and a file without a check fails."""
    lib = tmp_path / "lib"
    shutil.copytree(LIB, lib)
    (lib / "audit/99-extra").write_text("# Promise: something else\n\ncheck() { note seen; }\n")
    status, page = system.audit(lib=lib)
    assert status == 0 and "PASS  extra      something else (seen)\n" in page, page
    (lib / "audit/99-extra").write_text("# Promise: something else\n")
    status, page = system.audit(lib=lib)
    assert status == 1 and "FAIL  extra" in page
    (lib / "audit/99-extra").write_text("check() {\n")
    status, page = system.audit(lib=lib)
    assert status != 0 and "PASSED" not in page


def at_boot(system, tmp_path, audit=None):
    """What audit-boot leaves."""
    stub(system.bin, "system-audit", audit or f'exec sh {AUDIT} "$@"\n')
    done = run(LIB / "audit-boot", env=system.env())
    state = system.folder / "run/keyroom"
    return done.returncode, (state / "audit-passed").exists(), (state / "audit-failed").exists()


def test_audit_at_boot_leaves_a_mark_of_its_end(system, tmp_path):
    assert at_boot(system, tmp_path) == (0, True, False)
    system.write("etc/shadow", "root::1:::::\n")
    assert at_boot(system, tmp_path) == (0, False, True)


def test_audit_that_is_stopped_has_not_passed(system, tmp_path):
    system.write("run/keyroom/audit-passed", "")
    assert at_boot(system, tmp_path, "kill -9 $PPID\n")[1:] == (False, False)
