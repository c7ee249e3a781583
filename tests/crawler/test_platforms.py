"""The Hanweb platform over list pages and groups of our own making, one per variant seen."""

import json
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.platforms import ListReading, markup, recognise
from crawler.platforms.hanweb import read_list

URL = "http://district.example.cn/col/col33/index.html"
PROXY = "http://district.example.cn/module/web/jpage/dataproxy.jsp"


def record(number: int, *, day: str = "2022-01-05") -> str:
    return (
        f"<record><![CDATA[<li><a href='/art/2022/1/5/art_33_{number}.html' title='第{number}号'>第{number}号</a>"
        f"<span>{day}</span></li>]]></record>"
    )


def store(records: Iterable[str], *, total: int | None = None, next_group: str | None = None) -> str:
    parts = ["<datastore>"]
    if total is not None:
        parts.append(f"<totalrecord>{total}</totalrecord><totalpage>9</totalpage>")
    if next_group:
        parts.append(f'<nextgroup><![CDATA[<a href="{next_group}"></a>]]></nextgroup>')
    return "".join([*parts, "<recordset>", *records, "</recordset></datastore>"])


NEXT = (
    "/module/web/jpage/dataproxy.jsp?page=1&appid=1&webid=7&path=/&columnid=33&unitid=900&webname=某区&permissiontype=0"
)


def column_page(
    records: Iterable[str], *, total: int | None = 200, per_page: int | None = 15, next_group: str | None = NEXT
) -> bytes:
    settings = ",".join(
        f"{name}:{value}" for name, value in (("totalRecord", total), ("perPage", per_page)) if value is not None
    )
    return (
        f'<html><body><div id="900"><script type="text/xml">{store(records, next_group=next_group)}</script></div>'
        f"<script>var param_900={{columnid:33,unitid:'900'}}; $('#900').jpage({{{settings}}});</script></body></html>"
    ).encode()


def read(entity: bytes | str, parameters: dict | None = None, url: str = URL) -> ListReading:
    data = entity if isinstance(entity, bytes) else entity.encode()
    return read_list(data, url=url, parameters=parameters or {})


def follow(reading: ListReading, answer: str | bytes) -> ListReading:
    """Reads `answer` as the answer to the one request that `reading` asks for, its parameters gone through JSON."""
    (request,) = reading.requests
    return read(answer, json.loads(json.dumps(request.parameters)), request.url)


def codes(reading: ListReading) -> list[str]:
    return [trouble.code for trouble in reading.troubles]


def numbers(reading: ListReading) -> list[int]:
    return [int(entry.url.rsplit("_", 1)[1].removesuffix(".html")) for entry in reading.entries]


def test_the_first_group_is_read_from_the_script_block():
    reading = read(column_page([record(1), record(2, day="2021-12-31")], total=2))
    assert [(entry.url, entry.title, entry.date, entry.position) for entry in reading.entries] == [
        ("http://district.example.cn/art/2022/1/5/art_33_1.html", "第1号", "2022-01-05", 1),
        ("http://district.example.cn/art/2022/1/5/art_33_2.html", "第2号", "2021-12-31", 2),
    ]
    assert reading.total == 2
    assert reading.requests == ()
    assert reading.troubles == ()


def test_a_further_group_is_asked_for_by_record_range_with_the_whole_form():
    reading = read(column_page([record(n) for n in range(1, 46)]))
    (request,) = reading.requests
    assert request.method == "POST"
    assert request.url == f"{PROXY}?startrecord=46&endrecord=90&perpage=15"
    assert dict(request.headers) == {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Requested-With": "XMLHttpRequest",
        "Referer": URL,
    }
    assert request.body == (
        b"col=1&appid=1&webid=7&path=%2F&columnid=33&sourceContentType=1&unitid=900"
        b"&webname=%E6%9F%90%E5%8C%BA&permissiontype=0"
    )


def test_a_list_is_walked_to_its_declared_total_without_the_overlap():
    first = read(column_page([record(n) for n in range(1, 46)], total=100))
    second = follow(first, store([record(n) for n in range(45, 91)], total=100))
    third = follow(second, store([record(n) for n in range(90, 101)], total=100))
    assert numbers(first) + numbers(second) + numbers(third) == list(range(1, 101))
    assert [entry.position for entry in third.entries] == list(range(91, 101))
    assert parse_qs(urlsplit(second.requests[0].url).query)["startrecord"] == ["91"]
    assert third.requests == ()
    assert codes(third) == []


def test_a_list_without_a_total_goes_on_to_an_empty_group():
    first = read(column_page([record(n) for n in range(1, 46)], total=None))
    second = follow(first, store([record(n) for n in range(46, 51)]))
    assert len(second.requests) == 1
    third = follow(second, store([]))
    assert (third.entries, third.requests, codes(third)) == ((), (), ["list_uncounted"])


def test_a_list_that_ends_before_its_total_is_short():
    first = read(column_page([record(n) for n in range(1, 46)], total=60))
    second = follow(first, store([record(n) for n in range(46, 50)], total=60))
    third = follow(second, store([], total=60))
    assert codes(third) == ["list_incomplete", "list_short"]
    assert third.troubles[1].message == "expected the 60 entries that the site declares, found 49"


def test_an_empty_body_for_encrypted_parameters_is_incomplete():
    page = column_page(
        [record(n) for n in range(1, 46)],
        next_group="/module/web/jpage/dataproxy.jsp?page=1&webid=7&columnid=9f86d081&unitid=884c7d65&webname=x",
    ).replace(b"var param_900={columnid:33,unitid:'900'};", b"")
    reading = follow(read(page), b"\r\n" * 27)
    assert codes(reading) == ["list_incomplete", "list_short"]
    assert "from record 46" in reading.troubles[0].message


def test_an_empty_body_without_a_total_is_incomplete_too():
    reading = follow(read(column_page([record(1)], total=None)), b"")
    assert codes(reading) == ["list_incomplete"]


def test_a_repeated_group_stops_the_list():
    first = read(column_page([record(n) for n in range(1, 46)]))
    again = follow(first, store([record(n) for n in range(1, 46)], total=200))
    assert (again.entries, again.requests) == ((), ())
    assert codes(again) == ["list_repeated", "list_short"]


def test_records_that_moved_to_the_next_group_are_said():
    first = read(column_page([record(n) for n in range(1, 46)], total=50))
    second = follow(first, store([record(n) for n in range(43, 51)], total=50))
    assert numbers(second) == [46, 47, 48, 49, 50]
    assert codes(second) == ["list_shifted"]


def test_the_total_of_the_latest_answer_counts():
    first = read(column_page([record(n) for n in range(1, 46)], total=46))
    second = follow(first, store([record(n) for n in range(45, 47)], total=47))
    assert len(second.requests) == 1
    assert codes(second) == ["list_shifted"]


def test_without_form_fields_the_next_group_is_asked_for_by_its_address():
    page = (
        '<script type="text/xml">'
        + store([record(n) for n in range(1, 46)], next_group="dataproxy.jsp?page=1&amp;amp;col=1")
        + "</script>"
    )
    (request,) = read(page).requests
    assert (request.method, request.body) == ("GET", b"")
    assert request.url == "http://district.example.cn/col/col33/dataproxy.jsp?page=1&col=1"
    second = follow(read(page), store([record(46)], next_group="dataproxy.jsp?page=2"))
    assert numbers(second) == [46]
    assert second.requests[0].url.endswith("page=2")


def test_a_get_answer_without_a_next_group_ends_the_list():
    page = '<script type="text/xml">' + store([record(1)], next_group="p.jsp?page=1") + "</script>"
    second = follow(read(page), store([record(2)]))
    assert (numbers(second), second.requests, codes(second)) == ([2], (), ["list_uncounted"])


RECORDS = {
    "single quotes": ("<li><a href='/a.html' title='甲'>甲</a><span>2022-01-05</span></li>", "甲", "2022-01-05"),
    "double quotes": ('<li><a href="/a.html" title="甲">甲</a><span>2022-01-05</span></li>', "甲", "2022-01-05"),
    "date in i": ("<li><a href='/a.html'>甲</a><i>2022-1-5</i></li>", "甲", "2022-01-05"),
    "date in b": ("<li><b readlabel='日期'>[2022.01.05]</b><a href='/a.html'>甲</a></li>", "甲", "2022-01-05"),
    "date with a class": ("<li><a href='/a.html'>甲</a><span class='riq'>2022年1月5日</span></li>", "甲", "2022-01-05"),
    "date inside the link": ("<a href='/a.html'><span>甲</span><em>2022/01/05</em></a>", "甲", "2022-01-05"),
    "date as bare text": ("<li><a href='/a.html'>甲</a> 2022-01-05</li>", "甲", "2022-01-05"),
    "a date in the title is not the day": ("<li><a href='/a.html'>2020年1月1日公告</a></li>", "2020年1月1日公告", None),
    "an impossible day": ("<li><a href='/a.html'>甲</a><span>2022-13-45</span></li>", "甲", None),
    "cut text": ("<li><a href='/a.html' title='甲乙丙'>甲乙...</a></li>", "甲乙丙", None),
    "cut text with an ellipsis": ("<li><a href='/a.html' title='甲乙丙'>甲乙…</a></li>", "甲乙丙", None),
    "no title attribute": ("<li><a href='/a.html'> 甲 乙\n丙 </a></li>", "甲 乙 丙", None),
    "debris": ("<li style=<br/><a href='/a.html'>甲</a><span>2022-01-05</span></li>", "甲", "2022-01-05"),
    "table row": (
        "<tr><td>1</td><td><a href='/a.html' title='甲'>甲</a></td><td>2022-01-05</td></tr>",
        "甲",
        "2022-01-05",
    ),
    "script link": ("<li><a href='javascript:void(0)' onclick=\"window.open('/a.html')\">甲</a></li>", "甲", None),
    "script address": ("<li><a href=\"javascript:open('/a.html')\">甲</a></li>", "甲", None),
    "trailing blank": ("<li><a href='/a.html '>甲</a></li>", "甲", None),
}


@pytest.mark.parametrize("name", RECORDS)
def test_record_variant(name: str):
    markup, title, day = RECORDS[name]
    (entry,) = read(column_page([f"<record><![CDATA[{markup}]]></record>"], total=1)).entries
    assert (entry.url, entry.title, entry.date) == ("http://district.example.cn/a.html", title, day)


def test_the_link_with_the_longest_title_is_the_record():
    markup = "<a href='/icon.html'></a><a href='/whole.html' title='全名'>全</a><a href='/more.html'>更</a>"
    (entry,) = read(column_page([f"<record><![CDATA[{markup}]]></record>"], total=1)).entries
    assert entry.url.endswith("/whole.html")


def test_a_record_without_a_link_is_a_finding_and_counts():
    reading = read(column_page(["<record><![CDATA[<li>无链接</li>]]></record>", record(2)], total=2))
    assert numbers(reading) == [2]
    assert reading.entries[0].position == 2
    assert codes(reading) == ["list_entry_unreadable"]


def test_doubly_escaped_ampersands_are_resolved():
    markup = "<a href='/a.jsp?x=1&amp;amp;y=2'>甲</a>"
    (entry,) = read(column_page([f"<record><![CDATA[{markup}]]></record>"], total=1)).entries
    assert entry.url == "http://district.example.cn/a.jsp?x=1&y=2"


def test_records_may_stand_directly_under_the_datastore():
    page = f'<script type="text/xml"><datastore>{record(1)}{record(2)}</datastore></script>'
    assert numbers(read(page)) == [1, 2]


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda text: "<html><body><pre>" + text + "</pre></body></html>", id="wrapped in a page"),
        pytest.param(lambda text: text.replace("</record>", ""), id="records not closed"),
        pytest.param(lambda text: text.replace("</recordset></datastore>", ""), id="cut off"),
        pytest.param(lambda text: text.replace("<", "&lt;").replace(">", "&gt;"), id="escaped"),
        pytest.param(lambda text: "﻿<?xml version='1.0' encoding='gbk'?>" + text + "&nbsp;", id="not well-formed"),
    ],
)
def test_a_damaged_answer_is_still_read(wrap):
    first = read(column_page([record(n) for n in range(1, 46)], total=47))
    assert numbers(follow(first, wrap(store([record(46), record(47)])))) == [46, 47]


def test_gbk_bytes_that_call_themselves_utf8_are_read():
    page = column_page([record(1)], total=1).decode().replace("<html>", "<html><meta charset='utf-8'>")
    (entry,) = read(page.encode("gbk")).entries
    assert entry.title == "第1号"


def test_of_several_lists_the_one_of_the_column_counts():
    own = column_page([record(1)], total=1).decode()
    other = own.replace("900", "901").replace("columnid=33", "columnid=99").replace("columnid:33", "columnid:99")
    other = other.replace("art_33_1", "art_99_8")
    assert numbers(read(other + own)) == [1]
    assert numbers(read(other + own, url="http://district.example.cn/hub.html")) == [8, 1]


def test_a_list_that_embeds_nothing_is_asked_for_from_its_first_record():
    settings = "var param_900={columnid:33,unitid:'900',webid:7};"
    page = f"<script>{settings} $('#900').jpage({{totalRecord:3,perPage:15}});</script>"
    (request,) = read(page).requests
    assert request.url == f"{PROXY}?startrecord=1&endrecord=45&perpage=15"
    assert numbers(follow(read(page), store([record(1), record(2), record(3)]))) == [1, 2, 3]


@pytest.mark.parametrize(
    "junk",
    [b"", b"\x00\xff\xfe", b"<datastore>" * 50, b"<record><![CDATA[" * 20, b"<datastore><record>\x00<a href='http://[x'>y</a>"],
    ids=["empty", "binary", "nested stores", "unclosed records", "broken address"],
)  # fmt: skip
def test_junk_is_read_without_an_error(junk: bytes):
    read(junk)
    follow(read(column_page([record(1)])), junk)


@pytest.mark.parametrize(
    ("entity", "reason"),
    [
        (column_page([record(1)]), "dataproxy.jsp"),
        (b"<script type='text/xml'><datastore><recordset></recordset></datastore></script>", "datastore"),
        (b"<script>$('#1').jpage({totalRecord:1});</script>", "jpage()"),
    ],
)
def test_a_column_page_is_recognised_and_why(entity: bytes, reason: str):
    known = recognise(entity, (), URL)
    assert known is not None
    assert known[0] == "hanweb"
    assert reason in known[1]


def test_another_page_is_not_recognised():
    assert recognise(b"<html><ul><li><a href='t20220417_1.shtml'>x</a></li></ul></html>", (), URL) is None


def test_a_list_goes_on_after_the_end_of_a_page_within_it() -> None:
    root = markup.tree("<html><body><a href='1'>甲</a></body></html><ul><li><a href='2'>乙</a></li></ul>")
    assert root is not None
    assert [link.get("href") for link in root.iter("a")] == ["1", "2"]
