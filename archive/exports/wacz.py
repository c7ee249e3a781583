"""WACZ 1.1.1: what was captured of one site in one year, as one file that replay tools open and archives take in.

The records are copied byte for byte out of sealed WARC files. A capture that refers to an earlier one takes it along,
so that every page replays. The same captures give the same bytes. https://specs.webrecorder.net/wacz/1.1.1/
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sqlite3
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError
from archive.exports.export import ExportedFile, whole
from archive.exports.tables import Selection
from archive.index import surt
from archive.paths import database_path, no_database, warc_dir
from archive.records import WarcRecord, member, warc_fields
from archive.seal import file_sha256

WACZ_VERSION = "1.1.1"
INDEX_BLOCK = 3000
# File systems take 255 bytes; a Chinese character has three.
_LONGEST_STEM = 64
_WARC = "archive/data.warc.gz"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
# For names of records that are made of what they are about.
_NAMESPACE = uuid.UUID("5a0f3c1e-6f5b-5d3e-9a57-7f3a6a1b2c4d")

_PACKAGES = """
SELECT f.site, CAST(substr(e.captured_at, 1, 4) AS INTEGER) AS year, count(*)
FROM exchanges e JOIN frontier f ON f.frontier_id = e.frontier_id JOIN warc_files w ON w.warc_id = e.warc_id
WHERE e.http_status IS NOT NULL AND w.state = 'sealed' GROUP BY 1, 2 ORDER BY 1, 2
"""
_CAPTURES = """
WITH own AS (
    SELECT e.capture_id, e.refers_to FROM exchanges e JOIN frontier f ON f.frontier_id = e.frontier_id
    WHERE f.site = ? AND substr(e.captured_at, 1, 4) = ? AND e.http_status IS NOT NULL)
SELECT e.capture_id, u.url, e.captured_at, e.outcome, e.http_status, e.media_type, p.digest, w.file_name, e.warc_offset,
    e.warc_length, e.metadata_offset + e.metadata_length, f.role, f.anchor
FROM exchanges e
JOIN urls u ON u.url_id = e.url_id
JOIN frontier f ON f.frontier_id = e.frontier_id
JOIN warc_files w ON w.warc_id = e.warc_id AND w.state = 'sealed'
LEFT JOIN payloads p ON p.payload_id = e.payload_id
WHERE e.capture_id IN (SELECT capture_id FROM own UNION SELECT refers_to FROM own)
ORDER BY e.capture_id
"""


@dataclass(frozen=True, slots=True)
class _Capture:
    capture_id: int
    url: str
    captured_at: str
    outcome: str
    status: int | None
    media_type: str | None
    digest: str | None
    warc_file: str
    offset: int
    length: int
    end: int
    role: str
    title: str

    @property
    def timestamp(self) -> str:
        return "".join(character for character in self.captured_at if character.isdigit())[:14]


@dataclass(frozen=True, slots=True)
class _Member:
    """A file of the package, as datapackage.json names it."""

    path: str
    sha256: str
    bytes: int

    def resource(self) -> dict[str, Any]:
        name = self.path.rpartition("/")[2]
        return {"name": name, "path": self.path, "hash": f"sha256:{self.sha256}", "bytes": self.bytes}


def export_wacz(
    data_dir: Path,
    to: Path,
    *,
    selection: Selection | None = None,
    advance: Callable[[str, int], object] = lambda *_: None,
) -> list[ExportedFile]:
    """A file `SITE-YEAR.wacz` for every site and year of capture. Raises ArchiveError, OSError."""
    path = database_path(data_dir)
    if not path.is_file():
        raise ArchiveError(no_database(data_dir))
    chosen = selection or Selection()
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    found = []
    try:
        connection.execute("BEGIN")
        for site, year, count in connection.execute(_PACKAGES).fetchall():
            if (chosen.sites and site not in chosen.sites) or (chosen.years and year not in chosen.years):
                continue
            to.mkdir(parents=True, exist_ok=True)
            target = to / f"{_file_stem(site)}-{year}.wacz"
            with whole(target) as temporary:
                captures = [_Capture(*row) for row in connection.execute(_CAPTURES, (site, str(year)))]
                _pack(temporary, captures, warc_dir(data_dir), f"{site} {year}")
            advance(target.name, count)
            found.append(ExportedFile(target.name, count, target.stat().st_size, file_sha256(target)))
    finally:
        connection.close()
    if chosen and not found:
        raise ArchiveError(f"nothing was captured of {chosen}; `gongkai status` lists sites")
    return found


def _file_stem(site: str) -> str:
    """The site's name as a file may be called: an imported archive may hold any text as the name of a site."""
    plain = re.sub(r"[^\w.-]+", "_", site)[:_LONGEST_STEM].lstrip(".")
    return plain if plain == site else f"{plain}-{hashlib.sha256(site.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _pack(path: Path, captures: list[_Capture], folder: Path, title: str) -> None:
    created = f"{max(capture.captured_at for capture in captures)[:19]}Z"
    with zipfile.ZipFile(path, "w") as package:
        warc, lines = _records(package, captures, folder, title, created)
        index, blocks = _compressed_index(sorted(lines))
        members = [
            warc,
            _add(package, "indexes/index.cdx.gz", index),
            _add(package, "indexes/index.idx", blocks),
            _add(package, "pages/pages.jsonl", _pages(captures)),
        ]
        tree = {
            "profile": "data-package",
            "wacz_version": WACZ_VERSION,
            "software": f"gongkai {version('gongkai')}",
            "title": title,
            "created": created,
            "resources": [one.resource() for one in members],
        }
        described = _json(tree)
        _add(package, "datapackage.json", described)
        digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(described).hexdigest()}"}
        _add(package, "datapackage-digest.json", _json(digest))


def _records(
    package: zipfile.ZipFile, captures: list[_Capture], folder: Path, title: str, created: str
) -> tuple[_Member, list[str]]:
    """The WARC file of the package, and its index lines."""
    digest, position = hashlib.sha256(), 0
    lines: list[str] = []
    with package.open(_info(_WARC), "w", force_zip64=True) as out:
        for capture, stored in _stored(captures, folder, title, created):
            if capture is not None:
                lines += _index_line(capture, position)
            out.write(stored)
            digest.update(stored)
            position += len(stored)
    return _Member(_WARC, digest.hexdigest(), position), lines


def _stored(
    captures: list[_Capture], folder: Path, title: str, created: str
) -> Iterator[tuple[_Capture | None, bytes]]:
    """The bytes of a warcinfo record and of each capture's records."""
    block = warc_fields(
        {"software": f"gongkai {version('gongkai')}", "format": "WARC File Format 1.1", "isPartOf": title}
    )
    record_id = f"<urn:uuid:{uuid.uuid5(_NAMESPACE, f'{title} {created}')}>"
    headers = (("WARC-Filename", "data.warc.gz"),)
    yield None, member(WarcRecord("warcinfo", record_id, created, None, "application/warc-fields", block, headers))
    for capture in captures:
        with (folder / capture.warc_file).open("rb") as handle:
            handle.seek(capture.offset)
            stored = handle.read(capture.end - capture.offset)
        if len(stored) < capture.end - capture.offset:
            raise ArchiveError(f"{capture.warc_file}: expected records up to byte {capture.end}, the file ends before")
        yield capture, stored


def _index_line(capture: _Capture, offset: int) -> list[str]:
    """One line of CDXJ; none for a 304, which a replay tool would show as an empty page."""
    if capture.outcome == "not_modified" or capture.digest is None:
        return []
    fields = {
        "url": capture.url,
        "mime": "warc/revisit" if capture.outcome == "revisit" else (capture.media_type or "unk"),
        "status": str(capture.status or 200),
        "digest": capture.digest,
        "length": str(capture.length),
        "offset": str(offset),
        "filename": "data.warc.gz",
    }
    return [f"{surt(capture.url)} {capture.timestamp} {json.dumps(fields)}\n"]


def _compressed_index(lines: list[str]) -> tuple[bytes, bytes]:
    """The lines in blocks compressed one by one, and where each block begins."""
    packed = b""
    blocks = ['!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}\n']
    for start in range(0, len(lines), INDEX_BLOCK):
        block = gzip.compress("".join(lines[start : start + INDEX_BLOCK]).encode(), mtime=0)
        digest = f"sha256:{hashlib.sha256(block).hexdigest()}"
        place = {"offset": len(packed), "length": len(block), "digest": digest, "filename": "index.cdx.gz"}
        blocks.append(f"{' '.join(lines[start].split(' ', 2)[:2])} {json.dumps(place)}\n")
        packed += block
    return packed or gzip.compress(b"", mtime=0), "".join(blocks).encode()


def _pages(captures: list[_Capture]) -> bytes:
    lines = ['{"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}']
    for capture in captures:
        if capture.role in ("page", "list") and capture.outcome in ("ok", "revisit"):
            page = {
                "id": str(uuid.uuid5(_NAMESPACE, f"{capture.url} {capture.captured_at}")),
                "url": capture.url,
                "ts": f"{capture.captured_at[:19]}Z",
                "title": capture.title or capture.url,
            }
            lines.append(json.dumps(page, ensure_ascii=False))
    return ("\n".join(lines) + "\n").encode()


def _add(package: zipfile.ZipFile, path: str, data: bytes) -> _Member:
    package.writestr(_info(path), data)
    return _Member(path, hashlib.sha256(data).hexdigest(), len(data))


def _info(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _EARLIEST)
    info.external_attr = 0o644 << 16
    return info


def _json(tree: dict[str, Any]) -> bytes:
    return (json.dumps(tree, ensure_ascii=False, indent=1) + "\n").encode()
