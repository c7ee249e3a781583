"""corpus.db: its connection, its transactions, and what is written outside the recorder.

Captures come in through archive/captures.py, inside the recorder's transaction; readings through here, one transaction
per document. Nothing that was captured or read is changed afterwards: versions are added and closed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from sqlite_utils import Database

from archive.errors import ArchiveError
from archive.migrations import migrate
from archive.model import IMPORT_SITE, Finding, RunStatus
from archive.paths import database_path, has_sealed_files, no_database
from archive.rows import (
    AttachmentRow,
    CaptureToRead,
    Number,
    PageRow,
    ReadingRow,
    RunRow,
    SiteRow,
    StoredReading,
)
from archive.search import index_page, index_section
from archive.times import Clock, instant, now

# Every capture touches a dozen indexes in places of no order; the 2,000 KiB SQLite keeps by itself hold few of them.
CACHE_KIB = 16_000

_ADD_FINDING = """
INSERT INTO findings(run_id, level, code, url, capture_id, report_id, message) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""

_TO_READ = """
SELECT e.capture_id, e.run_id, u.url, e.captured_at, f.role, f.site, f.channel, f.via, f.anchor, f.listed_date,
    e.media_type, p.digest, p.bytes
FROM exchanges e
JOIN urls u ON u.url_id = e.url_id
JOIN frontier f ON f.frontier_id = e.frontier_id
JOIN payloads p ON p.payload_id = e.payload_id
WHERE e.capture_id = ?
"""


class Store:
    """An open corpus.db. The connection commits nothing by itself: writes stand inside `transaction()`."""

    # What is committed survives the loss of power.
    synchronous = "FULL"

    def __init__(self, path: Path, *, clock: Clock = now) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._clock = clock
        self._depth = 0
        self.connection.execute("PRAGMA busy_timeout = 10000")
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self.database = Database(self.connection)
        migrate(self.database)

    @classmethod
    def open(cls, data_dir: Path, *, clock: Clock = now) -> Store:
        """The store of a data directory, made when missing; pending migrations are applied. Raises ArchiveError.

        An empty one is never put beside files that were sealed: it would be taken for all there is.
        """
        path = database_path(data_dir)
        if not path.exists() and has_sealed_files(data_dir):
            raise ArchiveError(no_database(data_dir))
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            return cls(path, clock=clock)
        except (OSError, sqlite3.Error) as error:
            raise ArchiveError(f"{path}: cannot open the database ({error})") from error

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and durable once left. Inside another one it is part of that."""
        if self._depth:
            yield self.connection
            return
        self.connection.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield self.connection
            self._commit()
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        finally:
            self._depth = 0

    def _commit(self) -> None:
        self.connection.execute("COMMIT")

    # Runs, sites, findings

    def start_run(self, run: RunRow) -> None:
        with self.transaction():
            self.connection.execute(
                """INSERT INTO runs(run_id, kind, started_at, status, code_version, host, settings_json)
                VALUES (?, ?, ?, 'running', ?, ?, ?)""",
                (run.run_id, run.kind, run.started_at, run.code_version, run.host, run.settings_json),
            )

    def finish_run(
        self, run_id: str, status: RunStatus, *, finished_at: datetime | None = None, stats_json: str = "{}"
    ) -> None:
        with self.transaction():
            self.connection.execute(
                "UPDATE runs SET status = ?, finished_at = ?, stats_json = ? WHERE run_id = ?",
                (status, instant(finished_at or self._clock()), stats_json, run_id),
            )

    def mark_run(self, run_id: str, status: RunStatus) -> None:
        """Says how a run ended, and nothing else: when it ended stays as it is."""
        with self.transaction():
            self.connection.execute("UPDATE runs SET status = ? WHERE run_id = ?", (status, run_id))

    def interrupt_dead_runs(self) -> list[str]:
        """Marks runs that never said how they ended as interrupted; the caller holds the lock. Returns their ids."""
        with self.transaction():
            dead = [run_id for (run_id,) in self.connection.execute("SELECT run_id FROM runs WHERE status = 'running'")]
            self.connection.execute("UPDATE runs SET status = 'interrupted' WHERE status = 'running'")
        return dead

    def put_site(self, run_id: str, site: SiteRow) -> None:
        with self.transaction():
            self.connection.execute(
                """INSERT INTO sites(name, agency, division_code, platform, toml, first_run_id, last_run_id)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT(name) DO UPDATE SET agency = excluded.agency, division_code = excluded.division_code,
                    platform = excluded.platform, toml = excluded.toml, last_run_id = excluded.last_run_id""",
                (site.name, site.agency, site.division_code, site.platform, site.toml, run_id, run_id),
            )

    def add_finding(
        self, run_id: str, finding: Finding, *, capture_id: int | None = None, report_id: int | None = None
    ) -> None:
        """Stores a finding once per run, however often it is met."""
        with self.transaction():
            self.connection.execute(
                _ADD_FINDING,
                (run_id, finding.level, finding.code, finding.url, capture_id, report_id, finding.message),
            )

    # What extraction reads

    def captures_to_read(self, parser_version: str) -> Iterator[CaptureToRead]:
        """Captures of pages and attachments that brought new content and that this parser version has not read, oldest
        first.
        """
        waiting = self.connection.execute(
            """SELECT DISTINCT g.capture_id FROM changes g
            WHERE g.kind IN ('appeared', 'content_changed', 'layout_changed') AND NOT EXISTS (
                SELECT 1 FROM content_digests d WHERE d.capture_id = g.capture_id AND d.parser_version = ?)
            ORDER BY g.capture_id""",
            (parser_version,),
        ).fetchall()
        for (capture_id,) in waiting:
            row = self.connection.execute(_TO_READ, (capture_id,)).fetchone()
            if row is not None:
                yield CaptureToRead(*row)

    def capture_to_read(self, capture_id: int) -> CaptureToRead | None:
        row = self.connection.execute(_TO_READ, (capture_id,)).fetchone()
        return CaptureToRead(*row) if row else None

    def latest_capture(self, url: str) -> CaptureToRead | None:
        """The newest capture of `url` that has content; see `_is_later` for what other tools captured."""
        candidates = self.connection.execute(
            """SELECT max(e.capture_id) FILTER (WHERE f.site <> ?2),
                (SELECT i.capture_id FROM exchanges i JOIN frontier o ON o.frontier_id = i.frontier_id
                WHERE i.url_id = e.url_id AND o.site = ?2 AND i.outcome IN ('ok', 'revisit')
                ORDER BY i.captured_at DESC, i.capture_id DESC LIMIT 1)
            FROM exchanges e JOIN urls u ON u.url_id = e.url_id JOIN frontier f ON f.frontier_id = e.frontier_id
            WHERE u.url = ?1 AND e.outcome IN ('ok', 'revisit')""",
            (url, IMPORT_SITE),
        ).fetchone()
        newest, imported = candidates
        if newest is None or (imported is not None and self._is_later(imported, newest)):
            newest = imported
        found = self.connection.execute(_TO_READ, (newest,)).fetchone()
        return CaptureToRead(*found) if found else None

    def first_to_say(self, capture: CaptureToRead) -> CaptureToRead:
        """The capture of its address that first brought the content which `capture` shows unchanged; itself where none
        is known, or for one that another tool made.
        """
        (first,) = self.connection.execute(
            """SELECT max(g.capture_id) FROM changes g JOIN exchanges e ON e.capture_id = g.capture_id
            JOIN frontier f ON f.frontier_id = e.frontier_id
            WHERE g.url = ? AND g.kind IN ('appeared', 'content_changed') AND g.capture_id <= ? AND f.site <> ?""",
            (capture.url, capture.capture_id, IMPORT_SITE),
        ).fetchone()
        found = self.capture_to_read(first) if first is not None and capture.site != IMPORT_SITE else None
        return found or capture

    # What extraction writes

    def insert_page(self, page: PageRow) -> int:
        """Adds a version of a page and closes the one before; the same capture and parser version again changes
        nothing.
        """
        with self.transaction():
            known = self.connection.execute(
                "SELECT page_version_id FROM page_versions WHERE capture_id = ? AND parser_version = ?",
                (page.capture_id, page.parser_version),
            ).fetchone()
            if known:
                return int(known[0])
            current = self.connection.execute(
                "SELECT page_version_id, capture_id FROM page_versions WHERE url = ? AND known_to IS NULL", (page.url,)
            ).fetchone()
            known_from, known_to, because = self._succession(page.capture_id, current[1] if current else None)
            if current and known_to is None:
                self.connection.execute(
                    "UPDATE page_versions SET known_to = ?, closed_because = ? WHERE page_version_id = ?",
                    (known_from, because, current[0]),
                )
            cursor = self.connection.execute(
                """INSERT INTO page_versions(url, site, channel, title, published_date, publisher, index_number,
                    document_number, text, origins_json, capture_id, parser_version, known_from, known_to,
                    closed_because, kind)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    page.url,
                    page.site,
                    page.channel,
                    page.title,
                    page.published_date,
                    page.publisher,
                    page.index_number,
                    page.document_number,
                    page.text,
                    page.origins_json,
                    page.capture_id,
                    page.parser_version,
                    known_from,
                    known_to,
                    because if known_to else None,
                    page.kind,
                ),
            )
            version_id = _row_id(cursor)
            index_page(self.connection, version_id, page.title or "", page.text)
            return version_id

    def insert_attachment(self, attachment: AttachmentRow) -> None:
        """Adds an attachment of a page; what was known of it and is None now stays."""
        with self.transaction():
            self.connection.execute(
                """INSERT INTO attachments(url, page_url, file_name, media_type, bytes, capture_id)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT(page_url, url) DO UPDATE SET
                    file_name = iif(excluded.file_name = '', file_name, excluded.file_name),
                    media_type = ifnull(excluded.media_type, media_type), bytes = ifnull(excluded.bytes, bytes),
                    capture_id = ifnull(excluded.capture_id, capture_id)""",
                (
                    attachment.url,
                    attachment.page_url,
                    attachment.file_name,
                    attachment.media_type,
                    attachment.bytes,
                    attachment.capture_id,
                ),
            )

    def insert_reading(self, reading: ReadingRow) -> StoredReading:
        """Stores a reading with its facts, checks, sections, findings and report version, all or nothing.

        The same capture read by the same parser version again changes nothing. A document that stops being a report
        keeps its last version as long as only its content changed (a page that was replaced is not a report withdrawn),
        and loses it when a newer parser says of the same capture that it never was one.
        """
        with self.transaction():
            known = self._known_reading(reading)
            if known is not None:
                return known
            reading_id = self._insert_reading_row(reading)
            report_id = self._insert_version(reading_id, reading)
            self._insert_findings(reading, report_id)
            return StoredReading(reading_id, report_id, True)

    def _known_reading(self, reading: ReadingRow) -> StoredReading | None:
        row = self.connection.execute(
            """SELECT r.reading_id, v.report_id FROM readings r LEFT JOIN report_versions v ON v.reading_id =
            r.reading_id WHERE r.capture_id = ? AND r.parser_version = ?""",
            (reading.capture_id, reading.parser_version),
        ).fetchone()
        return StoredReading(row[0], row[1], False) if row else None

    def _insert_reading_row(self, reading: ReadingRow) -> int:
        cursor = self.connection.execute(
            """INSERT INTO readings(capture_id, parser_version, read_at, kind, media_type, form, contact_json,
            error_code,
                error_message, opening) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                reading.capture_id,
                reading.parser_version,
                instant(self._clock()),
                reading.kind,
                reading.media_type,
                reading.form,
                reading.contact_json,
                reading.error_code,
                reading.error_message,
                reading.opening,
            ),
        )
        reading_id = _row_id(cursor)
        connection = self.connection
        connection.executemany(
            "INSERT INTO cells(cell, unit) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(fact.cell, fact.unit) for fact in reading.facts],
        )
        connection.executemany(
            """INSERT INTO reading_facts(reading_id, cell_id, value, raw, status_id, locator, confidence)
            VALUES (?, (SELECT cell_id FROM cells WHERE cell = ? AND unit = ?), ?, ?,
                (SELECT status_id FROM fact_statuses WHERE status = ?), ?, ?)""",
            [
                (reading_id, f.cell, f.unit, _number(f.value), f.raw, f.status, f.locator, f.confidence)
                for f in reading.facts
            ],
        )
        connection.executemany(
            "INSERT INTO rules(rule) VALUES (?) ON CONFLICT DO NOTHING", [(check.rule,) for check in reading.checks]
        )
        connection.executemany(
            """INSERT INTO reading_checks(reading_id, rule_id, status, lhs, rhs)
            VALUES (?, (SELECT rule_id FROM rules WHERE rule = ?), ?, ?, ?)""",
            [(reading_id, k.rule, k.status, _number(k.lhs), _number(k.rhs)) for k in reading.checks],
        )
        for position, section in enumerate(reading.sections, 1):
            cursor = connection.execute(
                "INSERT INTO sections(reading_id, position, heading, text, locator) VALUES (?, ?, ?, ?, ?)",
                (reading_id, position, section.heading, section.text, section.locator),
            )
            index_section(connection, _row_id(cursor), section.heading, section.text)
        return reading_id

    def _insert_version(self, reading_id: int, reading: ReadingRow) -> int | None:
        if reading.report is None:
            self._close_misread(reading)
            return None
        report_id = self._report_id(reading.report.document_url)
        current = self.connection.execute(
            "SELECT version_id, capture_id FROM report_versions WHERE report_id = ? AND known_to IS NULL", (report_id,)
        ).fetchone()
        known_from, known_to, because = self._succession(reading.capture_id, current[1] if current else None)
        if current and known_to is None:
            self.connection.execute(
                "UPDATE report_versions SET known_to = ?, closed_because = ? WHERE version_id = ?",
                (known_from, because, current[0]),
            )
        report = reading.report
        self.connection.execute(
            """INSERT INTO report_versions(report_id, reading_id, capture_id, site, page_url, agency, agency_origin,
                division_code, report_year, report_year_origin, form, form_cited, title, published_date,
                published_date_origin, signed_date, known_from, known_to, closed_because)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                report_id,
                reading_id,
                reading.capture_id,
                report.site,
                report.page_url,
                report.agency,
                report.agency_origin,
                report.division_code,
                report.report_year,
                report.report_year_origin,
                report.form,
                report.form_cited,
                report.title,
                report.published_date,
                report.published_date_origin,
                report.signed_date,
                known_from,
                known_to,
                because if known_to else None,
            ),
        )
        return report_id

    def _report_id(self, document_url: str) -> int:
        self.connection.execute(
            "INSERT INTO report_documents(document_url) VALUES (?) ON CONFLICT DO NOTHING", (document_url,)
        )
        row = self.connection.execute(
            "SELECT report_id FROM report_documents WHERE document_url = ?", (document_url,)
        ).fetchone()
        return int(row[0])

    def _close_misread(self, reading: ReadingRow) -> None:
        self.connection.execute(
            """UPDATE report_versions SET known_to = ?, closed_because = 'not_a_report'
            WHERE capture_id = ? AND known_to IS NULL""",
            (instant(self._clock()), reading.capture_id),
        )

    def _succession(self, capture_id: int, current: int | None) -> tuple[str, str | None, str]:
        """Since when a version of `capture_id` is known, until when (set when a later capture is current), and why
        others close.
        """
        captured_at = self.connection.execute(
            "SELECT captured_at FROM exchanges WHERE capture_id = ?", (capture_id,)
        ).fetchone()[0]
        if current is None or self._is_later(capture_id, current):
            return captured_at, None, "republished"
        read_at = instant(self._clock())
        if capture_id == current:
            return read_at, None, "reparsed"
        return read_at, read_at, "republished"

    def _is_later(self, capture_id: int, other: int) -> bool:
        """By the order of recording; what other tools captured has only its clock to go by."""
        if capture_id == other:
            return False
        (mine, is_imported), (theirs, was_imported) = (
            self.connection.execute(
                """SELECT e.captured_at, f.site = ? FROM exchanges e JOIN frontier f ON f.frontier_id = e.frontier_id
                WHERE e.capture_id = ?""",
                (IMPORT_SITE, one),
            ).fetchone()
            for one in (capture_id, other)
        )
        if not is_imported and not was_imported:
            return capture_id > other
        return (str(mine), capture_id) > (str(theirs), other)

    def _insert_findings(self, reading: ReadingRow, report_id: int | None) -> None:
        run_id = self.connection.execute(
            "SELECT run_id FROM exchanges WHERE capture_id = ?", (reading.capture_id,)
        ).fetchone()[0]
        self.connection.executemany(
            _ADD_FINDING,
            [
                (run_id, finding.level, finding.code, finding.url, reading.capture_id, report_id, finding.message)
                for finding in reading.findings
            ],
        )


def insert_findings(
    connection: sqlite3.Connection, run_id: str, findings: Sequence[tuple[Finding, int | None]]
) -> None:
    """Adds findings, each with the capture that it is about, inside the caller's transaction."""
    connection.executemany(
        _ADD_FINDING,
        [(run_id, f.level, f.code, f.url, capture_id, None, f.message) for f, capture_id in findings],
    )


def _number(value: Number | None) -> int | float | str | None:
    """For a NUMERIC column, which makes a number of text that is one; beyond 64 bits it loses the last digits."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


def _row_id(cursor: sqlite3.Cursor) -> int:
    if cursor.lastrowid is None:
        raise sqlite3.DatabaseError("no row was inserted")
    return cursor.lastrowid
