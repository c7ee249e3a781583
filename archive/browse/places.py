"""What draws a place in an archived document, as this package sees it: it knows bytes and locators, not formats.

`application` is given a `Drawer`; without one the pages say so and show what they can.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from archive.errors import ArchiveError

# A page waits so long for its picture; what takes longer appears in its frame.
PATIENCE_SECONDS = 2.0
ANCHOR = "gongkai-place"
NO_DRAWER = "This server was started without the part that draws documents; `gongkai serve` has it."


@dataclass(frozen=True, slots=True)
class Drawn:
    """A whole HTML page, to be kept in a sandbox; what is marked in it has the id `ANCHOR`.

    `how`: `page` is the archived HTML's own source with our mark in it; `lines`, `tables` and `picture` are made of the
    archived bytes.
    """

    how: str
    html: bytes
    is_marked: bool


class UndrawnError(ArchiveError):
    """Raised by a drawer that cannot draw a document; the message says why."""


class Drawer(Protocol):
    """Draws places. Called from several threads."""

    def draw(self, body: bytes, *, digest: str, name: str, locator: str) -> Drawn:
        """The document `body`, known by its digest, with the place marked. Raises UndrawnError."""
        ...


@dataclass(frozen=True, slots=True)
class Serving:
    """What a Datasette serves besides its database: `data_dir` has the WARC files (None: beside the database),
    `replay_address` is where whole pages are replayed, "" where they are not.
    """

    data_dir: Path | None = None
    drawer: Drawer | None = None
    replay_address: str = ""


# Threads of its own: a document that has to be converted first must not hold up who only reads bytes.
_THREADS = ThreadPoolExecutor(4, thread_name_prefix="draw")
_SERVING: WeakKeyDictionary[Any, Serving] = WeakKeyDictionary()


def give(datasette: Any, serving: Serving) -> None:
    """From now on `datasette` has it."""
    _SERVING[datasette] = serving


def of(datasette: Any) -> Serving:
    return _SERVING.get(datasette) or Serving()


async def drawn(datasette: Any, body: bytes, *, digest: str, name: str, locator: str) -> Drawn:
    """The place. Raises UndrawnError."""
    drawer = of(datasette).drawer
    if drawer is None:
        raise UndrawnError(NO_DRAWER)
    draw = partial(drawer.draw, body, digest=digest, name=name, locator=locator)
    return await asyncio.get_running_loop().run_in_executor(_THREADS, draw)
