"""robots.txt as RFC 9309 has it, one per server, with its Crawl-delay; Scrapy's own middleware stands aside.

What Scrapy 2.19 does otherwise: one robots.txt for http and https together, no redirects followed, an HTML page parsed
as rules, a server error or silence taken for permission, Crawl-delay left to AutoThrottle.
"""

from __future__ import annotations

import asyncio
from typing import Literal
from urllib.parse import urljoin, urlsplit

from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotConfigured,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from archive.model import Finding
from crawler import retry
from crawler.manners import LONGEST_CRAWL_DELAY_SECONDS
from crawler.retry import ROBOTS_UNREACHABLE
from crawler.session import Session, host_of
from crawler.settings import BOT_NAME
from crawler.spiders.column import ColumnSpider
from crawler.wire.client import unsent
from crawler.wire.context import FRONTIER_ID, TARGET
from parsers.decode import decode
from parsers.sniff import HTML, media_type

Level = Literal["info", "warning", "error"]
# RFC 9309, 2.3.1.2: at least five.
MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# RFC 9309, 2.3.1.4: a server that cannot be reached allows nothing.
NO_ANSWER = (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)


class _UnreachableError(Exception):
    """Raised when no attempt to get a robots.txt was answered."""


class PostponedError(IgnoreRequest):
    """Raised while a request waits for robots.txt and the server cannot give it: asked again by the next run."""


class ForbiddenError(IgnoreRequest):
    """Raised for what robots.txt does not allow."""


class RobotsMiddleware:
    """Refuses what robots.txt does not allow. Needs a spider with a `session`."""

    def __init__(self, crawler: Crawler, session: Session) -> None:
        self._crawler = crawler
        self._session = session
        self._rules: dict[str, asyncio.Future[Protego | str | None]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured("ROBOTSTXT_OBEY is off")
        if not isinstance(crawler.spider, ColumnSpider):
            raise NotConfigured("the spider has no session")
        return cls(crawler, crawler.spider.session)

    async def process_request(self, request: Request) -> None:
        """Raises ForbiddenError for what is not allowed, PostponedError for what nobody can say.

        Where a server cannot be reached the request has failed for this run, as if it had been tried itself
        (IgnoreRequest): a host that answers to http only is not given up for a link to https.
        """
        if request.meta.get("dont_obey_robotstxt"):
            return
        parts = urlsplit(request.url)
        server = f"{parts.scheme}://{parts.netloc}"
        if server not in self._rules:
            self._rules[server] = asyncio.ensure_future(self._ask(server))
        rules = await asyncio.shield(self._rules[server])
        host = host_of(request.url)
        if host in self._session.manners.paused:
            raise PostponedError(f"{host} is not asked again in this run")
        if isinstance(rules, str):
            await self._fail(request, rules)
        elif rules is not None and not rules.can_fetch(request.url, BOT_NAME):
            raise ForbiddenError("Forbidden by robots.txt")

    async def _fail(self, request: Request, because: str) -> None:
        target, frontier_id = request.meta.get(TARGET), request.meta.get(FRONTIER_ID)
        if target is not None and frontier_id is not None:
            exchange = unsent(request.url, request.method, f"{ROBOTS_UNREACHABLE}: {because}")
            await self._session.record(target, frontier_id, exchange)
        raise IgnoreRequest(f"not asked for: {because}")

    async def _ask(self, server: str) -> Protego | str | None:
        """The rules of a server, None when it has none, why nothing is allowed when it cannot be reached."""
        url = f"{server}/robots.txt"
        try:
            response = await self._answer(url)
        except _UnreachableError as error:
            return str(error)
        if response is None:
            return None
        if response.status >= 500 or response.status == 429:
            self._unavailable(url, response.status)
            return None
        if response.status != 200:
            return None
        if media_type(response.body, "robots.txt") == HTML:
            message = "expected rules, found an HTML page: taken as no robots.txt"
            self._find("warning", "robots_not_rules", message, url)
            return None
        rules = Protego.parse(decode(response.body).text)
        self._keep_delay(url, rules)
        return rules

    async def _answer(self, url: str) -> Response | None:
        """The answer at the end of the redirects, None when they end nowhere. Raises _UnreachableError."""
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._fetch_with_patience(url)
            if response is None or response.status not in REDIRECTS:
                return response
            location = urljoin(url, (response.headers.get("Location") or b"").decode("latin-1"))
            if not any(site.allows(location) for site in self._session.sites.values()):
                message = f"redirected to {location}, which is not fetched: taken as no robots.txt"
                self._find("warning", "robots_unavailable", message, url)
                return None
            url = location
        message = f"more than {MOST_REDIRECTS} redirects: taken as no robots.txt"
        self._find("warning", "robots_unavailable", message, url)
        return None

    async def _fetch_with_patience(self, url: str) -> Response | None:
        """None where our own wire refuses the address. Raises _UnreachableError when no attempt was answered."""
        problem = ""
        for attempt in range(retry.MOST_ATTEMPTS):
            if attempt:
                await asyncio.sleep(retry.FIRST_WAIT_SECONDS * retry.WAIT_FACTOR ** (attempt - 1))
            try:
                return await self._fetch(url)
            except IgnoreRequest as error:
                self._find("warning", "robots_unavailable", f"not asked ({error}): taken as no robots.txt", url)
                return None
            except NO_ANSWER as error:
                problem = f"no answer, {attempt + 1} times ({error})"
        self._find("warning", "robots_unreachable", f"{problem}: nothing is asked of the server in this run", url)
        raise _UnreachableError(problem)

    async def _fetch(self, url: str) -> Response:
        engine = self._crawler.engine
        if engine is None:
            raise TypeError("robots.txt was asked for before the engine started")
        meta = {"dont_obey_robotstxt": True, "download_slot": host_of(url)}
        request = Request(url, meta=meta, callback=NO_CALLBACK, dont_filter=True)
        return await engine.download_async(request)

    def _unavailable(self, url: str, status: int) -> None:
        because = f"status {status} for robots.txt, so nobody can say what may be asked for"
        self._session.pause(host_of(url), because)

    def _keep_delay(self, url: str, rules: Protego) -> None:
        asked = rules.crawl_delay(BOT_NAME)
        if not asked:
            return
        if asked > LONGEST_CRAWL_DELAY_SECONDS:
            message = f"Crawl-delay of {asked:g} s; {LONGEST_CRAWL_DELAY_SECONDS:g} s are kept"
            self._find("warning", "crawl_delay_capped", message, url)
        self._session.manners.asked_for(host_of(url), float(asked))
        set_delay(self._crawler, host_of(url), self._session.manners.delay_of(host_of(url)))

    def _find(self, level: Level, code: str, message: str, url: str) -> None:
        self._session.find(Finding(level, code, message, url))


def set_delay(crawler: Crawler, host: str, seconds: float) -> None:
    """Lets the downloader keep another delay for a host from its next request on."""
    slots = crawler.engine.downloader.slots if crawler.engine is not None else {}
    if host in slots:
        slots[host].delay = seconds
