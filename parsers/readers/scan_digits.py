"""Numbers on a scanned page, most of them spelt by digits that were recognised elsewhere on it.

A recogniser's time goes with the width of what it is shown, and a page of tables is hundreds of numbers in one type.
Some are recognised; pieces of ink that look like a digit of theirs, and like no other, are that digit. What is not
plain is recognised itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from parsers.readers.ocr import Recognised
from parsers.readers.scan_ink import Picture, Piece

# Correlation with the mean of a digit's examples (of one digit 0.83 to 1, of two 0.85 at most), less where all ten are
# known to compare with; and by how much more than with the next digit's.
_ALIKE, _ALIKE_OF_TEN, _APART = 0.9, 0.82, 0.08
# So alike are two prints of one digit that asking for the second says nothing new.
_SAME = 0.95
_PLAIN = 0.9
# How many pieces are recognised before the others are compared with them, and how many of each digit.
_SAMPLE, _EXAMPLES = 60, 2
# How many of those that are not plain are recognised before the rest is compared with them as well.
_MORE = 12
# Pixels by which prints of one digit differ in size and in height above the line.
_SIZE = 2
_MOST_DIGITS = 9
_SIGNS = frozenset("0123456789,")
_MARGIN = 4
Shape = np.ndarray[Any, np.dtype[np.float32]]
Ask = Callable[[Sequence[int]], list[Recognised]]


@dataclass(frozen=True, slots=True)
class _Look:
    """A piece of ink about its centre of gravity, mean 0 and length 1; its size and height above the line in pixels."""

    shape: Shape
    width: int
    height: int
    above: int


@dataclass(frozen=True, slots=True)
class _Sign:
    """A digit or comma as this page prints it: the mean of its examples, and how sure the least sure of them was."""

    text: str
    look: _Look
    score: float


def may_be_number(pieces: Sequence[Piece], em: float) -> bool:
    """Whether solid pieces of ink may be as many digits: upright, none larger than a character."""
    if not 1 <= len(pieces) <= _MOST_DIGITS:
        return False
    highest = max(piece.height for piece in pieces)
    return 0.4 * em <= highest <= 1.1 * em and all(
        piece.width <= piece.height and (piece.height >= 0.8 * highest or piece.height <= 0.5 * highest)
        for piece in pieces
    )


def read(
    clean: Picture, numbers: Mapping[int, Sequence[Piece]], others: Sequence[int], em: float, ask: Ask
) -> dict[int, Recognised]:
    """Texts by index: `numbers` may be numbers (the pieces of each, from left to right), `others` are none.

    `ask` recognises the lines of the given indices.
    """
    looks = {index: _looks(clean, pieces, em) for index, pieces in numbers.items()}
    asked = [*others, *_sample(looks)]
    texts: dict[int, Recognised] = {}
    while asked:
        texts.update(zip(asked, ask(asked), strict=True))
        known = {index: looks[index] for index in texts if index in looks}
        signs = _signs(known, texts)
        asked = []
        for index, found in looks.items():
            if index in texts:
                continue
            text = _spelt(found, signs) or _seen(found, known, texts)
            if text is None:
                asked.append(index)
            else:
                texts[index] = text
        # What these say may spell the rest.
        asked = asked[:_MORE]
    return texts


def _looks(clean: Picture, pieces: Sequence[Piece], em: float) -> list[_Look]:
    size = round(0.7 * em), round(em)
    ends = min(piece.left for piece in pieces), max(piece.right for piece in pieces)
    top, bottom = min(piece.top for piece in pieces), max(piece.bottom for piece in pieces)
    left, above = max(0, ends[0] - _MARGIN), max(0, top - _MARGIN)
    paper = cv2.GaussianBlur(clean[above : bottom + _MARGIN, left : ends[1] + _MARGIN], (0, 0), 1.0)
    ink = (np.float32(paper.max()) - paper).astype(np.float32)
    found = []
    for piece in pieces:
        x, y = piece.left - left, piece.top - above
        own = ink[max(0, y - 2) : y + piece.height + 2, max(0, x - 2) : x + piece.width + 2]
        across, down = own.sum(axis=0), own.sum(axis=1)
        mass = float(across.sum()) or 1.0
        centre = (
            float(across @ np.arange(len(across), dtype=np.float32)) / mass + size[0],
            float(down @ np.arange(len(down), dtype=np.float32)) / mass + size[1],
        )
        wide = cv2.copyMakeBorder(own, size[1], size[1], size[0], size[0], cv2.BORDER_CONSTANT, value=0)
        shape = np.asarray(cv2.getRectSubPix(wide, size, centre).ravel(), np.float32)
        found.append(_Look(_normal(shape), piece.width, piece.height, bottom - piece.bottom))
    return found


def _normal(shape: Shape) -> Shape:
    level = shape - shape.mean()
    return np.asarray(level / (np.linalg.norm(level) or 1.0), np.float32)


def _sample(looks: Mapping[int, Sequence[_Look]]) -> list[int]:
    """The lines to recognise first: those with a piece like few or none in the lines before."""
    sample: list[int] = []
    shapes: list[Shape] = []
    for index, found in looks.items():
        if len(shapes) >= _SAMPLE:
            break
        known = np.stack(shapes) if shapes else np.zeros((1, len(found[0].shape)), np.float32)
        seen = [int((known @ look.shape >= _SAME).sum()) for look in found]
        if min(seen) >= _EXAMPLES:
            continue
        sample.append(index)
        shapes += [look.shape for look in found]
    return sample


def _signs(looks: Mapping[int, Sequence[_Look]], texts: Mapping[int, Recognised]) -> list[_Sign]:
    """What the recognised lines show of each digit; none of a digit whose examples do not look alike."""
    examples: dict[str, list[tuple[_Look, float]]] = {}
    for index, found in looks.items():
        text = texts[index]
        if len(text.text) != len(found) or not _SIGNS.issuperset(text.text):
            continue
        for look, character, score in zip(found, text.text, text.scores, strict=True):
            examples.setdefault(character, []).append((look, score))
    signs = []
    for character, seen in examples.items():
        plain = [look for look, score in seen if score >= _PLAIN]
        if len(plain) < _EXAMPLES:
            continue
        mean = _normal(np.mean([look.shape for look in plain], axis=0))
        alike = [look for look in plain if float(look.shape @ mean) >= _ALIKE]
        # One misread example among many is outvoted; where they are of two minds, none is believed.
        if len(alike) < 0.8 * len(plain) or len(alike) < _EXAMPLES:
            continue
        look = _Look(
            _normal(np.mean([look.shape for look in alike], axis=0)),
            *(
                round(float(np.median([getattr(look, name) for look in alike])))
                for name in ("width", "height", "above")
            ),
        )
        signs.append(_Sign(character, look, min(score for _, score in seen if score >= _PLAIN)))
    return signs


def _seen(
    looks: Sequence[_Look], known: Mapping[int, Sequence[_Look]], texts: Mapping[int, Recognised]
) -> Recognised | None:
    """What the recognised lines that look the same, piece by piece, say with one voice; None where too few do."""
    alike = [
        texts[index]
        for index, others in known.items()
        if len(others) == len(looks)
        and all(
            _differ(look, other) <= _SIZE and float(look.shape @ other.shape) >= _SAME
            for look, other in zip(looks, others, strict=True)
        )
    ]
    is_plain = len(alike) >= _EXAMPLES and len({text.text for text in alike}) == 1
    return min(alike, key=lambda text: min(text.scores, default=0.0)) if is_plain else None


def _differ(look: _Look, other: _Look) -> int:
    return max(abs(look.width - other.width), abs(look.height - other.height), abs(look.above - other.above))


def _spelt(looks: Sequence[_Look], signs: Sequence[_Sign]) -> Recognised | None:
    """The number that the pieces spell, None where one of them is not plainly a sign."""
    if not signs:
        return None
    shapes = np.stack([sign.look.shape for sign in signs])
    alike = _ALIKE_OF_TEN if sum(sign.text != "," for sign in signs) == 10 else _ALIKE
    found = []
    for look in looks:
        likeness = shapes @ look.shape
        best = int(likeness.argmax())
        others = np.delete(likeness, best)
        if likeness[best] < alike or (len(others) and likeness[best] - others.max() < _APART):
            return None
        sign = signs[best]
        if _differ(sign.look, look) > _SIZE:
            return None
        found.append(sign)
    return Recognised(
        "".join(sign.text for sign in found),
        tuple(sign.score for sign in found),
        tuple((at + 0.5) / len(found) for at in range(len(found))),
    )
