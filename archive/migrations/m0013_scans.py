"""Indexes for what is asked every night about one run or one site, so that it costs what the run costs.

Measured by bench/queries.py.
"""

from __future__ import annotations

from sqlite_utils import Database

INDEXES = {
    "exchanges_run": "exchanges(run_id, frontier_id, outcome)",
    "changes_run": "changes(run_id, kind)",
    "listings_first_run": "listings(first_run_id, site)",
    "frontier_site": "frontier(site, role)",
    "frontier_url": "frontier(url_id)",
}


def apply(database: Database) -> None:
    for name, columns in INDEXES.items():
        database.execute(f"CREATE INDEX {name} ON {columns}")
