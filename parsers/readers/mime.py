"""Files made of parts (mails, web archives): each part's content, its transfer coding removed, in the file's order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import HeaderParser

from parsers import sniff
from parsers.decode import decode

MAX_DEPTH = 6
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    """`name` as its sender called it, "" where nobody did."""

    kind: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """`lacks_boundary`: it does not say what parts its parts. `is_cut`: an end is missing."""

    parts: tuple[Part, ...]
    is_cut: bool = False
    lacks_boundary: bool = False


def parts(data: bytes) -> Parts:
    """All parts within the parts; of those that say the same in several ways the last with a page, or the last."""
    return _parts(data, 1)


def _parts(data: bytes, depth: int) -> Parts:
    head, body = _head_and_body(data.lstrip(b" \t\r\n"))
    kind = head.get_content_type()
    if not kind.startswith("multipart/") or depth > MAX_DEPTH:
        return Parts((Part(kind, _name(head), _content(head, body)),))
    boundary = head.get_boundary()
    if not boundary:
        return Parts((), lacks_boundary=True)
    between = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(?=--|\s)")
    _, *pieces = between.split(body)
    is_cut = not pieces or not pieces[-1].startswith(b"--")
    within = [_parts(piece, depth + 1) for piece in (pieces if is_cut else pieces[:-1])]
    chosen = _best(within) if kind == "multipart/alternative" else within
    return Parts(
        tuple(part for one in chosen for part in one.parts),
        is_cut or any(one.is_cut for one in within),
        any(one.lacks_boundary for one in within),
    )


def _best(ways: list[Parts]) -> list[Parts]:
    pages = [way for way in ways if any(part.kind == sniff.HTML for part in way.parts)]
    return (pages or ways)[-1:]


def _head_and_body(data: bytes) -> tuple[Message, bytes]:
    """The library has no room for GBK as it is in heads, and breaks off over NUL in parameters."""
    found = _HEAD_END.search(data)
    head, body = (data[: found.start()], data[found.end() :]) if found else (data, b"")
    return HeaderParser().parsestr(decode(head).text.replace("\0", "")), body


def _content(head: Message, body: bytes) -> bytes:
    head.set_payload(body.decode("ascii", "surrogateescape"))
    content = head.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _name(head: Message) -> str:
    return "".join(_words(head.get_filename() or ""))


def _words(name: str) -> Iterator[str]:
    """`=?gb2312?B?…?=` as text, whatever encoding it says it is in."""
    try:
        words = decode_header(name)
    except (MessageError, ValueError):
        words = [(name, None)]
    for word, _ in words:
        yield decode(word).text if isinstance(word, bytes) else word
