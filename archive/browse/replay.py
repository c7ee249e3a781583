"""Replay of a whole page in ReplayWeb.page, which the user has: a WARC slice of it, served at an address of its own.

ReplayWeb.page (ui.js and sw.js) is AGPL and no part of this; `gongkai serve --replay DIR` names a folder that has it.
It runs the archived page's scripts, so it gets another port, which to a browser is another origin: nothing that runs
there can read the corpus.

    /capture/N         the page around the player
    /slice/N.warc.gz   the capture's records, and of the same run what the page shows: styles, images, scripts
    /replay/ui.js, /replay/sw.js
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

from archive.browse import places, queries
from archive.browse.codebook import DATABASE
from archive.browse.formulas import App, Receive, Scope, Send
from archive.browse.pages import capture_group, data_dir_of, found_capture, kept_bytes
from archive.browse.payload import HTML, UnavailableError
from archive.browse.queries import RowDict, rows
from archive.errors import ArchiveError

FILES = ("ui.js", "sw.js")
MOST_REQUISITES = 200
MOST_SLICE_BYTES = 64 << 20
_MOST_SOURCE = 4 << 20
_MOST_LINKS = 2000
# What a page or a style sheet has loaded, roughly: an address too many is not in the archive, or does no harm.
_LOADED = re.compile(
    r"""<(?:link|img|script|source|input|body|table|td|tr|iframe|frame|embed)\b[^>]*?\b(?:src|href|background|poster)\s*=\s*"""
    r"""(?:"([^"<>]{1,2000})"|'([^'<>]{1,2000})'|([^\s"'<>]{1,2000}))|url\(\s*["']?([^"')]{1,2000})""",
    re.IGNORECASE,
)
_PATH = re.compile(r"/(?:(capture)/(\d{1,15})|(slice)/(\d{1,15})\.warc\.gz|(replay)/(ui\.js|sw\.js))")
# The player is one script that makes workers and blobs; what it replays it keeps to itself by policies of its own.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data: blob:; connect-src 'self' blob: data:; worker-src 'self' blob:; "
    "frame-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class ReplayError(ArchiveError):
    """Raised for a folder that does not hold ReplayWeb.page; the message says what is missing."""


def checked_folder(folder: Path) -> Path:
    """`folder`, where it has both files. Raises ReplayError."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ReplayError(
            f"{folder}: no {' and no '.join(missing)}; ReplayWeb.page has them (npm pack replaywebpage, package/)"
        )
    return folder.resolve()


async def address(datasette: Any, database: queries.Database, capture_id: int) -> str:
    """Where a capture is replayed; "" where nothing is, and for what its server did not call a page."""
    base = places.of(datasette).replay_address
    if not base:
        return ""
    capture = await _whole(database, capture_id)
    return f"{base}capture/{capture['capture_id']}" if "html" in (capture["media_type"] or "") else ""


async def warc_slice(datasette: Any, capture_id: int) -> bytes:
    """A WARC file of a capture's records and those of what its page loads, of the same run. Raises UnavailableError."""
    database = datasette.get_database(DATABASE)
    capture = await _whole(database, capture_id)
    groups = [capture]
    kept = await kept_bytes(datasette, database, capture)
    if kept.media_type == HTML:
        text = kept.body[:_MOST_SOURCE].decode(kept.charset, "replace")
        groups += await _requisites(datasette, database, capture, text)
    data_dir = data_dir_of(datasette, database)
    return await asyncio.to_thread(_joined, data_dir, groups)


async def _whole(database: queries.Database, capture_id: int) -> RowDict:
    """The capture, or the one whose payload it refers to."""
    capture = await found_capture(database, capture_id)
    return await found_capture(database, capture["refers_to"]) if capture["refers_to"] else capture


async def _requisites(datasette: Any, database: queries.Database, capture: RowDict, text: str) -> list[RowDict]:
    """Captures of what a page loads, and of what its style sheets load."""
    found = await _captures(database, capture, loaded(text, capture["url"]))
    for sheet in [one for one in found if "css" in (one["media_type"] or "")][:20]:
        try:
            style = await kept_bytes(datasette, database, sheet)
        except UnavailableError:
            continue
        inner = loaded(style.body[:_MOST_SOURCE].decode("utf-8", "replace"), sheet["url"])
        known = {one["capture_id"] for one in found}
        found += [one for one in await _captures(database, capture, inner) if one["capture_id"] not in known]
    return found[:MOST_REQUISITES]


def loaded(text: str, base: str) -> list[str]:
    """Absolute http addresses that HTML or CSS loads, each once."""
    found: dict[str, None] = {}
    for match in _LOADED.finditer(text):
        try:
            url = urldefrag(urljoin(base, next(group for group in match.groups() if group).strip())).url
        except ValueError:
            continue
        if url.startswith(("http://", "https://")) and url != base:
            found.setdefault(url)
        if len(found) >= _MOST_LINKS:
            break
    return list(found)


async def _captures(database: queries.Database, capture: RowDict, urls: list[str]) -> list[RowDict]:
    found: list[RowDict] = []
    for start in range(0, len(urls), 500):
        some = urls[start : start + 500]
        marks = ",".join(f":u{number}" for number in range(len(some)))
        parameters = {f"u{number}": url for number, url in enumerate(some)}
        sql = queries.REQUISITES.format(urls=marks)
        found += await rows(database, sql, run_id=capture["run_id"], **parameters)
    return found


def _joined(data_dir: Path, captures: list[RowDict]) -> bytes:
    parts: list[bytes] = []
    size = 0
    for capture in captures:
        try:
            part = capture_group(data_dir, capture)
        except UnavailableError:
            if not parts:
                raise
            continue
        size += len(part)
        if parts and size > MOST_SLICE_BYTES:
            break
        parts.append(part)
    return b"".join(parts)


def application(datasette: Any, folder: Path) -> App:
    """The replay's own site, as ASGI."""

    async def replay_app(scope: Scope, _: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, kind, body = await _answer(datasette, folder, scope["path"])
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"content-security-policy", POLICY.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cache-control", b"no-store" if kind.startswith("text/html") else b"max-age=60"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return replay_app


async def _answer(datasette: Any, folder: Path, path: str) -> tuple[int, str, bytes]:
    match = _PATH.fullmatch(path)
    kind, value = next(_pairs(match)) if match else ("", "")
    try:
        if kind == "replay":
            return 200, "text/javascript; charset=utf-8", await asyncio.to_thread((folder / value).read_bytes)
        if kind == "slice":
            return 200, "application/warc+gzip", await warc_slice(datasette, int(value))
        if kind == "capture":
            capture = await _whole(datasette.get_database(DATABASE), int(value))
            return 200, "text/html; charset=utf-8", _page(capture).encode()
    except UnavailableError as error:
        return error.status, "text/plain; charset=utf-8", str(error).encode()
    return HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"There is nothing here."


def _pairs(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    groups = match.groups()
    return ((groups[at], groups[at + 1]) for at in range(0, len(groups), 2) if groups[at])


def _page(capture: RowDict) -> str:
    stamp = "".join(character for character in capture["captured_at"] if character.isdigit())[:14]
    title = f"重放 Replay · {capture['url']}"
    return (
        f'<!DOCTYPE html><html lang="zh-Hans"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<link rel="icon" href="data:,">'
        "<style>html,body{margin:0;height:100%;font-family:system-ui,sans-serif}"
        "replay-web-page{display:block;height:calc(100% - 2.2rem)}p{margin:0;padding:.4rem 1rem;height:1.4rem}</style>"
        '<script src="/replay/ui.js"></script></head><body>'
        f"<p>ReplayWeb.page · {escape(capture['captured_at'])} · {escape(capture['url'])}</p>"
        f'<replay-web-page source="/slice/{capture["capture_id"]}.warc.gz" url="{escape(capture["url"])}" ts="{stamp}" '
        'replaybase="/replay/" embed="replayonly"></replay-web-page></body></html>'
    )
