"""The parent's side of one worker: start it, give it jobs, and be rid of it when a job does not end well."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Self, TypeVar, cast

from crawler.exceptions import CrawlerError
from crawler.jail import answers, frames, sandbox

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_START_SECONDS = 60.0
_AT_ONCE = 1 << 20
_SHELL_SIGNALS = 128
# What may come of what documents before left behind: full caches, memory in pieces.
_INHERITED = ("parser_memory", "parser_crashed")


class JailError(CrawlerError):
    """Raised when no worker can be started at all; the message says what the first one said."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost. `documents`: after so many a worker is replaced."""

    cpu_seconds: int = 60
    wall_seconds: float = 180.0
    memory_bytes: int = 2 << 30
    output_bytes: int = 96 << 20
    documents: int = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job has no result.

    `code`: `parser_timeout`, `parser_crashed`, `parser_memory`, `parser_output` or `reader_failed`.
    """

    code: str
    message: str


class _LostError(Exception):
    """The worker closed its pipe."""


class _LateError(Exception):
    """The deadline passed."""


class Jail:
    """One worker, started when first needed and again after each job that did not end well. Not for several threads.

    bubblewrap ends its worker with the thread that started it: use a jail from a thread that lives as long.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._process: subprocess.Popen[bytes] | None = None
        self._documents = 0
        self._is_killed = False
        self._missing: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def missing(self) -> tuple[str, ...]:
        """What of the jail is not in force on this machine, one sentence each. Raises JailError."""
        self._started()
        return self._missing

    def run(self, function: Callable[P, T], *arguments: P.args, **_: P.kwargs) -> T | Failure:
        """`function(*arguments)` in the worker. The function is one that a module has by name; what it returns is made
        of plain values, tuples and the records of `parsers.model`. A document that ends a worker which has read others
        is tried once more in one of its own. Raises JailError when no worker can be started.
        """
        has_read = self._documents > 0
        answer = self._run(function, arguments)
        if has_read and not self._is_killed and isinstance(answer, Failure) and answer.code in _INHERITED:
            log.warning("%s after other documents, trying again in a worker of its own", answer.message)
            return self._run(function, arguments)
        return answer

    def _run(self, function: Callable[..., T], arguments: tuple[object, ...]) -> T | Failure:
        returned = answers.returned_by(function)
        process = self._started()
        deadline = time.monotonic() + self.limits.wall_seconds
        try:
            _send(process, frames.pickled((function, arguments)), deadline)
            kind, value = answers.answer(_received(process, self.limits.output_bytes, deadline), returned)
        except _LateError:
            self.close()
            return Failure("parser_timeout", f"not read within {self.limits.wall_seconds:g} seconds")
        except _LostError:
            return self._death()
        except ValueError as error:
            self.close()
            return Failure("parser_crashed", str(error))
        self._documents += 1
        if self._documents >= self.limits.documents:
            self.close()
        if kind == answers.DONE:
            return cast(T, value)
        return self._refusal(kind, value)

    def kill(self) -> None:
        """End the worker and everything it may have started; for other threads, which `run` answers with a Failure."""
        self._is_killed = True
        self._end()

    def _end(self) -> None:
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Be rid of the worker."""
        self._end()
        process, self._process, self._documents = self._process, None, 0
        if process is None:
            return
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and not self._is_killed and self._process.poll() is None:
            return self._process
        self.close()
        line, why_not = sandbox.command()
        process = subprocess.Popen(  # noqa: S603
            [*line, sys.executable, "-I", "-X", "utf8", "-c", _program()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=sandbox.ENVIRONMENT,
            start_new_session=True,
        )
        self._process, self._is_killed = process, False
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                _widen(pipe.fileno())
        deadline = time.monotonic() + _START_SECONDS
        limits = self.limits
        settings = {
            "memory_bytes": limits.memory_bytes,
            "cpu_seconds": limits.cpu_seconds,
            "output_bytes": limits.output_bytes,
        }
        try:
            _send(process, frames.pickled(settings), deadline)
            _, missing = answers.answer(_received(process, _AT_ONCE, deadline), None)
        except (_LateError, _LostError, ValueError) as error:
            self._end()
            said = process.stderr.read()[-500:].decode(errors="replace").strip() if process.stderr else ""
            self.close()
            raise JailError(f"no worker for reading documents can be started: {sys.executable}: {said}") from error
        if process.stderr is not None:
            process.stderr.close()
        self._missing = (*((f"no namespaces: {why_not}",) if why_not else ()), *missing)
        return process

    def _death(self) -> Failure:
        """What ended the worker, from its status: a signal, which bubblewrap adds to 128."""
        process = self._process
        status = process.wait() if process is not None else 0
        self.close()
        number = -status if status < 0 else status - _SHELL_SIGNALS
        if number == signal.SIGXCPU:
            return Failure("parser_timeout", f"not read within {self.limits.cpu_seconds} seconds of CPU time")
        try:
            how = f"by {signal.Signals(number).name}"
        except ValueError:
            how = f"with status {status}"
        return Failure("parser_crashed", f"the document ended the process that read it, {how}")

    def _refusal(self, kind: str, value: object) -> Failure:
        if kind == answers.MEMORY:
            # What was asked for is given back, but the address space may stay in pieces.
            self.close()
            return Failure("parser_memory", f"reading takes more than {self.limits.memory_bytes >> 20} MB")
        if kind == answers.TOO_MUCH:
            return Failure(
                "parser_output", f"the result has {value} bytes, expected {self.limits.output_bytes} at most"
            )
        return Failure("reader_failed", f"the reader failed: {value}")


def _program() -> str:
    return f"import sys; sys.path[:] = {sandbox.import_path()!r}; from crawler.jail.worker import main; main()"


def _widen(pipe: int) -> None:
    """A page's bytes in one go, where the system lets a pipe hold so much."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _AT_ONCE)


def _send(process: subprocess.Popen[bytes], data: bytes, deadline: float) -> None:
    assert process.stdin is not None  # noqa: S101  opened as a pipe
    file = process.stdin.fileno()
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(file, view[:_AT_ONCE]) :]
        except BlockingIOError:
            _wait(file, select.POLLOUT, deadline)
        except BrokenPipeError as error:
            raise _LostError from error


def _received(process: subprocess.Popen[bytes], most: int, deadline: float) -> bytes:
    """One frame. Raises ValueError when it announces more than `most` bytes: then no worker of ours sent it."""
    assert process.stdout is not None  # noqa: S101  opened as a pipe
    file = process.stdout.fileno()
    (length,) = frames.HEADER.unpack(_exactly(file, frames.HEADER.size, deadline))
    if length > most:
        raise ValueError(f"the answer claims {length} bytes, expected {most} at most")
    return _exactly(file, length, deadline)


def _exactly(file: int, count: int, deadline: float) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        try:
            part = os.read(file, min(_AT_ONCE, count - len(parts)))
        except BlockingIOError:
            _wait(file, select.POLLIN, deadline)
            continue
        if not part:
            raise _LostError
        parts += part
    return bytes(parts)


def _wait(file: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(file, event)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise _LateError
