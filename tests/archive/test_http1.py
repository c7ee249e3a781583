"""HTTP/1.x bytes: heads, ends of messages, payloads, entities."""

from __future__ import annotations

import gzip
import itertools
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import http1
from archive.http1 import DecodingError, Framer, entity, payload, split_head

TEXT = "政府信息公开年度报告".encode("gbk") * 40
GZIPPED = gzip.compress(TEXT, mtime=0)
GBK_NAME = "通知公告.doc".encode("gbk")


def chunked(body: bytes, size: int = 16, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces)
    return framed + b"0" + extension + b"\r\n" + trailers + b"\r\n"


def bare_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LENGTH = OK + b"Content-Length: 5\r\n"
CASES: dict[str, tuple[str, bytes, int, bool, bytes]] = {
    # name: (method, stream, bytes after the message, complete, payload)
    "length": ("GET", LENGTH + b"\r\nhello", 0, True, b"hello"),
    "length_zero": ("GET", OK + b"Content-Length: 0\r\n\r\n", 0, True, b""),
    "until_close": ("GET", OK + b"\r\nhello", 0, True, b"hello"),
    "http_1_0": ("GET", b"HTTP/1.0 200 OK\r\n\r\nhello", 0, True, b"hello"),
    "chunks": ("GET", CHUNKS + chunked(TEXT), 0, True, TEXT),
    "chunks_upper_case": ("GET", OK + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n" + chunked(TEXT), 0, True, TEXT),
    "chunk_extensions_and_trailers": (
        "GET",
        CHUNKS + chunked(TEXT, 100, b';a="b"', b"Sum: abc\r\nX: y\r\n"),
        0,
        True,
        TEXT,
    ),
    "chunk_lines_end_in_lf": ("GET", OK + b"Transfer-Encoding: chunked\n\n5\nhello\n0\n\n", 0, True, b"hello"),
    "chunk_size_padded": ("GET", CHUNKS + b"5   \r\nhello\r\n00\r\n\r\n", 0, True, b"hello"),
    "chunks_without_last_line": ("GET", CHUNKS + b"5\r\nhello\r\n0\r\n", 0, True, b"hello"),
    "chunks_cut": ("GET", CHUNKS + b"5\r\nhello\r\n9\r\nwor", 0, False, b"hellowor"),
    "chunks_cut_in_trailer": ("GET", CHUNKS + b"5\r\nhello\r\n0\r\nSum: a", 0, False, b"hello"),
    "chunks_that_are_none": ("GET", CHUNKS + b"<html>plain</html>", 0, True, b"<html>plain</html>"),
    "bad_second_chunk": ("GET", CHUNKS + b"5\r\nhello\r\nzz\r\nrest", 0, True, b"hello"),
    "no_line_end_after_chunk": ("GET", CHUNKS + b"5\r\nhelloXX", 0, True, b"hello"),
    "length_and_chunks": ("GET", LENGTH + CHUNKS[len(OK):] + b"2\r\nhi\r\n0\r\n\r\n", 0, True, b"hi"),
    "same_length_twice": ("GET", LENGTH + b"Content-Length: 5\r\n\r\nhello", 0, True, b"hello"),
    "same_length_in_a_list": ("GET", OK + b"Content-Length: 5, 5\r\n\r\nhello", 0, True, b"hello"),
    "two_lengths_shorter_sent": ("GET", LENGTH + b"Content-Length: 9\r\n\r\nhello", 0, True, b"hello"),
    "two_lengths_longer_sent": ("GET", LENGTH + b"Content-Length: 9\r\n\r\nhello you", 0, True, b"hello you"),
    "two_lengths_neither_sent": ("GET", LENGTH + b"Content-Length: 9\r\n\r\nhellowo", 0, False, b"hellowo"),
    "length_not_a_number": ("GET", OK + b"Content-Length: five\r\n\r\nhello", 0, True, b"hello"),
    "length_negative": ("GET", OK + b"Content-Length: -5\r\n\r\nhello", 0, True, b"hello"),
    "length_cut": ("GET", OK + b"Content-Length: 50\r\n\r\nhello", 0, False, b"hello"),
    "transfer_coding_identity": ("GET", LENGTH + b"Transfer-Encoding: identity\r\n\r\nhello", 0, True, b"hello"),
    "transfer_codings": ("GET", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked(GZIPPED), 0, True, TEXT),
    "junk_after_length": ("GET", LENGTH + b"\r\nhello\r\njunk", 6, True, b"hello"),
    "junk_after_chunks": ("GET", CHUNKS + b"0\r\n\r\njunk", 4, True, b""),
    "head_request": ("HEAD", LENGTH + b"\r\n", 0, True, b""),
    "head_request_chunked": ("HEAD", CHUNKS + b"", 0, True, b""),
    "no_content": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 0, True, b""),
    "no_content_with_body": ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", 5, True, b""),
    "not_modified_with_body": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", 5, True, b""),
    "switching_protocols": ("GET", b"HTTP/1.1 101 Switching\r\n\r\n\x00\x01", 2, True, b""),
    "line_feeds_only": ("GET", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 0, True, b"hello"),
    "mixed_line_ends": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello", 0, True, b"hello"),
    "no_reason": ("GET", b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", 0, True, b"hello"),
    "status_999": ("GET", b"HTTP/1.1 999 Odd\r\nContent-Length: 5\r\n\r\nhello", 0, True, b"hello"),
    "lower_case_version": ("GET", b"http/1.1 200 ok\r\nContent-Length: 5\r\n\r\nhello", 0, True, b"hello"),
    "blank_lines_first": ("GET", b"\r\n\r\n" + LENGTH + b"\r\nhello", 0, True, b"hello"),
    "space_before_colon": ("GET", OK + b"Content-Length : 5\r\n\r\nhello", 0, True, b"hello"),
    "folded_header": ("GET", OK + b"X-Long: a\r\n  b\r\nContent-Length:\r\n 5\r\n\r\nhello", 0, True, b"hello"),
    "line_without_colon": ("GET", OK + b"nonsense\r\nContent-Length: 5\r\n\r\nhello", 0, True, b"hello"),
    "nul_in_header": ("GET", OK + b"X: a\x00b\r\nContent-Length: 5\r\n\r\nhello", 0, True, b"hello"),
    "gbk_in_header": ("GET", LENGTH + b"X-Name: " + GBK_NAME + b"\r\n\r\nhello", 0, True, b"hello"),
    "http_0_9": ("GET", b"<html>hello</html>", 0, True, b"<html>hello</html>"),
    "bare_line_ends": ("GET", b"\r\n\r\n", 0, False, b"\r\n\r\n"),
    "status_line_without_status": ("GET", b"HTTP/1.1 fine\r\n\r\nhello", 0, True, b"HTTP/1.1 fine\r\n\r\nhello"),
    "head_cut": ("GET", OK + b"Content-Len", 0, False, OK + b"Content-Len"),
    "empty": ("GET", b"", 0, False, b""),
}  # fmt: skip


def framed(method: str, stream: bytes, cuts: list[int]) -> Framer:
    framer = Framer(method)
    for start, end in itertools.pairwise([0, *sorted(cuts), len(stream)]):
        framer.feed(stream[start:end])
    framer.close()
    return framer


def facts(framer: Framer) -> tuple[object, ...]:
    return (
        framer.response, framer.interim, framer.trailing, framer.complete, framer.defect, framer.head, framer.reusable,
        framer.done, framer.received,
    )  # fmt: skip


@pytest.mark.parametrize(("method", "stream", "after", "complete", "body"), CASES.values(), ids=CASES.keys())
def test_a_message_ends_where_its_framing_says(
    method: str, stream: bytes, after: int, complete: bool, body: bytes
) -> None:
    framer = framed(method, stream, [])
    assert framer.response == stream[: len(stream) - after]
    assert framer.trailing == stream[len(stream) - after :]
    assert framer.complete is complete
    assert payload(framer.response, method) == body
    if framer.head is not None:
        assert split_head(framer.response) == framer.head


@pytest.mark.parametrize(("method", "stream", "after", "complete", "body"), CASES.values(), ids=CASES.keys())
def test_one_byte_at_a_time_gives_the_same(method: str, stream: bytes, after: int, complete: bool, body: bytes) -> None:
    assert facts(framed(method, stream, list(range(len(stream))))) == facts(framed(method, stream, []))


INTERIM = (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(CASES)),
    interim=st.lists(st.sampled_from(INTERIM), max_size=3),
    junk=st.binary(max_size=20),
    data=st.data(),
)
def test_any_split_of_the_stream_gives_the_same(
    name: str, interim: list[bytes], junk: bytes, data: st.DataObject
) -> None:
    method, message, _, _, _ = CASES[name]
    stream = b"".join(interim) + message + junk
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    whole = framed(method, stream, [])
    assert facts(framed(method, stream, cuts)) == facts(whole)
    assert b"".join(whole.interim) + whole.response + whole.trailing == stream
    assert whole.received == len(stream)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_no_bytes_are_lost_or_made_up_for_any_reply(stream: bytes, cuts: list[int]) -> None:
    stream = OK + stream
    framer = framed("GET", stream, [cut for cut in cuts if cut < len(stream)])
    assert b"".join(framer.interim) + framer.response + framer.trailing == stream
    assert facts(framer) == facts(framed("GET", stream, []))
    payload(stream)


def test_interim_responses_are_set_apart() -> None:
    framer = framed("GET", b"".join(INTERIM) + CASES["length"][1], [])
    assert framer.interim == INTERIM
    assert framer.response == CASES["length"][1]


def test_a_head_behind_interim_ones_is_found_with_its_place() -> None:
    raw = INTERIM[0] + CASES["length"][1]
    head = split_head(raw)
    assert head is not None
    assert (head.status, raw[head.length :]) == (200, b"hello")
    assert payload(raw) == b"hello"


def test_header_fields_are_kept_as_received() -> None:
    head = split_head(
        b"HTTP/1.1 302  Found it \r\nX-oDD:  a \r\nSet-Cookie: 1\r\nLocation: /\xb9\xab\xb8\xe6.htm\r\n"
        b"nonsense\r\nset-cookie : 2\r\nFolded: a\r\n\t b \r\nEmpty:\r\n: no name\r\n\r\n"
    )
    assert head is not None
    assert (head.version, head.status, head.reason) == ("1.1", 302, b"Found it")
    assert head.headers == (
        (b"X-oDD", b"a"),
        (b"Set-Cookie", b"1"),
        (b"Location", "/公告.htm".encode("gbk")),
        (b"set-cookie", b"2"),
        (b"Folded", b"a b"),
        (b"Empty", b""),
    )
    assert head.values(b"set-cookie") == (b"1", b"2")
    assert head.get(b"location") == "/公告.htm".encode("gbk")
    assert head.get(b"x-none") is None


@pytest.mark.parametrize(
    ("name", "reusable"),
    [
        ("length", True),
        ("chunks", True),
        ("no_content", True),
        ("head_request", True),
        ("until_close", False),
        ("http_1_0", False),
        ("length_cut", False),
        ("junk_after_length", False),
        ("bad_second_chunk", False),
        ("http_0_9", False),
        ("empty", False),
    ],
)
def test_only_a_clean_end_lets_the_connection_be_used_again(name: str, reusable: bool) -> None:
    method, stream, *_ = CASES[name]
    assert framed(method, stream, []).reusable is reusable


@pytest.mark.parametrize(
    ("head", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nconnection: Keep-Alive, CLOSE\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", True),
    ],
)
def test_connection_wishes_are_respected(head: bytes, reusable: bool) -> None:
    assert framed("GET", head + b"Content-Length: 0\r\n\r\n", []).reusable is reusable


def test_a_head_without_end_becomes_an_unparsable_message() -> None:
    stream = OK + b"X: " + b"a" * http1.HEAD_LIMIT + b"\r\n\r\nbody"
    whole = framed("GET", stream, [])
    assert whole.response == stream
    assert whole.defect is not None
    assert whole.defect.startswith("head_too_large")
    assert facts(framed("GET", stream, [100, http1.HEAD_LIMIT - 1, len(stream) - 5])) == facts(whole)
    assert split_head(stream) is None


def test_a_head_just_under_the_limit_is_read() -> None:
    end = b"\r\n\r\n"
    stream = OK + b"X: "
    stream += b"a" * (http1.HEAD_LIMIT - len(stream) - len(end)) + end
    framer = framed("GET", stream, [])
    assert framer.head == split_head(stream)
    assert framer.head is not None


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        (b"gzip", GZIPPED),
        (b"x-gzip", GZIPPED),
        (b"GZIP", GZIPPED),
        (b"deflate", zlib.compress(TEXT)),
        (b"deflate", bare_deflate(TEXT)),
        (b"deflate, gzip", gzip.compress(zlib.compress(TEXT))),
        (b"gzip, gzip", gzip.compress(GZIPPED)),
        (b"identity", TEXT),
        (b"utf-8", TEXT),
        (b"", TEXT),
        (b"gzip", GZIPPED[:0]),
        (b"gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
        (b"gzip", GZIPPED + b"\r\n<!-- cached -->"),
    ],
    ids=[
        "gzip", "x_gzip", "upper_case", "zlib", "bare_deflate", "two_codings", "twice", "identity", "a_charset",
        "empty", "no_body", "two_members", "junk_after_member",
    ],
)  # fmt: skip
def test_content_codings_are_removed(coding: bytes, coded: bytes) -> None:
    head = OK + b"Content-Encoding: " + coding + b"\r\n"
    expected = TEXT if coded else b""
    assert entity(head + b"Content-Length: %d\r\n\r\n" % len(coded) + coded) == expected
    assert entity(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(coded)) == expected


def test_an_entity_without_a_head_is_the_bytes_themselves() -> None:
    assert entity(b"<html>old</html>") == b"<html>old</html>"


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"compress", b"gzip, br"])
def test_an_unknown_coding_is_named(coding: bytes) -> None:
    with pytest.raises(DecodingError, match=coding.split()[-1].decode()) as caught:
        entity(OK + b"Content-Encoding: " + coding + b"\r\n\r\nxxxx")
    assert caught.value.code == "unsupported_coding"


def test_a_cut_gzip_body_gives_what_came() -> None:
    noise = random.Random(7).randbytes(60_000).hex().encode()
    coded = gzip.compress(noise)
    raw = OK + b"Content-Encoding: gzip\r\n\r\n" + coded[: len(coded) // 2]
    with pytest.raises(DecodingError) as caught:
        entity(raw)
    assert caught.value.code == "bad_coding"
    assert noise.startswith(caught.value.partial)
    assert len(caught.value.partial) > 10_000
    assert payload(raw) == coded[: len(coded) // 2]


def test_a_damaged_gzip_body_gives_what_came_before_the_damage() -> None:
    noise = random.Random(8).randbytes(60_000).hex().encode()
    coded = bytearray(gzip.compress(noise))
    coded[40_000:40_050] = bytes(50)
    with pytest.raises(DecodingError) as caught:
        entity(OK + b"Content-Encoding: gzip\r\n\r\n" + bytes(coded))
    assert caught.value.code == "bad_coding"
    assert len(caught.value.partial) > 10_000
    assert noise[:30_000] == caught.value.partial[:30_000]


def test_a_wrong_checksum_is_damage() -> None:
    coded = bytearray(GZIPPED)
    coded[-8] ^= 1
    with pytest.raises(DecodingError) as caught:
        entity(OK + b"Content-Encoding: gzip\r\n\r\n" + bytes(coded))
    assert (caught.value.code, caught.value.partial) == ("bad_coding", TEXT)


def test_damage_in_the_second_of_two_gzip_members_is_no_end() -> None:
    coded = bytearray(GZIPPED)
    coded[-8] ^= 1
    with pytest.raises(DecodingError) as caught:
        entity(OK + b"Content-Encoding: gzip\r\n\r\n" + GZIPPED + bytes(coded))
    assert (caught.value.code, caught.value.partial) == ("bad_coding", TEXT + TEXT)


def test_plain_text_sent_as_gzip_is_damage() -> None:
    with pytest.raises(DecodingError) as caught:
        entity(OK + b"Content-Encoding: gzip\r\n\r\n<html>plain</html>")
    assert (caught.value.code, caught.value.partial) == ("bad_coding", b"")


ZEROS = gzip.compress(bytes(20_000_000))


@pytest.mark.parametrize(
    ("coding", "coded", "limit", "ratio"),
    [
        (b"gzip", ZEROS, 10_000_000, 1_000_000),
        (b"gzip", ZEROS, 1 << 30, 200),
        (b"deflate", zlib.compress(bytes(20_000_000)), 10_000_000, 1_000_000),
        (b"gzip, gzip", gzip.compress(ZEROS), 10_000_000, 1_000_000),
        (b"gzip", gzip.compress(bytes(6_000_000)) * 3, 10_000_000, 1_000_000),
        (b"gzip" + b", gzip" * 9, ZEROS, 1 << 30, 1_000_000),
    ],
    ids=["limit", "ratio", "deflate", "nested", "many_members", "many_codings"],
)
def test_bombs_are_refused_and_the_payload_kept(coding: bytes, coded: bytes, limit: int, ratio: int) -> None:
    raw = OK + b"Content-Encoding: " + coding + b"\r\n\r\n" + coded
    with pytest.raises(DecodingError) as caught:
        entity(raw, limit=limit, ratio=ratio)
    assert (caught.value.code, caught.value.partial) == ("bomb", b"")
    assert payload(raw) == coded


def test_a_body_of_exactly_the_limit_passes() -> None:
    raw = OK + b"Content-Encoding: gzip\r\n\r\n" + GZIPPED
    assert entity(raw, limit=len(TEXT)) == TEXT
    with pytest.raises(DecodingError):
        entity(raw, limit=len(TEXT) - 1)
