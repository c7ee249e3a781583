"""`words/agencies.toml`, loaded once: how government bodies are called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from parsers.vocabulary import WORDS, load_words

_FILE = "agencies.toml"


@dataclass(frozen=True, slots=True)
class AgencyWords:
    """Suffixes are longest first. `departments` and `doubtful` lead from a spelling (without conjunctions) to what it
    means and may mean; `functions` from a department's full name to the function it has.
    """

    peoples: tuple[str, ...]
    variants: Mapping[int, str]
    inner_offices: frozenset[str]
    government_names: frozenset[str]
    between: tuple[str, ...]
    offices: frozenset[str]
    office_name: str
    relative: tuple[str, ...]
    street_suffixes: tuple[str, ...]
    street_name: str
    doubtful_street_suffixes: tuple[str, ...]
    town_suffixes: tuple[str, ...]
    town_ends: tuple[str, ...]
    town_name: str
    committee_suffixes: tuple[str, ...]
    committee_name: str
    zones: tuple[str, ...]
    vertical: tuple[str, ...]
    national: tuple[str, ...]
    idle_brackets: tuple[str, ...]
    conjunctions: tuple[str, ...]
    department_suffixes: tuple[str, ...]
    certain_suffixes: tuple[str, ...]
    institution_suffixes: tuple[str, ...]
    departments: Mapping[str, str]
    doubtful: Mapping[str, frozenset[str]]
    functions: Mapping[str, str]


@cache
def agency_words() -> AgencyWords:
    read = load_words(_FILE)
    conjunctions = tuple(read["department"]["conjunctions"])
    departments: dict[str, str] = {}
    doubtful: dict[str, set[str]] = {}
    functions: dict[str, str] = {}
    short = read["department"]["same_suffixes"]
    for function in read["functions"]:
        full, *_ = function["names"]
        for suffix in function["suffixes"]:
            name = full + suffix
            functions[name] = full
            for spelling in _spellings(function["names"], suffix, short):
                _put(departments, without(spelling, conjunctions), name)
            for spelling in _spellings(function.get("doubtful", []), suffix, short):
                doubtful.setdefault(without(spelling, conjunctions), set()).add(name)
    return AgencyWords(
        peoples=_longest_first(read["peoples"]),
        inner_offices=frozenset(read["government"]["inner_offices"]),
        variants=str.maketrans(read["variants"]),
        government_names=frozenset(read["government"]["names"]),
        between=_longest_first(read["government"]["between"]),
        offices=frozenset(read["government"]["offices"]),
        office_name=read["government"]["office_name"],
        relative=tuple(read["government"]["relative"]),
        street_suffixes=_longest_first(read["street"]["suffixes"]),
        street_name=read["street"]["name"],
        doubtful_street_suffixes=_longest_first(read["street"]["doubtful_suffixes"]),
        town_suffixes=_longest_first(read["town"]["suffixes"]),
        town_ends=_longest_first(read["town"]["ends"]),
        town_name=read["town"]["name"],
        committee_suffixes=_longest_first(read["committee"]["suffixes"]),
        committee_name=read["committee"]["name"],
        zones=_longest_first(read["committee"]["zones"]),
        vertical=tuple(read["vertical"]["starts"]),
        national=tuple(read["vertical"]["national"]),
        idle_brackets=tuple(read["brackets"]["idle"]),
        conjunctions=conjunctions,
        department_suffixes=_longest_first(read["department"]["suffixes"]),
        certain_suffixes=_longest_first(read["department"]["certain_suffixes"]),
        institution_suffixes=_longest_first(read["institution"]["suffixes"]),
        departments=departments,
        doubtful={spelling: frozenset(names) for spelling, names in doubtful.items()},
        functions=functions,
    )


@cache
def words_digest() -> str:
    """Changes whenever the words do."""
    return hashlib.sha256((WORDS / _FILE).read_bytes()).hexdigest()[:16]


def without(name: str, conjunctions: tuple[str, ...]) -> str:
    """发展和改革局 → 发展改革局: conjunctions stand between two words of at least two characters each."""
    kept = [
        character
        for at, character in enumerate(name)
        if not (character in conjunctions and at >= 2 and len(name) - at > 2)
    ]
    return "".join(kept)


def _spellings(names: list[str], suffix: str, short: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        yield name + suffix
        yield from (name + brief for brief, full in short.items() if full == suffix)


def _put(departments: dict[str, str], spelling: str, name: str) -> None:
    """A spelling of two departments would merge them in silence, so it is refused."""
    if departments.setdefault(spelling, name) != name:
        raise ValueError(f"{_FILE}: {spelling!r} is a name of both {departments[spelling]!r} and {name!r}")


def _longest_first(words: list[str]) -> tuple[str, ...]:
    return tuple(sorted(words, key=lambda word: (-len(word), word)))
