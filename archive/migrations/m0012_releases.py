"""What was released: a view over the decisions that say so, which come back with the archive."""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    """CREATE VIEW releases AS
        SELECT json_extract(body_json, '$.release') AS release, made_at,
            json_extract(body_json, '$.manifest_sha256') AS manifest_sha256,
            json_extract(body_json, '$.snapshot_sha256') AS snapshot_sha256,
            json_extract(body_json, '$.counts.reports') AS reports,
            json_extract(body_json, '$.counts.facts') AS facts,
            json_extract(body_json, '$.counts.agencies') AS agencies,
            json_extract(body_json, '$.parser_versions') AS parser_versions,
            json_extract(body_json, '$.code_version') AS code_version,
            json_extract(body_json, '$.bounds') AS bounds_json,
            json_extract(body_json, '$.accepted') AS accepted,
            decision_id, withdrawn_at
        FROM decisions WHERE kind = 'release'""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
