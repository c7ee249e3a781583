"""Full-text search over overlapping bigrams, contentless: the text itself stands in `sections` and `page_versions`."""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    "CREATE VIRTUAL TABLE sections_fts USING fts5(heading, text, content='', tokenize='unicode61')",
    "CREATE VIRTUAL TABLE pages_fts USING fts5(title, text, content='', tokenize='unicode61')",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
