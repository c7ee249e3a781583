"""Captures into the store: one call for a whole batch, inside the recorder's transaction (or the rebuild's).

Everything is `executemany`, keyed by natural keys, so that recording and rebuilding run the same statements.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from archive.history import GONE_CODES, note_still_gone
from archive.model import IMPORT_SITE, Finding
from archive.rows import CaptureRow, FullResponse
from archive.store import insert_findings
from archive.targets import ADD_URL, add_targets, finish_targets, target_key

CONTENT_OUTCOMES = ("ok", "revisit")

_ADD_PAYLOAD = "INSERT INTO payloads(digest, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING"

_ADD_EXCHANGE = """
INSERT INTO exchanges(capture_id, run_id, frontier_id, url_id, captured_at, outcome, http_status, media_type,
payload_id,
    likeness, etag, last_modified, truncated, error, warc_id, warc_offset, warc_length, warc_record_id, metadata_offset,
    metadata_length, refers_to)
VALUES (?, ?, ifnull(?, (SELECT frontier_id FROM frontier WHERE key = ?)),
    (SELECT url_id FROM urls WHERE url = ?), ?, ?, ?, ?,
    (SELECT payload_id FROM payloads WHERE digest = ?), ?, ?, ?, ?, ?,
    (SELECT warc_id FROM warc_files WHERE file_name = ?), ?, ?, ?, ?, ?,
    (SELECT capture_id FROM exchanges WHERE warc_record_id = ?))
"""

# A change is a capture whose content differs from the content captured before it at the same URL. What other tools
# captured has a history of its own, in the order of their clocks: it may be older than all that we have.
_ADD_CHANGE = """
INSERT INTO changes(url, run_id, kind, capture_id, previous_capture_id)
SELECT ?1, e.run_id, iif(p.capture_id IS NULL, 'appeared', 'content_changed'), e.capture_id, p.capture_id
FROM exchanges e
LEFT JOIN exchanges p ON p.capture_id = (
    SELECT q.capture_id FROM exchanges q JOIN frontier o ON o.frontier_id = q.frontier_id
    WHERE q.url_id = e.url_id AND q.capture_id < e.capture_id AND q.outcome IN ('ok', 'revisit')
        AND (o.site = 'import') = ?3 AND (NOT ?3 OR q.captured_at <= e.captured_at)
    ORDER BY iif(?3, q.captured_at, '') DESC, q.capture_id DESC LIMIT 1)
WHERE e.capture_id = ?2 AND (p.capture_id IS NULL OR p.payload_id IS NOT e.payload_id)
ON CONFLICT DO NOTHING
"""

# Groups of a list may overlap: within a run the first place counts.
_ADD_LISTING = """
INSERT INTO listings(site, channel, url, title, listed_date, position, first_run_id, last_run_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT(site, channel, url) DO UPDATE SET title = excluded.title, listed_date = excluded.listed_date,
    position = excluded.position, last_run_id = excluded.last_run_id
WHERE listings.last_run_id <> excluded.last_run_id
"""

_ADD_TOTAL = """
INSERT INTO declared_totals(run_id, site, channel, declared_total) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET declared_total = excluded.declared_total
"""

_FULL_RESPONSE = """
SELECT e.capture_id, e.warc_record_id, u.url, e.captured_at, p.digest, w.file_name, e.warc_offset, e.warc_length,
    e.http_status, f.method, e.etag, e.last_modified
FROM exchanges e
JOIN urls u ON u.url_id = e.url_id
JOIN frontier f ON f.frontier_id = e.frontier_id
JOIN warc_files w ON w.warc_id = e.warc_id
JOIN payloads p ON p.payload_id = e.payload_id
"""
_LIKE_RESPONSE = (
    _FULL_RESPONSE + "WHERE e.payload_id = ? AND e.likeness = ? AND e.outcome = 'ok' AND e.refers_to IS NULL LIMIT 1"
)


def insert_captures(connection: sqlite3.Connection, run_id: str, rows: Sequence[CaptureRow]) -> list[int]:
    """Inserts a batch with all it led to and returns the capture ids, in order. The WARC files' rows must exist."""
    first = int(connection.execute("SELECT ifnull(max(capture_id), 0) + 1 FROM exchanges").fetchone()[0])
    capture_ids = list(range(first, first + len(rows)))
    keys = [target_key(row.target) for row in rows]
    connection.executemany(ADD_URL, [(row.target.url,) for row in rows])
    connection.executemany(
        _ADD_PAYLOAD, [(row.payload_digest, row.payload_bytes) for row in rows if row.payload_digest is not None]
    )
    finish_targets(connection, run_id, list(zip(keys, rows, strict=True)))
    connection.executemany(
        _ADD_EXCHANGE,
        [_exchange(capture_id, run_id, key, row) for capture_id, key, row in zip(capture_ids, keys, rows, strict=True)],
    )
    connection.executemany(
        _ADD_CHANGE,
        [
            (row.target.url, capture_id, row.target.site == IMPORT_SITE)
            for capture_id, row in zip(capture_ids, rows, strict=True)
            if row.outcome in CONTENT_OUTCOMES and row.target.role in ("page", "attachment") and row.is_document
        ],
    )
    _insert_discoveries(connection, run_id, rows, capture_ids)
    connection.execute(
        "UPDATE runs SET requests = requests + ?, new_captures = new_captures + ? WHERE run_id = ?",
        (sum(row.outcome != "robots" for row in rows), sum(row.outcome == "ok" for row in rows), run_id),
    )
    return capture_ids


def _exchange(capture_id: int, run_id: str, key: bytes, row: CaptureRow) -> tuple[object, ...]:
    place = row.place
    return (
        capture_id,
        run_id,
        row.frontier_id,
        key,
        row.target.url,
        row.captured_at,
        row.outcome,
        row.http_status,
        row.media_type,
        row.payload_digest,
        row.likeness,
        row.etag,
        row.last_modified,
        row.truncated,
        row.error,
        place.warc_file,
        place.offset,
        place.length,
        place.record_id,
        place.metadata_offset,
        place.metadata_length,
        row.refers_to,
    )


def _insert_discoveries(
    connection: sqlite3.Connection, run_id: str, rows: Sequence[CaptureRow], capture_ids: Sequence[int]
) -> None:
    findings: list[tuple[Finding, int]] = []
    for capture_id, row in zip(capture_ids, rows, strict=True):
        discovery = row.discovery
        findings.extend((finding, capture_id) for finding in discovery.findings)
        if discovery.listings:
            connection.executemany(
                _ADD_LISTING,
                [
                    (item.site, item.channel, item.url, item.title, item.listed_date, item.position, run_id, run_id)
                    for item in discovery.listings
                ],
            )
        if discovery.declared_total is not None:
            connection.execute(_ADD_TOTAL, (run_id, row.target.site, row.target.channel, discovery.declared_total))
        if discovery.targets:
            add_targets(connection, run_id, [(target_key(target), target) for target in discovery.targets])
    if findings:
        insert_findings(connection, run_id, findings)
        note_still_gone(connection, [capture_id for one, capture_id in findings if one.code in GONE_CODES])


def like_response(connection: sqlite3.Connection, payload_digest: str, likeness: bytes) -> FullResponse | None:
    """A committed full response with the same payload, wire body, codings and Location: what a revisit may refer to."""
    known = connection.execute("SELECT payload_id FROM payloads WHERE digest = ?", (payload_digest,)).fetchone()
    if known is None:
        return None
    row = connection.execute(_LIKE_RESPONSE, (*known, likeness)).fetchone()
    return FullResponse(*row) if row else None


def response_with_id(connection: sqlite3.Connection, record_id: str) -> FullResponse | None:
    """The full response in the WARC record with that id."""
    row = connection.execute(_FULL_RESPONSE + "WHERE e.warc_record_id = ?", (record_id,)).fetchone()
    return FullResponse(*row) if row else None


def response_at(connection: sqlite3.Connection, url: str, captured_at: str) -> FullResponse | None:
    """The full response captured at `url` in the second of `captured_at`."""
    row = connection.execute(
        _FULL_RESPONSE
        + "WHERE u.url = ? AND substr(e.captured_at, 1, 19) = substr(?, 1, 19) AND e.refers_to IS NULL LIMIT 1",
        (url, captured_at),
    ).fetchone()
    return FullResponse(*row) if row else None


def last_content(connection: sqlite3.Connection, key: bytes) -> FullResponse | None:
    """The full response behind the newest capture with content of the target with `key`.

    A revisit is followed to what it refers to; validators are those of the newest capture itself.
    """
    row = connection.execute(
        """SELECT ifnull(e.refers_to, e.capture_id), e.etag, e.last_modified
        FROM exchanges e JOIN frontier f ON f.frontier_id = e.frontier_id
        WHERE f.key = ? AND e.url_id = f.url_id AND e.outcome IN ('ok', 'revisit')
        ORDER BY e.capture_id DESC LIMIT 1""",
        (key,),
    ).fetchone()
    if row is None:
        return None
    full = connection.execute(_FULL_RESPONSE + "WHERE e.capture_id = ?", (row[0],)).fetchone()
    return replace(FullResponse(*full), etag=row[1], last_modified=row[2])
