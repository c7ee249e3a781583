"""Reading WARC files of any origin: whole ones exactly, damaged ones as far as they go."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from archive.errors import DamagedRecordError
from archive.reader import Located, digest_problem, parse_record, read_record, records
from archive.records import WarcRecord, digest, member, serialised

DATE = "2026-03-01T00:00:00.000000Z"


def record(number: int, block: bytes = b"") -> WarcRecord:
    body = block or f"body number {number}".encode() * 40
    uri = f"http://www.qinghe.example/{number}"
    return WarcRecord("resource", f"<urn:uuid:{number:032x}>", DATE, uri, "text/plain", body)


def ids(found: list[Located]) -> list[int]:
    return [int(located.record.record_id[10:-1], 16) for located in found if located.record]


def problems(found: list[Located]) -> list[str]:
    return [located.problem for located in found if located.problem]


@pytest.fixture
def members() -> list[bytes]:
    return [member(record(number)) for number in range(4)]


def test_every_member_comes_back_with_its_place(tmp_path: Path, members: list[bytes]) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(b"".join(members))
    found = list(records(path))
    assert ids(found) == [0, 1, 2, 3]
    assert [located.length for located in found] == [len(stored) for stored in members]
    for number, located in enumerate(found):
        assert read_record(path, located.offset, located.length).block == record(number).block


def test_uncompressed_files_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(b"".join(serialised(record(number)) for number in range(3)))
    found = list(records(path))
    assert ids(found) == [0, 1, 2]
    assert problems(found) == []
    assert read_record(path, found[1].offset, found[1].length).block == record(1).block


def test_a_file_in_one_gzip_member_is_read_without_places(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(b"".join(serialised(record(number)) for number in range(3))))
    found = list(records(path))
    assert ids(found) == [0, 1, 2]
    assert not any(located.is_addressable for located in found)


def test_version_1_0_with_angle_brackets_and_line_feeds(tmp_path: Path) -> None:
    path = tmp_path / "wget.warc"
    path.write_bytes(
        b"WARC/1.0\nWARC-Type: response\nWARC-Target-URI: <http://www.qinghe.example/>\n"
        b"WARC-Block-Digest: sha1:FVFRACBM5EBLQGHOOMNXFF4BXTSNW2BM\nContent-Length: 4\n\nabcd\n\n"
    )
    (found,) = records(path)
    assert found.record is not None
    assert found.record.target_uri == "http://www.qinghe.example/"
    assert found.problem is not None
    assert found.problem.startswith("block digest differs: declared sha1:FVFR")


def test_a_cut_tail_is_reported_after_the_whole_records(tmp_path: Path, members: list[bytes]) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(b"".join(members)[:-9])
    found = list(records(path))
    assert ids(found) == [0, 1, 2]
    assert problems(found) == ["the gzip member is cut short"]
    assert found[-1].offset == sum(len(stored) for stored in members[:3])


def test_reading_goes_on_after_a_damaged_member(tmp_path: Path, members: list[bytes]) -> None:
    damaged = bytearray(members[1])
    damaged[30] ^= 0xFF
    path = tmp_path / "a.warc.gz"
    path.write_bytes(members[0] + bytes(damaged) + members[2] + members[3])
    found = list(records(path))
    assert ids(found) == [0, 2, 3]
    assert len(problems(found)) == 1
    assert found[1].length == len(members[1])


@pytest.mark.parametrize("between", [bytes(700), b"not a member at all" * 9], ids=["zeros", "garbage"])
def test_reading_goes_on_after_bytes_between_members(tmp_path: Path, members: list[bytes], between: bytes) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(members[0] + between + members[1])
    found = list(records(path))
    assert ids(found) == [0, 1]
    assert problems(found) == [f"{len(between)} {'zero bytes' if not between[0] else 'bytes that are no gzip member'}"]


def test_reading_goes_on_after_a_damaged_record_of_a_plain_file(tmp_path: Path) -> None:
    broken = serialised(record(1)).replace(b"Content-Length: ", b"Content-Length: x")
    path = tmp_path / "a.warc"
    path.write_bytes(serialised(record(0)) + broken + serialised(record(2)))
    found = list(records(path))
    assert ids(found) == [0, 2]
    assert len(problems(found)) == 1


def test_a_magic_number_inside_a_payload_is_no_member(tmp_path: Path) -> None:
    inner = gzip.compress(b"an attachment")
    damaged = bytearray(member(record(1, inner * 9)))
    damaged[12] ^= 0xFF
    path = tmp_path / "a.warc.gz"
    path.write_bytes(bytes(damaged) + inner + member(record(2)))
    assert ids(list(records(path))) == [2]


@pytest.mark.parametrize("data", [b"", b"\0" * 9, b"\x1f\x8b", b"WARC/1.1", b"WARC/1.1\r\n", b"\x1f\x8b\x08"])
def test_no_file_at_all_is_no_crash(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(data)
    assert [located.record for located in records(path)] == [None] * (1 if data else 0)


def test_a_record_longer_than_one_piece_is_read(tmp_path: Path) -> None:
    block = bytes(range(256)) * 5000
    path = tmp_path / "a.warc"
    path.write_bytes(serialised(record(1, block)) + serialised(record(2)))
    found = list(records(path))
    assert ids(found) == [1, 2]
    assert found[0].record is not None
    assert found[0].record.block == block


@pytest.mark.parametrize(
    ("offset", "length", "message"),
    [
        (0, 10_000, "expected 10000 bytes, found"),
        (3, -3, "version line"),
        (0, -4, "cut short"),
    ],
    ids=["beyond_the_end", "not_a_start", "too_short"],
)
def test_a_wrong_place_is_an_error(tmp_path: Path, offset: int, length: int, message: str) -> None:
    stored = member(record(1))
    path = tmp_path / "a.warc.gz"
    path.write_bytes(stored)
    with pytest.raises(DamagedRecordError, match=message):
        read_record(path, offset, length if length > 0 else len(stored) + length)


def test_a_changed_block_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(serialised(record(1)).replace(b"number", b"NUMBER", 1))
    with pytest.raises(DamagedRecordError, match="block digest differs"):
        read_record(path, 0, path.stat().st_size)


@pytest.mark.parametrize("body", [b"hello", b"5\r\nhello\r\n0\r\n\r\n"], ids=["as_the_standard_says", "as_wget_does"])
def test_payload_digests_with_and_without_chunks_are_accepted(body: bytes) -> None:
    block = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    declared = digest(body)
    written = WarcRecord(
        "response", "<urn:uuid:1>", DATE, "http://a.example/", "application/http; msgtype=response", block,
        (("WARC-Payload-Digest", declared),),
    )  # fmt: skip
    found, _ = parse_record(serialised(written))
    assert digest_problem(found) is None
    wrong, _ = parse_record(serialised(written).replace(declared.encode(), digest(b"other").encode()))
    assert digest_problem(wrong) == f"payload digest differs: declared {digest(b'other')}"
