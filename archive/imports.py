"""Files of other tools on their way into `warc/`: kept byte for byte where they are compressed record by record.

    FILE → survey → warc/imported-DIGEST-NAME.warc.gz

What comes as one gzip stream or uncompressed is put into one gzip member per record, each record with its bytes as they
are. ARC, what archives were written in before 2009, is rewritten as WARC by warcio. Parts that cannot be read are left
out. A file rewritten or read in part is kept whole in `warc/quarantine/` besides. The name is made of the file's
sha256, so that the same file has the same name always.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from isal import igzip_lib
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.warcwriter import WARCWriter

from archive.errors import ForeignFileError
from archive.files import Files, write_atomically
from archive.model import Finding
from archive.paths import IMPORTED_PREFIX, importing_dir, quarantine_dir, warc_dir
from archive.reader import GZIP_MAGIC, holds_several, records, unpacked
from archive.records import GZIP_LEVEL

# A record beyond this is not taken for a document, and never held in memory.
RECORD_LIMIT = 256 * 1024 * 1024
# Text shrinks ten- to thirtyfold; a file that shrinks more is a bomb.
UNPACKED_RATIO = 200
UNPACKED_FLOOR = 64 * 1024 * 1024
_PIECE = 1024 * 1024

Container = Literal["members", "stream", "plain", "arc"]
ARC_MAGIC = b"filedesc://"


@dataclass(frozen=True, slots=True)
class Copied:
    """A file that now lies in `warc/`, durable. `sha256` and `bytes` are those of the file as it came."""

    warc_file: str
    source: str
    sha256: str
    bytes: int
    container: Container
    findings: tuple[Finding, ...]


def copy_in(path: Path, source: str, sha256: str, data_dir: Path, *, files: Files) -> Copied:
    """Brings a WARC file into the data directory under a name of its own; doing it again changes nothing.

    `source` is what the file is called where it came from: data, never a path. Raises ForeignFileError when it is no
    WARC file or holds no whole record, OSError when it cannot be read or the copy not be written.
    """
    container = _container(path, source)
    problems: list[tuple[int, str]] = []
    places = _places(path, problems) if container == "members" else None
    if places is None:
        container = "stream" if container == "members" else container
        plain = path if container == "plain" else _plain_warc(path, container, data_dir, problems, files)
        places = _places(plain, problems) or []
        pieces = _compressed(plain, places)
    else:
        pieces = _slices(path, places) if problems else _verbatim(path, sha256, source)
    if not places:
        raise ForeignFileError(f"{source}: holds no whole WARC record")
    target = warc_dir(data_dir) / _stored_name(sha256, source)
    files.make_dir(target.parent)
    if problems or container == "arc":
        files.make_dir(quarantine_dir(data_dir))
        kept = quarantine_dir(data_dir) / f"{target.name}.original"
        write_atomically(files, kept, _verbatim(path, sha256, source))
    write_atomically(files, target, pieces)
    findings = tuple(
        Finding("warning", "import_damaged", f"{source} at byte {offset}: {problem}; the file is kept in quarantine")
        for offset, problem in problems
    )
    return Copied(target.name, source, sha256, path.stat().st_size, container, findings)


def _container(path: Path, source: str) -> Container:
    with path.open("rb") as handle:
        start = handle.read(16)
    if start.startswith(ARC_MAGIC) or (start.startswith(GZIP_MAGIC) and _is_packed_arc(path)):
        return "arc"
    if start.startswith(GZIP_MAGIC):
        return "stream" if holds_several(path) else "members"
    if start.startswith(b"WARC/"):
        return "plain"
    what = "is empty" if not start else f"begins with {start[:8]!r}"
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        what = "is compressed with zstd, which is not read"
    raise ForeignFileError(f"{source}: expected a WARC or WACZ file, but it {what}")


def _places(path: Path, problems: list[tuple[int, str]]) -> list[tuple[int, int]] | None:
    """Offset and length of every whole record; None when the file turns out not to be compressed record by record."""
    found = []
    for located in records(path, limit=RECORD_LIMIT):
        if located.record is None:
            problems.append((located.offset, located.problem or "no record"))
        elif not located.is_addressable:
            problems.clear()
            return None
        else:
            found.append((located.offset, located.length))
    return found


def _is_packed_arc(path: Path) -> bool:
    try:
        with gzip.open(path) as handle:
            return handle.read(len(ARC_MAGIC)) == ARC_MAGIC
    except (OSError, EOFError, zlib.error):
        return False


def _plain_warc(
    path: Path, container: Container, data_dir: Path, problems: list[tuple[int, str]], files: Files
) -> Path:
    """The file's records in one uncompressed WARC file, for the time of the import."""
    plain = importing_dir(data_dir) / "stream.warc"
    files.make_dir(plain.parent)
    limit = max(UNPACKED_FLOOR, path.stat().st_size * UNPACKED_RATIO)
    pieces = _rewritten(path, problems, limit) if container == "arc" else unpacked(path, problems, limit=limit)
    write_atomically(files, plain, pieces)
    return plain


def _rewritten(path: Path, problems: list[tuple[int, str]], limit: int) -> Iterator[bytes]:
    """The records of an ARC file as WARC records, their HTTP messages byte for byte."""
    written = 0
    with path.open("rb") as handle:
        iterator = ArchiveIterator(handle, arc2warc=True, no_record_parse=True)
        try:
            for record in iterator:
                out = BytesIO()
                WARCWriter(out, gzip=False).write_record(record)
                written += out.tell()
                if written > limit:
                    problems.append((iterator.offset, f"more than {limit} bytes when unpacked"))
                    return
                yield out.getvalue()
        except (ArchiveLoadFailed, EOFError, ValueError, zlib.error) as error:
            problems.append((iterator.offset, f"no ARC record: {error}"))


def _verbatim(path: Path, sha256: str, source: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while piece := handle.read(_PIECE):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != sha256:
        raise ForeignFileError(f"{source}: changed while it was read; import it again")


def _slices(path: Path, places: list[tuple[int, int]]) -> Iterator[bytes]:
    with path.open("rb") as handle:
        for offset, length in places:
            handle.seek(offset)
            yield handle.read(length)


def _compressed(path: Path, places: list[tuple[int, int]]) -> Iterator[bytes]:
    for raw in _slices(path, places):
        yield igzip_lib.compress(raw, GZIP_LEVEL, igzip_lib.COMP_GZIP)


def _stored_name(sha256: str, source: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", source.rpartition("/")[2])
    stem = re.sub(r"(?:\.w?arc)?(?:\.gz)?$", "", stem, flags=re.IGNORECASE).strip("._-")[:60]
    return f"{IMPORTED_PREFIX}{sha256[:16]}-{stem or 'unnamed'}.warc.gz"
