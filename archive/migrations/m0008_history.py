"""What the history of an address is judged from: what lists said, what documents say, how they differ.

`listing_events` is evidence that `listings`, which knows only the first and the last run, does not keep: triggers write
it when a run ends and when an entry is renamed, so that recording and rebuilding cannot differ. A run that never ended
says nothing; nor does a list that was not read whole. `content_digests` has a row for every capture that was read.
"""

from __future__ import annotations

from sqlite_utils import Database

# The newest of these two kinds says whether an entry is missing from its list.
_LATEST = """(SELECT v.kind FROM listing_events v
    WHERE v.site = l.site AND v.channel = l.channel AND v.url = l.url AND v.kind IN ('listed', 'unlisted')
    ORDER BY v.event_id DESC LIMIT 1)"""

STATEMENTS = (
    """CREATE TABLE listing_events(
        event_id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs(run_id),
        site TEXT NOT NULL,
        channel TEXT NOT NULL,
        url TEXT NOT NULL,
        kind TEXT NOT NULL CHECK(kind IN ('unlisted', 'listed', 'renamed')),
        title TEXT NOT NULL,
        listed_date TEXT)""",
    "CREATE INDEX listing_events_entry ON listing_events(url, channel, site)",
    "CREATE INDEX listing_events_run ON listing_events(run_id)",
    f"""CREATE TRIGGER listings_when_a_run_ends AFTER UPDATE OF finished_at ON runs WHEN NEW.finished_at IS NOT NULL
        BEGIN
            INSERT INTO listing_events(run_id, site, channel, url, kind, title, listed_date)
            SELECT NEW.run_id, l.site, l.channel, l.url, 'unlisted', l.title, l.listed_date
            FROM channel_runs c JOIN listings l ON l.site = c.site AND l.channel = c.channel
            WHERE c.run_id = NEW.run_id AND c.status = 'complete' AND l.last_run_id <> NEW.run_id
                AND {_LATEST} IS NOT 'unlisted'
            ORDER BY l.listing_id;
            INSERT INTO listing_events(run_id, site, channel, url, kind, title, listed_date)
            SELECT NEW.run_id, l.site, l.channel, l.url, 'listed', l.title, l.listed_date
            FROM listings l
            WHERE l.last_run_id = NEW.run_id AND l.first_run_id <> NEW.run_id AND {_LATEST} IS 'unlisted'
            ORDER BY l.listing_id;
        END""",  # noqa: S608  our own text
    """CREATE TRIGGER listings_when_renamed AFTER UPDATE ON listings
        WHEN OLD.title <> NEW.title OR OLD.listed_date IS NOT NEW.listed_date
        BEGIN
            INSERT INTO listing_events(run_id, site, channel, url, kind, title, listed_date)
            VALUES (NEW.last_run_id, NEW.site, NEW.channel, NEW.url, 'renamed', OLD.title, OLD.listed_date);
        END""",
    """CREATE TABLE content_digests(
        capture_id INTEGER NOT NULL REFERENCES exchanges(capture_id),
        parser_version TEXT NOT NULL,
        digest TEXT NOT NULL,
        essence TEXT,
        PRIMARY KEY(capture_id, parser_version)) WITHOUT ROWID""",
    "CREATE INDEX content_digests_essence ON content_digests(essence) WHERE essence IS NOT NULL",
    """CREATE TABLE change_diffs(
        capture_id INTEGER PRIMARY KEY REFERENCES exchanges(capture_id),
        previous_capture_id INTEGER NOT NULL REFERENCES exchanges(capture_id),
        parser_version TEXT NOT NULL,
        text_diff TEXT NOT NULL,
        cells_json TEXT NOT NULL)""",
    "CREATE INDEX changes_url ON changes(url)",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
