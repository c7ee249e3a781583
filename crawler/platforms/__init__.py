"""Software that many sites share, one module each: pure functions over payload bytes.

A platform module offers what `Platform` names. It fetches nothing, keeps no state and never raises on bad bytes: what
it needs to go on with a list is in the parameters of the request that it asks for; what does not fit is a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol, cast

# In the order in which they are asked: what names its product first, what only has its habits next, any list last.
PLATFORM_NAMES = ("hanweb", "jpaas", "gkmlpt", "ucap", "vsb", "trs", "generic")

Headers = tuple[tuple[bytes, bytes], ...]
Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list page, address already absolute, `position` counted from 1 through all groups of the list."""

    url: str
    title: str
    date: str | None
    position: int


@dataclass(frozen=True, slots=True)
class NextRequest:
    """The request for a list's next group. `parameters` come back with its answer; they must survive JSON."""

    url: str
    parameters: Parameters
    method: Literal["GET", "POST"] = "GET"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something about a list that did not fit; becomes a finding of the run."""

    level: Literal["info", "warning", "error"]
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ListReading:
    """What one list page or group holds.

    `total` is the number of entries that the site itself declares, None where an earlier answer gave it already.
    """

    entries: tuple[Entry, ...] = ()
    total: int | None = None
    requests: tuple[NextRequest, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def shortfall(found: int, total: int | None) -> tuple[Trouble, ...]:
    """The trouble of a list that ended before the number of entries that the site declares."""
    if total is None or found >= total:
        return ()
    return (Trouble("warning", "list_short", f"expected the {total} entries that the site declares, found {found}"),)


# Nothing says how many entries there should be, so nothing can say that they are all there.
UNCOUNTED = Trouble("info", "list_uncounted", "the list declares neither entries nor pages; walked until it ended")


def shifted(message: str) -> Trouble:
    """The trouble of a list that changed between two of its pages: an entry may have slipped past."""
    return Trouble("warning", "list_shifted", f"the list changed while it was read: {message}")


class Platform(Protocol):
    """What a platform module offers."""

    def recognise(self, entity: bytes, headers: Headers, url: str) -> str | None:
        """Why the page is of this platform, or None."""

    def read_list(self, entity: bytes, *, url: str, parameters: Parameters) -> ListReading:
        """The entries of a list page or group, and what to ask next. `parameters` is {} for the channel's own page."""


def platform(name: str) -> Platform:
    """The platform module of that name."""
    return cast(Platform, import_module(f"crawler.platforms.{name}"))


def recognise(entity: bytes, headers: Headers, url: str) -> tuple[str, str] | None:
    """Name of the first platform that knows the page, and why; None when none does."""
    for name in PLATFORM_NAMES:
        reason = platform(name).recognise(entity, headers, url)
        if reason is not None:
            return name, reason
    return None
