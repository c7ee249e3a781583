"""What people decided, one row per WARC record `urn:gongkai:decision:…`; see archive/decisions.py."""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    """CREATE TABLE decisions(
        serial INTEGER PRIMARY KEY,
        decision_id TEXT NOT NULL UNIQUE,
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        kind TEXT NOT NULL,
        author TEXT NOT NULL,
        reason TEXT NOT NULL,
        made_at TEXT NOT NULL,
        body_json TEXT NOT NULL,
        withdrawn_at TEXT,
        withdrawn_by TEXT REFERENCES decisions(decision_id),
        warc_id INTEGER NOT NULL REFERENCES warc_files(warc_id),
        warc_offset INTEGER NOT NULL,
        warc_length INTEGER NOT NULL,
        warc_record_id TEXT NOT NULL UNIQUE,
        CHECK((withdrawn_at IS NULL) = (withdrawn_by IS NULL)))""",
    "CREATE INDEX decisions_kind ON decisions(kind, serial)",
    "CREATE INDEX decisions_warc ON decisions(warc_id, warc_offset)",
    """CREATE TRIGGER decisions_are_kept BEFORE UPDATE OF serial, decision_id, run_id, kind, author, reason, made_at,
            body_json, warc_id, warc_offset, warc_length, warc_record_id ON decisions
        BEGIN SELECT RAISE(ABORT, 'decisions are withdrawn, never changed'); END""",
    """CREATE TRIGGER decisions_are_never_deleted BEFORE DELETE ON decisions
        BEGIN SELECT RAISE(ABORT, 'decisions are withdrawn, never deleted'); END""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
