"""The form's own arithmetic (勾稽关系), applied to what was read.

A rule is applied only when every cell in it holds a number. A blank is not zero: a sum with a blank part is
`not_applicable` even where the printed numbers happen to add up, so a pass always means that each part was seen.
Printed numbers are never repaired; a failed check leaves them and lowers the confidence in every cell it involves,
since it cannot say which of them is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from parsers.form import Form, Rule
from parsers.model import Check, CheckStatus, Fact, Finding, Number

FAILED_CONFIDENCE = 0.5


# Numbers whose digits stand apart: over one another, or with a space between.
_BROKEN = re.compile(r"\d\s*\n\s*\d")
_SPACED = re.compile(r"\d\s+\d")
# Up to here the position of a number may have been inferred, see `match`; then that of the whole row was.
_INFERRED = 0.9


def settled(form: Form, facts: Sequence[Fact]) -> tuple[tuple[Fact, ...], tuple[Check, ...]]:
    """The facts with their checks, and the confidence that the checks leave.

    A printed number stays, whatever the sums say. What was only inferred does not outlive a check that contradicts it:
    the columns of a row put together by counting, digits that stand apart. Digits over digits (120 above 7) may even be
    two numbers: they need a check that passes.
    """
    checks = check(form, facts)
    passed, failed = _cells_of(checks, "pass"), _cells_of(checks, "fail")
    inferred = _inferred_rows(facts, checks) if failed else set()

    def is_refuted(fact: Fact) -> bool:
        if fact.cell in inferred or (fact.cell in failed and _SPACED.search(fact.raw)):
            return True
        return bool(_BROKEN.search(fact.raw)) and "," not in fact.raw and fact.cell not in passed

    in_doubt = [fact for fact in facts if fact.status == "reported" and (fact.cell in failed or "\n" in fact.raw)]
    refuted = {fact.cell for fact in in_doubt if is_refuted(fact)}
    # What a check contradicts stays in doubt, even where the check itself no longer applies.
    facts = lowered(facts, checks)
    if not refuted:
        return facts, checks
    facts = tuple(_unreadable(fact) if fact.cell in refuted else fact for fact in facts)
    return facts, check(form, facts)


def _cells_of(checks: Iterable[Check], status: CheckStatus) -> set[str]:
    return {cell for one in checks if one.status == status for cell in one.cells}


def _inferred_rows(facts: Iterable[Fact], checks: Iterable[Check]) -> set[str]:
    """The cells of rows whose columns were inferred throughout, and whose sum fails."""
    confidences = {fact.cell: fact.confidence for fact in facts if fact.status == "reported"}
    return {
        cell
        for one in checks
        if one.status == "fail" and _is_row(one)
        if max(confidences.get(cell, 0.0) for cell in one.cells) <= _INFERRED
        for cell in one.cells
    }


def _is_row(one: Check) -> bool:
    return len({cell.rpartition(".")[0] for cell in one.cells}) == 1


def _unreadable(fact: Fact) -> Fact:
    return replace(fact, value=None, status="unreadable", confidence=FAILED_CONFIDENCE)


def check(form: Form, facts: Iterable[Fact]) -> tuple[Check, ...]:
    """Every rule of the form whose cells the facts have, in the order of the form file."""
    values = {fact.cell: fact.value for fact in facts}
    return tuple([_checked(rule, values) for rule in form.rules if all(map(values.__contains__, rule.cells))])


def lowered(facts: Sequence[Fact], checks: Iterable[Check]) -> tuple[Fact, ...]:
    """The facts, with the confidence of every cell of a failed check lowered to 0.5 at most."""
    failed = _cells_of(checks, "fail")
    if not failed:
        return tuple(facts)
    return tuple(
        replace(fact, confidence=min(fact.confidence, FAILED_CONFIDENCE)) if fact.cell in failed else fact
        for fact in facts
    )


def failures(form: Form, checks: Iterable[Check]) -> tuple[Finding, ...]:
    """One finding for each check that fails: the rule in the form's words, and what was printed."""
    rules = {rule.key: rule for rule in form.rules}
    return tuple(
        Finding("check_failed", f"{one.rule}: {rules[one.rule].says}: {one.lhs} against {one.rhs}")
        for one in checks
        if one.status == "fail"
    )


def _checked(rule: Rule, values: dict[str, Number | None]) -> Check:
    left, right = _sum(rule.left, values), _sum(rule.right, values)
    if left is None or right is None:
        return Check(rule.key, "not_applicable", left, right, rule.cells)
    holds = left <= right if rule.relation == "<=" else left == right
    return Check(rule.key, "pass" if holds else "fail", left, right, rule.cells)


def _sum(cells: Iterable[str], values: dict[str, Number | None]) -> Number | None:
    total: Number = 0
    for cell in cells:
        value = values[cell]
        if value is None:
            return None
        total = total + value
    return total
