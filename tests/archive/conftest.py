"""Fixtures of the archive's tests."""

from __future__ import annotations

import pytest
from archive_kit import FixedClock

from archive.store import Store


@pytest.fixture
def quick_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Does not wait for the disk: what a killed process committed stays committed without it."""
    monkeypatch.setattr(Store, "synchronous", "OFF")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()
