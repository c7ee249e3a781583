"""How long every page of a published corpus takes: tables, their facets, filters and sort orders, queries, own pages.

    python bench/pages.py SNAPSHOT [--live DATA] [--most 300] [--warm 3] [--slowest 20] [--only TEXT]

Pages are asked of the application itself, without sockets. `cold` is the first time, the database out of the system's
cache (posix_fadvise); `warm` is the median of the further times. Exits 1 when a warm page is over `--most` ms. What is
asked for follows from the codebook and the plugin's routes, so that new tables and pages are measured too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import sqlite3
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from archive.browse import plugin
from archive.browse.codebook import Table, codebook
from archive.browse.serve import application
from archive.snapshot import rules

SEARCHES = ("公开", "依申请公开", "整改", "政府信息公开", "财政")
# Values of parameters and of parts of addresses that no column has.
GIVEN = {
    "q": SEARCHES,
    "cell": ("applications.new.total", "disclosure.normative_documents.in_force"),
    "day": ("2025-01-01",),
}
PER_PLACE = 3
MOST_SORTS = 12
_GROUP = re.compile(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\)[^()]*)*\)")


@dataclass(frozen=True, slots=True)
class Page:
    """An address and what kind of page it is."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of one page; `cpu` is the processor's share of `warm`. `status` is the answer's, 0 for an error."""

    page: Page
    status: int
    cold: float
    warm: float
    cpu: float


def pages(connection: sqlite3.Connection) -> Iterator[Page]:
    yield Page("start", "/")
    yield Page("start", "/corpus")
    for table in codebook().tables:
        if _exists(connection, table.name):
            yield from _table_pages(connection, table)
    yield from _query_pages(connection)
    yield from _own_pages(connection)


def _table_pages(connection: sqlite3.Connection, table: Table) -> Iterator[Page]:
    base = f"/corpus/{table.name}"
    settings = rules().settings.get(table.name, {})
    yield Page("table", base)
    yield Page("json", f"{base}.json?_shape=objects")
    facets = settings.get("facets", table.facets)
    yield from (Page("facet", f"{base}?_facet={facet}") for facet in facets)
    if table.search:
        for text in SEARCHES[:2]:
            yield Page("search", f"{base}?_search={quote_plus(text)}")
    offered = settings.get("sortable_columns", [c.name for c in table.columns if c.name not in LONG][:MOST_SORTS])
    for name in offered:
        yield Page("sort", f"{base}?_sort_desc={name}")
    looked_up = set(rules().lookups) | set(table.facets)
    for name in (column.name for column in table.columns if column.name in looked_up):
        for value in _samples(connection, table.name, name, 1):
            yield Page("filter", f"{base}?{name}={quote_plus(str(value))}")
    if table.name == "facts":
        yield from (Page("filter", f"{base}?{query}") for query in FACT_FILTERS)


# Texts that nobody sorts by.
LONG = {"text", "toml", "text_diff", "cells_json", "stats_json", "settings_json", "message", "locator", "raw"}
FACT_FILTERS = (
    "status=unreadable",
    "status=blank",
    "status=reported&_sort_desc=value",
    "cell=applications.new.total&_sort_desc=value",
    "cell=applications.new.total&_facet=status",
    "confidence__lt=1",
    "_facet=status&_facet=unit",
    "_facet=cell",
    "value__gt=1000&status=reported",
)


def _query_pages(connection: sqlite3.Connection) -> Iterator[Page]:
    for query in codebook().queries:
        names = list(dict.fromkeys(re.findall(r"(?<![\w:]):([a-z_]+)", query.sql)))
        for values in _combinations(connection, names):
            arguments = "&".join(f"{name}={quote_plus(value)}" for name, value in values.items())
            yield Page("query", f"/corpus/{query.name}" + (f"?{arguments}" if arguments else ""))


def _own_pages(connection: sqlite3.Connection) -> Iterator[Page]:
    for pattern, _ in plugin.register_routes():
        names = _GROUP.findall(pattern)
        for values in _combinations(connection, names):
            path = _GROUP.sub(lambda match, values=values: values[match[1]], pattern)  # type: ignore[misc]
            path = re.sub(r"\(\?:[^()]*\)\?|[\^$]", "", path).replace("\\", "")
            yield Page("own", path)
    for text in SEARCHES:
        yield Page("own", f"/-/search?q={quote_plus(text)}")


def _combinations(connection: sqlite3.Connection, names: list[str]) -> list[dict[str, str]]:
    """Some values for parameters of these names, out of one table that has them all; [{}] when there are none."""
    if not names:
        return [{}]
    given = [name for name in names if name in GIVEN]
    if len(given) == len(names):
        return [{name: GIVEN[name][turn % len(GIVEN[name])] for name in names} for turn in range(PER_PLACE)]
    # Rules of checks, not those by which reports were given to agencies.
    for table in sorted(codebook().tables, key=lambda table: table.group == "agencies"):
        if set(names) <= {column.name for column in table.columns} and _exists(connection, table.name):
            columns = ", ".join(f'"{name}"' for name in names)
            filled = " AND ".join(f'"{name}" IS NOT NULL' for name in names)
            rows = connection.execute(f"SELECT {columns} FROM {table.name} WHERE {filled} LIMIT 20000").fetchall()
            chosen = rows[:: max(1, len(rows) // PER_PLACE)][:PER_PLACE]
            if chosen:
                return [dict(zip(names, map(str, row), strict=True)) for row in chosen]
    return []


def _samples(connection: sqlite3.Connection, table: str, column: str, count: int) -> list[Any]:
    rows = connection.execute(
        f'SELECT DISTINCT "{column}" FROM (SELECT "{column}" FROM {table} WHERE "{column}" IS NOT NULL LIMIT 20000) '
        "LIMIT 400"
    ).fetchall()
    values = [value for (value,) in rows]
    return values[:: max(1, len(values) // count)][:count]


def _exists(connection: sqlite3.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (name,)).fetchone() is not None


async def timed(snapshot: Path | None, live: Path, wanted: list[Page], warm: int) -> list[Timing]:
    datasette = application(live, snapshot=snapshot)
    await datasette.invoke_startup()
    path = Path(datasette.get_database("corpus").path)
    found = []
    await datasette.client.get("/-/versions.json")
    for page in wanted:
        _forget(path)
        times, worked, status = [], [], 0
        for _ in range(1 + warm):
            started, busy = time.perf_counter(), time.process_time()
            with contextlib.suppress(Exception):
                status = (await datasette.client.get(page.path)).status_code
            times.append((time.perf_counter() - started) * 1000)
            worked.append((time.process_time() - busy) * 1000)
        found.append(Timing(page, status, times[0], statistics.median(times[1:]), statistics.median(worked[1:])))
    return found


def _forget(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    with contextlib.suppress(OSError, AttributeError):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshot", type=Path, nargs="?")
    parser.add_argument("--live", type=Path, default=Path("data"))
    parser.add_argument("--most", type=float, default=300)
    parser.add_argument("--warm", type=int, default=3)
    parser.add_argument("--slowest", type=int, default=20)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    path = (options.snapshot or options.live) / "corpus.db"
    with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        wanted = [page for page in pages(connection) if options.only in page.path]
    timings = asyncio.run(timed(options.snapshot, options.live, wanted, options.warm))
    print_table(timings, options.slowest, options.most)
    return int(any(timing.warm > options.most or not is_answered(timing) for timing in timings))


def is_answered(timing: Timing) -> bool:
    """A page that says that there is nothing to show has answered too."""
    return timing.status not in (0, 500)


def print_table(timings: list[Timing], slowest: int, most: float) -> None:
    by_kind: dict[str, list[Timing]] = defaultdict(list)
    for timing in timings:
        by_kind[timing.page.kind].append(timing)
    titles = ("warm median", "warm worst", "cold median", "cold worst", "cpu median", "cpu worst")
    print(f"{'kind':<8}{'pages':>6}" + "".join(f"{title:>13}" for title in titles) + "   ms")
    for kind, group in by_kind.items():
        series = [t.warm for t in group], [t.cold for t in group], [t.cpu for t in group]
        shown = [figure for values in series for figure in (statistics.median(values), max(values))]
        print(f"{kind:<8}{len(group):>6}" + "".join(f"{figure:>13.0f}" for figure in shown))
    over, busy = sum(timing.warm > most for timing in timings), sum(timing.cpu > most for timing in timings)
    print(f"{len(timings)} pages, {over} over {most:.0f} ms, {busy} over it in processor time; the slowest:")
    print(f"{'warm':>8}{'cpu':>8}{'cold':>8}")
    for timing in sorted(timings, key=lambda t: -t.warm)[:slowest]:
        print(f"{timing.warm:>8.0f}{timing.cpu:>8.0f}{timing.cold:>8.0f}  {timing.status} {timing.page.path}")
    for timing in timings:
        if not is_answered(timing):
            print(f"  status {timing.status}: {timing.page.path}")


if __name__ == "__main__":
    sys.exit(main())
