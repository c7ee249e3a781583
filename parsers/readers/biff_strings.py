"""Texts of an .xls that are written in more than one font (MS-XLS 2.5.293), which calamine gives without the fonts."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WIDE, _FOREIGN, _RICH = 0x01, 0x04, 0x08
_STRUCK_OUT = 0x08
# In the usual palette.
_WHITE = (1, 9)
# No font is called 4: the fifth is 5.
_NEVER = 4


@dataclass(frozen=True, slots=True)
class Font:
    """What of a font changes what is read: letters struck out, raised or lowered, white."""

    struck: bool = False
    raised: bool = False
    white: bool = False


def font(body: bytes) -> Font:
    """A FONT record."""
    flags, color, escapement = struct.unpack_from("<2xHH2xH", body.ljust(10, b"\0"))
    return Font(bool(flags & _STRUCK_OUT), bool(escapement), color in _WHITE)


def by_number(fonts: Sequence[Font], number: int) -> Font:
    """The font that a record calls by a number; no font is called 4."""
    at = number - (number > _NEVER)
    return fonts[at] if at < len(fonts) else Font()


def marked(pieces: Sequence[bytes], fonts: Sequence[Font]) -> dict[int, str]:
    """The shared strings, by number, with parts struck out or raised: without the ones, the others as a note's mark.

    `pieces`: the record of strings, without its counts, and those that continue it.
    """
    if not any(each.struck or each.raised for each in fonts):
        return {}
    return {
        number: text
        for number, (letters, runs) in enumerate(_strings(_Bytes(list(pieces))))
        if runs and (text := _marked(letters, runs, fonts)) != letters
    }


def _marked(letters: str, runs: Sequence[tuple[int, int]], fonts: Sequence[Font]) -> str:
    parts = [letters[: runs[0][0]]]
    for (start, named), (end, _) in zip(runs, [*runs[1:], (len(letters), 0)], strict=True):
        look = by_number(fonts, named)
        part = letters[start:end]
        if look.struck:
            continue
        # 21¹ must never become 211.
        parts.append(f"[{part.strip()}]" if look.raised and part.strip().isdigit() else part)
    return "".join(parts)


def _strings(source: _Bytes) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Each string and its runs: where each begins, and its font. Ends where the bytes do."""
    while len(head := source.take(3)) == 3:
        count, flags = struct.unpack("<HB", head)
        run_count = int.from_bytes(source.take(2), "little") if flags & _RICH else 0
        foreign = int.from_bytes(source.take(4), "little") if flags & _FOREIGN else 0
        letters = source.letters(count, is_wide=bool(flags & _WIDE))
        runs = source.take(4 * run_count)
        source.take(foreign)
        yield letters, [struct.unpack_from("<HH", runs, at) for at in range(0, len(runs) - 3, 4)]


class _Bytes:
    """Bytes of a record and of those that continue it."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self._number = self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes, fewer where there are no more."""
        taken = b""
        while len(taken) < count and self._left():
            part = self._pieces[self._number][self._at : self._at + count - len(taken)]
            self._at += len(part)
            taken += part
        return taken

    def letters(self, count: int, *, is_wide: bool) -> str:
        """The next letters; where a piece ends among them, the next says anew how wide they are."""
        text = ""
        while len(text) < count:
            number = self._number
            if not self._left():
                break
            if self._number != number:
                is_wide = bool(self.take(1)[0] & _WIDE)
            width = 1 + is_wide
            room = (len(self._pieces[self._number]) - self._at) // width
            part = self.take(max(1, min(room, count - len(text))) * width)
            text += part.decode("utf-16-le" if is_wide else "latin-1", "replace")
        return text

    def _left(self) -> bool:
        while self._number < len(self._pieces) and self._at >= len(self._pieces[self._number]):
            self._number, self._at = self._number + 1, 0
        return self._number < len(self._pieces)
