"""The report of a night that broke off: what broke and where, as far as it can still be said.

    run marked as failed → report from the database, else from nothing → files → whoever is to be told

Nothing here makes the trouble worse: what cannot be written is left out, and said to whoever is told.
"""

from __future__ import annotations

import json
import logging
import socket
import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from archive.errors import ArchiveError
from archive.model import Finding
from archive.rows import RunRow
from archive.store import Store
from archive.times import instant, now
from crawler import morning
from crawler.breakdown import Breakdown
from crawler.night import Night, RunLine, Said
from crawler.notify import notify_end

log = logging.getLogger(__name__)

# What is in the way when a disk is full, a directory read-only, a database damaged or gone.
_TROUBLE = (ArchiveError, morning.ReportError, sqlite3.Error, OSError)


def tell_broken(data_dir: Path, run_id: str, broken: Breakdown, unsaid: Sequence[Finding] = ()) -> Night:
    """Marks the run as failed, writes its report and sends it. `unsaid`: what could not be said when it began."""
    findings = [Finding("error", "run_broken", broken.message), *unsaid]
    night = _reported(data_dir, run_id, broken, findings)
    unsent = notify_end(night, 1)
    if unsent:
        night = _reported(data_dir, run_id, broken, [*findings, *unsent])
    return night


def _reported(data_dir: Path, run_id: str, broken: Breakdown, findings: Sequence[Finding]) -> Night:
    try:
        night = _stored(data_dir, run_id, broken, findings)
    except _TROUBLE as error:
        log.error("run %s cannot be marked as failed: %s", run_id, error)
        said = [Said(one.level, one.code, one.message) for one in findings]
        at = instant(now())
        night = morning.bare(data_dir, RunLine(run_id, "nightly", "failed", at, at, 0, 0), broken, said)
    try:
        written = morning.write(data_dir, night)
    except OSError as error:
        log.error("the report on run %s cannot be written: %s", run_id, error)
    else:
        log.error("run %s %s; report: %s", run_id, broken.message, written[0])
    return night


def _stored(data_dir: Path, run_id: str, broken: Breakdown, findings: Sequence[Finding]) -> Night:
    """The run as the database has it; one that had not begun gets its row, so that it shows where runs are listed."""
    with Store.open(data_dir) as store:
        if store.connection.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone() is None:
            asked = json.dumps({"sites": [], "full": False, "limit": None})
            row = RunRow(run_id, "nightly", instant(now()), version("gongkai"), socket.gethostname(), asked)
            store.start_run(row)
        store.mark_run(run_id, "failed")
        for finding in findings:
            store.add_finding(run_id, finding)
        return morning.gather(data_dir, store.connection, run_id, broken=broken)
