"""The walk through a list's numbered pages, the same for every platform that has them.

A platform says what one page holds and how the next is asked for; here it is judged whether the list goes on, ended
where it says, stopped short, repeated itself or moved while it was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from crawler.platforms import UNCOUNTED, Entry, ListReading, NextRequest, Parameters, Trouble, shifted, shortfall

# What a search index says when it has stopped counting: there are as many or more.
COUNTING_STOPS = 10_000
# No disclosure column seen comes near; a list that still goes on then does not end at all.
MOST_PAGES = 3000


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as a page gives it, address absolute."""

    url: str
    title: str
    date: str | None


@dataclass(frozen=True, slots=True)
class PageOfList:
    """What one page of a list holds. `total` counts entries, `pages` pages, as the site itself declares them."""

    rows: Sequence[Row]
    total: int | None = None
    pages: int | None = None
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """Where the walk stands: what the next page's answer has to be read with. Survives JSON.

    `page` counts from 1; `seen` counts entries of earlier pages; `first` and `previous` hold short digests of
    addresses, by which a repeated page is known; `about` is the platform's own.
    """

    page: int = 1
    seen: int = 0
    total: int | None = None
    pages: int | None = None
    first: Sequence[str] = ()
    previous: Sequence[str] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, parameters: Parameters) -> Walk:
        """The walk that a request's parameters carry; a new one for {}."""
        return cls(**{name: parameters[name] for name in cls.__slots__ if name in parameters})


NextPage = Callable[[Walk], NextRequest | None]


def advance(walk: Walk, page: PageOfList, *, size: int, next_page: NextPage) -> ListReading:
    """The entries that earlier pages did not have, and the request for the next page if there is one.

    `size` is that of the answer in bytes. `next_page` gets the walk as it stands at the next page, and gives the
    request without parameters, or None when the page shows no way on.
    """
    stated = None if page.total == COUNTING_STOPS else page.total
    known = replace(walk, total=_either(stated, walk.total), pages=_either(page.pages, walk.pages))
    troubles = [*page.troubles, *_about_total(walk, page, stated)]
    fresh, digests = _fresh(walk, page.rows)
    repeated = len(page.rows) - len(fresh)
    seen = walk.seen + len(fresh)
    reading = ListReading(
        entries=tuple(Entry(row.url, row.title, row.date, walk.seen + n) for n, row in enumerate(fresh, start=1)),
        total=known.total if walk.total is None else None,
    )
    if not page.rows:
        return replace(reading, troubles=(*troubles, *_ended_empty(known, size)))
    following = replace(known, page=walk.page + 1, seen=seen, first=walk.first or digests, previous=digests)
    if not fresh:
        is_last_again = digests == walk.previous != walk.first and next_page(following) is None
        return replace(reading, troubles=(*troubles, *_ended_again(known, seen, is_last_again=is_last_again)))
    if repeated and walk.page > 1:
        troubles.append(shifted(f"{repeated} of {len(page.rows)} entries of page {walk.page} stood on an earlier page"))
    request = None if _is_whole(known, seen) or walk.page >= MOST_PAGES else next_page(following)
    if request is None:
        return replace(reading, troubles=(*troubles, *_ended(known, seen)))
    return replace(reading, requests=(replace(request, parameters=asdict(following)),), troubles=tuple(troubles))


def _either(one: int | None, other: int | None) -> int | None:
    return other if one is None else one


def _about_total(walk: Walk, page: PageOfList, stated: int | None) -> tuple[Trouble, ...]:
    if page.total == COUNTING_STOPS and walk.page == 1:
        message = f"the list says {COUNTING_STOPS}, where search indexes stop counting: walked to its end instead"
        return (Trouble("info", "list_total_capped", message),)
    if stated is not None and walk.total is not None and stated != walk.total:
        return (shifted(f"the declared total went from {walk.total} to {stated} by page {walk.page}"),)
    return ()


def _fresh(walk: Walk, rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    known = {*walk.first, *walk.previous}
    fresh: list[Row] = []
    digests: list[str] = []
    for row in rows:
        digest = hashlib.sha256(row.url.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        if digest not in known and digest not in digests:
            fresh.append(row)
        digests.append(digest)
    return fresh, digests


def _is_whole(walk: Walk, seen: int) -> bool:
    if walk.pages is not None:
        return walk.page >= walk.pages
    return walk.total is not None and seen >= walk.total


def _ended_empty(walk: Walk, size: int) -> tuple[Trouble, ...]:
    """A page without entries ends an uncounted list; it is no end while more is declared."""
    is_unread = walk.page == 1 and walk.total is None
    is_short = walk.total is not None and walk.seen < walk.total
    if is_unread or is_short or (walk.pages is not None and walk.page <= walk.pages):
        message = f"page {walk.page}: expected entries, found an answer without any ({size} bytes)"
        return (Trouble("warning", "list_incomplete", message), *shortfall(walk.seen, walk.total))
    return (UNCOUNTED,) if walk.total is None and walk.pages is None else ()


def _ended_again(walk: Walk, seen: int, *, is_last_again: bool) -> tuple[Trouble, ...]:
    """Some servers answer any number beyond the last page with the last page. That was the end where every entry that
    is declared was read; where nothing is declared, when the page before comes again and no longer shows a way on. A
    way on to itself proves nothing: a server that gives out no further pages shows it too.
    """
    if walk.total is not None and seen >= walk.total:
        return ()
    if is_last_again and walk.total is None and walk.pages is None:
        return (UNCOUNTED,)
    again = Trouble("warning", "list_repeated", f"page {walk.page} holds nothing but entries of earlier pages")
    return (again, *shortfall(seen, walk.total))


def _ended(walk: Walk, seen: int) -> tuple[Trouble, ...]:
    if walk.page >= MOST_PAGES:
        return (Trouble("error", "list_endless", f"the list goes on after {MOST_PAGES} pages; stopped there"),)
    if walk.total is not None:
        return shortfall(seen, walk.total)
    if walk.pages is None:
        return (UNCOUNTED,)
    if walk.page < walk.pages:
        message = f"expected {walk.pages} pages, found no way on after page {walk.page}"
        return (Trouble("warning", "list_short", message),)
    return ()
