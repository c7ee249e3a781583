"""What a document that has taken over its reader might do. Run in jails only."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path

from parsers.model import Cell, Fact, Reading


def echoed(value):
    return value


Everything = tuple[int, None, str, bytes, tuple[Cell, ...], dict[str, tuple[bool, float]], Fact, str]


def echoed_everything(value: Everything) -> Everything:
    return value


def echoed_one(value: Cell | Fact | tuple[str, ...]) -> Cell | Fact | tuple[str, ...]:
    return value


def reading() -> Reading:
    return Reading(media_type="text/plain", title="某街道")


def loops():
    while True:
        pass


def sleeps():
    time.sleep(60)


def fills_memory():
    return len(b"x" * (3 << 30))


def fills_memory_below_python():
    return len(mmap.mmap(-1, 3 << 30))


LEFT = []


def leaves_memory_behind():
    LEFT.append(bytearray(700 << 20))


def takes_memory() -> int:
    return len(bytearray(500 << 20))


def crashes_where_another_was() -> str:
    if LEFT:
        os.abort()
    return "read"


def crashes():
    ctypes.string_at(0)


def aborts():
    os.abort()


def ends():
    os._exit(3)


def floods():
    return "x" * (2 << 20)


def floods_pipes():
    for file in range(1, 10):
        try:
            os.write(file, b"\xff" * (1 << 16))
        except OSError:
            continue
    return "nothing seen"


def prints():
    print("x" * 1000)  # noqa: T201  what libraries do
    print("x" * 1000, file=sys.stderr)  # noqa: T201
    os.write(1, b"straight to the pipe")
    return "printed"


def fails():
    raise ValueError("not a number")


def panics():
    raise KeyboardInterrupt("as from a library in another language")


def sends_an_object():
    return object()


def sends_a_call():
    return Call()


class Call:
    """A pickle that runs a program where it is read."""

    def __reduce__(self):
        return subprocess.getoutput, ("echo harm",)


def forges(answer: bytes) -> tuple[Reading, tuple[str, ...]]:
    """Writes an answer of its own before the worker can write its."""
    for pipe in range(3, 10):
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(pipe).st_mode):
                os.write(pipe, struct.pack(">Q", len(answer)) + answer)
    time.sleep(60)
    return Reading(media_type="text/plain"), ()


def is_told_as_declared(value) -> Reading:
    return value


def fills_what_it_sends() -> tuple[tuple[str, ...], ...]:
    """Two small tuples in one another, forty times: as text without end."""
    value = ("x",)
    for _ in range(40):
        value = (value, value)
    return value


def refused(what):
    """The error's number, 0 where it is not refused."""
    try:
        what()
    except OSError as error:
        return error.errno
    return 0


def tries_everything(folder):
    file = Path(folder) / "kept.txt"
    return {
        "fork": refused(os.fork),
        "run": refused(lambda: subprocess.run([sys.executable, "-c", ""], check=True)),
        "socket": refused(lambda: socket.socket()),
        "unix socket": refused(lambda: socket.socket(socket.AF_UNIX)),
        "new file": refused(lambda: file.with_name("new.txt").write_bytes(b"x")),
        "overwrite": refused(lambda: file.write_bytes(b"x")),
        "remove": refused(file.unlink),
        "folder": refused(lambda: file.with_name("d").mkdir()),
        "kill": refused(lambda: os.kill(os.getppid(), signal.SIGTERM)),
    }


def reaches_its_parent():
    """The error of each call by which a process gets at another of its user without a signal; 0 where it succeeds."""
    parent = os.getppid()
    reading, writing = os.pipe()
    limit = struct.pack("QQ", resource.RLIM_INFINITY & (2**64 - 1), resource.RLIM_INFINITY & (2**64 - 1))
    found = {
        "its limits": errno_of("prlimit", parent, resource.RLIMIT_CORE, limit, None),
        "a handle of it": errno_of("syscall", 434, parent, 0),
        "its open files": errno_of("syscall", 438, 0, 0, 0),
        "a signal when a pipe is written to": refused(lambda: fcntl.fcntl(reading, fcntl.F_SETOWN, parent)),
        "any signal": refused(lambda: fcntl.fcntl(reading, 10, signal.SIGKILL)),
        "owner by control": refused(lambda: fcntl.ioctl(reading, 0x8901, struct.pack("i", parent))),
        "its priority": refused(lambda: os.setpriority(os.PRIO_PROCESS, parent, 19)),
        "its processors": refused(lambda: os.sched_setaffinity(parent, {0})),
    }
    os.close(reading)
    os.close(writing)
    return found


def holds_memory_outside_itself():
    return {
        "shared": errno_of("shmget", 0, 1 << 20, 0o1600),
        "messages": errno_of("msgget", 0, 0o1600),
        "semaphores": errno_of("semget", 0, 1, 0o1600),
    }


def errno_of(name, *arguments):
    """The error's number of a function of the C library, 0 where it succeeds."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    return ctypes.get_errno() if function(*arguments) < 0 else 0


def capabilities() -> list[str]:
    status = Path("/proc/self/status").read_text()
    return [line.split()[1] for line in status.splitlines() if line.startswith(("CapEff", "CapPrm", "CapInh"))]


def newer_call():
    """`setxattrat`, of Linux 6.13."""
    return errno_of("syscall", 463, 0, 0, 0, 0, 0, 0)


def sees(path):
    return Path(path).exists()


def threads():
    import threading

    done = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    return done


def process_id():
    return os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
