"""Takes in WARC and WACZ files written by other tools: copies them, makes their captures rows, reads them.

    FILE → copy in warc/ → note in a WARC file of ours → one transaction with its captures → sealed → extraction

The note makes the import part of the archive: an emptied database gets it back from `warc/` alone.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from archive.errors import ForeignFileError
from archive.files import DiskFiles, Files
from archive.frontier import Frontier
from archive.groups import IMPORT
from archive.imported import take_in
from archive.imports import Copied, copy_in
from archive.lock import lock
from archive.model import Finding, RunStatus
from archive.paths import importing_dir, quarantine_dir, warc_dir
from archive.recorder import Recorder
from archive.recover import recover
from archive.rows import Place, RunRow
from archive.seal import file_sha256, seal
from archive.store import Store
from archive.times import instant, now
from archive.wacz import is_wacz, warc_files
from crawler.extract import ExtractSummary, extract_new
from crawler.progress import counted, progress
from crawler.reread import discover_with, stored_sites


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What became of one WARC file. `known`: it was imported before. `captures` counts those that are new."""

    source: str
    status: Literal["imported", "known", "failed"]
    captures: int = 0
    warc_file: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """An import. `run_id` is None when there was nothing new; `findings` counts the run's findings by level."""

    run_id: str | None
    files: tuple[FileSummary, ...]
    captures: int
    findings: dict[str, int]
    extracted: ExtractSummary

    @property
    def ok(self) -> bool:
        """False when a file could not be taken in at all; what is damaged in one that was is a finding only."""
        return all(file.status != "failed" for file in self.files)


def import_files(
    data_dir: Path, paths: Sequence[Path], *, workers: int = 1, files: Files | None = None
) -> ImportSummary:
    """Takes in each file and extracts what is new. One that cannot be taken in costs only itself.

    Raises LockedError when a run is under way, RecorderError when nothing more could be written.
    """
    files = files or DiskFiles()
    with lock(data_dir, run_id="import"), Store.open(data_dir) as store:
        repairs = recover(data_dir, store, discover=discover_with(stored_sites(store)), files=files)
        with _Import(data_dir, store, repairs, files) as importing:
            for path in paths:
                importing.take(path)
        extracted = extract_new(data_dir, store, workers=workers)
        return importing.summary(extracted)


class _Import:
    """The run of an import; it begins with the first file that is new."""

    def __init__(self, data_dir: Path, store: Store, repairs: Sequence[Finding], files: Files) -> None:
        self._data_dir = data_dir
        self._store = store
        self._repairs = repairs
        self._files = files
        self._discover = discover_with(stored_sites(store))
        self._recorder: Recorder | None = None
        self._run_id: str | None = None
        self._taken: list[FileSummary] = []

    def __enter__(self) -> _Import:
        self._clear()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._clear()
        status: RunStatus = "finished" if kind is None else "interrupted"
        if kind is not None and issubclass(kind, Exception):
            status = "failed"
        if self._recorder is not None:
            counts = Counter(file.status for file in self._taken)
            self._recorder.close(status, stats_json=json.dumps({"files": dict(sorted(counts.items()))}))

    def take(self, path: Path) -> None:
        """Takes in a file, or each WARC file of a WACZ."""
        try:
            for source, warc, problem in self._sources(path):
                self._taken.append(self._take_or_fail(source, warc, problem))
        except (ForeignFileError, OSError) as error:
            self._taken.append(FileSummary(path.name, "failed", problem=str(error)))

    def _sources(self, path: Path) -> Iterator[tuple[str, Path | None, str | None]]:
        if not is_wacz(path):
            yield path.name, path, None
            return
        for member in warc_files(path, importing_dir(self._data_dir) / "wacz", files=self._files):
            yield f"{path.name}/{member.name}", member.path, member.problem

    def _take_or_fail(self, source: str, path: Path | None, problem: str | None) -> FileSummary:
        if path is None:
            return FileSummary(source, "failed", problem=f"{source}: {problem}")
        try:
            return self._take(source, path, problem)
        except (ForeignFileError, OSError) as error:
            return FileSummary(source, "failed", problem=str(error))

    def _take(self, source: str, path: Path, problem: str | None) -> FileSummary:
        sha256 = file_sha256(path)
        known = self._known(sha256)
        if known is not None:
            return FileSummary(source, "known", warc_file=known)
        copied = copy_in(path, source, sha256, self._data_dir, files=self._files)
        findings = copied.findings
        if problem is not None:
            findings += (Finding("warning", "wacz_digest_differs", f"{source}: {problem}"),)
        captures = self._note(copied, findings)
        seal(self._data_dir, self._store, copied.warc_file, files=self._files)
        return FileSummary(source, "imported", captures, copied.warc_file)

    def _known(self, sha256: str) -> str | None:
        row = self._store.connection.execute("SELECT file_name FROM imports WHERE sha256 = ?", (sha256,)).fetchone()
        return row[0] if row else None

    def _note(self, copied: Copied, findings: Sequence[Finding]) -> int:
        """The commit: a note of the file in the archive, and its captures in the database."""
        recorder = self._begun()
        facts: dict[str, object] = {
            "run_id": self._run_id,
            "at": instant(now()),
            "file": copied.warc_file,
            "source": copied.source,
            "sha256": copied.sha256,
            "bytes": copied.bytes,
            "container": copied.container,
            "findings": [(finding.level, finding.code, finding.message) for finding in findings],
        }
        size = (warc_dir(self._data_dir) / copied.warc_file).stat().st_size
        captures = 0
        with progress("import", "B", total=size, is_scaled=True) as advance:

            def apply(connection: sqlite3.Connection, _: Place) -> None:
                nonlocal captures
                captures = take_in(connection, self._data_dir, facts, self._discover, counted(advance))

            recorder.note(IMPORT, copied.warc_file, facts, apply)
        return captures

    def _begun(self) -> Recorder:
        if self._recorder is not None:
            return self._recorder
        self._run_id = f"{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self._store.start_run(
            RunRow(
                run_id=self._run_id,
                kind="import",
                started_at=instant(now()),
                code_version=version("gongkai"),
                host=socket.gethostname(),
            )
        )
        for finding in self._repairs:
            self._store.add_finding(self._run_id, finding)
        self._recorder = Recorder(
            self._data_dir,
            self._run_id,
            store=self._store,
            frontier=Frontier(self._store, self._run_id),
            discover=self._discover,
            files=self._files,
        )
        return self._recorder

    def _clear(self) -> None:
        """Removes what an import that did not end was unpacking or copying; nothing refers to it."""
        shutil.rmtree(importing_dir(self._data_dir), ignore_errors=True)
        for folder in (warc_dir(self._data_dir), quarantine_dir(self._data_dir)):
            for path in folder.glob("imported-*.new"):
                self._files.remove_temporary(path)

    def summary(self, extracted: ExtractSummary) -> ImportSummary:
        found = self._store.connection.execute(
            "SELECT level, count(*) FROM findings WHERE run_id = ? GROUP BY level", (self._run_id,)
        ).fetchall()
        return ImportSummary(
            run_id=self._run_id,
            files=tuple(self._taken),
            captures=sum(file.captures for file in self._taken),
            findings={"error": 0, "warning": 0, "info": 0, **dict(found)},
            extracted=extracted,
        )
