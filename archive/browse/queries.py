"""The rows that the pages show. Everything comes back as plain dicts, one per row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Protocol

RowDict = dict[str, Any]


class Database(Protocol):
    """The part of Datasette's database that is used here."""

    path: str

    async def execute(self, sql: str, params: dict[str, object] | None = None) -> Any: ...
    async def execute_fn(self, fn: Callable[[sqlite3.Connection], Any]) -> Any: ...


REPORT = """
SELECT r.*, d.parser_version, d.media_type, d.contact_json, d.read_at, s.agency AS site_agency
FROM reports r
JOIN readings d ON d.reading_id = r.reading_id
LEFT JOIN sites s ON s.name = r.site
WHERE r.report_id = :report_id
"""

FACTS = "SELECT * FROM facts WHERE report_id = :report_id ORDER BY cell"

FORM_CELLS = "SELECT * FROM form_cells WHERE form = :form ORDER BY position"

CHECKS = """
SELECT k.rule, k.status, k.lhs, k.rhs, w.says, w.relation, w.left_cells, w.right_cells
FROM checks k LEFT JOIN form_rules w ON w.form = :form AND w.rule = k.rule
WHERE k.report_id = :report_id ORDER BY k.status <> 'fail', k.rule
"""

SECTIONS = "SELECT position, heading, text, locator FROM report_sections WHERE report_id = :report_id ORDER BY position"

REPORT_FINDINGS = """
SELECT level, code, message FROM findings
WHERE report_id = :report_id AND capture_id = :capture_id ORDER BY finding_id LIMIT 200
"""

PROVENANCE = "SELECT * FROM provenance WHERE report_id = :report_id"

# `provenance` knows current versions alone.
VERSION_PROVENANCE = """
SELECT v.report_id, d.document_url, e.captured_at, p.digest AS payload_digest, w.file_name AS warc_file,
    b.warc_offset, b.warc_length, b.warc_record_id, r.parser_version, e.run_id, v.version_id, e.capture_id,
    b.capture_id AS payload_capture_id
FROM report_versions v
JOIN report_documents d ON d.report_id = v.report_id
JOIN readings r ON r.reading_id = v.reading_id
JOIN exchanges e ON e.capture_id = v.capture_id
JOIN exchanges b ON b.capture_id = ifnull(e.refers_to, e.capture_id)
JOIN warc_files w ON w.warc_id = b.warc_id
LEFT JOIN payloads p ON p.payload_id = e.payload_id
WHERE v.version_id = :version_id
"""

RUN = "SELECT run_id, kind, started_at, code_version FROM runs WHERE run_id = :run_id"

PANEL_NUMBER = """
SELECT p.report_id, p.cell, p.value, p.concept, o.label_zh, o.label_en
FROM panel p JOIN concepts o ON o.concept = p.concept
WHERE p.agency_id = :agency_id AND p.report_year = CAST(:report_year AS INTEGER) AND p.scope = :scope
    AND p.concept = :concept
LIMIT 1
"""

DOCUMENT_CHECK = "SELECT * FROM document_checks WHERE check_id = :check_id"

DOCUMENT_CHECK_CELLS = """
SELECT side, report_id, cell FROM document_check_cells WHERE check_id = :check_id ORDER BY side, report_id, cell
"""

FACT_DOCUMENT_CHECKS = """
SELECT DISTINCT d.check_id, d.rule, d.status, d.lhs, d.rhs, d.note
FROM document_check_cells c JOIN document_checks d ON d.check_id = c.check_id
WHERE c.report_id = :report_id AND c.cell = :cell
ORDER BY d.status <> 'fail', d.status <> 'uncertain', d.check_id LIMIT 100
"""

FACT_CORRECTION = """
SELECT f.value, f.value_as_printed, d.correction_id, d.reason, d.author, d.made_at, d.evidence
FROM corrected_facts f JOIN corrections d ON d.correction_id = f.correction_id
WHERE f.report_id = :report_id AND f.cell = :cell
"""

OUTCOME_CELLS = """
SELECT o.way, o.cell, f.value
FROM outcome_cells o LEFT JOIN corrected_facts f ON f.report_id = :report_id AND f.cell = o.cell
WHERE o.form = :form AND o.outcome = :outcome ORDER BY o.way, o.cell
"""

# Of a sum of the panel's what people corrected, else what is printed.
CORRECTED_MEMBER = """
SELECT f.value, f.raw, f.status, f.confidence, r.report_year, w.row_label, w.column_label
FROM corrected_facts f JOIN reports r ON r.report_id = f.report_id
LEFT JOIN form_cells w ON w.form = r.form AND w.cell = f.cell
WHERE f.report_id = :report_id AND f.cell = :cell
"""

MEMBER = """
SELECT f.value, f.raw, f.status, f.confidence, r.report_year, w.row_label, w.column_label
FROM facts f JOIN reports r ON r.report_id = f.report_id
LEFT JOIN form_cells w ON w.form = r.form AND w.cell = f.cell
WHERE f.report_id = :report_id AND f.cell = :cell
"""

FACT_VERSIONS = """
SELECT version_id, known_from, known_to, parser_version, capture_id, cell, value, raw, unit, status, locator, confidence
FROM all_facts WHERE report_id = :report_id AND cell = :cell ORDER BY known_from DESC, version_id DESC
"""

REPORT_VERSIONS = """
SELECT v.version_id, v.capture_id, v.known_from, v.known_to, v.closed_because, d.parser_version
FROM report_versions v JOIN readings d ON d.reading_id = v.reading_id
WHERE v.report_id = :report_id ORDER BY v.version_id DESC
"""

CAPTURE = """
SELECT c.*, e.metadata_offset, e.metadata_length, e.etag, e.last_modified, f.method, f.via, f.anchor
FROM captures c
JOIN exchanges e ON e.capture_id = c.capture_id
JOIN frontier f ON f.frontier_id = e.frontier_id
WHERE c.capture_id = :capture_id
"""

CAPTURE_READINGS = """
SELECT d.reading_id, d.parser_version, d.kind, d.media_type, d.form, d.error_code, d.error_message, v.report_id,
    v.known_to, v.title
FROM readings d LEFT JOIN report_versions v ON v.reading_id = d.reading_id
WHERE d.capture_id = :capture_id ORDER BY d.reading_id DESC
"""

CAPTURE_FACTS = """
SELECT f.* FROM facts f JOIN reports r ON r.report_id = f.report_id
WHERE r.capture_id = :capture_id AND f.status <> 'absent' ORDER BY f.report_id, f.cell
"""

CAPTURE_FINDINGS = (
    "SELECT level, code, message FROM findings WHERE capture_id = :capture_id ORDER BY finding_id LIMIT 200"
)

CAPTURES_OF_URL = """
SELECT e.capture_id, e.captured_at, e.outcome FROM exchanges e
WHERE e.url_id = (SELECT url_id FROM exchanges WHERE capture_id = :capture_id)
ORDER BY e.capture_id DESC LIMIT 50
"""

# `urls` is filled with parameters' names.
REQUISITES = """
SELECT c.*, x.metadata_offset, x.metadata_length
FROM captures c JOIN exchanges x ON x.capture_id = c.capture_id
WHERE c.capture_id IN (
    SELECT ifnull(e.refers_to, e.capture_id) FROM exchanges e JOIN urls u ON u.url_id = e.url_id
    WHERE u.url IN ({urls}) AND e.run_id = :run_id AND e.outcome IN ('ok', 'revisit', 'not_modified', 'redirect'))
ORDER BY c.capture_id
"""

ATTACHMENT_NAME = "SELECT file_name FROM attachments WHERE url = :url AND file_name <> '' LIMIT 1"


async def rows(database: Database, sql: str, **parameters: object) -> list[RowDict]:
    result = await database.execute(sql, parameters)
    return [dict(row) for row in result.rows]


async def first_row(database: Database, sql: str, **parameters: object) -> RowDict | None:
    found = await rows(database, sql, **parameters)
    return found[0] if found else None
