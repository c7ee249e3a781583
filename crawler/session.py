"""One run over some sites, without Scrapy: what may be fetched, what became of it, how the run is judged.

    lock → recover → run row → first requests → [record …] → judge every site → end of run → sealed WARC

The scheduler takes its requests from `frontier`; the wire handler hands every exchange to `record`.
"""

from __future__ import annotations

import json
import logging
import secrets
import socket
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from sqlite3 import Connection
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from archive import http1, rechecks
from archive.errors import ArchiveError
from archive.frontier import Frontier, Leased
from archive.limit import within_limit
from archive.lock import lock
from archive.model import Discovery, Exchange, Finding, RunStatus, Target
from archive.recorder import Recorded, Recorder
from archive.recover import recover
from archive.rows import Finished, RunRow, SiteRow
from archive.store import Store
from archive.times import Clock, instant, now
from crawler.completeness import ChannelRun, channel_runs
from crawler.discover import NO_FILE, PAGES, STAND_IN, is_page_instead_of_file, newest_history, seeds
from crawler.exceptions import SiteFileError
from crawler.manners import Manners, Met
from crawler.politeness import lanes
from crawler.reread import discover_with, stored_sites
from crawler.retry import LONGEST_WAIT_SECONDS, REFUSALS, Ending, after_exchange
from crawler.site import Site
from crawler.stand_ins import PARAMETER, StandIn, StandIns, stand_in_targets

log = logging.getLogger(__name__)

# Called once per capture.
Progress = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a run. `limit` is the most pages to follow per site, None for all of them.

    `contact` is whom a site's operator may ask, an address or a mail box. `probe` looks at each server's homepage and
    at its answer to a made-up address first, so that pages that are neither can be told from them. `recheck_days` makes
    it a night: known pages are asked again, each within so many days unless its site file names another number.
    """

    full: bool = False
    limit: int | None = None
    contact: str = ""
    probe: bool = False
    recheck_days: int | None = None


@dataclass(frozen=True, slots=True)
class SiteSummary:
    """A site's share of a run. `outcomes` counts captures; `troubles` says why the site failed, () when it did not."""

    site: str
    agency: str
    listings: int
    new_listings: int
    outcomes: dict[str, int]
    troubles: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    """What a run has met at one site so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    followed: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)


class Session:
    """An open run on a data directory; leaving the `with` block ends it. Raises LockedError when another is open."""

    def __init__(
        self,
        data_dir: Path,
        sites: Iterable[Site],
        options: Options,
        *,
        kind: str = "crawl",
        clock: Clock = now,
        run_id: str | None = None,
    ) -> None:
        self.data_dir = data_dir
        self._clock = clock
        self.sites = _by_name(sites)
        self.options = options
        self.run_id = run_id or new_run_id()
        self.progress: Progress | None = None
        self.interrupted = False
        self.broken: Exception | None = None
        self.status: RunStatus = "running"
        self.manners = Manners(lanes(self.sites.values()))
        self._closed = {name for name, site in self.sites.items() if not site.politeness.is_open(clock())}
        self._skipped = frozenset(self._closed)
        self._open = tuple(name for name in self.sites if name not in self._closed)
        self._has_windows = any(site.politeness.window for site in self.sites.values())
        self._tallies = {name: _Tally() for name in self.sites}
        self._attempts: dict[int, int] = {}
        self._asks_again = options.full or options.recheck_days is not None
        self._in_doubt_asked = options.recheck_days is None
        self._stand_ins = StandIns()
        self._strays: Counter[str] = Counter()
        self._read = discover_with(self.sites)
        with ExitStack() as stack:
            stack.enter_context(lock(data_dir, run_id=self.run_id))
            self.store = stack.enter_context(Store.open(data_dir))
            known = {**stored_sites(self.store), **self.sites}
            repairs = recover(data_dir, self.store, discover=discover_with(known))
            self._start(kind, repairs)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if isinstance(error, Exception):
            self.break_off(error)
        elif error is not None:
            self.interrupted = True
        is_judged = self.status != "running"
        with self._stack:
            self.end()
            if is_judged and error is not None:
                self.mark("failed" if isinstance(error, Exception) else "interrupted")
        return False

    def _start(self, kind: str, repairs: Iterable[Finding]) -> None:
        names = list(self.sites)
        open_names = list(self._open)
        asked = {
            "sites": names,
            "full": self.options.full,
            "limit": self.options.limit,
            "recheck_days": self.options.recheck_days,
        }
        self.store.start_run(
            RunRow(
                run_id=self.run_id,
                kind=kind,
                started_at=instant(now()),
                code_version=version("gongkai"),
                host=socket.gethostname(),
                settings_json=json.dumps(asked, ensure_ascii=False, sort_keys=True),
            )
        )
        for finding in repairs:
            self.store.add_finding(self.run_id, finding)
        self.frontier = Frontier(self.store, self.run_id)
        for name in self._closed:
            self._say_closed(self.sites[name], "outside_window", "it was not asked")
        self.frontier.retry_failed(open_names)
        if self.options.full:
            self.frontier.recheck(open_names)
        if self.options.recheck_days is not None:
            self._recheck(self.options.recheck_days)
        for site in (self.sites[name] for name in open_names):
            self.frontier.add(seeds(site))
            self.frontier.add(newest_history(site), recheck=True)
            if self.options.probe and site.politeness.probe_missing:
                urls = tuple(url for _, url in site.channels)
                self.frontier.add(stand_in_targets(urls, site=site.name, token=self.run_id[-6:]), recheck=True)
        self.recorder = Recorder(
            self.data_dir,
            self.run_id,
            store=self.store,
            frontier=self.frontier,
            discover=self._discover,
            sites=[_site_row(site) for site in self.sites.values()],
        )

    # While it runs

    def open_sites(self) -> tuple[str, ...]:
        """The sites that may be asked now. A crawl window that has closed stays closed for this run."""
        if self._has_windows:
            at = self._clock()
            for name in self._open:
                if not self.sites[name].politeness.is_open(at):
                    self._closed.add(name)
                    self._say_closed(self.sites[name], "window_closed", "what is left waits for the next run")
            self._open = tuple(name for name in self._open if name not in self._closed)
        return self._open

    def _say_closed(self, site: Site, code: str, consequence: str) -> None:
        message = f"{site.name} is crawled {site.politeness.window} only; {consequence}"
        self.find(Finding("warning", code, message))

    def _recheck(self, days: int) -> None:
        """Adds tonight's share of the known pages and attachments."""
        at = now()
        with self.store.transaction() as connection:
            for site in (self.sites[name] for name in self._open):
                rows = rechecks.due(connection, site.name, days=site.recheck_days or days, at=at)
                rechecks.make_due(connection, self.run_id, rows)

    def ask_in_doubt(self) -> bool:
        """Once the lists of a night are read: asks again for entries that left them, came back or have another name.

        True when there is any; False from the second call on.
        """
        if self._in_doubt_asked:
            return False
        self._in_doubt_asked = True
        with self.store.transaction() as connection:
            rows = [
                row for channel, whole in self._lists_so_far() for row in self._in_doubt(connection, channel, whole)
            ]
            rechecks.make_due(connection, self.run_id, rows)
        return bool(rows)

    def _in_doubt(self, connection: Connection, channel: tuple[str, str], whole: bool) -> list[int]:
        return rechecks.in_doubt(connection, self.run_id, channel, is_whole=whole)

    def _lists_so_far(self) -> Iterator[tuple[tuple[str, str], bool]]:
        """Each channel and whether its list was walked to the end that it shows."""
        urls = [(name, channel) for name in self._open for channel, _ in self.sites[name].channels]
        for found in channel_runs(self.store.connection, self.run_id, urls, cut_short={}):
            yield (found.site, found.channel), found.status != "incomplete"

    def may_ask(self, host: str) -> bool:
        """False while a host is to be left alone."""
        return self.manners.may_ask(host, self._clock())

    def pause(self, host: str, because: str) -> None:
        """Asks a host nothing more in this run, and says so."""
        if host in self.manners.paused:
            return
        self.manners.pause(host, because)
        self._say_paused(host, because)

    def _say_paused(self, host: str, because: str) -> None:
        message = f"{host} is not asked again in this run: {because}; what is left waits for the next run"
        self.find(Finding("error", "host_paused", message))

    def find(self, finding: Finding) -> None:
        """Adds a finding that belongs to no capture."""
        self.store.add_finding(self.run_id, finding)

    def renders(self, target: Target) -> bool:
        """True for list pages that a browser is to draw."""
        is_page = target.role == "list" and target.method == "GET"
        return is_page and target.channel in self.sites[target.site].render.channels

    def begin(self, leased: Leased) -> tuple[tuple[str, str], ...]:
        """Notes that a request is under way; returns the headers that make it conditional."""
        self._attempts[leased.frontier_id] = leased.attempts
        target = leased.target
        if self.renders(target):
            # Its own bytes stay the same while what the script fetches changes.
            return ()
        if target.role == "robots" or target.method != "GET" or not (target.role == "list" or self._asks_again):
            return ()
        known = self.recorder.validators(target)
        if known is None:
            return ()
        pairs = zip(("If-None-Match", "If-Modified-Since"), known, strict=True)
        return tuple((name, value) for name, value in pairs if value)

    async def record(self, target: Target, frontier_id: int | None, exchange: Exchange) -> Recorded:
        """Makes an exchange and what it leads to durable, and settles what becomes of its frontier row."""
        if frontier_id is None:
            return await self._record_aside(target, exchange)
        target, stand_in = self._compared(target, exchange)
        attempts = self._attempts.get(frontier_id, 0) + 1
        ending = after_exchange(exchange, attempts=attempts, now=now())
        if stand_in == "homepage" and ending.state == "acknowledged":
            # After a burst every address may answer with it: the next run asks again.
            ending = Ending("failed", problem="the homepage came")
        if exchange.truncated == "length" and target.role != "list":
            # The next night would only be sent as much again; it comes up again with the pages that are known.
            ending = Ending("acknowledged")
        if exchange.status == 304 and ending.state == "acknowledged" and not self.recorder.has_content(target):
            ending = Ending("failed", problem="status 304 for what was never stored")
        recorded = await self._durable(target, frontier_id, exchange, ending)
        if recorded.outcome == "blocked" and ending.state == "acknowledged":
            # It is asked again by the next run, as the recorder has noted; until then there is no page to speak of.
            ending = Ending("failed", problem="a guard's page")
        if ending.state == "failed" and stand_in is None:
            self._give_up(target, ending.problem or "")
        self._mind(exchange, recorded, ending, stand_in)
        self._count(target, recorded)
        return recorded

    def _compared(self, target: Target, exchange: Exchange) -> tuple[Target, StandIn | None]:
        """The target with what the answer stands in for, if it does, written down beside it for every later reading."""
        if target.role == "robots":
            kind = json.loads(target.parameters).get(PARAMETER)
            if kind is not None:
                self._stand_ins.remember(kind, exchange)
        if target.role in ("robots", "list"):
            return target, None
        found = self._stand_ins.like(exchange)
        stands_for = NO_FILE if found is None and self._is_no_file(target, exchange) else found
        if stands_for is None and STAND_IN not in target.parameters:
            return target, None
        parameters = json.loads(target.parameters)
        parameters.pop(STAND_IN, None)
        if stands_for is not None:
            parameters[STAND_IN] = stands_for
        return replace(target, parameters=json.dumps(parameters, ensure_ascii=False)), found

    def _is_no_file(self, target: Target, exchange: Exchange) -> bool:
        """An HTML page, where a file that is none is stored."""
        if target.role != "attachment" or exchange.status not in PAGES:
            return False
        if not is_page_instead_of_file(target, _entity(exchange.response)):
            return False
        stored = self.recorder.stored_response(target)
        return stored is not None and not is_page_instead_of_file(target, _entity(stored))

    def _mind(self, exchange: Exchange, recorded: Recorded, ending: Ending, stand_in: StandIn | None) -> None:
        """Lets the host's manners know what came of a request."""
        if (exchange.error or "").partition(":")[0] in REFUSALS:
            return
        host = host_of(exchange.url)
        # A file that is too large for us says nothing against its server.
        outcome = "ok" if exchange.truncated == "length" else recorded.outcome
        is_homepage = stand_in == "homepage"
        met = Met(outcome, exchange.status, exchange.elapsed_ms / 1000, ending.host_wait_seconds, is_homepage)
        because = self.manners.met(host, met, self._clock())
        if because:
            self._say_paused(host, because)
        elif ending.host_wait_seconds > LONGEST_WAIT_SECONDS:
            self.pause(host, f"it asks to be left alone for {ending.host_wait_seconds:.0f} s")

    async def _record_aside(self, target: Target, exchange: Exchange) -> Recorded:
        """An exchange that answers no frontier row: robots.txt, or an attempt that the handler repeats at once."""
        state: Finished = "acknowledged" if target.role == "robots" else "leased"
        recorded = await self._durable(target, None, exchange, Ending(state))
        if target.role == "robots" and target.channel:
            # What a browser asks for to draw a list tells as much of the host as any other request.
            rest = after_exchange(exchange, attempts=1, now=now()).host_wait_seconds
            self._mind(exchange, recorded, Ending(state, host_wait_seconds=rest), None)
        return recorded

    async def _durable(self, target: Target, frontier_id: int | None, exchange: Exchange, ending: Ending) -> Recorded:
        try:
            return await self.recorder.record(
                target, frontier_id, exchange, finished=ending.state, not_before=ending.not_before
            )
        except ArchiveError as error:
            self.break_off(error)
            raise

    def refuse(self, target: Target, frontier_id: int, reason: str) -> None:
        """Records that robots.txt does not allow a target."""
        recorded = self.recorder.refuse(target, frontier_id, outcome="robots", reason=reason)
        if target.role == "list":
            self._trouble(target, "robots_refused", "robots.txt does not allow the list page")
        self._count(target, recorded)

    def done(self, frontier_id: int) -> None:
        """Forgets a request that is no longer under way."""
        self._attempts.pop(frontier_id, None)

    def _discover(self, target: Target, exchange: Exchange, entity: bytes) -> Discovery:
        found = self._read(target, exchange, entity)
        limit = self.options.limit
        return found if limit is None else within_limit(found, self._tallies[target.site].followed, limit)

    def _count(self, target: Target, recorded: Recorded) -> None:
        if target.site in self._tallies and target.role != "robots":
            self._tallies[target.site].outcomes[recorded.outcome] += 1
        if self.progress is not None:
            self.progress()

    def _give_up(self, target: Target, problem: str) -> None:
        if target.role == "list":
            self._trouble(target, "list_failed", f"the list of {target.channel} could not be read: {problem}")
            return
        if target.role == "robots":
            return
        message = f"gave up on this {target.role}: {problem}"
        self.store.add_finding(self.run_id, Finding("warning", "fetch_failed", message, target.url))

    def _trouble(self, target: Target, code: str, message: str) -> None:
        self.store.add_finding(self.run_id, Finding("error", code, message, target.url or None))
        self._tallies[target.site].troubles.append(message)

    def site_of(self, host: str) -> str:
        """The name of a site that may fetch from the host, "" when none may."""
        return next((site.name for site in self.sites.values() if site.ports_of(host)), "")

    def stray(self, url: str, count: int) -> None:
        """Notes bytes behind the end of an answer that came too late to be recorded with it."""
        self._strays[url] += count

    # How it ends

    def break_off(self, error: Exception) -> None:
        """Nothing more is to be asked for: what comes could not be recorded."""
        self.broken = self.broken or error

    def end(self) -> None:
        """Judges every site, ends the run and seals its WARC file. A second call does nothing."""
        if self.status != "running":
            return
        if self.broken is None:
            self._say_strays()
        if not self.interrupted and self.broken is None:
            self._judge()
        self.status = self._verdict()
        stats: dict[str, object] = {
            "outcomes": {summary.site: summary.outcomes for summary in self.summaries()},
            "channels": [asdict(found) for found in self._channel_runs()],
        }
        if self.broken is not None:
            stats["broken"] = str(self.broken)
        try:
            self.recorder.close(self.status, stats_json=json.dumps(stats, ensure_ascii=False, sort_keys=True))
        except ArchiveError as error:
            self.break_off(error)
        if self.broken is not None:
            self.mark("failed")

    def _say_strays(self) -> None:
        for url, count in self._strays.items():
            (capture_id,) = self.store.connection.execute(
                "SELECT max(capture_id) FROM exchanges JOIN urls USING (url_id) WHERE url = ? AND run_id = ?",
                (url, self.run_id),
            ).fetchone()
            message = f"{count} bytes came after the end that the answer declares, too late to be kept"
            finding = Finding("warning", "bytes_after_end", message, url)
            self.store.add_finding(self.run_id, finding, capture_id=capture_id)

    def mark(self, status: RunStatus) -> None:
        """Says of a run how it ended where its end could not be written, or where its documents were not all read.

        On a full disk it stays without a word, and the next start calls it interrupted.
        """
        self.status = status
        try:
            self.store.mark_run(self.run_id, status)
        except sqlite3.Error as error:
            log.warning("%s cannot be marked as %s: %s", self.run_id, status, error)

    def _channel_runs(self) -> Iterator[ChannelRun]:
        """How whole each channel's list was read; what is not whole is a finding too."""
        if self.broken is not None:
            return
        urls = {(site.name, channel): url for site in self.sites.values() for channel, url in site.channels}
        cut_short = {name: self._cut_short(name) for name in self.sites}
        for found in channel_runs(self.store.connection, self.run_id, urls, cut_short=cut_short):
            finding = found.finding(urls[found.site, found.channel])
            if finding is not None:
                self.store.add_finding(self.run_id, finding)
            yield found

    def _cut_short(self, site: str) -> str:
        if self.interrupted:
            return "the run was interrupted"
        if site in self._skipped:
            return "outside its crawl window"
        limit = self.options.limit
        return f"limit of {limit} pages" if limit is not None and len(self._tallies[site].followed) >= limit else ""

    def close(self) -> None:
        """Ends the run if that is still to be done, and lets the database and the lock go."""
        with self._stack:
            self.end()

    def _verdict(self) -> RunStatus:
        if self.broken is not None:
            return "failed"
        if self.interrupted:
            return "interrupted"
        return "failed" if any(tally.troubles for tally in self._tallies.values()) else "finished"

    def _judge(self) -> None:
        """Zero is not success: a channel without listings, or with fewer than the site file expects, fails its site."""
        for site in (self.sites[name] for name in self._open):
            if not site.channels:
                message = site.disabled_because or "the site file names no channel"
                self._trouble(Target(url="", role="list", site=site.name, channel=""), "no_channels", message)
            expected = dict(site.expect)
            for channel, url in site.channels:
                found = self._listings(site.name, channel)
                target = Target(url=url, role="list", site=site.name, channel=channel)
                if found == 0:
                    message = f"expected listings in channel {channel}, found none"
                    self._trouble(target, "no_listings", message)
                elif found < expected.get(channel, 0):
                    message = f"expected at least {expected[channel]} listings in channel {channel}, found {found}"
                    self._trouble(target, "too_few_listings", message)

    def _listings(self, site: str, channel: str) -> int:
        row = self.store.connection.execute(
            "SELECT count(*) FROM listings WHERE site = ? AND channel = ? AND last_run_id = ?",
            (site, channel, self.run_id),
        ).fetchone()
        return int(row[0])

    def summaries(self) -> tuple[SiteSummary, ...]:
        """What the run found at each site so far."""
        return tuple(self._summary(site) for site in self.sites.values())

    def _summary(self, site: Site) -> SiteSummary:
        row: tuple[Any, ...] = self.store.connection.execute(
            """SELECT count(*), count(*) FILTER (WHERE first_run_id = ?) FROM listings
            WHERE site = ? AND last_run_id = ?""",
            (self.run_id, site.name, self.run_id),
        ).fetchone()
        tally = self._tallies[site.name]
        return SiteSummary(site.name, site.agency, row[0], row[1], dict(tally.outcomes), tuple(tally.troubles))


def _entity(response: bytes) -> bytes:
    try:
        return http1.entity(response)
    except http1.DecodingError as error:
        return error.partial


def new_run_id() -> str:
    """The instant, and what tells runs of the same second apart."""
    return f"{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def host_of(url: str) -> str:
    """Lower-case host name of an address that was accepted before."""
    return urlsplit(url).hostname or ""


def _by_name(sites: Iterable[Site]) -> dict[str, Site]:
    found: dict[str, Site] = {}
    for site in sites:
        if site.name in found and found[site.name] != site:
            raise SiteFileError(
                f"two different site files are called {site.name}; a run tells sites apart by their names"
            )
        found[site.name] = site
    return found


def _site_row(site: Site) -> SiteRow:
    return SiteRow(site.name, site.agency, site.division_code, site.platform, site.text)
