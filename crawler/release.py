"""A release: the corpus frozen under a dated version, with its checksums, or a clear word why it is not fit for one.

    snapshot → bounds → exports → manifest, SHA256SUMS → fsync → rename → decision of kind `release` in the archive

Nothing of a release that is stopped stays. The decision's record brings the list of releases back with the archive.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from archive.audit import audit
from archive.bounds import BOUNDS_FILE, Verdict, judged, load_bounds, measured
from archive.errors import ArchiveError
from archive.exports import notes
from archive.exports.export import ExportedFile, export
from archive.exports.wacz import export_wacz
from archive.paths import database_path, no_database
from archive.seal import file_sha256
from archive.snapshot import Snapshot, snapshot
from archive.times import Clock, instant, now
from crawler.deciding import deciding

KIND = "release"
EXPORTS = ("datapackage", "parquet", "stata", "wacz")
MANIFEST_NAME, SUMS_NAME = "manifest.json", "SHA256SUMS"
COUNTED = ("reports", "facts", "checks", "agencies", "panel", "pages", "captures")

Step = Callable[[str], object]

log = logging.getLogger(__name__)


class BoundsError(ArchiveError):
    """Raised when a corpus is not fit to be released; the message has a line for each bound that does not hold."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release that was made. `accepted` is why it was made though bounds do not hold, "" where all hold."""

    release: str
    path: Path
    manifest_sha256: str
    counts: dict[str, int]
    verdicts: tuple[Verdict, ...]
    accepted: str
    decision_id: str


def release(
    data_dir: Path,
    to: Path,
    *,
    author: str,
    accept: str = "",
    bounds_file: Path = BOUNDS_FILE,
    formats: Sequence[str] = ("datapackage", "parquet", "stata"),
    clock: Clock = now,
    step: Step = lambda _: None,
) -> Release:
    """Freezes the corpus in a folder of its own in `to`. Raises BoundsError, LockedError, ArchiveError, OSError.

    `accept` is the reason to release a corpus although bounds do not hold; it is kept with the release.
    """
    if not database_path(data_dir).is_file():
        raise ArchiveError(no_database(data_dir))
    bounds = load_bounds(bounds_file)
    with deciding(data_dir, author=author) as (store, decisions):
        moment = clock()
        step("looking through the archive")
        problems = sum(1 for _ in audit(data_dir))
        name = _next_version(store.connection, to, f"{moment:%Y.%m}")
        draft = to / f".{name}.new"
        shutil.rmtree(draft, ignore_errors=True)
        made_folders = [folder for folder in (to, *to.parents) if not folder.exists()]
        try:
            frozen = snapshot(data_dir, draft / "snapshot", clock=clock, step=step)
            found = measured(frozen.path, bounds, audit_problems=problems)
            verdicts = judged(bounds, found, _last(store.connection))
            broken = [verdict.problem for verdict in verdicts if verdict.problem]
            if broken and not accept.strip():
                raise BoundsError("\n".join(["the corpus is not fit to be released:", *broken]))
            _export(data_dir, frozen.path, draft, formats, name, clock, step)
            accepted = accept.strip() if broken else ""
            about = _about(name, instant(moment), frozen, verdicts, accepted)
            manifest_sha256 = _sealed(draft, about)
            to.mkdir(parents=True, exist_ok=True)
            draft.replace(to / name)
            _fsync(to)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            _remove_empty(made_folders)
        body = {**about, "manifest_sha256": manifest_sha256}
        decision_id = decisions.decide(KIND, body, reason=accepted or f"release {name}")
    log.info("released %s in %s", name, to)
    return Release(
        release=name,
        path=to / name,
        manifest_sha256=manifest_sha256,
        counts=about["counts"],
        verdicts=verdicts,
        accepted=accepted,
        decision_id=decision_id,
    )


def _remove_empty(folders: Sequence[Path]) -> None:
    """Takes away folders that hold nothing, innermost first."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _next_version(connection: sqlite3.Connection, to: Path, month: str) -> str:
    """`YYYY.MM.N`, N above those that were recorded and those that lie in `to`."""
    known = [release for (release,) in connection.execute("SELECT release FROM releases")]
    known += [path.name for path in to.glob(f"{month}.*")] if to.is_dir() else []
    numbers = [
        int(tail) for name in known if name.startswith(f"{month}.") and (tail := name[len(month) + 1 :]).isdigit()
    ]
    return f"{month}.{max(numbers, default=0) + 1}"


def _last(connection: sqlite3.Connection) -> dict[str, float | None]:
    """The numbers of the last release that was not withdrawn."""
    row = connection.execute(
        "SELECT bounds_json FROM releases WHERE withdrawn_at IS NULL ORDER BY made_at DESC LIMIT 1"
    ).fetchone()
    return {verdict["name"]: verdict["found"] for verdict in json.loads(row[0])} if row else {}


def _export(
    data_dir: Path, database: Path, draft: Path, formats: Sequence[str], name: str, clock: Clock, step: Step
) -> None:
    def advance(table: str, _: int) -> None:
        step(f"{form}: {table}")

    for form in formats:
        if form == "wacz":
            export_wacz(data_dir, draft / form, advance=advance)
        elif form in EXPORTS:
            _exported(database, draft / form, form, name, clock, advance)
        else:
            raise ArchiveError(f"{form}: expected one of {', '.join(EXPORTS)}")


def _exported(
    database: Path, to: Path, form: str, name: str, clock: Clock, advance: Callable[[str, int], None]
) -> list[ExportedFile]:
    chosen: notes.Format = "stata" if form == "stata" else "parquet" if form == "parquet" else "datapackage"
    return export(database, to, chosen, release=name, clock=clock, advance=advance)


def _about(name: str, made_at: str, frozen: Snapshot, verdicts: tuple[Verdict, ...], accepted: str) -> dict[str, Any]:
    with contextlib.closing(sqlite3.connect(f"{frozen.path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  our own names
            for table in COUNTED
        }
        parsers = [
            found for (found,) in connection.execute("SELECT DISTINCT parser_version FROM provenance ORDER BY 1")
        ]
    return {
        "release": name,
        "made_at": made_at,
        "code_version": version("gongkai"),
        "parser_versions": ", ".join(parsers),
        "counts": counts,
        "snapshot_sha256": frozen.sha256,
        "bounds": [asdict(verdict) for verdict in verdicts],
        "accepted": accepted,
    }


def _sealed(draft: Path, about: dict[str, Any]) -> str:
    """Writes citation, manifest and checksums; everything is on the disk afterwards. Returns the manifest's digest."""
    (draft / "CITATION.cff").write_text(notes.citation(about["made_at"][:10], about["release"]), "utf-8")
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    listed = [
        {"path": path.relative_to(draft).as_posix(), "bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in files
    ]
    manifest = draft / MANIFEST_NAME
    manifest.write_text(json.dumps({**about, "files": listed}, ensure_ascii=False, indent=1) + "\n", "utf-8")
    digest = file_sha256(manifest)
    sums = [f"{entry['sha256']}  {entry['path']}" for entry in listed] + [f"{digest}  {MANIFEST_NAME}"]
    (draft / SUMS_NAME).write_text("\n".join(sums) + "\n", "utf-8")
    for path in draft.rglob("*"):
        _fsync(path)
    _fsync(draft)
    return digest


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
