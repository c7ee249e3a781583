"""What every address was in every run, in one word; and what a page is for.

Derived from captures and findings alone, so that it comes back with them when the database is made again.
"""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    "ALTER TABLE page_versions ADD COLUMN kind TEXT CHECK(kind IN ('report', 'digest', 'explanation', 'unknown'))",
    "DROP VIEW pages",
    """CREATE VIEW pages AS
        SELECT url, site, channel, title, published_date, publisher, index_number, document_number, text, capture_id,
            origins_json, parser_version, page_version_id, kind
        FROM page_versions WHERE known_to IS NULL""",
    # The last capture of a run counts: the attempts before it led to it.
    """CREATE VIEW url_states AS
        WITH last AS (
            SELECT max(e.capture_id) AS capture_id
            FROM exchanges e JOIN frontier f ON f.frontier_id = e.frontier_id
            WHERE f.role <> 'robots'
            GROUP BY e.url_id, e.run_id),
        verdicts AS (
            SELECT n.capture_id, n.code, n.message FROM findings n JOIN last ON last.capture_id = n.capture_id
            WHERE n.code IN ('challenge', 'blocked', 'soft_404', 'redirect_to_home', 'http_error')
            GROUP BY n.capture_id),
        followed AS (
            SELECT via, site, channel, role, max(frontier_id) AS frontier_id FROM frontier
            WHERE parameters LIKE '%"redirects"%' GROUP BY via, site, channel, role)
        SELECT u.url, e.run_id,
            CASE
                WHEN v.code IN ('challenge', 'blocked') THEN v.code
                WHEN e.outcome = 'blocked' THEN 'blocked'
                WHEN v.code IN ('soft_404', 'redirect_to_home') THEN 'soft_404'
                WHEN e.outcome = 'robots' THEN 'skipped'
                WHEN e.outcome = 'redirect' THEN 'moved'
                WHEN e.outcome = 'http_error' AND e.http_status IN (404, 410, 550) THEN 'gone'
                WHEN e.outcome IN ('http_error', 'net_error') THEN 'error'
                WHEN e.outcome = 'not_modified' THEN 'not_modified'
                WHEN p.capture_id IS NULL THEN 'ok'
                WHEN p.payload_id IS e.payload_id THEN 'not_modified'
                ELSE 'changed'
            END AS state,
            CASE
                WHEN v.code IS NOT NULL THEN v.message
                WHEN e.outcome = 'robots' THEN 'robots.txt does not allow it'
                WHEN e.outcome = 'redirect' THEN 'to ' || t.url
                WHEN e.error IS NOT NULL THEN e.error
                WHEN e.truncated IS NOT NULL THEN 'the answer ends early: ' || e.truncated
                WHEN e.outcome = 'http_error' THEN 'status ' || e.http_status
            END AS detail,
            e.capture_id, f.site, f.channel, f.role
        FROM last
        JOIN exchanges e ON e.capture_id = last.capture_id
        JOIN urls u ON u.url_id = e.url_id
        JOIN frontier f ON f.frontier_id = e.frontier_id
        LEFT JOIN followed w
            ON w.via = u.url AND w.site = f.site AND w.channel = f.channel AND w.role = f.role
        LEFT JOIN frontier g ON g.frontier_id = w.frontier_id
        LEFT JOIN urls t ON t.url_id = g.url_id
        LEFT JOIN verdicts v ON v.capture_id = e.capture_id
        LEFT JOIN exchanges p ON p.capture_id = (
            SELECT max(q.capture_id) FROM exchanges q
            WHERE q.url_id = e.url_id AND q.capture_id < e.capture_id AND q.run_id <> e.run_id
                AND q.outcome IN ('ok', 'revisit'))
        UNION ALL
        SELECT n.url, n.run_id, 'skipped', n.code || ': ' || n.message, min(n.capture_id), f.site, f.channel, NULL
        FROM findings n
        JOIN exchanges e ON e.capture_id = n.capture_id
        JOIN frontier f ON f.frontier_id = e.frontier_id
        WHERE n.code IN ('host_not_allowed', 'trap') AND n.url IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM urls a JOIN exchanges b ON b.url_id = a.url_id WHERE a.url = n.url AND b.run_id = n.run_id)
        GROUP BY n.url, n.run_id""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
