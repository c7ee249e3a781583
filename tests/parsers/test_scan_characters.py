"""Words of which the recogniser is shown each character once. Characters are squares of chance, told by a stand-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

pytest.importorskip("cv2", reason="the extra ocr is not installed")

import numpy as np

from parsers.readers import scan_characters
from parsers.readers.ocr import Recognised
from parsers.readers.scan_characters import Words
from parsers.readers.scan_ink import Picture, Piece

SIDE, STEP, ROW = 24, 28, 60
# What stands in a line besides characters: so wide, so high.
MARKS = {"1": (9, 18), "2": (9, 18), ".": (3, 4), "(": (6, 24), ")": (6, 24), "、": (7, 8)}


def drawn(character: str) -> Picture:
    """Ink of a character: the same each time, and like no other's."""
    width, height = MARKS.get(character, (SIDE, SIDE))
    chance = np.random.default_rng(ord(character))
    coarse = chance.random((-(-height // 3), -(-width // 3))) < 0.5
    ink = np.kron(coarse, np.ones((3, 3)))[:height, :width]
    ink[0, :] = ink[-1, :] = ink[:, 0] = ink[:, -1] = 1
    return np.where(ink > 0, 30, 240).astype(np.uint8)


def page(lines: Sequence[str], noise: float = 4.0) -> dict[int, Words]:
    clean = np.full((ROW * len(lines) + ROW, 800), 240, np.uint8)
    inks: list[list[Piece]] = []
    for row, line in enumerate(lines):
        left, inks_here = 20, []
        for character in line:
            ink = drawn(character)
            height, width = ink.shape
            top = ROW * row + 20 + (SIDE - height)
            clean[top : top + height, left : left + width] = ink
            inks_here.append(Piece(left, top, left + width, top + height))
            left += width + STEP - SIDE
        inks.append(inks_here)
    chance = np.random.default_rng(1).normal(0, noise, clean.shape)
    clean = np.clip(clean + chance, 0, 255).astype(np.uint8)
    words = {}
    for row, own in enumerate(inks):
        left, right = own[0].left - 4, own[-1].right + 4
        top = ROW * row + 16
        words[row] = Words(clean[top : top + SIDE + 8, left:right], left, top, own)
    return words


class Reader:
    """Says the given texts, a strip each, and each character where it would stand; | is the paper between two lines."""

    def __init__(self, *texts: str, scores: Mapping[str, float] | None = None) -> None:
        self.texts, self.scores = texts, scores or {}
        self.widths: list[int] = []

    def __call__(self, pictures: Sequence[Picture]) -> list[Recognised]:
        self.widths += [picture.shape[1] for picture in pictures]
        return [self._said(text, picture) for text, picture in zip(self.texts, pictures, strict=True)]

    def _said(self, text: str, picture: Picture) -> Recognised:
        left, places = 4, []
        for character in text:
            width = MARKS.get(character, (SIDE, 0))[0]
            places.append((left + width / 2) / picture.shape[1])
            left += 8 + scan_characters._GAP - (STEP - SIDE) if character == "|" else width + STEP - SIDE
        kept = [(one, place) for one, place in zip(text, places, strict=True) if one != "|"]
        scores = tuple(self.scores.get(one, 0.99) for one, _ in kept)
        return Recognised("".join(one for one, _ in kept), scores, tuple(min(1.0, place) for _, place in kept))


def texts(reader: Reader, lines: Sequence[str]) -> dict[int, str]:
    found = scan_characters.read(page(lines), reader)
    assert all(len(one.text) == len(one.scores) == len(one.places) for one in found.values())
    return {index: one.text for index, one in found.items()}


def test_a_character_is_shown_once_and_stands_wherever_it_is_printed() -> None:
    reader = Reader("政府|信")
    assert texts(reader, ["政府", "府政", "信府", "政政政"]) == {0: "政府", 1: "府政", 2: "信府", 3: "政政政"}
    assert sum(reader.widths) < 4 * STEP + 2 * scan_characters._GAP


def test_characters_that_differ_a_little_are_two() -> None:
    words = page(["政", "政"])
    words[1].picture[8:18, 8:18] = 255 - words[1].picture[8:18, 8:18]
    found = scan_characters.read(words, Reader("政|府"))
    assert {index: one.text for index, one in found.items()} == {0: "政", 1: "府"}


def test_nothing_is_copied_of_which_the_recogniser_is_not_sure() -> None:
    assert texts(Reader("政府", scores={"政": 0.7}), ["政府", "府政", "府府"]) == {0: "政府", 2: "府府"}


@pytest.mark.parametrize("said", ["政", "政信府", "政5", "55", "", "政  "])
def test_what_cannot_be_told_apart_is_left_out(said: str) -> None:
    assert texts(Reader(said), ["政府", "府政"]) == {}


def test_what_cannot_be_told_leaves_the_words_beside_it_as_they_are() -> None:
    assert texts(Reader("政|5|府"), ["政", "信", "府"]) == {0: "政", 2: "府"}


def test_a_mark_beside_a_character_of_which_nothing_is_said_may_hold_it() -> None:
    assert texts(Reader(" |、信"), ["府", "、信"]) == {}
    assert texts(Reader(" |信、"), ["府", "信、"]) == {1: "信、"}


def test_between_characters_anything_may_stand() -> None:
    assert texts(Reader("(政)府|信、"), ["(政)府", "信、府"]) == {0: "(政)府", 1: "信、府"}
    assert texts(Reader("(政)府|信"), ["(政)府", "信、府"]) == {0: "(政)府"}


def test_a_number_before_a_point_is_read_and_no_other() -> None:
    assert texts(Reader("1.政"), ["1.政"]) == {0: "1.政"}
    assert texts(Reader("1政"), ["1政"]) == {}
    assert texts(Reader("政1.府"), ["政1.府"]) == {}


def test_two_marks_without_a_character_between_them_are_not_shown_side_by_side() -> None:
    """Where all of a line's characters are known, one of them is shown again; else the strip ends."""
    assert texts(Reader("政|1.政2."), ["政", "1.政", "2.政"]) == {0: "政", 1: "1.政", 2: "2.政"}
    assert texts(Reader("政)", "(府"), ["政)", "(府"]) == {0: "政)", 1: "(府"}


def test_no_words() -> None:
    assert scan_characters.read({}, Reader()) == {}
