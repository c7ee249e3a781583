"""The division codes of one data directory: the package's, the user's table, and what only site files know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from archive.agencies import declared_divisions
from archive.store import Store
from crawler.exceptions import DivisionFileError
from parsers.divisions import Division, combined, read_table, seeded
from parsers.errors import DivisionTableError

DIVISIONS_FILE = "divisions.csv"
_GOVERNMENT = re.compile(r"(?P<division>.{2,}?)(?:人民政府|政府)")
_IN_CITY = re.compile(r"(?P<city>.{2,}?[市州盟])(?P<county>.{1,}[区县市旗])")


def divisions(store: Store) -> tuple[Division, ...]:
    """Every name of every code. Raises DivisionFileError for a table of the user's that cannot be read."""
    known = combined(seeded(), table_of(store.path.parent / DIVISIONS_FILE))
    return known + tuple(_declared(declared_divisions(store.connection), {one.code for one in known}))


def table_of(path: Path) -> tuple[Division, ...]:
    """The user's later codes; none without a file. Raises DivisionFileError."""
    if not path.exists():
        return ()
    try:
        return read_table(path.read_text("utf-8"))
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
