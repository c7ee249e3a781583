"""The panel: one report for an agency's year, concepts across editions, sums only when whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from panel_corpus import page, pages, publish, series, url_of, with_values

from archive.browse.agencies import CONCEPT_YEARS
from archive.browse.codebook import codebook, codebook_of
from archive.browse.overview import OUTCOMES_SUMMED
from archive.browse.serve import book_of
from archive.paths import database_path
from archive.store import Store
from crawler.codebook import publish_codebook
from crawler.document_checks import check_documents
from crawler.extract import extract
from parsers.concepts import concepts

AGENCY = "青禾区柳溪街道办事处"
OTHER = "青禾区财政局"
YEARS = range(2018, 2024)
REFUSED = [f"applications.refused_{why}.total" for why in (
    "state_secret", "by_law", "security_stability", "third_party", "internal_affairs", "process", "enforcement_file",
    "query")]  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("panel")
    specs = series(AGENCY, YEARS)
    specs[2022] = with_values(specs[2022], applications__refused_query__total=None)
    specs[2021] = with_values(specs[2021], **{cell.replace(".", "__"): None for cell in REFUSED})
    publish(data_dir, pages([*specs.values(), *series(OTHER, (2023,)).values()]))
    extract(data_dir)
    return data_dir


@pytest.fixture
def data_dir(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "data"))


@pytest.fixture
def connection(template: Path) -> Iterator[sqlite3.Connection]:
    with Store.open(template) as store:
        yield store.connection


def values(connection: sqlite3.Connection, concept: str) -> dict[int, tuple[object, ...]]:
    rows = connection.execute(
        """SELECT report_year, value, status, comparability, form FROM panel WHERE agency = ? AND concept = ?
        ORDER BY report_year""",
        (AGENCY, concept),
    )
    return {row[0]: row[1:] for row in rows}


def fact(connection: sqlite3.Connection, year: int, cell: str) -> object:
    return connection.execute(
        "SELECT value FROM facts JOIN reports USING (report_id) WHERE report_year = ? AND agency = ? AND cell = ?",
        (year, AGENCY, cell),
    ).fetchone()[0]


def test_a_concept_runs_through_the_editions(connection: sqlite3.Connection) -> None:
    assert values(connection, "app_new") == {
        2018: (fact(connection, 2018, "applications.received"), "reported", "exact", "2014"),
        2019: (fact(connection, 2019, "applications.new.total"), "reported", "exact", "2019"),
        2020: (fact(connection, 2020, "applications.new.total"), "reported", "exact", "2019"),
        2021: (fact(connection, 2021, "applications.new.total"), "reported", "exact", "2021"),
        2022: (fact(connection, 2022, "applications.new.total"), "reported", "exact", "2021"),
        2023: (fact(connection, 2023, "applications.new.total"), "reported", "exact", "2021"),
    }


def test_a_break_is_marked_in_the_long_panel_and_left_out_of_the_wide_one(connection: sqlite3.Connection) -> None:
    found = values(connection, "reg_in_force")
    assert {year: row[2:] for year, row in found.items()} == {
        2019: ("break", "2019"),
        2020: ("break", "2019"),
        2021: ("exact", "2021"),
        2022: ("exact", "2021"),
        2023: ("exact", "2021"),
    }
    wide = dict(
        connection.execute("SELECT report_year, reg_in_force FROM panel_wide WHERE agency = ?", (AGENCY,)).fetchall()
    )
    assert wide == {2018: None, 2019: None, 2020: None, **{year: found[year][0] for year in (2021, 2022, 2023)}}


def test_a_sum_has_a_value_only_when_every_part_has_one(connection: sqlite3.Connection) -> None:
    found = values(connection, "app_refused")
    whole = sum(int(str(fact(connection, 2023, cell))) for cell in REFUSED)
    assert found[2023][:2] == (whole, "reported")
    assert found[2022][:2] == (None, "incomplete")
    assert found[2021][:2] == (None, "blank")
    wide = dict(
        connection.execute("SELECT report_year, app_refused FROM panel_wide WHERE agency = ?", (AGENCY,)).fetchall()
    )
    assert (wide[2021], wide[2022], wide[2023]) == (None, None, whole)


def test_both_panels_say_the_same(connection: sqlite3.Connection) -> None:
    cursor = connection.execute("SELECT * FROM panel_wide")
    names = [column[0] for column in cursor.description]
    wide = {row[names.index("report_id")]: dict(zip(names, row, strict=True)) for row in cursor}
    long = connection.execute(
        "SELECT report_id, concept, iif(comparability = 'break', NULL, value) FROM panel"
    ).fetchall()
    assert len(long) > 1000
    assert [row for row in long if wide[row[0]][row[1]] != row[2]] == []
    assert names[-len(concepts().concepts) :] == [one.concept for one in concepts().concepts]
    # What an edition does not print has no row in the one and nothing in the other.
    printed = {row[:2] for row in long}
    assert all(
        wide[report_id][one.concept] is None
        for report_id in wide
        for one in concepts().concepts
        if (report_id, one.concept) not in printed
    )


def test_every_agency_year_and_scope_is_there_once(connection: sqlite3.Connection) -> None:
    keys = connection.execute("SELECT agency, report_year, scope FROM panel_wide").fetchall()
    assert len(keys) == len(set(keys)) == len(YEARS) + 1
    doubled = connection.execute(
        "SELECT 1 FROM panel GROUP BY agency_id, report_year, scope, concept HAVING count(*) > 1"
    ).fetchall()
    assert doubled == []


def test_concepts_and_their_cells_are_published_with_reasons(connection: sqlite3.Connection) -> None:
    (count,) = connection.execute("SELECT count(*) FROM concepts").fetchone()
    assert count == len(concepts().concepts)
    row = connection.execute(
        """SELECT cell, comparability, reason_zh, reason_en FROM concept_cells
        WHERE concept = 'app_granted' AND form = '2014'"""
    ).fetchone()
    assert row[:2] == ("applications.granted", "narrower")
    assert "已主动公开" in row[2]
    assert "public already" in row[3]
    without = connection.execute(
        """SELECT c.form, c.cell FROM form_cells c LEFT JOIN concept_cells m ON m.form = c.form AND m.cell = c.cell
        WHERE m.cell IS NULL"""
    ).fetchall()
    assert without == []


def chosen(data_dir: Path) -> dict[int, tuple[object, ...]]:
    with Store.open(data_dir) as store:
        rows = store.connection.execute(
            """SELECT report_year, document_url, chosen_by, other_reports FROM panel_reports
            WHERE is_chosen AND agency = ?""",
            (AGENCY,),
        ).fetchall()
        in_panel = dict(
            store.connection.execute(
                "SELECT report_year, report_id FROM panel_wide WHERE agency = ?", (AGENCY,)
            ).fetchall()
        )
        numbers = dict(
            store.connection.execute(
                "SELECT report_year, report_id FROM panel_reports WHERE is_chosen AND agency = ?", (AGENCY,)
            ).fetchall()
        )
        assert in_panel == numbers
    return {row[0]: row[1:] for row in rows}


def test_of_two_reports_the_one_published_last_stands_for_the_year(data_dir: Path) -> None:
    spec = series(AGENCY, YEARS, seed=5)[2023]
    later = replace(spec, signed_on=date(2024, 11, 3))
    earlier = replace(spec, signed_on=date(2024, 1, 2))
    assert chosen(data_dir)[2023] == (url_of(AGENCY, 2023), "only_one", 0)
    publish(data_dir, [(url_of(AGENCY, 2023, copy=1), dated(page(later), "2024-11-03"))], run=2)
    extract(data_dir)
    assert chosen(data_dir)[2023] == (url_of(AGENCY, 2023, copy=1), "latest_published", 1)
    publish(data_dir, [(url_of(AGENCY, 2023, copy=2), dated(page(earlier), "2024-01-02"))], run=3)
    extract(data_dir)
    assert chosen(data_dir)[2023] == (url_of(AGENCY, 2023, copy=1), "latest_published", 2)


def without_last_table(html: bytes) -> bytes:
    start, end = html.rindex(b"<table"), html.rindex(b"</table>") + len(b"</table>")
    return html[:start] + html[end:]


def test_a_later_report_without_one_of_the_tables_stands_behind_the_whole_one(data_dir: Path) -> None:
    spec = series(AGENCY, YEARS, seed=5)[2023]
    later = without_last_table(dated(page(spec), "2024-11-03"))
    publish(data_dir, [(url_of(AGENCY, 2023, copy=1), later)], run=2)
    extract(data_dir)
    assert chosen(data_dir)[2023] == (url_of(AGENCY, 2023), "more_complete", 1)
    with Store.open(data_dir) as store:
        found = store.connection.execute(
            """SELECT is_chosen, share_read, chosen_by FROM panel_reports WHERE agency = ? AND report_year = 2023
            ORDER BY is_chosen""",
            (AGENCY,),
        ).fetchall()
        marked = store.connection.execute(
            "SELECT DISTINCT chosen_by, other_reports FROM panel WHERE agency = ? AND report_year = 2023", (AGENCY,)
        ).fetchall()
        alone = store.connection.execute("SELECT share_read FROM panel_reports WHERE report_year = 2022").fetchone()
    assert [row[0] for row in found] == [0, 1]
    assert found[0][1] == 0.925
    assert found[1][1:] == (1, "more_complete")
    assert marked == [("more_complete", 1)]
    assert alone == (None,)


def test_a_later_report_that_leaves_cells_blank_says_so_and_stands_for_the_year(data_dir: Path) -> None:
    spec = series(AGENCY, YEARS, seed=5)[2023]
    blank = {cell.replace(".", "__"): None for cell in spec.values if cell.startswith("applications.refused")}
    later = dated(page(with_values(spec, **blank)), "2024-11-03")
    assert len(blank) > 20
    publish(data_dir, [(url_of(AGENCY, 2023, copy=1), later)], run=2)
    extract(data_dir)
    assert chosen(data_dir)[2023][0] == url_of(AGENCY, 2023, copy=1)


def test_of_two_reports_that_lack_the_same_table_the_later_stands_for_the_year(data_dir: Path) -> None:
    html = without_last_table(page(series(AGENCY, (2024,), seed=5)[2024]))
    both = [(url_of(AGENCY, 2024, copy=n), dated(html, f"2025-0{n}-03")) for n in (1, 2)]
    publish(data_dir, both, run=2)
    extract(data_dir)
    assert chosen(data_dir)[2024] == (url_of(AGENCY, 2024, copy=2), "latest_published", 1)


def test_the_wide_panel_names_the_concepts_whose_number_is_in_doubt(data_dir: Path) -> None:
    spec = series(AGENCY, (2024,))[2024]
    whole = int(spec.values["applications.handled_total.total"] or 0)
    doubted = with_values(spec, applications__handled_total__total=whole + 7)
    publish(data_dir, pages([doubted]), run=2)
    extract(data_dir)
    with Store.open(data_dir) as store:
        marks = store.connection.execute("SELECT report_id, doubtful, corrected FROM panel_wide").fetchall()
        long = store.connection.execute(
            """SELECT report_id, concept FROM panel
            WHERE comparability <> 'break' AND value IS NOT NULL AND (confidence < 1 OR status = 'inferred')"""
        ).fetchall()
        (report_id,) = store.connection.execute("SELECT report_id FROM reports WHERE report_year = 2024").fetchone()
    assert sorted((row[0], concept) for row in marks for concept in row[1].split()) == sorted(long)
    assert "app_handled" in {row[0]: row[1].split() for row in marks}[report_id]
    assert {row[2] for row in marks} == {""}
    assert sum(row[1] == "" for row in marks) > 0


def test_rows_without_marks_get_them_when_the_panel_is_next_brought_up_to_date(data_dir: Path) -> None:
    with Store.open(data_dir) as store:
        before = store.connection.execute("SELECT * FROM panel_numbers ORDER BY report_id").fetchall()
        with store.transaction() as connection:
            connection.execute("UPDATE panel_numbers SET doubtful = NULL, corrected = NULL")
        check_documents(store)
        assert store.connection.execute("SELECT * FROM panel_numbers ORDER BY report_id").fetchall() == before


def dated(html: bytes, day: str) -> bytes:
    return html.replace(b"</head>", f'<meta name="PubDate" content="{day}"></head>'.encode(), 1)


def test_a_second_extraction_changes_nothing(data_dir: Path) -> None:
    def state(store: Store) -> str:
        names = (
            "panel_choices",
            "panel_numbers",
            "document_checks",
            "document_check_cells",
            "findings",
            "concept_cells",
        )
        return json.dumps([store.connection.execute(f"SELECT * FROM {name}").fetchall() for name in names])

    with Store.open(data_dir) as store:
        before, changes = state(store), store.connection.total_changes
        publish_codebook(store)
        check_documents(store)
        check_documents(store)
        assert state(store) == before
        codebook_rows = 900
        assert store.connection.total_changes - changes < 2 * codebook_rows


def test_new_concepts_make_new_columns(data_dir: Path) -> None:
    from archive.panel import ConceptCellsRow, ConceptRow, write_choices, write_concepts

    one = ConceptRow(
        "app_open",
        "收与结转",
        "Received and carried in",
        "件",
        "两者之和",
        "The sum of both",
        (
            ConceptCellsRow(
                "2021",
                ((("applications.new.total", "件"), ("applications.carried_in.total", "件")),),
                "exact",
                "和",
                "sum",
            ),
        ),
    )
    with Store.open(data_dir) as store:
        write_concepts(store, [one])
        write_choices(store)
        found = store.connection.execute(
            "SELECT app_open FROM panel_wide WHERE agency = ? ORDER BY report_year", (AGENCY,)
        ).fetchall()
        expected = [
            int(str(fact(store.connection, year, "applications.new.total")))
            + int(str(fact(store.connection, year, "applications.carried_in.total")))
            for year in (2021, 2022, 2023)
        ]
        assert [row[0] for row in found] == [None, None, None, *expected]
        publish_codebook(store)
        write_choices(store)
        assert store.connection.execute("SELECT count(app_new) FROM panel_wide").fetchone() == (len(YEARS) + 1,)


def test_the_codebook_describes_a_column_for_each_concept(connection: sqlite3.Connection) -> None:
    book = codebook_of(connection)
    described = {column.name: column for column in book.table("panel_wide").columns}
    names = [row[1] for row in connection.execute("PRAGMA table_info(panel_wide)")]
    assert list(described) == names
    assert described["app_new"].description == "新收申请 · Applications received in the year (件)"
    assert book.table("panel") == codebook().table("panel")


def test_the_browser_describes_the_concepts_of_the_database_that_it_serves(template: Path, tmp_path: Path) -> None:
    names = {column.name for column in book_of(database_path(template)).table("panel_wide").columns}
    assert {"app_new", "app_refused", "lit_total"} <= names
    assert book_of(tmp_path / "nothing.db") == codebook()


@pytest.mark.parametrize(
    ("concept", "units"),
    [("norm_disclosed", {"2014": "条", "2019": "件"}), ("lic_decisions", {"2019": "项", "2021": "件"})],
)
def test_a_value_has_the_unit_in_which_its_edition_prints_it(
    connection: sqlite3.Connection, concept: str, units: dict[str, str]
) -> None:
    found = connection.execute("SELECT DISTINCT form, unit FROM panel WHERE concept = ?", (concept,)).fetchall()
    assert dict(found) == units
    assert len(found) == len(units)


def test_an_agencys_year_that_is_published_twice_has_its_outcomes_once(data_dir: Path) -> None:
    again = replace(series(AGENCY, (2023,))[2023], other=("再次发布。",))
    publish(data_dir, [(url_of(AGENCY, 2023, copy=1), page(again))], run=2)
    extract(data_dir)
    with Store.open(data_dir) as store:
        reports = store.connection.execute(
            "SELECT count(*), count(copy_of) FROM reports WHERE agency = ? AND report_year = 2023", (AGENCY,)
        ).fetchone()
        found = store.connection.execute(
            "SELECT outcome, count(*) FROM outcomes WHERE agency = ? AND report_year = 2023 GROUP BY outcome", (AGENCY,)
        ).fetchall()
    assert reports == (2, 0)
    assert {times for _, times in found} == {1}


def test_a_year_of_own_figures_and_of_unknown_ones_counts_once_in_sums(data_dir: Path) -> None:
    own = replace(series(AGENCY, (2023,))[2023], overview=("本报告所列数据仅为本机关情况。",))
    publish(data_dir, [(url_of(AGENCY, 2023, copy=1), page(own))], run=2)
    extract(data_dir)
    with Store.open(data_dir) as store:
        scopes = store.connection.execute(
            "SELECT scope FROM panel_choices WHERE agency = ? AND report_year = 2023 ORDER BY scope", (AGENCY,)
        ).fetchall()
        years = store.connection.execute(CONCEPT_YEARS, {"concept": "app_new"}).fetchall()
        asked = {"division": "", "scope": ""}
        outcomes = store.connection.execute(OUTCOMES_SUMMED, asked).fetchall()
    assert scopes == [("own",), ("unknown",)]
    assert [row[3] for row in years if row[0] == 2023] == [2]
    assert {row[6] for row in outcomes if row[1] == 2023} == {2}
