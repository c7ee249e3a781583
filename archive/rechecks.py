"""Which known addresses a night asks again: each at least once in so many days, and at once those in doubt.

Nothing is planned ahead: how long ago an address was asked for says what is due, so that missed nights are made up for.
What was published or changed lately is likelier to change again than what has lain quiet for years: it is asked again
once it has been left alone for a quarter of the time for which it has been quiet.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.times import instant, moment

# Within which every known page is asked again, unless a night or a site file says otherwise.
RECHECK_DAYS = 90
# What is quiet is asked after so large a share of the time for which it has been quiet, and never more than daily.
QUIET_SHARE = 0.25
LEAST_DAYS = 1.0
SLACK_DAYS = 0.5

# An address was asked again when any answer came, whatever it was. It has been quiet since the day that its list gives
# it, or the list of the page that links to it, or since it was found to say something else.
_CHECKED = """SELECT f.frontier_id, (
        SELECT e.captured_at FROM exchanges e WHERE e.url_id = f.url_id ORDER BY e.capture_id DESC LIMIT 1
    ) AS checked_at, max(ifnull(date(f.listed_date), ''), ifnull((
        SELECT date(p.listed_date) FROM urls v JOIN frontier p ON p.url_id = v.url_id AND p.role = 'page'
        WHERE v.url = f.via AND f.listed_date IS NULL AND p.listed_date IS NOT NULL LIMIT 1), ''), ifnull((
        SELECT max(e.captured_at) FROM urls u JOIN changes g ON g.url = u.url AND g.kind = 'content_changed'
        JOIN exchanges e ON e.capture_id = g.capture_id WHERE u.url_id = f.url_id), '')
    ) AS quiet_since
FROM frontier f WHERE f.site = ? AND f.role IN ('page', 'attachment') AND f.state = 'acknowledged'"""

# Gone for the first time: asked once more on another day before anything is concluded.
_GONE_ONCE = """
SELECT f.frontier_id FROM frontier f
JOIN exchanges e ON e.capture_id = (SELECT max(capture_id) FROM exchanges x WHERE x.url_id = f.url_id)
WHERE f.site = ?1 AND f.role IN ('page', 'attachment') AND f.state = 'acknowledged' AND e.outcome = 'http_error'
    AND e.http_status IN (404, 410, 550)
    AND substr(e.captured_at, 1, 10) < substr(?2, 1, 10)
    AND EXISTS (SELECT 1 FROM exchanges c WHERE c.url_id = f.url_id AND c.outcome IN ('ok', 'revisit'))
    AND NOT EXISTS (SELECT 1 FROM exchanges b WHERE b.url_id = f.url_id AND b.run_id <> e.run_id
        AND b.capture_id > (SELECT max(c.capture_id) FROM exchanges c
            WHERE c.url_id = f.url_id AND c.outcome IN ('ok', 'revisit', 'not_modified')))
"""

# Entries that left a list which was walked to its end, came back, or were renamed, and were not asked for since.
_IN_DOUBT = """
SELECT f.frontier_id FROM listings l JOIN urls u ON u.url = l.url
JOIN frontier f ON f.url_id = u.url_id AND f.role IN ('page', 'attachment') AND f.state = 'acknowledged'
JOIN runs seen ON seen.run_id = l.last_run_id
WHERE l.site = ?1 AND l.channel = ?2 AND f.run_id <> ?3
    AND CASE WHEN l.last_run_id = ?3
        THEN l.first_run_id <> ?3 AND ((SELECT v.kind FROM listing_events v WHERE v.site = l.site
                AND v.channel = l.channel AND v.url = l.url AND v.kind <> 'renamed'
                ORDER BY v.event_id DESC LIMIT 1) IS 'unlisted'
            OR EXISTS (SELECT 1 FROM listing_events v WHERE v.run_id = ?3 AND v.site = l.site
                AND v.channel = l.channel AND v.url = l.url AND v.kind = 'renamed'))
        ELSE ?4 AND NOT EXISTS (SELECT 1 FROM exchanges e JOIN runs r ON r.run_id = e.run_id
            WHERE e.url_id = f.url_id AND r.started_at > seen.started_at)
    END
"""


@dataclass(frozen=True, slots=True)
class _Known:
    """A known address: when it was last asked for, and since when nothing is known to have happened to it ("" when no
    day is known).
    """

    frontier_id: int
    checked_at: str
    quiet_since: str

    def urgency(self, at: datetime, days: int) -> float:
        """How long it has been left alone, in intervals of its own: due from 1 on."""
        if not self.quiet_since:
            return 0.0
        alone = _days_between(self.checked_at, at)
        interval = max(LEAST_DAYS, QUIET_SHARE * (_days_between(self.quiet_since, at)))
        return alone / min(interval, days)


def due(connection: sqlite3.Connection, site: str, *, days: int, at: datetime, is_adaptive: bool = True) -> list[int]:
    """Rows of the frontier to ask again in a run that starts at `at`, the most urgent first.

    A share for the time since the last night that counts on it, the longest not asked for first, and whatever else
    would be older than `days` before the next one. With `is_adaptive` up to as many again of those whose own interval
    has passed, so that no night asks for more than twice the share.
    """
    rows = connection.execute(_CHECKED, (site,))
    known = sorted((_Known(*row) for row in rows if row[1] is not None), key=lambda one: one.checked_at)
    share = int(-(-len(known) * min(_days_since_last_night(connection, site, at), days) // days))
    # Nights come a little earlier or later than a day apart.
    overdue = instant(at - timedelta(days=days - SLACK_DAYS))
    count = max(share, sum(one.checked_at <= overdue for one in known))
    chosen = [frontier_id for (frontier_id,) in connection.execute(_GONE_ONCE, (site, instant(at)))]
    chosen += [one.frontier_id for one in known[:count]]
    if is_adaptive:
        chosen += _restless(known[count:], at, days)[:share]
    return list(dict.fromkeys(chosen))


def _restless(known: Iterable[_Known], at: datetime, days: int) -> list[int]:
    """Those whose own interval has passed, or will have before the next night, the most urgent first."""
    urgent = [(one.urgency(at + timedelta(days=SLACK_DAYS), days), one.frontier_id) for one in known]
    return [frontier_id for urgency, frontier_id in sorted(urgent, reverse=True) if urgency >= 1]


def in_doubt(connection: sqlite3.Connection, run_id: str, channel: tuple[str, str], *, is_whole: bool) -> list[int]:
    """Rows to ask again because of what the channel's list says in this run; `is_whole` says that it was all read."""
    rows = connection.execute(_IN_DOUBT, (*channel, run_id, is_whole))
    return [frontier_id for (frontier_id,) in rows]


def make_due(connection: sqlite3.Connection, run_id: str, frontier_ids: Iterable[int]) -> None:
    """Makes acknowledged rows pending, in the caller's transaction."""
    connection.executemany(
        """UPDATE frontier SET state = 'pending', attempts = 0, not_before = NULL, run_id = ?
        WHERE frontier_id = ? AND state = 'acknowledged'""",
        [(run_id, frontier_id) for frontier_id in frontier_ids],
    )


def _days_since_last_night(connection: sqlite3.Connection, site: str, at: datetime) -> float:
    """Since the last night that the site took part in, else since it was first crawled; 0 when it never was."""
    row = connection.execute(
        """SELECT ifnull(max(r.started_at) FILTER (WHERE r.kind = 'nightly'), min(r.started_at))
        FROM runs r, json_each(r.settings_json, '$.sites') s WHERE s.value = ? AND r.status <> 'running'""",
        (site,),
    ).fetchone()
    return max(0.0, (at - moment(row[0])) / timedelta(days=1)) if row[0] else 0.0


def _days_between(earlier: str, at: datetime) -> float:
    return (at - moment(earlier if len(earlier) > len("2026-01-01") else f"{earlier}T00:00:00Z")) / timedelta(days=1)
