"""The invented reports as sites publish them, recorded and read as a crawl does it, without sockets.

Two runs a year apart: the second finds what was published since and asks some known pages again, of which a few have
changed or are gone. Answers go through `Recorder` into WARC files and are read by `discover` and `extract`; only the
wire is missing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from corpus_reports import District, Report, districts, reports

from archive.frontier import Frontier, Leased
from archive.http1 import split_head
from archive.model import Exchange, Target
from archive.recorder import Recorder
from archive.rows import RunRow, SiteRow
from archive.store import Store
from archive.times import instant
from crawler.completeness import channel_runs
from crawler.discover import seeds
from crawler.extract import ExtractSummary, extract
from crawler.replica.reports import Printed
from crawler.replica.writers import docx, html, pdf
from crawler.reread import discover_with
from crawler.site import Site, parse_site

SEED = 2026
CHANNEL = "annual_report"
PER_PAGE = 60
AT_ONCE = 64
RUNS = (("20240610T170000Z-000001", date(2024, 6, 10)), ("20250610T170000Z-000002", date(2025, 6, 10)))
RECHECKED_EVERY = 20
GONE_EVERY = 400
_SUFFIX = {"docx": "docx", "pdf": "pdf"}


class Clock:
    """Every look at it is a millisecond later."""

    def __init__(self, day: date) -> None:
        self.moment = datetime(day.year, day.month, day.day, 17, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(milliseconds=1)
        return self.moment


@dataclass(frozen=True, slots=True)
class Article:
    """A report and where its site has it."""

    district: District
    report: Report
    number: int

    @property
    def page_url(self) -> str:
        day = self.report.published
        return f"http://{self.district.host}/xxgk/nb/{day.year}/{day.month:02d}/t{self.number}.html"

    @property
    def file_url(self) -> str:
        return f"{self.page_url.removesuffix('.html')}.{_SUFFIX[self.report.format]}"


def build(data_dir: Path, report_count: int, *, seed: int = SEED, workers: int = 2) -> ExtractSummary:
    """A data directory with `report_count` current reports: the same seed, the same rows (record ids are random)."""
    record(data_dir, report_count, seed=seed)
    return extract(data_dir, workers=workers)


def record(data_dir: Path, report_count: int, *, seed: int = SEED) -> None:
    """Both runs into WARC files, index and database; nothing is read out of the pages yet."""
    articles = [
        Article(district, report, 1000 + number)
        for district in districts(report_count, seed)
        for number, report in enumerate(reports(district, seed))
    ]
    sites = [_site(district) for district in {a.district.number: a.district for a in articles}.values()]
    for turn, (run_id, day) in enumerate(RUNS):
        served = _Served(articles, day, is_first=turn == 0)
        _run(data_dir, run_id, Clock(day), sites, served)


def _site(district: District) -> Site:
    text = (
        f'agency = "{district.city}{district.name}人民政府"\ndivision_code = "{district.code}"\n'
        'platform = "generic"\n\n'
        f'[channels]\n{CHANNEL} = "http://{district.host}/xxgk/nb/index.html?page=1"\n'
    )
    return parse_site(text, name=district.site, source=district.site)


class _Served:
    """What the sites answer on one day. Pages and files are made when they are asked for."""

    def __init__(self, articles: Sequence[Article], day: date, *, is_first: bool) -> None:
        self._is_first = is_first
        self._lists: dict[str, list[Article]] = {}
        self._pages: dict[str, Article] = {}
        self._files: dict[str, Article] = {}
        self._known: list[Article] = []
        for article in articles:
            if article.report.published >= day:
                continue
            self._lists.setdefault(article.district.host, []).append(article)
            self._pages[article.page_url] = article
            if article.report.format in _SUFFIX:
                self._files[article.file_url] = article
            if article.report.published < RUNS[0][1]:
                self._known.append(article)
        for listed in self._lists.values():
            listed.sort(key=lambda article: (article.report.published, article.number), reverse=True)

    def rechecks(self) -> list[Target]:
        """Known pages that are asked again: those that changed, and some that did not."""
        if self._is_first:
            return []
        return [
            Target(article.page_url, "page", article.district.site, CHANNEL, anchor=_title(article), depth=1)
            for place, article in enumerate(self._known)
            if article.report.again or place % RECHECKED_EVERY == 0
        ]

    def answer(self, url: str) -> bytes:
        if url in self._pages:
            article = self._pages[url]
            is_gone = not self._is_first and article.number % GONE_EVERY == 0
            return _response(_page(article, self._printed(article)), "text/html") if not is_gone else _GONE
        if url in self._files:
            article = self._files[url]
            write = pdf.write if article.report.format == "pdf" else docx.write
            return _response(write(self._printed(article)), "application/octet-stream")
        parts = urlsplit(url)
        if parts.hostname in self._lists and parts.query.startswith("page="):
            page = int(parts.query.removeprefix("page="))
            return _response(_list(self._lists[parts.hostname], page), "text/html; charset=utf-8")
        return _GONE

    def _printed(self, article: Article) -> Printed:
        again = None if self._is_first else article.report.again
        return again or article.report.printed


_GONE = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n<h2>Page not found</h2>"[:-1]


def _response(body: bytes, media_type: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _title(article: Article) -> str:
    return article.report.printed.title


def _list(articles: Sequence[Article], page: int) -> bytes:
    shown = articles[(page - 1) * PER_PAGE : page * PER_PAGE]
    pages = -(-len(articles) // PER_PAGE)
    entries = "\n".join(
        f'<li><a href="{urlsplit(article.page_url).path}" title="{_title(article)}">{_title(article)}</a>'
        f"<span>{article.report.published}</span></li>"
        for article in shown
    )
    more = f'<a href="?page={page + 1}">下一页</a>' if page < pages else ""
    name = articles[0].district.name
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{name}政府信息公开年报</title></head><body>\n'
        f'<ul class="list">\n{entries}\n</ul>\n<div class="pager">共{len(articles)}条 第{page}/{pages}页 {more}</div>\n'
        "</body></html>\n"
    ).encode()


def _page(article: Article, printed: Printed) -> bytes:
    chosen = article.report.format
    if chosen in _SUFFIX:
        path = urlsplit(article.file_url).path
        body = f'<p>附件：<a href="{path}">{printed.title}.{_SUFFIX[chosen]}</a></p>'
    else:
        body = html.body(printed, html.HtmlStyle(word=chosen == "word_html"))
    day, name = article.report.published, article.district.name
    text = f"""<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><title>{printed.title}</title>
<meta name="SiteName" content="{name}人民政府"><meta name="ColumnName" content="政府信息公开年报">
<meta name="ArticleTitle" content="{printed.title}"><meta name="PubDate" content="{day} 09:{article.number % 60:02d}">
<meta name="ContentSource" content="{printed.agency}"></head><body>
<div class="position">当前位置：<a href="/">首页</a> &gt;
<a href="/xxgk/nb/index.html?page=1">政府信息公开年报</a></div>
<h1>{printed.title}</h1><p class="info">发布日期：{day} 来源：{printed.agency}</p>
<div class="TRS_Editor">
{body}
</div><div class="footer">主办：{name}人民政府办公室 网站标识码：{article.district.code}0001</div></body></html>
"""
    return text.encode("gb18030" if chosen == "gbk_html" else "utf-8")


def _run(data_dir: Path, run_id: str, clock: Clock, sites: Sequence[Site], served: _Served) -> None:
    rows = [SiteRow(site.name, site.agency, site.division_code, site.platform, site.text) for site in sites]
    discover = discover_with({site.name: site for site in sites})
    with Store.open(data_dir, clock=clock) as store:
        store.start_run(RunRow(run_id, "crawl", instant(clock()), "0.1.0", "synthetic"))
        frontier = Frontier(store, run_id, clock=clock)
        recorder = Recorder(
            data_dir, run_id, store=store, frontier=frontier, discover=discover, sites=rows, clock=clock,
            max_batch=AT_ONCE,
        )  # fmt: skip
        frontier.add([target for site in sites for target in seeds(site)])
        frontier.add(served.rechecks(), recheck=True)
        asyncio.run(_fetched(frontier, recorder, served, clock))
        channels = [(site.name, CHANNEL) for site in sites]
        judged = [asdict(found) for found in channel_runs(store.connection, run_id, channels, cut_short={})]
        stats = {"channels": judged, "outcomes": _outcomes(store, run_id)}
        recorder.close(stats_json=json.dumps(stats, ensure_ascii=False, sort_keys=True))


def _outcomes(store: Store, run_id: str) -> dict[str, dict[str, int]]:
    """Site → outcome → captures, as a run counts them."""
    found: dict[str, dict[str, int]] = {}
    for site, outcome, count in store.connection.execute(
        "SELECT site, outcome, count(*) FROM captures WHERE run_id = ? GROUP BY 1, 2", (run_id,)
    ):
        found.setdefault(site, {})[outcome] = count
    return found


async def _fetched(frontier: Frontier, recorder: Recorder, served: _Served, clock: Clock) -> None:
    while leased := frontier.lease(AT_ONCE):
        await asyncio.gather(*(_one(row, recorder, served, clock) for row in leased))


async def _one(row: Leased, recorder: Recorder, served: _Served, clock: Clock) -> None:
    response = served.answer(row.target.url)
    head = split_head(response)
    request = f"GET {row.target.url} HTTP/1.1\r\nHost: {urlsplit(row.target.url).hostname}\r\n\r\n".encode()
    exchange = Exchange(
        url=row.target.url,
        method="GET",
        started_at=clock(),
        elapsed_ms=10.0,
        request=request,
        response=response,
        status=head.status if head else None,
        headers=head.headers if head else (),
        peer="192.0.2.7",
    )
    await recorder.record(row.target, row.frontier_id, exchange)
