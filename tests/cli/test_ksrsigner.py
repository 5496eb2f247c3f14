# SPDX-License-Identifier: ISC
"""Shows: ksrsigner makes the published responses of the reference quarters, byte
for byte, and refuses all else with a clear message, the right exit status and
no response.  Matters: it is the program that holds the keys."""
import re
import resource
import signal
import subprocess

import pytest
from conftest import BIN
from rehearsal import Rehearsal, use

QUESTION = "Is this correct (y/N)?"

QUARTERS = {
    "2009-q4-2": ("test-quarters/ksr-root-2009-q4-2.xml", None,
                  "test-quarters/skr-root-2009-q4-2.xml"),
    "2010-q1-0": ("test-quarters/ksr-root-2010-q1-0.xml",
                  "test-quarters/skr-root-2009-q4-2.xml",
                  "test-quarters/skr-root-2010-q1-0.xml"),
    "2017-q2-0": ("production/ksr-root-2017-q2-0.xml",
                  "production/skr-root-2017-q1-0.xml",
                  "production/skr-root-2017-q2-0.xml"),
}


def arguments(data, name, ksr=None):
    request, previous, _ = QUARTERS[name]
    given = ["--config", data / f"config/{name}.yaml"]
    if previous is None:
        given += ["--no-previous-skr", "first quarter"]
    else:
        given += ["--previous_skr", data / previous]
    return given + [ksr or data / request, "skr.xml"]


def leftovers(folder):
    """What a refused run left behind beside the log and the token."""
    return sorted(p.name for p in folder.iterdir()
                  if p.name not in ("tokens", "softhsm2.conf")
                  and not re.fullmatch(r"ksrsigner-\d{8}-\d{6}(-\d+)?\.log", p.name))


def log_text(folder):
    """Of the last run."""
    logs = list(folder.glob("ksrsigner-*.log"))
    return max(logs, key=lambda p: p.stat().st_mtime_ns).read_text()


@pytest.mark.parametrize("name", ["2009-q4-2", "2010-q1-0"])
def test_signs_test_quarters_as_published(run, data, softhsm, tmp_path, name):
    done = run("ksrsigner", "--force", *arguments(data, name))
    assert done.returncode == 0, done.stderr
    expected = (data / QUARTERS[name][2]).read_text()
    # The signer of that time printed a wrong exponent for the KSK.
    ksk = '<RSA size="2048" exponent="3"/>'
    assert expected.count(ksk) == 1
    expected = expected.replace(ksk, '<RSA size="2048" exponent="65537"/>')
    assert (tmp_path / "skr.xml").read_text() == expected


def without_ksk(text):
    """The published layout with everything of the KSK taken out."""
    text = re.sub(r'<(Key|Signature) keyIdentifier="(Kjqmt7v|KSK1)"( keyTag="\d{5}")?>',
                  r"<\1>", text)
    text = re.sub(r"(<Flags>257.*?<PublicKey>)[^<]*", r"\1", text, flags=re.S)
    text = re.sub(r"<KeyTag>(19036|05017)<", "<KeyTag><", text)
    return re.sub(r"(<SignatureData>)[^<]*", r"\1", text)


def test_signs_production_layout(run, data, softhsm, tmp_path):
    done = run("ksrsigner", "--force", *arguments(data, "2017-q2-0"))
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "skr.xml").read_text()
    published = (data / QUARTERS["2017-q2-0"][2]).read_text()
    assert without_ksk(made) == without_ksk(published)
    assert made != published


def test_same_bytes_twice(run, data, softhsm, tmp_path):
    for _ in range(2):
        assert run("ksrsigner", "--force",
                   *arguments(data, "2009-q4-2")).returncode == 0
    kept = tmp_path / "skr.xml.old-1"
    assert kept.read_bytes() == (tmp_path / "skr.xml").read_bytes()
    assert "is kept as skr.xml.old-1" in log_text(tmp_path)


@pytest.mark.parametrize("answer", ["y", "Y", "yes", "Yes"])
def test_yes_signs(data, softhsm, tmp_path, answer):
    done = softhsm.converse("ksrsigner", *map(str, arguments(data, "2009-q4-2")),
                            answers=[(QUESTION, answer)])
    assert done.status == 0, done.out
    assert f"Is this correct (y/N)? {answer}" in log_text(tmp_path)
    assert (tmp_path / "skr.xml").exists()


@pytest.mark.parametrize("answer", ["n", "", "YES", "yy", "y y", "j", "yes!"])
def test_anything_else_refuses(data, softhsm, tmp_path, answer):
    done = softhsm.converse("ksrsigner", *map(str, arguments(data, "2009-q4-2")),
                            answers=[(QUESTION, answer)])
    assert done.status == 1
    assert "refused by the operator" in done.out
    assert leftovers(tmp_path) == []


def test_no_terminal_refuses(run, data, softhsm, tmp_path):
    done = run("ksrsigner", *arguments(data, "2009-q4-2"), stdin=b"y\n")
    assert done.returncode == 1
    assert b"no terminal" in done.stderr
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_at_the_question(data, softhsm, tmp_path, number):
    done = softhsm.converse("ksrsigner", *map(str, arguments(data, "2009-q4-2")),
                            answers=[(QUESTION, None)], send_signal=number)
    assert done.status == 1, done.out
    assert "stopped by signal" in done.out
    assert leftovers(tmp_path) == []


def test_force_is_in_the_log(run, data, softhsm, tmp_path):
    assert run("ksrsigner", "--force",
               *arguments(data, "2009-q4-2")).returncode == 0
    assert "not asked (--force)" in log_text(tmp_path)


def test_missing_previous_refused(run, data, softhsm, tmp_path):
    config = ["--config", data / "config/2010-q1-0.yaml"]
    ksr = data / QUARTERS["2010-q1-0"][0]
    for extra in ([], ["--previous-skr", "absent.xml"]):
        done = run("ksrsigner", "--force", *config, *extra, ksr, "skr.xml")
        assert done.returncode == 1
        assert b"--no-previous-skr" in done.stderr
        assert leftovers(tmp_path) == []
    done = run("ksrsigner", "--force", *config, "--no-previous-skr", " ", ksr,
               "skr.xml")
    assert done.returncode == 2


def test_flipped_bit_in_a_signature_refused(run, data, softhsm, tmp_path):
    text = (data / QUARTERS["2010-q1-0"][0]).read_text()
    at = text.index("<SignatureData>") + 40
    flipped = chr(ord(text[at]) ^ 1)
    assert flipped.isalnum()
    bad = tmp_path / "bad.xml"
    bad.write_text(text[:at] + flipped + text[at + 1:])
    done = run("ksrsigner", "--force", *arguments(data, "2010-q1-0", bad))
    assert done.returncode == 1
    assert b"refused by KSR-BUNDLE-POP" in done.stderr
    assert leftovers(tmp_path) == ["bad.xml"]
    # Refused before the HSM was opened.
    assert b"HSM Information" not in done.stdout


def test_flipped_bit_in_previous_refused(run, data, softhsm, tmp_path):
    text = (data / QUARTERS["2010-q1-0"][1]).read_text()
    at = text.index("<SignatureData>") + 40
    bad = tmp_path / "bad.xml"
    bad.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:])
    done = run("ksrsigner", "--force", "--config",
               data / "config/2010-q1-0.yaml", "--previous-skr", bad,
               data / QUARTERS["2010-q1-0"][0], "skr.xml")
    assert done.returncode == 1
    assert b"refused by SKR-SIGNATURES" in done.stderr


def test_mutants(run, data, softhsm, tmp_path):
    """Every verdict holds, within a processor's second, and a refused one leaves nothing."""
    lines = (data / "mutants/VERDICTS.tsv").read_text().splitlines()
    for line in lines:
        if line.startswith("#"):
            continue
        name, verdict, what = line.split("\t")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = run("ksrsigner", "--force",
                   *arguments(data, "2017-q2-0", data / "mutants" / name))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1, what
        out = tmp_path / "skr.xml"
        assert done.returncode == (0 if verdict == "accept" else 1), what
        assert out.exists() == (verdict == "accept"), what
        if verdict == "accept":
            out.unlink()
        else:
            assert re.search(rb"(KSR|SKR)-[A-Z-]+: .*(line \d+|id|serial|domain|"
                             rb"bundles|empty|NUL)", done.stderr), what
    assert leftovers(tmp_path) == []


def test_oversize_is_a_finding(run, data, softhsm, tmp_path):
    big = tmp_path / "big.xml"
    big.write_bytes((data / QUARTERS["2009-q4-2"][0]).read_bytes() + b" " * 1048576)
    done = run("ksrsigner", "--force", *arguments(data, "2009-q4-2", big))
    assert done.returncode == 1
    assert b"KSR-FILE" in done.stderr and b"1048576" in done.stderr
    assert leftovers(tmp_path) == ["big.xml"]


def test_response_that_nobody_would_read_is_refused(tmp_path, programs):
    """A response is longer than its request where many KSKs sign: one above the limit
    could be read neither by skrcheck nor by the next quarter."""
    zone = Rehearsal(tmp_path, programs, domain="example.", algorithm=13, bundles=3)
    names = ["a", "b", "c"]
    for name in names:
        zone.add_ksk(name)
    zone.ask()
    zone.policy = {"max_file_size": zone.request.stat().st_size}
    zone.configure(zone.slots((1, use(*names))), zone.request)
    done = zone.sign()
    assert done.status == 1 and "SKR-VERIFY: the response has " in done.err, done.err
    assert not (tmp_path / "skr-1.xml").exists()
    size = int(re.search(r"the response has (\d+) bytes", done.err).group(1))
    zone.policy = {"max_file_size": size}
    zone.configure(zone.slots((1, use(*names))), zone.request)
    assert zone.sign().status == 0
    assert (tmp_path / "skr-1.xml").stat().st_size == size


def test_missing_inputs(run, data, softhsm, tmp_path):
    given = arguments(data, "2009-q4-2")
    cases = [
        (3, ["--config", given[1], *given[2:4], "absent.xml", "skr.xml"]),
        (2, ["--config", "absent.yaml", *given[2:]]),
        (2, ["--schema", "absent", *given]),
        (2, ["--hsm", "absent", *given]),
        (2, ["--chain", *given]),
        (2, [*given, "third.xml"]),
        (5, ["--log-dir", "absent", *given]),
        (5, [*given[:-1], "absent/skr.xml"]),
    ]
    for status, case in cases:
        done = run("ksrsigner", "--force", *case)
        assert done.returncode == status, (case, done.stderr)
        assert leftovers(tmp_path) == []


@pytest.mark.parametrize("program, status", [("ksrsigner --force", 5), ("ksrcheck", 5)])
@pytest.mark.parametrize("redirect", [">/dev/full", ">&-"])
def test_screen_that_cannot_be_written(data, softhsm, tmp_path, program, status, redirect):
    """Nothing is signed that nobody saw; a closed stream is not some file's."""
    words = arguments(data, "2009-q4-2")
    if program == "ksrcheck":
        words.pop()
    done = subprocess.run(["sh", "-c", f'exec {BIN}/{program} "$@" {redirect}', "sh",
                           *map(str, words)], cwd=tmp_path, env=softhsm.env,
                          stderr=subprocess.PIPE, check=False)
    assert done.returncode == status
    assert b"standard output" in done.stderr
    assert leftovers(tmp_path) == []


def test_closed_input_and_error(data, softhsm, tmp_path):
    words = " ".join(map(str, arguments(data, "2009-q4-2")))
    done = subprocess.run(["sh", "-c", f"exec {BIN}/ksrsigner --force {words.replace('first quarter', 'x')} "
                           "<&- 2>&-"], cwd=tmp_path, env=softhsm.env, check=False,
                          stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert (tmp_path / "skr.xml").read_text().startswith("<?xml")
    assert "warning:" not in log_text(tmp_path)


def test_output_over_an_input_refused(run, data, softhsm, tmp_path):
    ksr = tmp_path / "ksr.xml"
    ksr.write_bytes((data / QUARTERS["2009-q4-2"][0]).read_bytes())
    given = arguments(data, "2009-q4-2", ksr)
    done = run("ksrsigner", "--force", *given[:-1], ksr)
    assert done.returncode == 2
    assert b"one of the inputs" in done.stderr


def test_wrong_key_refused(run, data, softhsm, tmp_path):
    text = (data / "config/2009-q4-2.yaml").read_text()
    given = arguments(data, "2009-q4-2")
    cases = [
        ("F40FACFD", "F40FACFE", 1, b"KSK-IDENTITY"),
        ("key_tag: 5017", "key_tag: 5018", 1, b"KSK-IDENTITY"),
        ("rsa_size: 2048", "rsa_size: 4096", 1, b"KSK-IDENTITY"),
        ("rsa_exponent: 65537", "rsa_exponent: 3", 1, b"KSK-IDENTITY"),
        ("algorithm: RSASHA256\n    valid",
         "algorithm: RSASHA512\n    valid", 1, b"KSK-IDENTITY"),
        ("label: KSK1", "label: KSK9", 1, b"KSK-IDENTITY: key KSK9: the HSM has no key of this label"),
        ("'2009-01-01T00:00:00+00:00'", "'2009-12-01T00:00:00+00:00'", 1,
         b"KSK-PERIOD"),
        ("pin: '123456'", "pin: '123457'", 4, b"CKR_PIN_INCORRECT"),
    ]
    for old, new, status, says in cases:
        assert old in text
        config = tmp_path / "c.yaml"
        config.write_text(text.replace(old, new, 1))
        done = run("ksrsigner", "--force", "--config", config, *given[2:])
        assert done.returncode == status, (new, done.stderr)
        assert says in done.stderr, (new, done.stderr)
        config.unlink()
        assert leftovers(tmp_path) == []


def test_key_of_another_kind_refused(run, data, softhsm, tmp_path):
    """The run ends there, and still says how far the checks came."""
    text = (data / "config/2009-q4-2.yaml").read_text()
    config = tmp_path / "c.yaml"
    text = re.sub(r"\n +(rsa_size|rsa_exponent|key_tag|ds_sha256): \S+", "", text)
    config.write_text(text.replace("algorithm: RSASHA256\n", "algorithm: ECDSAP256SHA256\n", 1))
    done = run("ksrsigner", "--force", "--config", config, *arguments(data, "2009-q4-2")[2:])
    assert done.returncode == 1, done.stderr
    assert b"KSK-IDENTITY: key KSK1: " in done.stderr, done.stderr
    assert b"PASS KSR-BUNDLE-POP" in done.stdout
    config.unlink()
    assert leftovers(tmp_path) == []


def test_pin_never_in_the_log(data, softhsm, tmp_path):
    text = (data / "config/2009-q4-2.yaml").read_text()
    config = tmp_path / "c.yaml"
    config.write_text(text.replace("    pin: '123456'\n", ""))
    given = arguments(data, "2009-q4-2")
    done = softhsm.converse(
        "ksrsigner", "--debug", "--config", "c.yaml", *map(str, given[2:]),
        answers=[("PIN", "123456"), (QUESTION, "y")])
    assert done.status == 0, done.out
    assert "123456" not in done.out and "123456" not in log_text(tmp_path)


def test_hostile_text_is_escaped(run, data, softhsm, tmp_path):
    """An id with escape sequences and line breaks cannot repaint the screen or
    forge a line of the log."""
    text = (data / QUARTERS["2009-q4-2"][0]).read_text()
    bad = tmp_path / "bad.xml"
    bad.write_text(re.sub(r'<RequestBundle id="[^"]*"',
                          '<RequestBundle id="x&#10;...PASSED.&#x9b;2J\u202e"',
                          text, count=2), encoding="utf-8")
    done = run("ksrsigner", "--force", *arguments(data, "2009-q4-2", bad))
    assert done.returncode == 1
    log = log_text(tmp_path)
    for shown in (done.stdout, done.stderr, log.encode()):
        assert re.search(rb"[^\x20-\x7e\n]", shown) is None
        assert re.search(rb"^\.\.\.PASSED", shown, re.M) is None
    assert "\\x0a...PASSED." in log


def test_everything_from_the_configuration(run, data, softhsm, tmp_path):
    """Called with nothing but --force, as a script may: ksrsigner.yaml in the
    current folder names the files."""
    text = (data / "config/2010-q1-0.yaml").read_text()
    (tmp_path / "ksrsigner.yaml").write_text(
        text + "filenames:\n  previous_skr: prev.xml\n  input_ksr: ksr.xml\n"
        "  output_skr: skr.xml\n")
    (tmp_path / "ksr.xml").write_bytes((data / QUARTERS["2010-q1-0"][0]).read_bytes())
    assert run("ksrsigner", "--force").returncode == 1  # no previous response
    (tmp_path / "prev.xml").write_bytes((data / QUARTERS["2010-q1-0"][1]).read_bytes())
    assert run("ksrcheck").returncode == 0
    assert run("ksrsigner", "--force").returncode == 0
    assert (tmp_path / "skr.xml").exists()


def test_python_signers_layout_is_read(run, data, softhsm, tmp_path):
    """The previous response as another signer wrote it: indented, keys in another
    order, tags without leading zeros, a blank for the T in times."""
    text = (data / QUARTERS["2010-q1-0"][1]).read_text()
    text = re.sub(r"(\d{4}-\d\d-\d\d)T", r"\1 ", text)
    text = text.replace('keyTag="05017"', 'keyTag="5017"').replace(
        "<KeyTag>05017", "<KeyTag>5017").replace("\n<", "\n    <")
    text = re.sub(r"(<Key .*?</Key>)(\s*)(<Key .*?</Key>)", r"\3\2\1", text, flags=re.S)
    (tmp_path / "prev.xml").write_text(text)
    words = ["--config", data / "config/2010-q1-0.yaml", "--previous-skr", "prev.xml",
             data / QUARTERS["2010-q1-0"][0], "skr.xml"]
    done = run("ksrsigner", "--force", *words)
    assert done.returncode == 0, done.stderr
    # A request is not excused so.
    text = (data / QUARTERS["2010-q1-0"][0]).read_text()
    (tmp_path / "ksr.xml").write_text(re.sub(r"(\d{4}-\d\d-\d\d)T", r"\1 ", text))
    done = run("ksrsigner", "--force", *words[:4], "ksr.xml", "skr2.xml")
    assert done.returncode == 1 and b"KSR-FILE" in done.stderr


def test_log_shape(run, data, softhsm, tmp_path):
    assert run("ksrsigner", "--force", "--log-ksr", "--log-skr",
               "--log-previous-skr",
               *arguments(data, "2010-q1-0")).returncode == 0
    lines = log_text(tmp_path).splitlines()
    for line in lines:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: \[(INFO|WARNING)\] ",
                        line), line
    text = "\n".join(line.split("] ", 1)[1] for line in lines)
    for wanted in ("ksrsigner 0.", "arguments: ", "SHA-256 of the program: ",
                   "configuration ", "previous SKR ", "HSM Information:",
                   "Validating last SKR with HSM...", "...VALIDATED.",
                   "Validate and Process KSR ", "...PASSED.",
                   "SHA256 hash of KSR:", "SHA256 hash of SKR:",
                   "Generated new SKR in skr.xml", "<KSR id="):
        assert wanted in text, wanted
    assert text.index("VALIDATED") < text.index("PASSED.\n") < text.index(
        "SHA256 hash of KSR:") < text.index("Generated new SKR")
    # The three documents, as they are.
    assert text.count("<KSR id=") == 3


def test_table(run, data, softhsm, tmp_path):
    """As the established signers print it, the order of the keys too."""
    text = (data / "config/2010-q1-0.yaml").read_text()
    (tmp_path / "c.yaml").write_text(re.sub(r"\b2:\n +publish: KSK1", "2:\n      publish: [KSK1, KSK2]", text))
    out = run("ksrsigner", "--force",
              "--config", tmp_path / "c.yaml",
              *arguments(data, "2010-q1-0")[2:]).stdout.decode().splitlines()
    assert out.count("#  Inception           Expiration           ZSK Tags      "
                     "KSK Tag(CKA_LABEL)") == 3
    for line in ("1  2010-01-01T00:00:00 2010-01-15T23:59:59  49920,23763   05017(KSK1)/S",
                 "2  2010-01-11T00:00:00 2010-01-25T23:59:59  23763         05017(KSK1)/S,55186(KSK2)/P"):
        assert out.count(line) == 2


def test_chain(run, data, softhsm, tmp_path):
    """Both quarters in one run are what they are one by one; the relaxations
    of the second configuration are those of the first, but for the counts."""
    text = (data / "config/2010-q1-0.yaml").read_text()
    (tmp_path / "c.yaml").write_text(text)
    ksr = [data / QUARTERS[q][0] for q in ("2010-q1-0",)]
    done = run("ksrsigner", "--force", "--config", "c.yaml", "--previous-skr",
               data / QUARTERS["2010-q1-0"][1], "--chain", "--output-dir",
               "out", *ksr)
    assert done.returncode == 0, done.stderr
    made = tmp_path / "out/skr-root-2010-q1-0.xml"
    assert made.exists()
    # All or none: the second has the same ids as the first.
    done = run("ksrsigner", "--force", "--config", "c.yaml", "--previous-skr",
               data / QUARTERS["2010-q1-0"][1], "--chain", "--output-dir",
               "out2", *ksr, data / "production/ksr-root-2017-q2-0.xml")
    assert done.returncode == 1
    assert leftovers(tmp_path) == ["c.yaml", "out"]
    # Never into a folder that holds something.
    done = run("ksrsigner", "--force", "--config", "c.yaml", "--previous-skr",
               data / QUARTERS["2010-q1-0"][1], "--chain", "--output-dir",
               "out", *ksr)
    assert done.returncode == 5
    assert leftovers(tmp_path) == ["c.yaml", "out"]
