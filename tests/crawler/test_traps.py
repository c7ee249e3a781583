"""Addresses without end are not followed, and an honest one is not taken for one."""

import json
from dataclasses import replace

import pytest
from test_discover import LIST, PAGE, SITE, codes, column_page, exchange, read

from crawler.discover import absolute_url, destination_of, discover
from crawler.site import Limits
from crawler.traps import trap, without_session_id

TRAPS = {
    "a calendar to come": "http://d.example.cn/cal.jsp?year=2031&month=5",
    "a calendar by month": "http://d.example.cn/events?month=2031-05",
    "a calendar by day in the path": "http://d.example.cn/calendar/2044/01/",
    "a calendar long past": "http://d.example.cn/rili.do?date=19011231",
    "a path that repeats": "http://d.example.cn/zwgk/gknb/zwgk/gknb/zwgk/gknb/index.html",
    "a folder in itself": "http://d.example.cn/a/a/a/index.html",
    "a path that grows": "http://d.example.cn/" + "/".join(f"p{n}" for n in range(25)),
    "an address that grows": "http://d.example.cn/x?back=" + "a" * 2000,
    "a parameter again and again": "http://d.example.cn/l?p=1&p=2&p=3&p=4",
    "more and more parameters": "http://d.example.cn/l?" + "&".join(f"p{n}=1" for n in range(31)),
}
HONEST = (
    "http://d.example.cn/art/2011/11/11/art_11_11.html",
    "http://d.example.cn/art/2022/1/1/art_1_1.html",
    "http://d.example.cn/xxgk/2023/2023/2023nb.html",
    "http://d.example.cn/module/xxgk/xxgkAnnualReport.jsp?area=1&fbtime=2008",
    "http://d.example.cn/search?year=2023&month=1",
    "http://d.example.cn/gkmlpt/content/4/4012/post_4012345.html#1234",
    "http://d.example.cn/module/download/downfile.jsp?classid=0&showname=" + "%E5%B9%B4" * 60,
)


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_recognised(name: str):
    assert trap(TRAPS[name], year=2022)


@pytest.mark.parametrize("url", HONEST)
def test_an_honest_address_is_none(url: str):
    assert trap(url, year=2022) == ""


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_in_a_list_is_said_and_not_followed(name: str):
    found = read(LIST, column_page(TRAPS[name].replace("&", "&amp;"), "/a.html"))
    assert [target.url for target in found.targets] == ["http://d.example.cn/a.html"]
    assert codes(found) == ["platform_recognised", "trap"]
    assert found.findings[-1].url == TRAPS[name]


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("http://d.example.cn/a.jsp;jsessionid=0A1B?x=1", "http://d.example.cn/a.jsp?x=1"),
        ("http://d.example.cn/a.php?PHPSESSID=9f&id=3", "http://d.example.cn/a.php?id=3"),
        ("http://d.example.cn/a.asp?id=3&ASPSESSIONIDQQ=77", "http://d.example.cn/a.asp?id=3"),
        ("http://d.example.cn/a?sessionid=1", "http://d.example.cn/a"),
        ("http://d.example.cn/a?sid=12&session=spring", "http://d.example.cn/a?sid=12&session=spring"),
        ("http://d.example.cn/a;b?x=%E5%B9%B4&&y=", "http://d.example.cn/a;b?x=%E5%B9%B4&&y="),
    ],
)
def test_a_session_id_is_taken_off_and_nothing_else(url: str, bare: str):
    assert without_session_id(url) == bare
    assert absolute_url("http://d.example.cn/", url) == bare


def test_links_that_differ_in_their_session_ids_are_one():
    found = read(LIST, column_page("/a.jsp;jsessionid=1", "/a.jsp;jsessionid=2"))
    assert {target.url for target in found.targets} == {"http://d.example.cn/a.jsp"}
    assert {listing.url for listing in found.listings} == {"http://d.example.cn/a.jsp"}
    assert "session_id" in codes(found)


def test_a_redirect_that_adds_a_session_id_is_followed():
    found = read(PAGE, b"", 302, (b"Location", PAGE.url.encode() + b";jsessionid=1"), (b"Set-Cookie", b"JSESSIONID=1"))
    assert [target.url for target in found.targets] == [PAGE.url + ";jsessionid=1"]
    assert codes(found) == []


ELSEWHERE = "http://d.example.cn/files/a.pdf"
SENT_ON = {
    "a Location": (b"", 302, (b"Location", ELSEWHERE.encode() + b";jsessionid=0A1B")),
    "a script": (f"<script>location.href='{ELSEWHERE};jsessionid=0A1B'</script>".encode(), 200, (b"X", b"")),
}


@pytest.mark.parametrize("way", SENT_ON)
def test_a_redirect_elsewhere_is_followed_without_its_session_id(way: str):
    body, status, header = SENT_ON[way]
    found = read(PAGE, body, status, header)
    assert [(target.url, target.via) for target in found.targets] == [(ELSEWHERE, PAGE.url)]
    assert "session_id" in codes(found)
    head = b"HTTP/1.1 %d X\r\n%s: %s\r\n\r\n" % (status, *header)
    assert destination_of(PAGE.url, head + body) == ELSEWHERE


def test_a_walk_ends_at_its_depth():
    deep = replace(PAGE, depth=10)
    found = read(deep, b"<html><body><a href='/files/a.pdf'>a.pdf</a></body></html>")
    assert (found.targets, codes(found)) == ((), ["trap"])
    assert "max_depth" in found.findings[0].message


@pytest.mark.parametrize(("walked", "targets"), [(0, 1), (1, 1), (2, 0)])
def test_a_list_ends_after_so_many_pages(walked: int, targets: int):
    site = replace(SITE, limits=Limits(max_list_pages=3))
    here = replace(LIST, parameters=json.dumps({"platform": "generic", "list": {"page": walked + 1}, "walked": walked}))
    rows = "".join(f"<li><a href='/a/{walked}{n}.html'>第{n}号公告</a><span>2022-01-05</span></li>" for n in range(6))
    body = f"<html><body><ul>{rows}</ul><div><a href='index_{walked + 1}.html'>下一页</a></div></body></html>".encode()
    found = discover(here, body, site=site, exchange=exchange(200))
    lists = [target for target in found.targets if target.role == "list"]
    assert len(lists) == targets
    assert [json.loads(target.parameters)["walked"] for target in lists] == [walked + 1] * targets
    assert ("list_incomplete" in codes(found)) == (targets == 0)
