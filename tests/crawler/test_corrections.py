"""Corrections by people: over the printed value, never in its place; taken back; for the bytes that were corrected."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from panel_corpus import page, pages, publish, series, url_of, with_values

from archive.audit import audit
from archive.exports.export import export
from archive.exports.tables import Selection
from archive.paths import database_path
from archive.store import Store
from crawler.corrections import add_correction, listed_corrections, withdraw_correction
from crawler.exceptions import CorrectionError
from crawler.extract import extract
from crawler.status import status

AGENCY = "青禾区柳溪街道办事处"
CELL = "applications.carried_in.total"
WHO = {"author": "陈默", "evidence": "第三页的合计", "reason": "总计印错"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three years; the second prints one application too many as carried in."""
    data_dir = tmp_path_factory.mktemp("corrections")
    specs = series(AGENCY, (2021, 2022, 2023))
    carried = int(specs[2022].values[CELL] or 0)
    specs[2022] = with_values(specs[2022], applications__carried_in__total=carried + 1)
    specs[2023] = with_values(specs[2023], applications__refused_query__total=None)
    publish(data_dir, pages(specs.values()))
    extract(data_dir)
    return data_dir


@pytest.fixture
def data_dir(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "data"))


def one(data_dir: Path, query: str, *values: object) -> tuple[object, ...]:
    with Store.open(data_dir) as store:
        row = store.connection.execute(query, values).fetchone()
        assert row is not None
        return tuple(row)


def report_of(data_dir: Path, year: int) -> int:
    return int(str(one(data_dir, "SELECT report_id FROM reports WHERE report_year = ?", year)[0]))


def printed(data_dir: Path) -> int:
    return int(
        str(
            one(data_dir, "SELECT value FROM facts WHERE report_id = ? AND cell = ?", report_of(data_dir, 2022), CELL)[
                0
            ]
        )
    )


def correct(data_dir: Path, value: str | None = None, **changes: str) -> str:
    asked = {
        "report": str(report_of(data_dir, 2022)),
        "cell": CELL,
        "value": value or str(printed(data_dir) - 1),
        **WHO,
    }
    return add_correction(data_dir, **{**asked, **changes}).correction_id


def in_panel(data_dir: Path) -> tuple[object, ...]:
    return one(
        data_dir,
        """SELECT p.value, p.value_as_printed, p.status, p.correction_id, w.app_carried_in FROM panel p
        JOIN panel_wide w USING (report_id) WHERE p.report_year = 2022 AND p.concept = 'app_carried_in'""",
    )


def carry_over(data_dir: Path) -> str:
    return str(
        one(data_dir, "SELECT status FROM document_checks WHERE rule = 'carry_over.total' AND report_year = 2022")[0]
    )


def rows(data_dir: Path, *names: str) -> dict[str, list[tuple[object, ...]]]:
    with Store.open(data_dir) as store:
        return {name: store.connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def test_a_correction_lies_over_the_printed_value_and_the_checks_follow(data_dir: Path) -> None:
    was = printed(data_dir)
    assert in_panel(data_dir) == (was, was, "reported", None, was)
    # Sums of its own table fail as well, so the number accuses nobody.
    assert carry_over(data_dir) == "uncertain"
    correction_id = correct(data_dir)
    assert in_panel(data_dir) == (was - 1, was, "corrected", correction_id, was - 1)
    assert printed(data_dir) == was
    assert carry_over(data_dir) == "pass"
    found = one(
        data_dir,
        """SELECT value, value_as_printed, status, status_as_printed, confidence FROM corrected_facts
        WHERE correction_id = ?""",
        correction_id,
    )
    assert found == (was - 1, was, "corrected", "reported", 1)
    (listed,) = listed_corrections(data_dir, withdrawn=False)
    assert (listed["author"], listed["reason"], listed["evidence"]) == ("陈默", "总计印错", "第三页的合计")


def marks(data_dir: Path, year: int) -> tuple[list[str], list[str]]:
    found = one(data_dir, "SELECT doubtful, corrected FROM panel_wide WHERE report_year = ?", year)
    return str(found[0]).split(), str(found[1]).split()


def test_the_wide_panel_names_what_is_in_doubt_until_a_person_corrects_it(data_dir: Path) -> None:
    assert "app_carried_in" in marks(data_dir, 2022)[0]
    assert marks(data_dir, 2022)[1] == []
    correction_id = correct(data_dir)
    assert "app_carried_in" not in marks(data_dir, 2022)[0]
    assert marks(data_dir, 2022)[1] == ["app_carried_in"]
    withdraw_correction(data_dir, correction_id, reason="看错了行", author="林小满")
    assert "app_carried_in" in marks(data_dir, 2022)[0]
    assert marks(data_dir, 2022)[1] == []
    assert marks(data_dir, 2021) == ([], [])


def test_a_sum_of_which_one_cell_was_corrected_is_marked_corrected(data_dir: Path) -> None:
    report = str(report_of(data_dir, 2023))
    correct(data_dir, value="0", report=report, cell="applications.refused_query.total")
    assert marks(data_dir, 2023)[1] == ["app_ref_query", "app_refused"]


def test_corrected_facts_are_exported_with_keys_that_hold(data_dir: Path, tmp_path: Path) -> None:
    frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed (dev extra)")
    was, correction_id = printed(data_dir), correct(data_dir)
    export(database_path(data_dir), tmp_path / "to", "datapackage", selection=Selection(years=(2021, 2022)))
    with (tmp_path / "to" / "corrected_facts.csv").open(encoding="utf-8", newline="") as handle:
        found = [row for row in csv.DictReader(handle) if row["correction_id"]]
    with (tmp_path / "to" / "facts.csv").open(encoding="utf-8", newline="") as handle:
        facts = len(list(csv.DictReader(handle)))
    assert facts > 300
    (row,) = found
    assert (row["cell"], row["value"], row["value_as_printed"]) == (CELL, str(was - 1), str(was))
    assert (row["status"], row["status_as_printed"], row["correction_id"]) == ("corrected", "reported", correction_id)
    tree = json.loads((tmp_path / "to" / "datapackage.json").read_text("utf-8"))
    (resource,) = [one for one in tree["resources"] if one["name"] == "corrected_facts"]
    assert resource["schema"]["primaryKey"] == ["report_id", "cell"]
    assert [key["reference"]["resource"] for key in resource["schema"]["foreignKeys"]] == ["reports", "corrections"]
    assert frictionless.Package(str(tmp_path / "to" / "datapackage.json")).validate().flatten(["title", "note"]) == []
    wide = next(one for one in tree["resources"] if one["name"] == "panel_wide")
    assert [field["name"] for field in wide["schema"]["fields"]][9:12] == ["doubtful", "corrected", "reg_issued"]
    for form in ("csv", "stata", "parquet"):
        files = {file.name: file.rows for file in export(database_path(data_dir), tmp_path / form, form)}
        (name,) = (name for name in files if name.startswith("corrected_facts."))
        assert files[name] == files[name.replace("corrected_facts", "facts")] > 500
    assert "## `corrected_facts`" in (tmp_path / "csv" / "codebook.md").read_text("utf-8")


def test_a_narrowed_export_has_every_correction(data_dir: Path, tmp_path: Path) -> None:
    frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed (dev extra)")
    correction_id = correct(data_dir)
    export(database_path(data_dir), tmp_path, "datapackage", selection=Selection(years=(2021,)))
    with (tmp_path / "corrections.csv").open(encoding="utf-8", newline="") as handle:
        assert [row["correction_id"] for row in csv.DictReader(handle)] == [correction_id]
    assert frictionless.Package(str(tmp_path / "datapackage.json")).validate().flatten(["title", "note"]) == []


def test_a_correction_is_withdrawn_and_both_stay_on_record(data_dir: Path) -> None:
    before = in_panel(data_dir)
    correction_id = correct(data_dir)
    withdraw_correction(data_dir, correction_id, reason="看错了行", author="林小满")
    assert in_panel(data_dir) == before
    assert carry_over(data_dir) == "uncertain"
    assert listed_corrections(data_dir, withdrawn=False) == []
    (listed,) = listed_corrections(data_dir, withdrawn=True)
    assert (listed["withdrawn_by"], listed["withdrawn_because"]) == ("林小满", "看错了行")
    with pytest.raises(CorrectionError, match="no correction d0"):
        withdraw_correction(data_dir, "d0", reason="x", author="y")


def test_a_blank_that_a_person_fills_makes_a_sum_whole(data_dir: Path) -> None:
    def refused() -> tuple[object, ...]:
        return one(
            data_dir,
            """SELECT p.status, p.value IS NULL, p.value_as_printed, w.app_refused IS NULL, p.correction_id FROM panel p
            JOIN panel_wide w USING (report_id) WHERE p.report_year = 2023 AND p.concept = 'app_refused'""",
        )

    assert refused() == ("incomplete", 1, None, 1, None)
    report = str(report_of(data_dir, 2023))
    correction_id = correct(data_dir, value="0", report=report, cell="applications.refused_query.total")
    assert refused() == ("corrected", 0, None, 0, correction_id)
    withdraw_correction(data_dir, correction_id, reason="不知道", author="陈默")
    assert refused() == ("incomplete", 1, None, 1, None)


def test_corrections_come_back_when_the_database_is_made_again(data_dir: Path) -> None:
    kept = correct(data_dir)
    taken_back = correct(data_dir, value="0", cell="applications.carried_out.total")
    withdraw_correction(data_dir, taken_back, reason="不是 0", author="林小满")
    names = ("decisions", "corrections", "corrected_facts", "panel", "panel_wide", "panel_reports", "document_checks",
             "document_check_cells")  # fmt: skip
    before = rows(data_dir, *names)
    database_path(data_dir).unlink()
    extract(data_dir, full=True)
    assert rows(data_dir, *names) == before
    assert in_panel(data_dir)[3] == kept
    assert list(audit(data_dir)) == []


def test_a_document_published_anew_does_not_inherit_the_correction(data_dir: Path) -> None:
    correction_id = correct(data_dir)
    again = series(AGENCY, (2021, 2022, 2023), seed=7)[2022]
    publish(data_dir, [(url_of(AGENCY, 2022), page(again))], run=2)
    extract(data_dir)
    assert one(data_dir, "SELECT count(*) FROM corrected_facts WHERE correction_id IS NOT NULL") == (0,)
    level, message, report_id = one(
        data_dir, "SELECT level, message, report_id FROM findings WHERE code = 'correction_not_applied'"
    )
    assert (level, report_id) == ("warning", report_of(data_dir, 2022))
    assert f"correction {correction_id} of {CELL}" in str(message)
    assert "published anew" in str(message)
    withdraw_correction(data_dir, correction_id, reason="新版已改", author="陈默")
    assert one(data_dir, "SELECT count(*) FROM findings WHERE code = 'correction_not_applied'") == (0,)


def test_the_same_bytes_at_another_address_have_the_correction(data_dir: Path) -> None:
    correct(data_dir)
    specs = series(AGENCY, (2021, 2022, 2023))
    carried = int(specs[2022].values[CELL] or 0)
    same = page(with_values(specs[2022], applications__carried_in__total=carried + 1))
    publish(data_dir, [(url_of(AGENCY, 2022, copy=1), same)], run=2)
    extract(data_dir)
    assert one(data_dir, "SELECT count(*) FROM corrected_facts WHERE correction_id IS NOT NULL") == (2,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": "eleven"}, "expected a number"),
        ({"value": "NaN"}, "expected a number"),
        ({"value": "1e15"}, "expected a number"),
        ({"report": "999"}, "no current report 999"),
        ({"report": "http://nowhere.example/"}, "no current report http"),
        ({"cell": "applications.carried_in.totl"}, "near: applications.carried_in.total"),
    ],
)
def test_what_cannot_be_corrected_says_why_and_writes_nothing(
    data_dir: Path, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(CorrectionError, match=message):
        correct(data_dir, **changes)
    assert one(data_dir, "SELECT count(*) FROM decisions") == (0,)
    assert one(data_dir, "SELECT count(*) FROM runs WHERE kind = 'decision'") == (0,)


def test_two_corrections_of_one_cell_are_refused(data_dir: Path) -> None:
    correct(data_dir)
    with pytest.raises(CorrectionError, match="withdraw that first"):
        correct(data_dir, value="77")
    new = "applications.new.total"
    same = one(data_dir, "SELECT value FROM facts WHERE report_id = ? AND cell = ?", report_of(data_dir, 2022), new)
    with pytest.raises(CorrectionError, match="printed as"):
        correct(data_dir, value=str(same[0]), cell=new)


def test_the_command_adds_lists_and_withdraws(data_dir: Path) -> None:
    def gongkai(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("gongkai")), "--data", str(data_dir), "corrections", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)

    added = gongkai(
        "add", url_of(AGENCY, 2022), "disclosure.regulations.issued", "-3", "--reason", "试", "--evidence", "无",
        "--author", "陈默", "--json",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    correction_id = json.loads(added.stdout)["correction_id"]
    listed = gongkai("list")
    assert correction_id in listed.stdout
    assert "→ -3" in listed.stdout
    assert gongkai("withdraw", correction_id, "--reason", "撤", "--author", "陈默").returncode == 0
    assert gongkai("list").stdout == ""
    assert "withdrawn by 陈默: 撤" in gongkai("list", "--all").stdout
    failed = gongkai("withdraw", correction_id, "--reason", "撤", "--author", "陈默")
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"gongkai: decision {correction_id} was withdrawn")


def test_status_goes_on_speaking_of_the_last_crawl(data_dir: Path) -> None:
    before = status(data_dir)["findings"]
    assert before
    correct(data_dir, value="0", report=str(report_of(data_dir, 2021)), cell="applications.new.other")
    assert {run["kind"] for run in status(data_dir)["runs"]} == {"crawl"}
    codes = {finding["code"] for finding in before}
    assert codes <= {finding["code"] for finding in status(data_dir)["findings"]}


def test_a_number_beyond_64_bits_that_was_once_taken_is_kept_as_well_as_can_be(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.corrections.LARGEST", 10**40)
    correct(data_dir, value="123456789012345678901234567890")
    assert str(in_panel(data_dir)[0]).startswith("1.2345678901234")
    assert carry_over(data_dir) == "fail"
