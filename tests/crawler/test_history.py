"""What is concluded of an address from its answers, without lists: gone on two days, back, elsewhere, unreachable."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from archiving import LIST, exchange, response, session
from crawling import rows

from archive.model import Target
from crawler.extract import extract
from crawler.jail import InProcess

PAGE = Target("http://d.example.cn/art/1.html", "page", "d", "reports", via=LIST.url, anchor="公告", depth=1)
OTHER = replace(PAGE, url="http://d.example.cn/art/2.html")
HTML = b"Content-Type: text/html; charset=utf-8"
SAID = "为保障公民依法获取政府信息，本街道公布如下内容，请各有关单位认真执行，并于本月底以前报送办理结果。"


def article(text: str = SAID) -> bytes:
    body = f"<html><head><title>公告</title></head><body><div id='zoom'><p>{text}</p></div></body></html>"
    return response(body.encode(), HTML)


OK = article()
GONE = response(b"", HTML, status=b"404 Not Found")
BROKEN = response(b"", HTML, status=b"500 Internal Server Error")
ELSEWHERE = response(b"", b"Location: /art/2.html", status=b"302 Found")


def nights(data_dir: Path, *answers: tuple[int, Target, bytes]) -> list[tuple[int, str, str]]:
    """Records one run for each day and answer; the changes but `appeared`, each with the number of its run."""
    for day, target, raw in answers:
        with session(data_dir) as run:
            at = datetime(2026, 1, day, tzinfo=UTC)
            run.recorder.record_now(target, None, replace(exchange(target, raw), started_at=at))
    extract(data_dir, runner=InProcess())
    order = [run_id for (run_id,) in rows(data_dir, "SELECT run_id FROM runs ORDER BY started_at")]
    found = rows(data_dir, "SELECT run_id, kind, url FROM changes WHERE kind <> 'appeared'")
    return sorted((order.index(run_id) + 1, kind, url) for run_id, kind, url in found)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(1, OK), (2, GONE)], []),
        ([(1, OK), (2, GONE), (2, GONE)], []),
        ([(1, OK), (2, GONE), (3, GONE), (4, GONE)], [(3, "disappeared")]),
        ([(1, OK), (2, GONE), (3, OK), (4, GONE)], []),
        ([(1, OK), (2, BROKEN), (3, BROKEN)], []),
        ([(1, GONE), (2, GONE)], []),
        ([(1, OK), (2, GONE), (3, GONE), (4, OK)], [(3, "disappeared"), (4, "reappeared")]),
        ([(1, OK), (2, GONE), (3, GONE), (4, BROKEN)], [(3, "disappeared")]),
        ([(1, OK), (2, article(SAID + "特此公告。"))], [(2, "content_changed")]),
        ([(1, OK), (2, response(OK.partition(b"\r\n\r\n")[2] + b"<!-- 7 -->", HTML))], [(2, "layout_changed")]),
    ],
    ids=[
        "gone once",
        "gone twice on one day",
        "gone on two days",
        "gone and back before it was sure",
        "broken",
        "never there",
        "back",
        "broken is not back",
        "another sentence",
        "another comment",
    ],
)
def test_what_is_concluded_from_answers(tmp_path: Path, answers: list, expected: list):
    found = nights(tmp_path, *((day, PAGE, raw) for day, raw in answers))
    assert found == [(number, kind, PAGE.url) for number, kind in expected]


HOME = Target("http://d.example.cn/", "page", "d", "reports")
TO_HOME = response(b"", b"Location: /", status=b"302 Found")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("missing", [(3, "disappeared")]), ("homepage", [])],
    ids=["what the host says of addresses that cannot exist", "its homepage, after a burst"],
)
def test_a_stand_in_on_two_days_is_gone_unless_a_burst_may_have_brought_it_on(
    tmp_path: Path, kind: str, expected: list
):
    stand_in = replace(PAGE, parameters=f'{{"is_stand_in":"{kind}"}}')
    found = nights(tmp_path, (1, PAGE, OK), (2, stand_in, OK), (3, stand_in, OK))
    assert found == [(number, kind, PAGE.url) for number, kind in expected]


def test_being_sent_home_on_two_days_is_gone_and_no_move(tmp_path: Path):
    found = nights(tmp_path, (1, PAGE, OK), (1, HOME, article("首页")), (2, PAGE, TO_HOME), (3, PAGE, TO_HOME))
    assert found == [(4, "disappeared", PAGE.url)]


def test_a_redirect_to_what_is_there_is_a_move(tmp_path: Path):
    found = nights(tmp_path, (1, PAGE, OK), (2, PAGE, ELSEWHERE), (2, OTHER, OK))
    # In the second run the new address had no content yet.
    assert found == []
    assert nights(tmp_path, (3, PAGE, ELSEWHERE)) == [(4, "moved", PAGE.url)]


def test_what_is_gone_and_said_anew_elsewhere_has_moved(tmp_path: Path):
    found = nights(tmp_path, (1, PAGE, OK), (2, OTHER, OK), (2, PAGE, GONE), (3, PAGE, GONE))
    assert found == [(4, "moved", PAGE.url)]
    assert rows(tmp_path, "SELECT capture_id, previous_capture_id FROM changes WHERE kind = 'moved'") == [(2, 1)]


def test_a_change_of_layout_makes_no_new_version(tmp_path: Path):
    noisy = response(OK.partition(b"\r\n\r\n")[2] + b"<!-- 7 -->", HTML)
    nights(tmp_path, (1, PAGE, OK), (2, PAGE, noisy))
    assert rows(tmp_path, "SELECT capture_id, known_to FROM page_versions") == [(1, None)]
