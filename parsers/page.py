"""Disclosure pages: title, dates, publisher, numbers, text and attachments.

Each fact is taken from the standard meta tags of 政府网站发展指引 first, the head table second, the rest of the page
last, and its origin is kept. Facts that contradict each other are findings; the earlier source stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from bs4 import BeautifulSoup, Comment, NavigableString, PageElement, Tag

from parsers.attachments import attachments, page_base
from parsers.dates import find_date, find_url_date
from parsers.decode import decode
from parsers.folded import unfolded
from parsers.furniture import Entry, Row, entries, is_meaningless
from parsers.main_text import main_text
from parsers.model import Finding, Labelled, Page
from parsers.spacing import squeeze, tidy
from parsers.vocabulary import Field, page_words

__all__ = ["PageKind", "body_box", "main_text", "page_kind", "read_page", "title_without_site"]

PageKind = Literal["report", "digest", "explanation", "unknown"]

_SILENT = ("script", "style", "noscript", "template")
_BLOCKS = frozenset(
    (
        *("address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "footer", "form", "header"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "li", "nav", "ol", "p", "section", "table", "td", "th", "tr", "ul"),
    )
)
_CHROME = frozenset(("header", "nav", "footer"))
_SITE_CODE = re.compile(r"\d{10}|bm\d{8}", re.IGNORECASE)
_XML_PROLOGUE = re.compile(r"^\s*<\?xml[^>]*\?>")
_MARK = re.compile(
    r"<!--<\$\[(?P<name>[^\]]{1,30})\]>begin-->(?P<value>.{0,300}?)<!--<\$\[(?P=name)\]>end-->", re.DOTALL
)
_STEP = re.compile(r"[>＞»›》→：:]+")
_TAG = re.compile(r"<[^>]*>")
_SEPARATOR = re.compile(r"\s*[-_|–—－＿｜]+\s*")
_PUNCTUATION = re.compile(r"[\W_]+")
_DATED = frozenset(("published_date", "written_date"))


def read_page(data: bytes, *, url: str = "", with_text: bool = True) -> Page:
    """Furniture, text and attachments of a page. Never raises: what is no page gives an empty one.

    `url` resolves links and, when nothing else does, gives the publishing day. `with_text=False` leaves the text out,
    which is most of the time spent.
    """
    data = unfolded(data)
    decoded = decode(data)
    soup = _soup(decoded.text)
    base = page_base(soup, url)
    body = body_box(soup)
    links, findings = attachments(soup, body, base=base, encoding=decoded.encoding)
    collected = _Collected(list(findings))
    weak_titles = _weak_titles(soup)
    for entry in (*_meta_entries(soup), *_page_entries(soup, body, decoded.text)):
        collected.take(entry)
    collected.take_weak_title(weak_titles)
    found = find_url_date(url)
    if found and "published_date" not in collected.values:
        collected.values["published_date"] = Labelled(found.value, "url")
    return Page(
        **{field: value for field, value in collected.values.items() if field != "other"},
        text=main_text(data, url=url) if with_text else "",
        attachments=links,
        findings=tuple(collected.findings),
    )


def page_kind(title: str) -> PageKind:
    """What a page with this title is: the report, its picture digest (图解), its explanation (解读)."""
    for kind, words in page_words().kinds.items():
        if any(word in title for word in words):
            return _KINDS[kind]
    return "unknown"


_KINDS: dict[str, PageKind] = {"digest": "digest", "explanation": "explanation", "report": "report"}


def body_box(soup: BeautifulSoup) -> Tag | None:
    """The element known products put an article into: the best known kind, of several the one that holds most."""
    ranks = page_words().body_ranks
    best: list[Tag] = []
    best_rank = len(ranks)
    for element in soup.find_all(True):
        names = (element.name, element.get("id"), *(element.get("class") or ()))
        rank = min(ranks.get(str(name), len(ranks)) for name in names)
        if rank < best_rank:
            best, best_rank = [], rank
        if rank == best_rank < len(ranks):
            best.append(element)
    return max(best, key=lambda element: len(element.get_text()), default=None)


def title_without_site(title: str, site_name: str = "") -> str:
    """A <title> without what sites put behind it: …年度报告-沭阳县发改局 → …年度报告."""
    title = tidy(title)
    while True:
        separators = list(_SEPARATOR.finditer(title))
        if not separators or separators[-1].start() == 0:
            return title
        tail = title[separators[-1].end() :]
        is_title_text = page_kind(tail) != "unknown" or any(sign.isdigit() for sign in tail)
        if tail and tail != site_name and is_title_text:
            return title
        title = title[: separators[-1].start()]


class _Collected:
    """The fields found so far, in the order of trust in which they are offered."""

    def __init__(self, findings: list[Finding]) -> None:
        self.values: dict[Field, Labelled] = {}
        self.findings = findings
        self._given: set[tuple[Field, str]] = set()
        self._noted: set[tuple[str, Field, str]] = set()

    def take(self, entry: Entry) -> None:
        """Keeps the first value of a field; the first of each further origin must agree with it.

        Later ones of the same origin are other articles' (lists of related pages) and no contradiction.
        """
        if (entry.field, entry.origin) in self._given:
            return
        value = self._value(entry)
        if not value:
            return
        self._given.add((entry.field, entry.origin))
        known = self.values.get(entry.field)
        if known is None:
            self.values[entry.field] = Labelled(value, entry.origin)
        elif not _agree(entry.field, known.value, value):
            message = f"{entry.field}: {known.origin} has {known.value!r}, {entry.origin} {value!r}"
            self._note_once("conflicting_values", entry, message)

    def take_weak_title(self, titles: list[str]) -> None:
        """<h1> and <title>, which are as often the site's name, only when nothing better gives the title."""
        site = self.values["site_name"].value if "site_name" in self.values else ""
        for title in (title_without_site(title, site) for title in titles):
            if "title" not in self.values and title != site and not is_meaningless(title):
                self.values["title"] = Labelled(title, "page")

    def _note_once(self, code: str, entry: Entry, message: str) -> None:
        """A finding for the first such value of a field and origin: a page may repeat it in a hundred list rows."""
        if (code, entry.field, entry.origin) not in self._noted:
            self._noted.add((code, entry.field, entry.origin))
            self.findings.append(Finding(code, message))

    def _value(self, entry: Entry) -> str:
        """The value as it is kept: days in ISO form, a site code only when it can be one."""
        if is_meaningless(entry.value):
            return ""
        if entry.field in _DATED:
            found = find_date(entry.value)
            if found is None:
                self._note_once("unreadable_date", entry, f"{entry.field}: expected a day, found {entry.value!r}")
            return found.value if found else ""
        if entry.field == "site_code" and not _SITE_CODE.fullmatch(entry.value.strip()):
            self._note_once("bad_site_code", entry, f"expected 10 digits or bm and 8 digits, found {entry.value!r}")
            return ""
        return tidy(entry.value)


def _soup(text: str) -> BeautifulSoup:
    # beautifulsoup4 warns about text that looks like a file name, and about an XML prologue; neither is of use here.
    text = _XML_PROLOGUE.sub("", text)
    return BeautifulSoup(text if "<" in text else f"<p>{text}</p>", "lxml")


def _meta_entries(soup: BeautifulSoup) -> Iterator[Entry]:
    """Standard meta tags, wherever they stand: products write them into the body as well."""
    fields = page_words().meta
    metas = [
        (str(meta.get("name") or "").strip().lower(), str(meta.get("content") or "")) for meta in soup.find_all("meta")
    ]
    for name, field in fields.items():
        for found, content in metas:
            if found == name and content.strip():
                yield Entry(field, content, "meta")


def _page_entries(soup: BeautifulSoup, body: Tag | None, text: str) -> Iterator[Entry]:
    """Head tables, then the page's own tags, marks and lines. Takes scripts and the body box out of `soup`."""
    fields = page_words().tags
    tagged = [Entry(fields[tag.name], tidy(tag.get_text(" ")), "page") for tag in soup.find_all(list(fields))]
    for element in (*soup.find_all(_SILENT), body):
        if element is not None:
            element.extract()
    labelled = entries(_rows(soup))
    yield from (entry for entry in labelled if entry.origin == "head_table")
    yield from tagged
    yield from _mark_entries(text)
    yield from (entry for entry in labelled if entry.origin == "page")
    yield from _breadcrumb(soup)


def _mark_entries(text: str) -> Iterator[Entry]:
    """Values between the comments that Hanweb leaves round its fields."""
    fields = page_words().marks
    for match in _MARK.finditer(text):
        field = fields.get(match["name"])
        if field:
            yield Entry(field, tidy(_TAG.sub("", match["value"])), "page")


def _breadcrumb(soup: BeautifulSoup) -> Iterator[Entry]:
    """The last column named after 当前位置."""
    words = page_words()
    for string in soup.find_all(string=True):
        if not squeeze(string).strip("【[").startswith(words.breadcrumb_starts):
            continue
        container = string.parent
        while container is not None and container.find("a") is None and container.name not in ("body", "html"):
            container = container.parent
        if container is None or container.name in ("body", "html"):
            return
        steps = [tidy(step) for step in _STEP.split(container.get_text(" "))][1:]
        columns = [step for step in steps if step and step not in words.not_columns]
        if columns:
            yield Entry("column_name", columns[-1], "page")
        return


def _rows(soup: BeautifulSoup) -> Iterator[Row]:
    """The page as rows of strings: table rows, `dl` lists, and blocks of loose text."""
    loose: list[tuple[Tag, list[str]]] = []
    node: PageElement | None = soup.contents[0] if soup.contents else None
    while node is not None:
        if isinstance(node, Tag) and _is_row(node):
            yield Row(_cells(node), group=id(_group(node)))
            node = _after(node)
            continue
        if isinstance(node, NavigableString) and not isinstance(node, Comment) and node.strip():
            block = _block(node)
            if not loose or loose[-1][0] is not block:
                loose.append((block, []))
            loose[-1][1].append(str(node))
        node = node.next_element
    yield from _loose_rows(loose)


def _loose_rows(blocks: list[tuple[Tag, list[str]]]) -> Iterator[Row]:
    """Blocks of loose text; one that is a single string is joined to its next sibling, which may hold its value."""
    held: tuple[Tag, list[str]] | None = None
    for block, strings in blocks:
        if held is not None and len(held[1]) == 1 and len(strings) == 1 and held[0].parent is block.parent:
            yield Row((held[1][0], strings[0]))
        elif held is not None:
            yield Row(tuple(held[1]))
        held = (block, strings)
    if held is not None:
        yield Row(tuple(held[1]))


def _is_row(element: Tag) -> bool:
    if element.name == "dl":
        return True
    return element.name == "tr" and element.find("table") is None and element.find("tr") is None


def _group(row: Tag) -> Tag:
    return row if row.name == "dl" else row.find_parent("table") or row


def _cells(row: Tag) -> tuple[str, ...]:
    names = ("dt", "dd") if row.name == "dl" else ("td", "th")
    return tuple(_shown(cell) for cell in row.find_all(names))


def _shown(cell: Tag) -> str:
    """A cell's text: pieces of one line run together, blocks and line breaks set apart."""
    pieces = []
    for node in cell.descendants:
        if isinstance(node, NavigableString) and not isinstance(node, Comment):
            pieces.append(str(node))
        elif isinstance(node, Tag) and (node.name == "br" or node.name in _BLOCKS):
            pieces.append(" ")
    return "".join(pieces)


def _block(node: PageElement) -> Tag:
    parent = node.parent
    while parent is not None and parent.parent is not None and parent.name not in _BLOCKS:
        parent = parent.parent
    if parent is None:
        raise AssertionError("a string of a parsed page stands in an element")
    return parent


def _after(element: Tag) -> PageElement | None:
    """What follows an element and all it holds."""
    node: PageElement | None = element
    while node is not None:
        if node.next_sibling is not None:
            return node.next_sibling
        node = node.parent
    return None


def _weak_titles(soup: BeautifulSoup) -> list[str]:
    """<h1> texts outside a page's header and footer, then <title>."""
    headings = [
        tidy(heading.get_text(" "))
        for heading in soup.find_all("h1")
        if not any(parent.name in _CHROME for parent in heading.parents)
    ]
    titles = [tidy(title.get_text()) for title in soup.find_all("title", limit=1)]
    return [*headings, *titles]


def _agree(field: Field, one: str, other: str) -> bool:
    """Whether two sources of a field say the same: equal days; texts of which one holds the other."""
    if field in _DATED:
        return one == other
    first, second = (_PUNCTUATION.sub("", text).lower() for text in (one, other))
    return first in second or second in first
