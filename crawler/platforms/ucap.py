"""开普 UCAP: lists as JSON from `/common/search/<channel>`, or as static pages named by createPageHTML('id', …)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urljoin

from crawler.platforms import Headers, ListReading, NextRequest, Parameters
from crawler.platforms.answers import at, day_of, json_object, number, with_parameters
from crawler.platforms.blocks import declared, list_block
from crawler.platforms.markup import absolute, plain, tree
from crawler.platforms.paging import PageOfList, Row, Walk, advance
from parsers.decode import decode

PAGE_SIZE = 15
_SEARCH = re.compile(r"""["'(]((?:https?:)?/[^"'()\s]*?/?common/search/[0-9a-f-]{32,36}(?:\?[^"'()\s]*)?)["')]""", re.I)
# createPageHTML('page_div', pages, current, 'name', 'shtml', entries)
_CREATE = re.compile(
    r"""createPageHTML\(\s*["'][\w-]+["']\s*,\s*(\d+)\s*,\s*\d+\s*,\s*["']([\w./-]+)["']\s*,\s*["'](\w+)["']"""
    r"""(?:\s*,\s*(\d+))?""",
    re.I,
)
_SIGNS = (
    (re.compile(rb"<ucap(?:title|content)\b|UCAP-CONTENT", re.I), "the page holds UCAP's own elements"),
    (re.compile(rb"/common/search/[0-9a-f-]{32,36}", re.I), "the page asks /common/search/CHANNEL"),
    (re.compile(rb"""createPageHTML\(\s*["'][\w-]+["']\s*,\s*\d""", re.I), "the page calls createPageHTML('id', …)"),
    (re.compile(rb"/search[45](?:/search)?/s\b|common_list\.shtml|zfxxgk_zhengce_list\.shtml", re.I), "UCAP addresses"),
)


def recognise(entity: bytes, headers: Headers, url: str) -> str | None:  # noqa: ARG001  the bytes alone tell
    """Why the page is UCAP, or None."""
    return next((reason for sign, reason in _SIGNS if sign.search(entity)), None)


def read_list(entity: bytes, *, url: str, parameters: Parameters) -> ListReading:
    """A channel's page ({}), a further static page, or the JSON answer of the search."""
    walk = Walk.of(parameters)
    if walk.about.get("search") or entity.lstrip()[:1] == b"{":
        return _answer(entity, url, walk)
    text = decode(entity).text
    search = _SEARCH.search(text)
    if search and not parameters:
        asked = with_parameters(
            urljoin(url, search[1].replace("&amp;", "&")),
            page=1, _pageSize=PAGE_SIZE, _isAgg="true", _isJson="true", _template="index",
        )  # fmt: skip
        return ListReading(requests=(NextRequest(url=asked, parameters=asdict(Walk(about={"search": True}))),))
    return _static(text, len(entity), url, walk)


def _answer(entity: bytes, url: str, walk: Walk) -> ListReading:
    data = at(json_object(entity), "data") or {}
    rows = tuple(_rows(data, url))
    page = PageOfList(
        rows=rows,
        total=number(data, ("total", "totalCount", "totalRecord", "count")),
        pages=None,
    )

    def next_page(walk: Walk) -> NextRequest:
        return NextRequest(url=with_parameters(url, page=walk.page), parameters={})

    return advance(walk, page, size=len(entity), next_page=next_page)


def _rows(data: Any, url: str) -> Iterator[Row]:
    results = at(data, "results")
    for result in results if isinstance(results, list) else ():
        link = str(at(result, "url") or "").strip()
        target = absolute(url, link) if link else None
        if target is not None:
            meta = _meta(result)
            listed = day_of(at(result, "publishedTimeStr"), at(result, "publishedTime"), meta.get("pubdate"))
            yield Row(target, plain(str(at(result, "title") or "")), listed)


def _meta(result: Any) -> Mapping[str, Any]:
    lists = at(result, "domainMetaList")
    pairs = [pair for part in (lists if isinstance(lists, list) else ()) for pair in (at(part, "resultList") or ())]
    return {str(at(pair, "key")): at(pair, "value") for pair in pairs}


def _static(text: str, size: int, url: str, walk: Walk) -> ListReading:
    root = tree(text)
    block = list_block(root, url, path=walk.about.get("path", "")) if root is not None else None
    called = _CREATE.search(text)
    if walk.page == 1:
        names = {"first": url, "stem": called[2], "extension": called[3]} if called else {}
        walk = Walk(about={**names, "path": block.path if block else ""})
    stated, _ = declared(root) if root is not None else (None, None)
    page = PageOfList(
        rows=block.rows if block else (),
        total=int(called[4]) if called and called[4] else stated,
        pages=int(called[1]) if called else None,
    )

    def next_page(walk: Walk) -> NextRequest | None:
        if "stem" not in walk.about:
            return None
        name = f"{walk.about['stem']}_{walk.page}.{walk.about['extension']}"
        return NextRequest(url=urljoin(str(walk.about["first"]), name), parameters={})

    return advance(walk, page, size=size, next_page=next_page)
