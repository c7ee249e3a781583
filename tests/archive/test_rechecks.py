"""Which known pages a night asks again."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from archive.rechecks import due, make_due
from archive.store import Store
from archive.times import instant

START = datetime(2026, 1, 1, 17, 30, tzinfo=UTC)
PAGES = 180


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A site whose 180 pages were all captured in its first run."""
    with Store.open(tmp_path) as store:
        found = store.connection
        run(found, "r0", START)
        found.execute("INSERT INTO warc_files(file_name, run_id, state) VALUES ('w', 'r0', 'sealed')")
        for number in range(1, PAGES + 1):
            found.execute("INSERT INTO urls(url) VALUES (?)", (f"http://a.example/{number}",))
            found.execute(
                """INSERT INTO frontier(key, url_id, role, site, channel, host, priority, state, run_id)
                VALUES (?, ?, 'page', 'a', 'c', 'a.example', 1, 'acknowledged', 'r0')""",
                (str(number).encode(), number),
            )
            ask(found, number, "r0", START)
        yield found


def run(connection: sqlite3.Connection, run_id: str, at: datetime, kind: str = "nightly") -> None:
    connection.execute(
        "INSERT INTO runs(run_id, kind, started_at, status, settings_json) VALUES (?, ?, ?, 'finished', ?)",
        (run_id, kind, instant(at), '{"sites": ["a"]}'),
    )


def ask(connection: sqlite3.Connection, number: int, run_id: str, at: datetime, status: int = 200) -> None:
    connection.execute(
        """INSERT INTO exchanges(run_id, frontier_id, url_id, captured_at, outcome, http_status, warc_id, warc_offset,
            warc_length, warc_record_id, metadata_offset, metadata_length)
        VALUES (?1, ?2, ?2, ?3, ?4, ?5, 1, 0, 0, ?1 || '/' || ?2, 0, 0)""",
        (run_id, number, instant(at), "ok" if status == 200 else "http_error", status),
    )


def test_each_night_has_its_share_and_every_page_comes_within_the_days(connection: sqlite3.Connection):
    asked: list[list[int]] = []
    for night in range(1, 91):
        at = START + timedelta(days=night)
        asked.append(due(connection, "a", days=90, at=at))
        run(connection, f"r{night}", at)
        for number in asked[-1]:
            ask(connection, number, f"r{night}", at)
    assert {len(rows) for rows in asked} == {2}
    assert {number for rows in asked for number in rows} == set(range(1, PAGES + 1))


def test_missed_nights_are_made_up_for(connection: sqlite3.Connection):
    assert len(due(connection, "a", days=90, at=START + timedelta(days=10))) == 20
    assert len(due(connection, "a", days=90, at=START + timedelta(days=400))) == PAGES


def test_the_longest_not_asked_for_come_first(connection: sqlite3.Connection):
    run(connection, "r1", START + timedelta(days=1))
    for number in range(1, PAGES - 1):
        ask(connection, number, "r1", START + timedelta(days=1))
    assert due(connection, "a", days=90, at=START + timedelta(days=2)) == [PAGES - 1, PAGES]


def test_a_second_run_on_the_same_day_asks_for_nothing_more(connection: sqlite3.Connection):
    assert due(connection, "a", days=90, at=START) == []


def test_what_is_gone_for_the_first_time_is_asked_once_more_on_another_day(connection: sqlite3.Connection):
    later = START + timedelta(days=5)
    run(connection, "r1", later)
    ask(connection, 7, "r1", later, status=404)
    assert 7 not in due(connection, "a", days=90, at=later + timedelta(hours=1))
    assert due(connection, "a", days=90, at=later + timedelta(days=1))[0] == 7
    run(connection, "r2", later + timedelta(days=1))
    ask(connection, 7, "r2", later + timedelta(days=1), status=404)
    assert 7 not in due(connection, "a", days=90, at=later + timedelta(days=2))


def test_only_what_is_settled_is_made_due(connection: sqlite3.Connection):
    connection.execute("UPDATE frontier SET state = 'failed' WHERE frontier_id = 1")
    run(connection, "r1", START)
    make_due(connection, "r1", [1, 2])
    assert connection.execute("SELECT state, run_id FROM frontier WHERE frontier_id <= 2").fetchall() == [
        ("failed", "r0"),
        ("pending", "r1"),
    ]


def publish(connection: sqlite3.Connection, number: int, day: datetime) -> None:
    connection.execute("UPDATE frontier SET listed_date = ? WHERE frontier_id = ?", (instant(day)[:10], number))


def change(connection: sqlite3.Connection, number: int, run_id: str) -> None:
    connection.execute(
        """INSERT INTO changes(url, run_id, kind, capture_id)
        SELECT ?, ?, 'content_changed', max(capture_id) FROM exchanges WHERE url_id = ?""",
        (f"http://a.example/{number}", run_id, number),
    )


def asked_on(connection: sqlite3.Connection, number: int, nights: int, days: int = 90) -> list[int]:
    """The nights that asked for an address, when every night asks what is due."""
    found = []
    for night in range(1, nights + 1):
        at = START + timedelta(days=night)
        rows = due(connection, "a", days=days, at=at)
        run(connection, f"n{night}", at)
        for row in rows:
            ask(connection, row, f"n{night}", at)
        if number in rows:
            found.append(night)
    return found


def test_what_was_published_lately_is_asked_often_at_first_and_then_less(connection: sqlite3.Connection):
    publish(connection, 180, START)
    nights = asked_on(connection, 180, 60)
    gaps = [later - earlier for earlier, later in pairwise(nights)]
    assert nights[:4] == [1, 2, 3, 4]
    assert gaps == sorted(gaps)
    assert 8 <= len(nights) <= 16


def test_what_has_changed_before_is_asked_again_soon(connection: sqlite3.Connection):
    run(connection, "r1", START + timedelta(hours=1))
    ask(connection, 180, "r1", START + timedelta(hours=1))
    change(connection, 180, "r1")
    assert 180 in due(connection, "a", days=90, at=START + timedelta(days=1, hours=1))


def test_a_file_is_as_new_as_the_page_that_links_to_it(connection: sqlite3.Connection):
    publish(connection, 1, START)
    connection.execute("UPDATE frontier SET role = 'attachment', via = 'http://a.example/1' WHERE frontier_id = 180")
    assert 180 in due(connection, "a", days=90, at=START + timedelta(days=1))


def test_a_night_asks_for_at_most_twice_its_share(connection: sqlite3.Connection):
    for number in range(1, PAGES + 1):
        publish(connection, number, START)
    assert len(due(connection, "a", days=90, at=START + timedelta(days=1))) == 4


def test_the_restless_take_nothing_from_the_others(connection: sqlite3.Connection):
    for number in range(1, PAGES // 2):
        publish(connection, number, START)
    seen: set[int] = set()
    for night in range(1, 91):
        at = START + timedelta(days=night)
        rows = due(connection, "a", days=90, at=at)
        run(connection, f"r{night}", at)
        for number in rows:
            ask(connection, number, f"r{night}", at)
        seen.update(rows)
    assert seen == set(range(1, PAGES + 1))


def test_a_day_that_is_none_is_no_day(connection: sqlite3.Connection):
    connection.execute("UPDATE frontier SET listed_date = '2026-99-99'")
    assert len(due(connection, "a", days=90, at=START + timedelta(days=1))) == 2
