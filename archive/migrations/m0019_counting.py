"""Three views said again: what a copy is, whose outcomes count, and what speaks against a site."""

from __future__ import annotations

from sqlite_utils import Database

# Every number that {0} has is that of {1} too.
_SAID_BY = """NOT EXISTS (SELECT 1 FROM reading_facts k WHERE k.reading_id = {0}.reading_id AND k.value IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM reading_facts l
        WHERE l.reading_id = {1}.reading_id AND l.cell_id = k.cell_id AND l.value = k.value))"""
_PAYLOAD = "(SELECT payload_id FROM exchanges WHERE capture_id = {0}.capture_id)"

# The same bytes, or no number that the other lacks; of two that say the same the second. Files that do not name whose
# they are may be those of two bodies, who both report nothing but zeros: some number above zero has to agree.
_COPY_OF = f"""(SELECT min(o.report_id) FROM report_versions o
    WHERE o.page_url = v.page_url AND o.report_year IS v.report_year AND o.agency IS v.agency AND o.known_to IS NULL
        AND o.report_id <> v.report_id
        AND NOT EXISTS (SELECT 1 FROM report_agencies x WHERE x.report_id = o.report_id
            AND x.scope <> b.scope AND x.scope <> 'unknown' AND b.scope <> 'unknown')
        AND {_SAID_BY.format("v", "o")}
        AND (o.report_id < v.report_id OR NOT {_SAID_BY.format("o", "v")})
        AND ({_PAYLOAD.format("o")} = {_PAYLOAD.format("v")} OR (v.report_year IS NOT NULL
            AND ((o.agency_origin = 'document' AND v.agency_origin = 'document')
                OR EXISTS (SELECT 1 FROM reading_facts n WHERE n.reading_id = v.reading_id AND n.value > 0)))))"""  # noqa: S608

STATEMENTS = (
    "DROP VIEW reports",
    f"""CREATE VIEW reports AS
        SELECT v.report_id, v.agency, v.division_code, v.report_year, v.form, v.title, v.published_date, d.document_url,
            v.page_url, v.capture_id, v.site, v.agency_origin, v.report_year_origin, v.published_date_origin,
            v.signed_date, v.form_cited,
            {_COPY_OF} AS copy_of,
            v.version_id, v.reading_id, b.agency_id, a.name AS agency_name, ifnull(b.scope, 'unknown') AS scope
        FROM report_versions v
        JOIN report_documents d ON d.report_id = v.report_id
        LEFT JOIN report_agencies b ON b.report_id = v.report_id
        LEFT JOIN agencies a ON a.agency_id = b.agency_id
        WHERE v.known_to IS NULL""",  # noqa: S608  our own text
    "DROP VIEW outcomes",
    # CROSS JOIN keeps the order of the tables: from reports to the few cells that count, never over all facts.
    """CREATE VIEW outcomes AS
        WITH counted AS (
            SELECT r.report_id, o.outcome, o.way, total(ifnull(k.value, f.value)) AS value,
                count(ifnull(k.value, f.value)) AS numbers, min(c.unit) AS unit
            FROM reports r
            CROSS JOIN outcome_cells o ON o.form = r.form
            CROSS JOIN cells c ON c.cell = o.cell
            CROSS JOIN reading_facts f ON f.reading_id = r.reading_id AND f.cell_id = c.cell_id
            LEFT JOIN fact_corrections k ON k.reading_id = f.reading_id AND k.cell_id = f.cell_id
            WHERE r.report_year IS NOT NULL
                AND coalesce((SELECT p.report_id = r.report_id FROM panel_choices p WHERE p.agency_id = r.agency_id
                    AND p.report_year = r.report_year AND p.scope = r.scope), r.copy_of IS NULL)
            GROUP BY r.report_id, o.outcome, o.way),
        needed AS (SELECT form, outcome, way, count(*) AS cells FROM outcome_cells GROUP BY form, outcome, way)
        SELECT r.report_id, r.agency_id, ifnull(r.agency_name, r.agency) AS agency,
            ifnull(a.division_code, r.division_code) AS division_code, r.report_year, r.scope, r.form, c.outcome,
            CAST(max(CASE WHEN c.numbers = n.cells THEN c.value END) AS INTEGER) AS value, c.unit,
            min(max(c.numbers = n.cells)) OVER (PARTITION BY c.report_id) AS is_whole
        FROM counted c
        JOIN reports r ON r.report_id = c.report_id
        JOIN needed n ON n.form = r.form AND n.outcome = c.outcome AND n.way = c.way
        LEFT JOIN agencies a ON a.agency_id = r.agency_id
        GROUP BY c.report_id, c.outcome""",
    "DROP VIEW site_runs",
    # What one document is like says nothing against its site.
    """CREATE VIEW site_runs AS
        WITH asked AS (
            SELECT r.run_id, o.key AS site, sum(n.value) AS requests,
                total(CASE WHEN n.key IN ('http_error', 'net_error') THEN n.value END) AS failed,
                total(CASE WHEN n.key = 'blocked' THEN n.value END) AS blocked,
                total(CASE WHEN n.key = 'robots' THEN n.value END) AS refused,
                total(CASE WHEN n.key = 'not_modified' THEN n.value END) AS not_modified
            FROM runs r, json_each(r.stats_json, '$.outcomes') o, json_each(o.value) n GROUP BY r.run_id, o.key),
        listed AS (
            SELECT run_id, site, sum(stored) AS listed, sum(declared) AS declared,
                count(CASE WHEN status = 'incomplete' THEN 1 END) AS incomplete,
                group_concat(CASE WHEN status = 'incomplete' THEN channel || ': ' || because END, '; ') AS because
            FROM channel_runs GROUP BY run_id, site),
        fresh AS (SELECT first_run_id AS run_id, site, count(*) AS fresh FROM listings GROUP BY first_run_id, site),
        known AS (SELECT site, count(*) AS known FROM listings GROUP BY site),
        moved AS (
            SELECT run_id, site, count(CASE WHEN kind = 'content_changed' THEN 1 END) AS changed,
                count(CASE WHEN kind = 'disappeared' THEN 1 END) AS gone
            FROM recent_changes WHERE kind IN ('content_changed', 'disappeared') GROUP BY run_id, site),
        errors AS (
            SELECT n.run_id, coalesce(f.site, (SELECT g.site FROM urls u JOIN exchanges x ON x.url_id = u.url_id
                JOIN frontier g ON g.frontier_id = x.frontier_id WHERE u.url = n.url LIMIT 1)) AS site,
                count(*) AS errors, min(n.message) AS error
            FROM findings n
            LEFT JOIN exchanges e ON e.capture_id = n.capture_id
            LEFT JOIN frontier f ON f.frontier_id = e.frontier_id
            WHERE n.level = 'error' AND NOT EXISTS (
                SELECT 1 FROM readings d WHERE d.capture_id = n.capture_id AND d.error_code = n.code)
            GROUP BY n.run_id, 2)
        SELECT a.run_id, a.site, r.kind, r.started_at, r.finished_at, r.status AS run_status,
            CASE
                WHEN a.blocked > 0 THEN 'blocked'
                WHEN ifnull(l.listed, 0) = 0 AND (ifnull(k.known, 0) = 0 OR a.not_modified = 0) THEN 'silent'
                WHEN ifnull(x.errors, 0) > 0 THEN 'failed'
                WHEN ifnull(l.incomplete, 0) > 0 THEN 'incomplete'
                ELSE 'ok'
            END AS state,
            a.requests, CAST(a.failed AS INTEGER) AS failed, CAST(a.blocked AS INTEGER) AS blocked,
            CAST(a.refused AS INTEGER) AS refused, l.declared, ifnull(l.listed, 0) AS listed,
            ifnull(s.fresh, 0) AS new, ifnull(m.changed, 0) AS changed, ifnull(m.gone, 0) AS gone,
            ifnull(l.incomplete, 0) AS incomplete, l.because, ifnull(x.errors, 0) AS errors, x.error
        FROM asked a
        JOIN runs r ON r.run_id = a.run_id
        LEFT JOIN listed l ON l.run_id = a.run_id AND l.site = a.site
        LEFT JOIN known k ON k.site = a.site
        LEFT JOIN fresh s ON s.run_id = a.run_id AND s.site = a.site
        LEFT JOIN moved m ON m.run_id = a.run_id AND m.site = a.site
        LEFT JOIN errors x ON x.run_id = a.run_id AND x.site = a.site""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
