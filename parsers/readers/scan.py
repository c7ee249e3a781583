"""A page that is a picture to characters and ruled lines, as if it had been printed to a file.

Every line of every cell is cut out and read by itself: a detector of text would be slower, and it overlooks the lone
digits that statutory tables are made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from parsers.readers import pdf_grid, scan_characters, scan_digits, scan_ink
from parsers.readers.ocr import Recognised, Recogniser
from parsers.readers.page_content import Characters, PageContent
from parsers.readers.pdf_grid import Line
from parsers.readers.scan_ink import Ink, Picture, Piece

# No reading of a picture is certain.
MOST_CERTAIN = 0.99
_POINT = scan_ink.DPI / 72
_LEAST_DIGIT = 0.4
_LEAST_STROKE = 0.3
_UNKNOWN = Recognised("\ufffd", (0.0,), (0.5,))
_LEAST_EM, _MOST_EM = 14, 60
_NUMBER_LIKE = re.compile(r"[0-9OoQD〇○lI|.,，。、:：·•*＊#＃~^'`‘’\s-]+")
_AS_DIGITS = str.maketrans({**dict.fromkeys("OoQD〇○", "0"), **dict.fromkeys("lI|", "1"), "，": ",", "。": "."})
# Pixels of paper shown beside a line.
_BESIDE = 4
_EDGES = " .,，。、:：·•*＊#＃~^'`‘’"
# Pages the right way up have 0.96, others 0.87 at most.
_UPRIGHT = 0.92
# Numbers that show how high a digit is; ems that none is longer than.
_LEAST_NUMBERS, _LONGEST_NUMBER = 8, 5
_SAMPLE_LINES = 12


@dataclass(frozen=True, slots=True)
class _PrintedLine:
    """A line's ink: its box in pixels and its pieces."""

    left: int
    top: int
    right: int
    bottom: int
    pieces: tuple[Piece, ...]
    is_in_cell: bool


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a picture of a page holds; `score` is the mean of its characters', None where it has none."""

    content: PageContent
    score: float | None


def page_content(picture: Picture, *, number: int, recogniser: Recogniser, unit: float = 1.0) -> Scanned:
    """Read a page. `picture`: grey, 200 pixels to the inch. A page laid on the glass askew by quarters is turned.

    `unit`: how many units of the locators' boxes a point is (1 for PDF, pixels of the picture for a picture).
    """
    found = _read(picture, number, recogniser, turn=0, unit=unit)
    if found.score is None or found.score >= _UPRIGHT:
        return found
    scores = {turn: _sample(picture, recogniser, turn) for turn in (0, 90, 180, 270)}
    turn = max(scores, key=lambda turn: scores[turn])
    return _read(picture, number, recogniser, turn=turn, unit=unit) if turn else found


def _sample(picture: Picture, recogniser: Recogniser, turn: int) -> float:
    """How sure the characters of a few lines are when the page is turned so."""
    drawn = scan_ink.ink(np.ascontiguousarray(np.rot90(picture, turn // 90)))
    em = _em(drawn.pieces)
    lines = _lines(drawn.pieces, pdf_grid.tables(_points(drawn.horizontal), _points(drawn.vertical)) or [], em)
    wordy = sorted(lines, key=lambda line: min(line.right - line.left, 12 * em), reverse=True)[:_SAMPLE_LINES]
    scores = [
        score
        for text in recogniser.read([drawn.clean[_around(drawn.clean, line, em)] for line in wordy])
        for score in text.scores
    ]
    return sum(scores) / len(scores) if scores else 0.0


def _read(picture: Picture, number: int, recogniser: Recogniser, *, turn: int, unit: float) -> Scanned:
    height, width = picture.shape
    drawn = scan_ink.ink(np.ascontiguousarray(np.rot90(picture, turn // 90)))
    em = _em(drawn.pieces)
    tables = pdf_grid.tables(_points(drawn.horizontal), _points(drawn.vertical)) or []
    lines = _lines(drawn.pieces, tables, em)
    texts = _texts(lines, drawn, recogniser, em)
    characters = Characters()
    for line, text in zip(lines, texts, strict=True):
        if text.text.strip():
            _add(characters, line, text, em)
        elif line.is_in_cell and line.bottom - line.top >= _LEAST_DIGIT * em:
            # Ink that is no character known; an empty cell has none.
            _add(characters, line, _UNKNOWN, em)
    scores = characters.scores
    upright_height, upright_width = drawn.clean.shape
    content = PageContent(
        number=number,
        width=upright_width / _POINT,
        height=upright_height / _POINT,
        turn=0,
        characters=characters,
        horizontal=_points(drawn.horizontal),
        vertical=_points(drawn.vertical),
        has_image=True,
        most_certain=MOST_CERTAIN,
        to_display=_to_display(drawn, turn, width, height, unit),
    )
    return Scanned(content, sum(scores) / len(scores) if scores else None)


def _points(lines: Iterable[Line]) -> list[Line]:
    return [Line(line.at / _POINT, line.start / _POINT, line.end / _POINT) for line in lines]


def _to_display(drawn: Ink, turn: int, width: int, height: int, unit: float) -> tuple[float, ...]:
    """From points of the upright page to the locators' units of the page as it was given."""
    a, b, c, d, e, f = drawn.upright
    # The picture was turned anticlockwise by `turn` before it was laid straight.
    if turn == 90:
        a, b, c, d, e, f = -d, -e, width - f, a, b, c
    elif turn == 180:
        a, b, c, d, e, f = -a, -b, width - c, -d, -e, height - f
    elif turn == 270:
        a, b, c, d, e, f = d, e, f, -a, -b, height - c
    return (a * unit, b * unit, c / _POINT * unit, d * unit, e * unit, f / _POINT * unit)


def _em(pieces: Sequence[Piece]) -> float:
    """The height of a character on this page: of its larger pieces most are one."""
    heights = [piece.height for piece in pieces if _LEAST_EM <= piece.height <= _MOST_EM]
    return float(median(heights)) * 1.1 if len(heights) > 20 else 28.0


def _lines(pieces: Sequence[Piece], tables: Sequence[pdf_grid.Table], em: float) -> list[_PrintedLine]:
    """Printed lines of every cell and of the text between the tables."""
    regions: dict[tuple[int, int], list[Piece]] = {}
    for piece in pieces:
        if piece.height > 3 * em or piece.width > 6 * em:
            # A picture, a seal, a shadow at the edge.
            continue
        x, y = (piece.left + piece.right) / 2 / _POINT, (piece.top + piece.bottom) / 2 / _POINT
        key = next(((at, cell) for at, table in enumerate(tables) if (cell := table.find(x, y)) >= 0), (-1, -1))
        regions.setdefault(key, []).append(piece)
    return [line for key, region in regions.items() for line in _region_lines(region, em, is_cell=key[0] >= 0)]


def _region_lines(pieces: list[Piece], em: float, *, is_cell: bool) -> list[_PrintedLine]:
    """Rows of ink with nothing between them; strokes that stand alone (二, 三) go together."""
    solid = sorted((piece for piece in pieces if not piece.is_speck), key=lambda piece: piece.top)
    if not solid:
        return []
    bands: list[list[int]] = []
    for piece in solid:
        if bands and piece.top <= bands[-1][1]:
            bands[-1][1] = max(bands[-1][1], piece.bottom)
        else:
            bands.append([piece.top, piece.bottom])
    joined = bands[:1]
    for top, bottom in bands[1:]:
        last = joined[-1]
        is_stroke = bottom - top < 0.5 * em or last[1] - last[0] < 0.5 * em
        if is_stroke and top - last[1] < 0.45 * em and bottom - last[0] < 1.35 * em:
            last[1] = bottom
        else:
            joined.append([top, bottom])
    found = []
    for top, bottom in joined:
        own = sorted(
            (piece for piece in pieces if top - 2 <= (piece.top + piece.bottom) / 2 <= bottom + 2),
            key=lambda piece: piece.left,
        )
        own = _without_loose_specks(own, em)
        # Outside of tables dots alone, however far apart, are dirt.
        if own and (is_cell or any(max(piece.width, piece.height) >= _LEAST_STROKE * em for piece in own)):
            found.append(
                _PrintedLine(own[0].left, top, max(piece.right for piece in own), bottom, tuple(own), is_cell),
            )
    return found


def _without_loose_specks(pieces: list[Piece], em: float) -> list[Piece]:
    """Dots at either end that stand apart from the line: dirt, not a point."""
    while len(pieces) > 1 and pieces[0].is_speck and pieces[1].left - pieces[0].right > 0.3 * em:
        pieces = pieces[1:]
    while len(pieces) > 1 and pieces[-1].is_speck and pieces[-1].left - pieces[-2].right > 0.3 * em:
        pieces = pieces[:-1]
    return pieces if any(not piece.is_speck for piece in pieces) else []


def _texts(lines: Sequence[_PrintedLine], drawn: Ink, recogniser: Recogniser, em: float) -> list[Recognised]:
    texts = {index: text for index, line in enumerate(lines) if (text := _by_shape(line, em))}
    numbers = scan_digits.numbers(
        drawn.clean, {index: line.pieces for index, line in enumerate(lines) if index not in texts}, em
    )
    known = texts.keys() | numbers.plain.keys() | numbers.parted.keys()
    others = [index for index in range(len(lines)) if index not in known]

    highest = [max(piece.height for piece in pieces) for pieces in numbers.plain.values()]
    digit = median(highest) if len(highest) >= _LEAST_NUMBERS else em
    labels = {index for index in (*others, *numbers.parted) if _is_label(lines[index], digit, em)}

    def ask(indices: Sequence[int]) -> list[Recognised]:
        cuts = [drawn.clean[_around(drawn.clean, lines[index], em)] for index in indices]
        return [_mended(text) for text in recogniser.read(cuts, [index in labels for index in indices])]

    words = {
        index: scan_characters.Words(drawn.clean[rows, columns], columns.start, rows.start, lines[index].pieces)
        for index in others
        if lines[index].is_in_cell
        for rows, columns in [_around(drawn.clean, lines[index], em)]
    }
    texts.update(scan_characters.read(words, lambda strips: recogniser.read(strips, [True] * len(strips))))
    whole = [index for index in others if index not in texts]
    texts.update(scan_digits.read(drawn.clean, numbers, whole, em, ask))
    return [texts[index] for index in range(len(lines))]


def _is_label(line: _PrintedLine, digit: float, em: float) -> bool:
    """Whether a cell's line is of characters higher than digits, or longer than any number."""
    if not line.is_in_cell:
        return False
    return (
        line.right - line.left > _LONGEST_NUMBER * em or sum(piece.height >= 1.1 * digit for piece in line.pieces) >= 2
    )


def _by_shape(line: _PrintedLine, em: float) -> Recognised | None:
    """A dash or a slash alone in its cell, which a recogniser takes for 1 or 7."""
    solid = [piece for piece in line.pieces if not piece.is_speck]
    if len(solid) != 1:
        return None
    piece = solid[0]
    if piece.height <= 0.25 * em and piece.width >= 0.3 * em:
        return Recognised("—", (MOST_CERTAIN,), (0.5,))
    return None


def _around(clean: Picture, line: _PrintedLine, em: float) -> tuple[slice, slice]:
    """Rows and columns of a line with a little paper round it, at least as high as a character."""
    height, width = clean.shape
    missing = max(0.0, 1.15 * em - (line.bottom - line.top)) / 2
    above = round(missing + 2)
    return (
        slice(max(0, line.top - above), min(height, line.bottom + above)),
        slice(max(0, line.left - _BESIDE), min(width, line.right + _BESIDE)),
    )


def _mended(text: Recognised) -> Recognised:
    """Letters where only digits can be, and dots at the edge of a number, which are dirt."""
    if (
        not text.text
        or not _NUMBER_LIKE.fullmatch(text.text)
        or not any(c.isdigit() or c in "OoQD〇○" for c in text.text)
    ):
        return text
    kept = list(range(len(text.text)))
    while kept and text.text[kept[0]] in _EDGES:
        kept.pop(0)
    while kept and text.text[kept[-1]] in _EDGES:
        kept.pop()
    return Recognised(
        "".join(text.text[index] for index in kept).translate(_AS_DIGITS),
        tuple(text.scores[index] for index in kept),
        tuple(text.places[index] for index in kept),
    )


def _add(characters: Characters, line: _PrintedLine, text: Recognised, em: float) -> None:
    """A line's characters, side by side over its width: where each stands is known no better."""
    widths = [0.5 if character.isascii() else 1.0 for character in text.text]
    step = (line.right - line.left) / sum(widths)
    missing = max(0.0, em - (line.bottom - line.top)) / 2
    left = float(line.left)
    characters.text += text.text
    for width, score in zip(widths, text.scores, strict=True):
        characters.left.append(left / _POINT)
        left += step * width
        characters.right.append(left / _POINT)
        characters.top.append((line.top - missing) / _POINT)
        characters.bottom.append((line.bottom + missing) / _POINT)
        characters.scores.append(min(score, MOST_CERTAIN))
