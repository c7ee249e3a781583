"""What leads from numbers to their bytes: links in every table, citations, slices to replay; CSV without formulas."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import browse_corpus as corpus
import pytest
from archive_kit import FixedClock, exchange, recording
from lxml import html
from test_browse import Browser, texts
from warcio.archiveiterator import ArchiveIterator

from archive.browse import formulas, places, replay
from archive.browse.citation import bibtex, citation
from archive.browse.codebook import codebook
from archive.browse.links import link
from archive.browse.places import ANCHOR, NO_DRAWER, Drawn, Serving, UndrawnError
from archive.browse.serve import application
from archive.model import Target
from archive.paths import database_path
from archive.rows import FactRow, ReadingRow, ReportRow
from archive.snapshot import snapshot
from archive.store import Store

FACT = f"/-/fact/{corpus.REPORT}/applications.new.total"
OTHER = f"/-/fact/{corpus.REPORT}/disclosure.rules.issued"


class Stub:
    """Draws one sentence, or raises."""

    def __init__(self, drawn: Drawn | Exception) -> None:
        self.drawn = drawn
        self.asked: list[tuple[str, str]] = []

    def draw(self, body: bytes, *, digest: str, name: str, locator: str) -> Drawn:
        self.asked.append((name, locator))
        if isinstance(self.drawn, Exception):
            raise self.drawn
        return self.drawn


class Drawing(Browser):
    def __init__(self, data_dir: Path, drawn: Drawn | Exception) -> None:
        self.data_dir = data_dir
        self.stub = Stub(drawn)
        self._datasette = application(data_dir, drawer=self.stub)


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


def drawing(made: Path, drawn: Drawn | Exception) -> Drawing:
    return Drawing(made, drawn)


# The page of a fact


def test_without_a_drawer_a_fact_says_so_and_shows_the_page(browser: Browser) -> None:
    page = browser.page(FACT)
    [note] = page.xpath("//section[@id='place']//p[contains(@class, 'note')]")
    assert NO_DRAWER in texts(note)
    assert page.xpath("//section[@id='place']//iframe/@src") == [f"/-/capture/{corpus.PAGE}/view"]


def test_the_frame_begins_at_the_mark(made: Path) -> None:
    browser = drawing(made, Drawn("page", b"<p>drawn</p>", is_marked=True))
    [frame] = browser.page(FACT).xpath("//section[@id='place']//iframe")
    assert frame.get("sandbox") == ""
    assert frame.get("src") == f"/-/capture/{corpus.PAGE}/place?at=table=2;row=3;column=4#{ANCHOR}"
    assert browser.stub.asked == [("art_1_1.html", "table=2;row=3;column=4")]
    assert "The red frame and the yellow are ours" in browser.get(FACT).text
    browser.close()


def test_what_is_drawn_can_do_nothing(made: Path) -> None:
    source = (
        b"<link rel=preconnect href=//x><LINK/rel=x><iframe src=x></iframe><meta charset=x><embed src=x>"
        b"<a href=x>y</a><p>drawn"
    )
    browser = drawing(made, Drawn("page", source, is_marked=True))
    response = browser.get(f"/-/capture/{corpus.PAGE}/place?at=table=2")
    assert not re.search(r"</?(?:a|link|iframe|meta|embed)\b", response.text, re.IGNORECASE)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; img-src data:;")
    assert "frame-ancestors 'self'" in policy
    browser.close()


@pytest.mark.parametrize(
    ("marked", "said"),
    [(True, "The red frame and the yellow are ours"), (False, "The cell could not be marked here.")],
    ids=["marked", "not marked"],
)
def test_a_fact_says_whether_its_cell_is_marked(made: Path, marked: bool, said: str) -> None:
    browser = drawing(made, Drawn("tables", b"<p>drawn</p>", is_marked=marked))
    assert said in browser.get(FACT).text
    browser.close()


def test_an_absent_cell_says_that_the_document_lacks_it(made: Path) -> None:
    browser = drawing(made, Drawn("page", b"<p>drawn</p>", is_marked=False))
    page = browser.get(f"/-/fact/{corpus.REPORT}/applications.refused_secret.natural_person").text
    assert "The document does not have this cell, so nothing is marked." in page
    browser.close()


def test_what_cannot_be_drawn_is_said(made: Path) -> None:
    browser = drawing(made, UndrawnError("<b>damaged</b>"))
    assert "&lt;b&gt;damaged&lt;/b&gt;" in browser.get(FACT).text
    response = browser.get(f"/-/capture/{corpus.PAGE}/place?at=x")
    assert (response.status_code, response.headers["content-type"]) == (422, "text/plain; charset=utf-8")
    assert browser.get("/-/capture/99/place").status_code == 404
    assert browser.get(f"/-/capture/{corpus.SILENT}/place").status_code == 404
    browser.close()


def test_without_its_warc_file_a_fact_is_still_shown(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "data")
    for path in (tmp_path / "data" / "warc").glob("*.warc.gz"):
        path.rename(path.with_suffix(".elsewhere"))
    browser = drawing(tmp_path / "data", Drawn("page", b"<p>drawn</p>", is_marked=True))
    page = browser.page(FACT)
    assert texts(page.xpath("//h1")[0]) == "91 件"
    assert "moved or deleted" in texts(page.xpath("//section[@id='place']")[0])
    browser.close()


def test_a_document_that_takes_long_appears_in_its_frame(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.0)
    browser = drawing(made, Drawn("tables", b"<p>drawn</p>", is_marked=True))
    page = browser.page(FACT)
    assert "It is still being drawn" in texts(page)
    assert len(page.xpath("//section[@id='place']//iframe")) == 1
    browser.close()


def test_an_earlier_version_shows_what_it_read(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "data")
    later = FactRow("applications.new.total", 19, "19", "件", "reported", "table=2;row=3;column=4")
    report = ReportRow(corpus.PAGE_URL, agency="清河区", report_year=2023, form="2021", title="年报")
    with Store.open(tmp_path / "data", clock=FixedClock()) as store:
        store.insert_reading(
            ReadingRow(corpus.PAGE, "9", "annual_report", "text/html", form="2021", report=report, facts=(later,))
        )
    browser = Browser(tmp_path / "data")
    now = browser.page(FACT)
    assert texts(now.xpath("//h1")[0]) == "19 件"
    [earlier] = now.xpath("//td/a/@href[contains(., '?version=')]")
    page = browser.page(earlier)
    assert texts(page.xpath("//h1")[0]) == "91 件"
    assert "This is an earlier version" in texts(page)
    assert "parsers 1." in texts(page.xpath("//pre[@id='citation-text']")[0])
    assert browser.get(f"{FACT}?version=77").status_code == 404
    browser.close()


def test_a_check_shows_both_its_sides(browser: Browser) -> None:
    page = browser.page(f"/-/check/{corpus.REPORT}/applications.sum.new")
    rows = [[texts(cell) for cell in row.xpath("./td")] for row in page.xpath("//tbody/tr")]
    assert [(row[1], row[3]) for row in rows] == [
        ("applications.new.natural_person", "84"),
        ("applications.new.other", "6"),
        ("applications.new.total", "91"),
    ]
    assert len(page.xpath(f"//td/a[starts-with(@href, '/-/fact/{corpus.REPORT}/')]")) == 3


@pytest.fixture
def summed(made: Path, tmp_path: Path) -> Iterator[Browser]:
    """With an agency, a check across documents, a concept of one cell and one of two."""
    shutil.copytree(made, tmp_path / "data")
    with closing(sqlite3.connect(database_path(tmp_path / "data"))) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        cells = dict(connection.execute("SELECT cell, cell_id FROM cells"))
        for position, (concept, parts) in enumerate(
            {
                "one": ["applications.new.total"],
                "two": ["applications.new.natural_person", "applications.new.other"],
            }.items()
        ):
            connection.execute(
                "INSERT INTO concepts VALUES (?, ?, '概念', 'Concept', '件', '', '')", (concept, 900 + position)
            )
            single = cells[parts[0]] if len(parts) == 1 else None
            way = (concept, 1, 1, len(parts), " + ".join(parts), single)
            connection.execute("INSERT INTO concept_ways VALUES ('2021', ?, ?, ?, ?, ?, ?, 'exact')", way)
            for cell in parts:
                row = (concept, "2021", cell, cells[cell])
                connection.execute("INSERT INTO concept_cells VALUES (?, ?, ?, 'exact', '', '', 1, ?)", row)
        [(reading,)] = connection.execute("SELECT reading_id FROM report_versions WHERE report_id = 1")
        chosen = (1, reading, "q/1", "清河区", None, 2023, "own", "2021", 0, "only_one")
        connection.execute(f"INSERT INTO panel_choices VALUES ({', '.join('?' * 10)})", chosen)
        connection.execute(
            "INSERT INTO document_checks VALUES (5, 'carry_over.total', 'fail', 'q/1', 2023, 91, 90, ?, 1, 'd')",
            ("<b>note</b>",),
        )
        for way, cell in (
            (1, "applications.new.natural_person"),
            (1, "applications.new.other"),
            (2, "applications.refused_secret.natural_person"),
        ):
            connection.execute(
                "INSERT INTO outcome_cells(form, outcome, way, cell) VALUES ('2021', 'odd', ?, ?)", (way, cell)
            )
        for side, cell in (("left", "applications.new.total"), ("right", "applications.new.other")):
            connection.execute("INSERT INTO document_check_cells VALUES (5, ?, 1, ?)", (side, cell))
    browser = Browser(tmp_path / "data")
    yield browser
    browser.close()


def facts_of(page: html.HtmlElement) -> list[str]:
    return [link.rpartition("/")[2] for link in page.xpath("//tbody//a/@href[contains(., '/-/fact/')]")]


def test_a_check_across_documents_shows_its_cells_and_they_show_it(summed: Browser) -> None:
    page = summed.page("/-/document-check/5")
    assert facts_of(page) == ["applications.new.total", "applications.new.other"]
    assert texts(page.xpath("//h1")[0]) == "91 ≠ 90"
    assert "<b>note</b>" in texts(page)
    [link] = summed.page(FACT).xpath("//section[@id='checks']//a[@class='sums']")
    assert (link.get("href"), texts(link)) == ("/-/document-check/5", "91 ≠ 90")
    assert summed.get("/-/document-check/6").status_code == 404
    assert summed.get("/-/document-check/9999999999999999999").status_code == 404


def test_a_number_of_the_panel_leads_to_its_cell_or_cells(summed: Browser) -> None:
    keys = "/-/number?agency_id=q%2F1&report_year=2023&scope=own&concept="
    assert summed.page(keys + "one").xpath("//h1[contains(@class, 'number')]")
    page = summed.page(keys + "two")
    assert facts_of(page) == ["applications.new.natural_person", "applications.new.other"]
    assert texts(page.xpath("//h1")[0]) == "90"
    assert summed.get(keys + "three").status_code == 404
    links = {
        texts(link): link.get("href")
        for link in summed.page("/corpus/panel").xpath("//td[contains(@class, 'col-value ')]/a")
    }
    assert links == {"91": f"/-/fact/{corpus.REPORT}/applications.new.total", "90": keys + "two"}


def test_an_outcome_leads_to_the_cells_it_is_added_up_from(summed: Browser) -> None:
    page = summed.page("/-/outcome/1/odd")
    assert facts_of(page) == ["applications.new.natural_person", "applications.new.other"]
    assert texts(page.xpath("//h1")[0]) == "90"
    assert summed.get("/-/outcome/1/no_such").status_code == 404


@pytest.mark.parametrize("path", ["/-/check/1/no.such.rule", "/-/number", "/-/number?agency_id=x&report_year=y"])
def test_sums_that_are_not_there_say_so(browser: Browser, path: str) -> None:
    assert browser.get(path).status_code == 404


# Links


@pytest.mark.parametrize(
    ("column", "value", "row", "table", "href"),
    [
        ("value", 84, {"report_id": 1, "cell": "a.b"}, "facts", "/-/fact/1/a.b"),
        ("value", 0, {"report_id": 1, "cell": "a.b"}, None, "/-/fact/1/a.b"),
        ("raw", "八十四", {"report_id": 1, "cell": "a.b"}, "facts", "/-/fact/1/a.b"),
        ("new_applications", 7.5, {"report_id": 1, "cell": "a.b"}, None, "/-/fact/1/a.b"),
        ("value", 84, {"report_id": 1, "cell": "a.b", "version_id": 3}, "all_facts", "/-/fact/1/a.b?version=3"),
        ("value", 84, {"report_id": 1, "cell": "a.b"}, "panel", "/-/fact/1/a.b"),
        ("lhs", 90, {"report_id": 1, "rule": "a.sum"}, "checks", "/-/check/1/a.sum"),
        ("difference", 1, {"report_id": 1, "rule": "a.sum"}, None, "/-/check/1/a.sum"),
        ("lhs", 1, {"report_id": 1, "check_id": 5, "rule": "a.sum"}, "document_checks", "/-/document-check/5"),
        ("value", 1, {"report_id": 1, "outcome": "refused"}, "outcomes", "/-/outcome/1/refused"),
        (
            "applications_new",
            84,
            {"agency_id": "q/1", "report_year": 2023, "scope": "own"},
            "panel_wide",
            "/-/number?agency_id=q%2F1&report_year=2023&scope=own&concept=applications_new",
        ),
    ],
)
def test_numbers_lead_to_their_facts(column: str, value: object, row: dict[str, Any], table: str, href: str) -> None:
    found = link(column, value, row, table, lambda path: path)
    assert found is not None
    assert html.fromstring(str(found)).get("href") == href


@pytest.mark.parametrize(
    ("column", "value", "row", "table"),
    [
        ("value", None, {"report_id": 1, "cell": "a.b"}, "facts"),
        ("report_year", 2023, {"report_id": 1, "cell": "a.b"}, None),
        ("confidence", 0.5, {"report_id": 1, "cell": "a.b"}, "facts"),
        ("value", 84, {"report_id": 1, "cell": "../../x"}, "facts"),
        ("value", 84, {"report_id": "1", "cell": "a.b"}, None),
        ("count", 84, {"report_id": 1}, None),
        ("report_year", 2023, {"agency_id": "q", "report_year": 2023, "scope": "own"}, "panel_wide"),
    ],
)
def test_what_is_no_fact_leads_to_none(column: str, value: object, row: dict[str, Any], table: str) -> None:
    assert link(column, value, row, table, lambda path: path) is None


def public_columns() -> list[tuple[str, list[str]]]:
    return [(table.name, [column.name for column in table.columns]) for table in codebook().tables]


@pytest.mark.parametrize(("table", "columns"), public_columns(), ids=[name for name, _ in public_columns()])
def test_every_table_with_values_says_whose_they_are(table: str, columns: list[str]) -> None:
    if "value" in columns or "raw" in columns:
        assert "report_id" in columns
        assert {"cell", "outcome"} & set(columns)


@pytest.mark.parametrize("query", codebook().queries, ids=lambda query: query.name)
def test_every_query_that_gives_values_says_whose_they_are(browser: Browser, query: Any) -> None:
    parameters = "&".join(f"{name}=1" for name in set(re.findall(r"(?<!:):([a-z_]+)", query.sql)))
    answer = json.loads(browser.get(f"/corpus/{query.name}.json?_shape=objects&{parameters}").content)
    columns = set(answer.get("columns") or (answer.get("rows") or [{}])[0])
    if "value" in columns or "raw" in columns:
        assert "report_id" in columns
        assert {"cell", "outcome"} & columns


# Citations


def test_bibtex_holds_whatever_a_document_says() -> None:
    report = {
        "report_id": 7,
        "agency": "清河区}, note = {evil",
        "title": "100% \\input{x} & _1_ #2 $3$ ~^\n第二行",
        "published_date": None,
        "document_url": "http://x.example/a%20b?c={d}\\&e_f",
    }
    fact = {"cell": "a.b", "value": 84, "unit": "件", "status": "reported"}
    source = {
        "captured_at": "2024-01-20T01:02:03Z",
        "warc_file": "f_1.warc.gz",
        "warc_offset": 1,
        "warc_length": 2,
        "warc_record_id": "<urn:uuid:1>",
        "payload_digest": "sha256:00",
        "version_id": 3,
        "parser_version": "2",
    }
    entry = bibtex(report, fact, None, source)
    assert entry.splitlines() == [
        "@misc{gongkai-7-a.b,",
        "  author = {{清河区\\}, note = \\{evil}},",
        "  title = {{100\\% \\textbackslash{}input\\{x\\} \\& \\_1\\_ \\#2 \\$3\\$ "
        "\\textasciitilde{}\\textasciicircum{} 第二行}},",
        "  year = {2024},",
        "  howpublished = {\\url{http://x.example/a%20b?c=%7Bd%7D%5C&e_f}},",
        "  urldate = {2024-01-20},",
        "  note = {a.b; a.b = 84 件; captured 2024-01-20T01:02:03Z; WARC f\\_1.warc.gz@1+2 <urn:uuid:1>; "
        "payload sha256:00; report version 3, parsers 2},",
        "}",
    ]
    assert re.sub(r"\\[{}]", "", entry).count("{") == re.sub(r"\\[{}]", "", entry).count("}")


def test_a_number_that_is_none_is_cited_as_its_status() -> None:
    report = {"report_id": 7, "agency": "清河区", "title": "年报", "published_date": None, "document_url": "http://x/"}
    fact = {"cell": "a.b", "value": None, "unit": "件", "status": "blank"}
    assert "a.b = (blank)" in citation(report, fact, None, None)


# CSV


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1+1", "'＝1+1"),
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("=1,\n=2", "'=1,\n=2"),
        ("-", "'-"),
        ("-5", "-5"),
        ("+8.25", "+8.25"),
        ("-1e3", "-1e3"),
        ("84", "84"),
        ("a=b", "a=b"),
        ("", ""),
        ("规章\n=1", "规章\n=1"),
    ],
)
def test_cells_that_would_be_calculated_are_text(text: str, safe: str) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([["x", text], [text, "y"], [text]])
    data = buffer.getvalue().encode()
    for size in (1, 2, 7, 10_000):
        filtered = formulas.SafeCsv()
        out = b"".join(filtered.feed(data[at : at + size]) for at in range(0, len(data), size)) + filtered.end()
        rows = list(csv.reader(io.StringIO(out.decode(), newline="")))
        assert rows == [["x", safe], [safe, "y"], [safe] if text else [""]]


FORMULA = "/corpus{}?sql=select+'=1%2B1'+as+a,+-5+as+b,+'%2B'+as+c,+'x'+as+d"


@pytest.mark.parametrize("more", ["", "&_dl=1"])
def test_csv_that_datasette_sends_has_no_formulas(browser: Browser, more: str) -> None:
    # 1.0 answers queries under /-/query.
    found = [browser.get(FORMULA.format(path) + more) for path in (".csv", "/-/query.csv")]
    [response] = [one for one in found if one.status_code == 200][:1]
    assert response.text == "a,b,c,d\r\n'=1+1,-5,'+,x\r\n"


def test_csv_of_a_table_is_whole(browser: Browser) -> None:
    rows = list(csv.DictReader(io.StringIO(browser.get(f"/corpus/facts.csv?report_id={corpus.REPORT}").text)))
    assert len(rows) == len(corpus.FACTS)
    assert {row["raw"] for row in rows} == {fact.raw for fact in corpus.FACTS}


@pytest.mark.parametrize(("allow", "status"), [(False, 403), (True, 200)], ids=["by default", "when allowed"])
def test_a_snapshot_is_given_away_only_when_allowed(made: Path, tmp_path: Path, allow: bool, status: int) -> None:
    snapshot(made, tmp_path)
    browser = Browser(made)
    browser._datasette = application(made, snapshot=tmp_path, allow_download=allow)
    assert browser.get("/corpus.db").status_code == status
    assert ".db" not in browser.get("/corpus").text or allow
    browser.close()


def test_the_live_database_is_never_given_away(made: Path) -> None:
    browser = Browser(made)
    browser._datasette = application(made, allow_download=True)
    assert browser.get("/corpus.db").status_code == 403
    browser.close()


# Slices, and their replay

HOST = "www.qinghe.example"
PAGE = """<html><head><link rel=stylesheet href="/style.css"><script src='a.js'></script></head>
<body background=back.png><img src="pic.png#x"><img src="http://other.example/gone.png"><a href="/art/2.html">n</a>
<td style="background:url(cell.png)"></body></html>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A page with what it shows, of one run; of another run a picture."""
    clock = FixedClock()
    answers = {
        "/art/1.html": corpus.answer(PAGE.encode(), "text/html"),
        "/style.css": corpus.answer(b"p { background: url('img/deep.png') }", "text/css"),
        "/art/a.js": corpus.answer(b"1", "text/javascript"),
        "/art/back.png": corpus.answer(b"\x89PNG back", "image/png"),
        "/art/pic.png": corpus.answer(b"\x89PNG pic", "image/png"),
        "/img/deep.png": corpus.answer(b"\x89PNG deep", "image/png"),
        "/art/2.html": corpus.answer(b"<p>another", "text/html"),
    }
    for run_id, names in (("run-1", list(answers)), ("run-2", ["/art/1.html", "/art/cell.png"])):
        answers["/art/cell.png"] = corpus.answer(b"\x89PNG cell", "image/png")
        with recording(tmp_path, run_id, clock) as (_, _, recorder):
            for name in names:
                target = Target(f"http://{HOST}{name}", "page", "demo_qinghe", "annual_report")
                recorder.record_now(target, None, exchange(target, answers[name], clock))
            recorder.close()
    return tmp_path


def slice_of(data_dir: Path, capture_id: int) -> list[tuple[str, str]]:
    datasette = application(data_dir)
    stored = asyncio.run(replay.warc_slice(datasette, capture_id))
    for database in datasette.databases.values():
        database.close()
    return [
        (record.rec_type, (record.rec_headers.get_header("WARC-Target-URI") or "").removeprefix(f"http://{HOST}"))
        for record in ArchiveIterator(io.BytesIO(stored))
        if record.content_stream().read() or True
    ]


def test_a_slice_holds_a_page_and_what_it_shows_of_the_same_run(site: Path) -> None:
    records = slice_of(site, 1)
    assert records[:3][0] == ("response", "/art/1.html")
    assert [uri for kind, uri in records if kind == "response"] == [
        "/art/1.html",
        "/style.css",
        "/art/a.js",
        "/art/back.png",
        "/art/pic.png",
        "/img/deep.png",
    ]


def test_the_slice_of_a_repeated_page_is_that_of_its_first(site: Path) -> None:
    assert slice_of(site, 8) == slice_of(site, 1)


def ask(app: Any, path: str) -> tuple[int, dict[str, str], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing to receive")

    asyncio.run(app({"type": "http", "method": "GET", "path": path}, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"]


def test_the_replay_is_a_site_of_its_own(site: Path, tmp_path: Path) -> None:
    folder = tmp_path / "replayweb"
    folder.mkdir()
    with pytest.raises(replay.ReplayError, match=r"no ui\.js and no sw\.js"):
        replay.checked_folder(folder)
    for name in replay.FILES:
        (folder / name).write_text(f"// {name}")
    (folder / "secret.txt").write_text("x")
    datasette = application(site)
    app = replay.application(datasette, replay.checked_folder(folder))
    assert ask(app, "/replay/ui.js")[::2] == (200, b"// ui.js")
    status, headers, body = ask(app, "/capture/1")
    assert status == 200
    assert b'source="/slice/1.warc.gz"' in body
    assert b'ts="20260301173000"' in body
    assert ask(app, "/slice/1.warc.gz")[1]["content-type"] == "application/warc+gzip"
    for path in ("/", "/corpus", "/replay/secret.txt", "/replay/../secret.txt", "/capture/99", "/slice/99.warc.gz"):
        assert ask(app, path)[0] == 404
    assert "default-src 'none'" in headers["content-security-policy"]
    for database in datasette.databases.values():
        database.close()


def test_pages_lead_to_their_replay_where_there_is_one(made: Path) -> None:
    browser = Browser(made)
    browser.get("/")
    assert browser.page(FACT).xpath("//a[contains(@href, ':9')]") == []
    places.give(browser._datasette, Serving(made, replay_address="http://127.0.0.1:9/"))
    assert browser.page(FACT).xpath("//a/@href[contains(., ':9')]") == ["http://127.0.0.1:9/capture/1"]
    assert browser.page(f"/-/fact/{corpus.PDF_REPORT}/applications.new.natural_person").xpath("//a") != []
    browser.close()
