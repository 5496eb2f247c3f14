# SPDX-License-Identifier: ISC
"""hsm-network opens the network to an HSM or to one printer.  A wrong address
taken here is a hole in the wall, so every refusal is tried; nft and ip are
stand-ins that write down how they were called.  tests/boot shows the real
packets."""
import pytest

from ceremony_tools import SCRIPTS, environment, run, stub

TOOL = SCRIPTS / "hsm-network"


class Wall:
    def __init__(self, folder, interfaces):
        self.folder = folder
        self.calls = folder / "calls"
        for name in ("lo", *interfaces):
            (folder / "sys/class/net" / name).mkdir(parents=True)
            (folder / "sys/class/net" / name / "carrier").write_text("1\n")
        for name in ("etc", "run/keyroom"):
            (folder / name).mkdir(parents=True)
        (folder / "etc/keyroom-network").write_text(
            'NETWORK_ADDRESS=192.168.0.1/24\nHSM_ADDRESS=192.168.0.2\nHSM_PORTS="5000 5001"\n')
        for name in ("nft", "ip"):
            self.command(name, 0)
        stub(folder / "bin", "ceremony-log", "exit 0\n")

    def command(self, name, status):
        stub(self.folder / "bin", name,
             f'echo "{name} $*" | sed "s,{self.folder},," >>"{self.calls}"\nexit {status}\n')

    def run(self, *argv):
        self.calls.write_text("")
        return run(TOOL, *argv, env=environment(
            root=self.folder, PATH=f"{self.folder}/bin:/usr/bin:/bin", KEYROOM_LINK_TENTHS="3"))

    def called(self):
        return self.calls.read_text().splitlines()


CLOSE = "nft -f /usr/share/keyroom/closed.nft"
HSM = "nft -D address=192.168.0.2 -D ports={ 5000, 5001 } -f /usr/share/keyroom/open.nft"
PRINTER = "nft -D address=192.168.0.3 -D ports={ 515, 631, 9100 } -f /usr/share/keyroom/open.nft"


@pytest.fixture
def wall(tmp_path):
    return Wall(tmp_path, ["eth0"])


@pytest.fixture
def two(tmp_path):
    return Wall(tmp_path, ["eth0", "eth1"])


def test_printer_alone(wall):
    done = wall.run("printer", "192.168.0.3")
    assert done.returncode == 0, done
    assert wall.called() == [
        CLOSE, PRINTER, "ip address replace 192.168.0.1/32 dev eth0", "ip link set eth0 up",
        "ip route replace 192.168.0.3/32 dev eth0 src 192.168.0.1"]
    assert b"printer 192.168.0.3, ports 515 631 9100" in done.stdout
    assert b"HSM" not in done.stdout


@pytest.mark.parametrize("carrier", ["0\n", None])
def test_no_link_is_said_and_the_network_is_on(wall, carrier):
    path = wall.folder / "sys/class/net/eth0/carrier"
    path.write_text(carrier) if carrier else path.unlink()
    done = wall.run("on")
    assert done.returncode == 0 and b"on: eth0" in done.stdout and b"eth0 has no link" in done.stderr
    path.write_text("1\n")
    assert wall.run().stderr == b""


def test_link_is_waited_for(wall):
    path = wall.folder / "sys/class/net/eth0/carrier"
    path.write_text("0\n")
    stub(wall.folder / "bin", "sleep", f"echo 1 >{path}\n")
    done = wall.run("printer", "192.168.0.3")
    assert done.returncode == 0 and done.stderr == b""


def test_hsm_and_printer_together(wall):
    assert wall.run("on").returncode == 0
    assert wall.called()[:2] == [CLOSE, HSM]
    assert wall.run("printer", "192.168.0.3").returncode == 0
    assert wall.called()[:3] == [CLOSE, HSM, PRINTER]
    shown = wall.run().stdout
    assert b"HSM 192.168.0.2, ports 5000 5001" in shown and b"printer 192.168.0.3" in shown
    assert wall.run("off").stdout == b"off\n"
    assert CLOSE in wall.called() and PRINTER not in wall.called() and HSM not in wall.called()
    assert wall.run("status").stdout == b"off\n"


def test_printer_first_stays_open_when_the_hsm_comes(wall):
    wall.run("printer", "192.168.0.3")
    wall.run("on")
    assert wall.called()[:3] == [CLOSE, HSM, PRINTER]


def test_printer_takes_the_interface_of_the_hsm_or_its_own(two):
    assert two.run("printer", "192.168.0.3").returncode == 2
    two.run("on", "eth1")
    two.run("printer", "192.168.0.3")
    assert "ip link set eth1 up" in two.called()
    two.run("off")
    two.run("on", "eth1")
    two.run("printer", "192.168.0.3", "eth0")
    assert "ip route replace 192.168.0.3/32 dev eth0 src 192.168.0.1" in two.called()


@pytest.mark.parametrize("address", [
    "", "192.168.0", "192.168.0.3.4", "192.168.0.256", "192.168.0.3333", "192.168..3", ".1.2.3",
    "1.2.3.", "0.0.0.0", "127.0.0.1", "255.255.255.255", "192.168.0.1", "192.168.0.2", "hsm",
    "192.168.0.0/16", "1.2.3.4 5", "1.2.3.4\n", "-1.2.3.4", "fe80::1", "{ 1.2.3.4 }"])
def test_what_is_no_address_of_a_printer_is_refused(wall, address):
    done = wall.run("printer", address)
    assert done.returncode == 2 and wall.called() == [], done
    assert wall.run().stdout == b"off\n"


@pytest.mark.parametrize("argv,status", [
    (["printer"], 2), (["printer", "192.168.0.3", "eth0", "x"], 2), (["on", "eth0", "x"], 2),
    (["open"], 2), (["off", "now"], 2), (["reopen", "eth0"], 2), (["on", "lo"], 3), (["on", "eth9"], 3), (["on", "../net/eth0"], 3),
    (["on", ""], 3), (["printer", "192.168.0.3", "lo"], 3), (["printer", "192.168.0.3", "."], 3)])
def test_errors(wall, argv, status):
    done = wall.run(*argv)
    assert done.returncode == status and wall.called() == [], done


def test_no_interface_at_all(tmp_path):
    assert Wall(tmp_path, []).run("on").returncode == 3


def test_twice_is_refused(wall):
    for argv in (["on"], ["printer", "192.168.0.3"]):
        assert wall.run(*argv).returncode == 0
        done = wall.run(*argv)
        assert done.returncode == 1 and b"already on" in done.stderr and wall.called() == []


@pytest.mark.parametrize("command", ["nft", "ip"])
@pytest.mark.parametrize("argv", [["on"], ["printer", "192.168.0.3"]])
def test_what_fails_halfway_ends_closed(wall, command, argv):
    wall.command(command, 1)
    assert wall.run(*argv).returncode == 5
    assert wall.called().index(CLOSE, 1) > 0
    wall.command(command, 0)
    assert wall.run().stdout == b"off\n"


def test_printer_that_fails_leaves_the_hsm_its_network(two):
    two.run("on", "eth0")
    stub(two.folder / "bin", "ip", f'echo "ip $*" >>"{two.calls}"\ncase "$*" in *eth1\\ up) exit 1 ;; esac\n')
    done = two.run("printer", "192.168.0.3", "eth1")
    assert done.returncode == 5 and b"eth1 cannot be turned on" in done.stderr
    called = two.called()
    assert called[-4:] == [CLOSE, HSM, "ip address delete 192.168.0.1/32 dev eth1", "ip link set eth1 down"]
    assert not [call for call in called if "eth0" in call]
    assert two.run().stdout.startswith(b"on: eth0 ") and b"printer" not in two.run().stdout


@pytest.mark.parametrize("interface, last", [("eth1", ["ip link set eth1 down"]), ("eth0", [])])
def test_hsm_that_fails_leaves_the_printer_its_network(two, interface, last):
    two.run("printer", "192.168.0.3", "eth0")
    stub(two.folder / "bin", "ip", f'echo "ip $*" >>"{two.calls}"\ncase "$*" in *\\ up) exit 1 ;; esac\n')
    done = two.run("on", interface)
    assert done.returncode == 5 and interface.encode() + b" cannot be turned on" in done.stderr
    called = two.called()
    assert called[called.index(f"ip link set {interface} up") + 1:] == [
        CLOSE, PRINTER, f"ip address delete 192.168.0.1/24 dev {interface}", *last]
    assert b"on: eth0 192.168.0.1, printer 192.168.0.3" in two.run().stdout and b"HSM" not in two.run().stdout


def cards(folder, **links):
    """What tells cards apart: driver and address; a link is seen once one is on."""
    for number, (name, link) in enumerate(links.items()):
        place = folder / "sys/class/net" / name
        (place / "device").mkdir()
        (folder / f"drivers/driver{number}").mkdir(parents=True)
        (place / "device/driver").symlink_to(folder / f"drivers/driver{number}")
        (place / "address").write_text(f"52:54:00:00:00:0{number}\n")
        (place / "carrier").write_text(f"{link}\n")


@pytest.mark.parametrize("verb", [("on",), ("printer", "192.168.0.3")])
def test_of_several_the_only_one_with_a_link_is_taken(two, verb):
    cards(two.folder, eth0=0, eth1=1)
    done = two.run(*verb)
    assert done.returncode == 0, done
    shown = done.stdout.decode()
    assert "  eth0        driver0     52:54:00:00:00:00  no link\n" in shown
    assert "  eth1        driver1     52:54:00:00:00:01  link\n" in shown
    assert "eth1 is the one with a link\n" in shown and "on: eth1 " in shown
    called = two.called()
    # Both were turned on before anything was opened or had an address.
    assert called[:3] == ["ip link set eth0 up", "ip link set eth1 up", "ip link set eth0 down"]
    assert not any("eth0" in call for call in called[3:]) and CLOSE in called[3:]


@pytest.mark.parametrize("links", [{"eth0": 0, "eth1": 0}, {"eth0": 1, "eth1": 1}])
def test_none_or_several_with_a_link_are_shown_and_off_again(two, links):
    cards(two.folder, **links)
    done = two.run("on")
    assert done.returncode == 2 and b"name one: eth0 eth1" in done.stderr
    assert done.stdout.count(b" driver") == 2
    assert two.called() == ["ip link set eth0 up", "ip link set eth1 up",
                            "ip link set eth0 down", "ip link set eth1 down"]
    assert not (two.folder / "run/keyroom/hsm-network").exists()


@pytest.mark.parametrize("links, status, left_up", [
    ({"eth0": 1, "eth1": 0, "eth2": 0}, 0, []), ({"eth0": 0, "eth1": 0, "eth2": 1}, 0, ["eth2"]),
    ({"eth0": 1, "eth1": 1, "eth2": 0}, 2, [])])
def test_the_printers_card_stays_as_it_is(tmp_path, links, status, left_up):
    """Which is found for the HSM or not: a page may be on its way."""
    wall = Wall(tmp_path, ["eth0", "eth1", "eth2"])
    assert wall.run("printer", "192.168.0.3", "eth0").returncode == 0
    cards(wall.folder, **links)
    done = wall.run("on")
    assert done.returncode == status, done
    looking = [call.split()[3:] for call in wall.called() if call.startswith("ip link")]
    looking = looking[:-1] if status == 0 else looking          # turn_on's own
    assert "eth0" not in [name for name, _ in looking]
    state = dict(map(tuple, looking))
    assert set(state) == {"eth1", "eth2"} and [name for name in state if state[name] == "up"] == left_up
    assert b"printer 192.168.0.3" in wall.run().stdout


@pytest.mark.parametrize("verb", [("on",), ("printer", "192.168.0.3")])
@pytest.mark.parametrize("signal", ["INT", "HUP", "TERM"])
def test_ctrl_c_while_links_are_waited_for_leaves_no_card_up(two, verb, signal):
    cards(two.folder, eth0=0, eth1=0)
    stub(two.folder / "bin", "sleep", f"kill -{signal} $PPID\n")
    assert two.run(*verb).returncode == 130
    assert two.called() == ["ip link set eth0 up", "ip link set eth1 up",
                            "ip link set eth0 down", "ip link set eth1 down"]
    assert two.run().stdout == b"off\n"


def test_ctrl_c_once_it_is_on_leaves_it_on(wall):
    (wall.folder / "sys/class/net/eth0/carrier").write_text("0\n")
    stub(wall.folder / "bin", "sleep", "kill -INT $PPID\n")
    assert wall.run("on").returncode != 0
    assert "ip link set eth0 down" not in wall.called()
    assert b"on: eth0 " in wall.run().stdout


def test_reopened_is_what_is_on_with_what_drivers_brought_since(wall):
    assert wall.run("reopen").returncode == 0 and wall.called() == []
    wall.run("on")
    ports = wall.folder / "usr/share/keyroom/network/x.ports"
    ports.parent.mkdir(parents=True)
    ports.write_text("192.168.0.9 7000\n")
    assert wall.run("reopen").returncode == 0
    assert wall.called() == [
        CLOSE, HSM, "nft -D address=192.168.0.9 -D ports={ 7000 } -f /usr/share/keyroom/open.nft"]
    wall.command("nft", 1)
    done = wall.run("reopen")
    assert done.returncode == 5 and b"cannot be opened" in done.stderr
    assert wall.called() == [CLOSE]
