# SPDX-License-Identifier: ISC
"""A hash is compared with what people have: from a page, a code, a list, a
log, typed or pasted.  One reader takes them all, for every program that
compares; and where an answer holds two hashes, nobody knows which is meant, so
it is refused.  Matters: who is told that a right hash is wrong stops comparing."""
import hashlib
import itertools
import subprocess

import pytest

from ceremony_tools import BIN, ROOT, environment, run, run_tty, stub

DATA = b"what is compared\n"
HEX = hashlib.sha256(DATA).hexdigest()
OTHER = hashlib.sha256(b"another").hexdigest()


def words_of(data):
    return run(BIN / "sha2wordlist", stdin=data).stdout.decode().split("PGP Words:")[1].split()


WORDS = words_of(DATA)
ROWS = ["  ".join(WORDS[i:i + 4]) for i in range(0, 32, 4)]
PAIRS = [HEX[i:i + 2] for i in range(0, 64, 2)]


def clear_signed(text):
    return ("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n" + text +
            "\n-----BEGIN PGP SIGNATURE-----\n\niQIzBAEBCgAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n")


NOTATIONS = {
    "digits": HEX,
    "capitals": HEX.upper(),
    "groups": " ".join(HEX[i:i + 4] for i in range(0, 64, 4)),
    "colons": ":".join(PAIRS),
    "hyphens": "-".join(HEX[i:i + 8] for i in range(0, 64, 8)).upper(),
    "two lines": HEX[:32] + "\n" + HEX[32:],
    "lines of pairs": "\n".join(" ".join(PAIRS[i:i + 16]) for i in (0, 16)) + "\n",
    "0x": "0x" + HEX,
    "code": "SHA256:" + HEX.upper(),
    "code, small": "sha256:" + HEX,
    "sha2wordlist": f"File:       x\nSHA-256:    {HEX}\nPGP Words:  {' '.join(WORDS)}\n",
    "sha2wordlist folded": f"SHA-256:    {HEX}\nPGP Words:  {(chr(10) + ' ' * 12).join(ROWS)}\n",
    "digits' line": f"SHA-256:    {HEX}",
    "words' line": f"PGP Words:  {' '.join(WORDS)}",
    "words' lines": f"PGP Words:  {(chr(10) + ' ' * 12).join(ROWS)}\n",
    "digest": f"File:       x\nSHA-256:    {HEX}\nPGP Words:  {' '.join(WORDS)}\n"
              f"SHA-384:    {OTHER}\n            {OTHER[:32]}\nSHA-512:    {OTHER}\n            {OTHER}\n"
              "Size:       17 bytes\n",
    "signer": f"SHA256 hash of SKR:\n{HEX}\n>> {' '.join(WORDS)} <<\n",
    "signer's words": f">> {' '.join(WORDS)} <<",
    "signer's log": f"2026-11-22T05:30:00Z: [INFO] KSR /media/KSR/ksr.xml SHA-256 {HEX} >> {' '.join(WORDS)} <<",
    "page": f"SHA-256 of the file: {HEX}",
    "printlog": f"Printing:   x\nJob:        HP-7, pages: 1, copies: 2\nSHA-256:    {HEX}\n",
    "sum": f"{HEX}  x\n",
    "binary sum": f"{HEX} *x\n",
    "sum of a name like a hash's part": f"{HEX}  deadbeef\n",
    "sum of a name of blanks": f"{HEX}  a b c\n",
    "sum of a name with a newline": f"\\{HEX}  a\\nb\n",
    "BSD": f"SHA256 (x) = {HEX}\n",
    "BSD of a name": f"SHA256 (x (copy) = 1) = {HEX}\n",
    "BSD and words": f"SHA256 (x) = {HEX} >> {' '.join(WORDS)} <<\n",
    "BSD of a name with a hash in it": f"SHA256 (x-{'0' * 64}.iso) = {HEX}\n",
    "sum of a name with a hash in it": f"{HEX}  x-{'0' * 64}.iso\n",
    "a sum and words": f"{HEX}  x >> {' '.join(WORDS)} <<\n",
    "the same twice in a sum": f"{HEX}  x {HEX}  y\n",
    "the same twice, BSD": f"SHA256 (x) = {HEX} SHA256 (y) = {HEX}\n",
    "lists of others": f"MD5 (SHA256SUMS) = {OTHER[:32]}\nSHA3-256 (SHA256SUMS) = {OTHER}\n{HEX}  x\n",
    "indented labels": f"  SHA-512: {OTHER * 2}\n  SHA-256: {HEX}\n",
    "BSD with others": f"MD5 (x) = {OTHER[:32]}\nSHA256 (x) = {HEX}\nSHA512 (x) = {OTHER * 2}\n",
    "openssl": f"SHA256(x)= {HEX}\n",
    "openssl 3": f"SHA2-256(x)= {HEX}\n",
    "certutil": f"SHA256 hash of x:\r\n{' '.join(PAIRS)}\r\nCertUtil: -hashfile command completed successfully.\r\n",
    "PowerShell": f"\r\nAlgorithm : SHA256\r\nHash      : {HEX.upper()}\r\nPath      : C:\\x.iso\r\n\r\n",
    "PowerShell's table": f"\r\nAlgorithm       Hash{' ' * 67}Path\r\n---------       ----{' ' * 67}----\r\n"
                          f"SHA256          {HEX.upper()}       C:\\x.iso\r\n\r\n",
    "CR LF": f"{HEX}  x\r\n",
    "CR": f"SHA-256:    {HEX}\rPGP Words:  {' '.join(WORDS)}\r",
    "byte order mark": f"\ufeff{HEX}  x\n",
    "capitals of FAT": f"{HEX.upper()}  KEYROO~1.ISO\r\n",
    "comments": f"# the release\n\n{HEX}  x\n",
    "clear-signed": clear_signed(f"{HEX}  x\n"),
    "clear-signed, a dash": clear_signed(f"- --\n{HEX}  x\n").replace("- --\n", "# - --\n"),
    "clear-signed, CR LF": clear_signed(f"{HEX} *x\n").replace("\n", "\r\n"),
    "commas": ", ".join(WORDS),
    "commas and a full stop": ",".join(WORDS) + ".",
    "semicolons, lines": ";\n".join("; ".join(WORDS[i:i + 2]) for i in range(0, 32, 2)),
    "words, capitals": " ".join(WORDS).upper(),
    "quotes": '"' + HEX + '"',
    "no-break blanks": "\u00a0".join(WORDS),
    "twice": f"{HEX}\n{HEX.upper()}\n",
}


@pytest.fixture
def sample(tmp_path):
    (tmp_path / "x").write_bytes(DATA)
    return tmp_path / "x"


@pytest.mark.parametrize("text", NOTATIONS.values(), ids=NOTATIONS)
def test_notation_is_read(sample, text):
    for argv, data in ((["--verify", text], None), (["--verify-file", sample.parent / "given"], text)):
        if data is not None:
            (sample.parent / "given").write_bytes(data.encode())
        done = run(BIN / "sha2wordlist", *argv, sample)
        assert done.returncode == 0 and b"Result:     same\n" in done.stdout, done.stderr
    # The same of another hash is not the same.
    other = text.replace(HEX, OTHER).replace(HEX.upper(), OTHER.upper())
    if other != text and "ords" not in text and ">>" not in text:
        done = run(BIN / "sha2wordlist", "--verify", other, sample)
        assert done.returncode == 1 and b"NOT the one" in done.stderr


def test_utf_16(sample):
    (sample.parent / "given").write_bytes(f"{HEX}  x\r\n".encode("utf-16"))
    assert run(BIN / "sha2wordlist", "--verify-file", sample.parent / "given", sample).returncode == 0


TWO = {
    "lines": f"{HEX}\n{OTHER}\n",
    "one line": f"{HEX} {OTHER}",
    "run together": HEX + OTHER,
    "sums": f"{HEX}  x\n{OTHER}  y\n",
    "a sum and a hash": f"{HEX}  x\n{OTHER}\n",
    "a sum whose name is a hash": f"{HEX}  {OTHER}\n",
    "BSD": f"SHA256 (x) = {HEX}\nSHA256 (y) = {OTHER}\n",
    "code and digits": f"SHA256:{HEX.upper()} {OTHER}",
    "digits and others' words": f"SHA-256:    {HEX}\nPGP Words:  {' '.join(words_of(b'another'))}\n",
    "words": " ".join(WORDS) + "\n" + " ".join(words_of(b"another")),
    "log line": f"KSR /k SHA-256 {HEX} >> {' '.join(words_of(b'another'))} <<",
    "in groups": " ".join(PAIRS) + "\n" + ":".join(OTHER[i:i + 2] for i in range(0, 64, 2)),
    "labels": f"Old hash: {HEX}\nNew hash: {OTHER}\n",
    "BSD, one behind": f"SHA256 (x) = {HEX} {OTHER}",
    "BSD, one behind a hyphen": f"SHA256 (x) = {HEX}-{OTHER}",
    "BSD in one line": f"SHA256 (x) = {OTHER} SHA256 (y) = {HEX}\n",
    "openssl in one line": f"SHA2-256(x)= {OTHER}, SHA2-256(y)= {HEX}",
    "BSD, a code in the name": f"SHA256 (SHA256:{OTHER}) = {HEX}",
    "BSD and others' words": f"SHA256 (x) = {HEX} >> {' '.join(words_of(b'another'))} <<\n",
    "BSD and groups": f"SHA256 (x) = {HEX} {' '.join(OTHER[i:i + 4] for i in range(0, 64, 4))}\n",
    "sums in one line": f"{HEX}  x {OTHER}  y",
    "a sum and a code": f"{HEX}  x SHA256:{OTHER}",
    "a sum and others' words": f"{HEX}  x >> {' '.join(words_of(b'another'))} <<\n",
    "labels, indented": f"SHA-256: {HEX}\n  SHA-512: {OTHER * 2}\n  SHA-256: {OTHER}\n",
    "BSD, indented": f"SHA-256: {HEX}\nSHA-512: {OTHER * 2}\n  SHA256 (x) = {OTHER}\n",
    "clear-signed": clear_signed(f"{HEX}  x\n{OTHER}  y\n"),
}


def test_every_word_is_read_as_one(tmp_path):
    """One of the 512 has no letter but those of 0x and of digits: "exceed" was
    taken for them, and one hash in sixteen could not be compared by its words."""
    file, left = tmp_path / "file", set(itertools.product(range(2), range(256)))
    for n in itertools.count():
        new = {(at % 2, byte) for at, byte in enumerate(hashlib.sha256(b"%d" % n).digest())} & left
        if not new:
            continue
        left -= new
        file.write_bytes(b"%d" % n)
        done = run(BIN / "sha2wordlist", "--verify", " ".join(words_of(file.read_bytes())), file)
        assert done.returncode == 0 and done.stdout.endswith(b"same\n"), done
        if not left:
            return


@pytest.mark.parametrize("text", TWO.values(), ids=TWO)
def test_two_hashes_are_refused(sample, text):
    done = run(BIN / "sha2wordlist", "--verify", text, sample)
    assert done.returncode == 3 and b"two different hashes" in done.stderr and done.stdout == b"", done


@pytest.mark.parametrize("text", [
    HEX[:-1], HEX[:-2], HEX + "00", HEX + "0", " ".join(PAIRS[:-1]), "SHA256:" + HEX[:-2], "", "\n", "\ufeff",
    "no hash at all", "File: x\n", f"SHA-512: {OTHER}\n         {OTHER}\n", f"SHA512 (x) = {OTHER * 2}",
    f"SHA-256:    {HEX}\nPGP Words:  {' '.join(WORDS[:-1])}\n", ", ".join(WORDS[1:]),
    f"SHA-256:    {HEX}\nPGP Words:  {' '.join([WORDS[1]] + WORDS[1:])}\n",
    f"SHA256 (x) = {HEX[:-1]}", "z" + HEX, HEX + "z",
    f"SHA512 (x) = {OTHER * 2} SHA256 (y) = {OTHER}\n{HEX}  x", f"SHA-512: {OTHER * 2} SHA-256: {OTHER}\nSHA-256: {HEX}",
    clear_signed(f"{HEX}  x\n") + f"{OTHER}  x\n", f"{OTHER}  x\n" + clear_signed(f"{HEX}  x\n"),
    "x" + HEX, HEX[:32] + "x" + HEX[33:], "0x0x" + HEX, clear_signed("nothing\n"), clear_signed(f"{HEX}  x\n")[:150], clear_signed(f"{HEX}  x\n") * 2])
def test_what_is_no_hash_is_said(sample, text):
    done = run(BIN / "sha2wordlist", "--verify", text, sample)
    assert done.returncode == 3 and b"same" not in done.stdout and done.stderr.count(b"\n") == 1, done


def test_bytes_that_are_no_text(sample):
    for data in (b"\0", HEX.encode() + b"\0" + OTHER.encode(), b"\xff" * 40, b"\xff\xfe\0\0"):
        (sample.parent / "given").write_bytes(data)
        done = run(BIN / "sha2wordlist", "--verify-file", sample.parent / "given", sample)
        assert done.returncode == 3 and done.stdout == b"", data


def test_a_long_line_is_read_at_once(sample):
    for filler in ("music ", "a" * 65 + " ", ">> ", "0x", "SHA256 ( ) ", "("):
        (sample.parent / "given").write_text(HEX + " " + filler * (900_000 // len(filler)))
        done = subprocess.run([BIN / "sha2wordlist", "--verify-file", sample.parent / "given", sample],
                              capture_output=True, check=False, timeout=20)
        assert done.returncode in (0, 3)


# The other programs that compare

SOME = ["code", "sha2wordlist", "signer's words", "BSD", "clear-signed", "byte order mark", "commas", "page"]


@pytest.fixture
def drive(tmp_path):
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive/x").write_bytes(DATA)
    return tmp_path / "drive"


@pytest.mark.parametrize("text", [NOTATIONS[name] for name in SOME], ids=SOME)
def test_hsmfd_hash_reads_the_same(drive, text):
    done = run(BIN / "hsmfd-hash", "-c", "--drive", drive, "--verify", text)
    assert done.returncode == 0 and b"Result:     same (all files" in done.stdout, done.stderr


def test_hsmfd_hash_compares(drive):
    manifest = hashlib.sha256(f"{HEX}  ./x\n".encode()).hexdigest()
    done = run(BIN / "hsmfd-hash", "-c", "--drive", drive, "--verify", manifest)
    assert done.returncode == 0 and b"Result:     same (manifest)" in done.stdout
    done = run(BIN / "hsmfd-hash", "-c", "--drive", drive, "--verify", OTHER)
    assert done.returncode == 1 and b"Result:     DIFFERENT" in done.stdout and b"neither hash" in done.stderr
    assert run(BIN / "hsmfd-hash", "-c", "--drive", drive, "--verify", TWO["sums"]).returncode == 3
    for argv in (["-m", "--verify", HEX], ["-p", "--verify-file", "x"], ["-c", "--verify", HEX, "--verify-file", "x"]):
        assert run(BIN / "hsmfd-hash", "--drive", drive, *argv).returncode == 2
    status, shown = run_tty(BIN / "hsmfd-hash", "-c", "--drive", drive, "--verify", "-",
                            answers=[("compare with: ", ", ".join(WORDS) + "\n")])
    assert status == 0 and "same (all files" in shown


@pytest.fixture
def driver(tmp_path):
    root = tmp_path / "root"
    for folder in ("usr/share/keyroom/network", "run/keyroom", "etc", "usr/lib/extension-release.d"):
        (root / folder).mkdir(parents=True)
    (root / "usr/share/keyroom/extensions").write_text("")
    for name in ("udevadm", "modprobe", "logger", "ceremony-log"):
        stub(tmp_path / "bin", name, "exit 0\n")
    stub(tmp_path / "bin", "systemd-sysext", f': >"{root}/usr/lib/extension-release.d/extension-release.keyroom-x"\n')
    (tmp_path / "keyroom-x-1.raw").write_bytes(DATA)

    def call(*argv):
        return run(ROOT / "usr/sbin/hsm-driver", "load", *argv, tmp_path / "keyroom-x-1.raw",
                   env=environment(root=root, PATH=f"{tmp_path}/bin:{environment()['PATH']}"))
    call.loaded = root / "run/extensions/keyroom-x.raw"
    return call


@pytest.mark.parametrize("text", [NOTATIONS[name] for name in SOME], ids=SOME)
def test_hsm_driver_reads_the_same(driver, text):
    done = driver("--verify", text)
    assert done.returncode == 0 and b"Result:     same" in done.stdout and driver.loaded.exists(), done.stderr


@pytest.mark.parametrize("argv,status", [
    (["--verify", OTHER], 1), ([f"--verify={OTHER}"], 1), (["--verify", TWO["lines"]], 3), (["--verify", "x"], 3),
    (["--verify-file", "/absent"], 3), (["--very", HEX], 2)])
def test_hsm_driver_loads_nothing_else(driver, argv, status):
    done = driver(*argv)
    assert done.returncode == status and not driver.loaded.exists() and done.stderr, done
