"""Real reports whose cells are known, judged as users judge them; they lie outside the repository."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from parsers.reading import as_json, read

SHARED = Path(__file__).parents[2].parent / "shared"
EXPECTED = sorted((SHARED / "seeds" / "expected").glob("*.json")) + sorted(
    (SHARED / "real" / "expected").glob("*.json")
)


def judge() -> ModuleType:
    spec = spec_from_file_location("check_parse", SHARED / "tools" / "check_parse.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not EXPECTED, reason=f"no known documents in {SHARED}")
@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_every_cell_of_a_known_document_is_right(expected: Path) -> None:
    (document,) = (path for path in expected.parents[1].glob(f"{expected.stem}.*") if path.is_file())
    got = as_json(read(document.read_bytes(), name=document.name), document.name)
    _, lines = judge().judge(got, json.loads(expected.read_text("utf-8")))
    assert not lines, "\n".join(lines)
