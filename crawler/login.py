"""Pages that want a name and a password instead of showing anything: what was asked for is behind them."""

from __future__ import annotations

import re

from parsers.decode import decode

_PASSWORD = re.compile(r"<input\b[^>]*type\s*=\s*[\"']?password", re.I)
_UNSEEN = re.compile(r"<!--.*?-->|<(script|style|noscript|title)\b.*?</\1\s*>|<[^>]*>", re.S | re.I)
# Portals put a small form to log in on every page: beside an article there is far more to be seen.
MOST_TEXT = 300


def is_login_page(entity: bytes) -> bool:
    """True when the page has a field for a password and little else."""
    if b"password" not in entity.lower():
        return False
    text = decode(entity).text
    return bool(_PASSWORD.search(text)) and len("".join(_UNSEEN.sub(" ", text).split())) <= MOST_TEXT
