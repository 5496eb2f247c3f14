# SPDX-License-Identifier: ISC
"""Shows: sha2wordlist gives the hash and the words of every reference vector,
and --verify tells the same from another.  Matters: these words are what the
people in the room compare."""
import hashlib
import os
import subprocess
import time

import pytest
from ceremony_tools import run_tty
from conftest import BIN
from tokens import Hsm


def vector_bytes(data, name):
    kind, _, rest = name.partition(":")
    if kind == "str":
        return rest.strip().replace("\\n", "\n").encode()
    if kind == "pattern":
        size = int(rest.split()[0])
        return bytes(i % 256 for i in range(size))
    if kind == "repeat":
        return b"a" * 1000000
    for folder in ("production", "test-quarters"):
        path = data / folder / rest.strip()
        if path.exists():
            return path.read_bytes()
    return None


def test_vectors(run, data):
    checked = 0
    for line in (data / "vectors/sha2wordlist.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, digest, words = line.split("\t")
        content = vector_bytes(data, name)
        if content is None:
            continue
        out = run("sha2wordlist", stdin=content).stdout.decode()
        assert out == f"SHA-256:    {digest}\nPGP Words:  {words}\n", name
        checked += 1
    assert checked >= 25


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample"
    path.write_bytes(b"hello, world\n")
    return path


HEX = "853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020"


def test_files_named(run, sample):
    out = run("sha2wordlist", sample, sample).stdout.decode()
    assert out.count(f"SHA-256:    {HEX}\n") == 2
    assert out.count(f"File:       {sample}\n") == 2


def test_screen_breaks_between_words(run, sample):
    """On a terminal, of this width or of none (a serial line); the words are the same."""
    words = run("sha2wordlist", sample).stdout.decode().split("PGP Words:  ")[1].split()
    for width, most in ((100, 100), (0, 80)):
        status, shown = run_tty("sh", "-c", f'stty cols {width}; exec "$@"', "sh", BIN / "sha2wordlist", sample)
        lines = shown.split("PGP Words:  ")[1].splitlines()
        assert status == 0 and shown.split("PGP Words:  ")[1].split() == words
        assert len(lines) > 2 and all(line.startswith(" " * 12) for line in lines[1:])
        assert max(map(len, lines[1:])) <= most and len(lines[0]) <= most - 12


def test_verify_same(run, sample):
    words = run("sha2wordlist", sample).stdout.decode().split("PGP Words:  ")[1]
    spaced = " ".join(HEX[i:i + 4] for i in range(0, 64, 4)).upper()
    for text in (HEX, spaced, words, words.upper()):
        done = run("sha2wordlist", "--verify", text, sample)
        assert done.returncode == 0, done.stderr
        assert b"same" in done.stdout
    (sample.parent / "w").write_text(words)
    assert run("sha2wordlist", "--verify-file", "w", sample).returncode == 0


def test_verify_other(run, sample):
    words = run("sha2wordlist", sample).stdout.decode().split("PGP Words:  ")[1]
    other = hashlib.sha256(b"x").hexdigest()
    assert run("sha2wordlist", "--verify", other, sample).returncode == 1
    swapped = words.split()
    swapped[0], swapped[1] = swapped[1], swapped[0]
    for bad in (HEX[:-2], HEX[:-1], "", " ".join(swapped),
                " ".join(words.split()[1:]), words.replace("music", "musik")):
        done = run("sha2wordlist", "--verify", bad, sample)
        assert done.returncode == 3, bad
        assert b"same" not in done.stdout


def test_verify_typed(tmp_path, programs, sample):
    done = Hsm(tmp_path, programs).converse("sha2wordlist", "--verify", "-", sample,
                                            answers=[("compare with:", HEX)])
    assert done.status == 0 and "same" in done.out


def test_unreadable(run, tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        done = run("sha2wordlist", path)
        assert done.returncode == 3 and done.stdout == b""


def test_name_escaped(run, tmp_path):
    path = tmp_path / "a\x1b[2Jb\nc"
    path.write_bytes(b"")
    out = run("sha2wordlist", path).stdout
    assert b"\x1b" not in out and b"\\x1b" in out and out.count(b"\n") == 3


def test_name_begins_no_row_of_a_screen(run, tmp_path):
    """A drive can have a name that is as long as a row and goes on with another hash."""
    path = tmp_path / (" " * (67 - len(str(tmp_path))) + "SHA-256:    00")
    path.write_bytes(b"")
    status, shown = run_tty(BIN / "sha2wordlist", path)
    rows = shown.splitlines()
    assert status == 0 and max(map(len, rows)) <= 80
    assert [row.split(" ")[0] for row in rows if row[0] != " "] == ["File:", "SHA-256:", "PGP"]


def test_full_output(run, sample):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BIN / "sha2wordlist", sample], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    assert done.returncode == 5


def test_long_reading_shows_how_far_it_is(programs):
    """One line on a terminal, wiped at the end; it is no part of the result."""
    ours, theirs = os.openpty()
    running = subprocess.Popen([programs / 'sha2wordlist'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=theirs)
    os.close(theirs)
    running.stdin.write(b'x' * 3_000_000)
    running.stdin.flush()
    time.sleep(3.1)
    out, _ = running.communicate(b'y')
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert shown == '\rstandard input 3 MB\r\033[K'
    assert hashlib.sha256(b'x' * 3_000_000 + b'y').hexdigest().encode() in out
