"""Concepts, corrections over facts, one report per agency and year, checks across documents.

All tables here are derived: written anew when what they rest on changes. `panel_numbers` and `panel_wide` get a column
for each concept, see archive/panel.py.
"""

from __future__ import annotations

from sqlite_utils import Database

# The cells that are added up, of one concept in one report.
_FACTS = """LEFT JOIN reading_facts f ON f.reading_id = p.reading_id AND f.cell_id = m.cell_id
    LEFT JOIN fact_statuses s ON s.status_id = f.status_id
    LEFT JOIN fact_corrections k ON k.reading_id = f.reading_id AND k.cell_id = f.cell_id"""
_PARTS = f"FROM concept_cells m {_FACTS} WHERE m.form = w.form AND m.concept = w.concept AND m.way = w.way"
_VALUE = "ifnull(k.value, f.value)"
_STATUS = "ifnull(s.status, 'absent')"
_SUM = f"iif(count({_VALUE}) = count(*), sum({_VALUE}), NULL)"
# The first whose every cell has a number, else the first that the document prints at all.
_BEST_WAY = f"""(SELECT m.way FROM concept_cells m {_FACTS} WHERE m.form = p.form AND m.concept = w.concept
    GROUP BY m.way ORDER BY count({_VALUE}) = count(*) DESC, count(f.cell_id) > 0 DESC, m.way LIMIT 1)"""  # noqa: S608  our own text

STATEMENTS = (
    """CREATE TABLE concepts(
        concept TEXT PRIMARY KEY,
        position INTEGER NOT NULL UNIQUE,
        label_zh TEXT NOT NULL,
        label_en TEXT NOT NULL,
        unit TEXT NOT NULL,
        definition_zh TEXT NOT NULL,
        definition_en TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE concept_cells(
        concept TEXT NOT NULL REFERENCES concepts(concept),
        form TEXT NOT NULL,
        cell TEXT NOT NULL,
        comparability TEXT NOT NULL CHECK(comparability IN ('exact', 'broader', 'narrower', 'break')),
        reason_zh TEXT NOT NULL,
        reason_en TEXT NOT NULL,
        way INTEGER NOT NULL,
        cell_id INTEGER NOT NULL REFERENCES cells(cell_id),
        PRIMARY KEY(form, concept, way, cell)) WITHOUT ROWID""",
    """CREATE TABLE concept_ways(
        form TEXT NOT NULL,
        concept TEXT NOT NULL REFERENCES concepts(concept),
        way INTEGER NOT NULL,
        ways INTEGER NOT NULL,
        cells INTEGER NOT NULL,
        cell TEXT NOT NULL,
        cell_id INTEGER REFERENCES cells(cell_id),
        comparability TEXT NOT NULL,
        PRIMARY KEY(form, concept, way)) WITHOUT ROWID""",
    "CREATE INDEX concept_cells_cell ON concept_cells(form, cell)",
    """CREATE TABLE fact_corrections(
        reading_id INTEGER NOT NULL REFERENCES readings(reading_id),
        cell_id INTEGER NOT NULL REFERENCES cells(cell_id),
        correction_id TEXT NOT NULL REFERENCES decisions(decision_id),
        value NUMERIC NOT NULL,
        PRIMARY KEY(reading_id, cell_id)) WITHOUT ROWID""",
    """CREATE VIEW corrected_facts AS
        SELECT v.report_id, c.cell, ifnull(k.value, f.value) AS value, f.value AS value_as_printed, k.correction_id,
            f.raw, c.unit, iif(k.correction_id IS NULL, s.status, 'corrected') AS status,
            s.status AS status_as_printed, f.locator, iif(k.correction_id IS NULL, f.confidence, 1) AS confidence
        FROM report_versions v
        JOIN reading_facts f ON f.reading_id = v.reading_id
        JOIN cells c ON c.cell_id = f.cell_id
        JOIN fact_statuses s ON s.status_id = f.status_id
        LEFT JOIN fact_corrections k ON k.reading_id = f.reading_id AND k.cell_id = f.cell_id
        WHERE v.known_to IS NULL""",
    """CREATE VIEW corrections AS
        SELECT d.decision_id AS correction_id, json_extract(d.body_json, '$.document_url') AS document_url,
            json_extract(d.body_json, '$.cell') AS cell, json_extract(d.body_json, '$.value') AS value,
            json_extract(d.body_json, '$.value_as_printed') AS value_as_printed,
            json_extract(d.body_json, '$.raw') AS raw, d.reason, json_extract(d.body_json, '$.evidence') AS evidence,
            d.author, d.made_at, d.withdrawn_at, w.author AS withdrawn_by, w.reason AS withdrawn_because,
            json_extract(d.body_json, '$.payload_digest') AS payload_digest,
            (SELECT min(v.report_id) FROM fact_corrections k JOIN report_versions v ON v.reading_id = k.reading_id
                WHERE k.correction_id = d.decision_id AND v.known_to IS NULL) AS report_id
        FROM decisions d LEFT JOIN decisions w ON w.decision_id = d.withdrawn_by
        WHERE d.kind = 'correction'""",
    """CREATE VIEW panel_reports AS
        SELECT agency_id, agency, division_code, report_year, scope, report_id, form, published_date, document_url,
            copy_of, place = 1 AS is_chosen, reports - 1 AS other_reports,
            CASE
                WHEN place > 1 THEN NULL
                WHEN reports = 1 THEN 'only_one'
                WHEN (copy_of IS NULL) <> (next_copy_of IS NULL) THEN 'not_a_copy'
                WHEN published_date IS NOT next_published THEN 'latest_published'
                WHEN captured_at <> next_captured THEN 'latest_captured'
                ELSE 'first_found' END AS chosen_by,
            reading_id
        FROM (SELECT r.agency_id, r.agency_name AS agency, ifnull(a.division_code, r.division_code) AS division_code,
                r.report_year, r.scope, r.report_id, r.form, r.published_date, r.document_url, r.copy_of, r.reading_id,
                e.captured_at, row_number() OVER best AS place, lead(r.copy_of) OVER best AS next_copy_of,
                lead(r.published_date) OVER best AS next_published, lead(e.captured_at) OVER best AS next_captured,
                count(*) OVER (PARTITION BY r.agency_id, r.report_year, r.scope) AS reports
            FROM reports r
            JOIN agencies a ON a.agency_id = r.agency_id
            JOIN exchanges e ON e.capture_id = r.capture_id
            WHERE r.agency_id IS NOT NULL AND r.report_year IS NOT NULL AND r.form IS NOT NULL
            WINDOW best AS (PARTITION BY r.agency_id, r.report_year, r.scope
                ORDER BY r.copy_of IS NOT NULL, r.published_date IS NULL, r.published_date DESC, e.captured_at DESC,
                    r.report_id))""",
    """CREATE TABLE panel_choices(
        report_id INTEGER PRIMARY KEY REFERENCES report_documents(report_id),
        reading_id INTEGER NOT NULL REFERENCES readings(reading_id),
        agency_id TEXT NOT NULL,
        agency TEXT NOT NULL,
        division_code TEXT,
        report_year INTEGER NOT NULL,
        scope TEXT NOT NULL,
        form TEXT NOT NULL,
        other_reports INTEGER NOT NULL,
        chosen_by TEXT NOT NULL,
        UNIQUE(agency_id, report_year, scope))""",
    "CREATE INDEX panel_choices_year ON panel_choices(report_year)",
    "CREATE INDEX panel_choices_reading ON panel_choices(reading_id)",
    "CREATE TABLE panel_numbers(report_id INTEGER PRIMARY KEY)",
    # A concept that is one cell is a lookup; one that is a sum, or printed in more than one way, is put together.
    f"""CREATE VIEW panel AS
        SELECT p.agency_id, p.agency, p.division_code, p.report_year, p.scope, w.concept,
            ifnull(k.value, f.value) AS value, o.unit,
            iif(k.correction_id IS NULL, s.status, 'corrected') AS status, w.comparability, p.form, w.cell, p.report_id,
            iif(k.correction_id IS NULL, f.confidence, 1) AS confidence, k.correction_id,
            f.value AS value_as_printed, p.other_reports, p.chosen_by
        FROM panel_choices p
        JOIN concept_ways w ON w.form = p.form AND w.cell_id IS NOT NULL
        JOIN concepts o ON o.concept = w.concept
        JOIN reading_facts f ON f.reading_id = p.reading_id AND f.cell_id = w.cell_id
        JOIN fact_statuses s ON s.status_id = f.status_id
        LEFT JOIN fact_corrections k ON k.reading_id = f.reading_id AND k.cell_id = f.cell_id
        UNION ALL
        SELECT p.agency_id, p.agency, p.division_code, p.report_year, p.scope, w.concept,
            (SELECT {_SUM} {_PARTS}), o.unit,
            (SELECT CASE
                WHEN count({_VALUE}) < count(*) AND min({_STATUS}) = max({_STATUS}) THEN min({_STATUS})
                WHEN count({_VALUE}) < count(*) THEN 'incomplete'
                WHEN count(k.value) > 0 THEN 'corrected'
                WHEN max({_STATUS}) = 'inferred' OR min({_STATUS}) = 'inferred' THEN 'inferred'
                ELSE 'reported' END {_PARTS}),
            w.comparability, p.form, w.cell, p.report_id,
            (SELECT min(iif(k.value IS NULL, ifnull(f.confidence, 1), 1)) {_PARTS}),
            (SELECT max(k.correction_id) {_PARTS}),
            (SELECT iif(count(f.value) = count(*), sum(f.value), NULL) {_PARTS}), p.other_reports, p.chosen_by
        FROM panel_choices p
        JOIN concept_ways w ON w.form = p.form AND w.cell_id IS NULL AND w.way = iif(w.ways = 1, 1, {_BEST_WAY})
        JOIN concepts o ON o.concept = w.concept""",  # noqa: S608  our own text
    """CREATE VIEW panel_wide AS
        SELECT agency_id, agency, division_code, report_year, scope, form, report_id, other_reports, chosen_by
        FROM panel_choices""",
    """CREATE TABLE document_checks(
        check_id INTEGER PRIMARY KEY,
        rule TEXT NOT NULL,
        status TEXT NOT NULL CHECK(status IN ('pass', 'fail', 'uncertain', 'not_applicable')),
        agency_id TEXT,
        report_year INTEGER,
        lhs NUMERIC,
        rhs NUMERIC,
        note TEXT NOT NULL,
        report_id INTEGER NOT NULL REFERENCES report_documents(report_id),
        digest TEXT NOT NULL UNIQUE)""",
    "CREATE INDEX document_checks_report ON document_checks(report_id)",
    "CREATE INDEX document_checks_agency ON document_checks(agency_id, report_year)",
    "CREATE INDEX document_checks_status ON document_checks(status, rule)",
    """CREATE TABLE document_check_cells(
        check_id INTEGER NOT NULL REFERENCES document_checks(check_id) ON DELETE CASCADE,
        side TEXT NOT NULL CHECK(side IN ('left', 'right')),
        report_id INTEGER NOT NULL,
        cell TEXT NOT NULL,
        PRIMARY KEY(check_id, side, report_id, cell)) WITHOUT ROWID""",
    "CREATE INDEX document_check_cells_cell ON document_check_cells(report_id, cell)",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
