"""One spelling of instants: UTC, six decimals, `Z`; it sorts as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def moment(text: str) -> datetime:
    """The inverse of `instant`; also reads whole seconds and any number of decimals."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
