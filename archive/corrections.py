"""Corrections by people: which facts they reach, and those that reach none any more.

A correction is of a cell of a payload, by the payload's digest: the same bytes read again, or met at another address,
have it; a document that was published anew does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archive.decisions import Decision, decisions
from archive.model import Finding
from archive.store import Store

KIND = "correction"
NOT_APPLIED = "correction_not_applied"

_REACHED = """
SELECT r.reading_id, f.cell_id, d.decision_id, json_extract(d.body_json, '$.value')
FROM decisions d
JOIN payloads p ON p.digest = json_extract(d.body_json, '$.payload_digest')
JOIN exchanges e ON e.payload_id = p.payload_id
JOIN readings r ON r.capture_id = e.capture_id
JOIN cells c ON c.cell = json_extract(d.body_json, '$.cell')
JOIN reading_facts f ON f.reading_id = r.reading_id AND f.cell_id = c.cell_id
WHERE d.kind = 'correction' AND d.withdrawn_at IS NULL
ORDER BY d.serial
"""

# What a correction speaks of, and what is current where its document was.
_PLACES = """
SELECT d.decision_id, d.run_id, json_extract(d.body_json, '$.document_url') AS url, d.author,
    json_extract(d.body_json, '$.cell') AS cell, v.report_id, v.capture_id, e.run_id,
    EXISTS (SELECT 1 FROM fact_corrections k JOIN report_versions w ON w.reading_id = k.reading_id
        WHERE k.correction_id = d.decision_id AND w.known_to IS NULL) AS is_applied
FROM decisions d
LEFT JOIN report_documents o ON o.document_url = json_extract(d.body_json, '$.document_url')
LEFT JOIN report_versions v ON v.report_id = o.report_id AND v.known_to IS NULL
LEFT JOIN exchanges e ON e.capture_id = v.capture_id
WHERE d.kind = 'correction' AND d.withdrawn_at IS NULL
ORDER BY d.serial
"""


@dataclass(frozen=True, slots=True)
class PrintedCell:
    """A cell of a current report as it was read, and the payload that prints it."""

    report_id: int
    document_url: str
    payload_digest: str
    cell: str
    unit: str
    value: float | None
    raw: str
    status: str


@dataclass(frozen=True, slots=True)
class LocatedFinding:
    """A finding and the rows that it is about."""

    run_id: str
    capture_id: int | None
    report_id: int | None
    finding: Finding


def apply_corrections(store: Store) -> set[int]:
    """Makes `fact_corrections` what the standing corrections say; of two for one cell the later counts.

    Returns the readings whose values differ now.
    """
    with store.transaction() as connection:
        wanted = {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(_REACHED)}
        known = {
            (row[0], row[1]): (row[2], row[3])
            for row in connection.execute("SELECT reading_id, cell_id, correction_id, value FROM fact_corrections")
        }
        changed = [key for key in known if wanted.get(key) != known[key]]
        connection.executemany("DELETE FROM fact_corrections WHERE reading_id = ? AND cell_id = ?", changed)
        connection.executemany(
            "INSERT INTO fact_corrections(reading_id, cell_id, correction_id, value) VALUES (?, ?, ?, ?)",
            [(*key, *wanted[key]) for key in wanted if wanted[key] != known.get(key)],
        )
    return {key[0] for key in wanted.keys() | known.keys() if wanted.get(key) != known.get(key)}


def corrections_not_applied(store: Store) -> Iterator[LocatedFinding]:
    """Standing corrections that no current reading has: the document was published anew, or is gone from the rows."""
    for (
        decision_id,
        decided_in,
        url,
        author,
        cell,
        report_id,
        capture_id,
        run_id,
        is_applied,
    ) in store.connection.execute(_PLACES).fetchall():
        if is_applied:
            continue
        why = "the document was published anew" if report_id is not None else "no current report is of its document"
        message = f"correction {decision_id} of {cell} by {author} does not apply: {why}; look again, then withdraw it"
        yield LocatedFinding(run_id or decided_in, capture_id, report_id, Finding("warning", NOT_APPLIED, message, url))


def standing_correction(store: Store, payload_digest: str, cell: str) -> Decision | None:
    """The correction of a cell that holds at present."""
    for one in reversed(decisions(store.connection, KIND)):
        if (one.body.get("payload_digest"), one.body.get("cell")) == (payload_digest, cell):
            return one
    return None


def printed_cell(store: Store, report: str, cell: str) -> PrintedCell | None:
    """A cell of the current report with that number or document address; None when there is no such cell."""
    row = store.connection.execute(
        """SELECT p.report_id, p.document_url, p.payload_digest, f.cell, f.unit, f.value, f.raw, f.status
        FROM provenance p JOIN facts f ON f.report_id = p.report_id
        WHERE (p.report_id = ?1 OR p.document_url = ?2) AND f.cell = ?3 LIMIT 1""",
        (int(report) if report.isdecimal() else None, report, cell),
    ).fetchone()
    return PrintedCell(*row) if row else None


def correction_body(printed: PrintedCell, value: int | float, evidence: str) -> dict[str, object]:
    """What the decision says: enough to find the cell again in any database, and to see what stood there."""
    return {
        "payload_digest": printed.payload_digest,
        "cell": printed.cell,
        "value": value,
        "unit": printed.unit,
        "evidence": evidence,
        "document_url": printed.document_url,
        "value_as_printed": printed.value,
        "raw": printed.raw,
        "status_as_printed": printed.status,
    }


def sync_findings(store: Store, codes: tuple[str, ...], found: list[LocatedFinding]) -> None:
    """Makes the findings of these codes exactly `found`; those that stand already stay as they are."""
    marks = ", ".join("?" * len(codes))
    with store.transaction() as connection:
        known = {
            tuple(row[1:]): row[0]
            for row in connection.execute(
                f"""SELECT finding_id, run_id, level, code, url, capture_id, report_id, message FROM findings
                WHERE code IN ({marks})""",  # noqa: S608  question marks
                codes,
            )
        }
        wanted = {
            (
                one.run_id,
                one.finding.level,
                one.finding.code,
                one.finding.url,
                one.capture_id,
                one.report_id,
                one.finding.message,
            ): None
            for one in found
        }
        gone = [(finding_id,) for row, finding_id in known.items() if row not in wanted]
        connection.executemany("DELETE FROM findings WHERE finding_id = ?", gone)
        connection.executemany(
            """INSERT INTO findings(run_id, level, code, url, capture_id, report_id, message)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
            [row for row in wanted if row not in known],
        )
