"""Pages whose article stands as an escaped string in a script (gkmlpt: `DETAIL: {…, "content": "<p>…"}`).

A browser puts the string into the page. `unfolded` does the same to the bytes, so that every reader sees what a
person sees; pages of other make come back untouched.
"""

from __future__ import annotations

import json
import re

from parsers.decode import decode

_DETAIL = re.compile(r"""["']?\bDETAIL["']?\s*[:=]\s*\{""")
_CONTENT = re.compile(r"""["']?\bcontent["']?\s*:\s*("(?:[^"\\]|\\.)*")""", re.S)
_BODY_END = re.compile(r"</body\s*>", re.I)


def unfolded(data: bytes) -> bytes:
    """The page with its folded article put at the end of its body, as UTF-8; `data` itself when there is none."""
    if b"DETAIL" not in data or b"_CONFIG" not in data:
        return data
    text = decode(data).text
    article = _article(text)
    if not article.strip():
        return data
    box = f'<div class="article-content">{article}</div>'
    ends = list(_BODY_END.finditer(text))
    place = ends[-1].start() if ends else len(text)
    return (text[:place] + box + text[place:]).encode("utf-8", "replace")


def _article(text: str) -> str:
    detail = _DETAIL.search(text)
    content = _CONTENT.search(text, detail.end()) if detail else None
    if content is None:
        return ""
    try:
        article = json.loads(content[1], strict=False)
    except ValueError:
        return ""
    return str(article)
