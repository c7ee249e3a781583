"""The panel: concepts as rows and columns, which report stands for an agency's year, corrections laid over facts.

Whoever knows the forms hands the concepts over as plain rows; everything here is derived and can be made again.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archive.store import Store

_KEYS = "agency_id, agency, division_code, report_year, scope, form, report_id, other_reports, chosen_by"


@dataclass(frozen=True, slots=True)
class ConceptCellsRow:
    """How one edition prints a concept: `ways` are tried in order, each a tuple of (cell, unit) to be added up."""

    form: str
    ways: tuple[tuple[tuple[str, str], ...], ...]
    comparability: str
    reason_zh: str
    reason_en: str


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """A concept; labels of at most 80 characters, `concept` usable as a column name."""

    concept: str
    label_zh: str
    label_en: str
    unit: str
    definition_zh: str
    definition_en: str
    printed: tuple[ConceptCellsRow, ...]


def write_concepts(store: Store, concepts: Sequence[ConceptRow]) -> None:
    """Replaces all concepts, and the columns of `panel_wide` with them. The same concepts again change nothing."""
    rows = _rows(concepts)
    with store.transaction() as connection:
        connection.executemany(
            "INSERT INTO cells(cell, unit) VALUES (?, ?) ON CONFLICT DO NOTHING",
            sorted({cell for one in concepts for printed in one.printed for way in printed.ways for cell in way}),
        )
        ids = {(cell, unit): cell_id for cell_id, cell, unit in connection.execute("SELECT * FROM cells")}
        cells = [(*row, ids[cell]) for row, cell in rows.cells]
        ways = [(*row, ids[cell] if cell else None) for row, cell in rows.ways]
        if _stored(connection) == (rows.concepts, sorted(cells), sorted(ways)):
            return
        for table in ("concept_ways", "concept_cells", "concepts"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608  our own names
        connection.executemany("INSERT INTO concepts VALUES (?, ?, ?, ?, ?, ?, ?)", rows.concepts)
        connection.executemany(
            """INSERT INTO concept_cells(concept, form, cell, comparability, reason_zh, reason_en, way, cell_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            cells,
        )
        connection.executemany(
            """INSERT INTO concept_ways(form, concept, way, ways, cells, cell, comparability, cell_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            ways,
        )
        _make_wide(connection, concepts)


def write_choices(store: Store, changed: Collection[int] = ()) -> None:
    """Says of every agency, year and scope which report stands for it (see `panel_reports`), and its numbers.

    Rows that hold stay; `changed` are readings whose values differ from when they were last written.
    """
    columns = (
        "report_id, reading_id, agency_id, agency, division_code, report_year, scope, form, other_reports, chosen_by"
    )
    chosen = f"SELECT {columns} FROM panel_reports WHERE is_chosen"  # noqa: S608  our own names
    with store.transaction() as connection:
        fresh = connection.execute(chosen).fetchall()
        known = set(connection.execute(f"SELECT {columns} FROM panel_choices"))  # noqa: S608  our own names
        gone = known.difference(fresh)
        connection.executemany("DELETE FROM panel_choices WHERE report_id = ?", [(row[0],) for row in gone])
        connection.executemany(
            f"INSERT INTO panel_choices({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  our own names
            [row for row in fresh if row not in known],
        )
        reread = {row[0]: row[1] for row in gone}
        changed = {*changed, *(row[1] for row in fresh if row[0] in reread and reread[row[0]] != row[1])}
        _write_numbers(connection, changed)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of `concepts`, `concept_cells` and `concept_ways`; the latter two without `cell_id`, beside its cell."""

    concepts: list[tuple[object, ...]]
    cells: list[tuple[tuple[object, ...], tuple[str, str]]]
    ways: list[tuple[tuple[object, ...], tuple[str, str] | None]]


def _rows(concepts: Iterable[ConceptRow]) -> _Rows:
    found = _Rows([], [], [])
    for position, one in enumerate(concepts, 1):
        found.concepts.append(
            (one.concept, position, one.label_zh, one.label_en, one.unit, one.definition_zh, one.definition_en)
        )
        for printed in one.printed:
            said = (printed.comparability, printed.reason_zh, printed.reason_en)
            for number, way in enumerate(printed.ways, 1):
                found.cells.extend(((one.concept, printed.form, cell[0], *said, number), cell) for cell in way)
                names = " + ".join(cell for cell, _ in way)
                row = (printed.form, one.concept, number, len(printed.ways), len(way), names, printed.comparability)
                found.ways.append((row, way[0] if len(printed.ways) == len(way) == 1 else None))
    return found


def _stored(
    connection: sqlite3.Connection,
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]], list[tuple[object, ...]]]:
    concepts = connection.execute(
        """SELECT concept, position, label_zh, label_en, unit, definition_zh, definition_en FROM concepts
        ORDER BY position"""
    ).fetchall()
    cells = connection.execute(
        "SELECT concept, form, cell, comparability, reason_zh, reason_en, way, cell_id FROM concept_cells"
    ).fetchall()
    ways = connection.execute(
        "SELECT form, concept, way, ways, cells, cell, comparability, cell_id FROM concept_ways"
    ).fetchall()
    return concepts, sorted(cells), sorted(ways)


def _make_wide(connection: sqlite3.Connection, concepts: Iterable[ConceptRow]) -> None:
    """An empty `panel_numbers` with a column for each concept, and the view that joins it to the reports' keys.

    It is a table because SQLite slows down with the square of the subqueries of one row.
    """
    names = [one.concept for one in concepts]
    keys = ", ".join(f"p.{key}" for key in _KEYS.split(", "))
    connection.execute("DROP VIEW IF EXISTS panel_wide")
    connection.execute("DROP TABLE IF EXISTS panel_numbers")
    connection.execute(
        f"""CREATE TABLE panel_numbers(report_id INTEGER PRIMARY KEY, doubtful TEXT, corrected TEXT,
        {", ".join(f"{name} NUMERIC" for name in names)})"""
    )
    connection.execute(
        f"""CREATE VIEW panel_wide AS SELECT {keys}, n.doubtful, n.corrected, {", ".join(f"n.{name}" for name in names)}
        FROM panel_choices p LEFT JOIN panel_numbers n ON n.report_id = p.report_id"""  # noqa: S608  our own names
    )


def _write_numbers(connection: sqlite3.Connection, changed: Collection[int]) -> None:
    """Fills `panel_numbers` for chosen reports that have no whole row, or whose reading is in `changed`."""
    connection.execute(
        """DELETE FROM panel_numbers
        WHERE doubtful IS NULL OR report_id NOT IN (SELECT report_id FROM panel_choices)"""
    )
    connection.executemany(
        "DELETE FROM panel_numbers WHERE report_id IN (SELECT report_id FROM panel_choices WHERE reading_id = ?)",
        [(reading_id,) for reading_id in changed],
    )
    missing = connection.execute(
        """SELECT report_id, reading_id, form FROM panel_choices
        WHERE report_id NOT IN (SELECT report_id FROM panel_numbers) ORDER BY report_id"""
    ).fetchall()
    ways = _ways(connection)
    names = [name for (name,) in connection.execute("SELECT concept FROM concepts ORDER BY position")]
    columns = ", ".join(("report_id", "doubtful", "corrected", *names))
    marks = ", ".join("?" * (3 + len(names)))
    for report_id, reading_id, form in missing:
        cells = {row[0]: _Cell(*row[1:]) for row in connection.execute(_VALUES, (reading_id,))}
        parts = {name: _parts(ways.get((form, name), ()), cells) for name in names}
        doubtful = " ".join(name for name, found in parts.items() if any(cell.is_doubtful for cell in found))
        corrected = " ".join(name for name, found in parts.items() if any(cell.is_corrected for cell in found))
        numbers = [sum(cell.value for cell in found) if found else None for found in parts.values()]
        connection.execute(
            f"INSERT INTO panel_numbers({columns}) VALUES ({marks})",  # noqa: S608  our own names
            (report_id, doubtful, corrected, *numbers),
        )


class _Cell(NamedTuple):
    """A cell that has a number, corrected where a person has; `is_doubtful` is of what was read, not of corrections."""

    value: int | float
    is_doubtful: int
    is_corrected: int


# Doubtful as `panel` shows it: a confidence below 1, or inferred.
_VALUES = """
SELECT f.cell_id, ifnull(k.value, f.value), k.value IS NULL AND (f.confidence < 1 OR s.status = 'inferred'),
    k.value IS NOT NULL
FROM reading_facts f
JOIN fact_statuses s ON s.status_id = f.status_id
LEFT JOIN fact_corrections k ON k.reading_id = f.reading_id AND k.cell_id = f.cell_id
WHERE f.reading_id = ? AND ifnull(k.value, f.value) IS NOT NULL
"""


def _ways(connection: sqlite3.Connection) -> dict[tuple[str, str], list[list[int]]]:
    """Form and concept → the cells to be added up, way by way. Editions that break the series have none."""
    found: dict[tuple[str, str], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    rows = connection.execute(
        "SELECT form, concept, way, cell_id FROM concept_cells WHERE comparability <> 'break' ORDER BY way"
    )
    for form, concept, way, cell_id in rows:
        found[form, concept][way].append(cell_id)
    return {key: list(by_way.values()) for key, by_way in found.items()}


def _parts(ways: Iterable[Sequence[int]], cells: Mapping[int, _Cell]) -> list[_Cell]:
    """The cells of the first way of which every one has a number; none when no way has."""
    for way in ways:
        found = [cells[cell_id] for cell_id in way if cell_id in cells]
        if len(found) == len(way):
            return found
    return []
