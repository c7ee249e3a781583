"""Printed labels and numbers, brought to one spelling for comparison.

What was printed is never thrown away: callers keep the raw text beside what these functions make of it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from parsers.model import Number

_NOT_LABEL = re.compile(r"[^0-9A-Za-z\u3400-\u9fff]+")
# NFKC brings the radicals that some PDF fonts print (⼀, ⺠) home.
_IDEOGRAPH = re.compile(r"[\u2e80-\u2fdf\u3400-\u9fff\uf900-\ufaff]")
_SPACE = re.compile(r"\s+")
# Characters without width or ink (zero-width space, byte order mark, soft hyphen): pasted along, never printed. Not
# \u202e, which prints digits back to front.
_UNSEEN = re.compile(r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202d\u2060-\u2064\u2066-\u206f\ufeff]")
_NUMBERING = re.compile(
    r"[(（]?[一二三四五六七八九十]{1,2}[)）]"
    r"|[一二三四五六七八九十]{1,2}[、.,，．:：]"
    r"|[(（]\d{1,2}[)）]"
    r"|\d{1,2}[、.,，．)）:：]"
    r"|\d{1,2}(?=[\u3400-\u9fff])"
)
_INSTRUCTION = re.compile(r"[(（\[【〔].*$")

# Printed where there is nothing to report; DATA: the contract's "blank". A lone 一 may be the numeral: not in the list.
_NOTHING = re.compile(r"[-‐‑‒–—―−－─━_/／\\＼|]*|无")
_UNITS: dict[str, Decimal | None] = {
    "元": Decimal(1),
    "万元": Decimal(10000),
    "亿元": Decimal(100000000),
    "人民币元": Decimal(1),
    "件": None,
    "项": None,
    "条": None,
    "个": None,
    "次": None,
    "篇": None,
    "人": None,
    "人次": None,
    "宗": None,
    "份": None,
    "期": None,
}
UNITS = frozenset(_UNITS)
_LONGEST_UNIT = 8
_MONEY = re.compile(r"[(,:\s](?:单位|金额单位)?:?\s*([百千万亿]{0,2}元|人民币元|[^\s(),:]{1,3}元|圆)\s*[)\]】]?\s*$")
_MONEY_NAMED = re.compile(r"[(:]\s*([百千万亿]{0,2}元)")
_SPACED_MONEY = re.compile(r"(?<=[百千万亿])\s+(?=[万亿元])")
# A label that names two units, or one that is none.
UNKNOWN_UNIT = "不明"
_NUMBER = re.compile(
    r"(?P<sign>[+\-＋－−–]?)"
    r"(?P<digits>\d[\d,，.\s]*)"
    r"(?P<unit>人民币元|亿元|万元|人次|元|件|项|条|个|次|篇|人|宗|份|期)?"
    r"(?P<note>[(（\[【〔].*[)）\]】〕]|[*※†‡]{1,3}|注\d{0,2})?[。.]?",
    re.DOTALL,
)
# A note beside a number that gives another one.
_CORRECTION = re.compile(r"更正|订正|修正|改为|应为|实为|有误")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_LIKE_GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+")
# 12 053 is one number, since none begins with a zero; 276 277 may be two.
_THOUSANDS_BY_SPACE = re.compile(r"(?=.* 0)\d{1,3}(?: \d{3})+")
# PDF readers put one space inside a number, never two; a tab parts two cells.
_TWO_NUMBERS = re.compile(r"\t|\d[ \u00a0\u3000]{2,}\d")
_MAX_DIGITS = 15

Oddity = Literal["", "spaces", "note", "unit_converted", "decimal_count", "broken_line", "sign", "leading_zero"]


@dataclass(frozen=True, slots=True)
class Printed:
    """What a value cell holds: `blank`, a `number`, or neither (`unreadable`).

    `value` is in the unit asked for. `oddity` names what was unusual in the print, "" for a plainly printed number.
    """

    status: Literal["number", "blank", "unreadable"]
    value: Number | None = None
    oddity: Oddity = ""


def seen(text: str) -> str:
    """`text` without the characters that nobody sees."""
    return text if text.isascii() else _UNSEEN.sub("", text)


@lru_cache(maxsize=65536)
def squeezed(text: str) -> str:
    """`text` after NFKC and without any white space or unseen characters."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", seen(text)))


@lru_cache(maxsize=65536)
def label_key(text: str) -> str:
    """The letters and digits of a label: two prints of one label that differ in spaces or punctuation have one key."""
    return _NOT_LABEL.sub("", squeezed(text))


@lru_cache(maxsize=65536)
def numbering(text: str) -> str:
    """The numbering a label begins with, as a key: "（三）不予公开" → "三", "1.属于国家秘密" → "1", else ""."""
    found = _NUMBERING.match(squeezed(text))
    return label_key(found.group()) if found else ""


@lru_cache(maxsize=65536)
def bare_key(text: str) -> str:
    """`label_key` without the numbering in front. A label that is nothing but numbering keeps it."""
    bare = _NUMBERING.sub("", squeezed(text), count=1) if _NUMBERING.match(squeezed(text)) else squeezed(text)
    return _NOT_LABEL.sub("", bare) or label_key(text)


@lru_cache(maxsize=4096)
def without_instruction(text: str) -> str:
    """A label without the instruction in brackets that ends it: "（二）部分公开（区分处理的…" → "（二）部分公开"."""
    squeezed_text = squeezed(text)
    found = _NUMBERING.match(squeezed_text)
    start = found.end() if found else 0
    return squeezed_text[:start] + _INSTRUCTION.sub("", squeezed_text[start:])


@lru_cache(maxsize=4096)
def money_unit(label: str) -> str:
    """The money unit a label ends with: "本年收费金额（单位：万元）" → "万元"; "" when it names none.

    UNKNOWN_UNIT where it names two, or one that cannot be converted.
    """
    folded = _SPACED_MONEY.sub("", unicodedata.normalize("NFKC", seen(label)))
    if len(set(_MONEY_NAMED.findall(folded))) > 1:
        return UNKNOWN_UNIT
    found = _MONEY.search(folded)
    if not found:
        return ""
    return found.group(1) if found.group(1) in _UNITS else UNKNOWN_UNIT


def is_unit(text: str) -> bool:
    """Whether a cell holds nothing but a unit."""
    return len(text) < _LONGEST_UNIT and squeezed(text) in UNITS


@lru_cache(maxsize=65536)
def is_wordy(text: str) -> bool:
    """Whether a cell holds words, as labels do, and not a number, a dash, nothing, or the remains of a number."""
    return bool(_IDEOGRAPH.search(text)) and read_number(text, "").status == "unreadable"


@lru_cache(maxsize=65536)
def read_number(text: str, unit: str) -> Printed:
    """Make a number, in `unit`, of what a value cell holds.

    Exact: amounts in another money unit are converted with decimals, nothing is rounded or guessed. `unit` "" takes
    any unit as it stands.
    """
    text = seen(text)
    # ①, ² and their like are footnote marks; NFKC would make digits of them.
    bare = (
        "".join(sign for sign in text if unicodedata.category(sign) not in ("No", "Nl")) if not text.isascii() else text
    )
    folded = unicodedata.normalize("NFKC", bare).strip()
    if bare != text and not folded:
        return Printed("unreadable")
    if _NOTHING.fullmatch(_SPACE.sub("", folded)):
        return Printed("blank")
    found = _NUMBER.fullmatch(folded)
    if not found:
        return Printed("unreadable")
    value, oddity = _value(found["digits"].strip(), money=unit in ("元", "万元"))
    if value is None:
        return Printed("unreadable")
    if found["sign"]:
        value = -value if found["sign"] != "+" else value
        oddity = oddity or "sign"
    printed_unit = found["unit"] or ""
    mark = found["note"] or ""
    if _CORRECTION.search(mark):
        return Printed("unreadable")
    if not printed_unit and mark[1:-1].strip() in _UNITS:
        printed_unit = mark[1:-1].strip()
    elif mark or bare != text:
        oddity = "note"
    return _bounded(_in_unit(value, printed_unit, unit, oddity))


def _value(digits: str, *, money: bool) -> tuple[Number | None, Oddity]:
    if _TWO_NUMBERS.search(digits):
        return None, ""
    # One point may end a number, as a sentence; with more, it is not all there.
    text = digits.replace("，", ",")
    text = text[:-1] if text.endswith((".", ",")) else text
    tight = _SPACE.sub("", text)
    oddity: Oddity = ""
    if tight != text and not _THOUSANDS_BY_SPACE.fullmatch(text):
        oddity = "broken_line" if "\n" in text else "spaces"
    if len(tight) > _MAX_DIGITS + tight.count(",") + 1:
        return None, ""
    if not _GROUPED.fullmatch(tight) and not _PLAIN.fullmatch(tight):
        return None, ""
    whole = tight.replace(",", "")
    if len(whole) > 1 and whole[0] == "0" and whole[1].isdigit():
        # 00 or 012 is two cells run together or a slip of the pen.
        return None, ""
    if "." not in whole:
        return int(whole), oddity
    if not money and _LIKE_GROUPED.fullmatch(whole):
        # 1.006 in a count may be 1,006: recognisers read the comma as a point.
        return None, ""
    exact = Decimal(whole)
    if exact == exact.to_integral_value() and not money:
        return int(exact), "decimal_count"
    return exact, oddity or ("" if money else "decimal_count")


def _in_unit(value: Number, printed: str, wanted: str, oddity: Oddity) -> Printed:
    if not printed or not wanted or printed == wanted:
        return Printed("number", value, oddity)
    have, want = _UNITS[printed], _UNITS.get(wanted)
    if have is None and want is None:
        return Printed("number", value, oddity)
    if have is None or want is None:
        # "12件" where money is expected, "12万元" where a count is.
        return Printed("unreadable")
    if have == want:
        return Printed("number", value, oddity)
    return Printed("number", whole_or_exact(Decimal(value) * have / want), oddity or "unit_converted")


def _bounded(printed: Printed) -> Printed:
    """Nothing that reports count has more digits; a few numbers that had would add up to more than SQLite holds."""
    is_sound = printed.value is None or abs(printed.value) < 10**_MAX_DIGITS
    return printed if is_sound else Printed("unreadable")


def whole_or_exact(value: Decimal) -> Number:
    """An int where the value is whole, else the decimal itself."""
    return int(value) if value == value.to_integral_value() else value


_SECTION_HEADING = re.compile(
    r"#*[一二三四五六七]、(总体|概述|概况|工作|主动公开政府|收到和处理|因?政[府务]信息公开|存在|其他需要|其他报告|其它需要|需要报告)"
)


@lru_cache(maxsize=65536)
def is_section_heading(text: str) -> bool:
    """Whether a line is the heading of one of the report's sections, and not a row label of a table."""
    tight = squeezed(text)
    return len(tight) <= 48 and bool(_SECTION_HEADING.match(tight))
