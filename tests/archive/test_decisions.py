"""Decisions by people: durable before anyone hears of them, back after a rebuild, taken back and never deleted."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_kit import FixedClock, World, crawl, discover, rebuild, recording
from crash_kit import Killed, LossyFiles, SteppedFiles, SteppedStore, Steps, When

from archive.audit import audit
from archive.decisions import WITHDRAWAL, Deciding, decision, decisions
from archive.errors import DecisionError, RecorderError
from archive.files import Files
from archive.lock import lock
from archive.paths import database_path, index_path, warc_dir
from archive.reader import read_record
from archive.recover import recover
from archive.seal import manifest
from archive.store import Store

pytestmark = pytest.mark.usefixtures("quick_store")

BODY = {"payload_digest": "sha256:00", "cell": "applications.new.natural_person", "value": 84, "evidence": "第二页"}
POWER_LOSS_SEEDS = int(os.environ.get("GONGKAI_POWER_LOSS_SEEDS", "1"))


def decide(data_dir: Path, clock: FixedClock, *, files: Files | None = None, author: str = "陈默") -> tuple[str, str]:
    """Two decisions and the withdrawal of the first, as a command makes them."""
    steps = files.steps if isinstance(files, SteppedFiles) else None
    with lock(data_dir), SteppedStore.open(data_dir, clock=clock) as store:
        assert isinstance(store, SteppedStore)
        store.steps = steps
        recover(data_dir, store, discover=discover, files=files)
        with Deciding(data_dir, store, author=author, clock=clock, files=files) as deciding:
            first = deciding.decide("correction", BODY, reason="印成了 48")
            second = deciding.decide("correction", {**BODY, "value": 85}, reason="与正文一致")
            deciding.withdraw(first, reason="看错了行")
    return first, second


def rows(data_dir: Path) -> list[tuple[object, ...]]:
    with Store.open(data_dir) as store:
        return store.connection.execute("SELECT * FROM decisions ORDER BY serial").fetchall()


def test_a_decision_is_a_record_of_its_own_and_a_row(tmp_path: Path, clock: FixedClock) -> None:
    first, second = decide(tmp_path, clock)
    with Store.open(tmp_path) as store:
        found = decisions(store.connection, withdrawn=True)
        assert [(one.kind, one.author, one.reason) for one in found] == [
            ("correction", "陈默", "印成了 48"),
            ("correction", "陈默", "与正文一致"),
            (WITHDRAWAL, "陈默", "看错了行"),
        ]
        assert found[0].body == BODY
        assert (found[0].withdrawn_at, found[0].withdrawn_by) == (found[2].made_at, found[2].decision_id)
        assert [one.decision_id for one in decisions(store.connection, "correction")] == [second]
        name, offset, length = store.connection.execute(
            """SELECT w.file_name, d.warc_offset, d.warc_length FROM decisions d JOIN warc_files w USING (warc_id)
            WHERE decision_id = ?""",
            (first,),
        ).fetchone()
        assert store.connection.execute("SELECT kind, status FROM runs").fetchall() == [("decision", "finished")]
    record = read_record(warc_dir(tmp_path) / name, offset, length)
    assert (record.type, record.target_uri) == ("metadata", f"urn:gongkai:decision:{first}")
    assert json.loads(record.block)["body"] == BODY
    assert [line.file for line in manifest(tmp_path)] == [name]
    assert "decision" not in index_path(tmp_path).read_text("utf-8")
    assert list(audit(tmp_path)) == []


def test_decisions_come_back_from_the_warc_files_alone(tmp_path: Path, clock: FixedClock) -> None:
    with recording(tmp_path, "r1", clock) as (_, frontier, recorder):
        crawl(frontier, recorder, World.with_pages(2), clock)
        recorder.close()
    decide(tmp_path, clock)
    decide(tmp_path, clock, author="林小满")
    before = rows(tmp_path)
    database_path(tmp_path).unlink()
    rebuild(tmp_path, clock)
    after = rows(tmp_path)
    assert len(after) == 6
    assert after == before
    assert list(audit(tmp_path)) == []


def test_nothing_decided_leaves_no_run_and_no_file(tmp_path: Path, clock: FixedClock) -> None:
    with Store.open(tmp_path, clock=clock) as store, Deciding(tmp_path, store, author="陈默", clock=clock):
        pass
    with Store.open(tmp_path) as store:
        assert store.connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert not warc_dir(tmp_path).exists()


def test_what_cannot_be_decided_is_refused_before_anything_is_written(tmp_path: Path, clock: FixedClock) -> None:
    first, _ = decide(tmp_path, clock)
    before = rows(tmp_path)
    with Store.open(tmp_path, clock=clock) as store:
        with pytest.raises(DecisionError, match="author"):
            Deciding(tmp_path, store, author=" ")
        withdrawal = decision(store.connection, first)
        assert withdrawal is not None
        assert withdrawal.withdrawn_by is not None
        with Deciding(tmp_path, store, author="陈默", clock=clock) as deciding:
            for refused, message in (
                (lambda: deciding.decide("correction", BODY, reason="\n"), "reason"),
                (lambda: deciding.decide(WITHDRAWAL, {}, reason="x"), "withdraw"),
                (lambda: deciding.withdraw("d00000000", reason="x"), "no decision"),
                (lambda: deciding.withdraw(first, reason="x"), "was withdrawn"),
                (lambda: deciding.withdraw(withdrawal.withdrawn_by or "", reason="x"), "itself a withdrawal"),
            ):
                with pytest.raises(DecisionError, match=message):
                    refused()
    assert rows(tmp_path) == before


def test_rows_of_decisions_can_be_neither_changed_nor_deleted(tmp_path: Path, clock: FixedClock) -> None:
    decide(tmp_path, clock)
    with Store.open(tmp_path) as store:
        for statement in ("UPDATE decisions SET reason = 'x'", "DELETE FROM decisions"):
            with pytest.raises(sqlite3.IntegrityError, match="withdrawn, never"), store.transaction() as connection:
                connection.execute(statement)


@pytest.mark.parametrize("when", ["before", "torn", "after"])
def test_killed_once_at_every_step(tmp_path: Path, when: When) -> None:
    names = _steps(tmp_path / "undisturbed")
    assert {"write .open", "fdatasync .open", "commit", "rename .open", "rename .new"} <= set(names)
    for number, name in enumerate(names):
        if when == "torn" and not name.startswith("write"):
            continue
        data_dir, clock = tmp_path / f"{number}", FixedClock()
        files = SteppedFiles(Steps(number, when))
        assert _killed(lambda: decide(data_dir, clock, files=files)), name  # noqa: B023
        _check_after(data_dir, clock)


@pytest.mark.parametrize("seed", range(POWER_LOSS_SEEDS))
def test_power_lost_at_every_step(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(len(_steps(tmp_path / "undisturbed"))):
        data_dir, clock = tmp_path / f"{number}", FixedClock()
        files = LossyFiles(Steps(number, chance.choice(["before", "torn", "after"])))
        assert _killed(lambda: decide(data_dir, clock, files=files))  # noqa: B023
        files.lose_power(chance)
        _check_after(data_dir, clock)


def test_a_decision_that_was_answered_for_is_there_after_a_kill_at_any_later_step(tmp_path: Path) -> None:
    """`decide` returned, the next step kills: the decision is in the rows and in the WARC file."""
    for number in range(len(_steps(tmp_path / "undisturbed"))):
        data_dir, clock = tmp_path / f"{number}", FixedClock()
        files, answered = LossyFiles(Steps(number, "before")), []
        with lock(data_dir), SteppedStore.open(data_dir, clock=clock) as store:
            assert isinstance(store, SteppedStore)
            store.steps = files.steps
            try:
                with Deciding(data_dir, store, author="陈默", clock=clock, files=files) as deciding:
                    for value in range(3):
                        answered.append(deciding.decide("correction", {**BODY, "value": value}, reason="更正"))
            except Killed:
                pass
        files.lose_power(random.Random(number))
        with lock(data_dir), Store.open(data_dir, clock=clock) as store:
            recover(data_dir, store, discover=discover)
        rebuild(data_dir, clock)
        with Store.open(data_dir) as store:
            found = [one.decision_id for one in decisions(store.connection)]
        assert found[: len(answered)] == answered, number


def test_a_full_disk_refuses_the_decision_and_its_record_is_adopted_once(tmp_path: Path, clock: FixedClock) -> None:
    class FullStore(SteppedStore):
        is_full = False

        def _commit(self) -> None:
            if self.is_full:
                raise sqlite3.OperationalError("database or disk is full")
            super()._commit()

    with FullStore.open(tmp_path, clock=clock) as store:
        assert isinstance(store, FullStore)
        with Deciding(tmp_path, store, author="陈默", clock=clock) as deciding:
            deciding.decide("correction", BODY, reason="一")
            store.is_full = True
            with pytest.raises(RecorderError, match="full"):
                deciding.decide("correction", BODY, reason="二")
    with Store.open(tmp_path, clock=clock) as store:
        codes = [finding.code for finding in recover(tmp_path, store, discover=discover)]
        assert codes == ["captures_adopted", "decisions_adopted", "warc_sealed", "run_interrupted"]
        assert [one.reason for one in decisions(store.connection)] == ["一", "二"]
    assert list(audit(tmp_path)) == []


def test_the_audit_finds_rows_and_records_that_do_not_fit(tmp_path: Path, clock: FixedClock) -> None:
    first, second = decide(tmp_path, clock)
    with sqlite3.connect(database_path(tmp_path)) as connection:
        connection.execute("DROP TRIGGER decisions_are_kept")
        connection.execute("DROP TRIGGER decisions_are_never_deleted")
        connection.execute("UPDATE decisions SET reason = 'anders' WHERE decision_id = ?", (second,))
    connection.close()
    assert [(p.problem, p.offset is not None) for p in audit(tmp_path)] == [
        (f"decision {second} of the database says something else", True)
    ]
    with sqlite3.connect(database_path(tmp_path)) as connection:
        connection.execute("DELETE FROM decisions WHERE decision_id = ?", (second,))
        connection.execute("UPDATE decisions SET warc_offset = 7 WHERE decision_id = ?", (first,))
    connection.close()
    assert sorted(p.problem for p in audit(tmp_path)) == [
        f"decision {first} of the database has no record here",
        "the database has no decision for this record",
        "the database has no decision for this record",
    ]


def test_recovery_sets_a_file_aside_whose_decision_is_not_the_databases(tmp_path: Path, clock: FixedClock) -> None:
    with Store.open(tmp_path, clock=clock) as store:
        Deciding(tmp_path, store, author="陈默", clock=clock).decide("correction", BODY, reason="更正")
        store.connection.execute("DROP TRIGGER decisions_are_kept")
        store.connection.execute("UPDATE decisions SET warc_record_id = '<urn:uuid:0>'")
        codes = [finding.code for finding in recover(tmp_path, store, discover=discover)]
    assert codes == ["warc_quarantined", "run_interrupted"]


def _steps(data_dir: Path) -> list[str]:
    files = SteppedFiles(Steps())
    decide(data_dir, FixedClock(), files=files)
    return files.steps.names


def _killed(action: Callable[[], object]) -> bool:
    try:
        action()
    except Killed:
        return True
    return False


def _check_after(data_dir: Path, clock: FixedClock) -> None:
    """The next command puts everything in order: nothing lost or doubled, the same from the files alone."""
    decide(data_dir, clock, author="林小满")
    assert list(audit(data_dir)) == []
    assert not list(warc_dir(data_dir).glob("*.open"))
    before = rows(data_dir)
    with Store.open(data_dir) as store:
        mine = [one for one in decisions(store.connection, withdrawn=True) if one.author == "陈默"]
        assert [one.reason for one in mine] == ["印成了 48", "与正文一致", "看错了行"][: len(mine)]
        assert (mine[0].withdrawn_at is not None) == (len(mine) == 3) if mine else True
        assert len(decisions(store.connection, withdrawn=True)) == len(mine) + 3
    rebuild(data_dir, clock)
    assert rows(data_dir) == before
