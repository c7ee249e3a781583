"""Bytes of text to characters, decided by the bytes alone.

Headers and meta tags of government pages are wrong too often to be asked: GB18030 that calls itself utf-8, UTF-8 that
calls itself gb2312. Strict UTF-8 is a strong test (Chinese GBK text practically never passes it), so it goes first;
GB18030 holds GB2312 and GBK. Neither loses the rest of a page to one broken byte.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_UTF16_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 4096
_NON_ASCII = re.compile(r"[^\x00-\x7f\ufffd]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding that gave it, and how many undecodable places became U+FFFD."""

    text: str
    encoding: str
    broken: int = 0


def decode(data: bytes) -> Decoded:
    """Text of `data`, without its byte order mark. Never fails: what cannot be decoded is U+FFFD and counted."""
    if data.startswith(codecs.BOM_UTF8):
        # Pages put together from files of two encodings begin with one file's mark and go on in the other's.
        data = data[len(codecs.BOM_UTF8) :]
    for mark, encoding in _UTF16_BOMS:
        if data.startswith(mark):
            return _replaced(data[len(mark) :], encoding)
    bare = _utf16_without_mark(data)
    if bare:
        return _replaced(data, bare)
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        utf8 = _replaced(data, "utf-8")
    # GB18030 text read as UTF-8 breaks at nearly every character; a damaged UTF-8 page only where it is damaged. The
    # damaged page may pass for GB18030, in which nearly any two bytes are a character.
    mostly_utf8 = utf8.broken * 4 < len(_NON_ASCII.findall(utf8.text))
    return utf8 if mostly_utf8 else _replaced(data, "gb18030")


def _replaced(data: bytes, encoding: str) -> Decoded:
    printed = data.count("\ufffd".encode(encoding)) if encoding != "gb18030" else data.count(b"\x84\x31\xa4\x37")
    text = data.decode(encoding, errors="replace")
    return Decoded(text, encoding, max(0, text.count("\ufffd") - printed))


def _utf16_without_mark(data: bytes) -> str:
    """UTF-16 written without a mark shows as NULs on one side of ASCII letters, line ends or digits; else ""."""
    sample = data[:_SAMPLE]
    zeros = sample.count(0)
    if zeros < 4 or zeros * 10 < len(sample):
        return ""
    odd = sample[1::2].count(0)
    if odd >= zeros * 0.95:
        return "utf-16-le"
    return "utf-16-be" if odd <= zeros * 0.05 else ""
