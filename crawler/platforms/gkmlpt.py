"""Guangdong's 政府信息公开目录平台 (gkmlpt): `/gkmlpt/index` names categories, `/gkmlpt/api/all/<category>` lists them.

A channel is either an API address or the index, of which the categories of annual reports are taken. Pages 0 and 1 of
the API are the same, so the walk begins at 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from crawler.platforms import Headers, ListReading, NextRequest, Parameters, Trouble
from crawler.platforms.answers import at, day_of, json_object, number, with_parameters
from crawler.platforms.markup import absolute, plain
from crawler.platforms.paging import PageOfList, Row, Walk, advance
from parsers.decode import decode

_CONFIG = re.compile(rb"window\._CONFIG\s*=")
_SID = re.compile(r"""["']?\bSID["']?\s*:\s*["']?(\w+)""")
_TREE = re.compile(r"""["']?\bTREE["']?\s*:\s*(?=\[)""")
_REPORTS = re.compile(r"年报|年度报告")


def recognise(entity: bytes, headers: Headers, url: str) -> str | None:  # noqa: ARG001  the bytes alone tell
    """Why the page is gkmlpt, or None."""
    if _CONFIG.search(entity) and (b"SID" in entity or b"/gkmlpt/" in entity):
        return "the page sets window._CONFIG with a SID"
    if entity.lstrip()[:1] == b"{" and b'"classify"' in entity and b'"articles"' in entity:
        return "an answer with classify and articles"
    return None


def read_list(entity: bytes, *, url: str, parameters: Parameters) -> ListReading:
    """The index page, or an answer of the API."""
    if parameters or entity.lstrip()[:1] == b"{":
        return _answer(entity, url, Walk.of(parameters))
    every = tuple(categories(entity))
    chosen = [(number, name) for number, name in every if _REPORTS.search(name)]
    requests = [
        NextRequest(url=category_url(entity, url, category), parameters=asdict(Walk(about={"of": len(chosen)})))
        for category, _ in chosen
    ]
    names = "、".join(name for _, name in chosen) or "none"
    note = Trouble("info", "list_chosen", f"of {len(every)} categories those of annual reports: {names}")
    return ListReading(requests=tuple(requests), troubles=(note,))


def categories(entity: bytes) -> Iterator[tuple[str, str]]:
    """Number and name of every category of the index, parents before children; below a report category none."""
    text = decode(entity).text
    found = _TREE.search(text)
    try:
        tree, _ = json.JSONDecoder(strict=False).raw_decode(text, found.end()) if found else ([], 0)
    except ValueError:
        return
    yield from _walked(tree)


def category_url(entity: bytes, url: str, category: str) -> str:
    """The API address of a category of the index at `url`."""
    sid = _SID.search(decode(entity).text)
    return urljoin(url, f"/gkmlpt/api/all/{category}?page=1&sid={sid[1] if sid else ''}")


def _walked(nodes: Any) -> Iterator[tuple[str, str]]:
    for node in nodes if isinstance(nodes, list) else ():
        category, name = str(at(node, "id") or ""), str(at(node, "name") or at(node, "title") or "")
        if category.isalnum():
            yield category, name
        if not _REPORTS.search(name):
            yield from _walked(at(node, "children"))


def _answer(entity: bytes, url: str, walk: Walk) -> ListReading:
    answer = json_object(entity)
    page = PageOfList(rows=tuple(_rows(answer, url)), total=number(at(answer, "classify"), ("post_count",)))

    def next_page(walk: Walk) -> NextRequest:
        return NextRequest(url=with_parameters(url, page=walk.page), parameters={})

    reading = advance(walk, page, size=len(entity), next_page=next_page)
    # Each of several lists is held to its own total; none of these is the channel's.
    return replace(reading, total=None) if walk.about.get("of", 1) > 1 else reading


def _rows(answer: Any, url: str) -> Iterator[Row]:
    articles = at(answer, "articles")
    for article in articles if isinstance(articles, list) else ():
        link = str(at(article, "url") or at(article, "post_url") or "").strip()
        target = absolute(url, link) if link else None
        if target is not None:
            listed = day_of(at(article, "date"), at(article, "created_at"))
            yield Row(_as_reached(target, url), plain(str(at(article, "title") or "")), listed)


def _as_reached(link: str, url: str) -> str:
    """The link with the list's own scheme: many of these hosts answer to http only and still write https."""
    there, here = urlsplit(link), urlsplit(url)
    return link if there.hostname != here.hostname else there._replace(scheme=here.scheme, netloc=here.netloc).geturl()
