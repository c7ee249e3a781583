"""Which reports to sum over, so that no application of an agency's year is counted twice."""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    # A report that does not say whom it covers is not counted beside one of the agency's own figures.
    """CREATE VIEW counted_reports AS
        SELECT r.report_id, r.agency_id, ifnull(r.agency_name, r.agency) AS agency,
            ifnull(a.division_code, r.division_code) AS division_code, r.report_year, r.scope, r.form
        FROM reports r
        LEFT JOIN agencies a ON a.agency_id = r.agency_id
        WHERE r.report_year IS NOT NULL AND r.scope <> 'aggregate'
            AND coalesce((SELECT p.report_id = r.report_id FROM panel_choices p WHERE p.agency_id = r.agency_id
                AND p.report_year = r.report_year AND p.scope = r.scope), r.copy_of IS NULL)
            AND NOT (r.scope = 'unknown' AND EXISTS (SELECT 1 FROM panel_choices o WHERE o.agency_id = r.agency_id
                AND o.report_year = r.report_year AND o.scope = 'own'))""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
