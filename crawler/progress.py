"""How far a long task has come, on stderr: a bar on a terminal; for nights that nobody watches, a line now and then."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

LINE_SECONDS = 30.0

Advance = Callable[..., object]


@contextmanager
def progress(
    task: str,
    unit: str,
    *,
    total: int | None = None,
    lines: bool = False,
    is_scaled: bool = False,
    out: TextIO | None = None,
    every_seconds: float = LINE_SECONDS,
) -> Iterator[Advance]:
    """Gives a function to call with the number of units done since its last call (1 when not said).

    Where `out` (stderr) is no terminal nothing is shown, or with `lines` a line every 30 seconds, whether or not
    anything was done in them, so that a standstill shows in the log. With `is_scaled` a bar counts in thousands and
    millions.
    """
    out = out or sys.stderr
    if out.isatty() or not lines:
        watched = out.isatty()
        with tqdm(desc=task, unit=f" {unit}", total=total, file=out, disable=not watched, unit_scale=is_scaled) as bar:
            yield bar.update
        return
    counter = _Counter(task, unit, total, out)
    stop = threading.Event()
    thread = threading.Thread(target=counter.tell, args=(stop, every_seconds), name=f"progress of {task}", daemon=True)
    thread.start()
    try:
        yield counter.add
    finally:
        stop.set()
        thread.join()
        counter.say()


def counted(advance: Advance) -> Callable[[int], None]:
    """For tasks that say how far they are in all, not since last time."""
    before = 0

    def reach(done: int) -> None:
        nonlocal before
        advance(done - before)
        before = done

    return reach


class _Counter:
    """Counts, and says how far it has come."""

    def __init__(self, task: str, unit: str, total: int | None, out: TextIO) -> None:
        self._task, self._unit, self._total, self._out = task, unit, total, out
        self._done = 0
        self._started = time.monotonic()

    def add(self, count: int = 1) -> None:
        self._done += count

    def tell(self, stop: threading.Event, every_seconds: float) -> None:
        while not stop.wait(every_seconds):
            self.say()

    def say(self) -> None:
        seconds = time.monotonic() - self._started
        total = "" if self._total is None else f" of {self._total}"
        rate = self._done / seconds if seconds else 0.0
        left = "" if not self._total or not rate else f", {max(0, self._total - self._done) / rate:.0f} s left"
        self._out.write(f"{self._task}: {self._done}{total} {self._unit} in {seconds:.0f} s ({rate:.1f}/s){left}\n")
        self._out.flush()
