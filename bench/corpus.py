"""A synthetic corpus of 5,000 reports (a million facts), and what it costs to build, rebuild, publish and browse it.

    python bench/corpus.py [--reports N] [--to DIR] [--only STEP …] [--workers N]

    build      two runs recorded into WARC files, every document read: `gongkai crawl` without the wire
    rebuild    the database deleted, `gongkai extract --full`, every public table compared row by row
    snapshot   `gongkai snapshot`, then every page of it asked for (bench/pages.py)
    export     `gongkai export` in every format

With `--to` the corpus stays there, and is used again if it is there already.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus_archive import build

from archive.browse.codebook import codebook
from archive.paths import database_path
from archive.store import Store
from crawler.extract import extract

# What only says when a row was written, or in which order.
VOLATILE = {"readings": {"read_at"}, "all_facts": {"known_from"}, "findings": {"finding_id"}}
STEPS = ("build", "rebuild")


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=5000)
    parser.add_argument("--to", type=Path)
    parser.add_argument("--only", nargs="*", choices=STEPS, default=STEPS)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    data_dir = options.to or Path(tempfile.mkdtemp(prefix="gongkai-corpus-"))
    try:
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


if __name__ == "__main__":
    sys.exit(main())
