"""Closing a WARC file for good, in steps that can each be repeated after a crash.

    fsync, NAME.warc.gz.open → NAME.warc.gz, fsync of the directory, manifest line, index lines, the row in `warc_files`

The manifest has one JSON object per line: file, sha256, records, bytes; in the order in which files were closed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from archive.files import Files, write_atomically
from archive.index import add_to_index
from archive.paths import OPEN_SUFFIX, manifest_path, warc_dir
from archive.store import Store

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """What a sealed file was when it was sealed."""

    file: str
    sha256: str
    records: int
    bytes: int


def seal(data_dir: Path, store: Store, file_name: str, *, files: Files) -> None:
    """Seals a file whose every record the database knows. Steps already done are found done."""
    directory = warc_dir(data_dir)
    sealed, unsealed = directory / file_name, directory / (file_name + OPEN_SUFFIX)
    if unsealed.exists():
        handle = files.open_append(unsealed)
        try:
            handle.fdatasync()
        finally:
            handle.close()
        files.rename(unsealed, sealed)
        files.fsync_dir(directory)
    record_count = store.connection.execute(
        "SELECT records FROM warc_files WHERE file_name = ?", (file_name,)
    ).fetchone()[0]
    line = ManifestLine(file_name, file_sha256(sealed), record_count, sealed.stat().st_size)
    add_to_manifest(data_dir, line, files=files)
    add_to_index(data_dir, store.connection, file_name, files=files)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE warc_files SET state = 'sealed', sha256 = ?, bytes = ? WHERE file_name = ?",
            (line.sha256, line.bytes, file_name),
        )


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while piece := handle.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def manifest(data_dir: Path) -> list[ManifestLine]:
    """The manifest's lines; [] when there is none. A line that is no JSON object of ours is left out."""
    return [line for line in _lines(data_dir) if isinstance(line, ManifestLine)]


def manifest_problems(data_dir: Path) -> list[str]:
    """Lines of the manifest that cannot be read, as texts that say why."""
    return [line for line in _lines(data_dir) if isinstance(line, str)]


def add_to_manifest(data_dir: Path, line: ManifestLine, *, files: Files) -> None:
    """Adds a line unless the file has one; the old manifest stands until the new one is whole."""
    path = manifest_path(data_dir)
    if any(known.file == line.file for known in manifest(data_dir)):
        return
    old = path.read_bytes() if path.exists() else b""
    new = json.dumps(asdict(line), ensure_ascii=False).encode() + b"\n"
    write_atomically(files, path, [old + (b"" if not old or old.endswith(b"\n") else b"\n") + new])


def _lines(data_dir: Path) -> Iterator[ManifestLine | str]:
    path = manifest_path(data_dir)
    if not path.exists():
        return
    for number, text in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        try:
            fields = json.loads(text)
            yield ManifestLine(str(fields["file"]), str(fields["sha256"]), int(fields["records"]), int(fields["bytes"]))
        except (ValueError, KeyError, TypeError) as error:
            yield f"line {number} is not a manifest line: {error!r}"
