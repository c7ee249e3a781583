"""Runs a crawl in this process: session → Scrapy → extraction of what is new.

Twisted's reactor runs once per process, and so does `crawl`.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.crawler import CrawlerProcess
from scrapy.settings import Settings

from archive.model import Finding, RunStatus
from crawler import settings
from crawler.breakdown import Course
from crawler.exceptions import CrawlFailedError
from crawler.interrupts import asked_to_stop, handlers_kept
from crawler.progress import progress
from crawler.session import Options, Session, SiteSummary, new_run_id
from crawler.site import Site
from crawler.spiders.column import ColumnSpider

if TYPE_CHECKING:
    from crawler.extract import ExtractSummary

# New containers until the next look for garbage; Python's own is 700.
GARBAGE_THRESHOLD = 10_000


@dataclass(frozen=True, slots=True)
class CrawlSummary:
    """What a run did. `findings` counts its findings by level, those of extraction included; times in seconds."""

    run_id: str
    status: RunStatus
    requests: int
    new_captures: int
    sites: tuple[SiteSummary, ...]
    findings: dict[str, int]
    extracted: ExtractSummary
    crawl_seconds: float
    seconds: float

    @property
    def ok(self) -> bool:
        """False when a site failed or the run was interrupted. A document that cannot be read is a finding only."""
        return self.status == "finished"


def crawl(
    data_dir: Path,
    sites: Sequence[Site],
    *,
    full: bool = False,
    limit: int | None = None,
    contact: str = settings.GONGKAI_CONTACT_URL,
    workers: int = 1,
    kind: str = "crawl",
    recheck_days: int | None = None,
    course: Course | None = None,
) -> CrawlSummary:
    """Crawls the sites and extracts what is new, with so many processes. `kind` is what the run's row calls it.
    With `recheck_days` known pages are asked again too, each at least once in so many days. `course` names the run and
    is told how far it has come.

    Ctrl-C finishes what is in flight, leaves the rest to later runs and marks the run as interrupted.

    Raises LockedError when another run has the directory, and CrawlFailedError when nothing more could be recorded or
    the wire's self-test failed: what was recorded until then is kept.
    """
    started = time.monotonic()
    options = Options(full, limit, contact, probe=True, recheck_days=recheck_days)
    course = course or Course(new_run_id())
    with asked_to_stop() as stopped, Session(data_dir, sites, options, kind=kind, run_id=course.run_id) as session:
        course.phase = "crawl"
        if not contact:
            message = "the user agent names nobody whom a site's operator could ask: give --contact"
            session.find(Finding("info", "no_contact", message))
        # Nobody watches a night: its log is told now and then how far it has come.
        lines = kind == "nightly"
        with progress("crawl", "captures", lines=lines) as advance:
            session.progress = advance
            if not stopped():
                fetch(session)
        session.interrupted = session.interrupted or stopped()
        session.end()
        if session.broken is not None:
            raise CrawlFailedError(str(session.broken)) from session.broken
        crawl_seconds = time.monotonic() - started
        course.phase = "extract"
        from crawler.extract import extract_new  # not before: fetching needs no readers

        extracted = extract_new(
            data_dir,
            session.store,
            workers=workers,
            lines=lines,
            stopped=lambda: session.interrupted or stopped(),
        )
        if stopped():
            session.mark("interrupted")
        return _summary(session, extracted, crawl_seconds, time.monotonic() - started)


def fetch(session: Session) -> None:
    """Runs Scrapy until the frontier holds nothing more for this run, or until it is told to stop."""
    process = CrawlerProcess(Settings(settings.as_dict()))
    # Scrapy filters by level only when a line has been made, which it does several times a request.
    logging.getLogger("scrapy").setLevel(settings.LOG_LEVEL)
    # What the imports left behind is not walked through again and again to find garbage in it; what a crawl leaves
    # behind frees itself nearly always.
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    process.crawl(ColumnSpider, session=session)
    # Scrapy leaves its own handlers behind, which no longer do anything.
    with handlers_kept():
        process.start()
    if process.bootstrap_failed and session.broken is None:
        session.break_off(CrawlFailedError("Scrapy could not start; the log says why"))


def _summary(session: Session, extracted: ExtractSummary, crawl_seconds: float, seconds: float) -> CrawlSummary:
    connection = session.store.connection
    requests, new_captures = connection.execute(
        "SELECT requests, new_captures FROM runs WHERE run_id = ?", (session.run_id,)
    ).fetchone()
    findings = connection.execute(
        "SELECT level, count(*) FROM findings WHERE run_id = ? GROUP BY level", (session.run_id,)
    ).fetchall()
    return CrawlSummary(
        run_id=session.run_id,
        status=session.status,
        requests=requests,
        new_captures=new_captures,
        sites=session.summaries(),
        findings={"error": 0, "warning": 0, "info": 0, **dict(findings)},
        extracted=extracted,
        crawl_seconds=crawl_seconds,
        seconds=seconds,
    )
