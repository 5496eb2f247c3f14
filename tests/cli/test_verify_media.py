# SPDX-License-Identifier: ISC
"""verify-media must give the published hash of the ISO, from a medium that is
longer than the ISO, and must not be led astray by a damaged or hostile one.
xorriso makes the ISOs, sha256sum has the second opinion."""
import hashlib
import os
import re
import shutil
import struct
import subprocess

import pytest

from ceremony_tools import BIN, environment, run, run_tty

TOOL = BIN / "verify-media"
FORMS = {
    "disc": ["-R", "-e", "boot/efi.img", "-no-emul-boot"],
    "plain names": ["-e", "boot/efi.img", "-no-emul-boot"],
    "hybrid": ["-R", "--efi-boot", "boot/efi.img", "-efi-boot-part",
               "--efi-boot-image", "--protective-msdos-label"],
    "appended": ["-R", "-append_partition", "2", "0xef", "EFI",
                 "-appended_part_as_gpt", "-e",
                 "--interval:appended_partition_2:all::", "-no-emul-boot"],
    "no boot": ["-R"],
}

pytestmark = pytest.mark.skipif(not shutil.which("xorriso"), reason="no xorriso")


@pytest.fixture(scope="module")
def isos(tmp_path_factory):
    top = tmp_path_factory.mktemp("isos")
    tree = top / "tree"
    (tree / "live").mkdir(parents=True)
    (tree / "boot").mkdir()
    (tree / "live" / "vmlinuz").write_bytes(os.urandom(300_001))
    (tree / "live" / "initrd").write_bytes(os.urandom(2048))
    (tree / "live" / "root.squashfs").write_bytes(os.urandom(2_500_000))
    (tree / "boot" / "efi.img").write_bytes(os.urandom(65536))
    made = {}
    for form, options in FORMS.items():
        iso = top / (form.replace(" ", "-") + ".iso")
        options = [str(tree / "boot/efi.img") if o == "EFI" else o for o in options]
        subprocess.run(["xorriso", "-as", "mkisofs", "-V", "KEYROOM_TEST", "-o", iso,
                        *options, tree], check=True, capture_output=True)
        made[form] = iso
    made["tree"] = tree
    return made


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def whole(output):
    return re.search(r"The (?:whole medium|ISO on this medium):\nSHA-256:    (\w{64})\n", output.decode())[1]


@pytest.mark.parametrize("form", FORMS)
def test_hash_is_the_iso_s_on_a_longer_medium(isos, tmp_path, form):
    medium = tmp_path / "medium"
    shutil.copy(isos[form], medium)
    with open(medium, "ab") as file:
        file.write(b"left over from what was on the stick before" * 5000)
    done = run(TOOL, "--device", medium)
    assert done.returncode == 0, done.stderr
    assert whole(done.stdout) == digest(isos[form])


def medium_of(isos, tmp_path, form, tail):
    medium = tmp_path / "medium"
    shutil.copy(isos[form], medium)
    with open(medium, "ab") as file:
        file.write(tail)
    return medium


def test_the_whole_medium_is_said_of_nothing_less(isos, tmp_path):
    done = run(TOOL, "--device", isos["disc"])
    assert b"The whole medium:" in done.stdout and b"Behind it:  nothing\n" in done.stdout
    for tail, said in ((bytes(5000), "5000 bytes, all zero"), (bytes(4999) + b"x", "5000 bytes, not empty from byte ")):
        done = run(TOOL, "--device", medium_of(isos, tmp_path, "disc", tail), "--verify", digest(isos["disc"]))
        assert done.returncode == 0 and b"The whole medium" not in done.stdout
        assert b"The ISO on this medium:" in done.stdout and b"Result:     same\n" in done.stdout
        assert f"Behind it:  {said}" in done.stdout.decode()


@pytest.mark.parametrize("form", ["disc", "hybrid", "appended"])
@pytest.mark.parametrize("kind", [0, 1, 255])
@pytest.mark.parametrize("gap", [0, 1, 700])
def test_a_second_session_is_not_the_same(isos, tmp_path, form, kind, gap):
    """El Torito takes the boot record of a disc's last session: a medium with the
    release, a gap and other descriptors starts something else."""
    end = isos[form].stat().st_size
    tail = bytes(-end % 2048 + gap * 2048) + bytes([kind]) + b"CD001\1" + bytes(2041) + b"more"
    medium = medium_of(isos, tmp_path, form, tail)
    done = run(TOOL, "--device", medium, "--verify", digest(isos[form]))
    assert done.returncode == 1 and b"another session" in done.stderr, done
    assert b"Result:     same, but NOT ALONE\n" in done.stdout
    at = end + (-end % 2048) + gap * 2048
    assert f"ANOTHER SESSION at byte {at}\n" in done.stdout.decode()
    assert run(TOOL, "--device", medium).returncode == 1


def test_a_second_session_by_xorriso(isos, tmp_path):
    """A real one: what xorriso adds to a medium that was left open."""
    medium = tmp_path / "medium"
    (tmp_path / "more").write_text("more")
    shutil.copy(isos["disc"], medium)
    before = medium.stat().st_size
    subprocess.run(["xorriso", "-report_about", "WARNING", "-dev", f"stdio:{medium}", "-boot_image", "any", "keep",
                    "-map", tmp_path / "more", "/more", "-commit"], check=True, capture_output=True)
    if medium.stat().st_size == before:
        pytest.skip("xorriso adds no session to a file")
    done = run(TOOL, "--device", medium, "--verify", digest(isos["disc"]))
    assert done.returncode == 1, done


def test_what_only_looks_like_a_descriptor_is_none(isos, tmp_path):
    for tail in (b"\1CD001\1" + bytes(2040), b"\1CD001\2" + bytes(2040), b"\x09CD001\1" + bytes(2040),
                 b"\1CD002\1" + bytes(2040)):
        shift = 1 if tail[:7] == b"\1CD001\1" else 0
        end = isos["disc"].stat().st_size
        medium = medium_of(isos, tmp_path, "disc", bytes(-end % 2048 + shift) + tail)
        assert run(TOOL, "--device", medium, "--verify", digest(isos["disc"])).returncode == 0


@pytest.mark.parametrize("sectors", [1, 500])
def test_folders_that_name_others_again_and_again_have_an_end(tmp_path, sectors):
    """Each of seven folders names the next one in every record: more visits than a
    life has seconds, and the operator saw a medium that is being read."""
    def record(at, size):
        return bytes([34, 0]) + struct.pack("<IIII", at, 0, size, 0) + bytes(7) + b"\2" + bytes(6) + b"\1A"
    size = sectors * 2048
    first = 20
    data = bytearray((first + 8 * sectors) * 2048)
    descriptor = bytearray(2048)
    descriptor[:7] = b"\1CD001\1"
    descriptor[80:84] = struct.pack("<I", len(data) // 2048)
    descriptor[128:130] = struct.pack("<H", 2048)
    descriptor[156:190] = record(first, size)
    data[16 * 2048:17 * 2048] = descriptor
    for level in range(7):
        one = record(first + (level + 1) * sectors, size) * (2048 // 34)
        at = (first + level * sectors) * 2048
        data[at:at + size] = one.ljust(2048, b"\0") * sectors
    (tmp_path / "medium").write_bytes(data)
    done = run("timeout", "20", TOOL, "--device", tmp_path / "medium")
    assert done.returncode == 3 and b"more than 10000 folders" in done.stderr, done


@pytest.mark.parametrize("form", FORMS)
def test_parts(isos, form):
    done = run(TOOL, "--device", isos[form])
    parts = dict(re.findall(r"Part:       (.*), \d+ bytes\nSHA-256:    (\w{64})",
                            done.stdout.decode()))
    wanted = {f"/live/{n}": digest(isos["tree"] / "live" / n)
              for n in ["vmlinuz", "initrd", "root.squashfs"]}
    efi = digest(isos["tree"] / "boot/efi.img")
    if form == "appended":
        wanted["EFI boot image"] = efi
    elif form != "no boot":
        wanted["/boot/efi.img"] = efi
    if form == "plain names":
        wanted = {k.replace("root.squashfs", "root.squ"): v for k, v in wanted.items()}
        parts = {k.replace("root.squashfs", "root.squ"): v for k, v in parts.items()}
    assert parts == wanted


def test_medium_is_the_one_that_was_booted(isos, tmp_path):
    boot = tmp_path / "boot"
    boot.write_text(f"kind=optical\nmedium={isos['disc']}\nid=X\n")
    done = run(TOOL, f"--boot-file={boot}")
    assert whole(done.stdout) == digest(isos["disc"])


@pytest.mark.parametrize("text", [None, "kind=usb\n", "x-medium=/dev/sr0\n"])
def test_unknown_medium(tmp_path, text):
    boot = tmp_path / "boot"
    if text:
        boot.write_text(text)
    done = run(TOOL, "--boot-file", boot)
    assert done.returncode == 3 and b"give --device" in done.stderr


def words(iso):
    out = run(BIN / "sha2wordlist", iso).stdout.decode()
    return out.split("PGP Words:")[1].strip()


def test_same_hex_words_and_file(isos, tmp_path):
    iso = isos["hybrid"]
    sums = tmp_path / "SHA256SUMS"
    sums.write_text(f"{'0' * 64}  x.manifest\n{digest(iso)}  keyroom.iso\n")
    spaced = re.sub("(....)", r"\1 ", digest(iso).upper())
    (tmp_path / "words").write_text(words(iso).replace(" ", "\n"))
    for how in (["--verify", digest(iso)], ["--verify", spaced],
                ["--verify", words(iso).upper()], ["--verify-file", sums],
                ["--verify-file", tmp_path / "words"]):
        done = run(TOOL, "--device", iso, *how)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(b"Result:     same\n")


def test_different(isos):
    for text in (digest(isos["disc"]), words(isos["disc"])):
        done = run(TOOL, "--device", isos["hybrid"], "--verify", text)
        assert done.returncode == 1
        assert b"Result:     DIFFERENT" in done.stdout and b"NOT" in done.stderr


def test_typed_words(isos):
    status, shown = run_tty(TOOL, "--device", isos["disc"], "--verify", "-",
                            answers=[("compare with: ", words(isos["disc"]) + "\n")])
    assert status == 0 and "Result:     same" in shown


def test_typed_without_a_terminal(isos):
    done = run(TOOL, "--device", isos["disc"], "--verify", "-")
    assert done.returncode == 1 and b"no terminal" in done.stderr


@pytest.mark.parametrize("text", ["abc", "00" * 31, "aardvark aardvark", "", "zz" * 32])
def test_no_sha256_to_compare_with(isos, text):
    done = run(TOOL, "--device", isos["disc"], "--verify", text)
    assert done.returncode == 3 and done.stdout == b""


def test_one_of_the_isos_of_a_release(isos, tmp_path):
    """Which one it is, is said; a medium that is none of them is refused."""
    (tmp_path / "sums").write_text(f"{'0' * 64}  a.iso\n{'1' * 64}  a.spdx.json\n{digest(isos['disc'])}  b.iso\n")
    done = run(TOOL, "--device", isos["disc"], "--verify-file", tmp_path / "sums")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(b"Listed as:  b.iso\nResult:     same\n")
    done = run(TOOL, "--device", isos["hybrid"], "--verify-file", tmp_path / "sums")
    assert done.returncode == 1 and b"Result:     DIFFERENT" in done.stdout and b"Listed" not in done.stdout


def test_name_begins_no_row_of_a_screen(isos, tmp_path):
    """Of a file in the ISO, or in a list: it could say another result there."""
    tree = tmp_path / "tree"
    shutil.copytree(isos["tree"], tree)
    (tree / "live" / ("x" + " " * 60 + "Result:     same")).write_bytes(b"x")
    subprocess.run(["xorriso", "-as", "mkisofs", "-R", "-o", tmp_path / "x.iso", tree], check=True, capture_output=True)
    (tmp_path / "sums").write_text(f"{digest(tmp_path / 'x.iso')}  {'b' * 67} Size: 1.iso\n")
    status, shown = run_tty(TOOL, "--device", "x.iso", "--verify-file", "sums", cwd=tmp_path)
    assert status == 0 and "Listed as: " in shown and "Part:       /live/x" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("form", ["{0}  KEYROO~1.ISO\r\n", "SHA256 (a.iso) = {0}\n", "{0} *a.iso\r\n",
                                  "\ufeff{0}  a.Iso\n", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
                                  "{0}  a.iso\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"])
def test_lists_as_people_have_them(isos, tmp_path, form):
    other = hashlib.sha256(b"other").hexdigest()
    for sum_, status in ((digest(isos["disc"]).upper(), 0), (other, 1)):
        (tmp_path / "sums").write_bytes(form.format(sum_).encode())
        done = run(TOOL, "--device", isos["disc"], "--verify-file", tmp_path / "sums")
        assert done.returncode == status, done.stderr
        assert (b"Listed as:  " in done.stdout) == (status == 0)
    # What is listed beside the ISO is not compared; what has no name is a second hash.
    listed = f"{digest(isos['disc'])}  a.iso\n{other}  a.txt\n"
    (tmp_path / "sums").write_text(listed)
    assert run(TOOL, "--device", isos["disc"], "--verify-file", tmp_path / "sums").returncode == 0
    (tmp_path / "sums").write_text(listed + "0" * 64 + "\n")
    done = run(TOOL, "--device", isos["disc"], "--verify-file", tmp_path / "sums")
    assert done.returncode == 3 and b"a hash of no file" in done.stderr and b"Medium" not in done.stdout


def test_sums_without_or_with_too_many_isos(isos, tmp_path):
    line = f"{digest(isos['disc'])}  a.iso\n"
    for text, reason in (("".join(line.replace("a.iso", f"{n}.iso") for n in range(17)), b"more than 16"), (line.replace(".iso", ".txt"), b"names no ISO")):
        (tmp_path / "sums").write_text(text)
        done = run(TOOL, "--device", isos["disc"], "--verify-file", tmp_path / "sums")
        assert done.returncode == 3 and reason in done.stderr and b"Medium" not in done.stdout


def test_words_for_parts(isos):
    done = run(TOOL, "--device", isos["disc"], "--words")
    assert done.stdout.count(b"PGP Words:") == 5
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("argv", [["x"], ["--verify", "a", "--verify-file", "b"], ["--wor"]])
def test_wrong_command_line(argv):
    assert run(TOOL, *argv).returncode == 2


def test_not_an_iso(tmp_path):
    (tmp_path / "zeros").write_bytes(bytes(100_000))
    (tmp_path / "short").write_bytes(b"x")
    for name in ["zeros", "short", "absent", "new\nline", "\x1b[2J"]:
        done = run(TOOL, "--device", tmp_path / name)
        assert done.returncode == 3 and done.stderr.count(b"\n") == 1
        assert b"\x1b" not in done.stderr


def test_cut_medium(isos, tmp_path):
    medium = tmp_path / "cut"
    medium.write_bytes(isos["disc"].read_bytes()[:-2048])
    done = run(TOOL, "--device", medium)
    assert done.returncode == 3 and b"ends after" in done.stderr and done.stdout == b""


def test_hostile_names_on_the_medium_are_escaped(isos, tmp_path):
    data = bytearray(isos["disc"].read_bytes())
    data[32768 + 40:32768 + 72] = b"\x1b[2J evil".ljust(32)
    at = data.index(b"NM\x0c\x01\x00vmlinuz")
    data[at + 5:at + 12] = b"v\x1b[31mz"
    medium = tmp_path / "iso"
    medium.write_bytes(data)
    done = run(TOOL, "--device", medium)
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout and b"/live/v\\x1b[31mz" in done.stdout


def test_damaged_media_end_in_a_message(isos, tmp_path):
    """Every structure pointed beyond the end, one after the other."""
    medium = tmp_path / "iso"
    original = isos["hybrid"].read_bytes()
    def damage(at, form, value):
        data = bytearray(original)
        struct.pack_into(form, data, at, value)
        medium.write_bytes(data)
        return run(TOOL, "--device", medium, timeout=20)
    root = struct.unpack_from("<I", original, 32768 + 158)[0]
    for at, form, value in [
            (32768 + 158, "<I", 0x7fffffff), (32768 + 166, "<I", 0xffffffff),
            (32768 + 128, "<H", 512), (17 * 2048 + 71, "<I", 0xfffffff0),
            (root * 2048, "B", 1), (root * 2048 + original[root * 2048], "B", 33),
            (512 + 32, "<Q", 2**64 - 1)]:
        done = damage(at, form, value)
        assert done.returncode == 3, (at, done)
        assert done.stdout == b"" and done.stderr.startswith(b"verify-media: ")


def test_folder_that_holds_itself_ends(isos, tmp_path):
    data = bytearray(isos["disc"].read_bytes())
    root = struct.unpack_from("<I", data, 32768 + 158)[0]
    at = root * 2048
    for _ in range(3):  # third record: the first folder
        first, at = at, at + data[at]
    struct.pack_into("<I", data, first + 2, root)
    medium = tmp_path / "iso"
    medium.write_bytes(data)
    done = run(TOOL, "--device", medium, timeout=20)
    assert done.returncode == 3 and b"damaged" in done.stderr


def test_random_damage_never_crashes(isos, tmp_path):
    import random
    dice = random.Random(5)
    original = isos["hybrid"].read_bytes()
    medium = tmp_path / "iso"
    for _ in range(150):
        data = bytearray(original[:600_000])
        for _ in range(12):
            data[dice.choice([dice.randrange(512, 2048), dice.randrange(32768, 65536)])] = \
                dice.randrange(256)
        medium.write_bytes(data)
        done = run(TOOL, "--device", medium, timeout=20, env=environment())
        assert done.returncode in (0, 3), done
