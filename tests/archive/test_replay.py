"""pywb replays what we write: coded and chunked pages, GBK bytes, revisits across URLs.

pywb is GPL and pins old libraries, so that it is no part of any extra: the test runs where a `wayback` command is on
the path or named by GONGKAI_WAYBACK.
"""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_kit import FixedClock, exchange, http_response, page_target, page_url, recording

from archive.paths import index_path, warc_dir

GBK_PAGE = "<html><title>清河区年度报告</title>".encode("gbk") * 30
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) * 40


def wayback() -> str | None:
    return os.environ.get("GONGKAI_WAYBACK") or shutil.which("wayback")


pytestmark = pytest.mark.skipif(wayback() is None, reason="no wayback command (pywb) on the path")


@pytest.fixture
def replay(tmp_path: Path, clock: FixedClock) -> Iterator[str]:
    answers = {
        1: http_response(GBK_PAGE, coding="gzip", chunked=True),
        2: http_response(GBK_PAGE, coding="gzip", chunked=True),
        3: http_response(PDF, headers=("Content-Disposition: attachment; filename=年报.pdf".encode("gbk"),)),
    }
    with recording(tmp_path, "r1", clock) as (_, _, recorder):
        outcomes = [
            recorder.record_now(page_target(number), None, exchange(page_target(number), answer, clock)).outcome
            for number, answer in answers.items()
        ]
        recorder.close()
    assert outcomes == ["ok", "revisit", "ok"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "config.yaml").write_text(
        f"collections:\n  demo:\n    index_paths: {index_path(tmp_path)}\n    archive_paths: {warc_dir(tmp_path)}/\n"
    )
    server = subprocess.Popen(
        [wayback() or "", "-p", str(port), "-b", "127.0.0.1"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/demo/20260301173000id_/"
    finally:
        server.terminate()
        server.wait(10)


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("pywb did not start")


def test_pages_revisits_and_files_replay_with_their_bytes(replay: str) -> None:
    for number, expected in ((1, GBK_PAGE), (2, GBK_PAGE), (3, PDF)):
        request = urllib.request.Request(replay + page_url(number), headers={"Accept-Encoding": "identity"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            body = answer.read()
            if answer.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
        assert body == expected, number
