"""What a .doc holds and does not show: text that is deleted, hidden or struck out, raised digits, objects in cells.

office-oxide 0.1.15 knows what characters look like on the last of the 512-byte pages that say so (the CHPX of MS-DOC
2.9.33), and takes everything on the pages before it for plain text. So this is looked up here, and written into a copy
of the text, character for character, before office-oxide reads that.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from parsers.errors import UnreadableDocumentError
from parsers.readers import ole
from parsers.readers.white import LEAST_WHITE

# Stand in the copy for what is not shown, for a raised 0 (and so on to 9), for an object that is all a cell holds.
UNSEEN, RAISED, OBJECT = "\x7f", "\uf8d0", "\ufffc"
_RAISED_DIGITS = re.compile(f"[{RAISED}-{chr(ord(RAISED) + 9)}]+")
# Where a character takes one byte, there are no signs to spare.
_NARROW_RAISED, _NARROW_OBJECT = "*", "?"

# What findings say of runs that were left out.
LEFT_OUT = {
    "deleted_text": "tracked deletions were left out",
    "hidden_text": "runs of hidden text were left out",
    "struck_text": "runs of struck-out text were left out",
    "white_number": "runs of numbers in white ink cannot be told from nothing",
}

_WORD = "WordDocument"
_IDENTIFIER, _WORD_97 = 0xA5EC, 0xC1
_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
# Where the file says in which part of the table stream something lies: its place and its length.
_LOOKS_AT, _PIECES_AT = 0xFA, 0x1A2
_PAGE = 512
_NARROW = 1 << 30
_MORE_PIECES, _PIECES = 1, 2
# Bytes that follow a property's number, by its three highest bits; None: the first of them says how many more.
_OPERAND = (1, 1, 2, 4, 2, 2, None, 3)
_HIDING = {0x0800: "deleted_text", 0x083C: "hidden_text", 0x0837: "struck_text", 0x2A53: "struck_text"}
_ON = (1, 0x81)
_SCRIPT, _POSITION = 0x2A48, 0x4845
_SUPERSCRIPT, _SUBSCRIPT = 1, 2
# Half points up or down from which characters stand beside their line, as in docx.
_LEAST_RAISED = 3
_COLOR, _FULL_COLOR = 0x2A42, 0x6870
_WHITE = 8
_RAISES, _WHITENS = "raised", "white_number"
_FIRST_PRINTED, _FIRST_HAN = 0x20, 0x2E80
_LONGEST_CELL = 200
_DIGITS = range(0x30, 0x3A)
# Cells whose text is a picture, a drawing, or a field without a result (a formula, characters over one another).
_ONLY_OBJECT = re.compile("(?<=[\x07\r])(?:[\x01\x08]|\x13[^\x07\r\x14]*(?:\x14[\x01\x08]*)?\x15)+(?=\x07)")


def shown(data: bytes) -> tuple[bytes, Counter[str]]:
    """The .doc with only what it shows, and how many runs of each kind were left out, by their finding's code.

    `data` itself where it has nothing else, or where it cannot be followed.
    """
    left_out: Counter[str] = Counter()
    try:
        word = ole.stream(data, (_WORD,))
        identifier, version, flags = struct.unpack_from("<HH6xH", word)
        if identifier != _IDENTIFIER or version < _WORD_97 or flags & _ENCRYPTED:
            return data, left_out
        table = ole.stream(data, ("1Table" if flags & _SECOND_TABLE else "0Table",))
        pieces = sorted(_pieces(_part(word, table, _PIECES_AT)))
        if any(one[1] > other[0] for one, other in pairwise(pieces)):
            return data, left_out
        copy = bytearray(word)
        begins, ends = [begin for begin, _, _ in pieces], [end for _, end, _ in pieces]
        for begin, end, look in _runs(word, _part(word, table, _LOOKS_AT)):
            for piece in pieces[bisect_right(ends, begin) : bisect_left(begins, end)]:
                if _write_over(copy, piece, begin, end, look) and look != _RAISES:
                    left_out[look] += 1
        for piece in pieces:
            _show_objects(copy, *piece)
        return (data if copy == word else ole.replaced(data, _WORD, bytes(copy))), left_out
    except (UnreadableDocumentError, struct.error, IndexError):
        return data, Counter()


def read_back(text: str) -> str:
    """What `shown` wrote into a text as it is printed: 21¹ as 21[1], which must never become 211."""
    if UNSEEN not in text and not _RAISED_DIGITS.search(text):
        return text
    return _RAISED_DIGITS.sub(_in_brackets, text.replace(UNSEEN, ""))


def _in_brackets(found: re.Match[str]) -> str:
    return f"[{''.join(str(ord(digit) - ord(RAISED)) for digit in found[0])}]"


def _part(word: bytes, table: bytes, at: int) -> bytes:
    start, length = struct.unpack_from("<II", word, at)
    return table[start : start + length]


def _pieces(listed: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where the text lies in the stream: begin, end, and whether its characters take two bytes."""
    at = 0
    while listed[at] == _MORE_PIECES:
        at += 3 + struct.unpack_from("<H", listed, at + 1)[0]
    if listed[at] != _PIECES:
        return
    count = (struct.unpack_from("<I", listed, at + 1)[0] - 4) // 12
    places = struct.unpack_from(f"<{count + 1}I", listed, at + 5)
    for number in range(count):
        (start,) = struct.unpack_from("<I", listed, at + 5 + 4 * (count + 1) + 8 * number + 2)
        length, is_wide = places[number + 1] - places[number], not start & _NARROW
        begin = start if is_wide else (start & ~_NARROW) // 2
        yield begin, begin + length * (1 + is_wide), is_wide


def _runs(word: bytes, listed: bytes) -> Iterator[tuple[int, int, str]]:
    """Begin and end of characters that are not shown as they are, and how they are shown; one behind the other."""
    count, reached = (len(listed) - 4) // 8, 0
    for (number,) in struct.iter_unpack("<I", listed[4 * (count + 1) : 4 * (count + 1) + 4 * count]):
        start = (number & 0x3FFFFF) * _PAGE
        page = bytes(word[start : start + _PAGE])
        runs = page[-1] if len(page) == _PAGE else 0
        bounds = struct.unpack_from(f"<{runs + 1}I", page) if runs else ()
        for run in range(runs):
            at = 2 * page[4 * (runs + 1) + run]
            look = _look(page[at + 1 : at + 1 + page[at]]) if at else ""
            if look and reached <= bounds[run]:
                reached = bounds[run + 1]
                yield bounds[run], reached, look


def _look(properties: bytes) -> str:
    """How characters with these properties are shown: a finding's code, `_RAISES`, or "" for as they are."""
    look, at = "", 0
    while at + 3 <= len(properties):
        (name,) = struct.unpack_from("<H", properties, at)
        size = _OPERAND[name >> 13] or 1 + properties[at + 2]
        operand = properties[at + 2 : at + 2 + size]
        if name in _HIDING and operand[0] in _ON:
            return _HIDING[name]
        if _is_raised(name, operand):
            look = _RAISES
        elif _is_white(name, operand):
            look = look or _WHITENS
        at += 2 + size
    return look


def _is_raised(name: int, operand: bytes) -> bool:
    if name == _POSITION:
        return abs(int.from_bytes(operand, "little", signed=True)) >= _LEAST_RAISED
    return name == _SCRIPT and operand[0] in (_SUPERSCRIPT, _SUBSCRIPT)


def _is_white(name: int, operand: bytes) -> bool:
    if name == _FULL_COLOR:
        # Red, green, blue, and whether it is none of these but the usual one.
        return min(operand[:3]) >= LEAST_WHITE and not any(operand[3:])
    return name == _COLOR and operand[0] == _WHITE


def _write_over(word: bytearray, piece: tuple[int, int, bool], begin: int, end: int, look: str) -> bool:
    """Whether any of the characters from `begin` to `end` were written over; marks of cells and paragraphs are not."""
    first, last, is_wide = piece
    places = range(max(begin, first), min(end, last), 1 + is_wide)
    signs = [word[at] | (word[at + 1] << 8 if is_wide else 0) for at in places]
    if look == _WHITENS and (max(signs, default=0) >= _FIRST_HAN or not _ends_in_cell(word, places.stop, is_wide)):
        # White words are a heading's on a dark ground.
        return False
    is_written = False
    for at, sign in zip(places, signs, strict=True):
        other = _other(sign, look, is_wide)
        if other is not None:
            word[at : at + 1 + is_wide] = other.to_bytes(1 + is_wide, "little")
            is_written = True
    return is_written


def _other(sign: int, look: str, is_wide: bool) -> int | None:
    """What is written over a character; None for nothing."""
    if look in (_RAISES, _WHITENS) and sign not in _DIGITS:
        return None
    if look == _RAISES:
        return ord(RAISED) + sign - _DIGITS[0] if is_wide else ord(_NARROW_RAISED)
    if look == _WHITENS:
        return ord(OBJECT if is_wide else _NARROW_OBJECT)
    return ord(UNSEEN) if sign >= _FIRST_PRINTED else None


def _ends_in_cell(word: bytearray, at: int, is_wide: bool) -> bool:
    """Whether the paragraph at this place is the last of a cell."""
    text = bytes(word[at : at + _LONGEST_CELL]).decode("utf-16-le" if is_wide else "latin-1", errors="replace")
    return text.partition("\r")[0].find("\x07") >= 0


def _show_objects(word: bytearray, begin: int, end: int, is_wide: bool) -> None:
    text = bytes(word[begin:end]).decode("utf-16-le" if is_wide else "latin-1", errors="replace")
    shown = _ONLY_OBJECT.sub(lambda found: (OBJECT if is_wide else _NARROW_OBJECT) + UNSEEN * (len(found[0]) - 1), text)
    # Characters beyond the first 65,536 take twice the room, and are in no statutory table.
    if shown != text and len(text) * (1 + is_wide) == end - begin:
        word[begin:end] = shown.encode("utf-16-le" if is_wide else "latin-1")
