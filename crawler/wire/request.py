"""The bytes of a request: the same ones for the same request, always."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}

_FIRST = (b"user-agent", b"accept", b"accept-language", b"accept-encoding", b"referer")
_OURS = frozenset(
    {
        b"host", b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"te", b"trailer", b"upgrade",
        b"expect", b"proxy-authorization", b"proxy-connection",
    }
)  # fmt: skip
_METHOD = re.compile(r"[A-Z]{1,20}")
_UNSENDABLE = re.compile(rb"[\x00-\x20\x7f]")
_UNSENDABLE_VALUE = re.compile(rb"[\x00\r\n]")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class UnsendableRequestError(ValueError):
    """Raised for a request that would break its own framing, or whose URL has no host or a bad port."""


@lru_cache(maxsize=64)
def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host (lower case, no brackets) and port of `url`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UnsendableRequestError(f"{error}: {url!r}") from error
    if not host:
        raise UnsendableRequestError(f"expected a host in {url!r}")
    return parts.scheme.lower(), host, DEFAULT_PORTS.get(parts.scheme.lower(), 0) if port is None else port


def request_bytes(method: str, url: str, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> bytes:
    """Request line, Host, the usual headers in fixed order, the others in the order given, Content-Length, body.

    Only gzip is asked for, unless `headers` asks for no coding at all: archives and their readers know little else.
    Framing and connection headers in `headers` are left out.
    """
    if not _METHOD.fullmatch(method):
        raise UnsendableRequestError(f"expected a method of capital letters, found {method!r}")
    scheme, host, port = origin(url)
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query or url.partition("#")[0].endswith("?") else "")
    lines = [b"%s %s HTTP/1.1" % (method.encode(), _sendable(target)), b"Host: " + _sendable(_host(scheme, host, port))]
    lines += [name + b": " + value for name, value in _ordered(headers)]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _ordered(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    first = {b"accept-encoding": (b"Accept-Encoding", b"gzip")}
    others: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        lowered = name.lower()
        if not _NAME.fullmatch(name) or _UNSENDABLE_VALUE.search(value):
            raise UnsendableRequestError(f"header {name!r} cannot be sent with the value {value!r}")
        if lowered in _OURS or (lowered == b"accept-encoding" and value.strip().lower() != b"identity"):
            continue
        if lowered in _FIRST:
            first[lowered] = (name, value)
        else:
            others.append((name, value))
    return [first[name] for name in _FIRST if name in first] + others


def _host(scheme: str, host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == DEFAULT_PORTS.get(scheme) else f"{name}:{port}"


def _sendable(text: str) -> bytes:
    try:
        raw = text.encode("ascii")
    except UnicodeEncodeError as error:
        raise UnsendableRequestError(f"expected a percent-encoded URL, found {text!r}") from error
    if _UNSENDABLE.search(raw):
        raise UnsendableRequestError(f"expected a URL without spaces and control characters, found {text!r}")
    return raw
