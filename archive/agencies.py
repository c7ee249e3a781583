"""Rows of agencies, and what they are made from. All of them are derived: a table is made to hold what it should."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from archive.model import IMPORT_SITE

UNRESOLVED = "agency_unresolved"

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


def sync_unresolved(connection: sqlite3.Connection, unresolved: Iterable[tuple[ReportToAssign, str]]) -> None:
    """One finding for every report whose agency cannot be determined, none for others."""
    wanted = {
        (report.run_id, report.document_url, report.capture_id, report.report_id, message)
        for report, message in unresolved
    }
    stored = {
        tuple(row[1:]): row[0]
        for row in connection.execute(
            "SELECT finding_id, run_id, url, capture_id, report_id, message FROM findings WHERE code = ?", (UNRESOLVED,)
        )
    }
    connection.executemany(
        "DELETE FROM findings WHERE finding_id = ?", [(stored[known],) for known in stored.keys() - wanted]
    )
    connection.executemany(
        f"""INSERT INTO findings(run_id, level, code, url, capture_id, report_id, message)
        VALUES (?, 'info', '{UNRESOLVED}', ?, ?, ?, ?)""",  # noqa: S608  our own word
        sorted(wanted - stored.keys()),
    )
