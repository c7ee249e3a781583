"""Lists of every platform walked without a network: whole ones to their end, the others with what is wrong said."""

import json
import time
from urllib.parse import urlsplit

import pytest
from platform_sites import SKINS, Faults
from platform_sites.base import POLICIES, REPORTS, Shelf, articles, asked

from crawler.platforms import Trouble, platform, recognise

ORIGIN = "http://qinghe.example.cn"


def walked(name: str, channel: str, faults: Faults | None = None) -> tuple[list[int], list[Trouble], int]:
    """Positions of the entries that are found, the troubles, and how many answers were read."""
    skin = SKINS[name]()
    shelf = Shelf({key: list(articles(key)) for key in (REPORTS, POLICIES)}, faults or Faults())
    waiting = [(ORIGIN + skin.channel_path(channel), b"", {})]
    positions: list[int] = []
    troubles: list[Trouble] = []
    answers = 0
    while waiting:
        url, body, parameters = waiting.pop(0)
        parts = urlsplit(url)
        answer = skin.list_answer(parts.path, asked(parts.query, body), shelf, ORIGIN)
        assert answer is not None, url
        answers += 1
        reading = platform(name).read_list(answer.body, url=url, parameters=json.loads(json.dumps(parameters)))
        positions += [entry.position for entry in reading.entries]
        troubles += [trouble for trouble in reading.troubles if trouble.code != "list_chosen"]
        waiting += [(request.url, request.body, request.parameters) for request in reading.requests]
        assert answers < 50
    return positions, troubles, answers


def codes(troubles: list[Trouble]) -> list[str]:
    return [trouble.code for trouble in troubles]


@pytest.mark.parametrize("name", SKINS)
@pytest.mark.parametrize("channel", [REPORTS, POLICIES])
def test_a_list_is_walked_to_its_end(name: str, channel: str):
    positions, troubles, _ = walked(name, channel)
    assert positions == list(range(1, len(articles(channel)) + 1))
    assert codes(troubles) == []


@pytest.mark.parametrize("name", sorted(set(SKINS) - {"trs"}))
def test_a_list_that_ends_before_its_total_is_short(name: str):
    _, troubles, _ = walked(name, REPORTS, Faults(missing=3))
    assert codes(troubles)[-1] == "list_short"
    assert troubles[-1].message == "expected the 41 entries that the site declares, found 38"


@pytest.mark.parametrize("name", sorted(set(SKINS) - {"trs", "vsb"}))
def test_a_total_at_which_the_index_stops_counting_is_not_believed(name: str):
    positions, troubles, _ = walked(name, REPORTS, Faults(capped=True))
    assert len(positions) == 38
    assert codes(troubles) == ["list_total_capped", "list_uncounted"]


@pytest.mark.parametrize("name", sorted(SKINS))
def test_a_site_that_gives_the_first_page_whatever_is_asked_is_left(name: str):
    positions, troubles, answers = walked(name, REPORTS, Faults(stuck=True))
    assert "list_repeated" in codes(troubles)
    assert len(positions) <= 15
    assert answers <= 3


@pytest.mark.parametrize("name", SKINS)
def test_an_entry_published_while_the_list_is_read_is_noticed(name: str):
    positions, troubles, _ = walked(name, REPORTS, Faults(published_meanwhile=True))
    assert len(positions) == 38
    assert "list_shifted" in codes(troubles)


def test_a_deep_page_that_is_a_stub_ends_the_list_and_is_no_end():
    positions, troubles, _ = walked("trs", REPORTS, Faults(stubs_from=2))
    assert len(positions) == 15
    assert codes(troubles) == ["list_incomplete"]
    assert "page 2" in troubles[0].message


@pytest.mark.parametrize("name", SKINS)
@pytest.mark.parametrize("answer", [b"", b"{}", b"<html></html>", b'{"data": {"results": 7}}', b"\xff\x00" * 40])
def test_an_answer_without_entries_is_never_the_end_of_a_declared_list(name: str, answer: bytes):
    module = platform(name)
    state = {"page": 2, "seen": 15, "total": 38, "about": {"search": name == "ucap"}}
    reading = module.read_list(answer, url=f"{ORIGIN}/list", parameters=state)
    assert codes(list(reading.troubles)) == ["list_incomplete", "list_short"]


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("trs", '<script>createPageHTML(10, 0, "index", "html");</script>'),
        ("trs", "<script>var countPage = 25//共多少页</script>"),
        ("trs", '<script>var pagination_script_config = {"current": 0, "total": 12};</script>'),
        ("trs", '<a href="./202204/t20220417_974894.shtml">题</a>'),
        ("ucap", "<ucaptitle>题</ucaptitle>"),
        ("ucap", "<script>createPageHTML('page_div',4,1,'common_list','shtml',55);</script>"),
        ("gkmlpt", "<script>window._CONFIG = {SID:'755041', TREE:[]}</script>"),
        ("vsb", "<a href='../info/1045/11821.htm'>题</a>"),
        ("vsb", "<div id='vsb_content_2' ></div>"),
        ("jpaas", '<script src="/api-gateway/jpaas-publish-server/x.js"></script>'),
        (
            "generic",
            "<ul>" + "".join(f"<li><a href='/{n}'>公告</a>2024-01-0{n}</li>" for n in (1, 2, 3)) + "</ul>",
        ),
    ],
)
def test_a_platform_is_known_by_its_marks(name: str, page: str):
    known = recognise(f"<html><body>{page}</body></html>".encode(), (), ORIGIN)
    assert known is not None
    assert known[0] == name
    assert known[1]


@pytest.mark.parametrize(
    "page",
    ["", "登录", "<ul><li><a href='/a'>首页</a></li><li><a href='/b'>网站地图</a></li></ul>", "<h1>404</h1>"],
)
def test_a_page_without_a_list_is_of_no_platform(page: str):
    assert recognise(page.encode(), (), ORIGIN) is None


def test_a_page_of_very_many_unlike_links_is_read_in_time():
    rows = "".join(f"<p class='c{n}'><a href='/{n}'>某某公告第{n}号文件</a></p>" for n in range(5000))
    started = time.monotonic()
    assert recognise(f"<div>{rows}</div>".encode(), (), ORIGIN) is None
    # Well under a second; looking at every neighbour of every link takes minutes.
    assert time.monotonic() - started < 20
