"""The words in a page's tables, of which the recogniser is shown each Chinese character once.

Its time goes with the width of what it is shown, and tables say 政府, 信息, 公开 on every row. Characters that look
like none before them, and what stands between characters, are put side by side and recognised; the other characters are
what they look like. Words with numbers, and those of which it does not plainly say what stands where, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from parsers.readers import scan_looks
from parsers.readers.ocr import Recognised
from parsers.readers.scan_ink import Picture, Piece

# Correlation of two prints of one character: 19 of 20 have more. Two characters have less (未 and 末 0.98), but for 撤
# and 撒 in one bold type (0.988), which the recogniser does not tell apart either.
_SAME = 0.985
# How sure what others are copied from must be.
_PLAIN = 0.9
# In pixels: how far out of focus characters are compared, with how much room round them, and how much their sizes may
# differ.
_BLUR, _ROOM, _SIZE = 0.7, 2, 2
# Of the height of a line: how wide a character is at most, and what may be one at least. Of the square of that height:
# how large what must be one is at least (5. is smaller, and so is 日).
_WIDEST, _NARROWEST, _LEAST_AREA = 1.05, 0.7, 0.67
# How many times its height a strip is long. In pixels: the paper between words, and how far a character that is
# recognised may seem to stand from its ink.
_STRIP, _GAP, _ASTRAY = 15, 10, 10
# More are on no page of a report, and the comparison of each with each takes their square.
_MOST = 1500
_CHINESE = re.compile("[\u3400-\u9fff]")
# Shown so narrow, 11 may be read as 1: only before a point it is no number.
_WORDS = re.compile(r"(?:[0-9]{1,2}[.．、])?[^0-9OoQD〇○lI|]*")
Ask = Callable[[Sequence[Picture]], list[Recognised]]


@dataclass(frozen=True, slots=True)
class Words:
    """A printed line: its picture, the pixel of the page at which that begins, and its ink from left to right."""

    picture: Picture
    left: int
    top: int
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class _Part:
    """A character of the line of that index, or all that stands between two; its picture ends halfway to the next."""

    line: int
    picture: Picture
    ink: Piece
    look: Picture
    is_character: bool
    may_be_character: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """What the recogniser said of a part: nothing, where that is not plain."""

    text: str = ""
    scores: tuple[float, ...] = ()


def read(lines: Mapping[int, Words], ask: Ask) -> dict[int, Recognised]:
    """Texts, by index, of those lines that can be read so. `ask` recognises pictures of lines."""
    # Those of one height stand side by side.
    order = sorted(lines, key=lambda index: lines[index].picture.shape[0])
    parts = [part for index in order for part in _parts(index, lines[index])]
    first = _first(parts)
    strips = _strips(parts, first)
    answers = ask([_side_by_side([parts[at] for at in strip]) for strip in strips])
    said: dict[int, _Said] = {}
    for strip, answer in zip(strips, answers, strict=True):
        said.update(zip(strip, _told([parts[at] for at in strip], answer), strict=True))
    own: dict[int, list[_Said]] = {}
    for at, part in enumerate(parts):
        one = said[first[at]]
        is_doubtful = first[at] != at and min(one.scores, default=0) < _PLAIN
        own.setdefault(part.line, []).append(_Said() if is_doubtful else one)
    found = {}
    for index, told in own.items():
        text = "".join(one.text for one in told)
        if all(one.text for one in told) and _WORDS.fullmatch(text):
            scores = tuple(score for one in told for score in one.scores)
            found[index] = Recognised(text, scores, tuple((at + 0.5) / len(text) for at in range(len(text))))
    return found


def _parts(index: int, line: Words) -> list[_Part]:
    upright = _joined(line.pieces, 0)
    highest = max(piece.height for piece in upright)
    inks: list[tuple[Piece, bool]] = []
    for ink in _joined(upright, _WIDEST * highest):
        is_character = ink.width <= _WIDEST * highest and ink.width * ink.height >= _LEAST_AREA * highest**2
        if inks and not is_character and not inks[-1][1]:
            inks[-1] = _both(inks[-1][0], ink), False
        else:
            inks.append((ink, is_character))
    picture = np.asarray(cv2.copyMakeBorder(line.picture, 0, 0, 0, _GAP, cv2.BORDER_REPLICATE), np.uint8)
    looks = scan_looks.ink(line.picture, _BLUR)
    halfway = [(one.right + other.left) // 2 - line.left for (one, _), (other, _) in pairwise(inks)]
    return [
        _Part(
            line=index,
            picture=picture[:, start:end],
            ink=ink,
            look=looks[
                max(0, ink.top - line.top - _ROOM) : ink.bottom - line.top + _ROOM,
                max(0, ink.left - line.left - _ROOM) : ink.right - line.left + _ROOM,
            ],
            is_character=is_character,
            may_be_character=ink.width >= _NARROWEST * highest,
        )
        for (ink, is_character), (start, end) in zip(inks, pairwise([0, *halfway, picture.shape[1]]), strict=True)
    ]


def _joined(pieces: Iterable[Piece], widest: float) -> list[Piece]:
    """With those as one that stand above each other, and those that together are no wider than a character."""
    found: list[Piece] = []
    for piece in pieces:
        if found and (piece.left < found[-1].right or piece.right - found[-1].left <= widest):
            found[-1] = _both(found[-1], piece)
        else:
            found.append(piece)
    return found


def _both(one: Piece, other: Piece) -> Piece:
    top, bottom = min(one.top, other.top), max(one.bottom, other.bottom)
    return Piece(one.left, top, max(one.right, other.right), bottom)


def _first(parts: Sequence[_Part]) -> list[int]:
    """Of each part the first that looks the same: itself, where it is the first or no character."""
    first = list(range(len(parts)))
    places = [at for at in first if parts[at].is_character][:_MOST]
    if not places:
        return first
    inks = [parts[at].ink for at in places]
    side = max(max(ink.width, ink.height) for ink in inks) + 2 * _ROOM
    looks = scan_looks.rows([scan_looks.centred(parts[at].look, side, side) for at in places])
    sizes = np.array([(ink.width, ink.height) for ink in inks])
    same = scan_looks.same(looks, sizes, least=_SAME, most=_SIZE)
    is_new = np.ones(len(places), bool)
    for number, at in enumerate(places):
        if is_new[number]:
            again = number + 1 + np.flatnonzero((same[number] & is_new)[number + 1 :])
            is_new[again] = False
            for other in again.tolist():
                first[places[other]] = at
    return first


def _strips(parts: Sequence[_Part], first: Sequence[int]) -> list[list[int]]:
    """The parts that are shown, in lines of some length; of what is no character no two stand side by side."""
    strips: list[list[int]] = []
    room = 0
    for at, part in enumerate(parts):
        if first[at] != at:
            continue
        shown = [at]
        last = strips[-1][-1] if strips else at
        if last != at and not part.is_character and not parts[last].is_character:
            if parts[last + 1].line == parts[last].line:
                shown = [last + 1, at]
            elif parts[at - 1].line == part.line:
                shown = [at - 1, at]
            else:
                room = 0
        width = sum(parts[one].picture.shape[1] for one in shown)
        if width > room:
            strips.append([])
            room = _STRIP * part.picture.shape[0]
        strips[-1].extend(shown)
        room -= width
    return strips


def _side_by_side(parts: Sequence[_Part]) -> Picture:
    highest = max(part.picture.shape[0] for part in parts)
    level = []
    for part in parts:
        missing = highest - part.picture.shape[0]
        edges = missing // 2, missing - missing // 2, 0, 0
        level.append(cv2.copyMakeBorder(part.picture, *edges, cv2.BORDER_REPLICATE))
    return np.asarray(cv2.hconcat(level), np.uint8)


def _told(parts: Sequence[_Part], text: Recognised) -> list[_Said]:
    """What of a strip's text stands in each of its parts, in their order."""
    widths = np.array([part.picture.shape[1] for part in parts])
    centres = widths.cumsum() - widths / 2
    is_character = np.array([part.is_character for part in parts])
    may_be_character = np.array([part.may_be_character for part in parts])
    said = [_Said() for _ in parts]
    is_plain = np.ones(len(parts), bool)
    at = 0
    for character, score, place in zip(text.text, text.scores, text.places, strict=True):
        if character == " ":
            continue
        is_closed: Any = ~may_be_character if _CHINESE.match(character) else is_character
        away = np.abs(centres - place * widths.sum())
        at += int((away + 2 * _ASTRAY * is_closed)[at:].argmin())
        is_near = away[at] <= widths[at] / 2 + _ASTRAY
        is_plain[at] &= is_near and not is_closed[at] and not (is_character[at] and said[at].text)
        said[at] = _Said(said[at].text + character, (*said[at].scores, score))
    fails = ~is_plain | np.array([not one.text for one in said])
    # What a character lacks may stand with what is beside it.
    beside = np.convolve(fails, (1, 0, 1))[1:-1] > 0
    fails |= beside & ~is_character
    return [_Said() if failed else one for one, failed in zip(said, fails, strict=True)]
