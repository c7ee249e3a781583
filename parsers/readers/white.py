"""White ink, which shows nothing on paper: near white is as white."""

from __future__ import annotations

import re

# Of 255.
LEAST_WHITE = 250
_CODE = re.compile("#?(?:[0-9A-F]{2})?(?:F[A-F]){3}", re.IGNORECASE)


def is_white(code: str) -> bool:
    """Whether a colour in hexadecimals (FFFFFF, #fefefe, or behind its opacity FFFFFFFF) is white."""
    return _CODE.fullmatch(code) is not None
