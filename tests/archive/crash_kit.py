"""A file layer that can be stopped at any step, and one that forgets what was not made durable.

Steps are counted over file operations and database commits alike. `Killed` derives from BaseException, as SIGKILL would
not be caught either; whoever catches it drops the process's objects and starts anew from what is on disk.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from archive.files import AppendFile, DiskFiles
from archive.store import Store

When = Literal["before", "torn", "after"]


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Steps:
    """Counts steps and kills at one of them: before it, in the middle of a write, or after it."""

    kill_at: int | None = None
    when: When = "before"
    names: list[str] = field(default_factory=list)

    def take(self, name: str, action: Callable[[], None], torn: Callable[[], None] | None = None) -> None:
        number = len(self.names)
        self.names.append(name)
        if number != self.kill_at:
            action()
            return
        if self.when == "torn" and torn is not None:
            torn()
        if self.when == "after":
            action()
        raise Killed(f"{self.when} step {number}: {name}")


class SteppedHandle:
    def __init__(self, handle: AppendFile, steps: Steps, name: str) -> None:
        self._handle, self._steps, self._name = handle, steps, name

    @property
    def position(self) -> int:
        return self._handle.position

    def write(self, data: bytes) -> None:
        self._steps.take(
            f"write {self._name}",
            lambda: self._handle.write(data),
            lambda: self._handle.write(data[: len(data) * 2 // 3]),
        )

    def fdatasync(self) -> None:
        self._steps.take(f"fdatasync {self._name}", self._handle.fdatasync)

    def close(self) -> None:
        self._handle.close()


class SteppedFiles(DiskFiles):
    """The disk, in countable steps and without waiting for it."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def open_append(self, path: Path) -> AppendFile:
        opened: list[AppendFile] = []
        self.steps.take(f"open {path.suffix}", lambda: opened.append(QuickHandle(DiskFiles.open_append(self, path))))
        return SteppedHandle(opened[0], self.steps, path.suffix)

    def truncate(self, path: Path, length: int) -> None:
        self.steps.take("truncate", lambda: DiskFiles.truncate(self, path, length))

    def rename(self, source: Path, target: Path) -> None:
        self.steps.take(f"rename {source.suffix}", lambda: DiskFiles.rename(self, source, target))

    def fsync_dir(self, path: Path) -> None:
        self.steps.take("fsync_dir", lambda: None)


class QuickHandle:
    """A file that is not waited for: what a killed process wrote stays written."""

    def __init__(self, handle: AppendFile) -> None:
        self._handle = handle

    @property
    def position(self) -> int:
        return self._handle.position

    def write(self, data: bytes) -> None:
        self._handle.write(data)

    def fdatasync(self) -> None:
        pass

    def close(self) -> None:
        self._handle.close()


class SteppedStore(Store):
    """A store whose commits are steps. What is committed survives the loss of power, as synchronous = FULL has it."""

    steps: Steps | None = None

    def _commit(self) -> None:
        if self.steps is None:
            super()._commit()
        else:
            self.steps.take("commit", super()._commit)


class LossyHandle:
    def __init__(self, files: LossyFiles, handle: AppendFile, path: Path) -> None:
        self._files, self._handle, self._path = files, handle, path

    @property
    def position(self) -> int:
        return self._handle.position

    def write(self, data: bytes) -> None:
        self._files.unsynced.setdefault(self._path, []).append((self._handle.position, data))
        self._handle.write(data)

    def fdatasync(self) -> None:
        self._handle.fdatasync()
        self._files.unsynced.pop(self._path, None)

    def close(self) -> None:
        self._handle.close()


class LossyFiles(SteppedFiles):
    """The disk with a volatile cache: `lose_power` keeps any part of what was not made durable, as `random` has it."""

    def __init__(self, steps: Steps) -> None:
        super().__init__(steps)
        self.unsynced: dict[Path, list[tuple[int, bytes]]] = {}
        self.names: list[tuple[Path, Path | None, bytes | None]] = []

    def open_append(self, path: Path) -> AppendFile:
        if not path.exists():
            self.names.append((path, None, None))
        handle = super().open_append(path)
        return LossyHandle(self, handle, path)

    def rename(self, source: Path, target: Path) -> None:
        replaced = target.read_bytes() if target.exists() else None
        super().rename(source, target)
        self.names.append((target, source, replaced))

    def fsync_dir(self, path: Path) -> None:
        super().fsync_dir(path)
        self.names = [entry for entry in self.names if entry[0].parent != path]

    def lose_power(self, chance: random.Random) -> None:
        for path, writes in self.unsynced.items():
            if not path.exists():
                continue
            start = writes[0][0]
            content = bytearray(path.read_bytes()[:start])
            for offset, data in writes:
                # Pages of one write may arrive without each other.
                for place in range(0, len(data), 512):
                    if chance.random() < 0.5:
                        page = data[place : place + 512]
                        content.extend(bytes(max(0, offset + place + len(page) - len(content))))
                        content[offset + place : offset + place + len(page)] = page
            path.write_bytes(content)
        for path, source, replaced in reversed(self.names):
            if not path.exists() or chance.random() < 0.5:
                continue
            if source is not None:
                path.rename(source)
                if replaced is not None:
                    path.write_bytes(replaced)
            else:
                path.unlink()
