"""Rows of agencies, and what they are made from. All of them are derived: a table is made to hold what it should."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from archive.model import IMPORT_SITE

# Run, address, capture, report, message.
FindingRow = tuple[str, str | None, int | None, int | None, str]

_REPORTS = """
SELECT v.report_id, v.version_id, v.reading_id, v.capture_id, e.run_id, d.document_url, v.agency, v.agency_origin,
    v.report_year, v.site, s.agency, v.division_code, p.publisher
FROM report_versions v
JOIN report_documents d ON d.report_id = v.report_id
JOIN exchanges e ON e.capture_id = v.capture_id
LEFT JOIN sites s ON s.name = v.site
LEFT JOIN page_versions p ON p.url = v.page_url AND p.known_to IS NULL
WHERE v.known_to IS NULL ORDER BY d.document_url
"""

_AGENCIES = """
SELECT a.agency_id, a.name, a.name_en, a.kind, a.level, a.division_code, a.parent_id, a.is_provisional, a.decided_by,
    (SELECT count(*) FROM report_agencies r WHERE r.agency_id = a.agency_id)
FROM agencies a
"""


@dataclass(frozen=True, slots=True)
class ReportToAssign:
    """A current report: how it names its agency, and what stands around it."""

    report_id: int
    version_id: int
    reading_id: int
    capture_id: int
    run_id: str
    document_url: str
    agency: str | None
    agency_origin: str | None
    year: int | None
    site: str | None
    site_agency: str | None
    division_code: str | None
    publisher: str | None


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """A row of `agencies`, with how many reports are its."""

    agency_id: str
    name: str
    name_en: str | None
    kind: str
    level: str | None
    division_code: str | None
    parent_id: str | None
    is_provisional: bool
    decided_by: str
    reports: int


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A row of `agency_reviews`, with what the agencies are called or where the report is."""

    review_id: str
    kind: str
    agency_id: str | None
    name: str | None
    other_id: str | None
    other_name: str | None
    report_id: int | None
    document_url: str | None
    printed: str | None
    rule: str
    evidence: str
    status: str
    decided_by: str | None


def agency_rows(
    connection: sqlite3.Connection, *, name: str = "", kind: str = "", division: str = "", with_reports: bool = False
) -> list[AgencyRow]:
    """Agencies by division and name; those called `name` (canonical or printed), of one kind, in a division."""
    rows = connection.execute(
        f"""{_AGENCIES}
        WHERE (?1 = '' OR a.name = ?1 OR EXISTS (
                SELECT 1 FROM agency_names n WHERE n.agency_id = a.agency_id AND n.name = ?1))
            AND (?2 = '' OR a.kind = ?2) AND substr(a.division_code, 1, length(?3)) = ?3
            AND (NOT ?4 OR EXISTS (SELECT 1 FROM report_agencies r WHERE r.agency_id = a.agency_id))
        ORDER BY a.division_code, a.kind <> 'government', a.kind, a.name""",  # noqa: S608  our own text
        (name, kind, _digits(division), with_reports),
    )
    return [_agency(row) for row in rows]


def agency_row(connection: sqlite3.Connection, agency_id: str) -> AgencyRow | None:
    row = connection.execute(f"{_AGENCIES} WHERE a.agency_id = ?", (agency_id,)).fetchone()
    return _agency(row) if row else None


def review_rows(connection: sqlite3.Connection, *, decided: bool = False) -> list[ReviewRow]:
    """What waits for a person, pairs first; with `decided` also what was decided."""
    rows = connection.execute(
        """SELECT v.review_id, v.kind, v.agency_id, a.name, v.other_id, o.name, v.report_id, r.document_url, r.agency,
            v.rule, v.evidence, v.status, v.decided_by
        FROM agency_reviews v
        LEFT JOIN agencies a ON a.agency_id = v.agency_id
        LEFT JOIN agencies o ON o.agency_id = v.other_id
        LEFT JOIN reports r ON r.report_id = v.report_id
        WHERE v.status = 'open' OR ?
        ORDER BY v.kind, v.status DESC, v.rule, a.name, o.name, r.document_url""",
        (decided,),
    )
    return [ReviewRow(*row) for row in rows]


def _digits(division: str) -> str:
    """The part of a code that codes inside the division share."""
    return division.removesuffix("00").removesuffix("00") if len(division) == 6 else division


def _agency(row: tuple[Any, ...]) -> AgencyRow:
    values = list(row)
    values[7] = bool(values[7])
    return AgencyRow(*values)


def reports_to_assign(connection: sqlite3.Connection) -> Iterator[ReportToAssign]:
    """Every current report, by address: row numbers are not the same after a rebuild."""
    return (ReportToAssign(*row) for row in connection.execute(_REPORTS))


def declared_divisions(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Division code and agency of every site file, by code."""
    return connection.execute(
        """SELECT division_code, agency FROM sites WHERE name <> ? AND division_code <> ''
        ORDER BY division_code, agency""",
        (IMPORT_SITE,),
    ).fetchall()


def report_text(connection: sqlite3.Connection, reading_id: int) -> list[str]:
    """Title, opening and sections of a report, in this order, each as one text."""
    title = connection.execute("SELECT title FROM report_versions WHERE reading_id = ?", (reading_id,)).fetchone()[0]
    (opening,) = connection.execute("SELECT opening FROM readings WHERE reading_id = ?", (reading_id,)).fetchone()
    sections = connection.execute(
        "SELECT text FROM sections WHERE reading_id = ? ORDER BY position", (reading_id,)
    ).fetchall()
    return [title or "", opening, *(text for (text,) in sections)]


def sync(
    connection: sqlite3.Connection, table: str, key: tuple[str, ...], rows: Iterable[Mapping[str, object]]
) -> None:
    """Makes a table hold exactly these rows, touching only those that differ."""
    wanted = {tuple(row[column] for column in key): row for row in rows}
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    places = [columns.index(column) for column in key]
    stored = {
        tuple(row[place] for place in places): row
        for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608  our own names
    }
    where = " AND ".join(f"{column} = ?" for column in key)
    connection.executemany(f"DELETE FROM {table} WHERE {where}", [known for known in stored if known not in wanted])  # noqa: S608
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in key)
    values = {known: tuple(row[column] for column in columns) for known, row in wanted.items()}
    connection.executemany(
        f"""INSERT INTO {table}({", ".join(columns)}) VALUES ({", ".join("?" * len(columns))})
        ON CONFLICT DO UPDATE SET {updates}""",  # noqa: S608
        [row for known, row in values.items() if stored.get(known) != row],
    )


def sync_findings(
    connection: sqlite3.Connection, code: str, level: Literal["info", "warning"], findings: Iterable[FindingRow]
) -> None:
    """Makes the findings of one code exactly these."""
    wanted = set(findings)
    stored = {
        tuple(row[1:]): row[0]
        for row in connection.execute(
            "SELECT finding_id, run_id, url, capture_id, report_id, message FROM findings WHERE code = ?", (code,)
        )
    }
    connection.executemany(
        "DELETE FROM findings WHERE finding_id = ?", [(stored[known],) for known in stored.keys() - wanted]
    )
    connection.executemany(
        """INSERT INTO findings(level, code, run_id, url, capture_id, report_id, message)
        VALUES (?, ?, ?, ?, ?, ?, ?)""",
        [(level, code, *row) for row in sorted(wanted - stored.keys(), key=repr)],
    )
