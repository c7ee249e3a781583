"""The form's arithmetic on facts, and what it does to them."""

from __future__ import annotations

from parsers.checks import check, failures, settled
from parsers.form import forms
from parsers.model import Fact, FactStatus, Number

FORM = forms()["2021"]
ROW = ("natural_person", "business", "research", "public_interest", "legal_service", "other", "total")


def fact(cell: str, value: Number | None, *, raw: str = "", confidence: float = 1.0) -> Fact:
    status: FactStatus = "blank" if value is None else "reported"
    return Fact(cell, value, raw or str(value or ""), "件", status, "line=1", confidence)


def row(values: list[int | None], **given: float) -> list[Fact]:
    return [fact(f"applications.new.{key}", value, **given) for key, value in zip(ROW, values, strict=True)]  # type: ignore[arg-type]


def test_a_sum_that_holds_passes() -> None:
    (one,) = check(FORM, row([1, 2, 0, 0, 0, 0, 3]))
    assert (one.rule, one.status, one.lhs, one.rhs) == ("applications.row_sum.new", "pass", 3, 3)


def test_a_sum_that_does_not_hold_fails_and_lowers_all_its_cells() -> None:
    facts, checks = settled(FORM, row([1, 2, 0, 0, 0, 0, 4]))
    assert [one.status for one in checks] == ["fail"]
    assert {one.confidence for one in facts} == {0.5}
    assert [one.value for one in facts] == [1, 2, 0, 0, 0, 0, 4]


def test_a_blank_is_not_zero() -> None:
    (one,) = check(FORM, row([3, None, None, None, None, None, 3]))
    assert (one.status, one.lhs, one.rhs) == ("not_applicable", None, 3)


def test_a_rule_whose_cells_are_not_there_is_no_check() -> None:
    assert check(FORM, row([1, 2, 0, 0, 0, 0, 3])[:-1]) == ()


def test_a_failure_is_told_in_the_words_of_the_form() -> None:
    (finding,) = failures(FORM, check(FORM, row([1, 2, 0, 0, 0, 0, 4])))
    assert finding.message == "applications.row_sum.new: 自然人与法人或其他组织各项之和等于总计: 3 against 4"


def test_columns_that_were_only_counted_do_not_outlive_a_sum_that_fails() -> None:
    facts, checks = settled(FORM, row([1, 2, 0, 0, 0, 0, 4], confidence=0.9))
    assert {one.status for one in facts} == {"unreadable"}
    assert [one.status for one in checks] == ["not_applicable"]


def test_digits_over_digits_are_one_number_only_where_a_sum_says_so() -> None:
    sure = row([120, 7, 0, 0, 0, 0, 127])
    broken = fact("applications.new.natural_person", 120, raw="12\n0", confidence=0.6)
    assert settled(FORM, [broken, *sure[1:]])[0][0].value == 120
    alone = fact("disclosure.licensing.decisions", 120, raw="12\n0", confidence=0.6)
    assert settled(FORM, [alone])[0][0].status == "unreadable"


def test_an_inequality_of_the_2014_form() -> None:
    form = forms()["2014"]
    facts = [fact("disclosure.total", 5), fact("disclosure.normative_documents", 6)]
    (one,) = check(form, facts)
    assert (one.rule, one.status) == ("normative_documents_within", "fail")


def test_the_rest_of_a_row_stays_in_doubt_where_one_number_of_it_was_taken_back() -> None:
    spaced = fact("applications.new.natural_person", 56, raw="5 6")
    facts, checks = settled(FORM, [spaced, *row([5, 0, 0, 0, 0, 1, 12])[1:]])
    assert (facts[0].value, facts[0].status) == (None, "unreadable")
    assert {one.confidence for one in facts} == {0.5}
    assert [one.status for one in checks] == ["not_applicable"]


def row_with_a_wrong_sum(confidences: list[float]) -> tuple[str, ...]:
    """Statuses of the row 一、本年新收, its total off by one, after the checks."""
    form = forms()["2021"]
    columns = ["natural_person", "business", "research", "public_interest", "legal_service", "other", "total"]
    facts = [
        Fact(f"applications.new.{column}", value, str(value), "件", "reported", "line=1", confidence)
        for column, value, confidence in zip(columns, [5, 4, 3, 2, 1, 0, 16], confidences, strict=True)
    ]
    found, _ = settled(form, facts)
    return tuple(fact.status for fact in found)


def test_a_note_beside_one_number_does_not_unread_it_when_the_printed_sum_is_wrong() -> None:
    assert set(row_with_a_wrong_sum([1.0, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0])) == {"reported"}


def test_a_row_placed_by_inference_does_not_outlive_a_sum_that_contradicts_it() -> None:
    assert set(row_with_a_wrong_sum([0.85] * 7)) == {"unreadable"}
