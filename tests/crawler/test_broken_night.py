"""Nights that break off: a report is written and sent all the same, and the run counts for nothing."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import nights
import pytest
from crawling import COMMAND, ROOT, crawled, gongkai, one, rows

from archive.errors import ArchiveError
from archive.store import Store
from crawler import nightly, session
from crawler.alarm_words import sentence, sentences
from crawler.breakdown import breakdown
from crawler.morning import gather
from crawler.replica import Behaviour, Replica
from crawler.site import load_site
from crawler.status import status

BROKEN_EXTRACTION = """
from crawler import extract
def fails(self, understood): raise ZeroDivisionError("a reader's arithmetic")
extract._Writer.write = fails
"""


class Told:
    """A server that keeps the pings."""

    def __init__(self) -> None:
        self.pings: list[tuple[str, str]] = []
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.pings.append((self.path, self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    found = Told()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    monkeypatch.setenv("GONGKAI_PING_URL", found.url)
    try:
        yield found
    finally:
        found.server.shutdown()
        thread.join()
        found.server.server_close()


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with Replica(listings=10, behaviour=Behaviour(volatile=False)) as site:
        yield site


def latest(data_dir: Path) -> dict[str, Any]:
    return json.loads((data_dir / "reports" / "latest.json").read_text("utf-8"))


def broken_sentence(data_dir: Path) -> str:
    (alarm,) = (alarm for alarm in latest(data_dir)["alarms"] if alarm["code"] == "run_broken")
    return alarm["message"]


def test_an_extraction_that_fails_is_reported_with_its_place(replica: Replica, tmp_path: Path, told: Told) -> None:
    data = tmp_path / "data"
    path = str(replica.site_file(tmp_path))
    done = crawled(gongkai(data, "nightly", "--site-file", path, code=BROKEN_EXTRACTION + COMMAND))
    assert done.code == 1
    assert broken_sentence(data).startswith("the run broke off in extract: ZeroDivisionError: a reader's arithmetic (")
    assert re.search(r"\(crawler/extract\.py:\d+ extract_new\)$", broken_sentence(data))
    assert f"report: {data}/reports\n" in done.errors
    assert rows(data, "SELECT status FROM runs") == [("failed",)]
    assert latest(data)["sites"][0]["requests"] > 10
    (start, _), (end, text) = told.pings
    assert (start, end) == ("/start", "/fail")
    assert "run_broken" in text and "读取" in text
    assert "broke off" in (data / "reports" / "latest.html").read_text("utf-8").partition("<h2>")[0]
    (alarm,) = (alarm for alarm in status(data)["alarms"] if alarm["code"] == "run_broken")
    assert alarm["message"] == broken_sentence(data)
    # Nothing was lost: the next night reads it, and does not take the broken one for a measure.
    assert crawled(gongkai(data, "nightly", "--site-file", path)).code == 0
    assert rows(data, "SELECT status FROM runs ORDER BY started_at") == [("failed",), ("finished",)]
    assert one(data, "SELECT count(*) FROM pages") > 0
    assert latest(data)["earlier"] == []


def test_a_recovery_that_fails_leaves_a_failed_run_and_its_report(
    replica: Replica, tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ArchiveError("the archive is in pieces")

    monkeypatch.setattr(session, "recover", fails)
    data = tmp_path / "data"
    with pytest.raises(ArchiveError, match="in pieces"):
        nightly.nightly(data, (load_site(replica.site_file(tmp_path)),))
    assert broken_sentence(data).startswith("the run broke off in recovery: ArchiveError: the archive is in pieces (")
    assert rows(data, "SELECT kind, status, requests FROM runs") == [("nightly", "failed", 0)]
    assert [code for (code,) in rows(data, "SELECT code FROM findings WHERE level = 'error'")] == ["run_broken"]
    assert [path for path, _ in told.pings] == ["/start", "/fail"]


def test_a_database_that_cannot_be_opened_is_reported_from_nothing(
    replica: Replica, tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "corpus.db").write_bytes(b"This is no database at all. " * 500)
    with pytest.raises(ArchiveError, match="file is not a database"):
        nightly.nightly(data, (load_site(replica.site_file(tmp_path)),))
    night = latest(data)
    assert (night["run"]["status"], night["sites"]) == ("failed", [])
    monkeypatch.setenv("GONGKAI_WEBHOOK_URL", "http://127.0.0.1:1/")
    with pytest.raises(ArchiveError):
        nightly.nightly(data, (load_site(replica.site_file(tmp_path)),))
    codes = [alarm["code"] for alarm in latest(data)["alarms"]]
    assert codes == ["run_broken", "notification_failed"]
    assert "file is not a database" in broken_sentence(data)
    assert "file is not a database" in told.pings[-1][1]
    assert (data / "reports" / "badge.svg").is_file()


def test_the_report_itself_may_fail(replica: Replica, tmp_path: Path, told: Told) -> None:
    data = tmp_path / "data"
    code = (
        "from crawler import morning\nplain = morning.gather\n"
        "def fails(*a, broken=None, **k):\n"
        "    if broken is None: raise LookupError('no such column')\n"
        "    return plain(*a, broken=broken, **k)\n"
        "morning.gather = fails\n"
    )
    done = crawled(gongkai(data, "nightly", "--site-file", str(replica.site_file(tmp_path)), code=code + COMMAND))
    assert done.code == 1
    assert broken_sentence(data).startswith("the run broke off in report: LookupError: no such column (")
    assert told.pings[-1][0] == "/fail"


def test_a_night_that_nobody_could_be_told_of_says_so_in_its_report(
    replica: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONGKAI_PING_URL", "http://127.0.0.1:1/")
    data = tmp_path / "data"
    assert crawled(gongkai(data, "nightly", "--site-file", str(replica.site_file(tmp_path)))).code == 0
    night = latest(data)
    assert {"level": "warning", "code": "notification_failed", "count": 1} in night["findings"]
    assert [alarm["code"] for alarm in night["alarms"]] == ["notification_failed"]
    assert "the ping could not be sent" in (data / "reports" / "latest.md").read_text("utf-8")


def test_no_room_is_left_behind(replica: Replica, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert crawled(gongkai(data, "nightly", "--site-file", str(replica.site_file(tmp_path)))).code == 0
    assert [path.name for path in (data / "reports").iterdir() if path.name.startswith(".")] == []


def test_broken_runs_are_no_measure(tmp_path: Path) -> None:
    good = {"a": (12, {"ok": 10})}
    with nights.opened(tmp_path) as store:
        for day in (1, 2, 3, 4):
            nights.night(store, day, good)
        for run_id, sql in (
            ("20260101T173000Z-nightly", "UPDATE runs SET finished_at = NULL WHERE run_id = ?"),
            ("20260102T173000Z-nightly", 'UPDATE runs SET stats_json = \'{"broken": "x"}\' WHERE run_id = ?'),
            (
                "20260103T173000Z-nightly",
                "INSERT INTO findings(run_id, level, code, message) VALUES (?, 'error', 'run_broken', 'x')",
            ),
        ):
            with store.transaction() as connection:
                connection.execute(sql, (run_id,))
        night = gather(tmp_path, store.connection, nights.night(store, 5, good))
    assert [line.run_id for line in night.earlier] == ["20260104T173000Z-nightly"]


# Ctrl-C


def in_a_group(data_dir: Path, code: str, *arguments: str) -> subprocess.Popen:
    """As a terminal starts it: a signal goes to all its processes."""
    command = [sys.executable, "-c", code + COMMAND, "--data", str(data_dir), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} did not appear within a minute")
        time.sleep(0.01)


SLOW_CRAWL = """
import pathlib
from crawler.session import Session
plain = Session._count
def count(self, *arguments):
    pathlib.Path({marker!r}).touch()
    plain(self, *arguments)
Session._count = count
"""
SLOW_EXTRACTION = """
import pathlib, time
from crawler import extract
extract.BATCH = 4
plain = extract._Writer.write
def write(self, understood):
    pathlib.Path({marker!r}).touch()
    time.sleep(0.1)
    plain(self, understood)
extract._Writer.write = write
"""
SLOW_REPORT = """
import pathlib, time
from crawler import morning
plain = morning.gather
def gather(*arguments, **options):
    pathlib.Path({marker!r}).touch()
    time.sleep(0.3)
    return plain(*arguments, **options)
morning.gather = gather
"""


@pytest.mark.parametrize("code", [SLOW_CRAWL, SLOW_EXTRACTION, SLOW_REPORT], ids=["crawl", "extract", "report"])
def test_ctrl_c_finishes_what_is_in_flight_and_marks_the_night(tmp_path: Path, told: Told, code: str) -> None:
    data, marker = tmp_path / "data", tmp_path / "marker"
    with Replica(listings=12, behaviour=Behaviour(delay_seconds=0.05 if code is SLOW_CRAWL else 0.0)) as site:
        path = str(site.site_file(tmp_path))
        process = in_a_group(data, code.format(marker=str(marker)), "nightly", "--site-file", path)
        wait_for(marker)
        os.killpg(process.pid, signal.SIGINT)
        done = crawled(process)
        assert (done.code, "Traceback" in done.errors) == (1, False), done.errors
        assert rows(data, "SELECT status FROM runs") == [("interrupted",)]
        assert latest(data)["run"]["status"] == "interrupted"
        assert [alarm["code"] for alarm in latest(data)["alarms"]] == ["run_interrupted"]
        assert told.pings[-1][0] == "/fail"
        assert list((data / "warc").glob("*.open")) == []
        assert one(data, "SELECT count(*) FROM readings WHERE error_code IS NOT NULL") == 0
        read = one(data, "SELECT count(*) FROM readings")
        captures = one(data, "SELECT count(*) FROM exchanges WHERE outcome = 'ok'")
        if code is SLOW_EXTRACTION:
            assert 0 < read < captures
        assert crawled(gongkai(data, "nightly", "--site-file", path)).code == 0
        truth = {item.url for item in site.truth.listings if item.reachable}
    assert rows(data, "SELECT status FROM runs ORDER BY started_at") == [("interrupted",), ("finished",)]
    assert truth - {url for (url,) in rows(data, "SELECT url FROM pages")} == set()
    assert latest(data)["earlier"] == []


# What is said


def test_every_alarm_says_the_same_in_both_languages() -> None:
    for words in sentences().values():
        names = [set(re.findall(r"{(\w+?)(?:_zh)?}", text)) for text in words]
        assert names[0] == names[1]
        assert re.search(r"[\u4e00-\u9fff]", words.zh)


def test_a_sentence_has_its_numbers() -> None:
    assert sentence("many_gone", gone=7) == ("7 个页面消失", "7 pages are gone")


def test_what_broke_is_named_by_the_cause_behind_it(tmp_path: Path) -> None:
    (tmp_path / "corpus.db").write_bytes(b"no database" * 1000)
    try:
        Store.open(tmp_path)
    except ArchiveError as error:
        found = breakdown(error, "recovery")
    assert found.what.startswith("ArchiveError: ")
    assert found.where.startswith("archive/store.py:")
