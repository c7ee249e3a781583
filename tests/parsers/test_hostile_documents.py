"""Damaged documents and archives: whatever bytes come, a document or a refusal comes out."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers import html, ofd, sheet
from crawler.replica.writers.packed import write_rar, write_zip
from parsers.errors import UnreadableDocumentError
from parsers.model import Document
from parsers.readers import archive, read_document
from parsers.reading import read

FIXTURES = Path(__file__).parents[1] / "fixtures" / "documents"
EXAMPLES = int(os.environ.get("GONGKAI_EXAMPLES", "0"))
PRINTED = lay_out(draw_report("hostile", year=2022))
DOCUMENTS = {
    "doc": (FIXTURES / "doc-marks" / "input.doc").read_bytes(),
    "odt": (FIXTURES / "odt-report" / "input.odt").read_bytes(),
    "xls": sheet.write_xls(PRINTED),
    "xlsx": sheet.write_xlsx(PRINTED),
    "excel-xml": (FIXTURES / "excel-xml" / "input.xls").read_bytes(),
    "ods": sheet.write_ods(PRINTED),
    "fods": (FIXTURES / "fods-report" / "input.fods").read_bytes(),
    "ofd": ofd.write(PRINTED),
}
ARCHIVES = {
    "zip": write_zip([("年报.html", html.write(PRINTED)), ("内.rar", write_rar([("a.txt", b"text")]))]),
    "rar": write_rar([("年报.html", html.write(PRINTED)), ("a.txt", b"text")]),
    "mail": (FIXTURES / "mail-report" / "input.eml").read_bytes(),
    "gzip": gzip.compress(html.write(PRINTED), mtime=0),
}
ENTRIES = {
    "xl/worksheets/sheet1.xml": DOCUMENTS["xlsx"],
    "content.xml": DOCUMENTS["ods"],
    "Doc_0/Pages/Page_0/Content.xml": DOCUMENTS["ofd"],
}


def everyday(examples: int):
    return settings(
        max_examples=EXAMPLES or examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )


def is_handled(data: bytes) -> bool:
    try:
        return isinstance(read_document(data), Document)
    except UnreadableDocumentError as error:
        return bool(error.code and error.message)


def damaged(whole: bytes, draw: st.DataObject) -> bytes:
    """Some places overwritten, more often near the start, where headers and directories stand; perhaps cut."""
    data = bytearray(whole)
    for _ in range(draw.draw(st.integers(1, 12))):
        reach = draw.draw(st.sampled_from([600, 4096, len(data)]))
        at = draw.draw(st.integers(0, max(0, min(reach, len(data)) - 1)))
        patch = draw.draw(
            st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f"]))
        )
        data[at : at + len(patch)] = patch
    return bytes(data[: draw.draw(st.integers(0, len(data)))] if draw.draw(st.booleans()) else data)


@pytest.mark.parametrize("kind", DOCUMENTS)
@everyday(60)
@given(data=st.data())
def test_a_damaged_document_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    assert is_handled(damaged(DOCUMENTS[kind], data))


@pytest.mark.parametrize("kind", ARCHIVES)
@everyday(60)
@given(data=st.data())
def test_a_damaged_archive_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    whole = damaged(ARCHIVES[kind], data)
    try:
        archive.members(whole)
    except UnreadableDocumentError as error:
        assert error.code
    assert read(whole).media_type


@pytest.mark.parametrize("kind", [*DOCUMENTS, *ARCHIVES])
def test_a_file_cut_anywhere_is_read_or_refused(kind: str) -> None:
    whole = {**DOCUMENTS, **ARCHIVES}[kind]
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        assert read(whole[:length]).media_type


@pytest.mark.parametrize("entry", ENTRIES)
@everyday(60)
@given(data=st.data())
def test_damaged_xml_in_a_sound_package_is_read_or_refused(entry: str, data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(ENTRIES[entry])) as source:
        members = [(name, source.read(name)) for name in source.namelist()]
    changed = [(name, damaged(body, data) if name == entry else body) for name, body in members]
    assert is_handled(write_zip(changed, encoding="utf-8"))


@everyday(80)
@given(path=st.text("MLQBACS 0123456789.-e", max_size=60), delta=st.text("g 0123456789.-e", max_size=40))
def test_any_path_and_any_steps_do_no_harm(path: str, delta: str) -> None:
    body = (
        f'<Page><Content><Layer><PathObject Boundary="{delta}"><AbbreviatedData>{path}</AbbreviatedData></PathObject>'
        f'<TextObject Boundary="{path}" Size="4" CTM="{delta}"><TextCode X="1" Y="1" DeltaX="{delta}" DeltaY="{path}">'
        "年度报告</TextCode></TextObject></Layer></Content></Page>"
    )
    root = "<OFD><DocBody><DocRoot>D.xml</DocRoot></DocBody></OFD>"
    pages = '<Document><Pages><Page BaseLoc="P.xml"/></Pages></Document>'
    assert is_handled(write_zip([("OFD.xml", root.encode()), ("D.xml", pages.encode()), ("P.xml", body.encode())]))
