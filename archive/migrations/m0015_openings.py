"""The text between a report's title and its first section, which says among other things whom the figures cover."""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = ("ALTER TABLE readings ADD COLUMN opening TEXT NOT NULL DEFAULT ''",)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
