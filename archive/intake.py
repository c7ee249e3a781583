"""Groups of records back into rows: what recovery does with orphans and the rebuild with everything."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from archive.captures import insert_captures, last_content, response_with_id
from archive.contents import drawn_bytes, stored_response
from archive.decisions import RUN_KIND, insert_decision, place_of
from archive.errors import DamagedRecordError, MissingRecordError
from archive.groups import CAPTURE, DECISION, IMPORT, RUN_BEGIN, RUN_END, SITE, Drawn, Group, exchange_of, target_of
from archive.imported import take_in
from archive.limit import within_limit
from archive.model import Discovery, Exchange, Finding, Outcome, Target
from archive.paths import warc_dir
from archive.prepare import Discover, Prepared, prepare
from archive.recorder import capture_row, exchange_again
from archive.records import PROFILE_IDENTICAL
from archive.rows import CaptureRow, FullResponse, Place, RunRow, SiteRow
from archive.store import Store
from archive.targets import target_key

BATCH = 256


class Intake:
    """Takes the groups of WARC files into a store, in the order given, with what their payloads lead to."""

    def __init__(self, data_dir: Path, store: Store, discover: Discover) -> None:
        self._data_dir = data_dir
        self._store = store
        self._discover = discover
        self._limits: dict[str, int | None] = {}
        self._followed: dict[tuple[str, str], set[str]] = {}
        self.captures = 0
        self.findings: list[Finding] = []

    def take(self, file_name: str, groups: Iterable[Group], *, state: str = "open") -> None:
        """Takes whole groups of one file. Every batch is a transaction that also says how far the file is known."""
        certificates: dict[str, bytes] = {}
        batch: list[Group] = []
        for group in groups:
            batch.append(group)
            if len(batch) >= BATCH:
                self._take_batch(file_name, batch, certificates, state)
                batch = []
        self._take_batch(file_name, batch, certificates, state)

    def _take_batch(self, file_name: str, batch: list[Group], certificates: dict[str, bytes], state: str) -> None:
        if not batch:
            return
        with self._store.transaction() as connection:
            connection.execute(
                """INSERT INTO warc_files(file_name, state, bytes, records) VALUES (?, ?, ?, ?)
                ON CONFLICT(file_name) DO UPDATE SET bytes = excluded.bytes, records = records + excluded.records""",
                (file_name, state, batch[-1].end, sum(len(group.members) for group in batch)),
            )
            for group in batch:
                self._take_group(connection, file_name, group, certificates)

    def _take_group(
        self, connection: sqlite3.Connection, file_name: str, group: Group, certificates: dict[str, bytes]
    ) -> None:
        facts = group.facts
        if group.kind == RUN_BEGIN:
            self._begin_run(facts["run_id"], facts["kind"], facts["started_at"], facts)
        elif group.kind == SITE:
            names = ("name", "agency", "division_code", "platform", "toml")
            self._store.put_site(facts["run_id"], SiteRow(*(facts[name] for name in names)))
        elif group.kind == RUN_END:
            self._end_run(connection, group)
        elif group.kind == CAPTURE:
            self._begin_run(facts["run_id"], "crawl", facts["started_at"], {})
            row = self._capture(connection, file_name, group, certificates)
            insert_captures(connection, facts["run_id"], [row])
            self.captures += 1
        elif group.kind == IMPORT:
            self._import(connection, facts)
        elif group.kind == DECISION:
            self._begin_run(facts["run_id"], RUN_KIND, facts["made_at"], {})
            insert_decision(connection, facts, place_of(file_name, group))
        if "run_id" in facts:
            connection.execute(
                "UPDATE warc_files SET run_id = ? WHERE file_name = ? AND run_id IS NULL", (facts["run_id"], file_name)
            )

    def _begin_run(self, run_id: str, kind: str, started_at: str, facts: dict[str, object]) -> None:
        if self._store.connection.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone():
            return
        self._store.start_run(
            RunRow(
                run_id=run_id,
                kind=kind,
                started_at=started_at,
                code_version=str(facts.get("code_version", "")),
                host=str(facts.get("host", "")),
                settings_json=json.dumps(facts.get("settings", {}), ensure_ascii=False),
            )
        )

    def _import(self, connection: sqlite3.Connection, facts: dict[str, Any]) -> None:
        self._begin_run(facts["run_id"], "import", facts["at"], {})
        if (warc_dir(self._data_dir) / facts["file"]).is_file():
            self.captures += take_in(connection, self._data_dir, facts, self._discover)
            return
        message = f"{facts['file']}, which was imported from {facts['source']}, is not there"
        self.findings.append(Finding("error", "warc_missing", message))

    def _end_run(self, connection: sqlite3.Connection, group: Group) -> None:
        facts = group.facts
        self._begin_run(facts["run_id"], "crawl", facts["finished_at"], {})
        connection.execute(
            "UPDATE runs SET status = ?, finished_at = ?, stats_json = ? WHERE run_id = ?",
            (facts["status"], facts["finished_at"], json.dumps(facts["stats"], ensure_ascii=False), facts["run_id"]),
        )
        for level, code, url, message in facts["findings"]:
            self._store.add_finding(facts["run_id"], Finding(level, code, message, url))

    def _capture(
        self, connection: sqlite3.Connection, file_name: str, group: Group, certificates: dict[str, bytes]
    ) -> CaptureRow:
        main, metadata, target = group.main, group.members[-1], target_of(group.facts)
        record = main.record
        if record is None:
            raise DamagedRecordError(f"{file_name} at {main.offset}: no record")
        refers_to = response_with_id(connection, record.get("WARC-Refers-To")) if record.type == "revisit" else None
        is_identical = record.get("WARC-Profile") == PROFILE_IDENTICAL
        full_response = self._full_response(refers_to) if refers_to and is_identical else None
        exchange = exchange_of(group, full_response, certificates, self._drawn(group))
        run_id = group.facts["run_id"]
        prepared = prepare(
            target,
            exchange,
            lambda *seen: self._within_limit(run_id, target.site, self._discover(*seen)),
            lambda: self._stored_exchange(connection, target, exchange),
        )
        outcome: Outcome = prepared.outcome
        if not exchange.response:
            outcome = group.facts["outcome"]
        elif record.type == "revisit" and is_identical:
            outcome = "revisit"
            prepared = self._without_missing_body(prepared, record.get("WARC-Payload-Digest"), full_response, file_name)
        place = Place(
            warc_file=file_name,
            offset=main.offset,
            length=main.length,
            record_id=record.record_id,
            metadata_offset=metadata.offset,
            metadata_length=metadata.length,
        )
        return capture_row(
            prepared,
            outcome,
            refers_to,
            place,
            finished=group.facts["finished"],
            not_before=group.facts["not_before"],
        )

    def _within_limit(self, run_id: str, site: str, found: Discovery) -> Discovery:
        """What the run followed of `found`: its `--limit` stands in its settings."""
        connection = self._store.connection
        if run_id not in self._limits:
            row = connection.execute("SELECT settings_json FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            self._limits[run_id] = json.loads(row[0]).get("limit")
        limit = self._limits[run_id]
        if limit is None:
            return found
        if (run_id, site) not in self._followed:
            rows = connection.execute(
                """SELECT u.url FROM frontier f JOIN urls u ON u.url_id = f.url_id
                WHERE f.run_id = ? AND f.site = ? AND f.depth = 1 AND f.role <> 'list'""",
                (run_id, site),
            )
            self._followed[run_id, site] = {url for (url,) in rows}
        return within_limit(found, self._followed[run_id, site], limit)

    def _drawn(self, group: Group) -> bytes | None:
        before = group.facts.get("drawn_before")
        if before is None:
            return None
        try:
            return drawn_bytes(self._data_dir, Drawn(**before))
        except (MissingRecordError, DamagedRecordError) as error:
            message = f"what a browser drew is not readable: {error}"
            self.findings.append(Finding("error", "response_unreadable", message, group.facts["url"]))
            return None

    def _full_response(self, full: FullResponse) -> bytes | None:
        try:
            return stored_response(self._data_dir, full)
        except (MissingRecordError, DamagedRecordError) as error:
            self.findings.append(Finding("error", "response_unreadable", str(error), full.url))
            return None

    def _without_missing_body(
        self, prepared: Prepared, payload_digest: str, full_response: bytes | None, file_name: str
    ) -> Prepared:
        """A revisit whose full response cannot be read keeps the digest that it declares and leads to nothing."""
        if full_response is not None:
            return prepared
        url = prepared.target.url
        message = f"{file_name}: the response that the revisit of {url} refers to is not readable"
        self.findings.append(Finding("error", "revisit_without_response", message, url))
        return Prepared(
            target=prepared.target,
            exchange=prepared.exchange,
            head=prepared.head,
            outcome="ok",
            media_type=prepared.media_type,
            payload_digest=payload_digest,
            payload_bytes=0,
            likeness=None,
            etag=prepared.etag,
            last_modified=prepared.last_modified,
            discovery=Discovery(),
        )

    def _stored_exchange(self, connection: sqlite3.Connection, target: Target, exchange: Exchange) -> Exchange | None:
        full = last_content(connection, target_key(target))
        response = self._full_response(full) if full else None
        return exchange_again(exchange, response) if response is not None else None
