"""Rows of a file that another tool wrote and that lies in `warc/` already.

The note of the import in a WARC file of ours leads here, when the file is imported as when the database is made again.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from archive.captures import insert_captures, response_at, response_with_id
from archive.contents import stored_response
from archive.errors import DamagedRecordError, MissingRecordError
from archive.foreign import captured_at, is_capture, message, profile, record_id, revisited, role_of
from archive.http1 import split_head
from archive.imports import RECORD_LIMIT
from archive.model import IMPORT_SITE, Discovery, Exchange, Finding, Outcome, Target, Truncation
from archive.paths import warc_dir
from archive.prepare import Discover, prepare
from archive.reader import Located, Record, records
from archive.records import PROFILE_NOT_MODIFIED
from archive.rows import CaptureRow, FullResponse, Place
from archive.store import insert_findings
from archive.times import instant, moment

# Called with how far the file has been read, in bytes.
Progress = Callable[[int], object]

BATCH = 256
_logger = logging.getLogger(__name__)
_TRUNCATIONS: dict[str, Truncation] = {"length": "length", "time": "time", "disconnect": "disconnect"}


def take_in(
    connection: sqlite3.Connection,
    data_dir: Path,
    facts: dict[str, Any],
    discover: Discover,
    progress: Progress | None = None,
) -> int:
    """Adds the captures of an imported file inside the caller's transaction; returns how many are new.

    `facts` is the note: run_id, file, source, sha256, bytes, container, at, findings. A record whose id is known
    already, from this file or another, is left out. Raises FileNotFoundError when the file is gone.
    """
    return _Taking(connection, data_dir, facts, discover).take(progress)


class _Taking:
    def __init__(
        self, connection: sqlite3.Connection, data_dir: Path, facts: dict[str, Any], discover: Discover
    ) -> None:
        self._connection = connection
        self._data_dir = data_dir
        self._path = warc_dir(data_dir) / facts["file"]
        self._facts = facts
        self._discover = discover
        self._waiting: dict[str, CaptureRow] = {}
        # By the payload digest as their writer spelled it: all that some revisits say of what they refer to.
        self._by_digest: dict[str, str] = {}
        self._captures = 0

    def take(self, progress: Progress | None) -> int:
        facts, count = self._facts, 0
        self._connection.execute(
            "INSERT INTO warc_files(file_name, run_id, state, bytes) VALUES (?, ?, 'open', ?)",
            (facts["file"], facts["run_id"], self._path.stat().st_size),
        )
        self._connection.execute(
            "INSERT INTO imports(run_id, file_name, source, sha256, bytes, container) VALUES (?, ?, ?, ?, ?, ?)",
            tuple(facts[name] for name in ("run_id", "file", "source", "sha256", "bytes", "container")),
        )
        found = [(Finding(level, code, message), None) for level, code, message in facts["findings"]]
        insert_findings(self._connection, facts["run_id"], found)
        for located in records(self._path, limit=RECORD_LIMIT):
            count += 1
            if located.record is not None and is_capture(located.record):
                self._take_record(located, located.record)
            if progress is not None:
                progress(located.offset + located.length)
        self._flush()
        self._connection.execute("UPDATE warc_files SET records = ? WHERE file_name = ?", (count, facts["file"]))
        return self._captures

    def _take_record(self, located: Located, record: Record) -> None:
        name = record_id(record, self._facts["file"], located.offset)
        if name in self._waiting:
            self._flush()
        if record.type == "revisit":
            # What it refers to must be in the database.
            self._flush()
        place = Place(
            warc_file=self._facts["file"],
            offset=located.offset,
            length=located.length,
            record_id=name,
            metadata_offset=located.offset,
            metadata_length=located.length,
        )
        row = self._row(record, place)
        if located.problem is not None:
            row = _with_finding(row, "record_digest_differs", located.problem)
        known = self._connection.execute(
            """SELECT p.digest FROM exchanges e LEFT JOIN payloads p ON p.payload_id = e.payload_id
            WHERE e.warc_record_id = ?""",
            (name,),
        ).fetchone()
        if known is None:
            self._waiting[name] = row
            self._captures += 1
        elif known[0] != row.payload_digest:
            text = f"{name} at byte {located.offset} of {self._facts['source']} is known with another payload"
            finding = Finding("warning", "record_id_reused", text, row.target.url)
            insert_findings(self._connection, self._facts["run_id"], [(finding, None)])
        declared = record.get("WARC-Payload-Digest")
        if declared and record.type != "revisit":
            self._by_digest.setdefault(declared, name)
        if len(self._waiting) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            insert_captures(self._connection, self._facts["run_id"], list(self._waiting.values()))
            self._waiting.clear()

    def _row(self, record: Record, place: Place) -> CaptureRow:
        is_revisit = record.type == "revisit"
        is_unmodified = is_revisit and profile(record) == PROFILE_NOT_MODIFIED
        full = self._referred(record) if is_revisit else None
        response = self._full_response(record, full) if full and not is_unmodified else message(record)
        entity: list[bytes] = []

        def read(target: Target, exchange: Exchange, decoded: bytes) -> Discovery:
            entity.append(decoded)
            return Discovery() if is_unmodified else self._discover(target, exchange, decoded)

        exchange = self._exchange(record, response)
        target = Target(url=record.target_uri, role="attachment", site=IMPORT_SITE, channel="")
        prepared = prepare(target, exchange, read, lambda: None)
        role = role_of(target.url, prepared.media_type, entity[0] if entity else b"")
        outcome: Outcome = "not_modified" if is_unmodified else prepared.outcome
        if is_revisit and (outcome == "ok" or not response):
            outcome = "revisit"
        row = CaptureRow(
            target=replace(target, role=role or "attachment"),
            captured_at=instant(exchange.started_at),
            outcome=outcome,
            http_status=prepared.head.status if prepared.head and record.type != "resource" else None,
            media_type=prepared.media_type,
            payload_digest=prepared.payload_digest,
            payload_bytes=prepared.payload_bytes,
            # Nothing of ours is to depend on the bytes of another tool.
            likeness=None,
            etag=prepared.etag,
            last_modified=prepared.last_modified,
            truncated=exchange.truncated,
            error=exchange.error,
            refers_to=full.record_id if full else None,
            place=place,
            discovery=prepared.discovery,
            is_document=role is not None,
        )
        if captured_at(record) is None:
            row = _with_finding(row, "record_undated", f"WARC-Date is {record.get('WARC-Date')!r}; the import's stands")
        if is_unmodified or (is_revisit and full is None):
            row = replace(row, payload_digest=full.payload_digest if full else None, is_document=False)
        if is_revisit and full is None:
            row = _with_finding(row, "revisit_without_response", "the response that this revisit refers to is not here")
        return row

    def _full_response(self, record: Record, full: FullResponse) -> bytes:
        try:
            return revisited(record, stored_response(self._data_dir, full))
        except (DamagedRecordError, MissingRecordError) as error:
            _logger.warning("%s at %s: %s", record.target_uri, record.get("WARC-Date"), error)
            return record.block

    def _exchange(self, record: Record, response: bytes) -> Exchange:
        head = split_head(response)
        # Revisits are always cut: their bodies lie elsewhere.
        truncated = "" if record.type == "revisit" else record.get("WARC-Truncated").lower()
        return Exchange(
            url=record.target_uri,
            method="GET",
            started_at=captured_at(record) or moment(self._facts["at"]),
            elapsed_ms=0.0,
            request=b"",
            response=response,
            status=head.status if head else None,
            headers=head.headers if head else (),
            truncated=_TRUNCATIONS.get(truncated, "unspecified") if truncated else None,
        )

    def _referred(self, record: Record) -> FullResponse | None:
        """By record id, else by address and second, else by the digest as written."""
        refers_to = record.get("WARC-Refers-To")
        found = response_with_id(self._connection, refers_to) if refers_to else None
        url, date = record.get("WARC-Refers-To-Target-URI").strip("<>"), record.get("WARC-Refers-To-Date")
        if found is None and url and date:
            found = response_at(self._connection, url, date)
        known = self._by_digest.get(record.get("WARC-Payload-Digest"))
        if found is None and known is not None:
            found = response_with_id(self._connection, known)
        return found


def _with_finding(row: CaptureRow, code: str, message: str) -> CaptureRow:
    finding = Finding("warning", code, message, row.target.url)
    return replace(row, discovery=replace(row.discovery, findings=(*row.discovery.findings, finding)))
