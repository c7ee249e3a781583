"""What pieces of a page's ink look like, in rows of numbers of which the product says how alike they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from parsers.readers.scan_ink import Picture

Array = np.ndarray[Any, np.dtype[Any]]


def ink(paper: Picture, blur: float = 1.0) -> Picture:
    """How much darker than its paper a part of a page is; a little out of focus, as no two prints are alike."""
    blurred = cv2.GaussianBlur(paper, (0, 0), blur)
    return np.asarray(blurred.max() - blurred, np.uint8)


def centred(piece: Picture, wide: int, high: int) -> Picture:
    """Ink about its centre of gravity, in a field of this size (pixels)."""
    moments = cv2.moments(piece)
    mass = moments["m00"] or 1.0
    across, down = wide / 2 - moments["m10"] / mass, high / 2 - moments["m01"] / mass
    return np.asarray(cv2.warpAffine(piece, np.array([[1, 0, across], [0, 1, down]], np.float32), (wide, high)))


def rows(pieces: Sequence[Picture]) -> Array:
    """A row for each piece (all of one size), mean 0 and length 1: the product of two is their correlation."""
    level = np.array([piece.ravel() for piece in pieces], np.float32)
    level -= level.mean(axis=1, keepdims=True)
    level /= np.maximum(np.linalg.norm(level, axis=1, keepdims=True), 1e-6)
    return level


def same(looks: Array, sizes: Array, *, least: float, most: int) -> Array:
    """Which (across) looks like which (down): correlated by `least`, each of its sizes no more than `most` apart."""
    alike = looks @ looks.T >= least
    for size in sizes.T:
        alike &= np.abs(size[:, None] - size) <= most
    return np.asarray(alike)
