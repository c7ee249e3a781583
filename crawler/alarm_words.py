"""The sentences of alarms, from alarms.toml: in Chinese and English, with the numbers put in."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_FILE = Path(__file__).parent / "alarms.toml"
_PHASES = "phases"


class Sentence(NamedTuple):
    """One sentence in two languages."""

    zh: str
    en: str


def sentence(code: str, variant: str = "", **values: object) -> Sentence:
    """What the alarm says. Raises KeyError when the file does not have it, or when a value is missing."""
    words = sentences()[(code, variant)]
    return Sentence(words.zh.format(**values), words.en.format(**values))


def phase_name(phase: str) -> str:
    """A phase of a run in Chinese."""
    return str(_tables()[_PHASES][phase])


@cache
def sentences() -> dict[tuple[str, str], Sentence]:
    """All of them as they stand in the file, by code and variant ("" where a code has one sentence)."""
    found = {}
    for code, table in _tables().items():
        if code == _PHASES:
            continue
        for variant, words in {"": table}.items() if "en" in table else table.items():
            found[(code, variant)] = Sentence(words["zh"], words["en"])
    return found


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_FILE.read_text("utf-8"))
