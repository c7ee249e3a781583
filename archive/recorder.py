"""Makes captures durable before anyone acts on them, many at a time.

    WARC members → fdatasync → one transaction (captures, listings, new targets, acknowledgements) → the callers go on

A batch is written when it is full or its first exchange has waited a few milliseconds. After any failed write nothing
more is taken: what was reported as recorded is safe, the rest is sorted out by archive/recover.py at the next start.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from archive.captures import insert_captures, last_content, like_response
from archive.contents import last_drawn, stored_response
from archive.errors import ArchiveError, DamagedRecordError, MissingRecordError, RecorderError
from archive.files import DiskFiles, Files
from archive.frontier import Frontier
from archive.groups import RUN_BEGIN, RUN_END, SITE, Drawn, Marking, capture_records, note_record
from archive.http1 import split_head
from archive.model import Discovery, Exchange, Outcome, RunStatus, Target
from archive.prepare import Discover, Prepared, prepare
from archive.records import WarcRecord, digest
from archive.rows import CaptureRow, Finished, FullResponse, Place, SiteRow
from archive.seal import seal
from archive.store import Store
from archive.targets import target_key
from archive.times import Clock, instant, now
from archive.warc import Origin, WarcWriter

MAX_WARC_BYTES = 1_000_000_000
MAX_BATCH = 64
MAX_DELAY_SECONDS = 0.005

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A capture that is on disk and in the database, and what its payload led to."""

    capture_id: int
    outcome: Outcome
    payload_digest: str | None
    discovery: Discovery


@dataclass(frozen=True, slots=True)
class _Waiting:
    prepared: Prepared
    frontier_id: int | None
    finished: Finished
    not_before: str | None


class Recorder:
    """Records the exchanges of one run. The run's row must exist; the caller holds the lock (archive/lock.py)."""

    def __init__(
        self,
        data_dir: Path,
        run_id: str,
        *,
        store: Store,
        frontier: Frontier,
        discover: Discover,
        sites: Sequence[SiteRow] = (),
        max_warc_bytes: int = MAX_WARC_BYTES,
        max_batch: int = MAX_BATCH,
        max_delay_seconds: float = MAX_DELAY_SECONDS,
        clock: Clock = now,
        files: Files | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._run_id = run_id
        self._store = store
        self._frontier = frontier
        self._discover = discover
        self._sites = tuple(sites)
        self._max_warc_bytes = max_warc_bytes
        self._max_batch = max_batch
        self._max_delay_seconds = max_delay_seconds
        self._clock = clock
        self._files = files or DiskFiles()
        self._run = store.connection.execute(
            "SELECT kind, started_at, code_version, host, settings_json FROM runs WHERE run_id = ?", (run_id,)
        ).fetchone()
        if self._run is None:
            raise ArchiveError(f"run {run_id} has not been started")
        settings_digest = f"sha256:{sha256(self._run[4].encode()).hexdigest()}"
        origin = Origin(run_id, f"gongkai {self._run[2]}".strip(), settings_digest, self._run[3])
        self._writer = WarcWriter(data_dir, origin, files=self._files, clock=clock)
        self._has_begun = False
        self._certificates: set[str] = set()
        self._waiting: list[tuple[_Waiting, asyncio.Future[Recorded]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._broken: RecorderError | None = None

    # Recording

    async def record(
        self,
        target: Target,
        frontier_id: int | None,
        exchange: Exchange,
        *,
        finished: Finished = "acknowledged",
        not_before: datetime | None = None,
    ) -> Recorded:
        """Returns once the exchange and what it led to are durable. Raises RecorderError, from then on always.

        `finished` is what becomes of the frontier row: `pending` (with `not_before`) for another try, `failed` to give
        up.
        """
        waiting = self._prepared(target, frontier_id, exchange, finished, not_before)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Recorded] = loop.create_future()
        self._waiting.append((waiting, future))
        if len(self._waiting) >= self._max_batch:
            self.flush()
        elif self._timer is None:
            self._timer = loop.call_later(self._max_delay_seconds, self.flush)
        return await future

    def record_now(
        self,
        target: Target,
        frontier_id: int | None,
        exchange: Exchange,
        *,
        finished: Finished = "acknowledged",
        not_before: datetime | None = None,
    ) -> Recorded:
        """`record` without waiting for others."""
        return self._commit([self._prepared(target, frontier_id, exchange, finished, not_before)])[0]

    def refuse(
        self, target: Target, frontier_id: int | None, *, outcome: Outcome = "robots", reason: str = ""
    ) -> Recorded:
        """Records that a target was not asked for, and why; it is acknowledged."""
        exchange = Exchange(target.url, target.method, self._clock(), 0.0, b"", b"", error=reason or None)
        prepared = Prepared(target, exchange, None, outcome, None, None, 0, None, None, None, Discovery())
        return self._commit([_Waiting(prepared, frontier_id, "acknowledged", None)])[0]

    def note(
        self, kind: str, name: str, facts: dict[str, object], apply: Callable[[sqlite3.Connection, Place], None]
    ) -> None:
        """Writes a record of the run's own and, in one transaction, what follows from it. Raises RecorderError.

        `apply` is told where the record stands.
        """
        if self._broken is not None:
            raise self._broken
        self.flush()
        try:
            self._begin()
            note = note_record(kind, name, instant(self._clock()), facts)
            offset, length = self._writer.add(note)
            place = Place(self._writer.file_name, offset, length, note.record_id, offset, length)
            self._writer.flush()
            with self._store.transaction() as connection:
                self._count_file(connection)
                apply(connection, place)
        except (OSError, sqlite3.Error) as error:
            raise self._break(error) from error
        except BaseException as error:
            self._break(error)
            raise

    def flush(self) -> None:
        """Writes the batch that is waiting, if any, and lets its callers go on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        try:
            recorded = self._commit([waiting for waiting, _ in batch])
        except RecorderError as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        except BaseException:
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), result in zip(batch, recorded, strict=True):
            if not future.done():
                future.set_result(result)

    def validators(self, target: Target) -> tuple[str | None, str | None] | None:
        """ETag and Last-Modified of the newest stored content of `target`, for a conditional request; None when there
        is none.
        """
        full = last_content(self._store.connection, target_key(target))
        if full is None or not (full.etag or full.last_modified):
            return None
        return full.etag, full.last_modified

    def has_content(self, target: Target) -> bool:
        """Whether any content of `target` is stored: what a 304 can only speak of."""
        return last_content(self._store.connection, target_key(target)) is not None

    def stored_response(self, target: Target) -> bytes | None:
        """The newest response with content of `target`; None when there is none, or none that can be read."""
        full = last_content(self._store.connection, target_key(target))
        if full is None:
            return None
        try:
            return stored_response(self._data_dir, full)
        except (MissingRecordError, DamagedRecordError) as error:
            _logger.warning("the stored response of %s is not readable: %s", target.url, error)
            return None

    def close(self, status: RunStatus = "finished", *, stats_json: str = "{}") -> None:
        """Writes what is waiting, ends the run and seals the file. After a failure it only lets go of the file."""
        self.flush()
        if self._broken is not None:
            self._writer.close()
            return
        finished_at = self._clock()
        try:
            self._begin()
            self._writer.add(self._end_note(status, finished_at, stats_json))
            self._writer.flush()
            with self._store.transaction() as connection:
                self._count_file(connection)
                self._store.finish_run(self._run_id, status, finished_at=finished_at, stats_json=stats_json)
            self._seal()
        except (OSError, sqlite3.Error) as error:
            raise self._break(error) from error

    # The commit path

    def _prepared(
        self,
        target: Target,
        frontier_id: int | None,
        exchange: Exchange,
        finished: Finished,
        not_before: datetime | None,
    ) -> _Waiting:
        prepared = prepare(target, exchange, self._discover, lambda: self._stored_exchange(target, exchange))
        return _Waiting(prepared, frontier_id, finished, instant(not_before) if not_before else None)

    def _commit(self, batch: Sequence[_Waiting]) -> list[Recorded]:
        if self._broken is not None:
            raise self._broken
        try:
            self._begin()
            rows = [self._add(waiting) for waiting in batch]
            rows = self._without_known_targets(rows)
            self._writer.flush()
            with self._store.transaction() as connection:
                self._count_file(connection)
                capture_ids = insert_captures(connection, self._run_id, rows)
        except Exception as error:
            raise self._break(error) from error
        except BaseException as error:
            # An interrupt between the bytes and the commit: nothing may follow them that the database knows.
            self._break(error)
            raise
        self._frontier.remember(target_key(target) for row in rows for target in row.discovery.targets)
        return [
            Recorded(capture_id, row.outcome, row.payload_digest, waiting.prepared.discovery)
            for capture_id, row, waiting in zip(capture_ids, rows, batch, strict=True)
        ]

    def _begin(self) -> None:
        """Makes sure that there is a file with room; the run's first one also says what the run is and which sites it
        has.
        """
        if self._writer.is_open and self._writer.position >= self._max_warc_bytes:
            self._seal()
        if self._writer.is_open:
            return
        self._writer.open()
        self._certificates.clear()
        if self._has_begun:
            return
        date = instant(self._clock())
        kind, started_at, code_version, host, settings_json = self._run
        facts: dict[str, object] = {
            "run_id": self._run_id,
            "kind": kind,
            "started_at": started_at,
            "code_version": code_version,
            "host": host,
            "settings": json.loads(settings_json),
        }
        self._writer.add(note_record(RUN_BEGIN, self._run_id, date, facts))
        for site in self._sites:
            self._writer.add(note_record(SITE, site.name, date, {"run_id": self._run_id, **_site_facts(site)}))

    def _add(self, waiting: _Waiting) -> CaptureRow:
        """Puts the records of one exchange into the file's batch."""
        prepared = waiting.prepared
        refers_to = self._refers_to(prepared)
        is_revisit = refers_to is not None and prepared.outcome == "ok"
        outcome: Outcome = "revisit" if is_revisit else prepared.outcome
        # What a guard's page stands in for is still to be fetched, by a later run; so is what an empty answer is of.
        is_missing = outcome == "blocked" or prepared.discovery.asks_again
        finished: Finished = "failed" if is_missing and waiting.finished == "acknowledged" else waiting.finished
        marking = Marking(self._run_id, outcome, finished, waiting.not_before)
        found, main_index = capture_records(
            prepared, marking, refers_to, self._certificates, self._drawn_before(prepared)
        )
        places = [self._writer.add(record) for record in found]
        place = Place(
            warc_file=self._writer.file_name,
            offset=places[main_index][0],
            length=places[main_index][1],
            record_id=found[main_index].record_id,
            metadata_offset=places[-1][0],
            metadata_length=places[-1][1],
        )
        return capture_row(prepared, outcome, refers_to, place, waiting.frontier_id, finished, waiting.not_before)

    def _refers_to(self, prepared: Prepared) -> FullResponse | None:
        connection = self._store.connection
        if prepared.outcome == "not_modified":
            return last_content(connection, target_key(prepared.target))
        if prepared.likeness is None or prepared.payload_digest is None or prepared.outcome != "ok":
            return None
        return like_response(connection, prepared.payload_digest, prepared.likeness)

    def _drawn_before(self, prepared: Prepared) -> Drawn | None:
        """The record of what a browser drew the last time, where it drew the same again."""
        rendered = prepared.exchange.rendered
        if rendered is None:
            return None
        before = last_drawn(self._data_dir, self._store.connection, target_key(prepared.target))
        return before if before is not None and before.digest == digest(rendered) else None

    def _without_known_targets(self, rows: list[CaptureRow]) -> list[CaptureRow]:
        """Leaves out targets whose addition would change nothing, and all but the first of each."""
        met: set[bytes] = set()
        kept = []
        for row in rows:
            fresh = [(key, target) for key, target in self._frontier.unknown(row.discovery.targets) if key not in met]
            met.update(key for key, _ in fresh)
            kept.append(
                row
                if len(fresh) == len(row.discovery.targets)
                else replace(row, discovery=replace(row.discovery, targets=tuple(target for _, target in fresh)))
            )
        return kept

    def _count_file(self, connection: sqlite3.Connection) -> None:
        """Says in the database how far the file goes; with the run's first batch also names its sites."""
        connection.execute(
            """INSERT INTO warc_files(file_name, run_id, state, bytes, records) VALUES (?, ?, 'open', ?, ?)
            ON CONFLICT(file_name) DO UPDATE SET bytes = excluded.bytes, records = excluded.records""",
            (self._writer.file_name, self._run_id, self._writer.position, self._writer.records),
        )
        if not self._has_begun:
            for site in self._sites:
                self._store.put_site(self._run_id, site)
            self._has_begun = True

    def _end_note(self, status: RunStatus, finished_at: datetime, stats_json: str) -> WarcRecord:
        findings = self._store.connection.execute(
            """SELECT level, code, url, message FROM findings
            WHERE run_id = ? AND capture_id IS NULL AND report_id IS NULL ORDER BY finding_id""",
            (self._run_id,),
        )
        facts: dict[str, object] = {
            "run_id": self._run_id,
            "status": status,
            "finished_at": instant(finished_at),
            "stats": json.loads(stats_json),
            "findings": [list(row) for row in findings],
        }
        return note_record(RUN_END, self._run_id, instant(finished_at), facts)

    def _seal(self) -> None:
        self._writer.close()
        seal(self._data_dir, self._store, self._writer.file_name, files=self._files)

    def _break(self, error: BaseException) -> RecorderError:
        self._broken = cannot_record(self._data_dir, error)
        return self._broken

    def _stored_exchange(self, target: Target, exchange: Exchange) -> Exchange | None:
        response = self.stored_response(target)
        return exchange_again(exchange, response) if response is not None else None


def cannot_record(data_dir: Path, error: BaseException) -> RecorderError:
    """What to say of a write that failed, whether to a WARC file or to the database."""
    return RecorderError(
        f"{data_dir}: cannot record ({str(error) or type(error).__name__}); "
        "what was recorded before is safe, the next start repairs the rest"
    )


def exchange_again(exchange: Exchange, response: bytes) -> Exchange:
    """`exchange` as if it had brought `response`: what a 304 says."""
    head = split_head(response)
    return replace(
        exchange, response=response, status=head.status if head else None, headers=head.headers if head else ()
    )


def capture_row(
    prepared: Prepared,
    outcome: Outcome,
    refers_to: FullResponse | None,
    place: Place,
    frontier_id: int | None = None,
    finished: Finished = "acknowledged",
    not_before: str | None = None,
) -> CaptureRow:
    """The row of an exchange whose records stand at `place`. A 304 has the payload digest of what it says is still
    valid.
    """
    is_unmodified = outcome == "not_modified"
    exchange = prepared.exchange
    return CaptureRow(
        target=prepared.target,
        captured_at=instant(exchange.started_at),
        outcome=outcome,
        http_status=prepared.head.status if prepared.head else None,
        media_type=prepared.media_type,
        payload_digest=(refers_to.payload_digest if refers_to else None) if is_unmodified else prepared.payload_digest,
        payload_bytes=prepared.payload_bytes,
        likeness=prepared.likeness if outcome == "ok" else None,
        etag=prepared.etag,
        last_modified=prepared.last_modified,
        truncated=exchange.truncated,
        error=exchange.error,
        refers_to=refers_to.record_id if refers_to else None,
        place=place,
        discovery=prepared.discovery,
        frontier_id=frontier_id,
        finished=finished,
        not_before=not_before,
    )


def _site_facts(site: SiteRow) -> dict[str, object]:
    return {
        "name": site.name,
        "agency": site.agency,
        "division_code": site.division_code,
        "platform": site.platform,
        "toml": site.toml,
    }
