"""What the overview pages show, as views over what is there: nothing in them is stored twice.

A published snapshot replaces them by indexed tables of the same names; archive/browse/indexes.py says which indexes.
"""

from __future__ import annotations

from sqlite_utils import Database

# What became of applications, from the column of totals. Cells of one way add up to the outcome; ways are alternatives:
# some documents print （六）其他处理 of 2021 as one row. 2014 has outcomes of its own.
_REFUSED = (
    "state_secret",
    "by_law",
    "security_stability",
    "third_party",
    "internal_affairs",
    "process",
    "enforcement_file",
    "query",
)
_UNABLE = ("not_held", "must_create", "still_unclear")
_REJECTED = ("complaint", "repeat", "publication", "excessive", "reconfirm")
_COMMON = (
    ("granted", 1, "granted"),
    ("partly_granted", 1, "partly_granted"),
    *(("refused", 1, f"refused_{reason}") for reason in _REFUSED),
    *(("unable", 1, f"unable_{reason}") for reason in _UNABLE),
    *(("rejected", 1, f"rejected_{reason}") for reason in _REJECTED),
)
_OTHER_2021 = tuple(("other", 1, f"other_{reason}") for reason in ("uncorrected", "unpaid", "rest"))
_OF_2014 = (
    "granted",
    "partly_granted",
    "refused",
    "already_disclosed",
    "not_this_agency",
    "not_existing",
    "asked_to_amend",
    "other_channel",
)
OUTCOME_CELLS = (
    *(("2014", outcome, 1, f"applications.{outcome}") for outcome in _OF_2014),
    *(
        ("2019", outcome, way, f"applications.{cell}.total")
        for outcome, way, cell in (*_COMMON, ("other", 1, "other_handling"))
    ),
    *(
        ("2021", outcome, way, f"applications.{cell}.total")
        for outcome, way, cell in (*_COMMON, *_OTHER_2021, ("other", 2, "other_handling"))
    ),
)

STATEMENTS = (
    """CREATE TABLE outcome_cells(
        form TEXT NOT NULL,
        cell TEXT NOT NULL,
        outcome TEXT NOT NULL,
        way INTEGER NOT NULL,
        PRIMARY KEY(form, cell)) WITHOUT ROWID""",
    "CREATE INDEX reading_checks_failed ON reading_checks(reading_id) WHERE status = 'fail'",
    """CREATE VIEW coverage AS
        SELECT r.agency_id, ifnull(r.agency_name, r.agency) AS agency,
            ifnull(a.division_code, r.division_code) AS division_code, r.report_year, count(*) AS reports,
            max(r.report_id) AS report_id, group_concat(DISTINCT r.form) AS forms,
            ifnull(sum(k.failed), 0) AS failed_checks, min(r.published_date) AS first_published
        FROM reports r
        LEFT JOIN agencies a ON a.agency_id = r.agency_id
        LEFT JOIN (
            SELECT reading_id, count(*) AS failed FROM reading_checks WHERE status = 'fail' GROUP BY reading_id
        ) k ON k.reading_id = r.reading_id
        WHERE r.copy_of IS NULL AND r.report_year IS NOT NULL AND ifnull(r.agency_name, r.agency) IS NOT NULL
        GROUP BY r.agency_id, 2, 3, r.report_year""",
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
            WHERE r.copy_of IS NULL AND r.report_year IS NOT NULL
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
    """CREATE VIEW cell_counts AS
        SELECT v.report_id, count(*) AS cells, sum(s.status = 'reported' AND f.value = 0) AS zero,
            sum(s.status = 'reported' AND f.value <> 0) AS other_number, sum(s.status = 'blank') AS blank,
            sum(s.status = 'absent') AS absent, sum(s.status = 'unreadable') AS unreadable,
            sum(s.status = 'inferred') AS inferred, sum(f.value IS NOT NULL AND f.confidence < 1) AS doubtful
        FROM report_versions v
        JOIN reading_facts f ON f.reading_id = v.reading_id
        JOIN fact_statuses s ON s.status_id = f.status_id
        WHERE v.known_to IS NULL GROUP BY v.report_id""",
    """CREATE VIEW recent_changes AS
        SELECT g.change_id, g.run_id, n.started_at AS noticed_at, g.kind, g.url, f.site, f.channel,
            coalesce(v.title, p.title, (SELECT l.title FROM listings l WHERE l.url = g.url LIMIT 1)) AS title,
            v.report_id, v.agency, v.report_year,
            json_array_length(d.cells_json) AS changed_cells, length(d.text_diff) AS diff_characters,
            g.capture_id, g.previous_capture_id
        FROM changes g
        JOIN runs n ON n.run_id = g.run_id
        LEFT JOIN exchanges e ON e.capture_id = ifnull(g.capture_id, g.previous_capture_id)
        LEFT JOIN frontier f ON f.frontier_id = e.frontier_id
        LEFT JOIN change_diffs d ON d.capture_id = g.capture_id AND g.kind = 'content_changed'
        LEFT JOIN page_versions p ON p.url = g.url AND p.known_to IS NULL
        LEFT JOIN report_documents t ON t.document_url = g.url
        LEFT JOIN report_versions v ON v.report_id = t.report_id AND v.known_to IS NULL""",
    """CREATE VIEW failed_checks AS
        SELECT r.report_id, r.agency_id, ifnull(r.agency_name, r.agency) AS agency,
            ifnull(a.division_code, r.division_code) AS division_code, r.report_year, r.form, u.rule, w.says,
            k.lhs, k.rhs, k.lhs - k.rhs AS difference
        FROM reading_checks k INDEXED BY reading_checks_failed
        JOIN reports r ON r.reading_id = k.reading_id
        JOIN rules u ON u.rule_id = k.rule_id
        LEFT JOIN agencies a ON a.agency_id = r.agency_id
        LEFT JOIN form_rules w ON w.form = r.form AND w.rule = u.rule
        WHERE k.status = 'fail' AND r.copy_of IS NULL""",
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
            WHERE n.level = 'error' GROUP BY n.run_id, 2)
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
    """CREATE VIEW site_health AS
        WITH newest AS (SELECT site, max(started_at) AS started_at FROM site_runs GROUP BY site),
        listed AS (SELECT site, count(*) AS known FROM listings GROUP BY site),
        read AS (
            SELECT site, count(*) AS reports, min(report_year) AS first_year, max(report_year) AS last_year
            FROM report_versions WHERE known_to IS NULL GROUP BY site)
        SELECT s.name AS site, s.agency, s.division_code, s.platform, ifnull(x.state, 'not_asked') AS state, x.run_id,
            x.started_at, x.run_status, x.requests, x.failed, x.blocked, x.refused, x.declared, x.listed, x.new,
            x.changed, x.gone, x.because, x.errors, x.error, ifnull(l.known, 0) AS known,
            ifnull(d.reports, 0) AS reports, d.first_year, d.last_year
        FROM sites s
        LEFT JOIN newest w ON w.site = s.name
        LEFT JOIN site_runs x ON x.site = s.name AND x.started_at = w.started_at
        LEFT JOIN listed l ON l.site = s.name
        LEFT JOIN read d ON d.site = s.name""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
    database.conn.executemany("INSERT INTO outcome_cells(form, outcome, way, cell) VALUES (?, ?, ?, ?)", OUTCOME_CELLS)
