"""Addresses that are joined or kept without taking them apart: the long way gives the same."""

import re
from urllib.parse import urljoin

import pytest

from crawler import discover
from crawler.platforms.markup import absolute

BASES = (
    "http://a.example.cn/c0/index.html",
    "http://a.example.cn:8080/c0/index.html?page=2",
    "https://a.example.cn/",
    "https://a.example.cn",
    "http://a.example.cn/c0/./x/index.html",
    "http://a.example.cn/c0//index.html",
    "http://a.example.cn/c0/../index.html",
    "http://a.example.cn/c0/index.html;v=1",
    "http://a.example.cn/c0/index.html#top",
)
ADDRESSES = (
    "/c1/t1.html",
    "t1.html",
    "202301/t20230101_1.html",
    "folder/",
    "/",
    "",
    ".",
    "./t1.html",
    "../c1/t1.html",
    "/c1/../t1.html",
    "/c1/..",
    "//b.example.cn/t1.html",
    "/c1//t1.html",
    "http://b.example.cn/t1.html",
    "t1.html?id=1",
    "t1.html#part",
    "a:b",
    "-1.html",
    "~a/b.html",
)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("address", ADDRESSES)
def test_joining_the_short_way_gives_what_joining_gives(base: str, address: str):
    assert absolute(base, address) == urljoin(base, address)


PLAIN = (
    "http://a.example.cn/",
    "https://a.example.cn:8443/c0/t20230101_1.html",
    "http://a.example.cn/c0//x/-_.html?id=1&b=_",
    "http://127.0.0.1:59999/index.html",
    "http://xn--fiqs8s.example.cn/a",
)
OTHERS = (
    "http://A.example.cn/",
    "http://a.example.cn",
    "http://a.example.cn:99999/",
    "http://a.example.cn/报告.html",
    "http://a.example.cn/a b.html",
    "http://a.example.cn/a.html?",
    "http://a.example.cn/a.html#b",
    "http://a.example.cn/a/../b.html",
    "http://a.example.cn/%zz",
    "http://a.example.cn/a;jsessionid=1",
)


@pytest.mark.parametrize("address", (*PLAIN, *OTHERS))
def test_keeping_an_address_the_short_way_gives_what_quoting_gives(address: str, monkeypatch: pytest.MonkeyPatch):
    short = discover.absolute_url("http://other.example.cn/a/b.html", address)
    monkeypatch.setattr(discover, "_PLAIN", re.compile("(?!)"))

    assert short == discover.absolute_url("http://other.example.cn/a/b.html", address)


@pytest.mark.parametrize("address", PLAIN)
def test_a_plain_address_is_kept_without_taking_it_apart(address: str):
    assert discover._PLAIN.fullmatch(address)
