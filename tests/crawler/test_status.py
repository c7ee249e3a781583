"""How the collection stands, as `gongkai status` tells it."""

import json
from collections.abc import Iterator
from pathlib import Path

import nights
import pytest
from click.testing import CliRunner

from archive.store import Store
from archive.times import moment
from crawler.cli import main
from crawler.report import spans, standing
from crawler.status import status

LATER = "2026-01-05T00:00:00.000000Z"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with nights.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def found(store: Store) -> dict:
    first = nights.night(store, 1, {"a": (12, {"ok": 3}), "b": (9, {"ok": 3})})
    nights.listing(store, first, "a", "http://a.example.cn/1")
    nights.night(store, 4, {"a": (12, {"ok": 3}), "b": (0, {"ok": 3})}, incomplete={"b": "fewer than declared"})
    return status(store.path.parent, clock=lambda: moment(LATER))


def test_what_the_report_calls_an_alarm_stands_here_too(found: dict) -> None:
    (alarm,) = found["alarms"]
    assert (alarm["code"], alarm["site"]) == ("zero_yield", "b")
    assert (alarm["message"], alarm["message_zh"]) == ("asked 3 times and listed nothing", "访问 3 次，未列出任何条目")
    assert found["silent"] == ["b"]
    assert {site["site"]: site["state"] for site in found["sites"]} == {"a": "ok", "b": "silent"}


def test_a_channel_is_as_it_was_last_read(found: dict) -> None:
    assert [(row["site"], row["status"], row["because"]) for row in found["channels"]] == [
        ("a", "complete", ""),
        ("b", "incomplete", "fewer than declared"),
    ]


def test_a_site_that_no_run_asks_any_more_is_silent(store: Store, found: dict) -> None:
    late = status(store.path.parent, clock=lambda: moment("2026-01-20T00:00:00Z"))
    assert late["silent"] == ["a", "b"]


def test_known_pages_come_due_after_ninety_days(store: Store, found: dict) -> None:
    assert (found["rechecks"]["known"], found["rechecks"]["overdue"]) == (12, 0)
    late = status(store.path.parent, clock=lambda: moment("2026-06-01T00:00:00Z"))
    assert late["rechecks"]["overdue"] == 12


def test_pages_come_due_when_the_nights_settings_say_so(store: Store, found: dict) -> None:
    later = nights.night(store, 5, {"a": (12, {"ok": 1})})
    with store.transaction() as connection:
        settings = '{"sites": ["a"], "limit": null, "recheck_days": 30}'
        connection.execute("UPDATE runs SET settings_json = ? WHERE run_id = ?", (settings, later))
        connection.execute("UPDATE sites SET toml = toml || '[recheck]' || char(10) || 'days = 60' WHERE name = 'b'")
    rechecks = status(store.path.parent, clock=lambda: moment("2026-02-10T00:00:00Z"))["rechecks"]
    assert (rechecks["within_days"], rechecks["within_days_by_site"]) == (30, {"b": 60})
    assert rechecks["overdue_by_site"] == {"a": 7}
    late = status(store.path.parent, clock=lambda: moment("2026-03-10T00:00:00Z"))
    assert late["rechecks"]["overdue_by_site"] == {"a": 7, "b": 6}
    assert "were not asked for 30 days (b: 60)" in standing(late)


def test_what_waits_is_counted(store: Store, found: dict) -> None:
    with store.transaction() as connection:
        connection.execute("UPDATE frontier SET state = 'pending' WHERE frontier_id = 1")
    assert (found["pending"], status(store.path.parent)["pending"]) == (0, 1)


def test_what_waits_for_a_person_is_counted_and_said(store: Store, found: dict) -> None:
    assert found["reviews"] == {"pairs": 0, "reports": 0}
    assert "for a person to decide" not in standing(found)
    nights.review(store, "p", "pair")
    nights.review(store, "r", "report")
    nights.review(store, "done", "report", status="decided")
    later = status(store.path.parent)
    assert later["reviews"] == {"pairs": 1, "reports": 1}
    line = "for a person to decide (gongkai agencies review): pairs of agencies that may be one: 1, reports without an"
    assert any(one.startswith(line) for one in standing(later).splitlines())


def test_sizes_stand_beside_the_disk(found: dict) -> None:
    assert found["disk"]["warc"] == 2000
    assert found["disk"]["database"] > 0
    assert found["disk"]["free"] > 0


def test_a_person_reads_what_is_wrong_first(found: dict) -> None:
    lines = standing(found).splitlines()
    assert lines[0] == "ALARM zero_yield b: asked 3 times and listed nothing"
    assert lines[1] == "silent: b"
    assert any(line.startswith("a: ok, 0 reports (no year)") for line in lines)
    assert "  channel b reports: incomplete, 0 listed (fewer than declared)" in lines


def test_a_database_without_a_crawl_has_something_to_say(store: Store) -> None:
    empty = status(store.path.parent)
    assert (empty["alarms"], empty["disk"]) == ([], None)
    assert standing(empty) == "nothing collected yet"


def test_the_command_prints_both_ways(store: Store, found: dict) -> None:
    folder = str(store.path.parent)
    printed = CliRunner().invoke(main, ["--data", folder, "status", "--json"])
    assert set(json.loads(printed.stdout)) == set(found)
    assert "ALARM zero_yield b" in CliRunner().invoke(main, ["--data", folder, "status"]).stdout


@pytest.mark.parametrize(
    ("years", "said"),
    [([], ""), ([2014], "2014"), ([2014, 2015, 2016, 2018, 2020, 2021], "2014-2016, 2018, 2020-2021")],
)
def test_years_show_their_gaps(years: list[int], said: str) -> None:
    assert spans(years) == said
