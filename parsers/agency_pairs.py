"""Pairs of agencies that may be one body. Nothing follows from them: they are for a person to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from parsers.agency_names import Identity
from parsers.agency_words import agency_words, without
from parsers.division_index import DivisionIndex

_SUBORDINATES = ("street_office", "town")
_BUREAUX = ("department", "committee", "institution")


@dataclass(frozen=True, slots=True)
class Known:
    """An agency that reports were found of: its name inside its division and the years of its reports."""

    identity: Identity
    name: str
    years: frozenset[int]

    @property
    def agency_id(self) -> str:
        return self.identity.agency_id


@dataclass(frozen=True, slots=True)
class Pair:
    """Two agencies, the lower id first, and why they may be one."""

    agency_id: str
    other_id: str
    rule: str
    evidence: str


def doubtful_pairs(known: Iterable[Known], index: DivisionIndex) -> Iterator[Pair]:
    """Each pair once, by the first rule that doubts it."""
    by_place: dict[str, list[Known]] = defaultdict(list)
    for agency in sorted(known, key=lambda one: one.agency_id):
        by_place[agency.identity.place].append(agency)
    for place, agencies in by_place.items():
        stems = tuple(index.stems(index.code(place)))
        for one, other in combinations(agencies, 2):
            if rule := _doubt(one, other, stems):
                yield _pair(one, other, rule)
    yield from _across_places(by_place, index)


def _pair(one: Known, other: Known, rule: str) -> Pair:
    first, second = sorted((one, other), key=lambda agency: agency.agency_id)
    return Pair(first.agency_id, second.agency_id, rule, f"{_shown(first)} | {_shown(second)}")


def _shown(agency: Known) -> str:
    years = f" {min(agency.years)}-{max(agency.years)}" if agency.years else ""
    return (agency.name or "人民政府") + years


def _doubt(one: Known, other: Known, stems: tuple[str, ...]) -> str:
    kinds = {one.identity.kind, other.identity.kind}
    if kinds == {"government", "government_office"}:
        # A district's report may be put under its office's name in some years.
        return "office_fills_years" if one.years and other.years and not one.years & other.years else ""
    if "government" in kinds or "government_office" in kinds:
        return ""
    if _without_stem(one.name, stems) == _without_stem(other.name, stems):
        return "repeats_division"
    if kinds <= set(_SUBORDINATES):
        return _doubt_of_subordinates(one, other)
    if kinds <= set(_BUREAUX):
        return _doubt_of_bureaux(one.name, other.name)
    return "kind_of_office" if _street_base(one) == _street_base(other) else ""


def _doubt_of_subordinates(one: Known, other: Known) -> str:
    bases = sorted((_street_base(one), _street_base(other)), key=len)
    if bases[0] == bases[1]:
        return "kind_changed"
    return "part_of_name" if bases[1].endswith(bases[0]) or bases[1].startswith(bases[0]) else ""


def _doubt_of_bureaux(one: str, other: str) -> str:
    words = agency_words()
    if words.functions.get(one, one) == words.functions.get(other, other):
        return "same_function"
    keys = without(one, words.conjunctions), without(other, words.conjunctions)
    for key, name in ((keys[0], other), (keys[1], one)):
        if name in words.doubtful.get(key, ()):
            return "doubtful_spelling"
    short, long = sorted(keys, key=lambda key: (len(key), key))
    if _is_abbreviation(short, long) and not (one in words.functions and other in words.functions):
        return "abbreviation"
    return "one_character" if len(short) == len(long) >= 6 and _differing(short, long) == 1 else ""


def _street_base(agency: Known) -> str:
    """文化 of 文化街道办事处, 文化镇人民政府 and 文化办事处."""
    words = agency_words()
    name = agency.name
    for ends in (words.town_ends, (*words.street_suffixes, *words.doubtful_street_suffixes), words.town_suffixes):
        name = next((name.removesuffix(end) for end in ends if name.endswith(end)), name)
    return name


def _without_stem(name: str, stems: tuple[str, ...]) -> str:
    rests = (name.removeprefix(stem) for stem in stems)
    return next((rest.lstrip("市区县州旗") for rest in rests if rest != name and len(rest) > 2), name)


def _is_abbreviation(short: str, long: str) -> bool:
    """城管局 of 城市管理局: the same first and last characters, and all of the short name in order in the long one."""
    if len(short) < 3 or short[0] != long[0] or short[-1] != long[-1] or len(short) == len(long):
        return False
    left = iter(long)
    return all(character in left for character in short)


def _differing(one: str, other: str) -> int:
    return sum(first != second for first, second in zip(one, other, strict=True))


def _across_places(by_place: Mapping[str, list[Known]], index: DivisionIndex) -> Iterator[Pair]:
    """Bodies of one name in a division and in what it may have been called before: 双城市, 双城区."""
    for old, new in sorted(set(index.renamed())):
        later = {(one.identity.kind, one.identity.key): one for one in by_place.get(new, [])}
        for one in by_place.get(old, []):
            other = later.get((one.identity.kind, one.identity.key))
            if other is not None:
                yield _pair(one, other, "division_renamed")
