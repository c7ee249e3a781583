"""Pages that only send a browser on: `<meta http-equiv="refresh">` in place of a redirect, and hardly a word beside."""

from __future__ import annotations

import re

from parsers.decode import decode

# Stubs are short; what stands further down is no page that only sends on.
_LONGEST = 64 * 1024
# 页面正在跳转，3 秒后…: a page that is shown longer is meant to be read, or draws itself anew.
LONGEST_SECONDS = 10
MOST_TEXT = 200
_UNSEEN = re.compile(r"<!--.*?-->|<(script|style|noscript)\b.*?</\1\s*>", re.S | re.I)
_TITLE_OR_TAG = re.compile(r"<title\b.*?</title\s*>|<[^>]*>", re.S | re.I)
_META = re.compile(
    r"""<meta\b(?=[^>]*http-equiv\s*=\s*["']?\s*refresh\b)[^>]*?content\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I
)
_WAY = re.compile(r"""\s*(\d{1,4})[\d.]*\s*[;,]\s*url\s*=\s*["']?([^"']+)""", re.I)


def refresh_address(entity: bytes) -> str | None:
    """The address, as written, that the page sends a browser on to at once; None for a page that is one itself."""
    if len(entity) > _LONGEST or b"refresh" not in entity.lower():
        return None
    text = _UNSEEN.sub(" ", decode(entity).text)
    meta = _META.search(text)
    way = _WAY.match(meta[1] or meta[2] or "") if meta else None
    if way is None or int(way[1]) > LONGEST_SECONDS:
        return None
    is_stub = len("".join(_TITLE_OR_TAG.sub(" ", text).split())) <= MOST_TEXT
    return way[2].strip() or None if is_stub else None
