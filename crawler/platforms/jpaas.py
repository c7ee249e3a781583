"""jpaas, 大汉's successor of jCMS: lists as markup inside JSON from the unit builder of its gateway.

Foreign clients get page 1 whatever page they ask for; that ends the walk as a repeated page.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from urllib.parse import urlencode, urljoin

from crawler.platforms import Headers, ListReading, NextRequest, Parameters
from crawler.platforms.answers import at, json_object, number, texts, with_parameters
from crawler.platforms.blocks import declared, rows_in
from crawler.platforms.markup import tree
from crawler.platforms.paging import PageOfList, Walk, advance
from parsers.decode import decode

UNIT = "/api-gateway/jpaas-publish-server/front/page/build/unit"
_ASKED = re.compile(re.escape(UNIT) + r"(\?[^\"'<>\s]*)?")
_PAIR = re.compile(
    r"""(webId|pageId|parseType|pageType|tagId|tplSetId)(?:\\?["'])?\s*[:=]\s*(?:\\?["'])?([\w\u4e00-\u9fff-]+)"""
)
_NEEDED = ("webId", "pageId", "tplSetId")
_TOTALS = ("total", "totalCount", "totalRecord", "count")


def recognise(entity: bytes, headers: Headers, url: str) -> str | None:  # noqa: ARG001  the bytes alone tell
    """Why the page is jpaas, or None."""
    return "the page names jpaas-publish-server" if b"jpaas-publish-server" in entity else None


def read_list(entity: bytes, *, url: str, parameters: Parameters) -> ListReading:
    """A column page ({}), which only says what to ask for, or an answer of the gateway."""
    if parameters:
        return _answer(entity, url, Walk.of(parameters))
    text = decode(entity).text.replace("&quot;", '"').replace("&amp;", "&")
    asked = _ASKED.search(text)
    query = asked[1] if asked and asked[1] else ""
    if not all(name in query for name in _NEEDED):
        query = "?" + urlencode(dict(_PAIR.findall(text)))
    if not all(name in query for name in _NEEDED):
        return ListReading()
    unit = with_parameters(urljoin(url, UNIT + query), pageNo=1)
    return ListReading(requests=(NextRequest(url=unit, parameters=asdict(Walk()), headers=(("Referer", url),)),))


def _answer(entity: bytes, url: str, walk: Walk) -> ListReading:
    answer = json_object(entity)
    markup = max((text for text in texts(answer) if "<a" in text), key=len, default="")
    if not answer:
        markup = decode(entity).text
    root = tree(markup)
    shown, pages = declared(root) if root is not None else (None, None)
    stated = number(at(answer, "data"), _TOTALS)
    page = PageOfList(rows=rows_in(markup, url), total=shown if stated is None else stated, pages=pages)

    def next_page(walk: Walk) -> NextRequest:
        return NextRequest(url=with_parameters(url, pageNo=walk.page), parameters={})

    return advance(walk, page, size=len(entity), next_page=next_page)
