"""The codebook describes all that is public, nothing else, and what is made from it is up to date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browse_corpus import make

from archive.browse.codebook import codebook, configuration, markdown, merged, metadata
from archive.browse.plugin import cjk_snippet, match_expression
from archive.store import Store

ROOT = Path(__file__).parents[2]
BOOK = codebook()
# Tables in which FTS5 keeps an index.
SHADOW = re.compile(r"(sections_fts|pages_fts)_(config|data|docsize|idx)")

# What the small corpus has no rows for; the demonstration's has.
EMPTY_HERE = {
    "listed_but_not_captured",
    "changed_content",
    "refusals_by_division",
    "reasons_for_refusal",
    "overturned_on_review",
    "published_late",
    "form_of_another_year",
    "same_file_elsewhere",
    "gone_but_kept",
    "sites_in_trouble",
    "missing_years",
    "agencies_to_decide",
    "reports_without_agency",
    "agencies_of_many_names",
}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    with Store.open(tmp_path_factory.mktemp("schema")) as store:
        names = store.connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
        return {
            name: [row[1] for row in store.connection.execute(f"PRAGMA table_info([{name}])")]
            for (name,) in names
            if not SHADOW.fullmatch(name) and not name.startswith("sqlite_")
        }


def test_every_table_is_described_or_hidden_with_a_reason(schema: dict[str, list[str]]) -> None:
    described = {table.name for table in BOOK.tables}
    assert described | set(BOOK.hidden) == set(schema)
    assert described & set(BOOK.hidden) == set()
    assert all(BOOK.hidden.values())


@pytest.mark.parametrize("table", BOOK.tables, ids=lambda table: table.name)
def test_every_column_is_described_in_order_and_no_other(table, schema: dict[str, list[str]]) -> None:
    assert [column.name for column in table.columns] == schema[table.name]


@pytest.mark.parametrize("table", BOOK.tables, ids=lambda table: table.name)
def test_descriptions_are_in_both_languages(table) -> None:
    assert table.group in BOOK.groups
    texts = [(table.title_zh, table.title), (table.description_zh, table.description)]
    texts += [(column.zh, column.en) for column in table.columns]
    assert all(re.search(r"[\u4e00-\u9fff]", zh) and re.search(r"[A-Za-z]", en) for zh, en in texts)


@pytest.mark.parametrize("table", BOOK.tables, ids=lambda table: table.name)
def test_what_tables_sort_by_and_count_is_there(table) -> None:
    columns = {column.name for column in table.columns}
    used = {table.sort, table.sort_desc, table.label_column, *table.facets} - {None}
    if table.search:
        assert table.search[0] in BOOK.hidden
        used.add(table.search[1])
    assert used <= columns


@pytest.mark.parametrize("query", BOOK.queries, ids=lambda query: query.name)
def test_queries_are_described_in_both_languages(query) -> None:
    assert re.search(r"[\u4e00-\u9fff]", query.title_zh)
    assert re.search(r"[\u4e00-\u9fff]", query.description_zh)
    assert re.search(r"[A-Za-z]{3}", query.title)
    assert re.search(r"[A-Za-z]{3}", query.description)


def test_no_query_takes_the_address_of_a_table() -> None:
    assert not {query.name for query in BOOK.queries} & {table.name for table in BOOK.tables}


def test_quantities_have_units() -> None:
    sizes = {"bytes", "payload_bytes", "warc_offset", "warc_length"}
    found = [(column.name, column.unit) for table in BOOK.tables for column in table.columns if column.name in sizes]
    assert len(found) >= 6
    assert {unit for _, unit in found} == {"bytes"}


def test_the_data_page_is_up_to_date() -> None:
    found = (ROOT / "docs" / "data.md").read_text("utf-8")
    assert found == markdown(BOOK), "run: python -m archive.browse.codebook > docs/data.md"


@pytest.mark.parametrize("query", BOOK.queries, ids=lambda query: query.name)
def test_every_query_runs(query, tmp_path_factory: pytest.TempPathFactory) -> None:
    data_dir = tmp_path_factory.mktemp("queries")
    make(data_dir)
    with Store.open(data_dir) as store:
        store.connection.create_function("escape_fts", 1, match_expression)
        store.connection.create_function("cjk_snippet", 2, cjk_snippet)
        values = {"q": "解读", "cell": "applications.new.total", "day": "2999-03-01", "year": 2023}
        found = store.connection.execute(query.sql, values).fetchall()
    assert bool(found) != (query.name in EMPTY_HERE)


def test_both_shapes_of_configuration_hold_the_same() -> None:
    both = merged(metadata(BOOK), configuration(BOOK))
    facts = both["databases"]["corpus"]["tables"]["reports"]
    assert facts["title"] == "年度报告 · Annual reports"
    assert facts["facets"] == ["report_year", "form", "division_code"]
    assert facts["columns"]["report_year"].endswith("(year)")
    assert both["databases"]["corpus"]["tables"]["exchanges"] == {"hidden": True}
    assert "titles" not in both["databases"]["corpus"]
