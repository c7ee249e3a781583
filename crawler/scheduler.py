"""Scrapy's scheduler over the frontier: leases rows in small batches and keeps in memory only what is leased.

A host gets no more requests than it may have under way, so that one slow host cannot fill the downloader while others
wait. Rows that are still in memory when the spider closes are given back.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from archive.errors import ArchiveError
from archive.frontier import Leased
from archive.recorder import cannot_record
from crawler.exceptions import CrawlerError
from crawler.politeness import Lane, lanes
from crawler.robots import ForbiddenError, PostponedError, set_delay
from crawler.session import Session, host_of
from crawler.spiders.column import ColumnSpider
from crawler.wire.context import FRONTIER_ID, TARGET, UNREAD

# A lease is a durable write, so it takes many rows; few enough that a kill leaves little to give back, and that what
# is found on the way does not wait long.
LEASE_SIZE = 256


class FrontierScheduler(BaseScheduler):
    """Needs a spider with a `session`."""

    def __init__(self, session: Session, crawler: Crawler | None = None) -> None:
        self._session = session
        self._crawler = crawler
        self._open = session.open_sites()
        self._lanes: dict[str, Lane] = lanes(session.sites.values())
        self._internal: deque[Request] = deque()
        self._ready: dict[str, deque[Leased]] = {}
        self._under_way: Counter[str] = Counter()
        # Until one request to a server has ended, and with it the one for robots.txt, no other goes there.
        self._entering: set[str] = set()
        self._entered: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FrontierScheduler:
        if not isinstance(crawler.spider, ColumnSpider):
            raise TypeError(f"expected a ColumnSpider, found {type(crawler.spider).__name__}")
        return cls(crawler.spider.session, crawler)

    def open(self, spider: Spider) -> None:
        """Nothing to prepare: the frontier is in the database."""

    def close(self, reason: str) -> None:
        """Gives back what was leased and not asked for; says why the run ends when it was told to."""
        self._session.interrupted = reason == "shutdown"
        with self._breaking_off():
            self._session.frontier.release([leased.frontier_id for ready in self._ready.values() for leased in ready])
        self._ready.clear()

    @contextmanager
    def _breaking_off(self) -> Iterator[None]:
        """The database cannot be written, as on a full disk: the run ends; the next takes back what is still leased."""
        try:
            yield
        except sqlite3.Error as error:
            self._session.break_off(cannot_record(self._session.data_dir, error))

    def has_pending_requests(self) -> bool:
        """True while anything is left for this run, even if it may not be asked for yet."""
        if self._session.broken is not None:
            return False
        if self._internal or any(self._ready.values()):
            return True
        paused = self._session.manners.paused
        if self._session.frontier.next_due(self._session.open_sites(), except_hosts=paused) is not None:
            return True
        with self._breaking_off():
            return not self._under_way.total() and self._session.ask_in_doubt()
        return False

    def enqueue_request(self, request: Request) -> bool:
        """Requests that Scrapy itself or a middleware makes; they are not in the frontier."""
        self._internal.append(request)
        return True

    def next_request(self) -> Request | None:
        if self._internal:
            return self._internal.popleft()
        if self._session.broken is not None:
            return None
        with self._breaking_off():
            self._give_back_closed()
            leased = self._take() or self._take_after_lease()
            return self._request(leased) if leased else None
        return None

    def _give_back_closed(self) -> None:
        """Once a site's crawl window has closed."""
        open_now = self._session.open_sites()
        if open_now == self._open:
            return
        self._open = open_now
        for host, ready in self._ready.items():
            closed = [leased for leased in ready if leased.target.site not in open_now]
            self._session.frontier.release([leased.frontier_id for leased in closed])
            self._ready[host] = deque(leased for leased in ready if leased.target.site in open_now)

    def _give_back_paused(self, host: str) -> None:
        if host in self._session.manners.paused and self._ready.get(host):
            self._session.frontier.release([leased.frontier_id for leased in self._ready.pop(host)])

    def _take(self) -> Leased | None:
        for host, ready in self._ready.items():
            if ready and self._is_free(host) and _server(ready[0].target.url) not in self._entering:
                return ready.popleft()
        return None

    def _take_after_lease(self) -> Leased | None:
        busy = [host for host in self._lanes if not self._is_free(host)]
        if len(busy) == len(self._lanes):
            return None
        waiting = [host for host, ready in self._ready.items() if ready]
        for leased in self._session.frontier.lease(LEASE_SIZE, sites=self._open, busy_hosts={*busy, *waiting}):
            self._ready.setdefault(leased.host, deque()).append(leased)
        return self._take()

    def _is_free(self, host: str) -> bool:
        lane = self._lanes.get(host)
        is_idle = self._under_way[host] < (lane.concurrent_requests if lane else 1)
        return is_idle and self._session.may_ask(host)

    def _request(self, leased: Leased) -> Request:
        target = leased.target
        if self._crawler is not None:
            set_delay(self._crawler, leased.host, self._session.manners.delay_of(leased.host))
        headers = (*target.headers, *self._session.begin(leased))
        self._under_way[leased.host] += 1
        if _server(target.url) not in self._entered:
            self._entering.add(_server(target.url))
        return Request(
            target.url,
            method=target.method,
            body=target.body,
            headers=dict(headers),
            callback=self._answered,
            errback=self._failed,
            dont_filter=True,
            meta={
                TARGET: target,
                FRONTIER_ID: leased.frontier_id,
                UNREAD: True,
                "download_slot": leased.host,
                "dont_obey_robotstxt": not self._session.sites[target.site].politeness.obey_robots,
            },
        )

    def _answered(self, response: Response) -> None:
        """The response is durable and was read before it got here."""
        if response.request is not None:
            self._done(response.request)

    def _failed(self, failure: Failure) -> None:
        """The failure is durable too, unless robots.txt kept the request from being made or nothing can be recorded."""
        request: Request = failure.request  # type: ignore[attr-defined]
        error = failure.value
        if isinstance(error, PostponedError):
            with self._breaking_off():
                self._session.frontier.release([request.meta[FRONTIER_ID]])
        elif isinstance(error, ForbiddenError):
            with self._breaking_off():
                self._session.refuse(request.meta[TARGET], request.meta[FRONTIER_ID], str(error))
        elif isinstance(error, (CrawlerError, ArchiveError)):
            self._session.break_off(error)
        self._done(request)

    def _done(self, request: Request) -> None:
        self._under_way[host_of(request.url)] -= 1
        with self._breaking_off():
            self._give_back_paused(host_of(request.url))
        self._entering.discard(_server(request.url))
        self._entered.add(_server(request.url))
        self._session.done(request.meta[FRONTIER_ID])


def _server(url: str) -> str:
    """Host and port: what a robots.txt speaks for."""
    return urlsplit(url).netloc
