"""Ctrl-C as a request: what is in flight is finished, nothing further is begun.

A second one ends the process at once, as ever.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Stopped = Callable[[], bool]
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def asked_to_stop(*, already: bool = False) -> Iterator[Stopped]:
    """Gives a function that says whether a signal to stop has come; with `already` one has, and the next one raises
    KeyboardInterrupt. Outside the main thread, where no signal arrives, the answer stays the same.
    """
    asked = already

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    with handlers_kept():
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                signal.signal(number, note)
        yield lambda: asked


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Whatever is done to the handlers within is undone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
