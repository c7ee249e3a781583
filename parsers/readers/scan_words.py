"""Short words that a table prints again and again: 件, 次, 结果, 其他. Recognised once a page."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from parsers.readers import scan_looks
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
    parts = (clean[max(0, w.top - 2) : w.bottom + 2, max(0, w.left - 2) : w.right + 2] for _, w in short)
    looks = scan_looks.rows([scan_looks.centred(scan_looks.ink(part), wide, high) for part in parts])
    sizes = np.array([(word.width, word.height) for _, word in short])
    same = scan_looks.same(looks, sizes, least=_SAME, most=_SIZE)
    again: dict[int, int] = {}
    for at, (index, _) in enumerate(short):
        if index not in again:
            later = (other for other in np.flatnonzero(same[at]).tolist() if other > at)
            again.update((short[other][0], index) for other in later if short[other][0] not in again)
    return again
