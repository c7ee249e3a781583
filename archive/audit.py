"""Whether everything is still there and still the same: files against manifest, index and database, both ways.

Every record is read and its digests computed again. Files by other tools may stand among ours: their records are
checked, their absence from the database is not a problem.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.contents import drawn_bytes
from archive.decisions import StoredDecision, stored_decisions
from archive.errors import ArchiveError
from archive.foreign import message, record_id
from archive.groups import CAPTURE, DECISION, Drawn, Group, groups
from archive.http1 import payload
from archive.imports import RECORD_LIMIT
from archive.index import index_lines
from archive.lock import is_locked
from archive.paths import (
    OPEN_SUFFIX,
    database_path,
    index_path,
    is_imported,
    manifest_path,
    quarantine_dir,
    warc_dir,
)
from archive.reader import Located, records
from archive.records import digest
from archive.seal import ManifestLine, file_sha256, manifest, manifest_problems


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be. `offset` and `record_id` are None where it concerns a whole file."""

    file: str
    offset: int | None
    record_id: str | None
    problem: str


@dataclass(frozen=True, slots=True)
class _Row:
    capture_id: int
    length: int
    record_id: str
    payload_digest: str | None
    is_full: bool
    metadata_offset: int
    metadata_length: int


def audit(data_dir: Path) -> Iterator[Problem]:
    """Every problem of a data directory; nothing when all is well. Reads only."""
    try:
        connection = _open_database(data_dir)
        trouble = "is missing"
    except sqlite3.DatabaseError as error:
        connection, trouble = None, f"cannot be read ({error}); move it away"
    if connection is None:
        yield Problem("corpus.db", None, None, f"{trouble}; 'gongkai extract --full' makes it again")
    try:
        lines = {line.file: line for line in manifest(data_dir)}
        for text in manifest_problems(data_dir):
            yield Problem(manifest_path(data_dir).name, None, None, text)
        seen: set[str] = set()
        for path in _warc_files(data_dir):
            name = path.name.removesuffix(OPEN_SUFFIX)
            seen.add(name)
            is_alive = is_locked(data_dir)
            yield from _audit_file(data_dir, path, lines.get(name), connection, is_alive=is_alive)
        for name in sorted(lines.keys() - seen):
            yield Problem(name, None, None, "is in the manifest and not there")
        if connection is not None:
            yield from _audit_database(connection, seen)
            yield from _audit_index(data_dir, connection)
    finally:
        if connection is not None:
            connection.close()


def _open_database(data_dir: Path) -> sqlite3.Connection | None:
    path = database_path(data_dir)
    if not path.exists():
        return None
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1")
    except sqlite3.OperationalError:
        connection.close()
        # SQLite reads a write-ahead log only beside files of its own, which a read-only disk does not take.
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise ArchiveError(
                f"{path}: its log is not folded in and cannot be here; copy the directory and audit that"
            ) from None
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    return connection


def _warc_files(data_dir: Path) -> list[Path]:
    directory = warc_dir(data_dir)
    patterns = ("*.warc.gz", "*.warc", f"*.warc.gz{OPEN_SUFFIX}")
    found = [path for pattern in patterns for path in directory.glob(pattern)]
    return sorted([*found, *quarantine_dir(data_dir).glob("*.warc.gz")])


def _audit_file(
    data_dir: Path,
    path: Path,
    line: ManifestLine | None,
    connection: sqlite3.Connection | None,
    *,
    is_alive: bool,
) -> Iterator[Problem]:
    name = path.name.removesuffix(OPEN_SUFFIX)
    is_open = path.name.endswith(OPEN_SUFFIX)
    known = None
    if connection is not None:
        known = connection.execute("SELECT state, bytes FROM warc_files WHERE file_name = ?", (name,)).fetchone()
    if path.parent.name == "quarantine":
        yield Problem(name, None, None, "is in quarantine: it contradicts the database")
    elif is_open and not is_alive:
        yield Problem(name, None, None, "was left open; the next run repairs it")
    elif not is_open and known is not None:
        yield from _against_manifest(path, name, line)
    if known is None:
        yield from _foreign_records(path, name)
        return
    end = int(known[1]) if is_open else None
    if connection is None:
        return
    rows = _rows(connection, name)
    if is_imported(name):
        yield from _imported_records(path, name, rows, line)
    else:
        yield from _own_records(data_dir, path, name, rows, line, end, stored_decisions(connection, name))


def _against_manifest(path: Path, name: str, line: ManifestLine | None) -> Iterator[Problem]:
    if line is None:
        yield Problem(name, None, None, "is in no line of the manifest")
        return
    size = path.stat().st_size
    if size != line.bytes:
        yield Problem(name, None, None, f"the manifest says {line.bytes} bytes, the file has {size}")
    found = file_sha256(path)
    if found != line.sha256:
        yield Problem(name, None, None, f"the manifest says sha256 {line.sha256}, the file has {found}")


def _foreign_records(path: Path, name: str) -> Iterator[Problem]:
    for located in records(path):
        if located.problem is not None:
            yield _problem(name, located, located.problem)


def _own_records(
    data_dir: Path,
    path: Path,
    name: str,
    rows: dict[int, _Row],
    line: ManifestLine | None,
    end: int | None,
    decided: dict[int, StoredDecision],
) -> Iterator[Problem]:
    count = 0
    for group in groups(path):
        if end is not None and group.offset >= end:
            break
        count += len(group.members)
        if group.problem is not None:
            yield Problem(name, group.offset, None, group.problem)
        elif group.kind == CAPTURE:
            yield from _against_row(name, group, rows)
            yield from _drawn_again(data_dir, name, group)
        elif group.kind == DECISION:
            yield from _against_decision(name, group, decided)
    for offset, stored in sorted(decided.items(), key=lambda entry: entry[0]):
        what = f"decision {stored.facts['decision_id']}"
        yield Problem(name, offset, stored.record_id, f"{what} of the database has no record here")
    yield from _left_over(name, rows, line, count)


def _imported_records(path: Path, name: str, rows: dict[int, _Row], line: ManifestLine | None) -> Iterator[Problem]:
    """Digests that other tools wrote may have been wrong from the start: the database's and the manifest's count."""
    count = 0
    for located in records(path, limit=RECORD_LIMIT):
        count += 1
        if located.record is None:
            yield _problem(name, located, located.problem or "no record")
            continue
        row = rows.pop(located.offset, None)
        if row is None:
            continue
        found = record_id(located.record, name, located.offset)
        if row.record_id != found:
            yield _problem(name, located, f"the database has {row.record_id} here")
        if row.length != located.length:
            yield _problem(name, located, f"the database says {row.length} bytes, the record has {located.length}")
        if located.record.type != "revisit" and row.payload_digest is not None:
            found = digest(payload(message(located.record)))
            if found != row.payload_digest:
                yield _problem(
                    name, located, f"the database says payload {row.payload_digest}, the record holds {found}"
                )
    yield from _left_over(name, rows, line, count)


def _left_over(name: str, rows: dict[int, _Row], line: ManifestLine | None, count: int) -> Iterator[Problem]:
    for offset, row in sorted(rows.items()):
        yield Problem(name, offset, row.record_id, f"capture {row.capture_id} of the database has no record here")
    if line is not None and count != line.records:
        yield Problem(name, None, None, f"the manifest says {line.records} records, {count} were found")


def _against_row(name: str, group: Group, rows: dict[int, _Row]) -> Iterator[Problem]:
    main, metadata = group.main, group.members[-1]
    record = main.record
    row = rows.pop(main.offset, None)
    if record is None:
        return
    if row is None:
        yield _problem(name, main, "the database has no capture for this record")
        return
    if row.record_id != record.record_id:
        yield _problem(name, main, f"the database has {row.record_id} here")
    if row.length != main.length:
        yield _problem(name, main, f"the database says {row.length} bytes, the record has {main.length}")
    if (row.metadata_offset, row.metadata_length) != (metadata.offset, metadata.length):
        yield _problem(name, metadata, "the database has the metadata record elsewhere")
    if record.type == "response" and row.payload_digest is not None:
        found = digest(payload(record.block, group.facts["method"]))
        if found != row.payload_digest:
            yield _problem(name, main, f"the database says payload {row.payload_digest}, the record holds {found}")


def _drawn_again(data_dir: Path, name: str, group: Group) -> Iterator[Problem]:
    """What a browser drew twice stands in the earlier record only."""
    before = group.facts.get("drawn_before")
    try:
        if before is not None:
            drawn_bytes(data_dir, Drawn(**before))
    except ArchiveError as error:
        yield _problem(name, group.main, f"what a browser drew of it is not there: {error}")


def _against_decision(name: str, group: Group, decided: dict[int, StoredDecision]) -> Iterator[Problem]:
    main = group.main
    stored = decided.pop(main.offset, None)
    if stored is None:
        yield _problem(name, main, "the database has no decision for this record")
        return
    if main.record is not None and stored.record_id != main.record.record_id:
        yield _problem(name, main, f"the database has {stored.record_id} here")
    if stored.length != main.length:
        yield _problem(name, main, f"the database says {stored.length} bytes, the record has {main.length}")
    if stored.facts != {key: value for key, value in group.facts.items() if key != "type"}:
        yield _problem(name, main, f"decision {stored.facts['decision_id']} of the database says something else")


def _problem(name: str, located: Located, text: str) -> Problem:
    return Problem(name, located.offset, located.record.record_id if located.record else None, text)


def _rows(connection: sqlite3.Connection, name: str) -> dict[int, _Row]:
    found = connection.execute(
        """SELECT e.warc_offset, e.capture_id, e.warc_length, e.warc_record_id, p.digest, e.refers_to IS NULL,
            e.metadata_offset, e.metadata_length
        FROM exchanges e JOIN warc_files w ON w.warc_id = e.warc_id
        LEFT JOIN payloads p ON p.payload_id = e.payload_id WHERE w.file_name = ?""",
        (name,),
    )
    return {row[0]: _Row(row[1], row[2], row[3], row[4], bool(row[5]), row[6], row[7]) for row in found}


def _audit_database(connection: sqlite3.Connection, seen: set[str]) -> Iterator[Problem]:
    for (text,) in connection.execute("PRAGMA quick_check"):
        if text != "ok":
            yield Problem("corpus.db", None, None, str(text))
    for row in connection.execute("PRAGMA foreign_key_check"):
        yield Problem(
            "corpus.db", None, None, f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there"
        )
    for (name,) in connection.execute("SELECT file_name FROM warc_files ORDER BY file_name").fetchall():
        if name not in seen:
            yield Problem(name, None, None, "is in the database and not there")
    dangling = connection.execute(
        """SELECT w.file_name, e.warc_offset, e.warc_record_id FROM exchanges e
        JOIN exchanges r ON r.capture_id = e.refers_to JOIN warc_files w ON w.warc_id = e.warc_id
        WHERE r.refers_to IS NOT NULL OR (e.outcome IN ('revisit', 'not_modified') AND r.outcome <> 'ok')"""
    )
    for name, offset, dangling_id in dangling:
        yield Problem(name, offset, dangling_id, "a revisit that refers to something that is no full response")


def _audit_index(data_dir: Path, connection: sqlite3.Connection) -> Iterator[Problem]:
    path = index_path(data_dir)
    found: dict[str, dict[int, int]] = defaultdict(dict)
    if path.exists():
        previous = ""
        with path.open(encoding="utf-8", errors="replace") as handle:
            for number, line in enumerate(handle, 1):
                if line < previous:
                    yield Problem(path.name, None, None, f"line {number} is out of order")
                previous = line
                try:
                    fields = json.loads(line.split(" ", 2)[2])
                    found[fields["filename"]][hash(line)] = int(fields["offset"])
                except (ValueError, KeyError, IndexError, TypeError):
                    yield Problem(path.name, None, None, f"line {number} is no index line")
    names = connection.execute("SELECT file_name FROM warc_files WHERE state = 'sealed' ORDER BY file_name").fetchall()
    for (name,) in names:
        there = found.pop(name, {})
        for line in index_lines(connection, name):
            if there.pop(hash(line), None) is None:
                offset = int(json.loads(line.split(" ", 2)[2])["offset"])
                yield Problem(name, offset, None, f"{path.name} lacks the line of this record")
        for offset in there.values():
            yield Problem(name, offset, None, f"{path.name} has a line here that the database does not bear out")
    for name, there in sorted(found.items()):
        yield Problem(path.name, None, None, f"{len(there)} lines are of {name}, which the database does not have")
