"""What the parsers made of captures. A reading is of one capture by one parser version and is never changed.

A report is a document at a URL. Each of its versions points at the reading that says what it holds, so that a new
payload or a new parser version adds a version and closes the one before: `known_to` is set, nothing else ever is.
"""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    """CREATE TABLE readings(
        reading_id INTEGER PRIMARY KEY,
        capture_id INTEGER NOT NULL REFERENCES exchanges(capture_id),
        parser_version TEXT NOT NULL,
        read_at TEXT NOT NULL,
        kind TEXT NOT NULL CHECK(kind IN ('annual_report', 'page', 'unknown')),
        media_type TEXT NOT NULL,
        form TEXT,
        contact_json TEXT NOT NULL DEFAULT '{}',
        error_code TEXT,
        error_message TEXT,
        UNIQUE(capture_id, parser_version))""",
    """CREATE TABLE cells(
        cell_id INTEGER PRIMARY KEY,
        cell TEXT NOT NULL,
        unit TEXT NOT NULL,
        UNIQUE(cell, unit))""",
    "CREATE TABLE fact_statuses(status_id INTEGER PRIMARY KEY, status TEXT NOT NULL UNIQUE)",
    """INSERT INTO fact_statuses(status_id, status) VALUES
        (1, 'reported'), (2, 'blank'), (3, 'absent'), (4, 'unreadable'), (5, 'inferred')""",
    """CREATE TABLE reading_facts(
        reading_id INTEGER NOT NULL REFERENCES readings(reading_id),
        cell_id INTEGER NOT NULL REFERENCES cells(cell_id),
        value NUMERIC,
        raw TEXT NOT NULL,
        status_id INTEGER NOT NULL REFERENCES fact_statuses(status_id),
        locator TEXT NOT NULL,
        confidence NUMERIC NOT NULL,
        PRIMARY KEY(reading_id, cell_id),
        CHECK((status_id IN (1, 5)) = (value IS NOT NULL))) WITHOUT ROWID""",
    "CREATE INDEX reading_facts_cell ON reading_facts(cell_id, value)",
    "CREATE TABLE rules(rule_id INTEGER PRIMARY KEY, rule TEXT NOT NULL UNIQUE)",
    """CREATE TABLE reading_checks(
        reading_id INTEGER NOT NULL REFERENCES readings(reading_id),
        rule_id INTEGER NOT NULL REFERENCES rules(rule_id),
        status TEXT NOT NULL CHECK(status IN ('pass', 'fail', 'not_applicable')),
        lhs NUMERIC,
        rhs NUMERIC,
        PRIMARY KEY(reading_id, rule_id)) WITHOUT ROWID""",
    """CREATE TABLE sections(
        section_id INTEGER PRIMARY KEY,
        reading_id INTEGER NOT NULL REFERENCES readings(reading_id),
        position INTEGER NOT NULL,
        heading TEXT NOT NULL,
        text TEXT NOT NULL,
        locator TEXT NOT NULL DEFAULT '',
        UNIQUE(reading_id, position))""",
    """CREATE TABLE report_documents(
        report_id INTEGER PRIMARY KEY,
        document_url TEXT NOT NULL UNIQUE)""",
    """CREATE TABLE report_versions(
        version_id INTEGER PRIMARY KEY,
        report_id INTEGER NOT NULL REFERENCES report_documents(report_id),
        reading_id INTEGER NOT NULL UNIQUE REFERENCES readings(reading_id),
        capture_id INTEGER NOT NULL REFERENCES exchanges(capture_id),
        site TEXT,
        page_url TEXT,
        agency TEXT,
        agency_origin TEXT,
        division_code TEXT,
        report_year INTEGER,
        report_year_origin TEXT,
        form TEXT,
        form_cited TEXT,
        title TEXT,
        published_date TEXT,
        published_date_origin TEXT,
        signed_date TEXT,
        known_from TEXT NOT NULL,
        known_to TEXT,
        closed_because TEXT CHECK(closed_because IN ('republished', 'reparsed', 'not_a_report')))""",
    "CREATE UNIQUE INDEX report_versions_current ON report_versions(report_id) WHERE known_to IS NULL",
    "CREATE INDEX report_versions_page ON report_versions(page_url, report_year)",
    "CREATE INDEX report_versions_capture ON report_versions(capture_id)",
    """CREATE TABLE page_versions(
        page_version_id INTEGER PRIMARY KEY,
        url TEXT NOT NULL,
        site TEXT NOT NULL,
        channel TEXT NOT NULL,
        title TEXT,
        published_date TEXT,
        publisher TEXT,
        index_number TEXT,
        document_number TEXT,
        text TEXT NOT NULL,
        origins_json TEXT NOT NULL DEFAULT '{}',
        capture_id INTEGER NOT NULL REFERENCES exchanges(capture_id),
        parser_version TEXT NOT NULL,
        known_from TEXT NOT NULL,
        known_to TEXT,
        closed_because TEXT CHECK(closed_because IN ('republished', 'reparsed')),
        UNIQUE(capture_id, parser_version))""",
    "CREATE UNIQUE INDEX page_versions_current ON page_versions(url) WHERE known_to IS NULL",
    """CREATE TABLE attachments(
        attachment_id INTEGER PRIMARY KEY,
        url TEXT NOT NULL,
        page_url TEXT NOT NULL,
        file_name TEXT NOT NULL,
        media_type TEXT,
        bytes INTEGER,
        capture_id INTEGER REFERENCES exchanges(capture_id),
        UNIQUE(page_url, url))""",
    "CREATE INDEX attachments_url ON attachments(url)",
    """CREATE TRIGGER payloads_are_kept BEFORE UPDATE ON payloads
        BEGIN SELECT RAISE(ABORT, 'payloads are never changed'); END""",
    """CREATE TRIGGER readings_are_kept BEFORE UPDATE ON readings
        BEGIN SELECT RAISE(ABORT, 'readings are never changed'); END""",
    """CREATE TRIGGER facts_are_kept BEFORE UPDATE ON reading_facts
        BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END""",
    """CREATE VIEW pages AS
        SELECT url, site, channel, title, published_date, publisher, index_number, document_number, text, capture_id,
            origins_json, parser_version, page_version_id
        FROM page_versions WHERE known_to IS NULL""",
    """CREATE VIEW reports AS
        SELECT v.report_id, v.agency, v.division_code, v.report_year, v.form, v.title, v.published_date, d.document_url,
            v.page_url, v.capture_id, v.site, v.agency_origin, v.report_year_origin, v.published_date_origin,
            v.signed_date, v.form_cited,
            (SELECT min(o.report_id) FROM report_versions o
                WHERE o.page_url = v.page_url AND o.report_year = v.report_year AND o.agency IS v.agency
                    AND o.known_to IS NULL AND o.report_id < v.report_id) AS copy_of,
            v.version_id, v.reading_id
        FROM report_versions v JOIN report_documents d ON d.report_id = v.report_id
        WHERE v.known_to IS NULL""",
    """CREATE VIEW facts AS
        SELECT v.report_id, c.cell, f.value, f.raw, c.unit, s.status, f.locator, f.confidence
        FROM report_versions v
        JOIN reading_facts f ON f.reading_id = v.reading_id
        JOIN cells c ON c.cell_id = f.cell_id
        JOIN fact_statuses s ON s.status_id = f.status_id
        WHERE v.known_to IS NULL""",
    """CREATE VIEW all_facts AS
        SELECT v.report_id, v.version_id, v.known_from, v.known_to, r.parser_version, r.capture_id,
            c.cell, f.value, f.raw, c.unit, s.status, f.locator, f.confidence
        FROM report_versions v
        JOIN readings r ON r.reading_id = v.reading_id
        JOIN reading_facts f ON f.reading_id = v.reading_id
        JOIN cells c ON c.cell_id = f.cell_id
        JOIN fact_statuses s ON s.status_id = f.status_id""",
    """CREATE VIEW checks AS
        SELECT v.report_id, r.rule, k.status, k.lhs, k.rhs
        FROM report_versions v
        JOIN reading_checks k ON k.reading_id = v.reading_id
        JOIN rules r ON r.rule_id = k.rule_id
        WHERE v.known_to IS NULL""",
    """CREATE VIEW report_sections AS
        SELECT v.report_id, s.position, s.heading, s.text, s.locator, s.section_id
        FROM report_versions v JOIN sections s ON s.reading_id = v.reading_id
        WHERE v.known_to IS NULL""",
    """CREATE VIEW provenance AS
        SELECT v.report_id, d.document_url, e.captured_at, p.digest AS payload_digest, w.file_name AS warc_file,
            b.warc_offset, b.warc_length, b.warc_record_id, r.parser_version, e.run_id,
            v.version_id, e.capture_id, b.capture_id AS payload_capture_id
        FROM report_versions v
        JOIN report_documents d ON d.report_id = v.report_id
        JOIN readings r ON r.reading_id = v.reading_id
        JOIN exchanges e ON e.capture_id = v.capture_id
        JOIN exchanges b ON b.capture_id = ifnull(e.refers_to, e.capture_id)
        JOIN warc_files w ON w.warc_id = b.warc_id
        LEFT JOIN payloads p ON p.payload_id = e.payload_id
        WHERE v.known_to IS NULL""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
