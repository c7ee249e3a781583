"""No format gives back fewer cells than it once did, and none is sure of a wrong one."""

from __future__ import annotations

import pytest
from measured import FORMATS, OFFICE_FORMATS, floors, measure, raised

from crawler import office


def held(name: str) -> None:
    found = measure(name)
    assert found.wrong_when_sure == 0
    assert round(found.share, 6) >= floors()[name], f"{name}: {found.right} of {found.cells} cells right"


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_keeps_its_floor(name: str) -> None:
    held(name)


@pytest.mark.skipif(not office.is_installed(), reason="LibreOffice is not installed")
@pytest.mark.parametrize("name", OFFICE_FORMATS)
def test_a_format_that_libreoffice_writes_keeps_its_floor(name: str) -> None:
    held(name)


def test_every_format_has_a_floor_and_text_bearing_ones_are_whole() -> None:
    assert floors() == dict.fromkeys([*FORMATS, *OFFICE_FORMATS], 1.0)


def test_a_floor_only_rises() -> None:
    assert raised({"pdf": 1.0, "scan": 0.97}, {"pdf": 0.9, "scan": 0.99, "new": 0.5}) == {
        "new": 0.5,
        "pdf": 1.0,
        "scan": 0.99,
    }
