"""One writer per data directory.

The lock is the operating system's and ends with the process that holds it: a file left behind by a dead run locks
nothing. Its contents only tell people who holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.errors import ArchiveError, LockedError
from archive.paths import lock_path
from archive.times import Clock, instant, now


@contextmanager
def lock(data_dir: Path, *, run_id: str = "", clock: Clock = now) -> Iterator[None]:
    """Holds the data directory's lock; raises LockedError at once when another process has it.

    Raises ArchiveError when the directory cannot be written.
    """
    path = lock_path(data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ArchiveError(f"{data_dir}: cannot be written ({error})") from error
    with opened as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(f"{data_dir} is in use by {_holder(path)}; wait for it to end") from error
        handle.truncate(0)
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "run_id": run_id, "since": instant(clock())}
        handle.write(json.dumps(holder) + "\n")
        handle.flush()
        yield


def is_locked(data_dir: Path) -> bool:
    """Another process holds the lock at this moment. Writes nothing, so that it can be asked of a read-only disk."""
    path = lock_path(data_dir)
    if not path.exists():
        return False
    with path.open(encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text("utf-8"))
        return f"process {holder['pid']} on {holder['host']} (run {holder['run_id']}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
