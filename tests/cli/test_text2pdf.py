# SPDX-License-Identifier: ISC
"""Paper is compared by eye and by scanner, so each page must carry the file's
true hash, and its text must be the file's, all of it, with nothing that plays
tricks.  poppler and zbar read the pages back."""
import hashlib
import re
import shutil
import subprocess
import unicodedata

import pytest

from ceremony_tools import BIN, HOSTILE, environment, png, run
from cups_room import codes, pages_of, pdf_text

TOOL = BIN / "text2pdf"
needs_poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="no pdftotext")


def words(data):
    return run(BIN / "sha2wordlist", stdin=data).stdout.decode().split("PGP Words:")[1].split()


def body(text):
    """The text of the pages without headers and footers, pieces joined."""
    lines = []
    for page in text.split("\f")[:-1]:
        inner = page.split("\n")
        start = next(i for i, l in enumerate(inner) if re.search(r"page \d+ of \d+", l))
        end = next(i for i, l in enumerate(inner) if re.match(r"\s*Keyroom \d", l))
        for line in inner[start + 1:end]:
            if line.strip().startswith("\u00bb"):
                lines[-1] += line.strip()[1:].strip()
            elif line.strip():
                lines.append(line.strip())
    return lines


@needs_poppler
def test_every_page_has_name_number_release_words_and_code(tmp_path):
    data = b"".join(b"line %d\n" % n for n in range(130))
    (tmp_path / "a log.txt").write_bytes(data)
    done = run(TOOL, tmp_path / "a log.txt")
    assert done.returncode == 0, done.stderr
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    text = pdf_text(tmp_path / "out.pdf")
    digest = hashlib.sha256(data).hexdigest()
    version = run(TOOL, "--version").stdout.decode().split()[1]
    pages = text.split("\f")[:-1]
    assert len(pages) == 3
    for number, page in enumerate(pages, 1):
        assert "a log.txt" in page and f"page {number} of 3" in page
        assert f"Keyroom {version}" in page and digest in page
        after = page.split(digest)[1].split()
        assert after[:32] == words(data)
    assert body(text) == [f"line {n}" for n in range(130)]
    for png in pages_of(tmp_path / "out.pdf", tmp_path, 150):
        assert codes(png) == [f"SHA256:{digest.upper()}"]


@needs_poppler
@pytest.mark.parametrize("lines,pages", [(0, 1), (1, 1), (52, 1), (53, 2), (104, 2), (105, 3)])
def test_page_boundaries(tmp_path, lines, pages):
    done = run(TOOL, stdin=b"x\n" * lines)
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    text = pdf_text(tmp_path / "out.pdf")
    assert f"page {pages} of {pages}" in text and len(body(text)) == lines


@needs_poppler
@pytest.mark.parametrize("length", [95, 96, 97, 192, 193, 1000])
def test_long_lines_wrap_visibly(tmp_path, length):
    line = "".join(chr(97 + n % 26) for n in range(length))
    done = run(TOOL, stdin=f"{line}\nnext\n".encode())
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    text = pdf_text(tmp_path / "out.pdf")
    assert body(text) == [line, "next"]
    # One mark a continued piece, and one in the explanation.
    assert text.count("\u00bb") == (length - 1) // 96 + 1


@needs_poppler
def test_nothing_lies_under_the_footer_or_outside_either_paper(tmp_path):
    for paper, size in (("a4", (595, 842)), ("letter", (612, 792))):
        done = run(TOOL, "--paper", paper, stdin=(b"M" * 96 + b"\n") * 60)
        (tmp_path / "out.pdf").write_bytes(done.stdout)
        boxes = subprocess.run(["pdftotext", "-bbox", tmp_path / "out.pdf", "-"],
                               capture_output=True, check=True).stdout.decode()
        assert f'<page width="{size[0]}.000000" height="{size[1]}.000000">' in boxes
        first = boxes.split("</page>")[0]
        boxed = [(float(a), float(b), float(c), float(d), w) for a, b, c, d, w in re.findall(
            r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)<', first)]
        text = [b for b in boxed if b[4] == "M" * 96]
        footer = [b for b in boxed if b[4] == "Keyroom"]
        assert len(text) == 52 and max(b[3] for b in text) <= footer[0][1]
        # The left edge of both papers is one; the right of A4 is nearer.
        assert max(b[2] for b in boxed) <= 595 - 18 and min(b[0] for b in boxed) >= 18


@needs_poppler
def test_log_without_times_and_levels(tmp_path):
    data = (b"2026-11-22T05:30:00Z: [INFO] HSM Information:\n"
            b"2026-11-22T05:30:00Z: [WARNING]     indented\n"
            b"2026-11-22 no log line\n2026-11-22T05:30:00Z: [info] nor this\n")
    done = run(TOOL, "--log", stdin=data)
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    text = pdf_text(tmp_path / "out.pdf")
    assert body(text) == ["HSM Information:", "indented", "2026-11-22 no log line",
                          "2026-11-22T05:30:00Z: [info] nor this"]
    assert hashlib.sha256(data).hexdigest() in text


@pytest.mark.parametrize("recorded,shown", [
    (b"\x1b[31mred\x1b[0m text\r\n", "red text"),
    (b"\x1b]0;a title\x07prompt\r\n", "prompt"),
    (b"\x1b]0;a title\x1b\\prompt\r\n", "prompt"),
    (b"typo\b\b\b\bright\r\n", "right"),
    (b"10 %\r20 %\r100 %\r\n", "100 %"),
    (b"long old text\rnew\x1b[K\r\n", "new"),
    (b"\x1b[?2004hcommand\r\n\x1b[?2004l\r", "command"),
    (b"abcdef\x1b[3D\x1b[P\r\n", "abcef"),
    (b"a\x1b[5Cb\r\n", "a     b"),
    (b"\x1b(Btext\x1b=\x1b>\r\n", "text"),
    (b"bell\x07\r\n", "bell"),
    (b"\x1b[999999999999Cx\r\n", None),
    (b"cut \x1b[", "cut"), (b"cut \x1b", "cut"),
    (b"cut \x1b]0;x", "cut * [left out: 3 bytes of a string that nobody ended]"),
])
@needs_poppler
def test_recording_as_it_stood_at_its_end(tmp_path, recorded, shown):
    done = run(TOOL, "--script", stdin=recorded)
    assert done.returncode == 0
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    if shown is not None:
        assert " ".join(" ".join(body(pdf_text(tmp_path / "out.pdf"))).split()) == " ".join(shown.split())


@needs_poppler
def test_bytes_that_are_no_text_are_shown_as_such(tmp_path):
    data = bytes(range(256))
    done = run(TOOL, stdin=data)
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    text = " ".join(body(pdf_text(tmp_path / "out.pdf")))
    assert "\\x00\\x01" in text and "\\x1b" in text and "\\xff" in text
    assert "()*+,-./" in text.replace(" ", "")


@needs_poppler
def test_utf_8_is_printed(tmp_path):
    line = "Gr\u00fc\u00dfe aus Z\u00fcrich, \u0141\u00f3d\u017a, \u041f\u0440\u0438\u0432\u0435\u0442, \u03b1\u03b2\u03b3, \u20ac \u2500\u2502"
    done = run(TOOL, "--title", "\u00dcbersicht", stdin=line.encode())
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    text = pdf_text(tmp_path / "out.pdf")
    assert "\u00dcbersicht" in text and " ".join(body(text)) == line
    fonts = subprocess.run(["pdffonts", tmp_path / "out.pdf"], capture_output=True, text=True, check=True).stdout
    assert fonts.count("DejaVuSansMono") == 2 and " no " not in fonts


@needs_poppler
@pytest.mark.parametrize("character,shown", [
    ("\u4e2d", "\\u4e2d"), ("\U0001f511", "\\U0001f511"),      # the font has none
    ("\u202e", "\\u202e"), ("\u200b", "\\u200b"), ("\u00ad", "\\u00ad"),  # turns around, is not seen
    ("e\u0301", "e\\u0301"), ("\u0085", "\\xc2\\x85"), ("\ufeff", "\\ufeff")])
def test_what_would_not_be_seen_is_said(tmp_path, character, shown):
    done = run(TOOL, "--title", character, stdin=f"a{character}b\n".encode())
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    assert body(pdf_text(tmp_path / "out.pdf")) == [f"a{shown}b"]


def hidden(characters, *categories):
    return [character for character in characters if unicodedata.category(character) in categories]


@needs_poppler
def test_no_mark_is_set_over_the_letter_before_it(tmp_path):
    """On paper an x with a mark over it is no x, and what was signed by hand says
    something else than the log: of all marks that combine none may reach the font."""
    marks = hidden(map(chr, range(0xa0, 0xe000)), "Mn", "Me", "Cf", "Zl", "Zp")
    assert "\u0301" in marks and "\u0eb1" in marks
    text = "".join(f"x{mark}y" + (" " if number % 8 else "\n") for number, mark in enumerate(marks, 1))
    (tmp_path / "out.pdf").write_bytes(run(TOOL, stdin=text.encode()).stdout)
    assert " ".join(body(pdf_text(tmp_path / "out.pdf"))).split() == [f"x\\u{ord(mark):04x}y" for mark in marks]


def test_what_is_not_seen_is_said_on_the_screen_too():
    """What turns text around, joins it or is not seen at all, wherever in Unicode;
    and tabs stand where they stand with what is shown instead."""
    wrong = hidden(map(chr, range(0xa0, 0x110000)), "Cf", "Zl", "Zp", "Co") + ["\u17b4", "\u3164"]
    text = "".join(f"x{character}y\n" for character in wrong if ord(character) < 0xf0000)
    for line in run(TOOL, "--text", stdin=text.encode()).stdout.decode().split("\n")[:-1]:
        assert re.fullmatch(r"x\\(u[0-9a-f]{4}|U[0-9a-f]{8})y", line), ascii(line)
    assert run(TOOL, "--text", stdin="\u202e\tb\n".encode()).stdout == b"\\u202e  b\n"


@needs_poppler
def test_bytes_that_are_no_utf_8(tmp_path):
    for data, shown in ((b"\xc3", r"\xc3"), (b"\xc0\x80", r"\xc0\x80"), (b"\xed\xa0\x80", r"\xed\xa0\x80"),
                        (b"\xf4\x90\x80\x80", r"\xf4\x90\x80\x80"), (b"\xe2\x82x", r"\xe2\x82x")):
        (tmp_path / "out.pdf").write_bytes(run(TOOL, stdin=data).stdout)
        assert body(pdf_text(tmp_path / "out.pdf")) == [shown]


@needs_poppler
def test_words_are_not_broken_where_a_blank_is_near(tmp_path):
    """Nothing is lost, no word is in two; what has no blank is broken at the edge."""
    words_ = [f"word{'x' * (n % 23)}{n}" for n in range(120)]
    for blanks in (" ", "  ", "   "):
        (tmp_path / "out.pdf").write_bytes(run(TOOL, stdin=blanks.join(words_).encode()).stdout)
        text = pdf_text(tmp_path / "out.pdf")
        shown = text.split("page 1 of 1")[1].split("Keyroom")[0]
        assert shown.replace("\u00bb", " ").split() == words_
    long = "a " * 5 + "y" * 300
    (tmp_path / "out.pdf").write_bytes(run(TOOL, stdin=long.encode()).stdout)
    assert body(pdf_text(tmp_path / "out.pdf")) == [long]


def test_a_file_without_end_is_no_paper():
    done = run(TOOL, stdin=b"\n" * 200_000)
    assert done.returncode == 3 and done.stdout == b"" and b"more than 2000" in done.stderr


def test_as_text():
    assert run(TOOL, "--text", stdin=b"a\tb\r\n\xff\n").stdout == b"a       b\n\\xff\n"
    log = b"2026-11-22T05:30:00Z: [INFO] x\n"
    assert run(TOOL, "-T", "--log", stdin=log).stdout == b"x\n"
    assert run(TOOL, "--text", "--script", stdin=b"a\r\n\x1b[?1049hb\x1b[?1049l").stdout.decode() == (
        "a\n* [the alternate screen, as last seen:]\n| b\n* [end of the alternate screen]\n")
    assert run(TOOL, "--text", "--picture").returncode == 2


@needs_poppler
def test_hostile_names(tmp_path):
    for name in HOSTILE:
        (tmp_path / name).write_text("x\n")
        done = run(TOOL, "--", name, cwd=tmp_path)
        assert done.returncode == 0, (name, done.stderr)
        (tmp_path / "out.pdf").write_bytes(done.stdout)
        text = pdf_text(tmp_path / "out.pdf")
        assert "page 1 of 1" in text and "\x1b" not in text


def test_same_text_same_bytes(tmp_path):
    (tmp_path / "f").write_text("x\n")
    assert run(TOOL, tmp_path / "f").stdout == run(TOOL, tmp_path / "f").stdout


@needs_poppler
def test_rehearsal_is_on_every_page(tmp_path):
    (tmp_path / "rehearsal").write_text("")
    done = run(TOOL, stdin=b"x\n" * 60, env=environment(run=tmp_path))
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    assert pdf_text(tmp_path / "out.pdf").count("REHEARSAL") == 4
    assert b"REHEARSAL" not in run(TOOL, stdin=b"x").stdout


@needs_poppler
@pytest.mark.parametrize("marks", [["experiment"], ["rehearsal", "experiment"]])
def test_experiment_is_on_every_page(tmp_path, marks):
    """Beside the other, and with the longest title and most pages it would still fit."""
    for mark in marks:
        (tmp_path / mark).write_text("")
    done = run(TOOL, "--title", "W" * 80, stdin=b"x\n" * 60, env=environment(run=tmp_path))
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    text = pdf_text(tmp_path / "out.pdf")
    words = " ".join(mark.upper() for mark in marks)
    pages = re.findall(r"^[ \f]*(W+) +(\S.*?) +page (\d+) of (\d+)$", text, re.M)
    assert len(pages) == int(pages[0][3]) == 2
    for title, mark, *_ in pages:
        assert mark == words and len(f"{title} {mark}  page 2000 of 2000") <= 96
    assert len(re.findall(f"Keyroom .*{words}$", text, re.M)) == len(pages)


@pytest.mark.skipif(not shutil.which("qpdf"), reason="no qpdf")
def test_pdf_is_well_formed(tmp_path):
    (tmp_path / "out.pdf").write_bytes(run(TOOL, stdin=b"(x)\\\n" * 500).stdout)
    assert subprocess.run(["qpdf", "--check", tmp_path / "out.pdf"], check=False,
                          capture_output=True).returncode == 0


@pytest.mark.parametrize("argv,status", [
    (["absent"], 3), (["/dev/null"], 3), (["."], 3), (["a", "b"], 2), (["--paper", "a3", "-"], 2),
    (["--log", "--script", "-"], 2), (["--titel", "x"], 2), (["new\nline\x1b"], 3)])
def test_errors(argv, status):
    done = run(TOOL, *argv)
    assert done.returncode == status and done.stdout == b""
    assert done.stderr.startswith(b"text2pdf: ") and b"\x1b" not in done.stderr


def test_full_output():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([TOOL, "-"], stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, check=False)
    assert done.returncode == 5


@needs_poppler
@pytest.mark.parametrize("color,size", [(2, (40, 30)), (0, (40, 30)), (2, (40, 300)), (6, (40, 30))])
def test_picture_of_the_screen(tmp_path, color, size):
    data = png(*size, color)
    (tmp_path / "screen.png").write_bytes(data)
    done = run(TOOL, "--picture", tmp_path / "screen.png")
    assert done.returncode == 0, done.stderr
    (tmp_path / "out.pdf").write_bytes(done.stdout)
    digest = hashlib.sha256(data).hexdigest()
    text = pdf_text(tmp_path / "out.pdf")
    assert "screen.png" in text and "page 1 of 1" in text and digest in text
    assert "in the margin" not in text      # there are no lines
    assert text.split(digest)[1].split()[:32] == words(data)
    assert codes(pages_of(tmp_path / "out.pdf", tmp_path, 150)[0]) == [f"SHA256:{digest.upper()}"]
    # The very pixels, as another program takes them out of the PDF.
    subprocess.run(["pdfimages", tmp_path / "out.pdf", tmp_path / "image"], check=True)
    image, = tmp_path.glob("image-*")
    header, pixels = image.read_bytes().split(b"255\n", 1)
    assert header == b"P6\n%d %d\n" % size
    # What is half transparent is half white.
    assert pixels[:6] == {2: b"\x00\x00\x63\x05\x00\x63", 0: b"\0\0\0\5\5\5",
                          6: b"\xba\xba\xc4\xba\xba\xc4"}[color]
    shown = subprocess.run(["qpdf", "--check", tmp_path / "out.pdf"], capture_output=True, check=False)
    assert shown.returncode == 0, shown


@pytest.mark.parametrize("data", [
    b"", b"text\n", png()[:8], png()[:20], png()[:33], png()[:60], png(bits=16),
    png(interlace=1), png()[:8] + b"\xff" * 40, png()[:8] + png()[33:],
    png()[:16] + b"\0\0\0\0" + png()[20:], png()[:16] + b"\0\1\0\0" + png()[20:]])
def test_picture_that_cannot_be_printed_is_refused(tmp_path, data):
    (tmp_path / "screen.png").write_bytes(data)
    done = run(TOOL, "--picture", tmp_path / "screen.png")
    assert done.returncode == 3 and done.stdout == b"" and b"picture" in done.stderr, done


def test_only_one_kind_at_a_time(tmp_path):
    for pair in (["--log", "--script"], ["--log", "--picture"], ["--script", "--picture"]):
        assert run(TOOL, *pair).returncode == 2
