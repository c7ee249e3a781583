"""The stored questions count an agency's year once, take corrected numbers, and take nothing for 0."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from panel_corpus import page, pages, publish, series, url_of, with_values

from archive.browse.codebook import codebook
from archive.paths import database_path
from archive.store import Store
from crawler.corrections import add_correction
from crawler.extract import extract

AGENCY = "青禾区柳溪街道办事处"
OTHER = "青禾区财政局"
OWN = ("本报告所列数据仅为本机关情况。",)
GATHERED = ("本报告所列数据汇总了各街道和所属部门的情况。",)
NEW = "applications.new.total"
COUNTED_ONCE = (
    "refusals_by_division",
    "reasons_for_refusal",
    "overturned_on_review",
    "no_applications_at_all",
    "applications_per_year",
    "most_applications",
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bodies of 2023, each with one report."""
    data_dir = tmp_path_factory.mktemp("plain")
    specs = [series(AGENCY, (2023,))[2023], series(OTHER, (2023,))[2023]]
    publish(data_dir, pages(specs))
    extract(data_dir)
    return data_dir


@pytest.fixture(scope="module")
def doubled(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, and one of them reports its own figures once more, and those of its subordinates."""
    data_dir = Path(shutil.copytree(plain, tmp_path_factory.mktemp("doubled") / "data"))
    spec = series(AGENCY, (2023,))[2023]
    more = [
        (url_of(AGENCY, 2023, copy=1), page(replace(spec, overview=OWN))),
        (url_of(AGENCY, 2023, copy=2), page(replace(spec, overview=GATHERED))),
    ]
    publish(data_dir, more, run=2)
    extract(data_dir)
    return data_dir


@pytest.fixture
def data_dir(plain: Path, tmp_path: Path) -> Iterator[Path]:
    return Path(shutil.copytree(plain, tmp_path / "data"))


def answer(data_dir: Path, name: str, **values: object) -> list[dict[str, object]]:
    (query,) = (one for one in codebook().queries if one.name == name)
    with closing(sqlite3.connect(database_path(data_dir))) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query.sql, values)]


def without_report(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Which of the two reports of the same numbers counts does not matter, nor what it says of its scope."""
    return [{key: value for key, value in row.items() if key not in ("report_id", "scope")} for row in rows]


def report_of(data_dir: Path, agency: str) -> int:
    with Store.open(data_dir) as store:
        row = store.connection.execute("SELECT min(report_id) FROM reports WHERE agency = ?", (agency,)).fetchone()
    return int(row[0])


def correct(data_dir: Path, cell: str, value: str) -> None:
    asked = {"report": str(report_of(data_dir, AGENCY)), "cell": cell, "value": value}
    add_correction(data_dir, **asked, author="陈默", evidence="第三页", reason="印错")


def test_the_doubled_corpus_has_every_scope(doubled: Path) -> None:
    with Store.open(doubled) as store:
        scopes = store.connection.execute("SELECT scope FROM reports WHERE agency = ? ORDER BY 1", (AGENCY,)).fetchall()
        counted = store.connection.execute("SELECT agency, scope FROM counted_reports ORDER BY 1").fetchall()
    assert scopes == [("aggregate",), ("own",), ("unknown",)]
    assert sorted(counted) == sorted([(AGENCY, "own"), (OTHER, "unknown")])


@pytest.mark.parametrize("name", COUNTED_ONCE)
def test_an_agencys_year_counts_once_whatever_its_reports_cover(plain: Path, doubled: Path, name: str) -> None:
    values = {"year": 2023} if name == "most_applications" else {}
    once = answer(plain, name, **values)
    assert once
    assert without_report(answer(doubled, name, **values)) == without_report(once)


def test_corrected_numbers_are_counted(data_dir: Path) -> None:
    before = {row["agency"]: row["new_applications"] for row in answer(data_dir, "most_applications", year=2023)}
    (summed,) = answer(data_dir, "applications_per_year")
    correct(data_dir, NEW, "0")
    after = {row["agency"]: row["new_applications"] for row in answer(data_dir, "most_applications", year=2023)}
    assert after == {**before, AGENCY: 0}
    assert answer(data_dir, "applications_per_year")[0]["new_applications"] == after[OTHER]
    assert summed["new_applications"] == sum(int(str(value)) for value in before.values())
    (row,) = answer(data_dir, "no_applications_at_all")
    assert (row["zero"], row["more_than_zero"], row["no_number"]) == (1, 1, 0)
    (shown,) = (row for row in answer(data_dir, "cell_over_time", cell=NEW) if row["agency"] == AGENCY)
    assert (shown["value"], shown["raw"], shown["status"]) == (0, str(before[AGENCY]), "corrected")


def test_blank_totals_are_no_zero(data_dir: Path) -> None:
    blank = [with_values(series(agency, (2022,))[2022], applications__new__total=None) for agency in (AGENCY, OTHER)]
    publish(data_dir, pages(blank), run=2)
    extract(data_dir)
    (row,) = (row for row in answer(data_dir, "no_applications_at_all") if row["report_year"] == 2022)
    assert (row["zero"], row["more_than_zero"], row["no_number"], row["zero_per_cent"]) == (0, 0, 2, None)
    (row,) = (row for row in answer(data_dir, "applications_per_year") if row["report_year"] == 2022)
    assert (row["new_applications"], row["reports_with_number"], row["reports_without"]) == (None, 0, 2)


def test_a_number_that_was_corrected_is_no_number_to_look_at(data_dir: Path) -> None:
    spec = series(OTHER, (2022,))[2022]
    publish(data_dir, pages([with_values(spec, applications__new__total=999)]), run=2)
    extract(data_dir)
    doubtful = [(row["report_id"], row["cell"]) for row in answer(data_dir, "doubtful_numbers")]
    assert doubtful
    report, cell = doubtful[0]
    asked = {"report": str(report), "cell": str(cell), "value": "7"}
    add_correction(data_dir, **asked, author="陈默", evidence="第三页", reason="印错")
    assert [(row["report_id"], row["cell"]) for row in answer(data_dir, "doubtful_numbers")] == doubtful[1:]


def test_copies_of_a_report_do_not_fail_twice() -> None:
    (query,) = (one for one in codebook().queries if one.name == "rules_most_failed")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("""
            CREATE TABLE reports(report_id, copy_of);
            CREATE TABLE checks(report_id, rule, status);
            CREATE TABLE form_rules(rule, says);
            INSERT INTO reports VALUES (1, NULL), (2, 1), (3, NULL);
            INSERT INTO checks VALUES (1, 'sum', 'fail'), (2, 'sum', 'fail'), (3, 'sum', 'pass'), (2, 'only', 'fail');
        """)
        assert connection.execute(query.sql).fetchall() == [("sum", None, 1, 2, 50.0)]


def test_a_report_whose_year_is_unknown_uses_no_wrong_form(data_dir: Path) -> None:
    with Store.open(data_dir) as store, store.transaction() as connection:
        connection.execute("UPDATE report_versions SET report_year = NULL")
    assert answer(data_dir, "form_of_another_year") == []


def test_a_document_that_was_read_again_is_no_longer_unread(data_dir: Path) -> None:
    with Store.open(data_dir) as store, store.transaction() as connection:
        (capture_id,) = connection.execute("SELECT min(capture_id) FROM readings").fetchone()
        connection.execute(
            """INSERT INTO readings(reading_id, capture_id, parser_version, read_at, kind, media_type, error_code)
            VALUES (-1, ?, 'before', '2026-01-01T00:00:00Z', 'unknown', 'application/pdf', 'damaged')""",
            (capture_id,),
        )
    assert answer(data_dir, "unread_documents") == []
    with Store.open(data_dir) as store, store.transaction() as connection:
        connection.execute(
            """INSERT INTO readings(capture_id, parser_version, read_at, kind, media_type, error_code)
            VALUES (?, 'after', '2026-01-02T00:00:00Z', 'unknown', 'application/pdf', 'damaged')""",
            (capture_id,),
        )
    assert [row["capture_id"] for row in answer(data_dir, "unread_documents")] == [capture_id]
