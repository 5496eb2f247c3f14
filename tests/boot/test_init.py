# SPDX-License-Identifier: ISC
"""The boot stage in QEMU: it starts from every kind of removable medium it
promises, from none other, and never hands over a wrong byte.  A small ISO
with busybox as its system stands in for the disc, so a row takes seconds; the
published disc has tests of its own.

Kernel and initramfs are those of the published disc.  To try the boot stage
alone, KEYROOM_TEST_VMLINUZ names a Debian kernel and KEYROOM_TEST_MODULES its
modules tree (with modules.dep); the initramfs is then made here.
"""

import json
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest

import machine

pytestmark = pytest.mark.slow

TOP = pathlib.Path(__file__).resolve().parents[2]
SOURCE = TOP / "image" / "init"
ID = "KEYROOM_TEST_0123456789ABCDEF"
SALT = "5a" * 32
EPOCH = "1795305600"
BLOCK = 4096
STOPPED = "KEYROOM HAS STOPPED"
DONE = "GUEST done"

GUEST = """#!/bin/sh
export PATH=/bin
echo "GUEST started"
cat /run/keyroom/boot
touch /written && echo "GUEST overlay writable"
touch /run/keyroom/lower/x 2>/dev/null && echo "GUEST lower writable"
mount
mount -t securityfs none /sys/kernel/security
echo "GUEST lockdown $(cat /sys/kernel/security/lockdown)"
for disk in /sys/block/*; do
	echo "GUEST disk ${disk##*/} ro=$(cat "$disk/ro")"
done
if grep -q toram=yes /run/keyroom/boot; then
	echo "GUEST wants the disc out"
	sleep 3
fi
if (cd / && sha256sum -c data.sha256); then
	echo "GUEST data right"
else
	echo "GUEST data refused"
fi
dmesg | grep -E 'verity|FEC' | tail -n 20
echo "GUEST done"
poweroff -f
"""


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True,
                          stdout=subprocess.PIPE, text=True, **options).stdout


def take_published(iso, folder):
    """Kernel and initramfs out of the disc that was built."""
    names = ("vmlinuz", "initrd")
    for name in names:
        run("xorriso", "-osirrox", "on", "-indev", iso,
            "-extract", f"/live/{name}", folder / name,
            stderr=subprocess.DEVNULL)
    return tuple(folder / name for name in names)


def make_own(folder):
    """The kernel of the environment, an initramfs made for it here."""
    run("make", "-s", "-f", "image/init/build.mk", "init",
        f"INIT_OUT={folder}/init", cwd=TOP)
    run(SOURCE / "mkinitramfs", "-i", folder / "init" / "init",
        "-c", folder / "init" / "mkcpio", "-k",
        os.environ["KEYROOM_TEST_MODULES"], "-l", SOURCE / "modules.list",
        "-o", folder / "initrd", env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH})
    return os.environ["KEYROOM_TEST_VMLINUZ"], folder / "initrd"


class Disc:
    """What all rows share: kernel, initramfs, ISO and where its image lies."""

    def __init__(self, folder, kernel, initramfs):
        self.folder = folder
        self.kernel = str(kernel)
        self.initramfs = initramfs
        self.iso = folder / "disc.iso"
        self.make_iso()

    def make_iso(self):
        root = self.folder / "root"
        for name in ("bin", "sbin", "dev", "proc", "run", "sys"):
            (root / name).mkdir(parents=True)
        shutil.copy(shutil.which("busybox"), root / "bin" / "busybox")
        for name in ("sh", "cat", "dmesg", "grep", "mount", "poweroff",
                     "sha256sum", "sleep", "tail", "touch"):
            (root / "bin" / name).symlink_to("busybox")
        (root / "sbin" / "init").write_text(GUEST)
        (root / "sbin" / "init").chmod(0o755)
        (root / "data").write_bytes(random.Random(1).randbytes(12 << 20))
        (root / "data.sha256").write_text(
            run("sha256sum", "data", cwd=root))
        image = self.folder / "iso" / "live" / "root.squashfs"
        image.parent.mkdir(parents=True)
        run("mksquashfs", root, image, "-comp", "zstd", "-all-root",
            "-no-progress", "-quiet")
        self.verity = run(SOURCE / "mkverity", image, SALT, "2").strip()
        self.data_blocks, _, self.fec_start = map(
            int, self.verity.split(":")[3:6])
        self.image_bytes = image.read_bytes()
        self.iso_of(self.folder / "iso", self.iso)
        self.at = self.iso.read_bytes().index(self.image_bytes[:1 << 16])

    @staticmethod
    def iso_of(folder, out, set_id=ID):
        run("xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "KEYROOM_TEST",
            "-volset", set_id, "-o", out, folder,
            stderr=subprocess.DEVNULL)

    def damaged(self, out, blocks):
        """A copy whose image has these blocks overwritten."""
        content = bytearray(self.iso.read_bytes())
        for block in blocks:
            at = self.at + block * BLOCK
            content[at:at + BLOCK] = bytes(BLOCK)
        out.write_bytes(content)
        return out

    def burst(self, first, count):
        return range(first, first + count)

    @property
    def stride(self):
        """Blocks in a row that the parity spreads over different words."""
        return -(-self.fec_start // 253)


@pytest.fixture(scope="module")
def small(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    if "KEYROOM_TEST_VMLINUZ" in os.environ:
        return Disc(folder, *make_own(folder))
    published = request.getfixturevalue("disc")["ISO"]
    return Disc(folder, *take_published(published, folder))


class Machine:
    """One QEMU, its serial console in .text, its monitor through .ask()."""

    def __init__(self, small, folder, arguments, append="", verity=True,
                 medium=ID, memory=1024, accel="tcg", processors=2):
        words = ["console=tty0", "console=ttyS0", "quiet", append]
        if medium:
            words.append(f"keyroom.medium={medium}")
        if verity:
            words.append("keyroom.verity=" +
                         (small.verity if verity is True else verity))
        self.text = ""
        self.monitor = folder / "monitor"
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", *machine.ACCEL[accel], "-smp", str(processors),
             "-m", str(memory), "-display", "none", "-nodefaults",
             "-no-reboot", "-serial", "stdio",
             "-qmp", f"unix:{self.monitor},server=on,wait=off",
             "-kernel", small.kernel, "-initrd", str(small.initramfs),
             "-append", " ".join(words), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                return
            self.text += piece.decode("ascii", "replace").replace("\r", "")

    def wait_for(self, *marks, seconds=90):
        """Wait until the console shows one of the marks, or the end."""
        end = time.monotonic() + seconds
        turn = 0
        while time.monotonic() < end:
            if any(mark in self.text for mark in marks):
                return self.text
            if self.process.poll() is not None:
                self.reader.join(5)
                return self.text
            time.sleep(0.05)
            turn += 1
            if turn % 20 == 0:
                self.poke()
        raise AssertionError("silent machine:\n" + self.text[-4000:])

    def poke(self):
        """As machine.Machine._poke: an idle guest may wait for it."""
        try:
            self.ask("query-status")
        except (OSError, ValueError):
            pass

    def ask(self, command, **arguments):
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.monitor))
            stream = link.makefile("rw")
            stream.readline()
            for request in ({"execute": "qmp_capabilities"},
                            {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                while True:
                    answer = json.loads(stream.readline())
                    if "event" not in answer:
                        break
        return answer["return"]

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def boot(small, tmp_path):
    machines = []

    def start(*arguments, **options):
        machines.append(Machine(small, tmp_path, arguments, **options))
        return machines[-1]

    yield start
    for machine in machines:
        machine.close()


def report(text):
    """/run/keyroom/boot as the guest printed it."""
    return dict(re.findall(r"^([a-z.]+)=(.*)$", text, re.M))


def started(machine, kind):
    """The guest ran to its end with the right data; gives its report."""
    text = machine.wait_for(DONE, STOPPED)
    assert DONE in text, text
    assert "GUEST data right" in text, text
    assert "GUEST overlay writable" in text
    assert "GUEST lower writable" not in text
    values = report(text)
    assert values["kind"] == kind
    print({name: value for name, value in values.items() if "ms." in name})
    return values


def stopped(machine, *phrases):
    """The machine stopped, said why, and started nothing."""
    text = machine.wait_for(DONE, STOPPED)
    assert STOPPED in text, text
    text = machine.wait_for("use its power button")
    assert "GUEST" not in text
    for phrase in phrases:
        assert phrase in text, text
    time.sleep(1)
    assert machine.process.poll() is None, "it must stay stopped"
    return text


def drive(path, name="disc", media="disk", readonly="on"):
    return ["-drive", f"if=none,id={name},format=raw,file={path},"
                      f"media={media},readonly={readonly}"]


XHCI = ["-device", "qemu-xhci"]
EHCI = ["-device", "usb-ehci"]
MEDIA = {
    "ide-optical": ("optical", "pc", "cdrom",
                    ["-device", "ide-cd,drive=disc,bus=ide.1"]),
    "ahci-optical": ("optical", "q35", "cdrom",
                     ["-device", "ide-cd,drive=disc,bus=ide.2"]),
    "usb-optical-xhci": ("optical", "q35", "cdrom",
                         XHCI + ["-device", "usb-bot,id=bot", "-device",
                                 "scsi-cd,bus=bot.0,drive=disc"]),
    "usb-optical-ehci": ("optical", "pc", "cdrom",
                         EHCI + ["-device", "usb-bot,id=bot", "-device",
                                 "scsi-cd,bus=bot.0,drive=disc"]),
    "usb-stick-xhci": ("usb", "q35", "disk",
                       XHCI + ["-device",
                               "usb-storage,drive=disc,removable=on"]),
    "usb-stick-ehci": ("usb", "pc", "disk",
                       EHCI + ["-device",
                               "usb-storage,drive=disc,removable=on"]),
    "usb-disk-xhci": ("usb", "q35", "disk",
                      XHCI + ["-device",
                              "usb-storage,drive=disc,removable=off"]),
    "usb-uas-xhci": ("usb", "q35", "disk",
                     XHCI + ["-device", "usb-uas,id=uas", "-device",
                             "scsi-hd,bus=uas.0,drive=disc"]),
    "sd-card": ("sd", "q35", "disk",
                ["-device", "sdhci-pci", "-device", "sd-card,drive=disc"]),
}


def optical(path):
    return ["-M", "pc", *drive(path, media="cdrom"),
            *MEDIA["ide-optical"][3]]


@pytest.mark.parametrize("name", MEDIA)
def test_every_medium_starts(small, boot, tmp_path, name):
    kind, machine, media, devices = MEDIA[name]
    path, readonly = small.iso, "on"
    if kind == "sd":  # QEMU's card has a power of two of bytes, and writes
        path, readonly = tmp_path / "card", "off"
        shutil.copy(small.iso, path)
        os.truncate(path, 32 << 20)
    values = started(boot("-M", machine, *drive(path, media=media,
                                                readonly=readonly),
                          *devices), kind)
    assert values["id"] == ID
    assert values["label"] == "KEYROOM_TEST"
    assert values["toram"] == "no"


def test_locked_down_kernel_starts(small, boot):
    """As under Secure Boot: only signed modules, and ours are unpacked."""
    machine = boot(*optical(small.iso),
                   append="module.sig_enforce=1 lockdown=confidentiality")
    started(machine, "optical")
    assert "GUEST lockdown none integrity [confidentiality]" in machine.text


def test_medium_is_read_only_in_the_system(small, boot, tmp_path):
    """A writable stick is made read-only, and nothing has changed on it."""
    stick = tmp_path / "stick"
    shutil.copy(small.iso, stick)
    machine = boot("-M", "q35", *drive(stick, readonly="off"),
                   *MEDIA["usb-stick-xhci"][3])
    started(machine, "usb")
    assert "GUEST disk sda ro=1" in machine.text
    assert stick.read_bytes() == small.iso.read_bytes()


def test_stick_that_comes_late_is_found(small, boot):
    machine = boot("-M", "q35", *XHCI, *drive(small.iso))
    machine.wait_for("looking for the disc")
    time.sleep(5)
    machine.ask("device_add", driver="usb-storage", drive="disc", id="late")
    assert int(started(machine, "usb")["ms.medium"]) > 3000


def test_disc_that_comes_late_is_found(small, boot):
    machine = boot("-M", "q35", "-device", "ide-cd,id=tray,bus=ide.2")
    machine.wait_for("looking for the disc")
    time.sleep(5)
    machine.ask("blockdev-change-medium", id="tray", filename=str(small.iso),
                format="raw", **{"read-only-mode": "read-only"})
    started(machine, "optical")


def test_open_tray_is_left_open(boot):
    """The search must not shut the tray while a person changes the disc."""
    machine = boot("-M", "q35", "-device", "ide-cd,id=tray,bus=ide.2")
    machine.wait_for("looking for the disc")
    machine.ask("blockdev-open-tray", id="tray")
    time.sleep(3)
    block, = machine.ask("query-block")
    assert block["tray_open"] is True


def test_right_disc_is_taken_among_others(small, boot, tmp_path):
    """A fixed disk with the same bytes, another disc: neither is taken."""
    other = tmp_path / "other.iso"
    same = tmp_path / "same.iso"
    shutil.copy(small.iso, same)
    small.iso_of(small.folder / "iso", other, "KEYROOM_TEST_0123456789ABCDE0")
    machine = boot("-M", "q35", *drive(small.iso),
                   *MEDIA["usb-stick-xhci"][3],
                   *drive(other, "other", "cdrom"),
                   "-device", "ide-cd,drive=other,bus=ide.2",
                   *drive(same, "fixed", readonly="off"),
                   "-device", "ide-hd,drive=fixed,bus=ide.0")
    started(machine, "usb")
    assert same.read_bytes() == small.iso.read_bytes()


def test_fixed_disk_is_refused(small, boot, tmp_path):
    arguments = ["-M", "q35"]
    for number, device in enumerate(("ide-hd,bus=ide.0", "virtio-blk-pci",
                                     "nvme,serial=1")):
        same = tmp_path / f"fixed{number}"
        shutil.copy(small.iso, same)
        arguments += drive(same, f"fixed{number}", readonly="off")
        arguments += ["-device", f"{device},drive=fixed{number}"]
    stopped(boot(*arguments), f"no removable medium carries the id {ID}",
            "sda: a fixed disk, not looked into", "when:  medium")


def test_other_disc_is_refused(small, boot, tmp_path):
    other = tmp_path / "other.iso"
    small.iso_of(small.folder / "iso", other, "KEYROOM_TEST_0123456789ABCDE0")
    stopped(boot(*optical(other)),
            "sr0: another disc: KEYROOM_TEST_0123456789ABCDE0")


def test_drive_with_large_sectors_is_named(small, boot, tmp_path):
    """ISO 9660 cannot be on one: said so, and not that the disc is damaged."""
    large = tmp_path / "large"
    shutil.copy(small.iso, large)
    os.truncate(large, -(-large.stat().st_size // 4096) * 4096)
    machine = boot("-M", "q35", *drive(large), *XHCI,
                   "-device", "usb-bot,id=bot", "-device",
                   "scsi-hd,bus=bot.0,drive=disc,"
                   "logical_block_size=4096,physical_block_size=4096")
    text = stopped(machine, "/dev/sda has sectors of 4096 bytes",
                   "another USB stick")
    assert "damaged" not in text


def test_empty_drive_is_named(boot):
    stopped(boot("-M", "pc", "-device", "ide-cd,bus=ide.1"),
            "sr0: no disc in the drive")


REFUSALS = {
    "no-verity": ({"verity": False}, "keyroom.verity is missing"),
    "no-medium": ({"medium": None}, "keyroom.medium is missing"),
    "unknown": ({"append": "keyroom.debgu"}, "unknown parameter"),
    "twice": ({"append": f"keyroom.medium={ID}"}, "twice"),
    "no-image": ({"append": "keyroom.image=/live/other"},
                 "/live/other: No such file"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_wrong_command_line_is_refused(small, boot, name):
    options, phrase = REFUSALS[name]
    machine = boot(*optical(small.iso), **options)
    stopped(machine, phrase)
    machine.type("\n")  # Enter switches the machine off
    machine.process.wait(20)


def test_wrong_root_hash_is_refused(small, boot):
    fields = small.verity.split(":")
    fields[1] = fields[1][:-1] + ("0" if fields[1][-1] != "0" else "1")
    stopped(boot(*optical(small.iso), verity=":".join(fields)),
            "squashfs does not mount", "when:  root")


def test_short_image_is_refused(small, boot, tmp_path):
    short = tmp_path / "tree" / "live" / "root.squashfs"
    short.parent.mkdir(parents=True)
    short.write_bytes(small.image_bytes[:small.fec_start * BLOCK])
    small.iso_of(tmp_path / "tree", tmp_path / "short.iso")
    stopped(boot(*optical(tmp_path / "short.iso")), "expected at least")


@pytest.mark.parametrize("append", ["", "keyroom.check", "keyroom.toram"])
def test_damage_within_the_parity_is_repaired(small, boot, tmp_path, append):
    """Two data blocks in the words of the parity (their places are known
    from the hash tree), and one block of the tree alone in its words (its
    place is not); the guest must see the right bytes."""
    tree = small.fec_start - 1
    middle = small.data_blocks // 2
    blocks = [0, tree, *(block for block in
                         small.burst(middle, 2 * small.stride)
                         if (block - tree) % small.stride
                         and block % small.stride)]
    machine = boot(*optical(small.damaged(tmp_path / "bad.iso", blocks)),
                   append=append)
    started(machine, "optical")
    assert "corrected" in machine.text


def test_damage_beyond_the_parity_is_never_wrong(small, boot, tmp_path):
    """The guest starts, but reading the damaged file fails."""
    blocks = small.burst(small.data_blocks // 2, small.stride * 8)
    machine = boot(*optical(small.damaged(tmp_path / "bad.iso", blocks)))
    text = machine.wait_for(DONE, STOPPED)
    assert DONE in text, text
    assert "GUEST data refused" in text
    assert "can't read 'data': Input/output error" in text, text


def test_damage_beyond_the_parity_stops_the_check(small, boot, tmp_path):
    blocks = small.burst(small.data_blocks // 2, small.stride * 8)
    stopped(boot(*optical(small.damaged(tmp_path / "bad.iso", blocks)),
                 append="keyroom.check"),
            "damaged beyond repair near byte", "use another copy")


def test_random_damage_is_repaired_or_refused(small, boot, tmp_path):
    """Discs with 1 to 64 sectors overwritten anywhere in data, tree and
    parity: each boot ends with the right bytes or with none.  More discs:
    KEYROOM_TEST_DISCS=20."""
    seeds = range(int(os.environ.get("KEYROOM_TEST_DISCS", "4")))
    for seed in seeds:
        chance = random.Random(seed)
        content = bytearray(small.iso.read_bytes())
        count = chance.randint(1, 64)
        for _ in range(count):
            at = small.at + 2048 * chance.randrange(
                len(small.image_bytes) // 2048)
            content[at:at + 2048] = chance.randbytes(2048)
        (tmp_path / "bad.iso").write_bytes(content)
        machine = boot(*optical(tmp_path / "bad.iso"))
        text = machine.wait_for(DONE, STOPPED, "Kernel panic")
        machine.close()
        right = "GUEST data right" in text
        refused = (STOPPED in text or "Kernel panic" in text or
                   "can't read 'data': Input/output error" in text)
        print(f"seed {seed}: {count} sectors,",
              "right" if right else "refused")
        assert right != refused, text


def test_damaged_superblock_and_tree_stop(small, boot, tmp_path):
    blocks = [*small.burst(0, small.stride * 6),
              *small.burst(small.data_blocks, 8)]
    stopped(boot(*optical(small.damaged(tmp_path / "bad.iso", blocks))),
            "squashfs does not mount")


def test_copy_in_memory_runs_without_the_disc(small, boot):
    machine = boot(*optical(small.iso), append="keyroom.toram")
    machine.wait_for("GUEST wants the disc out", STOPPED)
    machine.ask("eject", device="disc", force=True)
    assert started(machine, "optical")["toram"] == "yes"
    assert "/dev/sr0" not in re.sub(r"medium=/dev/sr0|from sr0", "",
                                    machine.text)


def test_too_little_memory_for_a_copy_is_said(small, boot):
    stopped(boot(*optical(small.iso), append="keyroom.toram", memory=384),
            "MiB of memory are free")


@pytest.mark.parametrize("append", ["", "keyroom.toram"])
def test_unreadable_sectors_are_repaired(small, boot, append):
    """A drive that reports errors, as scratched discs make them do."""
    sectors = [(small.at + block * BLOCK) // 512 for block in
               (small.data_blocks // 3, small.data_blocks // 2 + 1)]
    rules = [word for number, sector in enumerate(sectors) for word in
             (f"inject-error.{number}.event=none",
              f"inject-error.{number}.errno=5",
              f"inject-error.{number}.sector={sector}")]
    machine = boot("-M", "pc", "-blockdev",
                   "driver=blkdebug,node-name=disc,read-only=on,"
                   "image.driver=file,image.read-only=on,"
                   f"image.filename={small.iso}," + ",".join(rules),
                   "-device", "ide-cd,drive=disc,bus=ide.1", append=append)
    values = started(machine, "optical")
    assert (int(values["unreadable"]) > 0) == (append != "")


def test_budget_boot_stage_takes_seconds(small, boot):
    """From /init to the handover: 6 s under emulation at most, where the
    whole boot may take 20.  As QEMU comes: the counted clock has a second for
    each 500 million instructions, and module loading is many."""
    values = started(boot(*optical(small.iso), append="keyroom.debug",
                          accel="plain", processors=1), "optical")
    assert int(values["ms.total"]) - int(values["ms.start"]) < 6000
    assert small.initramfs.stat().st_size < 1 << 21
