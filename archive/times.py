"""One spelling of instants: UTC, six decimals, `Z`; it sorts as text.

GONGKAI_NOW, an instant, sets the clock of a process ahead or back as a whole: nights can be rehearsed within seconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC) + _AHEAD


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def moment(text: str) -> datetime:
    """The inverse of `instant`; also reads whole seconds and any number of decimals."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _ahead(start: str) -> timedelta:
    return moment(start) - datetime.now(UTC) if start else timedelta(0)


_AHEAD = _ahead(os.environ.get("GONGKAI_NOW", ""))
