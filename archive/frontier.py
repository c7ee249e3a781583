"""What is still to be fetched, in the same database as what was: pending → leased → acknowledged | failed.

A row leaves `leased` only in the transaction that holds its capture (archive/captures.py), so a killed run finds its
unfinished work again: `reset_leases` at the start. Lists come first, then first in, first out, host by host.
Pages once acknowledged stay so; lists are asked again by every run, failed rows when a later run meets them again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.model import Target
from archive.store import Store
from archive.targets import TARGET_COLUMNS, add_targets, target_from_row, target_key
from archive.times import Clock, instant, moment, now

__all__ = ["Frontier", "Leased", "target_key"]

# Nobody is made to wait so long: an instant further ahead was noted before the clock was set back.
LONGEST_WAIT = timedelta(hours=1)

# Walks from one host to the next in the index instead of over every pending row.
_HOSTS = """
WITH RECURSIVE hosts(host) AS (
    SELECT min(host) FROM frontier WHERE state = 'pending'
    UNION ALL
    SELECT (SELECT min(host) FROM frontier WHERE state = 'pending' AND host > hosts.host) FROM hosts
    WHERE hosts.host IS NOT NULL)
SELECT host FROM hosts WHERE host IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Leased:
    """A row handed out. `attempts` counts the exchanges already recorded for it since it became pending."""

    frontier_id: int
    target: Target
    host: str
    attempts: int


class Frontier:
    """The frontier as one run sees it. One writer per data directory is assumed (archive/lock.py)."""

    def __init__(self, store: Store, run_id: str, *, clock: Clock = now) -> None:
        self._store = store
        self._connection = store.connection
        self._run_id = run_id
        self._clock = clock
        self._known = self._keys_that_stay()

    def is_known(self, target: Target) -> bool:
        """Adding `target` would change nothing. A set lookup: cheap enough to ask for every link of a page."""
        return target_key(target) in self._known

    def unknown(self, targets: Iterable[Target]) -> list[tuple[bytes, Target]]:
        """Those of `targets` that are not known, each once, with their keys."""
        fresh: dict[bytes, Target] = {}
        for target in targets:
            key = target_key(target)
            if key not in self._known:
                fresh.setdefault(key, target)
        return list(fresh.items())

    def remember(self, keys: Iterable[bytes]) -> None:
        """Marks keys as known once the transaction that added them is committed."""
        self._known.update(keys)

    def add(self, targets: Iterable[Target], *, recheck: bool = False) -> int:
        """Adds what is not known; with `recheck` also makes acknowledged rows of earlier runs pending. Returns how many
        changed.
        """
        fresh = [(target_key(target), target) for target in targets] if recheck else self.unknown(targets)
        with self._store.transaction():
            added = add_targets(self._connection, self._run_id, fresh, recheck=recheck)
        self.remember(key for key, _ in fresh)
        return added

    def recheck(self, sites: Collection[str] | None = None) -> int:
        """Makes every known page and attachment of `sites` (None: all) pending again; returns how many."""
        condition, values = _site_condition(sites)
        with self._store.transaction():
            cursor = self._connection.execute(
                f"""UPDATE frontier SET state = 'pending', attempts = 0, not_before = NULL, run_id = ?
                WHERE state IN ('acknowledged', 'failed') AND role IN ('page', 'attachment') AND run_id <> ?
                {condition}""",  # noqa: S608
                (self._run_id, self._run_id, *values),
            )
        self._known = self._keys_that_stay()
        return cursor.rowcount

    def retry_failed(self, sites: Collection[str] | None = None) -> int:
        """Gives the failed rows of earlier runs another chance; returns how many."""
        condition, values = _site_condition(sites)
        with self._store.transaction():
            cursor = self._connection.execute(
                f"""UPDATE frontier SET state = 'pending', attempts = 0, not_before = NULL, run_id = ?
                WHERE state = 'failed' AND run_id <> ? {condition}""",  # noqa: S608
                (self._run_id, self._run_id, *values),
            )
        return cursor.rowcount

    def reset_leases(self) -> int:
        """Makes what dead runs had taken pending again; returns how many rows."""
        with self._store.transaction():
            return self._connection.execute("UPDATE frontier SET state = 'pending' WHERE state = 'leased'").rowcount

    def lease(
        self, limit: int, *, sites: Collection[str] | None = None, busy_hosts: Collection[str] = ()
    ) -> list[Leased]:
        """Takes up to `limit` due rows, spread over the hosts that are not busy, in each host's order."""
        hosts = [host for (host,) in self._connection.execute(_HOSTS) if host not in busy_hosts]
        if not hosts or limit < 1:
            return []
        share = -(-limit // len(hosts))
        condition, values = _site_condition(sites, "f.")
        now_is = self._clock()
        due, beyond = instant(now_is), instant(now_is + LONGEST_WAIT)
        taken: list[Leased] = []
        with self._store.transaction():
            for host in hosts:
                rows = self._connection.execute(
                    f"""SELECT f.frontier_id, f.attempts, {TARGET_COLUMNS}
                    FROM frontier f JOIN urls u ON u.url_id = f.url_id
                    WHERE f.state = 'pending' AND f.host = ?
                        AND (f.not_before IS NULL OR f.not_before <= ? OR f.not_before > ?) {condition}
                    ORDER BY f.priority, f.frontier_id LIMIT ?""",  # noqa: S608
                    (host, due, beyond, *values, min(share, limit - len(taken))),
                ).fetchall()
                taken.extend(Leased(row[0], target_from_row(row[2:]), host, row[1]) for row in rows)
                if len(taken) >= limit:
                    break
            self._set_state("leased", [leased.frontier_id for leased in taken])
        return taken

    def release(self, frontier_ids: Iterable[int]) -> None:
        """Gives leased rows back untouched (a clean stop)."""
        with self._store.transaction():
            self._set_state("pending", frontier_ids)

    def fail(self, frontier_ids: Iterable[int]) -> None:
        """Gives rows up for this run without a capture."""
        with self._store.transaction():
            self._set_state("failed", frontier_ids)

    def retry(self, frontier_id: int, *, not_before: datetime) -> None:
        """Makes a row pending again, not before the instant given, and counts the attempt."""
        with self._store.transaction():
            self._connection.execute(
                "UPDATE frontier SET state = 'pending', attempts = attempts + 1, not_before = ? WHERE frontier_id = ?",
                (instant(not_before), frontier_id),
            )

    def next_due(self, sites: Collection[str] | None = None, *, except_hosts: Collection[str] = ()) -> datetime | None:
        """When the first pending row may be fetched: a past instant when one may be now, None when none is pending."""
        condition, values = _site_condition(sites)
        if except_hosts:
            condition += f" AND host NOT IN ({', '.join('?' * len(except_hosts))})"
            values += tuple(except_hosts)
        row = self._connection.execute(
            f"""SELECT count(*), min(ifnull(not_before, '0001-01-01T00:00:00.000000Z'))
            FROM frontier WHERE state = 'pending' {condition}""",  # noqa: S608
            values,
        ).fetchone()
        return moment(row[1]) if row[0] else None

    def counts(self, sites: Collection[str] | None = None) -> dict[str, int]:
        """Rows by state; every state is there."""
        condition, values = _site_condition(sites)
        rows = self._connection.execute(
            f"SELECT state, count(*) FROM frontier WHERE 1 {condition} GROUP BY state",  # noqa: S608
            values,
        )
        return {"pending": 0, "leased": 0, "acknowledged": 0, "failed": 0, **dict(rows)}

    def _set_state(self, state: str, frontier_ids: Iterable[int]) -> None:
        self._connection.executemany(
            "UPDATE frontier SET state = ? WHERE frontier_id = ?",
            [(state, frontier_id) for frontier_id in frontier_ids],
        )

    def _keys_that_stay(self) -> set[bytes]:
        rows = self._connection.execute(
            "SELECT key FROM frontier WHERE run_id = ? OR (role <> 'list' AND state <> 'failed')", (self._run_id,)
        )
        return {key for (key,) in rows}


def _site_condition(sites: Collection[str] | None, prefix: str = "") -> tuple[str, tuple[str, ...]]:
    if sites is None:
        return "", ()
    names = tuple(sites)
    return f"AND {prefix}site IN ({', '.join('?' * len(names))})", names
