"""docs/nightly.md names what the code knows, and nothing else."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from crawler.alarm_words import sentences
from crawler.night import SiteNight
from crawler.night_page import COLUMNS, STATES

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "nightly.md").read_text("utf-8")


def test_every_alarm_is_documented_and_no_other() -> None:
    code = (ROOT / "crawler" / "night.py").read_text("utf-8")
    raised = set(re.findall(r'_alarm\("([a-z_]+[a-z])"', code)) | {"run_failed", "run_interrupted"}
    table = DOCUMENT.partition("| alarm | when |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z_]+)`", table)) == raised
    assert {code for code, _ in sentences()} == raised


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_documented(state: str) -> None:
    assert f"| {STATES[state][1]} |" in DOCUMENT


def test_the_columns_of_the_page_are_fields_of_the_record() -> None:

    known = {field.name for field in fields(SiteNight)}
    assert {name for column in COLUMNS for name in column[:2] if name} <= known
