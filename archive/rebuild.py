"""The database made again from the WARC files alone: runs, sites, captures, listings, the frontier, changes.

Files are read in the order in which they were sealed, and each from end to end, so that captures come in the order in
which they were made. The new database takes the old one's place in one step, when it is whole and has been read:
killed before that, the old one stands.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive.errors import ArchiveError
from archive.files import DiskFiles, Files
from archive.groups import Group, groups
from archive.index import rebuild_index
from archive.intake import Intake
from archive.model import Finding
from archive.paths import OWN_PREFIX, database_path, has_sealed_files, rebuild_path, warc_dir
from archive.prepare import Discover
from archive.seal import ManifestLine, add_to_manifest, file_sha256, manifest
from archive.store import Store
from archive.times import Clock, now


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came back, in `store`. `findings` say what did not; they are not in the database."""

    store: Store
    files: int
    captures: int
    findings: tuple[Finding, ...]


def is_emptied(data_dir: Path) -> bool:
    """Whether there are sealed files of ours and a database that knows none of them, or none at all."""
    if not has_sealed_files(data_dir):
        return False
    if not database_path(data_dir).exists():
        return True
    with Store.open(data_dir) as store:
        return store.connection.execute("SELECT 1 FROM warc_files LIMIT 1").fetchone() is None


@contextmanager
def rebuilding(
    data_dir: Path, *, discover: Discover, clock: Clock = now, files: Files | None = None
) -> Iterator[Rebuilt]:
    """A new database with what the sealed WARC files say; it replaces corpus.db when the block ends without an error.

    The caller holds the lock and has recovered; in the block it reads the captures again, since pages, reports and
    facts are not in the new database. index.cdxj is made again too. Raises ArchiveError when the disk has no room.
    """
    files = files or DiskFiles()
    path, unfinished = database_path(data_dir), rebuild_path(data_dir)
    _check_room(path)
    remove_database(unfinished, files)
    try:
        with Store(unfinished, clock=clock) as store:
            # Nothing here needs to survive a crash: an unfinished rebuild is thrown away.
            store.connection.execute("PRAGMA synchronous = OFF")
            yield _taken_in(data_dir, store, discover, files)
            rebuild_index(data_dir, store.connection, files=files)
            if path.exists():
                # Whoever has it open sees the old rows, then the new ones.
                with Store(path, clock=clock) as standing:
                    store.connection.backup(standing.connection)
                return
            store.connection.execute(f"PRAGMA synchronous = {store.synchronous}")
            _fold_wal(store.connection)
        # The log of a database that somebody took away must not be taken for the new one's.
        remove_database(path, files)
        files.rename(unfinished, path)
        files.fsync_dir(data_dir)
    finally:
        remove_database(unfinished, files)


def remove_database(path: Path, files: Files) -> None:
    """A database that nothing needs, with its log."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        files.remove_temporary(path.with_name(path.name + suffix))


def _check_room(path: Path) -> None:
    """The new database stands beside the old one, and then in its log as well."""
    needed = 2 * path.stat().st_size if path.exists() else 0
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise ArchiveError(
            f"{path}: making it again takes about {needed} bytes for a while, the disk has {free}; it stands as it was"
        )


def _taken_in(data_dir: Path, store: Store, discover: Discover, files: Files) -> Rebuilt:
    findings: list[Finding] = []
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
    return Rebuilt(store, len(names), intake.captures, tuple(findings))


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
