"""The text of an article without the page around it.

A box into which a known product puts its articles holds the article and nothing else. On other pages trafilatura finds
it; beside a box it took five times as long as all the rest and brought the head table along or, where the article is
only a link to a file, the navigation (seen on generated and saved pages).
"""

from __future__ import annotations

import logging

from lxml import etree
from lxml.html import HtmlElement

from parsers.decode import decode
from parsers.spacing import tidy
from parsers.tree import body_box, tree
from parsers.vocabulary import page_words

# trafilatura takes seconds for a page of this many characters; no article page we know comes near.
LONGEST_PAGE = 3_000_000
# It takes the square of a row's cells, and fills up what cells span: a minute for a row of 100,000, or for 300 rows of
# one cell that is 100 wide and high.
WIDEST_ROW = 2_000
MOST_SPANNED = 20_000
# And the square of paragraphs that are tables of their own: ten seconds for 10,000.
MOST_TABLES = 1_000
_MOST_SPAN = 100


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_BREAKING = _tags(
    "address article blockquote br center dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li "
    "main nav ol p pre section table tbody tfoot thead tr ul ucapcontent"
)
_CELLS = _tags("td th")
_SILENT = _tags("script style noscript template head title select textarea iframe object")

# It reports every odd page as an error of its own; what matters here is whether text came back.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


def main_text(data: bytes, *, url: str = "") -> str:
    """The article's text, one line per paragraph and table row; "" where the page has none. Never raises."""
    root = tree(decode(data).text)
    return "" if root is None else article_text(root, url=url)


def article_text(root: HtmlElement, *, url: str = "") -> str:
    """`main_text` of a parsed page, which is not of use for anything else afterwards."""
    etree.strip_elements(root, etree.Comment, with_tail=False)
    _drop_noise(root)
    box = body_box(root)
    return _text_of(box) if box is not None else _lines(_extracted(root, url))


def _extracted(root: HtmlElement, url: str) -> str:
    if len(root.text_content()) > LONGEST_PAGE or _is_too_wide(root):
        return ""
    import trafilatura  # where it is needed: it takes longer to import than most documents to read

    return trafilatura.extract(root, url=url or None, favor_recall=True, include_comments=False) or ""


def _is_too_wide(root: HtmlElement) -> bool:
    spanned = sum(_span(cell, "colspan") * _span(cell, "rowspan") - 1 for cell in root.iter("td", "th"))
    if spanned > MOST_SPANNED or sum(1 for _ in root.iter("table")) > MOST_TABLES:
        return True
    return any(len(row) > WIDEST_ROW for row in root.iter("tr"))


def _span(cell: HtmlElement, name: str) -> int:
    digits = (cell.get(name) or "").strip()[:4]
    return min(int(digits), _MOST_SPAN) if digits.isdecimal() else 1


def _drop_noise(root: HtmlElement) -> None:
    words = page_words()
    for element in list(root.iter(etree.Element)):
        identifier = element.get("id") or ""
        is_noise = (
            identifier in words.noise_ids
            or identifier.startswith(words.noise_id_starts)
            or not words.noise_classes.isdisjoint((element.get("class") or "").split())
        )
        if is_noise and element.getparent() is not None:
            element.drop_tree()


def _text_of(box: HtmlElement) -> str:
    parts: list[str] = []
    walk = etree.iterwalk(box, events=("start", "end"))
    for event, element in walk:
        if event == "start" and element.tag in _SILENT:
            walk.skip_subtree()
            continue
        if element.tag in _BREAKING:
            parts.append("\n")
        elif element.tag in _CELLS:
            parts.append("\t")
        text = element.text if event == "start" else element.tail if element is not box else None
        parts.append((text or "").replace("\n", " "))
    return _lines("".join(parts))


def _lines(text: str) -> str:
    lines = (tidy(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
