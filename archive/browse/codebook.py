"""archive/datasette.yml as records, and what is made of it: Datasette's metadata and configuration, docs/data.md.

python -m archive.browse.codebook > docs/data.md
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CODEBOOK_FILE = Path(__file__).parents[1] / "datasette.yml"
DATABASE = "corpus"
# The view with a column for each concept; its file names those before them.
BY_CONCEPT = "panel_wide"

# Each changed setting, Datasette's default, and why.
SETTINGS: dict[str, bool | int] = {
    "allow_download": False,  # True: a WAL database copied while it is written is not whole
    "suggest_facets": False,  # True: counts every column of every table on every page
    "sql_time_limit_ms": 5000,  # 1000: a full text scan of a large corpus takes longer
    "facet_time_limit_ms": 1500,  # 200: facets of a hundred thousand reports take longer
    "default_page_size": 100,
    "max_returned_rows": 2000,  # 1000
    "max_csv_mb": 0,  # 100: a table is exported whole or not at all
    "default_cache_ttl": 0,  # 5: a crawl may be writing
}


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds. `unit` is "" for everything that is not a quantity."""

    name: str
    zh: str
    en: str
    unit: str = ""

    @property
    def description(self) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.zh} · {self.en}{unit}"


@dataclass(frozen=True, slots=True)
class Table:
    """A public table or view. `search` is (bigram index, column that holds its rowid), `size` the rows of a page."""

    name: str
    group: str
    title_zh: str
    title: str
    description_zh: str
    description: str
    columns: tuple[Column, ...]
    sort: str | None = None
    sort_desc: str | None = None
    label_column: str | None = None
    facets: tuple[str, ...] = ()
    search: tuple[str, str] | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its SQL."""

    name: str
    title_zh: str
    title: str
    description_zh: str
    description: str
    sql: str


@dataclass(frozen=True, slots=True)
class Codebook:
    """`groups` maps a group of tables to its titles, `hidden` a table to the reason why it is not shown. `terms` maps
    the values of a column to what people call them: Chinese, English and, where it is drawn, a sign.
    """

    title_zh: str
    title: str
    description: str
    groups: dict[str, tuple[str, str]]
    terms: dict[str, dict[str, tuple[str, ...]]]
    tables: tuple[Table, ...]
    hidden: dict[str, str]
    queries: tuple[Query, ...]

    def of_group(self, group: str) -> Iterator[Table]:
        return (table for table in self.tables if table.group == group)

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)


@cache
def codebook() -> Codebook:
    tree = yaml.safe_load(CODEBOOK_FILE.read_text("utf-8"))
    return Codebook(
        title_zh=tree["title_zh"],
        title=tree["title"],
        description=tree["description"],
        groups={name: (titles["zh"], titles["en"]) for name, titles in tree["groups"].items()},
        terms={kind: {value: tuple(words) for value, words in terms.items()} for kind, terms in tree["terms"].items()},
        tables=tuple(_table(name, entry) for name, entry in tree["tables"].items()),
        hidden=tree["hidden"],
        queries=tuple(Query(name=name, **entry) for name, entry in tree["queries"].items()),
    )


def codebook_of(connection: sqlite3.Connection) -> Codebook:
    """The codebook with the columns that `panel_wide` has in this database: one for each of its concepts."""
    book = codebook()
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'concepts'").fetchone():
        return book
    rows = connection.execute("SELECT concept, label_zh, label_en, unit FROM concepts ORDER BY position").fetchall()
    concepts = tuple(Column(*row) for row in rows)
    return replace(
        book,
        tables=tuple(
            replace(table, columns=table.columns + concepts) if table.name == BY_CONCEPT else table
            for table in book.tables
        ),
    )


def _table(name: str, entry: dict[str, Any]) -> Table:
    known = dict(entry)
    columns = tuple(Column(name=column, **texts) for column, texts in known.pop("columns").items())
    search = known.pop("search", None)
    return Table(
        name=name,
        columns=columns,
        facets=tuple(known.pop("facets", ())),
        search=(search["table"], search["key"]) if search else None,
        **known,
    )


def metadata(book: Codebook) -> dict[str, Any]:
    """Titles and descriptions, in the shape that Datasette 1.0 calls metadata."""
    tables = {
        table.name: {
            "title": f"{table.title_zh} · {table.title}",
            "description": _plain(f"{table.description_zh} {table.description}"),
            "columns": {column.name: _plain(column.description) for column in table.columns},
        }
        for table in book.tables
    }
    top = {"title": f"{book.title_zh} · {book.title}", "description": book.description}
    return {**top, "databases": {DATABASE: {**top, "tables": tables}}}


def _plain(text: str) -> str:
    """Without the backticks of Markdown, which Datasette would show."""
    return text.replace("`", "")


def configuration(book: Codebook) -> dict[str, Any]:
    """Sort orders, facets, search, hidden tables and queries, in the shape that Datasette 1.0 calls config."""
    tables: dict[str, dict[str, Any]] = {table.name: _table_configuration(table) for table in book.tables}
    tables |= {name: {"hidden": True} for name in book.hidden}
    queries = {
        query.name: {
            "title": f"{query.title_zh} · {query.title}",
            "description": f"{query.description_zh} {query.description}",
            "sql": query.sql,
            "hide_sql": True,
        }
        for query in book.queries
    }
    return {"databases": {DATABASE: {"tables": tables, "queries": queries}}}


def _table_configuration(table: Table) -> dict[str, Any]:
    found: dict[str, Any] = {
        "sort": table.sort,
        "sort_desc": table.sort_desc,
        "label_column": table.label_column,
        "facets": list(table.facets) or None,
        "size": table.size,
    }
    if table.search:
        found["fts_table"], found["fts_pk"] = table.search
    return {key: value for key, value in found.items() if value is not None}


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Both trees in one: the only shape that Datasette 0.65 knows. Where both have a value, the second counts."""
    result = dict(first)
    for key, value in second.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result


def markdown(book: Codebook) -> str:
    """docs/data.md."""
    return "\n".join(_lines(book)) + "\n"


def _lines(book: Codebook) -> Iterator[str]:
    yield f"# {book.title}"
    yield ""
    yield "<!-- Made from archive/datasette.yml by: python -m archive.browse.codebook > docs/data.md -->"
    yield ""
    yield f"{book.title_zh}. {book.description}"
    yield ""
    yield "Times are UTC, ISO 8601 with `Z`; dates are calendar days as printed."
    for group, (zh, en) in book.groups.items():
        yield ""
        yield f"## {en} {zh}"
        for table in book.of_group(group):
            yield from _table_lines(table)
    yield ""
    yield "## Not shown"
    yield ""
    yield "| table | what it is |"
    yield "|---|---|"
    yield from (f"| `{name}` | {reason} |" for name, reason in book.hidden.items())
    yield ""
    yield "## Questions 常用查询"
    for query in book.queries:
        yield ""
        yield f"### {query.title} {query.title_zh} (`{query.name}`)"
        yield ""
        yield f"{query.description} {query.description_zh}"
        yield ""
        yield "```sql"
        yield query.sql
        yield "```"


def _table_lines(table: Table) -> Iterator[str]:
    yield ""
    yield f"### `{table.name}` {table.title_zh}"
    yield ""
    yield f"{table.title}. {table.description} {table.description_zh}"
    if table.search:
        yield ""
        yield f"Full-text search: `{table.search[0]}`, its rowid is `{table.search[1]}`."
    yield ""
    yield "| column | 名称 | holds | unit |"
    yield "|---|---|---|---|"
    yield from (f"| `{column.name}` | {column.zh} | {column.en} | {column.unit} |" for column in table.columns)


if __name__ == "__main__":
    sys.stdout.write(markdown(codebook()))
