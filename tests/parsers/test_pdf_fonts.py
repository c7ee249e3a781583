"""Fonts that a PDF names and does not hold: what is read does not hang on the machine's, what is drawn shows them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from parsers.model import Document, Grid
from parsers.readers import pdf as reader
from parsers.readers import pdf_fonts, pdf_page, scan_pages

ROWS = [["项目", "甲", "12"], ["予以公开", "3", "无"], ["x", "450", "7"]]
LATIN_ROWS = [["Item", "a", "12"], ["i", "3", "WWW"], ["x", "450", "7"]]
WIDTHS = (120, 60, 60)

DESCRIPTOR = b"/FontDescriptor << /Type /FontDescriptor /FontName /%s /Flags %d /FontBBox [-25 -254 1000 880]"
DESCRIPTOR += b" /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>"
GB1 = b"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >>"
IDENTITY = b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
TO_UNICODE = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
1 beginbfrange <0000> <FFFF> <0000> endbfrange endcmap end end"""


def _wide(kind: bytes, encoding: bytes, more: bytes) -> bytes:
    """A font of two bytes a character, named and not held."""
    inner = b"<< /Type /Font /Subtype /%s /BaseFont /SimSun %s >>" % (kind, more)
    outer = b"<< /Type /Font /Subtype /Type0 /BaseFont /SimSun /Encoding /%s /DescendantFonts [%s] /ToUnicode 5 0 R >>"
    return (outer if b"Identity" in encoding else outer.replace(b" /ToUnicode 5 0 R", b"")) % (encoding, inner)


def _ucs2(text: str) -> bytes:
    return text.encode("utf-16-be")


def _gbk(text: str) -> bytes:
    return text.encode("gbk")


SIMSUN = DESCRIPTOR % (b"SimSun", 4)
FONTS = {
    "named encoding, widths": (
        _wide(b"CIDFontType0", b"UniGB-UCS2-H", GB1 + SIMSUN + b"/DW 1000 /W [1 95 500]"),
        _ucs2,
    ),
    "named encoding, no widths": (_wide(b"CIDFontType0", b"UniGB-UCS2-H", GB1 + SIMSUN), _ucs2),
    "no descriptor": (_wide(b"CIDFontType0", b"UniGB-UCS2-H", GB1), _ucs2),
    "gbk": (_wide(b"CIDFontType2", b"GBK-EUC-H", GB1 + SIMSUN + b"/DW 1000 /W [814 939 500]"), _gbk),
    "glyph numbers": (_wide(b"CIDFontType2", b"Identity-H", IDENTITY + SIMSUN + b"/CIDToGIDMap /Identity"), _ucs2),
    "no glyph numbers": (_wide(b"CIDFontType2", b"Identity-H", IDENTITY + SIMSUN), _ucs2),
    "one byte": (
        b"<< /Type /Font /Subtype /TrueType /BaseFont /#CB#CE#CC#E5 /Encoding /WinAnsiEncoding %s >>" % SIMSUN,
        _gbk,
    ),
}
LATIN = {
    "standard": b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    "standard, another name": b"<< /Type /Font /Subtype /TrueType /BaseFont /Arial /Encoding /WinAnsiEncoding >>",
    "no widths": b"<< /Type /Font /Subtype /TrueType /BaseFont /QingshiSans /Encoding /WinAnsiEncoding %s >>"
    % (DESCRIPTOR % (b"QingshiSans", 32)),
    "no widths, symbolic": b"<< /Type /Font /Subtype /TrueType /BaseFont /QingshiSans %s >>"
    % (DESCRIPTOR % (b"QingshiSans", 4)),
    "type 1": b"<< /Type /Font /Subtype /Type1 /BaseFont /QingshiSans /Encoding /WinAnsiEncoding %s >>"
    % (DESCRIPTOR % (b"QingshiSans", 32)),
    "no descriptor": b"<< /Type /Font /Subtype /Type1 /BaseFont /QingshiSans /Encoding /WinAnsiEncoding >>",
}


def _ruled(font: bytes, rows: list[list[str]], encode: Callable[[str], bytes]) -> bytes:
    """One page, one table; each cell's text is drawn by itself in the only font there is."""
    lines, y = [], 700
    for row in rows:
        x = 100
        for width, text in zip(WIDTHS, row, strict=True):
            lines.append(b"%d %d %d 24 re S" % (x, y, width))
            lines.append(b"BT /F1 12 Tf %d %d Td <%s> Tj ET" % (x + 20, y + 8, encode(text).hex().encode()))
            x += width
        y -= 24
    content = b"\n".join(lines)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 6 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(TO_UNICODE), TO_UNICODE),
        font,
    ]
    data, places = b"%PDF-1.6\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def _cells(document: Document) -> list[list[str]]:
    (grid,) = [block for block in document.blocks if isinstance(block, Grid)]
    found: dict[int, list[str]] = {}
    for cell in grid.cells:
        found.setdefault(cell.row, []).append(cell.text)
    return list(found.values())


@pytest.mark.parametrize("font", FONTS)
def test_chinese_in_a_font_that_is_not_held_is_read(font: str) -> None:
    described, encode = FONTS[font]
    assert _cells(reader.read(_ruled(described, ROWS, encode))) == ROWS


@pytest.mark.parametrize("font", LATIN)
def test_letters_and_digits_in_a_font_that_is_not_held_are_read(font: str) -> None:
    assert _cells(reader.read(_ruled(LATIN[font], LATIN_ROWS, str.encode))) == LATIN_ROWS


def test_a_character_stands_where_the_document_says_whatever_fonts_the_machine_has() -> None:
    described, encode = FONTS["named encoding, widths"]
    with closing(pdfium.PdfDocument(_ruled(described, [["溪", "1", "8"]], encode))) as document:
        found = pdf_page.load(document, 0).characters
    assert found.text == "溪18"
    assert found.left == pytest.approx([120, 240, 300])
    assert found.right == pytest.approx([132, 246, 306])
    assert found.top == pytest.approx([842 - 708 - 10.56] * 3)
    assert found.bottom == pytest.approx([842 - 708 + 1.44] * 3)


DRAW = """
import hashlib, sys
import pypdfium2
data = open(sys.argv[1], "rb").read()
def draw(document):
    print(hashlib.sha256(document[0].render().to_pil().tobytes()).hexdigest())
if sys.argv[2] == "alone":
    draw(pypdfium2.PdfDocument(data))
else:
    from parsers.readers import pdf, pdf_fonts
    for step in sys.argv[2].split(","):
        if step == "read":
            print(hashlib.sha256(repr(pdf.read(data)).encode()).hexdigest())
        elif step == "draw":
            with pdf.opened(data) as document:
                draw(document)
        elif step == "open":
            with pdf.opened(data):
                pass
        else:
            print(pdf_fonts._machine.cache_info().currsize)
"""


def _run(path: Path, steps: str) -> list[str]:
    command = [sys.executable, "-c", DRAW, str(path), steps]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_drawing_shows_the_machines_fonts_and_neither_it_nor_reading_changes_the_other(tmp_path: Path) -> None:
    path = tmp_path / "named.pdf"
    path.write_bytes(_ruled(*(FONTS["named encoding, widths"][0], ROWS, _ucs2)))
    (alone,) = _run(path, "alone")
    read, unasked, *drawn, again = _run(path, "read,asked,draw,draw,read")
    assert unasked == "0", "reading looked for the machine's fonts"
    assert drawn == [alone, alone]
    first, after, last = _run(path, "draw,read,draw")
    assert (first, last) == (alone, alone)
    assert _run(path, "open,read,draw") == [read, alone]
    assert {read, again, after} == {read}


def test_a_page_read_as_a_picture_is_drawn_with_the_machines_fonts() -> None:
    pytest.importorskip("numpy")
    data = _ruled(FONTS["named encoding, widths"][0], ROWS, _ucs2)
    reader.read(data)
    picture, _ = scan_pages.of_pdf(data, 0)
    with closing(pdfium.PdfDocument(data)) as document, closing(document[0]) as page:
        boxes = page.render(scale=scan_pages.DPI / 72).to_numpy()[:, :, 2]
    with pdf_fonts.of_the_machine(), closing(pdfium.PdfDocument(data)) as document, closing(document[0]) as page:
        glyphs = page.render(scale=scan_pages.DPI / 72).to_numpy()[:, :, 2]
    assert (picture == glyphs).all()
    assert not (picture == boxes).all()
