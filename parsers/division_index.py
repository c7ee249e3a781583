"""Division codes by name, by place and by time: which places a printed name can mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from parsers.divisions import Division, Level, level_of

_LONGEST = 20
# Reports begin in 2008; codes that ended before are places of the same name at another time.
_SINCE = "2007"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a printed name begins with: the last of the divisions it names, how many, and what follows them."""

    code: str
    named: int
    rest: str


class DivisionIndex:
    """All names of all codes that held at some time since annual reports exist."""

    def __init__(self, divisions: Iterable[Division]) -> None:
        self._by_name: dict[str, list[Division]] = defaultdict(list)
        self._by_code: dict[str, list[Division]] = defaultdict(list)
        for division in divisions:
            if division.valid_to is None or division.valid_to >= _SINCE:
                self._by_name[division.name].append(division)
                self._by_code[division.code].append(division)

    def knows(self, code: str | None) -> bool:
        return code in self._by_code

    def name(self, code: str, year: int | None = None) -> str:
        """What a code is called in a year, else what it was called last; "" when it is unknown."""
        known = self._by_code.get(code, [])
        held = [division.name for division in known if division.holds_in(year)]
        return held[-1] if held else (known[-1].name if known else "")

    def names(self, code: str) -> list[str]:
        return [division.name for division in self._by_code.get(code, [])]

    def codes(self, name: str, year: int | None = None) -> frozenset[str]:
        """The codes that a name stands for, those of the year if there are any."""
        known = self._by_name.get(name, [])
        held = frozenset(division.code for division in known if division.holds_in(year))
        return held or frozenset(division.code for division in known)

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
        return level_of(code) != "county" and code in self._parents_of_counties

    @cached_property
    def _parents_of_counties(self) -> frozenset[str]:
        counties = (code for code in self._by_code if level_of(code) == "county")
        return frozenset(above for code in counties for above in self.chain(code)[1:])

    def full_name(self, code: str, year: int | None = None) -> str:
        """哈尔滨市南岗区: with the prefecture, without the province where there is one."""
        chain = self.chain(code)
        shown = (
            chain[:-1]
            if len(chain) > 1 and level_of(chain[-1]) == "province" and level_of(chain[0]) != "county"
            else chain
        )
        if len(shown) > 2:
            shown = shown[:2]
        return "".join(self.name(one, year) for one in reversed(shown))

    def beginnings(self, text: str, year: int | None = None) -> Iterator[Beginning]:
        """Every way to read the beginning of a text as divisions, each inside the one before it."""
        seen: set[Beginning] = set()
        waiting = [Beginning(code, 1, text[end:]) for end, code in self._firsts(text, year)]
        while waiting:
            found = waiting.pop()
            inner = [
                Beginning(code, found.named + 1, found.rest[end:])
                for end, code in self._firsts(found.rest, year)
                if is_inside(code, found.code)
            ]
            waiting.extend(inner)
            # 南岗区南岗区文化街道: what is named again counts once.
            if not inner and found not in seen:
                seen.add(found)
                yield found

    def _firsts(self, text: str, year: int | None) -> Iterator[tuple[int, str]]:
        for end in range(min(_LONGEST, len(text)), 1, -1):
            codes = self.codes(text[:end], year)
            if codes:
                yield from ((end, code) for code in sorted(codes))
                return


def is_inside(code: str, other: str) -> bool:
    """Whether a division is another one or part of it."""
    return code.startswith(other.removesuffix("00").removesuffix("00")) if other.endswith("00") else code == other


def level(code: str) -> Level:
    return level_of(code)
