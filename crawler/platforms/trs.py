"""TRS WCM: static lists `index.html`, `index_1.html` … whose number of pages stands only in a script."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from crawler.platforms import Headers, ListReading, NextRequest, Parameters
from crawler.platforms.blocks import declared, list_block
from crawler.platforms.markup import tree
from crawler.platforms.paging import PageOfList, Walk, advance
from parsers.decode import decode

# createPageHTML(pages, current, "index", "html"): the first page is index.html, the second index_1.html.
_CREATE = re.compile(r"""createPageHTML\(\s*(\d+)\s*,\s*(\d+)\s*,\s*["']([\w./-]+)["']\s*,\s*["'](\w+)["']""", re.I)
_COUNT = re.compile(r"countPage\s*=\s*(\d+)", re.I)
_CONFIG = re.compile(r"pagination_script_config\b(?:[^;]{0,400}?[\s{.,'\"])total['\"]?\s*[:=]\s*['\"]?(\d+)", re.S)
_FILE = re.compile(r"^(?P<stem>.+?)(?:_\d+)?\.(?P<extension>s?html?|jsp)$", re.I)
_SIGNS = (
    (re.compile(rb"createPageHTML\(\s*\d", re.I), "the page calls createPageHTML(pages, …)"),
    (re.compile(rb"\bcountPage\s*=\s*\d", re.I), "the page's script sets countPage"),
    (re.compile(rb"pagination_script_config", re.I), "the page's script has pagination_script_config"),
    (re.compile(rb"TRS_Editor|trs_editor_view|TRS_UEDITOR|CurrChnlCls", re.I), "the page holds TRS class names"),
    (re.compile(rb"""href=["'][^"']*/\d{6}/t\d{8}_\d+\.s?html?""", re.I), "the page links to tYYYYMMDD_ID pages"),
)


def recognise(entity: bytes, headers: Headers, url: str) -> str | None:  # noqa: ARG001  the bytes alone tell
    """Why the page is TRS WCM, or None."""
    return next((reason for sign, reason in _SIGNS if sign.search(entity)), None)


def read_list(entity: bytes, *, url: str, parameters: Parameters) -> ListReading:
    """A list page; its links are relative to it."""
    text = decode(entity).text
    walk = Walk.of(parameters)
    root = tree(text)
    block = list_block(root, url, path=walk.about.get("path", "")) if root is not None else None
    total, _ = declared(root) if root is not None else (None, None)
    if walk.page == 1:
        first, stem, extension = _naming(text, url)
        about = {"first": first, "stem": stem, "extension": extension, "path": block.path if block else ""}
        walk = Walk(about=about)
    page = PageOfList(rows=block.rows if block else (), total=total, pages=_pages(text))

    def next_page(walk: Walk) -> NextRequest | None:
        if walk.pages is None:
            return None
        name = f"{walk.about['stem']}_{walk.page - 1}.{walk.about['extension']}"
        return NextRequest(url=urljoin(str(walk.about["first"]), name), parameters={})

    return advance(walk, page, size=len(entity), next_page=next_page)


def _pages(text: str) -> int | None:
    found = _CREATE.search(text) or _COUNT.search(text) or _CONFIG.search(text)
    return int(found[1]) if found else None


def _naming(text: str, url: str) -> tuple[str, str, str]:
    """The first page's address, and what the files of the further ones are called."""
    called = _CREATE.search(text)
    if called:
        return url, called[3], called[4]
    file = _FILE.match(urlsplit(url).path.rpartition("/")[2])
    return (url, file["stem"], file["extension"]) if file else (url, "index", "html")
