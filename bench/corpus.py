"""A synthetic corpus of 5,000 reports (a million facts), and what it costs to build, rebuild, publish and browse it.

    python bench/corpus.py [--reports N] [--to DIR] [--only STEP …] [--workers N]

    build      two runs recorded into WARC files, every document read: `gongkai crawl` without the wire
    rebuild    the database deleted, `gongkai extract --full`, every public table compared row by row
    snapshot   `gongkai snapshot` of it
    pages      every page of the snapshot asked for (bench/pages.py lists the slowest)
    export     `gongkai export` in every format, tables from the snapshot

With `--to` the corpus stays there, and is used again if it is there already.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus_archive import build
from pages import is_answered, pages, timed

from archive.browse.codebook import codebook
from archive.exports.export import export
from archive.exports.wacz import export_wacz
from archive.paths import database_path
from archive.snapshot import snapshot
from archive.store import Store
from crawler.extract import extract

# What only says when a row was written, or in which order.
VOLATILE = {"readings": {"read_at"}, "all_facts": {"known_from"}, "findings": {"finding_id"}}
STEPS = ("build", "rebuild", "snapshot", "pages", "export")
MOST_MILLISECONDS = 300


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table that is printed."""

    name: str
    value: str


def fingerprints(data_dir: Path) -> dict[str, tuple[int, str]]:
    """Rows and digest of every public table, rows in the order of their values."""
    found = {}
    with Store.open(data_dir) as store:
        for table in codebook().tables:
            kept = [c.name for c in table.columns if c.name not in VOLATILE.get(table.name, ())]
            columns = ", ".join(f'"{column}"' for column in kept)
            digest, count = hashlib.sha256(), 0
            for row in store.connection.execute(f"SELECT {columns} FROM {table.name} ORDER BY {columns}"):
                digest.update(repr(row).encode())
                count += 1
            found[table.name] = (count, digest.hexdigest())
    return found


def built(data_dir: Path, report_count: int, workers: int) -> Iterator[Figure]:
    started = time.perf_counter()
    summary = build(data_dir, report_count, workers=workers)
    yield Figure("build, seconds", f"{time.perf_counter() - started:.0f}")
    yield Figure("of which reading", f"{summary.seconds:.0f}")
    yield Figure("reports / facts", f"{summary.reports:,} / {summary.facts:,}")


def sizes(data_dir: Path) -> Iterator[Figure]:
    warc = sum(path.stat().st_size for path in (data_dir / "warc").glob("*.warc.gz"))
    yield Figure("WARC files, MB", f"{warc / 1e6:.0f}")
    yield Figure("corpus.db, MB", f"{database_path(data_dir).stat().st_size / 1e6:.0f}")


def rebuilt(data_dir: Path, workers: int) -> Iterator[Figure]:
    before = fingerprints(data_dir)
    for path in data_dir.glob("corpus.db*"):
        path.unlink()
    started = time.perf_counter()
    extract(data_dir, full=True, workers=workers)
    yield Figure("rebuild from WARC, seconds", f"{time.perf_counter() - started:.0f}")
    after = fingerprints(data_dir)
    different = [name for name, found in before.items() if after[name] != found]
    rows = sum(count for count, _ in before.values())
    verdict = f"identical ({len(before)} tables, {rows:,} rows)" if not different else f"DIFFERENT: {different}"
    yield Figure("rebuilt rows", verdict)


def published(data_dir: Path, folder: Path) -> Iterator[Figure]:
    started = time.perf_counter()
    made = snapshot(data_dir, folder)
    yield Figure("snapshot, seconds", f"{time.perf_counter() - started:.0f}")
    yield Figure("snapshot, MB", f"{made.bytes / 1e6:.0f}")


def browsed(data_dir: Path, folder: Path) -> Iterator[Figure]:
    with contextlib.closing(sqlite3.connect(folder / "corpus.db")) as connection:
        wanted = list(pages(connection))
    timings = asyncio.run(timed(folder, data_dir, wanted, warm=2))
    for kind in dict.fromkeys(timing.page.kind for timing in timings):
        group = [timing for timing in timings if timing.page.kind == kind]
        slowest = max(group, key=lambda timing: timing.warm)
        median = statistics.median(timing.warm for timing in group)
        figures = f"median {median:.0f}, worst {slowest.warm:.0f} (processor {slowest.cpu:.0f}) {slowest.page.path}"
        yield Figure(f"{kind} pages ({len(group)}), ms", figures)
    over = sum(timing.warm > MOST_MILLISECONDS for timing in timings)
    yield Figure(f"pages over {MOST_MILLISECONDS} ms", f"{over} of {len(timings)}")
    yield Figure("pages that fail", str(sum(not is_answered(timing) for timing in timings)))


def exported(data_dir: Path, folder: Path, to: Path) -> Iterator[Figure]:
    for form in ("csv", "parquet", "stata", "datapackage", "wacz"):
        started = time.perf_counter()
        busy = time.process_time()
        is_wacz = form == "wacz"
        files = export_wacz(data_dir, to / form) if is_wacz else export(folder / "corpus.db", to / form, form)  # type: ignore[arg-type]
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
        size = sum(file.bytes for file in files) / 1e6
        yield Figure(f"export {form}", f"{seconds:.0f} s (processor {busy:.0f}), {size:.0f} MB, {len(files)} files")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Figure("largest resident size, MB", f"{peak:.0f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=5000)
    parser.add_argument("--to", type=Path)
    parser.add_argument("--only", nargs="*", choices=STEPS, default=STEPS)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    data_dir = options.to or Path(tempfile.mkdtemp(prefix="gongkai-corpus-"))
    try:
        print(f"{'load of the machine':<34}{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        for figure in figures(data_dir, options):
            print(f"{figure.name:<34}{figure.value}", flush=True)
    finally:
        if options.to is None:
            shutil.rmtree(data_dir)
    return 0


def figures(data_dir: Path, options: argparse.Namespace) -> Iterator[Figure]:
    if not database_path(data_dir).is_file():
        yield from built(data_dir, options.reports, options.workers)
    yield from sizes(data_dir)
    if "rebuild" in options.only:
        yield from rebuilt(data_dir, options.workers)
    folder = data_dir / "published"
    if "snapshot" in options.only:
        yield from published(data_dir, folder / "snapshot")
    if "pages" in options.only:
        yield from browsed(data_dir, folder / "snapshot")
    if "export" in options.only:
        yield from exported(data_dir, folder / "snapshot", folder)


if __name__ == "__main__":
    sys.exit(main())
