"""Locators in words. A locator is `key=value` joined by `;`, most general first, counted from 1.

    page=2;box=90.1,310.5,152.3,325.0     PDF: points from the page's top left corner (left, top, right, bottom)
    table=3;row=5;column=2                HTML, docx: n-th table, grid row and column
    paragraph=14                          HTML, docx
    line=120;column=3                     text
    sheet=表一;cell=B12                    spreadsheets
    member=附件/年报.doc;…                 archives: before the locator within the member

What will one day draw a frame around the cell starts from `Place`.
"""

from __future__ import annotations

from dataclasses import dataclass

_ZH = {
    "member": "包内文件 {}",
    "sheet": "工作表“{}”",
    "cell": "单元格 {}",
    "page": "第{}页",
    "table": "第{}个表格",
    "row": "第{}行",
    "column": "第{}列",
    "paragraph": "第{}段",
    "line": "第{}行",
}
_EN = {key: key + " {}" for key in _ZH}


@dataclass(frozen=True, slots=True)
class Place:
    """A locator taken apart, in order. `box` is (left, top, right, bottom) in points, None without one."""

    parts: tuple[tuple[str, str], ...]
    box: tuple[float, float, float, float] | None = None


def parse(locator: str) -> Place:
    """Unknown keys and values are kept as they are."""
    parts = tuple((key, value) for key, _, value in (part.partition("=") for part in locator.split(";")) if key)
    return Place(parts, _box(dict(parts).get("box", "")))


def in_chinese(place: Place) -> str:
    return "，".join(_ZH[key].format(value) if key in _ZH else f"{key} {value}" for key, value in _shown(place))


def in_english(place: Place) -> str:
    return ", ".join(_EN[key].format(value) if key in _EN else f"{key} {value}" for key, value in _shown(place))


def box_in_english(box: tuple[float, float, float, float]) -> str:
    left, top, right, bottom = box
    return f"{left:g} to {right:g} points from the left edge, {top:g} to {bottom:g} from the top"


def _shown(place: Place) -> list[tuple[str, str]]:
    return [(key, value) for key, value in place.parts if key != "box" or place.box is None]


def _box(text: str) -> tuple[float, float, float, float] | None:
    try:
        left, top, right, bottom = (float(number) for number in text.split(","))
    except ValueError:
        return None
    return left, top, right, bottom
