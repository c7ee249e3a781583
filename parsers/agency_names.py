"""Which body a printed name means: its division, its kind and what it is called there.

A name is read in the context of the site that published it. What the words and the division codes settle is certain;
of everything else is said why it is not.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from parsers.agency_units import Kind, Unit, spelled, unit_of
from parsers.agency_words import agency_words
from parsers.division_index import Beginning, DivisionIndex
from parsers.divisions import level_of

_IDEOGRAPHIC = re.compile(r"[\u3400-\u9fff\uf900-\ufaff][\u3400-\u9fff\uf900-\ufaff0-9A-Z()·、]+")
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
ELSEWHERE = "elsewhere"
# Streets and towns may begin with a division's name, or with a character that is also a kind of one.
_AFTER_STEMS = ("government", "government_office", "department", "committee")


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around a printed name: the site file's code and agency, who put the page up, the report's year."""

    division_code: str | None = None
    site_agency: str = ""
    publisher: str = ""
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a body that body: the place (by the first of its codes), the kind, and a key of its name there."""

    place: str
    kind: Kind
    key: str

    @property
    def agency_id(self) -> str:
        """Opaque, and the same whenever it is worked out."""
        told = "|".join((self.place, self.kind, self.key))
        number = int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big")
        return "a" + "".join(_DIGITS[number >> shift & 31] for shift in range(55, -5, -5))


@dataclass(frozen=True, slots=True)
class Named:
    """A printed name, read. Without `identity` nobody can say from the name; `rule` says by which rule, or why not.

    `name` is the body's name inside its division, "" for a government.
    """

    identity: Identity | None
    name: str
    rule: str
    evidence: str


class AgencyMatcher:
    """Reads names against one set of division codes."""

    def __init__(self, index: DivisionIndex) -> None:
        self._index = index

    def named(self, printed: str, context: Context) -> Named:
        """Reads a name as a document, or its page, prints it."""
        text = _without_vertical(spelled(printed))
        if not _IDEOGRAPHIC.fullmatch(text):
            return _open("not_a_name", f"{printed!r} is no Chinese name")
        return self._with_division(text, context) or self._without_division(text, context)

    def has_counties(self, place: str) -> bool:
        return self._index.has_counties(self._index.code(place))

    def is_within(self, place: str, code: str) -> bool:
        return self._index.is_within(place, code)

    def division_at_end(self, text: str, context: Context) -> tuple[str, str]:
        """The place whose name a text ends with, and that name; `ELSEWHERE` where the context does not say which place,
        ("", "") when no division is named.
        """
        for end in agency_words().between:
            text = text.removesuffix(end)
        for start in range(len(text) - 1):
            whole = [one for one in self._index.beginnings(text[start:], context.year) if not one.rest]
            if whole:
                places = {self._index.place(one.code) for one in self._near(whole, context)}
                return places.pop() if len(places) == 1 else ELSEWHERE, text[start:]
        return "", ""

    # 南岗区文化街道

    def _with_division(self, text: str, context: Context) -> Named | None:
        """The name of a body that begins with its division's; None when it does not."""
        beginnings = self._index.beginnings(text, context.year)
        found = [
            (beginning, unit)
            for beginning in beginnings
            if (unit := unit_of(beginning.rest)) is not None and not self._is_cut_word(beginning, unit, context)
        ]
        if not found:
            return None
        is_shorter = len(found[0][0].rest) > len(beginnings[0].rest) and unit_of(beginnings[0].rest) is None
        if is_shorter and found[0][1].kind not in ("street_office", "town"):
            # 舞阳县委员会: a street may be called 城区, a body of a city is not called by its county's name.
            return _open("unknown_form", f"{text}: after {beginnings[0].code} no name of a body")
        # What reads most of the text as divisions counts: 平房区平房镇 is a town, not a body of the prefecture.
        longest = [pair for pair in found if len(pair[0].rest) == len(found[0][0].rest)]
        near = self._near([beginning for beginning, _ in longest], context)
        places = sorted({self._index.place(beginning.code) for beginning in near})
        if len(places) != 1:
            codes = places or sorted({beginning.code for beginning, _ in longest})
            told = ", ".join(f"{code} {self._index.full_name(code)}" for code in codes)
            site = f"; its site is of {context.division_code}" if context.division_code else ""
            return _open("which_division", f"{text}: may be of {told}{site}")
        beginning, unit = next(pair for pair in longest if pair[0] in near)
        shown = f"{beginning.code} {self._index.name(beginning.code, context.year)}"
        evidence = f"{text} = {shown} + {beginning.rest or 'government'}"
        if not self._index.holds(beginning.code, context.year):
            return _open("division_ended", f"{evidence}, which was no more in {context.year}")
        if unit.kind not in ("street_office", "town") or not self._index.has_counties(beginning.code):
            return self._certain(places[0], unit, "printed_division", evidence)
        own = context.division_code
        is_province = shown.endswith(("省", "自治区"))
        if (
            is_province
            or own is None
            or self._index.has_counties(own)
            or not self._index.is_within(own, beginning.code)
        ):
            return _open("which_division", f"{evidence}: of which district is not said")
        return self._certain(self._index.place(own), unit, "printed_city", f"{evidence} on a site of {own}")

    def _is_cut_word(self, beginning: Beginning, unit: Unit, context: Context) -> bool:
        """朝阳市场监督管理局 is not of 朝阳市: the division's last character is the first one of a bureau's name.

        On a site of 伊春市, 伊春区划地名局 may be that too.
        """
        if unit.is_known or unit.kind != "department":
            return False
        name = self._index.name(beginning.code)
        whole = unit_of(name[-1] + beginning.rest)
        if whole is None or whole.kind != "department":
            return False
        own = context.division_code
        above = self._index.stems(own).get(name[:-1]) if own else None
        return whole.is_known or (beginning.named == 1 and above is not None and above != beginning.code)

    def _near(self, found: list[Beginning], context: Context) -> list[Beginning]:
        """Of places of one name those around the site; elsewhere only what is told in full or is the only one."""
        own = context.division_code
        if own is not None and self._index.knows(own):
            chain = self._index.chain(own)
            around = next(iter(chain[1:2]), own)
            for tier in (
                [one for one in found if one.code in chain or self._index.is_within(one.code, own)],
                [one for one in found if self._index.is_within(one.code, around)],
            ):
                if tier:
                    return tier
        if full := [one for one in found if one.named > 1]:
            return full
        is_county = level_of(found[0].code) == "county"
        return [one for one in found if self._index.is_only(one.code) and (own is None or not is_county)]

    # 文化街道, 区财政局

    def _without_division(self, text: str, context: Context) -> Named:
        code = context.division_code
        if code is None:
            return _open("no_division", f"{text}: neither name nor site names a division")
        shown = f"{text} on a site of {code} {self._index.name(code, context.year)}".rstrip()
        unit = unit_of(text)
        if unit is None or not unit.is_known or unit.kind == "committee":
            if relative := self._relative(text, code):
                return self._certain(self._index.place(relative[0]), relative[1], "relative_division", shown)
            if stemmed := self._after_stem(text, code):
                return self._certain(self._index.place(stemmed[0]), stemmed[1], "short_division", shown)
        if unit is None:
            return _open("unknown_form", f"{text}: this is no form of a body's name that is known")
        if same := self._as_told_around(unit, context):
            return same
        if unit.kind == "government":
            return _open("no_division", f"{shown}: whose government is not said")
        if text.startswith(agency_words().national):
            return _open("national_body", f"{shown}: a body of the state, or a branch of one")
        if unit.kind == "institution" or unit.is_inner:
            return _open("bare_institution", f"{shown}: several bodies may be called so")
        if self._index.has_counties(code) or (text.startswith(agency_words().relative) and not unit.is_known):
            return _open("which_division", f"{shown}: of which division is not said")
        return self._certain(self._index.place(code), unit, "site_division", shown)

    def _relative(self, text: str, code: str) -> tuple[str, Unit] | None:
        """区财政局: of the nearest division around the site that is a 区. Streets may be called 市府街道."""
        if not text.startswith(agency_words().relative):
            return None
        unit = unit_of(text[1:])
        if unit is None or not unit.is_known or unit.kind not in _AFTER_STEMS:
            return None
        of_kind = (one for one in self._index.chain(code) if self._index.name(one).endswith(text[0]))
        place = next((one for one in of_kind if _may_have(one, text)), None)
        return (place, unit) if place is not None else None

    def _after_stem(self, text: str, code: str) -> tuple[str, Unit] | None:
        """南岗财政局: of a division around the site. Streets may have the district's name in theirs: 和平里街道."""
        for stem, place in self._index.stems(code).items():
            rest = text.removeprefix(stem)
            unit = unit_of(rest) if rest not in (text, "") else None
            if unit and unit.is_known and unit.kind in _AFTER_STEMS:
                return place, unit
        return None

    def _as_told_around(self, unit: Unit, context: Context) -> Named | None:
        """The body of this name that the site's own agency or the page's publisher is, told with its division.

        Not so 人民政府: it may be what is left of a town's name, and many towns share a site.
        """
        if unit.kind == "government":
            return None
        for rule, around in (("site_agency", context.site_agency), ("publisher", context.publisher)):
            text = _without_vertical(spelled(around))
            told = self._with_division(text, context) if _IDEOGRAPHIC.fullmatch(text) else None
            if told and told.identity and (told.identity.kind, told.identity.key) == (unit.kind, unit.key):
                return Named(told.identity, unit.name, f"{rule}/{unit.kind}", f"{unit.name}: {rule} is {around}")
        return None

    def _certain(self, place: str, unit: Unit, rule: str, evidence: str) -> Named:
        identity = Identity(place, unit.kind, self._key(place, unit))
        return Named(identity, unit.name, f"{rule}/{unit.kind}", evidence)

    def _key(self, place: str, unit: Unit) -> str:
        """The key without a repeated division: 哈尔滨经济开发区管理委员会 of 哈尔滨市 is 经济开发区管理委员会."""
        if unit.kind != "committee":
            return unit.key
        rests = (unit.key.removeprefix(stem) for stem in self._index.stems(self._index.code(place)))
        inner = (unit_of(rest) for rest in rests if rest != unit.key)
        return next((one.key for one in inner if one and one.kind == "committee" and one.is_known), unit.key)


def _may_have(code: str, text: str) -> bool:
    """Only provinces have 厅; 区财政局 where there is no district is not for that the autonomous region's."""
    if text.endswith("厅") and not text.endswith("办公厅"):
        return level_of(code) == "province"
    return level_of(code) != "province" or not text.startswith("区")


def _without_vertical(text: str) -> str:
    for start in agency_words().vertical:
        text = text.removeprefix(start) if len(text) > len(start) + 3 else text
    return text


def _open(rule: str, evidence: str) -> Named:
    return Named(None, "", rule, evidence)
