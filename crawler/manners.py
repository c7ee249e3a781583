"""How a host is asked while a run goes on: what it asks for itself, how slowly it answers, whether it still answers.

`crawler.politeness` says what site files ask for before the run; this is what is learned on the way. Nothing here
waits: the scheduler asks `may_ask` before every request and gives the downloader `delay_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.frontier import LONGEST_WAIT
from archive.model import Outcome
from crawler.politeness import Lane

# A Crawl-delay beyond this would stretch a run over weeks: the host is asked once a minute then, and a finding says so.
LONGEST_CRAWL_DELAY_SECONDS = 60.0
# Below this a server is not slow; what it takes to answer is no sign of its load.
SLOW_SECONDS = 0.5
LONGEST_ADDED_DELAY_SECONDS = 30.0
# 创宇云 shuts an address out for one to two minutes and lets it in again.
FIRST_BLOCK_WAIT_SECONDS = 60.0
BLOCK_WAIT_FACTOR = 2.0
# In a row, without an answer between them.
MOST_BLOCKS = 3
MOST_NET_ERRORS = 5
MOST_REFUSALS = 10
REFUSING = frozenset({403, 429, 503})


@dataclass(frozen=True, slots=True)
class Met:
    """One exchange as a host's manners see it. `wait_seconds` is how long the host is to be left alone, 0 for not."""

    outcome: Outcome
    status: int | None
    seconds: float
    wait_seconds: float = 0.0
    is_homepage: bool = False


@dataclass(slots=True)
class _Host:
    crawl_delay_seconds: float = 0.0
    last_seconds: float = 0.0
    not_before: datetime | None = None
    blocks: int = 0
    net_errors: int = 0
    refusals: int = 0
    paused_because: str = ""


class Manners:
    """What one run has learned of the hosts of its lanes."""

    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self._lanes = lanes
        self._hosts: dict[str, _Host] = {}

    @property
    def paused(self) -> frozenset[str]:
        """Hosts that are not asked again in this run."""
        return frozenset(name for name, host in self._hosts.items() if host.paused_because)

    def delay_of(self, host: str) -> float:
        """Least seconds between the starts of two requests: the site file's, the Crawl-delay, or the rest that a slow
        server gets, which is as long as its last answer took.
        """
        known = self._host(host)
        lane = self._lanes.get(host)
        own = lane.delay_seconds if lane else 0.0
        rest = min(known.last_seconds, LONGEST_ADDED_DELAY_SECONDS) if known.last_seconds >= SLOW_SECONDS else 0.0
        return max(own, known.crawl_delay_seconds, known.last_seconds + rest if rest else 0.0)

    def may_ask(self, host: str, now: datetime) -> bool:
        """False while the host is to be left alone, or for the rest of the run."""
        known = self._hosts.get(host)
        if known is None:
            return True
        if known.paused_because or known.not_before is None:
            return not known.paused_because
        return not now < known.not_before <= now + LONGEST_WAIT

    def asked_for(self, host: str, crawl_delay_seconds: float) -> None:
        """Notes a Crawl-delay. Of several servers of one host the slowest counts."""
        known = self._host(host)
        wanted = min(crawl_delay_seconds, LONGEST_CRAWL_DELAY_SECONDS)
        known.crawl_delay_seconds = max(known.crawl_delay_seconds, wanted)

    def pause(self, host: str, because: str) -> None:
        """No further request to the host in this run."""
        known = self._host(host)
        known.paused_because = known.paused_because or because

    def met(self, host: str, met: Met, now: datetime) -> str:
        """Notes what came of a request. Returns why the host is paused from now on, "" when it is not or was before."""
        known = self._host(host)
        known.last_seconds = met.seconds
        self._count(known, met)
        wait = met.wait_seconds
        if met.outcome == "blocked":
            wait = max(wait, FIRST_BLOCK_WAIT_SECONDS * BLOCK_WAIT_FACTOR ** (known.blocks - 1))
        if wait > 0:
            until = now + timedelta(seconds=wait)
            known.not_before = max(known.not_before or until, until)
        because = _because(known)
        if not because or known.paused_because:
            return ""
        known.paused_because = because
        return because

    def _count(self, known: _Host, met: Met) -> None:
        is_block = met.outcome == "blocked" or met.is_homepage
        is_refusal = met.outcome == "http_error" and met.status in REFUSING
        known.blocks = known.blocks + 1 if is_block else 0
        known.net_errors = known.net_errors + 1 if met.outcome == "net_error" else 0
        known.refusals = known.refusals + 1 if is_refusal else 0

    def _host(self, name: str) -> _Host:
        return self._hosts.setdefault(name, _Host())


def _because(known: _Host) -> str:
    if known.blocks >= MOST_BLOCKS:
        return f"{known.blocks} pages of a guard, or the homepage in their place, one after another"
    if known.net_errors >= MOST_NET_ERRORS:
        return f"{known.net_errors} requests without an answer, one after another"
    if known.refusals >= MOST_REFUSALS:
        return f"{known.refusals} refusals (403, 429, 503), one after another"
    return ""
