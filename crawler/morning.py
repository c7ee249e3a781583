"""The report on a run: gathered from the database and the disk, written as HTML, Markdown and JSON beside a badge.

    gather → Night → page, text, JSON, badge → DIR/reports/

It says the same of any run, whatever its kind; nothing in it is stored anywhere else, so that it can be made again.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from archive.paths import database_path, index_path, located
from archive.store import Store
from archive.times import Clock, instant, now
from crawler import night_page
from crawler.breakdown import Breakdown
from crawler.exceptions import CrawlerError
from crawler.night import (
    LEAST_USUAL_RUNS,
    USUAL_RUNS,
    Change,
    FailedCheck,
    Growth,
    Night,
    Reviews,
    RunLine,
    Said,
    SiteNight,
    Unreadable,
    Usual,
    alarms,
)

REPORTS_FOLDER = "reports"
MOST_ROWS = 200
# Runs in which to look for seven that asked a site: some may ask other sites only.
_MOST_EARLIER = 60
_FAILED = ("http_error", "net_error")
_KINDS = ("content_changed", "disappeared", "reappeared", "moved", "appeared")
_LAYOUT = "layout_changed"

_RUN = "SELECT run_id, kind, status, started_at, finished_at, requests, new_captures FROM runs"
_EARLIER = """
SELECT e.run_id, e.kind, e.status, e.started_at, e.finished_at, e.requests, e.new_captures, e.stats_json
FROM runs e, runs r
WHERE r.run_id = ? AND e.kind = r.kind AND e.status IN ('finished', 'failed') AND e.started_at < r.started_at
    AND e.finished_at IS NOT NULL AND json_extract(e.stats_json, '$.broken') IS NULL
    AND NOT EXISTS (SELECT 1 FROM findings b WHERE b.run_id = e.run_id AND b.code = 'run_broken')
    AND json_extract(e.settings_json, '$.limit') IS json_extract(r.settings_json, '$.limit')
ORDER BY e.started_at DESC LIMIT ?"""
_OUTCOMES = """
SELECT f.site, f.role, e.outcome, count(*) FROM exchanges e JOIN frontier f ON f.frontier_id = e.frontier_id
WHERE e.run_id = ? AND f.role <> 'robots' GROUP BY f.site, f.role, e.outcome"""
_CHANGES = """
SELECT c.run_id, c.url, c.kind,
    coalesce(f.site, (SELECT l.site FROM listings l WHERE l.url = c.url LIMIT 1), '') AS site
FROM changes c
LEFT JOIN exchanges e ON e.capture_id = coalesce(c.capture_id, c.previous_capture_id)
LEFT JOIN frontier f ON f.frontier_id = e.frontier_id
WHERE c.run_id IN (SELECT value FROM json_each(?)) ORDER BY site, c.kind, c.url"""
_NEW = """
SELECT first_run_id, site, count(*) FROM listings
WHERE first_run_id IN (SELECT value FROM json_each(?)) GROUP BY first_run_id, site"""
_LISTED = "SELECT site, count(*) FROM listings WHERE last_run_id = ? GROUP BY site"
_UNREADABLE = """
SELECT u.url, f.site, r.error_code, ifnull(r.error_message, '')
FROM exchanges e JOIN readings r ON r.capture_id = e.capture_id
JOIN urls u ON u.url_id = e.url_id JOIN frontier f ON f.frontier_id = e.frontier_id
WHERE e.run_id = ? AND r.error_code IS NOT NULL
    AND r.reading_id = (SELECT max(reading_id) FROM readings l WHERE l.capture_id = e.capture_id)
ORDER BY f.site, r.error_code, u.url"""
_DOCUMENTS = """
SELECT count(DISTINCT e.capture_id) FROM exchanges e JOIN readings r ON r.capture_id = e.capture_id
WHERE e.run_id = ?"""
_FAILED_CHECKS = """
SELECT v.report_id, ifnull(v.agency, ''), v.report_year, r.rule, k.lhs, k.rhs
FROM exchanges e JOIN report_versions v ON v.capture_id = e.capture_id AND v.known_to IS NULL
JOIN reading_checks k ON k.reading_id = v.reading_id JOIN rules r ON r.rule_id = k.rule_id
WHERE e.run_id = ? AND k.status = 'fail' ORDER BY v.report_id, r.rule_id"""
_FINDINGS = """
SELECT level, code, count(*) FROM findings WHERE run_id = ? GROUP BY level, code
ORDER BY CASE level WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, count(*) DESC, code"""
_SAID = """
SELECT level, code, message FROM findings
WHERE run_id = ? AND level <> 'info' AND url IS NULL AND capture_id IS NULL AND report_id IS NULL
ORDER BY level, finding_id LIMIT 50"""
_REVIEWS = "SELECT kind, count(*) FROM agency_reviews WHERE status = 'open' GROUP BY kind"
# What one document is like says nothing against its site; `_UNREADABLE` has it.
_ERRORS = """
SELECT n.url, f.site, n.message FROM findings n
LEFT JOIN exchanges e ON e.capture_id = n.capture_id LEFT JOIN frontier f ON f.frontier_id = e.frontier_id
WHERE n.run_id = ? AND n.level = 'error' AND NOT EXISTS (
    SELECT 1 FROM readings d WHERE d.capture_id = n.capture_id AND d.error_code = n.code)
ORDER BY n.finding_id"""


class ReportError(CrawlerError):
    """Raised when there is no such run to report on."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A run to compare with: of each site that it asked, how often and with which outcome, and how much was listed."""

    line: RunLine
    outcomes: Mapping[str, Mapping[str, int]]
    listings: Mapping[str, int]


def write_report(data_dir: Path, store: Store, run_id: str, *, clock: Clock = now) -> list[Path]:
    """Gathers and writes; the files written. Raises ReportError when the run is not known."""
    return write(data_dir, gather(data_dir, store.connection, run_id, clock=clock))


def gather(
    data_dir: Path,
    connection: sqlite3.Connection,
    run_id: str,
    *,
    clock: Clock = now,
    broken: Breakdown | None = None,
) -> Night:
    """Everything to say about a run, and why it broke off. Only reads, so a read-only connection will do.

    Raises ReportError.
    """
    row = connection.execute(f"{_RUN} WHERE run_id = ?", (run_id,)).fetchone()
    if row is None:
        raise ReportError(f"there is no run {run_id!r} to report on")
    run = RunLine(*row)
    earlier = _earlier(connection, run_id)
    changes = _changes(connection, [run_id, *(one.line.run_id for one in earlier)])
    told = [change for change in changes.get(run_id, ()) if change.kind != _LAYOUT]
    unreadable = [Unreadable(*found) for found in connection.execute(_UNREADABLE, (run_id,))]
    checks = connection.execute(_FAILED_CHECKS, (run_id,)).fetchall()
    found = Night(
        run=run,
        sites=tuple(_sites(connection, run_id, earlier, changes, Counter(one.site for one in unreadable))),
        change_count=len(told),
        changes=tuple(sorted(told, key=_weight)[:MOST_ROWS]),
        layout_change_count=len(changes.get(run_id, ())) - len(told),
        documents=_one(connection, _DOCUMENTS, run_id),
        unreadable_count=len(unreadable),
        unreadable=tuple(unreadable[:MOST_ROWS]),
        failed_check_count=len(checks),
        failed_checks=tuple(_failed_check(check) for check in checks[:MOST_ROWS]),
        findings=tuple((level, code, count) for level, code, count in connection.execute(_FINDINGS, (run_id,))),
        growth=_growth(data_dir, connection, run_id, earlier[:USUAL_RUNS]),
        earlier=tuple(one.line for one in earlier[:USUAL_RUNS]),
        usual_requests=usual([one.line.requests for one in earlier[:USUAL_RUNS]]),
        usual_new_captures=usual([one.line.new_captures for one in earlier[:USUAL_RUNS]]),
        made_at=instant(clock()),
        said=tuple(Said(*row) for row in connection.execute(_SAID, (run_id,))),
        broken=broken,
        reviews=open_reviews(connection),
    )
    return replace(found, alarms=tuple(alarms(found)))


def open_reviews(connection: sqlite3.Connection) -> Reviews:
    """What waits for a person to decide at present."""
    found = dict(connection.execute(_REVIEWS).fetchall())
    return Reviews(pairs=found.get("pair", 0), reports=found.get("report", 0))


def bare(data_dir: Path, run: RunLine, broken: Breakdown, said: Sequence[Said] = (), *, clock: Clock = now) -> Night:
    """What can be said of a run without a database: that it broke off, and what is left of the disk."""
    found = Night(
        run=run,
        sites=(),
        change_count=0,
        changes=(),
        documents=0,
        unreadable_count=0,
        unreadable=(),
        failed_check_count=0,
        failed_checks=(),
        findings=tuple(sorted((one.level, one.code, count) for one, count in Counter(said).items())),
        growth=_growth_of(data_dir, {}, run.run_id, ()),
        made_at=instant(clock()),
        said=tuple(said),
        broken=broken,
    )
    return replace(found, alarms=tuple(alarms(found)))


def write(data_dir: Path, night: Night) -> list[Path]:
    """DIR/reports/<run_id>.html, .md and .json, the same as latest.*, and badge.svg; each file appears whole."""
    folder = data_dir / REPORTS_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    texts = {".html": night_page.html(night), ".md": night_page.markdown(night), ".json": as_json(night)}
    written = []
    for stem in (night.run.run_id, "latest"):
        for suffix, text in texts.items():
            written.append(_write(folder / f"{stem}{suffix}", text))
    return [*written, _write(folder / "badge.svg", night_page.badge(night))]


def as_json(night: Night) -> str:
    """The whole record, with what is worked out from it: each site's state."""
    value = asdict(night)
    for row, site in zip(value["sites"], night.sites, strict=True):
        row["state"] = site.state
    value["findings"] = [{"level": level, "code": code, "count": count} for level, code, count in night.findings]
    value["growth"]["nights_left"] = night.growth.nights_left
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def usual(values: Sequence[float]) -> Usual:
    """The median, None of too few values."""
    return float(median(values)) if len(values) >= LEAST_USUAL_RUNS else None


def _write(path: Path, text: str) -> Path:
    """Whoever looks meanwhile sees the old file or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, "utf-8")
    temporary.replace(path)
    return path


def _earlier(connection: sqlite3.Connection, run_id: str) -> list[_Earlier]:
    """Runs of the same kind and limit before this one, newest first; interrupted ones are no measure."""
    found = []
    for *row, stats_json in connection.execute(_EARLIER, (run_id, _MOST_EARLIER)):
        stats: dict[str, Any] = json.loads(stats_json)
        outcomes = {site: counts for site, counts in stats.get("outcomes", {}).items() if counts}
        found.append(_Earlier(RunLine(*row), outcomes, _listings(stats)))
    return found


def _listings(stats: dict[str, Any]) -> dict[str, int]:
    listed: Counter[str] = Counter()
    for channel in stats.get("channels", ()):
        listed[channel["site"]] += channel["stored"]
    return dict(listed)


def _changes(connection: sqlite3.Connection, run_ids: Sequence[str]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = defaultdict(list)
    for run_id, url, kind, site in connection.execute(_CHANGES, (json.dumps(run_ids),)):
        found[run_id].append(Change(url, kind, site))
    return found


def _sites(
    connection: sqlite3.Connection,
    run_id: str,
    earlier: Sequence[_Earlier],
    changes: Mapping[str, Sequence[Change]],
    unreadable: Mapping[str, int],
) -> Iterable[SiteNight]:
    """Each site that the run was about: asked for, or with errors or changes."""
    outcomes, unchanged = _outcomes(connection, run_id)
    (stats_json,) = connection.execute("SELECT stats_json FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    stats = json.loads(stats_json)
    # `last_run_id` moves on with later runs; what this run counted at its end does not.
    if "outcomes" in stats:
        # As earlier runs are counted: without our own probes for what a site answers to nonsense.
        outcomes = {site: Counter(counts) for site, counts in stats["outcomes"].items() if counts}
    listings = _listings(stats) if "channels" in stats else dict(connection.execute(_LISTED, (run_id,)).fetchall())
    known = dict(connection.execute("SELECT site, count(*) FROM listings GROUP BY site").fetchall())
    troubles = _troubles(connection, run_id)
    new: dict[tuple[str, str], int] = {
        (run, site): count
        for run, site, count in connection.execute(_NEW, (json.dumps([run_id, *(e.line.run_id for e in earlier)]),))
    }
    kinds = {run: Counter((change.site, change.kind) for change in found) for run, found in changes.items()}
    incomplete: dict[str, list[str]] = defaultdict(list)
    for channel in stats.get("channels", ()):
        if channel["status"] == "incomplete":
            incomplete[channel["site"]].append(f"{channel['channel']}: {channel['because']}")
    agencies = dict(connection.execute("SELECT name, agency FROM sites"))
    names = {*stats.get("outcomes", {}), *outcomes, *troubles, *(site for site, _ in kinds.get(run_id, ()))}
    nobody: Counter[tuple[str, str]] = Counter()
    for site in sorted(names & set(agencies)):
        counts = outcomes.get(site, Counter())
        changed = kinds.get(run_id, nobody)
        before = [one for one in earlier if site in one.outcomes][:USUAL_RUNS]
        ids = [one.line.run_id for one in before]
        yield SiteNight(
            site=site,
            agency=agencies[site],
            listings=listings.get(site, 0),
            known=known.get(site, 0),
            new=new.get((run_id, site), 0),
            changed=changed[site, "content_changed"],
            layout_changed=changed[site, "layout_changed"],
            gone=changed[site, "disappeared"],
            reappeared=changed[site, "reappeared"],
            moved=changed[site, "moved"],
            requests=counts.total(),
            failed=sum(counts[outcome] for outcome in _FAILED),
            blocked=counts["blocked"],
            refused=counts["robots"],
            unreadable=unreadable.get(site, 0),
            unchanged_lists=unchanged[site],
            incomplete=tuple(incomplete.get(site, ())),
            troubles=tuple(troubles.get(site, ())),
            usual_listings=usual([one.listings.get(site, 0) for one in before]),
            usual_new=usual([new.get((one, site), 0) for one in ids]),
            usual_changed=usual([kinds.get(one, nobody)[site, "content_changed"] for one in ids]),
            usual_gone=usual([kinds.get(one, nobody)[site, "disappeared"] for one in ids]),
            usual_requests=usual([sum(one.outcomes[site].values()) for one in before]),
            usual_failed=usual([sum(one.outcomes[site].get(name, 0) for name in _FAILED) for one in before]),
        )


def _outcomes(connection: sqlite3.Connection, run_id: str) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """By site what its requests came to, and how many list pages said that they had not changed."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    unchanged: Counter[str] = Counter()
    for site, role, outcome, count in connection.execute(_OUTCOMES, (run_id,)):
        counts[site][outcome] += count
        if (role, outcome) == ("list", "not_modified"):
            unchanged[site] += count
    return counts, unchanged


def _troubles(connection: sqlite3.Connection, run_id: str) -> dict[str, list[str]]:
    """The run's errors by site: of their capture, else of the channel or, where one site alone has it, the host."""
    by_url: dict[str, str] = {}
    by_host: dict[str, set[str]] = defaultdict(set)
    for name, toml in connection.execute("SELECT name, toml FROM sites"):
        try:
            channels = tomllib.loads(toml).get("channels", {})
        except tomllib.TOMLDecodeError:
            continue
        for url in channels.values():
            by_url[url] = name
            by_host[urlsplit(url).hostname or ""].add(name)
    found: dict[str, list[str]] = defaultdict(list)
    for url, site, message in connection.execute(_ERRORS, (run_id,)):
        hosted = by_host.get(urlsplit(url or "").hostname or "", set())
        named = site or by_url.get(url or "") or (next(iter(hosted)) if len(hosted) == 1 else "")
        found[named].append(message)
    return dict(found)


def _growth(data_dir: Path, connection: sqlite3.Connection, run_id: str, earlier: Sequence[_Earlier]) -> Growth:
    sealed: dict[str | None, int] = dict(
        connection.execute(
            "SELECT run_id, sum(bytes) FROM warc_files WHERE state = 'sealed' GROUP BY run_id"
        ).fetchall()
    )
    for name, owner in connection.execute("SELECT file_name, run_id FROM warc_files WHERE state = 'open'"):
        sealed[owner] = sealed.get(owner, 0) + _size(located(data_dir, name))
    return _growth_of(data_dir, sealed, run_id, earlier)


def _growth_of(data_dir: Path, sealed: Mapping[str | None, int], run_id: str, earlier: Sequence[_Earlier]) -> Growth:
    """`sealed`: bytes of WARC files by run."""
    database = database_path(data_dir)
    disk = shutil.disk_usage(next(path for path in (data_dir, *data_dir.absolute().parents) if path.exists()))
    return Growth(
        warc=sum(sealed.values()),
        night_warc=sealed.get(run_id, 0),
        usual_night_warc=usual([sealed.get(one.line.run_id, 0) for one in earlier]),
        database=_size(database) + _size(database.with_name(database.name + "-wal")),
        database_before=_database_before(data_dir, run_id),
        index=_size(index_path(data_dir)),
        free=disk.free,
        disk=disk.total,
    )


def _database_before(data_dir: Path, run_id: str) -> int | None:
    """From the last report on another run; None when there is none or it cannot be read."""
    try:
        last = json.loads((data_dir / REPORTS_FOLDER / "latest.json").read_text("utf-8"))
        before = last["growth"]["database_before" if last["run"]["run_id"] == run_id else "database"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return before if isinstance(before, int) else None


def _weight(change: Change) -> tuple[int, str]:
    """What says more comes first: a first night has thousands of pages that appeared."""
    return (_KINDS.index(change.kind) if change.kind in _KINDS else len(_KINDS), change.site)


def _failed_check(row: Sequence[Any]) -> FailedCheck:
    report_id, agency, report_year, rule, lhs, rhs = row
    return FailedCheck(report_id, agency, report_year, rule, str(lhs), str(rhs))


def _size(path: Path | None) -> int:
    try:
        return path.stat().st_size if path is not None else 0
    except OSError:
        return 0


def _one(connection: sqlite3.Connection, query: str, *values: object) -> int:
    return int(connection.execute(query, values).fetchone()[0])
