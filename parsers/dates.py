"""Calendar days as Chinese government documents print them.

Read with one pattern after folding full-width digits and Kangxi radicals (some PDF fonts map 日 and 月 to them). A day
that lost a character ("2018年11日" for 2018年1月1日) or does not exist (2月30日) is no date: guessing would invent one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

# One character each, so that positions in the folded text are positions in the printed one.
_FOLDED = "０１２３４５６７８９／－．：　\u00a0⽉⽇⼀⼆⼋⼗＿"
_FOLD = {ord(sign): unicodedata.normalize("NFKC", sign) for sign in _FOLDED}
_FOLD |= {
    ord("〇"): "零",
    ord("○"): "零",
    ord("Ｏ"): "零",
    ord("◯"): "零",
    ord("–"): "-",
    ord("—"): "-",
    ord("\t"): " ",
}

_CHINESE_DIGITS = {"零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_FIRST_YEAR, _LAST_YEAR = 1900, 2100

_NUMERAL = "零一二三四五六七八九"
_YEAR = rf"(?:(?<!\d)[12] ?\d ?\d ?\d|[一二][{_NUMERAL}O0]{{3}})"
_MONTH = r"(?:\d ?\d?|元|正|十[一二]?|[一二三四五六七八九])"
_DAY = rf"(?:\d ?\d?|[二三]?十[{_NUMERAL}]?|初?[一二三四五六七八九]|廿[{_NUMERAL}]?)"
_PRINTED = re.compile(
    rf"(?P<year>{_YEAR}) ?年 ?(?P<month>{_MONTH}) ?月 ?(?P<day>{_DAY}) ?[日号]"
    r"|(?<![\d.\-/])(?P<y2>[12]\d{3})(?P<sign>[-/.])(?P<m2>\d{1,2})(?P=sign)(?P<d2>\d{1,2})(?![\d/]|[-.]\d)"
    r"|\b(?P<m3>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?P<d3>\d{1,2}) [\d:]{8} [A-Z]{3} (?P<y3>\d{4})\b"
)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# /art/2022/1/14/art_…, /202401/t20220417_974894.html, /20210121/…, /art/2016-3-16/art_…
_IN_URL = re.compile(
    r"(?<!\d)(?P<y1>(?:19|20)\d{2})(?P<sign>[-/])(?P<m1>\d{1,2})(?P=sign)(?P<d1>\d{1,2})(?!\d)"
    r"|(?<!\d)(?P<y2>(?:19|20)\d{2})(?P<m2>\d{2})(?P<d2>\d{2})(?!\d)"
)
_PRINTED_YEAR = re.compile(rf"(?P<year>{_YEAR}) ?年")


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A calendar day: `value` in ISO form, `raw` as printed, `start` and `end` its place in the text given."""

    value: str
    raw: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PrintedYear:
    """A year followed by 年, and its place in the text given (年 included)."""

    value: int
    start: int
    end: int


def find_dates(text: str) -> Iterator[PrintedDate]:
    """Every calendar day printed in `text`, in order; impossible days are left out."""
    for match in _PRINTED.finditer(text.translate(_FOLD)):
        year, month, day = _parts(match)
        value = _iso(year, month, day)
        if value:
            yield PrintedDate(value, text[match.start() : match.end()], match.start(), match.end())


def find_date(text: str) -> PrintedDate | None:
    """The first calendar day printed in `text`."""
    return next(find_dates(text), None)


def find_url_date(url: str) -> PrintedDate | None:
    """The first calendar day written into a URL, there also as eight digits without separators."""
    for match in _IN_URL.finditer(url):
        year, month, day = (int(part) for name, part in match.groupdict().items() if part and name != "sign")
        value = _iso(year, month, day)
        if value:
            return PrintedDate(value, match.group(), match.start(), match.end())
    return None


def find_years(text: str) -> Iterator[PrintedYear]:
    """Every year printed with 年 in `text`, in order, in Arabic or Chinese digits."""
    for match in _PRINTED_YEAR.finditer(text.translate(_FOLD)):
        value = _number(match["year"])
        if _FIRST_YEAR <= value <= _LAST_YEAR:
            yield PrintedYear(value, match.start(), match.end())


def _parts(match: re.Match[str]) -> tuple[int, int, int]:
    if match["year"]:
        return _number(match["year"]), _number(match["month"]), _number(match["day"])
    if match["y2"]:
        return int(match["y2"]), int(match["m2"]), int(match["d2"])
    return int(match["y3"]), _MONTH_NAMES.index(match["m3"]) + 1, int(match["d3"])


def _iso(year: int, month: int, day: int) -> str | None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _number(printed: str) -> int:
    """A year, month or day in Arabic or Chinese digits: 2021, 二零二一, 十二, 二十一, 廿一, 元, 初三."""
    digits = printed.replace(" ", "")
    if digits.isascii() and digits.isdigit():
        return int(digits)
    if digits in {"元", "正"}:
        return 1
    digits = digits.removeprefix("初").replace("廿", "二十").replace("O", "零").replace("0", "零")
    if "十" in digits:
        tens, ones = digits.split("十")
        return _CHINESE_DIGITS.get(tens, 1) * 10 + _CHINESE_DIGITS.get(ones, 0)
    return int("".join(str(_CHINESE_DIGITS[digit]) for digit in digits))
