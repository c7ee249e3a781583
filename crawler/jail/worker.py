"""The worker's side: confine itself, then answer jobs until the pipe closes.

Standard input carries the settings and the jobs, what was standard output the answers. What a library prints goes
nowhere.
"""

from __future__ import annotations

import os
import pickle
import resource
import sys
from typing import Any, BinaryIO

from crawler.jail import answers, frames, seccomp

# Modules are opened when first needed, one at a time; beside them a worker has no files.
_MOST_FILES = 128


def main() -> None:
    jobs = sys.stdin.buffer
    pipe = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    settings = pickle.loads(_next(jobs))  # noqa: S301  from the parent
    measures = _confine(settings["memory_bytes"])
    _send(pipe, (answers.READY, measures), sys.maxsize)
    while job := _next(jobs):
        _allow_cpu(settings["cpu_seconds"])
        _send(pipe, _done(job), settings["output_bytes"])


def peak_bytes() -> int:
    """The most memory this process has held; a job for measurements."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _next(jobs: BinaryIO) -> bytes:
    """The next frame; b"" when the parent has closed the pipe, or is gone."""
    header = jobs.read(frames.HEADER.size)
    return jobs.read(*frames.HEADER.unpack(header)) if len(header) == frames.HEADER.size else b""


def _confine(memory_bytes: int) -> tuple[str, ...]:
    """Limits and filter; returns what could not be put in force, one sentence each."""
    filtered = seccomp.confine()
    missing = [f"system calls are not filtered: {filtered}"] if filtered else []
    limits = {
        "RLIMIT_AS": (memory_bytes, memory_bytes),
        "RLIMIT_FSIZE": (0, 0),
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_NOFILE": (_MOST_FILES, _MOST_FILES),
    }
    if filtered:
        # Counts the user's threads too, so only where the filter does not see to it; root is never counted.
        limits["RLIMIT_NPROC"] = (0, 0)
    for name, limit in limits.items():
        try:
            resource.setrlimit(getattr(resource, name), limit)
        except (AttributeError, OSError, ValueError) as error:
            missing.append(f"{name} cannot be set: {error}")
    return tuple(missing)


def _allow_cpu(seconds: int) -> None:
    """From now on so many more seconds; past them the kernel ends the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _done(job: bytes) -> tuple[str, Any]:
    try:
        function, arguments = pickle.loads(job)  # noqa: S301  from the parent
        return answers.DONE, function(*arguments)
    except MemoryError:
        return answers.MEMORY, ""
    except BaseException as error:  # noqa: BLE001  a panic of a Rust library is no Exception
        return answers.RAISED, _told(f"{type(error).__name__}: {error}")


def _told(message: str) -> str:
    """What an error says, which may quote half characters of a document."""
    return message[:1000].encode("utf-8", "backslashreplace").decode()


def _send(pipe: int, answer: tuple[str, Any], most: int) -> None:
    try:
        data = answers.answered(*answer)
    except MemoryError:
        data = answers.answered(answers.MEMORY, "")
    except Exception as error:  # noqa: BLE001  what cannot be sent says so in many ways
        data = answers.answered(answers.RAISED, _told(f"the result cannot be sent: {error}"))
    if len(data) > most:
        data = answers.answered(answers.TOO_MUCH, len(data))
    view = memoryview(frames.framed(data))
    while view:
        view = view[os.write(pipe, view) :]
