"""Addresses without end: calendars, session ids, paths that grow with every link. Pure rules over one address.

A trap is not followed and said so. A session id is taken off, so that an address is the same in every run.
"""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import parse_qsl, urlsplit, urlunsplit

# The longest honest address seen on these sites, a signed download link, has about 900 characters.
MOST_CHARACTERS = 2000
MOST_SEGMENTS = 20
MOST_PARAMETERS = 30
# A folder in itself: /a/b/a/b/a/b. Numbers recur honestly, as in /art/2011/11/11/art_11_11.html.
MOST_LIKE_SEGMENTS = 2
MOST_LIKE_NUMBERS = 5
MOST_LIKE_PARAMETERS = 3
FIRST_YEAR = 1990

_SESSION_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?#;]*", re.I)
# `sid` alone names a site or a subject in many products.
_SESSION_NAME = re.compile(r"jsessionid|phpsessid|aspsessionid\w*|session_?id", re.I)
_YEAR_NAME = re.compile(
    r"(?:cal(?:endar)?_?)?(?:year|yyyy|nian)|(?:cal(?:endar)?_?)?(?:month|date|day|ym|riqi|yue)", re.I
)
_YEAR = re.compile(r"((?:19|20|21)[0-9]{2})(?:[-/.]?[0-9]{1,2}){0,2}")
_CALENDAR_PATH = re.compile(r"/(?:calendar|rili|events?)/((?:19|20|21)[0-9]{2})(?=[-/])", re.I)


def trap(url: str, *, year: int) -> str:
    """Why the address is not followed, "" when it may be. `year` is that of the page that links to it."""
    if len(url) > MOST_CHARACTERS:
        return f"an address of {len(url)} characters"
    parts = urlsplit(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    if len(segments) > MOST_SEGMENTS:
        return f"a path of {len(segments)} parts"
    for segment, count in Counter(segments).items():
        if count > (MOST_LIKE_NUMBERS if segment.isdigit() else MOST_LIKE_SEGMENTS):
            return f"{segment!r} {count} times in one path"
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    if len(parameters) > MOST_PARAMETERS:
        return f"{len(parameters)} parameters"
    for name, count in Counter(name for name, _ in parameters).items():
        if count > MOST_LIKE_PARAMETERS:
            return f"parameter {name!r} {count} times"
    shown = _calendar_year(parts.path, parameters)
    if shown is not None and not FIRST_YEAR <= shown <= year + 1:
        return f"a calendar that goes on to {shown}"
    return ""


def _calendar_year(path: str, parameters: list[tuple[str, str]]) -> int | None:
    for name, value in parameters:
        found = _YEAR.fullmatch(value) if _YEAR_NAME.fullmatch(name) else None
        if found:
            return int(found[1])
    found = _CALENDAR_PATH.search(path)
    return int(found[1]) if found else None


def without_session_id(url: str) -> str:
    """The address without session ids, otherwise as it was."""
    if ";" not in url and "sess" not in url.lower():
        return url
    parts = urlsplit(url)
    path = _SESSION_PATH.sub("", parts.path)
    pieces = parts.query.split("&") if parts.query else []
    kept = [piece for piece in pieces if not _SESSION_NAME.fullmatch(piece.partition("=")[0])]
    if path == parts.path and len(kept) == len(pieces):
        return url
    return urlunsplit((parts.scheme, parts.netloc, path, "&".join(kept), parts.fragment))
