"""What a report's text says of the division of a body whose name does not: 现公布南岗区文化街道2020年度报告."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parsers.agency_names import ELSEWHERE, AgencyMatcher, Context, Identity, Named
from parsers.agency_units import Unit, spelled, spellings, unit_of
from parsers.vocabulary import report_words

_BEFORE = 24
_SUBORDINATES = ("street_office", "town")


def with_text(found: Named, printed: str, context: Context, text: str, matcher: AgencyMatcher) -> Named:
    """A name that was read without its division, read again with what the report says before that name.

    A text that names another district than the site's leaves the report open, and so does one that names two.
    """
    unit = unit_of(spelled(printed))
    if unit is None or unit.kind not in (*_SUBORDINATES, "department"):
        return found
    told = dict(_told(unit, spelled(text), context, matcher))
    if found.identity is not None:
        if told and found.identity.place not in told:
            return _open("text_contradicts_site", f"{found.evidence}, but the text says {_shown(told)}")
        return found
    own = context.division_code
    near = {
        place: evidence
        for place, evidence in told.items()
        if place != ELSEWHERE and matcher.is_within(place, own or place)
    }
    if len(near) == 1 and len(told) == 1:
        ((place, evidence),) = near.items()
        return Named(Identity(place, unit.kind, unit.key), unit.name, f"told_in_text/{unit.kind}", evidence)
    return found if not told else _open(found.rule, f"{found.evidence}; the text says {_shown(told)}")


def _told(unit: Unit, text: str, context: Context, matcher: AgencyMatcher) -> Iterator[tuple[str, str]]:
    """Places that stand before the body's name in the text, each with the words that say so.

    A street's name with a city alone before it says nothing. A county's bureau may well speak of the city's: of bureaux
    only what is announced counts.
    """
    names = "|".join(map(re.escape, spellings(unit)))
    for match in re.finditer(names, text):
        before = text[max(0, match.start() - _BEFORE) : match.start()]
        place, words = matcher.division_at_end(before, context)
        is_announced = before[: before.rfind(words)].endswith(report_words().announcing)
        is_street = unit.kind in _SUBORDINATES and (place == ELSEWHERE or not matcher.has_counties(place))
        if place and (is_street or (is_announced and unit.kind == "department")):
            yield place, f"{words}{match[0]}"


def _shown(told: dict[str, str]) -> str:
    return ", ".join(f"{words} ({place})" for place, words in sorted(told.items()))


def _open(rule: str, evidence: str) -> Named:
    return Named(None, "", rule, evidence)
