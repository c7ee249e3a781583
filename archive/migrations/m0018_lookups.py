"""Indexes for what stored questions look for in a database that is not published yet."""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    "CREATE INDEX report_versions_report ON report_versions(report_id)",
    # Few facts are in doubt: the index costs next to nothing.
    "CREATE INDEX reading_facts_doubtful ON reading_facts(confidence) WHERE confidence < 1",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
