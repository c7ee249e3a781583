"""Pages that only send a browser on, and hardly a word beside: `<meta http-equiv="refresh">` in place of a redirect, or
a script that does nothing but name another address.
"""

from __future__ import annotations

import re

from parsers.decode import decode

# Stubs are short; what stands further down is no page that only sends on.
_LONGEST = 64 * 1024
# 页面正在跳转，3 秒后…: a page that is shown longer is meant to be read, or draws itself anew.
LONGEST_SECONDS = 10
MOST_TEXT = 200
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_UNSEEN = re.compile(r"<!--.*?-->|<(script|style|noscript)\b.*?</\1\s*>", re.S | re.I)
_TITLE_OR_TAG = re.compile(r"<title\b.*?</title\s*>|<[^>]*>", re.S | re.I)
_META = re.compile(
    r"""<meta\b(?=[^>]*http-equiv\s*=\s*["']?\s*refresh\b)[^>]*?content\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I
)
_WAY = re.compile(r"""\s*(\d{1,4})[\d.]*\s*[;,]\s*url\s*=\s*["']?([^"']+)""", re.I)
# One statement and no other: what stands behind a condition, or is put together, may lead elsewhere.
_JUMP = re.compile(
    r"""<script\b[^>]*>\s*(?:(?:window|self|top|parent|document)\s*\.\s*)?location\s*
    (?:(?:\.\s*href\s*)?=\s*(?P<quote>["'])(?P<set>[^"'\\\s]+)(?P=quote)
    |\.\s*(?:replace|assign)\s*\(\s*(?P<mark>["'])(?P<called>[^"'\\\s]+)(?P=mark)\s*\))\s*;?\s*</script\s*>""",
    re.I | re.X,
)
_MAY_JUMP = re.compile(rb"<script\b[^>]*>\s*(?:\w+\s*\.\s*)?location\b")


def refresh_address(entity: bytes) -> str | None:
    """The address, as written, that the page sends a browser on to at once; None for a page that is one itself."""
    if len(entity) > _LONGEST or not _may_send_on(entity.lower()):
        return None
    text = decode(entity).text
    shown = _UNSEEN.sub(" ", text)
    way = _by_meta(shown) or _by_script(text)
    is_stub = len("".join(_TITLE_OR_TAG.sub(" ", shown).split())) <= MOST_TEXT
    return way if is_stub else None


def _may_send_on(lowered: bytes) -> bool:
    return b"refresh" in lowered or _MAY_JUMP.search(lowered) is not None


def _by_meta(text: str) -> str | None:
    meta = _META.search(text)
    way = _WAY.match(meta[1] or meta[2] or "") if meta else None
    if way is None or int(way[1]) > LONGEST_SECONDS:
        return None
    return way[2].strip() or None


def _by_script(text: str) -> str | None:
    jump = _JUMP.search(_COMMENT.sub(" ", text))
    return (jump["set"] or jump["called"]) if jump else None
