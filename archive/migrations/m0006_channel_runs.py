"""How whole each channel's list was read in each run, as judged at the run's end.

A view over what the run counted: its note in the WARC file brings it back when the database is made again.
"""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    """CREATE VIEW channel_runs AS
        SELECT r.run_id,
            json_extract(c.value, '$.site') AS site,
            json_extract(c.value, '$.channel') AS channel,
            json_extract(c.value, '$.declared') AS declared,
            json_extract(c.value, '$.stored') AS stored,
            json_extract(c.value, '$.status') AS status,
            json_extract(c.value, '$.because') AS because
        FROM runs r, json_each(r.stats_json, '$.channels') c""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
