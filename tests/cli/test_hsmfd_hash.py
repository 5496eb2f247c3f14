# SPDX-License-Identifier: ISC
"""hsmfd-hash shows the hash that ceremonies have always printed, and a second
one that also notices what the first cannot.  Both are compared with what
find, sort, cat and sha256sum say, because paper from earlier ceremonies is
what the witnesses hold in their hands."""
import os
import re
import subprocess

import pytest

from ceremony_tools import BIN, environment, run, run_tty, stub, write_hostile

HASH = BIN / "hsmfd-hash"


def by_shell(folder):
    def sum_of(command):
        out = subprocess.run(
            ["sh", "-c", f"find . -type f -print0 | sort -z | xargs -0 -r {command}"
             " | sha256sum"], cwd=folder, capture_output=True, check=True,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
        return out.stdout.split()[0].decode()
    return [sum_of("cat"), sum_of("sha256sum")]


def hashes(output):
    return re.findall(r"^SHA-256:    ([0-9a-f]{64})$", output.decode(), re.M)


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "HSMFD"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "b").write_bytes(b"below a folder")
    (folder / "a-b").write_bytes(b"sorts before a/b, after no folder")
    (folder / "A").write_bytes(b"capitals come first")
    (folder / "empty").write_bytes(b"")
    (folder / "large").write_bytes(os.urandom(700_001))
    return folder


def test_both_hashes_equal_the_shell_s(drive):
    write_hostile(drive)
    (drive / os.fsdecode(b"not\xffutf8")).write_bytes(b"x")
    (drive / "link").symlink_to("/etc/passwd")
    done = run(HASH, "-c", "--drive", drive)
    assert done.returncode == 0, done.stderr
    assert hashes(done.stdout) == by_shell(drive)
    assert done.stderr == b""


def test_established_hash_of_a_drive_that_never_changes(tmp_path):
    """What papers of earlier ceremonies show: the files' bytes in the order of
    their whole paths, byte by byte, whatever the locale.  A number, so that both
    sides cannot move together; and the pipeline that gave it, as it is typed."""
    drive = tmp_path / "HSMFD"
    for name in ("ceremony-10/log", "ceremony-9/log", "ceremony-9/Log", "ceremony-9.log", "ceremony_9",
                 "KSR.XML", "empty", "Zone/a b", "gr\u00fc\u00dfe", "zone/a"):
        (drive / name).parent.mkdir(parents=True, exist_ok=True)
        (drive / name).write_bytes(b"" if name == "empty" else name.encode() * 3)
    expected = "6ca182bf91750862e266ec3c1bf6fe0fd78b53ee9695d13c05c58e763e61fd63"
    piped = subprocess.run(
        ["sh", "-c", f"find -P '{drive}/' -type f -print0 | LC_COLLATE=POSIX sort -z | xargs -0 cat | sha256sum"],
        capture_output=True, check=True, env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    assert piped.stdout.split()[0].decode() == expected
    for locale in ("C", "C.UTF-8", "tr_TR.UTF-8"):
        env = environment(LC_ALL=locale)
        assert hashes(run(HASH, "-c", "--drive", drive, env=env).stdout)[0] == expected


def test_words_are_those_of_sha2wordlist(tmp_path):
    """With one file the established hash is the hash of that file."""
    (tmp_path / "one").write_bytes(b"one file")
    done = run(HASH, "-c", f"--drive={tmp_path}")
    words = re.findall(r"PGP Words:  ((?:.*\n){8})", done.stdout.decode())
    alone = run(BIN / "sha2wordlist", tmp_path / "one").stdout.decode()
    assert words[0].split() == alone.split("PGP Words:")[1].split()
    second = run(BIN / "sha2wordlist", stdin=subprocess.run(
        ["sha256sum", "./one"], cwd=tmp_path, capture_output=True,
        check=True).stdout).stdout.decode()
    assert words[1].split() == second.split("PGP Words:")[1].split()


def test_output_fits_80_columns_and_one_screen(drive):
    done = run(HASH, "-c", "--drive", drive)
    lines = done.stdout.decode().replace(str(drive), "/media/HSMFD").splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) <= 24


def test_empty_drive(tmp_path):
    done = run(HASH, "-c", "--drive", tmp_path)
    assert hashes(done.stdout)[0].startswith("e3b0c44298fc1c14")


@pytest.mark.parametrize("change", [
    lambda d: (d / "A").rename(d / "AA"),
    lambda d: (d / "empty").unlink(),
    lambda d: ((d / "A").write_bytes(b"capitals come first" + b"bel"),
               (d / "a-b").write_bytes(b"x")),
])
def test_manifest_hash_notices_names_and_boundaries(drive, change):
    before = hashes(run(HASH, "-c", "--drive", drive).stdout)
    change(drive)
    after = hashes(run(HASH, "-c", "--drive", drive).stdout)
    assert before[1] != after[1]


def test_established_hash_misses_a_rename_as_its_manual_says(drive):
    before = hashes(run(HASH, "-c", "--drive", drive).stdout)
    (drive / "A").rename(drive / "AA")
    after = hashes(run(HASH, "-c", "--drive", drive).stdout)
    assert before[0] == after[0]


def test_match(drive, tmp_path):
    other = tmp_path / "HSMFD_"
    subprocess.run(["cp", "-a", drive, other], check=True)
    done = run(HASH, "-m", "--drive", drive, "--other", other)
    assert done.returncode == 0 and b"Result:     same\n" in done.stdout


def test_match_names_each_difference_escaped(drive, tmp_path):
    other = tmp_path / "HSMFD_"
    subprocess.run(["cp", "-a", drive, other], check=True)
    (drive / "only\x1bhere").write_bytes(b"1")
    (other / "there").write_bytes(b"")
    (other / "A").write_bytes(b"Capitals come first")
    done = run(HASH, "-m", "--drive", drive, "--other", other)
    assert done.returncode == 1
    out = done.stdout.decode()
    assert f"only on {drive}: only\\x1bhere\n" in out
    assert f"only on {other}: there\n" in out
    assert "different: A\n" in out
    assert "Result:     DIFFERENT" in out
    assert b"the drives differ in 3 files" in done.stderr


def test_match_begins_no_row_of_a_screen(drive, tmp_path):
    other = tmp_path / "HSMFD_"
    subprocess.run(["cp", "-a", drive, other], check=True)
    for count in range(60, 80):
        (drive / (" " * count + "Result:     same")).write_bytes(b"")
    status, shown = run_tty(HASH, "-m", "--drive", drive, "--other", other)
    assert status == 1 and re.findall("^Result: .*", shown, re.M) == ["Result:     DIFFERENT"]
    assert max(map(len, shown.splitlines())) <= 80


def test_print_hands_the_text_and_the_copies_to_printlog(drive, tmp_path):
    path = tmp_path / "bin"
    stub(path, "printlog", f'cat >"{tmp_path}/text"; printf "%s\\n" "$@" >"{tmp_path}/args"\n')
    env = environment(PATH=f"{path}:/usr/bin:/bin")
    done = run(HASH, "-p", "5", "--drive", drive, env=env)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "text").read_bytes() == done.stdout
    assert (tmp_path / "args").read_text() == "--title=HSMFD hash\n-\n5\n"


@pytest.mark.parametrize("body", ["exit 5\n", "cat >/dev/null; kill -9 $$\n"])
def test_print_fails_when_printlog_does(drive, tmp_path, body):
    stub(tmp_path / "bin", "printlog", body)
    env = environment(PATH=f"{tmp_path}/bin:/usr/bin:/bin")
    done = run(HASH, "-p", "--drive", drive, env=env)
    assert done.returncode == 5 and b"not printed" in done.stderr


def test_no_printlog(drive, tmp_path):
    done = run(HASH, "-p", "--drive", drive, env=environment(PATH=str(tmp_path)))
    assert done.returncode == 5 and b"cannot start printlog" in done.stderr


@pytest.mark.parametrize("argv", [
    [], ["-c", "-m"], ["-c", "5"], ["-p", "0"], ["-p", "100"], ["-p", "x"],
    ["-p", "1", "2"], ["-m", "x"], ["-c", "--other", "x"], ["--calc"],
    ["-c", "--drive"], ["-c", "--drive", "x", "--drive", "y"],
])
def test_wrong_command_lines(argv):
    done = run(HASH, *argv)
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr.startswith(b"hsmfd-hash: ")


@pytest.mark.parametrize("name", ["absent", "file", "-x", "new\nline\x1b[2J"])
def test_drive_that_is_none(tmp_path, name):
    (tmp_path / "file").write_text("")
    done = run(HASH, "-c", f"--drive={tmp_path / name}")
    assert done.returncode == 3 and done.stdout == b""
    assert b"\x1b" not in done.stderr and done.stderr.count(b"\n") == 1


def test_unreadable_file_shows_no_hash(drive):
    """A drive that fails while it is read must not yield a hash."""
    (drive / "secret").write_text("x")
    (drive / "secret").chmod(0)
    argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "--bounding-set=-all"] if os.getuid() == 0 else []
    for folder in [drive, *drive.parents]:
        if folder.stat().st_uid == os.getuid() and "pytest" in str(folder):
            folder.chmod(0o755)
    done = run(*argv, HASH, "-c", "--drive", drive)
    assert done.returncode == 3 and done.stdout == b""
    assert b"secret: cannot open: Permission denied" in done.stderr


def test_too_deep(tmp_path):
    folder = tmp_path
    for _ in range(66):
        folder = folder / "d"
    folder.mkdir(parents=True)
    done = run(HASH, "-c", "--drive", tmp_path)
    assert done.returncode == 3 and b"nested deeper" in done.stderr


def test_full_output(drive):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([HASH, "-c", "--drive", drive], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    assert done.returncode == 5
