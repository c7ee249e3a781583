"""Servers whose answers could be taken for all there is: what is missing is said, asked again, and not called gone."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from crawling import COMMAND, gongkai, one, rows
from loopback import LIST, Answer, Script, article, served, site_file

SETUP = "from crawler import retry, manners; retry.FIRST_WAIT_SECONDS = manners.FIRST_BLOCK_WAIT_SECONDS = 0.0; "
PER_PAGE, LIST_PAGES = 5, 3
ARTICLES = [f"/art/2023/4/{n}.html" for n in range(1, PER_PAGE * LIST_PAGES + 1)]
LISTS = [LIST, "/col/col33/index_2.html", "/col/col33/index_3.html"]
HTML = (("Content-Type", "text/html; charset=utf-8"),)


def list_page(number: int) -> bytes:
    """One of the pages of a list that says how many pages it has, and not how many entries."""
    shown = ARTICLES[(number - 1) * PER_PAGE : number * PER_PAGE]
    rows = "".join(f"<li><a href='{p}'>关于第{p[-7:-5]}号事项的公告</a><span>2023-04-01</span></li>" for p in shown)
    following = f"<a href='{LISTS[number]}'>下一页</a>" if number < LIST_PAGES else ""
    return (
        f"<html><title>公告</title><body><ul>{rows}</ul><div>共{LIST_PAGES}页 {following}</div></body></html>".encode()
    )


@dataclass
class Site:
    """Three list pages and their articles; `special` comes first."""

    special: Callable[[str, int], Answer | None] = lambda _path, _count: None

    def __call__(self, path: str, count: int) -> Answer:
        special = self.special(path, count)
        if special is not None:
            return special
        if path in LISTS:
            return Answer(body=list_page(LISTS.index(path) + 1), headers=HTML)
        if path in ARTICLES:
            return Answer(body=article(path), headers=HTML)
        return Answer(404, b"nothing here")


def nightly(data: Path, script: Script) -> int:
    process = gongkai(data, "nightly", "--site-file", str(site_file(data.parent, script.base)), code=SETUP + COMMAND)
    _, errors = process.communicate(timeout=100)
    assert "Traceback" not in errors, errors
    return process.returncode


def channel(data: Path) -> tuple[str, str]:
    return rows(data, "SELECT status, because FROM channel_runs ORDER BY run_id DESC LIMIT 1")[0]


def test_the_list_is_whole_when_nothing_is_amiss(tmp_path: Path):
    with served(Site()) as script:
        assert nightly(tmp_path / "data", script) == 0
    assert channel(tmp_path / "data") == ("complete", "")
    assert one(tmp_path / "data", "SELECT count(*) FROM listings") == len(ARTICLES)


AMISS = {
    "accepted": Answer(202),
    "no content": Answer(204),
    "a part": Answer(206, list_page(2)[:90], headers=HTML),
    "the first page": Answer(302, headers=(("Location", LIST),)),
    "the page before": Answer(302, headers=(("Location", LISTS[1]),)),
    "a circle": Answer(302, headers=(("Location", "/round.html"),)),
    "choices": Answer(300, b"<a href='x'>x</a>", headers=(*HTML, ("Location", "/elsewhere.html"))),
}


@pytest.mark.parametrize("amiss", AMISS)
def test_a_page_of_the_list_that_says_nothing_ends_no_list(amiss: str, tmp_path: Path):
    """A good night, then one in which the last page of the list is answered so."""
    state = {"is_bad": False}

    def special(path: str, _: int) -> Answer | None:
        if path == "/round.html":
            return Answer(302, headers=(("Location", LISTS[2]),))
        return AMISS[amiss] if state["is_bad"] and path == LISTS[2] else None

    data = tmp_path / "data"
    with served(Site(special)) as script:
        assert nightly(data, script) == 0
        state["is_bad"] = True
        nightly(data, script)
    assert channel(data)[0] == "incomplete", channel(data)
    assert one(data, "SELECT count(*) FROM changes WHERE kind = 'disappeared'") == 0


@pytest.mark.parametrize("status", [202, 204, 206, 304])
def test_an_answer_without_a_page_is_asked_again_by_the_next_run(status: int, tmp_path: Path):
    target, data = ARTICLES[3], tmp_path / "data"

    def special(path: str, count: int) -> Answer | None:
        return Answer(status, b"" if status in (204, 304) else b"<p>1</p>") if path == target and count == 1 else None

    with served(Site(special)) as script:
        nightly(data, script)
        url = script.base + target
        assert one(data, "SELECT count(*) FROM findings WHERE url = ? AND code = 'fetch_failed'", url) == 1
        assert one(data, "SELECT count(*) FROM pages WHERE url = ?", url) == 0
        nightly(data, script)
    assert one(data, "SELECT count(*) FROM pages WHERE url = ?", url) == 1
    assert rows(data, "SELECT kind FROM changes WHERE url = ?", url) == [("appeared",)]


def test_pages_that_redirect_to_each_other_are_said(tmp_path: Path):
    first, second = ARTICLES[0], "/there.html"
    ways = {first: second, second: first}

    def special(path: str, _: int) -> Answer | None:
        return Answer(302, headers=(("Location", ways[path]),)) if path in ways else None

    with served(Site(special)) as script:
        nightly(tmp_path / "data", script)
        url = script.base + second
    assert rows(tmp_path / "data", "SELECT url FROM findings WHERE code = 'redirect_limit'") == [(url,)]
