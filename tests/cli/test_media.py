# SPDX-License-Identifier: ISC
"""No drive is met with silence: media-mount mounts it, or says in one red line
what it is and what to use.  A witness who sees nothing after a stick was plugged
in does not know whether it is the stick, the port or the disc.  Real file
systems in files; udev's word, mount and the terminals are stand-ins.  tests/boot
plugs the same kinds into a machine."""
import itertools
import re
import subprocess

import pytest

from ceremony_tools import LIB, SCRIPTS, environment, run, stub

MOUNT = LIB / "media-mount"
TOOL = SCRIPTS / "mount-drive"
NUMBERS = itertools.count(1)
MEDIUM = "KEYROOM_0123456789ABCDEF01234567"


class Room:
    """A machine started from the DVD sr0, with a USB bus for drives."""

    def __init__(self, folder):
        self.folder = folder
        self.said = folder / "said"
        self.mounts = folder / "mounts"
        for name in ("dev", "run/keyroom", "media", "udev", "sys/class/block", "proc/1"):
            (folder / name).mkdir(parents=True)
        (folder / "proc/1/mounts").write_text("")
        (folder / "run/keyroom/boot").write_text(f"medium=/dev/sr0\nid={MEDIUM}\n")
        (folder / "lib").mkdir()
        for name in ("media-mount", "media-gone", "is-removable", "tool.sh"):
            (folder / "lib" / name).symlink_to(LIB / name)
        stub(folder / "lib", "announce", f'printf "%s\\n" "$*" >>"{self.said}"\n')
        udev = f'sed "" "{folder}/udev/${{3#--name=/dev/}}" 2>/dev/null || true\n'
        stub(folder / "bin", "udevadm", udev)
        stub(folder / "bin", "mount", f'echo "$*" | sed "s,{folder},,g" >>"{self.mounts}"\n[ ! -e "{folder}/broken" ]\n')
        stub(folder / "bin", "mountpoint", f'grep -q " ${{2#{folder}}}\\$" "{self.mounts}" 2>/dev/null\n')
        stub(folder / "bin", "findmnt", f'grep -o "nosuid.*\\|ro,.*" "{self.mounts}" | tail -n 1\n')
        for name in ("systemctl", "systemd-run", "systemd-escape", "flock", "ceremony-log"):
            stub(folder / "bin", name, "exit 0\n")
        # Not every file system has reads past the memory.
        stub(folder / "bin", "dd", 'exec /usr/bin/dd $(echo "$*" | sed s/,direct//)\n')
        stub(folder / "bin", "blockdev", f'echo "$*" | sed "s,{folder},," >>"{folder}/reread"\n[ ! -e "{folder}/busy" ]\n')
        stub(folder / "bin", "sleep", "exit 0\n")

    def disk(self, name, size=65536, bus="usb1/1-1", **known):
        place = self.folder / "sys/devices" / bus / name
        place.mkdir(parents=True)
        (place / "size").write_text(f"{size}\n")
        (place / "removable").write_text("0\n")
        (place / "ro").write_text("0\n")
        (self.folder / "sys/class/block" / name).symlink_to(place)
        self.knows(name, **known)
        return self.folder / "dev" / name

    def part(self, disk, name, **known):
        place = (self.folder / "sys/class/block" / disk).resolve() / name
        place.mkdir()
        (place / "size").write_text("2048\n")
        (place / "partition").write_text("1\n")
        (place / "start").write_text("2048\n")
        (self.folder / "sys/class/block" / name).symlink_to(place)
        self.knows(name, **known)

    def knows(self, name, **known):
        (self.folder / "udev" / name).write_text(
            "DEVNAME=x\n" + "".join(f"ID_{key.upper()}={value}\n" for key, value in known.items()))
        (self.folder / "dev" / name).touch()

    def are_mounted(self, *pairs):
        """What process 1 sees: a device and its folder each."""
        (self.folder / "proc/1/mounts").write_text(
            "tmpfs / tmpfs rw 0 0\n" + "".join(f"/dev/{name} {point} vfat rw 0 0\n" for name, point in pairs))

    def gone(self, *argv):
        done = run(LIB / "media-gone", *argv, env=self.env())
        assert done.returncode == 0 and not done.stderr, done.stderr
        return self.said.read_text() if self.said.exists() else ""

    def env(self):
        return environment(root=self.folder, lib=self.folder / "lib",
                           PATH=f"{self.folder}/bin:/usr/sbin:/usr/bin:/bin")

    def plug(self, *argv):
        """What is said, and how mount was called."""
        done = run(MOUNT, *argv, env=self.env())
        assert not done.stderr, done.stderr
        said = self.said.read_text() if self.said.exists() else ""
        return said, self.mounts.read_text() if self.mounts.exists() else ""


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


@pytest.mark.parametrize("kind", ["vfat", "exfat", "ext4"])
def test_drive_with_a_label_is_mounted_and_nothing_on_it_can_run(room, kind):
    room.disk("sdb", fs_type=kind, fs_label_enc="KSR")
    said, mounted = room.plug("sdb")
    assert said == "/dev/sdb mounted at /media/KSR (writable)\n"
    assert mounted.startswith(f"-t {kind} -o nosuid,nodev,noexec,sync") and " /dev/sdb /media/KSR" in mounted


def test_drive_has_no_say_in_what_an_error_on_it_does(room):
    """An ext4 can ask for a panic, or for going on."""
    for kind, option in (("ext4", True), ("vfat", False), ("exfat", False)):
        room.disk(kind, fs_type=kind, fs_label_enc="KSR")
        room.plug(kind)
        assert ("errors=remount-ro" in room.mounts.read_text().splitlines()[-1]) == option


@pytest.mark.parametrize("kind", ["iso9660", "udf"])
@pytest.mark.parametrize("name", ["sdb", "sr1"])
def test_disc_image_on_a_stick_and_a_disc_in_another_drive_are_read_only(room, kind, name):
    room.disk(name, fs_type=kind, fs_label_enc="DATA", cdrom_media="1")
    said, mounted = room.plug(name)
    assert said == f"/dev/{name} mounted at /media/DATA (write-protected)\n"
    assert mounted.startswith(f"-t {kind} -o ro,nosuid,nodev,noexec")


@pytest.mark.parametrize("known, words", [
    ({"fs_type": "ntfs"}, "holds NTFS"),
    ({"fs_type": "crypto_LUKS"}, "is encrypted (LUKS)"),
    ({"fs_type": "BitLocker"}, "is encrypted (BitLocker)"),
    ({"fs_type": "ext2"}, "holds ext2"), ({"fs_type": "ext3"}, "holds ext3"),
    ({"fs_type": "btrfs"}, "holds btrfs"), ({"fs_type": "hfsplus"}, "holds Apple's HFS"),
    ({"fs_type": "apfs"}, "holds Apple's APFS"), ({"fs_type": "swap"}, "holds swap"),
    ({"fs_type": "LVM2_member"}, "holds LVM2_member"),
    ({}, "holds no file system, it is empty or damaged"),
    ({"part_table_type": "gpt"}, "has a partition table and no partition"),
    ({"fs_ambivalent": "filesystem:vfat other:zfs"}, "more than one file system"),
])
def test_what_is_not_used_here_is_said_in_one_red_line(room, known, words):
    room.disk("sdb", fs_label_enc="KSR", **known)
    said, mounted = room.plug("sdb")
    assert mounted == "" and said.count("\n") == 1
    assert said.startswith("--red /dev/sdb ") and words in said
    assert said.endswith(": use FAT, exFAT or ext4\n")


@pytest.mark.parametrize("size, damaged", [(12, "FAT"), (16, "FAT"), (32, "FAT")])
def test_damaged_fat_is_told_from_an_empty_drive(room, size, damaged):
    path = room.disk("sdb")
    subprocess.run(["/usr/sbin/mkfs.fat", "-F", str(size), "-C", str(path) + ".img", "65536"],
                   check=True, stdout=subprocess.DEVNULL)
    first = bytearray((room.folder / "dev/sdb.img").read_bytes()[:4096])
    first[11:13] = b"\0\0"                      # the size of a sector
    path.write_bytes(first)
    assert "holds a damaged FAT: use another drive" in room.plug("sdb")[0]


def test_drive_that_does_not_mount_is_said_and_leaves_no_folder(room):
    room.disk("sdb", fs_type="vfat", fs_label_enc="KSR")
    (room.folder / "broken").touch()
    assert "--red /dev/sdb holds a damaged vfat (KSR)" in room.plug("sdb")[0]
    assert list((room.folder / "media").iterdir()) == []


@pytest.mark.parametrize("kind, make", [
    ("a file", lambda path: path.write_text("a request\n")), ("a file", lambda path: path.symlink_to("gone")),
    ("a file", lambda path: path.symlink_to("/")),
    ("a folder", lambda path: (path / "within").mkdir(parents=True))])
@pytest.mark.parametrize("broken", [False, True])
def test_what_was_put_where_the_drive_was_not_is_said_and_not_hidden(room, kind, make, broken):
    """cp skr.xml /media/KSR without the drive: a file that is gone at power-off."""
    room.disk("sdb", fs_type="vfat", fs_label_enc="KSR")
    make(room.folder / "media/KSR")
    if broken:
        (room.folder / "broken").touch()
    said = room.plug("sdb")[0].splitlines()
    assert said[0] == (f"--red /media/KSR is {kind} in memory and not on a drive: "
                       "copy what is there to a drive and remove it")
    assert said[1:] == ["--red /dev/sdb holds a damaged vfat (KSR), which could not be mounted: use another drive"
                        if broken else "/dev/sdb mounted at /media/KSR_ (writable)"]


def test_empty_folder_is_used(room):
    room.disk("sdb", fs_type="vfat", fs_label_enc="KSR")
    (room.folder / "media/KSR").mkdir()
    assert room.plug("sdb")[0] == "/dev/sdb mounted at /media/KSR (writable)\n"


@pytest.mark.parametrize("spoil", [
    lambda room: (room.folder / "run/keyroom/media.lock").mkdir(),
    lambda room: stub(room.folder / "bin", "mkdir", "exit 1\n"),
    lambda room: stub(room.folder / "bin", "flock", "exit 1\n")])
def test_whatever_fails_in_the_machine_is_said(room, spoil):
    room.disk("sdb", fs_type="vfat", fs_label_enc="KSR")
    spoil(room)
    done = run(MOUNT, "sdb", env=room.env())
    assert done.returncode != 0
    assert room.said.read_text().splitlines()[-1].startswith(
        "--red /dev/sdb cannot be used, something failed in this machine (status ")
    assert not room.mounts.exists()


@pytest.mark.parametrize("label, shown, name", [
    ("", "it has no label", "DRIVE"),
    (r"MY\x20STICK", 'its label is "MY STICK"', "MY_STICK"),
    (r"NO\x20NAME", 'its label is "NO NAME"', "NO_NAME"),
    (r"..\x2fetc", 'its label is "../etc"', "_etc"), ("..", 'its label is ".."', "DRIVE"),
    ("-rf", 'its label is "-rf"', "rf"), (r"a\x24\x28id\x29", 'its label is "a$(id)"', "a__id_"),
])
def test_refused_label_is_told_with_the_command_that_mounts_it(room, label, shown, name):
    """The command works as it stands."""
    room.disk("sdb", fs_type="vfat", fs_label_enc=label)
    said, mounted = room.plug("sdb")
    assert mounted == "" and shown in said, said
    command = re.search(r"to mount it: (.*)\n$", said).group(1).split()
    assert command == ["mount-drive", "sdb", name]
    done = run(TOOL, *command[1:], env=room.env())
    assert f"/dev/sdb mounted at /media/{name} (" in room.said.read_text(), done


def set_byte(path, place, value):
    with open(path, "r+b") as image:
        image.seek(place)
        image.write(bytes([value]))


def make_fat(path, size):
    subprocess.run(["/usr/sbin/mkfs.fat", "-F", str(size), "-s", "1", "-C", str(path) + ".img",
                    {12: "1024", 16: "8192", 32: "65536"}[size]], check=True, stdout=subprocess.DEVNULL)
    path.unlink()
    (path.parent / (path.name + ".img")).rename(path)


@pytest.mark.parametrize("size, marks", [
    (12, [(37, 1)]), (16, [(37, 1)]), (16, [("fat", 3, 0x7f)]),
    (32, [(65, 1)]), (32, [("fat", 7, 0x07)])])
def test_fat_that_was_not_unmounted_is_said_in_the_same_line(room, size, marks):
    path = room.disk("sdb", fs_type="vfat", fs_version=f"FAT{size}", fs_label_enc="KSR")
    make_fat(path, size)
    assert room.plug("sdb")[0] == "/dev/sdb mounted at /media/KSR (writable)\n"
    room.mounts.unlink()
    room.said.unlink()
    start = int.from_bytes(path.read_bytes()[14:16], "little") * 512
    for mark in marks:
        set_byte(path, *((start + mark[1], mark[2]) if mark[0] == "fat" else mark))
    said, mounted = room.plug("sdb")
    assert mounted and said.count("\n") == 1
    assert said.startswith("--red /dev/sdb mounted at /media/KSR (writable; ") and "did not unmount it" in said


@pytest.mark.parametrize("kind, place, value", [("exfat", 106, 2), ("ext4", 1120, 4)])
def test_other_file_systems_have_such_a_mark_too(room, kind, place, value):
    path = room.disk("sdb", fs_type=kind, fs_label_enc="KSR")
    path.write_bytes(bytes(4096))
    set_byte(path, place, value)
    assert "did not unmount it" in room.plug("sdb")[0]


@pytest.mark.parametrize("kind, unclean, read_only, words", [
    ("ext4", 4, 1, "was not unmounted by the last one who wrote (KSR), and is write-protected: make it writable"),
    ("ext4", 4, 0, "damaged ext4"), ("ext4", 0, 1, "damaged ext4"), ("vfat", 4, 1, "damaged vfat")])
def test_write_protected_drive_whose_journal_waits_is_not_called_damaged(room, kind, unclean, read_only, words):
    """The kernel wants to write what is in the journal, and may not."""
    path = room.disk("sdb", fs_type=kind, fs_label_enc="KSR")
    path.write_bytes(bytes(4096))
    set_byte(path, 1120, unclean)
    (room.folder / "sys/class/block/sdb/ro").write_text(f"{read_only}\n")
    (room.folder / "broken").touch()
    said, _ = room.plug("sdb")
    assert said.startswith("--red /dev/sdb ") and words in said and said.count("\n") == 1


def test_disc_of_ours_is_silent_where_it_was_started_from_and_told_elsewhere(room):
    ours = {"fs_type": "iso9660", "fs_volume_set_id": MEDIUM, "fs_label_enc": "KEYROOM_0_4_0", "cdrom_media": "1"}
    room.disk("sr0", **ours)
    room.disk("sdb", **ours)
    room.part("sdb", "sdb1", fs_type="vfat", fs_label_enc="KEYROOM_EFI",
              part_entry_type="c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
    assert room.plug("sr0") == ("", "") == room.plug("sdb1")
    assert room.plug("sdb")[0] == ("--red /dev/sdb mounted at /media/KEYROOM_0_4_0 (write-protected): "
                                   "another copy of this disc\n")


@pytest.mark.parametrize("name, toram, told", [("sr0", "yes", True), ("sdb", "yes", True), ("sr0", "no", False)])
def test_copy_of_our_disc_in_its_place_is_told_where_ours_may_leave(room, name, toram, told):
    """Copied to memory, the disc is not needed any more, and its drive is free."""
    ours = {"fs_type": "iso9660", "fs_volume_set_id": MEDIUM, "fs_label_enc": "KEYROOM_0_4_0", "cdrom_media": "1"}
    (room.folder / "run/keyroom/boot").write_text(f"medium=/dev/{name}\nid={MEDIUM}\ntoram={toram}\n")
    room.disk(name, **ours)
    assert room.plug(name) == ("", "")
    if name == "sr0":
        room.knows(name)
        assert room.plug(name) == ("", "")       # the drive is empty
        room.knows(name, **ours)
    else:
        assert room.gone("sdb1") == room.gone(name) == ""
    said, _ = room.plug(name)
    assert said == (f"--red /dev/{name} mounted at /media/KEYROOM_0_4_0 (write-protected): "
                    "another copy of this disc\n" if told else "")


def test_another_release_in_the_drive_that_we_were_started_from_is_told(room):
    """After copying to memory, the drive is free for another disc."""
    room.disk("sr0", fs_type="iso9660", fs_volume_set_id="KEYROOM_OTHER", fs_label_enc="KEYROOM_0_3_4",
              cdrom_media="1")
    assert "another Keyroom disc, not the one" in room.plug("sr0")[0]


def test_only_the_partitions_of_a_disk_with_some_are_told(room):
    room.disk("sdb", part_table_type="dos")
    room.part("sdb", "sdb1", fs_type="vfat", fs_label_enc="KSR")
    room.part("sdb", "sdb2", part_entry_type="0xf")
    assert room.plug("sdb") == ("", "") == room.plug("sdb2")
    assert "/dev/sdb1 mounted at /media/KSR" in room.plug("sdb1")[0]


@pytest.mark.parametrize("kinds", [["0xf"], ["0x5", "0x85"], ["e3c9e316-0b5c-4db8-817d-f92df00215ae"]])
def test_disk_with_no_partition_for_files_is_told(room, kinds):
    """Its partitions say nothing, so that it must itself."""
    room.disk("sdb", part_table_type="dos")
    for number, kind in enumerate(kinds, 1):
        room.part("sdb", f"sdb{number}", part_entry_type=kind)
        assert room.plug(f"sdb{number}") == ("", "")
    assert room.plug("sdb")[0] == (
        "--red /dev/sdb has a partition table and no partition: use FAT, exFAT or ext4\n")


@pytest.mark.parametrize("image", ["iso9660", "udf"])
@pytest.mark.parametrize("kind, entry", [("vfat", "0xc"), ("ext4", "0x83"), ("ntfs", "0x7")])
def test_stick_partitioned_anew_after_a_disc_image_is_told(room, image, kind, entry):
    """Nobody can tell which of both is meant, so neither is mounted."""
    room.disk("sdb", fs_type=image, fs_label_enc="DEBIAN", part_table_type="dos")
    room.part("sdb", "sdb1", part_entry_type="0xf")
    room.part("sdb", "sdb5", part_entry_type=entry, fs_type=kind, fs_label_enc="KSR")
    assert room.plug("sdb1") == ("", "") == room.plug("sdb5")
    assert room.plug("sdb") == (
        "--red /dev/sdb holds a disc image and, in sdb5, other files: use another drive\n", "")


def test_partitions_of_a_disc_image_are_no_other_files(room):
    room.disk("sdb", fs_type="iso9660", fs_label_enc="DEBIAN", part_table_type="gpt")
    room.part("sdb", "sdb1", part_entry_type="ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", fs_type="squashfs")
    room.part("sdb", "sdb2", part_entry_type="c12a7328-f81f-11d2-ba4b-00a0c93ec93b", fs_type="vfat")
    room.part("sdb", "sdb3", part_entry_type="0xef", fs_type="vfat")
    assert "mounted at /media/DEBIAN (write-protected)" in room.plug("sdb")[0]


def test_drive_behind_one_that_hangs_says_that_it_waits(room):
    """And is mounted when that one has answered."""
    stub(room.folder / "bin", "flock", f'echo "$*" >>"{room.folder}/locks"\n[ "$1" != -w ]\n')
    room.disk("sdb", fs_type="vfat", fs_label_enc="KSR")
    assert room.plug("sdb")[0] == ("--red /dev/sdb waits: another drive is being mounted and takes long\n"
                                   "/dev/sdb mounted at /media/KSR (writable)\n")
    assert (room.folder / "locks").read_text() == "-w 5 9\n9\n"


@pytest.mark.parametrize("name, size, known", [
    ("sdb", 0, {}), ("sr1", 2097151, {}), ("mmcblk0boot0", 8192, {})])
def test_empty_reader_says_nothing(room, name, size, known):
    room.disk(name, size=size, **known)
    assert room.plug(name) == ("", "")


def test_card_taken_out_while_mounted_is_said(room):
    room.disk("sdb", size=0)
    room.are_mounted(("sdb", "/media/KSR"))
    assert "/media/KSR was pulled out without umount" in room.plug("sdb")[0]


@pytest.mark.parametrize("name, part", [("sdb", "sdb1"), ("sdb", "sdb12"), ("mmcblk0", "mmcblk0p1")])
def test_partitioned_card_taken_out_while_mounted_is_said_and_unmounted(room, name, part):
    """The kernel keeps the partition of a card that is gone for as long as it is mounted:
    only the reader tells that it changed."""
    stub(room.folder / "bin", "systemd-run", f'echo "$*" >>"{room.folder}/unmounted"\n')
    room.disk(name, size=0)
    room.part(name, part)
    room.are_mounted((part, "/media/KSR"), (name + "x1", "/media/OTHER"), (part, "/media/KSR_"))
    said, _ = room.plug(name)
    assert re.findall(r"--red (\S+) was pulled out without umount", said) == ["/media/KSR", "/media/KSR_"]
    assert [line.split()[-1] for line in (room.folder / "unmounted").read_text().splitlines()] == [
        "/media/KSR", "/media/KSR_"]


@pytest.mark.parametrize("name, other", [
    ("sda", "sdaa1"), ("sda", "sdaa"), ("sr1", "sr10"), ("mmcblk1", "mmcblk10p1"), ("mmcblk0", "mmcblk0boot0"),
    ("sdb1", "sdb11")])
def test_another_drive_s_name_that_begins_alike_is_another_drive(room, name, other):
    room.are_mounted((other, "/media/KSR"))
    assert room.gone("--card", name) == ""


def test_drive_that_leaves_is_said_once(room):
    """Its partitions' removals are told, too, and by themselves."""
    room.are_mounted(("sdb1", "/media/KSR"))
    assert room.gone("sdb").count("\n") == 0
    assert room.gone("sdb1").count("\n") == 1
    room.are_mounted(("sdb", "/media/KSR"))
    assert room.gone("sdb").count("\n") == 2


def test_full_memory_keeps_no_alarm_back(room):
    """Nothing can be noted any more; a folder in the note's place stands for that."""
    (room.folder / "run/keyroom/medium-left").mkdir()
    (room.folder / "run/keyroom/media-sr0").mkdir()
    room.are_mounted(("sr0", "/media/DATA"))
    run(LIB / "media-gone", "--card", "sr0", env=room.env())
    assert "/media/DATA was pulled out" in room.said.read_text()


def card(room, name, label, parted=True):
    """A real file system, with a number of its own, where the card's partition begins."""
    made = room.folder / "card.img"
    made.unlink(missing_ok=True)
    subprocess.run(["/usr/sbin/mkfs.fat", "-F", "32", "-i", f"{next(NUMBERS):08x}", "-n", label, "-C",
                    str(made), "40960"], check=True, stdout=subprocess.DEVNULL)
    path = room.folder / "dev" / name
    path.write_bytes((bytes(2048 * 512) if parted else b"") + made.read_bytes()[:1 << 20])


def test_card_exchanged_for_another_in_one_moment_is_said(room):
    """No empty reader was seen; what is mounted is not there any more, and who writes to
    it spoils the new one."""
    room.disk("sdb", part_table_type="dos")
    room.part("sdb", "sdb1", fs_type="vfat", fs_label_enc="FIRST")
    card(room, "sdb", "FIRST")
    assert room.plug("sdb1")[0] == "/dev/sdb1 mounted at /media/FIRST (writable)\n"
    room.are_mounted(("sdb1", "/media/FIRST"))
    room.said.unlink()
    assert room.plug("sdb")[0] == ""             # a new stick may say that it changed
    assert not (room.folder / "reread").exists()
    able = (room.folder / "bin/dd").read_text()
    stub(room.folder / "bin", "dd", "exit 1\n")
    assert room.plug("sdb")[0] == ""             # nor is one that does not answer another
    (room.folder / "bin/dd").write_text(able)
    card(room, "sdb", "FIRST")                   # a label alone is no card
    assert room.plug("sdb")[0] == (
        "--red /media/FIRST was pulled out without umount: what was written last may be lost\n")
    assert (room.folder / "reread").read_text() == "--rereadpt /dev/sdb\n"


def test_card_without_partitions_exchanged_in_one_moment_is_said_and_the_new_one_mounted(room):
    room.disk("sdb", fs_type="vfat", fs_label_enc="FIRST")
    card(room, "sdb", "FIRST", parted=False)
    assert "mounted at /media/FIRST" in room.plug("sdb")[0]
    room.are_mounted(("sdb", "/media/FIRST"))
    said, mounted = room.plug("sdb")
    assert said.count("\n") == 1 and mounted.count("\n") == 1
    card(room, "sdb", "SECOND", parted=False)
    room.knows("sdb", fs_type="vfat", fs_label_enc="SECOND")
    assert room.plug("sdb")[0].splitlines()[1:] == [
        "--red /media/FIRST was pulled out without umount: what was written last may be lost",
        "/dev/sdb mounted at /media/SECOND (writable)"]


@pytest.mark.parametrize("parted", [True, False])
def test_card_behind_one_that_a_program_still_uses_is_said(room, parted):
    """The kernel would show the files of the one before."""
    room.disk("sdb", fs_type=("" if parted else "vfat"), fs_label_enc="KSR")
    if parted:
        room.part("sdb", "sdb1", fs_type="vfat", fs_label_enc="KSR")
    room.are_mounted(("sdb1" if parted else "sdb", "/media/KSR"))
    size = (room.folder / "sys/class/block/sdb/size")
    size.write_text("0\n")
    room.plug("sdb")
    room.are_mounted()
    room.said.unlink()
    size.write_text("4096\n")
    (room.folder / "busy").touch()
    for _ in range(2):
        said, mounted = room.plug("sdb")
        assert said == ("--red /dev/sdb holds another card, and a program still uses the one before: "
                        "end it and put this card in again\n") and mounted == ""
        room.said.unlink()
    (room.folder / "busy").unlink()
    said, mounted = room.plug("sdb")
    assert (said, mounted) == ("", "") if parted else "mounted at /media/KSR" in said


def test_disk_inside_the_machine_is_left_alone(room):
    room.disk("sdb", bus="ata1", fs_type="vfat", fs_label_enc="KSR")
    assert room.plug("sdb") == ("", "")
    done = run(TOOL, "sdb", "KSR", env=room.env())
    assert done.returncode == 1 and b"a disk inside this machine" in done.stderr


def test_two_drives_of_one_label(room):
    for name in ("sdb", "sdc"):
        room.disk(name, fs_type="vfat", fs_label_enc="HSMFD")
    room.plug("sdb")
    assert "/dev/sdc mounted at /media/HSMFD_ (" in room.plug("sdc")[0]


@pytest.mark.parametrize("argv, status", [
    ((), 2), (("sdb",), 2), (("sdb", "a b"), 2), (("sdb", "../x"), 2), (("sdb", ""), 2), (("sdb", "-x"), 2),
    (("../sdb", "KSR"), 2), (("sdz", "KSR"), 3), (("--force", "KSR"), 2), (("sdb", "KSR", "more"), 2)])
def test_mount_drive_refuses(room, argv, status):
    room.disk("sdb", fs_type="vfat")
    assert run(TOOL, *argv, env=room.env()).returncode == status
    assert not room.mounts.exists()


def test_mount_drive_refuses_what_is_mounted(room):
    room.disk("sdb", fs_type="vfat")
    room.are_mounted(("sdb", "/media/KSR"))
    done = run(TOOL, "/dev/sdb", "OTHER", env=room.env())
    assert done.returncode == 1 and b"is mounted at /media/KSR" in done.stderr


def test_mount_drive_names_the_partitions_of_a_drive_that_has_some(room):
    room.disk("sdb", part_table_type="dos")
    for part in ("sdb1", "sdb2"):
        room.part("sdb", part, fs_type="vfat")
    room.disk("sdc", size=0)
    done = run(TOOL, "sdb", "KSR", env=room.env())
    assert done.returncode == 3
    assert done.stderr == b"mount-drive: sdb has partitions, name one of them: sdb1 sdb2\n"
    assert b"sdc holds nothing to mount" in run(TOOL, "sdc", "KSR", env=room.env()).stderr
    assert not room.mounts.exists()
