# SPDX-License-Identifier: ISC
"""copy-hsmfd writes drives: it must write the right one, and only say that a
copy was made when the bytes have come back from the device.  Run against loop
devices in a mount namespace of their own, so nothing of the host is touched."""
import os
import pathlib
import shlex
import subprocess

import pytest

from ceremony_tools import LIB, SCRIPTS, environment, run, run_tty, stub, write_hostile

TOOL = SCRIPTS / "copy-hsmfd"
QUESTION = "to it (y/N)? "
FAT = "\tvfat\n" in pathlib.Path("/proc/filesystems").read_text()
TYPE = "vfat" if FAT else "ext4"  # what this kernel can mount


def attach(image, *options):
    done = subprocess.run(["losetup", *options, "-f", "--show", image],
                          capture_output=True, check=False, text=True)
    if done.returncode != 0:
        pytest.skip("no loop devices here")
    return done.stdout.strip()


@pytest.fixture
def room(tmp_path):
    """A drive to copy, a place for drives, and the tool's surroundings."""
    class Room:
        source = tmp_path / "HSMFD"
        devices = []

        def drive(self, megabytes=48, **how):
            image = tmp_path / f"drive{len(self.devices)}.img"
            with open(image, "wb") as file:
                file.truncate(megabytes * 1_000_000 // 4096 * 4096)
            options = ["-r"] if how.get("read_only") else []
            self.devices.append(attach(image, *options))
            return self.devices[-1]

        def env(self, **extra):
            lib = tmp_path / "lib"
            if not lib.exists():
                lib.mkdir()
                (lib / "tool.sh").symlink_to(LIB / "tool.sh")
                stub(lib, "is-removable",
                     'case $1 in loop*) ;; *) exit 1 ;; esac\n')
            return environment(lib=lib, run=tmp_path / "run", **extra)

        def copy(self, *argv, answers=(), **extra):
            return run_tty("unshare", "-m", "sh", TOOL, "--from", self.source,
                           "--type", TYPE, *argv, answers=answers, env=self.env(**extra))

        def files(self, device):
            script = (f"mount -r {device} /mnt && cd /mnt && "
                      "find . -type f -print0 | sort -z | xargs -0 sha256sum")
            out = subprocess.run(["unshare", "-m", "sh", "-ec", script],
                                 capture_output=True, check=True)
            return out.stdout

    if os.getuid() != 0:
        pytest.skip("needs loop devices")
    made = Room()
    made.devices = []
    (made.source / "ceremony 60").mkdir(parents=True)
    (made.source / "ceremony 60" / "log one.txt").write_text("log\n")
    (made.source / "-rf").write_text("a name with a dash\n")
    (made.source / "größe").write_text("UTF-8\n")
    (made.source / "data").write_bytes(os.urandom(3_000_000))
    yield made
    for device in made.devices:
        subprocess.run(["partx", "-d", device], check=False, capture_output=True)
        subprocess.run(["losetup", "-d", device], check=False)


def listing(folder):
    return subprocess.run(
        ["sh", "-ec", "find . -type f -print0 | sort -z | xargs -0 sha256sum"],
        cwd=folder, capture_output=True, check=True).stdout


def test_two_copies_are_made_and_verified(room):
    one, two = room.drive(), room.drive()
    status, shown = room.copy(one, two, answers=[(QUESTION, "y\n"), (QUESTION, "yes\n")])
    assert status == 0, shown
    assert shown.count("Result:     same") == 2
    assert f"{one}: a verified copy" in shown and f"{two}: a verified copy" in shown
    assert room.files(one) == room.files(two) == listing(room.source)
    label = subprocess.run(["blkid", "-p", "-s", "LABEL", "-o", "value", one],
                           capture_output=True, check=True, text=True).stdout
    assert label.strip() == "HSMFD"


def test_asks_which_drive(room):
    one = room.drive()
    status, shown = room.copy(answers=[("copy to: ", one + "\n"), (QUESTION, "y\n")])
    assert status == 0, shown
    assert room.files(one) == listing(room.source)


@pytest.mark.parametrize("answer", ["n\n", "\n", "Y es\n", "\x04"])
def test_without_a_yes_nothing_is_written(room, answer):
    one = room.drive()
    subprocess.run(["mkfs.vfat", "-I", "-n", "OTHER", one], check=True, capture_output=True)
    before = pathlib.Path(one).read_bytes()
    status, shown = room.copy(one, answers=[(QUESTION, answer)])
    assert status == 1 and "OTHER" in shown
    assert pathlib.Path(one).read_bytes() == before


def test_no_terminal_is_no_yes(room):
    one = room.drive()
    done = run("setsid", "-w", TOOL, "--from", room.source, one, stdin=b"y\ny\n", env=room.env())
    assert done.returncode == 1 and b"no terminal" in done.stderr


def test_second_no_leaves_the_first_drive_alone(room):
    one, two = room.drive(), room.drive()
    before = pathlib.Path(one).read_bytes()
    status, _ = room.copy(one, two, answers=[(QUESTION, "y\n"), (QUESTION, "n\n")])
    assert status == 1 and pathlib.Path(one).read_bytes() == before


def test_too_small(room):
    with open(room.source / "big", "wb") as file:
        file.truncate(60_000_000)
    status, shown = room.copy(room.drive())
    assert status == 5 and "too small" in shown


def test_write_protected(room):
    status, shown = room.copy(room.drive(read_only=True))
    assert status == 5 and "write-protected" in shown


def test_boot_medium_is_refused(room, tmp_path):
    one = room.drive()
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run/boot").write_text(f"kind=usb\nmedium={one}\n")
    status, shown = room.copy(one)
    assert status == 1 and "started from it" in shown


def test_source_drive_is_refused(room):
    one = room.drive()
    subprocess.run(["mkfs.ext4", "-q", one], check=True, capture_output=True)
    inner = f"mount {one} /mnt && exec {TOOL} --from /mnt {one}"
    status, shown = run_tty("unshare", "-m", "sh", "-c", inner, env=room.env())
    assert status == 1 and "the drive to copy" in shown


def test_fixed_disk_is_refused(room):
    disks = subprocess.run(["lsblk", "-nrdpo", "NAME,TYPE"], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    fixed = [d.split()[0] for d in disks if d.endswith("disk")]
    if not fixed:
        pytest.skip("no disk here")
    status, shown = room.copy(fixed[0])
    assert status == 1 and ("not a removable" in shown or "the drive to copy" in shown)


def test_not_a_drive(room, tmp_path):
    for name in ["/dev/null", "/dev/absent", str(tmp_path), "new\nline\x1b[2J"]:
        status, shown = room.copy("--", name)
        assert status == 2 and "not a drive" in shown and "\x1b" not in shown


def test_no_drive(room, tmp_path):
    room.env()
    stub(tmp_path / "lib", "is-removable", "exit 1\n")
    status, shown = room.copy()
    assert status == 3 and "no drive to copy to" in shown


def test_bytes_that_come_back_wrong_are_no_copy(room, tmp_path):
    """The drive lies: after cp, one byte on it changes."""
    path = tmp_path / "bin"
    one = room.drive()
    stub(path, "blockdev", f'/usr/sbin/blockdev "$@"\n'
         f'offset=$(LC_ALL=C grep -abo "a name with a dash" {one} | head -n1 | cut -d: -f1)\n'
         f'printf X | dd of={one} bs=1 seek=$offset conv=notrunc 2>/dev/null\n'
         f'/usr/sbin/blockdev "$@"\n')
    env = room.env()
    env["PATH"] = f"{path}:{env['PATH']}"
    status, shown = run_tty("unshare", "-m", TOOL, "--from", room.source, "--type", TYPE, one,
                            answers=[(QUESTION, "y\n")], env=env)
    assert status == 5, shown
    assert "different: -rf" in shown and "differs from the original" in shown


def test_full_drive_is_no_copy(room, tmp_path):
    """Many small files take more room than their bytes."""
    for number in range(2500):
        (room.source / f"f{number}").write_bytes(b"1" * 4097)
    one = room.drive(18)
    before = pathlib.Path(one).read_bytes()
    status, shown = room.copy(one)
    assert status == 5 and "too small for 13" in shown and "formatting" not in shown
    assert pathlib.Path(one).read_bytes() == before


def test_copying_that_fails_is_no_copy(room, tmp_path):
    """The drive is full all the same, or breaks."""
    stub(tmp_path / "bin", "cp", "echo 'No space left on device' >&2; exit 1\n")
    status, shown = room.copy(room.drive(), answers=[(QUESTION, "y\n")],
                              PATH=f"{tmp_path}/bin:{environment()['PATH']}")
    assert status == 5 and "this is no copy" in shown and "verified" not in shown


BAD = {  # on FAT and exFAT
    "quote": ['a"b'], "asterisk": ["a*b"], "colon": ["12:30"], "less": ["a<b"], "greater": ["a>b"], "query": ["a?"],
    "backslash": ["a\\b"], "bar": ["a|b"], "newline": ["a\nb"], "tab": ["a\tb"], "escape": ["\x1b[31m"],
    "DEL": ["a\x7f"], "full stop": ["end."], "blank": ["end "], "only in a folder": ["folder/deep/a:b"],
    "a folder": ["fol:der/file"], "not UTF-8": [os.fsdecode(b"a\xff")], "twice": ["Log", "log"],
    "twice, beyond ASCII": ["GR\u00dcN", "gr\u00fcn"], "folders twice": ["A/x", "a/y"], "\u2028": ["a\x01"],
}


@pytest.mark.parametrize("kind", ["vfat", "exfat"])
@pytest.mark.parametrize("names", BAD.values(), ids=BAD)
def test_names_that_do_not_fit_are_found_before_anything_is_written(room, names, kind):
    for name in names:
        (room.source / name).parent.mkdir(parents=True, exist_ok=True)
        (room.source / name).write_text("x")
    one = room.drive(8)
    before = pathlib.Path(one).read_bytes()
    done = run(TOOL, "--from", room.source, "--type", kind, one, env=room.env())
    assert done.returncode == 3 and f"does not fit {kind}; it fits ext4".encode() in done.stderr, done
    assert b"(--type ext4)" in done.stderr and b"\x1b" not in done.stdout + done.stderr
    assert done.stdout.count(b"\n") == 1 and f" does not fit {kind}: it ".encode() in done.stdout
    assert pathlib.Path(one).read_bytes() == before


@pytest.mark.parametrize("kind", ["vfat", "exfat", "ext4"])
def test_names_and_sizes_that_fit(room, kind):
    """Nothing is refused that the file system can hold: only the drive is too small."""
    for name in (" leading", "-rf", "--help", "gr\u00fc\u00dfe \u65e5\u672c", "quo'te", "$(touch pwned)", ".hidden", "%s%n",
                 "a" * 255, "...x", "semi;colon,plus+[equals=]", "CON", "Log", "log1"):
        (room.source / name).write_text("x")
    done = run(TOOL, "--from", room.source, "--type", kind, room.drive(1), env=room.env())
    assert done.returncode == 5 and b"too small" in done.stderr and done.stdout == b"", done


@pytest.mark.parametrize("kind,fits", [("vfat", False), ("exfat", True), ("ext4", True)])
def test_a_file_that_is_too_large_for_fat(room, kind, fits):
    for size, what in ((4294967295, True), (4294967296, fits)):
        with open(room.source / "large", "wb") as file:
            file.truncate(size)
        done = run(TOOL, "--from", room.source, "--type", kind, room.drive(8), env=room.env())
        assert done.returncode == (5 if what else 3), done
        assert (b"large does not fit vfat: it is larger than 4 GB" in done.stdout) == (not what)
        assert what or b"does not fit vfat; it fits " in done.stderr


def test_a_link_does_not_fit_fat(room):
    (room.source / "link").symlink_to("/etc/passwd")
    done = run(TOOL, "--from", room.source, "--type", "vfat", room.drive(8), env=room.env())
    assert done.returncode == 3 and b"link does not fit vfat: it is neither a file nor a folder" in done.stdout


def test_the_original_s_file_system_is_offered(room):
    """Without --type: one question more, and the copy is made."""
    (room.source / "12:30").write_text("x")
    old, one = room.drive(), room.drive()
    subprocess.run(["mkfs.ext4", "-q", old], check=True, capture_output=True)
    script = (f"mount {old} /mnt && cp -R {shlex.quote(str(room.source))}/. /mnt && rm -rf /mnt/lost+found && "
              f"exec sh {TOOL} --from /mnt {one}")
    offer = "Use ext4, the original's (y/N)? "
    before = pathlib.Path(one).read_bytes()
    status, shown = run_tty("unshare", "-m", "sh", "-ec", script, answers=[(offer, "n\n")], env=room.env())
    assert status == 1 and "12:30 does not fit vfat" in shown and pathlib.Path(one).read_bytes() == before
    status, shown = run_tty("unshare", "-m", "sh", "-ec", script, answers=[(offer, "y\n"), (QUESTION, "y\n")],
                            env=room.env())
    assert status == 0 and "a verified copy" in shown, shown
    assert room.files(one) == listing(room.source)


def test_hostile_names_arrive(room):
    if TYPE != "ext4":
        pytest.skip("FAT cannot hold them")
    write_hostile(room.source)
    one = room.drive()
    status, shown = room.copy(one, answers=[(QUESTION, "y\n")])
    assert status == 0, shown
    assert room.files(one) == listing(room.source)


def test_missing_source_and_wrong_options(room, tmp_path):
    assert run(TOOL, "--from", tmp_path / "absent", env=room.env()).returncode == 3
    assert run(TOOL, "--from", env=room.env()).returncode == 2
    assert run(TOOL, "--frob", env=room.env()).returncode == 2
    assert run(TOOL, "--type", "ntfs", env=room.env()).returncode == 2


def test_partition(room):
    one = room.drive()
    subprocess.run(["sfdisk", "-q", one], input=b",,c\n", check=True, capture_output=True)
    subprocess.run(["partx", "-u", one], check=False, capture_output=True)
    if not pathlib.Path(one + "p1").exists():
        pytest.skip("no partition nodes here")
    status, shown = room.copy(one, answers=[(QUESTION, "y\n")])
    assert status == 0, shown
    assert shlex.quote(one) + "p1: a verified copy" in shown


def test_whole_drive_gets_no_partition_table(room, tmp_path):
    """mkfs.fat would write one on a disk that is not marked removable, which no loop
    device is: its partition would be mounted while the copy is made."""
    real = "/usr/sbin/mkfs.vfat"
    stub(tmp_path / "bin", "mkfs.vfat", f'echo "$*" >"{tmp_path}/options"\nexec {real} "$@"\n')
    one = room.drive()
    (tmp_path / "run").mkdir()
    known = tmp_path / "run" / f"media-{pathlib.Path(one).name}"
    known.write_text("what was on it before\n")
    room.copy("--type", "vfat", one, answers=[(QUESTION, "y\n")], PATH=f"{tmp_path}/bin:{environment()['PATH']}")
    assert "--mbr=no " in (tmp_path / "options").read_text()
    assert not known.exists()
    first = pathlib.Path(one).read_bytes()[:512]
    assert first[3:11] == b"mkfs.fat" and first[446:462] == bytes(16)


def test_another_drive_by_a_confirmed_name_is_left_alone(room, tmp_path):
    """While the first is written, the second is pulled out and its name is another's."""
    one, two = room.drive(), room.drive()
    for number, device in enumerate((one, two)):
        place = tmp_path / "sys/class/block" / pathlib.Path(device).name
        place.mkdir(parents=True)
        (place / "diskseq").write_text(f"{number}\n")
    stub(tmp_path / "bin", "cp", f'echo 7 >"{place}/diskseq"\nexec /usr/bin/cp "$@"\n')
    before = pathlib.Path(two).read_bytes()
    status, shown = room.copy(one, two, answers=[(QUESTION, "y\n"), (QUESTION, "y\n")], root=tmp_path,
                              PATH=f"{tmp_path}/bin:{environment()['PATH']}")
    assert status == 1 and f"{two}: not the drive that was confirmed" in shown, shown
    assert f"{one}: a verified copy" in shown
    assert pathlib.Path(two).read_bytes() == before


def test_interrupt_ends_the_writing_too(room, tmp_path):
    one = room.drive()
    stub(tmp_path / "bin", "cp", f'echo $$ >"{tmp_path}/pid"\nexec sleep 50\n')
    status, shown = room.copy(one, answers=[(QUESTION, "y\n"), (": 0 of ", "\x03")],
                              PATH=f"{tmp_path}/bin:{environment()['PATH']}")
    assert status == 1 and "verified" not in shown, shown
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert list((tmp_path / "run").iterdir()) == []


def test_copied_to_memory_the_boot_drive_may_be_gone(room, tmp_path):
    one = room.drive()
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    for medium in ("/dev/gone", one):
        (folder / "boot").write_text(f"kind=usb\nmedium={medium}\ntoram=yes\n")
        status, shown = room.copy(one, answers=[(QUESTION, "y\n")])
        assert status == 0, shown
