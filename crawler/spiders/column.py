"""The spider that walks channels. It neither parses nor yields requests: discovery happens before a response gets here.

What to fetch comes out of the frontier (`crawler.scheduler`); what a payload leads to goes back into it in the same
transaction as the capture (`crawler.discover`). The spider only ties a session to Scrapy's crawler.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

from scrapy import Spider, signals
from scrapy.crawler import Crawler

from crawler.interrupts import asked_to_stop
from crawler.politeness import lanes
from crawler.session import Options, Session
from crawler.settings import GONGKAI_CONTACT_URL, user_agent
from crawler.site import bundled_site
from crawler.wire.context import WireContext

MOST_CONCURRENT_REQUESTS = 256


class ColumnSpider(Spider):
    """Walks every site of its session. A subclass in `crawler.spiders.bundled` makes its own session for its site."""

    name = ""
    site_name = ""

    def __init__(self, session: Session, **kwargs: Any) -> None:
        super().__init__(self.name or "column", **kwargs)
        self.session = session

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, session: Session | None = None, **kwargs: Any) -> Self:
        """Takes the session given, or opens one on GONGKAI_DATA for `site_name` and ends it with the spider."""
        if session is None:
            session = Session(Path(crawler.settings["GONGKAI_DATA"]), (bundled_site(cls.site_name),), _options())
            crawler.signals.connect(_finisher(session), signal=signals.spider_closed, weak=False)
        attach(session, crawler)
        return super().from_crawler(crawler, *args, session=session, **kwargs)

    async def start(self) -> AsyncIterator[Any]:
        """Nothing: the first requests are in the frontier already."""
        nothing: tuple[Any, ...] = ()
        for request in nothing:
            yield request


def _options() -> Options:
    return Options(contact=GONGKAI_CONTACT_URL, probe=True)


def _finisher(session: Session) -> Callable[[], None]:
    """What follows a crawl that Scrapy's own command started: reading, unless it was told to stop."""

    def finish() -> None:
        from crawler.extract import extract_new  # not before: fetching needs no readers

        with session, asked_to_stop(already=session.interrupted) as stopped:
            session.end()
            extract_new(session.data_dir, session.store, stopped=stopped)
            if stopped():
                session.mark("interrupted")

    return finish


def attach(session: Session, crawler: Crawler) -> None:
    """Lets the wire handler record into the session, and asks every host as its site file says."""
    found = lanes(session.sites.values())
    crawler.gongkai_wire = WireContext(  # type: ignore[attr-defined]
        recorder=session,
        permission=lambda host: found[host].permission if host in found else None,
        site_of=session.site_of,
        stray=session.stray,
    )
    together = sum(lane.concurrent_requests for lane in found.values())
    slots = {
        host: {"delay": lane.delay_seconds, "concurrency": lane.concurrent_requests, "jitter": 0.0}
        for host, lane in found.items()
    }
    crawler.settings.set("USER_AGENT", user_agent(session.options.contact), priority="spider")
    crawler.settings.set("DOWNLOAD_SLOTS", slots, priority="spider")
    crawler.settings.set("CONCURRENT_REQUESTS", min(together, MOST_CONCURRENT_REQUESTS), priority="spider")
