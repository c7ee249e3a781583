"""One night: lists, what they name anew, a share of what is known, then reading, judging and the morning's report.

A night that was interrupted goes on with the next one: what it had not asked for is still pending. A night that broke
off has its report all the same (crawler/broken_night.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.errors import LockedError
from archive.model import Finding
from archive.rechecks import RECHECK_DAYS
from archive.store import Store
from crawler import morning, settings
from crawler.breakdown import Course, breakdown
from crawler.broken_night import tell_broken
from crawler.crawl import CrawlSummary, crawl
from crawler.interrupts import asked_to_stop
from crawler.night import Night
from crawler.notify import notify_end, notify_start
from crawler.reserve import room_kept
from crawler.session import new_run_id
from crawler.site import Site


@dataclass(frozen=True, slots=True)
class NightSummary:
    """What a night did. `changes` counts by kind what it noticed; `reports` are the files that tell of it."""

    crawl: CrawlSummary
    changes: dict[str, int]
    reports: tuple[str, ...]
    is_interrupted: bool

    @property
    def ok(self) -> bool:
        """False when a site failed or the night was interrupted, be it while its report was written."""
        return self.crawl.ok and not self.is_interrupted


def nightly(
    data_dir: Path,
    sites: Sequence[Site],
    *,
    recheck_days: int = RECHECK_DAYS,
    contact: str = settings.GONGKAI_CONTACT_URL,
    workers: int = 1,
) -> NightSummary:
    """Runs the night; raises as `crawl` does, once that has been reported. Every known page is asked again at least
    once in `recheck_days`.

    Whoever is set to be told hears when it begins and how it ended (crawler/notify.py).
    """
    course = Course(new_run_id())
    unsaid = notify_start(course.run_id)
    with room_kept(data_dir) as give_room:
        try:
            summary = crawl(
                data_dir,
                sites,
                contact=contact,
                workers=workers,
                kind="nightly",
                recheck_days=recheck_days,
                course=course,
            )
            course.phase = "report"
            return _told(data_dir, summary, unsaid)
        except LockedError:
            # The run that holds the lock speaks for itself.
            raise
        except Exception as error:
            give_room()
            tell_broken(data_dir, course.run_id, breakdown(error, course.phase), unsaid)
            raise


def _told(data_dir: Path, summary: CrawlSummary, unsaid: Sequence[Finding]) -> NightSummary:
    """Writes and sends the report. Ctrl-C meanwhile finishes it and makes it the report of an interrupted run."""
    run_id = summary.run_id
    is_interrupted = summary.status == "interrupted"
    with Store.open(data_dir) as store, asked_to_stop(already=is_interrupted) as stopped:
        _note(store, run_id, unsaid)
        night, reports = _reported(data_dir, store, run_id)
        if stopped() and not is_interrupted:
            is_interrupted = True
            store.mark_run(run_id, "interrupted")
            night, reports = _reported(data_dir, store, run_id)
        unsent = notify_end(night, 0 if summary.ok and not stopped() else 1)
        if stopped() and not is_interrupted:
            store.mark_run(run_id, "interrupted")
        if unsent or stopped():
            _note(store, run_id, unsent)
            _, reports = _reported(data_dir, store, run_id)
        changes = store.connection.execute(
            "SELECT kind, count(*) FROM changes WHERE run_id = ? GROUP BY kind ORDER BY kind", (run_id,)
        ).fetchall()
        return NightSummary(summary, dict(changes), tuple(map(str, reports)), stopped())


def _note(store: Store, run_id: str, findings: Sequence[Finding]) -> None:
    for finding in findings:
        store.add_finding(run_id, finding)


def _reported(data_dir: Path, store: Store, run_id: str) -> tuple[Night, list[Path]]:
    night = morning.gather(data_dir, store.connection, run_id)
    return night, morning.write(data_dir, night)
