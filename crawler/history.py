"""Settles what `changes` says, once what was captured has been read: diffs, and what became of addresses.

    content_changed, layout_changed   decided when a capture is read (`is_layout_only`); content has a diff
    disappeared                       its list was read whole without it, or gone on two days running; an error page
                                      sent with 200 counts, and so does being sent to the homepage
    moved                             it redirects, or when it disappears a newer address says the same
    reappeared                        listed again, or answering again

An address that cannot be reached, or a list that was not read whole, says nothing. All is worked out from what the
archive holds, in the order of the runs, so that it comes out the same when the database is made again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archive import history
from archive.contents import response_bytes
from archive.errors import ArchiveError
from archive.history import Answered, Candidate, Judgement, ListingEvent
from archive.store import Store
from crawler.discover import MOST_REDIRECTS, destination_of
from parsers.content import changed_cells, content_lines, digest_of, essence_lines, text_diff
from parsers.model import Page, Reading
from parsers.version import PARSER_VERSION

# Reads one capture again; None when its bytes are not readable.
Reread = Callable[[int], tuple[Reading, Page | None] | None]


def is_layout_only(store: Store, capture_id: int, payload_digest: str, reading: Reading, page: Page | None) -> bool:
    """True when the capture says what the one before it at its address said. Keeps what it says for the next one."""
    lines, essence = content_lines(reading, page), essence_lines(reading, page)
    digest = digest_of(lines) if lines else payload_digest
    connection = store.connection
    history.add_content_digest(
        connection, capture_id, PARSER_VERSION, digest, digest_of(essence) if essence else payload_digest
    )
    change = history.candidate(connection, capture_id)
    if change is None:
        return False
    is_layout = history.content_digest(connection, change.previous_capture_id, PARSER_VERSION) == digest
    history.judge_content(connection, capture_id, is_layout=is_layout)
    return is_layout


def settle(data_dir: Path, store: Store, reread: Reread) -> None:
    """Stores the diffs that are missing and judges every address in doubt."""
    for change in history.without_diff(store.connection, PARSER_VERSION):
        _store_diff(store, change, reread)
    judge = _Judge(data_dir, store)
    with store.transaction() as connection:
        for url in history.doubtful(connection):
            history.put_judgements(connection, url, tuple(judge.judged(url)))


def _store_diff(store: Store, change: Candidate, reread: Reread) -> None:
    old, new = reread(change.previous_capture_id), reread(change.capture_id)
    if old is None or new is None:
        return
    cells = [{"cell": cell, "old": before, "new": after} for cell, before, after in changed_cells(old[0], new[0])]
    with store.transaction() as connection:
        history.put_diff(
            connection,
            change,
            PARSER_VERSION,
            text_diff=text_diff(content_lines(*old), content_lines(*new)),
            cells_json=json.dumps(cells, ensure_ascii=False),
        )


@dataclass(slots=True)
class _Life:
    """What is known of an address up to some run."""

    is_present: bool = True
    content: int | None = None
    answer: Answered | None = None
    gone_days: set[str] = field(default_factory=set)
    unlisted: set[tuple[str, str]] = field(default_factory=set)


class _Judge:
    """Judges addresses from their whole evidence."""

    def __init__(self, data_dir: Path, store: Store) -> None:
        self._data_dir = data_dir
        self._connection = store.connection
        self._order = {run_id: number for number, run_id in enumerate(history.runs_in_order(store.connection))}

    def judged(self, url: str) -> Iterator[Judgement]:
        """The conclusions about an address, run by run."""
        answers: dict[str, list[Answered]] = defaultdict(list)
        events: dict[str, list[ListingEvent]] = defaultdict(list)
        for answer in history.answers(self._connection, url):
            answers[answer.run_id].append(answer)
        for event in history.listing_events(self._connection, url):
            events[event.run_id].append(event)
        places = history.listing_places(self._connection, url)
        life = _Life()
        for run_id in sorted({*answers, *events}, key=self._order.__getitem__):
            known = {(site, channel) for site, channel, first in places if self._order[first] <= self._order[run_id]}
            judgement = self._judged_in(run_id, url, life, known, answers[run_id], events[run_id])
            if judgement is not None:
                life.is_present = judgement.kind == "reappeared"
                yield judgement

    def _judged_in(
        self,
        run_id: str,
        url: str,
        life: _Life,
        places: set[tuple[str, str]],
        answers: Iterable[Answered],
        events: Iterable[ListingEvent],
    ) -> Judgement | None:
        before, was_gone = life.content, life.answer is not None and life.answer.answer != "content"
        is_relisted = False
        for answer in answers:
            life.answer = answer
            if answer.answer == "content":
                life.content = answer.capture_id
            life.gone_days = {*life.gone_days, answer.captured_at[:10]} if answer.answer == "gone" else set()
        for event in events:
            is_relisted |= event.is_listed
            life.unlisted = life.unlisted - {event.place} if event.is_listed else life.unlisted | {event.place}
        if life.content is None or life.answer is None:
            return None
        if not life.is_present:
            is_back = life.answer.answer == "content" and (is_relisted or (was_gone and life.answer.run_id == run_id))
            return Judgement(run_id, "reappeared", life.content, before) if is_back else None
        if life.answer.answer == "redirect":
            destination = self._destination(url, life.answer.capture_id, run_id)
            if destination is not None:
                return Judgement(run_id, "moved", destination, life.content)
        is_unlisted = bool(places) and places <= life.unlisted and any(not event.is_listed for event in events)
        if is_unlisted or len(life.gone_days) > 1:
            return self._away(run_id, url, life.content)
        return None

    def _away(self, run_id: str, url: str, content: int) -> Judgement:
        read = history.last_read(self._connection, url, content)
        twin = history.twin(self._connection, read, run_id) if read is not None else None
        return Judgement(run_id, "moved" if twin is not None else "disappeared", twin, content)

    def _destination(self, url: str, redirect: int, run_id: str) -> int | None:
        """The capture with content where a redirect ends; None when it ends nowhere."""
        location: str | None = self._location(url, redirect)
        for _ in range(MOST_REDIRECTS):
            if location is None or location == url:
                return None
            content = history.content_at(self._connection, location, run_id)
            if content is not None:
                return content
            further = [a for a in history.answers(self._connection, location) if a.answer == "redirect"]
            location = self._location(location, further[-1].capture_id) if further else None
        return None

    def _location(self, url: str, capture_id: int) -> str | None:
        try:
            return destination_of(url, response_bytes(self._data_dir, self._connection, capture_id))
        except (ArchiveError, OSError):
            return None
