"""What the morning report and `gongkai status` cost in a large database: each query's time and what it scans.

    python bench/queries.py [--exchanges N] [--without-indexes]

The database holds so many exchanges in 25 nights of five sites, a tenth as many listings, readings and findings, and
half of those as reports; rows are invented. `--without-indexes` drops what migration m0013 adds, to compare.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from archive.history import doubtful
from archive.migrations.m0013_scans import INDEXES
from archive.rechecks import due
from archive.rows import RunRow, SiteRow
from archive.store import Store
from archive.times import moment
from crawler.morning import gather
from crawler.status import status

RUNS, SITES = 25, 5


def fill(store: Store, exchanges: int) -> str:
    """Returns the last run's id."""
    pages = exchanges // 10
    run_ids = [f"2026{1 + day // 28:02}{1 + day % 28:02}T173000Z-x" for day in range(RUNS)]
    names = [f"site_{number}" for number in range(SITES)]
    channels = [
        {"site": name, "channel": "reports", "declared": None, "stored": 9, "status": "complete", "because": ""}
        for name in names
    ]
    outcomes = {name: {"ok": exchanges // RUNS // SITES} for name in names}
    for run_id in run_ids:
        at = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T17:30:00.000000Z"
        store.start_run(RunRow(run_id, "nightly", at, "0", "h", json.dumps({"sites": names, "limit": None})))
        for name in names:
            toml = f'[channels]\nreports = "http://{name.replace("_", "-")}.example.cn/"\n'
            store.put_site(run_id, SiteRow(name, "某市某区人民政府", "230199", "auto", toml))
    with store.transaction() as connection:
        connection.execute("INSERT INTO warc_files(file_name, state, bytes) VALUES ('w', 'sealed', 1)")
        many = connection.executemany
        urls = [(number + 1, f"http://site-{number % SITES}.example.cn/art/{number}.html") for number in range(pages)]
        many("INSERT INTO urls(url_id, url) VALUES (?, ?)", urls)
        many(
            """INSERT INTO frontier(frontier_id, key, url_id, role, site, channel, host, priority, state, run_id)
            VALUES (?1, ?2, ?1, 'page', ?3, 'reports', 'h', 1, 'acknowledged', ?4)""",
            [(number, str(number), names[(number - 1) % SITES], run_ids[0]) for number, _ in urls],
        )
        many("INSERT INTO payloads(payload_id, digest, bytes) VALUES (?, ?, 9)", [(n, f"sha256:{n}") for n, _ in urls])
        many(
            """INSERT INTO exchanges(capture_id, run_id, frontier_id, url_id, captured_at, outcome, http_status,
                payload_id, warc_id, warc_offset, warc_length, warc_record_id, metadata_offset, metadata_length)
            VALUES (?1, ?2, ?3, ?3, ?4, 'ok', 200, ?3, 1, 0, 0, ?1, 0, 0)""",
            [
                (number + 1, run_ids[number * RUNS // exchanges], 1 + number % pages, "2026-01-01T17:30:00.000000Z")
                for number in range(exchanges)
            ],
        )
        many(
            """INSERT INTO listings(site, channel, url, title, position, first_run_id, last_run_id)
            VALUES (?, 'reports', ?, '公告', 0, ?, ?)""",
            [(names[(n - 1) % SITES], url, run_ids[(n - 1) * RUNS // pages], run_ids[-1]) for n, url in urls],
        )
        many(
            "INSERT INTO changes(url, run_id, kind, capture_id) VALUES (?, ?, 'appeared', ?)",
            [(url, run_ids[(n - 1) * RUNS // pages], n) for n, url in urls],
        )
        many(
            "INSERT INTO findings(run_id, level, code, url, capture_id, message) VALUES (?, 'warning', ?, ?, ?, 'm')",
            [(run_ids[(n - 1) * RUNS // pages], f"code_{n % 7}", url, n) for n, url in urls],
        )
        many(
            """INSERT INTO readings(reading_id, capture_id, parser_version, read_at, kind, media_type)
            VALUES (?1, ?1, '1', '2026', 'annual_report', 'text/html')""",
            [(n,) for n, _ in urls],
        )
        many("INSERT INTO report_documents VALUES (?, ?)", urls[::2])
        many(
            """INSERT INTO report_versions(report_id, reading_id, capture_id, site, agency, report_year, known_from)
            VALUES (?1, ?1, ?1, ?2, '某局', ?3, '2026')""",
            [(n, names[(n - 1) % SITES], 2008 + n % 17) for n, _ in urls[::2]],
        )
        many(
            """INSERT INTO page_versions(url, site, channel, text, capture_id, parser_version, known_from)
            VALUES (?, ?, 'reports', '', ?, '1', '2026')""",
            [(url, names[(n - 1) % SITES], n) for n, url in urls],
        )
        connection.execute("INSERT INTO rules VALUES (1, 'r')")
        many("INSERT INTO reading_checks VALUES (?, 1, 'fail', 1, 2)", [(n,) for n, _ in urls[::50]])
    for run_id in run_ids:
        stats = json.dumps({"outcomes": outcomes, "channels": channels})
        store.finish_run(run_id, "finished", stats_json=stats)
    return run_ids[-1]


def standing(connection: sqlite3.Connection, data_dir: Path) -> None:
    """`status`, through our connection."""
    plain = sqlite3.connect
    sqlite3.connect = lambda *_, **__: connection  # type: ignore[assignment,misc]
    try:
        status(data_dir)
    finally:
        sqlite3.connect = plain  # type: ignore[misc]


class Watched(sqlite3.Connection):
    """Keeps the time of each statement, its rows included."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self.seconds: dict[str, float] = defaultdict(float)
        self.plans: dict[str, list[str]] = {}

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
        started = time.perf_counter()
        cursor = super().execute(sql, *values)  # type: ignore[arg-type]
        if not sql.lstrip().upper().startswith(("SELECT", "WITH")):
            return cursor
        rows = cursor.fetchall()
        self.seconds[sql] += time.perf_counter() - started
        if sql not in self.plans:
            found = super().execute(f"EXPLAIN QUERY PLAN {sql}", *values)  # type: ignore[arg-type]
            self.plans[sql] = [row[3] for row in found]
        return _Rows(rows, cursor)  # type: ignore[return-value]


class _Rows(list):  # type: ignore[type-arg]
    """Rows that were fetched already, as a cursor gives them."""

    def __init__(self, rows: list[object], cursor: sqlite3.Cursor) -> None:
        super().__init__(rows)
        self.description = cursor.description

    def fetchall(self) -> list[object]:
        return list(self)

    def fetchone(self) -> object:
        return self[0] if self else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exchanges", type=int, default=50_000)
    parser.add_argument("--without-indexes", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        with Store.open(data_dir) as store:
            run_id = fill(store, arguments.exchanges)
            if arguments.without_indexes:
                for name in INDEXES:
                    store.connection.execute(f"DROP INDEX IF EXISTS {name}")
        connection = sqlite3.connect(data_dir / "corpus.db", factory=Watched)
        steps = {
            "morning report": lambda: gather(data_dir, connection, run_id),
            "what to ask again": lambda: [
                due(connection, f"site_{number}", days=90, at=moment("2026-02-01T17:30:00Z")) for number in range(SITES)
            ],
            "addresses in doubt": lambda: doubtful(connection),
            "states of a run": lambda: connection.execute("SELECT * FROM url_states WHERE run_id = ?", (run_id,)),
            "gongkai status": lambda: standing(connection, data_dir),
        }
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            print(f"{name}: {time.perf_counter() - started:.3f} s")
        for sql, seconds in sorted(connection.seconds.items(), key=lambda item: -item[1])[:12]:
            scans = "; ".join(step for step in connection.plans[sql] if step.startswith("SCAN"))
            print(f"  {seconds * 1000:8.1f} ms  {' '.join(sql.split())[:80]}\n               {scans or 'no scan'}")
        connection.close()


if __name__ == "__main__":
    main()
