"""What changed, and what was said when: the change history as rows, for a command and for programs.

Days are days of UTC. `web` is what an address said at the end of a day as far as it had been asked, in the newest
reading; `known` is what stood in the database at the end of that day, read as it was read then.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from archive.browse.codebook import codebook

Axis = Literal["web", "known"]
KINDS = ("appeared", "content_changed", "layout_changed", "disappeared", "reappeared", "moved")

_CHANGES = """
SELECT run_id, started_at, kind, url, site, title, capture_id, previous_capture_id, moved_to, text_diff, cells_json
FROM (SELECT g.change_id, g.run_id, r.started_at, g.kind, g.url,
    coalesce(f.site, (SELECT l.site FROM listings l WHERE l.url = g.url LIMIT 1), '') AS site,
    coalesce(
        (SELECT v.title FROM report_documents d JOIN report_versions v ON v.report_id = d.report_id
            WHERE d.document_url = g.url ORDER BY v.version_id DESC LIMIT 1),
        (SELECT p.title FROM page_versions p WHERE p.url = g.url ORDER BY p.page_version_id DESC LIMIT 1),
        (SELECT l.title FROM listings l WHERE l.url = g.url LIMIT 1)) AS title,
    g.capture_id, g.previous_capture_id,
    CASE WHEN g.kind = 'moved' THEN (SELECT n.url FROM exchanges x JOIN urls n ON n.url_id = x.url_id
        WHERE x.capture_id = g.capture_id) END AS moved_to,
    t.text_diff, t.cells_json
FROM changes g JOIN runs r ON r.run_id = g.run_id
LEFT JOIN exchanges e ON e.capture_id = coalesce(g.capture_id, g.previous_capture_id)
LEFT JOIN frontier f ON f.frontier_id = e.frontier_id
LEFT JOIN change_diffs t ON t.capture_id = g.capture_id AND g.kind = 'content_changed')"""

_ADDRESSES = """
SELECT ?1 UNION SELECT document_url FROM report_documents d JOIN report_versions v USING (report_id)
WHERE v.page_url = ?1 UNION SELECT url FROM attachments WHERE page_url = ?1"""

# The last version of each axis at the end of a day; of what the web said, in the newest reading.
_REPORTS = {
    "web": """
SELECT v.version_id, e.captured_at, v.title, v.agency, v.report_year, v.published_date, v.capture_id
FROM report_versions v JOIN report_documents d USING (report_id) JOIN exchanges e ON e.capture_id = v.capture_id
WHERE d.document_url = ?1 AND substr(e.captured_at, 1, 10) <= ?2
ORDER BY e.captured_at DESC, v.version_id DESC LIMIT 1""",
    "known": """
SELECT v.version_id, e.captured_at, v.title, v.agency, v.report_year, v.published_date, v.capture_id
FROM report_versions v JOIN report_documents d USING (report_id) JOIN exchanges e ON e.capture_id = v.capture_id
WHERE d.document_url = ?1 AND substr(v.known_from, 1, 10) <= ?2
    AND (v.known_to IS NULL OR substr(v.known_to, 1, 10) > ?2)
ORDER BY v.version_id DESC LIMIT 1""",
}
_PAGES = {
    "web": """
SELECT p.title, p.published_date, p.text, e.captured_at, p.capture_id
FROM page_versions p JOIN exchanges e ON e.capture_id = p.capture_id
WHERE p.url = ?1 AND substr(e.captured_at, 1, 10) <= ?2
ORDER BY e.captured_at DESC, p.page_version_id DESC LIMIT 1""",
    "known": """
SELECT p.title, p.published_date, p.text, e.captured_at, p.capture_id
FROM page_versions p JOIN exchanges e ON e.capture_id = p.capture_id
WHERE p.url = ?1 AND substr(p.known_from, 1, 10) <= ?2 AND (p.known_to IS NULL OR substr(p.known_to, 1, 10) > ?2)
ORDER BY p.page_version_id DESC LIMIT 1""",
}
_LAST_STATE = """
SELECT g.kind, r.started_at FROM changes g JOIN runs r ON r.run_id = g.run_id
WHERE g.url = ? AND g.kind IN ('disappeared', 'moved', 'reappeared') AND substr(r.started_at, 1, 10) <= ?
ORDER BY r.started_at DESC, g.change_id DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell as it was printed before and after; None where the document did not have it."""

    cell: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the history. `at`: when the run that noticed it began. `moved_to`: the new address of what moved.

    `text_diff` and `cells` say what was said before and after, of changes of content that were read.
    """

    run_id: str
    at: str
    kind: str
    url: str
    site: str
    title: str | None
    capture_id: int | None
    previous_capture_id: int | None
    moved_to: str | None
    text_diff: str | None
    cells: tuple[CellChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a version: value, text as printed, unit, status."""

    cell: str
    value: float | int | None
    raw: str
    unit: str
    status: str


@dataclass(frozen=True, slots=True)
class Said:
    """What an address said on a day. `kind`: report or page; a report has its cells, a page its text.

    `gone_at`: when it had been found to be gone or moved by then, None when it was there as far as is known.
    """

    url: str
    kind: Literal["report", "page"]
    captured_at: str
    capture_id: int
    title: str | None
    published_date: str | None
    agency: str | None = None
    report_year: int | None = None
    text: str = ""
    cells: tuple[Cell, ...] = field(default=())
    gone_at: str | None = None


def addresses(connection: sqlite3.Connection, address: str) -> list[str]:
    """The address and, of a page, its documents; of a report's number, its document."""
    if address.isdecimal():
        # As text: SQLite takes no whole number beyond 64 bits.
        query = "SELECT document_url FROM report_documents WHERE report_id = CAST(? AS INTEGER)"
        return [url for (url,) in connection.execute(query, (address,))]
    return sorted(url for (url,) in connection.execute(_ADDRESSES, (address,)))


def changes(
    connection: sqlite3.Connection,
    *,
    urls: Sequence[str] = (),
    site: str = "",
    since: str = "",
    kinds: Sequence[str] = (),
    limit: int = 200,
) -> list[Change]:
    """The newest changes, newest first: of these addresses, this site, since this day, of these kinds; else of all."""
    wanted: list[tuple[str, object]] = []
    if urls:
        wanted.append(("url IN (SELECT value FROM json_each(?))", json.dumps(urls)))
    if site:
        wanted.append(("site = ?", site))
    if since:
        wanted.append(("substr(started_at, 1, 10) >= ?", since))
    if kinds:
        wanted.append(("kind IN (SELECT value FROM json_each(?))", json.dumps(kinds)))
    where = " AND ".join(condition for condition, _ in wanted) or "1"
    rows = connection.execute(
        f"{_CHANGES} WHERE {where} ORDER BY started_at DESC, change_id DESC LIMIT ?",
        (*(value for _, value in wanted), limit),
    )
    return [_change(row) for row in rows]


def said_on(connection: sqlite3.Connection, url: str, day: str, axis: Axis) -> Said | None:
    """What an address said at the end of a day: as a report where it is one, else as a page. None: nothing by then."""
    gone_at = _gone_at(connection, url, day) if axis == "web" else None
    report = connection.execute(_REPORTS[axis], (url, day)).fetchone()
    if report is not None:
        version_id, captured_at, title, agency, report_year, published_date, capture_id = report
        cells = connection.execute(
            "SELECT cell, value, raw, unit, status FROM all_facts WHERE version_id = ? ORDER BY cell", (version_id,)
        )
        return Said(
            url=url,
            kind="report",
            captured_at=captured_at,
            capture_id=capture_id,
            title=title,
            published_date=published_date,
            agency=agency,
            report_year=report_year,
            cells=tuple(Cell(*row) for row in cells),
            gone_at=gone_at,
        )
    page = connection.execute(_PAGES[axis], (url, day)).fetchone()
    if page is None:
        return None
    title, published_date, text, captured_at, capture_id = page
    return Said(url, "page", captured_at, capture_id, title, published_date, text=text, gone_at=gone_at)


def reports_on(connection: sqlite3.Connection, day: str, axis: Axis) -> list[dict[str, Any]]:
    """Every report as it stood at the end of a day: the answer of the stored query that Datasette shows too."""
    query = next(query for query in codebook().queries if query.name == f"{axis}_on_day")
    cursor = connection.execute(query.sql, {"day": day})
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _gone_at(connection: sqlite3.Connection, url: str, day: str) -> str | None:
    row = connection.execute(_LAST_STATE, (url, day)).fetchone()
    return None if row is None or row[0] == "reappeared" else row[1]


def _change(row: Sequence[Any]) -> Change:
    run_id, at, kind, url, site, title, capture_id, previous_capture_id, moved_to, text_diff, cells_json = row
    return Change(
        run_id=run_id,
        at=at,
        kind=kind,
        url=url,
        site=site,
        title=title,
        capture_id=capture_id,
        previous_capture_id=previous_capture_id,
        moved_to=moved_to,
        text_diff=text_diff,
        cells=tuple(CellChange(**cell) for cell in json.loads(cells_json or "[]")),
    )
