"""Killed at any step, or without power at any step: nothing lost, nothing doubled, no row without its bytes."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_kit import (
    SITE,
    FixedClock,
    World,
    crawl,
    discover,
    http_response,
    list_target,
    page_body,
    page_url,
    public_rows,
    rebuild,
)
from crash_kit import Killed, LossyFiles, SteppedFiles, SteppedStore, Steps, When

from archive.audit import audit
from archive.frontier import Frontier
from archive.lock import lock
from archive.paths import database_path, warc_dir
from archive.recorder import Recorder
from archive.records import digest
from archive.recover import recover
from archive.rows import RunRow
from archive.store import Store
from archive.times import instant

pytestmark = pytest.mark.usefixtures("quick_store")

PAGES = 4
# Each seed loses power at every step once; `make torture` asks for more of them.
POWER_LOSS_SEEDS = int(os.environ.get("GONGKAI_POWER_LOSS_SEEDS", "1"))
# Small enough for the run to fill two files.
MAX_WARC_BYTES = 2500


def session(data_dir: Path, run_id: str, clock: FixedClock, files: SteppedFiles) -> None:
    """One whole run as the crawler does it: lock, recovery, run, crawl, end."""
    with lock(data_dir, run_id=run_id), SteppedStore.open(data_dir, clock=clock) as store:
        assert isinstance(store, SteppedStore)
        store.steps = files.steps
        recover(data_dir, store, discover=discover, files=files)
        store.start_run(RunRow(run_id, "crawl", instant(clock()), "0.1.0", "testhost"))
        frontier = Frontier(store, run_id, clock=clock)
        recorder = Recorder(
            data_dir,
            run_id,
            store=store,
            frontier=frontier,
            discover=discover,
            sites=[SITE],
            clock=clock,
            files=files,
            max_warc_bytes=MAX_WARC_BYTES,
        )
        crawl(frontier, recorder, World.with_pages(PAGES), clock)
        recorder.close()


def steps_of_a_session(data_dir: Path) -> list[str]:
    files = SteppedFiles(Steps())
    session(data_dir, "undisturbed", FixedClock(), files)
    return files.steps.names


def check(data_dir: Path, clock: FixedClock, *, rebuilt: bool = True) -> None:
    """The promises, after a run that went to its end."""
    assert list(audit(data_dir)) == []
    assert not list(warc_dir(data_dir).glob("*.open"))
    with Store.open(data_dir, clock=clock) as store:
        connection = store.connection
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        pages = dict(
            connection.execute(
                "SELECT url, group_concat(payload_digest) FROM captures WHERE role = 'page' GROUP BY url"
            )
        )
        # Each page once: a doubled capture would show two digests.
        assert pages == {page_url(n): payload_digest(n) for n in range(PAGES)}
        assert [row[0] for row in connection.execute("SELECT url FROM listings ORDER BY position")] == sorted(pages)
        assert [row[0] for row in connection.execute("SELECT kind FROM changes")] == ["appeared"] * PAGES
        assert Frontier(store, "r2").counts() == {"pending": 0, "leased": 0, "acknowledged": PAGES + 1, "failed": 0}
        assert set(connection.execute("SELECT status FROM runs WHERE run_id = 'r2'")) == {("finished",)}
        assert not set(connection.execute("SELECT status FROM runs WHERE run_id = 'r1'")) & {("running",)}
        rows = public_rows(store)
    if not rebuilt:
        return
    rebuild(data_dir, clock)
    with Store.open(data_dir, clock=clock) as store:
        again = public_rows(store)
    for name in ("captures", "listings", "changes", "sites", "frontier", "declared_totals", "warc_files"):
        assert again[name] == rows[name], name
    # A run killed before its first record has left nothing in a WARC file to bring it back from.
    assert set(again["runs"]) <= set(rows["runs"])
    assert list(audit(data_dir)) == []


def payload_digest(number: int) -> str:
    return digest(http_response(page_body(number), coding="gzip").split(b"\r\n\r\n", 1)[1])


def run_and_kill(action: Callable[[], None]) -> bool:
    """Whether the step to be killed at was reached."""
    try:
        action()
    except Killed:
        return True
    return False


@pytest.mark.parametrize("when", ["before", "torn", "after"])
def test_killed_once_at_every_step_and_run_again(tmp_path: Path, when: When) -> None:
    names = steps_of_a_session(tmp_path / "undisturbed")
    assert {
        "open .open",
        "write .open",
        "fdatasync .open",
        "commit",
        "rename .open",
        "fsync_dir",
        "rename .new",
    } <= set(names)
    for number, name in enumerate(names):
        if when == "torn" and not name.startswith("write"):
            continue
        data_dir, clock = tmp_path / f"{number}", FixedClock()
        files = SteppedFiles(Steps(number, when))
        assert run_and_kill(lambda: session(data_dir, "r1", clock, files)), name  # noqa: B023
        session(data_dir, "r2", clock, SteppedFiles(Steps()))
        check(data_dir, clock, rebuilt=number % 5 == 0)


def test_killed_again_at_every_step_of_the_repair(tmp_path: Path) -> None:
    names = steps_of_a_session(tmp_path / "undisturbed")
    torn = max(n for n, name in enumerate(names) if name == "write .open")
    unfinished = [(torn, "torn"), (torn + 1, "after"), (names.index("rename .open"), "after")]
    for first, when in unfinished:
        for number in range(14):
            data_dir, clock = tmp_path / f"{first}-{when}-{number}", FixedClock()
            files = SteppedFiles(Steps(first, when))  # type: ignore[arg-type]
            assert run_and_kill(lambda: session(data_dir, "r1", clock, files))  # noqa: B023
            again = SteppedFiles(Steps(number, "after"))
            assert run_and_kill(lambda: session(data_dir, "killed", clock, again))  # noqa: B023
            session(data_dir, "r2", clock, SteppedFiles(Steps()))
            check(data_dir, clock, rebuilt=number % 5 == 0)


@pytest.mark.parametrize("seed", range(POWER_LOSS_SEEDS))
def test_power_lost_at_every_step_and_run_again(tmp_path: Path, seed: int) -> None:
    names = steps_of_a_session(tmp_path / "undisturbed")
    chance = random.Random(seed)
    for number in range(len(names)):
        data_dir, clock = tmp_path / f"{number}", FixedClock()
        files = LossyFiles(Steps(number, chance.choice(["before", "torn", "after"])))
        assert run_and_kill(lambda: session(data_dir, "r1", clock, files))  # noqa: B023
        files.lose_power(chance)
        session(data_dir, "r2", clock, SteppedFiles(Steps()))
        check(data_dir, clock, rebuilt=number % 5 == 0)


def test_the_lossy_disk_does_lose_what_was_not_made_durable(tmp_path: Path) -> None:
    files = LossyFiles(Steps())
    path = tmp_path / "file"
    handle = files.open_append(path)
    handle.write(b"a" * 2048)
    handle.fdatasync()
    files.fsync_dir(tmp_path)
    handle.write(b"b" * 8192)
    handle.close()
    files.lose_power(random.Random(1))
    found = path.read_bytes()
    assert found.startswith(b"a" * 2048)
    assert found != b"a" * 2048 + b"b" * 8192


def test_a_database_that_cannot_be_written_leaves_whole_orphans(tmp_path: Path) -> None:
    """The disk fills up between the WARC bytes and the commit: the bytes are adopted by the next start."""

    class FullStore(SteppedStore):
        is_full = False

        def _commit(self) -> None:
            if self.is_full:
                raise sqlite3.OperationalError("database or disk is full")
            super()._commit()

    clock = FixedClock()
    with FullStore.open(tmp_path, clock=clock) as store:
        assert isinstance(store, FullStore)
        store.start_run(RunRow("r1", "crawl", instant(clock()), "0.1.0", "testhost"))
        frontier = Frontier(store, "r1", clock=clock)
        recorder = Recorder(
            tmp_path, "r1", store=store, frontier=frontier, discover=discover, sites=[SITE], clock=clock
        )
        world = World.with_pages(PAGES)
        frontier.add([list_target()])
        (row,) = frontier.lease(1)
        store.is_full = True
        with pytest.raises(Exception, match="disk is full"):
            recorder.record_now(row.target, row.frontier_id, world.answer(row.target, clock))
        recorder.close()
    assert database_path(tmp_path).exists()
    session(tmp_path, "r2", clock, SteppedFiles(Steps()))
    check(tmp_path, clock)
