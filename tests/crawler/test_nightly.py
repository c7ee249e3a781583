"""Nights on the replica, each a process with its own clock. GONGKAI_NIGHTS sets how many are scripted, 3 by default;
bench/nights.py plays 32.
"""

import importlib.util
import json
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
from crawling import crawled, gongkai, one, rows

from crawler.replica import Behaviour, Replica

NIGHTS = int(os.environ.get("GONGKAI_NIGHTS", "3"))
HISTORY = "SELECT url, run_id, kind, capture_id, previous_capture_id FROM changes ORDER BY run_id, kind, url"
DIFFS = "SELECT * FROM change_diffs ORDER BY capture_id"
EVENTS = "SELECT run_id, site, channel, url, kind, title FROM listing_events ORDER BY event_id"


def wait_for_captures(data_dir: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if one(data_dir, "SELECT count(*) FROM captures") >= count:
                return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.01)
    raise TimeoutError(f"fewer than {count} captures after a minute")


@pytest.fixture(scope="module")
def nights() -> ModuleType:
    path = Path(__file__).parents[2] / "bench" / "nights.py"
    spec = importlib.util.spec_from_file_location("nights", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["nights"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("validators", [True, False], ids=["validators", "no validators"])
def test_every_scripted_change_is_found_and_nothing_else(nights: ModuleType, tmp_path: Path, validators: bool):
    done = nights.scripted_nights(tmp_path, NIGHTS, validators=validators, listings=12)
    assert done.found == done.expected
    assert len(done.expected) >= 2 * (NIGHTS - 1)


@pytest.fixture(scope="module")
def told(nights: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A page edited, another deleted, on a site of ten entries, over three nights; the address of the edited one."""
    folder = tmp_path_factory.mktemp("told")
    with Replica(listings=12, behaviour=Behaviour(validators=True)) as site:
        path = nights.without_expectations(site, folder)
        nights.run_night(folder / "data", path, 0)
        reports = [
            item.document_url for item in site.truth.reports if item.document_url == item.page_url and item.listed
        ]
        body = site.portal._article(reports[0]).body
        site.edit_article(reports[0], body=body.replace("<p>", "<p>更正：", 1))
        listed = [item for item in site.truth.listings if item.reachable and item.url != reports[0]]
        site.delete_article(listed[-1].url)
        nights.run_night(folder / "data", path, 1, "--recheck-days", "1")
        nights.run_night(folder / "data", path, 2)
    return folder / "data", reports[0]


def test_a_change_of_content_has_a_diff(told: tuple[Path, str]):
    data, url = told
    ((diff, cells),) = rows(
        data,
        """SELECT text_diff, cells_json FROM change_diffs JOIN changes USING (capture_id)
        WHERE url = ? AND kind = 'content_changed'""",
        url,
    )
    assert any(line.startswith("+") and "更正：" in line for line in diff.split("\n"))
    assert json.loads(cells) == []


def test_both_versions_of_a_report_can_be_asked_for_by_day(told: tuple[Path, str]):
    data, url = told
    known = """SELECT v.capture_id FROM report_versions v JOIN report_documents d USING (report_id)
        WHERE d.document_url = ? AND v.known_from <= ? AND (v.known_to IS NULL OR v.known_to > ?)"""
    first, second = (one(data, known, url, day, day) for day in ("2026-01-02T00:00:00Z", "2026-01-04T00:00:00Z"))
    assert first < second
    assert rows(data, known, url, "2025-12-31T00:00:00Z", "2025-12-31T00:00:00Z") == []


def test_a_night_asks_for_a_share_of_what_is_known(told: tuple[Path, str]):
    data, _ = told
    last = one(data, "SELECT max(run_id) FROM runs")
    pages = one(data, "SELECT count(DISTINCT url) FROM captures WHERE role IN ('page', 'attachment')")
    asked = one(data, "SELECT count(*) FROM captures WHERE run_id = ? AND role IN ('page', 'attachment')", last)
    # A ninetieth of them, what is gone for the first time, and the newest year of the report history.
    assert 1 <= asked <= pages // 90 + 5 < pages


def test_the_history_comes_back_from_the_warc_files(told: tuple[Path, str]):
    data, _ = told
    before = [rows(data, query) for query in (HISTORY, DIFFS, EVENTS)]
    assert {row[2] for row in before[0]} >= {"appeared", "content_changed", "disappeared"}
    for file in data.glob("corpus.db*"):
        file.unlink()
    assert crawled(gongkai(data, "extract", "--full")).code == 0
    assert [rows(data, query) for query in (HISTORY, DIFFS, EVENTS)] == before


def test_nothing_is_gone_because_a_list_could_not_be_read(nights: ModuleType, tmp_path: Path):
    with Replica(listings=12) as site:
        path = nights.without_expectations(site, tmp_path)
        nights.run_night(tmp_path / "data", path, 0)
    with pytest.raises(RuntimeError, match="night 1 ended with 1"):
        nights.run_night(
            tmp_path / "data",
            path,
            1,
            code="from crawler import retry; retry.FIRST_WAIT_SECONDS = 0.0; " + nights.COMMAND,
        )
    assert rows(tmp_path / "data", "SELECT * FROM changes WHERE kind <> 'appeared'") == []
    assert rows(tmp_path / "data", "SELECT status FROM runs ORDER BY run_id") == [("finished",), ("failed",)]


def test_an_interrupted_night_goes_on_with_the_next(nights: ModuleType, tmp_path: Path):
    data = tmp_path / "data"
    with Replica(listings=12, behaviour=Behaviour(delay_seconds=0.1)) as site:
        path = nights.without_expectations(site, tmp_path)
        process = gongkai(data, "nightly", "--site-file", str(path), "--json")
        wait_for_captures(data, 8)
        process.send_signal(signal.SIGINT)
        assert crawled(process).code == 1
        asked = one(data, "SELECT count(*) FROM captures")
        nights.run_night(data, path, 300)
        truth = {item.url for item in site.truth.listings if item.reachable}
    assert rows(data, "SELECT status FROM runs ORDER BY started_at") == [("interrupted",), ("finished",)]
    assert rows(data, "SELECT kind FROM changes WHERE kind = 'disappeared'") == []
    assert truth - {url for (url,) in rows(data, "SELECT url FROM pages")} == set()
    assert asked < one(data, "SELECT count(*) FROM captures")
