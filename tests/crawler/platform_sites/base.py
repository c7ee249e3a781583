"""Sites of an invented district on other software than the demo's: the same articles in each product's own markup.

A skin says what one product's lists, pages and files look like; everything else is the same for all, with the truth.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from crawler.replica.content import SITE_ID_CODE, SITE_NAME, Article, Attachment, make_content
from crawler.replica.portal import Request, Response
from crawler.replica.server import AccessEntry, served

REPORTS, POLICIES = "annual_report", "policy"
NAMES = {REPORTS: "政府信息公开年报", POLICIES: "政策文件"}
PER_PAGE = 15
NOT_FOUND = Response(404, "text/html", "<html><body><h2>页面不存在</h2></body></html>".encode())


@dataclass(frozen=True)
class Faults:
    """What goes wrong on purpose: pages that are stubs from so many on, a total that is a search index's limit or too
    large by some, pages that are all the first, an article that is published while the list is read."""

    stubs_from: int = 0
    capped: bool = False
    missing: int = 0
    stuck: bool = False
    published_meanwhile: bool = False


@cache
def articles(channel: str) -> tuple[Article, ...]:
    """38 reports as pages and files and 20 policy documents, newest first, without the demo site's own traps."""
    found = [
        replace(article, href="plain", encoding="utf-8", declared="utf-8", listed_title="")
        for article in make_content(2026, 100).articles
        if article.channel == channel and not article.gone and article.href in ("plain", "spaced", "absolute")
        and "jsp" not in article.path and all(f.readable and f.place == "here" for f in article.attachments)
    ]  # fmt: skip
    wanted = 38 if channel == REPORTS else 20
    return tuple(sorted(found[:wanted], key=lambda a: (a.published, a.article_id), reverse=True))


@dataclass
class Shelf:
    """The articles that stand on the site now, and what goes wrong with its lists."""

    channels: dict[str, list[Article]]
    faults: Faults

    def page(self, channel: str, number: int, size: int = PER_PAGE) -> list[Article]:
        """The entries of a page, counted from 1."""
        if self.faults.stuck:
            number = 1
        shown = self.channels[channel][(number - 1) * size : number * size]
        if self.faults.published_meanwhile and number == 1 and len(self.channels[channel]) == len(articles(channel)):
            newest = self.channels[channel][0]
            late = replace(newest, article_id=99001, title="刚刚发布的通知", body="<p>已发布。</p>",
                           published=date(2026, 1, 5), attachments=(), report=None)  # fmt: skip
            self.channels[channel].insert(0, late)
        return shown

    def total(self, channel: str) -> int:
        if self.faults.capped:
            return 10000
        return len(self.channels[channel]) + self.faults.missing

    def pages(self, channel: str, size: int = PER_PAGE) -> int:
        return -(-self.total(channel) // size)


class Skin:
    """One product: where things stand and how they are written. A subclass states everything below."""

    name = ""

    def channel_path(self, channel: str) -> str:
        raise NotImplementedError

    def article_path(self, article: Article) -> str:
        raise NotImplementedError

    def file_path(self, attachment: Attachment, article: Article) -> str:
        raise NotImplementedError

    def list_answer(self, path: str, query: dict[str, str], shelf: Shelf, origin: str) -> Response | None:
        """A list's answer, None for any other address; `query` has what was posted too."""
        raise NotImplementedError

    def article_page(self, article: Article) -> str:
        raise NotImplementedError

    def file_answer(self, attachment: Attachment, request: Request) -> Response:
        return Response(200, "application/octet-stream", attachment.data)


@dataclass
class Truth:
    """What a faithful crawl finds, as rows of the public tables."""

    listings: set[tuple]
    pages: set[str]
    attachments: set[tuple]
    reports: set[tuple]


@dataclass
class PlatformSite:
    """A replica that is being served."""

    skin: Skin
    shelf: Shelf
    base_url: str
    access_log: list[AccessEntry]

    def site_file(self, folder: Path, *, platform: str = "auto") -> Path:
        path = folder / f"{self.skin.name}.toml"
        lines = [
            f'agency = "{SITE_NAME}"', 'division_code = "990101"', f'platform = "{platform}"', "", "[channels]",
            *(f'{key} = "{self.base_url}{self.skin.channel_path(key)}"' for key in self.shelf.channels),
            "", "[politeness]", "delay_seconds = 0.0", "concurrent_requests = 4", "allow_private_hosts = true",
        ]  # fmt: skip
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def url(self, article: Article) -> str:
        return self.base_url + self.skin.article_path(article)

    def file_url(self, attachment: Attachment, article: Article) -> str:
        return self.base_url + self.skin.file_path(attachment, article)

    @property
    def truth(self) -> Truth:
        every = [article for entries in self.shelf.channels.values() for article in entries]
        files = [(file, article) for article in every for file in article.attachments]
        in_pages = [(self.url(a), self.url(a), a.report) for a in every if a.report]
        in_files = [(self.file_url(f, a), self.url(a), f.report) for f, a in files if f.report]
        return Truth(
            listings={
                (self.url(a), a.title, a.published.isoformat(), channel, position)
                for channel, entries in self.shelf.channels.items()
                for position, a in enumerate(entries, start=1)
            },
            pages={self.url(article) for article in every},
            attachments={
                (self.file_url(f, a), self.url(a), f.name, f"sha256:{hashlib.sha256(f.data).hexdigest()}")
                for f, a in files
            },
            reports={(url, page, r.agency, r.year, r.form) for url, page, r in (*in_pages, *in_files)},
        )


def asked(query: str, body: bytes) -> dict[str, str]:
    """What a request asks for, in its address and in the form that it posts."""
    return dict(parse_qsl(query)) | dict(parse_qsl(body.decode("latin-1")))


@contextmanager
def serving(skin: Skin, faults: Faults | None = None) -> Iterator[PlatformSite]:
    shelf = Shelf({channel: list(articles(channel)) for channel in (REPORTS, POLICIES)}, faults or Faults())

    def answer(request: Request) -> Response:
        parts = urlsplit(request.target)
        origin = f"http://{request.headers.get('host', '')}"
        listed = skin.list_answer(parts.path, asked(parts.query, request.body), shelf, origin)
        if listed is not None:
            return listed
        for article in (a for entries in shelf.channels.values() for a in entries):
            if skin.article_path(article) == parts.path:
                return html(skin.article_page(article))
            for file in article.attachments:
                if skin.file_path(file, article) == request.target:
                    return skin.file_answer(file, request)
        return NOT_FOUND

    with served(answer) as (origin, log):
        yield PlatformSite(skin, shelf, origin, log)


def html(text: str) -> Response:
    return Response(200, "text/html; charset=utf-8", text.encode())


def document(title: str, body: str, metas: dict[str, str] | None = None) -> str:
    """A whole page: the standard meta tags, the portal's menu, the body, a footer."""
    tags = {"SiteName": SITE_NAME, "SiteIDCode": SITE_ID_CODE, **(metas or {})}
    lines = "\n".join(f'<meta name="{name}" content="{escape(value)}" />' for name, value in tags.items())
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8">\n{lines}\n<title>{escape(title)}</title></head>\n<body>\n'
        f'{MENU}\n{body}\n<div class="footer"><p>主办：{SITE_NAME}办公室　联系电话：0999-80000000</p>'
        '<a href="/about.html">关于我们</a> <a href="/sitemap.html">网站地图</a></div>\n</body></html>\n'
    )


MENU = """<div class="leftmenu"><ul>
<li><a href="/zfxxgkzn/">政府信息<br>公开指南</a></li> <li><a href="/zfxxgkzd/">政府信息<br>公开制度</a></li>
<li><a href="/fdgknr/">法定主动<br>公开内容</a></li> <li><a href="/zfxxgknb/">政府信息<br>公开年报</a></li>
<li><a href="/ysqgk/">依申请<br>公开</a></li></ul></div>"""


def article_metas(article: Article) -> dict[str, str]:
    return {
        "ColumnName": NAMES[article.channel],
        "ArticleTitle": article.title,
        "PubDate": f"{article.published} 09:30:00",
        "ContentSource": article.publisher,
    }


def ten_digits(article: Article) -> str:
    """A number of its own for an article, as products that know no shorter one use."""
    return f"{article.article_id:010d}"
