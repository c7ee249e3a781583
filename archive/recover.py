"""Putting a data directory in order after a run that did not end: nothing is deleted, every step is said.

Each `.open` file is compared with the database. Whole groups that the database does not know are adopted; what follows
the last whole group is copied to `warc/quarantine/` and cut off; a file that contradicts the database goes there as a
whole; every other file is sealed. Each step may itself be interrupted and done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive.decisions import stored_decisions
from archive.files import DiskFiles, Files, write_atomically
from archive.groups import CAPTURE, DECISION, Group, groups
from archive.intake import Intake
from archive.model import Finding
from archive.paths import OPEN_SUFFIX, OWN_PREFIX, quarantine_dir, rebuild_path, warc_dir
from archive.prepare import Discover
from archive.rebuild import remove_database
from archive.seal import seal
from archive.store import Store

_PIECE = 1024 * 1024


def recover(data_dir: Path, store: Store, *, discover: Discover, files: Files | None = None) -> list[Finding]:
    """Repairs what a dead run left; the caller holds the lock. Returns what was done, [] when there was nothing to do.

    Afterwards no `.open` file is left, no row is leased and no run is called running.
    """
    files = files or DiskFiles()
    directory = warc_dir(data_dir)
    findings: list[Finding] = list(_unfinished_rebuild(data_dir, store, files))
    for path in sorted(directory.glob(f"*.warc.gz{OPEN_SUFFIX}")):
        findings.extend(_repair(data_dir, store, path, discover, files))
    findings.extend(_finish_sealing(data_dir, store, files))
    findings.extend(_strangers(data_dir, store))
    for run_id in store.interrupt_dead_runs():
        findings.append(Finding("warning", "run_interrupted", f"run {run_id} did not end; it is marked interrupted"))
    with store.transaction() as connection:
        connection.execute("UPDATE frontier SET state = 'pending' WHERE state = 'leased'")
    return findings


def _unfinished_rebuild(data_dir: Path, store: Store, files: Files) -> Iterator[Finding]:
    path = rebuild_path(data_dir)
    if store.path == path or not path.exists():
        return
    remove_database(path, files)
    message = f"{path.name}: 'extract --full' did not end; the database stands as it was before"
    yield Finding("warning", "rebuild_unfinished", message)


def _repair(data_dir: Path, store: Store, path: Path, discover: Discover, files: Files) -> Iterator[Finding]:
    name = path.name.removesuffix(OPEN_SUFFIX)
    row = store.connection.execute("SELECT bytes FROM warc_files WHERE file_name = ?", (name,)).fetchone()
    known = int(row[0]) if row else 0
    disagreement = _disagreement(store, path, name, known)
    if disagreement:
        _quarantine(data_dir, store, path, name, files)
        yield Finding(
            "error", "warc_quarantined", f"{name} contradicts the database and is in quarantine: {disagreement}"
        )
        return
    end, orphans, decided = known, 0, 0
    for group in _whole_groups(path, known):
        end, orphans, decided = group.end, orphans + (group.kind == CAPTURE), decided + (group.kind == DECISION)
    if end > known:
        intake = Intake(data_dir, store, discover)
        intake.take(name, _whole_groups(path, known))
        yield from intake.findings
        yield Finding(
            "info", "captures_adopted", f"{name}: {orphans} captures that the database did not know, from byte {known}"
        )
        if decided:
            message = f"{name}: {decided} decisions that the database did not know, from byte {known}"
            yield Finding("info", "decisions_adopted", message)
    if end == 0:
        files.make_dir(quarantine_dir(data_dir))
        _move(path, quarantine_dir(data_dir) / f"{name}.tail-0", files)
        yield Finding("info", "warc_empty", f"{name} holds no whole record and is in quarantine")
        return
    size = path.stat().st_size
    if end < size:
        kept = _keep_tail(data_dir, path, name, end, files)
        files.truncate(path, end)
        yield Finding(
            "warning",
            "warc_tail_cut",
            f"{name}: {size - end} bytes of an unfinished exchange cut at byte {end}, kept as {kept}",
        )
    seal(data_dir, store, name, files=files)
    yield Finding("info", "warc_sealed", f"{name}: left open by a run that did not end, sealed with {end} bytes")


def _whole_groups(path: Path, start: int) -> Iterator[Group]:
    """Groups from `start` to the first that is damaged or unfinished."""
    for group in groups(path, start=start):
        if group.problem is not None:
            return
        yield group


def _disagreement(store: Store, path: Path, name: str, known: int) -> str | None:
    """Why the first `known` bytes of the file are not what the database says, None when they are."""
    size = path.stat().st_size
    if size < known:
        return f"the database knows {known} bytes, the file has {size}"
    rows = dict(
        store.connection.execute(
            """SELECT e.warc_offset, e.warc_record_id FROM exchanges e JOIN warc_files w ON w.warc_id = e.warc_id
            WHERE w.file_name = ?""",
            (name,),
        ).fetchall()
    )
    rows |= {offset: stored.record_id for offset, stored in stored_decisions(store.connection, name).items()}
    for group in groups(path) if known else ():
        if group.offset >= known:
            break
        if group.problem is not None:
            return f"at byte {group.offset}: {group.problem}"
        if group.kind not in (CAPTURE, DECISION):
            continue
        main = group.main
        record_id = main.record.record_id if main.record else ""
        if rows.pop(main.offset, None) != record_id:
            return f"at byte {main.offset}: the database does not know record {record_id}"
    if rows:
        offset, record_id = min(rows.items())
        return f"the database knows record {record_id} at byte {offset}, the file does not"
    return None


def _keep_tail(data_dir: Path, path: Path, name: str, start: int, files: Files) -> str:
    directory = quarantine_dir(data_dir)
    files.make_dir(directory)
    kept = directory / f"{name}.tail-{start}"
    with path.open("rb") as handle:
        handle.seek(start)
        write_atomically(files, kept, iter(lambda: handle.read(_PIECE), b""))
    return f"quarantine/{kept.name}"


def _quarantine(data_dir: Path, store: Store, path: Path, name: str, files: Files) -> None:
    directory = quarantine_dir(data_dir)
    files.make_dir(directory)
    with store.transaction() as connection:
        connection.execute("UPDATE warc_files SET state = 'quarantined' WHERE file_name = ?", (name,))
    _move(path, directory / name, files)


def _move(source: Path, target: Path, files: Files) -> None:
    files.rename(source, target)
    files.fsync_dir(target.parent)
    files.fsync_dir(source.parent)


def _finish_sealing(data_dir: Path, store: Store, files: Files) -> Iterator[Finding]:
    """Files that the database still takes for open: their sealing was interrupted, or they are gone."""
    rows = store.connection.execute("SELECT file_name FROM warc_files WHERE state = 'open' ORDER BY warc_id").fetchall()
    for (name,) in rows:
        if (warc_dir(data_dir) / name).is_file():
            seal(data_dir, store, name, files=files)
            yield Finding("info", "warc_sealed", f"{name}: its sealing had been interrupted and is done")
        else:
            yield Finding("error", "warc_missing", f"{name} is in the database and not in {warc_dir(data_dir)}")


def _strangers(data_dir: Path, store: Store) -> Iterator[Finding]:
    known = {name for (name,) in store.connection.execute("SELECT file_name FROM warc_files")}
    for path in sorted(warc_dir(data_dir).glob("*.warc.gz")):
        if path.name not in known:
            command = "extract --full" if path.name.startswith(OWN_PREFIX) else "import"
            message = f"{path.name} is not in the database; 'gongkai {command}' takes it in"
            yield Finding("warning", "warc_unknown", message)
