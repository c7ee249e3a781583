"""Whose table it is: the bodies that titles of reports and captions of tables name, and whether two are one."""

from __future__ import annotations

import re

from parsers.agency import is_signature
from parsers.normalise import squeezed

_LONGEST = 80
_SHORTEST_NAME = 4
_FRONT = re.compile(
    r"^(?:(?:附件|附表|附)[一二三四五六七八九十\d]{0,2}[、.:]?|[一二三四五六七八九十\d]{1,2}[、.)])?(?:关于)?"
)
_SUBJECT = re.compile(
    r"(?:20\d\d|二[〇○零Oo]..)年|收到和处理|依申请公开|主动公开|因政[府务]信息|(?:被申请)?行政复议|政[府务]信息公开|政务公开|信息公开"
)
_ENDS = ("报告", "年报", "情况", "表")
# What a body may be called with or without.
_GENERIC = re.compile(
    r"(?:人民政府|政府|办公室|办公厅|办事处|委员会|街道|政务公开|信息公开|领导小组|局|委|办|本级|机关)*"
)


def owner_named(line: str) -> str:
    """The body that a title or a caption names, alone or before what it is about; "" for none.

    附件：云岭县水库站2022年行政复议情况 → 云岭县水库站
    """
    text = squeezed(line)
    if len(text) > _LONGEST:
        return ""
    text = text.rstrip("()（）").strip("《》")
    subject = _SUBJECT.search(text)
    if subject and not text.endswith(_ENDS):
        return ""
    name = _FRONT.sub("", text[: subject.start()] if subject else text)
    return name if len(name) >= _SHORTEST_NAME and is_signature(name) else ""


def is_another(ours: str, other: str) -> bool:
    """Whether two names cannot be one body's: what one says more than the other is no part of a name."""
    short, long = sorted((ours, other), key=len)
    if long.startswith(short):
        return _GENERIC.fullmatch(long[len(short) :]) is None
    letters = iter(long)
    return not all(letter in letters for letter in short)
