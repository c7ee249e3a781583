"""Which tables are exported, what their columns hold, and their rows in a lasting order."""

from __future__ import annotations

import contextlib
import sqlite3
import tomllib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from archive.browse.codebook import codebook_of
from archive.errors import ArchiveError

RULES_FILE = Path(__file__).with_name("exports.toml")
FETCHED = 5000
Kind = Literal["integer", "number", "text"]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which reports: of these sites and these years, all when empty."""

    sites: tuple[str, ...] = ()
    years: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sites or self.years)

    def __str__(self) -> str:
        parts = [f"sites {', '.join(self.sites)}"] if self.sites else []
        parts += [f"years {', '.join(map(str, self.years))}"] if self.years else []
        return " and ".join(parts)


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what its rows hold. `least` and `most` are of numbers, `longest` is of texts in UTF-8 bytes;
    `is_filled`, of columns of the key, where no row has NULL or an empty text.

    `categories` are the declared values, in the order of their codes, where every row has one of them or none.
    """

    name: str
    kind: Kind
    zh: str
    en: str
    unit: str
    least: float | None
    most: float | None
    longest: int
    is_filled: bool
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExportTable:
    """A public table to be exported. `foreign` has column → (table, column)."""

    name: str
    title_zh: str
    title: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    foreign: tuple[tuple[str, str, str], ...]
    rows: int


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(RULES_FILE.read_text("utf-8"))


class Source:
    """A corpus or snapshot as it is at one moment, narrowed to a selection; writes of others are not seen."""

    def __init__(self, path: Path, selection: Selection | None = None) -> None:
        """Raises ArchiveError when there is no database at `path`, or no report in it is of the selection."""
        if not path.is_file():
            raise ArchiveError(f"{path}: no such database")
        self.selection = selection or Selection()
        self.connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        self.connection.execute("PRAGMA temp_store = FILE")
        self.connection.execute("BEGIN")
        if self.selection:
            try:
                self._choose()
            except ArchiveError:
                self.connection.close()
                raise

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def tables(self, *, ranges: bool = True) -> Iterator[ExportTable]:
        """Every table that is exported and there, looked through once; without `ranges` columns do not say theirs."""
        present = {name for (name,) in self.connection.execute("SELECT name FROM sqlite_schema")}
        titles = {table.name: table for table in codebook_of(self.connection).tables}
        for name, rule in _rules()["tables"].items():
            if name not in present or name not in titles:
                continue
            described = {column.name: column for column in titles[name].columns}
            count, columns = self._columns(name, described, tuple(rule["key"]), ranges=ranges)
            yield ExportTable(
                name=name,
                title_zh=titles[name].title_zh,
                title=titles[name].title,
                description=f"{titles[name].description_zh} {titles[name].description}".strip(),
                columns=columns,
                key=tuple(rule["key"]),
                foreign=tuple((column, *to.split(".")) for column, to in rule.get("foreign", {}).items()),
                rows=count,
            )

    def rows(self, table: ExportTable) -> Generator[list[Row], None, None]:
        """The rows in batches, in the order of the table's key."""
        names = ", ".join(_quoted(column.name) for column in table.columns)
        order = ", ".join(map(_quoted, table.key)) or names
        cursor = self.connection.execute(
            f"SELECT {names} FROM {_quoted(table.name)}{self._where(table.name)} ORDER BY {order}"  # noqa: S608
        )
        with contextlib.closing(cursor):
            while batch := cursor.fetchmany(FETCHED):
                yield batch

    def _choose(self) -> None:
        sites, years = self.selection.sites, self.selection.years
        conditions = [
            f"{column} IN ({', '.join('?' * len(values))})"
            for column, values in (("site", sites), ("report_year", years))
            if values
        ]
        self.connection.execute(
            f"""CREATE TEMP TABLE chosen AS SELECT report_id, agency_id, report_year FROM reports
            WHERE {" AND ".join(conditions)}""",  # noqa: S608  placeholders
            (*sites, *years),
        )
        self.connection.execute("CREATE INDEX temp.chosen_report ON chosen(report_id)")
        if not self.connection.execute("SELECT 1 FROM temp.chosen").fetchone():
            raise ArchiveError(f"no report is of {self.selection}; `gongkai status` lists sites and years")

    def _where(self, table: str) -> str:
        if not self.selection or _rules()["tables"][table].get("whole"):
            return ""
        names = {row[1] for row in self.connection.execute(f"PRAGMA table_info({_quoted(table)})")}
        # Cells of a check stay together, those of other reports too.
        if "check_id" in names and "agency_id" not in names:
            inner = self._where("document_checks")
            return f" WHERE check_id IN (SELECT check_id FROM document_checks{inner})"  # noqa: S608  our own text
        if "report_id" in names:
            return " WHERE report_id IN (SELECT report_id FROM temp.chosen)"
        if {"agency_id", "report_year"} <= names:
            return " WHERE (agency_id, report_year) IN (SELECT agency_id, report_year FROM temp.chosen)"
        return ""

    def _columns(
        self, table: str, described: dict[str, Any], key: tuple[str, ...], *, ranges: bool
    ) -> tuple[int, tuple[Column, ...]]:
        declared = {
            row[1]: row[2].upper()
            for row in self.connection.execute(f"PRAGMA table_xinfo({_quoted(table)})").fetchall()
        }
        asked = {("", "rows"): "count(*)"}
        for name, type_name in declared.items():
            categories = _rules()["categories"].get(f"{table}.{name}", ())
            questions = _questions(name, type_name, categories, is_key=name in key, ranges=ranges)
            asked |= {(name, what): sql for what, sql in questions.items()}
        is_view = self.connection.execute("SELECT type = 'view' FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        # A view is worked out once, not once for every question.
        kept = "MATERIALIZED" if is_view[0] else "NOT MATERIALIZED"
        answers = self.connection.execute(
            f"""WITH looked_at AS {kept} (SELECT * FROM {_quoted(table)}{self._where(table)})
            SELECT {", ".join(asked.values())} FROM looked_at"""  # noqa: S608  our own names
        ).fetchone()
        found = dict(zip(asked, answers, strict=True))
        count = found["", "rows"]
        columns = []
        for name, type_name in declared.items():
            told = {what: answer for (column, what), answer in found.items() if column == name}
            kind = _kind(name, type_name, told.get("filled", 0), told.get("texts", 0), told.get("reals", 0))
            categories = tuple(_rules()["categories"].get(f"{table}.{name}", ()))
            about = described.get(name)
            columns.append(
                Column(
                    name=name,
                    kind=_rules()["types"].get(f"{table}.{name}") or kind,
                    zh=about.zh if about else name,
                    en=about.en if about else name,
                    unit=about.unit if about else "",
                    least=told.get("least"),
                    most=told.get("most"),
                    longest=told.get("longest") or 0,
                    is_filled=told.get("filled") == count and not told.get("empty"),
                    categories=categories if not told.get("strange") else (),
                )
            )
        return count, tuple(columns)


def _questions(name: str, declared: str, categories: Sequence[str], *, is_key: bool, ranges: bool) -> dict[str, str]:
    """What has to be known of a column's rows, as aggregates. A column declared as text holds nothing else."""
    column = _quoted(name)
    asked = {}
    if declared != "TEXT":
        asked["texts"] = f"total(typeof({column}) = 'text')"
        asked["reals"] = f"total(typeof({column}) = 'real')"
        if ranges:
            number = f"CASE WHEN typeof({column}) IN ('integer', 'real') THEN {column} END"
            asked |= {"least": f"min({number})", "most": f"max({number})"}
    if is_key or not declared:
        asked |= {"filled": f"count({column})", "empty": f"total({column} = '')"}
    if ranges:
        asked["longest"] = f"max(length(CAST({column} AS BLOB)))"
    if categories:
        listed = ", ".join(f"'{value}'" for value in categories)
        asked["strange"] = f"total({column} NOT IN ({listed}))"
    return asked


def _kind(name: str, declared: str, filled: int, texts: float, reals: float) -> Kind:
    """By declaration, so that a type does not change with what happens to be there; but nothing is lost for it."""
    if texts:
        return "text"
    if declared in ("NUMERIC", "REAL") or reals:
        return "number"
    if declared == "INTEGER":
        return "integer"
    if declared == "TEXT":
        return "text"
    if filled:
        return "integer"
    return "integer" if name.endswith(("_year", "_count", "_id")) else "text"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
