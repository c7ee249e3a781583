"""Several jails, each with a thread that waits for it."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, Protocol, TypeVar

from crawler.jail.jail import Failure, Jail, Limits

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Runner(Protocol):
    """Where documents are read. `workers`: how many jobs it does at a time."""

    workers: int

    def submit(self, function: Callable[P, T], *arguments: P.args, **_: P.kwargs) -> Future[T | Failure]: ...

    def stop(self) -> None:
        """Kill what is under way. Jobs may be submitted afterwards."""


class Pool:
    """Jails side by side. A job's future has its result or a `Failure`."""

    def __init__(self, workers: int = 1, limits: Limits | None = None) -> None:
        self.workers = workers
        self._limits = limits
        self._own = threading.local()
        self._jails: list[Jail] = []
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="jail")

    def submit(self, function: Callable[P, T], *arguments: P.args, **_: P.kwargs) -> Future[T | Failure]:
        return self._threads.submit(self._run, function, arguments)

    def stop(self) -> None:
        for jail in self._jails:
            jail.kill()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.stop()
        self._threads.shutdown(wait=True)
        for jail in self._jails:
            jail.close()

    def _run(self, function: Callable[..., T], arguments: tuple[object, ...]) -> T | Failure:
        jail: Jail | None = getattr(self._own, "jail", None)
        if jail is None:
            jail = self._own.jail = Jail(self._limits)
            self._jails.append(jail)
        return jail.run(function, *arguments)


class InProcess:
    """Runs jobs here and now, without any jail: for profiling, and for tests that replace a reader."""

    workers = 1

    def submit(self, function: Callable[P, T], *arguments: P.args, **_: P.kwargs) -> Future[T | Failure]:
        future: Future[T | Failure] = Future()
        try:
            future.set_result(function(*arguments, **_))
        # As in a worker: a reader's mistake is the document's failure.
        except Exception as error:
            log.exception("%s failed", function.__name__)
            future.set_result(Failure("reader_failed", f"the reader failed: {type(error).__name__}: {error}"))
        return future

    def stop(self) -> None:
        """Nothing is ever under way."""


@cache
def shared(workers: int = 1) -> Pool:
    """This process's pool of so many jails; starting one costs more than reading a hundred documents."""
    pool = Pool(workers)
    atexit.register(pool.close)
    return pool
