"""A site whose software is not known: the block of links that repeats with days, and the way to the next page.

The way on is the 下一页 link, else the link with the next page's number, else a page parameter in the page's address.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from lxml.html import HtmlElement

from crawler.platforms import Headers, ListReading, NextRequest, Parameters
from crawler.platforms.blocks import FEWEST_DATED, declared, list_block, next_link
from crawler.platforms.markup import address, squeezed, tree
from crawler.platforms.paging import PageOfList, Walk, advance
from parsers.decode import decode

PAGE_PARAMETERS = ("page", "pageindex", "pageno", "pagenum", "currpage", "cur_page", "curpage", "pn", "p")
# One provincial portal writes its next link as window.atob("…").
_HIDDEN = re.compile(r"""atob\(\s*["']([A-Za-z0-9+/=]{8,400})["']\s*\)""")


def recognise(entity: bytes, headers: Headers, url: str) -> str | None:  # noqa: ARG001  the bytes alone tell
    """Why the page can be read as a list, or None."""
    root = tree(decode(entity).text)
    block = list_block(root, url) if root is not None else None
    if block is None or block.dated < FEWEST_DATED:
        return None
    return f"no known software; {block.dated} links with days repeat at {block.path.rpartition('body')[2] or '/'}"


def read_list(entity: bytes, *, url: str, parameters: Parameters) -> ListReading:
    """A list page of whatever markup."""
    text = decode(entity).text
    root = tree(text)
    walk = Walk.of(parameters)
    if root is None:
        return advance(walk, PageOfList(()), size=len(entity), next_page=lambda _: None)
    block = list_block(root, url, path=walk.about.get("path", ""))
    total, pages = declared(root)
    if walk.page == 1:
        walk = Walk(about={"path": block.path if block else ""})

    def next_page(walk: Walk) -> NextRequest | None:
        link = next_link(root) or _hidden_link(text) or _numbered_link(root, walk.page)
        following = urljoin(url, link) if link else _by_parameter(url, walk)
        return NextRequest(url=following, parameters={}) if following else None

    page = PageOfList(rows=block.rows if block else (), total=total, pages=pages)
    return advance(walk, page, size=len(entity), next_page=next_page)


def _numbered_link(root: HtmlElement, page: int) -> str | None:
    """The link whose whole text is the next page's number."""
    return next(
        (link for a in root.iter("a") if squeezed(a.text_content()) == str(page) and (link := address(a))), None
    )


def _hidden_link(text: str) -> str | None:
    for coded in _HIDDEN.findall(text):
        try:
            link = base64.b64decode(coded, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if "/" in link or "?" in link:
            return link
    return None


def _by_parameter(url: str, walk: Walk) -> str | None:
    """The page's own address with its page parameter one higher, where more is declared than was seen."""
    is_short = (walk.total or 0) > walk.seen or (walk.pages or 0) >= walk.page
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    pager = next((name for name, value in query if name.lower() in PAGE_PARAMETERS and value.isdecimal()), None)
    if pager is None or not is_short:
        return None
    raised = [(name, str(int(value) + 1) if name == pager else value) for name, value in query]
    return urlunsplit(parts._replace(query=urlencode(raised)))
