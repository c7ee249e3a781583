"""One night: lists, what they name anew, a share of what is known, then reading, judging and the morning's report.

A night that was interrupted goes on with the next one: what it had not asked for is still pending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.store import Store
from crawler import morning, settings
from crawler.crawl import CrawlSummary, crawl
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
    """Runs the night; raises as `crawl` does. Every known page is asked again at least once in `recheck_days`."""
    summary = crawl(data_dir, sites, contact=contact, workers=workers, kind="nightly", recheck_days=recheck_days)
    with Store.open(data_dir) as store:
        reports = morning.write_report(data_dir, store, summary.run_id)
        changes = store.connection.execute(
            "SELECT kind, count(*) FROM changes WHERE run_id = ? GROUP BY kind ORDER BY kind", (summary.run_id,)
        ).fetchall()
    return NightSummary(summary, dict(changes), tuple(str(path) for path in reports))
