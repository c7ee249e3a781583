"""A page's markup as a tree of elements, parsed once for everything that is read from it.

Comments stay in the tree: they part strings that products put side by side. Nothing here changes a tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from lxml import etree, html
from lxml.html import HtmlElement

from parsers.spacing import tidy
from parsers.vocabulary import page_words

SILENT = frozenset(("script", "style", "noscript", "template"))
# Text of these is no text of the element around them.
_CODE = frozenset(("script", "style", "template"))
# libxml2 ends a page at NUL and stumbles over the others; in UTF-8 such bytes are part of no other character.
_CONTROLS = bytes({*range(0x20)} - set(b"\t\n\r"))
_PROLOGUE = re.compile(rb"<\?xml[^>]*\?>")
_PAGE_END = re.compile(r"</[hH][tT][mM][lL]\s*>")
_MARKED = etree.XPath("//*[@id or @class or contains(name(), 'content')]")


def tree(text: str) -> HtmlElement | None:
    """The tree of a page; None where there is neither markup nor text. Never raises."""
    parser = html.HTMLParser(encoding="utf-8", remove_pis=True, no_network=True)
    try:
        return html.document_fromstring(_clean(text), parser)
    except etree.ParserError:
        return None


def bare_tree(text: str) -> etree._Element | None:
    """`tree` with elements that know nothing of HTML: enough to look for some, in half the time."""
    parser = etree.HTMLParser(encoding="utf-8", remove_pis=True, no_network=True)
    try:
        root: etree._Element | None = etree.fromstring(_clean(text), parser)
    except etree.XMLSyntaxError:
        return None
    return root


def without_ends(text: str) -> str:
    """Markup without the tags at which libxml2 stops; browsers go on, and pages hold whole pages pasted into them."""
    return _PAGE_END.sub("", text)


def _clean(text: str) -> bytes:
    data = without_ends(text).encode("utf-8", "replace").translate(None, _CONTROLS)
    return _PROLOGUE.sub(b"", data) if b"<?xml" in data else data


def body_box(root: etree._Element) -> etree._Element | None:
    """The element known products put an article into: the best known kind, of several the one that holds most."""
    ranks = page_words().body_ranks
    best: list[etree._Element] = []
    best_rank = len(ranks)
    for element in cast("list[etree._Element]", _MARKED(root)):
        rank = body_rank(element)
        if rank < best_rank:
            best, best_rank = [], rank
        if rank == best_rank < len(ranks):
            best.append(element)
    if len(best) < 2:
        return best[0] if best else None
    return max(best, key=lambda element: sum(map(len, strings(element))))


def body_rank(element: etree._Element) -> int:
    """How well known a kind of body box the element is, 0 the best; as many as there are kinds when it is none."""
    ranks = page_words().body_ranks
    names = [element.tag, element.get("id", "")]
    classes = element.get("class")
    if classes:
        names += classes.split()
    return min(ranks.get(name, len(ranks)) for name in names)


def strings(element: etree._Element) -> Iterator[str]:
    """The pieces of text in an element, without those of scripts and styles in it."""
    if element.text:
        yield element.text
    for child in element:
        if child.tag not in _CODE and isinstance(child.tag, str):
            yield from strings(child)
        if child.tail:
            yield child.tail


def spaced_text(element: etree._Element) -> str:
    """The element's text, its pieces set apart."""
    return tidy(" ".join(strings(element)))
