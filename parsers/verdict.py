"""What a check across documents says, and the numbers it looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from parsers.concepts import Printed
from parsers.model import Number

VerdictStatus = Literal["pass", "fail", "uncertain", "not_applicable"]

# Below this a number may be misread, or belongs to a table whose own sums fail: it accuses nobody.
DOUBTFUL = 0.8


@dataclass(frozen=True, slots=True)
class Figure:
    """One cell's number. `value` is None for whatever holds none: blank, absent, unreadable."""

    value: Number | None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class YearReport:
    """The report that stands for an agency's year. `report` is the caller's number for it, `figures` are by cell.

    `events`: what happened to the agency in that year (a merger, a new division code), in words.
    """

    report: int
    year: int
    form: str
    scope: str
    figures: Mapping[str, Figure]
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A cell of a report."""

    report: int
    cell: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one check. `report` and `year` are those of the document that it is filed under.

    `note` says what a reader needs beside the two numbers: why it is uncertain, which cell is missing, which lawful
    reading holds.
    """

    rule: str
    status: VerdictStatus
    report: int
    year: int
    lhs: Number | None
    rhs: Number | None
    left: tuple[Place, ...] = ()
    right: tuple[Place, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sum:
    """Cells of one report added up. `value` is None unless every one of them holds a number."""

    value: Number | None
    places: tuple[Place, ...]
    confidence: float
    missing: tuple[str, ...] = ()


def sum_of(report: YearReport, cells: Iterable[str]) -> Sum:
    total: Number = 0
    confidence, places, missing = 1.0, [], []
    for cell in cells:
        figure = report.figures.get(cell, Figure(None))
        places.append(Place(report.report, cell))
        if figure.value is None:
            missing.append(cell)
            continue
        total += figure.value
        confidence = min(confidence, figure.confidence)
    return Sum(None if missing else total, tuple(places), confidence, tuple(missing))


def measured(report: YearReport, printed: Printed) -> Sum:
    """A concept's number in a report: the first way that is whole, else the first that the document prints at all."""
    sums = [sum_of(report, way) for way in printed.ways]
    for one in sums:
        if one.value is not None:
            return one
    there = (one for one in sums if any(place.cell in report.figures for place in one.places))
    return next(there, sums[-1])


def missing_note(*sums: Sum) -> str:
    return f"no number in {', '.join(cell for one in sums for cell in one.missing)}"


def doubts(*sums: Sum) -> list[str]:
    """Why a difference between these proves nothing."""
    lowest = min((one.confidence for one in sums), default=1.0)
    return [f"confidence {lowest:g} of a number"] if lowest < DOUBTFUL else []
