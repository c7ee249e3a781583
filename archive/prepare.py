"""What an exchange means to the archive, worked out before anything is written: digests, outcome, discovery.

Recording and rebuilding both go through here, so that the same bytes give the same rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from archive import http1
from archive.model import Discovery, Exchange, Finding, Outcome, Target
from archive.records import digest

Discover = Callable[[Target, Exchange, bytes], Discovery]
# Gives the stored exchange that a 304 says is still valid, None when there is none.
Stored = Callable[[], Exchange | None]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An exchange with everything about it that needs no place in a file.

    `outcome` is never `revisit` here: whether a response is one depends on what is committed. `likeness` is the same
    for responses whose wire bodies, codings and Location agree when their payloads do; None when nothing may refer to
    it.
    """

    target: Target
    exchange: Exchange
    head: http1.Head | None
    outcome: Outcome
    media_type: str | None
    payload_digest: str | None
    payload_bytes: int
    likeness: bytes | None
    etag: str | None
    last_modified: str | None
    discovery: Discovery


def prepare(target: Target, exchange: Exchange, discover: Discover, stored: Stored) -> Prepared:
    """Reads one exchange. `discover` sees the entity (content coding removed, what could be decoded of it). Where
    nothing could be, as of a bomb, the answer brought no content: what the address said before stands.

    Of a page that a browser drew it sees what was drawn. A list that answers 304 is read again from the stored
    exchange: its entries are still listed, its further groups still to be walked.
    """
    if not exchange.response:
        return Prepared(target, exchange, None, "net_error", None, None, 0, None, None, None, Discovery())
    head = http1.split_head(exchange.response)
    body = http1.payload(exchange.response, exchange.method, head=head)
    outcome = _outcome(exchange, head)
    discovery = _discovery(target, exchange, head, body, outcome, discover, stored)
    if discovery.outcome is not None:
        outcome = discovery.outcome
    return Prepared(
        target=target,
        exchange=exchange,
        head=head,
        outcome=outcome,
        media_type=_media_type(head),
        # Without a head nothing says which of the bytes are payload.
        payload_digest=digest(body) if head else None,
        payload_bytes=len(body) if head else 0,
        likeness=_likeness(exchange, head, body) if outcome == "ok" and body else None,
        etag=_text(head, b"etag"),
        last_modified=_text(head, b"last-modified"),
        discovery=discovery,
    )


def _outcome(exchange: Exchange, head: http1.Head | None) -> Outcome:
    if head is None or exchange.truncated is not None:
        return "net_error"
    if head.status == 304:
        return "not_modified"
    if 300 <= head.status < 400 and head.get(b"location"):
        return "redirect"
    return "ok" if 200 <= head.status < 300 else "http_error"


def _discovery(
    target: Target,
    exchange: Exchange,
    head: http1.Head | None,
    body: bytes,
    outcome: Outcome,
    discover: Discover,
    stored: Stored,
) -> Discovery:
    if head is None:
        return Discovery()
    if outcome == "not_modified":
        if target.role != "list":
            return Discovery()
        earlier = stored()
        if earlier is None:
            message = "the list is unmodified, says the server, and what it was is not stored or cannot be read"
            return Discovery(findings=(Finding("error", "list_incomplete", message, target.url),))
        exchange = earlier
        head = http1.split_head(exchange.response)
        body = http1.payload(exchange.response, exchange.method)
    entity, problem = _entity(target, body, head) if exchange.rendered is None else (exchange.rendered, None)
    if problem is not None and not entity and outcome == "ok":
        return Discovery(findings=(problem,), outcome="http_error", asks_again=True)
    # The bytes are worth more than what reading them leads to: a page that defeats the reader is archived all the same.
    try:
        discovery = discover(target, exchange, entity)
    except Exception as error:
        _logger.warning("cannot read %s: %s", target.url, error, exc_info=True)
        message = f"reading {target.url} failed: {type(error).__name__}: {error}"
        discovery = Discovery(findings=(Finding("error", "discovery_failed", message, target.url),))
    if problem is None:
        return discovery
    return replace(discovery, findings=(problem, *discovery.findings))


def _entity(target: Target, body: bytes, head: http1.Head | None) -> tuple[bytes, Finding | None]:
    codings = head.tokens(b"content-encoding") if head else ()
    if not codings:
        return body, None
    try:
        return http1.decode(body, codings), None
    except http1.DecodingError as error:
        return error.partial, Finding("warning", f"content_{error.code}", f"{target.url}: {error}", target.url)


def _media_type(head: http1.Head | None) -> str | None:
    value = _text(head, b"content-type")
    if value is None:
        return None
    return value.partition(";")[0].strip().lower() or None


def _text(head: http1.Head | None, name: bytes) -> str | None:
    value = head.get(name) if head else None
    return value.decode("latin-1") if value else None


def _likeness(exchange: Exchange, head: http1.Head | None, body: bytes) -> bytes | None:
    if head is None or head.status != 200 or exchange.trailing:
        return None
    wire_body = memoryview(exchange.response)[head.length :]
    state = sha256(
        b"\n".join(b",".join(head.values(name)) for name in (b"transfer-encoding", b"content-encoding", b"location"))
    )
    # The payload is the wire body, or its beginning, unless a transfer coding was taken off.
    if len(wire_body) != len(body) or head.values(b"transfer-encoding"):
        state.update(b"\n")
        state.update(wire_body)
    return state.digest()[:16]
