"""Whether a channel's list was read whole in a run: what the site declares, held against what was stored.

It is about the list. Whether every page that it names could be fetched is said by their captures.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from archive.model import Finding

Status = Literal["complete", "incomplete", "unknown"]

# Findings about a list page after which entries may be missing.
GAPS = frozenset(
    {
        "list_empty",
        "list_incomplete",
        "list_short",
        "list_repeated",
        "list_shifted",
        "list_endless",
        "list_entry_unreadable",
        "platform_unknown",
        "truncated",
        "bytes_after_end",
        "discovery_failed",
        "browser_missing",
        "browser_failed",
        "render_cut_short",
    }
)
UNCOUNTED = "list_uncounted"
_ANSWERED = frozenset({"ok", "revisit", "not_modified", "redirect"})

# What the last try of every list request came to; a request that was not tried has no outcome. A redirect that leads to
# no list page of its own (to the first one, in a circle, to a foreign host) brings no entries.
_REQUESTS = """
WITH last AS (SELECT frontier_id, max(capture_id) AS capture_id FROM exchanges WHERE run_id = ?1 GROUP BY frontier_id)
SELECT f.site, f.channel, f.state, e.outcome,
    (SELECT group_concat(DISTINCT code) FROM findings WHERE findings.capture_id = e.capture_id),
    e.outcome = 'redirect' AND NOT EXISTS (SELECT 1 FROM frontier g WHERE g.role = 'list' AND g.run_id = ?1
        AND g.site = f.site AND g.channel = f.channel AND g.frontier_id <> f.frontier_id
        AND g.via = (SELECT url FROM urls WHERE urls.url_id = f.url_id))
FROM frontier f LEFT JOIN last USING (frontier_id) LEFT JOIN exchanges e ON e.capture_id = last.capture_id
WHERE f.role = 'list' AND (f.run_id = ?1 OR e.capture_id IS NOT NULL)
"""
_DECLARED = "SELECT site, channel, declared_total FROM declared_totals WHERE run_id = ?"
# Entries that the channel's last whole reading, or a later one, still had and this run's has not. Those that it had not
# either are missing for the second time.
_MISSED_ONCE = """
WITH before AS (SELECT max(r.rowid) AS place FROM channel_runs c JOIN runs r ON r.run_id = c.run_id
    WHERE c.site = ?1 AND c.channel = ?2 AND c.run_id <> ?3 AND c.status <> 'incomplete')
SELECT EXISTS (SELECT 1 FROM listings l JOIN runs seen ON seen.run_id = l.last_run_id
    WHERE l.site = ?1 AND l.channel = ?2 AND l.last_run_id <> ?3
        AND seen.rowid >= ifnull((SELECT place FROM before), 0))
"""
_STORED = "SELECT site, channel, count(*) FROM listings WHERE last_run_id = ? GROUP BY site, channel"


@dataclass(frozen=True, slots=True)
class ChannelRun:
    """One channel in one run. `declared` is None where the site names no number; `because` says what is amiss."""

    site: str
    channel: str
    declared: int | None
    stored: int
    status: Status
    because: str = ""

    def finding(self, url: str) -> Finding | None:
        """What the run says of a channel that was not read whole; None when nothing is known to be missing."""
        if self.status != "incomplete":
            return None
        declared = "" if self.declared is None else f" of {self.declared} declared"
        message = f"channel {self.channel} was not read whole: {self.stored}{declared} listed ({self.because})"
        return Finding("warning", "channel_incomplete", message, url)


@dataclass(slots=True)
class _Walked:
    """What a run's requests for one channel's list came to."""

    codes: set[str] = field(default_factory=set)
    outcomes: set[str] = field(default_factory=set)
    is_whole: bool = True
    is_led_astray: bool = False


def channel_runs(
    connection: sqlite3.Connection, run_id: str, channels: Iterable[tuple[str, str]], *, cut_short: Mapping[str, str]
) -> Iterator[ChannelRun]:
    """Judges channels, given as site and channel, from what the run stored.

    `cut_short` says by site why the run itself left something out, where it did.
    """
    declared = _numbers(connection, _DECLARED, run_id)
    stored = _numbers(connection, _STORED, run_id)
    walked = _walked(connection, run_id)
    for key in channels:
        found = _judged(key, declared.get(key), stored.get(key, 0), walked.get(key), cut_short.get(key[0], ""))
        is_counted = found.declared is not None
        yield found if is_counted or found.status != "complete" else _doubted(connection, run_id, found)


def _doubted(connection: sqlite3.Connection, run_id: str, found: ChannelRun) -> ChannelRun:
    """A list that declares pages and no number of entries: an entry that moves up a page while it is read, because one
    before it is taken off, is on no page that is read. What two readings in a row have not got is off the list.
    """
    if not connection.execute(_MISSED_ONCE, (found.site, found.channel, run_id)).fetchone()[0]:
        return found
    because = "entries are missing for the first time, and the list declares no number; the next reading tells"
    return replace(found, status="unknown", because=because)


def _judged(
    key: tuple[str, str], declared: int | None, stored: int, walked: _Walked | None, cut_short: str
) -> ChannelRun:
    codes = walked.codes if walked else set()
    reasons = sorted(code for code in codes if code in GAPS or code.startswith("content_"))
    reasons += sorted(walked.outcomes - _ANSWERED) if walked else []
    if walked is None or not walked.is_whole:
        reasons.append("not every page of the list was asked for")
    if walked is not None and walked.is_led_astray:
        reasons.append("a redirect led to no further page of the list")
    if declared is not None and stored < declared:
        reasons.append("fewer than declared")
    elif stored == 0 and declared != 0:
        reasons.append("no entries")
    if cut_short:
        reasons.append(cut_short)
    status: Status = "incomplete" if reasons else "unknown" if UNCOUNTED in codes else "complete"
    return ChannelRun(*key, declared, stored, status, ", ".join(reasons))


def _walked(connection: sqlite3.Connection, run_id: str) -> dict[tuple[str, str], _Walked]:
    found: dict[tuple[str, str], _Walked] = defaultdict(_Walked)
    for site, channel, state, outcome, codes, leads_nowhere in connection.execute(_REQUESTS, (run_id,)):
        walked = found[site, channel]
        walked.codes.update((codes or "").split(","))
        walked.outcomes.update((outcome,) if outcome else ())
        walked.is_led_astray |= bool(leads_nowhere)
        walked.is_whole &= state == "acknowledged" and outcome is not None
    return dict(found)


def _numbers(connection: sqlite3.Connection, query: str, run_id: str) -> dict[tuple[str, str], int]:
    return {(site, channel): int(number) for site, channel, number in connection.execute(query, (run_id,))}
