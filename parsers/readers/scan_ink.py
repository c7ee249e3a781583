"""A scanned page made fit for reading: laid straight, its rules and the pieces of its characters found.

Pictures are grey, uint8, dark on light, about 200 pixels to the inch; coordinates are pixels. Colour scans come as
their red channel, in which red seals all but vanish.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from msgspec import Struct

from parsers.readers.pdf_grid import Line
from parsers.readers.scan_seal import without_seal
from parsers.readers.scan_straight import straightened

DPI = 200
Picture = np.ndarray[Any, np.dtype[np.uint8]]
# (a, b, c, d, e, f): x' = a x + b y + c, y' = d x + e y + f
Affine = tuple[float, float, float, float, float, float]

_MOST_SKEW = 4.0
# So many specks of ink tell the skew nearly as well as all.
_SKEW_POINTS = 12_000
# Ink is darker than its surroundings by this share of what the darkest ink on the page is. A grey or red seal is not.
_INK = 0.24
_WINDOW = 41
_LEAST_CONTRAST = 30
_LEAST_RULE = 34
_GAP = 5
_THICKEST_RULE = 9
_MEETS = 7
# A page of more strokes is noise.
_MOST_CROSSINGS = 4_000_000
_LEAST_WIDTH = 150
# Where less than this share of all long strokes is in straight tables, the page is bent or seen from the side.
_STRAIGHT, _LONG_STROKE, _LEAST_RULED, _STRAY = 0.7, 100, 300, 6
# A page lower or narrower than a character holds none.
_LEAST_PAGE = 14
_SPECK = 4


class Piece(Struct, frozen=True, gc=False):
    """A connected piece of ink: a character, or part of one."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def is_speck(self) -> bool:
        return self.width <= _SPECK and self.height <= _SPECK


@dataclass(frozen=True, slots=True)
class Ink:
    """A page taken to pieces. `clean` is the grey page without its rules; `upright` turns its pixels to the page's.

    Of a table that had to be straightened, `upright` is near the place, not the place itself.
    """

    clean: Picture
    horizontal: list[Line]
    vertical: list[Line]
    pieces: list[Piece]
    upright: Affine


def ink(page: Picture) -> Ink:
    """Everything drawn on a page, once it is straight."""
    height, width = page.shape
    if min(height, width) < _LEAST_PAGE:
        return Ink(page, [], [], [], (1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    angle = _skew(page)
    forth = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    back = cv2.invertAffineTransform(forth)
    if abs(angle) >= 0.03:
        paper = _level(page, 0.5)
        turned = cv2.warpAffine(page, forth, (width, height), flags=cv2.INTER_LINEAR, borderValue=paper)
        page = np.asarray(turned, np.uint8)
    page = without_seal(page, _level(page, 0.5), _level(page, 0.005))
    black = _black(page)
    ruled = _ruled(black)
    if ruled.straight < _STRAIGHT:
        flat = straightened(page, black)
        flat_black = _black(flat)
        flat_ruled = _ruled(flat_black)
        if flat_ruled.straight > ruled.straight:
            page, black, ruled = flat, flat_black, flat_ruled
    rules = np.zeros_like(black)
    _keep(rules, ruled.across, ruled.horizontal, is_vertical=False)
    _keep(rules, ruled.down, ruled.vertical, is_vertical=True)
    rules = np.asarray(cv2.dilate(rules, np.ones((3, 3), np.uint8)), np.uint8)
    clean = page.copy()
    cv2.copyTo(np.full_like(page, _level(page, 0.5)), rules, clean)
    cv2.copyTo(np.zeros_like(black), rules, black)
    upright = tuple(float(value) for value in back.ravel())
    return Ink(clean, ruled.horizontal, ruled.vertical, _pieces(black), upright)  # type: ignore[arg-type]  # six values


def _level(page: Picture, share: float) -> int:
    """The grey that so large a share (0 to 1) of the page is no lighter than, by a sample of its pixels."""
    counts = np.bincount(page[::8, ::8].ravel(), minlength=256).cumsum()
    return int(np.searchsorted(counts, share * counts[-1]))


def _black(page: Picture) -> Picture:
    contrast = max(_LEAST_CONTRAST, _level(page, 0.5) - _level(page, 0.01))
    black = cv2.adaptiveThreshold(
        page, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, _WINDOW, contrast * _INK
    )
    return np.asarray(black, np.uint8)


def _skew(page: Picture) -> float:
    """Degrees, anticlockwise, by which the page must be turned: then its rows of ink stand apart most clearly."""
    if min(page.shape) < 2:
        return 0.0
    height, width = (side // 2 * 2 for side in page.shape)
    small = cv2.resize(page[:height, :width], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    points = cv2.findNonZero(_black(np.asarray(small, np.uint8)))
    if points is None or len(points) < 100:
        return 0.0
    right, down = points.reshape(-1, 2).astype(np.float32).T
    right, down = right - small.shape[1] / 2, down + 64

    def clearest(best: float, step: float, reach: float, every: int) -> float:
        across, below = right[::every], down[::every]

        def clearness(angle: float) -> float:
            rows = (below - across * np.float32(np.tan(np.radians(angle)))).astype(np.int32)
            counts = np.bincount(np.maximum(rows, 0)).astype(np.float64)
            return float((np.diff(counts) ** 2).sum())

        steps = round(reach / step)
        return max((best + step * number for number in range(-steps, steps + 1)), key=clearness)

    some = len(right) // _SKEW_POINTS + 1
    return clearest(clearest(clearest(0.0, 0.5, _MOST_SKEW, some), 0.1, 0.5, some), 0.025, 0.1, 1)


@dataclass(frozen=True, slots=True)
class _Ruled:
    """The rules of a page's tables, and the masks of strokes they are in.

    `straight`: how much of all that is as long and thin as a rule they are (0 to 1).
    """

    across: Picture
    down: Picture
    horizontal: list[Line]
    vertical: list[Line]
    straight: float


def _ruled(black: Picture) -> _Ruled:
    across, rows = _rules(black, is_vertical=False)
    down, columns = _rules(black, is_vertical=True)
    horizontal, vertical = _meeting(rows, columns)
    sizes = [(width, height) for _, _, width, height in rows], [(height, width) for _, _, width, height in columns]
    straight = min(_straight(horizontal, sizes[0]), _straight(vertical, sizes[1]))
    return _Ruled(across, down, horizontal, vertical, straight)


def _straight(lines: list[Line], strokes: list[tuple[int, int]]) -> float:
    """How much of the long strokes, each by its length and how far it strays, is in tables and does not stray."""
    long = [(length, wide) for length, wide in strokes if length >= _LONG_STROKE]
    whole = sum(length for length, _ in long)
    if whole < _LEAST_RULED:
        return 1.0
    astray = sum(length for length, wide in long if wide > _THICKEST_RULE + _STRAY)
    return min(sum(line.end - line.start for line in lines), whole - astray) / whole


def _rules(black: Picture, *, is_vertical: bool) -> tuple[Picture, list[tuple[int, int, int, int]]]:
    """Long thin strokes in one direction: the mask they are in (0 and 1), and the box (x, y, width, height) of each."""
    mask = _upright_strokes(black) if is_vertical else cv2.transpose(_upright_strokes(cv2.transpose(black)))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return np.asarray(mask, np.uint8), [tuple(cv2.boundingRect(contour)) for contour in contours]  # type: ignore[misc]


def _upright_strokes(black: Any) -> Picture:
    """What of a black and white picture is in upright strokes as long as a rule, as 0 and 1."""
    # A byte holds eight pixels of a row, and what is done to a row is done to all of them at once.
    bits: Any = np.packbits(black, axis=1)
    beside = np.pad(bits, ((0, 0), (1, 1)))
    # A rule that is not quite straight climbs from one column of pixels to the next.
    bits = bits | bits << 1 | bits >> 1 | beside[:, 2:] >> 7 | beside[:, :-2] << 7
    # Its gaps are closed, and what is shorter than a rule goes: closing ends and opening begins with an erosion, and
    # the two are one.
    half, gap = _LEAST_RULE // 2, _GAP // 2
    bits = _over_rows(bits, gap, gap, np.bitwise_or, 0)
    bits = _over_rows(bits, half + gap, half + gap - 1, np.bitwise_and, 255)
    bits = _over_rows(bits, half, half - 1, np.bitwise_or, 0)
    return np.unpackbits(bits, axis=1, count=black.shape[1])


def _over_rows(bits: Any, above: int, below: int, combine: np.ufunc, beyond: int) -> Any:
    """Each row combined with so many `above` and `below` it; outside the picture all are `beyond`."""
    rows = np.pad(bits, ((above, below), (0, 0)), constant_values=beyond)
    height, reach = above + below + 1, 1
    while reach < height:
        step = min(reach, height - reach)
        rows = combine(rows[:-step], rows[step:])
        reach += step
    return rows


_Boxes = list[tuple[int, int, int, int]]


def _meeting(across: _Boxes, down: _Boxes) -> tuple[list[Line], list[Line]]:
    """Rules that meet two of the other direction; strokes of characters and underlines meet none.

    Of those, the rules of tables: strokes of large characters have no line joined to them as long as a table is wide.
    """
    rows = [Line(y + h / 2, x, x + w) for x, y, w, h in across if h <= _THICKEST_RULE + w / 100]
    columns = [Line(x + w / 2, y, y + h) for x, y, w, h in down if w <= _THICKEST_RULE + h / 100]
    if not 0 < len(rows) * len(columns) <= _MOST_CROSSINGS:
        return [], []
    cross = _crossing(rows, columns)
    is_row, is_column = np.ones(len(rows), bool), np.ones(len(columns), bool)
    for _ in range(2):
        is_row &= cross[:, is_column].sum(axis=1) >= 2
        is_column &= cross[is_row].sum(axis=0) >= 2
    of_table = is_row & [row.end - row.start >= _LEAST_WIDTH for row in rows]
    joined = np.zeros(len(columns), bool)
    while (more := is_column & cross[of_table].any(axis=0)).sum() > joined.sum():
        joined = more
        of_table |= is_row & cross[:, joined].any(axis=1)
    return (
        [row for row, is_kept in zip(rows, of_table, strict=True) if is_kept],
        [column for column, is_kept in zip(columns, joined, strict=True) if is_kept],
    )


def _crossing(rows: list[Line], columns: list[Line]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which row (down) meets which column (across)."""
    at, start, end = np.array([(row.at, row.start, row.end) for row in rows], np.float32).T[:, :, None]
    other_at, other_start, other_end = np.array([(one.at, one.start, one.end) for one in columns], np.float32).T
    is_within = (start - _MEETS <= other_at) & (other_at <= end + _MEETS)
    is_within &= (other_start - _MEETS <= at) & (at <= other_end + _MEETS)
    return np.asarray(is_within)


def _keep(rules: Picture, mask: Picture, lines: list[Line], *, is_vertical: bool) -> None:
    for line in lines:
        at, start, end = round(line.at), round(line.start), round(line.end)
        low, high = max(0, at - _THICKEST_RULE), at + _THICKEST_RULE + 1
        place = (slice(start, end), slice(low, high)) if is_vertical else (slice(low, high), slice(start, end))
        rules[place] |= mask[place]


def _pieces(black: Picture) -> list[Piece]:
    contours, _ = cv2.findContours(black, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [cv2.boundingRect(contour) for contour in contours]
    return [Piece(left, top, left + width, top + height) for left, top, width, height in boxes if width * height >= 3]
