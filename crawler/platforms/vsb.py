"""博达 VSB (Visual SiteBuilder): lists with 共N条 and a 下页 link, which is followed: its pages may count downwards.

Its downloads (`/system/_content/download.jsp`) have no extension and want a Referer, which every file is asked with.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin

from crawler.platforms import Headers, ListReading, NextRequest, Parameters
from crawler.platforms.blocks import declared, list_block, next_link
from crawler.platforms.markup import tree
from crawler.platforms.paging import PageOfList, Walk, advance
from parsers.decode import decode

_SIGNS = (
    (re.compile(rb"""id\s*=\s*["']vsb_content|vsbcontent_|class=["']v_news_content""", re.I), "vsb_content boxes"),
    (
        re.compile(rb"/system/_content/download\.jsp|/system/resource/|dynclicks_wbnews", re.I),
        "VSB calls",
    ),
    (re.compile(rb"Visual SiteBuilder", re.I), "the name Visual SiteBuilder"),
    (re.compile(rb"/__local/[0-9A-F]/", re.I), "files under /__local/"),
    (re.compile(rb"""href=["'][^"']*\binfo/\d+/\d+\.htm["']""", re.I), "links to info/COLUMN/ID.htm"),
)


def recognise(entity: bytes, headers: Headers, url: str) -> str | None:  # noqa: ARG001  the bytes alone tell
    """Why the page is VSB, or None."""
    return next((f"the page has {reason}" for sign, reason in _SIGNS if sign.search(entity)), None)


def read_list(entity: bytes, *, url: str, parameters: Parameters) -> ListReading:
    """A list page; its links are relative to it."""
    root = tree(decode(entity).text)
    walk = Walk.of(parameters)
    if root is None:
        return advance(walk, PageOfList(()), size=len(entity), next_page=lambda _: None)
    block = list_block(root, url, path=walk.about.get("path", ""))
    total, pages = declared(root)
    if walk.page == 1:
        walk = Walk(about={"path": block.path if block else ""})

    def next_page(_: Walk) -> NextRequest | None:
        link = next_link(root)
        return NextRequest(url=urljoin(url, link), parameters={}) if link else None

    page = PageOfList(rows=block.rows if block else (), total=total, pages=pages)
    return advance(walk, page, size=len(entity), next_page=next_page)
