"""Numbers that Word prints before paragraphs but does not store in their text: 一、 （一） 1. of automatic lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_VAL = f"{_W}val"
_DIGITS = "零一二三四五六七八九"
_LEVELS = 9


def _chinese(number: int) -> str:
    if not 0 < number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones else "")


def _circled(number: int) -> str:
    return chr(ord("①") + number - 1) if 0 < number <= 20 else str(number)


def _letter(number: int) -> str:
    return chr(ord("a") + number - 1) if 0 < number <= 26 else str(number)


def _roman(number: int) -> str:
    if not 0 < number < 40:
        return str(number)
    tens, ones = divmod(number, 10)
    return "x" * tens + ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")[ones]


_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_FORMATS: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda number: f"{number:02}",
    "decimalFullWidth": lambda number: str(number).translate(_FULL_WIDTH),
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "japaneseCounting": _chinese,
    "taiwaneseCountingThousand": _chinese,
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "lowerLetter": _letter,
    "upperLetter": lambda number: _letter(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
}


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level of a list counts; `text` holds %1 … %9 for the numbers of the levels."""

    start: int
    number_format: str
    text: str


@dataclass(slots=True)
class Numbering:
    """The lists of a document, which number ids use them, and how far each has been counted."""

    lists: dict[str, dict[int, _Level]] = field(default_factory=dict)
    list_of: dict[str, str] = field(default_factory=dict)
    _counters: dict[str, list[int]] = field(default_factory=dict)

    def label(self, number_id: str, level: int) -> str:
        """Count one paragraph of list `number_id` and give what Word prints before it; "" for bullets and no list."""
        list_id = self.list_of.get(number_id, "")
        levels = self.lists.get(list_id, {})
        own = levels.get(level)
        if own is None:
            return ""
        counters = self._counters.setdefault(list_id, [0] * _LEVELS)
        for upper in range(level):
            counters[upper] = counters[upper] or (levels[upper].start if upper in levels else 1)
        counters[level] = counters[level] + 1 if counters[level] else own.start
        counters[level + 1 :] = [0] * (_LEVELS - level - 1)
        if own.number_format not in _FORMATS:
            return ""
        text = own.text
        for index in range(level + 1):
            shown = levels.get(index, own)
            number = _FORMATS.get(shown.number_format, str)(counters[index])
            text = text.replace(f"%{index + 1}", number)
        return text


def numbering(root: etree._Element | None) -> Numbering:
    """The lists that numbering.xml declares; none for None."""
    found = Numbering()
    if root is None:
        return found
    for declared in root.iterchildren(f"{_W}abstractNum"):
        found.lists[declared.get(f"{_W}abstractNumId") or ""] = dict(_levels(declared))
    for instance in root.iterchildren(f"{_W}num"):
        for of in instance.iterchildren(f"{_W}abstractNumId"):
            found.list_of[instance.get(f"{_W}numId") or ""] = of.get(_VAL) or ""
    return found


def _levels(declared: etree._Element) -> list[tuple[int, _Level]]:
    levels = []
    for element in declared.iterchildren(f"{_W}lvl"):
        values = {child.tag: child.get(_VAL) or "" for child in element}
        level = _Level(
            start=_whole(values.get(f"{_W}start", ""), 1),
            number_format=values.get(f"{_W}numFmt", "decimal"),
            text=values.get(f"{_W}lvlText", ""),
        )
        levels.append((_whole(element.get(f"{_W}ilvl") or "", _LEVELS), level))
    return [(index, level) for index, level in levels if index < _LEVELS]


def _whole(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else default
