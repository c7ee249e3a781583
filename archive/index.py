"""index.cdxj: one line per response of every sealed file, sorted, as pywb and other CDXJ readers take it.

    com,example)/path?query 20260102030405 {"url": …, "mime": …, "status": …, "digest": …, "length": …, …}

server-not-modified revisits are left out: a replay tool would show an empty page for them. Lines come from the
database, so that the index can be made again at any time.
"""

from __future__ import annotations

import heapq
import json
import posixpath
import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from archive.files import Files, write_atomically
from archive.paths import index_path

_PIECE_LINES = 4096
_DEFAULT_PORTS = {"http": 80, "https": 443}
_WWW = re.compile(r"^www\d*\.")
_SESSION_ID = re.compile(r"(?:jsessionid|phpsessid|sid)=[0-9a-z]{32}(?:&|$)")

_ROWS = """
SELECT u.url, e.captured_at, e.media_type, e.http_status, p.digest, e.warc_length, e.warc_offset, e.outcome,
    f.method, f.body
FROM exchanges e
JOIN warc_files w ON w.warc_id = e.warc_id
JOIN urls u ON u.url_id = e.url_id
JOIN frontier f ON f.frontier_id = e.frontier_id
JOIN payloads p ON p.payload_id = e.payload_id
WHERE w.file_name = ? AND e.outcome <> 'not_modified' AND (e.http_status IS NOT NULL OR e.outcome = 'ok')
"""


def surt(url: str) -> str:
    """The sort-friendly key of a URL: host parts reversed, `www` and default ports dropped, query parameters sorted."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return url
    if not host:
        return url
    host = _WWW.sub("", host)
    key = host if ":" in host else ",".join(reversed(host.split(".")))
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme.lower()):
        key += f":{port}"
    path = _escaped(parts.path)
    path = posixpath.normpath(path).replace("//", "/") if path else "/"
    query = "&".join(sorted(_SESSION_ID.sub("", _escaped(parts.query)).split("&")))
    return f"{key}){path}" + (f"?{query}" if query else "")


def _escaped(text: str) -> str:
    """In lower case, with exactly those bytes percent-encoded that need it."""
    return "".join(
        f"%{byte:02x}" if byte <= 0x20 or byte >= 0x7F or byte in b"#%" else chr(byte)
        for byte in unquote_to_bytes(text.encode("utf-8", "surrogatepass"))
    ).lower()


def index_lines(connection: sqlite3.Connection, file_name: str) -> list[str]:
    """The sorted lines of one WARC file."""
    lines = []
    for url, captured_at, media_type, status, digest, length, offset, outcome, method, body in connection.execute(
        _ROWS, (file_name,)
    ):
        timestamp = re.sub(r"\D", "", captured_at)[:14]
        fields = {
            "url": url,
            "mime": "warc/revisit" if outcome == "revisit" else (media_type or "unk"),
            # A file that another tool stored without HTTP is replayed as if it had been answered.
            "status": str(status or 200),
            "digest": digest,
            "length": str(length),
            "offset": str(offset),
            "filename": file_name,
        }
        lines.append(
            f"{surt(_with_body(url, method, bytes(body)))} {timestamp} {json.dumps(fields, ensure_ascii=True)}\n"
        )
    return sorted(lines)


def _with_body(url: str, method: str, body: bytes) -> str:
    """The URL under which replay tools look for a POST: its method and form fields appended to the query."""
    if method == "GET":
        return url
    form = body.decode("latin-1")
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}__wb_method={method}" + (f"&{form}" if form else "")


def add_to_index(data_dir: Path, connection: sqlite3.Connection, file_name: str, *, files: Files) -> None:
    """Merges the lines of a file into the index; doing it again changes nothing."""
    _merge(data_dir, [index_lines(connection, file_name)], without=file_name, files=files)


def rebuild_index(data_dir: Path, connection: sqlite3.Connection, *, files: Files) -> None:
    """Makes the index anew from the database."""
    names = [name for (name,) in connection.execute("SELECT file_name FROM warc_files WHERE state = 'sealed'")]
    write_atomically(
        files, index_path(data_dir), _pieces(heapq.merge(*(index_lines(connection, name) for name in names)))
    )


def _merge(data_dir: Path, additions: list[list[str]], *, without: str, files: Files) -> None:
    path = index_path(data_dir)
    mark = f'"filename": {json.dumps(without)}'
    if not path.exists():
        write_atomically(files, path, _pieces(heapq.merge(*additions)))
        return
    with path.open(encoding="utf-8") as handle:
        kept = (line for line in handle if mark not in line)
        write_atomically(files, path, _pieces(heapq.merge(kept, *additions)))


def _pieces(lines: Iterable[str]) -> Iterator[bytes]:
    held: list[str] = []
    for line in lines:
        held.append(line)
        if len(held) >= _PIECE_LINES:
            yield "".join(held).encode()
            held.clear()
    yield "".join(held).encode()
