"""Lists that only a script draws: the page is fetched as ever, opened in Chromium, and read as Chromium shows it.

What the page asks for meanwhile goes through Scrapy's downloader like everything else (robots.txt, delays, allowed
hosts, our own wire) and is recorded; the list's own exchange is recorded last, with what was drawn beside it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from archive.model import Exchange, Target
from crawler import browser
from crawler.blocking import block
from crawler.browser import Asked, BrowserError, Given
from crawler.discover import RENDERING
from crawler.robots import NO_ANSWER, ForbiddenError
from crawler.session import Session, host_of
from crawler.settings import user_agent
from crawler.site import Site
from crawler.spiders.column import ColumnSpider
from crawler.wire.context import FRONTIER_ID, HELD, TARGET, UNREAD
from parsers.sniff import HTML, media_type

RENDERED_FOR = "rendered_for"
# Pictures, styles and fonts change nothing about a list.
NEEDED_KINDS = frozenset({"Document", "Script", "XHR", "Fetch"})
METHODS = frozenset({"GET", "POST"})
# The browser's own words for who asks and how; ours are in their place.
_LEFT_OUT = ("user-agent", "accept-encoding", "accept-language", "upgrade-insecure-requests", "sec-", "cookie")
_CODINGS = frozenset({"content-encoding", "transfer-encoding", "content-length"})


@dataclass(slots=True)
class _Drawing:
    """One list page while it is drawn."""

    target: Target
    site: Site
    given: Given
    requests: int = 0
    is_given: bool = False
    refused: dict[str, tuple[str, str, str]] = field(default_factory=dict)


class RenderMiddleware:
    """Off unless a site of the session names channels under [render]."""

    def __init__(self, crawler: Crawler, session: Session) -> None:
        self._crawler = crawler
        self._session = session
        # One browser at a time: each takes some hundred megabytes.
        self._turn = asyncio.Lock()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RenderMiddleware:
        if not isinstance(crawler.spider, ColumnSpider):
            raise NotConfigured
        session = crawler.spider.session
        if not any(site.render.channels for site in session.sites.values()):
            raise NotConfigured
        return cls(crawler, session)

    async def process_request(self, request: Request) -> Response | None:
        """The answer to a list page that is to be drawn, recorded; None lets any other request go on."""
        target: Target | None = request.meta.get(TARGET)
        if target is None or HELD in request.meta or not self._session.renders(target):
            return None
        meta = {**request.meta, HELD: None, UNREAD: False, "dont_obey_robotstxt": True}
        held = request.replace(callback=NO_CALLBACK, errback=None, meta=meta)
        response = await self._fetch(held)
        exchange: Exchange = held.meta[HELD]
        if _is_drawable(response, exchange):
            async with self._turn:
                target, exchange = await self._drawn(target, exchange, response)
        await self._session.record(target, request.meta[FRONTIER_ID], exchange)
        return Response(request.url, status=response.status, request=request)

    async def _drawn(self, target: Target, exchange: Exchange, response: Response) -> tuple[Target, Exchange]:
        program = browser.browser()
        if program is None:
            message = "the site file asks for a browser and there is no Chromium here: read as it was sent"
            return _about(target, "browser_missing", message), exchange
        site = self._session.sites[target.site]
        drawing = _Drawing(target, site, _given(response))
        agent = user_agent(self._session.options.contact)
        seconds = site.render.seconds
        try:
            drawn = await browser.draw(
                target.url,
                lambda asked: self._answer(asked, drawing),
                program=program,
                user_agent=agent,
                seconds=seconds,
            )
        except (BrowserError, OSError) as error:
            return _about(target, "browser_failed", f"not drawn, read as it was sent: {error}", drawing), exchange
        exchange = replace(exchange, rendered=drawn.html)
        if not drawn.is_whole:
            message = f"the page was not at rest after {seconds:g} s; read as it was then"
            return _about(target, "render_cut_short", message, drawing), exchange
        message = f"read as a browser drew it, with {drawing.requests} further requests"
        return _about(target, "rendered", message, drawing), exchange

    async def _answer(self, asked: Asked, drawing: _Drawing) -> Given | None:
        if asked.url == drawing.target.url and not drawing.is_given:
            drawing.is_given = True
            return drawing.given
        if asked.kind not in NEEDED_KINDS or asked.method not in METHODS:
            return None
        if not drawing.site.allows(asked.url):
            why = f"{host_of(asked.url)} is neither a channel's host nor in allowed_hosts"
            drawing.refused[asked.url] = ("host_not_allowed", why, asked.url)
            return None
        if not self._session.may_ask(host_of(asked.url)):
            why = f"{host_of(asked.url)} is to be left alone"
            drawing.refused[asked.url] = ("host_resting", why, asked.url)
            return None
        try:
            response = await self._fetch(self._request(asked, drawing))
        except ForbiddenError:
            drawing.refused[asked.url] = ("robots_refused", "robots.txt does not allow it", asked.url)
            return None
        except (IgnoreRequest, *NO_ANSWER):
            return None
        drawing.requests += 1
        return _given(response)

    def _request(self, asked: Asked, drawing: _Drawing) -> Request:
        headers = tuple((name, value) for name, value in asked.headers if not name.lower().startswith(_LEFT_OUT))
        target = Target(
            url=asked.url,
            role="robots",
            site=drawing.target.site,
            channel=drawing.target.channel,
            method=asked.method,
            body=asked.body,
            headers=headers,
            via=drawing.target.url,
            parameters=json.dumps({RENDERED_FOR: drawing.target.url}, ensure_ascii=False),
        )
        meta = {
            TARGET: target,
            "download_slot": host_of(asked.url),
            "dont_obey_robotstxt": not drawing.site.politeness.obey_robots,
        }
        return Request(
            asked.url,
            method=asked.method,
            body=asked.body,
            headers=dict(headers),
            callback=NO_CALLBACK,
            dont_filter=True,
            meta=meta,
        )

    async def _fetch(self, request: Request) -> Response:
        engine = self._crawler.engine
        if engine is None:
            raise TypeError("a page was to be drawn before the engine started")
        return await engine.download_async(request)


def _is_drawable(response: Response, exchange: Exchange) -> bool:
    """HTML that came whole and is no guard's: a guard's script is archived and never run."""
    if exchange.status != 200 or exchange.truncated is not None or media_type(response.body) != HTML:
        return False
    return block(response.body, status=200, headers=exchange.headers) is None


def _given(response: Response) -> Given:
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in response.headers.items()
        for value in values
        if name.decode("latin-1").lower() not in _CODINGS
    )
    return Given(response.status, headers, response.body)


def _about(target: Target, code: str, message: str, drawing: _Drawing | None = None) -> Target:
    about: dict[str, Any] = {"code": code, "message": message}
    if drawing is not None and drawing.refused:
        about["refused"] = list(drawing.refused.values())
    parameters = {**json.loads(target.parameters), RENDERING: about}
    return replace(target, parameters=json.dumps(parameters, ensure_ascii=False, sort_keys=True))
