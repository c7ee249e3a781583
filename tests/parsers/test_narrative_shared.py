"""The words of the real reports in the shared folder: year, body, day, title and sections of each."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from parsers.narrative import Narrative, narrate
from parsers.page import read_page
from parsers.readers import read_document

SHARED = Path(__file__).parents[2].parent / "shared"
EXPECTED = sorted([*SHARED.glob("seeds/expected/*.json"), *SHARED.glob("real/expected/*.json")])
IDS = [path.stem for path in EXPECTED]
WITHOUT_TITLE = "003_72ada0ed4d86cbfe"

pytestmark = pytest.mark.skipif(not EXPECTED, reason="the shared reports are not here")


@cache
def document_of(expected: Path) -> Path:
    (path,) = (path for path in expected.parents[1].glob(f"{expected.stem}.*") if path.is_file())
    return path


@cache
def narrative(expected: Path) -> Narrative:
    path = document_of(expected)
    return narrate(read_document(path.read_bytes(), name=path.name))


@cache
def truth(expected: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(expected.read_text("utf-8"))
    return read


@pytest.mark.parametrize("expected", EXPECTED, ids=IDS)
def test_the_year_is_right(expected: Path) -> None:
    assert narrative(expected).report_year == truth(expected)["year"]


@pytest.mark.parametrize("expected", EXPECTED, ids=IDS)
def test_the_body_is_named(expected: Path) -> None:
    want = truth(expected)
    names = [name for name in (want["agency"], *want.get("agency_acceptable", ())) if name]
    found = narrative(expected).agency

    assert any(name in (found or "") for name in names) if names else found is None


@pytest.mark.parametrize("expected", EXPECTED, ids=IDS)
def test_the_day_of_publication_is_right(expected: Path) -> None:
    assert narrative(expected).published_date == truth(expected)["published"]


@pytest.mark.parametrize("expected", EXPECTED, ids=IDS)
def test_the_title_is_whole(expected: Path) -> None:
    title = narrative(expected).title

    assert (title is None) == (expected.stem == WITHOUT_TITLE)
    if title is not None:
        year = truth(expected)["year"]
        assert "政府信息公开" in title
        assert "年度报告" in title
        assert year is None or str(year) in title or title == "政府信息公开工作年度报告"


@pytest.mark.parametrize("expected", EXPECTED, ids=IDS)
def test_there_are_six_sections_with_their_text(expected: Path) -> None:
    sections = narrative(expected).sections

    assert [section.heading[:2] for section in sections] == ["一、", "二、", "三、", "四、", "五、", "六、"]
    assert all(sections[place].text for place in (0, 4, 5))
    assert not any("本年新收" in section.text or "行政许可" in section.text for section in sections[1:4])
    assert not any("年新收" in section.heading or "结转" in section.heading for section in sections)


@pytest.mark.parametrize("expected", EXPECTED, ids=IDS)
def test_nothing_else_is_found_wanting(expected: Path) -> None:
    codes = {finding.code for finding in narrative(expected).findings}
    allowed = {"title_missing"} if expected.stem == WITHOUT_TITLE else set()
    if truth(expected)["year"] is None:
        allowed = {"report_year_missing", "agency_missing"}

    assert codes == allowed


@pytest.mark.parametrize(
    "expected", [path for path in EXPECTED if document_of(path).suffix == ".html"], ids=lambda p: p.stem
)
def test_the_page_gives_its_furniture(expected: Path) -> None:
    page = read_page(document_of(expected).read_bytes())

    assert page.published_date is not None
    assert (page.published_date.value, page.published_date.origin) == (truth(expected)["published"], "head_table")
    assert page.publisher is not None
    assert page.publisher.value == truth(expected)["agency"]
    assert (page.column_name, page.document_number, page.attachments, page.findings) == (None, None, (), ())
    assert len(page.text) > 2000
