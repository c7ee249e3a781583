"""The report of a night that broke off: what broke and where, as far as it can still be said.

    report from the database as it is, else from nothing → files → run marked as failed → files again → whoever is told

Nothing here makes the trouble worse: what cannot be written is left out, and said to whoever is told.
"""

from __future__ import annotations

import json
import logging
import socket
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from archive.errors import ArchiveError
from archive.model import Finding
from archive.paths import database_path
from archive.rows import RunRow
from archive.store import Store
from archive.times import instant, now
from crawler import morning
from crawler.breakdown import Breakdown
from crawler.night import Night, RunLine, Said, alarms
from crawler.notify import notify_end

log = logging.getLogger(__name__)

# What is in the way when a disk is full, a directory read-only, a database damaged or gone.
_TROUBLE = (ArchiveError, morning.ReportError, sqlite3.Error, OSError)


def tell_broken(data_dir: Path, run_id: str, broken: Breakdown, unsaid: Sequence[Finding] = ()) -> Night:
    """Marks the run as failed, writes its report and sends it. `unsaid`: what could not be said when it began.

    The report is written before the database is: on a full disk that may take the last room there is.
    """
    findings = [Finding("error", "run_broken", broken.message), *unsaid]
    night = _looked_at(data_dir, run_id, broken, findings)
    _write(data_dir, night)
    stored = _stored(data_dir, run_id, broken, findings)
    if stored is not None:
        night = stored
        _write(data_dir, night)
    unsent = notify_end(night, 1)
    if unsent:
        findings += unsent
        night = _stored(data_dir, run_id, broken, findings) or _looked_at(data_dir, run_id, broken, findings)
        _write(data_dir, night)
    log.error("run %s %s; report: %s", run_id, broken.message, data_dir / morning.REPORTS_FOLDER)
    return night


def _looked_at(data_dir: Path, run_id: str, broken: Breakdown, findings: Sequence[Finding]) -> Night:
    """What the database says of the run as it is; without it, that it broke off."""
    said = tuple(Said(one.level, one.code, one.message) for one in findings)
    try:
        with closing(sqlite3.connect(f"{database_path(data_dir).resolve().as_uri()}?mode=ro", uri=True)) as connection:
            night = morning.gather(data_dir, connection, run_id, broken=broken)
    except _TROUBLE as error:
        log.warning("of run %s the database says nothing: %s", run_id, error)
        at = instant(now())
        return morning.bare(data_dir, RunLine(run_id, "nightly", "failed", at, at, 0, 0), broken, said)
    night = replace(night, run=replace(night.run, status="failed"), said=(*night.said, *said))
    return replace(night, alarms=tuple(alarms(night)))


def _stored(data_dir: Path, run_id: str, broken: Breakdown, findings: Sequence[Finding]) -> Night | None:
    """The run marked, and as the database has it then; None where it cannot be written.

    A run that had not begun gets its row, so that it shows where runs are listed.
    """
    try:
        with Store.open(data_dir) as store:
            if store.connection.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone() is None:
                asked = json.dumps({"sites": [], "full": False, "limit": None})
                row = RunRow(run_id, "nightly", instant(now()), version("gongkai"), socket.gethostname(), asked)
                store.start_run(row)
            store.mark_run(run_id, "failed")
            for finding in findings:
                store.add_finding(run_id, finding)
            return morning.gather(data_dir, store.connection, run_id, broken=broken)
    except _TROUBLE as error:
        log.error("run %s cannot be marked as failed: %s", run_id, error)
        return None


def _write(data_dir: Path, night: Night) -> None:
    try:
        morning.write(data_dir, night)
    except OSError as error:
        log.error("the report on run %s cannot be written: %s", night.run.run_id, error)
