"""Which row or column of a form a printed label names.

A label matches `official` when its letters and digits are those of the form, of a listed variant, or of either without
its numbering or without the instruction in brackets that ends it. Anything looser says so in its quality:

    1.0   official
    0.95  cut short (page break), with a note in brackets of another hand, or with a stray digit in front
    0.9   the right words under another number
    0.8   a few letters differ, and no other label is near
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from parsers.normalise import bare_key, label_key, numbering, squeezed, without_instruction

OFFICIAL, CUT, RENUMBERED, FUZZY = 1.0, 0.95, 0.9, 0.8

_LEAST_CUT = 5
_LEAST_FUZZY = 4
_STRAY = re.compile(r"\d+(?=[(一二三四五六七八九十])")


@dataclass(frozen=True, slots=True)
class Entry:
    """One label of a form: its prints, and the headings that may be printed in the same cell before it."""

    label: str
    also: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """`indexes`: the entries that bear this label, several where the form prints it twice. `stray`: digits cut off."""

    indexes: tuple[int, ...]
    quality: float
    stray: str = ""


class LabelBook:
    """The labels of one table, indexed for look-up."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)
        self._full: dict[str, list[int]] = {}
        self._bare: dict[str, list[int]] = {}
        for index, entry in enumerate(self._entries):
            for text in dict.fromkeys(self._texts(entry)):
                self._add(self._full, label_key(text), index)
                self._add(self._bare, bare_key(text), index)
        self._numbers = {index: numbering(entry.label) for index, entry in enumerate(self._entries)}
        self.exact = lru_cache(maxsize=16384)(self._exact)
        self.loose = lru_cache(maxsize=16384)(self._loose)

    @staticmethod
    def _texts(entry: Entry) -> Iterable[str]:
        for text in (entry.label, *entry.also):
            yield text
            yield without_instruction(text)

    @staticmethod
    def _add(index: dict[str, list[int]], key: str, entry: int) -> None:
        entries = index.setdefault(key, [])
        if entry not in entries:
            entries.append(entry)

    def _exact(self, text: str) -> Hit | None:
        """The entries a label names by its official words, or None."""
        key = label_key(text)
        if not key:
            return None
        if key in self._full:
            return Hit(tuple(self._full[key]), OFFICIAL)
        bare = bare_key(text)
        if bare in self._bare:
            indexes, printed = tuple(self._bare[bare]), numbering(text)
            fitting = tuple(index for index in indexes if self._numbers[index] in ("", printed) or not printed)
            return Hit(fitting, OFFICIAL) if fitting else Hit(indexes, RENUMBERED)
        return self._under_heads(key) or self._with_instruction(text) or self._after_stray(text)

    def _with_instruction(self, text: str) -> Hit | None:
        """A label with a filling note of another hand: "（七）总计（第1至6项之和）"."""
        bare = without_instruction(text)
        if label_key(bare) in ("", label_key(text)):
            return None
        hit = self._exact(bare)
        if hit is None:
            return None
        # The form's own note, cut short by a page end, is as good as the whole of it.
        begun = any(known.startswith(label_key(text)) for known in self._full)
        return Hit(hit.indexes, hit.quality if begun else min(hit.quality, CUT), hit.stray)

    def _under_heads(self, key: str) -> Hit | None:
        """A label printed in one cell with the headings it stands under: "（三）不予公开1.属于国家秘密"."""
        for index, entry in enumerate(self._entries):
            for head in entry.heads:
                head_key = label_key(head)
                if key.startswith(head_key):
                    rest = key[len(head_key) :]
                    if index in self._full.get(rest, ()) or index in self._bare.get(rest, ()):
                        return Hit((index,), OFFICIAL)
        return None

    def _after_stray(self, text: str) -> Hit | None:
        found = _STRAY.match(squeezed(text))
        if not found:
            return None
        hit = self._exact(squeezed(text)[found.end() :])
        return Hit(hit.indexes, min(hit.quality, CUT), found.group()) if hit else None

    def _loose(self, text: str) -> Hit | None:
        """The one label that a label cut short or misspelt must mean, or None when there is none or more than one."""
        bare = bare_key(text)
        if len(bare) < _LEAST_FUZZY:
            return None
        if len(bare) >= _LEAST_CUT:
            cut = {
                tuple(self._bare[known])
                for known in self._bare
                if known.startswith(bare) or (len(known) >= _LEAST_CUT and bare.startswith(known))
            }
            if len(cut) == 1:
                return Hit(cut.pop(), CUT)
            if cut:
                return None
        return self._nearest(bare)

    def _nearest(self, bare: str) -> Hit | None:
        limit = max(1, len(bare) // 5)
        near: dict[tuple[int, ...], int] = {}
        for known, indexes in self._bare.items():
            distance = edit_distance(bare, known, limit + 2)
            if distance <= limit + 1:
                near[tuple(indexes)] = min(distance, near.get(tuple(indexes), distance))
        ranked = sorted(near.items(), key=lambda item: item[1])
        if not ranked or ranked[0][1] > limit:
            return None
        if len(ranked) > 1 and ranked[1][1] <= ranked[0][1] + 1:
            return None
        return Hit(ranked[0][0], FUZZY)


def edit_distance(one: str, other: str, limit: int) -> int:
    """Letters to insert, drop or change to make `other` of `one`; `limit` when there are that many or more."""
    if abs(len(one) - len(other)) >= limit:
        return limit
    previous = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        current = [i]
        for j, right in enumerate(other, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (left != right)))
        if min(current) >= limit:
            return limit
        previous = current
    return min(previous[-1], limit)
