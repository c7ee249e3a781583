"""Finds the list on a page whose markup nobody described: the links that repeat in one shape, most often with days.

Links of one list stand at the same path of elements. Menus and footers repeat too, but their texts are short and no day
stands beside them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

from lxml import etree
from lxml.html import HtmlElement

from crawler.platforms.markup import absolute, address, day, squeezed, title, tree
from crawler.platforms.paging import Row

_ROWS = ("li", "tr", "dd", "dl")
_CHROME = re.compile(
    r"(?:^|[\s_-])(?:(?:left|top|side)?(?:nav|menu)|footer|header|foot|crumbs?|breadcrumb)(?:$|[\s_\d-])", re.I
)
_STRIPES = re.compile(r"(?:odd|even|first|last|on|active|cur|current|hover|bg\d?|line\d*)", re.I)
_TOTAL = re.compile(r"(?:共|总数|总计|合计)\s*(?:有|计|[:：])?\s*(\d{1,7})\s*(?:条|篇|项)")
_PAGES = re.compile(r"(?:共|总)\s*(\d{1,5})\s*页|第?\s*\d{1,5}\s*/\s*(\d{1,5})\s*页?(?!\s*[/\d])")
# A string of every declaration: 共, 总数, 总计, 合计, 1/3.
_HINTS = etree.XPath(
    "descendant-or-self::*[text()[" + " or ".join(f"contains(., '{sign}')" for sign in "共总合/") + "]]"
)
_NEXT_TEXTS = ("下一页", "下页", "下一頁", "后一页", "next", "next>", "next»")
# Fewer links than this with days beside them are no list to be found without knowing the product.
FEWEST_DATED = 3
_WHOLE_TITLE = 6
_MOST_LINKS_IN_ROW = 3
# Separators and comments may stand between two rows.
_NEAREST = 4
# The longest list page seen has some hundreds.
_MOST_LINKS = 4000


@dataclass(frozen=True, slots=True)
class Block:
    """Entries of one shape. `path` names the shape, so that the same list is known on its further pages."""

    path: str
    rows: tuple[Row, ...]

    @property
    def dated(self) -> int:
        return sum(row.date is not None for row in self.rows)


def list_block(root: HtmlElement, url: str, *, path: str = "") -> Block | None:
    """The list of a page: the block with most days beside it, else with the longest titles.

    A further page's list is the one of the first page's shape, or there is none: a side column is no continuation.
    """
    blocks = [block for block in _blocks(root, url, path) if block.rows]
    if path:
        return blocks[0] if blocks else None
    dated = [block for block in blocks if block.dated]
    if dated:
        return max(dated, key=lambda block: (block.dated, _letters(block)))
    wordy = [block for block in blocks if _letters(block) >= _WHOLE_TITLE * len(block.rows) and len(block.rows) > 1]
    return max(wordy, key=_letters, default=None)


def rows_in(markup: str, url: str) -> tuple[Row, ...]:
    """The entries of a piece of markup that holds one list; () when there are none."""
    root = tree(markup)
    block = list_block(root, url) if root is not None else None
    return block.rows if block else ()


def declared(root: HtmlElement) -> tuple[int | None, int | None]:
    """Entries and pages that a list page names in its text: 共 35 条, 共 3 页, 1/3."""
    total: int | None = None
    pages: int | None = None
    hinting = _hinting(root)
    for element in root.iter(etree.Element):
        if element not in hinting or element.tag in ("script", "style") or len(element) > 40:
            continue
        text = element.text_content()
        if len(text) > 400:
            continue
        found, counted = _TOTAL.search(text), _PAGES.search(text)
        total = int(found[1]) if found and total is None else total
        pages = int(counted[1] or counted[2]) if counted and pages is None and _is_pager(element) else pages
    return total, pages


def _hinting(root: HtmlElement) -> set[HtmlElement]:
    """Elements whose text holds a sign without which nothing is declared."""
    found: set[HtmlElement] = set()
    for holder in cast("list[HtmlElement]", _HINTS(root)):
        element: HtmlElement | None = holder
        while element is not None and element not in found:
            found.add(element)
            element = element.getparent()
    return found


def next_link(root: HtmlElement) -> str | None:
    """The address behind 下一页, as written; None where the page has no such link or it leads nowhere."""
    for anchor in root.iter("a"):
        text = squeezed(anchor.text_content()).lower().rstrip("›>» ") or squeezed(anchor.get("title", ""))
        if text in _NEXT_TEXTS and (link := address(anchor)):
            return link
    return None


def _is_pager(element: HtmlElement) -> bool:
    text = element.text_content()
    return "页" in text or ("/" in text and "条" in text)


def _letters(block: Block) -> int:
    return sum(len(row.title) for row in block.rows)


@dataclass(frozen=True, slots=True)
class _Link:
    """A link with its address as written and its whole title."""

    anchor: HtmlElement
    address: str
    title: str


def _blocks(root: HtmlElement, url: str, wanted: str) -> Iterator[Block]:
    """The blocks of a page; only the one of that shape where one is wanted."""
    surroundings = _Surroundings()
    shapes: dict[str, dict[HtmlElement, _Link]] = defaultdict(dict)
    for anchor in islice(root.iter("a"), _MOST_LINKS):
        path = surroundings.path(anchor)
        if wanted and path != wanted:
            continue
        link = _Link(anchor, address(anchor), title(anchor))
        if not link.address or not link.title or surroundings.are_chrome(anchor) or _leads_on(anchor):
            continue
        row = _row_of(anchor)
        rows = shapes[path]
        # A row may link its category before its title: the longest text is the title.
        if row not in rows or len(link.title) > len(rows[row].title):
            rows[row] = link
    for path, found in shapes.items():
        rows_found = (_read(row, link, url) for row, link in found.items())
        yield Block(path, tuple(row for row in rows_found if row is not None))


class _Surroundings:
    """What the elements around links say, each read once for all the links in it."""

    def __init__(self) -> None:
        self._paths: dict[HtmlElement, str] = {}
        self._chrome: dict[HtmlElement, bool] = {}

    def path(self, element: HtmlElement) -> str:
        """The shape of an element's place: its own step after those of all the elements around it."""
        around = element.getparent()
        if around is None:
            return _step(element)
        known = self._paths.get(around)
        if known is None:
            known = self._paths[around] = self.path(around)
        return f"{known}/{_step(element)}"

    def are_chrome(self, element: HtmlElement) -> bool:
        """True in a menu, a header, a footer."""
        around = element.getparent()
        if around is None:
            return False
        known = self._chrome.get(around)
        if known is None:
            known = self._chrome[around] = _is_chrome(around) or self.are_chrome(around)
        return known


def _is_chrome(element: HtmlElement) -> bool:
    if element.tag in ("nav", "footer", "header"):
        return True
    return _CHROME.search(f"{element.get('class', '')} {element.get('id', '')}") is not None


def _leads_on(anchor: HtmlElement) -> bool:
    return squeezed("".join(anchor.itertext())) in _NEXT_TEXTS


def _row_of(anchor: HtmlElement) -> HtmlElement:
    """The element of one entry: a list item or table row, else the first ancestor beside which its like stand.

    A list of a single entry has none beside it: then the largest element that leads to this address alone.
    """
    for element in anchor.iterancestors():
        if len(_targets(element)) > _MOST_LINKS_IN_ROW:
            break
        if element.tag in _ROWS or any(_step(other) == _step(element) for other in _siblings(element)):
            return element
    row = anchor
    for element in anchor.iterancestors():
        if len(_targets(element)) > 1 or element.tag in ("ul", "ol", "table", "tbody", "body"):
            break
        row = element
    return row


def _siblings(element: HtmlElement) -> Iterator[HtmlElement]:
    """The nearest elements beside one that hold links too."""
    before, after = element.itersiblings(preceding=True), element.itersiblings()
    for other in (*islice(before, _NEAREST), *islice(after, _NEAREST)):
        if isinstance(other.tag, str) and next(other.iter("a"), None) is not None:
            yield other


def _targets(element: HtmlElement) -> set[str]:
    """Where the first links in an element lead: enough to tell one entry from several."""
    return {link for anchor in islice(element.iter("a"), 4 * _MOST_LINKS_IN_ROW) if (link := address(anchor))}


def _step(element: HtmlElement) -> str:
    classes = sorted(name for name in element.get("class", "").split() if not _STRIPES.fullmatch(name))
    return ".".join([str(element.tag), *(classes if element.tag not in ("li", "tr") else ())])


def _read(row: HtmlElement, link: _Link, url: str) -> Row | None:
    target = absolute(url, link.address)
    if target is None:
        return None
    own = "".join(link.anchor.itertext())
    listed = day("".join(row.itertext()).replace(own, " ")) if row is not link.anchor else None
    return Row(target, link.title, listed or _day_at_end(link.anchor))


def _day_at_end(anchor: HtmlElement) -> str | None:
    """The day in an element of its own inside the link."""
    for element in anchor.iter("span", "i", "em", "b", "time", "p"):
        text = squeezed(element.text_content())
        if len(text) <= 14 and (found := day(text)):
            return found
    return None
