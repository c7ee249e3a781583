"""A grey seal over print, as black and white scanners leave a red one: made paper, and the print under it kept.

A seal is lighter than print and its ring and star are thicker than any stroke of it. Where it lies, only what is
darker than its own ink is print.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

Picture = np.ndarray[Any, np.dtype[np.uint8]]

# Pixels at 200 to the inch: strokes of print are thinner, the ring of a seal is about 9 thick and 300 to 500 wide.
_THICKEST_STROKE = 7
_LEAST_STAR, _LEAST_RING, _MOST_RING = 60, 240, 560
# A ring is as wide as it is high; of a star, three times as large as it is.
_ROUND, _RING_OF_STAR = 0.8, 3.1
_LEAST_AREA = 900
# Levels of grey between print, seal and paper.
_APART = 35
_ROOM = 16
_BESIDE = 9
_EDGE = 8


def without_seal(page: Picture, paper: int, print_level: int) -> Picture:
    """The page without its grey seal; the page itself where there is none. Levels: of blank paper, of print."""
    if paper - print_level < 3 * _APART:
        return page
    small = cv2.resize(page, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THICKEST_STROKE // 2 + 1, _THICKEST_STROKE // 2 + 1))
    thick = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel).astype(np.uint8)
    found = _seals(_grey(thick, print_level, paper))
    if not found:
        return page
    result = page.copy()
    height, width = page.shape
    for left, top, right, bottom in found:
        place = (
            slice(max(0, 2 * top - _EDGE), min(height, 2 * bottom + _EDGE)),
            slice(max(0, 2 * left - _EDGE), min(width, 2 * right + _EDGE)),
        )
        result[place] = _cleared(page[place], print_level, paper)
    return result


def _cleared(page: Picture, print_level: int, paper: int) -> Picture:
    """A seal's box without the seal."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THICKEST_STROKE, _THICKEST_STROKE))
    thick = cv2.morphologyEx(page, cv2.MORPH_CLOSE, kernel)
    mask = _grey(thick.astype(np.uint8), print_level, paper)
    height, width = page.shape
    inside = np.zeros(page.shape, np.uint8)
    cv2.ellipse(inside, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 1, -1)
    seal = thick[(inside > 0) & (mask > 0)]
    level = float(np.median(seal)) if seal.size else 0.0
    lightest = level - _ROOM
    if lightest - print_level < _APART:
        return page
    # Thin strokes, and the edges of all, are as light as the seal: near what is darker they are print.
    dark = (page < lightest).astype(np.uint8)
    under = cv2.dilate(mask, np.ones((5, 5), np.uint8)) > 0
    beside = cv2.dilate(dark, np.ones((_BESIDE, _BESIDE), np.uint8)) > 0
    upon = cv2.dilate(dark, np.ones((3, 3), np.uint8)) > 0
    stretched = np.clip((page.astype(np.float32) - print_level) * (paper / (level - print_level)), 0, paper)
    print_only = np.where(under, np.where(upon, stretched, paper), np.where(beside, page, paper))
    return np.asarray(np.where(inside > 0, print_only, page), np.uint8)


def _grey(thick: Picture, print_level: int, paper: int) -> Picture:
    return ((thick < paper - _APART) & (thick > print_level + _APART)).astype(np.uint8)


def _seals(mask: Picture) -> list[tuple[int, int, int, int]]:
    """Boxes of the rings at half the size: round and of a seal's size, or about a star."""
    contours, nesting = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    rings: list[tuple[int, int, int, int]] = []
    stars: list[tuple[int, int, int, int]] = []
    for number, contour in enumerate(contours):
        if nesting[0][number][3] >= 0:
            # The edge of a hole.
            continue
        left, top, width, height = cv2.boundingRect(contour)
        if min(width, height) < _ROUND * max(width, height):
            continue
        box = (left, top, left + width, top + height)
        if _LEAST_RING <= 2 * width <= _MOST_RING:
            rings.append(box)
        elif (
            _LEAST_STAR <= 2 * width < _LEAST_RING
            and 4 * cv2.countNonZero(mask[top : top + height, left : left + width]) >= _LEAST_AREA
        ):
            stars.append(box)
    for left, top, right, bottom in stars:
        x, y, half = (left + right) / 2, (top + bottom) / 2, (right - left) / 2 * _RING_OF_STAR
        if not any(ring[0] < x < ring[2] and ring[1] < y < ring[3] for ring in rings):
            rings.append((round(x - half), round(y - half), round(x + half), round(y + half)))
    return rings
