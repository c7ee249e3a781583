"""How the collection stands: sites, last runs, coverage, what is broken."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from archive.paths import database_path
from crawler.exceptions import CrawlerError

LAST_RUNS = 7

_SITES = """
SELECT s.name AS site, s.agency, r.started_at AS last_run_at, r.status AS last_run_status,
    (SELECT count(*) FROM listings l WHERE l.site = s.name) AS listings,
    (SELECT count(*) FROM pages p WHERE p.site = s.name) AS pages,
    (SELECT count(*) FROM reports t WHERE t.site = s.name) AS reports,
    (SELECT min(report_year) FROM reports t WHERE t.site = s.name) AS first_year,
    (SELECT max(report_year) FROM reports t WHERE t.site = s.name) AS last_year
FROM sites s JOIN runs r ON r.run_id = s.last_run_id ORDER BY s.name"""
_RUNS = """
SELECT run_id, kind, started_at, finished_at, status, requests, new_captures
FROM runs ORDER BY started_at DESC LIMIT ?"""
_FINDINGS = """
SELECT level, code, count(*) AS count FROM findings
WHERE run_id = (SELECT run_id FROM runs ORDER BY started_at DESC LIMIT 1) AND level <> 'info'
GROUP BY level, code ORDER BY level, count DESC"""


def status(data_dir: Path) -> dict[str, Any]:
    """`sites`, the last `runs`, the newest run's `findings` counted. Raises CrawlerError when there is no database."""
    path = database_path(data_dir)
    if not path.exists():
        raise CrawlerError(f"{path}: no database yet; run a crawl first, or `gongkai demo`")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return {
            "sites": _rows(connection, _SITES),
            "runs": _rows(connection, _RUNS, LAST_RUNS),
            "findings": _rows(connection, _FINDINGS),
        }
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, sql: str, *parameters: object) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sql, parameters)]
