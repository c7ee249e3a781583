"""The site itself, without sockets: what it answers to a request, the truth about it, and the edits of later nights.

State changes only under the lock, so a test may edit the site while a crawl reads it. Pages are rendered once and kept
until the next edit.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from crawler.replica import jcms
from crawler.replica.content import (
    AGENCIES,
    CHANNELS,
    HISTORY_AGENCY,
    HISTORY_AREA,
    Article,
    Attachment,
    Channel,
    Content,
    article_path,
    column_of,
    history_path,
)
from crawler.replica.truth import AttachmentTruth, ListingTruth, Manifest, PageTruth, PictureTruth, ReportTruth

Robots = Literal["missing", "allow", "disallow", "homepage"]
LAST_MODIFIED = "Fri, 28 Mar 2025 01:02:03 GMT"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the site behaves on the wire. The defaults are those of a plain jCMS site.

    `validators` adds ETag and Last-Modified to pages and answers 304; `robots` says what /robots.txt gives;
    `volatile` lets click counter and clock change at every request; `delay_seconds` waits before each answer.
    """

    gzip: bool = False
    chunked: bool = False
    validators: bool = False
    volatile: bool = True
    robots: Robots = "missing"
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `encoding` is that of a page whose clicks and clock are still to be put in, "" for anything else."""

    status: int
    content_type: str = ""
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    encoding: str = ""


_HTML = "text/html; charset=utf-8"
_BINARY = "application/octet-stream"
_NOT_FOUND = Response(404, _HTML, jcms.not_found_page().encode())


class Portal:
    """The disclosure site of the invented district."""

    def __init__(self, content: Content, hosts: jcms.Hosts, behaviour: Behaviour) -> None:
        self.hosts = hosts
        self._behaviour = behaviour
        self._lock = threading.RLock()
        self._articles: dict[str, Article] = {article.path: article for article in content.articles}
        self._pictures = {picture.path: picture.data for picture in content.pictures}
        self._moved: dict[str, str] = {}
        self._next_id = 95001
        self._answered = 0
        self._notice = ""
        self._pages: dict[str, bytes] = {}
        self._files: dict[str, Attachment] = {}
        self._lists: dict[str, tuple[Article, ...]] = {}

    # Answers ------------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """The answer to one request, with everything but the framing of the message."""
        if request.method not in ("GET", "HEAD", "POST"):
            return Response(405)
        with self._lock:
            self._answered += 1
            response = self._route(request)
            if not response.encoding:
                return response
            count = self._answered if self._behaviour.volatile else 1
        ready = _with_clock(response, count)
        return _validated(request, response, ready) if self._behaviour.validators else ready

    def _route(self, request: Request) -> Response:
        target = urlsplit(request.target)
        path = target.path
        if path == "/module/web/jpage/dataproxy.jsp":
            return self._group(request)
        if path == "/module/download/downfile.jsp":
            return self._download(_query(target.query))
        if path == "/module/xxgk/xxgkAnnualReport.jsp":
            return self._annual_report(_query(target.query))
        if path == "/robots.txt":
            return self._robots()
        if path == "/":
            return self._page("/", "utf-8", lambda: jcms.home_page(self.hosts))
        if path in self._pictures:
            return Response(200, "image/png", self._pictures[path])
        if path in self._moved:
            return Response(302, _HTML, headers=(("Location", self._moved[path]),))
        channel = next((known for known in CHANNELS if known.path == path), None)
        if channel is not None:
            return self._column(channel)
        return self._article_page(path) or self._file(path) or _NOT_FOUND

    def _page(self, key: str, encoding: str, render: Callable[[], str]) -> Response:
        if key not in self._pages:
            text = render()
            if self._notice:
                text = text.replace("</body>", f'<div class="notice">{self._notice}</div></body>')
            self._pages[key] = text.encode(encoding)
        return Response(200, _HTML, self._pages[key], encoding=encoding)

    def _robots(self) -> Response:
        choice = self._behaviour.robots
        if choice == "missing":
            return _NOT_FOUND
        if choice == "homepage":
            return self._page("/", "utf-8", lambda: jcms.home_page(self.hosts))
        rule = "Disallow: /" if choice == "disallow" else "Disallow: /module/jslib/"
        return Response(200, "text/plain", f"User-agent: *\n{rule}\n".encode())

    def _listed(self, channel: Channel) -> tuple[Article, ...]:
        """The channel's list, newest first."""
        if channel.key not in self._lists:
            entries = [a for a in self._articles.values() if a.listed and a.channel == channel.key]
            entries.sort(key=lambda article: (article.published, article.article_id), reverse=True)
            self._lists[channel.key] = tuple(entries)
        return self._lists[channel.key]

    def _column(self, channel: Channel) -> Response:
        entries = self._listed(channel)
        first = entries[: channel.group_size]
        more = 1 if channel.endless or len(entries) > channel.group_size else None

        def render() -> str:
            return jcms.column_page(first, channel, self.hosts, total=len(entries), next_page=more)

        return self._page(channel.path, "utf-8", render)

    def _group(self, request: Request) -> Response:
        """A group of records, by number (`page`, from 0: the one inside the column page) or by first and last record.

        Every group but the first begins with the last record of the group before it.
        """
        query = _query(urlsplit(request.target).query) | _query(request.body.decode("utf-8", "replace"))
        channel = next((known for known in CHANNELS if str(known.column_id) == query.get("columnid")), None)
        if channel is None or query.get("unitid") != str(channel.unit_id):
            return Response(200, "text/xml; charset=utf-8")
        entries = self._listed(channel)
        if "startrecord" in query:
            start, end = _number(query["startrecord"], 1), _number(query.get("endrecord", ""), channel.group_size)
        else:
            page = _number(query.get("page", ""), 0)
            start, end = page * channel.group_size + 1, (page + 1) * channel.group_size
        shown = entries[max(0, start - 2) : end] if start <= len(entries) else ()
        more = end // channel.group_size if end < len(entries) or (channel.endless and shown) else None
        text = jcms.group(shown, channel, self.hosts, total=len(entries), next_page=more)
        return Response(200, "text/xml; charset=utf-8", text.encode())

    def _article_page(self, path: str) -> Response | None:
        article = self._articles.get(path)
        if article is None or article.gone:
            return None
        return self._page(path, article.encoding, lambda: jcms.article_page(article, self.hosts))

    def _annual_report(self, query: Mapping[str, str]) -> Response:
        """One body's report for one year; parameters in either order."""
        area, year = query.get("area", ""), query.get("fbtime", "")
        agency = {HISTORY_AREA: HISTORY_AGENCY, **{code: name for name, code in AGENCIES}}.get(area)
        if agency is None or not year.isdigit():
            return _NOT_FOUND
        page = self._article_page(history_path(area, int(year)))
        if page is not None:
            return page
        text = jcms.empty_report_page(agency, year, self.hosts)
        return self._page(f"{area}/{year}", "utf-8", lambda: text)

    def _attached(self) -> dict[str, Attachment]:
        """Files by the name the server keeps them under."""
        if not self._files:
            standing = (article for article in self._articles.values() if not article.gone)
            self._files = {a.file_name: a for article in standing for a in article.attachments}
        return self._files

    def _download(self, query: Mapping[str, str]) -> Response:
        attachment = self._attached().get(query.get("filename", ""))
        if attachment is None:
            return _NOT_FOUND
        return Response(302, _HTML, headers=(("Location", jcms.attachment_path(attachment)),))

    def _file(self, path: str) -> Response | None:
        attachment = self._attached().get(path.rpartition("/")[2])
        if attachment is None or path != jcms.attachment_path(attachment):
            return None
        return Response(200, _BINARY, attachment.data, headers=(("Accept-Ranges", "bytes"),))

    # Truth --------------------------------------------------------------------------------------------------------

    def truth(self) -> Manifest:
        """The truth about the site as it stands now."""
        with self._lock:
            articles = [a for a in self._articles.values() if not a.gone and a.href != "other_host"]
            listings = tuple(entry for channel in CHANNELS for entry in self._listing_truths(channel))
        return Manifest(
            listings=listings,
            pages=tuple(self._page_truth(article) for article in articles),
            attachments=tuple(self._attachment_truth(a, file) for a in articles for file in a.attachments),
            reports=tuple(report for article in articles for report in self._report_truths(article)),
            pictures=tuple(
                PictureTruth(self.hosts.site + path, jcms.article_url(article, self.hosts))
                for article in articles
                for path in self._pictures
                if path in article.body
            ),
        )

    def _listing_truths(self, channel: Channel) -> list[ListingTruth]:
        return [
            ListingTruth(
                url=jcms.article_url(article, self.hosts),
                title=article.title,
                date=article.published,
                channel=channel.key,
                position=position,
                reachable=not article.gone and article.href != "other_host",
            )
            for position, article in enumerate(self._listed(channel), start=1)
        ]

    def _page_truth(self, article: Article) -> PageTruth:
        return PageTruth(
            url=jcms.article_url(article, self.hosts),
            channel=article.channel,
            title=article.title,
            published_date=article.published,
            written_date=article.written,
            publisher=article.publisher,
            index_number=article.index_number,
            document_number=article.document_number,
            listed=article.listed,
        )

    def _attachment_truth(self, article: Article, attachment: Attachment) -> AttachmentTruth:
        return AttachmentTruth(
            url=jcms.attachment_url(attachment, self.hosts),
            final_url=jcms.final_attachment_url(attachment, self.hosts),
            page_url=jcms.article_url(article, self.hosts),
            file_name=attachment.name,
            sha256=hashlib.sha256(attachment.data).hexdigest(),
            readable=attachment.readable,
        )

    def _report_truths(self, article: Article) -> list[ReportTruth]:
        page_url = jcms.article_url(article, self.hosts)
        documents = [(page_url, article.report)]
        documents += [(jcms.final_attachment_url(file, self.hosts), file.report) for file in article.attachments]
        return [
            ReportTruth(
                document_url=url,
                page_url=page_url,
                agency=printed.agency,
                year=printed.year,
                form=printed.form,
                signed_on=printed.signed_on,
                facts=printed.truth,
                troubles=printed.troubles,
                listed=article.listed,
            )
            for url, printed in documents
            if printed is not None
        ]

    # Edits --------------------------------------------------------------------------------------------------------

    def add(self, *, channel: str, title: str, body: str, published: date, publisher: str) -> str:
        with self._lock:
            article_id = self._take_id()
            path = article_path(column_of(channel).column_id, article_id, published)
            self._put(
                Article(
                    article_id=article_id,
                    channel=channel,
                    title=title,
                    published=published,
                    publisher=publisher,
                    body=body,
                    source=publisher,
                    path=path,
                    index_number=f"QH-{published.year}-{article_id}",
                )
            )
        return self.hosts.site + path

    def edit(self, url: str, *, title: str | None, body: str | None, published: date | None) -> None:
        with self._lock:
            article = self._article(url)
            self._put(
                replace(
                    article,
                    title=article.title if title is None else title,
                    body=article.body if body is None else body,
                    published=published or article.published,
                    report=article.report if body is None else None,
                )
            )

    def edit_attachment(self, url: str, data: bytes) -> None:
        with self._lock:
            article, old = self._attachment(url)
            new = replace(old, data=data, report=None)
            self._put(replace(article, attachments=tuple(new if a is old else a for a in article.attachments)))

    def delete(self, url: str, *, keep_listed: bool) -> None:
        with self._lock:
            self._put(replace(self._article(url), gone=True, listed=keep_listed))

    def restore(self, url: str) -> None:
        with self._lock:
            self._put(replace(self._article(url), gone=False, listed=True))

    def redesign(self, notice: str) -> None:
        with self._lock:
            self._notice = notice
            self._pages.clear()

    def move(self, url: str, *, channel: str | None, redirect: bool) -> str:
        with self._lock:
            article = self._article(url)
            del self._articles[article.path]
            target = channel or article.channel
            article_id = self._take_id()
            path = article_path(column_of(target).column_id, article_id, article.published)
            if redirect:
                self._moved[article.path] = path
            self._put(replace(article, article_id=article_id, channel=target, path=path))
        return self.hosts.site + path

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _article(self, url: str) -> Article:
        path = url.removeprefix(self.hosts.site)
        if path not in self._articles:
            raise KeyError(url)
        return self._articles[path]

    def _attachment(self, url: str) -> tuple[Article, Attachment]:
        for article in self._articles.values():
            for file in article.attachments:
                if url in (jcms.attachment_url(file, self.hosts), jcms.final_attachment_url(file, self.hosts)):
                    return article, file
        raise KeyError(url)

    def _put(self, article: Article) -> None:
        self._articles[article.path] = article
        self._pages.clear()
        self._files.clear()
        self._lists.clear()


def _query(text: str) -> dict[str, str]:
    """Parameters of an address or a form. A site whose links are escaped twice still understands them: `amp;fbtime`."""
    return {name.removeprefix("amp;"): value for name, value in parse_qsl(text)}


def _number(text: str, default: int) -> int:
    return int(text) if text.isdigit() else default


def _with_clock(response: Response, count: int) -> Response:
    clock = f"2025年3月28日 星期五 {8 + count // 3600 % 12:02d}:{count // 60 % 60:02d}:{count % 60:02d}"
    body = response.body.replace(jcms.CLICKS.encode(), str(1000 + count).encode())
    return replace(response, body=body.replace(jcms.CLOCK.encode(), clock.encode(response.encoding)))


def _validated(request: Request, page: Response, ready: Response) -> Response:
    """The page with validators, or 304. The tag is of the page without clicks and clock, as a cache's would be."""
    tag = f'"{hashlib.sha256(page.body).hexdigest()[:16]}"'
    headers = (("ETag", tag), ("Last-Modified", LAST_MODIFIED))
    if request.headers.get("if-none-match") == tag:
        return Response(304, headers=headers)
    return replace(ready, headers=headers)
