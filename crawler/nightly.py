"""One night: lists, what they name anew, a share of what is known, then reading, judging and the morning's report.

A night that was interrupted goes on with the next one: what it had not asked for is still pending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.errors import ArchiveError, LockedError
from archive.store import Store
from crawler import morning, settings
from crawler.crawl import CrawlSummary, crawl
from crawler.exceptions import CrawlerError
from crawler.notify import notify_end, notify_start
from crawler.site import Site

RECHECK_DAYS = 90


@dataclass(frozen=True, slots=True)
class NightSummary:
    """What a night did. `changes` counts by kind what it noticed; `reports` are the files that tell of it."""

    crawl: CrawlSummary
    changes: dict[str, int]
    reports: tuple[str, ...]


def nightly(
    data_dir: Path,
    sites: Sequence[Site],
    *,
    recheck_days: int = RECHECK_DAYS,
    contact: str = settings.GONGKAI_CONTACT_URL,
    workers: int = 1,
) -> NightSummary:
    """Runs the night; raises as `crawl` does. Every known page is asked again at least once in `recheck_days`.

    Whoever is set to be told hears when it begins and how it ended (crawler/notify.py).
    """
    unsaid = notify_start()
    try:
        summary = crawl(data_dir, sites, contact=contact, workers=workers, kind="nightly", recheck_days=recheck_days)
    except LockedError:
        # The run that holds the lock speaks for itself.
        raise
    except (CrawlerError, ArchiveError, OSError):
        notify_end(None, 1)
        raise
    with Store.open(data_dir) as store:
        for finding in unsaid:
            store.add_finding(summary.run_id, finding)
        night = morning.gather(data_dir, store.connection, summary.run_id)
        reports = morning.write(data_dir, night)
        for finding in notify_end(night, 0 if summary.ok else 1):
            store.add_finding(summary.run_id, finding)
        changes = store.connection.execute(
            "SELECT kind, count(*) FROM changes WHERE run_id = ? GROUP BY kind ORDER BY kind", (summary.run_id,)
        ).fetchall()
    return NightSummary(summary, dict(changes), tuple(str(path) for path in reports))
