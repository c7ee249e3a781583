"""The scheduler over a real frontier: order, hosts, leases given back. And what a session makes of exchanges."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from archiving import LIST, exchange, response, session
from crawling import one, rows
from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from archive.errors import RecorderError
from archive.model import Target
from crawler.exceptions import SiteFileError
from crawler.manners import MOST_REFUSALS
from crawler.robots import ForbiddenError
from crawler.scheduler import FrontierScheduler
from crawler.session import Options, Session
from crawler.site import parse_site
from crawler.wire.context import FRONTIER_ID, TARGET

WIDE = parse_site(
    'agency = "a"\ndivision_code = "230199"\nallowed_hosts = ["files.example.cn"]\n'
    '[channels]\nreports = "http://d.example.cn/col/col33/index.html"\n[politeness]\nconcurrent_requests = 2\n',
    name="d",
    source="d.toml",
)


def page(number: int, host: str = "d.example.cn") -> Target:
    return Target(url=f"http://{host}/{number}.html", role="page", site="d", channel="reports", depth=1)


def answer(scheduler: FrontierScheduler, request: Request) -> None:
    request.callback(Response(request.url, request=request))


def everything(scheduler: FrontierScheduler) -> list[str]:
    """Addresses in the order in which they are asked for, each answered at once."""
    asked = []
    while (request := scheduler.next_request()) is not None:
        asked.append(request.url)
        answer(scheduler, request)
    return asked


def states(data_dir: Path) -> dict[str, int]:
    return dict(rows(data_dir, "SELECT state, count(*) FROM frontier GROUP BY state"))


def test_lists_come_first_then_pages_in_order(tmp_path: Path):
    with session(tmp_path, site=WIDE) as run:
        run.frontier.add([page(1), page(2)])
        assert everything(FrontierScheduler(run)) == [LIST.url, page(1).url, page(2).url]


def test_a_request_carries_what_the_handler_needs(tmp_path: Path):
    with session(tmp_path, site=WIDE) as run:
        target = replace(page(1), method="POST", body=b"a=1", headers=(("X-Requested-With", "XMLHttpRequest"),))
        run.frontier.add([target])
        scheduler = FrontierScheduler(run)
        answer(scheduler, scheduler.next_request())
        request = scheduler.next_request()
        assert (request.url, request.method, request.body) == (target.url, "POST", b"a=1")
        assert request.headers[b"X-Requested-With"] == b"XMLHttpRequest"
        assert request.meta[TARGET] == target
        assert request.meta[FRONTIER_ID] == 2
        assert request.meta["dont_obey_robotstxt"] is False


def test_a_host_gets_no_more_than_it_may_have(tmp_path: Path):
    with session(tmp_path, site=WIDE) as run:
        run.frontier.add([page(number) for number in range(5)])
        scheduler = FrontierScheduler(run)
        answer(scheduler, scheduler.next_request())
        first, second = scheduler.next_request(), scheduler.next_request()
        assert scheduler.next_request() is None
        assert scheduler.has_pending_requests()
        answer(scheduler, first)
        assert scheduler.next_request().url == page(2).url
        assert scheduler.next_request() is None
        answer(scheduler, second)


def test_a_busy_host_does_not_keep_others_waiting(tmp_path: Path):
    with session(tmp_path, site=WIDE) as run:
        run.frontier.add([*(page(number) for number in range(200)), page(0, "files.example.cn")])
        scheduler = FrontierScheduler(run)
        asked = [scheduler.next_request().url for _ in range(2)]
        assert asked == [LIST.url, page(0, "files.example.cn").url]


def test_a_server_is_entered_by_one_request_alone(tmp_path: Path):
    """So that robots.txt is read before a second one asks for it."""
    with session(tmp_path, site=WIDE) as run:
        run.frontier.add([page(1), page(2)])
        scheduler = FrontierScheduler(run)
        first = scheduler.next_request()
        assert scheduler.next_request() is None
        answer(scheduler, first)
        assert scheduler.next_request() is not None
        assert scheduler.next_request() is not None


def test_nothing_is_left_once_everything_is_recorded(tmp_path: Path):
    with session(tmp_path, site=WIDE) as run:
        scheduler = FrontierScheduler(run)
        request = scheduler.next_request()
        raw = response(b"<html></html>")
        asyncio.run(run.record(request.meta[TARGET], request.meta[FRONTIER_ID], exchange(request.meta[TARGET], raw)))
        answer(scheduler, request)
        assert scheduler.next_request() is None
        assert not scheduler.has_pending_requests()


def test_what_is_in_memory_is_given_back_on_close(tmp_path: Path):
    with session(tmp_path, site=WIDE) as run:
        run.frontier.add([page(number) for number in range(5)])
        scheduler = FrontierScheduler(run)
        scheduler.next_request()
        assert states(tmp_path) == {"leased": 6}
        scheduler.close("finished")
        assert states(tmp_path) == {"leased": 1, "pending": 5}
        assert not run.interrupted


def test_a_shutdown_interrupts_the_run(tmp_path: Path):
    with session(tmp_path) as run:
        FrontierScheduler(run).close("shutdown")
    assert rows(tmp_path, "SELECT status FROM runs") == [("interrupted",)]


def test_scrapys_own_requests_go_first_and_are_not_in_the_frontier(tmp_path: Path):
    with session(tmp_path) as run:
        scheduler = FrontierScheduler(run)
        assert scheduler.enqueue_request(Request("http://d.example.cn/own"))
        assert scheduler.next_request().url == "http://d.example.cn/own"
        assert scheduler.next_request().url == LIST.url


def test_what_robots_forbid_is_recorded_and_not_asked(tmp_path: Path):
    with session(tmp_path) as run:
        scheduler = FrontierScheduler(run)
        request = scheduler.next_request()
        failure = Failure(ForbiddenError("Forbidden by robots.txt"))
        failure.request = request
        request.errback(failure)
        assert not scheduler.has_pending_requests()
    assert rows(tmp_path, "SELECT outcome, error FROM captures") == [("robots", "Forbidden by robots.txt")]
    codes = [code for (code,) in rows(tmp_path, "SELECT code FROM findings ORDER BY 1")]
    assert codes == ["channel_incomplete", "no_listings", "robots_refused"]


def test_a_recorder_that_cannot_write_ends_the_crawl(tmp_path: Path):
    with session(tmp_path, site=WIDE) as run:
        run.frontier.add([page(1)])
        scheduler = FrontierScheduler(run)
        request = scheduler.next_request()
        failure = Failure(RecorderError("no space left on device"))
        failure.request = request
        request.errback(failure)
        assert scheduler.next_request() is None
        assert not scheduler.has_pending_requests()
    assert rows(tmp_path, "SELECT status FROM runs") == [("failed",)]


# Sessions


def test_a_database_that_cannot_be_written_ends_the_crawl_without_an_error_in_scrapy(tmp_path: Path):
    with session(tmp_path, site=WIDE) as run:
        run.frontier.add([page(1)])
        scheduler = FrontierScheduler(run)
        run.store.connection.execute("PRAGMA query_only=ON")
        assert scheduler.next_request() is None
        assert "readonly" in str(run.broken)
        assert not scheduler.has_pending_requests()
        scheduler.close("finished")
        run.store.connection.execute("PRAGMA query_only=OFF")


def recorded(run: Session, target: Target, raw: bytes, **changes: object) -> None:
    (leased,) = run.frontier.lease(1)
    run.begin(leased)
    asyncio.run(run.record(leased.target, leased.frontier_id, exchange(target, raw, **changes)))
    run.done(leased.frontier_id)


def test_a_passing_trouble_is_tried_again_later_and_a_lasting_one_given_up(tmp_path: Path):
    start = datetime.now(UTC)
    with session(tmp_path) as run:
        # The frontier's clock is moved instead of waiting: the waits are 5 and 20 seconds.
        for seconds, state in ((0, "pending"), (10, "pending"), (40, "failed")):
            run.frontier._clock = lambda moment=start + timedelta(seconds=seconds): moment
            recorded(run, LIST, response(b"", status=b"503 Busy"))
            assert states(tmp_path) == {state: 1}
            assert run.frontier.lease(1) == []
    assert rows(tmp_path, "SELECT outcome FROM captures") == [("http_error",)] * 3
    assert one(tmp_path, "SELECT message FROM findings WHERE code = 'list_failed'").endswith("status 503, 3 times")


def test_a_guards_page_is_asked_again_by_the_next_run(tmp_path: Path):
    with session(tmp_path) as run:
        recorded(run, LIST, response(b"<script>document.cookie='C3VK=1'</script>"))
        assert states(tmp_path) == {"failed": 1}
    assert rows(tmp_path, "SELECT outcome FROM captures") == [("blocked",)]
    with session(tmp_path):
        assert states(tmp_path) == {"pending": 1}


def test_an_attempt_that_is_repeated_at_once_keeps_its_lease(tmp_path: Path):
    with session(tmp_path) as run:
        run.frontier.lease(1)
        asyncio.run(run.record(LIST, None, exchange(LIST, b"", error="disconnected")))
        assert states(tmp_path) == {"leased": 1}


def test_a_robots_file_is_kept_and_leads_nowhere(tmp_path: Path):
    with session(tmp_path) as run:
        target = Target(url="http://d.example.cn/robots.txt", role="robots", site="d", channel="")
        asyncio.run(run.record(target, None, exchange(target, response(b"User-agent: *\nDisallow:"))))
    assert rows(tmp_path, "SELECT outcome, role FROM captures") == [("ok", "robots")]


def test_a_list_is_asked_for_conditionally_once_it_is_known(tmp_path: Path):
    with session(tmp_path) as run:
        (leased,) = run.frontier.lease(1)
        assert run.begin(leased) == ()
        raw = response(b"<html></html>", b'ETag: "v1"', b"Last-Modified: Thu, 06 Jan 2022 00:00:00 GMT")
        asyncio.run(run.record(LIST, leased.frontier_id, exchange(LIST, raw)))
    with session(tmp_path) as run:
        (leased,) = run.frontier.lease(1)
        assert run.begin(leased) == (
            ("If-None-Match", '"v1"'),
            ("If-Modified-Since", "Thu, 06 Jan 2022 00:00:00 GMT"),
        )


@pytest.mark.parametrize(("limit", "expected"), [(None, 3), (2, 2), (0, 0)])
def test_the_limit_counts_listed_pages_not_listings(tmp_path: Path, limit: int | None, expected: int):
    records = "".join(f"<record><![CDATA[<a href='/{n}.html'>第{n}号</a>]]></record>" for n in range(3))
    entity = f"<script type='text/xml'><datastore><recordset>{records}</recordset></datastore></script>".encode()
    with session(tmp_path, Options(limit=limit)) as run:
        recorded(run, LIST, response(entity))
    assert one(tmp_path, "SELECT count(*) FROM listings") == 3
    assert one(tmp_path, "SELECT count(*) FROM frontier WHERE role = 'page'") == expected


def test_what_a_browser_asks_for_counts_among_a_host_s_refusals(tmp_path: Path):
    asked = Target(url="http://d.example.cn/api", role="robots", site="d", channel="reports")
    with session(tmp_path) as run:
        for _ in range(MOST_REFUSALS):
            assert run.may_ask("d.example.cn")
            asyncio.run(run.record(asked, None, exchange(asked, response(b"", status=b"403 Forbidden"))))
        assert not run.may_ask("d.example.cn")
    assert one(tmp_path, "SELECT count(*) FROM findings WHERE code = 'host_paused'") == 1


def test_a_robots_txt_that_is_refused_says_nothing_of_the_pages(tmp_path: Path):
    robots = Target(url="http://d.example.cn/robots.txt", role="robots", site="d", channel="")
    with session(tmp_path) as run:
        for _ in range(MOST_REFUSALS):
            asyncio.run(run.record(robots, None, exchange(robots, response(b"", status=b"403 Forbidden"))))
        assert run.may_ask("d.example.cn")


def test_an_abandoned_run_is_marked_and_its_leases_return(tmp_path: Path):
    with session(tmp_path) as run:
        run.frontier.lease(1)
        run.store.connection.execute("UPDATE runs SET status = 'running'")
        run.status = "interrupted"  # leaves the block without an end of the run, as a kill does
    with session(tmp_path):
        assert states(tmp_path) == {"pending": 1}
        assert one(tmp_path, "SELECT count(*) FROM findings WHERE code = 'run_interrupted'") == 1


def test_sites_of_archived_runs_are_known_from_the_files_alone(tmp_path: Path):
    from crawler.reread import archived_sites

    with session(tmp_path, site=WIDE) as run:
        recorded(run, LIST, response(b"<html></html>"))
    assert archived_sites(tmp_path) == {"d": WIDE}


def test_a_run_that_ends_in_an_error_is_a_failed_run(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), session(tmp_path):
        raise ZeroDivisionError
    assert rows(tmp_path, "SELECT status FROM runs") == [("failed",)]
    with pytest.raises(KeyboardInterrupt), session(tmp_path):
        raise KeyboardInterrupt
    assert rows(tmp_path, "SELECT status FROM runs ORDER BY started_at") == [("failed",), ("interrupted",)]


def test_two_site_files_of_one_name_are_an_error(tmp_path: Path):
    with pytest.raises(SiteFileError, match="are called d;"):
        Session(tmp_path, [WIDE, replace(WIDE, agency="another")], Options())
    with Session(tmp_path, [WIDE, WIDE], Options()) as run:
        assert list(run.sites) == ["d"]
