"""Which lines of a document belong to which statutory table.

A zone begins where a header or an unmistakable row of a table stands and ends at a section heading, at running text, or
where another table begins. Page footers and captions between two parts of a table do not end it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from parsers.model import Document, Paragraph
from parsers.normalise import is_section_heading, squeezed
from parsers.owners import is_another, owner_named
from parsers.rows import Line, lines_of

_RUNNING_TEXT = 80
_CAPTION = 40
# A document's title stands among its first blocks.
_HEADS = 6
# Captions of tables that do not cover the whole year.
_YEAR = re.compile(r"(?<!\d)(20\d\d)年(?!\d{1,2}月)")
_SENTENCE_END = ("。", "；", "，", ";", ",")
_PART_OF_YEAR = re.compile(r"上半年|下半年|半年|[一二三四1-4]季度|\d{1,2}月份")


@dataclass(slots=True)
class Zone:
    """A run of lines of one table.

    `caption`: the short paragraphs directly above it. `year`: that of the last title or caption above it which names
    one, None when none does. `owner`: the body that the last of them names, "" when none does.
    """

    table: str
    lines: list[Line] = field(default_factory=list)
    caption: tuple[str, ...] = ()
    year: int | None = None
    owner: str = ""

    @property
    def part_of_year(self) -> bool:
        return any(_PART_OF_YEAR.search(text) for text in self.caption)


def zones_of(document: Document, kind_of: Callable[[Line, str], str]) -> list[Zone]:
    """The zones of a document in reading order. `kind_of(line, current)` names the table a line begins, "" for none."""
    zones: list[Zone] = []
    current: Zone | None = None
    captions: list[str] = []
    year = _year(document.title)
    owner = alone = ""
    grids = 0
    for block in document.blocks:
        if isinstance(block, Paragraph):
            text = squeezed(block.text)
            if is_section_heading(block.text) or len(text) > _RUNNING_TEXT:
                current, captions = None, []
            if len(text) <= _CAPTION:
                captions = [*captions[-2:], text]
                named = _year(text)
                if named and named != year:
                    # The tables of another year begin, even if no header says so.
                    current, year = None, named
            named_owner = owner_named(text) if len(text) <= _RUNNING_TEXT else ""
            if named_owner and named_owner == text:
                # A name alone counts directly above a table.
                alone = named_owner
                continue
            alone = ""
            if named_owner:
                current = current if not is_another(owner, named_owner) else None
                owner = named_owner
            continue
        if alone and owner and is_another(owner, alone):
            current, owner = None, alone
        alone = ""
        for line in lines_of(block, grids):
            table = kind_of(line, current.table if current else "")
            if table and (current is None or table != current.table):
                current = Zone(table, caption=tuple(captions), year=year, owner=owner)
                zones.append(current)
            if current:
                current.lines.append(line)
        captions = []
        grids += 1
    return zones


def title_year(document: Document) -> int | None:
    """The year in the title: the first short line that calls itself a report, else the format's own title."""
    for block in document.blocks:
        if isinstance(block, Paragraph):
            text = squeezed(block.text)
            if len(text) <= 2 * _CAPTION and ("报告" in text or "年报" in text) and _year(text):
                return _year(text)
    return _year(document.title)


def part_of_year_title(document: Document) -> str:
    """The title that says the document covers a part of the year only, "" when none does."""
    heads = [block.text for block in document.blocks[:_HEADS] if isinstance(block, Paragraph)]
    for text in map(squeezed, (document.title, *heads)):
        titled = len(text) <= 2 * _CAPTION and "公开" in text and not text.endswith(_SENTENCE_END)
        if titled and _PART_OF_YEAR.search(text) and "年度报告" not in text:
            return text
    return ""


def _year(text: str) -> int | None:
    """The one year a title or caption names; sentences and lines that name two have none."""
    tight = squeezed(text)
    years = set(_YEAR.findall(tight))
    if len(years) != 1 or tight.endswith(_SENTENCE_END):
        return None
    return int(years.pop())
