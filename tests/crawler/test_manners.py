"""What a server sees of a crawl: how often it is asked, how it is left alone, who says to be asking."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from archiving import SITE, session
from crawling import COMMAND, Crawled, crawled, gongkai, one, rows, waits
from loopback import LIST, Answer, Column, Script, served, site_file

from crawler.manners import Manners, Met
from crawler.politeness import Lane
from crawler.session import Options, Session
from crawler.site import parse_site
from crawler.wire.context import Permission

RSHIELD = b"<html><head><meta id='x' content='{x' r='m'><script r='m'>$_ts=window['$_ts'];</script>"


def run(data_dir: Path, *files: Path, setup: str = "", options: tuple[str, ...] = ()) -> Crawled:
    """A crawl in which `setup` (Python) has changed the waits."""
    names = [part for file in files for part in ("--site-file", str(file))]
    return crawled(gongkai(data_dir, "crawl", *names, "--json", *options, code=setup + COMMAND))


def is_kept(data_dir: Path, delay: float, *scripts: Script) -> bool:
    """Whether each request left so many seconds after the one before (the first is late: it finds the process cold)."""
    came = sorted(asked.at for script in scripts for asked in script.log)
    left = waits(data_dir)
    assert len(left) == len(came) - 1
    return min(left) > 0.75 * delay and median(later - earlier for earlier, later in pairwise(came)) > 0.85 * delay


def robots(text: str | bytes, status: int = 200, **changes):
    body = text.encode() if isinstance(text, str) else text

    def answer(path: str, _count: int) -> Answer | None:
        return Answer(status, body, **changes) if path == "/robots.txt" else None

    return answer


def findings(data_dir: Path, code: str) -> list[str]:
    return [message for (message,) in rows(data_dir, "SELECT message FROM findings WHERE code = ?", code)]


# robots.txt


def test_a_crawl_delay_is_kept_where_it_is_longer_than_ours(tmp_path: Path):
    with served(Column(3, robots("User-agent: *\nCrawl-delay: 0.4\n"))) as script:
        assert run(tmp_path, site_file(tmp_path, script.base)).code == 0
    assert script.paths() == ["/robots.txt", LIST, *Column(3).paths]
    assert is_kept(tmp_path, 0.4, script)


def test_our_own_delay_is_kept_where_it_is_longer_than_a_crawl_delay(tmp_path: Path):
    with served(Column(3, robots("User-agent: gongkai\nCrawl-delay: 0.1\n"))) as script:
        assert run(tmp_path, site_file(tmp_path, script.base, "delay_seconds = 0.4")).code == 0
    assert is_kept(tmp_path, 0.4, script)


def test_a_crawl_delay_beyond_all_measure_is_capped_and_said(tmp_path: Path):
    with served(Column(1, robots("User-agent: *\nCrawl-delay: 86400\n"))) as script:
        setup = "from crawler import manners, robots; "
        setup += "manners.LONGEST_CRAWL_DELAY_SECONDS = robots.LONGEST_CRAWL_DELAY_SECONDS = 0.4; "
        assert run(tmp_path, site_file(tmp_path, script.base), setup=setup).code == 0
    assert is_kept(tmp_path, 0.4, script)
    assert findings(tmp_path, "crawl_delay_capped") == ["Crawl-delay of 86400 s; 0.4 s are kept"]


def test_an_html_page_for_robots_txt_is_no_robots_txt(tmp_path: Path):
    page = "<!DOCTYPE html><html><title>某区人民政府</title><body>\nUser-agent: *\nDisallow: /\n</body></html>"
    with served(Column(2, robots(page))) as script:
        assert run(tmp_path, site_file(tmp_path, script.base)).code == 0
    assert set(Column(2).paths) <= set(script.paths())
    assert len(findings(tmp_path, "robots_not_rules")) == 1


def test_what_robots_txt_disallows_is_not_asked_for(tmp_path: Path):
    with served(Column(3, robots("User-agent: *\nDisallow: /art/2022/1/5/art_33_2.html\n"))) as script:
        assert run(tmp_path, site_file(tmp_path, script.base)).code == 0
    first, second, third = Column(3).paths
    assert script.paths() == ["/robots.txt", LIST, first, third]
    assert rows(tmp_path, "SELECT outcome FROM captures WHERE url LIKE '%' || ?", second) == [("robots",)]


def test_robots_txt_is_followed_to_where_it_moved(tmp_path: Path):
    def answer(path: str, _count: int) -> Answer | None:
        if path == "/robots.txt":
            return Answer(301, headers=(("Location", "/r.txt"),))
        return Answer(200, b"User-agent: *\nDisallow: /art/\n") if path == "/r.txt" else None

    with served(Column(3, answer)) as script:
        assert run(tmp_path, site_file(tmp_path, script.base)).code == 0
    assert script.paths() == ["/robots.txt", "/r.txt", LIST]


@pytest.mark.parametrize("status", [500, 503, 429, 521])
def test_a_server_that_cannot_say_what_is_allowed_is_left_to_the_next_run(tmp_path: Path, status: int):
    with served(Column(3, robots("", status))) as script:
        assert run(tmp_path, site_file(tmp_path, script.base)).code == 1
    assert script.paths() == ["/robots.txt"]
    assert len(findings(tmp_path, "host_paused")) == 1
    assert rows(tmp_path, "SELECT state FROM frontier WHERE role = 'list'") == [("pending",)]


# Rest that is asked for


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("spelling", ["seconds", "date"])
def test_retry_after_is_kept_for_the_whole_host(tmp_path: Path, status: int, spelling: str):
    def answer(path: str, count: int) -> Answer | None:
        if not path.endswith("_1.html") or count > 1:
            return None
        # A date has no fractions of a second.
        until = datetime.now(UTC) + timedelta(seconds=3)
        return Answer(status, headers=(("Retry-After", "2" if spelling == "seconds" else format_datetime(until)),))

    setup = "from crawler import retry; retry.FIRST_WAIT_SECONDS = 0.0; "
    with served(Column(3, answer)) as script:
        assert run(tmp_path, site_file(tmp_path, script.base), setup=setup).code == 0
    assert script.counts[Column(3).paths[0]] == 2
    refused = script.paths().index(Column(3).paths[0])
    assert script.log[refused + 1].at - script.log[refused].at >= 1.9


def test_a_server_that_asks_for_more_rest_than_a_run_has_is_left_to_the_next_run(tmp_path: Path):
    def answer(path: str, _count: int) -> Answer | None:
        return Answer(503, headers=(("Retry-After", "7200"),)) if path.endswith("_1.html") else None

    with served(Column(3, answer)) as script:
        assert run(tmp_path, site_file(tmp_path, script.base)).code == 0
    assert script.paths() == ["/robots.txt", LIST, Column(3).paths[0]]
    assert "7200 s" in findings(tmp_path, "host_paused")[0]
    assert one(tmp_path, "SELECT count(*) FROM frontier WHERE state = 'pending'") == 3


def test_a_slow_server_gets_a_rest_as_long_as_its_answer(tmp_path: Path):
    with served(Column(3, lambda path, _count: replace(Column(3)(path, 1), seconds=0.7))) as script:
        assert run(tmp_path, site_file(tmp_path, script.base)).code == 0
    pages = [asked for asked in script.log if asked.path != "/robots.txt"]
    rests = [later.at - earlier.ended for earlier, later in pairwise(pages)]
    assert min(rests) > 0.6


# One at a time


def test_one_request_at_a_time_is_the_default(tmp_path: Path):
    with served(Column(6, lambda path, _count: replace(Column(6)(path, 1), seconds=0.05))) as script:
        assert run(tmp_path, site_file(tmp_path, script.base)).code == 0
    assert len(script.log) == 8
    assert {asked.together for asked in script.log} == {1}


def test_two_sites_on_one_host_share_one_lane_at_the_slower_pace(tmp_path: Path):
    slow = "delay_seconds = 0.4"
    with served(Column(3)) as one_port, served(Column(3)) as other_port:
        files = (
            site_file(tmp_path, one_port.base, "concurrent_requests = 4", name="one"),
            site_file(tmp_path, other_port.base, slow, name="two"),
        )
        assert run(tmp_path / "data", *files).code == 0
        log = sorted([*one_port.log, *other_port.log], key=lambda asked: asked.at)
    assert len(log) == 10
    assert is_kept(tmp_path / "data", 0.4, one_port, other_port)
    assert all(later.at >= earlier.ended for earlier, later in pairwise(log))


# The circuit breaker


def test_a_host_that_shows_a_guard_three_times_is_asked_nothing_more(tmp_path: Path):
    is_on_guard = True

    def guard(path: str, _count: int) -> Answer | None:
        return Answer(412, RSHIELD) if is_on_guard and "/art_33_" in path and path[-6] > "2" else None

    setup = "from crawler import manners; manners.FIRST_BLOCK_WAIT_SECONDS = 0.1; "
    with served(Column(8, guard)) as script:
        path = site_file(tmp_path, script.base)
        assert run(tmp_path, path, setup=setup).code == 0
        first = script.paths()
        is_on_guard = False
        before = dict(rows(tmp_path, "SELECT state, count(*) FROM frontier WHERE role = 'page' GROUP BY state"))
        assert run(tmp_path, path).code == 0
    assert first == ["/robots.txt", LIST, *Column(5).paths]
    assert len(findings(tmp_path, "host_paused")) == 1
    assert before == {"acknowledged": 2, "failed": 3, "pending": 3}
    # The next run takes up what was left.
    assert script.paths()[len(first) :] == ["/robots.txt", LIST, *Column(8).paths[2:]]


def test_a_guard_is_backed_off_from_before_it_is_met_again(tmp_path: Path):
    guarded = Column(4, lambda path, count: Answer(412, RSHIELD) if path.endswith("_1.html") else None)
    setup = "from crawler import manners; manners.FIRST_BLOCK_WAIT_SECONDS = 1.0; "
    with served(guarded) as script:
        assert run(tmp_path, site_file(tmp_path, script.base), setup=setup).code == 0
    refused = script.paths().index(Column(4).paths[0])
    assert script.log[refused + 1].at - script.log[refused].at >= 1.0
    assert findings(tmp_path, "host_paused") == []
    assert one(tmp_path, "SELECT count(*) FROM captures WHERE role = 'page' AND outcome = 'ok'") == 3


def test_a_host_that_does_not_answer_is_given_up_for_the_run(tmp_path: Path):
    silent = Column(9, lambda path, _count: Answer(0) if "/art_33_" in path else None)
    setup = "from crawler import retry; retry.FIRST_WAIT_SECONDS = 0.0; "
    with served(silent) as script:
        assert run(tmp_path, site_file(tmp_path, script.base), setup=setup).code == 0
    assert one(tmp_path, "SELECT count(*) FROM frontier WHERE state = 'pending' AND role = 'page'") >= 4
    assert len(findings(tmp_path, "host_paused")) == 1


LANES = {"h.example.cn": Lane(2.0, 1, Permission())}
NOW = datetime(2022, 1, 6, tzinfo=UTC)


def test_an_answer_between_two_guards_begins_the_count_anew():
    manners = Manners(LANES)
    block, answer = Met("blocked", 412, 0.1), Met("ok", 200, 0.1)
    assert [manners.met("h.example.cn", met, NOW) for met in (block, block, answer, block, block)] == [""] * 5
    assert manners.met("h.example.cn", block, NOW).startswith("3 pages of a guard")
    assert manners.met("h.example.cn", block, NOW) == ""
    assert manners.paused == {"h.example.cn"}


def test_a_slow_answer_once_does_not_slow_a_host_for_ever():
    manners = Manners(LANES)
    manners.met("h.example.cn", Met("ok", 200, 20.0), NOW)
    assert manners.delay_of("h.example.cn") == 40.0
    manners.met("h.example.cn", Met("ok", 200, 100.0), NOW)
    assert manners.delay_of("h.example.cn") == 130.0
    manners.met("h.example.cn", Met("ok", 200, 0.2), NOW)
    assert manners.delay_of("h.example.cn") == 2.0


# Crawl windows

NIGHT = 'agency = "a"\ndivision_code = "230199"\n[channels]\nr = "http://n.example.cn/"\n[politeness]\nwindow = "{}"\n'


@pytest.mark.parametrize(
    ("window", "utc", "is_open"),
    [
        ("22:00-06:00", "13:59", False),
        ("22:00-06:00", "14:00", True),
        ("22:00-06:00", "21:59", True),
        ("22:00-06:00", "22:00", False),
        ("08:30-17:00", "00:29", False),
        ("08:30-17:00", "00:30", True),
        ("08:30-17:00", "09:00", False),
    ],
)
def test_a_window_is_read_in_the_sites_own_time(window: str, utc: str, is_open: bool):
    site = parse_site(NIGHT.format(window), name="n", source="n.toml")
    assert site.politeness.is_open(datetime.fromisoformat(f"2022-01-06T{utc}:00+00:00")) is is_open


def test_a_time_zone_may_be_named():
    site = parse_site(NIGHT.format("22:00-06:00") + 'time_zone = "UTC"\n', name="n", source="n.toml")
    assert site.politeness.is_open(datetime(2022, 1, 6, 23, tzinfo=UTC))


def test_outside_its_window_a_site_is_skipped_and_that_is_said(tmp_path: Path):
    with served(Column(3)) as script:
        at = datetime.now(UTC)
        hours = f'"{at + timedelta(hours=2):%H:%M}-{at + timedelta(hours=3):%H:%M}"'
        path = site_file(tmp_path, script.base, f'window = {hours}\ntime_zone = "UTC"')
        assert run(tmp_path / "data", path).code == 0
    assert script.log == []
    assert len(findings(tmp_path / "data", "outside_window")) == 1
    channels = rows(tmp_path / "data", "SELECT status, because FROM channel_runs")
    assert [(status, "outside its crawl window" in because) for status, because in channels] == [("incomplete", True)]
    assert findings(tmp_path / "data", "no_listings") == []


def test_a_window_that_closes_ends_a_sites_share_of_the_run(tmp_path: Path):
    night = parse_site(NIGHT.format("22:00-06:00"), name="n", source="n.toml")
    at = datetime(2022, 1, 6, 21, 59, tzinfo=UTC)
    with Session(tmp_path, [night, SITE], Options(), clock=lambda: at) as opened:
        assert opened.open_sites() == ("n", "d")
        at += timedelta(minutes=1)
        assert opened.open_sites() == ("d",)
        assert opened.open_sites() == ("d",)
    assert len(findings(tmp_path, "window_closed")) == 1
    assert [message for message in findings(tmp_path, "no_listings") if "channel r," in message] == []


# Who asks


def test_the_user_agent_names_us_and_whom_to_ask(tmp_path: Path):
    with served(Column(1)) as script:
        path = site_file(tmp_path, script.base)
        assert run(tmp_path / "a", path, options=("--contact", "mailto:crawl@example.cn")).code == 0
        assert run(tmp_path / "b", path).code == 0
    agents = {asked.user_agent for asked in script.log}
    assert {agent.partition(" ")[2] for agent in agents} == {"(+mailto:crawl@example.cn)", ""}
    assert all(agent.startswith("gongkai/") for agent in agents)
    assert findings(tmp_path / "a", "no_contact") == []
    assert len(findings(tmp_path / "b", "no_contact")) == 1


def test_a_session_without_windows_has_all_its_sites(tmp_path: Path):
    with session(tmp_path) as opened:
        assert opened.open_sites() == ("d",)


def test_a_clock_that_was_set_back_keeps_no_host_waiting():
    at = datetime(2026, 3, 2, tzinfo=UTC)
    manners = Manners({"d.example.cn": Lane(0.0, 1, Permission())})
    manners.met("d.example.cn", Met("http_error", 503, 0.1, wait_seconds=60.0), at)
    asked = [manners.may_ask("d.example.cn", at + timedelta(seconds=s)) for s in (0, 59, 60, -86400)]
    assert asked == [False, False, True, True]
