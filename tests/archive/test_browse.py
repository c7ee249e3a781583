"""Datasette over a real small corpus: from report to fact to capture to bytes, and nothing hostile on the way."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import browse_corpus as corpus
import pytest
from datasette import __version__ as datasette_version
from lxml import html
from warcio.archiveiterator import ArchiveIterator

from archive.browse.codebook import codebook
from archive.browse.serve import ServeError, application, serve
from archive.paths import database_path
from archive.store import Store

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
OWN_PAGES = (
    "/",
    f"/-/report/{corpus.REPORT}",
    f"/-/report/{corpus.PDF_REPORT}",
    f"/-/fact/{corpus.REPORT}/applications.new.total",
    f"/-/fact/{corpus.REPORT}/disclosure.fees.amount",
    f"/-/fact/{corpus.REPORT}/unheard.of",
    *(f"/-/capture/{number}" for number in range(1, 7)),
    "/-/capture/99",
)
TABLE_PAGES = (
    *(f"/corpus/{table.name}" for table in codebook().tables),
    "/corpus/failed_checks",
    "/corpus/search?q=解读",
    "/corpus/blank_or_zero",
    "/corpus/doubtful_numbers",
    "/corpus/unread_documents",
)


class Browser:
    """Datasette in this process."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._datasette = application(data_dir)

    def get(self, path: str) -> Any:
        return asyncio.run(self._datasette.client.get(path, follow_redirects=True))

    def page(self, path: str) -> html.HtmlElement:
        response = self.get(path)
        assert response.status_code == 200, response.text
        return html.fromstring(response.content)

    def rows(self, path: str) -> list[dict[str, Any]]:
        joint = "&" if "?" in path else "?"
        return json.loads(self.get(f"{path}{joint}_shape=array").content)

    def close(self) -> None:
        for database in self._datasette.databases.values():
            database.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("data")
    corpus.make(data_dir)
    return data_dir


@pytest.fixture(scope="module")
def browser(made: Path) -> Iterator[Browser]:
    browser = Browser(made)
    yield browser
    browser.close()


@pytest.fixture
def own_browser(made: Path, tmp_path: Path) -> Iterator[Browser]:
    """On a copy that a test may damage."""
    shutil.copytree(made, tmp_path / "data")
    browser = Browser(tmp_path / "data")
    yield browser
    browser.close()


def texts(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


# Tables and their links


def test_tables_show_titles_and_descriptions_of_the_codebook(browser: Browser) -> None:
    page = browser.get("/corpus/facts").text
    assert "统计表数据 · Facts, one per cell" in page
    assert "空白不等于0" in page
    assert "数值 · Number in unit" in page


def test_internal_tables_are_not_listed(browser: Browser) -> None:
    listed = [href for href in browser.page("/corpus").xpath("//a/@href") if href.startswith("/corpus/")]
    assert "/corpus/reports" in listed
    assert not {"/corpus/exchanges", "/corpus/frontier", "/corpus/reading_facts"} & set(listed)


def test_a_report_leads_to_its_page_and_its_facts(browser: Browser) -> None:
    links = browser.page("/corpus/reports").xpath("//td//a/@href")
    assert f"/-/report/{corpus.REPORT}" in links
    assert f"/corpus/facts?report_id={corpus.REPORT}" in links


def test_a_fact_leads_to_its_page_also_where_it_is_zero(browser: Browser) -> None:
    page = browser.page(f"/corpus/facts?report_id={corpus.REPORT}&cell=disclosure.rules.issued")
    links = page.xpath("//td/a[@href='/-/fact/1/disclosure.rules.issued']")
    assert [texts(link) for link in links] == ["disclosure.rules.issued", "0", "0"]


def test_a_blank_is_shown_empty_in_tables(browser: Browser) -> None:
    page = browser.page(f"/corpus/facts?report_id={corpus.REPORT}&cell=disclosure.rules.in_force")
    assert texts(page.xpath("//td[contains(@class, 'col-value')]")[0]) == ""


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("/corpus/captures", "/-/capture/1"),
        ("/corpus/attachments", "/-/capture/2"),
        ("/corpus/changes", "/-/capture/1"),
        ("/corpus/findings", "/-/report/1"),
        ("/corpus/checks", "/-/report/1"),
        ("/corpus/provenance", "/-/capture/1"),
        ("/corpus/captures", "/corpus/captures?run_id=run-2"),
        ("/corpus/search?q=解读", "/-/report/1"),
    ],
)
def test_keys_lead_on(browser: Browser, path: str, link: str) -> None:
    assert link in browser.page(path).xpath("//td//a/@href")


# Search


@pytest.mark.parametrize("word", ["解读", "为本", "以民为本", "以民 政策", "责"])
def test_the_search_box_finds_short_chinese_words(browser: Browser, word: str) -> None:
    found = browser.rows(f"/corpus/report_sections.json?_search={word}")
    expected = {"解读": 2, "责": 0}.get(word, 1)
    assert len(found) == expected


def test_pages_are_searched_too(browser: Browser) -> None:
    assert [row["capture_id"] for row in browser.rows("/corpus/pages.json?_search=为本")] == [corpus.PAGE]
    assert browser.rows("/corpus/pages.json?_search=本为") == []


def test_ranked_search_shows_where_the_word_stands(browser: Browser) -> None:
    found = browser.rows("/corpus/search.json?q=民为")
    assert {row["kind"] for row in found} == {"section", "page"}
    assert all("以民为本" in row["snippet"] for row in found)


@pytest.mark.parametrize("typed", ["", '"', "*", "' OR 1", "NEAR(", "解读 AND", "-", "a:b"])
def test_nothing_that_is_typed_breaks_the_search(browser: Browser, typed: str) -> None:
    assert browser.get(f"/corpus/report_sections?_search={typed}").status_code == 200
    assert "fts5" not in browser.get(f"/corpus/search?q={typed}").text


# A report


def cells_of(page: html.HtmlElement) -> dict[tuple[str, str], html.HtmlElement]:
    """Row and column label → table cell, read as a person reads the tables."""
    found = {}
    for table in page.xpath("//table[contains(@class, 'form')]"):
        columns = [head.text.strip() for head in table.xpath("./thead//th[@scope='col']")]
        for row in table.xpath("./tbody/tr[th[@scope='row']]"):
            label = row.xpath("./th")[0].text.strip()
            for column, cell in zip(columns or [""], row.xpath("./td[starts-with(@class, 'n ')]"), strict=True):
                found[label, column] = cell
    return found


def test_a_report_is_laid_out_as_its_form(browser: Browser) -> None:
    page = browser.page(f"/-/report/{corpus.REPORT}")
    cells = cells_of(page)
    assert texts(cells["一、本年新收", "自然人"].xpath("./a")[0]) == "84"
    assert texts(cells["一、本年新收", "总计"].xpath("./a")[0]) == "91"
    assert texts(cells["规章", "本年制发件数"]) == "0"
    assert ("（六）其他", "总计") not in cells
    assert [texts(group) for group in page.xpath("//tr[@class='group']")] == ["（三）不予公开"]


def test_rows_and_columns_of_a_table_are_named_in_english_too(browser: Browser) -> None:
    cell = cells_of(browser.page(f"/-/report/{corpus.REPORT}"))["一、本年新收", "自然人"]
    row = cell.xpath("../th/span[@lang='en']")[0]
    column = cell.xpath("../../../thead//th/span[@lang='en']")[0]
    assert (texts(row), texts(column)) == ("New", "natural persons")


def test_every_number_leads_to_its_fact(browser: Browser) -> None:
    links = browser.page(f"/-/report/{corpus.REPORT}").xpath("//table[contains(@class, 'form')]//td/a/@href")
    assert sorted(links) == sorted(f"/-/fact/{corpus.REPORT}/{fact.cell}" for fact in corpus.FACTS)


@pytest.mark.parametrize(
    ("row", "column", "state", "shown"),
    [
        ("规章", "现行有效件数", "blank", "空白"),
        ("1.国家秘密", "自然人", "absent", "未列"),
        ("1.国家秘密", "其他", "inferred", "?3推"),
        ("1.国家秘密", "总计", "missing", "无记录"),
    ],
)
def test_what_is_no_printed_number_looks_different(
    browser: Browser, row: str, column: str, state: str, shown: str
) -> None:
    cell = cells_of(browser.page(f"/-/report/{corpus.REPORT}"))[row, column]
    assert state in cell.get("class").split()
    assert texts(cell) == shown


def test_what_cannot_be_read_shows_what_is_printed(browser: Browser) -> None:
    cell = cells_of(browser.page(f"/-/report/{corpus.REPORT}"))["行政事业性收费", "本年收费金额"]
    assert "unreadable" in cell.get("class").split()
    assert texts(cell).startswith("<script>")
    assert cell.xpath(".//script") == []


def test_no_blank_or_absent_cell_shows_a_digit(browser: Browser) -> None:
    page = browser.page(f"/-/report/{corpus.REPORT}")
    unprinted = page.xpath(
        "//td[contains(@class, 'blank') or contains(@class, 'absent') or contains(@class, 'missing')]"
    )
    assert len(unprinted) == 3
    assert not any(re.search(r"\d", texts(cell)) for cell in unprinted)


def test_failed_checks_are_marked_and_explained(browser: Browser) -> None:
    page = browser.page(f"/-/report/{corpus.REPORT}")
    assert len(page.xpath("//td[contains(@class, 'off')]")) == 3
    [check] = page.xpath("//section[@id='checks']//div[contains(@class, 'check')]")
    assert "90 ≠ 91" in texts(check)
    assert "自然人与其他之和等于总计" in texts(check)


def test_facts_that_the_form_does_not_know_are_shown(browser: Browser) -> None:
    assert texts(cells_of(browser.page(f"/-/report/{corpus.REPORT}"))["unheard.of", ""]) == "12"


def test_a_report_without_a_known_form_shows_its_facts(browser: Browser) -> None:
    cells = cells_of(browser.page(f"/-/report/{corpus.PDF_REPORT}"))
    assert {texts(cell) for cell in cells.values()} == {"84"}


def test_a_reports_text_and_findings_are_shown(browser: Browser) -> None:
    page = texts(browser.page(f"/-/report/{corpus.REPORT}"))
    for expected in ("一、总体情况", "全年回应关切。", "stray_cell", "2024-01-20", "000101"):
        assert expected in page


# A fact


@pytest.mark.parametrize(
    "expected",
    [
        "91 件",
        "三、收到和处理申请情况",
        "一、本年新收 · 总计",
        "第2个表格，第3行，第4列 table 2, row 3, column 4",
        "0.5",
        "90 ≠ 91",
        corpus.PAGE_URL,
        "run-1",
        "<urn:uuid:",
        "sha256:",
        "2026-03-01T17:30:00",
    ],
)
def test_a_fact_says_where_it_comes_from(browser: Browser, expected: str) -> None:
    assert expected in texts(browser.page(f"/-/fact/{corpus.REPORT}/applications.new.total"))


def test_a_citation_names_record_and_digest(browser: Browser) -> None:
    [source] = browser.rows(f"/corpus/provenance.json?report_id={corpus.REPORT}")
    [cited] = browser.page(f"/-/fact/{corpus.REPORT}/applications.new.total").xpath("//pre[@id='citation-text']")
    place = f"{source['warc_file']}@{source['warc_offset']}+{source['warc_length']}"
    assert f"applications.new.total = 91 件; {corpus.PAGE_URL}; captured {source['captured_at']}" in texts(cited)
    assert f"WARC {place} {source['warc_record_id']}; payload {source['payload_digest']}" in texts(cited)


def test_a_fact_leads_to_its_capture_and_bytes(browser: Browser) -> None:
    links = browser.page(f"/-/fact/{corpus.REPORT}/applications.new.total").xpath("//a/@href")
    assert {f"/-/report/{corpus.REPORT}", "/-/capture/1", "/-/capture/1/raw", "/-/capture/1/record.warc.gz"} <= set(
        links
    )


def test_only_the_checks_that_a_fact_takes_part_in_are_shown(browser: Browser) -> None:
    shown = browser.page(f"/-/fact/{corpus.REPORT}/applications.new.total").xpath("//div[contains(@class, 'check')]")
    assert [texts(check.xpath(".//code")[0]) for check in shown] == ["applications.sum.new"]
    other = browser.page(f"/-/fact/{corpus.REPORT}/unheard.of")
    assert other.xpath("//div[contains(@class, 'check')]") == []


def test_a_box_on_a_page_is_explained(browser: Browser) -> None:
    page = texts(browser.page(f"/-/fact/{corpus.REPORT}/unheard.of"))
    assert "第2页 page 2 (90.1 to 152.3 points from the left edge, 310.5 to 325 from the top)" in page


@pytest.mark.parametrize(
    "path",
    [
        "/-/report/99",
        "/-/fact/1/no.such.cell",
        "/-/fact/99/applications.new.total",
        "/-/capture/99",
        "/-/capture/99/raw",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(browser: Browser, path: str) -> None:
    response = browser.get(path)
    assert response.status_code == 404
    assert "此处没有可显示的内容" in response.text


# Archived bytes


def test_raw_bytes_of_a_page_are_its_source(browser: Browser) -> None:
    response = browser.get(f"/-/capture/{corpus.PAGE}/raw")
    assert response.content == corpus.PAGE_TEXT.encode("gbk")
    assert response.headers["content-type"] == "text/plain; charset=gb18030"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_archived_html_is_shown_where_it_can_do_nothing(browser: Browser) -> None:
    response = browser.get(f"/-/capture/{corpus.PAGE}/view")
    assert response.content == corpus.PAGE_TEXT.replace("<meta", "<gongkai-meta").encode()
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-dns-prefetch-control"] == "off"
    policy = response.headers["content-security-policy"].split("; ")
    assert {"sandbox", "default-src 'none'", "img-src data:", "style-src 'unsafe-inline'"} <= set(policy)
    assert not any("script" in part for part in policy)


def test_only_pages_and_text_are_shown(browser: Browser) -> None:
    for capture_id in (corpus.PDF_FILE, corpus.SVG_FILE):
        assert browser.get(f"/-/capture/{capture_id}/view").status_code == 404


def test_archived_html_stands_in_a_sandboxed_frame(browser: Browser) -> None:
    [frame] = browser.page(f"/-/capture/{corpus.PAGE}").xpath("//iframe")
    assert frame.get("sandbox") == ""
    assert frame.get("src") == f"/-/capture/{corpus.PAGE}/view"


def test_a_file_is_a_download_whatever_the_server_called_it(browser: Browser) -> None:
    response = browser.get(f"/-/capture/{corpus.PDF_FILE}/raw")
    assert response.content == corpus.PDF
    assert response.headers["content-type"] == "application/pdf"
    assert "x-evil" not in response.headers
    disposition = response.headers["content-disposition"]
    assert disposition == (
        "attachment; filename=\"_X-Evil_1b.pdf\"; filename*=UTF-8''%E5%B9%B4%E6%8A%A5X-Evil%201b.pdf"
    )


def test_svg_is_never_shown(browser: Browser) -> None:
    response = browser.get(f"/-/capture/{corpus.SVG_FILE}/raw")
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"].startswith('attachment; filename="seal.svg"')
    assert "sandbox" in response.headers["content-security-policy"]


def test_a_revisit_shows_the_payload_it_refers_to(browser: Browser) -> None:
    assert browser.rows(f"/corpus/captures.json?capture_id={corpus.SAME_PAGE}")[0]["outcome"] == "revisit"
    assert browser.get(f"/-/capture/{corpus.SAME_PAGE}/raw").content == corpus.PAGE_TEXT.encode("gbk")
    assert f"/-/capture/{corpus.PAGE}" in browser.page(f"/-/capture/{corpus.SAME_PAGE}").xpath("//p/a/@href")


@pytest.mark.parametrize(("capture_id", "main"), [(corpus.PAGE, "response"), (corpus.SAME_PAGE, "revisit")])
def test_a_captures_records_are_a_warc_file_of_their_own(browser: Browser, capture_id: int, main: str) -> None:
    response = browser.get(f"/-/capture/{capture_id}/record.warc.gz")
    [row] = browser.rows(f"/corpus/captures.json?capture_id={capture_id}")
    stored = (browser.data_dir / "warc" / row["warc_file"]).read_bytes()
    assert stored[row["warc_offset"] :].startswith(response.content)
    records = [
        (record.rec_type, record.rec_headers.get_header("WARC-Record-ID"))
        for record in ArchiveIterator(io.BytesIO(response.content))
    ]
    assert [kind for kind, _ in records] == [main, "request", "metadata"]
    assert records[0][1] == row["warc_record_id"]
    assert gzip.decompress(response.content).count(b"WARC/1.1\r\n") == 3


@pytest.mark.parametrize(
    ("capture_id", "status", "reason"),
    [(corpus.BROKEN, 422, "content coding cannot be removed"), (corpus.SILENT, 404, "ConnectionRefused")],
    ids=["bad coding", "no response"],
)
def test_bytes_that_cannot_be_shown_are_explained(browser: Browser, capture_id: int, status: int, reason: str) -> None:
    response = browser.get(f"/-/capture/{capture_id}/raw")
    assert (response.status_code, reason in response.text) == (status, True)
    assert reason in browser.get(f"/-/capture/{capture_id}").text


def test_a_warc_file_that_was_moved_is_said_to_be_gone(own_browser: Browser) -> None:
    [path] = [
        path
        for path in (own_browser.data_dir / "warc").glob("*.warc.gz")
        if b"run-1" in gzip.decompress(path.read_bytes())[:2000]
    ]
    path.rename(path.with_name("elsewhere"))
    for name in ("raw", "record.warc.gz"):
        response = own_browser.get(f"/-/capture/{corpus.PAGE}/{name}")
        assert (response.status_code, "moved or deleted" in response.text) == (410, True)
    assert own_browser.get(f"/-/capture/{corpus.PAGE}").status_code == 200


def test_a_damaged_record_is_said_to_be_damaged(own_browser: Browser) -> None:
    [row] = own_browser.rows(f"/corpus/captures.json?capture_id={corpus.PAGE}")
    path = own_browser.data_dir / "warc" / row["warc_file"]
    damaged = bytearray(path.read_bytes())
    damaged[row["warc_offset"] + row["warc_length"] // 2] ^= 0xFF
    path.write_bytes(damaged)
    response = own_browser.get(f"/-/capture/{corpus.PAGE}/raw")
    assert (response.status_code, "cannot be read" in response.text) == (500, True)


# Safety of the whole site


@pytest.mark.parametrize("path", OWN_PAGES + TABLE_PAGES)
def test_hostile_text_stays_text(browser: Browser, path: str) -> None:
    response = browser.get(path)
    assert "<script>alert" not in response.text
    assert "<b>000</b>" not in response.text
    assert "Traceback" not in response.text


def test_hostile_text_is_there_to_be_escaped(browser: Browser) -> None:
    escaped = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"
    for path in (f"/-/report/{corpus.REPORT}", f"/-/fact/{corpus.REPORT}/disclosure.fees.amount", "/corpus/facts"):
        assert escaped in browser.get(path).text


@pytest.mark.parametrize(
    "path", [*OWN_PAGES, "/corpus", "/corpus/reports", "/corpus/facts.json", "/nowhere", "/corpus.db"]
)
def test_every_response_has_a_policy(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert "'unsafe-inline'" not in headers["content-security-policy"].split("script-src")[1].split(";")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", [*OWN_PAGES, "/corpus", "/corpus/reports", "/corpus/search?q=解读"])
def test_pages_load_nothing_from_elsewhere(browser: Browser, path: str) -> None:
    page = html.fromstring(browser.get(path).content)
    loaded = page.xpath("//link[@rel='stylesheet']/@href | //script/@src | //img/@src | //iframe/@src | //form/@action")
    assert loaded
    assert [url for url in loaded if not url.startswith("/") or url.startswith("//")] == []


@pytest.mark.parametrize("path", OWN_PAGES)
def test_own_pages_say_their_language_and_need_no_script(browser: Browser, path: str) -> None:
    page = html.fromstring(browser.get(path).content)
    assert page.get("lang") == "zh-Hans"
    assert page.xpath("//script[not(starts-with(@src, '/gongkai-static/'))] | //@onclick | //@style") == []
    assert page.xpath("//button[@data-copy][not(@hidden)]") == []
    assert len(page.xpath("//main//h1")) == 1
    assert page.xpath("//a[@class='skip']/@href") == ["#main"]


def test_the_database_cannot_be_downloaded_or_written(browser: Browser) -> None:
    assert browser.get("/corpus.db").status_code == 403
    refused = browser.get("/corpus?sql=delete from runs")
    assert refused.status_code in (400, 403, 404)
    assert len(browser.rows("/corpus/runs.json")) == 2


def test_the_first_page_leads_everywhere(browser: Browser) -> None:
    page = browser.page("/")
    links = page.xpath("//main//a/@href")
    assert {
        f"/-/report/{corpus.REPORT}",
        "/corpus/failed_checks",
        "/corpus/facts",
        "/corpus/reports?report_year=2023",
    } <= set(links)
    assert "2 份报告" in texts(page)


# Serving


def test_reading_and_crawling_do_not_hinder_each_other(own_browser: Browser) -> None:
    assert len(own_browser.rows("/corpus/runs.json")) == 2
    with Store.open(own_browser.data_dir) as store:
        with store.transaction() as connection:
            connection.execute(
                "INSERT INTO runs(run_id, kind, started_at, status) VALUES ('run-3', 'crawl', '', 'running')"
            )
            assert len(own_browser.rows("/corpus/runs.json")) == 2
        assert len(own_browser.rows("/corpus/runs.json")) == 3
        assert own_browser.get(f"/-/report/{corpus.REPORT}").status_code == 200


def test_without_a_database_the_message_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"corpus\.db: no such database; `gongkai crawl` or `gongkai demo` makes one"):
        serve(tmp_path)
    assert not database_path(tmp_path).exists()


def test_a_port_that_is_taken_is_named(made: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"cannot listen on 127.0.0.1 port {port}: .*--port"):
            serve(made, port=port)


@pytest.fixture
def server(made: Path) -> Iterator[str]:
    """The address of `serve` in a process of its own; interrupted at the end, it must end well."""
    code = (
        "import functools, pathlib, sys; from archive.browse.serve import serve; "
        f"sys.exit(serve(pathlib.Path({str(made)!r}), port=0, announce=functools.partial(print, flush=True)))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process:
        address = process.stdout.readline().decode().strip()
        yield address.rstrip("/")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0


def test_served_pages_arrive_over_the_network(server: str) -> None:
    with urlopen(f"{server}/-/report/{corpus.REPORT}") as response:
        assert response.status == 200
        assert "一、本年新收" in response.read().decode()


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, to see what a browser makes of the pages")
@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/-/report/{corpus.REPORT}", "一、本年新收"),
        (f"/-/capture/{corpus.PAGE}", "iframe"),
        ("/corpus/facts?_size=3", "rows-and-columns"),
    ],
)
def test_a_browser_runs_no_hostile_script(server: str, tmp_path: Path, path: str, shown: str) -> None:
    assert CHROMIUM is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--dump-dom"]
    command = [CHROMIUM, *flags, f"--user-data-dir={tmp_path}", server + path]
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, timeout=60, check=True, env=environment)
    assert shown in done.stdout.decode()
    assert (
        "alert" not in re.sub(r"&lt;.*?&gt;|alert\(", "", done.stdout.decode())
        or "<script>alert" not in done.stdout.decode()
    )
    if path.startswith("/corpus") and datasette_version.startswith("1."):
        pytest.skip(
            "Datasette 1.0 writes data into inline scripts, which the policy refuses; its tables do without them"
        )
    complaints = [line for line in done.stderr.decode().splitlines() if "CONSOLE" in line and "sandboxed" not in line]
    assert complaints == []


def test_of_a_large_corpus_the_long_panel_counts_no_facets_and_says_where_they_are(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(path: str) -> tuple[str, int]:
        browser = Browser(made)
        text = browser.get(path).text
        browser.close()
        return text, text.count('class="facet-info ')

    text, facets = asked("/corpus/panel")
    assert ("gongkai snapshot" in text, facets) == (False, 2)
    monkeypatch.setattr("archive.browse.serve.MOST_REPORTS_WITH_FACETS", -1)
    text, facets = asked("/corpus/panel")
    assert ("gongkai snapshot" in text, facets) == (True, 0)


@pytest.mark.parametrize("path", ["reports?_sort=nope", "panel?_sort_desc=nope", "facts.json?_sort=nope"])
def test_sorting_by_a_column_that_is_not_there_is_the_askers_mistake(made: Path, path: str) -> None:
    browser = Browser(made)
    response = browser.get(f"/corpus/{path}")
    browser.close()
    assert response.status_code == 400
    assert "Cannot sort table by nope" in response.text
