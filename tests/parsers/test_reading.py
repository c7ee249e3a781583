"""A reading put together: kinds, errors, the shape of its JSON."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from pathlib import Path

import pytest

from parsers.__main__ import main
from parsers.form import forms
from parsers.model import Check, Fact
from parsers.reading import as_json, read

TABLE = Path(__file__).parents[1] / "fixtures" / "tables" / "printed_error" / "input.txt"
KEYS = ["file", "media_type", "kind", "form", "report_year", "agency", "title", "published_date"]
REPORT = (
    "云岫镇2023年政府信息公开工作年度报告\n\n一、总体情况\n\n本年公开信息。\n\n二、主动公开政府信息情况\n\n见图。\n\n"
)


def test_the_json_has_the_keys_that_users_hold_on_to() -> None:
    made = as_json(read(TABLE.read_bytes()), "a.txt")
    assert list(made)[:8] == KEYS
    assert list(made["facts"][0]) == ["cell", "value", "raw", "unit", "status", "locator", "confidence"]
    assert list(made["checks"][0]) == ["rule", "status", "lhs", "rhs", "cells"]
    assert {"facts", "checks", "findings", "sections", "error"} <= made.keys()
    assert json.loads(json.dumps(made, ensure_ascii=False)) == made


def test_every_cell_of_the_form_has_one_fact() -> None:
    made = as_json(read(TABLE.read_bytes()), "a.txt")
    cells = [fact["cell"] for fact in made["facts"]]
    assert sorted(cells) == sorted(cell.cell for cell in forms()["2021"].cells.values() if not cell.variant)


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty"), (b"%PDF-1.7 and no more", "damaged"), (b"PK\x03\x04 and no more", "damaged")],
    ids=["empty", "truncated pdf", "no zip"],
)
def test_what_cannot_be_read_is_an_error_and_no_exception(data: bytes, code: str) -> None:
    made = as_json(read(data, name="report.docx"), "report.docx")
    assert (made["kind"], made["form"], made["facts"]) == ("unknown", None, [])
    assert made["error"]["code"] == code
    assert made["error"]["message"]


def test_a_report_whose_tables_are_not_recognised_is_still_a_report() -> None:
    source = REPORT + "三、收到和处理政府信息公开申请情况\n\n见图。\n\n四、存在的主要问题及改进情况\n\n无。\n"
    reading = read(source.encode())
    assert (reading.kind, reading.form, reading.facts) == ("annual_report", None, ())
    assert "no_statutory_table" in {finding.code for finding in reading.findings}


def test_anything_else_readable_is_a_page() -> None:
    assert read("关于召开春季防汛会议的通知\n\n各村（社区）：定于三月召开会议。\n".encode()).kind == "page"


@pytest.mark.parametrize(
    ("page", "codes"),
    [("<div><img src=1.jpg></div>", ["no_text"]), ("<table><tr><td>甲", ["cut_off"]), ("<p>通知</p>", [])],
)
def test_a_document_without_any_text_says_so(page: str, codes: list[str]) -> None:
    reading = read(f"<title>云岫镇年报</title>{page}".encode())
    assert (reading.kind, [finding.code for finding in reading.findings]) == ("page", codes)


def test_the_command_prints_what_was_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(TABLE)]) == 0
    printed = capsys.readouterr().out
    assert "disclosure.licensing: 4" in printed
    assert "! check_failed: review.row_sum.reconsideration" in printed


def test_the_command_goes_on_after_a_file_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    assert main(["--json", str(empty), str(tmp_path / "none.txt"), str(TABLE)]) == 1
    captured = capsys.readouterr()
    errors = [json.loads(line)["error"] for line in captured.out.splitlines()]
    assert [error and error["code"] for error in errors] == ["empty", None]
    assert "none.txt" in captured.err


def test_facts_and_checks_come_back_from_pickle_as_they_were() -> None:
    fact = Fact("review.total", Decimal("2.50"), "2.50", "件", "inferred", "page=1;box=1.0,2.0,3.0,4.0", 0.6)
    check = Check("sum", "fail", 3, Decimal("4"), ("a", "b"))
    assert pickle.loads(pickle.dumps((fact, check))) == (fact, check)
