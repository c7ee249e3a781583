"""What list entries look like in HTML, whatever software wrote them: links, whole titles, days."""

from __future__ import annotations

import html
import re
from datetime import date
from functools import lru_cache
from urllib.parse import urljoin

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, fromstring

from parsers.tree import without_ends

_DATE = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?")
_ONLY_DATE = re.compile(rf"[\[(（【]?\s*{_DATE.pattern}[\s\d:]*[\])）】]?")
_CUT = re.compile(r"(?:\.\.\.|…)\s*$")
_QUOTED_ADDRESS = re.compile(r"""['"]([^'"]*[/.][^'"]*)['"]""")
_DEAD_SCHEMES = ("javascript:", "mailto:", "tel:", "data:")
_SEGMENT = r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*"
# An address and a page that are joined by putting one behind the other: no dots, no parameters, nothing empty.
_JOINED = re.compile(rf"/?(?:{_SEGMENT}/)*{_SEGMENT}/?")
_PLAIN_PAGE = re.compile(
    rf"(?P<folder>(?P<server>https?://[A-Za-z0-9.:-]+)/(?:{_SEGMENT}/)*)[A-Za-z0-9._~-]*(?:\?[^#]*)?"
)


def tree(text: str) -> HtmlElement | None:
    """The parsed markup, None when it holds no element. Never raises on bad markup."""
    parser = HTMLParser(encoding="utf-8", recover=True, no_network=True)
    try:
        return fromstring(f"<div>{without_ends(text)}</div>".encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None


def absolute(base: str, address: str) -> str | None:
    """The address made absolute, None when it is none."""
    page = _plain_page(base)
    if page is not None and _JOINED.fullmatch(address):
        return f"{page['server' if address[0] == '/' else 'folder']}{address}"
    try:
        return urljoin(base, address)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _plain_page(url: str) -> re.Match[str] | None:
    return _PLAIN_PAGE.fullmatch(url)


def take_day(root: HtmlElement) -> str | None:
    """The date of an element that holds nothing else; the element is taken out, so that no title ends in it."""
    for element in list(root.iter("span", "i", "b", "em", "td", "font", "div", "p", "dd", "small")):
        text = "".join(element.itertext()).strip()
        if element is not root and _ONLY_DATE.fullmatch(text):
            element.drop_tree()
            return day(text)
    return None


def day(text: str) -> str | None:
    """The first possible day in a text, in ISO form."""
    for year, month, number in _DATE.findall(text):
        try:
            return date(int(year), int(month), int(number)).isoformat()
        except ValueError:
            continue
    return None


def address(anchor: HtmlElement) -> str:
    """The address that a link leads to, also where a script opens it; "" when there is none."""
    href = unescaped(anchor.get("href", "").strip())
    if href and not href.startswith("#") and not href.lower().startswith(_DEAD_SCHEMES):
        return href
    opened = _QUOTED_ADDRESS.search(href) or _QUOTED_ADDRESS.search(anchor.get("onclick", ""))
    return unescaped(opened[1].strip()) if opened else ""


def title(anchor: HtmlElement) -> str:
    """The whole title: the `title` attribute where the text is cut or shorter, else the text."""
    text = squeezed("".join(anchor.itertext()))
    attribute = squeezed(anchor.get("title", ""))
    if attribute and (_CUT.search(text) or len(attribute) > len(text)):
        return attribute
    return text


def unescaped(link: str) -> str:
    """Entities resolved as often as they were escaped: some lists say `&amp;amp;`."""
    while "&amp;" in link:
        link = link.replace("&amp;", "&")
    return link


def squeezed(text: str) -> str:
    """Text with every run of blanks as one space."""
    return " ".join(text.split())


def plain(text: str) -> str:
    """Text of a value that may hold markup and entities."""
    return squeezed(html.unescape(re.sub(r"<[^>]*>", "", text)))
