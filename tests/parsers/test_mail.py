"""Mails: what they say and what is attached to them, as the members of an archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers import docx
from crawler.replica.writers.packed import write_mail, write_zip
from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.readers import archive, mime
from parsers.readers.archive import members
from parsers.reading import read

FIXTURES = Path(__file__).parents[1] / "fixtures" / "documents"
PRINTED = lay_out(draw_report("mail", year=2022, mode="distinct"))
REPORT = docx.write(PRINTED)


def mail(*lines: str, kind: str = "multipart/mixed; boundary=b") -> bytes:
    head = ["Received: from a", "From: a@example.cn", "MIME-Version: 1.0", f"Content-Type: {kind}", ""]
    return "\r\n".join([*head, *lines]).encode("gb18030")


def found(data: bytes) -> list[tuple[str, bytes]]:
    return [(member.name, member.data) for member in members(data).members]


def test_a_report_attached_to_a_mail_is_read() -> None:
    reading = read(write_mail([("年报.docx", REPORT)]), name="年报.eml")
    assert (reading.media_type, reading.kind, reading.form, reading.findings) == (
        sniff.MAIL,
        "annual_report",
        "2021",
        (),
    )
    assert {fact.cell: fact.value for fact in reading.facts} == {c: e.value for c, e in PRINTED.truth.items()}
    assert reading.facts[0].locator == "member=年报.docx;table=1;row=3;column=2"


def test_a_report_that_the_mail_itself_is_is_read() -> None:
    """As a mail program of an office saved it: what it says, as a page with a picture, and in no words of ASCII."""
    reading = read((FIXTURES / "mail-report" / "input.eml").read_bytes())
    assert {fact.locator: fact.raw for fact in reading.facts if fact.locator} == {
        "member=正文.html;table=1;row=2;column=2": "3",
        "member=正文.html;table=1;row=2;column=3": "",
        "member=正文.html;table=1;row=2;column=4": "41",
        "member=正文.html;table=1;row=3;column=2": "0",
        "member=正文.html;table=1;row=3;column=3": "/",
        "member=正文.html;table=1;row=3;column=4": "26",
    }


def test_a_mail_that_was_cut_off_says_so() -> None:
    data = (FIXTURES / "mail-cut" / "input.eml").read_bytes()
    assert [finding.code for finding in members(data).findings] == ["damaged_archive"]
    assert [name for name, _ in found(data)] == ["正文.html"]
    whole = write_mail([("年报.docx", REPORT)])
    assert "damaged_archive" in [finding.code for finding in read(whole[: len(whole) // 2]).findings]


def test_one_that_does_not_say_what_parts_its_parts_is_damaged() -> None:
    with pytest.raises(UnreadableDocumentError) as refused:
        members(mail("--b", "", "text", kind="multipart/mixed"))
    assert refused.value.code == "damaged"


def test_a_mail_of_one_part_is_that() -> None:
    assert found(mail("青石县年度报告", kind="text/plain; charset=gb2312")) == [
        ("正文.txt", "青石县年度报告".encode("gb18030"))
    ]


def test_of_what_is_said_twice_the_page_is_taken_and_blank_words_are_not() -> None:
    way = ["--w", "Content-Type: text/plain", "", "文字", "--w", "Content-Type: text/html", "", "<p>文字</p>", "--w--"]
    ways = ["--b", "Content-Type: multipart/alternative; boundary=w", "", *way]
    rest = ["--b", "Content-Type: text/plain", "", " ", "--b", "Content-Type: text/plain", "", "又", "--b--", ""]
    assert found(mail(*ways, *rest)) == [
        ("正文.html", "<p>文字</p>".encode("gb18030")),
        ("正文2.txt", "又".encode("gb18030")),
    ]


def test_of_what_is_said_three_times_the_page_is_taken_though_another_way_comes_after_it() -> None:
    way = ["--b", "Content-Type: text/html", "", "<p>文字</p>", "--b", "Content-Type: text/calendar", "", "会", "--b--"]
    assert [name for name, _ in found(mail(*way, "", kind="multipart/alternative; boundary=b"))] == ["正文.html"]


def test_a_part_that_is_too_large_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 100)
    with pytest.raises(UnreadableDocumentError) as refused:
        members(write_mail([("年报.docx", REPORT)]))
    assert refused.value.code == "too_large"


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ('attachment; filename="=?gb2312?B?xOqxqC5kb2M=?="', "年报.doc"),
        ('attachment; filename="=?utf-8?Q?=E5=B9=B4=E6=8A=A5.doc?="', "年报.doc"),
        ('attachment;\r\n filename="=?GBK?B?xOqx?=\r\n =?GBK?B?qC5kb2M=?="', "年报.doc"),
        ("attachment; filename*=GBK''%C4%EA%B1%A8.doc", "年报.doc"),
        ('attachment; filename="年报.doc"', "年报.doc"),
        ('attachment; filename="=?no-such?B?xOqxqC5kb2M=?="', "年报.doc"),
        ('attachment; filename="../../a.doc"', "../../a.doc"),
        ('attachment; filename="=?gb2312?B?x?="', "=?gb2312?B?x?="),
        ("attachment; filename*=\0''a.doc", "a.doc"),
    ],
)
def test_names_are_read_in_whatever_way_they_are_written(named: str, name: str) -> None:
    part = ["--b", "Content-Type: application/msword", f"Content-Disposition: {named}", "", "x", "--b--", ""]
    assert found(mail(*part)) == [(name, b"x")]


@pytest.mark.parametrize(
    ("how", "written", "content"),
    [
        ("base64", "5paH5a2X", "文字".encode()),
        ("BASE64", "5paH\r\n5a2X\r\n", "文字".encode()),
        ("quoted-printable", "=CE=C4=\r\n=D7=D6", "文字".encode("gb18030")),
        ("8bit", "文字", "文字".encode("gb18030")),
        ("", "文字", "文字".encode("gb18030")),
    ],
)
def test_transfer_codings_are_removed(how: str, written: str, content: bytes) -> None:
    coded = [f"Content-Transfer-Encoding: {how}"] if how else []
    assert found(mail("--b", "Content-Type: text/plain", *coded, "", written, "--b--", "")) == [("正文.txt", content)]


def test_a_mail_in_a_mail_and_an_archive_in_it_are_opened() -> None:
    inner = write_mail([("甲.zip", write_zip([("乙.txt", b"x")]))])
    assert [name for name, _ in found(write_mail([("转发.eml", inner)]))] == [
        "正文.html",
        "转发.eml/正文.html",
        "转发.eml/甲.zip/乙.txt",
    ]


def test_parts_within_parts_without_end_are_one_member() -> None:
    nested = "".join(f"--b{n}\r\nContent-Type: multipart/mixed; boundary=b{n + 1}\r\n\r\n" for n in range(3000))
    data = mail(nested, kind="multipart/mixed; boundary=b0")
    assert len(mime.parts(data).parts) == 1


def test_more_parts_than_anyone_attaches_are_too_complex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    with pytest.raises(UnreadableDocumentError) as refused:
        members(write_mail([(f"{number}.txt", b"x") for number in range(3)]))
    assert refused.value.code == "too_complex"
