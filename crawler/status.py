"""How the collection stands: sites, coverage, last runs, what is broken, silent, unread, due or growing."""

from __future__ import annotations

import sqlite3
import tomllib
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from archive.model import IMPORT_SITE
from archive.paths import database_path, no_database
from archive.rechecks import RECHECK_DAYS
from archive.times import Clock, instant, now
from crawler.exceptions import CrawlerError
from crawler.morning import gather, open_reviews
from crawler.night import Night

LAST_RUNS = 7
DAYS_UNSEEN = 7  # a site that no run has asked for so long is silent too

_SITES = """
WITH listed AS (SELECT l.site, count(*) AS entries, max(f.started_at) AS last_new_at
        FROM listings l JOIN runs f ON f.run_id = l.first_run_id GROUP BY l.site),
    paged AS (SELECT site, count(*) AS pages FROM page_versions WHERE known_to IS NULL GROUP BY site),
    reported AS (SELECT site, count(*) AS reports, min(report_year) AS first_year, max(report_year) AS last_year
        FROM report_versions WHERE known_to IS NULL GROUP BY site)
SELECT s.name AS site, s.agency, r.run_id AS last_run_id, r.started_at AS last_run_at, r.status AS last_run_status,
    ifnull(listed.entries, 0) AS listings, ifnull(paged.pages, 0) AS pages, ifnull(reported.reports, 0) AS reports,
    reported.first_year, reported.last_year, listed.last_new_at
FROM sites s JOIN runs r ON r.run_id = s.last_run_id
LEFT JOIN listed ON listed.site = s.name
LEFT JOIN paged ON paged.site = s.name
LEFT JOIN reported ON reported.site = s.name
ORDER BY s.name"""
_YEARS = """
SELECT DISTINCT site, report_year FROM reports WHERE report_year IS NOT NULL AND site IS NOT NULL
ORDER BY site, report_year"""
_RUNS = """
SELECT run_id, kind, started_at, finished_at, status, requests, new_captures
FROM runs WHERE kind <> 'decision' ORDER BY started_at DESC LIMIT ?"""
_FINDINGS = """
SELECT level, code, count(*) AS count FROM findings
WHERE run_id = (SELECT run_id FROM runs WHERE kind <> 'decision' ORDER BY started_at DESC LIMIT 1) AND level <> 'info'
GROUP BY level, code ORDER BY level, count DESC"""
_LAST_CRAWL = """
SELECT run_id FROM runs WHERE kind IN ('crawl', 'nightly') AND status <> 'running' ORDER BY started_at DESC LIMIT 1"""
# Only the last run in which a channel was judged counts.
_CHANNELS = """
WITH last AS (SELECT site, channel, max(r.started_at) AS started_at
    FROM channel_runs JOIN runs r USING (run_id) GROUP BY site, channel)
SELECT c.site, c.channel, c.status, c.declared, c.stored, c.because, c.run_id
FROM channel_runs c JOIN runs r USING (run_id) JOIN last ON last.site = c.site AND last.channel = c.channel
    AND last.started_at = r.started_at
ORDER BY c.site, c.channel"""
_IMPORTED = """
SELECT (SELECT count(*) FROM imports) AS files,
    (SELECT count(*) FROM report_versions WHERE site = ? AND known_to IS NULL) AS reports"""
_PENDING = "SELECT count(*) FROM frontier WHERE state IN ('pending', 'leased')"
_CHECKED = """
SELECT f.site, (SELECT max(captured_at) FROM exchanges e WHERE e.url_id = f.url_id) AS checked_at
FROM frontier f WHERE f.role IN ('page', 'attachment') AND f.state = 'acknowledged'"""
_LAST_DAYS = """
SELECT json_extract(settings_json, '$.recheck_days') FROM runs
WHERE kind = 'nightly' AND json_extract(settings_json, '$.recheck_days') IS NOT NULL ORDER BY started_at DESC LIMIT 1"""


def status(data_dir: Path, *, clock: Clock = now) -> dict[str, Any]:
    """The whole as plain values. Raises CrawlerError when there is no database.

    `sites` with their coverage, `imported` files of other tools and the reports in them, the last `runs`, the newest
    run's `findings` counted, `alarms` of the last crawl, `silent` sites, `channels` as they were last read, `reviews`
    that wait for a person, `pending` requests, `rechecks` of known pages, `disk` in bytes.
    """
    path = database_path(data_dir)
    if not path.exists():
        raise CrawlerError(no_database(data_dir))
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        night = _last_crawl(data_dir, connection, clock)
        moment = clock()
        connection.row_factory = sqlite3.Row
        sites = _sites(connection, night)
        unseen = instant(moment - timedelta(days=DAYS_UNSEEN))
        return {
            "sites": sites,
            "runs": _rows(connection, _RUNS, LAST_RUNS),
            "findings": _rows(connection, _FINDINGS),
            "alarms": [asdict(alarm) for alarm in night.alarms] if night else [],
            "imported": dict(connection.execute(_IMPORTED, (IMPORT_SITE,)).fetchone()),
            "silent": [row["site"] for row in sites if row["state"] == "silent" or row["last_run_at"] < unseen],
            "channels": _rows(connection, _CHANNELS),
            "reviews": asdict(open_reviews(connection)),
            "pending": connection.execute(_PENDING).fetchone()[0],
            "rechecks": _rechecks(connection, moment),
            "disk": {**asdict(night.growth), "nights_left": night.growth.nights_left} if night else None,
        }


def _rechecks(connection: sqlite3.Connection, at: datetime) -> dict[str, Any]:
    """Known addresses, and how many nights should have asked again by now: within the days that the site's file names,
    else those of the last night (`within_days`).
    """
    last = connection.execute(_LAST_DAYS).fetchone()
    days = int(last[0]) if last else RECHECK_DAYS
    own = {name: _own_days(toml) or days for name, toml in connection.execute("SELECT name, toml FROM sites")}
    checked = [(site, checked_at) for site, checked_at in connection.execute(_CHECKED) if checked_at is not None]
    limits = {site: instant(at - timedelta(days=own.get(site, days))) for site in {site for site, _ in checked}}
    overdue = Counter(site for site, checked_at in checked if checked_at < limits[site])
    return {
        "within_days": days,
        "within_days_by_site": {site: number for site, number in sorted(own.items()) if number != days},
        "known": len(checked),
        "overdue": overdue.total(),
        "overdue_by_site": dict(sorted(overdue.items())),
        "oldest_checked_at": min((checked_at for _, checked_at in checked), default=None),
    }


def _own_days(toml: str) -> int | None:
    try:
        days = tomllib.loads(toml).get("recheck", {}).get("days")
    except tomllib.TOMLDecodeError:
        return None
    return days if isinstance(days, int) else None


def _last_crawl(data_dir: Path, connection: sqlite3.Connection, clock: Clock) -> Night | None:
    """The last run that asked sites, as the morning's report sees it."""
    row = connection.execute(_LAST_CRAWL).fetchone()
    return gather(data_dir, connection, row[0], clock=clock) if row else None


def _sites(connection: sqlite3.Connection, night: Night | None) -> list[dict[str, Any]]:
    """`state` is that of the last crawl, None where it was not about the site; `years` those with a report."""
    states = {site.site: site.state for site in night.sites} if night else {}
    years: dict[str, list[int]] = {}
    for site, year in connection.execute(_YEARS):
        years.setdefault(site, []).append(year)
    return [
        row | {"state": states.get(row["site"]), "years": years.get(row["site"], [])}
        for row in _rows(connection, _SITES)
    ]


def _rows(connection: sqlite3.Connection, sql: str, *parameters: object) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sql, parameters)]
