"""The division codes of one data directory: the package's, tables that a person took in, and what only sites know.

A table that was taken in is a decision, `agency_divisions {table}`, so that it comes back with the WARC files; a
divisions.csv that lies in the data directory is laid over them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from archive.agencies import declared_divisions
from archive.decisions import decisions
from archive.store import Store
from crawler.exceptions import DivisionFileError
from parsers.divisions import Division, combined, read_table, seeded
from parsers.errors import DivisionTableError

DIVISIONS_FILE = "divisions.csv"
TABLE = "agency_divisions"
_GOVERNMENT = re.compile(r"(?P<division>.{2,}?)(?:人民政府|政府)")
_IN_CITY = re.compile(r"(?P<city>.{2,}?[市州盟])(?P<county>.{1,}[区县市旗])")


def divisions(store: Store) -> tuple[Division, ...]:
    """Every name of every code. Raises DivisionFileError for a table of the user's that cannot be read."""
    known = seeded()
    for decision in decisions(store.connection, TABLE):
        known = combined(known, read_table(decision.body["table"]))
    known = combined(known, table_of(store.path.parent / DIVISIONS_FILE))
    return known + tuple(_declared(declared_divisions(store.connection), {one.code for one in known}))


def table_of(path: Path) -> tuple[Division, ...]:
    """The codes of a file; none without it. Raises DivisionFileError."""
    return table_text(path)[1] if path.exists() else ()


def table_text(path: Path) -> tuple[str, tuple[Division, ...]]:
    """A table as it stands, and what is in it. Raises DivisionFileError."""
    try:
        text = path.read_text("utf-8-sig")
        return text, read_table(text)
    except (DivisionTableError, UnicodeDecodeError) as error:
        raise DivisionFileError(f"{path}: {error}") from error


def _declared(sites: Iterable[tuple[str, str]], known: set[str]) -> Iterator[Division]:
    """What site files of governments say of codes that no table has. The first one to speak of a code counts."""
    for code, agency in sites:
        government = _GOVERNMENT.fullmatch(agency)
        if government is None or code in known:
            continue
        name = government["division"]
        parts = _IN_CITY.fullmatch(name)
        city = f"{code[:4]}00"
        if parts and code != city:
            name = parts["county"]
            if city not in known:
                known.add(city)
                yield Division(city, parts["city"], "", source="site")
        known.add(code)
        yield Division(code, name, "", source="site")
