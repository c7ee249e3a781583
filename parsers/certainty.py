"""How far numbers recognised in a picture may be trusted.

A recogniser's own score says little: a 1 lost at the edge leaves a sure 0. So nothing from a picture passes 0.85 by
score alone. What the form's sums confirm may pass: a cell whose characters are all sure, every sum in which holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from parsers.model import Cell, Check, Document, Fact, Grid

UNCONFIRMED, CONFIRMED = 0.85, 0.95
_SURE_SCORE = 0.9
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_COUNTED = {"件", "个", "项", "条", "次", "人", "宗"}


def is_recognised(document: Document) -> bool:
    """Whether anything in the document's tables was recognised in a picture."""
    return any(cell.confidence < 1.0 for cell in _cells(document))


def regrouped(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Counts whose comma was taken for a point (`1.006`) as what they are: counts have no decimals."""
    return tuple(_regrouped(fact) for fact in facts)


def _regrouped(fact: Fact) -> Fact:
    if not isinstance(fact.value, Decimal) or fact.unit not in _COUNTED or not _GROUPED.fullmatch(fact.raw):
        return fact
    return replace(fact, value=int(re.sub(r"[.,]", "", fact.raw)), confidence=UNCONFIRMED)


def as_certain_as_recognised(document: Document, facts: Sequence[Fact], checks: Iterable[Check]) -> tuple[Fact, ...]:
    """Facts of a document read from pictures, none surer than its characters and the form's sums make it."""
    scores = {cell.locator: cell.confidence for cell in _cells(document)}
    confirmed: set[str] = set()
    doubted: set[str] = set()
    for check in checks:
        if check.status == "pass" and check.lhs == check.rhs:
            confirmed.update(check.cells)
        else:
            doubted.update(check.cells)
    return tuple(_bounded(fact, scores.get(fact.locator), fact.cell in confirmed - doubted) for fact in facts)


def _bounded(fact: Fact, score: float | None, is_confirmed: bool) -> Fact:
    if score == 1.0:
        return fact
    most = UNCONFIRMED
    if score is not None and fact.status == "reported":
        most = CONFIRMED if is_confirmed and score >= _SURE_SCORE else min(UNCONFIRMED, max(score, 0.1))
    return replace(fact, confidence=min(fact.confidence, round(most, 2)))


def _cells(document: Document) -> Iterable[Cell]:
    return (cell for block in document.blocks if isinstance(block, Grid) for cell in block.cells)
