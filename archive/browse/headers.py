"""Response headers that keep archived pages and hostile text from doing anything."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from hashlib import sha256
from typing import Any

import datasette as datasette_package

from archive.browse.versions import templates_with_scripts

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Callable[[], Awaitable[Message]], Send], Awaitable[None]]

# For archived bytes: an opaque origin, no scripts, no forms, no requests; frames only within this site.
ARCHIVED_POLICY = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
# A page's own names are not looked up either, which no policy forbids.
NO_PREFETCH = {"x-dns-prefetch-control": "off"}
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def site_policy() -> str:
    """Only what this server sends; of inline scripts only those that Datasette's templates hold word for word."""
    hashes = " ".join(sorted(f"'sha256-{digest}'" for digest in _datasette_scripts()))
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _datasette_scripts() -> Iterator[str]:
    for source in templates_with_scripts():
        for script in _INLINE_SCRIPT.findall(source):
            rendered = script.replace("{{ datasette_allow_facet }}", "true")
            rendered = rendered.replace("{{ datasette_version }}", datasette_package.__version__)
            if "{{" not in rendered and "{%" not in rendered:
                yield base64.b64encode(sha256(rendered.encode()).digest()).decode()


def guarded(app: App) -> App:
    """`app` whose every response has a policy; one that brings its own keeps it."""
    policy = site_policy().encode()
    always = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))

    async def guarded_app(scope: Scope, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", [])]
                present = {name.lower() for name, _ in headers}
                wanted = (*always, (b"content-security-policy", policy))
                message = {**message, "headers": headers + [field for field in wanted if field[0] not in present]}
            await send(message)

        await app(scope, receive, guarded_send)

    return guarded_app
