"""What became of each address, as rows: the evidence that `changes` is judged from and the judgements themselves.

Captures and listing events are evidence and stay. Rows of the kinds in JUDGED are conclusions: they are worked out
again from the evidence whenever an address has new evidence, and come out the same.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from archive.model import IMPORT_SITE

JUDGED = ("disappeared", "reappeared", "moved")
Judged = Literal["disappeared", "reappeared", "moved"]
# What an answer says of the address: its content, that it is gone, that it is elsewhere; everything else says nothing.
Answer = Literal["content", "gone", "redirect"]

# What a finding `soft_404` says where the answer is the host's for addresses that cannot exist. Its homepage in place
# of one page may be what a burst of requests brought on, and says nothing.
MISSING_CAME = "the host's answer to addresses that cannot exist came instead of the page"

_ANSWER = f"""CASE WHEN e.outcome IN ('ok', 'revisit', 'not_modified') THEN 'content'
    WHEN e.outcome IN ('redirect', 'http_error') AND EXISTS (
        SELECT 1 FROM findings n WHERE n.capture_id = e.capture_id AND (
            n.code = 'redirect_to_home' OR (n.code = 'soft_404' AND n.message = '{MISSING_CAME.replace("'", "''")}')))
        THEN 'gone'
    WHEN e.outcome = 'redirect' THEN 'redirect'
    WHEN e.outcome = 'http_error' AND e.http_status IN (404, 410, 550) THEN 'gone' END"""  # noqa: S608  our own text


# What findings call an answer by which an address is gone. That it still is so is no news; the row stays as evidence.
GONE_CODES = frozenset({"http_error", "redirect_to_home", "soft_404"})
_STILL_GONE = f"""
UPDATE findings SET level = 'info' WHERE capture_id = ?1 AND level = 'warning'
    AND code IN (SELECT value FROM json_each(?2))
    AND EXISTS (SELECT 1 FROM exchanges e WHERE e.capture_id = ?1 AND ({_ANSWER}) = 'gone')
    AND (SELECT {_ANSWER} AS answer FROM exchanges e
        WHERE e.url_id = (SELECT url_id FROM exchanges WHERE capture_id = ?1) AND e.capture_id < ?1
            AND answer IS NOT NULL
        ORDER BY e.capture_id DESC LIMIT 1) = 'gone'
"""  # noqa: S608  our own text


@dataclass(frozen=True, slots=True)
class Answered:
    """One capture of an address that says something of it."""

    run_id: str
    capture_id: int
    captured_at: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class ListingEvent:
    """An entry left its list, which was read whole, or came back."""

    run_id: str
    place: tuple[str, str]
    is_listed: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """A conclusion about an address in a run. For `moved`, `capture_id` is the capture at the new address."""

    run_id: str
    kind: Judged
    capture_id: int | None
    previous_capture_id: int | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A capture whose payload differs from the one before at its address: content or layout."""

    capture_id: int
    previous_capture_id: int


# What documents say


def candidate(connection: sqlite3.Connection, capture_id: int) -> Candidate | None:
    """The capture as a change of content or layout; None when nothing came before it."""
    row = connection.execute(
        """SELECT capture_id, previous_capture_id FROM changes
        WHERE capture_id = ? AND kind IN ('content_changed', 'layout_changed') AND previous_capture_id IS NOT NULL""",
        (capture_id,),
    ).fetchone()
    return Candidate(*row) if row else None


def content_digest(connection: sqlite3.Connection, capture_id: int, parser_version: str) -> str | None:
    """The digest of what a capture says; a file that was read elsewhere says the same here."""
    row = connection.execute(
        """SELECT d.digest FROM exchanges e JOIN frontier f ON f.frontier_id = e.frontier_id
        JOIN exchanges o ON o.payload_id = e.payload_id AND (o.capture_id = e.capture_id OR f.role = 'attachment')
        JOIN content_digests d ON d.capture_id = o.capture_id AND d.parser_version = ?2
        WHERE e.capture_id = ?1 ORDER BY o.capture_id <> e.capture_id LIMIT 1""",
        (capture_id, parser_version),
    ).fetchone()
    return row[0] if row else None


def add_content_digest(
    connection: sqlite3.Connection, capture_id: int, parser_version: str, digest: str, essence: str | None
) -> None:
    connection.execute(
        "INSERT INTO content_digests(capture_id, parser_version, digest, essence) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (capture_id, parser_version, digest, essence),
    )


def said_before(connection: sqlite3.Connection, capture_id: int, parser_version: str) -> int | None:
    """The newest earlier capture of the address that says what this one says; None when it says something new."""
    row = connection.execute(
        """SELECT max(o.capture_id) FROM exchanges e
        JOIN content_digests own ON own.capture_id = e.capture_id AND own.parser_version = ?2
        JOIN exchanges o ON o.url_id = e.url_id AND o.capture_id < e.capture_id
        JOIN content_digests d ON d.capture_id = o.capture_id AND d.parser_version = ?2 AND d.digest = own.digest
        WHERE e.capture_id = ?1""",
        (capture_id, parser_version),
    ).fetchone()
    return row[0] if row else None


def judge_content(connection: sqlite3.Connection, capture_id: int, *, is_layout: bool) -> None:
    """Says of a candidate which of the two it is."""
    connection.execute(
        """UPDATE changes SET kind = ? WHERE capture_id = ? AND kind IN ('content_changed', 'layout_changed')""",
        ("layout_changed" if is_layout else "content_changed", capture_id),
    )


def without_diff(connection: sqlite3.Connection, parser_version: str) -> list[Candidate]:
    """Changes of content whose diff is not stored, or was made by another parser version."""
    rows = connection.execute(
        """SELECT g.capture_id, g.previous_capture_id FROM changes g
        LEFT JOIN change_diffs d ON d.capture_id = g.capture_id AND d.parser_version = ?
        WHERE g.kind = 'content_changed' AND g.previous_capture_id IS NOT NULL AND d.capture_id IS NULL
        ORDER BY g.capture_id""",
        (parser_version,),
    )
    return [Candidate(*row) for row in rows]


def put_diff(
    connection: sqlite3.Connection, change: Candidate, parser_version: str, *, text_diff: str, cells_json: str
) -> None:
    connection.execute(
        """INSERT OR REPLACE INTO change_diffs(capture_id, previous_capture_id, parser_version, text_diff, cells_json)
        VALUES (?, ?, ?, ?, ?)""",
        (change.capture_id, change.previous_capture_id, parser_version, text_diff, cells_json),
    )


# What became of addresses


def note_still_gone(connection: sqlite3.Connection, capture_ids: Iterable[int]) -> None:
    """Of captures by which an address is gone: takes the warning off those of addresses that were gone before."""
    codes = json.dumps(sorted(GONE_CODES))
    connection.executemany(_STILL_GONE, [(capture_id, codes) for capture_id in capture_ids])


def runs_in_order(connection: sqlite3.Connection) -> list[str]:
    """In the order of their recording: clocks may go back."""
    return [run_id for (run_id,) in connection.execute("SELECT run_id FROM runs ORDER BY rowid")]


def doubtful(connection: sqlite3.Connection) -> list[str]:
    """Addresses that once had content and of which an answer or a list has said something else."""
    rows = connection.execute(
        f"""SELECT DISTINCT u.url FROM exchanges e JOIN urls u ON u.url_id = e.url_id
        JOIN frontier f ON f.frontier_id = e.frontier_id
        WHERE f.role IN ('page', 'attachment') AND f.site <> ? AND ({_ANSWER}) IN ('gone', 'redirect')
        UNION SELECT url FROM listing_events WHERE kind = 'unlisted'
        EXCEPT SELECT u.url FROM urls u WHERE NOT EXISTS (
            SELECT 1 FROM exchanges e WHERE e.url_id = u.url_id AND e.outcome IN ('ok', 'revisit'))
        ORDER BY 1""",  # noqa: S608  our own text
        (IMPORT_SITE,),
    )
    return [url for (url,) in rows]


def answers(connection: sqlite3.Connection, url: str) -> list[Answered]:
    """The captures of an address that say something of it, in order; those of other tools are left out."""
    rows = connection.execute(
        f"""SELECT e.run_id, e.capture_id, e.captured_at, {_ANSWER} AS answer FROM exchanges e
        JOIN urls u ON u.url_id = e.url_id JOIN frontier f ON f.frontier_id = e.frontier_id
        WHERE u.url = ? AND f.site <> ? AND f.role IN ('page', 'attachment') AND answer IS NOT NULL
        ORDER BY e.capture_id""",  # noqa: S608  our own text
        (url, IMPORT_SITE),
    )
    return [Answered(*row) for row in rows]


def listing_places(connection: sqlite3.Connection, url: str) -> list[tuple[str, str, str]]:
    """Where an address is listed or was: site, channel, first run."""
    rows = connection.execute("SELECT site, channel, first_run_id FROM listings WHERE url = ?", (url,))
    return [(site, channel, run_id) for site, channel, run_id in rows]


def listing_events(connection: sqlite3.Connection, url: str) -> list[ListingEvent]:
    rows = connection.execute(
        """SELECT run_id, site, channel, kind = 'listed' FROM listing_events
        WHERE url = ? AND kind IN ('listed', 'unlisted') ORDER BY event_id""",
        (url,),
    )
    return [ListingEvent(run_id, (site, channel), bool(listed)) for run_id, site, channel, listed in rows]


def twin(connection: sqlite3.Connection, capture_id: int, until: str) -> int | None:
    """The first capture, made up to the end of run `until`, of a newer address that says what `capture_id` says."""
    row = connection.execute(
        """SELECT min(g.capture_id) FROM content_digests d
        JOIN content_digests t ON t.essence = d.essence AND t.parser_version = d.parser_version
        JOIN changes g ON g.capture_id = t.capture_id AND g.kind = 'appeared'
        JOIN exchanges e ON e.capture_id = g.capture_id JOIN runs r ON r.run_id = e.run_id
        JOIN runs last ON last.run_id = ?2
        JOIN exchanges own ON own.capture_id = d.capture_id
        WHERE d.capture_id = ?1 AND d.essence IS NOT NULL AND e.url_id <> own.url_id
            AND (r.started_at, r.run_id) <= (last.started_at, last.run_id)
            AND e.capture_id > (SELECT min(capture_id) FROM exchanges f
                WHERE f.url_id = own.url_id AND f.outcome IN ('ok', 'revisit'))""",
        (capture_id, until),
    ).fetchone()
    return row[0] if row else None


def last_read(connection: sqlite3.Connection, url: str, until: int) -> int | None:
    """The newest capture of an address up to `until` whose content has a digest."""
    row = connection.execute(
        """SELECT max(e.capture_id) FROM exchanges e JOIN urls u ON u.url_id = e.url_id
        JOIN content_digests d ON d.capture_id = e.capture_id WHERE u.url = ? AND e.capture_id <= ?""",
        (url, until),
    ).fetchone()
    return row[0] if row else None


def content_at(connection: sqlite3.Connection, url: str, until: str) -> int | None:
    """The newest capture with content of an address up to the end of run `until`; a form to log in is none."""
    row = connection.execute(
        """SELECT max(e.capture_id) FROM exchanges e JOIN urls u ON u.url_id = e.url_id
        JOIN runs r ON r.run_id = e.run_id JOIN runs last ON last.run_id = ?
        WHERE u.url = ? AND e.outcome IN ('ok', 'revisit', 'not_modified')
            AND (r.started_at, r.run_id) <= (last.started_at, last.run_id)
            AND NOT EXISTS (SELECT 1 FROM exchanges o JOIN readings d ON d.capture_id = o.capture_id
                WHERE o.url_id = e.url_id AND o.payload_id = e.payload_id AND d.error_code = 'login_page')""",
        (until, url),
    ).fetchone()
    return row[0] if row else None


def put_judgements(connection: sqlite3.Connection, url: str, judged: Sequence[Judgement]) -> None:
    """Makes the conclusions about an address these; rows that stand already stay as they are."""
    rows = connection.execute(
        """SELECT change_id, run_id, kind, capture_id, previous_capture_id FROM changes
        WHERE url = ? AND kind IN ('disappeared', 'reappeared', 'moved')""",
        (url,),
    ).fetchall()
    standing = {Judgement(*row[1:]): row[0] for row in rows}
    wrong = [(change_id,) for judgement, change_id in standing.items() if judgement not in judged]
    connection.executemany("DELETE FROM changes WHERE change_id = ?", wrong)
    _insert(connection, url, (judgement for judgement in judged if judgement not in standing))


def _insert(connection: sqlite3.Connection, url: str, judged: Iterable[Judgement]) -> None:
    connection.executemany(
        "INSERT INTO changes(url, run_id, kind, capture_id, previous_capture_id) VALUES (?, ?, ?, ?, ?)",
        [(url, one.run_id, one.kind, one.capture_id, one.previous_capture_id) for one in judged],
    )
