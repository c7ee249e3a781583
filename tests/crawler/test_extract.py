"""Reading captures: the way from a file to its page, fallbacks, findings, and that one document costs only itself."""

import gzip
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import hostile
import pytest
from archiving import LIST, exchange, put, response, session
from crawling import one, rows

from archive.model import Target
from archive.paths import database_path
from archive.store import Store
from crawler import extract as extract_module
from crawler.extract import extract
from crawler.jail import InProcess, Pool
from crawler.replica.layout import tables
from parsers.model import Page, Reading

PAGE = Target(
    url="http://d.example.cn/art/2022/1/5/art_33_1.html",
    role="page",
    site="d",
    channel="reports",
    via=LIST.url,
    anchor="某街道2021年政府信息公开工作年度报告",
    listed_date="2022-01-05",
    depth=1,
)
LINK = "http://d.example.cn/module/download/downfile.jsp?classid=0&filename=1.pdf"
FILE = replace(PAGE, url=LINK, role="attachment", via=PAGE.url, anchor="年度报告.pdf", listed_date=None, depth=2)
HTML = b"Content-Type: text/html; charset=utf-8"


def page(body: str, title: str = "某街道2021年政府信息公开工作年度报告") -> bytes:
    return response(
        f'<html><head><title>{title}</title><meta name="ArticleTitle" content="{title}">'
        f'<meta name="ContentSource" content="某街道办事处"><meta name="PubDate" content="2022-01-04 09:00"></head>'
        f"<body><div id='zoom'>{body}</div></body></html>".encode(),
        HTML,
    )


def report_tables() -> str:
    """The printed tables of the form of 2021, every value cell 0."""
    parts = []
    for table in tables("2021"):
        lines = []
        for row in table.rows:
            cells = "".join(
                f"<td rowspan='{slot.row_span}' colspan='{slot.column_span}'>{'0' if slot.cell else slot.text}</td>"
                for slot in row
            )
            lines.append(f"<tr>{cells}</tr>")
        parts.append(f"<table>{''.join(lines)}</table>")
    return "<p>一、总体情况</p><p>本年度公开工作平稳。</p><p>二、主动公开政府信息情况</p>" + "".join(parts)


def found(data_dir: Path, code: str) -> list[tuple]:
    return rows(data_dir, "SELECT level, url FROM findings WHERE code = ?", code)


def test_a_page_is_stored_with_where_each_fact_is_from(tmp_path: Path):
    with session(tmp_path) as run:
        put(run, PAGE, page("<p>为保障公民依法获取政府信息，本街道公布如下内容。</p>"))
    extract(tmp_path)
    ((title, day, publisher, text, origins),) = rows(
        tmp_path, "SELECT title, published_date, publisher, text, origins_json FROM pages"
    )
    assert (title, day, publisher) == (PAGE.anchor, "2022-01-04", "某街道办事处")
    assert "依法获取政府信息" in text
    assert json.loads(origins) == {"title": "meta", "published_date": "meta", "publisher": "meta"}


def test_what_a_page_does_not_say_is_taken_from_the_list(tmp_path: Path):
    target = replace(PAGE, url="http://d.example.cn/x.html")
    with session(tmp_path) as run:
        put(run, target, response("<html><body><p>正文在此，别无其他。</p></body></html>".encode(), HTML))
    extract(tmp_path)
    ((title, day, origins),) = rows(tmp_path, "SELECT title, published_date, origins_json FROM pages")
    assert (title, day) == (PAGE.anchor, "2022-01-05")
    assert json.loads(origins) == {"title": "list", "published_date": "list"}


def test_an_attachment_is_found_behind_its_redirect(tmp_path: Path):
    final = replace(FILE, url="http://d.example.cn/attach/0/abc.pdf", via=LINK, depth=3)
    with session(tmp_path) as run:
        put(run, PAGE, page(f"<p>见附件</p><a href='{LINK}'>点击下载</a>"))
        put(run, FILE, response(b"", b"Location: /attach/0/abc.pdf", status=b"302 Found"))
        name = b'Content-Disposition: attachment; filename="' + "年度报告.pdf".encode("gbk") + b'"'
        put(run, final, response(b"%PDF-1.4 not whole", b"Content-Type: application/octet-stream", name))
    extract(tmp_path)
    assert rows(tmp_path, "SELECT url, page_url, file_name, media_type, bytes FROM attachments") == [
        (LINK, PAGE.url, "年度报告.pdf", "application/pdf", 18)
    ]
    ((level, url),) = rows(tmp_path, "SELECT level, url FROM findings WHERE capture_id = 3")
    assert (level, url) == ("error", final.url)


def test_an_attachment_that_was_never_fetched_is_listed_all_the_same(tmp_path: Path):
    with session(tmp_path) as run:
        put(run, PAGE, page(f"<p>见附件</p><a href='{LINK}'>附表.doc</a>"))
    extract(tmp_path)
    assert rows(tmp_path, "SELECT url, file_name, capture_id FROM attachments") == [(LINK, "附表.doc", None)]


def test_a_report_whose_text_does_not_name_its_body_gets_it_from_the_page(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(
        extract_module,
        "read",
        lambda data, name, url, page, converted: Reading(media_type="text/html", kind="annual_report", form="2021"),
    )
    with session(tmp_path) as run:
        put(run, PAGE, page("<p>x</p>"))
        put(run, replace(PAGE, url="http://d.example.cn/2.html"), page("<p>y</p>", title="2020年度"))
        bare = response(b"<html><body><p>z</p></body></html>", HTML)
        put(run, replace(PAGE, url="http://d.example.cn/3.html", anchor="", listed_date=None), bare)
    extract(tmp_path, runner=InProcess())
    query = """SELECT agency, agency_origin, report_year, report_year_origin, published_date, division_code
        FROM reports ORDER BY document_url"""
    assert rows(tmp_path, query) == [
        ("某街道办事处", "page_publisher", 2020, "page_title", "2022-01-04", "230199"),
        ("某市某区人民政府", "site", None, None, None, "230199"),
        ("某街道", "page_title", 2021, "page_title", "2022-01-04", "230199"),
    ]


def test_a_report_on_a_page_is_its_own_document(tmp_path: Path):
    with session(tmp_path) as run:
        put(run, PAGE, page(report_tables()))
    extract(tmp_path)
    query = "SELECT document_url, page_url, form, report_year, title FROM reports"
    assert rows(tmp_path, query) == [(PAGE.url, PAGE.url, "2021", 2021, PAGE.anchor)]
    assert one(tmp_path, "SELECT count(*) FROM facts WHERE status = 'reported' AND value = 0") > 100


@pytest.mark.parametrize(
    ("shown", "level", "code"), [("附表.pdf", "error", "type_mismatch"), ("附表", "warning", "page_instead_of_file")]
)
def test_a_page_instead_of_a_file_is_a_finding(tmp_path: Path, shown: str, level: str, code: str):
    link = LINK.replace(".pdf", "")
    with session(tmp_path) as run:
        put(run, PAGE, page(f"<p>见附件</p><a href='{link}'>{shown}</a>"))
        put(run, replace(FILE, url=link, anchor=shown), response(b"<html><body>login</body></html>", HTML))
    extract(tmp_path)
    assert found(tmp_path, code) == [(level, link)]
    assert one(tmp_path, "SELECT media_type FROM attachments") == "text/html"
    assert one(tmp_path, "SELECT count(*) FROM pages") == 1


def test_a_page_that_the_list_calls_by_a_files_name_is_a_page(tmp_path: Path):
    with session(tmp_path) as run:
        put(run, replace(PAGE, anchor="2021年度报告.pdf"), page("<p>正文在此。</p>"))
    assert extract(tmp_path).unreadable == 0


def test_a_page_without_anything_on_it_is_said(tmp_path: Path):
    with session(tmp_path) as run:
        put(run, PAGE, page(""))
    extract(tmp_path)
    assert found(tmp_path, "empty_page") == [("info", PAGE.url)]


def test_one_document_costs_only_itself(tmp_path: Path, monkeypatch):
    read = extract_module.read

    def clumsy(data: bytes, *, name: str, url: str, page: Page | None, converted) -> Reading:
        if url.endswith("2.html"):
            raise RecursionError("too deep")
        return read(data, name=name, url=url, page=page)

    monkeypatch.setattr(extract_module, "read", clumsy)
    with session(tmp_path) as run:
        for number in (1, 2, 3):
            put(run, replace(PAGE, url=f"http://d.example.cn/{number}.html"), page(f"<p>第{number}篇正文</p>"))
    summary = extract(tmp_path, runner=InProcess())
    assert (summary.read, summary.unreadable, summary.pages) == (3, 1, 3)
    assert found(tmp_path, "reader_failed") == [("error", "http://d.example.cn/2.html")]


def test_a_document_that_ends_its_reader_costs_only_itself(tmp_path: Path):
    with session(tmp_path) as run:
        for number in (1, 2, 3):
            put(run, replace(PAGE, url=f"http://d.example.cn/{number}.html"), page(f"<p>第{number}篇正文</p>"))
    with closing(Pool(1)) as pool:
        summary = extract(tmp_path, runner=Deadly(pool))
    assert (summary.read, summary.unreadable, summary.pages) == (3, 1, 3)
    assert found(tmp_path, "parser_crashed") == [("error", "http://d.example.cn/2.html")]


class Deadly:
    """A pool in which one document kills its reader."""

    workers = 1

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def submit(self, function, response, name, url, *rest):
        if url.endswith("2.html"):
            return self._pool.submit(hostile.crashes)
        return self._pool.submit(function, response, name, url, *rest)

    def stop(self) -> None:
        self._pool.stop()


def test_a_capture_whose_bytes_are_gone_is_a_finding_and_the_others_go_on(tmp_path: Path):
    with session(tmp_path) as run:
        first = put(run, PAGE, page("<p>甲</p>"))
        put(run, replace(PAGE, url="http://d.example.cn/2.html"), page("<p>乙</p>"))
    ((offset, name),) = rows(
        tmp_path, "SELECT warc_offset, warc_file FROM captures WHERE capture_id = ?", first.capture_id
    )
    path = tmp_path / "warc" / name
    raw = bytearray(path.read_bytes())
    raw[offset + 40] ^= 0xFF
    path.write_bytes(raw)
    extract(tmp_path)
    assert found(tmp_path, "capture_unreadable") == [("error", PAGE.url)]
    assert rows(tmp_path, "SELECT url FROM pages") == [("http://d.example.cn/2.html",)]


def test_the_same_bytes_are_read_once(tmp_path: Path, monkeypatch):
    asked = []
    read = extract_module.read

    def counting(data: bytes, *, name: str, url: str, page: Page | None, converted) -> Reading:
        asked.append(url)
        return read(data, name=name, url=url, page=page)

    monkeypatch.setattr(extract_module, "read", counting)
    with session(tmp_path) as run:
        for number in (1, 2, 3):
            put(run, replace(FILE, url=f"http://d.example.cn/{number}.pdf"), response(b"%PDF-1.4 the same"))
    extract(tmp_path, runner=InProcess())
    assert asked == ["http://d.example.cn/1.pdf"]
    assert one(tmp_path, "SELECT count(*) FROM readings") == 3


def test_reading_twice_changes_nothing(tmp_path: Path):
    with session(tmp_path) as run:
        put(run, PAGE, page(report_tables()))
    extract(tmp_path)
    before = rows(tmp_path, "SELECT * FROM facts"), rows(tmp_path, "SELECT * FROM reports")
    assert extract(tmp_path).read == 0
    assert (rows(tmp_path, "SELECT * FROM facts"), rows(tmp_path, "SELECT * FROM reports")) == before


def test_several_processes_read_the_same(tmp_path: Path):
    with session(tmp_path) as run:
        for number in range(5):
            put(
                run, replace(PAGE, url=f"http://d.example.cn/{number}.html"), page(report_tables() + f"<p>{number}</p>")
            )
    query = "SELECT document_url, cell, value, raw, status FROM facts JOIN reports USING (report_id) ORDER BY 1, 2"
    extract(tmp_path)
    alone = rows(tmp_path, query)
    extract(tmp_path, full=True, workers=2)
    assert rows(tmp_path, query) == alone
    assert len(alone) > 500


def test_a_new_version_of_a_page_replaces_the_old_one_which_stays(tmp_path: Path):
    with session(tmp_path) as run:
        put(run, PAGE, page("<p>旧文在此。</p>"))
        put(run, PAGE, page("<p>新文在此。</p>"))
    extract(tmp_path)
    assert rows(tmp_path, "SELECT text FROM pages") == [("新文在此。",)]
    assert one(tmp_path, "SELECT count(*) FROM page_versions") == 2


def test_what_cannot_be_decoded_is_read_as_far_as_it_goes(tmp_path: Path):
    torn = gzip.compress(report_tables().encode())[:-60]
    with session(tmp_path) as run:
        put(run, PAGE, response(torn, HTML, b"Content-Encoding: gzip"))
        put(run, replace(PAGE, url="http://d.example.cn/2.html"), page("<p>乙</p>"))
    assert extract(tmp_path).read == 2
    assert found(tmp_path, "content_bad_coding") == [("warning", PAGE.url)]
    assert one(tmp_path, "SELECT length(text) FROM pages WHERE url = ?", PAGE.url) > 100


def test_an_answer_of_which_nothing_can_be_decoded_is_no_content(tmp_path: Path):
    with session(tmp_path) as run:
        put(run, PAGE, response(b"no gzip at all", HTML, b"Content-Encoding: gzip"))
    assert extract(tmp_path).read == 0
    assert rows(tmp_path, "SELECT level, code FROM findings WHERE url = ?", PAGE.url) == [
        ("warning", "content_bad_coding")
    ]


@pytest.mark.parametrize("role", ["page", "attachment"])
@pytest.mark.parametrize("body", [b"", b"\r\n \r\n"])
def test_an_empty_answer_is_a_finding(tmp_path: Path, role: str, body: bytes):
    with session(tmp_path) as run:
        put(run, replace(PAGE, role=role), response(body))
    extract(tmp_path)
    assert rows(tmp_path, "SELECT level, code FROM findings WHERE url = ?", PAGE.url) == [("warning", "empty_answer")]
    assert one(tmp_path, "SELECT count(*) FROM changes") == 0


def test_no_exchange_is_needed_to_say_nothing(tmp_path: Path):
    with session(tmp_path) as run:
        run.recorder.record_now(PAGE, None, exchange(PAGE, b"", error="connection_refused"))
    assert extract(tmp_path).read == 0


@pytest.mark.parametrize("emptied", [True, False], ids=["an empty database", "no database"])
def test_a_database_that_is_gone_is_made_again_from_the_files(tmp_path: Path, emptied: bool):
    with session(tmp_path) as run:
        put(run, PAGE, page(report_tables()))
    extract(tmp_path)
    before = rows(tmp_path, "SELECT cell, value, status FROM facts ORDER BY cell")
    for path in tmp_path.glob("corpus.db*"):
        path.unlink()
    if emptied:
        Store(database_path(tmp_path)).close()
    assert extract(tmp_path).read == 1
    assert rows(tmp_path, "SELECT cell, value, status FROM facts ORDER BY cell") == before != []


def test_nothing_at_all_is_read_as_nothing(tmp_path: Path):
    assert extract(tmp_path).read == 0
