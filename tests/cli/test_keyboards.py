# SPDX-License-Identifier: ISC
"""The answer to "y/N" on a German keyboard is the key that says y.  The text
console's keymaps are those of the desktop, which reads X's; the menu offers what
the disc has; and keyboard(1) sets both.  tests/boot types."""
import re
import subprocess

import pytest

import xkb_keymaps
from ceremony_tools import SCRIPTS, TOP, environment, run, stub

TOOL = SCRIPTS / "keyboard"
KEYBOARDS = TOP / "image/rootfs/usr/share/keyroom/keyboards"


def typed_in_ascii(text):
    """What each key types alone and with Shift, where that is ASCII."""
    rows = re.findall(r"^keycode +(\d+) = (\S+) (\S+)", text, re.M)
    assert len(rows) > 40
    return [(key, *(sign if re.fullmatch(r"\+?U\+00[2-7][0-9a-f]", sign) else None for sign in signs))
            for key, *signs in rows]


def test_keymaps_are_made_of_the_discs_own_data():
    version, = re.findall(r"^xkb-data (\S+) ", (TOP / "packages/trixie-amd64.lock").read_text(), re.M)
    assert version.startswith(xkb_keymaps.MADE_OF + "-")


def test_keymaps_are_those_of_x():
    """Of the version that they were made of byte by byte, of others in all of ASCII."""
    wanted = xkb_keymaps.texts()
    ours = {path.name: path.read_text() for path in KEYBOARDS.iterdir()}
    version = subprocess.run(["dpkg-query", "-Wf", "${Version}", "xkb-data"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    if version.startswith(xkb_keymaps.MADE_OF + "-"):
        assert ours == wanted
    assert {name: typed_in_ascii(text) for name, text in ours.items()} == {
        name: typed_in_ascii(text) for name, text in wanted.items()}


@pytest.mark.parametrize("layout, key, level, sign", [
    ("us", 21, 0, "y"), ("de", 21, 0, "z"), ("de", 44, 0, "y"), ("de", 8, 1, "/"), ("fr", 16, 0, "a"),
    ("fr", 52, 1, "/"), ("be", 2, 0, "&"), ("gb", 4, 1, "£"), ("br", 89, 0, "/"), ("jp", 124, 0, "\\")])
def test_keys_are_where_people_have_them(layout, key, level, sign):
    line, = re.findall(rf"^keycode +{key} = (.*)$", (KEYBOARDS / layout).read_text(), re.M)
    assert line.split()[level].removeprefix("+") == f"U+{ord(sign):04x}"


def test_every_sign_of_ascii_can_be_typed():
    """On each, with at most AltGr: a path, a pipe, an at sign."""
    for path in KEYBOARDS.iterdir():
        typed = {int(sign, 16) for line in path.read_text().splitlines() if line.startswith("keycode")
                 for sign in re.findall(r"U\+([0-9a-f]{4})", line)}
        assert set(range(0x21, 0x7f)) <= typed, path.name


def test_menu_offers_what_the_disc_has():
    menu = (TOP / "image/boot/grub.cfg.in").read_text()
    offered = re.findall(r'^\tmenuentry "(.*)" \{ use_keyboard (\S+) "(.*)"; \}$', menu, re.M)
    assert offered == [(title, name, title) for name, _, _, title in xkb_keymaps.LAYOUTS]
    for entry in re.findall(r"^\s*linux .*$", menu, re.M):
        assert "$keyboard_argument" in entry


@pytest.fixture
def room(tmp_path):
    (tmp_path / "run/keyroom").mkdir(parents=True)
    (tmp_path / "usr/share/keyroom").mkdir(parents=True)
    (tmp_path / "usr/share/keyroom/keyboards").symlink_to(KEYBOARDS)
    for name in ("loadkeys", "pkill", "ceremony-log"):
        stub(tmp_path / "bin", name, f'echo "{name} $*" >>"{tmp_path}/called"\n')
    return tmp_path


def keyboard(room, *argv):
    return run(TOOL, *argv, env=environment(root=room, PATH=f"{room}/bin:/usr/bin:/bin"))


def test_layout_is_set_on_console_and_desktop_and_remarked(room):
    assert keyboard(room).stdout == b"Keyboard:   US (us)\n"
    assert keyboard(room, "ch-fr").stdout == b"Keyboard:   Swiss, French (ch-fr)\n"
    called = (room / "called").read_text()
    assert re.search(r"loadkeys --quiet --unicode \S*/keyboards/ch-fr\n", called)
    assert "pkill -HUP -x labwc\n" in called and "note keyboard: keyboard ch-fr\n" in called
    assert (room / "run/keyroom/desktop-environment").read_text() == (
        "XKB_DEFAULT_LAYOUT=ch\nXKB_DEFAULT_VARIANT=fr_nodeadkeys\nXKB_DEFAULT_OPTIONS=numpad:mac\n")
    assert keyboard(room).stdout == b"Keyboard:   Swiss, French (ch-fr)\n"


def test_list_names_every_layout(room):
    listed = keyboard(room, "--list").stdout.decode()
    assert "de      German\n" in listed and listed.count("\n") == len(xkb_keymaps.LAYOUTS)


@pytest.mark.parametrize("argv", [("xx",), ("",), ("../us",), ("de", "fr"), ("--frob",), ("DE",)])
def test_what_is_no_layout_changes_nothing(room, argv):
    assert keyboard(room, *argv).returncode == 2
    assert not (room / "called").exists() and not (room / "run/keyroom/keyboard").exists()


def test_kernel_that_refuses_is_said(room):
    stub(room / "bin", "loadkeys", "exit 1\n")
    done = keyboard(room, "de")
    assert done.returncode == 5 and not (room / "run/keyroom/keyboard").exists()
