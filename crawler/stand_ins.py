"""What a host sends in place of a page: its homepage, or its answer to an address that cannot exist.

A run asks each server for both before any page. A page that is one of them, clocks and counters aside, is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from archive import http1
from archive.model import Exchange, Target
from parsers.decode import decode

StandIn = Literal["homepage", "missing"]

# No product makes such a name, and none that a run makes is used again.
MISSING_NAME = "/gongkai-{token}-no-such-page.html"
PARAMETER = "stand_in"

_UNSEEN = re.compile(r"<!--.*?-->|<(script|style|noscript)\b.*?</\1\s*>|<[^>]*>", re.S | re.I)
# What differs from one request to the next: clocks, counters, the address asked for, the weekday.
_PASSING = re.compile(r"\S*/\S*|星期[一二三四五六日天]|\S*no-such-page\S*|[0-9]+")
_BLANKS = re.compile(r"\s+")
# Fewer characters say nothing: then the bytes must be the same.
_LEAST_TEXT = 8
# Bodies that differ by more are not alike, whatever they say: it saves reading them.
_BYTES_APART = 400
_SHARE_APART = 0.05


@dataclass(frozen=True, slots=True)
class _Known:
    kind: StandIn
    url: str
    body: bytes
    text: str
    location: bytes


class StandIns:
    """The stand-ins of the servers that a run asks, by scheme, host and port."""

    def __init__(self) -> None:
        self._known: dict[str, list[_Known]] = {}

    def remember(self, kind: StandIn, exchange: Exchange) -> None:
        """Keeps what came for the homepage or for the made-up address, unless it is an honest error."""
        if exchange.truncated is not None or exchange.status is None:
            return
        location = _location(exchange) if kind == "missing" else b""
        if exchange.status == 200 or location:
            body = _body(exchange)
            found = _Known(kind, exchange.url, body, _shown(exchange, body), location)
            self._known.setdefault(_server(exchange.url), []).append(found)

    def like(self, exchange: Exchange) -> StandIn | None:
        """Which stand-in the answer is. Where the host sends its homepage for whatever is missing, it is `missing`."""
        known = [found for found in self._known.get(_server(exchange.url), ()) if found.url != exchange.url]
        if not known or exchange.truncated is not None:
            return None
        kinds = {found.kind for found in known if _is_like(exchange, found)}
        return "missing" if "missing" in kinds else "homepage" if "homepage" in kinds else None


def stand_in_targets(urls: tuple[str, ...], *, site: str, token: str) -> tuple[Target, ...]:
    """The requests that show the stand-ins of the servers of `urls`."""
    servers = dict.fromkeys(_server(url) for url in urls)
    return tuple(
        Target(url=server + path, role="robots", site=site, channel="", parameters=f'{{"{PARAMETER}":"{kind}"}}')
        for server in servers
        for kind, path in (("homepage", "/"), ("missing", MISSING_NAME.format(token=token)))
    )


def _is_like(exchange: Exchange, known: _Known) -> bool:
    if exchange.status in (301, 302, 303, 307, 308):
        return bool(known.location) and _location(exchange) == known.location
    if exchange.status != 200 or known.location:
        return False
    body = _body(exchange)
    if body == known.body:
        return bool(body)
    if abs(len(body) - len(known.body)) > max(_BYTES_APART, _SHARE_APART * len(known.body)):
        return False
    return len(known.text) >= _LEAST_TEXT and _shown(exchange, body) == known.text


def _body(exchange: Exchange) -> bytes:
    return http1.payload(exchange.response, exchange.method)


def _shown(exchange: Exchange, body: bytes) -> str:
    """What can be seen of a page, without what changes from request to request."""
    head = http1.split_head(exchange.response)
    codings = head.tokens(b"content-encoding") if head else ()
    try:
        entity = http1.decode(body, codings) if codings else body
    except http1.DecodingError as error:
        entity = error.partial
    return _BLANKS.sub("", _PASSING.sub("", _UNSEEN.sub(" ", decode(entity).text)))


def _location(exchange: Exchange) -> bytes:
    return next((value for name, value in exchange.headers if name.lower() == b"location"), b"").strip()


def _server(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
