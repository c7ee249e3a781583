"""A grey seal over print: gone, and the print still there."""

# ruff: noqa: E402  nothing of it can be imported where the extra is missing
from __future__ import annotations

import pytest

cv2 = pytest.importorskip("cv2", reason="the extra ocr is not installed")

import numpy as np

from parsers.readers.scan_seal import Picture, without_seal

PAPER, SEAL, PRINT = 250, 120, 25
WIDTH, HEIGHT = 900, 1200
CENTRE, RADIUS = (450, 600), 165


def page(*, with_seal: bool) -> Picture:
    """Rows of a table, a word in each; over it a ring and a star."""
    paper = np.full((HEIGHT, WIDTH), PAPER, np.uint8)
    for y in range(60, HEIGHT - 40, 40):
        cv2.line(paper, (60, y), (WIDTH - 60, y), (PRINT,), 2)
        for x in range(80, WIDTH - 120, 90):
            cv2.putText(paper, "203", (x, y + 30), cv2.FONT_HERSHEY_PLAIN, 1.9, (PRINT,), 2)
    if not with_seal:
        return paper
    ink = np.full_like(paper, 255)
    cv2.circle(ink, CENTRE, RADIUS, (SEAL,), 10)
    cv2.circle(ink, CENTRE, 50, (SEAL,), -1)
    return np.minimum(paper, ink)


def test_a_seal_is_made_paper_and_print_under_it_is_kept() -> None:
    bare, sealed = page(with_seal=False), page(with_seal=True)
    cleared = without_seal(sealed, PAPER, PRINT)
    seal_only = (sealed == SEAL) & (bare == PAPER)
    assert seal_only.sum() > 10_000
    assert (cleared[seal_only] < PAPER - 60).mean() < 0.1
    assert (cleared[bare == PRINT] < 80).all()


def test_a_page_without_a_seal_is_left_as_it_is() -> None:
    bare = page(with_seal=False)
    assert without_seal(bare, PAPER, PRINT) is bare


def test_a_grey_box_is_no_seal() -> None:
    shaded = page(with_seal=False)
    shaded[300:420, 60:840] = np.minimum(shaded[300:420, 60:840], 190)
    assert without_seal(shaded, PAPER, PRINT) is shaded


def test_print_as_light_as_a_seal_is_never_thinned() -> None:
    faint = np.where(page(with_seal=True) < PAPER, 200, PAPER).astype(np.uint8)
    assert without_seal(faint, PAPER, 200) is faint
