"""Checks across documents over a corpus: their rows and cells, findings, parts of a whole, agencies left undecided."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from panel_corpus import page, pages, publish, series, url_of, with_values

from archive.store import Store
from crawler.document_checks import check_documents, needed_cells
from crawler.extract import extract
from crawler.replica.reports import ReportSpec
from parsers.form import forms

WHOLE = "青禾区人民政府"
PARTS = ("青禾区财政局", "青禾区柳溪街道办事处")
GATHERED = "本报告所列数据汇总了各街道和所属部门的情况。"
NEW = "applications.new.total"


def gathered(spec: ReportSpec, new: int) -> ReportSpec:
    """A report that says it is of all, with so many applications received; its other numbers stay large enough."""
    cells = {cell: 900 for cell in spec.values if cell.startswith(("applications.", "review."))}
    return replace(spec, values={**spec.values, **cells, NEW: new}, overview=(GATHERED,))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("document_checks")
    specs = [series(part, (2022, 2023))[year] for part in PARTS for year in (2022, 2023)]
    received = {year: sum(int(spec.values[NEW] or 0) for spec in specs if spec.year == year) for year in (2022, 2023)}
    whole = series(WHOLE, (2022, 2023))
    specs += [gathered(whole[2022], received[2022] - 1), gathered(whole[2023], received[2023] + 5)]
    publish(data_dir, pages(specs))
    extract(data_dir)
    return data_dir


@pytest.fixture
def data_dir(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "data"))


@pytest.fixture
def connection(template: Path) -> Iterator[sqlite3.Connection]:
    with Store.open(template) as store:
        yield store.connection


def test_parts_are_held_against_the_report_that_gathers_them(connection: sqlite3.Connection) -> None:
    scopes = dict(
        connection.execute("SELECT agency, group_concat(DISTINCT scope) FROM reports GROUP BY agency").fetchall()
    )
    assert scopes == {WHOLE: "aggregate", **dict.fromkeys(PARTS, "unknown")}
    rows = connection.execute(
        """SELECT d.check_id, d.report_year, d.status, d.lhs - d.rhs, d.note, r.agency FROM document_checks d
        JOIN reports r USING (report_id) WHERE d.rule = 'parts.app_new' ORDER BY d.report_year"""
    ).fetchall()
    # The whole's own columns do not add up to what was put there: its number is doubted, and accuses nobody.
    assert [row[1:4] for row in rows] == [(2022, "uncertain", -1), (2023, "pass", 5)]
    assert rows[0][4].endswith("2 of 2 parts in the corpus have the number")
    assert {row[5] for row in rows} == {WHOLE}
    cells = connection.execute(
        """SELECT c.side, r.agency, c.cell FROM document_check_cells c JOIN reports r USING (report_id)
        WHERE c.check_id = ? ORDER BY c.side, r.agency""",
        (rows[0][0],),
    ).fetchall()
    assert cells == [("left", WHOLE, NEW), *sorted(("right", part, NEW) for part in PARTS)]


def test_every_check_names_an_agency_and_cells_that_are_there(connection: sqlite3.Connection) -> None:
    unknown = connection.execute(
        """SELECT d.rule, c.cell FROM document_check_cells c JOIN document_checks d USING (check_id)
        WHERE NOT EXISTS (SELECT 1 FROM facts f WHERE f.report_id = c.report_id AND f.cell = c.cell)"""
    ).fetchall()
    assert unknown == []
    assert connection.execute("SELECT count(*) FROM document_checks WHERE agency_id IS NULL").fetchone() == (0,)
    assert connection.execute(
        "SELECT count(*) FROM document_checks WHERE status IN ('pass', 'fail') AND (lhs IS NULL OR rhs IS NULL)"
    ).fetchone() == (0,)


def test_needed_cells_are_cells_of_the_forms() -> None:
    assert needed_cells() <= {cell for form in forms().values() for cell in form.cells}


def broken(data_dir: Path, run: int) -> None:
    """Another version of a part's report of 2023, with a text that contradicts its table."""
    spec = series(PARTS[0], (2022, 2023))[2023]
    was = spec.values[NEW]
    lines = tuple(line.replace(f"申请{was}件", f"申请{int(was or 0) + 70}件") for line in spec.overview)
    publish(data_dir, [(url_of(PARTS[0], 2023), page(replace(spec, overview=lines)))], run=run)
    extract(data_dir)


def failures(data_dir: Path) -> list[tuple[str, str, str]]:
    with Store.open(data_dir) as store:
        return store.connection.execute(
            """SELECT f.level, f.url, f.message FROM findings f JOIN reports r USING (report_id)
            WHERE f.code = 'document_check_failed'"""
        ).fetchall()


def test_a_fail_is_a_finding_and_goes_when_the_document_is_right_again(data_dir: Path) -> None:
    assert failures(data_dir) == []
    broken(data_dir, run=2)
    ((level, url, message),) = failures(data_dir)
    assert (level, url) == ("warning", url_of(PARTS[0], 2023))
    assert message.startswith("told.received 2023: ")
    assert "本机关共收到政府信息公开申请" in message
    right = series(PARTS[0], (2022, 2023))[2023]
    publish(data_dir, [(url_of(PARTS[0], 2023), page(replace(right, other=("另行说明。",))))], run=3)
    extract(data_dir)
    assert failures(data_dir) == []


def test_a_blank_never_fails(data_dir: Path) -> None:
    blank = with_values(
        series(PARTS[0], (2022, 2023))[2023],
        applications__carried_in__total=None,
        applications__new__total=None,
        disclosure__regulations__in_force=None,
    )
    publish(data_dir, [(url_of(PARTS[0], 2023), page(blank))], run=2)
    extract(data_dir)
    with Store.open(data_dir) as store:
        rows = dict(
            store.connection.execute(
                """SELECT d.rule, d.status FROM document_checks d JOIN reports r USING (report_id)
                WHERE r.agency = ? AND d.report_year = 2023 AND d.status <> 'pass'""",
                (PARTS[0],),
            ).fetchall()
        )
    assert rows == {
        "carry_over.total": "not_applicable",
        "told.received": "not_applicable",
        "in_force.regulations": "not_applicable",
    }


def test_a_report_that_does_not_say_whom_it_covers_is_no_part_of_its_own_agencys_whole(data_dir: Path) -> None:
    again = gathered(series(WHOLE, (2022, 2023))[2023], 700)
    again = replace(again, overview=("情况如下。",))
    publish(data_dir, [(url_of(WHOLE, 2023).replace(".html", "_again.html"), page(again))], run=2)
    extract(data_dir)
    with Store.open(data_dir) as store:
        scopes = store.connection.execute(
            "SELECT scope FROM panel_choices WHERE agency = ? AND report_year = 2023 ORDER BY scope", (WHOLE,)
        ).fetchall()
        found = store.connection.execute(
            "SELECT status, lhs - rhs FROM document_checks WHERE rule = 'parts.app_new' AND report_year = 2023"
        ).fetchall()
    assert scopes == [("aggregate",), ("unknown",)]
    assert found == [("pass", 5)]


def test_reports_of_nobody_are_checked_by_themselves_only(data_dir: Path) -> None:
    with Store.open(data_dir) as store:
        store.connection.execute("UPDATE report_agencies SET agency_id = NULL")
        check_documents(store)
        rules = store.connection.execute(
            "SELECT DISTINCT substr(rule, 1, 5), agency_id FROM document_checks"
        ).fetchall()
        assert rules == [("told.", None)]
        assert store.connection.execute("SELECT count(*) FROM panel_wide").fetchone() == (0,)
        assert store.connection.execute("SELECT count(*) FROM panel_numbers").fetchone() == (0,)
