"""What is handed out when, and what becomes known, due again or given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from archive_kit import FixedClock, exchange, http_response, list_target, page_target, page_url, recording

from archive.frontier import Frontier, target_key
from archive.history import runs_in_order
from archive.model import Target
from archive.recorder import Recorder
from archive.rows import RunRow
from archive.store import Store
from archive.times import instant


@pytest.fixture
def opened(tmp_path: Path, clock: FixedClock) -> Iterator[tuple[Store, Frontier, Recorder]]:
    with recording(tmp_path, "r1", clock) as parts:
        yield parts


def next_run(store: Store, clock: FixedClock, run_id: str = "r2") -> Frontier:
    store.start_run(RunRow(run_id, "crawl", instant(clock())))
    return Frontier(store, run_id, clock=clock)


def finish(frontier: Frontier, recorder: Recorder, clock: FixedClock) -> None:
    for row in frontier.lease(100):
        recorder.record_now(row.target, row.frontier_id, exchange(row.target, http_response(b"hi"), clock))


def at(host: str, number: int) -> Target:
    return replace(page_target(number), url=f"http://{host}/{number}.html")


def test_lists_come_first_then_first_in_first_out(opened: tuple[Store, Frontier, Recorder]) -> None:
    _, frontier, _ = opened
    frontier.add([page_target(3), page_target(1), list_target(), page_target(2)])
    assert [row.target.url for row in frontier.lease(10)] == [list_target().url, page_url(3), page_url(1), page_url(2)]


def test_a_target_comes_back_as_it_was_added(opened: tuple[Store, Frontier, Recorder]) -> None:
    target = Target(
        "http://www.qinghe.example/dataproxy.jsp?startrecord=1", "list", "demo_qinghe", "annual_report",
        method="POST", body=b"col=1\xff", headers=(("X-Requested-With", "XMLHttpRequest"),), via="http://a.example/",
        anchor="下一页", listed_date="2026-01-02", depth=3, parameters='{"group":2}',
    )  # fmt: skip
    opened[1].add([target])
    assert [row.target for row in opened[1].lease(1)] == [target]


def test_hosts_share_what_is_handed_out_and_busy_ones_get_nothing(opened: tuple[Store, Frontier, Recorder]) -> None:
    _, frontier, _ = opened
    frontier.add([at("a.example", n) for n in range(9)] + [at("b.example", n) for n in range(9)])
    assert [row.host for row in frontier.lease(4)] == ["a.example"] * 2 + ["b.example"] * 2
    assert {row.host for row in frontier.lease(4, busy_hosts={"a.example"})} == {"b.example"}


def test_only_the_sites_asked_for_are_handed_out(opened: tuple[Store, Frontier, Recorder]) -> None:
    _, frontier, _ = opened
    frontier.add([page_target(1), replace(page_target(2), site="other")])
    assert [row.target.site for row in frontier.lease(10, sites=["other"])] == ["other"]
    assert frontier.counts(["demo_qinghe"])["pending"] == 1
    assert frontier.next_due(["other"]) is None


def test_adding_again_adds_nothing(opened: tuple[Store, Frontier, Recorder]) -> None:
    _, frontier, _ = opened
    assert frontier.add([page_target(1), page_target(2), page_target(1)]) == 2
    assert frontier.add([page_target(1), page_target(3)]) == 1
    assert frontier.is_known(page_target(2))
    assert not frontier.is_known(page_target(9))


def test_the_fragment_is_no_part_of_a_request(opened: tuple[Store, Frontier, Recorder]) -> None:
    assert opened[1].add([page_target(1), replace(page_target(1), url=page_url(1) + "#top")]) == 1


def test_two_channels_may_share_a_list_but_fetch_a_page_once() -> None:
    assert target_key(list_target()) != target_key(replace(list_target(), channel="policy"))
    assert target_key(page_target(1)) == target_key(replace(page_target(1), channel="policy"))


def test_a_new_run_asks_lists_again_and_pages_not(opened: tuple[Store, Frontier, Recorder], clock: FixedClock) -> None:
    store, frontier, recorder = opened
    frontier.add([list_target(), page_target(1)])
    finish(frontier, recorder, clock)
    again = next_run(store, clock)
    assert again.add([list_target(), page_target(1), page_target(2)]) == 2
    assert [row.target.url for row in again.lease(10)] == [list_target().url, page_url(2)]
    assert again.add([list_target()]) == 0


def test_a_full_run_asks_everything_again(opened: tuple[Store, Frontier, Recorder], clock: FixedClock) -> None:
    store, frontier, recorder = opened
    frontier.add([list_target(), page_target(1), page_target(2)])
    finish(frontier, recorder, clock)
    again = next_run(store, clock)
    assert again.recheck(["demo_qinghe"]) == 2
    assert again.recheck() == 0
    assert again.add([page_target(1)], recheck=True) == 0
    assert again.counts()["pending"] == 2
    finish(again, recorder, clock)
    assert next_run(store, clock, "r3").add([page_target(1), page_target(5)], recheck=True) == 2


def test_given_up_rows_get_another_chance_in_a_later_run(
    opened: tuple[Store, Frontier, Recorder], clock: FixedClock
) -> None:
    store, frontier, _ = opened
    frontier.add([page_target(1), page_target(2)])
    frontier.fail([row.frontier_id for row in frontier.lease(10)])
    assert frontier.retry_failed() == 0
    again = next_run(store, clock)
    assert again.add([page_target(1)]) == 1
    assert again.retry_failed(["demo_qinghe"]) == 1
    assert again.counts() == {"pending": 2, "leased": 0, "acknowledged": 0, "failed": 0}


def test_what_a_dead_run_had_taken_is_handed_out_again(opened: tuple[Store, Frontier, Recorder]) -> None:
    _, frontier, _ = opened
    frontier.add([page_target(1), page_target(2)])
    frontier.lease(10)
    assert frontier.lease(10) == []
    assert frontier.reset_leases() == 2
    assert len(frontier.lease(10)) == 2


def test_a_retry_waits_for_its_time(opened: tuple[Store, Frontier, Recorder], clock: FixedClock) -> None:
    _, frontier, _ = opened
    frontier.add([page_target(1)])
    (row,) = frontier.lease(1)
    due = clock.moment + timedelta(hours=1)
    frontier.retry(row.frontier_id, not_before=due)
    assert frontier.lease(1) == []
    assert frontier.next_due() == due
    clock.moment = due
    assert [row.attempts for row in frontier.lease(1)] == [1]


def test_released_rows_are_pending_again(opened: tuple[Store, Frontier, Recorder]) -> None:
    _, frontier, _ = opened
    frontier.add([page_target(1)])
    frontier.release([row.frontier_id for row in frontier.lease(1)])
    assert frontier.counts()["pending"] == 1


def test_a_clock_that_was_set_back_keeps_nobody_waiting(
    opened: tuple[Store, Frontier, Recorder], clock: FixedClock
) -> None:
    _, frontier, _ = opened
    frontier.add([page_target(1), page_target(2)])
    first, second = frontier.lease(2)
    frontier.retry(first.frontier_id, not_before=clock() + timedelta(days=1))
    frontier.retry(second.frontier_id, not_before=clock() + timedelta(minutes=10))
    assert [row.frontier_id for row in frontier.lease(2)] == [first.frontier_id]


def test_runs_are_in_the_order_of_their_recording_whatever_the_clock_says(
    opened: tuple[Store, Frontier, Recorder], clock: FixedClock
) -> None:
    store = opened[0]
    clock.moment -= timedelta(days=2)
    next_run(store, clock, "r0")
    assert runs_in_order(store.connection) == ["r1", "r0"]
