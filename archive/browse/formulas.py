"""CSV without formulas: a cell of scraped text that a spreadsheet would calculate gets an apostrophe before it.

Datasette writes CSV itself, in ways that differ between its versions; what it sends is changed on its way out. Numbers
stay as they are, negative ones too.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
# Spreadsheets of East Asian editions take the full-width signs for the plain ones.
_STARTS = (b"=", b"+", b"-", b"@", b"\t", b"\r", *(sign.encode() for sign in "＝＋－＠"))
_STRUCTURE = re.compile(rb'[",\r\n]')


def safe_field(field: bytes) -> bytes:
    """One field as it stands between separators, with its quotes."""
    quoted = field.startswith(b'"')
    text = field[1:] if quoted else field
    if not text.startswith(_STARTS) or _NUMBER.fullmatch(text[:-1] if quoted else text):
        return field
    return (b'"' if quoted else b"") + b"'" + text


class SafeCsv:
    """Takes CSV in pieces, gives it back field by field; what is kept between pieces is the last field."""

    def __init__(self) -> None:
        self._field = bytearray()
        self._is_quoted = False

    def feed(self, piece: bytes) -> bytes:
        out = bytearray()
        start = 0
        for found in _STRUCTURE.finditer(piece):
            if found[0] == b'"':
                self._is_quoted = not self._is_quoted
            elif not self._is_quoted:
                out += safe_field(bytes(self._field) + piece[start : found.start()])
                self._field.clear()
                out += found[0]
                start = found.end()
        self._field += piece[start:]
        return bytes(out)

    def end(self) -> bytes:
        """What is left when no more comes."""
        last = safe_field(bytes(self._field))
        self._field.clear()
        return last


def without_formulas(app: App) -> App:
    """`app` whose CSV has no formulas."""

    async def safe_app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _asks_for_csv(scope):
            await app(scope, receive, send)
            return
        csv: SafeCsv | None = None

        async def safe_send(message: Message) -> None:
            nonlocal csv
            if message["type"] == "http.response.start":
                headers = [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers", [])]
                kind = dict(headers).get(b"content-type", b"")
                if message["status"] == 200 and kind.startswith((b"text/csv", b"text/plain")):
                    csv = SafeCsv()
                    # It grows by an apostrophe here and there.
                    message = {**message, "headers": [field for field in headers if field[0] != b"content-length"]}
            elif message["type"] == "http.response.body" and csv is not None:
                body = csv.feed(message.get("body", b""))
                if not message.get("more_body", False):
                    body += csv.end()
                message = {**message, "body": body}
            await send(message)

        await app(scope, receive, safe_send)

    return safe_app


def _asks_for_csv(scope: Scope) -> bool:
    return scope["path"].endswith(".csv") or b"_format=csv" in scope.get("query_string", b"")
