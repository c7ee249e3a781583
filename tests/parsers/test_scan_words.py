"""Words that a table prints again and again."""

from __future__ import annotations

import pytest

pytest.importorskip("cv2", reason="the extra ocr is not installed")

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from parsers.readers import scan_words
from parsers.readers.scan_ink import Picture, Piece

EM = 26.0
FONT = ImageFont.load_default(30)


def page(words: list[str]) -> tuple[Picture, dict[int, Piece]]:
    """Words one below the other, with a scanner's noise, and the box of each."""
    drawn = Image.new("L", (300, 50 * len(words)), 240)
    draw = ImageDraw.Draw(drawn)
    boxes = {}
    for row, word in enumerate(words):
        draw.text((10 + row % 5, 50 * row + 4), word, font=FONT, fill=30)
        left, top, right, bottom = draw.textbbox((10 + row % 5, 50 * row + 4), word, font=FONT)
        boxes[row] = Piece(round(left), round(top), round(right), round(bottom))
    noise = np.random.default_rng(7).normal(0, 6, (drawn.height, drawn.width))
    return np.clip(np.array(drawn) + noise, 0, 255).astype(np.uint8), boxes


def test_a_word_printed_again_is_the_first_one() -> None:
    clean, boxes = page(["BE", "CM", "BE", "BE", "CM", "X"])
    assert scan_words.repeated(clean, boxes, EM) == {2: 0, 3: 0, 4: 1}


def test_words_that_differ_in_one_character_are_two() -> None:
    clean, boxes = page(["CE", "OE", "EC", "EG", "31", "81"])
    assert scan_words.repeated(clean, boxes, EM) == {}


def test_long_words_are_never_taken_for_each_other() -> None:
    clean, boxes = page(["HHHHHH", "HHHHHH"])
    assert scan_words.repeated(clean, boxes, EM) == {}


def test_no_words() -> None:
    assert scan_words.repeated(np.full((40, 40), 240, np.uint8), {}, EM) == {}
    blank = {0: Piece(2, 2, 30, 30), 1: Piece(3, 3, 31, 31)}
    assert scan_words.repeated(np.full((40, 40), 240, np.uint8), blank, EM) == {}
