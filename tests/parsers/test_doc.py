"""Word 97–2003: rows in order, marks and deleted text, and what only another program can read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Finding, Grid, Paragraph, ReadingError
from parsers.readers import doc, doc_marks, read_document
from parsers.reading import read

FIXTURES = Path(__file__).parents[1] / "fixtures" / "documents"
WORD_HEADER = b"\xec\xa5"
# Offset of the flags in the header of the WordDocument stream; bit 8 says that the document is encrypted.
FLAGS = 10


def fixture(name: str) -> bytes:
    return next((FIXTURES / name).glob("input.*")).read_bytes()


def expected(name: str):
    return json.loads((FIXTURES / name / "expected.json").read_text("utf-8"))


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableDocumentError) as refused:
        read_document(data)
    return refused.value.code


def tree(*elements: dict, warnings: tuple[str, ...] = ()) -> dict:
    return {"metadata": {"warnings": list(warnings)}, "sections": [{"elements": list(elements)}]}


def words(text: str) -> dict:
    return {"type": "paragraph", "content": [{"type": "text", "text": text}]}


def rows(*texts: list[str]) -> dict:
    return {"type": "table", "rows": [{"cells": [{"content": [words(cell)]} for cell in row]} for row in texts]}


def read_tree(monkeypatch: pytest.MonkeyPatch, told: dict) -> Document:
    monkeypatch.setattr(doc, "_tree", lambda data: told)
    return doc.read(b"")


def test_a_report_is_read_whole() -> None:
    want, reading = expected("doc-report"), read(fixture("doc-report"))
    assert {fact.cell: fact.value and float(fact.value) for fact in reading.facts} == want["facts"]
    assert {fact.confidence for fact in reading.facts} == {1.0}
    assert (reading.form, reading.report_year, reading.agency) == (want["form"], want["report_year"], want["agency"])
    assert reading.title == want["title"]


def test_properties_in_utf8_are_readable() -> None:
    assert read_document(fixture("doc-report")).title == expected("doc-report")["title"]


@pytest.mark.parametrize(("text", "repaired"), [("Äê±¨", "年报"), ("a", "a"), ("年报", "年报"), ("\xff", "\xff")])
def test_properties_that_come_a_character_for_each_byte_are_repaired(text: str, repaired: str) -> None:
    assert doc._repaired(text) == repaired


def test_marks_hidden_and_deleted_text_and_boxes() -> None:
    document = read_document(fixture("doc-marks"))
    paragraphs = [block.text for block in document.blocks if isinstance(block, Paragraph)]
    assert paragraphs == expected("doc-marks")["paragraphs"]
    assert [finding.code for finding in document.findings] == expected("doc-marks")["findings"]


def test_marks_are_seen_on_whichever_page_of_the_file_they_are_noted() -> None:
    document = read_document(fixture("doc-many-marks"))
    (grid,) = [block for block in document.blocks if isinstance(block, Grid)]
    texts = [cell.text for cell in grid.cells]
    assert [list(row) for row in zip(texts[::2], texts[1::2], strict=True)] == expected("doc-many-marks")["rows"]
    assert [finding.code for finding in document.findings] == expected("doc-many-marks")["findings"]


def test_what_is_not_shown_is_written_over_in_a_copy_as_long() -> None:
    data = fixture("doc-many-marks")
    shown, left_out = doc_marks.shown(data)
    assert len(shown) == len(data) and shown != data
    assert left_out["deleted_text"] == 12
    assert doc_marks.shown(fixture("doc-report")) == (fixture("doc-report"), {})


def test_a_doc_whose_marks_cannot_be_followed_is_left_as_it_is_or_as_long() -> None:
    whole = fixture("doc-many-marks")
    for place in range(0, len(whole), 97):
        for damage in (b"\xff\xff\xff\xff", b"\0\0\0\0"):
            data = whole[:place] + damage + whole[place + 4 :]
            assert len(doc_marks.shown(data)[0]) == len(data)
        assert len(doc_marks.shown(whole[:place])[0]) == place


def test_a_cell_is_found_by_table_row_and_column() -> None:
    grids = [block for block in read_document(fixture("doc-marks")).blocks if isinstance(block, Grid)]
    assert [(cell.text, cell.locator) for cell in grids[0].cells][3:5] == [
        ("乙", "table=1;row=2;column=1"),
        ("7", "table=1;row=2;column=2"),
    ]


def test_tables_with_nothing_between_them_are_one_whose_columns_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    document = read_tree(monkeypatch, tree(rows(["甲", "1"]), rows(["", "乙", "2"]), words("文"), rows(["丙", "3"])))
    grids = [block for block in document.blocks if isinstance(block, Grid)]
    assert [[(cell.row, cell.text) for cell in grid.cells] for grid in grids] == [
        [(0, "甲"), (0, "1"), (1, ""), (1, "乙"), (1, "2")],
        [(0, "丙"), (0, "3")],
    ]
    assert not any(grid.columns_known for grid in grids)


@pytest.mark.parametrize(
    ("told", "codes"),
    [
        (tree(words("青禾区2022年政府信息公开工作年度报告"), words("文")), ["needs_conversion"]),
        (tree(words("关于召开会议的通知")), []),
        # Pictures may be its pages, which are read from the docx that LibreOffice makes of it.
        (tree(words("扫描件"), {"type": "image"}, {"type": "image"}), ["pictures_not_read", "needs_conversion"]),
        (tree(words("会议在青禾区召开。" * 20), {"type": "image"}), ["pictures_not_read"]),
        (tree(rows(["甲", "1"]), {"type": "image"}), []),
        (tree(words("政府信息公开年报"), rows(["甲", "1"])), []),
        (
            tree(
                words("政府信息公开年报"),
                rows(["甲", "1"]),
                warnings=("1 table(s) containing nested tables were flattened",),
            ),
            ["nested_tables", "needs_conversion"],
        ),
    ],
)
def test_a_report_whose_tables_were_not_seen_asks_for_another_program(monkeypatch, told, codes) -> None:
    assert [finding.code for finding in read_tree(monkeypatch, told).findings] == codes


def test_a_document_that_says_it_is_encrypted_is() -> None:
    data = bytearray(fixture("doc-report"))
    data[data.index(WORD_HEADER) + FLAGS + 1] |= 0x01
    assert refusal(bytes(data)) == "encrypted"


def test_a_cut_file_is_damaged() -> None:
    assert refusal(fixture("doc-cut")) == expected("doc-cut")["error"]


def test_more_cells_than_a_report_has_are_too_complex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doc, "MAX_CELLS", 100)
    assert refusal(fixture("doc-report")) == "too_complex"


def test_a_panic_of_the_library_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def panic(data: bytes) -> dict:
        raise PanicException("index out of bounds")

    monkeypatch.setattr(doc, "_tree", panic)
    assert refusal(fixture("doc-report")) == "damaged"


def test_an_interrupt_is_no_panic(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(data: bytes) -> dict:
        raise KeyboardInterrupt

    monkeypatch.setattr(doc, "_tree", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_document(fixture("doc-report"))


def test_what_was_converted_is_read_in_place_of_what_asked_for_it() -> None:
    rtf = rb"{\rtf1 x}"
    reading = read(rtf, converted={rtf: fixture("doc-report")})
    assert (reading.media_type, reading.form, reading.error) == ("application/rtf", "2021", None)


def test_why_nothing_was_converted_is_the_documents_error() -> None:
    rtf = rb"{\rtf1 x}"
    why = ReadingError("libreoffice_missing", "not here")
    assert read(rtf, converted={rtf: why}).error == why
    assert read(rtf).error == ReadingError(
        "needs_conversion", "application/rtf is read by way of LibreOffice, which has not been asked"
    )


def test_a_document_that_could_be_read_in_part_is_kept_when_conversion_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    data = fixture("doc-report")
    monkeypatch.setattr(doc, "_tree", lambda _: tree(words("青禾区2022年政府信息公开工作年度报告")))
    reading = read(data, converted={data: ReadingError("libreoffice_missing", "not here")})
    assert reading.title == "青禾区2022年政府信息公开工作年度报告"
    assert Finding("libreoffice_missing", "not here") in reading.findings


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (rb"{\rtf1 {\b x}}", "needs_conversion"),
        (rb"{\rtf1 {\b x", "damaged"),
        (rb"{\rtf1 \{ text \} }" + b"\0\0\n", "needs_conversion"),
        (rb"{\rtf1 \bin3 {{{}", "needs_conversion"),
    ],
)
def test_a_cut_rtf_is_told_from_a_whole_one(data: bytes, code: str) -> None:
    assert refusal(data) == code


WORD_XML = (
    b'<?xml version="1.0"?><?mso-application progid="Word.Document"?>'
    b'<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:body><w:p/></w:body>'
    b"</w:wordDocument>\n"
)


@pytest.mark.parametrize(("data", "code"), [(WORD_XML, "needs_conversion"), (WORD_XML[:-20], "damaged")])
def test_a_cut_xml_of_word_2003_is_told_from_a_whole_one(data: bytes, code: str) -> None:
    assert refusal(data) == code


@pytest.mark.parametrize("kind", ["fodt", "uot"])
def test_texts_that_are_one_xml_file_ask_for_conversion_unless_they_are_cut(kind: str) -> None:
    assert refusal(fixture(f"{kind}-report")) == "needs_conversion"
    assert refusal(fixture(f"{kind}-cut")) == "damaged"


@pytest.mark.parametrize("name", ["fodt-report", "uot-report"])
def test_no_other_program_is_given_entities_to_follow(name: str) -> None:
    declared, rest = fixture(name).split(b"\n", 1)
    kinds = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    assert refusal(declared + kinds + rest) == "unsupported"


def test_odt_asks_for_conversion_unless_it_is_cut_or_locked() -> None:
    assert refusal(fixture("odt-report")) == "needs_conversion"
    error = read(fixture("odt-cut")).error
    assert error is not None
    assert error.code == expected("odt-cut")["error"]
