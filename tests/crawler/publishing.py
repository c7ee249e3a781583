"""A corpus of some dozen invented reports, recorded and read as a crawl does it, to publish in tests."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def corpus_archive() -> Any:
    """bench/corpus_archive.py, which is no part of the packages."""
    bench = str(ROOT / "bench")
    if bench not in sys.path:
        sys.path.append(bench)
    return importlib.import_module("corpus_archive")


def make(data_dir: Path, reports: int) -> None:
    corpus_archive().build(data_dir, reports, workers=1)
