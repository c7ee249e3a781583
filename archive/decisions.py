"""What people decided: corrections, which names mean one agency. As precious as captures, and kept as they are.

    WARC metadata record `urn:gongkai:decision:ID` → fdatasync → one transaction: its row and what the caller adds

Nothing is deleted: a decision is taken back by another one, of kind `withdrawal`. What a decision is about is named by
what survives a rebuild (digests, addresses, slugs), never by a row number.
"""

from __future__ import annotations

import json
import secrets
import socket
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError, DecisionError
from archive.files import Files
from archive.frontier import Frontier
from archive.groups import DECISION, Group
from archive.model import Discovery, RunStatus
from archive.recorder import Recorder
from archive.rows import Place, RunRow
from archive.store import Store
from archive.times import Clock, instant, now

RUN_KIND = "decision"
WITHDRAWAL = "withdrawal"

_ADD = """
INSERT INTO decisions(decision_id, run_id, kind, author, reason, made_at, body_json, warc_id, warc_offset, warc_length,
    warc_record_id)
VALUES (:decision_id, :run_id, :kind, :author, :reason, :made_at, :body_json,
    (SELECT warc_id FROM warc_files WHERE file_name = :warc_file), :offset, :length, :record_id)
ON CONFLICT(decision_id) DO NOTHING
"""
_WITHDRAW = """
UPDATE decisions SET withdrawn_at = ?, withdrawn_by = ?
WHERE decision_id = ? AND withdrawn_at IS NULL AND kind <> 'withdrawal'
"""
_FACTS = ("decision_id", "run_id", "kind", "author", "reason", "made_at")
_COLUMNS = "decision_id, kind, author, reason, made_at, body_json, withdrawn_at, withdrawn_by"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as it stands. `withdrawn_by` is the decision that took it back; both are None while it holds."""

    decision_id: str
    kind: str
    author: str
    reason: str
    made_at: str
    body: dict[str, Any]
    withdrawn_at: str | None = None
    withdrawn_by: str | None = None


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision's record as the database has it. `facts` is what the record says, without its `type`."""

    record_id: str
    length: int
    facts: dict[str, Any]


class Deciding:
    """Records decisions of one author as one run. The caller holds the lock, has recovered, and leaves the context for
    the file to be sealed.

    A decision is durable when `decide` returns. Without any there is no run and no file.
    """

    def __init__(
        self, data_dir: Path, store: Store, *, author: str, clock: Clock = now, files: Files | None = None
    ) -> None:
        if not author.strip():
            raise DecisionError("a decision needs an author: say who decides")
        self._data_dir = data_dir
        self._store = store
        self._author = author.strip()
        self._clock = clock
        self._files = files
        self._recorder: Recorder | None = None
        self._run_id = ""

    def __enter__(self) -> Deciding:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        status: RunStatus = "finished" if kind is None else "failed"
        if self._recorder is not None:
            self._recorder.close(status)

    def decide(self, kind: str, body: Mapping[str, object], *, reason: str) -> str:
        """Records a decision and returns its id. Raises DecisionError without a reason, RecorderError when it could not
        be written.
        """
        if kind == WITHDRAWAL:
            raise DecisionError("a withdrawal is made by withdraw()")
        return self._record(kind, body, reason)

    def withdraw(self, decision_id: str, *, reason: str) -> str:
        """Takes a decision back. Raises DecisionError for one that is not there, was taken back or is a withdrawal."""
        known = decision(self._store.connection, decision_id)
        if known is None:
            raise DecisionError(f"there is no decision {decision_id}")
        if known.withdrawn_at is not None:
            raise DecisionError(f"decision {decision_id} was withdrawn {known.withdrawn_at}")
        if known.kind == WITHDRAWAL:
            raise DecisionError(f"{decision_id} is itself a withdrawal; decide the matter anew instead")
        return self._record(WITHDRAWAL, {"decision_id": decision_id}, reason)

    def _record(self, kind: str, body: Mapping[str, object], reason: str) -> str:
        if not reason.strip():
            raise DecisionError("a decision needs a reason")
        recorder = self._begun()
        decision_id = self._new_id()
        facts: dict[str, object] = {
            "run_id": self._run_id,
            "decision_id": decision_id,
            "kind": kind,
            "author": self._author,
            "reason": reason.strip(),
            "made_at": instant(self._clock()),
            "body": dict(body),
        }
        recorder.note(DECISION, decision_id, facts, lambda connection, place: insert_decision(connection, facts, place))
        return decision_id

    def _new_id(self) -> str:
        while True:
            decision_id = f"d{secrets.token_hex(4)}"
            if decision(self._store.connection, decision_id) is None:
                return decision_id

    def _begun(self) -> Recorder:
        if self._recorder is not None:
            return self._recorder
        moment = self._clock()
        self._run_id = f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self._store.start_run(
            RunRow(
                run_id=self._run_id,
                kind=RUN_KIND,
                started_at=instant(moment),
                code_version=version("gongkai"),
                host=socket.gethostname(),
            )
        )
        self._recorder = Recorder(
            self._data_dir,
            self._run_id,
            store=self._store,
            frontier=Frontier(self._store, self._run_id, clock=self._clock),
            discover=lambda *_: Discovery(),
            clock=self._clock,
            files=self._files,
        )
        return self._recorder


def insert_decision(connection: sqlite3.Connection, facts: Mapping[str, Any], place: Place) -> None:
    """The row of a decision whose record stands at `place`; a withdrawal closes the row that it names.

    Recording, recovery and rebuilding all come through here; a row that stands already stays as it is.
    """
    connection.execute(
        _ADD,
        {
            **{name: facts[name] for name in _FACTS},
            "body_json": body_json(facts["body"]),
            "warc_file": place.warc_file,
            "offset": place.offset,
            "length": place.length,
            "record_id": place.record_id,
        },
    )
    if facts["kind"] == WITHDRAWAL:
        connection.execute(_WITHDRAW, (facts["made_at"], facts["decision_id"], facts["body"]["decision_id"]))


def place_of(file_name: str, group: Group) -> Place:
    """Where the record of a decision stands."""
    main = group.main
    record_id = main.record.record_id if main.record else ""
    return Place(file_name, main.offset, main.length, record_id, main.offset, main.length)


def body_json(body: Mapping[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def decision(connection: sqlite3.Connection, decision_id: str) -> Decision | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM decisions WHERE decision_id = ?", (decision_id,)).fetchone()  # noqa: S608  our own names
    return _decision(row) if row else None


def decisions(connection: sqlite3.Connection, kind: str | None = None, *, withdrawn: bool = False) -> list[Decision]:
    """Decisions in the order in which they were made; those of one kind, and with `withdrawn` also those taken back."""
    rows = connection.execute(
        f"""SELECT {_COLUMNS} FROM decisions
        WHERE (?1 IS NULL OR kind = ?1) AND (?2 OR withdrawn_at IS NULL) ORDER BY serial""",  # noqa: S608  our own names
        (kind, withdrawn),
    )
    return [_decision(row) for row in rows]


def stored_decisions(connection: sqlite3.Connection, file_name: str) -> dict[int, StoredDecision]:
    """What the database has of decisions in a file, by offset; {} in a database from before there were any."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'decisions'").fetchone():
        return {}
    rows = connection.execute(
        """SELECT d.warc_offset, d.warc_record_id, d.warc_length, d.decision_id, d.run_id, d.kind, d.author, d.reason,
            d.made_at, d.body_json
        FROM decisions d JOIN warc_files w ON w.warc_id = d.warc_id WHERE w.file_name = ?""",
        (file_name,),
    )
    return {
        offset: StoredDecision(record_id, length, {**dict(zip(_FACTS, said, strict=True)), "body": json.loads(body)})
        for offset, record_id, length, *said, body in rows
    }


def _decision(row: tuple[Any, ...]) -> Decision:
    decision_id, kind, author, reason, made_at, body, withdrawn_at, withdrawn_by = row
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ArchiveError(f"decision {decision_id}: its body is no object")
    return Decision(decision_id, kind, author, reason, made_at, found, withdrawn_at, withdrawn_by)
