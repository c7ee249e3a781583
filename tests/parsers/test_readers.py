"""All readers together: the right one is picked, and damage never ends in anything but a document or a refusal."""

from __future__ import annotations

import importlib
import inspect

import pytest
from drawn_pdf import Drawn, pdf, plain, table, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written_docx import docx, p, tbl, tc, tr

from parsers import readers
from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Grid
from parsers.readers import READERS, Format, read_document

ROWS = [["规章", "3", "0"], ["行政规范性文件", "", "12"], ["行政许可", "1,206", "/"]]
PAGE = (
    "<html><head><meta name=PubDate content=2024-01-17><title>青石县</title></head><body><h1>年度报告</h1><table>"
    + "".join("<tr>" + "".join(f"<td rowspan=1><p>{cell}</p></td>" for cell in row) + "</tr>" for row in ROWS)
    + "</table><p>完。</p></body></html>"
)
GOOD = {
    "html": PAGE.encode(),
    "gbk html": PAGE.encode("gb18030"),
    "docx": docx(p("年度报告") + tbl(*[tr(*[tc(cell) for cell in row]) for row in ROWS])),
    "pdf": pdf(
        lambda page: table(page, [*plain(ROWS), Drawn("总计", 3, 0, 1, 3)], widths=(120, 60, 60)),
        lambda page: text(page, 80, 80, "完。"),
    ),
}


TAGS = (
    *("<table>", "</table>", "<tr>", "</tr>", "<td rowspan=3>", "<td colspan=2>", "<td colspan=9999>", "</td>"),
    *("<div>", "</div>", "</p>", "<br>", "<tbody>", "<tfoot>", "<caption>", "<pre>", "<sup>", "<h2>", "甲", "1"),
)


def is_handled(data: bytes) -> bool:
    """Whether a document or a refusal with a code and a message comes of `data`; anything else is raised."""
    try:
        return isinstance(read_document(data), Document)
    except UnreadableDocumentError as error:
        return bool(error.code and error.message)


@pytest.mark.parametrize("kind", GOOD)
def test_the_same_rows_come_out_of_every_format(kind: str) -> None:
    document = read_document(GOOD[kind], name="报告.bin")
    (grid,) = [block for block in document.blocks if isinstance(block, Grid)]
    found: dict[int, list[str]] = {}
    for cell in grid.cells:
        found.setdefault(cell.row, []).append(cell.text)
    assert list(found.values())[:3] == ROWS


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "empty", id="no bytes"),
        pytest.param(b"\0" * 500, "empty", id="only NULs"),
        pytest.param(b"Rar!\x1a\x07\x01\x00", "unsupported", id="rar"),
        pytest.param(b"{\\rtf1 x}", "needs_conversion", id="rtf"),
        pytest.param(b"{\\rtf1 {x}", "damaged", id="cut rtf"),
        pytest.param(b"%PDF-1.4\njunk", "damaged", id="pdf in name only"),
        pytest.param(b"PK\x03\x04" + bytes(26) + b"word/document.xml", "unsupported", id="zip in name only"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, code: str) -> None:
    with pytest.raises(UnreadableDocumentError) as refused:
        read_document(data)
    assert refused.value.code == code


def test_an_unsupported_kind_is_named() -> None:
    with pytest.raises(UnreadableDocumentError, match=r"application/vnd\.rar.*no reader yet"):
        read_document(b"Rar!\x1a\x07\x01\x00")


def test_a_file_above_its_formats_limit_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(readers.READERS, "text/html", Format("parsers.readers.html", 100))
    with pytest.raises(UnreadableDocumentError) as refused:
        read_document(PAGE.encode())
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("kind", sorted(READERS))
def test_every_registered_format_has_a_reader_of_bytes(kind: str) -> None:
    read = importlib.import_module(READERS[kind].module).read
    assert next(iter(inspect.signature(read).parameters)) == "data"


@pytest.mark.parametrize("kind", GOOD)
def test_a_file_cut_anywhere_is_read_or_refused(kind: str) -> None:
    data = GOOD[kind]
    assert all(is_handled(data[:length]) for length in range(0, len(data), max(1, len(data) // 97)))


@pytest.mark.parametrize("kind", GOOD)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(GOOD[kind])
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=8))
        damaged = damaged or bytearray(b"x")
    assert is_handled(bytes(damaged))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from([b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b"<table><tr>", b"\xff\xfe"]), st.binary())
def test_any_bytes_are_read_or_refused(start: bytes, rest: bytes) -> None:
    assert is_handled(start + rest)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(TAGS),
        max_size=60,
    )
)
def test_tag_soup_is_read(pieces: list[str]) -> None:
    assert is_handled(("<html>" + "".join(pieces)).encode())


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("report.pdf", b"<html><body><form>login</form></body></html>", "type_mismatch"),
        ("http://a.example/attach/report.PDF?t=1", b"<!doctype html><html><body>x</body></html>", "type_mismatch"),
        ("report.docx", b"not a zip", "type_mismatch"),
    ],
)
def test_text_behind_a_name_that_promises_a_container_is_an_error(name: str, data: bytes, code: str) -> None:
    with pytest.raises(UnreadableDocumentError) as caught:
        read_document(data, name=name)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["report.doc", "page.html", "http://a.example/view.jsp?file=a.pdf", ""])
def test_a_page_under_a_name_that_promises_nothing_is_read(name: str) -> None:
    assert read_document(b"<html><body><p>words</p></body></html>", name=name).media_type == "text/html"
