"""The hostile exchanges through a whole Scrapy crawl, many at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from wire_server import CASES


def crawl(*arguments: str) -> tuple[dict[str, Any], str]:
    """What the script prints and what it logs."""
    script = Path(__file__).parent / "wire_crawl.py"
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def seen() -> list[dict[str, object]]:
    printed, log = crawl()
    assert "Traceback" not in log
    rows: list[dict[str, object]] = printed["seen"]
    return rows


def test_a_crawl_whose_self_test_fails_fetches_nothing_and_stops() -> None:
    printed, log = crawl("--failing-self-test")
    assert (printed["seen"], printed["served"]) == ([], 0)
    assert "nothing is fetched: self-test: " in log


def test_every_exchange_is_recorded_exactly(seen: list[dict[str, object]]) -> None:
    answered = [row for row in seen if "case" in row]
    assert [row for row in answered if not (row["request_same"] and row["response_same"])] == []
    assert Counter((row["scheme"], row["case"]) for row in answered) == Counter(
        (scheme, name) for scheme in ("http", "https") for name in CASES
    )


def test_failures_reach_the_spider_as_failures(seen: list[dict[str, object]]) -> None:
    for row in seen:
        if "case" not in row:
            continue
        case = CASES[str(row["case"])]
        assert row["error"] == (case.error or ""), row
        assert (row["outcome"] == "response") == (case.error is None), row


def test_little_is_tried_again(seen: list[dict[str, object]]) -> None:
    """First TLS handshakes, dead connections, and what is no head on a kept one: the rest of an answer is none."""
    again = [str(row["again"]).partition(":")[0] for row in seen if "again" in row]
    assert set(again) <= {"tls_failed", "stale_connection", "stray_bytes"}
    assert "tls_failed" in again
