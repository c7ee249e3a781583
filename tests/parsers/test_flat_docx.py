"""Word documents as one XML file, as programs of offices fill them in."""

from __future__ import annotations

import base64
import io
import re
import zipfile

import pytest

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers import docx
from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.readers import flat_docx
from parsers.reading import read

PRINTED = lay_out(draw_report("flat", year=2022, mode="distinct"))
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<?mso-application progid="Word.Document"?>'


def flat(package: bytes) -> bytes:
    parts = []
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith((".xml", ".rels")):
                markup = re.sub(r"<\?xml.*?\?>", "", content.decode(), count=1)
                held = f"<pkg:xmlData>{markup}</pkg:xmlData>"
            else:
                held = f"<pkg:binaryData>{base64.encodebytes(content).decode()}</pkg:binaryData>"
            parts.append(f'<pkg:part pkg:name="/{name}">{held}</pkg:part>')
    namespace = "http://schemas.microsoft.com/office/2006/xmlPackage"
    return f'{HEAD}<pkg:package xmlns:pkg="{namespace}">{"".join(parts)}</pkg:package>'.encode()


def test_a_report_in_one_xml_file_is_read_whole() -> None:
    reading = read(flat(docx.write(PRINTED)), name="年报.doc")
    assert (reading.media_type, reading.form, reading.findings) == (sniff.FLAT_DOCX, "2021", ())
    assert {fact.cell: (fact.value, fact.confidence) for fact in reading.facts} == {
        cell: (expected.value, 1.0) for cell, expected in PRINTED.truth.items()
    }


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_one_that_is_cut_is_damaged(share: float) -> None:
    data = flat(docx.write(PRINTED))
    with pytest.raises(UnreadableDocumentError) as refused:
        flat_docx.read(data[: int(len(data) * share)])
    assert refused.value.code == "damaged"


def test_parts_that_are_none_and_parts_that_come_twice_do_no_harm() -> None:
    data = flat(docx.write(PRINTED)).replace(
        b"</pkg:package>",
        b'<pkg:part/><pkg:part pkg:name="/x"/>'
        b'<pkg:part pkg:name="/x"><pkg:binaryData>\xc3\xa9</pkg:binaryData></pkg:part>'
        b"</pkg:package>",
    )
    assert read(data).form == "2021"
