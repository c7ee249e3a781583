"""Lists that a script draws, in whole crawls with a real headless Chromium."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from crawling import crawl, gongkai, one, rows
from loopback import LIST, Answer, Script, article, served, site_file

from archive.groups import CAPTURE, RENDERED, groups
from archive.paths import warc_dir
from crawler.browser import UTF8_MARK, browser
from crawler.exceptions import SiteFileError
from crawler.site import load_site

needs_chromium = pytest.mark.skipif(browser() is None, reason="no Chromium on PATH")

API = "/api/articles?column=33"
RENDER = '[render]\nchannels = ["reports"]\nseconds = 30\n'
PATHS = [f"/art/2023/4/{day}/content_{day}.html" for day in range(1, 8)]
ENTRIES = [{"u": path, "t": f"关于第{n}号事项的公告", "d": f"2023-04-0{n}"} for n, path in enumerate(PATHS, 1)]
JSON = json.dumps({"rows": ENTRIES}, ensure_ascii=False).encode()
DRAWING = """
fetch('/api/articles?column=33').then(answer => answer.json()).then(found => {
  document.getElementById('list').innerHTML = found.rows.map(
    row => `<li><a href="${row.u}">${row.t}</a><span>${row.d}</span></li>`).join('');
});
"""
HTML_HEADERS = (("Content-Type", "text/html; charset=gb2312"),)


@dataclass
class Drawn:
    """A list page whose entries come from elsewhere; it also tries what must not leave the machine."""

    foreign: str = "http://foreign.example"

    def page(self, port: int) -> bytes:
        return (
            '<html><head><meta charset="gb2312"><title>公告</title><link rel="stylesheet" href="/style.css"></head>'
            f'<body><img src="/logo.png"><ul id="list"></ul><script src="{self.foreign}/count.js"></script>'
            f"<script>try {{ new WebSocket('ws://127.0.0.1:{port}/socket') }} catch (e) {{}}\n"
            f"window.open('http://127.0.0.1:{port}/popup');\nalert('x');\n{DRAWING}</script></body></html>"
        ).encode("gb2312")

    def answer(self, path: str, port: int) -> Answer:
        if path == LIST:
            return Answer(body=self.page(port), headers=HTML_HEADERS)
        if path == API:
            return Answer(body=JSON, headers=(("Content-Type", "application/json"),))
        if path in PATHS:
            return Answer(body=article(path), headers=(("Content-Type", "text/html; charset=utf-8"),))
        return Answer(404, b"nothing here")


@dataclass(frozen=True)
class Site:
    script: Script
    foreign: Script
    drawn: Drawn


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with served(lambda _path, _count: Answer(body=b"var counted = 1")) as foreign:
        drawn = Drawn(f"http://localhost:{foreign.port}")
        with served(lambda path, _count: drawn.answer(path, script.port)) as script:
            yield Site(script, foreign, drawn)


@pytest.fixture(scope="module")
def data(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered")
    done = crawl(folder, site_file(folder, site.script.base, more=RENDER))
    assert (done.code, done.errors) == (0, "")
    return folder


def listings(data: Path) -> set[tuple]:
    return set(rows(data, "SELECT url, title, listed_date, channel, position FROM listings"))


def truth(site: Site) -> set[tuple]:
    return {(site.script.base + row["u"], row["t"], row["d"], "reports", n) for n, row in enumerate(ENTRIES, 1)}


def archived(data: Path):
    for path in sorted(warc_dir(data).glob("*.warc.gz")):
        yield from (group for group in groups(path) if group.kind == CAPTURE)


@needs_chromium
def test_what_the_script_draws_is_listed_and_fetched(site: Site, data: Path):
    assert listings(data) == truth(site)
    assert one(data, "SELECT count(*) FROM pages") == len(PATHS)
    assert one(data, "SELECT because FROM channel_runs") == ""


@needs_chromium
def test_every_exchange_is_archived_byte_for_byte(site: Site, data: Path):
    blocks = {group.facts["requested_url"]: group.main.record.block for group in archived(data)}
    page = site.drawn.page(site.script.port)
    sent = {LIST: ("text/html; charset=gb2312", page), API: ("application/json", JSON)}
    for path, (media_type, body) in sent.items():
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        assert blocks[site.script.base + path] == head.encode() + body


@needs_chromium
def test_what_was_drawn_is_a_record_labelled_so(site: Site, data: Path):
    (group,) = [group for group in archived(data) if group.facts["role"] == "list"]
    (drawn,) = [member.record for member in group.members if member.record.type == "resource"]
    assert drawn.target_uri == f"{RENDERED}{site.script.base}{LIST}"
    assert drawn.get("WARC-Concurrent-To") == group.main.record.record_id
    assert drawn.block.startswith(UTF8_MARK)
    assert ENTRIES[0]["t"] in drawn.block.decode("utf-8-sig")
    (asked,) = [group for group in archived(data) if group.facts["requested_url"].endswith(API)]
    assert json.loads(asked.facts["parameters"]) == {"rendered_for": site.script.base + LIST}
    assert one(data, "SELECT count(*) FROM findings WHERE code = 'rendered' AND capture_id IS NOT NULL") == 1


@needs_chromium
def test_what_is_drawn_again_the_next_time_is_not_stored_again(site: Site, tmp_path: Path):
    for _ in range(2):
        assert crawl(tmp_path, site_file(tmp_path, site.script.base, more=RENDER)).code == 0
    drawn = [
        member.record.type
        for group in archived(tmp_path)
        for member in group.members
        if member.record.target_uri.startswith(RENDERED)
    ]
    assert drawn == ["resource", "revisit"]
    before = rows(tmp_path, "SELECT run_id, code, url FROM findings ORDER BY 1, 2, 3"), listings(tmp_path)
    for command in (("extract", "--full"), ("audit",)):
        process = gongkai(tmp_path, *command)
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 0, out + errors
    assert (rows(tmp_path, "SELECT run_id, code, url FROM findings ORDER BY 1, 2, 3"), listings(tmp_path)) == before


@needs_chromium
def test_nothing_goes_past_us(site: Site, data: Path):
    assert one(data, "SELECT url FROM findings WHERE code = 'host_not_allowed'") == site.drawn.foreign + "/count.js"
    assert site.foreign.log == []
    assert set(site.script.paths()) == {"/robots.txt", LIST, API, *PATHS}
    assert all(asked.user_agent.startswith("gongkai/") for asked in site.script.log)
    recorded = {group.facts["requested_url"] for group in archived(data)}
    assert recorded == {site.script.base + path for path in site.script.paths()}


@needs_chromium
def test_the_audit_finds_nothing_amiss(data: Path):
    process = gongkai(data, "audit")
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, out + errors


@needs_chromium
def test_the_archive_alone_gives_the_same_listings(
    site: Site, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    query = "SELECT code, level, url, message FROM findings ORDER BY 1, 2, 3, 4"
    before = rows(data, query)
    (data / "corpus.db").unlink()
    asked = len(site.script.log)
    monkeypatch.setenv("PATH", str(tmp_path))
    process = gongkai(data, "extract", "--full")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert listings(data) == truth(site)
    assert rows(data, query) == before
    assert len(site.script.log) == asked


@needs_chromium
def test_robots_txt_holds_for_the_browser_too(site: Site, tmp_path: Path):
    def answer(path: str, _count: int) -> Answer:
        rules = Answer(body=b"User-agent: *\nDisallow: /api/\n", headers=(("Content-Type", "text/plain"),))
        return rules if path == "/robots.txt" else site.drawn.answer(path, script.port)

    with served(answer) as script:
        crawl(tmp_path, site_file(tmp_path, script.base, more=RENDER))
    assert one(tmp_path, "SELECT url FROM findings WHERE code = 'robots_refused'") == script.base + API
    assert set(script.paths()) == {"/robots.txt", LIST}


@pytest.fixture
def fake_chromium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name that only leaves a trace."""
    folder = tmp_path / "bin"
    folder.mkdir()
    trace = tmp_path / "started"
    program = folder / "chromium"
    program.write_text(f"#!/bin/sh\n: > '{trace}'\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return trace


def test_no_browser_is_started_unless_the_site_file_says_so(site: Site, tmp_path: Path, fake_chromium: Path):
    assert crawl(tmp_path, site_file(tmp_path, site.script.base)).code == 1
    assert listings(tmp_path) == set()
    assert not fake_chromium.exists()


def test_a_browser_that_ends_by_itself_is_a_finding(site: Site, tmp_path: Path, fake_chromium: Path):
    assert crawl(tmp_path, site_file(tmp_path, site.script.base, more=RENDER)).code == 1
    assert fake_chromium.exists()
    assert one(tmp_path, "SELECT level FROM findings WHERE code = 'browser_failed'") == "error"


def test_without_a_browser_the_page_is_read_as_it_was_sent(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert crawl(tmp_path, site_file(tmp_path, site.script.base, more=RENDER)).code == 1
    assert one(tmp_path, "SELECT level FROM findings WHERE code = 'browser_missing'") == "error"
    because = one(tmp_path, "SELECT because FROM channel_runs")
    assert "browser_missing" in because
    assert [group.facts["role"] for group in archived(tmp_path) if group.facts["role"] == "list"] == ["list"]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ('[render]\nchannels = ["report"]\n', "render.channels"),
        ('[render]\nchannels = ["reports"]\nseconds = 1\n', "render.seconds"),
        ("[render]\nchanels = []\n", "chanels"),
    ],
)
def test_a_mistyped_table_is_named(tmp_path: Path, lines: str, named: str):
    with pytest.raises(SiteFileError, match=named):
        load_site(site_file(tmp_path, "http://127.0.0.1", more=lines))
