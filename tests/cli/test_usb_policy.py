# SPDX-License-Identifier: ISC
"""A flash drive that is a keyboard types faster than anyone reads.  usb-policy
lets in what a ceremony uses, by class of interface; usb-allow lets in the rest
when a person has read what it is.  Both on a made-up /sys."""
import pytest

from ceremony_tools import LIB, SCRIPTS, environment, run, run_tty, stub

POLICY = LIB / "usb-policy"
ALLOW = SCRIPTS / "usb-allow"
KEYBOARD = "B: EV=120013\n"


class Bus:
    def __init__(self, folder):
        self.folder = folder
        self.usb = folder / "sys/bus/usb"
        self.input = folder / "proc/bus/input/devices"
        self.said = folder / "said"
        self.input.parent.mkdir(parents=True)
        self.input.write_text(KEYBOARD)
        (self.usb / "devices/1-2").mkdir(parents=True)
        for name, text in (("idVendor", "1209"), ("idProduct", "0001"),
                           ("product", "Stick\x1b[31m"), ("serial", "42")):
            (self.usb / "devices/1-2" / name).write_text(text + "\n")
        (folder / "usr/lib/keyroom").mkdir(parents=True)
        stub(folder / "usr/lib/keyroom", "announce", f'printf "%s\\n" "$*" >>"{self.said}"\n')
        self.started = folder / "started"
        stub(folder / "bin", "systemctl", f'echo "$*" >>"{self.started}"\n')
        self.driver("")

    def interface(self, name, kind):
        place = self.usb / "devices" / name
        place.mkdir()
        for file, text in zip(("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"),
                              kind.split(":")):
            (place / file).write_text(text + "\n")
        (place / "authorized").write_text("0\n")
        (place / "modalias").write_text("usb:x\n")
        (place / "product").symlink_to("../1-2/product")
        return place

    def driver(self, path):
        """Which module would take a device of the maker's own kind."""
        stub(self.folder / "bin", "modprobe", f'[ -z "{path}" ] || echo some\n')
        stub(self.folder / "bin", "modinfo", f'echo "{path}"\n')

    def decide(self, name):
        done = run(POLICY, name, env=environment(
            root=self.folder, PATH=f"{self.folder}/bin:/usr/bin:/bin"))
        assert done.returncode == 0, done.stderr
        return (self.usb / "devices" / name / "authorized").read_text().strip() == "1"

    def env(self):
        return environment(usb=self.usb)


@pytest.fixture
def bus(tmp_path):
    return Bus(tmp_path)


@pytest.mark.parametrize("kind, welcome", [
    ("08:06:50", True), ("07:01:02", True), ("0b:00:00", True), ("02:02:01", True),
    ("0a:00:00", True), ("09:00:00", True), ("03:01:01", False), ("03:00:00", False),
    ("03:01:02", False), ("01:01:00", False), ("02:06:00", False), ("06:01:01", False),
    ("0e:01:00", False), ("e0:01:01", False), ("fe:01:01", False), ("ef:04:01", False),
])
def test_class_decides(bus, kind, welcome):
    bus.interface("1-2:1.0", kind)
    assert bus.decide("1-2:1.0") == welcome
    assert bus.said.exists() != welcome
    assert (bus.usb / "drivers_probe").exists() == welcome


def test_printer_is_offered_to_the_print_service(bus):
    bus.interface("1-2:1.0", "08:06:50")
    bus.interface("1-2:1.1", "07:01:04")
    bus.decide("1-2:1.0")
    assert not bus.started.exists()
    bus.decide("1-2:1.1")
    assert bus.started.read_text() == "--no-block start ipp-usb.service\n"


@pytest.mark.parametrize("path, welcome", [
    ("", True),
    ("/usr/lib/modules/6/kernel/drivers/usb/serial/ftdi_sio.ko.xz", True),
    ("/usr/lib/modules/6/kernel/drivers/net/usb/asix.ko.xz", False),
    ("/usr/lib/modules/6/kernel/drivers/input/misc/keyspan_remote.ko.xz", False),
])
def test_makers_own_kind_is_let_in_for_serial_lines(bus, path, welcome):
    bus.driver(path)
    bus.interface("1-2:1.0", "ff:00:00")
    assert bus.decide("1-2:1.0") == welcome


@pytest.mark.parametrize("kind, path, welcome", [
    ("07:01:02", "usb/class/usblp.ko.xz", True), ("07:01:02", "net/usb/asix.ko.xz", False),
    ("07:01:02", "usb/class/usbtmc.ko.xz", False), ("08:06:50", "usb/storage/uas.ko.xz", True),
    ("08:06:50", "net/usb/r8152.ko.xz", False), ("0b:00:00", "net/usb/asix.ko.xz", False),
    ("0b:00:00", "input/mouse/appletouch.ko.xz", False), ("02:02:01", "usb/class/cdc-acm.ko.xz", True),
    ("02:02:01", "usb/serial/option.ko.xz", True), ("0a:00:00", "net/usb/cdc_ether.ko.xz", False),
    ("09:00:00", "usb/core/usbcore.ko.xz", True), ("09:00:00", "net/usb/pegasus.ko.xz", False),
])
def test_a_class_is_not_believed_without_the_driver(bus, kind, path, welcome):
    """Drivers that go by maker and model ask for no class: a network card that calls
    itself a printer would be one."""
    bus.driver(f"/usr/lib/modules/6/kernel/drivers/{path}")
    bus.interface("1-2:1.0", kind)
    assert bus.decide("1-2:1.0") == welcome
    assert welcome or "but it would be driven by some" in bus.said.read_text()


@pytest.mark.parametrize("path, welcome", [("hid/usbhid/usbhid.ko.xz", True), ("net/usb/asix.ko.xz", False)])
def test_first_keyboard_is_one(bus, path, welcome):
    bus.input.write_text("B: EV=3\n")
    bus.driver(f"/usr/lib/modules/6/kernel/drivers/{path}")
    bus.interface("1-2:1.0", "03:01:01")
    assert bus.decide("1-2:1.0") == welcome


def test_first_keyboard_is_let_in_where_there_is_none(bus):
    """Else nobody could say yes; a power key is no keyboard."""
    bus.input.write_text("B: EV=3\n")
    bus.interface("1-2:1.0", "03:01:01")
    assert bus.decide("1-2:1.0")


def test_reader_with_a_keyboard_in_it_is_a_reader(bus):
    bus.interface("1-2:1.0", "03:01:01")
    bus.interface("1-2:1.1", "0b:00:00")
    assert not bus.decide("1-2:1.0")
    assert bus.decide("1-2:1.1")


def test_allow_shows_what_it_is_and_asks(bus):
    place = bus.interface("1-2:1.0", "03:01:01")
    status, shown = run_tty(ALLOW, answers=[("(y/N)? ", "y\n")], env=bus.env())
    assert status == 0, shown
    assert "1209:0001" in shown and "keyboard (1-2:1.0)" in shown
    assert "Stick?[31m" in shown and "\x1b" not in shown
    assert (place / "authorized").read_text() == "1\n"
    assert (bus.usb / "drivers_probe").read_text() == "1-2:1.0\n"


@pytest.mark.parametrize("answer", ["n\n", "\n", "yy\n"])
def test_allow_takes_nothing_but_yes(bus, answer):
    place = bus.interface("1-2:1.0", "03:01:01")
    status, _ = run_tty(ALLOW, "1-2", answers=[("(y/N)? ", answer)], env=bus.env())
    assert status == 1
    assert (place / "authorized").read_text() == "0\n"


def other_device(bus):
    (bus.usb / "devices/2-1").mkdir()
    return bus.interface("2-1:1.0", "0b:00:00")


@pytest.mark.parametrize("argv", [[], ["1-2", "2-1"]])
def test_a_no_does_not_hide_the_devices_behind_it(bus, argv):
    """All that were refused are shown; the keyboard is not wanted, the reader is."""
    keyboard, reader = bus.interface("1-2:1.0", "03:01:01"), other_device(bus)
    status, shown = run_tty(ALLOW, *argv, env=bus.env(), answers=[
        ("USB device 1-2 in (y/N)? ", "n\n"), ("USB device 2-1 in (y/N)? ", "y\n")])
    assert status == 1 and "USB device 1-2 is not let in" in shown, shown
    assert (keyboard / "authorized").read_text() == "0\n"
    assert (reader / "authorized").read_text() == "1\n"


@pytest.mark.parametrize("name", ["1-9", "3-1"])
def test_a_device_that_is_gone_does_not_hide_those_behind_it(bus, name):
    reader = other_device(bus)
    (bus.usb / "devices/3-1").mkdir()
    status, shown = run_tty(ALLOW, name, "2-1", env=bus.env(), answers=[("(y/N)? ", "y\n")])
    assert status == 3, shown
    assert (reader / "authorized").read_text() == "1\n"


def test_allow_without_a_terminal_refuses(bus):
    place = bus.interface("1-2:1.0", "03:01:01")
    assert run(ALLOW, stdin=b"y\n", env=bus.env()).returncode == 1
    assert (place / "authorized").read_text() == "0\n"


def test_allow_list_lets_nothing_in(bus):
    place = bus.interface("1-2:1.0", "03:01:01")
    done = run(ALLOW, "--list", env=bus.env())
    assert done.returncode == 0 and b"keyboard" in done.stdout
    assert (place / "authorized").read_text() == "0\n"


@pytest.mark.parametrize("argv, status", [
    (["1-9"], 3), (["../1-2"], 2), (["--bogus"], 2), (["1-2"], 3),
])
def test_allow_refuses_names_that_are_none(bus, argv, status):
    assert run(ALLOW, *argv, env=bus.env()).returncode == status


def test_allow_with_nothing_refused_says_so(bus):
    assert b"no USB device is refused" in run(ALLOW, env=bus.env()).stdout


def test_keyboard_without_lamps_is_one(bus):
    bus.input.write_text("B: EV=100013\n")
    bus.interface("1-2:1.0", "03:01:01")
    assert not bus.decide("1-2:1.0")


@pytest.mark.parametrize("change", [
    'echo 9 >"$usb/devices/1-2/devnum"', 'echo dead >"$usb/devices/1-2/idVendor"',
    'echo 03 >"$usb/devices/1-2:1.0/bInterfaceClass"', 'echo 0 >"$usb/devices/1-2:1.1/authorized"'])
def test_allow_lets_in_what_was_shown_alone(bus, tmp_path, change):
    """While the question stands, the device becomes another."""
    place = bus.interface("1-2:1.0", "08:06:50")
    other = bus.interface("1-2:1.1", "03:01:01")
    (other / "authorized").write_text("1\n")
    stub(tmp_path / "lib", "tool.sh", f'. {LIB}/tool.sh\nagreed() {{ {change}; }}\n')
    done = run(ALLOW, "1-2", env=environment(usb=bus.usb, lib=tmp_path / "lib"))
    assert done.returncode == 1 and b"is not what was shown any more" in done.stderr
    assert (place / "authorized").read_text() == "0\n"
