"""Pages photographed from the side, or bent by the spine of a book: each table laid out flat by its own borders.

The four borders of a table are followed as cubic curves, and what lies between them is drawn anew as a rectangle.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

Picture = np.ndarray[Any, np.dtype[np.uint8]]
_Floats = np.ndarray[Any, np.dtype[np.float64]]
_Places = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]

# Pixels at 200 to the inch. Strokes of this length, of lines that climb by one in seven at the most, make the tables.
_STROKE, _CLIMB, _GAP = 21, 3, 7
_LEAST_WIDTH, _LEAST_HEIGHT = 400, 80
# Paper kept round a table, and how far from its curve a border's pixel may be.
_MARGIN = 8
_ASTRAY = 4.0
_DEGREE = 3


def straightened(page: Picture, black: Picture) -> Picture:
    """The page with each of its tables straight; the page itself where it has none. `black`: its ink."""
    result = page.copy()
    paper = int(np.median(page[::16, ::16]))
    for table in _tables(black):
        borders = _borders(table)
        if borders is not None:
            _lay(page, result, table, borders, paper)
    return result


def _tables(black: Picture) -> Iterator[Picture]:
    """The rules of each table as a mask of the page."""
    across = cv2.dilate(black, np.ones((_CLIMB, 1), np.uint8))
    across = cv2.morphologyEx(across, cv2.MORPH_OPEN, np.ones((1, _STROKE), np.uint8))
    down = cv2.dilate(black, np.ones((1, _CLIMB), np.uint8))
    down = cv2.morphologyEx(down, cv2.MORPH_OPEN, np.ones((_STROKE, 1), np.uint8))
    rules = cv2.morphologyEx(cv2.bitwise_or(across, down), cv2.MORPH_CLOSE, np.ones((_GAP, _GAP), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(rules, connectivity=8)
    for number in range(1, count):
        if stats[number, cv2.CC_STAT_WIDTH] >= _LEAST_WIDTH and stats[number, cv2.CC_STAT_HEIGHT] >= _LEAST_HEIGHT:
            yield (labels == number).astype(np.uint8)


def _borders(table: Picture) -> tuple[_Floats, _Floats, _Floats, _Floats] | None:
    """Polynomials of the upper and lower border (y by x) and of the left and right one (x by y)."""
    sides = []
    for mask, is_last in ((table, False), (table, True), (table.T, False), (table.T, True)):
        along = np.flatnonzero(mask.any(axis=0))
        seen = mask[::-1] if is_last else mask
        at = seen[:, along].argmax(axis=0)
        curve = _curve(along, mask.shape[0] - 1 - at if is_last else at)
        if curve is None:
            return None
        sides.append(curve)
    return sides[0], sides[1], sides[2], sides[3]


def _curve(along: _Places, at: _Places) -> _Floats | None:
    """The curve most of the points lie on, None where they lie on none."""
    kept = np.abs(at - np.median(at)) < 0.1 * len(along) + _STROKE
    for _ in range(4):
        if kept.sum() < len(along) / 2:
            return None
        curve = np.polyfit(along[kept], at[kept], _DEGREE)
        astray = np.abs(np.polyval(curve, along) - at)
        kept = astray <= max(_ASTRAY, float(np.median(astray)))
    return curve if float(np.median(astray)) <= _ASTRAY else None


def _lay(
    page: Picture,
    result: Picture,
    table: Picture,
    borders: tuple[_Floats, _Floats, _Floats, _Floats],
    paper: int,
) -> None:
    """Draws what lies between the borders as a rectangle into `result`, where the table was."""
    upper, lower, left, right = borders
    rows, columns = np.flatnonzero(table.any(axis=1)), np.flatnonzero(table.any(axis=0))
    corners = [
        _corner(row, column, y, x)
        for row, y in ((upper, rows[0]), (lower, rows[-1]))
        for column, x in ((left, columns[0]), (right, columns[-1]))
    ]
    if not all(0 <= x < page.shape[1] and 0 <= y < page.shape[0] for x, y in corners):
        return
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    first_x, first_y = round((x0 + x2) / 2), round((y0 + y1) / 2)
    width, height = round((x1 - x0 + x3 - x2) / 2), round((y2 - y0 + y3 - y1) / 2)
    if min(width, height) < _LEAST_HEIGHT or first_x < _MARGIN or first_y < _MARGIN:
        return
    u = (np.arange(-_MARGIN, width + _MARGIN) / width)[None, :]
    v = (np.arange(-_MARGIN, height + _MARGIN) / height)[:, None]
    above_x, below_x = x0 + (x1 - x0) * u, x2 + (x3 - x2) * u
    left_y, right_y = y0 + (y2 - y0) * v, y1 + (y3 - y1) * v
    plain_x = (1 - v) * above_x + v * below_x
    plain_y = (1 - u) * left_y + u * right_y
    # A Coons patch: the four borders' curves, less the plane through the corners that both pairs hold.
    bent_x = (1 - u) * (np.polyval(left, left_y) - (x0 + (x2 - x0) * v)) + u * (
        np.polyval(right, right_y) - (x1 + (x3 - x1) * v)
    )
    bent_y = (1 - v) * (np.polyval(upper, above_x) - (y0 + (y1 - y0) * u)) + v * (
        np.polyval(lower, below_x) - (y2 + (y3 - y2) * u)
    )
    flat = cv2.remap(
        page,
        (plain_x + bent_x).astype(np.float32),
        (plain_y + bent_y).astype(np.float32),
        cv2.INTER_LINEAR,
        borderValue=(paper,),
    )
    outline, _ = cv2.findContours(table, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(result, outline, -1, (paper,), -1)
    cv2.drawContours(result, outline, -1, (paper,), 2 * _MARGIN)
    top, start = first_y - _MARGIN, first_x - _MARGIN
    place = result[top : top + flat.shape[0], start : start + flat.shape[1]]
    place[:] = flat[: place.shape[0], : place.shape[1]]


def _corner(row: _Floats, column: _Floats, y: float, x: float) -> tuple[float, float]:
    """Where two borders meet, from a point near it."""
    for _ in range(6):
        y = float(np.polyval(row, x))
        x = float(np.polyval(column, y))
    return x, y
