"""Which files of other tools were taken in, what they were called and what they were byte for byte."""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    """CREATE TABLE imports(
        import_id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        file_name TEXT NOT NULL UNIQUE REFERENCES warc_files(file_name),
        source TEXT NOT NULL,
        sha256 TEXT NOT NULL UNIQUE,
        bytes INTEGER NOT NULL,
        container TEXT NOT NULL CHECK(container IN ('members', 'stream', 'plain', 'arc')))""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
