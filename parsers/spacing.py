"""White space of every kind: pages pad labels with ideographic and no-break spaces, tools leave zero-width ones."""

from __future__ import annotations

import re

_BLANK = r"[\s\u200b\u200c\u200d\u2060\ufeff]+"
_BLANKS = re.compile(_BLANK)
# A space between two Chinese characters, or between one and a digit, is typesetting and no part of a name.
_WIDE = r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef“”‘’〔〕]"
_SET_APART = re.compile(rf"(?<={_WIDE}){_BLANK}|{_BLANK}(?={_WIDE})")


def squeeze(text: str) -> str:
    """`text` without any white space."""
    return _BLANKS.sub("", text)


def tidy(text: str) -> str:
    """`text` with each run of white space as one space, none at its ends."""
    return _BLANKS.sub(" ", text).strip()


def close_up(text: str) -> str:
    """`text` tidied, without spaces beside Chinese characters: 南岗区 2021 年 → 南岗区2021年."""
    return _SET_APART.sub("", tidy(text))
