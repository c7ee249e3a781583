"""From a capture back to its bytes: the response as it came, the payload, the entity.

A revisit's own head is put before the body of the response that it refers to, which is equal by construction.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from archive import http1
from archive.errors import DamagedRecordError, MissingRecordError
from archive.foreign import message, profile, revisited
from archive.groups import RENDERED, Drawn
from archive.paths import is_imported, located
from archive.reader import Record, read_record, records
from archive.records import PROFILE_IDENTICAL, digest
from archive.rows import FullResponse

_PLACE = """
SELECT w.file_name, e.warc_offset, e.warc_length, e.refers_to, f.method
FROM exchanges e JOIN warc_files w ON w.warc_id = e.warc_id JOIN frontier f ON f.frontier_id = e.frontier_id
WHERE e.capture_id = ?
"""


def capture_record(data_dir: Path, connection: sqlite3.Connection, capture_id: int) -> Record:
    """The main WARC record of a capture, its digests verified where it is ours.

    Raises MissingRecordError when the capture or its file is not there, DamagedRecordError when its bytes are not
    right.
    """
    return _record(data_dir, connection, capture_id)[0]


def response_bytes(data_dir: Path, connection: sqlite3.Connection, capture_id: int) -> bytes:
    """The response message of a capture, byte for byte; b"" when none came. Raises as `capture_record` does.

    A file that another tool stored without HTTP comes with a head made for it.
    """
    record, refers_to, _ = _record(data_dir, connection, capture_id)
    if record.type not in ("response", "revisit", "resource"):
        return b""
    if record.type != "revisit" or profile(record) != PROFILE_IDENTICAL:
        return message(record)
    if refers_to is None:
        raise MissingRecordError(f"capture {capture_id}: a revisit whose response is not stored")
    return revisited(record, response_bytes(data_dir, connection, refers_to))


def payload_bytes(data_dir: Path, connection: sqlite3.Connection, capture_id: int) -> bytes:
    """The capture's payload: transfer coding removed, content coding kept; that of the stored response for a 304."""
    message, method = _message(data_dir, connection, capture_id)
    return http1.payload(message, method)


def entity_bytes(
    data_dir: Path,
    connection: sqlite3.Connection,
    capture_id: int,
    *,
    limit: int = http1.ENTITY_LIMIT,
    ratio: int = http1.ENTITY_RATIO,
) -> bytes:
    """The capture's payload without its content coding. Raises http1.DecodingError besides the others."""
    message, method = _message(data_dir, connection, capture_id)
    return http1.entity(message, method, limit=limit, ratio=ratio)


def stored_response(data_dir: Path, full: FullResponse) -> bytes:
    """The bytes of a full response. Raises MissingRecordError or DamagedRecordError."""
    path = located(data_dir, full.warc_file)
    if path is None:
        raise MissingRecordError(f"{full.warc_file} is not there")
    return message(_read(path, full.warc_file, full.offset, full.length))


def last_drawn(data_dir: Path, connection: sqlite3.Connection, key: bytes) -> Drawn | None:
    """What a browser drew the last time that the target with `key` was captured; None when nothing was drawn then."""
    row = connection.execute(
        """SELECT w.file_name, e.warc_offset, e.metadata_offset FROM exchanges e
        JOIN frontier f ON f.frontier_id = e.frontier_id JOIN warc_files w ON w.warc_id = e.warc_id
        WHERE f.key = ? ORDER BY e.capture_id DESC LIMIT 1""",
        (key,),
    ).fetchone()
    path = located(data_dir, row[0]) if row else None
    if path is None:
        return None
    for found in records(path, start=row[1]):
        record = found.record
        if record is None or found.problem is not None or found.offset > row[2]:
            return None
        if record.type == "resource" and record.target_uri.startswith(RENDERED):
            drawn = digest(record.block)
            return Drawn(record.record_id, record.get("WARC-Date"), drawn, row[0], found.offset, found.length)
        if found.offset == row[2]:
            before = json.loads(record.block).get("drawn_before")
            return Drawn(**before) if before else None
    return None


def drawn_bytes(data_dir: Path, drawn: Drawn) -> bytes:
    """What a browser drew. Raises MissingRecordError or DamagedRecordError, also where other bytes lie there."""
    path = located(data_dir, drawn.warc_file)
    if path is None:
        raise MissingRecordError(f"{drawn.warc_file} is not there")
    record = read_record(path, drawn.offset, drawn.length)
    if digest(record.block) != drawn.digest:
        raise DamagedRecordError(f"{drawn.warc_file} at {drawn.offset}: expected {drawn.digest}, found other bytes")
    return record.block


def _message(data_dir: Path, connection: sqlite3.Connection, capture_id: int) -> tuple[bytes, str]:
    record, refers_to, method = _record(data_dir, connection, capture_id)
    if record.type == "revisit" and profile(record) != PROFILE_IDENTICAL and refers_to is not None:
        capture_id = refers_to
    return response_bytes(data_dir, connection, capture_id), method


def _record(data_dir: Path, connection: sqlite3.Connection, capture_id: int) -> tuple[Record, int | None, str]:
    row = connection.execute(_PLACE, (capture_id,)).fetchone()
    if row is None:
        raise MissingRecordError(f"no capture {capture_id}")
    file_name, offset, length, refers_to, method = row
    path = located(data_dir, file_name)
    if path is None:
        raise MissingRecordError(f"capture {capture_id}: {file_name} is not there")
    return _read(path, file_name, offset, length), refers_to, method


def _read(path: Path, file_name: str, offset: int, length: int) -> Record:
    # Other tools' digests may be wrong from the start; the import has said so.
    return read_record(path, offset, length, verify=not is_imported(file_name))
