"""After a crash, after damage, after loss: what recovery, rebuild and audit make of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from archive_kit import (
    LIST_URL,
    FixedClock,
    World,
    crawl,
    discover,
    exchange,
    http_response,
    list_body,
    list_target,
    page_body,
    page_target,
    page_url,
    public_rows,
    rebuild,
    recording,
)

from archive.audit import Problem, audit
from archive.errors import ArchiveError, LockedError
from archive.files import DiskFiles
from archive.groups import RENDERED
from archive.index import add_to_index
from archive.lock import is_locked, lock
from archive.paths import database_path, index_path, manifest_path, quarantine_dir, warc_dir
from archive.reader import Record, records
from archive.rebuild import rebuilding
from archive.records import WarcRecord, digest, member
from archive.recover import recover
from archive.seal import manifest
from archive.store import Store

pytestmark = pytest.mark.usefixtures("quick_store")


def finished(data_dir: Path, clock: FixedClock, count: int = 3) -> Path:
    """A run that ended; returns its file."""
    with recording(data_dir, "r1", clock) as (_, frontier, recorder):
        crawl(frontier, recorder, World.with_pages(count), clock)
        recorder.close()
    (path,) = warc_dir(data_dir).glob("*.warc.gz")
    return path


def killed(data_dir: Path, clock: FixedClock, count: int = 3) -> Path:
    """A run that fetched everything and did not end; returns its file."""
    with recording(data_dir, "r1", clock) as (_, frontier, recorder):
        crawl(frontier, recorder, World.with_pages(count), clock)
    (path,) = warc_dir(data_dir).glob("*.open")
    return path


def recovered(data_dir: Path, clock: FixedClock) -> list[str]:
    with Store.open(data_dir, clock=clock) as store:
        return [finding.code for finding in recover(data_dir, store, discover=discover)]


def forget_last(data_dir: Path, count: int) -> None:
    """Takes the last captures out of the database, as if the transaction had not been committed."""
    with Store.open(data_dir) as store, store.transaction() as connection:
        last = connection.execute("SELECT max(capture_id) FROM exchanges").fetchone()[0] - count
        start = connection.execute("SELECT min(warc_offset) FROM exchanges WHERE capture_id > ?", (last,)).fetchone()[0]
        connection.execute("DELETE FROM changes WHERE capture_id > ?", (last,))
        connection.execute("DELETE FROM exchanges WHERE capture_id > ?", (last,))
        connection.execute("UPDATE warc_files SET bytes = ?, records = records - 3 * ?", (start, count))
        connection.execute("UPDATE runs SET requests = requests - ?, new_captures = new_captures - ?", (count, count))


def test_nothing_to_repair_says_nothing(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    assert recovered(tmp_path, clock) == []


def test_an_open_file_that_agrees_is_sealed(tmp_path: Path, clock: FixedClock) -> None:
    killed(tmp_path, clock)
    assert recovered(tmp_path, clock) == ["warc_sealed", "run_interrupted"]
    assert list(audit(tmp_path)) == []
    assert len(manifest(tmp_path)) == 1
    assert recovered(tmp_path, clock) == []


def test_orphans_are_adopted_with_what_they_lead_to(tmp_path: Path, clock: FixedClock) -> None:
    killed(tmp_path, clock)
    with Store.open(tmp_path) as store:
        before = public_rows(store)
    forget_last(tmp_path, 2)
    assert recovered(tmp_path, clock) == ["captures_adopted", "warc_sealed", "run_interrupted"]
    with Store.open(tmp_path) as store:
        after = public_rows(store)
    for name in ("captures", "listings", "changes", "frontier"):
        assert after[name] == before[name], name
    assert list(audit(tmp_path)) == []


def test_everything_is_an_orphan_when_the_database_is_gone(tmp_path: Path, clock: FixedClock) -> None:
    killed(tmp_path, clock)
    with Store.open(tmp_path) as store:
        before = public_rows(store)
    for path in tmp_path.glob("corpus.db*"):
        path.unlink()
    recovered(tmp_path, clock)
    with Store.open(tmp_path) as store:
        after = public_rows(store)
    for name in ("captures", "listings", "changes", "frontier", "sites", "findings"):
        assert after[name] == before[name], name


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_torn_tail_is_cut_and_kept(tmp_path: Path, clock: FixedClock, cut: int) -> None:
    path = killed(tmp_path, clock)
    forget_last(tmp_path, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert recovered(tmp_path, clock) == ["warc_tail_cut", "warc_sealed", "run_interrupted"]
    (tail,) = quarantine_dir(tmp_path).iterdir()
    (sealed,) = warc_dir(tmp_path).glob("*.warc.gz")
    assert sealed.read_bytes() + tail.read_bytes() == whole[:-cut]
    assert list(audit(tmp_path)) == []


@pytest.mark.parametrize("damage", ["short", "flipped", "other_record"])
def test_a_file_that_contradicts_the_database_goes_to_quarantine_whole(
    tmp_path: Path, clock: FixedClock, damage: str
) -> None:
    path = killed(tmp_path, clock)
    content = bytearray(path.read_bytes())
    if damage == "short":
        del content[-5:]
    elif damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    else:
        with Store.open(tmp_path) as store, store.transaction() as connection:
            connection.execute("DELETE FROM changes WHERE capture_id = 2")
            connection.execute("DELETE FROM exchanges WHERE capture_id = 2")
    path.write_bytes(content)
    assert recovered(tmp_path, clock)[0] == "warc_quarantined"
    (kept,) = quarantine_dir(tmp_path).iterdir()
    assert kept.read_bytes() == content
    assert any("quarantine" in problem.problem for problem in audit(tmp_path))


def test_a_file_without_a_whole_record_is_put_aside(tmp_path: Path, clock: FixedClock) -> None:
    with Store.open(tmp_path):
        warc_dir(tmp_path).mkdir()
        (warc_dir(tmp_path) / "gongkai-x.warc.gz.open").write_bytes(b"\x1f\x8b\x08torn")
    assert recovered(tmp_path, clock) == ["warc_empty"]
    assert list(audit(tmp_path)) == []


def test_files_the_database_does_not_know_are_said(tmp_path: Path, clock: FixedClock) -> None:
    other = finished(tmp_path / "other", clock)
    with Store.open(tmp_path):
        warc_dir(tmp_path).mkdir()
        other.rename(warc_dir(tmp_path) / other.name)
    assert recovered(tmp_path, clock) == ["warc_unknown"]


# Rebuild


def everything(data_dir: Path, clock: FixedClock) -> None:
    """Two nights with all kinds of outcomes."""
    world = World.with_pages(4)
    world.answers[LIST_URL] = http_response(list_body(range(4)), headers=(b'ETag: "1"',))
    with recording(data_dir, "r1", clock, max_warc_bytes=3000) as (_, frontier, recorder):
        crawl(frontier, recorder, world, clock)
        recorder.refuse(page_target(90), None, reason="robots.txt")
        recorder.record_now(page_target(91), None, exchange(page_target(91), b"", clock, error="refused"))
        recorder.record_now(
            page_target(92), None, exchange(page_target(92), b"no head", clock, error="unparsable_head")
        )
        recorder.close(stats_json='{"a": 1}')
    world.answers[LIST_URL] = b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
    world.answers[page_url(2)] = http_response(page_body(2, 2), coding="gzip", chunked=True)
    world.answers[page_url(3)] = http_response(b"gone", status="404 Not Found")
    for n in (90, 91, 92):
        world.answers[page_url(n)] = http_response(b"", status="302 Found", headers=(b"Location: /x",))
    with recording(data_dir, "r2", clock) as (_, frontier, recorder):
        frontier.recheck()
        crawl(frontier, recorder, world, clock)
        recorder.close("failed")


def test_the_same_rows_come_back_from_the_files_alone(tmp_path: Path, clock: FixedClock) -> None:
    everything(tmp_path, clock)
    with Store.open(tmp_path) as store:
        before = public_rows(store)
    assert {row[4] for row in before["captures"]} == {
        "ok", "revisit", "not_modified", "http_error", "net_error", "robots", "redirect",
    }  # fmt: skip
    index = index_path(tmp_path).read_bytes()
    for path in [*tmp_path.glob("corpus.db*"), index_path(tmp_path)]:
        path.unlink()
    result = rebuild(tmp_path, clock)
    assert (result.captures, result.findings) == (len(before["captures"]), ())
    with Store.open(tmp_path) as store:
        assert public_rows(store) == before
    assert index_path(tmp_path).read_bytes() == index
    assert list(audit(tmp_path)) == []


def test_a_rebuild_over_a_standing_database_replaces_it(tmp_path: Path, clock: FixedClock) -> None:
    everything(tmp_path, clock)
    for _ in range(2):
        rebuild(tmp_path, clock)
        assert sorted(path.name for path in tmp_path.glob("corpus.db*")) == ["corpus.db"]
    assert list(audit(tmp_path)) == []


def test_a_rebuild_that_ends_early_leaves_what_stands(tmp_path: Path, clock: FixedClock) -> None:
    everything(tmp_path, clock)
    with Store.open(tmp_path) as store:
        before = public_rows(store)
    with pytest.raises(ZeroDivisionError), rebuilding(tmp_path, discover=discover, clock=clock) as rebuilt:
        with rebuilt.store.transaction() as connection:
            connection.execute("DELETE FROM listings")
        _ = 1 / 0
    assert sorted(path.name for path in tmp_path.glob("corpus.db*")) == ["corpus.db"]
    with Store.open(tmp_path) as store:
        assert public_rows(store) == before


def test_who_reads_while_the_database_is_made_again_sees_the_old_rows_then_the_new(
    tmp_path: Path, clock: FixedClock
) -> None:
    everything(tmp_path, clock)
    count = "SELECT count(*) FROM listings"
    with closing(sqlite3.connect(f"file:{database_path(tmp_path)}?mode=ro", uri=True)) as reader:
        cursor = reader.execute("SELECT url FROM listings")
        assert cursor.fetchone()
        with rebuilding(tmp_path, discover=discover, clock=clock) as rebuilt:
            with rebuilt.store.transaction() as connection:
                connection.execute("DELETE FROM listings WHERE position > 1")
            assert reader.execute(count).fetchone() == (4,)
        assert len(cursor.fetchall()) == 3
        assert reader.execute(count).fetchone() == (1,)


def test_a_rebuild_that_was_killed_is_cleared_away_and_said(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    for name in ("corpus.db.new", "corpus.db.new-wal"):
        (tmp_path / name).write_bytes(b"half of it")
    assert recovered(tmp_path, clock) == ["rebuild_unfinished"]
    assert sorted(path.name for path in tmp_path.glob("corpus.db*")) == ["corpus.db"]


def test_the_log_of_a_database_that_was_taken_away_is_not_the_new_ones(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    with Store.open(tmp_path) as store:
        before = public_rows(store)
        with store.transaction() as connection:
            connection.execute("DELETE FROM listings")
        log = database_path(tmp_path).with_name("corpus.db-wal").read_bytes()
    database_path(tmp_path).unlink()
    database_path(tmp_path).with_name("corpus.db-wal").write_bytes(log)
    rebuild(tmp_path, clock)
    with Store.open(tmp_path) as store:
        assert public_rows(store) == before


def test_a_rebuild_wants_room_first(tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(tmp_path, clock)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    with pytest.raises(ArchiveError, match=r"corpus\.db: making it again takes about \d+ bytes .* the disk has 4096"):
        rebuild(tmp_path, clock)
    assert sorted(path.name for path in tmp_path.glob("corpus.db*")) == ["corpus.db"]


def test_no_empty_database_is_put_beside_sealed_files(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    for path in tmp_path.glob("corpus.db*"):
        path.unlink()
    with pytest.raises(
        ArchiveError, match=r"corpus\.db: missing, though warc/ holds captures; `gongkai extract` makes"
    ):
        Store.open(tmp_path)
    assert list(tmp_path.glob("corpus.db*")) == []


def test_a_rebuild_reads_around_damage_and_says_where(tmp_path: Path, clock: FixedClock) -> None:
    path = finished(tmp_path, clock)
    content = bytearray(path.read_bytes())
    with Store.open(tmp_path) as store:
        offset = store.connection.execute("SELECT warc_offset FROM captures WHERE capture_id = 2").fetchone()[0]
    content[offset + 40] ^= 0xFF
    path.write_bytes(content)
    result = rebuild(tmp_path, clock)
    assert result.captures == 3
    assert [finding.code for finding in result.findings] == ["warc_damaged"] * len(result.findings)
    assert f"at byte {offset}" in result.findings[0].message


# What a browser drew


def drawn_nights(data_dir: Path, clock: FixedClock, *drawings: bytes) -> list[Record]:
    """The list page on so many nights, each drawn so; returns the records of what was drawn."""
    for number, drawn in enumerate(drawings, 1):
        with recording(data_dir, f"r{number}", clock) as (_, frontier, recorder):
            target = list_target()
            frontier.add([target])
            (leased,) = frontier.lease(1)
            sent = exchange(target, http_response(b"<script src=x></script>"), clock, rendered=drawn)
            recorder.record_now(target, leased.frontier_id, sent)
            recorder.close()
    found = []
    for path in sorted(warc_dir(data_dir).glob("*.warc.gz")):
        found += [one.record for one in records(path) if one.record and one.record.target_uri.startswith(RENDERED)]
    return found


def test_what_is_drawn_again_is_stored_once(tmp_path: Path, clock: FixedClock) -> None:
    old, new = list_body(range(2)), list_body(range(3))
    first, second, third, fourth, fifth = drawn_nights(tmp_path, clock, old, old, old, new, old)
    assert [record.type for record in (first, second, third, fourth, fifth)] == [
        "resource", "revisit", "revisit", "resource", "resource",
    ]  # fmt: skip
    assert (second.block, third.block, fourth.block) == (b"", b"", new)
    for record in (second, third):
        assert record.get("WARC-Refers-To") == first.record_id
        assert record.get("WARC-Refers-To-Date") == first.get("WARC-Date")
        assert record.get("WARC-Payload-Digest") == digest(old) == first.get("WARC-Block-Digest")
    assert list(audit(tmp_path)) == []
    with Store.open(tmp_path) as store:
        before = public_rows(store)
    result = rebuild(tmp_path, clock)
    with Store.open(tmp_path) as store:
        assert public_rows(store) == before
        events = "SELECT run_id, count(*) FROM findings WHERE code = 'demo_listed' GROUP BY 1 ORDER BY 1"
        assert store.connection.execute(events).fetchall() == [(f"r{n}", 1) for n in range(1, 6)]
    assert result.findings == ()


def test_a_drawing_whose_record_is_damaged_is_said_and_leads_to_nothing(tmp_path: Path, clock: FixedClock) -> None:
    drawn_nights(tmp_path, clock, list_body(range(2)), list_body(range(2)))
    first = min(warc_dir(tmp_path).glob("*.warc.gz"))
    first.rename(tmp_path / "elsewhere")
    assert f"what a browser drew of it is not there: {first.name} is not there" in problems(tmp_path)
    result = rebuild(tmp_path, clock)
    assert "response_unreadable" in {finding.code for finding in result.findings}
    with Store.open(tmp_path) as store:
        assert store.connection.execute("SELECT count(*) FROM listings").fetchone() == (0,)


# Audit


def problems(data_dir: Path) -> list[str]:
    return [problem.problem for problem in audit(data_dir)]


def test_a_sound_archive_has_no_problems(tmp_path: Path, clock: FixedClock) -> None:
    everything(tmp_path, clock)
    assert list(audit(tmp_path)) == []


def test_a_flipped_bit_is_found_at_its_record(tmp_path: Path, clock: FixedClock) -> None:
    path = finished(tmp_path, clock)
    with Store.open(tmp_path) as store:
        offset, length, record_id = store.connection.execute(
            "SELECT warc_offset, warc_length, warc_record_id FROM captures WHERE capture_id = 3"
        ).fetchone()
    content = bytearray(path.read_bytes())
    content[offset + length // 2] ^= 0x01
    path.write_bytes(content)
    found = list(audit(tmp_path))
    assert any(problem.problem.startswith("the manifest says sha256") for problem in found)
    assert Problem(path.name, offset, record_id, "capture 3 of the database has no record here") in found
    assert any(problem.offset == offset and "gzip" in problem.problem for problem in found)


def test_a_lost_line_of_the_index_is_found(tmp_path: Path, clock: FixedClock) -> None:
    path = finished(tmp_path, clock)
    lines = index_path(tmp_path).read_text().splitlines(keepends=True)
    index_path(tmp_path).write_text("".join(lines[1:]))
    (problem,) = audit(tmp_path)
    assert problem.problem == "index.cdxj lacks the line of this record"
    assert (problem.file, problem.offset) == (path.name, int(json.loads(lines[0].split(" ", 2)[2])["offset"]))


def test_an_invented_line_of_the_index_is_found(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    text = index_path(tmp_path).read_text()
    line = text.splitlines(keepends=True)[-1].replace('"offset": "', '"offset": "9')
    index_path(tmp_path).write_text(text + line)
    assert problems(tmp_path) == ["index.cdxj has a line here that the database does not bear out"]


def test_a_row_without_record_and_a_record_without_row_are_found(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    with Store.open(tmp_path) as store, store.transaction() as connection:
        connection.execute("DROP TRIGGER exchanges_are_kept")
        connection.execute("UPDATE exchanges SET warc_offset = warc_offset + 1 WHERE capture_id = 2")
    found = problems(tmp_path)
    assert "the database has no capture for this record" in found
    assert "capture 2 of the database has no record here" in found


def test_a_payload_digest_of_the_database_that_is_not_the_records(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    with Store.open(tmp_path) as store, store.transaction() as connection:
        connection.execute("DROP TRIGGER payloads_are_kept")
        connection.execute("UPDATE payloads SET digest = 'sha256:00' WHERE payload_id = 2")
    assert any(text.startswith("the database says payload sha256:00") for text in problems(tmp_path))


def test_a_missing_file_is_missed_by_manifest_and_database(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock).unlink()
    assert problems(tmp_path) == ["is in the manifest and not there", "is in the database and not there"]


def test_a_missing_manifest_line_is_found(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    manifest_path(tmp_path).write_text("{]\n")
    found = problems(tmp_path)
    assert found[0].startswith("line 1 is not a manifest line")
    assert found[1] == "is in no line of the manifest"


def test_a_missing_database_is_said(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    for path in tmp_path.glob("corpus.db*"):
        path.unlink()
    assert problems(tmp_path)[0] == "is missing; 'gongkai extract --full' makes it again"


def test_a_database_that_is_none_is_said(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    for path in tmp_path.glob("corpus.db*"):
        path.write_bytes(b"no database at all" * 300)
    assert problems(tmp_path)[0].startswith("cannot be read (file is not a database); move it away")


def test_a_file_left_open_is_a_problem_only_while_nobody_writes(tmp_path: Path, clock: FixedClock) -> None:
    killed(tmp_path, clock)
    assert problems(tmp_path) == ["was left open; the next run repairs it"]
    with lock(tmp_path):
        assert problems(tmp_path) == []


def test_damaged_files_of_others_are_survived(tmp_path: Path, clock: FixedClock) -> None:
    finished(tmp_path, clock)
    foreign = WarcRecord(
        "resource", "<urn:uuid:1>", "2026-01-01T00:00:00Z", "http://a.example/", "text/plain", b"x" * 99
    )
    (warc_dir(tmp_path) / "other.warc.gz").write_bytes(member(foreign) + member(foreign)[:-20])
    found = list(audit(tmp_path))
    assert [(problem.file, problem.problem) for problem in found] == [("other.warc.gz", "the gzip member is cut short")]


def test_indexing_a_file_twice_changes_nothing(tmp_path: Path, clock: FixedClock) -> None:
    path = finished(tmp_path, clock)
    before = index_path(tmp_path).read_bytes()
    with Store.open(tmp_path) as store:
        add_to_index(tmp_path, store.connection, path.name, files=DiskFiles())
    assert index_path(tmp_path).read_bytes() == before


def test_the_index_is_sorted_over_all_files(tmp_path: Path, clock: FixedClock) -> None:
    everything(tmp_path, clock)
    lines = index_path(tmp_path).read_text().splitlines()
    assert lines == sorted(lines)
    fields = [json.loads(line.split(" ", 2)[2]) for line in lines]
    assert {field["status"] for field in fields} == {"200", "302", "404"}
    assert "warc/revisit" in {field["mime"] for field in fields}


# The lock


def test_a_second_process_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from archive.lock import lock\n"
        "with lock(Path(sys.argv[1]), run_id='r7'): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_locked(tmp_path)
        with pytest.raises(LockedError, match=rf"process {holder.pid} on .* \(run r7, since "), lock(tmp_path):
            pass
        holder.kill()
    # The dead holder's file is still there and holds nobody up.
    assert not is_locked(tmp_path)
    with lock(tmp_path):
        pass


@pytest.mark.parametrize("action", [Store.open, lambda path: lock(path).__enter__()], ids=["store", "lock"])
def test_a_directory_that_cannot_be_written_is_a_clear_error(tmp_path: Path, action: Callable[[Path], object]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveError, match=r"cannot (open|be written)"):
        action(tmp_path / "file" / "data")


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(tmp_path):
        _ = 1 / 0
    with lock(tmp_path):
        assert database_path(tmp_path).name == "corpus.db"
