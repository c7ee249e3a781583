"""What a page holds and hides in a way that only a browser could be sure of: white ink, no height, classes' styles.

Nothing is left out on the word of these: numbers so written count as something that cannot be told.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from lxml import etree

from parsers.readers import html_table

Veil = Literal["", "white", "veiled", "drawn"]

_STRENGTHS: tuple[Veil, ...] = ("", "white", "veiled", "drawn")
_VEILED = re.compile(
    r"(?<![\w-])(?:opacity\s*:\s*0*\.?0+(?![.\d])|font-size\s*:\s*(?:0(?![.\d])|[0-2](?:\.\d+)?p[xt])"
    r"|color\s*:\s*(?:transparent|rgba\([^()]*,\s*0*\.?0+%?\s*\))"
    # Put far off the screen, or cut to nothing: what is there for readers of screens alone.
    r"|(?:left|top|text-indent)\s*:\s*-\d{4}|clip\s*:\s*rect\()",
    re.IGNORECASE,
)
_WHITE = re.compile(
    r"(?<![\w-])color\s*:\s*(?:#(?:fff|(?:f[a-f]){3})(?![0-9a-f])|white\b|rgba?\(\s*255\s*,\s*255\s*,\s*255\b)",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)", re.IGNORECASE)
# A note's mark, which must not join its number.
_RAISED = re.compile(r"vertical-align\s*:\s*(?:super|sub)\b", re.IGNORECASE)
_GROUND = re.compile(
    r"(?<![\w-])background(?:-color|-image)?\s*:\s*(?!none|transparent|#fff|white|inherit)", re.IGNORECASE
)
# What style sheets draw; an empty string and a dot only hold a layout open.
_DRAWN = re.compile(r"(?<![\w-])content\s*:\s*(?!none|normal)[^;]*[\w(]", re.IGNORECASE)
_WHITE_FONTS = ("#fff", "#ffffff", "white")
_COMMENT = re.compile(r"/\*.*?\*/|<!--|-->", re.DOTALL)
# Rules for other media, frames of animations, imports.
_AT_RULE = re.compile(r"@[^{};]*(?:;|\{(?:[^{}]*\{[^{}]*\})*[^{}]*\})")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_CLASS = re.compile(r"\.([\w-]+)(:{1,2}(?:before|after))?\s*$", re.IGNORECASE)


@lru_cache(maxsize=4096)
def of_style(style: str) -> Veil:
    """What declarations do to the text they are for."""
    if _VEILED.search(style):
        return "veiled"
    return "white" if _WHITE.search(style) and not _GROUND.search(style) else ""


def classes(root: etree._Element) -> dict[str, Veil]:
    """The classes that a page's own style sheets hide, or draw something for."""
    found: dict[str, Veil] = {}
    for element in root.iter("style"):
        sheet = _AT_RULE.sub("", _COMMENT.sub("", html_table.all_text(element)))
        for selectors, declarations in _RULE.findall(sheet):
            veil = "veiled" if _HIDDEN.search(declarations) or _RAISED.search(declarations) else of_style(declarations)
            for selector in selectors.split(","):
                named = _CLASS.search(selector)
                if named and named[2] and _DRAWN.search(declarations):
                    found[named[1]] = "drawn"
                elif named and not named[2] and veil:
                    found.setdefault(named[1], veil)
    return found


def of_element(element: etree._Element, by_class: dict[str, Veil]) -> Veil:
    """What class, style or the colour of its font does to an element's text."""
    names = (element.get("class") or "").split() if by_class else ()
    veils = [by_class[name] for name in names if name in by_class] + [of_style(element.get("style") or "")]
    if (element.get("color") or "").lower() in _WHITE_FONTS:
        veils.append("white")
    return max(veils, key=_STRENGTHS.index)


def hides(cell: etree._Element, by_class: dict[str, Veil]) -> bool:
    """Whether a number in a cell may not be seen, or an empty cell may not be empty.

    White ink is seen where it has a ground of its own.
    """
    is_empty = not html_table.all_text(cell).strip()
    row = cell.getparent()
    for element in (cell, *cell.iterdescendants(etree.Element), *(() if row is None else (row,))):
        veil = of_element(element, by_class)
        if veil == "drawn" or (veil == "veiled" and not is_empty):
            return True
        if veil == "white" and not is_empty and not _has_ground(element):
            return True
    return False


def _has_ground(element: etree._Element) -> bool:
    around = (element, *element.iterancestors("td", "th", "tr", "tbody", "thead", "table", "p", "span"))
    return any(each.get("bgcolor") or _GROUND.search(each.get("style") or "") for each in around)
