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
_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]|<\?xml[^>]*\?>")
_MARKED = etree.XPath("//*[@id or @class or contains(name(), 'content')]")


def tree(text: str) -> HtmlElement | None:
    """The tree of a page; None where there is neither markup nor text. Never raises."""
    parser = html.HTMLParser(encoding="utf-8", remove_pis=True, no_network=True)
    try:
        return html.document_fromstring(_UNSAFE.sub("", text).encode("utf-8", "replace"), parser)
    except etree.ParserError:
        return None


def body_box(root: HtmlElement) -> HtmlElement | None:
    """The element known products put an article into: the best known kind, of several the one that holds most."""
    ranks = page_words().body_ranks
    best: list[HtmlElement] = []
    best_rank = len(ranks)
    for element in cast("list[HtmlElement]", _MARKED(root)):
        rank = body_rank(element)
        if rank < best_rank:
            best, best_rank = [], rank
        if rank == best_rank < len(ranks):
            best.append(element)
    if len(best) < 2:
        return best[0] if best else None
    return max(best, key=lambda element: sum(map(len, strings(element))))


def body_rank(element: HtmlElement) -> int:
    """How well known a kind of body box the element is, 0 the best; as many as there are kinds when it is none."""
    ranks = page_words().body_ranks
    names = [element.tag, element.get("id")]
    classes = element.get("class")
    if classes:
        names += classes.split()
    return min(ranks.get(name, len(ranks)) for name in names)


def strings(element: HtmlElement) -> Iterator[str]:
    """The pieces of text in an element, without those of scripts and styles in it."""
    if element.text:
        yield element.text
    for child in element:
        if child.tag not in _CODE and isinstance(child.tag, str):
            yield from strings(child)
        if child.tail:
            yield child.tail


def spaced_text(element: HtmlElement) -> str:
    """The element's text, its pieces set apart."""
    return tidy(" ".join(strings(element)))
