"""Where commands record what people decide: the lock held, the last run repaired, the database open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.decisions import Deciding
from archive.lock import lock
from archive.recover import recover
from archive.store import Store
from crawler.reread import discover_with, stored_sites


@contextmanager
def deciding(data_dir: Path, *, author: str) -> Iterator[tuple[Store, Deciding]]:
    """The store and its decisions. What follows from them is for the caller to work out, in the context or after it.

    Raises LockedError when a run is under way.
    """
    with lock(data_dir, run_id="decide"), Store.open(data_dir) as store:
        recover(data_dir, store, discover=discover_with(stored_sites(store)))
        with Deciding(data_dir, store, author=author) as decisions:
            yield store, decisions
