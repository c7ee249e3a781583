"""Lists that come as JSON: the object in an answer, whatever is wrapped round it, and the values asked of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawler.platforms.markup import day
from parsers.decode import decode

_CHINA = timedelta(hours=8)
_MILLISECONDS = 100_000_000_000


def json_object(entity: bytes) -> dict[str, Any]:
    """The object of an answer, also as callback(…) or inside a page; {} when there is none."""
    text = decode(entity).text
    start = text.find("{")
    if start < 0 or len(text[:start].strip()) > 200:
        return {}
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def at(value: Any, *keys: str) -> Any:
    """The value under a path of keys, None when a step is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def texts(value: Any) -> Iterator[str]:
    """Every string anywhere in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def number(value: Any, names: Sequence[str]) -> int | None:
    """The first of the named values that is a whole number."""
    for name in names:
        found = value.get(name) if isinstance(value, dict) else None
        if isinstance(found, int) and not isinstance(found, bool):
            return found
        if isinstance(found, str) and found.strip().isdecimal():
            return int(found)
    return None


def day_of(*values: Any) -> str | None:
    """The first day among values: text, or a UNIX time in seconds or milliseconds, told in China's time."""
    for value in values:
        is_text = isinstance(value, str) and not value.strip().isdecimal()
        found = day(value) if is_text else _day_of_instant(value)
        if found is not None:
            return found
    return None


def _day_of_instant(value: Any) -> str | None:
    if not re.fullmatch(r"\d{9,13}", str(value).strip()):
        return None
    seconds = int(value) / (1000 if int(value) >= _MILLISECONDS else 1)
    return (datetime.fromtimestamp(seconds, UTC) + _CHINA).date().isoformat()


def with_parameters(url: str, **values: object) -> str:
    """The address with some query parameters set, the others in their place."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | {name: str(value) for name, value in values.items()}
    return urlunsplit(parts._replace(query=urlencode(query)))
