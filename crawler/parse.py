"""Reads files from disk for `gongkai parse`: the one place where the parsers meet paths."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from crawler import office
from crawler.jail import Failure, shared
from parsers.model import Reading, ReadingError
from parsers.reading import Conversions, as_json, read

# Nothing a government office publishes as one document comes near this; reading more would only fill memory.
MAX_FILE_BYTES = 256 * 1024 * 1024

Understood = tuple[Reading, tuple[tuple[str, bytes], ...]]


def read_file(path: Path) -> dict[str, Any]:
    """The reading of one file in the shape of CONTRACT §4; a file that cannot be opened gives an error in it."""
    return as_json(_reading(path), file=str(path))


def _reading(path: Path) -> Reading:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            return _failed("too_large", f"{path}: {size} bytes, expected at most {MAX_FILE_BYTES}")
        data = path.read_bytes()
    except OSError as error:
        return _failed("cannot_open", f"{path}: {error.strerror}")
    reading, to_convert = _jailed(data, path.name, {})
    return _jailed(data, path.name, office.conversions(to_convert))[0] if to_convert else reading


def _jailed(data: bytes, name: str, converted: Conversions) -> Understood:
    understood = shared().submit(understand, data, name, converted).result()
    if isinstance(understood, Failure):
        return _failed(understood.code, f"{name}: {understood.message}"), ()
    return understood


def understand(data: bytes, name: str, converted: Conversions) -> Understood:
    """Runs the parsers over one file, in the jail: its reading, and documents in it that LibreOffice has to convert."""
    reading = read(data, name=name, converted=converted)
    is_wanted = not converted and office.needs_conversion(reading)
    return reading, office.convertible(data, name) if is_wanted else ()


def _failed(code: str, message: str) -> Reading:
    return Reading(media_type="application/octet-stream", error=ReadingError(code=code, message=message))


def described(reading: dict[str, Any]) -> str:
    """A reading for a person: what was understood, what was not."""
    lines = [f"{reading['file']}"]
    if reading["error"]:
        return "\n".join([*lines, f"  error {reading['error']['code']}: {reading['error']['message']}"])
    statuses = Counter(fact["status"] for fact in reading["facts"])
    failed = [check for check in reading["checks"] if check["status"] == "fail"]
    what = [
        reading["kind"],
        f"form {reading['form']}",
        reading["report_year"],
        reading["agency"],
        reading["media_type"],
    ]
    lines.append("  " + ", ".join(str(part) for part in what))
    lines.append(f"  title {reading['title']}, published {reading['published_date']}")
    lines.append("  cells " + (", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "none"))
    lines += [f"  check failed {check['rule']}: {check['lhs']} ≠ {check['rhs']}" for check in failed]
    lines += [f"  {finding['code']}: {finding['message']} ({finding['locator']})" for finding in reading["findings"]]
    return "\n".join(lines)
