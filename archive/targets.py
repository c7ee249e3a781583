"""Targets as rows of `frontier`: their key, their columns, how one is added without doubling it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from archive.model import IMPORT_SITE, Target
from archive.rows import CaptureRow

TARGET_COLUMNS = (
    "u.url, f.role, f.site, f.channel, f.method, f.body, f.headers, f.via, f.anchor, "
    "f.listed_date, f.depth, f.parameters"
)

ADD_URL = "INSERT INTO urls(url) VALUES (?) ON CONFLICT DO NOTHING"

_COLUMNS = """key, url_id, role, site, channel, method, body, headers, via, anchor, listed_date, depth, parameters,
    host, priority"""
_VALUES = """:key, (SELECT url_id FROM urls WHERE url = :url), :role, :site, :channel, :method, :body, :headers, :via,
    :anchor, :listed_date, :depth, :parameters, :host, :priority"""

# Lists are asked again by every run, failed requests whenever a later run meets them, the rest only on demand.
_ADD = f"""
INSERT INTO frontier({_COLUMNS}, state, run_id) VALUES ({_VALUES}, 'pending', :run_id)
ON CONFLICT(key) DO UPDATE SET
    state = 'pending', attempts = 0, not_before = NULL, run_id = excluded.run_id, headers = excluded.headers,
    parameters = excluded.parameters
WHERE frontier.run_id <> excluded.run_id
    AND (frontier.state = 'failed' OR (frontier.state = 'acknowledged' AND (excluded.role = 'list' OR :recheck)))
"""  # noqa: S608

# What a capture's own note says of the way to it stands over what a list said that was read again before it.
_FINISH = f"""
INSERT INTO frontier({_COLUMNS}, state, attempts, not_before, run_id)
VALUES ({_VALUES}, :state, :state <> 'acknowledged', :not_before, :run_id)
ON CONFLICT(key) DO UPDATE SET
    channel = excluded.channel, via = excluded.via, anchor = excluded.anchor, listed_date = excluded.listed_date,
    depth = excluded.depth,
    state = excluded.state, attempts = iif(excluded.state = 'acknowledged', 0, attempts + 1),
    not_before = excluded.not_before, run_id = excluded.run_id
"""  # noqa: S608


def target_key(target: Target) -> bytes:
    """16 bytes that are the same for requests that need to be made only once.

    Lists belong to their site and channel: two channels may share a list page and both want its entries. What other
    tools captured, or a browser asked for to draw a list, says nothing of what is still to be fetched.
    """
    parts = [target.method.upper(), target.url.partition("#")[0]]
    if target.role == "list" or target.site == IMPORT_SITE:
        parts += [target.site, target.channel]
    elif target.role == "robots" and target.channel:
        parts += [target.site, target.channel, target.role]
    digest = blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=16)
    if target.body:
        digest.update(b"\n" + target.body)
    return digest.digest()


def host_of(url: str) -> str:
    """Lower-case host name, "" where the URL has none or cannot be taken apart."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def target_parameters(target: Target, key: bytes, run_id: str) -> dict[str, Any]:
    """Named parameters of the statements here, without `state`, `not_before` and `recheck`."""
    return {
        "key": key,
        "url": target.url,
        "role": target.role,
        "site": target.site,
        "channel": target.channel,
        "method": target.method.upper(),
        "body": target.body,
        "headers": json.dumps(target.headers, ensure_ascii=False) if target.headers else "[]",
        "via": target.via,
        "anchor": target.anchor,
        "listed_date": target.listed_date,
        "depth": target.depth,
        "parameters": target.parameters,
        "host": host_of(target.url),
        "priority": 1 if target.role in ("page", "attachment") else 0,
        "run_id": run_id,
    }


def add_targets(
    connection: sqlite3.Connection, run_id: str, targets: Iterable[tuple[bytes, Target]], *, recheck: bool = False
) -> int:
    """Adds `targets` with their keys as pending; those known stay as they are unless they are due again.

    Returns how many became pending.
    """
    rows = [{**target_parameters(target, key, run_id), "recheck": recheck} for key, target in targets]
    connection.executemany(ADD_URL, [(row["url"],) for row in rows])
    return connection.executemany(_ADD, rows).rowcount if rows else 0


def finish_targets(connection: sqlite3.Connection, run_id: str, rows: Sequence[tuple[bytes, CaptureRow]]) -> None:
    """Gives the targets of captures, each with its key, the state that the capture leaves them in."""
    connection.executemany(
        """UPDATE frontier SET state = ?1, attempts = iif(?1 = 'acknowledged', 0, attempts + 1), not_before = ?2,
            run_id = ?3 WHERE frontier_id = ?4""",
        [(row.finished, row.not_before, run_id, row.frontier_id) for _, row in rows if row.frontier_id is not None],
    )
    connection.executemany(
        _FINISH,
        [
            {**target_parameters(row.target, key, run_id), "state": row.finished, "not_before": row.not_before}
            for key, row in rows
            if row.frontier_id is None
        ],
    )


def target_from_row(row: tuple[Any, ...]) -> Target:
    """The target in a row of TARGET_COLUMNS."""
    url, role, site, channel, method, body, headers, via, anchor, listed_date, depth, parameters = row
    return Target(
        url=url,
        role=role,
        site=site,
        channel=channel,
        method=method,
        body=bytes(body),
        headers=tuple((name, value) for name, value in json.loads(headers)),
        via=via,
        anchor=anchor,
        listed_date=listed_date,
        depth=depth,
        parameters=parameters,
    )
