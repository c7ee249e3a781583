"""Numbers on a scanned page, most of them spelt by digits that were recognised elsewhere on it.

A recogniser's time goes with the width of what it is shown, and a page of tables is hundreds of numbers in one type.
Some are recognised; pieces of ink that look like a digit of theirs, and like no other, are that digit. What is not
plain is recognised itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from parsers.readers import scan_looks
from parsers.readers.ocr import Recognised
from parsers.readers.scan_ink import Picture, Piece
from parsers.readers.scan_looks import Array

# Correlation with the mean of a digit's examples (of one digit 0.83 to 1, of two 0.85 at most), less where all ten are
# known to compare with; and by how much more than with the next digit's.
_ALIKE, _ALIKE_OF_TEN, _APART = 0.9, 0.82, 0.08
# So alike are two prints of one digit that asking for the second says nothing new.
_SAME = 0.95
_PLAIN = 0.9
# How many pieces are recognised before the others are compared with them, and how many of each digit.
_SAMPLE, _EXAMPLES = 60, 2
# How many of those that are not plain are recognised before the rest is compared with them as well.
_MORE = 4
# Pixels by which prints of one digit differ in size and in height above the line.
_SIZE = 2
# Narrower ones that touch cannot be told apart.
_LEAST_WIDTH = 6
_MOST_DIGITS = 9
# More are on no page of a report, and the comparison of each with each takes their square.
_MOST_PIECES = 2000
_SIGNS = frozenset("0123456789,")
_MARGIN = 4
Ask = Callable[[Sequence[int]], list[Recognised]]


@dataclass(frozen=True, slots=True)
class _Looks:
    """What the pieces of ink of all numbers look like, a row for each; `rows` says which are a number's.

    `shapes`: the ink about its centre of gravity, mean 0 and length 1. `sizes`: width, height, and height above the
    line, in pixels. `same`: the pieces (columns) that look the same.
    """

    shapes: Array
    sizes: Array
    same: Array
    rows: Mapping[int, slice]


@dataclass(frozen=True, slots=True)
class _Sign:
    """A digit or comma as this page prints it: the mean of its examples, and how sure the least sure of them was."""

    text: str
    shape: Array
    size: Array
    score: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """The pieces, from left to right, of lines that may be numbers; in `parted` some were as wide as several digits."""

    plain: dict[int, list[Piece]]
    parted: dict[int, list[Piece]]


def numbers(clean: Picture, lines: Mapping[int, Sequence[Piece]], em: float) -> Numbers:
    """Those of the lines that may be numbers, a piece for each digit: broken ones are joined, touching ones parted."""
    whole = {index: solid for index, pieces in lines.items() if (solid := _solid(_joined(pieces)))}
    plain = {index: pieces for index, pieces in whole.items() if may_be_number(pieces, em)}
    digits = [piece for pieces in plain.values() for piece in pieces if piece.height >= 0.8 * _highest(pieces)]
    if not digits:
        return Numbers(plain, {})
    width, height = median(piece.width for piece in digits), median(piece.height for piece in digits)
    parted = {}
    for index, pieces in whole.items():
        if index not in plain:
            parts = [part for piece in pieces for part in _parted(clean, piece, width, height)]
            if may_be_number(parts, em):
                parted[index] = parts
    return Numbers(plain, parted)


def _solid(pieces: Sequence[Piece]) -> list[Piece]:
    """Without the specks beside a lone piece; nothing where a speck may be the point within a number."""
    solid = [piece for piece in pieces if not piece.is_speck]
    return solid if len(solid) in (1, len(pieces)) else []


def may_be_number(pieces: Sequence[Piece], em: float) -> bool:
    """Whether solid pieces of ink may be digits and commas: upright, none larger than a character."""
    highest = _highest(pieces)
    return (
        len(pieces) <= _MOST_DIGITS
        and 0.4 * em <= highest <= 1.1 * em
        and all(
            4 * piece.width <= 3 * piece.height
            if piece.height >= 0.8 * highest
            else piece.width <= piece.height <= 0.5 * highest
            for piece in pieces
        )
    )


def _highest(pieces: Sequence[Piece]) -> int:
    return max((piece.height for piece in pieces), default=0)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """From left to right, with those that stand one above the other as one: a 5 that lost its neck."""
    found: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.left):
        last = found[-1] if found else None
        if last and 2 * (min(last.right, piece.right) - piece.left) >= min(last.width, piece.width):
            found[-1] = Piece(
                last.left, min(last.top, piece.top), max(last.right, piece.right), max(last.bottom, piece.bottom)
            )
        else:
            found.append(piece)
    return found


def _parted(clean: Picture, piece: Piece, width: float, height: float) -> list[Piece]:
    """A piece as high as a digit and as wide as several, cut where it has least ink; any other as it is."""
    step = width + 1
    count = round(piece.width / step)
    if (
        width < _LEAST_WIDTH
        or count < 2
        or abs(piece.width - count * step) > _SIZE * count
        or abs(piece.height - height) > _SIZE
    ):
        return [piece]
    light = clean[piece.top : piece.bottom, piece.left : piece.right].mean(axis=0)
    near = [round(number * piece.width / count) - _SIZE for number in range(1, count)]
    cuts = [0, *(start + int(light[start : start + 2 * _SIZE + 1].argmax()) for start in near), piece.width]
    return [Piece(piece.left + start, piece.top, piece.left + end, piece.bottom) for start, end in pairwise(cuts)]


def read(clean: Picture, numbers: Numbers, others: Sequence[int], em: float, ask: Ask) -> dict[int, Recognised]:
    """Texts of the numbers and of `others`, by index. `ask` recognises the lines of the given indices."""
    looks = _looks(clean, {**numbers.plain, **numbers.parted}, em)
    too_many = [index for index in (*numbers.plain, *numbers.parted) if index not in looks.rows]
    asked = [*others, *too_many, *_sample(looks, numbers.plain)]
    texts: dict[int, Recognised] = {}
    while asked:
        texts.update(zip(asked, ask(asked), strict=True))
        unread = [index for index in looks.rows if index not in texts]
        spelling = _spelling(looks, _signs(looks, texts))
        found = {**_seen(looks, unread, texts), **spelling.texts(unread)}
        texts.update(found)
        left = [index for index in unread if index not in found]
        # What the least known of these say may spell the rest; what cannot be parted into digits is none.
        asked = sorted((index for index in left if index in numbers.plain), key=spelling.likeness)[:_MORE] or left
    return texts


def _looks(clean: Picture, digits: Mapping[int, Sequence[Piece]], em: float) -> _Looks:
    wide, high = round(0.7 * em), round(em)
    shapes: list[Picture] = []
    measures: list[tuple[int, int, int]] = []
    rows = {}
    for index, pieces in digits.items():
        if len(shapes) + len(pieces) > _MOST_PIECES:
            break
        rows[index] = slice(len(shapes), len(shapes) + len(pieces))
        left, top = max(0, pieces[0].left - _MARGIN), max(0, min(piece.top for piece in pieces) - _MARGIN)
        right, bottom = pieces[-1].right + _MARGIN, max(piece.bottom for piece in pieces)
        ink = scan_looks.ink(clean[top : bottom + _MARGIN, left:right])
        # The edges of a piece are its own as far as the next piece.
        ends = [left, *(piece.right for piece in pieces[:-1])]
        starts = [*(piece.left for piece in pieces[1:]), right]
        for piece, end, start in zip(pieces, ends, starts, strict=True):
            across = slice(max(end, piece.left - 2) - left, min(start, piece.right + 2) - left)
            own = ink[max(0, piece.top - top - 2) : piece.bottom - top + 2, across]
            shapes.append(scan_looks.centred(own, wide, high))
            measures.append((piece.width, piece.height, bottom - piece.bottom))
    looks = scan_looks.rows(shapes) if shapes else np.zeros((0, wide * high), np.float32)
    sizes = np.array(measures, np.int16).reshape(-1, 3)
    return _Looks(looks, sizes, scan_looks.same(looks, sizes, least=_SAME, most=_SIZE), rows)


def _sample(looks: _Looks, plain: Mapping[int, Sequence[Piece]]) -> list[int]:
    """The lines to recognise first: those with a piece like few or none in the lines before."""
    sample: list[int] = []
    pieces = 0
    seen = np.zeros(len(looks.shapes), np.int64)
    for index, rows in looks.rows.items():
        if pieces >= _SAMPLE or index not in plain:
            break
        if seen[rows].min() < _EXAMPLES:
            sample.append(index)
            pieces += rows.stop - rows.start
            seen += looks.same[rows].sum(axis=0)
    return sample


def _signs(looks: _Looks, texts: Mapping[int, Recognised]) -> list[_Sign]:
    """What the recognised lines show of each digit; none of a digit whose examples do not look alike."""
    examples: dict[str, list[tuple[int, float]]] = {}
    for index, rows in looks.rows.items():
        text = texts.get(index)
        if text is None or len(text.text) != rows.stop - rows.start or not _SIGNS.issuperset(text.text):
            continue
        for row, character, score in zip(range(rows.start, rows.stop), text.text, text.scores, strict=True):
            if score >= _PLAIN:
                examples.setdefault(character, []).append((row, score))
    signs = []
    for character, plain in examples.items():
        shapes = looks.shapes[[row for row, _ in plain]]
        is_alike = shapes @ _mean(shapes) >= _ALIKE
        # One misread example among many is outvoted; where they are of two minds, none is believed.
        if is_alike.sum() < max(_EXAMPLES, 0.8 * len(plain)):
            continue
        sizes = looks.sizes[[row for row, _ in plain]][is_alike]
        size = np.rint(np.median(sizes, axis=0))
        signs.append(_Sign(character, _mean(shapes[is_alike]), size, min(score for _, score in plain)))
    return signs


def _mean(shapes: Array) -> Array:
    mean = shapes.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6))


def _seen(looks: _Looks, unread: Sequence[int], texts: Mapping[int, Recognised]) -> dict[int, Recognised]:
    """What the recognised lines that look the same, piece by piece, say with one voice; none where too few do."""
    known: dict[int, list[int]] = {}
    for index, rows in looks.rows.items():
        if index in texts:
            known.setdefault(rows.stop - rows.start, []).append(index)
    places = {
        length: np.array([range(looks.rows[index].start, looks.rows[index].stop) for index in indices])
        for length, indices in known.items()
    }
    found = {}
    for index in unread:
        own = np.arange(looks.rows[index].start, looks.rows[index].stop)
        if len(own) not in known:
            continue
        is_alike = looks.same[own, places[len(own)]].all(axis=1)
        alike = [texts[known[len(own)][at]] for at in np.flatnonzero(is_alike)]
        if len(alike) >= _EXAMPLES and len({text.text for text in alike}) == 1:
            found[index] = min(alike, key=lambda text: min(text.scores, default=0.0))
    return found


@dataclass(frozen=True, slots=True)
class _Spelling:
    """Of each piece the sign it is most like, how much, and whether it is plainly that sign."""

    rows: Mapping[int, slice]
    signs: Sequence[_Sign]
    best: Array
    alike: Array
    is_plain: Array

    def likeness(self, index: int) -> float:
        """Of a number's piece that is least like any sign."""
        return float(self.alike[self.rows[index]].min())

    def texts(self, unread: Sequence[int]) -> dict[int, Recognised]:
        """The numbers that are spelt by plain signs."""
        found = {}
        for index in unread:
            rows = self.rows[index]
            if self.is_plain[rows].all():
                own = [self.signs[at] for at in self.best[rows]]
                places = tuple((at + 0.5) / len(own) for at in range(len(own)))
                found[index] = Recognised("".join(sign.text for sign in own), tuple(sign.score for sign in own), places)
        return found


def _spelling(looks: _Looks, signs: Sequence[_Sign]) -> _Spelling:
    count = len(looks.shapes)
    if not signs:
        return _Spelling(looks.rows, signs, np.zeros(count, int), np.zeros(count), np.zeros(count, bool))
    likeness = looks.shapes @ np.stack([sign.shape for sign in signs]).T
    best = likeness.argmax(axis=1)
    alike = likeness.max(axis=1)
    likeness[np.arange(count), best] = -1.0
    least = _ALIKE_OF_TEN if sum(sign.text != "," for sign in signs) == 10 else _ALIKE
    differ = np.abs(looks.sizes - np.stack([sign.size for sign in signs])[best]).max(axis=1)
    is_plain = (alike >= least) & (alike - likeness.max(axis=1) >= _APART) & (differ <= _SIZE)
    return _Spelling(looks.rows, signs, best, alike, is_plain)
