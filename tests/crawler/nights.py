"""What tests of reports share: a database with nights in it, put there by hand."""

import json
from itertools import count
from pathlib import Path

from archive.rows import RunRow, SiteRow
from archive.store import Store

_numbers = count(1)


def site(store: Store, run_id: str, name: str, agency: str = "某市某区人民政府") -> None:
    toml = f'[channels]\nreports = "http://{name.replace("_", "-")}.example.cn/list.html"\n'
    store.put_site(run_id, SiteRow(name, agency, "230199", "auto", toml))


def night(
    store: Store,
    day: int,
    sites: dict[str, tuple[int, dict[str, int]]],
    *,
    kind: str = "nightly",
    status: str = "finished",
    limit: int | None = None,
    incomplete: dict[str, str] | None = None,
) -> str:
    """A run on that day of January 2026. `sites`: entries listed and outcomes by name.

    Each outcome is an exchange too: of a list page where it is `not_modified`, else of a page.
    """
    run_id = f"202601{day:02}T173000Z-{kind}"
    settings = json.dumps({"sites": list(sites), "full": False, "limit": limit})
    store.start_run(RunRow(run_id, kind, f"2026-01-{day:02}T17:30:00.000000Z", "0.1.0", "host", settings))
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO warc_files(file_name, run_id, state, bytes) VALUES (?, ?, 'sealed', 1000)",
            (f"{run_id}.warc.gz", run_id),
        )
    for name, (_, outcomes) in sites.items():
        site(store, run_id, name)
        for outcome, number in outcomes.items():
            for _ in range(number):
                exchange(store, run_id, name, outcome, role="list" if outcome == "not_modified" else "page")
    gaps = incomplete or {}
    channels = [
        {
            "site": name,
            "channel": "reports",
            "declared": None,
            "stored": listed,
            "status": "incomplete" if name in gaps else "complete",
            "because": gaps.get(name, ""),
        }
        for name, (listed, _) in sites.items()
    ]
    stats = {"outcomes": {name: outcomes for name, (_, outcomes) in sites.items()}, "channels": channels}
    store.finish_run(run_id, status, stats_json=json.dumps(stats))
    return run_id


def exchange(store: Store, run_id: str, name: str, outcome: str, *, role: str = "page", url: str = "") -> int:
    """A capture; returns its id."""
    number = next(_numbers)
    with store.transaction() as connection:
        url_id = connection.execute(
            "INSERT INTO urls(url) VALUES (?) RETURNING url_id", (url or f"http://{name}.example.cn/{number}",)
        ).fetchone()[0]
        frontier_id = connection.execute(
            """INSERT INTO frontier(key, url_id, role, site, channel, host, priority, state, run_id)
            VALUES (?, ?, ?, ?, 'reports', 'h', 0, 'acknowledged', ?) RETURNING frontier_id""",
            (str(number).encode(), url_id, role, name, run_id),
        ).fetchone()[0]
        return connection.execute(
            """INSERT INTO exchanges(run_id, frontier_id, url_id, captured_at, outcome, warc_id, warc_offset,
                warc_length, warc_record_id, metadata_offset, metadata_length)
            SELECT ?, ?, ?, '2026-01-01T00:00:00.000000Z', ?, warc_id, 0, 0, ?, 0, 0 FROM warc_files WHERE run_id = ?
            RETURNING capture_id""",
            (run_id, frontier_id, url_id, outcome, f"urn:{number}", run_id),
        ).fetchone()[0]


def listing(store: Store, run_id: str, name: str, url: str, title: str = "某某年度报告") -> None:
    with store.transaction() as connection:
        connection.execute(
            """INSERT INTO listings(site, channel, url, title, position, first_run_id, last_run_id)
            VALUES (?, 'reports', ?, ?, 0, ?, ?)""",
            (name, url, title, run_id, run_id),
        )


def change(store: Store, run_id: str, url: str, kind: str, capture_id: int | None = None) -> None:
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO changes(url, run_id, kind, capture_id) VALUES (?, ?, ?, ?)", (url, run_id, kind, capture_id)
        )


def unreadable(store: Store, capture_id: int, code: str = "damaged", message: str = "cut short") -> None:
    with store.transaction() as connection:
        connection.execute(
            """INSERT INTO readings(capture_id, parser_version, read_at, kind, media_type, error_code, error_message)
            VALUES (?, '1', '2026-01-01T00:00:00Z', 'unknown', 'application/pdf', ?, ?)""",
            (capture_id, code, message),
        )


def opened(folder: Path) -> Store:
    return Store.open(folder)


def review(store: Store, review_id: str, kind: str, status: str = "open") -> None:
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO agency_reviews(review_id, kind, rule, evidence, status) VALUES (?, ?, 'rule', '', ?)",
            (review_id, kind, status),
        )
