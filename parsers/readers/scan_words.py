"""Short words that a table prints again and again: 件, 次, 结果, 其他. Recognised once a page."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from parsers.readers.scan_ink import Picture, Piece

# Correlation of two prints of one word (0.988 at least) and of two words of two characters (0.89 at most).
_SAME = 0.97
# In characters. Of longer ones a single other character changes too little.
_LONGEST = 2.5
_SIZE = 3
# More are on no page of a report, and the comparison of each with each takes their square.
_MOST = 600


def repeated(clean: Picture, words: Mapping[int, Piece], em: float) -> dict[int, int]:
    """Words, by index, that look the same as one before them: that one's index."""
    wide, high = round(_LONGEST * em) + 8, round(1.5 * em)
    short = [(index, word) for index, word in words.items() if word.width <= _LONGEST * em][:_MOST]
    if not short:
        return {}
    shapes = []
    for _, word in short:
        own = clean[max(0, word.top - 2) : word.bottom + 2, max(0, word.left - 2) : word.right + 2]
        paper = cv2.GaussianBlur(own, (0, 0), 1.0)
        ink = paper.max() - paper
        moments = cv2.moments(ink)
        mass = moments["m00"] or 1.0
        across, down = wide / 2 - moments["m10"] / mass, high / 2 - moments["m01"] / mass
        shapes.append(cv2.warpAffine(ink, np.array([[1, 0, across], [0, 1, down]], np.float32), (wide, high)))
    level = np.array(shapes, np.float32).reshape(len(shapes), wide * high)
    level -= level.mean(axis=1, keepdims=True)
    level /= np.maximum(np.linalg.norm(level, axis=1, keepdims=True), 1e-6)
    same = level @ level.T >= _SAME
    for sizes in zip(*((word.width, word.height) for _, word in short), strict=True):
        size = np.array(sizes)
        same &= np.abs(size[:, None] - size) <= _SIZE
    again: dict[int, int] = {}
    for at, (index, _) in enumerate(short):
        if index not in again:
            later = (other for other in np.flatnonzero(same[at]).tolist() if other > at)
            again.update((short[other][0], index) for other in later if short[other][0] not in again)
    return again
