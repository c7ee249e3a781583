"""Sentences whose number is beyond doubt are read, all others are left alone; and what a difference then means."""

from __future__ import annotations

import pytest

from parsers.concepts import concepts
from parsers.form import forms
from parsers.model import Section
from parsers.told import told, told_against_tables, told_words
from parsers.verdict import Figure, YearReport

AGENCY = "石桥镇人民政府"


def read(text: str, *, edition: str = "2021", year: int = 2023) -> list[tuple[str, int]]:
    found = told([Section("一、总体情况", text)], year=year, agency=AGENCY, edition=edition)
    return [(one.measure.key, one.number) for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023年，我镇共收到政府信息公开申请12件。", [("received", 12)]),
        ("石桥镇人民政府全年收到公民、法人和其他组织提出的政府信息公开申请 1,204 件", [("received", 1204)]),
        ("本年度新收政府信息公开申请数量为３件", [("received", 3)]),
        ("全年依申请公开政府信息申请共5条", [("received", 5)]),
        ("政府信息公开申请共5件", [("received", 5)]),
        ("2023年，本单位未收到政府信息公开申请。", [("received", 0)]),
        ("收到政府信息公开申请8件，办结7件", [("received", 8), ("handled", 7)]),
        ("收到政府信息公开申请8件，结转下年度继续办理1件", [("received", 8), ("carried_out", 1)]),
        ("收到政府信息公开申请8件，上年结转2件", [("received", 8), ("carried_in", 2)]),
        (
            "收到政府信息公开申请9件，其中予以公开4件，部分公开2件，不予公开1件，无法提供1件，不予处理1件",
            [("received", 9), ("granted", 4), ("partly_granted", 2), ("refused", 1), ("unable", 1), ("rejected", 1)],
        ),
        ("没有因政府信息公开引起的行政复议和行政诉讼。", [("reconsiderations", 0), ("suits", 0)]),
        ("因政府信息公开被提起行政复议3件", [("reconsiderations", 3)]),
        ("因政府信息公开引起的行政复议2件、行政诉讼案件1件", [("reconsiderations", 2), ("suits", 1)]),
        ("2023年，我街办未接到提出公开政府信息的申请。", [("received", 0)]),
        ("2023年我街无依申请公开事项", [("received", 0)]),
        ("全年收到依申请公开信息3条", [("received", 3)]),
        ("2023年，我办共收到8份政府信息公开申请", [("received", 8)]),
        ("发生针对本部门有关政府信息公开事务的行政复议案0件", [("reconsiderations", 0)]),
        ("2023年，我局未发生依申请公开政府信息方面的行政复议和行政诉讼。", [("reconsiderations", 0), ("suits", 0)]),
        ("全年制发行政规范性文件6件", [("normative_documents_issued", 6)]),
        ("废止规范性文件1件，现行有效规范性文件40件",
         [("normative_documents_repealed", 1), ("normative_documents_in_force", 40)]),
    ],
)  # fmt: skip
def test_plain_sentences_are_read(text: str, expected: list[tuple[str, int]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2022年，我镇共收到政府信息公开申请12件。",
        "与2022年相比，收到政府信息公开申请12件。",
        "比去年同期多收到政府信息公开申请12件。",
        "五年来累计公开，收到政府信息公开申请12件，历年最多。",
        "上半年收到政府信息公开申请12件。",
        "其中网上收到政府信息公开申请12件。",
        "县教育局收到政府信息公开申请12件。",
        "收到政府信息公开申请12余件。",
        "收到政府信息公开申请近12件。",
        "收到群众来信12件，办结12件。",
        "办结人大代表建议12件。",
        "答复网民留言12件，其中予以公开4件。",
        "全县行政复议12件。",
        "收到政府信息公开申请较多。",
        "计划全年收到政府信息公开申请12件。",
        "无正当理由大量申请的情况。",
        pytest.param(f"收到政府信息公开申请{'1' * 5000}件。", id="a number of 5,000 digits"),
        "县教育局收到政府信息公开申请12件，办结12件。",
        "全县各职能部门、乡镇共收到政府信息依申请公开12件。",
        "受理公民、法人和其他组织向县政府提出的政府信息公开申请12件，予以公开2件。",
        "全年办理土地行政诉讼12件。",
        "县教育局工作扎实，收到政府信息公开申请12件。",
        "其中网上收到政府信息公开申请12件，办结12件，予以公开3件。",
    ],
)
def test_sentences_that_leave_a_doubt_are_left_alone(text: str) -> None:
    assert read(text) == []


def test_what_a_form_does_not_print_is_not_looked_for() -> None:
    text = "全年主动公开政府信息310条，收到政府信息公开申请12件，办结11件，答复10件"
    assert read(text, edition="2014") == [("disclosed", 310), ("received", 12), ("closed", 11), ("answered", 10)]
    assert read(text) == [("received", 12), ("handled", 11), ("handled", 10)]


def report(**cells: int | None) -> YearReport:
    figures = {key.replace("__", "."): Figure(value) for key, value in cells.items()}
    return YearReport(7, 2023, "2021", "own", figures)


def verdicts(text: str, against: YearReport) -> list[tuple[str, str, object, object]]:
    found = told([Section("一、总体情况", text)], year=2023, agency=AGENCY, edition="2021")
    return [(one.rule, one.status, one.lhs, one.rhs) for one in told_against_tables(found, against)]


NEW = {"applications__new__total": 12, "applications__carried_in__total": 2}


@pytest.mark.parametrize(
    ("text", "status", "number"),
    [
        ("收到政府信息公开申请12件", "pass", 12),
        ("收到政府信息公开申请14件", "pass", 14),
        ("收到政府信息公开申请15件", "fail", 15),
        ("受理政府信息公开申请15件", "uncertain", 15),
        ("全镇收到政府信息公开申请15件", "uncertain", 15),
    ],
    ids=["the same", "with those carried in, lawfully", "another number", "a loose verb", "of a whole area"],
)
def test_a_number_of_the_text_against_the_tables(text: str, status: str, number: int) -> None:
    assert verdicts(text, report(**NEW)) == [("told.received", status, number, 12)]


def test_a_lawful_difference_is_a_note() -> None:
    found = told([Section("", "收到政府信息公开申请14件")], year=2023, agency="", edition="2021")
    (one,) = told_against_tables(found, report(**NEW))
    assert one.note == "a lawful difference: it is app_new + app_carried_in; “收到政府信息公开申请14件”"


def test_a_missing_or_doubtful_cell_never_makes_a_fail() -> None:
    text = "收到政府信息公开申请15件"
    assert verdicts(text, report(applications__new__total=None)) == [("told.received", "not_applicable", 15, None)]
    assert verdicts(text, report()) == [("told.received", "not_applicable", 15, None)]
    doubtful = YearReport(7, 2023, "2021", "own", {"applications.new.total": Figure(12, 0.5)})
    assert verdicts(text, doubtful) == [("told.received", "uncertain", 15, 12)]


def test_a_sum_needs_every_part() -> None:
    grounds = [cell for cell in forms()["2021"].cells if ".refused_" in cell and cell.endswith(".total")]
    assert len(grounds) == 8
    text = "收到政府信息公开申请9件，不予公开8件"
    whole = YearReport(7, 2023, "2021", "own", {cell: Figure(1) for cell in grounds})
    assert verdicts(text, whole)[1] == ("told.refused", "pass", 8, 8)
    lacking = YearReport(7, 2023, "2021", "own", {cell: Figure(1) for cell in grounds[1:]})
    assert verdicts(text, lacking)[1] == ("told.refused", "not_applicable", 8, None)


def test_a_text_that_contradicts_itself_accuses_no_table() -> None:
    text = "收到政府信息公开申请12件。收到政府信息公开申请13件。"
    assert verdicts(text, report(**NEW)) == [("told.received", "not_applicable", None, 12)]


def test_measures_name_concepts_that_their_editions_print() -> None:
    known = {one.concept: {printed.edition for printed in one.printed} for one in concepts().concepts}
    for measure in told_words().measures:
        assert set(measure.editions) <= known[measure.concept], measure.key
        assert all(name in known for names in measure.also for name in names)
