"""Numbers spelt by the digits recognised elsewhere on the page."""

# ruff: noqa: E402  nothing of it can be imported where the extra is missing
from __future__ import annotations

from collections.abc import Sequence

import pytest

cv2 = pytest.importorskip("cv2", reason="the extra ocr is not installed")
pytest.importorskip("onnxruntime", reason="the extra ocr is not installed")

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from parsers.readers import scan_digits
from parsers.readers.ocr import Recognised
from parsers.readers.scan_ink import Piece

EM = 26.0
FONT = ImageFont.load_default(34)
NUMBERS = ("1203", "4576", "8901", "2345", "6789", "1203", "4576", "8901", "90", "31", "2468", "13579")


class Page:
    """Numbers drawn one below the other, and what a recogniser says of them."""

    def __init__(self, numbers: Sequence[str], says: dict[int, str] | None = None) -> None:
        self.numbers = numbers
        self.picture = np.full((40 * len(numbers) + 20, 220), 250, np.uint8)
        self.lines: dict[int, list[Piece]] = {}
        self.asked: list[int] = []
        self._says = says or {}
        for row, number in enumerate(numbers):
            for at, digit in enumerate(number):
                self._draw(digit, 10 + 15 * at, 10 + 40 * row)
            self.lines[row] = self._pieces(row)

    def _draw(self, digit: str, x: int, y: int) -> None:
        drawn = Image.new("L", (20, 40), 250)
        ImageDraw.Draw(drawn).text((1, -4), digit, font=FONT, fill=20)
        # Digits of Chinese typefaces are half as wide as high.
        place = self.picture[y : y + 40, x : x + 15]
        np.minimum(place, cv2.resize(np.array(drawn), (15, 40), interpolation=cv2.INTER_AREA), out=place)

    def _pieces(self, row: int) -> list[Piece]:
        top = 40 * row + 10
        black = (self.picture[top : top + 38] < 140).astype(np.uint8)
        contours, _ = cv2.findContours(black, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        boxes = sorted(cv2.boundingRect(contour) for contour in contours)
        return [Piece(x, y + top, x + width, y + top + height) for x, y, width, height in boxes]

    def ask(self, indices: Sequence[int]) -> list[Recognised]:
        self.asked += indices
        texts = [self._says.get(index, self.numbers[index]) for index in indices]
        return [Recognised(text, (0.97,) * len(text), (0.5,) * len(text)) for text in texts]

    def read(self, others: Sequence[int] = ()) -> list[str]:
        lines = {index: pieces for index, pieces in self.lines.items() if index not in others}
        numbers = scan_digits.numbers(self.picture, lines, EM)
        others = [index for index in self.lines if index not in {**numbers.plain, **numbers.parted}]
        found = scan_digits.read(self.picture, numbers, others, EM, self.ask)
        return [found[index].text for index in range(len(self.numbers))]

    def cut(self, row: int, top: int, bottom: int) -> None:
        """Paper across the first digit, between these pixels of its height."""
        first = self.lines[row][0]
        self.picture[first.top + top : first.top + bottom, first.left - 1 : first.right + 1] = 250
        self.lines[row] = self._pieces(row)

    def bridge(self, row: int, *heights: int) -> None:
        """Ink from the first digit to the second, at these pixels of their height."""
        first, second = self.lines[row][:2]
        for at in heights:
            self.picture[first.top + at : first.top + at + 2, first.right - 4 : second.left + 4] = 20
        self.lines[row] = self._pieces(row)


def test_digits_seen_before_are_not_recognised_again() -> None:
    page = Page(NUMBERS * 3)
    assert page.read() == list(NUMBERS * 3)
    assert len(page.asked) < len(NUMBERS)
    assert len(page.asked) == len(set(page.asked))


def test_a_digit_without_examples_is_recognised_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_digits, "_SAMPLE", 8)
    page = Page(("11", "12", "21", "22", "7", "21"))
    assert page.read() == ["11", "12", "21", "22", "7", "21"]
    assert 4 in page.asked
    assert 5 not in page.asked


def test_examples_of_two_minds_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_digits, "_SAMPLE", 4)
    page = Page(("33", "33", "33", "33"), says={0: "38", 1: "83"})
    page.read()
    assert page.asked == [0, 1, 2, 3]


def test_what_is_no_number_is_recognised_twice_and_then_known() -> None:
    """A unit beside every number of a column."""
    page = Page(("H",) * 9, says={**dict.fromkeys(range(9), "件")})
    assert page.read() == ["件"] * 9
    assert page.asked == [0, 1]


def test_what_is_no_number_and_was_said_in_two_ways_is_always_recognised() -> None:
    page = Page(("H",) * 5, says={0: "件", 1: "什", 2: "件", 3: "件", 4: "件"})
    assert page.read() == ["件", "什", "件", "件", "件"]


def test_digits_that_are_not_plain_help_to_spell_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample (0, 1, 2, 4) has one 7, which is not enough; two more are recognised, the others spelt by them."""
    monkeypatch.setattr(scan_digits, "_SAMPLE", 8)
    monkeypatch.setattr(scan_digits, "_MORE", 2)
    numbers = ("11", "12", "21", "22", *("17", "72", "27", "71", "172") * 2)
    page = Page(numbers)
    assert page.read() == list(numbers)
    assert page.asked == [0, 1, 2, 4, 6, 11]


def test_digits_that_touch_are_spelt_as_those_that_do_not() -> None:
    page = Page([*NUMBERS * 3, "2345", "8901"])
    page.bridge(36, 21)
    page.bridge(37, 6)
    assert [len(page.lines[row]) for row in (36, 37)] == [3, 3]
    assert page.read() == [*NUMBERS * 3, "2345", "8901"]
    assert {36, 37}.isdisjoint(page.asked)


def test_a_digit_in_two_is_one() -> None:
    page = Page([*NUMBERS * 3, "5432"])
    page.cut(36, 7, 8)
    assert len(page.lines[36]) == 5
    assert page.read() == [*NUMBERS * 3, "5432"]
    assert 36 not in page.asked


def test_what_is_as_wide_as_two_digits_and_is_not_two_is_recognised() -> None:
    page = Page([*NUMBERS * 3, "00"], says={36: "四"})
    page.bridge(36, 0, 6, 12, 18, 22)
    assert len(page.lines[36]) == 1
    assert page.read()[36] == "四"
    assert page.asked[-1] == 36


def test_a_page_of_more_pieces_than_any_report_is_recognised_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_digits, "_MOST_PIECES", 40)
    page = Page(NUMBERS * 3)
    assert page.read() == list(NUMBERS * 3)
    assert set(range(11, 36)) <= set(page.asked)


def test_other_lines_are_always_recognised() -> None:
    page = Page(NUMBERS)
    assert page.read(others=[11]) == list(NUMBERS)
    assert page.asked[0] == 11


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        pytest.param([(11, 19), (10, 19)], True, id="two digits"),
        pytest.param([(11, 19), (4, 6), (10, 19)], True, id="a comma between them"),
        pytest.param([(18, 19)], False, id="as wide as a word"),
        pytest.param([(11, 19), (10, 13)], False, id="of two sizes"),
        pytest.param([(4, 6)], False, id="a speck"),
        pytest.param([(16, 31)], False, id="a heading"),
        pytest.param([(9, 19)] * 10, False, id="longer than any number"),
    ],
)
def test_what_may_be_a_number(sizes: list[tuple[int, int]], expected: bool) -> None:
    pieces = [Piece(20 * at, 50 - high, 20 * at + wide, 50) for at, (wide, high) in enumerate(sizes)]
    assert scan_digits.may_be_number(pieces, EM) is expected
