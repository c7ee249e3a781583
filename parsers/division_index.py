"""Division codes by name, by place and by time: which places a printed name can mean."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from parsers.agency_words import agency_words
from parsers.divisions import Division, level_of

_LONGEST = 20
# The regulation on disclosure is of 2008: codes that ended before are other places at another time.
_SINCE = "2008"
# Codes that the statistics bureau gives to development zones; they have no government.
_ZONE_CODE = re.compile(r"\d{4}7[1-9]")
_KINDS = ("省", "市", "区", "县", "旗", "州", "盟")
# Revisions are some months apart: a code that ends and one that begins within a year may be one place.
_SAME_TIME_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a printed name begins with: the last of the divisions it names, how many of them, and what follows."""

    code: str
    named: int
    rest: str


class DivisionIndex:
    """All names of all codes that held at some time since annual reports exist.

    A place whose code was changed and whose name was not is one place, known by the first of its codes.
    """

    def __init__(self, divisions: Iterable[Division]) -> None:
        held = [one for one in divisions if one.valid_to is None or one.valid_to >= _SINCE]
        self._by_code: dict[str, list[Division]] = defaultdict(list)
        self._by_name: dict[str, list[Division]] = defaultdict(list)
        for one in held:
            if not _is_zone(one):
                self._by_code[one.code].append(one)
                for name in (one.name, *short_names(one.name)):
                    self._by_name[name].append(one)
        self._first_codes = dict(_recoded(self._by_name))
        self._last_codes = self._newest()

    def _newest(self) -> dict[str, str]:
        newest: dict[str, str] = {}
        for code in sorted(self._first_codes, key=lambda code: self._by_code[code][-1].valid_from):
            newest[self._first_codes[code]] = code
        return newest

    def knows(self, code: str | None) -> bool:
        return code in self._by_code

    def place(self, code: str) -> str:
        """The code by which a place is known here, whatever its code is at a time."""
        return self._first_codes.get(code, code)

    def code(self, place: str) -> str:
        """The newest code of a place."""
        return self._last_codes.get(place, place)

    def is_within(self, code: str, other: str) -> bool:
        """Whether a place, under any code it had, is in another division or is it."""
        return any(is_inside(one, other) for one in self._codes_of_place[self.place(code)] | {code})

    @cached_property
    def _codes_of_place(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for code, place in self._first_codes.items():
            found[place].add(code)
        return found

    def holds(self, code: str, year: int | None) -> bool:
        """Whether there was such a place in a year, under whatever name and code."""
        codes = self._codes_of_place[self.place(code)] | {code}
        return year is None or any(one.holds_in(year) for known in codes for one in self._by_code.get(known, []))

    def name(self, code: str, year: int | None = None) -> str:
        """What a code is called in a year, else what it was called last; "" when it is unknown."""
        known = self._by_code.get(code, [])
        held = [one.name for one in known if one.holds_in(year)] if year is not None else []
        return held[-1] if held else (known[-1].name if known else "")

    def is_only(self, code: str) -> bool:
        """Whether no other place was called so since."""
        return all(
            {self.place(one.code) for one in self._by_name[name]} == {self.place(code)} for name in self._names(code)
        )

    def _names(self, code: str) -> set[str]:
        return {one.name for one in self._by_code.get(code, [])}

    def parent(self, code: str) -> str | None:
        """The next higher division that has a name of its own."""
        above = [f"{code[:4]}00", f"{code[:2]}0000"]
        return next((one for one in above if one != code and one in self._by_code), None)

    def chain(self, code: str) -> list[str]:
        """The division and those above it, the highest last."""
        found = [code]
        while (above := self.parent(found[-1])) is not None:
            found.append(above)
        return found

    def has_counties(self, code: str) -> bool:
        """Whether a body without its division's name may be of one of several districts."""
        return code in self._above_counties or not self.knows(code)

    @cached_property
    def _above_counties(self) -> frozenset[str]:
        counties = (code for code in self._by_code if level_of(code) == "county")
        return frozenset(above for code in counties for above in self.chain(code)[1:])

    def full_name(self, code: str) -> str:
        """哈尔滨市南岗区, 北京市海淀区, 尚志市: the name people would write in full, without the province."""
        if self.name(code).endswith("市"):
            return self.name(code)
        chain = self.chain(code)
        above = chain[1] if len(chain) > 1 else None
        has_city = above is not None and (level_of(above) == "prefecture" or self.name(above).endswith("市"))
        return (self.name(above) if has_city and above is not None else "") + self.name(code)

    def stems(self, code: str) -> dict[str, str]:
        """南岗 → 230103: names without their last character, of the division and those above it; none that is two's."""
        found: dict[str, str] = {}
        for one in self.chain(code):
            for name in sorted(self._names(one)):
                stem = _stem(name)
                found[stem] = "" if stem in found and found[stem] != one else one
        return {stem: one for stem, one in found.items() if len(stem) >= 2 and one}

    def former_names(self, code: str) -> list[tuple[int, str]]:
        """Earlier names of the same code, each with the year in which another took its place."""
        known = self._by_code.get(code, [])
        return [(int(new.valid_from[:4]), old.name) for old, new in pairwise(known)]

    def renamed(self) -> Iterator[tuple[str, str]]:
        """Codes one of which may be the other under a new name: 双城市 ended when 双城区 began, in the same city."""
        ended = [one for known in self._by_code.values() for one in known if one.valid_to is not None]
        begun: dict[tuple[str, str], list[Division]] = defaultdict(list)
        for known in self._by_code.values():
            for one in known:
                begun[one.code[:2], _stem(one.name)].append(one)
        for old in ended:
            for new in begun[old.code[:2], _stem(old.name)]:
                if new.code != old.code and new.level == old.level and _follows(old, new):
                    pair = (self.place(old.code), self.place(new.code))
                    if pair[0] != pair[1]:
                        yield pair

    def beginnings(self, text: str, year: int | None = None) -> list[Beginning]:
        """Every way to read the beginning of a text as divisions, each inside the one before it; longest first."""
        found: dict[Beginning, None] = {}
        waiting = [Beginning(code, 1, text[end:]) for end, code in self._firsts(text, year)]
        waiting += self._after_stems(text, year)
        while waiting:
            one = waiting.pop()
            found[one] = None
            waiting.extend(
                Beginning(code, one.named + (code != one.code), one.rest[end:])
                for end, code in self._firsts(one.rest, year, inside=one.code)
            )
        return sorted(found, key=lambda one: (len(one.rest), -one.named, one.code))

    def _firsts(self, text: str, year: int | None, *, inside: str = "") -> list[tuple[int, str]]:
        """The longest name of a division that a text begins with: where it ends, and each code it stands for."""
        for end in range(min(_LONGEST, len(text)), 1, -1):
            known = [one for one in self._by_name.get(text[:end], []) if not inside or is_inside(one.code, inside)]
            if known:
                held = {one.code for one in known if one.holds_in(year)} - _raised_later(known, year)
                return [(end, code) for code in sorted(held or {one.code for one in known})]
        return []

    def _after_stems(self, text: str, year: int | None) -> Iterator[Beginning]:
        """哈尔滨南岗区: a city or province without its last character, where a division of it follows."""
        for end in range(2, min(_LONGEST, len(text))):
            for above in sorted(self._stems_of_cities.get(text[:end], ())):
                for inner, code in self._firsts(text[end:], year, inside=above):
                    if code != above:
                        yield Beginning(code, 2, text[end + inner :])

    @cached_property
    def _stems_of_cities(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for code, known in self._by_code.items():
            if level_of(code) != "county":
                for one in known:
                    found[_stem(one.name)].add(code)
        return found


def is_inside(code: str, other: str) -> bool:
    """Whether a division is another one or part of it."""
    if other.endswith("0000"):
        return code[:2] == other[:2]
    return code[:4] == other[:4] if other.endswith("00") else code == other


def short_names(name: str) -> list[str]:
    """延边州 of 延边朝鲜族自治州, 内蒙古 of 内蒙古自治区: what a name of an autonomous division is shortened to."""
    peoples = agency_words().peoples
    for ending, short in (("自治区", ""), ("自治州", "州"), ("自治县", "县"), ("自治旗", "旗")):
        core = name.removesuffix(ending)
        if core == name:
            continue
        while cut := next((core.removesuffix(people) for people in peoples if core.endswith(people)), ""):
            core = cut
        return [core + short] if len(core) >= 2 else []
    return []


def _raised_later(known: Iterable[Division], year: int | None) -> set[str]:
    """Codes that began after a year in which a place of another level had their name: until 2016 哈密市 was a county's
    equal in 哈密地区, then the prefecture.
    """
    if year is None:
        return set()
    begun = [one for one in known if one.valid_from[:4] <= str(year) and one.holds_in(year)]
    later = {one.code for one in known} - {one.code for one in begun}
    return {code for code in later if any(one.code[:2] == code[:2] and one.level != level_of(code) for one in begun)}


def _stem(name: str) -> str:
    return name[:-1] if name.endswith(_KINDS) else name


def _is_zone(division: Division) -> bool:
    return division.source == "gb2260" and _ZONE_CODE.fullmatch(division.code) is not None and division.name[-1] != "县"


def _recoded(by_name: dict[str, list[Division]]) -> Iterator[tuple[str, str]]:
    """code → first code, for places whose code ended when another began for the same name and level nearby."""
    for known in by_name.values():
        spans = sorted(known, key=lambda one: one.valid_from)
        first: dict[str, str] = {}
        for old in spans:
            following = [new for new in spans if _is_recoding(old, new)]
            before = [other for other in spans if following and _is_recoding(other, following[0])]
            if len(following) == len(before) == 1:
                first[following[0].code] = first.get(old.code, old.code)
        for code, root in first.items():
            yield code, root
            yield root, root


def _is_recoding(old: Division, new: Division) -> bool:
    return (
        old.name == new.name
        and old.code != new.code
        and old.level == new.level
        and old.code[:2] == new.code[:2]
        and _follows(old, new)
    )


def _follows(old: Division, new: Division) -> bool:
    if old.valid_to is None:
        return False
    return abs(_months(old.valid_to) - _months(new.valid_from)) <= _SAME_TIME_MONTHS


def _months(month: str) -> int:
    year, _, rest = month.partition("-")
    return int(year or 0) * 12 + int(rest[:2] or 1)
