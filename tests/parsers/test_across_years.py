"""Years of one agency against each other, an aggregate against its parts, and numbers out of line."""

from __future__ import annotations

from decimal import Decimal

import pytest

from parsers.across_years import JUMP_PAD, JUMP_TIMES, across_years, jumps, parts
from parsers.model import Number
from parsers.verdict import Figure, Place, Verdict, YearReport


def report(number: int, year: int, cells: dict[str, Number | Figure | None], **changes) -> YearReport:
    figures = {cell: value if isinstance(value, Figure) else Figure(value) for cell, value in cells.items()}
    return YearReport(**{"report": number, "year": year, "form": "2021", "scope": "own", "figures": figures, **changes})


def carried(out: object, into: object, **changes) -> Verdict:
    earlier = report(1, 2021, {"applications.carried_out.total": out})  # type: ignore[dict-item]
    later = report(2, 2022, {"applications.carried_in.total": into}, **changes)  # type: ignore[dict-item]
    (one,) = across_years(earlier, later)
    return one


@pytest.mark.parametrize(
    ("out", "into", "status"),
    [
        (3, 3, "pass"),
        (0, 0, "pass"),
        (3, 2, "fail"),
        (None, 0, "not_applicable"),
        (0, None, "not_applicable"),
        (None, None, "not_applicable"),
        (Figure(3, 0.5), 2, "uncertain"),
        (3, Figure(2, 0.79), "uncertain"),
        (3, Figure(2, 0.8), "fail"),
        (Figure(3, 0.5), 3, "pass"),
    ],
)
def test_what_is_carried_over_comes_in(out: object, into: object, status: str) -> None:
    assert carried(out, into).status == status


def test_a_verdict_names_its_cells_and_what_is_missing() -> None:
    assert carried(3, 2) == Verdict(
        "carry_over.total",
        "fail",
        2,
        2022,
        3,
        2,
        (Place(1, "applications.carried_out.total"),),
        (Place(2, "applications.carried_in.total"),),
    )
    assert carried(None, 2).note == "no number in applications.carried_out.total"


def test_another_scope_or_an_event_makes_a_difference_uncertain() -> None:
    assert carried(3, 2, scope="aggregate").status == "uncertain"
    assert carried(3, 2, scope="aggregate").note == "scope own in 2021, aggregate in 2022"
    assert carried(3, 3, scope="aggregate").status == "pass"
    merged = carried(3, 2, events=("merged 2022 市政局",))
    assert (merged.status, merged.note) == ("uncertain", "merged 2022 市政局")


def test_every_column_is_compared_where_both_forms_print_it() -> None:
    columns = ("natural_person", "business", "total")
    earlier = report(1, 2021, {f"applications.carried_out.{one}": 1 for one in columns})
    later = report(2, 2022, {f"applications.carried_in.{one}": 1 for one in columns[:2]})
    assert [one.rule for one in across_years(earlier, later)] == ["carry_over.natural_person", "carry_over.business"]


@pytest.mark.parametrize(
    ("before", "issued", "repealed", "now", "status"),
    [
        (40, 6, 2, 44, "pass"),
        (40, 6, 2, 45, "fail"),
        (40, 6, 2, 41, "uncertain"),
        (None, 6, 2, 44, "not_applicable"),
        (40, None, 2, 44, "not_applicable"),
        (40, 6, None, 44, "not_applicable"),
        (40, 6, 2, None, "not_applicable"),
        (40, Figure(6, 0.5), 2, 45, "uncertain"),
    ],
)
def test_what_is_in_force_follows_from_the_year_before(before, issued, repealed, now, status: str) -> None:
    start = "disclosure.normative_documents."
    earlier = report(1, 2021, {f"{start}in_force": before})
    later = report(2, 2022, {f"{start}in_force": now, f"{start}issued": issued, f"{start}repealed": repealed})
    (one,) = across_years(earlier, later)
    assert (one.rule, one.status) == ("in_force.normative_documents", status)
    if status == "uncertain" and not isinstance(issued, Figure):
        assert "有效期届满" in one.note
    if status in ("pass", "fail"):
        assert (one.lhs, one.rhs) == (now, 44)
        assert {place.report for place in one.right} == {1, 2}


def test_a_form_that_does_not_print_what_is_in_force_is_not_compared() -> None:
    earlier = report(1, 2020, {"disclosure.regulations.disclosed_total": 9}, form="2019")
    later = report(2, 2021, {f"disclosure.regulations.{one}": 1 for one in ("in_force", "issued", "repealed")})
    assert list(across_years(earlier, later)) == []


def received(numbers: list[Number | None], **changes) -> list[YearReport]:
    return [report(n, 2015 + n, {"applications.new.total": number}, **changes) for n, number in enumerate(numbers)]


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ([12, 15, 9, 14], []),
        ([1, 1, 80, 1], []),
        ([1, 1, JUMP_TIMES * (1 + JUMP_PAD) - JUMP_PAD, 1], [2]),
        ([1, 1, JUMP_TIMES * (1 + JUMP_PAD) - JUMP_PAD - 1, 1], []),
        ([0, 0, 900, 0], []),
        ([900, 0, 900, 900], []),
        ([120, 14, 130, 140], []),
        ([120, 2, 130, 140], [1]),
        ([1200, 12, 12000000], [1, 2]),
        ([5, 5000], []),
        ([5, None, 5000], []),
        ([None, None, 3], []),
        ([5, 5000, None, 0], []),
    ],
)
def test_jumps(numbers: list[Number | None], found: list[int]) -> None:
    """Two other years are needed; a number is out of line against all of them, not against one."""
    ones = list(jumps(received(numbers)))
    assert [one.report for one in ones] == found
    assert {one.status for one in ones} <= {"uncertain"}


def test_yuan_in_a_cell_of_ten_thousand_yuan_is_a_jump() -> None:
    reports = [
        report(n, 2021 + n, {"disclosure.fees.amount": value})
        for n, value in enumerate([Decimal("32.5"), Decimal("410000.75"), Decimal("28.1")])
    ]
    (one,) = jumps(reports)
    assert (one.rule, one.lhs, one.rhs) == ("jump.fee_amount", Decimal("410000.75"), Decimal("32.5"))


def test_a_series_is_not_joined_across_a_break() -> None:
    """现行有效 of 2021 against 对外公开总数 of 2019: another way of counting."""
    old = [report(n, 2018 + n, {"disclosure.regulations.disclosed_total": 900}, form="2019") for n in range(2)]
    new = [report(9, 2021, {"disclosure.regulations.in_force": 5})]
    assert list(jumps(old + new)) == []


def whole(number: int | None) -> YearReport:
    return report(1, 2022, {"applications.new.total": number}, scope="aggregate")


@pytest.mark.parametrize(
    ("total", "of_parts", "status", "rhs"),
    [
        (10, [4, 3], "pass", 7),
        (7, [4, 3], "pass", 7),
        (6, [4, 3], "fail", 7),
        (6, [4, None], "pass", 4),
        (6, [None, None], "not_applicable", None),
        (None, [4, 3], "not_applicable", 7),
        (6, [4, Figure(3, 0.5)], "uncertain", 7),
    ],
)
def test_parts_together_are_no_more_than_the_whole(total, of_parts, status: str, rhs: int | None) -> None:
    members = [report(2 + n, 2022, {"applications.new.total": number}) for n, number in enumerate(of_parts)]
    (one,) = [found for found in parts(whole(total), members) if found.rule == "parts.app_new"]
    assert (one.status, one.lhs, one.rhs) == (status, total, rhs)


@pytest.mark.parametrize(("total", "status"), [(6, "uncertain"), (3, "fail"), (7, "pass")])
def test_parts_that_the_whole_may_leave_out_contradict_nothing_by_themselves(total: int, status: str) -> None:
    members = [report(2 + n, 2022, {"applications.new.total": number}) for n, number in enumerate([4, 3])]
    (one,) = [found for found in parts(whole(total), members, outside={3}) if found.rule == "parts.app_new"]
    assert (one.status, one.lhs, one.rhs) == (status, total, 7)
    assert ("lawfully" in one.note) == (status == "uncertain")
