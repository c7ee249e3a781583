"""Marks beside the wide panel's numbers, a better choice among reports of one year, and views that are quick to count.

A view's rows are counted without what a row is looked up for: names of cells and statuses come by LEFT JOIN or by a
subquery, which SQLite does not run where nobody asks for the column.
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
# As far below the fullest report as this, a report stands behind it: a twentieth is the smallest of a form's tables.
_THIN = 0.95

_NAMES = """LEFT JOIN cells c ON c.cell_id = f.cell_id
        LEFT JOIN fact_statuses s ON s.status_id = f.status_id"""

STATEMENTS = (
    "DROP VIEW facts",
    f"""CREATE VIEW facts AS
        SELECT v.report_id, c.cell, f.value, f.raw, c.unit, s.status, f.locator, f.confidence
        FROM report_versions v
        JOIN reading_facts f ON f.reading_id = v.reading_id
        {_NAMES}
        WHERE v.known_to IS NULL""",  # noqa: S608  our own text
    "DROP VIEW all_facts",
    f"""CREATE VIEW all_facts AS
        SELECT v.report_id, v.version_id, v.known_from, v.known_to, r.parser_version, r.capture_id,
            c.cell, f.value, f.raw, c.unit, s.status, f.locator, f.confidence
        FROM report_versions v
        LEFT JOIN readings r ON r.reading_id = v.reading_id
        JOIN reading_facts f ON f.reading_id = v.reading_id
        {_NAMES}""",  # noqa: S608  our own text
    "DROP VIEW corrected_facts",
    f"""CREATE VIEW corrected_facts AS
        SELECT v.report_id, c.cell, {_VALUE} AS value, f.value AS value_as_printed, k.correction_id,
            f.raw, c.unit, iif(k.correction_id IS NULL, s.status, 'corrected') AS status,
            s.status AS status_as_printed, f.locator, iif(k.correction_id IS NULL, f.confidence, 1) AS confidence
        FROM report_versions v
        JOIN reading_facts f ON f.reading_id = v.reading_id
        {_NAMES}
        LEFT JOIN fact_corrections k ON k.reading_id = f.reading_id AND k.cell_id = f.cell_id
        WHERE v.known_to IS NULL""",  # noqa: S608  our own text
    "DROP VIEW panel_reports",
    # Cells are counted only where there are several reports to choose from.
    f"""CREATE VIEW panel_reports AS
        SELECT agency_id, agency, division_code, report_year, scope, report_id, form, published_date, document_url,
            copy_of, place = 1 AS is_chosen, reports - 1 AS other_reports,
            CASE
                WHEN place > 1 THEN NULL
                WHEN reports = 1 THEN 'only_one'
                WHEN is_thin <> next_is_thin THEN 'more_complete'
                WHEN (copy_of IS NULL) <> (next_copy_of IS NULL) THEN 'not_a_copy'
                WHEN published_date IS NOT next_published THEN 'latest_published'
                WHEN captured_at <> next_captured THEN 'latest_captured'
                ELSE 'first_found' END AS chosen_by,
            round(share_read, 3) AS share_read, reading_id
        FROM (SELECT *, row_number() OVER best AS place, lead(is_thin) OVER best AS next_is_thin,
                lead(copy_of) OVER best AS next_copy_of, lead(published_date) OVER best AS next_published,
                lead(captured_at) OVER best AS next_captured
            FROM (SELECT *, ifnull(share_read <= {_THIN} * max(share_read) OVER same_year, 0) AS is_thin
                FROM (SELECT *, CASE WHEN reports > 1 THEN (
                        SELECT avg(k.value IS NOT NULL OR s.status NOT IN ('absent', 'unreadable'))
                        FROM reading_facts f JOIN fact_statuses s ON s.status_id = f.status_id
                        LEFT JOIN fact_corrections k ON k.reading_id = f.reading_id AND k.cell_id = f.cell_id
                        WHERE f.reading_id = candidates.reading_id) END AS share_read
                    FROM (SELECT r.agency_id, r.agency_name AS agency,
                            ifnull(a.division_code, r.division_code) AS division_code,
                            r.report_year, r.scope, r.report_id, r.form, r.published_date, r.document_url, r.copy_of,
                            r.reading_id, e.captured_at, count(*) OVER same_year AS reports
                        FROM reports r
                        JOIN agencies a ON a.agency_id = r.agency_id
                        JOIN exchanges e ON e.capture_id = r.capture_id
                        WHERE r.agency_id IS NOT NULL AND r.report_year IS NOT NULL AND r.form IS NOT NULL
                        WINDOW same_year AS (PARTITION BY r.agency_id, r.report_year, r.scope)) candidates)
                WINDOW same_year AS (PARTITION BY agency_id, report_year, scope))
            WINDOW best AS (PARTITION BY agency_id, report_year, scope
                ORDER BY is_thin, copy_of IS NOT NULL, published_date IS NULL, published_date DESC, captured_at DESC,
                    report_id))""",  # noqa: S608  our own text
    "DROP VIEW panel",
    # A concept that is one cell is a lookup, in the unit that this edition prints; one that is a sum, or printed in
    # more than one way, is put together.
    f"""CREATE VIEW panel AS
        SELECT p.agency_id, p.agency, p.division_code, p.report_year, p.scope, w.concept,
            CASE WHEN w.cell_id IS NULL THEN (SELECT {_SUM} {_PARTS}) ELSE {_VALUE} END AS value,
            ifnull((SELECT u.unit FROM cells u WHERE u.cell_id = w.cell_id),
                (SELECT o.unit FROM concepts o WHERE o.concept = w.concept)) AS unit,
            CASE
                WHEN w.cell_id IS NULL THEN (SELECT CASE
                    WHEN count({_VALUE}) < count(*) AND min({_STATUS}) = max({_STATUS}) THEN min({_STATUS})
                    WHEN count({_VALUE}) < count(*) THEN 'incomplete'
                    WHEN count(k.value) > 0 THEN 'corrected'
                    WHEN max({_STATUS}) = 'inferred' OR min({_STATUS}) = 'inferred' THEN 'inferred'
                    ELSE 'reported' END {_PARTS})
                WHEN k.correction_id IS NULL THEN (SELECT s.status FROM fact_statuses s
                    WHERE s.status_id = f.status_id)
                ELSE 'corrected' END AS status,
            w.comparability, p.form, w.cell, p.report_id,
            CASE
                WHEN w.cell_id IS NULL THEN (SELECT min(iif(k.value IS NULL, ifnull(f.confidence, 1), 1)) {_PARTS})
                WHEN k.correction_id IS NULL THEN f.confidence
                ELSE 1 END AS confidence,
            CASE WHEN w.cell_id IS NULL THEN (SELECT max(k.correction_id) {_PARTS}) ELSE k.correction_id END
                AS correction_id,
            CASE WHEN w.cell_id IS NULL THEN (SELECT iif(count(f.value) = count(*), sum(f.value), NULL) {_PARTS})
                ELSE f.value END AS value_as_printed,
            p.other_reports, p.chosen_by
        FROM panel_choices p
        JOIN concept_ways w ON w.form = p.form AND (w.ways = 1 OR w.way = {_BEST_WAY})
        LEFT JOIN reading_facts f ON f.reading_id = p.reading_id AND f.cell_id = w.cell_id
        LEFT JOIN fact_corrections k ON k.reading_id = p.reading_id AND k.cell_id = w.cell_id
        WHERE w.cell_id IS NULL OR f.cell_id IS NOT NULL""",  # noqa: S608  our own text
    # NULL until a row's numbers are written again.
    "ALTER TABLE panel_numbers ADD COLUMN doubtful TEXT",
    "ALTER TABLE panel_numbers ADD COLUMN corrected TEXT",
    "DROP VIEW panel_wide",
)
_KEYS = "agency_id, agency, division_code, report_year, scope, form, report_id, other_reports, chosen_by"
_MARKS = ("doubtful", "corrected")


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
    names = [row[1] for row in database.execute("PRAGMA table_info(panel_numbers)").fetchall()]
    concepts = [name for name in names if name not in ("report_id", *_MARKS)]
    columns = [*(f"p.{key}" for key in _KEYS.split(", ")), *(f"n.{name}" for name in (*_MARKS, *concepts))]
    database.execute(
        f"""CREATE VIEW panel_wide AS SELECT {", ".join(columns)}
        FROM panel_choices p LEFT JOIN panel_numbers n ON n.report_id = p.report_id"""  # noqa: S608  our own names
    )
