"""What the checks across documents need from the database, and their verdicts as rows."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from archive.store import Store

Exact = int | Decimal

# A value that was not printed in its place accuses nobody.
INFERRED_CONFIDENCE = 0.5

_REPORTS = """
SELECT v.report_id, v.reading_id, v.report_year, v.form, ifnull(v.agency, ''), b.agency_id,
    ifnull(b.scope, 'unknown'), c.report_id IS NOT NULL, v.capture_id, e.run_id, d.document_url
FROM report_versions v
JOIN report_documents d ON d.report_id = v.report_id
JOIN exchanges e ON e.capture_id = v.capture_id
LEFT JOIN report_agencies b ON b.report_id = v.report_id
LEFT JOIN panel_choices c ON c.report_id = v.report_id
WHERE v.known_to IS NULL AND v.form IS NOT NULL AND v.report_year IS NOT NULL
ORDER BY v.report_id
"""

_FIGURES = """
SELECT f.reading_id, c.cell, ifnull(k.value, f.value),
    CASE WHEN k.value IS NOT NULL THEN 1.0 WHEN f.status_id = 5 THEN min(f.confidence, {inferred}) ELSE f.confidence END
FROM report_versions v
CROSS JOIN reading_facts f ON f.reading_id = v.reading_id
JOIN cells c ON c.cell_id = f.cell_id
LEFT JOIN fact_corrections k ON k.reading_id = f.reading_id AND k.cell_id = f.cell_id
WHERE v.known_to IS NULL AND f.cell_id IN ({ids})
"""

_ROW = "check_id, rule, status, agency_id, report_year, lhs, rhs, note, report_id, digest"
# Hexadecimal digits of the digest that make the number of a check: 52 bits, which every reader of numbers can hold.
_ID_DIGITS = 13


@dataclass(frozen=True, slots=True)
class CheckedReport:
    """A current report. `is_chosen`: it stands for its agency, year and scope in the panel (0 or 1)."""

    report_id: int
    reading_id: int
    year: int
    form: str
    agency: str
    agency_id: str | None
    scope: str
    is_chosen: int
    capture_id: int
    run_id: str
    document_url: str


@dataclass(frozen=True, slots=True)
class DocumentCheckRow:
    """A verdict. Cells are (report_id, cell)."""

    rule: str
    status: str
    agency_id: str | None
    report_year: int
    lhs: Exact | None
    rhs: Exact | None
    note: str
    report_id: int
    left: tuple[tuple[int, str], ...]
    right: tuple[tuple[int, str], ...]

    @property
    def digest(self) -> str:
        """Of all that the row and its cells say."""
        said = (
            self.rule,
            self.status,
            self.agency_id,
            self.report_year,
            str(self.lhs),
            str(self.rhs),
            self.note,
            self.report_id,
            self.left,
            self.right,
        )
        return sha256(repr(said).encode()).hexdigest()[:32]


def checked_reports(store: Store) -> list[CheckedReport]:
    """Every current report with a form and a year."""
    return [CheckedReport(*row) for row in store.connection.execute(_REPORTS)]


def figures(store: Store, cells: Iterable[str]) -> dict[int, dict[str, tuple[Exact | None, float]]]:
    """Value and confidence of those cells in every current reading, corrections laid over."""
    wanted = set(cells)
    ids = [cell_id for cell_id, cell in store.connection.execute("SELECT cell_id, cell FROM cells") if cell in wanted]
    text = _FIGURES.format(inferred=INFERRED_CONFIDENCE, ids=", ".join(map(str, ids)))
    found: dict[int, dict[str, tuple[Exact | None, float]]] = defaultdict(dict)
    for reading_id, cell, value, confidence in store.connection.execute(text):
        found[reading_id][cell] = (Decimal(str(value)) if isinstance(value, float) else value, confidence)
    return found


def section_texts(store: Store, reading_ids: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    """Heading and text of every section with text, in order."""
    wanted = set(reading_ids)
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    rows = store.connection.execute(
        "SELECT reading_id, heading, text FROM sections WHERE text <> '' ORDER BY reading_id, position"
    )
    for reading_id, heading, text in rows:
        if reading_id in wanted:
            found[reading_id].append((heading, text))
    return found


def parents(store: Store) -> dict[str, str]:
    """Agency → the agency that it is part of."""
    return dict(
        store.connection.execute("SELECT agency_id, parent_id FROM agencies WHERE parent_id IS NOT NULL").fetchall()
    )


def kinds(store: Store) -> dict[str, tuple[str, str]]:
    """Kind and name of every agency that is part of another."""
    rows = store.connection.execute("SELECT agency_id, kind, name FROM agencies WHERE parent_id IS NOT NULL")
    return {agency_id: (kind, name) for agency_id, kind, name in rows}


def events(store: Store) -> dict[tuple[str, int], list[str]]:
    """What happened to an agency in a year, in words. A new name of its division leaves its numbers alone."""
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    rows = store.connection.execute(
        """SELECT agency_id, year, kind, ifnull(other, '') FROM agency_events
        WHERE year IS NOT NULL AND kind <> 'division_renamed' ORDER BY position"""
    )
    for agency_id, year, kind, other in rows:
        found[agency_id, year].append(f"{kind} {year} {other}".strip())
    return found


def write_checks(store: Store, rows: Sequence[DocumentCheckRow]) -> None:
    """Makes these the verdicts; those that stand already stay as they are."""
    wanted = {row.digest: row for row in rows}
    with store.transaction() as connection:
        known = {digest for (digest,) in connection.execute("SELECT digest FROM document_checks")}
        gone = [(digest,) for digest in known.difference(wanted)]
        connection.executemany("DELETE FROM document_checks WHERE digest = ?", gone)
        for digest, row in wanted.items():
            if digest not in known:
                _insert(connection, row, digest)


def _insert(connection: sqlite3.Connection, row: DocumentCheckRow, digest: str) -> None:
    check_id = int(digest[:_ID_DIGITS], 16)
    connection.execute(
        f"INSERT INTO document_checks({_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  our own names
        (
            check_id,
            row.rule,
            row.status,
            row.agency_id,
            row.report_year,
            _stored(row.lhs),
            _stored(row.rhs),
            row.note,
            row.report_id,
            digest,
        ),
    )
    cells = [("left", *place) for place in row.left] + [("right", *place) for place in row.right]
    connection.executemany(
        "INSERT INTO document_check_cells(check_id, side, report_id, cell) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(check_id, *cell) for cell in cells],
    )


def _stored(value: Exact | None) -> int | str | None:
    is_beyond = isinstance(value, int) and not -(2**63) <= value < 2**63
    return str(value) if is_beyond or isinstance(value, Decimal) else value
