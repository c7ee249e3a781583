"""How the pages of our own are made: templates with the codebook's words, plain values out of requests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from datasette import Response

from archive.browse.codebook import codebook

_CODE = re.compile(r"\d{6}")
_MOST_TYPED = 100


async def shown(datasette: Any, request: Any, name: str, context: dict[str, Any]) -> Response:
    """templates/gongkai/`name`.html, which also gets the codebook's `terms`."""
    html = await datasette.render_template(
        f"gongkai/{name}.html", {"terms": codebook().terms, **context}, request=request
    )
    return Response.html(html)


def typed(request: Any, name: str) -> str:
    """A parameter as a person typed it, cut to what a search may need."""
    return str(request.args.get(name) or "").strip()[:_MOST_TYPED]


def chosen(request: Any, name: str, known: Iterable[str]) -> str:
    """A parameter that must be one of `known`; "" for anything else."""
    value = typed(request, name)
    return value if value in known else ""


def division_of(request: Any) -> str:
    """The division code asked for; "" without one."""
    value = typed(request, "division")
    return value if _CODE.fullmatch(value) else ""


def year_of(request: Any) -> int | None:
    value = typed(request, "year")
    return int(value) if value.isascii() and value.isdigit() and len(value) == 4 else None


def page_of(request: Any) -> int:
    """The page of a long list, from 1."""
    value = typed(request, "page")
    return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) <= 5 else 1


def address(path: str, **parameters: object) -> str:
    """`path` with the parameters that have a value."""
    kept = {key: value for key, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path
