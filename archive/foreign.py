"""What a record written by another tool means to us.

wget, Heritrix, warcprox, browsertrix, pywb and Common Crawl agree on `response`; they differ in everything else:
revisits with and without a head, files as `resource`, URIs in angle brackets, dates with and without decimals.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from archive import http1
from archive.model import Role
from archive.reader import Record
from archive.records import PROFILE_IDENTICAL, PROFILE_NOT_MODIFIED

# What tools put in the place of a WARC/1.1 profile: WARC/1.0's, and that of Heritrix for the same payload elsewhere.
_PROFILE_NAMES = (("server-not-modified", PROFILE_NOT_MODIFIED), ("identical-payload-digest", PROFILE_IDENTICAL))
_HTTP = re.compile(r"https?://[^/\s]", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|meta|table)\b", re.IGNORECASE)
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"})
# PDF, OLE (doc, xls), zip (docx, xlsx, ofd), rar, 7z, rtf.
_DOCUMENT = re.compile(rb"\s{0,8}(?:%PDF-|\xd0\xcf\x11\xe0|PK\x03\x04|Rar!|7z\xbc\xaf|\{\\rtf)")
_FURNITURE = re.compile(
    r"(?:image|audio|video|font)/|text/(?:css|x?-?javascript)|application/.*(?:javascript|json|font)"
)
_FURNITURE_PATH = re.compile(
    r"\.(?:css|js|mjs|json|map|png|jpe?g|gif|bmp|ico|svg|webp|woff2?|ttf|eot|mp3|mp4|swf|flv)(?:[?#]|$)", re.IGNORECASE
)


def is_capture(record: Record) -> bool:
    """The record holds, or stands for, what a web address answered."""
    if _HTTP.match(record.target_uri) is None:
        return False
    if record.type == "resource":
        return True
    is_http = record.get("Content-Type", "application/http").lower().startswith("application/http")
    return record.type in ("response", "revisit") and is_http


def profile(record: Record) -> str:
    """The revisit's profile as WARC/1.1 names it; "" when it is neither of the two."""
    written = record.get("WARC-Profile")
    return next((ours for name, ours in _PROFILE_NAMES if name in written), "")


def message(record: Record) -> bytes:
    """The HTTP response in a record. A file stored as `resource` gets a head, as replay tools give it one."""
    if record.type != "resource":
        return record.block
    media_type = record.get("Content-Type", "application/octet-stream").encode("ascii", "replace")
    length = b"%d" % len(record.block)
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: " + media_type + b"\r\nContent-Length: " + length + b"\r\n\r\n"
    ) + record.block


def revisited(record: Record, full: bytes) -> bytes:
    """The response that an identical-payload revisit stands for: its own head, where it has one, and the body of
    `full`.
    """
    head, own = http1.split_head(full), http1.split_head(record.block)
    if own is None:
        return full
    return record.block[: own.length] + full[head.length if head else 0 :]


def captured_at(record: Record) -> datetime | None:
    """WARC-Date; None when it is no date."""
    try:
        found = datetime.fromisoformat(record.get("WARC-Date").replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def record_id(record: Record, warc_file: str, offset: int) -> str:
    """WARC-Record-ID, or a name made of its place for a record without one."""
    return record.record_id or f"<urn:gongkai:record:{warc_file}:{offset}>"


def role_of(url: str, media_type: str | None, entity: bytes) -> Role | None:
    """What a payload is to extraction: `page`, `attachment`, or None for what pages are only furnished with.

    Bytes come before the declared type, and that before the address: servers send documents as anything.
    """
    if _DOCUMENT.match(entity):
        return "attachment"
    if media_type in _HTML_TYPES or _HTML.search(entity, 0, 1024):
        return "page"
    if not entity or _FURNITURE.match(media_type or "") or _FURNITURE_PATH.search(url):
        return None
    return "attachment"
