"""Checks between the reports of one agency, and between an agency and its parts. Pure functions over numbers.

A missing cell never makes a fail, nor does a number that may be misread. What the law allows to differ is a note.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal

from parsers.concepts import Concept, concepts
from parsers.model import Number
from parsers.verdict import Sum, Verdict, VerdictStatus, YearReport, doubts, measured, missing_note, sum_of

CARRIED_OUT = "applications.carried_out."
CARRIED_IN = "applications.carried_in."
APPLICANTS = ("natural_person", "business", "research", "public_interest", "legal_service", "other", "total")
DOCUMENTS = ("regulations", "normative_documents")

# A number is called a jump when it is ten times the most of the agency's other years, or ten times less than the least
# of them, both made larger by the pad. Zeros do not count: powers come and go. Two other years are needed. 80 beside
# ones is no jump, 500 is; yuan in a cell of 10,000 yuan always is.
JUMP_TIMES = 10
JUMP_PAD = 10
JUMP_YEARS = 2
WATCHED = (
    "app_new",
    "app_handled",
    "reg_in_force",
    "norm_in_force",
    "lic_decisions",
    "pen_decisions",
    "coer_decisions",
    "fee_amount",
    "procure_amount",
    "disc_total",
    "recon_total",
    "lit_total",
)
# What an aggregate cannot have less of than its parts together.
ADDED_UP = ("app_new", "app_carried_in", "app_handled", "app_carried_out", "recon_total", "lit_total")

_BY_NAME = {one.concept: one for one in concepts().concepts}
_OUTSIDE = "more only with bodies that the whole may lawfully leave out: lower governments, bodies directed from above"
_LAPSE = "fewer than the sum: documents may lapse of themselves (有效期届满、自动失效), which is not repeal"


def across_years(earlier: YearReport, later: YearReport) -> Iterator[Verdict]:
    """The checks between the report of a year and that of the year before."""
    yield from _carried_over(earlier, later)
    yield from _in_force(earlier, later)


def _carried_over(earlier: YearReport, later: YearReport) -> Iterator[Verdict]:
    """结转下年度 of one year is 上年结转 of the next, in every column."""
    for applicant in APPLICANTS:
        out, into = CARRIED_OUT + applicant, CARRIED_IN + applicant
        if out in earlier.figures and into in later.figures:
            left, right = sum_of(earlier, [out]), sum_of(later, [into])
            yield _compared(f"carry_over.{applicant}", left, right, earlier, later)


def _in_force(earlier: YearReport, later: YearReport) -> Iterator[Verdict]:
    """现行有效 is that of the year before, more by what was issued, less by what was repealed."""
    for kind in DOCUMENTS:
        cells = {name: f"disclosure.{kind}.{name}" for name in ("in_force", "issued", "repealed")}
        if cells["in_force"] not in earlier.figures or cells["in_force"] not in later.figures:
            continue
        left = sum_of(later, [cells["in_force"]])
        before = sum_of(earlier, [cells["in_force"]])
        issued, repealed = sum_of(later, [cells["issued"]]), sum_of(later, [cells["repealed"]])
        parts = (before, issued, repealed)
        value: Number | None = None
        if before.value is not None and issued.value is not None and repealed.value is not None:
            value = before.value + issued.value - repealed.value
        right = Sum(
            value,
            tuple(place for one in parts for place in one.places),
            min(one.confidence for one in parts),
            tuple(cell for one in parts for cell in one.missing),
        )
        fewer = left.value is not None and value is not None and left.value < value
        yield _compared(f"in_force.{kind}", left, right, earlier, later, lawful=_LAPSE if fewer else "")


def _compared(rule: str, left: Sum, right: Sum, earlier: YearReport, later: YearReport, *, lawful: str = "") -> Verdict:
    def verdict(status: VerdictStatus, note: str = "") -> Verdict:
        return Verdict(rule, status, later.report, later.year, left.value, right.value, left.places, right.places, note)

    if left.value is None or right.value is None:
        return verdict("not_applicable", missing_note(left, right))
    if left.value == right.value:
        return verdict("pass")
    notes = doubts(left, right)
    if earlier.scope != later.scope:
        notes.append(f"scope {earlier.scope} in {earlier.year}, {later.scope} in {later.year}")
    notes.extend((*earlier.events, *later.events))
    notes.extend(filter(None, [lawful]))
    return verdict("uncertain", "; ".join(notes)) if notes else verdict("fail")


def jumps(reports: Sequence[YearReport]) -> Iterator[Verdict]:
    """Numbers far from those of the agency's other years: `uncertain`, never `fail`. One not far away has no verdict.

    One report a year is expected.
    """
    for name in WATCHED:
        numbers = [(report, _comparable(report, _BY_NAME[name])) for report in reports]
        found = [(report, one) for report, one in numbers if one is not None and _number(one) > 0]
        for report, own in found:
            others = sorted((one for other, one in found if other is not report), key=_number)
            if len(others) < JUMP_YEARS:
                continue
            least, most = others[0], others[-1]
            if _number(own) + JUMP_PAD >= JUMP_TIMES * (_number(most) + JUMP_PAD):
                nearest, note = most, f"against the most of {len(others)} other years"
            elif (_number(own) + JUMP_PAD) * JUMP_TIMES <= _number(least) + JUMP_PAD:
                nearest, note = least, f"against the least of {len(others)} other years"
            else:
                continue
            yield Verdict(
                f"jump.{name}",
                "uncertain",
                report.report,
                report.year,
                own.value,
                nearest.value,
                own.places,
                nearest.places,
                note,
            )


def _number(one: Sum) -> Decimal:
    return Decimal(0 if one.value is None else one.value)


def _comparable(report: YearReport, concept: Concept) -> Sum | None:
    """The concept's number, None where there is none or where the edition's counting breaks the series."""
    printed = concept.in_edition(report.form)
    if printed is None or printed.comparability == "break":
        return None
    found = measured(report, printed)
    return found if found.value is not None else None


def parts(whole: YearReport, reports: Sequence[YearReport], *, outside: Collection[int] = ()) -> Iterator[Verdict]:
    """An aggregate against the reports of its parts, of the same year. Parts may be missing from the corpus: only more
    in the parts than in the whole contradicts it.

    `outside`: those of `reports` (by number) that the whole may lawfully not take in; they alone contradict nothing.
    """
    for name in ADDED_UP:
        printed = _BY_NAME[name].in_edition(whole.form)
        if printed is None or printed.comparability == "break":
            continue
        left = measured(whole, printed)
        numbers = [(report, one) for report in reports if (one := _comparable(report, _BY_NAME[name])) is not None]
        found = [one for _, one in numbers]
        places = tuple(place for one in found for place in one.places)
        total = _total(found)
        counted = f"{len(found)} of {len(reports)} parts in the corpus have the number"
        notes = doubts(left, *found)
        if left.value is not None and _total([one for of, one in numbers if of.report not in outside]) <= left.value:
            notes.append(_OUTSIDE)
        status: VerdictStatus
        if left.value is None or not found:
            status, note = "not_applicable", missing_note(left) if left.value is None else counted
        elif total <= left.value:
            status, note = "pass", counted
        else:
            status, note = "uncertain" if notes else "fail", "; ".join([*notes, counted])
        rhs = total if found else None
        yield Verdict(f"parts.{name}", status, whole.report, whole.year, left.value, rhs, left.places, places, note)


def _total(ones: Sequence[Sum]) -> Number:
    total = sum((_number(one) for one in ones), start=Decimal(0))
    return int(total) if total == int(total) else total
