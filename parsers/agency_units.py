"""A body's name without its division: what kind of body it is, and which spellings of its name are one.

The certain forms are listed in words/agencies.toml. A name of another form stands for itself alone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

from parsers.agency_words import agency_words, without
from parsers.spacing import squeeze

Kind = Literal["government", "government_office", "street_office", "town", "committee", "department", "institution"]

_BRACKETED = re.compile(r"\(([^()]*)\)")
# A division inside a name that no code knows: 高新区和平街道.
_INNER_DIVISION = re.compile(r".{2,}?[市区县州旗].{2,}")
_SHORTEST_STREET = 2
# The same names come again every year, and on every page of a site.
_CACHED = 20_000


@dataclass(frozen=True, slots=True)
class Unit:
    """A body inside a division. `key` is the same for all spellings that are certainly one, "" for the government.

    `name` is the full spelling. `is_known`: its form is one that the words list. `is_inner`: an office inside a body.
    """

    kind: Kind
    key: str
    name: str
    is_known: bool = True
    is_inner: bool = False


def spelled(printed: str) -> str:
    """A printed name in one spelling: no spaces, no full-width forms, simplified, without brackets that say nothing."""
    words = agency_words()
    text = squeeze(unicodedata.normalize("NFKC", printed)).translate(words.variants)
    return _BRACKETED.sub(lambda match: "" if match[1] in words.idle_brackets else match[0], text)


def spellings(unit: Unit) -> tuple[str, ...]:
    """How a text may call a body, longest first."""
    words = agency_words()
    if unit.kind == "street_office":
        base = unit.name.removesuffix(words.street_name)
        return tuple(base + suffix for suffix in words.street_suffixes)
    if unit.kind == "town":
        return (unit.name, unit.name.removesuffix(words.town_name))
    return (unit.name,)


@lru_cache(maxsize=_CACHED)
def unit_of(text: str) -> Unit | None:
    """The body that a name in one spelling means, its division taken off; None when it has no form of one."""
    words = agency_words()
    if text == "" or text in words.government_names:
        return Unit("government", "", "")
    if text in words.offices:
        return Unit("government_office", words.office_name, words.office_name)
    if text in words.inner_offices:
        return Unit("department", _key(text), text, is_known=False, is_inner=True)
    return _of_government(text) or _body(text)


def _of_government(text: str) -> Unit | None:
    """人民政府文化街道办事处. Of 政府采购办公室 nothing is taken off: 政府 alone may begin a name."""
    for start in agency_words().between:
        inner = text.removeprefix(start)
        unit = _body(inner) if inner not in (text, "") else None
        if unit is not None and unit.kind != "institution" and (unit.is_known or start.startswith("人民")):
            return unit
    return None


def _body(text: str) -> Unit | None:
    if text in _words_of_kinds():
        return None
    if (named := _BRACKETED.sub("", text)) != text:
        unit = _body(named)
        return replace(unit, key=_key(text), name=text, is_known=False) if unit else None
    if _is_part(text):
        return Unit("institution", text, text, is_known=False)
    return _listed_department(text) or _street(text) or _town(text) or _committee(text) or _department(text)


def _listed_department(text: str) -> Unit | None:
    name = agency_words().departments.get(_key(text))
    return Unit("department", _key(name), name) if name else None


def _street(text: str) -> Unit | None:
    words = agency_words()
    base = _base(text, words.street_suffixes)
    if base is None or len(base) < _SHORTEST_STREET:
        return None
    name = base + words.street_name
    return Unit("street_office", name, name, is_known=_is_plain(base))


def _town(text: str) -> Unit | None:
    words = agency_words()
    core = _base(text, words.town_ends)
    core = text if core is None else core
    base = _base(core, words.town_suffixes)
    if not base:
        return None
    name = core + words.town_name
    return Unit("town", name, name, is_known=_is_plain(base))


def _committee(text: str) -> Unit | None:
    words = agency_words()
    base = _base(text, words.committee_suffixes)
    if not base:
        return None
    name = base + words.committee_name
    return Unit("committee", name, name, is_known=base.endswith(words.zones) and _is_plain(base.removesuffix("区")))


def _department(text: str) -> Unit | None:
    """A body that no list knows: it stands for itself, whatever it is."""
    words = agency_words()
    base = _base(text, words.department_suffixes)
    if base is not None and len(base) >= 2 and text.endswith(words.certain_suffixes):
        return Unit("department", _key(text), text, is_known=False)
    if base is not None and len(base) >= 2:
        return Unit("department", _key(text), text, is_known=False, is_inner=True)
    if len(text) >= 3 and text.endswith(words.institution_suffixes):
        return Unit("institution", text, text, is_known=False)
    return None


def _is_part(text: str) -> bool:
    """文化街道办事处综合办, 公安局南岗分局: a part of a body, or a body below one."""
    words = agency_words()
    ends = [*words.street_suffixes, *(town + end for town in words.town_suffixes for end in words.town_ends)]
    longest = next((end for end in ends if text.endswith(end)), "")
    return any(end in text[2 : len(text) - len(longest)] for end in ends) or "分局" in text


def _is_plain(base: str) -> bool:
    """Whether a name has no division in it that no code knows."""
    return _INNER_DIVISION.fullmatch(base) is None


def _key(text: str) -> str:
    return without(text, agency_words().conjunctions)


@cache
def _words_of_kinds() -> frozenset[str]:
    """街道办, 管委会: kinds of bodies, and nobody's name."""
    words = agency_words()
    suffixes = (
        words.street_suffixes,
        words.committee_suffixes,
        words.department_suffixes,
        words.doubtful_street_suffixes,
    )
    return frozenset(suffix for known in suffixes for suffix in known)


def _base(text: str, suffixes: tuple[str, ...]) -> str | None:
    return next((text.removesuffix(suffix) for suffix in suffixes if text.endswith(suffix)), None)
