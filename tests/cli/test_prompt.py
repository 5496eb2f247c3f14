# SPDX-License-Identifier: ISC
"""The prompt as a camera sees it: it breaks between words, however narrow the
window; and the first one of a terminal tells what happened before it.  A drive
that was refused while the machine started was told to a screen that nobody saw."""
import re
import subprocess

import pytest

from ceremony_tools import LIB, TOP, environment, run, run_tty, stub

PROFILE = TOP / "image/rootfs/etc/profile.d/keyroom.sh"
ANNOUNCE = LIB / "announce"
# What a shell of these tests reads from, in a terminal's place.
TOLD = "/dev/null"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def room(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/keyroom-release").write_text("KEYROOM_VERSION=0.4.0-dev\n")
    (tmp_path / "run/clock-set").touch()
    (tmp_path / "run/audit-passed").touch()
    return tmp_path


def shell(room, commands, columns=80, **extra):
    """What an interactive shell prints before its first prompt, and for commands."""
    env = environment(root=room, run=room / "run", COLUMNS=columns, **extra)
    done = subprocess.run(["bash", "--noprofile", "--norc", "-c", f"PS1=x\n. {PROFILE}\n{commands}"],
                          env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("columns, lines", [(84, 1), (67, 1), (66, 2), (42, 3), (30, 3), (24, 3)])
def test_prompt_breaks_between_words(room, columns, lines):
    (room / "run/clock-set").unlink()
    (room / "run/rehearsal").touch()
    (room / "run/clock-start").write_text(subprocess.run(
        "read -r up _ </proc/uptime; echo $(($(date +%s) - ${up%.*}))", shell=True, check=True,
        capture_output=True, text=True).stdout)
    head = shell(room, f"COLUMNS={columns}; keyroom_head", columns, KEYROOM_TOLD=TOLD)
    whole = re.fullmatch(r"\[Keyroom 0.4.0-dev\] \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC CLOCK NOT SET REHEARSAL\n",
                         head.replace("\n", " ").rstrip() + "\n")
    assert whole, head
    for part in ("[Keyroom 0.4.0-dev]", "CLOCK NOT SET", "REHEARSAL"):
        assert any(part in line for line in head.splitlines())
    assert head.count("\n") == lines and max(map(len, head.splitlines())) <= columns


@pytest.mark.parametrize("mark, words", [
    ("medium-gone", "DISC GONE"), ("damaged", "DISC DAMAGED"), ("audit-failed", "AUDIT FAILED"), ("rehearsal", "REHEARSAL"),
    ("experiment", "EXPERIMENT")])
def test_prompt_has_what_must_not_be_overlooked(room, mark, words):
    assert words not in shell(room, "keyroom_head", KEYROOM_TOLD=TOLD)
    (room / "run" / mark).touch()
    assert words in shell(room, "keyroom_head", KEYROOM_TOLD=TOLD)


@pytest.mark.parametrize("files, mark, above", [
    (["audit-passed"], "", ""),
    ([], " NOT AUDITED", "*** THIS SYSTEM IS NOT AUDITED ***"),
    (["audit-failed"], " AUDIT FAILED", "*** SYSTEM AUDIT FAILED ***"),
    (["audit-passed", "audit-failed"], " AUDIT FAILED", "*** SYSTEM AUDIT FAILED ***"),
])
def test_prompt_says_what_became_of_the_audit(room, files, mark, above):
    """One that was stopped left nothing: then the prompt was as after a good one."""
    (room / "run/audit-passed").unlink()
    for name in files:
        (room / "run" / name).touch()
    (room / "run/audit").write_text(
        "PASS  root       all\nFAIL  kernel     locked\n                 (not in the menu: x)\n"
        "PASS  usb        by\n                 class\nSYSTEM AUDIT FAILED: 1 of 3 checks\n")
    assert shell(room, "keyroom_head", KEYROOM_TOLD=TOLD).endswith(f"UTC{mark}\n")
    shown = shell(room, "")
    assert (above in shown) if above else ("AUDIT" not in shown)
    assert ("FAIL  kernel     locked\n                 (not in the menu: x)\nfor all of it" in shown) == ("FAILED" in above)


def test_first_prompt_tells_what_was_announced_before_it(room):
    (room / "run/announced").write_text(
        "!07:55:41 /dev/sdb holds NTFS, which is not used here: use FAT, exFAT or ext4\n"
        " 07:55:42 /dev/sdc1 mounted at /media/KSR (writable)\n")
    shown = shell(room, "")
    assert "\x1b[1;31m07:55:41 /dev/sdb holds NTFS, which is not used here: use FAT, exFAT or ext4\n" in shown
    assert "\n\x1b[0m07:55:42 /dev/sdc1 mounted at /media/KSR (writable)\n" in shown
    assert "US keyboard; others: keyboard --list\n" in shown


def on_terminal(room, commands, **extra):
    """What an interactive shell shows on a terminal of its own; its name is $(tty)."""
    _, shown = run_tty("bash", "--noprofile", "--norc", "-c", f"PS1=x\n{commands}",
                       env=environment(root=room, run=room / "run", PROFILE=PROFILE, **extra))
    return shown


def test_terminal_is_told_once_and_a_window_that_is_opened_there_as_well(room):
    """Typed "foot": the environment is that of a shell which was told on another."""
    (room / "run/announced").write_text(" 07:55:42 /dev/sdc1 mounted at /media/KSR (writable)\n")
    shown = on_terminal(room, '. "$PROFILE"; echo "told: $KEYROOM_TOLD $(tty)"; echo again; . "$PROFILE"\n'
                        'bash --noprofile --norc -c \'PS1=x; . "$PROFILE"\'')
    before, again = shown.split("again\n")
    assert "mounted at /media/KSR" in before and again == "", shown
    assert re.search(r"told: (/dev/pts/\d+) \1\n", before), shown
    for other in ("/dev/ptmx", "yes", ""):
        assert "mounted at /media/KSR" in on_terminal(room, '. "$PROFILE"', KEYROOM_TOLD=other)


@pytest.mark.parametrize("recorded, told", [("1:$(tty)", False), ("1:/dev/ptmx", True), ("", True)])
def test_recording_that_begins_on_a_terminal_does_not_tell_it_again(room, recorded, told):
    """It has a terminal of its own, within; a window opened from there has not been told."""
    (room / "run/announced").write_text(" 07:55:42 /dev/sdc1 mounted at /media/KSR (writable)\n")
    shown = on_terminal(room, f'KEYROOM_RECORDED={recorded}; . "$PROFILE"; echo "told: $KEYROOM_TOLD"', KEYROOM_TOLD="inside")
    assert ("mounted at" in shown) == told and re.search(r"told: /dev/pts/\d+\n", shown), shown


def test_long_list_is_cut_and_says_so(room):
    (room / "run/announced").write_text("".join(f" 07:00:{n:02} line {n}\n" for n in range(30)))
    shown = shell(room, "")
    assert "20 more: less" in shown and "line 20\n" in shown and "line 19\n" not in shown


@pytest.mark.parametrize("columns", [42, 84])
def test_what_is_told_breaks_between_words(room, columns):
    text = "/dev/sdb1 is not mounted, it has no label; to mount it: mount-drive sdb1 DRIVE"
    (room / "run/announced").write_text(f"!07:55:41 {text}\n")
    shown = COLOUR.sub("", shell(room, f"COLUMNS={columns}; keyroom_told", KEYROOM_TOLD=TOLD))
    assert max(map(len, shown.splitlines())) <= columns
    assert text in " ".join(shown.split("\n"))


def test_layout_and_copy_in_memory_are_said(room):
    (room / "run/keyboard").write_text("ch-fr Swiss, French\n")
    (room / "run/boot").write_text("medium=/dev/sr0\ntoram=yes\n")
    shown = shell(room, "")
    assert "Swiss, French keyboard;" in shown
    assert "the disc was copied to memory and can be taken out" in shown
    (room / "run/boot").write_text("medium=/dev/sr0\ntoram=no\n")
    assert "copied to memory" not in shell(room, "")


def announce(room, columns, *argv):
    """What the first terminal shows, of that width."""
    dev = room / "dev"
    (room / "sys/class/tty/console").mkdir(parents=True, exist_ok=True)
    (room / "sys/class/tty/console/active").write_text("tty0\n")
    dev.mkdir(exist_ok=True)
    (dev / "tty1").write_text("")
    stub(room / "bin", "stty", f"echo 25 {columns}\n")
    stub(room / "bin", "ps", "exit 1\n")
    done = run(ANNOUNCE, *argv, env=environment(root=room, run=room / "run",
                                                PATH=f"{room}/bin:/usr/bin:/bin"))
    assert done.returncode == 0, done
    return (dev / "tty1").read_bytes().decode()


@pytest.mark.parametrize("columns", [42, 60, 80])
def test_announcement_breaks_between_words_and_is_kept(room, columns):
    text = "/dev/sdb holds NTFS, which is not used here: use FAT, exFAT or ext4, and nothing else"
    shown = announce(room, columns, "--red", text)
    assert shown.startswith("\r\n\x1b[1;31m*** ") and shown.endswith(" ***\x1b[0m\r\n")
    lines = COLOUR.sub("", shown).strip().split("\r\n")
    assert "".join(lines) == f"*** {text} ***" and max(map(len, lines)) <= columns
    for line in lines[:-1]:
        assert line.endswith(" ")
    assert re.fullmatch(rf"!\d\d:\d\d:\d\d {re.escape(text)}\n", (room / "run/announced").read_text())


def test_announcement_is_one_line_where_the_width_is_not_known(room):
    text = "word " * 60 + "end"
    assert announce(room, 0, text) == f"\r\n*** {text} ***\r\n"
    assert (room / "run/announced").read_text()[0] == " "
