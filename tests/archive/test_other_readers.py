"""What we write is read by other people's tools, with one known class of complaint.

warcio and fastwarc take the payload digest over the body as it came; the standard takes the transfer coding off first
(iipc/warc-specifications#22). Hence chunked responses, and those alone, fail warcio's check of the payload.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from archive_kit import (
    FixedClock,
    World,
    crawl,
    exchange,
    http_response,
    list_target,
    page_body,
    page_target,
    page_url,
    recording,
)

from archive.index import surt
from archive.paths import index_path, warc_dir

CHUNKED = 51
GBK = 60


@pytest.fixture
def warc_file(tmp_path: Path, clock: FixedClock) -> Path:
    answers = {
        50: http_response(page_body(1), coding="gzip"),
        CHUNKED: http_response(page_body(7), coding="gzip", chunked=True),
        52: b"",
        53: b"no status line",
        54: http_response(b"", status="302 Found", headers=("Location: /年报.html".encode("gbk"),)),
        GBK: http_response(
            "年度报告".encode("gbk"),
            headers=("Content-Disposition: attachment; filename=年报.doc".encode("gbk"), b"X-Folded: a\r\n b"),
        ),
    }
    with recording(tmp_path, "r1", clock) as (_, frontier, recorder):
        crawl(frontier, recorder, World.with_pages(3), clock)
        for number, answer in answers.items():
            recorder.record_now(page_target(number), None, exchange(page_target(number), answer, clock))
        unmodified = b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
        recorder.record_now(list_target(), None, exchange(list_target(), unmodified, clock))
        recorder.close()
    (path,) = warc_dir(tmp_path).glob("*.warc.gz")
    return path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(str(command[0]))
    if not program.exists():
        pytest.skip(f"{program.name} is not installed (dev extra)")
    return subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)


def test_warcio_complains_of_chunked_payloads_only(warc_file: Path) -> None:
    answer = run("warcio", "check", "-v", warc_file)
    lines = answer.stdout.splitlines()
    failed = [lines[number - 1].split()[1] for number, line in enumerate(lines) if "failed" in line]
    (line,) = [line for line in index_lines(warc_file) if line["url"] == page_url(CHUNKED)]
    assert failed == [line["offset"]]
    assert sum("digest pass" in line for line in lines) > 20


def test_fastwarc_finds_every_record_sound(warc_file: Path) -> None:
    answer = run("fastwarc", "check", warc_file)
    assert answer.returncode == 0, answer.stdout
    assert "records were verified successfully" in answer.stdout


def test_gzip_finds_every_member_whole(warc_file: Path) -> None:
    assert subprocess.run(["gzip", "-t", warc_file], check=False).returncode == 0


def test_cdxj_indexer_and_our_index_agree(warc_file: Path) -> None:
    answer = run("cdxj-indexer", "--sort", warc_file)
    assert answer.returncode == 0, answer.stderr
    theirs = {}
    for line in answer.stdout.splitlines():
        key, timestamp, fields = line.split(" ", 2)
        found = json.loads(fields)
        if found["url"].startswith("http") and found.get("status") != "304":
            theirs[(key, timestamp, found["offset"])] = (found["url"], found.get("status"), found.get("length"))
    ours = {}
    for line in index_path(warc_file.parents[1]).read_text().splitlines():
        key, timestamp, fields = line.split(" ", 2)
        found = json.loads(fields)
        ours[(key, timestamp, found["offset"])] = (found["url"], found["status"], found["length"])
    # Without a status line cdxj-indexer takes any word for the status; ours leaves such a record out.
    assert ours == {place: found for place, found in theirs.items() if found[1].isdigit()}


@pytest.mark.parametrize(
    "url",
    [
        "http://www.Example.com/Path/Index.HTML?b=2&a=1",
        "https://example.com:443/",
        "http://example.com:8080/a/",
        "http://example.com/a//b/?",
        "http://192.0.2.7/art/2024/1/5/art_1_2.html",
        "http://example.com/module/download/downfile.jsp?classid=0&filename=ab.pdf",
        "http://example.com/a?sid=9682993c8daa2c5497996114facdc805&x=1",
        "http://example.com/年报.html?k=公开",
        "http://example.com/%E5%B9%B4%20/A%2fB",
        "http://example.com/a/../b/./c",
        "http://example.com",
    ],
)
def test_index_keys_are_those_of_the_usual_library(url: str) -> None:
    library = pytest.importorskip("surt")
    assert surt(url) == library.surt(url)


def test_py_wacz_packs_and_validates_our_file(warc_file: Path, tmp_path: Path) -> None:
    packed = tmp_path / "archive.wacz"
    created = run("wacz", "create", "-o", packed, warc_file)
    assert created.returncode == 0, created.stdout + created.stderr
    assert run("wacz", "validate", "-f", packed).returncode == 0


def test_warcio_hands_gbk_headers_on_untouched(warc_file: Path) -> None:
    from warcio.archiveiterator import ArchiveIterator

    with warc_file.open("rb") as handle:
        for record in ArchiveIterator(handle, no_record_parse=True):
            if record.rec_headers.get_header("WARC-Target-URI") == page_url(GBK) and record.rec_type == "response":
                assert "filename=年报.doc".encode("gbk") in record.raw_stream.read()
                return
    pytest.fail("the record was not found")


def index_lines(warc_file: Path) -> list[dict[str, str]]:
    text = index_path(warc_file.parents[1]).read_text()
    return [json.loads(line.split(" ", 2)[2]) for line in text.splitlines()]
