"""Bounds that stop a bad release: what a corpus must hold, as data (archive/bounds.toml), and the verdict on one."""

from __future__ import annotations

import contextlib
import sqlite3
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError

BOUNDS_FILE = Path(__file__).with_name("bounds.toml")
AUDIT = "audit_problems"
_LIMITS = frozenset({"most", "least", "least_of_last"})
_KEYS = _LIMITS | {"sql", "why"}


@dataclass(frozen=True, slots=True)
class Bound:
    """One number and its limits. `sql` is "" for what is not asked of the database."""

    name: str
    why: str
    sql: str = ""
    most: float | None = None
    least: float | None = None
    least_of_last: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one bound stands. `found` is None where there is nothing to count; `problem` is "" when it holds."""

    name: str
    found: float | None
    last: float | None
    problem: str


def load_bounds(path: Path = BOUNDS_FILE) -> tuple[Bound, ...]:
    """The bounds of a file. Raises ArchiveError for one that cannot be understood."""
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{path}: cannot be read as bounds ({error})") from error
    return tuple(_bound(path, name, entry) for name, entry in tree.items())


def measured(database: Path, bounds: tuple[Bound, ...], *, audit_problems: int) -> dict[str, float | None]:
    """The number of every bound. Raises ArchiveError for a question that cannot be asked."""
    found: dict[str, float | None] = {AUDIT: audit_problems}
    with contextlib.closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        for bound in bounds:
            if not bound.sql:
                continue
            try:
                number = connection.execute(bound.sql).fetchone()[0]
            except (sqlite3.Error, TypeError) as error:
                raise ArchiveError(f"bound {bound.name}: {error}") from error
            if not isinstance(number, int | float | None):
                raise ArchiveError(f"bound {bound.name}: expected its sql to give a number, found {number!r}")
            found[bound.name] = number
    return found


def judged(
    bounds: tuple[Bound, ...], found: Mapping[str, float | None], last: Mapping[str, float | None]
) -> tuple[Verdict, ...]:
    """Every bound held against what was found; `last` are the numbers of the last release, {} before the first."""
    return tuple(
        Verdict(bound.name, found.get(bound.name), last.get(bound.name), _problem(bound, found.get(bound.name), last))
        for bound in bounds
    )


def _problem(bound: Bound, found: float | None, last: Mapping[str, float | None]) -> str:
    if found is None:
        return ""
    before = last.get(bound.name)
    needed = bound.least_of_last * before if bound.least_of_last is not None and before is not None else None
    if bound.most is not None and found > bound.most:
        limit = f"at most {_shown(bound.most)}"
    elif bound.least is not None and found < bound.least:
        limit = f"at least {_shown(bound.least)}"
    elif needed is not None and found < needed:
        limit = f"at least {_shown(needed)} ({_shown(bound.least_of_last)} of the last release's {_shown(before)})"
    else:
        return ""
    return f"{bound.name}: expected {limit}, found {_shown(found)}; {bound.why}"


def _shown(number: float | None) -> str:
    return "" if number is None else f"{number:g}" if abs(number) < 1000 else f"{number:.0f}"


def _bound(path: Path, name: str, entry: Any) -> Bound:
    if not isinstance(entry, dict) or not set(entry) <= _KEYS or "why" not in entry:
        raise ArchiveError(f"{path}: bound {name}: expected a table with why and some of {', '.join(sorted(_KEYS))}")
    if not entry.get("sql") and name != AUDIT:
        raise ArchiveError(f"{path}: bound {name}: expected sql, found none")
    for limit in _LIMITS & entry.keys():
        if type(entry[limit]) not in (int, float):
            raise ArchiveError(f"{path}: bound {name}: expected a number for {limit}, found {entry[limit]!r}")
    return Bound(name=name, **entry)
