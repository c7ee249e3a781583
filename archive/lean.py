"""Imports sqlite_utils without pandas and numpy, which it takes along where they are, for methods not called here.

They cost every process half a second and 40 MB; who wants them imports them afterwards as ever.
"""

from __future__ import annotations

import sys

_NOT_WANTED = [name for name in ("pandas", "numpy") if name not in sys.modules]

if "sqlite_utils" not in sys.modules:
    # None is how Python notes that there is no such module.
    sys.modules.update(dict.fromkeys(_NOT_WANTED))  # type: ignore[arg-type]
    try:
        import sqlite_utils  # noqa: F401
    finally:
        for name in _NOT_WANTED:
            del sys.modules[name]
