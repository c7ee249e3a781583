"""Characters of a page to lines and paragraphs, by where they stand.

pdfium's own spaces and line ends are not used: it puts spaces inside numbers (`3 119`) and none between columns.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from parsers.readers.page_content import Characters
from parsers.record import record

# Gaps in units of the smaller neighbour's height. Justified Chinese text is stretched by up to half a character.
_WORD_GAP = 0.18
_DIGIT_GAP = 0.5
_CHARACTER_GAP = 0.8
# Farther apart than this, two pieces of a line belong to different columns.
_COLUMN_GAP = 2.0
_SAME_LINE = 0.5
_RAISED = 0.12
_SMALL = 0.75
# How far two characters overlap (their boxes, and at most so far from one start to the other) that are printed over
# each other: the same one twice, for bold type or a shadow; or a digit typed over another that was covered in white.
_OVERLAP = -0.12
_TWICE = 0.2
_OVERTYPED = 0.3
_OBJECT = "\ufffc"
_INDENT = 1.2
_SHORT_BY = 2.0
_HEADING = 1.18
_APART = 1.6
_LONG = 0.75
_RUNNING_TEXT = 0.45
_NUMBERED = re.compile(r"[一二三四五六七八九十]{1,3}、")
_HEADING_CHARACTERS = 60
_PAGE_NUMBER = re.compile(
    r"[\s\-—–－―·.]*(?:第\s*)?\d{1,4}\s*(?:页)?\s*(?:[/／共,，]\s*(?:共\s*)?\d{1,4}\s*页?)?[\s\-—–－―·.]*"
)
_MARGIN = 0.12


@record
class TextLine:
    """One printed line. `size` is the height of its characters in points."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float


@dataclass(frozen=True, slots=True)
class Measure:
    """Left and right edge of the running text in points, and the size most of it is set in."""

    left: float
    right: float
    size: float


@record
class TextBlock:
    """Lines that make up a paragraph.

    `is_full`: its last line reaches the right margin; `is_flush`: its first line starts at the left one. Where a page
    end cuts a paragraph in two, the first half is full and the second flush.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    is_heading: bool
    is_full: bool
    is_flush: bool


def lines(characters: Characters, indices: Sequence[int]) -> list[TextLine]:
    """Lines of the given characters, top to bottom, each from left to right. Blank ones are left out."""
    found = (_line(characters, members) for members in _in_lines(characters, indices))
    return [line for line in found if line.text]


def line_texts(characters: Characters, indices: Sequence[int]) -> list[str]:
    """The texts of `lines` alone, for where it is known where they stand."""
    found = [_joined(characters, members).strip() for members in _in_lines(characters, indices)]
    return list(filter(None, found))


def pieces(characters: Characters, indices: Sequence[int]) -> list[list[tuple[str, float, float]]]:
    """For each of `lines` what stands together on it: text, left and right edge."""
    found = []
    for members in _in_lines(characters, indices):
        if not _joined(characters, members).strip():
            continue
        own: list[list[int]] = []
        for index in members:
            if characters.text[index].isspace():
                continue
            height = characters.bottom[index] - characters.top[index]
            if own and characters.left[index] - characters.right[own[-1][-1]] <= _CHARACTER_GAP * height:
                own[-1].append(index)
            else:
                own.append([index])
        found.append(
            [(_joined(characters, piece), characters.left[piece[0]], characters.right[piece[-1]]) for piece in own]
        )
    return found


def _in_lines(characters: Characters, indices: Sequence[int]) -> list[list[int]]:
    """The characters of each line, from left to right."""
    top, bottom, left = characters.top, characters.bottom, characters.left
    groups: list[tuple[float, float, list[int]]] = []
    last = size = last_above = last_below = math.nan
    members: list[int] = []
    for index in indices:
        above, below = top[index], bottom[index]
        if above == last_above and below == last_below:
            # Most characters stand as high as the one before.
            members.append(index)
            continue
        last_above, last_below = above, below
        middle, height = (above + below) / 2, below - above
        if members and abs(middle - last) <= _SAME_LINE * (height if height > size else size):
            members.append(index)
            continue
        last, size, members = middle, height, [index]
        groups.append((last, size, members))
    if len(groups) > 1:
        groups = _regrouped(groups)
    for _, _, members in groups:
        starts = [left[index] for index in members]
        if starts != sorted(starts):
            members.sort(key=left.__getitem__)
    return [members for _, _, members in groups]


def _regrouped(groups: list[tuple[float, float, list[int]]]) -> list[tuple[float, float, list[int]]]:
    """Pieces of one line that the file gives at different times, put together."""
    groups.sort(key=lambda group: group[0])
    together = groups[:1]
    for middle, size, members in groups[1:]:
        last, last_size, last_members = together[-1]
        if middle - last <= _SAME_LINE * min(size, last_size):
            last_members.extend(members)
        else:
            together.append((middle, size, members))
    return together


def _line(characters: Characters, members: list[int]) -> TextLine:
    text, top, bottom = characters.text, characters.top, characters.bottom
    printed = [index for index in members if not text[index].isspace()] or members
    heights = sorted([bottom[index] - top[index] for index in printed])
    return TextLine(
        text=_joined(characters, members).strip(),
        left=characters.left[printed[0]],
        top=min(map(top.__getitem__, printed)),
        right=max(map(characters.right.__getitem__, printed)),
        bottom=max(map(bottom.__getitem__, printed)),
        size=heights[len(heights) // 2],
    )


def _joined(characters: Characters, members: list[int]) -> str:
    text, left, right = characters.text, characters.left, characters.right
    top, bottom = characters.top, characters.bottom
    last = members[0]
    parts = [text[last]]
    last_height = bottom[last] - top[last]
    for index in members[1:]:
        character = text[index]
        height = bottom[index] - top[index]
        gap = left[index] - right[last]
        if 0 <= height == last_height and _OVERLAP * height <= gap <= _WORD_GAP * height:
            # Nothing parts most characters from the one before.
            parts.append(character)
            last = index
            continue
        if height < _SMALL * last_height and character.isdigit():
            middle, last_middle = (top[index] + bottom[index]) / 2, (top[last] + bottom[last]) / 2
            if middle < last_middle - _RAISED * last_height:
                # 21¹ must never become 211: a raised number is a note's mark, printed as one. `last` stays the
                # full-size character, so that a second raised digit is seen as one too.
                parts.append(f"[{character}]")
                continue
        smaller = height if height < last_height else last_height
        if gap > _WORD_GAP * smaller:
            if gap > _COLUMN_GAP * smaller and not (character.isspace() or text[last].isspace()):
                parts.append("\t")
            elif gap > _least_gap(text[last], character) * smaller:
                parts.append(" ")
        elif gap < _OVERLAP * smaller:
            step = left[index] - left[last]
            if character == text[last] and step < _TWICE * smaller:
                continue
            if step < _OVERTYPED * smaller and character.isdigit() and text[last].isdigit():
                parts.append(_OBJECT)
        parts.append(character)
        last, last_height = index, height
    return "".join(parts)


def _least_gap(before: str, after: str) -> float:
    """The gap that is a space, in units of height: Latin words are set closer than digits and Chinese characters."""
    if not (before.isascii() and after.isascii() and before.isalnum() and after.isalnum()):
        return _CHARACTER_GAP
    return _DIGIT_GAP if before.isdigit() and after.isdigit() else _WORD_GAP


def is_page_number(line: TextLine, page_height: float) -> bool:
    """Whether the line stands in the upper or lower margin and is a page number."""
    in_margin = line.bottom < page_height * _MARGIN or line.top > page_height * (1 - _MARGIN)
    return in_margin and _PAGE_NUMBER.fullmatch(line.text) is not None


def measure(found: Sequence[TextLine], page_width: float) -> Measure:
    """Margins and size of a document's running text, from all its lines outside tables."""
    if not found:
        return Measure(0.0, math.inf, 1.0)
    sizes: Counter[float] = Counter()
    for line in found:
        sizes[round(line.size * 2) / 2] += len(line.text)
    widest = max(line.right - line.left for line in found)
    long = [line for line in found if line.right - line.left > widest * _LONG]
    return Measure(
        left=min(line.left for line in long),
        # Where no line is long, none runs on.
        right=median(line.right for line in long) if widest > page_width * _RUNNING_TEXT else math.inf,
        size=max(sizes, key=lambda size: sizes[size]) or 1.0,
    )


def paragraphs(found: Sequence[TextLine], measured: Measure) -> list[TextBlock]:
    """Lines of one column, top to bottom, to paragraphs.

    A paragraph ends where its last line stops short of the right margin, or the next one is indented, numbered 一、,
    set in another size, or apart. Lines of a heading that runs over several stay lines, joined by line ends.
    """
    blocks: list[list[TextLine]] = []
    for line in found:
        if blocks and _continues(blocks[-1], line, measured):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return [_block(block, measured) for block in blocks]


def _is_heading(line: TextLine, measured: Measure) -> bool:
    return line.size > measured.size * _HEADING and len(line.text) <= _HEADING_CHARACTERS


def _continues(block: list[TextLine], line: TextLine, measured: Measure) -> bool:
    last = block[-1]
    size = max(line.size, last.size)
    if abs(line.size - last.size) > 0.2 * size or line.top - last.bottom > _APART * size:
        return False
    if _is_heading(line, measured) and _is_heading(last, measured):
        return True
    return _is_flush(line, measured) and _is_full(last, measured) and not _NUMBERED.match(line.text)


def _is_flush(line: TextLine, measured: Measure) -> bool:
    return line.left - measured.left <= _INDENT * line.size


def _is_full(line: TextLine, measured: Measure) -> bool:
    return measured.right - line.right <= _SHORT_BY * line.size


def _block(block: list[TextLine], measured: Measure) -> TextBlock:
    first, last = block[0], block[-1]
    is_heading = _is_heading(first, measured)
    texts = [line.text for line in block]
    return TextBlock(
        text="\n".join(texts) if is_heading else joined_lines(texts),
        left=min(line.left for line in block),
        top=first.top,
        right=max(line.right for line in block),
        bottom=last.bottom,
        is_heading=is_heading,
        is_full=not is_heading and _is_full(last, measured),
        is_flush=not is_heading and _is_flush(first, measured) and not _NUMBERED.match(first.text),
    )


def joined_lines(texts: Iterable[str]) -> str:
    """Lines of one paragraph as running text: a space only where two Latin words meet."""
    text = ""
    for line in texts:
        if text and line and text[-1].isascii() and line[0].isascii() and text[-1].isalpha() and line[0].isalpha():
            text += " "
        text += line
    return text
