"""The records that the crawler hands to the archive and gets back.

    Target (what to fetch) → Exchange (what crossed the wire) → Discovery (what its payload leads to)

All are frozen: what crossed the wire is not edited afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["ok", "not_modified", "revisit", "redirect", "http_error", "net_error", "robots", "blocked"]
Role = Literal["list", "page", "attachment", "robots"]
Truncation = Literal["length", "time", "disconnect", "unspecified"]
RunStatus = Literal["running", "finished", "failed", "interrupted"]

# Stands for the site of captures that other tools made. No site file can have this name.
IMPORT_SITE = "import"


@dataclass(frozen=True, slots=True)
class Target:
    """One request to make and why: a row of the frontier.

    `role` says what the payload is expected to be; `parameters` is the platform's own state for a list group
    (a JSON object as text), so that reading the payload again needs nothing but this row.
    `key` identifies the request: the URL for GET, URL and body digest for POST.
    """

    url: str
    role: Role
    site: str
    channel: str
    method: str = "GET"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    via: str = ""
    anchor: str = ""
    listed_date: str | None = None
    depth: int = 0
    parameters: str = "{}"


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What the TLS layer agreed on. `verified` False means the chain did not verify and `verdict` says why."""

    version: str
    cipher: str
    verified: bool
    verdict: str = ""
    chain: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back, byte for byte after TLS.

    `response` starts at the status line and ends with the message (never with bytes that follow it: those are
    `trailing`); it is empty when nothing came. `interim` holds 1xx responses, each whole. `status` and `headers` are
    None and () when the head never parsed. `truncated` and `error` say why the message is not whole or has no response.
    `rendered` is the page as a browser drew it from this response, as HTML; it did not cross the wire.
    """

    url: str
    method: str
    started_at: datetime
    elapsed_ms: float
    request: bytes
    response: bytes
    status: int | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    interim: tuple[bytes, ...] = ()
    trailing: bytes = b""
    peer: str | None = None
    tls: TlsFacts | None = None
    truncated: Truncation | None = None
    error: str | None = None
    rendered: bytes | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One entry of a channel's list page."""

    url: str
    title: str
    listed_date: str | None
    channel: str
    site: str
    position: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that did not fit, to be stored as a row. `level` is `info`, `warning` or `error`."""

    level: Literal["info", "warning", "error"]
    code: str
    message: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """What reading one payload adds: entries of a list, further requests, findings.

    `outcome` overrides the transport's when the bytes show something else (a challenge page sent with 200: `blocked`).
    `declared_total` is the number of entries the site itself claims for the channel. With `asks_again` nothing came of
    what was asked for: the next run asks again, as it does for what is `blocked`.
    """

    listings: tuple[Listing, ...] = ()
    targets: tuple[Target, ...] = ()
    findings: tuple[Finding, ...] = ()
    outcome: Outcome | None = None
    declared_total: int | None = None
    asks_again: bool = False
