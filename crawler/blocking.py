"""Challenge and refusal pages, recognised before anything parses them: a guard's page is no empty list.

The signs are data, in `blocking.toml`. Such a page is kept as evidence and said so; it is never solved.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from parsers.decode import decode

SIGNS_FILE = Path(__file__).with_name("blocking.toml")

Headers = tuple[tuple[bytes, bytes], ...]

_UNSEEN = re.compile(r"<!--.*?-->|<(script|style|title|noscript)\b.*?</\1\s*>|<[^>]*>", re.S | re.I)
# Longer texts are searched for a guard's words first: unclosed comments make counting what they show slow.
_QUICKLY_READ = 16384
# What a person would fill in; a proof of being one has a single field for it.
_FIELD = re.compile(r"<(?:textarea|select)\b|<input\b(?![^>]*type\s*=\s*[\"']?(?:hidden|button|submit|image|reset))")


@dataclass(frozen=True, slots=True)
class Sign:
    """One way in which a guard shows itself. Empty conditions are not asked, and no number below 0.

    A `challenge` wants proof that a browser or a person asks, a `refusal` lets nobody pass.
    """

    name: str
    why: str
    kind: Literal["challenge", "refusal"]
    status: tuple[int, ...] = ()
    max_bytes: int = 0
    max_text: int = -1
    max_fields: int = -1
    header: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """What a finding about it is called."""
        return "challenge" if self.kind == "challenge" else "blocked"


@cache
def signs() -> tuple[Sign, ...]:
    """The signs of `blocking.toml`, in its order."""
    content = tomllib.loads(SIGNS_FILE.read_text(encoding="utf-8"))
    return tuple(_sign(entry) for entry in content["sign"])


def _sign(entry: dict[str, Any]) -> Sign:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Sign(**values)


@cache
def _longest() -> int:
    return max(sign.max_bytes for sign in signs())


def block(entity: bytes, *, status: int, headers: Headers = ()) -> Sign | None:
    """The first sign that the response shows, or None when it is an answer."""
    asked = [sign for sign in signs() if _may(sign, status, len(entity))]
    if not asked:
        return None
    text = decode(entity[: _longest()]).text
    if len(text) <= _QUICKLY_READ:
        # An answer shows more than a guard does: of most pages there is nothing else to ask.
        shown = _shown_characters(text, most=max(sign.max_text for sign in asked))
        asked = [sign for sign in asked if sign.max_text < 0 or shown <= sign.max_text]
        if not asked:
            return None
    text = text.lower()
    lines = b"\n".join(name + b": " + value for name, value in headers).decode("latin-1").lower()
    return next((sign for sign in asked if _shows(sign, text, lines)), None)


def _may(sign: Sign, status: int, length: int) -> bool:
    return (not sign.status or status in sign.status) and (not sign.max_bytes or length <= sign.max_bytes)


def _shows(sign: Sign, text: str, headers: str) -> bool:
    if sign.header and not any(word in headers for word in sign.header):
        return False
    if not all(word in text for word in sign.all):
        return False
    if sign.any and not any(word in text for word in sign.any):
        return False
    if 0 <= sign.max_fields < len(_FIELD.findall(text)):
        return False
    return sign.max_text < 0 or _shown_characters(text, most=sign.max_text) <= sign.max_text


def _shown_characters(text: str, *, most: int) -> int:
    """How many characters a person would see, blanks aside; counted no further than beyond `most`."""
    shown, at = 0, 0
    for unseen in _UNSEEN.finditer(text):
        if unseen.start() > at:
            shown += len("".join(text[at : unseen.start()].split()))
            if shown > most:
                return shown
        at = unseen.end()
    return shown + len("".join(text[at:].split()))


def self_redirect_guard(headers: Headers) -> str:
    """Which guard sends a page to itself until its cookie comes back."""
    cookies = b"\n".join(value for name, value in headers if name.lower() == b"set-cookie").lower()
    return next((name for word, name in _COOKIES if word in cookies), "cookie loop")


# moj.gov.cn's openresty sets CT6T and CT6TS; the others are named in blocking.toml too.
_COOKIES = ((b"ct6t", "CT6T"), (b"c3vk", "C3VK"), (b"__jsl", "加速乐"), (b"wzws", "wzws"), (b"yunsuo", "yunsuo"))
