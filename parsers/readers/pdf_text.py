"""Characters of a page to lines and paragraphs, by where they stand.

pdfium's own spaces and line ends are not used: it puts spaces inside numbers (`3 119`) and none between columns.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from msgspec import Struct

from parsers.readers.page_content import Characters

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

# Characters from one index up to another that stand as high as each other, one close behind the other.
Run = tuple[int, int]


class TextLine(Struct, frozen=True, gc=False):
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


class TextBlock(Struct, frozen=True, gc=False):
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


def runs(characters: Characters) -> list[Run]:
    """All characters, in the order of the file."""
    starts: list[int] = []
    last_left = last_top = last_right = last_bottom = least = most = math.nan
    for index, (left, top, right, bottom) in enumerate(
        zip(characters.left, characters.top, characters.right, characters.bottom, strict=True)
    ):
        if (
            top == last_top
            and bottom == last_bottom
            and least <= left - last_right <= most
            and left >= last_left
            and right >= last_right
        ):
            last_left, last_right = left, right
            continue
        starts.append(index)
        last_left, last_top, last_right, last_bottom = left, top, right, bottom
        least, most = _OVERLAP * (bottom - top), _WORD_GAP * (bottom - top)
    return list(pairwise([*starts, len(characters)]))


def indices(members: Iterable[Run]) -> list[int]:
    """Every character of runs."""
    return [index for begin, end in members for index in range(begin, end)]


def lines(characters: Characters, members: Sequence[Run]) -> list[TextLine]:
    """Lines of the given characters, top to bottom, each from left to right. Blank ones are left out."""
    found = (_line(characters, own) for own in _in_lines(characters, members))
    return [line for line in found if line.text]


def line_texts(characters: Characters, members: Sequence[Run]) -> list[str]:
    """The texts of `lines` alone, for where it is known where they stand."""
    found = [_joined(characters, own).strip() for own in _in_lines(characters, members)]
    return list(filter(None, found))


def pieces(characters: Characters, members: Sequence[Run]) -> list[list[tuple[str, float, float]]]:
    """For each of `lines` what stands together on it: text, left and right edge."""
    found = []
    for line in _in_lines(characters, members):
        if not _joined(characters, line).strip():
            continue
        own: list[list[int]] = []
        for index in indices(line):
            if characters.text[index].isspace():
                continue
            height = characters.bottom[index] - characters.top[index]
            if own and characters.left[index] - characters.right[own[-1][-1]] <= _CHARACTER_GAP * height:
                own[-1].append(index)
            else:
                own.append([index])
        found.append(
            [
                (_joined(characters, _alone(piece)), characters.left[piece[0]], characters.right[piece[-1]])
                for piece in own
            ]
        )
    return found


def _alone(members: Iterable[int]) -> list[Run]:
    return [(index, index + 1) for index in members]


def _in_lines(characters: Characters, members: Sequence[Run]) -> list[list[Run]]:
    """The characters of each line, from left to right."""
    top, bottom = characters.top, characters.bottom
    groups: list[tuple[float, float, list[Run]]] = []
    last = size = last_above = last_below = math.nan
    own: list[Run] = []
    for run in members:
        above, below = top[run[0]], bottom[run[0]]
        if above == last_above and below == last_below:
            own.append(run)
            continue
        last_above, last_below = above, below
        middle, height = (above + below) / 2, below - above
        if own and abs(middle - last) <= _SAME_LINE * (height if height > size else size):
            own.append(run)
            continue
        last, size, own = middle, height, [run]
        groups.append((last, size, own))
    if len(groups) > 1:
        groups = _regrouped(groups)
    return [own if len(own) == 1 else _from_the_left(characters.left, own) for _, _, own in groups]


def _from_the_left(left: Sequence[float], members: list[Run]) -> list[Run]:
    ordered = sorted(members, key=lambda run: left[run[0]])
    if any(left[end - 1] >= left[begin] for (_, end), (begin, _) in pairwise(ordered)):
        # Printed over each other.
        return sorted(_alone(indices(members)), key=lambda run: left[run[0]])
    return ordered


def _regrouped(groups: list[tuple[float, float, list[Run]]]) -> list[tuple[float, float, list[Run]]]:
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


def _line(characters: Characters, members: list[Run]) -> TextLine:
    text, top, bottom = characters.text, characters.top, characters.bottom
    every = indices(members)
    printed = [index for index in every if not text[index].isspace()] or every
    if len(members) == 1:
        # As high as each other, from left to right: the first and the last say it of all.
        printed = [printed[0], printed[-1]]
    heights = sorted([bottom[index] - top[index] for index in printed])
    return TextLine(
        text=_joined(characters, members).strip(),
        left=characters.left[printed[0]],
        top=min(map(top.__getitem__, printed)),
        right=max(map(characters.right.__getitem__, printed)),
        bottom=max(map(bottom.__getitem__, printed)),
        size=heights[len(heights) // 2],
    )


def _joined(characters: Characters, members: list[Run]) -> str:
    text, left, right = characters.text, characters.left, characters.right
    top, bottom = characters.top, characters.bottom
    begin, end = members[0]
    parts = [text[begin:end]]
    last, last_height = end - 1, bottom[begin] - top[begin]
    for begin, end in members[1:]:
        height = bottom[begin] - top[begin]
        for index in range(begin, end):
            character = text[index]
            if height < _SMALL * last_height and character.isdigit():
                middle, last_middle = (top[index] + bottom[index]) / 2, (top[last] + bottom[last]) / 2
                if middle < last_middle - _RAISED * last_height:
                    # 21¹ must never become 211: a raised number is a note's mark, printed as one. `last` stays the
                    # full-size character, so that a second raised digit is seen as one too.
                    parts.append(f"[{character}]")
                    continue
            gap = left[index] - right[last]
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
            # The rest of the run is as close.
            parts.append(text[index:end])
            last, last_height = end - 1, height
            break
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
