"""The database made again from the WARC files alone: runs, sites, captures, listings, the frontier, changes.

Files are read in the order in which they were sealed, and each from end to end, so that captures come in the order in
which they were made. The new database takes the old one's place only when it is whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.files import DiskFiles, Files
from archive.groups import Group, groups
from archive.index import rebuild_index
from archive.intake import Intake
from archive.model import Finding
from archive.paths import OWN_PREFIX, database_path, warc_dir
from archive.prepare import Discover
from archive.seal import ManifestLine, add_to_manifest, file_sha256, manifest
from archive.store import Store
from archive.times import Clock, now


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came back. `findings` say what did not; they are not in the database."""

    files: int
    captures: int
    findings: tuple[Finding, ...]


def rebuild(data_dir: Path, *, discover: Discover, clock: Clock = now, files: Files | None = None) -> Rebuilt:
    """Replaces corpus.db and index.cdxj by what the sealed WARC files say; the caller holds the lock and has recovered.

    What was read out of captures (pages, reports, facts) is gone afterwards and is for extraction to make again.
    """
    files = files or DiskFiles()
    path = database_path(data_dir)
    unfinished = path.with_name(path.name + ".new")
    _remove(unfinished, files)
    findings: list[Finding] = []
    with Store(unfinished, clock=clock) as store:
        # Nothing here needs to survive a crash: an unfinished rebuild is thrown away.
        store.connection.execute("PRAGMA synchronous = OFF")
        intake = Intake(data_dir, store, discover)
        names = file_order(data_dir)
        for name in names:
            if name.startswith(OWN_PREFIX):
                intake.take(name, _readable(data_dir, name, findings), state="sealed")
        # Files of other tools came in with the notes of their imports, in our files.
        for name in names:
            if not _note_seal(data_dir, store, name, files) and not name.startswith(OWN_PREFIX):
                findings.append(
                    Finding("warning", "warc_unknown", f"{name} is of another tool: 'gongkai import' takes it in")
                )
        findings.extend(intake.findings)
        store.interrupt_dead_runs()
        with store.transaction() as connection:
            connection.execute("UPDATE frontier SET state = 'pending' WHERE state = 'leased'")
        rebuild_index(data_dir, store.connection, files=files)
        store.connection.execute(f"PRAGMA synchronous = {store.synchronous}")
        _fold_wal(store.connection)
        captures = intake.captures
    if path.exists():
        # The old file's write-ahead log must not be taken for the new one's.
        with Store(path, clock=clock) as old:
            _fold_wal(old.connection)
    files.rename(unfinished, path)
    files.fsync_dir(data_dir)
    return Rebuilt(len(names), captures, tuple(findings))


def file_order(data_dir: Path) -> list[str]:
    """The WARC files of a data directory as they were sealed; those in no manifest line come last, by name."""
    present = {path.name for path in warc_dir(data_dir).glob("*.warc.gz")}
    sealed = [line.file for line in manifest(data_dir) if line.file in present]
    return sealed + sorted(present.difference(sealed))


def _readable(data_dir: Path, name: str, findings: list[Finding]) -> Iterator[Group]:
    for group in groups(warc_dir(data_dir) / name):
        if group.problem is None:
            yield group
        else:
            findings.append(Finding("error", "warc_damaged", f"{name} at byte {group.offset}: {group.problem}"))


def _note_seal(data_dir: Path, store: Store, name: str, files: Files) -> bool:
    """Says in manifest and database what a file is; False when the database does not know it."""
    path = warc_dir(data_dir) / name
    known = {line.file: line for line in manifest(data_dir)}.get(name)
    record_count = store.connection.execute("SELECT records FROM warc_files WHERE file_name = ?", (name,)).fetchone()
    if record_count is None:
        return False
    line = known or ManifestLine(name, file_sha256(path), record_count[0], path.stat().st_size)
    add_to_manifest(data_dir, line, files=files)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE warc_files SET state = 'sealed', sha256 = ?, bytes = ? WHERE file_name = ?",
            (line.sha256, line.bytes, name),
        )
    return True


def _fold_wal(connection: sqlite3.Connection) -> None:
    """Leaves a database of one file."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode = DELETE")


def _remove(path: Path, files: Files) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        files.remove_temporary(path.with_name(path.name + suffix))
