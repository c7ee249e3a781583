"""A little room on the disk, kept while a night runs, so that on a full disk its report can still be written."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.lock import is_locked
from crawler.morning import REPORTS_FOLDER

log = logging.getLogger(__name__)

# A report of many sites in all its files, and the pages of the database that say how the run ended.
RESERVED_BYTES = 512 << 10
_NAME = ".room"


@contextmanager
def room_kept(data_dir: Path) -> Iterator[Callable[[], None]]:
    """Takes the room and gives a function that gives it back; at the end it is given back in any case.

    Where there is none left the log says so. Another run's room stays its own.
    """
    path = data_dir / REPORTS_FOLDER / _NAME

    def give() -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the room for the night's report cannot be given back: %s", error)

    if is_locked(data_dir):
        yield lambda: None
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Zeros might be stored in no room at all.
        path.write_bytes(os.urandom(RESERVED_BYTES))
    except OSError as error:
        log.warning("no room can be kept for the night's report: %s", error)
        give()
    try:
        yield give
    finally:
        give()
