"""What a document that has taken over its reader might do. Run in jails only."""

import ctypes
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from parsers.model import Reading


def echoed(value):
    return value


def reading():
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
    return Path("/")


def sends_a_call():
    return Call()


class Call:
    """A pickle that runs a program where it is read."""

    def __reduce__(self):
        return subprocess.getoutput, ("echo harm",)


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
