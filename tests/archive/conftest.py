"""Fixtures of the archive's tests."""

from __future__ import annotations

import pytest
from archive_kit import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()
