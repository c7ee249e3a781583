"""Archives: Chinese names, hostile ones, limits, and the one report in them."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile

import pytest

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers import docx, html
from crawler.replica.writers.packed import write_rar, write_zip
from parsers.errors import UnreadableDocumentError
from parsers.packed import documents
from parsers.readers import archive
from parsers.readers.archive import members
from parsers.reading import read

PRINTED = lay_out(draw_report("packed", year=2022))
REPORT = docx.write(PRINTED)
NOTICE = "关于放假的通知。".encode()
ENCRYPTED_FLAG = struct.pack("<H", 0x1)


def names(data: bytes) -> list[str]:
    return [member.name for member in members(data).members]


def codes(data: bytes) -> list[str]:
    return [finding.code for finding in members(data).findings]


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableDocumentError) as refused:
        members(data)
    return refused.value.code


def encrypted(data: bytes) -> bytes:
    """The zip with every member's flags saying that it is encrypted."""
    changed = bytearray(data)
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.find(start)
        while at >= 0:
            changed[at + offset] |= 1
            at = changed.find(start, at + 4)
    return bytes(changed)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_chinese_names_are_readable(encoding: str) -> None:
    assert names(write_zip([("附件1：年度报告.docx", NOTICE)], encoding=encoding)) == ["附件1：年度报告.docx"]


def test_a_name_in_utf8_that_is_not_declared_is_readable() -> None:
    data = write_zip([("年报.txt", NOTICE)], encoding="utf-8").replace(struct.pack("<H", 0x800), b"\0\0")
    assert names(data) == ["年报.txt"]


@pytest.mark.parametrize("name", ["通知.txt", "小学.txt", "readme.txt", "年报.txt"])
def test_a_gbk_name_that_is_utf8_too_is_chinese(name: str) -> None:
    assert names(write_zip([(name, NOTICE)], encoding="gb18030")) == [name]


def test_a_gbk_name_whose_second_byte_is_a_backslash_is_not_cut() -> None:
    assert names(write_zip([("誠信\\報告.txt", NOTICE)], encoding="gb18030")) == ["誠信/報告.txt"]


def test_members_of_a_rar_are_read() -> None:
    assert [(m.name, m.data) for m in members(write_rar([("附件/通知.txt", NOTICE)])).members] == [
        ("附件/通知.txt", NOTICE)
    ]


def test_members_of_a_7z_are_read() -> None:
    assert names(seven_zip("通知.txt", NOTICE)) == ["通知.txt"]


def test_the_one_file_of_a_gz_is_read_under_its_name() -> None:
    assert [(m.name, m.data) for m in members(gzipped(NOTICE, name="通知.txt".encode("gb18030"))).members] == [
        ("通知.txt", NOTICE)
    ]
    assert names(gzipped(NOTICE)) == ["内容"]
    assert names(gzipped(NOTICE, name=b"a.txt", extra=b"xy" * 20)) == ["a.txt"]
    reading = read(gzipped(REPORT, name=b"2022.docx"), name="年报.gz")
    assert (reading.media_type, reading.form, reading.facts[0].locator) == (
        "application/gzip",
        "2021",
        "member=2022.docx;table=1;row=3;column=2",
    )


def test_members_of_a_tar_are_read_within_a_gz_or_not() -> None:
    packed = tar("附件/通知.txt", NOTICE)
    assert names(packed) == ["附件/通知.txt"]
    assert names(gzipped(packed)) == ["内容/附件/通知.txt"]


def test_a_tar_that_was_cut_off_says_so() -> None:
    packed = tar("通知.txt", NOTICE * 100)
    assert codes(packed) == []
    without_end = packed[: len(packed.rstrip(b"\0")) // 512 * 512 + 512]
    assert names(without_end) == ["通知.txt"]
    assert codes(without_end) == ["damaged_archive"]
    assert refusal(without_end[:-512]) == "damaged"


def test_a_gz_that_inflates_without_end_is_a_bomb() -> None:
    bomb = gzip.compress(bytes(300 << 20), 9)
    assert refusal(bomb) == "bomb"
    assert refusal(write_zip([("a.gz", bomb)])) == "bomb"


def test_hostile_names_are_only_names() -> None:
    data = write_zip([("../../etc/passwd", b"x"), ("/root/a", b"y"), ("a\nb", b"z")])
    assert names(data) == ["../../etc/passwd", "/root/a", "a\ufffdb"]


def test_what_systems_leave_in_archives_is_left_out() -> None:
    assert names(
        write_zip([("__MACOSX/._a.doc", b"x"), ("a/.DS_Store", b"x"), ("a/Thumbs.db", b"x"), ("a.doc", b"x")])
    ) == ["a.doc"]


def test_archives_in_archives_are_opened_to_a_depth() -> None:
    data = NOTICE
    for depth in range(4, 0, -1):
        data = write_zip([(f"{depth}.{'txt' if depth == 4 else 'zip'}", data)])
    assert names(data) == []
    assert codes(data) == ["nested_too_deep"]
    assert names(write_zip([("外.zip", write_rar([("内.txt", NOTICE)]))])) == ["外.zip/内.txt"]


def test_a_damaged_archive_within_costs_only_itself() -> None:
    data = write_zip([("坏.rar", write_rar([("x", NOTICE)])[:30]), ("好.txt", NOTICE)])
    assert (names(data), codes(data)) == (["好.txt"], ["damaged"])


def test_a_rar_cut_between_two_members_is_said_to_be() -> None:
    whole = write_rar([("甲.txt", NOTICE), ("乙.txt", NOTICE)])
    data = whole[: whole.rindex("乙".encode()) - 10]
    assert (names(whole), codes(whole)) == (["甲.txt", "乙.txt"], [])
    assert (names(data), codes(data)) == (["甲.txt"], ["damaged_archive"])


def test_a_member_with_a_wrong_checksum_costs_only_itself() -> None:
    data = write_zip([("坏.txt", bytes(range(256))), ("好.txt", NOTICE)])
    place = data.index(b"\x01\x02\x03\x04\x05")
    broken = data[:place] + b"\xff" + data[place + 1 :]
    assert (names(broken), codes(broken)) == (["好.txt"], ["damaged_member"])


def test_an_archive_of_locked_members_is_encrypted() -> None:
    assert refusal(encrypted(write_zip([("年报.doc", NOTICE)]))) == "encrypted"


def test_more_members_than_anyone_attaches_are_too_complex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    assert refusal(write_zip([(f"{number}.txt", b"x") for number in range(4)])) == "too_complex"
    assert refusal(write_rar([(f"{number}.txt", b"x") for number in range(4)])) == "too_complex"


def test_a_bomb_is_a_bomb() -> None:
    assert refusal(write_zip([("0", bytes(40 << 20))])) == "bomb"
    assert refusal(seven_zip("0", bytes(40 << 20))) == "bomb"


def test_a_bomb_inside_is_a_bomb() -> None:
    assert refusal(write_zip([("a.zip", write_zip([("0", bytes(40 << 20))]))])) == "bomb"


def test_a_member_that_is_too_large_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 10)
    assert refusal(write_zip([("a", bytes(range(20)))])) == "too_large"
    assert refusal(write_rar([("a", bytes(range(20)))])) == "too_large"


def test_without_the_system_library_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError("libarchive.so.13: cannot open shared object file")

    monkeypatch.setattr(archive, "import_module", missing)
    assert refusal(write_rar([("a", b"x")])) == "libarchive_missing"
    assert names(write_zip([("a", b"x")])) == ["a"]


def test_cut_archives_are_damaged() -> None:
    assert refusal(write_zip([("a.txt", NOTICE)])[:-30]) == "damaged"
    assert refusal(write_rar([("a.txt", NOTICE * 20)])[:60]) == "damaged"
    assert refusal(seven_zip("a.txt", NOTICE)[:-10]) == "damaged"
    assert refusal(gzipped(NOTICE * 20)[:-10]) == "damaged"
    assert refusal(gzipped(NOTICE)[:5]) == "damaged"


@pytest.mark.parametrize("pack", [write_zip, write_rar], ids=["zip", "rar"])
def test_the_one_report_of_an_archive_is_read(pack) -> None:
    reading = read(pack([("附件/年报.docx", REPORT), ("通知.txt", NOTICE)]))
    assert (reading.kind, reading.form, reading.report_year) == ("annual_report", "2021", 2022)
    assert {fact.cell: fact.value for fact in reading.facts} == {c: e.value for c, e in PRINTED.truth.items()}
    assert reading.facts[0].locator == "member=附件/年报.docx;table=1;row=3;column=2"


def test_several_reports_are_named_and_none_is_chosen() -> None:
    reading = read(write_zip([("甲.docx", REPORT), ("乙.html", html.write(PRINTED))]))
    assert (reading.kind, reading.facts) == ("page", ())
    assert [(f.code, f.locator) for f in reading.findings] == [
        ("report_in_archive", "member=甲.docx"),
        ("report_in_archive", "member=乙.html"),
    ]


def test_an_archive_of_one_unreadable_document_has_its_error() -> None:
    reading = read(write_zip([("a.docx", REPORT[:3000])]))
    assert reading.error is not None
    assert reading.error.code == "damaged"


def test_an_archive_without_files_is_empty() -> None:
    reading = read(write_zip([("只有文件夹/", b"")]))
    assert reading.error is not None
    assert reading.error.code == "empty"


def test_a_member_without_a_name_is_read() -> None:
    # Found by tests/fuzz.py; zipfile takes a name that begins with NUL for none.
    assert members(write_zip([("ZZ", b"text")]).replace(b"ZZ", b"\x00Z")).members[0].data == b"text"


def test_documents_of_a_file_are_itself_or_its_members() -> None:
    assert [part.name for part in documents(REPORT, "a.docx")] == ["a.docx"]
    assert [part.name for part in documents(write_zip([("b.docx", REPORT)]), "a.zip")] == ["b.docx"]


def gzipped(data: bytes, *, name: bytes = b"", extra: bytes = b"") -> bytes:
    """gzip with the fields of its head that RFC 1952 leaves to choice."""
    flags = bool(extra) << 2 | bool(name) << 3
    field = struct.pack("<H", len(extra)) + extra if extra else b""
    return (
        b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + field + (name + b"\0" if name else b"") + gzip.compress(data)[10:]
    )


def tar(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        packed.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def seven_zip(name: str, data: bytes) -> bytes:
    libarchive = pytest.importorskip("libarchive")
    parts: list[bytes] = []

    def keep(block: bytes) -> int:
        parts.append(bytes(block))
        return len(block)

    with libarchive.custom_writer(keep, "7zip") as written:
        written.add_file_from_memory(name, len(data), data)
    return b"".join(parts)
