"""Why and where a run broke off, in words that a report can hold."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# In their order. `recovery` holds all that comes before the first request.
Phase = Literal["recovery", "crawl", "extract", "report"]

_ROOT = Path(__file__).parents[1]
_OWN = ("crawler", "archive", "parsers")
_MOST_LETTERS = 500


@dataclass(slots=True)
class Course:
    """How far a run has come, for whoever has to say where it broke off."""

    run_id: str
    phase: Phase = "recovery"


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`what`: the error's kind and words. `where`: the last line of ours that it came through, `file:line function`."""

    phase: Phase
    what: str
    where: str

    @property
    def message(self) -> str:
        return f"broke off in {self.phase}: {self.what} ({self.where})"


def breakdown(error: BaseException, phase: Phase) -> Breakdown:
    """What to say of an error that ended a run in a phase."""
    said = f"{type(error).__name__}: {error}"
    return Breakdown(phase, said[:_MOST_LETTERS], _place(error))


def _place(error: BaseException) -> str:
    """Of the cause behind all others: that is where it happened, the others say what it led to."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    for frame in reversed(traceback.extract_tb(cause.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _OWN:
            return f"{path.relative_to(_ROOT)}:{frame.lineno} {frame.name}"
    return "outside gongkai"
