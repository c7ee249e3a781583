"""The seam between the download handler and the crawl it works for.

Before the crawl starts, set `crawler.gongkai_wire = WireContext(recorder=…, permission=…, site_of=…)` on the Scrapy
crawler; the handler disables itself without it. A request carries its target in `meta[TARGET]` and the frontier row it
answers in `meta[FRONTIER_ID]`; what the recorder returned for it is in `meta[RECORDED]` of the Response's request.
With `meta[UNREAD]` the Response has no body: nobody will read it, so it is not decoded once more. With HELD in its meta
an answer is not recorded but put there, for whoever asked to record the Exchange.

For every attempt the handler awaits `recorder.record(target, frontier_id, exchange)` before Scrapy sees a Response or
an exception. `frontier_id` is None when nothing in the frontier is answered: robots.txt, and an attempt that is about
to be repeated (a kept-alive connection that turned out dead, a TLS handshake that failed before the relaxed one). Such
attempts are recorded and must neither acknowledge nor fail the row.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Protocol

from archive.model import Exchange, Target

TARGET = "gongkai_target"
FRONTIER_ID = "gongkai_frontier_id"
RECORDED = "gongkai_recorded"
UNREAD = "gongkai_unread"
HELD = "gongkai_held"


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be connected to for one host. `private` admits addresses that are not public, loopback included."""

    ports: Container[int] = frozenset({80, 443})
    private: bool = False


class Recorder(Protocol):
    """Makes an exchange durable; returns once it is. What it raises ends the download with that error.

    Whether a failed exchange is to be tried again later is its decision, not the handler's.
    """

    async def record(self, target: Target, frontier_id: int | None, exchange: Exchange) -> object: ...


@dataclass(frozen=True, slots=True)
class WireContext:
    """What the handler needs to know of the crawl.

    `permission` answers for a host name (lower case, as in the URL) what may be connected to; None refuses the host.
    `site_of` names the site a host belongs to, for robots.txt, which Scrapy asks for by itself. `stray` is told of an
    address and how many bytes came behind the end of its answer when that was recorded already.
    """

    recorder: Recorder
    permission: Callable[[str], Permission | None] = lambda _host: Permission()
    site_of: Callable[[str], str] = lambda _host: ""
    stray: Callable[[str, int], None] = lambda _url, _count: None
