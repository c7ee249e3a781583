"""What the recorder promises: exact bytes, one row per exchange, revisits that stand for equal wire bytes only."""

from __future__ import annotations

import asyncio
import errno
import gzip
import json
import random
from datetime import timedelta
from pathlib import Path

import pytest
from archive_kit import (
    HOST,
    LIST_URL,
    FixedClock,
    World,
    crawl,
    discover,
    exchange,
    http_response,
    list_target,
    page_body,
    page_target,
    page_url,
    recording,
)

from archive.audit import audit
from archive.contents import capture_record, entity_bytes, payload_bytes, response_bytes
from archive.errors import ArchiveError, RecorderError
from archive.files import DiskFiles
from archive.model import Discovery, Exchange, Target, TlsFacts
from archive.paths import warc_dir
from archive.reader import Record, records
from archive.recorder import Recorder
from archive.records import PROFILE_IDENTICAL, PROFILE_NOT_MODIFIED
from archive.recover import recover
from archive.store import Store


def column(store: Store, query: str, *values: object) -> list[object]:
    return [row[0] for row in store.connection.execute(query, values)]


def written(data_dir: Path) -> list[Record]:
    found = []
    for path in sorted(warc_dir(data_dir).glob("*.warc.gz*")):
        for located in records(path):
            assert located.problem is None
            assert located.record is not None
            found.append(located.record)
    return found


def test_a_crawl_ends_with_every_target_acknowledged_and_listed(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (store, frontier, recorder):
        crawl(frontier, recorder, World.with_pages(5), clock)
        recorder.close()
        assert frontier.counts() == {"pending": 0, "leased": 0, "acknowledged": 6, "failed": 0}
        assert column(store, "SELECT url FROM listings ORDER BY position") == [page_url(n) for n in range(5)]
        assert store.connection.execute("SELECT status, requests, new_captures FROM runs").fetchall() == [
            ("finished", 6, 6)
        ]
        assert column(store, "SELECT kind FROM changes") == ["appeared"] * 5
        assert column(store, "SELECT declared_total FROM declared_totals") == [5]


HOSTILE = {
    "odd_case_and_duplicates": b"HTTP/1.1 200 oK\r\nX-oDD:  a \r\nx-odd: b\r\nContent-Length: 2\r\n\r\nhi",
    "line_feeds_only": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    "no_reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi",
    "folded_header": b"HTTP/1.1 200 OK\r\nX-A: 1\r\n  2\r\nContent-Length: 2\r\n\r\nhi",
    "gbk_file_name": b"HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename="
    + "年报.doc".encode("gbk")
    + b"\r\nContent-Length: 2\r\n\r\nhi",
    "line_without_colon": b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nhi",
    "chunks_with_extension_and_trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;a=b\r\nhi\r\n0\r\nSum: x\r\n\r\n",
    "unparsable": b"hello, no status line here",
    "empty_body": b"HTTP/1.1 204 No Content\r\n\r\n",
}


@pytest.mark.parametrize("response", HOSTILE.values(), ids=HOSTILE.keys())
def test_response_and_request_are_stored_byte_for_byte(tmp_path: Path, clock: FixedClock, response: bytes) -> None:
    with recording(tmp_path, "r1", clock) as (store, _, recorder):
        sent = exchange(page_target(1), response, clock)
        recorded = recorder.record_now(page_target(1), None, sent)
        assert response_bytes(tmp_path, store.connection, recorded.capture_id) == response
        recorder.close()
        assert response_bytes(tmp_path, store.connection, recorded.capture_id) == response
    assert [record.block for record in written(tmp_path) if record.type == "request"] == [sent.request]


NOISE = random.Random(3).randbytes(200_000)


@pytest.mark.parametrize(
    ("response", "is_stored"),
    [
        (http_response(NOISE, coding="gzip"), True),
        (http_response(NOISE, coding="gzip", chunked=True), True),
        (http_response(b"PK\x03\x04" + NOISE), True),
        (http_response(page_body(1)), False),
        (http_response(b""), False),
        (b"no status line\x1f\x8b\x08", False),
    ],
    ids=["gzip", "gzip in chunks", "zip", "text", "nothing", "no head"],
)
def test_what_came_compressed_is_not_compressed_again(
    tmp_path: Path, clock: FixedClock, response: bytes, is_stored: bool
) -> None:
    with recording(tmp_path, "r1", clock) as (store, _, recorder):
        recorded = recorder.record_now(page_target(1), None, exchange(page_target(1), response, clock))
        recorder.close()
        assert response_bytes(tmp_path, store.connection, recorded.capture_id) == response
    (file,) = (tmp_path / "warc").glob("*.warc.gz")
    # One stored block holds 65,535 bytes.
    assert (response[:60_000] in file.read_bytes()) is is_stored
    assert response in gzip.decompress(file.read_bytes())


def test_records_carry_the_headers_of_the_standard(tmp_path: Path, clock: FixedClock) -> None:
    tls = TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", False, "self-signed", (b"certificate one", b"certificate two"))
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    with recording(tmp_path, "r1", clock) as (_, _, recorder):
        sent = exchange(
            page_target(1),
            http_response(b"hi", chunked=True),
            clock,
            tls=tls,
            interim=(interim,),
            trailing=b"junk",
            truncated="time",
            error="timed out",
        )
        recorder.record_now(page_target(1), None, sent)
        recorder.close()
    found = written(tmp_path)
    assert [record.type for record in found] == [
        "warcinfo", "metadata", "metadata", "resource", "resource", "response", "request", "metadata", "metadata",
        "metadata", "metadata",
    ]  # fmt: skip
    response = next(record for record in found if record.type == "response")
    assert response.version == "WARC/1.1"
    assert response.get("WARC-Date") == "2026-03-01T17:30:00.002000Z"
    assert response.get("WARC-IP-Address") == "192.0.2.7"
    assert [value for name, value in response.headers if name == "WARC-Protocol"] == ["http/1.1", "tls/1.3"]
    assert response.get("WARC-Cipher-Suite") == "TLS_AES_256_GCM_SHA384"
    assert response.get("WARC-Truncated") == "time"
    # sha256 of "hi": the payload without its chunks.
    assert response.get("WARC-Payload-Digest") == (
        "sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"
    )
    request = next(record for record in found if record.type == "request")
    assert request.get("WARC-Concurrent-To") == response.record_id
    sides = {
        record.target_uri.rsplit(":", 1)[0]: record.block for record in found if record.target_uri.startswith("urn:")
    }
    assert sides["urn:gongkai:interim"] == interim
    assert sides["urn:gongkai:trailing"] == b"junk"
    facts = json.loads(sides["urn:gongkai:capture"])
    assert facts["tls"]["verified"] is False
    assert (facts["site"], facts["via"], facts["anchor"], facts["run_id"]) == ("demo_qinghe", LIST_URL, "第1号", "r1")
    assert b"isPartOf: r1" in found[0].block


def test_the_run_and_its_site_files_are_in_the_warc(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (_, _, recorder):
        recorder.close("failed", stats_json='{"retries": 3}')
    kinds = {record.target_uri: json.loads(record.block) for record in written(tmp_path) if record.type == "metadata"}
    assert kinds["urn:gongkai:run_begin:r1"]["code_version"] == "0.1.0"
    assert kinds["urn:gongkai:site:demo_qinghe"]["toml"] == 'agency = "清河区人民政府"\n'
    assert kinds["urn:gongkai:run_end:r1"]["status"] == "failed"
    assert kinds["urn:gongkai:run_end:r1"]["stats"] == {"retries": 3}


def outcome_of(tmp_path: Path, clock: FixedClock, response: bytes, **fields: object) -> str:
    with recording(tmp_path, "r1", clock) as (_, _, recorder):
        return recorder.record_now(page_target(1), None, exchange(page_target(1), response, clock, **fields)).outcome


@pytest.mark.parametrize(
    ("response", "fields", "outcome"),
    [
        (http_response(b"hi"), {}, "ok"),
        (http_response(b"", status="302 Found", headers=(b"Location: /x",)), {}, "redirect"),
        (http_response(b"", status="302 Found"), {}, "http_error"),
        (http_response(b"gone", status="404 Not Found"), {}, "http_error"),
        (http_response(b"late", status="503 Busy"), {}, "http_error"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", {}, "not_modified"),
        (b"", {"error": "connection refused"}, "net_error"),
        (b"nonsense", {"error": "unparsable_head"}, "net_error"),
        (http_response(b"hi"), {"truncated": "length"}, "net_error"),
    ],
    ids=["ok", "redirect", "no_location", "gone", "busy", "unmodified", "no_answer", "unparsable", "truncated"],
)
def test_outcome_follows_the_answer(
    tmp_path: Path, clock: FixedClock, response: bytes, fields: dict[str, object], outcome: str
) -> None:
    assert outcome_of(tmp_path, clock, response, **fields) == outcome


def test_an_exchange_without_response_keeps_request_and_metadata(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (store, _, recorder):
        recorder.record_now(page_target(1), None, exchange(page_target(1), b"", clock, error="connection refused"))
        recorder.close()
        row = store.connection.execute(
            "SELECT error, http_status, payload_digest, warc_record_id FROM captures"
        ).fetchone()
    found = written(tmp_path)
    assert [record.type for record in found[-3:]] == ["request", "metadata", "metadata"]
    assert row == ("connection refused", None, None, found[-2].record_id)


def test_a_refusal_is_a_row_with_its_reason(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (store, frontier, recorder):
        recorder.refuse(page_target(1), None, reason="robots.txt disallows /art/")
        assert store.connection.execute("SELECT outcome, error FROM captures").fetchall() == [
            ("robots", "robots.txt disallows /art/")
        ]
        assert column(store, "SELECT requests FROM runs") == [0]
        assert frontier.counts()["acknowledged"] == 1


def record_twice(tmp_path: Path, clock: FixedClock, first: bytes, second: bytes) -> tuple[str, list[Record]]:
    with recording(tmp_path, "r1", clock) as (store, _, recorder):
        recorder.record_now(page_target(1), None, exchange(page_target(1), first, clock))
        recorded = recorder.record_now(page_target(2), None, exchange(page_target(2), second, clock))
        assert response_bytes(tmp_path, store.connection, recorded.capture_id) == second
        recorder.close()
    return recorded.outcome, written(tmp_path)


def test_an_equal_response_becomes_a_revisit_of_the_first(tmp_path: Path, clock: FixedClock) -> None:
    response = http_response(page_body(1), coding="gzip", chunked=True)
    dated = response.replace(b"\r\n", b"\r\nDate: Sun, 01 Mar 2026 00:00:00 GMT\r\n", 1)
    outcome, found = record_twice(tmp_path, clock, response, dated)
    full = next(record for record in found if record.type == "response")
    revisit = next(record for record in found if record.type == "revisit")
    assert outcome == "revisit"
    assert revisit.get("WARC-Profile") == PROFILE_IDENTICAL
    assert revisit.get("WARC-Refers-To") == full.record_id
    assert revisit.get("WARC-Refers-To-Target-URI") == page_url(1)
    assert revisit.get("WARC-Refers-To-Date") == full.get("WARC-Date")
    assert revisit.get("WARC-Payload-Digest") == full.get("WARC-Payload-Digest")
    assert revisit.block == dated[: dated.index(b"\r\n\r\n") + 4]


BODY = page_body(1)
DIFFERENT_WIRE = {
    "other_framing": (http_response(BODY), http_response(BODY, chunked=True)),
    "other_chunks": (
        http_response(BODY, chunked=True),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    ),
    "other_coding_claimed": (http_response(BODY), http_response(BODY, headers=(b"Content-Encoding: identity",))),
    "other_location": (http_response(BODY), http_response(BODY, headers=(b"Content-Location: /x", b"Location: /y"))),
    "empty_body": (http_response(b""), http_response(b"")),
}


@pytest.mark.parametrize(("first", "second"), DIFFERENT_WIRE.values(), ids=DIFFERENT_WIRE.keys())
def test_equal_payloads_on_different_wires_are_stored_in_full(
    tmp_path: Path, clock: FixedClock, first: bytes, second: bytes
) -> None:
    outcome, found = record_twice(tmp_path, clock, first, second)
    assert outcome == "ok"
    assert [record.block for record in found if record.type == "response"] == [first, second]


def test_a_revisit_never_refers_to_a_revisit(tmp_path: Path, clock: FixedClock) -> None:
    response = http_response(page_body(1))
    with recording(tmp_path, "r1", clock) as (store, _, recorder):
        for number in range(3):
            recorder.record_now(page_target(number), None, exchange(page_target(number), response, clock))
        assert store.connection.execute("SELECT outcome, refers_to FROM captures").fetchall() == [
            ("ok", None),
            ("revisit", 1),
            ("revisit", 1),
        ]


def test_equal_responses_of_one_batch_do_not_refer_to_each_other(tmp_path: Path, clock: FixedClock) -> None:
    response = http_response(page_body(1))

    async def both(recorder: Recorder) -> list[str]:
        sent = [recorder.record(page_target(n), None, exchange(page_target(n), response, clock)) for n in (1, 2)]
        return [recorded.outcome for recorded in await asyncio.gather(*sent)]

    with recording(tmp_path, "r1", clock) as (_, _, recorder):
        assert asyncio.run(both(recorder)) == ["ok", "ok"]


def test_an_unmodified_list_is_read_again_from_the_store(tmp_path: Path, clock: FixedClock) -> None:
    world = World.with_pages(3)
    world.answers[LIST_URL] = http_response(b"[0, 1, 2]", headers=(b'ETag: "v1"', b"Last-Modified: yesterday"))
    with recording(tmp_path, "r1", clock) as (_, frontier, recorder):
        crawl(frontier, recorder, world, clock)
        assert recorder.validators(list_target()) == ('"v1"', "yesterday")
        assert recorder.validators(page_target(1)) is None
        recorder.close()
    world.answers[LIST_URL] = b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n'
    with recording(tmp_path, "r2", clock) as (store, frontier, recorder):
        crawl(frontier, recorder, world, clock)
        recorder.close()
        assert set(column(store, "SELECT last_run_id FROM listings")) == {"r2"}
        assert column(store, "SELECT outcome FROM captures WHERE run_id = 'r2'") == ["not_modified"]
        revisit = capture_record(tmp_path, store.connection, 5)
        assert payload_bytes(tmp_path, store.connection, 5) == b"[0, 1, 2]"
        assert response_bytes(tmp_path, store.connection, 5) == world.answers[LIST_URL]
    assert revisit.get("WARC-Profile") == PROFILE_NOT_MODIFIED
    assert revisit.get("WARC-Refers-To-Target-URI") == LIST_URL
    assert revisit.get("WARC-Payload-Digest") == ""


def test_changed_content_is_a_change_and_the_same_again_is_none(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (store, _, recorder):
        for edition in (1, 1, 2, 1):
            recorder.record_now(
                page_target(1), None, exchange(page_target(1), http_response(page_body(1, edition)), clock)
            )
        assert store.connection.execute("SELECT kind, capture_id, previous_capture_id FROM changes").fetchall() == [
            ("appeared", 1, None),
            ("content_changed", 3, 2),
            ("content_changed", 4, 3),
        ]


def test_a_page_that_defeats_the_reader_is_archived_all_the_same(tmp_path: Path, clock: FixedClock) -> None:
    def broken(*_: object) -> Discovery:
        raise KeyError("unitid")

    with recording(tmp_path, "r1", clock) as (store, frontier, _):
        recorder = Recorder(tmp_path, "r1", store=store, frontier=frontier, discover=broken, clock=clock)
        recorder.record_now(page_target(1), None, exchange(page_target(1), http_response(b"hi"), clock))
        assert store.connection.execute("SELECT code, message FROM findings").fetchall() == [
            ("discovery_failed", f"reading {page_url(1)} failed: KeyError: 'unitid'")
        ]
        assert column(store, "SELECT outcome FROM captures") == ["ok"]


def test_discovery_may_call_an_answer_blocked(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (store, frontier, _):
        recorder = Recorder(
            tmp_path,
            "r1",
            store=store,
            frontier=frontier,
            discover=lambda *_: Discovery(outcome="blocked"),
            clock=clock,
        )
        assert recorder.record_now(
            page_target(1), None, exchange(page_target(1), http_response(b"hi"), clock)
        ).outcome == ("blocked")
        assert column(store, "SELECT count(*) FROM changes") == [0]
        assert frontier.counts()["failed"] == 1


def test_a_bomb_is_kept_and_said(tmp_path: Path, clock: FixedClock) -> None:
    response = http_response(b"\0" * 40_000_000, coding="gzip")
    with recording(tmp_path, "r1", clock) as (store, _, recorder):
        recorder.record_now(page_target(1), None, exchange(page_target(1), response, clock))
        assert column(store, "SELECT code FROM findings") == ["content_bomb"]
        assert response_bytes(tmp_path, store.connection, 1) == response


def test_a_retry_is_due_later_and_counted(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (_, frontier, recorder):
        frontier.add([page_target(1)])
        (row,) = frontier.lease(5)
        busy = exchange(row.target, http_response(b"", status="503 Busy"), clock)
        due = clock.moment + timedelta(minutes=5)
        recorder.record_now(row.target, row.frontier_id, busy, finished="pending", not_before=due)
        assert frontier.lease(5) == []
        assert frontier.next_due() == due
        clock.moment = due
        assert [row.attempts for row in frontier.lease(5)] == [1]


def test_files_roll_over_at_the_size_and_are_sealed_at_once(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock, max_warc_bytes=1500) as (store, frontier, recorder):
        crawl(frontier, recorder, World.with_pages(6), clock)
        names = sorted(path.name for path in warc_dir(tmp_path).glob("*.warc.gz*"))
        assert len(names) == 7
        assert [name.endswith(".open") for name in names] == [False] * 6 + [True]
        recorder.close()
        assert not list(warc_dir(tmp_path).glob("*.open"))
        assert set(column(store, "SELECT state FROM warc_files")) == {"sealed"}
    assert all(len({record.type for record in written(tmp_path)} & {"warcinfo"}) for _ in names)


def test_waiting_exchanges_go_into_one_transaction(tmp_path: Path, clock: FixedClock) -> None:
    class CountingFiles(DiskFiles):
        def __init__(self) -> None:
            self.syncs = 0

        def open_append(self, path: Path):  # type: ignore[no-untyped-def]
            handle = super().open_append(path)
            plain = handle.fdatasync

            class Counted:
                def __getattr__(self, name: str) -> object:
                    return getattr(handle, name)

                def fdatasync(_) -> None:  # noqa: N805
                    self.syncs += 1
                    plain()

            return Counted()

    files = CountingFiles()

    async def all_at_once(recorder: Recorder) -> list[int]:
        sent = [
            recorder.record(page_target(n), None, exchange(page_target(n), http_response(page_body(n)), clock))
            for n in range(20)
        ]
        return [recorded.capture_id for recorded in await asyncio.gather(*sent)]

    with recording(tmp_path, "r1", clock, files=files) as (_, _, recorder):
        assert asyncio.run(all_at_once(recorder)) == list(range(1, 21))
        assert files.syncs == 1


class FailingFiles(DiskFiles):
    """Fails with an operating system's error once told to."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.fails = False

    def open_append(self, path: Path):  # type: ignore[no-untyped-def]
        outer, handle = self, super().open_append(path)
        plain = handle.write

        class Failing:
            def __getattr__(self, name: str) -> object:
                return getattr(handle, name)

            def write(self, data: bytes) -> None:
                if outer.fails:
                    plain(data[: len(data) // 3])
                    raise OSError(outer.code, "told to fail")
                plain(data)

        return Failing()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["disk_full", "io_error"])
def test_after_a_failed_write_nothing_more_is_taken(tmp_path: Path, clock: FixedClock, code: int) -> None:
    files = FailingFiles(code)
    with recording(tmp_path, "r1", clock, files=files) as (store, _, recorder):
        recorder.record_now(page_target(1), None, exchange(page_target(1), http_response(page_body(1)), clock))
        files.fails = True
        with pytest.raises(RecorderError, match="told to fail"):
            recorder.record_now(page_target(2), None, exchange(page_target(2), http_response(page_body(2)), clock))
        files.fails = False
        with pytest.raises(RecorderError, match="told to fail"):
            recorder.record_now(page_target(3), None, exchange(page_target(3), http_response(page_body(3)), clock))
        recorder.close()
        assert column(store, "SELECT url FROM captures") == [page_url(1)]
        assert column(store, "SELECT status FROM runs") == ["running"]


def test_callers_that_wait_hear_of_the_failure(tmp_path: Path, clock: FixedClock) -> None:
    files = FailingFiles(errno.ENOSPC)
    files.fails = True

    async def two(recorder: Recorder) -> list[object]:
        sent = [
            recorder.record(page_target(n), None, exchange(page_target(n), http_response(b"hi"), clock)) for n in (1, 2)
        ]
        return await asyncio.gather(*sent, return_exceptions=True)

    with recording(tmp_path, "r1", clock, files=files) as (_, _, recorder):
        assert [type(result) for result in asyncio.run(two(recorder))] == [RecorderError, RecorderError]


def test_an_interrupt_in_the_commit_ends_recording_and_the_next_start_adopts(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (store, frontier, recorder):
        frontier.add([page_target(1), page_target(2)])
        first, second = frontier.lease(2)
        plain = store._commit
        store._commit = interrupted  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            recorder.record_now(
                first.target, first.frontier_id, exchange(first.target, http_response(page_body(1)), clock)
            )
        store._commit = plain  # type: ignore[method-assign]
        with pytest.raises(RecorderError, match="KeyboardInterrupt"):
            recorder.record_now(
                second.target, second.frontier_id, exchange(second.target, http_response(page_body(2)), clock)
            )
        recorder.close()
        assert [finding.code for finding in recover(tmp_path, store, discover=discover)] == [
            "captures_adopted",
            "warc_sealed",
            "run_interrupted",
        ]
        assert list(audit(tmp_path)) == []
        assert frontier.counts() == {"pending": 1, "leased": 0, "acknowledged": 1, "failed": 0}


def interrupted() -> None:
    raise KeyboardInterrupt


def test_a_read_only_directory_is_a_clear_error(tmp_path: Path, clock: FixedClock) -> None:
    class ReadOnly(DiskFiles):
        def make_dir(self, path: Path) -> None:
            raise PermissionError(errno.EACCES, "read-only", str(path))

    with (
        recording(tmp_path, "r1", clock, files=ReadOnly()) as (_, _, recorder),
        pytest.raises(RecorderError, match="cannot record"),
    ):
        recorder.record_now(page_target(1), None, exchange(page_target(1), http_response(b"hi"), clock))


def test_a_clock_that_steps_back_loses_nothing(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (store, frontier, recorder):
        frontier.add([page_target(1), page_target(2)])
        for row in frontier.lease(5):
            clock.moment -= timedelta(days=2)
            recorder.record_now(row.target, row.frontier_id, exchange(row.target, http_response(page_body(1)), clock))
        recorder.close()
        assert column(store, "SELECT capture_id FROM captures ORDER BY capture_id") == [1, 2]
        assert frontier.counts()["acknowledged"] == 2


def test_a_run_must_be_started_first(tmp_path: Path, clock: FixedClock) -> None:
    with (
        recording(tmp_path, "r1", clock) as (store, frontier, _),
        pytest.raises(ArchiveError, match="run r9 has not been started"),
    ):
        Recorder(tmp_path, "r9", store=store, frontier=frontier, discover=lambda *_: Discovery())


def test_entities_come_back_decoded(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (store, _, recorder):
        response = http_response(page_body(1), coding="gzip", chunked=True)
        recorder.record_now(page_target(1), None, exchange(page_target(1), response, clock))
        assert entity_bytes(tmp_path, store.connection, 1) == page_body(1)


def test_the_same_post_body_is_one_target_and_another_is_another(tmp_path: Path, clock: FixedClock) -> None:
    first = Target(f"http://{HOST}/query", "list", "s", "c", method="POST", body=b"page=1")
    second = Target(f"http://{HOST}/query", "list", "s", "c", method="POST", body=b"page=2")
    with recording(tmp_path, "r1", clock) as (_, frontier, _):
        assert frontier.add([first, second, first]) == 2


def test_urls_of_any_kind_make_valid_records(tmp_path: Path, clock: FixedClock) -> None:
    target = Target(f"http://{HOST}/年报\r\nWARC-Type: fake?a=1", "page", "s", "c")
    with recording(tmp_path, "r1", clock) as (store, _, recorder):
        sent: Exchange = exchange(target, http_response(b"hi"), clock)
        recorder.record_now(target, None, sent)
        recorder.close()
        assert column(store, "SELECT url FROM captures") == [target.url]
    response = next(record for record in written(tmp_path) if record.type == "response")
    assert response.target_uri == f"http://{HOST}/年报%0D%0AWARC-Type: fake?a=1"
