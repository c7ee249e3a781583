"""Which body each report is of: agencies with their names, parents and divisions, and what is left for a person.

Derived rows throughout: made from reports, sites, the division codes and the decisions of people, and made again with
them. An `agency_id` is a digest of what identifies the body, so that it comes out the same every time.
"""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    """CREATE TABLE divisions(
        division_code TEXT NOT NULL,
        valid_from TEXT NOT NULL,
        valid_to TEXT,
        name TEXT NOT NULL,
        level TEXT NOT NULL CHECK(level IN ('province', 'prefecture', 'county')),
        parent_code TEXT,
        source TEXT NOT NULL CHECK(source IN ('gb2260', 'csv', 'site')),
        PRIMARY KEY(division_code, valid_from)) WITHOUT ROWID""",
    "CREATE INDEX divisions_name ON divisions(name)",
    """CREATE TABLE agencies(
        agency_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        name_en TEXT,
        kind TEXT NOT NULL,
        level TEXT,
        division_code TEXT,
        parent_id TEXT REFERENCES agencies(agency_id) DEFERRABLE INITIALLY DEFERRED,
        is_provisional INTEGER NOT NULL DEFAULT 0,
        decided_by TEXT NOT NULL)""",
    "CREATE INDEX agencies_division ON agencies(division_code, kind)",
    "CREATE INDEX agencies_parent ON agencies(parent_id)",
    """CREATE TABLE agency_names(
        agency_id TEXT NOT NULL REFERENCES agencies(agency_id) DEFERRABLE INITIALLY DEFERRED,
        name TEXT NOT NULL,
        valid_from INTEGER,
        valid_to INTEGER,
        reports INTEGER NOT NULL,
        capture_id INTEGER,
        decided_by TEXT NOT NULL,
        PRIMARY KEY(agency_id, name)) WITHOUT ROWID""",
    "CREATE INDEX agency_names_name ON agency_names(name)",
    """CREATE TABLE agency_events(
        agency_id TEXT NOT NULL,
        position INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK(kind IN ('merged', 'renamed', 'division_renamed')),
        year INTEGER,
        other TEXT,
        note TEXT NOT NULL DEFAULT '',
        decided_by TEXT NOT NULL,
        PRIMARY KEY(agency_id, position)) WITHOUT ROWID""",
    """CREATE TABLE report_agencies(
        report_id INTEGER PRIMARY KEY REFERENCES report_documents(report_id),
        agency_id TEXT REFERENCES agencies(agency_id) DEFERRABLE INITIALLY DEFERRED,
        scope TEXT NOT NULL CHECK(scope IN ('own', 'aggregate', 'unknown')),
        rule TEXT NOT NULL,
        evidence TEXT NOT NULL,
        scope_rule TEXT NOT NULL DEFAULT '',
        scope_evidence TEXT NOT NULL DEFAULT '',
        version_id INTEGER NOT NULL,
        words_digest TEXT NOT NULL)""",
    "CREATE INDEX report_agencies_agency ON report_agencies(agency_id)",
    """CREATE TABLE agency_reviews(
        review_id TEXT PRIMARY KEY,
        kind TEXT NOT NULL CHECK(kind IN ('pair', 'report')),
        agency_id TEXT,
        other_id TEXT,
        report_id INTEGER,
        rule TEXT NOT NULL,
        evidence TEXT NOT NULL,
        status TEXT NOT NULL CHECK(status IN ('open', 'decided')),
        decided_by TEXT)""",
    "DROP VIEW reports",
    """CREATE VIEW reports AS
        SELECT v.report_id, v.agency, v.division_code, v.report_year, v.form, v.title, v.published_date, d.document_url,
            v.page_url, v.capture_id, v.site, v.agency_origin, v.report_year_origin, v.published_date_origin,
            v.signed_date, v.form_cited,
            (SELECT min(o.report_id) FROM report_versions o
                WHERE o.page_url = v.page_url AND o.report_year = v.report_year AND o.agency IS v.agency
                    AND o.known_to IS NULL AND o.report_id < v.report_id) AS copy_of,
            v.version_id, v.reading_id, b.agency_id, a.name AS agency_name, ifnull(b.scope, 'unknown') AS scope
        FROM report_versions v
        JOIN report_documents d ON d.report_id = v.report_id
        LEFT JOIN report_agencies b ON b.report_id = v.report_id
        LEFT JOIN agencies a ON a.agency_id = b.agency_id
        WHERE v.known_to IS NULL""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
