"""What every address was in a run, in one word: from whole crawls of servers that send what real ones send."""

from dataclasses import replace
from pathlib import Path

import pytest
from crawling import COMMAND, Crawled, crawled, gongkai, one, rows
from loopback import LIST, Answer, Column, served, site_file

HOME = "<html><title>某区人民政府</title><body><span id='utime'>2025年12月30日 星期{}</span>{}</body></html>"
MENU = "首页 政务公开 办事服务 互动交流 " * 40
SETUP = "from crawler import retry, manners; retry.FIRST_WAIT_SECONDS = manners.FIRST_BLOCK_WAIT_SECONDS = 0.0; "
PROBING = "probe_missing = true"


def home(count: int) -> Answer:
    """The homepage with a clock that has gone on."""
    return Answer(
        body=HOME.format("一二三四五六日"[count % 7], MENU).encode(), headers=(("Content-Type", "text/html"),)
    )


def run(data_dir: Path, file: Path, *options: str) -> Crawled:
    return crawled(gongkai(data_dir, "crawl", "--site-file", str(file), "--json", *options, code=SETUP + COMMAND))


def states(data_dir: Path, run_id: str) -> dict[str, tuple[str, str | None]]:
    """Path → state and detail in a run."""
    found = rows(data_dir, "SELECT url, state, detail FROM url_states WHERE run_id = ?", run_id)
    assert len({url for url, _, _ in found}) == len(found)
    return {url.partition("//")[2].partition("/")[2]: (state, detail) for url, state, detail in found}


PAGES = [path.lstrip("/") for path in Column(8).paths]
RSHIELD = b"<meta id='x' r='m'><script r='m'>$_ts=window['$_ts'];</script>"
CT6T = (("Location", Column(8).paths[5]), ("Set-Cookie", "CT6T=1"))
SPECIAL = {
    1: Answer(404, b"<html>404</html>"),
    2: Answer(301, headers=(("Location", "/moved.html"),)),
    3: Answer(412, RSHIELD),
    4: Answer(403, "<html>已被创宇盾拦截</html>".encode()),
    5: Answer(302, headers=CT6T),
    6: Answer(500, b"<html>500</html>"),
    7: Answer(302, headers=(("Location", "/404.html"),)),
}


def test_every_address_has_one_state_and_its_reason(tmp_path: Path):
    def answer(path: str, count: int) -> Answer | None:
        if path == "/moved.html":
            return Answer(body=Column(8)(Column(8).paths[0], 1).body)
        number = Column(8).paths.index(path) if path in Column(8).paths else -1
        return SPECIAL.get(number)

    with served(Column(8, answer)) as script:
        # A breaker after three guards in a row would leave the rest to the next run.
        code = SETUP + "manners.MOST_BLOCKS = 9; " + COMMAND
        file = site_file(tmp_path, script.base)
        done = crawled(gongkai(tmp_path, "crawl", "--site-file", str(file), "--json", code=code))
        found = states(tmp_path, done.summary["run_id"])
    kinds = {path: state for path, (state, _) in found.items()}
    assert kinds == {
        LIST.lstrip("/"): "ok",
        PAGES[0]: "ok",
        PAGES[1]: "gone",
        PAGES[2]: "moved",
        "moved.html": "ok",
        PAGES[3]: "challenge",
        PAGES[4]: "blocked",
        PAGES[5]: "challenge",
        PAGES[6]: "error",
        PAGES[7]: "soft_404",
    }
    assert "瑞数" in found[PAGES[3]][1]
    assert "CT6T" in found[PAGES[5]][1]
    assert found[PAGES[2]][1] == f"to {script.base}/moved.html"
    assert "500" in found[PAGES[6]][1]
    assert found[PAGES[0]][1] is None


def test_states_change_from_run_to_run(tmp_path: Path):
    night = 1

    def answer(path: str, _count: int) -> Answer | None:
        if path == Column(3).paths[1] and night == 2:
            return Answer(body=Column(3)(path, 1).body.replace("公告".encode(), "决定".encode()))
        return Answer(410, b"gone") if path == Column(3).paths[2] and night == 2 else None

    with served(Column(3, answer)) as script:
        file = site_file(tmp_path, script.base)
        first = run(tmp_path, file)
        night = 2
        second = run(tmp_path, file, "--full")
    assert {state for state, _ in states(tmp_path, first.summary["run_id"]).values()} == {"ok"}
    found = states(tmp_path, second.summary["run_id"])
    assert [found[path][0] for path in (LIST.lstrip("/"), *PAGES[:3])] == [
        "not_modified",
        "not_modified",
        "changed",
        "gone",
    ]


def test_what_robots_txt_or_the_site_file_keeps_out_is_skipped_with_the_reason(tmp_path: Path):
    def answer(path: str, _count: int) -> Answer | None:
        if path == "/robots.txt":
            return Answer(body=f"User-agent: *\nDisallow: {Column(2).paths[0]}\n".encode())
        if path == Column(2).paths[1]:
            link = "<a href='http://elsewhere.invalid/a.pdf'>附件一.pdf</a><a href='/x/x/x/b.pdf'>附件二.pdf</a>"
            return Answer(body=f"<html><body><div id='zoom'>{link}</div></body></html>".encode())
        return None

    with served(Column(2, answer)) as script:
        done = run(tmp_path, site_file(tmp_path, script.base))
    found = states(tmp_path, done.summary["run_id"])
    skipped = {path: detail for path, (state, detail) in found.items() if state == "skipped"}
    assert set(skipped) == {PAGES[0], "a.pdf", "x/x/x/b.pdf"}
    assert "robots.txt" in skipped[PAGES[0]]
    assert skipped["a.pdf"].startswith("host_not_allowed")
    assert skipped["x/x/x/b.pdf"].startswith("trap")


# Pages that are none


def test_a_host_that_sends_its_homepage_for_what_is_missing(tmp_path: Path):
    """Unknown addresses get the homepage with 200, with a clock that goes on."""

    def answer(path: str, count: int) -> Answer | None:
        known = (LIST, "/robots.txt", *Column(4).paths[:2])
        return None if path in known else home(count + len(path))

    with served(Column(4, answer)) as script:
        done = run(tmp_path, site_file(tmp_path, script.base, PROBING))
    found = states(tmp_path, done.summary["run_id"])
    assert [found[path][0] for path in PAGES[:4]] == ["ok", "ok", "soft_404", "soft_404"]
    assert "cannot exist" in found[PAGES[2]][1]
    # They are archived, and neither read nor asked for again.
    assert one(tmp_path, "SELECT count(*) FROM captures WHERE outcome = 'http_error' AND http_status = 200") == 2
    assert one(tmp_path, "SELECT count(*) FROM pages") == 2
    assert one(tmp_path, "SELECT count(*) FROM frontier WHERE state <> 'acknowledged'") == 0
    assert script.paths()[:4] == ["/robots.txt", LIST, "/", script.paths()[3]]
    assert script.paths()[3].endswith("no-such-page.html")


def test_an_error_page_with_200_is_known_by_the_answer_to_a_made_up_address(tmp_path: Path):
    def answer(path: str, _count: int) -> Answer | None:
        if path in (LIST, "/robots.txt", "/", *Column(3).paths[:2]):
            return None
        text = f"<html><body>抱歉，您访问的页面 {path} 不存在，请返回首页。</body></html>"
        return Answer(body=text.encode())

    with served(Column(3, answer)) as script:
        done = run(tmp_path, site_file(tmp_path, script.base, PROBING))
    found = states(tmp_path, done.summary["run_id"])
    assert [found[path][0] for path in PAGES[:3]] == ["ok", "ok", "soft_404"]


def test_a_burst_that_ends_in_the_homepage_for_every_address_pauses_the_host(tmp_path: Path):
    is_angry = True

    def answer(path: str, count: int) -> Answer | None:
        is_late = path in Column(8).paths[3:]
        return home(count) if path == "/" or (is_angry and is_late) else None

    with served(Column(8, answer)) as script:
        file = site_file(tmp_path, script.base, PROBING)
        first = run(tmp_path, file)
        assert script.paths()[-1] == Column(8).paths[5]
        found = states(tmp_path, first.summary["run_id"])
        assert [found[path] for path in PAGES[3:6]] == [("soft_404", "the homepage came instead of the page")] * 3
        assert one(tmp_path, "SELECT count(*) FROM findings WHERE code = 'host_paused'") == 1
        is_angry = False
        second = run(tmp_path, file)
    found = states(tmp_path, second.summary["run_id"])
    assert [found[path][0] for path in PAGES[3:8]] == ["ok"] * 5
    assert one(tmp_path, "SELECT count(*) FROM pages") == 8


def test_the_states_come_back_with_an_emptied_database(tmp_path: Path):
    def answer(path: str, count: int) -> Answer | None:
        known = (LIST, "/robots.txt", *Column(4).paths[:2])
        return None if path in known else home(count)

    with served(Column(4, answer)) as script:
        done = run(tmp_path, site_file(tmp_path, script.base, PROBING))
    run_id = done.summary["run_id"]
    before = states(tmp_path, run_id), rows(tmp_path, "SELECT level, code, url, message FROM findings ORDER BY 2, 3")
    for file in tmp_path.glob("corpus.db*"):
        file.unlink()
    assert crawled(gongkai(tmp_path, "extract", "--full")).code == 0
    again = states(tmp_path, run_id), rows(tmp_path, "SELECT level, code, url, message FROM findings ORDER BY 2, 3")
    assert again == before


def test_a_site_may_forgo_the_made_up_address(tmp_path: Path):
    with served(Column(2)) as script:
        assert run(tmp_path, site_file(tmp_path, script.base)).code == 0
    assert script.paths() == ["/robots.txt", LIST, *Column(2).paths]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("2021年政府信息公开工作年度报告", "report"),
        ("一图读懂2021年政府信息公开工作年度报告", "digest"),
        ("2021年政府信息公开工作年度报告解读", "explanation"),
        ("停水通知", "unknown"),
    ],
)
def test_a_page_says_what_it_is_for(tmp_path: Path, title: str, kind: str):
    body = f"<html><head><title>{title}</title></head><body><div id='zoom'><p>{'正文。' * 40}</p></div></body></html>"
    page = replace(Column(1)(Column(1).paths[0], 1), body=body.encode())
    with served(Column(1, lambda path, _count: page if path in Column(1).paths else None)) as script:
        assert run(tmp_path, site_file(tmp_path, script.base)).code == 0
    assert rows(tmp_path, "SELECT kind FROM pages") == [(kind,)]
