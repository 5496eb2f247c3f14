# SPDX-License-Identifier: ISC
"""Which size the screens get, and what is said where they cannot have one: a table of
screens in wlr-randr's place.  A projector that stays dark without a word, or shows half
of what is signed, leaves the room without a witness.  tests/boot/test_screens.py looks
at two screens that can."""
import re

import pytest

from ceremony_tools import TOP, environment, run, stub

TOOL = TOP / "image/profiles/ceremony/overlay/usr/lib/keyroom/desktop-screens"


class Room:
    """Screens: {name: its sizes, the preferred one first}; asked, what was set; told."""

    def __init__(self, top):
        self.top = top
        (top / "run").mkdir()
        stub(top / "bin", "wlr-randr", f'[ $# -gt 0 ] || {{ cat "{top}/screens"; exit; }}\n'
             f'echo "$*" >>"{top}/asked"\n[ ! -e "{top}/refuses" ]\n')
        self.lib = top / "lib"
        stub(self.lib, "announce", f'echo "$*" >>"{top}/told"\n')

    def screens(self, screens):
        text = ""
        for name, sizes in screens.items():
            text += f'{name} "Maker {name} (1)"\n  Physical size: 300x200 mm\n  Enabled: yes\n  Modes:\n'
            text += "".join(f"    {size} px, 60.0{n} Hz{' (preferred)' if n == 0 else ''}\n"
                            for n, size in enumerate(sizes))
            text += "  Position: 0,0\n  Transform: normal\n  Scale: 1.000000\n"
        (self.top / "screens").write_text(text)

    def arrange(self, *argv):
        """What wlr-randr was told, and what the terminals were, by this run alone."""
        for name in ("asked", "told"):
            (self.top / name).write_text("")
        done = run(TOOL, *argv, env=environment(root=self.top, run=self.top / "run", lib=self.lib,
                                                PATH=f"{self.top}/bin:/usr/bin:/bin"))
        assert done.returncode == 0 and done.stderr == b"", done
        asked = dict(re.findall(r"--output (\S+) (.*?)(?= --output|$)", (self.top / "asked").read_text().strip()))
        return asked, (self.top / "told").read_text()


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def on(size):
    return f"--on --mode {size} --pos 0,0 --scale {int(size.split('x')[0]) / 1280:.6f}"


@pytest.mark.parametrize("first, second, size", [
    (["1280x800", "1024x768"], ["1920x1080", "1280x800", "1024x768"], "1280x800"),
    (["1366x768", "1280x720", "1024x768", "800x600"], ["1920x1080", "1024x768", "1280x720"], "1280x720"),
    (["3840x2160", "1920x1080"], ["1920x1080"], "1920x1080")])
def test_two_screens_get_the_largest_size_that_both_have(room, first, second, size):
    room.screens({"HDMI-A-1": second, "eDP-1": first})
    (room.top / "run/first-screen").write_text("eDP-1\n")
    assert room.arrange() == ({"HDMI-A-1": on(size), "eDP-1": on(size)}, "")


def test_screen_without_a_common_size_stays_off_and_is_told_once(room):
    (room.top / "run/first-screen").write_text("eDP-1\n")
    screens = {"HDMI-A-1": ["1920x1080"], "eDP-1": ["1366x768"]}
    room.screens(screens)
    words = "--red the screen HDMI-A-1 stays off: it has no size that eDP-1 has, too\n"
    assert room.arrange() == ({"HDMI-A-1": "--off", "eDP-1": on("1366x768")}, words)
    assert room.arrange()[1] == ""
    # Out, and in again.
    room.screens({"eDP-1": ["1366x768"]})
    assert room.arrange() == ({"eDP-1": on("1366x768")}, "")
    room.screens(screens)
    assert room.arrange()[1] == words


def test_first_screen_that_is_unplugged_leaves_the_other_one_on(room):
    """At that one's own size; and it stays the first when the other comes back."""
    room.screens({"DP-1": ["1024x768"], "eDP-1": ["1280x800"]})
    asked, told = room.arrange()
    assert asked == {"DP-1": on("1024x768"), "eDP-1": "--off"} and "eDP-1 stays off" in told
    room.screens({"eDP-1": ["1280x800"]})
    assert room.arrange() == ({"eDP-1": on("1280x800")}, "")
    room.screens({"DP-1": ["1024x768"], "eDP-1": ["1280x800"]})
    asked, told = room.arrange()
    assert asked == {"DP-1": "--off", "eDP-1": on("1280x800")} and "DP-1 stays off" in told


def test_screens_that_take_nothing_are_told(room):
    room.screens({"DP-1": ["1024x768"], "eDP-1": ["1024x768"]})
    (room.top / "refuses").touch()
    assert room.arrange()[1] == "--red the screens cannot be set to one size: look at each before you trust it\n"


def test_no_screen_is_no_error_and_a_size_is_taken_where_all_have_it(room):
    room.screens({})
    assert room.arrange() == ({}, "")
    room.screens({"DP-1": ["1280x800", "1024x768"], "eDP-1": ["1280x800", "1024x768"]})
    assert set(room.arrange("1024x768")[0].values()) == {on("1024x768")}
    assert set(room.arrange("640x480")[0].values()) == {on("1280x800")}
