"""WARC files out of a WACZ file: a zip whose `archive/` holds them and whose datapackage.json says their digests.

Nothing is unpacked under a name that the zip gives. https://specs.webrecorder.net/wacz/1.1.1/
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.errors import ForeignFileError
from archive.files import Files, write_atomically
from archive.imports import UNPACKED_FLOOR, UNPACKED_RATIO
from archive.seal import file_sha256

MAGIC = b"PK\x03\x04"
MEMBER_LIMIT = 10_000
_DATAPACKAGE = "datapackage.json"
_DATAPACKAGE_LIMIT = 16 * 1024 * 1024
_END_LENGTH = 22
_COMMENT_LIMIT = 65_535
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A WARC file of a WACZ. `path` is None when `problem` says why it could not be had."""

    name: str
    path: Path | None
    problem: str | None = None


def is_wacz(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(len(MAGIC)) == MAGIC


def warc_files(path: Path, folder: Path, *, files: Files) -> Iterator[Unpacked]:
    """Each WARC file of a WACZ in turn, unpacked into `folder` in the place of the one before.

    Raises ForeignFileError when it is no zip that can be read, or not a safe one.
    """
    _refuse_crowds(path)
    try:
        with zipfile.ZipFile(path) as package:
            members = package.infolist()
            if sum(member.compress_size for member in members) > path.stat().st_size:
                raise ForeignFileError(f"{path.name}: the members of the zip lie over each other")
            digests = _digests(package)
            found = [m for m in members if m.filename.startswith("archive/") and not m.is_dir()]
            warcs = [m for m in found if m.filename.lower().endswith((".warc", ".warc.gz"))]
            if not warcs:
                raise ForeignFileError(f"{path.name}: expected WARC files in the archive/ of a WACZ, found none")
            for member in warcs:
                yield _unpacked(package, member, digests, folder, files)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ForeignFileError(f"{path.name}: cannot be read as a WACZ ({error})") from error


def _refuse_crowds(path: Path) -> None:
    """The number of members stands at the end of the file; reading their list would take memory for each."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        handle.seek(max(0, size - _END_LENGTH - _COMMENT_LIMIT))
        tail = handle.read()
    end = tail.rfind(b"PK\x05\x06")
    count = int.from_bytes(tail[end + 10 : end + 12], "little") if end >= 0 else 0
    if count > MEMBER_LIMIT:
        raise ForeignFileError(f"{path.name}: expected at most {MEMBER_LIMIT} members, found {count} or more")


def _unpacked(
    package: zipfile.ZipFile, member: zipfile.ZipInfo, digests: dict[str, str], folder: Path, files: Files
) -> Unpacked:
    if member.flag_bits & 1:
        return Unpacked(member.filename, None, "is encrypted")
    if member.file_size > max(UNPACKED_FLOOR, member.compress_size * UNPACKED_RATIO):
        return Unpacked(member.filename, None, f"unpacks to {member.file_size} bytes from {member.compress_size}")
    files.make_dir(folder)
    target = folder / "member.warc"
    try:
        with package.open(member) as stream:
            write_atomically(files, target, iter(lambda: stream.read(_PIECE), b""))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        return Unpacked(member.filename, None, f"cannot be unpacked ({error})")
    declared = digests.get(member.filename, "")
    found = f"sha256:{file_sha256(target)}"
    if declared.startswith("sha256:") and declared != found:
        return Unpacked(member.filename, target, f"datapackage.json says {declared}, the file has {found}")
    return Unpacked(member.filename, target)


def _digests(package: zipfile.ZipFile) -> dict[str, str]:
    """Path → digest, as far as datapackage.json says them."""
    try:
        if package.getinfo(_DATAPACKAGE).file_size > _DATAPACKAGE_LIMIT:
            return {}
        resources = json.loads(package.read(_DATAPACKAGE))["resources"]
        return {str(resource["path"]): str(resource["hash"]) for resource in resources}
    except (KeyError, TypeError, ValueError, RecursionError, zipfile.BadZipFile, zlib.error):
        return {}
