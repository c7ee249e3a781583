"""The archived bytes of a capture: content coding removed, named and typed so that they do no harm.

What archived servers claim is not believed: the type and the charset are decided by the bytes, and only HTML and plain
text are ever shown; everything else is a download.
"""

from __future__ import annotations

import codecs
import re
import sqlite3
import unicodedata
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from archive import http1
from archive.contents import entity_bytes, response_bytes
from archive.errors import DamagedRecordError, MissingRecordError
from archive.paths import located, warc_dir

HTML = "text/html"
TEXT = "text/plain"
BINARY = "application/octet-stream"
_SNIFFED = 64 * 1024
_CHARSET_SNIFFED = 1024 * 1024
_NAME_LIMIT = 120
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16le"), (codecs.BOM_UTF16_BE, "utf-16be"))
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*"
    r"<(?:!doctype\s+html|html|head|body|meta|title|base|link|script|style|table|div|center|font|span|p|h[1-6]|ul|form)\b",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"<(?:table|div|p|br|span|td|body|html|script)\b", re.IGNORECASE)
_BINARY_CHARACTERS = re.compile("[\x00-\x08\x0e-\x1a]")
_TEXT_TYPES = re.compile(r"text/|application/(?:json|javascript|x-javascript|xml)")
# What makes Chromium look up or connect to other hosts before it asks the policy: <link rel=preconnect>, <iframe src>,
# <meta http-equiv=x-dns-prefetch-control>, a link that is pressed. As unknown elements they mean nothing.
_HINTS = re.compile(r"<(/?)(?=(?:a|area|link|meta|i?frame|fencedframe|portal|object|embed)[\s/>])", re.IGNORECASE)
# Types that a download may be labelled with; the browser is told to save them whatever they are.
_DOWNLOADS = (
    (b"%PDF-", "application/pdf", ".pdf"),
    (b"PK\x03\x04", "application/zip", ".zip"),
    (b"\xd0\xcf\x11\xe0", "application/x-ole-storage", ".doc"),
    (b"\x89PNG", "image/png", ".png"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
    (b"GIF8", "image/gif", ".gif"),
)


class UnavailableError(Exception):
    """Raised when there is nothing to show; `status` is the HTTP status that says so, the message is for people."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Archived:
    """An entity, content coding removed, and its response's head. `charset` is "" unless it is HTML or text."""

    body: bytes
    media_type: str
    charset: str
    head: http1.Head

    @property
    def is_shown(self) -> bool:
        return self.media_type in (HTML, TEXT)


def archived(data_dir: Path, connection: sqlite3.Connection, capture_id: int) -> Archived:
    """The entity of a capture; for a revisit or a 304 that of the response it stands for. Raises UnavailableError."""
    try:
        head = http1.split_head(response_bytes(data_dir, connection, capture_id))
        if head is None:
            raise UnavailableError(HTTPStatus.NOT_FOUND, f"Capture {capture_id} holds no HTTP response.")
        body = entity_bytes(data_dir, connection, capture_id)
    except MissingRecordError as error:
        message = f"{error}: the WARC file was moved or deleted from {warc_dir(data_dir)}."
        raise UnavailableError(HTTPStatus.GONE, message) from error
    except (DamagedRecordError, OSError) as error:
        raise UnavailableError(HTTPStatus.INTERNAL_SERVER_ERROR, f"The record cannot be read: {error}") from error
    except http1.DecodingError as error:
        message = f"The content coding cannot be removed ({error}). The record itself is whole and can be downloaded."
        raise UnavailableError(HTTPStatus.UNPROCESSABLE_ENTITY, message) from error
    media_type, charset = classified(body, _declared_type(head))
    return Archived(body, media_type, charset, head)


def disarmed(source: str) -> str:
    """HTML to be shown: what is not held back by a policy is made an unknown element."""
    return _HINTS.sub(r"<\1gongkai-", source)


def record_group(data_dir: Path, warc_file: str, offset: int, end: int) -> bytes:
    """The stored bytes from `offset` to `end`: the records of one capture, a WARC file of their own."""
    # A name with a directory in it can only come from a tampered database.
    path = located(data_dir, warc_file) if Path(warc_file).name == warc_file else None
    if path is None:
        message = f"The WARC file {warc_file} is not in {warc_dir(data_dir)}: it was moved or deleted."
        raise UnavailableError(HTTPStatus.GONE, message)
    with path.open("rb") as handle:
        handle.seek(offset)
        stored = handle.read(end - offset)
    if len(stored) < end - offset:
        raise UnavailableError(HTTPStatus.INTERNAL_SERVER_ERROR, f"{warc_file} ends before byte {end}.")
    return stored


def _declared_type(head: http1.Head) -> str:
    value = head.get(b"content-type") or b""
    return value.decode("latin-1").partition(";")[0].strip().lower()


def classified(body: bytes, declared: str) -> tuple[str, str]:
    """(media type, charset): `text/html` and `text/plain` for what may be shown, others are to be saved."""
    for magic, media_type, _ in _DOWNLOADS:
        if body.startswith(magic):
            return media_type, ""
    charset = charset_of(body)
    start = body[:_SNIFFED].decode(charset, "replace").removeprefix("\ufeff")
    if _BINARY_CHARACTERS.search(start):
        return BINARY, ""
    if _HTML_START.match(start) or ("html" in declared and _TAG.search(start)):
        return HTML, charset
    if not body or _TEXT_TYPES.match(declared):
        return TEXT, charset
    return BINARY, ""


def charset_of(body: bytes) -> str:
    """`utf-8`, `gb18030` or what a byte order mark says, whatever the page calls itself.

    Pages that call themselves utf-8 and are GBK, and the reverse, are common; nothing else was met on the sites.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return name
    # GBK read as UTF-8 is mostly errors; UTF-8 with a character cut in two is not.
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(body[:_CHARSET_SNIFFED])
    errors = text.count("\ufffd")
    foreign = sum(not character.isascii() for character in text)
    return "utf-8" if errors * 10 <= foreign else "gb18030"


def file_name(preferred: str, url: str, body: bytes) -> str:
    """A name to save under: as the page shows it, else from the URL; without paths, control and direction marks."""
    name = _plain(preferred) or _plain(unquote(urlsplit(url).path.rpartition("/")[2], errors="replace")) or "capture"
    suffix = next((suffix for magic, _, suffix in _DOWNLOADS if body.startswith(magic)), "")
    return name if "." in name else name + suffix


def _plain(name: str) -> str:
    kept = "".join(" " if unicodedata.category(c) in ("Zl", "Zp", "Zs") else c for c in name)
    kept = "".join(c for c in kept if unicodedata.category(c)[0] != "C" and c not in '/\\:*?"<>|')
    return kept.strip(". ")[-_NAME_LIMIT:]


def content_disposition(name: str) -> str:
    """A download under `name`: an ASCII form for old clients and the full one (RFC 6266, RFC 5987)."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
