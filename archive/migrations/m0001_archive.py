"""Runs, sites, the frontier, captures and what lists said: everything that a crawl writes.

`exchanges` has one row per capture; its group of WARC records ends with the metadata record at `metadata_offset`.
`likeness` tells apart wire bodies and codings that share a payload: see archive/recorder.py.
"""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    """CREATE TABLE runs(
        run_id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        started_at TEXT NOT NULL,
        finished_at TEXT,
        status TEXT NOT NULL CHECK(status IN ('running', 'finished', 'failed', 'interrupted')),
        requests INTEGER NOT NULL DEFAULT 0,
        new_captures INTEGER NOT NULL DEFAULT 0,
        code_version TEXT NOT NULL DEFAULT '',
        host TEXT NOT NULL DEFAULT '',
        settings_json TEXT NOT NULL DEFAULT '{}',
        stats_json TEXT NOT NULL DEFAULT '{}')""",
    """CREATE TABLE sites(
        site_id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        agency TEXT NOT NULL,
        division_code TEXT NOT NULL,
        platform TEXT NOT NULL,
        toml TEXT NOT NULL,
        first_run_id TEXT NOT NULL REFERENCES runs(run_id),
        last_run_id TEXT NOT NULL REFERENCES runs(run_id))""",
    "CREATE TABLE urls(url_id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE)",
    """CREATE TABLE warc_files(
        warc_id INTEGER PRIMARY KEY,
        file_name TEXT NOT NULL UNIQUE,
        run_id TEXT REFERENCES runs(run_id),
        state TEXT NOT NULL CHECK(state IN ('open', 'sealed', 'quarantined')),
        bytes INTEGER NOT NULL DEFAULT 0,
        records INTEGER NOT NULL DEFAULT 0,
        sha256 TEXT)""",
    """CREATE TABLE payloads(
        payload_id INTEGER PRIMARY KEY,
        digest TEXT NOT NULL UNIQUE,
        bytes INTEGER NOT NULL)""",
    """CREATE TABLE frontier(
        frontier_id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE,
        url_id INTEGER NOT NULL REFERENCES urls(url_id),
        role TEXT NOT NULL CHECK(role IN ('list', 'page', 'attachment', 'robots')),
        site TEXT NOT NULL,
        channel TEXT NOT NULL,
        method TEXT NOT NULL DEFAULT 'GET',
        body BLOB NOT NULL DEFAULT x'',
        headers TEXT NOT NULL DEFAULT '[]',
        via TEXT NOT NULL DEFAULT '',
        anchor TEXT NOT NULL DEFAULT '',
        listed_date TEXT,
        depth INTEGER NOT NULL DEFAULT 0,
        parameters TEXT NOT NULL DEFAULT '{}',
        host TEXT NOT NULL,
        priority INTEGER NOT NULL,
        state TEXT NOT NULL CHECK(state IN ('pending', 'leased', 'acknowledged', 'failed')),
        attempts INTEGER NOT NULL DEFAULT 0,
        not_before TEXT,
        run_id TEXT NOT NULL REFERENCES runs(run_id))""",
    """CREATE INDEX frontier_pending ON frontier(host, priority, frontier_id) WHERE state = 'pending'""",
    """CREATE INDEX frontier_leased ON frontier(frontier_id) WHERE state = 'leased'""",
    """CREATE TABLE exchanges(
        capture_id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        frontier_id INTEGER NOT NULL REFERENCES frontier(frontier_id),
        url_id INTEGER NOT NULL REFERENCES urls(url_id),
        captured_at TEXT NOT NULL,
        outcome TEXT NOT NULL CHECK(outcome IN
            ('ok', 'not_modified', 'revisit', 'redirect', 'http_error', 'net_error', 'robots', 'blocked')),
        http_status INTEGER,
        media_type TEXT,
        payload_id INTEGER REFERENCES payloads(payload_id),
        likeness BLOB,
        etag TEXT,
        last_modified TEXT,
        truncated TEXT,
        error TEXT,
        warc_id INTEGER NOT NULL REFERENCES warc_files(warc_id),
        warc_offset INTEGER NOT NULL,
        warc_length INTEGER NOT NULL,
        warc_record_id TEXT NOT NULL UNIQUE,
        metadata_offset INTEGER NOT NULL,
        metadata_length INTEGER NOT NULL,
        refers_to INTEGER REFERENCES exchanges(capture_id))""",
    "CREATE INDEX exchanges_url ON exchanges(url_id, capture_id)",
    "CREATE INDEX exchanges_payload ON exchanges(payload_id)",
    "CREATE INDEX exchanges_warc ON exchanges(warc_id, warc_offset)",
    """CREATE TRIGGER exchanges_are_kept BEFORE UPDATE ON exchanges
        BEGIN SELECT RAISE(ABORT, 'captures are never changed'); END""",
    """CREATE TABLE listings(
        listing_id INTEGER PRIMARY KEY,
        site TEXT NOT NULL,
        channel TEXT NOT NULL,
        url TEXT NOT NULL,
        title TEXT NOT NULL,
        listed_date TEXT,
        position INTEGER NOT NULL,
        first_run_id TEXT NOT NULL REFERENCES runs(run_id),
        last_run_id TEXT NOT NULL REFERENCES runs(run_id),
        UNIQUE(site, channel, url))""",
    "CREATE INDEX listings_url ON listings(url)",
    """CREATE TABLE declared_totals(
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        site TEXT NOT NULL,
        channel TEXT NOT NULL,
        declared_total INTEGER NOT NULL,
        PRIMARY KEY(run_id, site, channel)) WITHOUT ROWID""",
    """CREATE TABLE changes(
        change_id INTEGER PRIMARY KEY,
        url TEXT NOT NULL,
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        kind TEXT NOT NULL CHECK(kind IN
            ('appeared', 'content_changed', 'layout_changed', 'disappeared', 'reappeared', 'moved')),
        capture_id INTEGER REFERENCES exchanges(capture_id),
        previous_capture_id INTEGER REFERENCES exchanges(capture_id))""",
    "CREATE UNIQUE INDEX changes_once ON changes(url, run_id, kind, ifnull(capture_id, 0))",
    "CREATE INDEX changes_capture ON changes(capture_id)",
    """CREATE TABLE findings(
        finding_id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        level TEXT NOT NULL CHECK(level IN ('info', 'warning', 'error')),
        code TEXT NOT NULL,
        url TEXT,
        capture_id INTEGER REFERENCES exchanges(capture_id),
        report_id INTEGER,
        message TEXT NOT NULL)""",
    """CREATE UNIQUE INDEX findings_once ON findings(
        run_id, code, ifnull(url, ''), ifnull(capture_id, 0), ifnull(report_id, 0), message)""",
    "CREATE INDEX findings_capture ON findings(capture_id)",
    """CREATE VIEW captures AS
        SELECT e.capture_id, e.run_id, u.url, e.captured_at, e.outcome, e.http_status, e.media_type,
            p.digest AS payload_digest, w.file_name AS warc_file, e.warc_offset, e.warc_length, e.warc_record_id,
            e.refers_to, f.role, f.site, f.channel, p.bytes AS payload_bytes, e.truncated, e.error
        FROM exchanges e
        JOIN urls u ON u.url_id = e.url_id
        JOIN frontier f ON f.frontier_id = e.frontier_id
        JOIN warc_files w ON w.warc_id = e.warc_id
        LEFT JOIN payloads p ON p.payload_id = e.payload_id""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
