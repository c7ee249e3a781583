"""WARC/1.1 files: writing one, reading a record back, walking through any.

A file is `NAME.warc.gz.open` while records are added: one gzip member per record, in batches, each batch made durable
before the database hears of it. archive/seal.py closes it.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from archive.files import AppendFile, Files
from archive.paths import OPEN_SUFFIX, warc_dir
from archive.reader import Located, Record, read_record, records
from archive.records import WarcRecord, member, new_record_id, warc_fields
from archive.times import Clock, instant

__all__ = ["Located", "Record", "WarcWriter", "read_record", "records"]

CONFORMS_TO = "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"


@dataclass(frozen=True, slots=True)
class Origin:
    """What the warcinfo record of every file says."""

    run_id: str
    software: str
    settings_digest: str = ""
    host: str = ""


class WarcWriter:
    """Writes WARC files one after the other into a data directory's `warc/`."""

    def __init__(self, data_dir: Path, origin: Origin, *, files: Files, clock: Clock) -> None:
        self._directory = warc_dir(data_dir)
        self._origin = origin
        self._files = files
        self._clock = clock
        self._serial = 0
        self._handle: AppendFile | None = None
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self.file_name = ""
        self.records = 0

    @property
    def is_open(self) -> bool:
        return self._handle is not None

    @property
    def position(self) -> int:
        """Where the next record will begin."""
        return (self._handle.position if self._handle else 0) + self._waiting_bytes

    def open(self) -> None:
        """Starts a new file; its name and its warcinfo record become durable with the next `flush`."""
        self._files.make_dir(self._directory)
        self.file_name = self._new_name()
        self._serial += 1
        self.records = 0
        self._handle = self._files.open_append(self._directory / (self.file_name + OPEN_SUFFIX))
        self._files.fsync_dir(self._directory)
        fields = {
            "software": self._origin.software,
            "format": "WARC File Format 1.1",
            "conformsTo": CONFORMS_TO,
            "hostname": self._origin.host,
            "isPartOf": self._origin.run_id,
            "settingsDigest": self._origin.settings_digest,
        }
        block = warc_fields({name: value for name, value in fields.items() if value})
        date = instant(self._clock())
        headers = (("WARC-Filename", self.file_name),)
        self.add(WarcRecord("warcinfo", new_record_id(), date, None, "application/warc-fields", block, headers))

    def add(self, record: WarcRecord) -> tuple[int, int]:
        """Puts a record into the batch; returns the offset and length that it will have."""
        offset, stored = self.position, member(record)
        self._waiting.append(stored)
        self._waiting_bytes += len(stored)
        self.records += 1
        return offset, len(stored)

    def flush(self) -> None:
        """Writes the batch and returns once it is durable. Raises OSError; then the file's end is undefined."""
        if self._handle is None or not self._waiting:
            return
        batch = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        self._handle.write(batch)
        self._handle.fdatasync()

    def close(self) -> None:
        """Lets go of the file as it is; sealing is another's."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _new_name(self) -> str:
        stamp = self._clock().astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        host = re.sub(r"[^A-Za-z0-9_.]", "_", self._origin.host or socket.gethostname())
        return f"gongkai-{stamp}-{host}-{os.getpid()}-{secrets.token_hex(4)}-{self._serial:05d}.warc.gz"
