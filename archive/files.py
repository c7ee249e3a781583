"""Every write to WARC, index and manifest files goes through here, so that a test can stop it or lose it at any step.

`DiskFiles` is the real thing. What counts as done is what `fdatasync` (contents) or `fsync_dir` (names) has returned
from.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol


class AppendFile(Protocol):
    """An open file that only grows. `position` is where the next byte goes."""

    position: int

    def write(self, data: bytes) -> None: ...
    def fdatasync(self) -> None: ...
    def close(self) -> None: ...


class Files(Protocol):
    """The file operations that the archive performs; all raise OSError."""

    def open_append(self, path: Path) -> AppendFile: ...
    def truncate(self, path: Path, length: int) -> None: ...
    def rename(self, source: Path, target: Path) -> None: ...
    def fsync_dir(self, path: Path) -> None: ...
    def make_dir(self, path: Path) -> None: ...
    def remove_temporary(self, path: Path) -> None: ...


class DiskAppendFile:
    """Appends to a file of the disk; a short write is continued until all bytes are taken."""

    __slots__ = ("_descriptor", "position")

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o644)
        self.position = os.fstat(self._descriptor).st_size

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            taken = os.write(self._descriptor, view)
            self.position += taken
            view = view[taken:]

    def fdatasync(self) -> None:
        getattr(os, "fdatasync", os.fsync)(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


class DiskFiles:
    """The operating system's files."""

    def open_append(self, path: Path) -> AppendFile:
        return DiskAppendFile(path)

    def truncate(self, path: Path, length: int) -> None:
        descriptor = os.open(path, os.O_WRONLY)
        try:
            os.ftruncate(descriptor, length)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        source.replace(target)

    def fsync_dir(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def make_dir(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def remove_temporary(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def write_atomically(files: Files, path: Path, pieces: Iterable[bytes]) -> None:
    """`path` holds either its old contents or all of `pieces`, whatever happens in between."""
    temporary = path.with_name(path.name + ".new")
    files.remove_temporary(temporary)
    handle = files.open_append(temporary)
    try:
        for piece in pieces:
            handle.write(piece)
        handle.fdatasync()
    finally:
        handle.close()
    files.rename(temporary, path)
    files.fsync_dir(path.parent)
