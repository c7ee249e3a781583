"""The name of the body a report is about, as the report gives it: in its title, signature or first sentence."""

from __future__ import annotations

import re
from functools import cache

from parsers.dates import find_years
from parsers.spacing import close_up
from parsers.vocabulary import report_words

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_BRACKETED = re.compile(r"[（(【\[][^）)】\]]*[）)】\]]")
_AROUND = "《》〈〉“”\"'「」『』-—–－_、，,：:·.。 "
_NAME = r"[\u4e00-\u9fff（）()·]"
_LONGEST, _SHORTEST = 40, 2
# 区政府, 街道: a subject this short names no one body.
_SHORTEST_SUBJECT = 4


def agency_in_title(title: str) -> str:
    """南岗区2021年政府信息公开工作年度报告 → 南岗区; "" when the title names nobody."""
    words = report_words()
    text = _without_years(_BRACKETED.sub("", close_up(title)))
    starts = [at for at in (text.find(subject) for subject in words.title_subjects) if at >= 0]
    name = _trimmed(text[: min(starts)] if starts else text)
    # 某某人民政府信息公开年报: 政府 is the end of the name and the beginning of 政府信息公开 at once.
    name = name + "政府" if name.endswith("人民") else name
    return name if starts and _is_name(name) else ""


def agency_announced(text: str) -> str:
    """The body in 现公布某某2020年度…报告. `text` without spaces."""
    for match in _announcement().finditer(text):
        name = _trimmed(match["name"])
        if _is_name(name):
            return name
    return ""


def agency_as_subject(sentence: str, *, is_first: bool) -> str:
    """The body that a sentence is about: 2020年，某某街道政务公开工作在… `sentence` without spaces.

    Only the first of a text may begin without a year; later ones are about offices and communities below the body.
    """
    year = next(find_years(sentence[:12]), None)
    start = year.end if year and year.start <= 1 else 0
    if not start and not is_first:
        return ""
    text = sentence[start : start + _LONGEST + 10].removeprefix("度").lstrip("，,、。")
    ends = [match.start() for match in _predicate().finditer(text)]
    for end in ends:
        name = text[:end].rstrip("，,")
        if len(name) >= _SHORTEST_SUBJECT and name.endswith(report_words().agency_suffixes) and _is_name(name):
            return name
    return ""


def is_signature(key: str) -> bool:
    """Whether a line without spaces can be the body's name above the date."""
    return len(key) <= _LONGEST and key.endswith(report_words().agency_suffixes) and _is_name(key)


def may_be_same(one: str, other: str) -> bool:
    """Whether two names may be one body's: they share two neighbouring characters beyond words like 人民政府."""
    first, second = _distinctive(one), _distinctive(other)
    return not first or not second or bool(first & second)


def _distinctive(name: str) -> set[str]:
    for word in report_words().agency_generic:
        name = name.replace(word, "|")
    return {name[at : at + 2] for at in range(len(name) - 1) if "|" not in name[at : at + 2]}


def _without_years(text: str) -> str:
    for year in reversed(list(find_years(text))):
        text = text[: year.start] + text[year.end :].removeprefix("度")
    return text


def _trimmed(name: str) -> str:
    around = report_words().title_around
    trimmed = name.strip(_AROUND)
    for word in around:
        trimmed = trimmed.removeprefix(word).removesuffix(word).strip(_AROUND)
    return trimmed


def _is_name(name: str) -> bool:
    words = report_words()
    return (
        _SHORTEST <= len(name) <= _LONGEST
        and re.fullmatch(rf"{_NAME}+", name) is not None
        and _CHINESE.match(name) is not None
        and not name.startswith(words.not_names)
    )


@cache
def _announcement() -> re.Pattern[str]:
    announcing = "|".join(map(re.escape, report_words().announcing))
    return re.compile(rf"(?:{announcing})(?P<name>{_NAME}{{2,40}}?)(?:20\d\d年|政府信息公开|二[〇○零]..年)")


@cache
def _predicate() -> re.Pattern[str]:
    longest_first = sorted(report_words().agency_predicates, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first)))
