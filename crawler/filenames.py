"""The name of a file as a person would see it: data for a column, never a path.

Servers send Chinese names in Content-Disposition as GBK or UTF-8 bytes, percent-encoded, as RFC 5987 says, or as mail
does (RFC 2047). Platforms put the name into the link's text or a `showname` parameter and call the file itself by a
number.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from parsers.decode import decode

LONGEST_NAME = 255
_EXTENDED = re.compile(rb"""filename\*\s*=\s*"?([\w!#$%&+^`{}~-]*)'[^']*'([^\s;"]+)""", re.I)
_QUOTED = re.compile(rb"""filename\s*=\s*"((?:[^"\\]|\\.)*)\"""", re.I)
_BARE = re.compile(rb"filename\s*=\s*([^;]+)", re.I)
_ENCODED_WORD = re.compile(r"=\?([\w-]+)\?([bq])\?([^?\s]*)\?=(?:\s+(?==\?))?", re.I | re.A)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f‎‏‪-‮⁦-⁩]")


def shown_name(link_name: str, headers: tuple[tuple[bytes, bytes], ...], url: str) -> str:
    """The name in the link where it is one for people, else the one that the server gives, else what there is."""
    name = safe_name(link_name)
    if is_for_people(name, url):
        return name
    given = next((value for field, value in headers if field.lower() == b"content-disposition"), b"")
    return disposition_name(given) or name or safe_name(_unquoted(urlsplit(url).path))


def is_for_people(name: str, url: str) -> bool:
    """False for a name without a suffix (点击下载) and for the one under which the server keeps the file."""
    parts = urlsplit(url)
    kept = {safe_name(_unquoted(parts.path)), *dict(parse_qsl(parts.query)).get("filename", "").split()}
    return _SUFFIX.search(name) is not None and name not in kept


def disposition_name(value: bytes) -> str:
    """The file name in a Content-Disposition header, from its bytes as received; "" when it gives none."""
    extended = _EXTENDED.search(value)
    if extended:
        return safe_name(_decoded(unquote_to_bytes(extended[2]), extended[1].decode("ascii", "replace")))
    quoted = _QUOTED.search(value)
    if quoted:
        return safe_name(_plain(re.sub(rb'\\(["\\])', rb"\1", quoted[1])))
    bare = _BARE.search(value)
    return safe_name(_plain(bare[1])) if bare else ""


def safe_name(name: str) -> str:
    """Without folders, control characters and direction marks, and not longer than file systems take."""
    name = _CONTROL.sub("", re.split(r"[/\\]", name)[-1]).strip(" \t.")
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 5] + name[-5:]


def _unquoted(text: str) -> str:
    return decode(unquote_to_bytes(text)).text


def _plain(value: bytes) -> str:
    if re.search(rb"%[0-9A-Fa-f]{2}", value):
        value = unquote_to_bytes(value)
    return _ENCODED_WORD.sub(_word, decode(value).text)


def _word(found: re.Match[str]) -> str:
    charset, coding, text = found.groups()
    try:
        data = a2b_base64(text) if coding in "bB" else a2b_qp(text, header=True)
    except ValueError:
        return found[0]
    return _decoded(data, charset)


def _decoded(value: bytes, charset: str) -> str:
    try:
        return value.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decode(value).text
