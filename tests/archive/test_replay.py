"""pywb replays what we write, and what we took in: coded and chunked pages, GBK bytes, revisits; a browser shows them.

pywb is GPL and pins old libraries, so that it is no part of any extra: `make tools` puts it beside the project. The
tests also find a `wayback` command on the path.
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
from ports import free_port

from archive.paths import index_path, warc_dir

GBK_PAGE = (
    '<html><head><meta charset="gbk"><title>清河区年度报告</title></head><body>'
    + "<p>本机关二〇二五年新收申请八十四件。</p>" * 30
    + '<p id="made"></p><script>document.getElementById("made").textContent = "脚本" + (40 + 2)</script></body></html>'
).encode("gbk")
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) * 40


CHROMIUM = shutil.which("chromium")
TOOLS = Path(__file__).parents[2] / ".venv-tools" / "bin"


def wayback() -> str | None:
    return shutil.which("wayback", path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', os.defpath)}")


pytestmark = pytest.mark.skipif(wayback() is None, reason="no wayback command (pywb): run `make tools`")


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
    port = free_port()
    paths = f"    index_paths: {index_path(tmp_path)}\n    archive_paths: {warc_dir(tmp_path)}/\n"
    (tmp_path / "config.yaml").write_text(f"framed_replay: false\ncollections:\n  demo:\n{paths}")
    server = subprocess.Popen(
        [wayback() or "", "-p", str(port), "-b", "127.0.0.1"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(server, port)
        yield f"http://127.0.0.1:{port}/demo/20260301173000"
    finally:
        server.terminate()
        server.wait(10)


def wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    give_up = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("pywb did not start")


def test_pages_revisits_and_files_replay_with_their_bytes(replay: str) -> None:
    for number, expected in ((1, GBK_PAGE), (2, GBK_PAGE), (3, PDF)):
        request = urllib.request.Request(replay + "id_/" + page_url(number), headers={"Accept-Encoding": "identity"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            body = answer.read()
            if answer.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
        assert body == expected, number


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, to see what a browser makes of a replayed page")
@pytest.mark.parametrize("number", [1, 2], ids=["full", "revisit"])
def test_a_browser_shows_a_gbk_page_that_came_coded_and_chunked(replay: str, tmp_path: Path, number: int) -> None:
    assert CHROMIUM is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--virtual-time-budget=5000", "--dump-dom"]
    command = [CHROMIUM, *flags, f"--user-data-dir={tmp_path / 'profile'}", f"{replay}/{page_url(number)}"]
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, timeout=60, check=True, env=environment)
    shown = done.stdout.decode()
    assert "<title>清河区年度报告</title>" in shown
    assert shown.count("本机关二〇二五年新收申请八十四件。") == 30
    assert "脚本42" in shown
