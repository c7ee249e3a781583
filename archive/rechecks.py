"""Which known addresses a night asks again: each at least once in so many days, and at once those in doubt.

Nothing is planned ahead: how long ago an address was asked for says what is due, so that missed nights are made up for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta

from archive.times import instant, moment

# An address was asked again when any answer came, whatever it was.
_CHECKED = """SELECT f.frontier_id, (
        SELECT e.captured_at FROM exchanges e WHERE e.url_id = f.url_id ORDER BY e.capture_id DESC LIMIT 1
    ) AS checked_at
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


def due(connection: sqlite3.Connection, site: str, *, days: int, at: datetime) -> list[int]:
    """Rows of the frontier to ask again in a run that starts at `at`, the longest not asked for first.

    A share for the time since the last night that counts on it, and whatever else would be older than `days` before
    the next one.
    """
    rows = connection.execute(_CHECKED, (site,)).fetchall()
    ages = sorted((checked_at, frontier_id) for frontier_id, checked_at in rows if checked_at is not None)
    share = -(-len(ages) * min(_days_since_last_night(connection, site, at), days) // days)
    # Nights come a little earlier or later than a day apart.
    overdue = instant(at - timedelta(days=days - 0.5))
    count = max(int(share), sum(checked_at <= overdue for checked_at, _ in ages))
    once_gone = [frontier_id for (frontier_id,) in connection.execute(_GONE_ONCE, (site, instant(at)))]
    return list(dict.fromkeys([*once_gone, *(frontier_id for _, frontier_id in ages[:count])]))


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
