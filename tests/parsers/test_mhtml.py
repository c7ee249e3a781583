"""Web archives, as Word, Excel and browsers save a page with all it shows in one file (often named .doc or .xls)."""

from __future__ import annotations

import base64
import quopri

import pytest

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers import html
from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.readers import mhtml
from parsers.reading import read

PRINTED = lay_out(draw_report("web archive", year=2022, mode="distinct"))
PAGE = html.write(PRINTED)
HEADS = {
    "Word": "MIME-Version: 1.0\r\n",
    "a browser": "From: <Saved by Blink>\r\nSnapshot-Content-Location: http://a.example/\r\nMIME-Version: 1.0\r\n",
    "an old browser": 'From: "由浏览器保存"\r\nSubject: =?gb2312?B?xOqxqA==?=\r\nDate: Tue, 1 Feb 2022\r\n',
}
CODED = {
    "quoted-printable": quopri.encodestring,
    "base64": base64.encodebytes,
    "8bit": bytes,
}


def archive(*pages: bytes, how: str = "quoted-printable", head: str = HEADS["Word"], end: bytes = b"--") -> bytes:
    """An archive of pages and of a list of files, each part in the transfer encoding `how`."""
    typed = head + 'Content-Type: multipart/related;\r\n\ttype="text/html";\r\n\tboundary="----=_Part_01"\r\n\r\n'
    parts = [("text/html", page) for page in pages] + [("text/xml", b"<xml>1</xml>")]
    written = b"".join(
        f"\r\n------=_Part_01\r\nContent-Location: file:///C:/{number}.htm\r\nContent-Transfer-Encoding: {how}\r\n"
        f'Content-Type: {kind}; charset="gb2312"\r\n\r\n'.encode()
        + CODED[how](part)
        for number, (kind, part) in enumerate(parts)
    )
    return typed.encode() + written + b"\r\n------=_Part_01" + end + b"\r\n"


@pytest.mark.parametrize("how", CODED)
@pytest.mark.parametrize("head", HEADS)
def test_a_report_in_a_web_archive_is_read_whole(head: str, how: str) -> None:
    reading = read(archive(PAGE, how=how, head=HEADS[head]), name="年报.doc")
    assert (reading.media_type, reading.kind, reading.form) == (sniff.MHTML, "annual_report", "2021")
    assert {fact.cell: (fact.value, fact.confidence) for fact in reading.facts} == {
        cell: (expected.value, 1.0) for cell, expected in PRINTED.truth.items()
    }
    assert reading.findings == ()


def test_gbk_in_a_web_archive_is_read() -> None:
    page = "<html><body><p>青石县年度报告</p></body></html>".encode("gb18030")
    assert [block.text for block in mhtml.read(archive(page)).blocks] == ["青石县年度报告"]


def test_of_several_pages_the_longest_is_read_and_the_others_tables_are_named() -> None:
    frame, sheet = b"<html><frameset></frameset></html>", b"<html><table><tr><td>1<td>2</table></html>"
    reading = read(archive(frame, PAGE, sheet))
    assert reading.form == "2021"
    assert [finding.code for finding in reading.findings] == ["further_page"]


def test_a_web_archive_without_its_end_says_so() -> None:
    assert [finding.code for finding in mhtml.read(archive(PAGE, end=b"")).findings] == ["cut_off"]
    assert "cut_off" in [finding.code for finding in mhtml.read(archive(PAGE)[:9000]).findings]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n<html><p>1</p></html>", "damaged"),
        (archive(), "empty"),
        (archive(b"  "), "empty"),
    ],
)
def test_a_web_archive_without_pages_is_refused(data: bytes, code: str) -> None:
    assert sniff.media_type(data) == sniff.MHTML
    with pytest.raises(UnreadableDocumentError) as refused:
        mhtml.read(data)
    assert refused.value.code == code
