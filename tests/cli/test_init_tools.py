# SPDX-License-Identifier: ISC
"""The tools that make the initramfs and the verity image: the same bytes
from the same input whatever the machine's settings are, each module after
what it needs, the layout the boot stage expects; and no output at all from
wrong input.
"""

import hashlib
import os
import pathlib
import shutil
import stat
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
SOURCE = TOP / "image" / "init"
EPOCH = "1795305600"


def run(*command, text=None, check=True, **environment):
    return subprocess.run([str(word) for word in command], input=text,
                          check=check, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          env={**os.environ, **environment})


@pytest.fixture(scope="module")
def mkcpio(tmp_path_factory):
    out = tmp_path_factory.mktemp("init")
    run("make", "-s", "-C", TOP, "-f", "image/init/build.mk",
        f"{out}/mkcpio", f"INIT_OUT={out}")
    return out / "mkcpio"


def entries(archive):
    """Every entry of a newc archive: name, header fields, content."""
    at = 0
    while True:
        assert archive[at:at + 6] == b"070701"
        field = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16)
                 for i in range(13)]
        name_end = at + 110 + field[11]
        name = archive[at + 110:name_end - 1].decode()
        start = (name_end + 3) // 4 * 4
        content = archive[start:start + field[6]]
        at = (start + field[6] + 3) // 4 * 4
        if name == "TRAILER!!!":
            assert at == len(archive)
            return
        yield name, field, content


def test_cpio_holds_what_the_list_says(mkcpio, tmp_path):
    (tmp_path / "five").write_bytes(b"12345")
    (tmp_path / "none").write_bytes(b"")
    archive = run(mkcpio, EPOCH, text=(
        "dir /dev 0755\nnode /dev/console 0600 5 1\n"
        f"file /five 0755 {tmp_path}/five\n"
        f"file /none 0644 {tmp_path}/none\n").encode()).stdout
    found = list(entries(archive))
    assert [name for name, _, _ in found] == [
        "dev", "dev/console", "five", "none"]
    for _, field, _ in found:
        assert field[2:4] == [0, 0] and field[5] == int(EPOCH)
    modes = [field[1] for _, field, _ in found]
    assert modes == [stat.S_IFDIR | 0o755, stat.S_IFCHR | 0o600,
                     stat.S_IFREG | 0o755, stat.S_IFREG | 0o644]
    assert found[1][1][9:11] == [5, 1]
    assert [content for _, _, content in found] == [b"", b"", b"12345", b""]
    assert len({field[0] for _, field, _ in found}) == 4  # no hard links


@pytest.mark.parametrize("line", [
    "", "dir dev 0755", "dir / 0755", "dir /dev", "dir /dev 0795",
    "dir /dev 0755 x", "link /a 0777 /b", "file /a 0644", "node /a 0600 5",
    "node /a 0600 5 -1", "node /a 0600 5 1 1", "file /a 0644 /nowhere/file"])
def test_cpio_wrong_line_is_refused(mkcpio, line):
    done = run(mkcpio, EPOCH, text=f"dir /ok 0755\n{line}\n".encode(),
               check=False)
    assert done.returncode == 1
    assert b"mkcpio: line 2" in done.stderr


@pytest.mark.parametrize("words", [[], ["x"], ["-1"], ["4294967296"],
                                   ["1", "2"]])
def test_cpio_wrong_time_is_refused(mkcpio, words):
    assert run(mkcpio, *words, text=b"", check=False).returncode == 2


DEP = """kernel/a/one-x.ko.xz: kernel/b/two.ko.xz kernel/c/three.ko
kernel/b/two.ko.xz: kernel/c/three.ko
kernel/c/three.ko:
kernel/d/four.ko.xz: kernel/b/two.ko.xz kernel/c/three.ko
kernel/e/unused.ko.xz:
"""


@pytest.fixture
def tree(tmp_path):
    """A kernel's modules folder of five small files."""
    top = tmp_path / "tree"
    for line in DEP.splitlines():
        path = top / line.split(":")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        name = path.name.split(".")[0]
        (path.parent / f"{name}.ko").write_text(f"module {name}\n")
        if path.suffix == ".xz":
            run("xz", path.parent / f"{name}.ko")
    (top / "modules.dep").write_text(DEP)
    (top / "modules.builtin").write_text("kernel/f/five_y.ko\n")
    return top


def test_wrong_options_are_refused():
    for words in ([], ["-i", "init"], ["-x"], ["extra"]):
        done = run(SOURCE / "mkinitramfs", *words, check=False,
                   SOURCE_DATE_EPOCH=EPOCH)
        assert done.returncode == 2 and b"usage" in done.stderr


def make(mkcpio, tree, folder, names, **options):
    folder.mkdir(exist_ok=True)
    (folder / "list").write_text(names)
    (folder / "init").write_text("the init\n")
    done = run(SOURCE / "mkinitramfs", "-i", folder / "init", "-c", mkcpio,
               "-k", tree, "-l", folder / "list", "-o", folder / "out",
               check=False, **{"SOURCE_DATE_EPOCH": EPOCH, **options})
    return done, folder / "out"


def test_modules_load_after_what_they_need(mkcpio, tree, tmp_path):
    done, out = make(mkcpio, tree, tmp_path / "one",
                     "# why\none_x p=1 q  # what\n\nfive-y\nfour\ntwo\n")
    assert done.returncode == 0, done.stderr
    found = {name: content for name, _, content in
             entries(run("zstd", "-qdc", out).stdout)}
    assert found["modules/order"].decode().splitlines() == [
        "three.ko", "two.ko", "one-x.ko p=1 q", "four.ko"]
    assert found["modules/one-x.ko"] == b"module one-x\n"
    assert "modules/unused.ko" not in found
    assert found["init"] == b"the init\n"
    assert set(found) == {"dev", "dev/console", "dev/kmsg", "init", "modules",
                          "modules/order", "modules/one-x.ko",
                          "modules/two.ko", "modules/three.ko",
                          "modules/four.ko", "proc", "root", "run", "sys"}


def test_initramfs_does_not_depend_on_the_machine(mkcpio, tree, tmp_path):
    names = "one-x\nfour\n"
    _, one = make(mkcpio, tree, tmp_path / "one", names)
    (tmp_path / "temporary").mkdir()
    before = os.umask(0o077)
    try:
        _, other = make(mkcpio, tree, tmp_path / "other", names,
                        TZ="Asia/Kathmandu", LC_ALL="C",
                        TMPDIR=str(tmp_path / "temporary"))
    finally:
        os.umask(before)
    assert one.read_bytes() == other.read_bytes()
    assert not list((tmp_path / "temporary").iterdir())


def test_module_that_is_missing_is_refused(mkcpio, tree, tmp_path):
    done, out = make(mkcpio, tree, tmp_path / "one", "four\nsix\n")
    assert done.returncode != 0
    assert b"no such module: six" in done.stderr
    assert not out.exists()


def test_parameters_that_come_too_late_are_refused(mkcpio, tree, tmp_path):
    done, out = make(mkcpio, tree, tmp_path / "one", "one-x\ntwo p=1\n")
    assert done.returncode != 0
    assert b"too late for parameters: two" in done.stderr
    assert not out.exists()
    done, out = make(mkcpio, tree, tmp_path / "one", "two p=1\none-x\n")
    assert done.returncode == 0, done.stderr
    assert b"two.ko p=1\n" in run("zstd", "-qdc", out).stdout


def test_damaged_module_is_refused(mkcpio, tree, tmp_path):
    path = tree / "kernel/d/four.ko.xz"
    path.write_bytes(path.read_bytes()[:-9])
    done, out = make(mkcpio, tree, tmp_path / "one", "four\n")
    assert done.returncode != 0
    assert not out.exists()


def test_our_list_names_each_module_once():
    names = [line.split()[0].replace("-", "_")
             for line in (SOURCE / "modules.list").read_text().splitlines()
             if line and not line.startswith("#")]
    assert len(names) == len(set(names)) > 10


def root_hash(data, salt):
    """dm-verity's hash tree as its documentation defines it."""
    while True:
        hashes = [hashlib.sha256(salt + data[at:at + 4096]).digest()
                  for at in range(0, len(data), 4096)]
        if len(hashes) == 1:
            return hashes[0].hex()
        data = b"".join(hashes)
        data += bytes(-len(data) % 4096)


needs_veritysetup = pytest.mark.skipif(not shutil.which("veritysetup"),
                                       reason="veritysetup is not installed")


@needs_veritysetup
@pytest.mark.parametrize("blocks, tree_blocks, roots, parity", [
    (128, 1, 2, 2), (129, 3, 2, 2), (253, 3, 2, 4),
    (300, 4, 24, 48)])
def test_verity_value_and_layout(tmp_path, blocks, tree_blocks, roots, parity):
    image = tmp_path / "image"
    data = b"".join(hashlib.sha512(b"%d" % n).digest() * 64
                    for n in range(blocks))
    image.write_bytes(data)
    salt = "c3" * 32
    value = run(SOURCE / "mkverity", image, salt, str(roots)).stdout.decode()
    fec = blocks + tree_blocks
    root = root_hash(data, bytes.fromhex(salt))
    assert value == f"sha256:{root}:{salt}:{blocks}:{blocks}:{fec}:{roots}\n"
    content = image.read_bytes()
    assert content[:len(data)] == data
    assert len(content) == (fec + parity) * 4096
    assert sorted(tmp_path.iterdir()) == [image]


@needs_veritysetup
def test_verity_odd_size_is_refused(tmp_path):
    image = tmp_path / "image"
    for size in (0, 4095, 8191):
        image.write_bytes(bytes(size))
        done = run(SOURCE / "mkverity", image, "c3" * 32, check=False)
        assert done.returncode == 1
        assert b"whole number" in done.stderr
        assert image.stat().st_size == size
