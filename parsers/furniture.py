"""Labelled facts of a page's head: 索引号, 文号, 发布机构, 成文日期, 发布日期 …, in whatever markup they stand.

Rows are strings: the cells of a table row, the terms and details of a `dl`, the pieces of text of a block. A label
stands alone in its cell with the value in the next, or before its value in the same cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from parsers.spacing import squeeze, tidy
from parsers.vocabulary import Field, page_words

_AROUND_LABEL = "：:、【】[]〔〕 "
_AROUND_VALUE = "；;|丨、 "
# No head of a page holds a longer cell; running text is not searched for labels.
_LONGEST_CELL = 600
# Strings that one value is made of, at most.
_MOST_PARTS = 40


@dataclass(frozen=True, slots=True)
class Row:
    """Strings that stand together. `group` is the same for rows of one table or list, 0 for loose lines.

    In a table the value of a label is the next cell; in loose text all pieces up to the next label.
    """

    cells: tuple[str, ...]
    group: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """A label (without spaces and separators) and the value beside it, "" where nothing stands."""

    label: str
    value: str
    group: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A field's value and whether a head table or only a loose line of the page gave it."""

    field: Field
    value: str
    origin: str


def entries(rows: Iterable[Row]) -> list[Entry]:
    """The fields that rows fill, head tables before loose lines, each in the page's order; empty values left out."""
    pairs = [pair for row in rows for pair in _pairs(row)]
    labels: dict[int, set[str]] = {}
    for pair in pairs:
        labels.setdefault(pair.group, set()).add(pair.label)
    heads = {group for group, printed in labels.items() if _is_head(group, printed)}
    words = page_words()
    found: list[tuple[bool, Entry]] = []
    for pair in pairs:
        fields, origin = (words.head, "head_table") if pair.group in heads else (words.line, "page")
        if pair.label not in fields and pair.group == 0:
            fields, origin = words.line, "page"
        field = fields.get(pair.label, "other")
        if field != "other" and not is_meaningless(pair.value):
            found.append((pair.group == 0, Entry(field, pair.value, origin)))
    return [entry for _, entry in sorted(found, key=lambda item: item[0])]


def is_meaningless(value: str) -> bool:
    """Whether a value says nothing: empty, a dash, 无文号, a template's sample."""
    words = page_words()
    return squeeze(value).lower() in words.meaningless_values or any(part in value for part in words.meaningless_parts)


def _is_head(group: int, printed: set[str]) -> bool:
    """A table with at least two labels, one of them no ordinary word; loose lines only around a number of the head."""
    words = page_words()
    labels = {label for label in printed if label in words.head}
    if group == 0:
        return len(labels) > 2 and any(words.head[label] in ("index_number", "document_number") for label in labels)
    return len(labels) > 1 and any(label not in words.line and words.head[label] != "other" for label in labels)


def _pairs(row: Row) -> Iterator[Pair]:
    cells = [cell for cell in row.cells if len(cell) <= _LONGEST_CELL]
    known = _all_labels()
    at = 0
    while at < len(cells):
        cell = cells[at]
        at += 1
        label = squeeze(cell).strip(_AROUND_LABEL)
        if label in known:
            end = at + 1 if row.group else _next_label(cells, at)
            yield Pair(label, _value("".join(cells[at:end])), row.group)
            # An empty value cell left out by the page: the next cell is a label of its own.
            at = end if end > at and not _starts_with_label(cells[at : at + 1]) else at
            continue
        yield from _inside(cells, at - 1, row.group)


def _inside(cells: Sequence[str], at: int, group: int) -> Iterator[Pair]:
    """Labels that stand before their value within one string; the last one's value may be the strings that follow."""
    cell = cells[at]
    matches = list(_label_pattern().finditer(cell))
    for number, match in enumerate(matches):
        last = number + 1 == len(matches)
        value = cell[match.end() : None if last else matches[number + 1].start()]
        if last and not value.strip() and not group:
            value = "".join(cells[at + 1 : _next_label(cells, at + 1)])
        label = squeeze(match["label"] or match["first"])
        yield Pair(label, _value(value), group)


def _next_label(cells: Sequence[str], start: int) -> int:
    end = min(len(cells), start + _MOST_PARTS)
    return next((at for at in range(start, end) if _starts_with_label(cells[at : at + 1])), end)


def _starts_with_label(cells: Sequence[str]) -> bool:
    if not cells:
        return False
    return squeeze(cells[0]).strip(_AROUND_LABEL) in _all_labels() or _label_pattern().match(cells[0]) is not None


def _value(text: str) -> str:
    glued = _glued_pattern().search(text)
    return tidy(text[: glued.start()] if glued else text).strip(_AROUND_VALUE)


@cache
def _all_labels() -> frozenset[str]:
    words = page_words()
    return frozenset(words.head) | frozenset(words.line)


@cache
def _label_pattern() -> re.Pattern[str]:
    """A label and its separator; 、 and a bare space separate only at the start of a string."""
    spelled = _spelled(_all_labels())
    return re.compile(
        rf"(?<![\u4e00-\u9fff])(?P<label>{spelled})\s*[：:]"
        rf"|\A\s*[【\[]?\s*(?P<first>{_spelled(page_words().head)})(?:\s*[】\]]\s*[：:]?|\s*、|\s+)"
    )


@cache
def _glued_pattern() -> re.Pattern[str]:
    """A label of three or more characters with its colon, run into the value before it: 区政府办浏览次数：12."""
    return re.compile(rf"(?:{_spelled(label for label in _all_labels() if len(label) > 2)})\s*[：:]")


def _spelled(labels: Iterable[str]) -> str:
    """Alternatives for labels, longest first, with room for spaces between their characters."""
    longest_first = sorted(labels, key=lambda label: (-len(label), label))
    return "|".join(r"\s*".join(map(re.escape, label)) for label in longest_first)
