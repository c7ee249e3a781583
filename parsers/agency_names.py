"""Which body a printed name means: its division, its kind and what it is called there.

A name is read in the context of the site that published it. What the words and the division codes settle is certain;
everything else is said to be doubtful, and why.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

from parsers.agency_words import agency_words, without
from parsers.division_index import Beginning, DivisionIndex, is_inside
from parsers.divisions import level_of
from parsers.spacing import squeeze

Kind = Literal["government", "government_office", "street_office", "town", "committee", "department", "institution"]

_IDEOGRAPHIC = re.compile(r"[\u2e80-\u2fdf\u3400-\u9fff\uf900-\ufaff（）()·、]+")
_BRACKETED = re.compile(r"[（(]([^（）()]*)[）)]")
_INNER_DIVISION = re.compile(r".{2,}?[市区县州旗].{2,}")


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around a printed name. `division_code` and `site_agency` are the site file's."""

    division_code: str | None = None
    site: str = ""
    site_agency: str = ""
    publisher: str = ""
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A body inside a division. `name` is its canonical name there, "" for the government itself."""

    kind: Kind
    name: str
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a body that body. `apart` sets it apart from one of the same name until a person decides."""

    division_code: str
    kind: Kind
    name: str
    apart: str = ""

    @property
    def agency_id(self) -> str:
        """Opaque, and the same whenever it is worked out."""
        told = "|".join((self.division_code, self.kind, self.name, self.apart))
        number = int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big")
        digits = "0123456789abcdefghjkmnpqrstvwxyz"
        return "a" + "".join(digits[number >> shift & 31] for shift in range(55, -5, -5))


@dataclass(frozen=True, slots=True)
class Named:
    """A printed name, read. Without `identity` nobody can say from the name; `rule` says why or why not."""

    identity: Identity | None
    rule: str
    evidence: str

    @property
    def is_provisional(self) -> bool:
        return self.identity is not None and self.identity.apart != ""


class AgencyMatcher:
    """Reads names against one set of division codes."""

    def __init__(self, index: DivisionIndex) -> None:
        self._index = index

    def named(self, printed: str, context: Context) -> Named:
        text = spelled(printed)
        if not _IDEOGRAPHIC.fullmatch(text):
            return Named(None, "not_a_name", f"{printed!r} is no Chinese name")
        for start in agency_words().vertical:
            text = text.removeprefix(start) if len(text) > len(start) + 3 else text
        return self._printed(text, context) or self._bare(text, context)

    # With a division in front

    def _printed(self, text: str, context: Context) -> Named | None:
        """The name of a body that begins with its division's; None when it does not."""
        found = [
            (beginning, unit)
            for beginning in self._index.beginnings(text, context.year)
            if (unit := unit_of(beginning.rest)) is not None
        ]
        if not found:
            return None
        near = self._nearest([beginning for beginning, _ in found], context)
        chosen = [(beginning, unit) for beginning, unit in found if beginning in near]
        places = {beginning.code for beginning, _ in chosen}
        if len(places) != 1:
            told = ", ".join(sorted(places or {beginning.code for beginning, _ in found}))
            return Named(None, "which_division", f"{text}: may be of {told}")
        (code,) = places
        beginning, unit = chosen[0]
        evidence = f"{text} = {code} {self._index.name(code, context.year)} + {beginning.rest or '人民政府'}"
        return Named(Identity(code, unit.kind, unit.name), f"printed_division/{unit.kind}", evidence)

    def _nearest(self, found: list[Beginning], context: Context) -> list[Beginning]:
        """Of places of the same name, those in the site's division or around it; told in full, wherever they are."""
        own = context.division_code
        if own is not None:
            chain = set(self._index.chain(own))
            tiers = (
                [one for one in found if one.code in chain or is_inside(one.code, own)],
                [
                    one
                    for one in found
                    if self._index.parent(own) and is_inside(one.code, self._index.parent(own) or "")
                ],
            )
            for tier in tiers:
                if tier:
                    return tier
        return [one for one in found if one.named > 1] or (found if own is None else [])

    # Without

    def _bare(self, text: str, context: Context) -> Named:
        code = context.division_code
        if code is None:
            return Named(None, "no_division", f"{text}: neither name nor site names a division")
        unit, place, rule = unit_of(text), code, "site_division"
        if unit is None or not unit.is_known:
            relative = self._relative(text, code)
            if relative is not None:
                place, unit = relative
                rule = "relative_division"
        if unit is None:
            return Named(None, "unknown_form", f"{text}: no form of a body's name")
        if unit.kind == "government" and rule == "site_division":
            return Named(None, "no_division", f"{text}: whose government is not said")
        evidence = f"{text} on a site of {place} {self._index.name(place, context.year)}"
        identity = Identity(place, unit.kind, unit.name)
        if unit.kind == "institution":
            return Named(None, "bare_institution", f"{evidence}: several bodies may be called so")
        if rule == "relative_division" or not self._index.has_counties(place):
            return Named(identity, f"{rule}/{unit.kind}", evidence)
        if unit.kind in ("street_office", "town"):
            return Named(None, "which_division", f"{evidence}: which district is not said")
        return Named(replace(identity, apart=f"{context.site}:{text}"), f"provisional/{unit.kind}", evidence)

    def _relative(self, text: str, code: str) -> tuple[str, Unit] | None:
        """区财政局: of the nearest division around the site that is a 区."""
        words = agency_words()
        if not text.startswith(words.relative):
            return None
        unit = unit_of(text[1:])
        if unit is None or not unit.is_known or unit.kind not in ("government", "government_office", "department"):
            return None
        place = next((one for one in self._index.chain(code) if self._index.name(one).endswith(text[0])), None)
        return (place, unit) if place is not None else None


def spelled(printed: str) -> str:
    """A printed name in one spelling: no spaces, no full-width forms, simplified, without brackets that say nothing."""
    words = agency_words()
    text = squeeze(unicodedata.normalize("NFKC", printed)).translate(words.variants)
    return _BRACKETED.sub(lambda match: "" if match[1] in words.idle_brackets else match[0], text)


def unit_of(text: str) -> Unit | None:
    """The body that a name without its division means; None when it has no form of one."""
    words = agency_words()
    if text == "" or text in words.government_names:
        return Unit("government", "")
    if text in words.offices:
        return Unit("government_office", words.office_name)
    for start in words.between:
        inner = text.removeprefix(start)
        if inner != text and (unit := _body(inner)) is not None and unit.is_known:
            return unit
    return _body(text)


def _body(text: str) -> Unit | None:
    return _department(text, only_known=True) or _street(text) or _town(text) or _committee(text) or _other(text)


def _department(text: str, *, only_known: bool) -> Unit | None:
    words = agency_words()
    key = without(text, words.conjunctions)
    if key in words.departments:
        return Unit("department", words.departments[key])
    if only_known or not text.endswith(words.department_suffixes) or len(text) < 3:
        return None
    return Unit("department", key, is_known=False)


def _street(text: str) -> Unit | None:
    words = agency_words()
    base = _base(text, words.street_suffixes)
    if base is None or len(base) < 2:
        return None
    return Unit("street_office", base + words.street_name, is_known=_is_plain(base))


def _town(text: str) -> Unit | None:
    words = agency_words()
    core = _base(text, words.town_ends)
    core = text if core is None else core
    base = _base(core, words.town_suffixes)
    if not base:
        return None
    return Unit("town", core + words.town_name, is_known=_is_plain(base))


def _committee(text: str) -> Unit | None:
    words = agency_words()
    base = _base(text, words.committee_suffixes)
    if base is None or len(base) < 2:
        return None
    return Unit("committee", base + words.committee_name, is_known=_is_plain(base))


def _other(text: str) -> Unit | None:
    if _is_part(text):
        return Unit("institution", text, is_known=False)
    return _department(text, only_known=False) or _institution(text)


def _institution(text: str) -> Unit | None:
    if len(text) < 3 or not text.endswith(agency_words().institution_suffixes):
        return None
    return Unit("institution", text, is_known=False)


def _is_part(text: str) -> bool:
    """文化街道办事处综合办: an office inside a street office or town."""
    words = agency_words()
    ends = [*words.street_suffixes, *(town + end for town in words.town_suffixes for end in words.town_ends)]
    return any(end in text[2:] for end in ends) or "分局" in text


def _is_plain(base: str) -> bool:
    """Whether a street's or town's name has no division in it that the codes do not know."""
    return _INNER_DIVISION.fullmatch(base) is None


def _base(text: str, suffixes: tuple[str, ...]) -> str | None:
    return next((text.removesuffix(suffix) for suffix in suffixes if text.endswith(suffix)), None)


def level(code: str) -> str:
    return level_of(code)
