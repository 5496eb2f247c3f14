# SPDX-License-Identifier: ISC
"""pdftoprinter, the one filter between our pages and any printer: each kind of
printer gets the right number of sheets, in order, of the printer's own size,
and the code on them can be read.  A page cut off or a copy too few shows only
when everybody has signed."""
import hashlib
import re
import subprocess

import pytest

import raster
from ceremony_tools import BIN, LIB, ROOT, environment, run
from cups_room import codes, pages_of, pdf_text

FILTER = ROOT / "usr/lib/cups/filter/pdftoprinter"
PPD = LIB / "ps.ppd"
TEXT = "".join(f"line {n}\n" for n in range(60))
CODE = "SHA256:" + hashlib.sha256(TEXT.encode()).hexdigest().upper()


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    path = tmp_path_factory.mktemp("filter") / "pages.pdf"
    path.write_bytes(run(BIN / "text2pdf", stdin=TEXT.encode()).stdout)
    return path


@pytest.fixture
def ppd(tmp_path):
    """As CUPS writes it for a driverless printer."""
    path = tmp_path / "ppd"
    path.write_text('*DefaultPageSize: A4\n*DefaultResolution: 300x300dpi\n'
                    '*PaperDimension A4: "595.275590551181 841.889763779528"\n'
                    '*PaperDimension Letter: "612 792"\n')
    return path


def convert(kind, ppd, pdf, copies="1", options="", stdin=False):
    done = run(FILTER, "1", "root", "title", copies, options, *([] if stdin else [pdf]),
               stdin=pdf.read_bytes() if stdin else b"",
               env=environment(FINAL_CONTENT_TYPE=kind, PPD=ppd))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["image/pwg-raster", "image/urf"])
def test_pixels(kind, ppd, pdf, tmp_path):
    (tmp_path / "job").write_bytes(convert(kind, ppd, pdf, "2"))
    pages = raster.pages(tmp_path / "job", tmp_path)
    assert [page[1:] for page in pages] == [(300, 2480, 3508)] * 4
    assert all(codes(page[0]) == [CODE] for page in pages)
    images = [page[0].read_bytes() for page in pages]
    assert images[0] == images[2] != images[1] == images[3]


@pytest.mark.parametrize("options,size", [
    ("collate=true", (2480, 3508)), ("PageSize=Letter", (2550, 3300)),
    ("media=Letter,Upper collate=true", (2550, 3300)), ("media=L.*", (2480, 3508))])
def test_paper_is_what_was_asked_for_if_the_printer_has_it(options, size, ppd, pdf, tmp_path):
    (tmp_path / "job").write_bytes(convert("image/urf", ppd, pdf, "1", options))
    assert {page[2:] for page in raster.pages(tmp_path / "job", tmp_path)} == {size}


@pytest.mark.parametrize("stdin", [False, True])
def test_postscript(pdf, tmp_path, stdin):
    job = convert("application/postscript", PPD, pdf, "3", "PageSize=A4", stdin)
    assert job.startswith(b"%!PS") and b"LanguageLevel: 2" in job
    (tmp_path / "job.ps").write_bytes(job)
    subprocess.run(["ps2pdf", tmp_path / "job.ps", tmp_path / "job.pdf"], check=True)
    # A laser gets shapes of letters, not text: looked at as pictures.
    (tmp_path / "sheets").mkdir()
    sheets = pages_of(tmp_path / "job.pdf", tmp_path / "sheets", 150)
    shown = [path.read_bytes() for path in sheets]
    assert len(shown) == 6 and shown[:2] * 3 == shown and shown[0] != shown[1]
    assert [codes(sheet) for sheet in sheets] == [[CODE]] * 6
    info = subprocess.run(["pdfinfo", tmp_path / "job.pdf"], capture_output=True, check=True).stdout
    assert b"595 x 842" in info


def test_pcl(pdf):
    job = convert("application/vnd.hp-pcl", PPD, pdf, "3")
    assert b"\x1bE" in job[:100] and b"\x1b&l2A" in job[:200], "not PCL on Letter"
    assert job.count(b"\x1b*rB\x0c") == 6
    assert b"\x1b&l26A" in convert("application/vnd.hp-pcl", PPD, pdf, "1", "media=A4")[:200]


def test_pdf_carries_its_fonts_and_leaves_copies_to_the_printer(ppd, pdf, tmp_path):
    (tmp_path / "job.pdf").write_bytes(convert("application/pdf", ppd, pdf, "5"))
    assert re.findall(r"page (\d) of 2", pdf_text(tmp_path / "job.pdf")) == ["1", "2"]
    fonts = subprocess.run(["pdffonts", tmp_path / "job.pdf"], capture_output=True, text=True,
                           check=True).stdout.splitlines()[2:]
    assert fonts and all(re.search(r" yes (yes|no)  ?(yes|no) ", font) for font in fonts), fonts


@pytest.mark.parametrize("kind,content", [
    ("image/x-unknown", None), ("image/urf", b"no PDF\n"), ("application/postscript", b""),
    ("application/pdf", b"%!PS\n(/etc/hostname) (r) file 9 string readstring pop = showpage\n"),
    ("application/postscript", b"%PDF-1.4\n"), ("image/pwg-raster", b"%PDF-1.4\n1 0 obj\n<<")])
def test_what_cannot_be_printed_fails(kind, content, ppd, pdf, tmp_path):
    """And a program in PostScript is not run: it may come from a drive."""
    (tmp_path / "in.pdf").write_bytes(pdf.read_bytes() if content is None else content)
    done = run(FILTER, "1", "root", "title", "1", "", tmp_path / "in.pdf",
               env=environment(FINAL_CONTENT_TYPE=kind, PPD=ppd))
    assert done.returncode != 0, done
    assert done.stdout == b"" or content and content.startswith(b"%PDF")
