"""Reads files from disk for `gongkai parse`: the one place where the parsers meet paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler import office
from crawler.jail import Failure, shared
from parsers.model import Reading, ReadingError
from parsers.reading import Conversions, as_json, read

# Nothing a government office publishes as one document comes near this; reading more would only fill memory.
MAX_FILE_BYTES = 256 * 1024 * 1024
# Files that one start of LibreOffice converts.
MOST_WAITING = 40
# Readings that wait behind one that is to be converted.
MOST_HELD = 400

Understood = tuple[Reading, tuple[tuple[str, bytes], ...]]


def read_file(path: Path) -> dict[str, Any]:
    """The reading of one file in the shape of CONTRACT §4; a file that cannot be opened gives an error in it."""
    return next(read_files([path]))


def read_files(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The readings of files, in their order.

    Each comes as soon as it is made, but where one waits for LibreOffice, which takes longer to start than to convert:
    then up to `MOST_WAITING` such files wait together, with those between them.
    """
    held: list[_Held] = []
    for path in paths:
        held.append(_first(path))
        waiting = sum(bool(one.to_convert) for one in held)
        if not held[0].to_convert or waiting >= MOST_WAITING or len(held) >= MOST_HELD:
            yield from _finished(held)
            held = []
    yield from _finished(held)


@dataclass(frozen=True, slots=True)
class _Held:
    """A file read once, and what of it LibreOffice has to convert before it is read again."""

    path: Path
    reading: Reading
    to_convert: tuple[tuple[str, bytes], ...] = ()
    data: bytes = b""


def _finished(held: Sequence[_Held]) -> Iterator[dict[str, Any]]:
    converted = office.conversions([part for one in held for part in one.to_convert]) if held else {}
    for one in held:
        own = {data: converted[data] for _, data in one.to_convert}
        reading = _jailed(one.data, one.path.name, own)[0] if own else one.reading
        yield as_json(reading, file=str(one.path))


def _first(path: Path) -> _Held:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            return _Held(path, _failed("too_large", f"{path}: {size} bytes, expected at most {MAX_FILE_BYTES}"))
        data = path.read_bytes()
    except OSError as error:
        return _Held(path, _failed("cannot_open", f"{path}: {error.strerror}"))
    reading, to_convert = _jailed(data, path.name, {})
    return _Held(path, reading, to_convert, data if to_convert else b"")


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
