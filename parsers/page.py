"""Disclosure pages: title, dates, publisher, numbers, text and attachments.

Each fact is taken from the standard meta tags of 政府网站发展指引 first, the head table second, the rest of the page
last, and its origin is kept. Facts that contradict each other are findings; the earlier source stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from lxml import etree, html

from parsers.attachments import attachments, page_base
from parsers.dates import find_date, find_url_date
from parsers.decode import decode
from parsers.file_signs import may_link_files
from parsers.folded import unfolded
from parsers.furniture import Entry, Row, entries, is_meaningless
from parsers.main_text import article_text, main_text
from parsers.model import Finding, Labelled, Link, Page
from parsers.spacing import squeeze, tidy
from parsers.tree import SILENT, bare_tree, body_box, spaced_text, strings, tree
from parsers.vocabulary import Field, page_words

__all__ = ["PageKind", "main_text", "page_kind", "read_links", "read_page", "title_without_site"]

PageKind = Literal["report", "digest", "explanation", "unknown"]

_BLOCKS = frozenset(
    (
        *("address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "footer", "form", "header"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "li", "nav", "ol", "p", "section", "table", "td", "th", "tr", "ul"),
    )
)
_CHROME = ("header", "nav", "footer")
_CELLS = {"dl": ("dt", "dd"), "tr": ("td", "th")}
_PAGE = ("body", "html")
_SITE_CODE = re.compile(r"\d{10}|bm\d{8}", re.IGNORECASE)
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
    root = tree(decoded.text)
    if root is None:
        root = html.Element("html")
    links, findings = attachments(root, base=page_base(root, url), encoding=decoded.encoding)
    collected = _Collected(list(findings))
    for entry in (*_meta_entries(root), *_page_entries(root, decoded.text)):
        collected.take(entry)
    collected.take_weak_title(_weak_titles(root))
    found = find_url_date(url)
    if found and "published_date" not in collected.values:
        collected.values["published_date"] = Labelled(found.value, "url")
    return Page(
        **{field: value for field, value in collected.values.items() if field != "other"},
        text=article_text(root, url=url) if with_text else "",
        attachments=links,
        findings=tuple(collected.findings),
    )


def read_links(data: bytes, *, url: str = "") -> tuple[Link, ...]:
    """The attachments that `read_page` finds, and nothing else: a tenth of the time, less where the page has none."""
    data = unfolded(data)
    if not may_link_files(data, url=url):
        return ()
    decoded = decode(data)
    root = bare_tree(decoded.text)
    if root is None:
        return ()
    return attachments(root, base=page_base(root, url), encoding=decoded.encoding)[0]


def page_kind(title: str) -> PageKind:
    """What a page with this title is: the report, its picture digest (图解), its explanation (解读)."""
    for kind, words in page_words().kinds.items():
        if any(word in title for word in words):
            return _KINDS[kind]
    return "unknown"


_KINDS: dict[str, PageKind] = {"digest": "digest", "explanation": "explanation", "report": "report"}


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


def _meta_entries(root: etree._Element) -> Iterator[Entry]:
    """Standard meta tags, wherever they stand: products write them into the body as well."""
    metas = [(meta.get("name", "").strip().lower(), meta.get("content", "")) for meta in root.iter("meta")]
    for name, field in page_words().meta.items():
        for found, content in metas:
            if found == name and content.strip():
                yield Entry(field, content, "meta")


def _page_entries(root: etree._Element, text: str) -> Iterator[Entry]:
    """Head tables, then the page's own tags, marks and lines; not those in scripts and in the body box."""
    fields = page_words().tags
    around = _Around(body_box(root))
    labelled = entries(around.rows(root))
    yield from (entry for entry in labelled if entry.origin == "head_table")
    for element in root.iter(*fields):
        yield Entry(fields[element.tag], spaced_text(element), "page")
    yield from _mark_entries(text)
    yield from (entry for entry in labelled if entry.origin == "page")
    yield from around.breadcrumb(root)


def _mark_entries(text: str) -> Iterator[Entry]:
    """Values between the comments that Hanweb leaves round its fields."""
    fields = page_words().marks
    for match in _MARK.finditer(text):
        field = fields.get(match["name"])
        if field:
            yield Entry(field, tidy(_TAG.sub("", match["value"])), "page")


class _Around:
    """A page without its scripts and without the body box."""

    def __init__(self, body: etree._Element | None) -> None:
        self._body = body

    def rows(self, root: etree._Element) -> Iterator[Row]:
        """The page as rows of strings: table rows, `dl` lists, and blocks of loose text."""
        loose: list[tuple[etree._Element, list[str]]] = []
        groups: dict[etree._Element, int] = {}
        for text, around in self._strings_and_rows(root):
            if text is None:
                group = groups.setdefault(_group(around), len(groups) + 1)
                yield Row(tuple(self._shown(cell) for cell in around.iter(*_CELLS[around.tag])), group=group)
            elif text.strip():
                block = _block(around)
                if not loose or loose[-1][0] is not block:
                    loose.append((block, []))
                loose[-1][1].append(text)
        yield from _loose_rows(loose)

    def breadcrumb(self, root: etree._Element) -> Iterator[Entry]:
        """The last column named after 当前位置."""
        words = page_words()
        for text, parent in self._strings(root):
            if not squeeze(text).strip("【[").startswith(words.breadcrumb_starts):
                continue
            container: etree._Element | None = parent
            while container is not None and container.tag not in _PAGE and container.find(".//a") is None:
                container = container.getparent()
            if container is None or container.tag in _PAGE:
                return
            shown = " ".join(text for text, _ in self._strings(container))
            steps = [tidy(step) for step in _STEP.split(shown)][1:]
            columns = [step for step in steps if step and step not in words.not_columns]
            if columns:
                yield Entry("column_name", columns[-1], "page")
            return

    def _is_left_out(self, element: etree._Element) -> bool:
        return element is self._body or element.tag in SILENT

    def _strings(self, root: etree._Element) -> Iterator[tuple[str, etree._Element]]:
        """Every string of an element with the element that holds it."""
        walk = etree.iterwalk(root, events=("start", "end", "comment"))
        for event, element in walk:
            if event == "start":
                if self._is_left_out(element):
                    walk.skip_subtree()
                elif element.text:
                    yield element.text, element
            elif element.tail and element is not root:
                yield element.tail, element.getparent()

    def _strings_and_rows(self, root: etree._Element) -> Iterator[tuple[str | None, etree._Element]]:
        """Strings as `_strings` gives them; rows of tables and `dl` lists come whole, with None."""
        walk = etree.iterwalk(root, events=("start", "end", "comment"))
        for event, element in walk:
            if event == "start":
                if self._is_left_out(element):
                    walk.skip_subtree()
                elif _is_row(element):
                    walk.skip_subtree()
                    yield None, element
                elif element.text:
                    yield element.text, element
            elif element.tail and element is not root:
                yield element.tail, element.getparent()

    def _shown(self, cell: etree._Element) -> str:
        """A cell's text: pieces of one line run together, blocks and line breaks set apart."""
        pieces: list[str] = []
        walk = etree.iterwalk(cell, events=("start", "end", "comment"))
        for event, element in walk:
            if event == "start":
                if element is not cell and (element.tag == "br" or element.tag in _BLOCKS):
                    pieces.append(" ")
                if self._is_left_out(element):
                    walk.skip_subtree()
                else:
                    pieces.append(element.text or "")
            elif element is not cell:
                pieces.append(element.tail or "")
        return "".join(pieces)


def _loose_rows(blocks: list[tuple[etree._Element, list[str]]]) -> Iterator[Row]:
    """Blocks of loose text; one that is a single string is joined to its next sibling, which may hold its value."""
    held: tuple[etree._Element, list[str]] | None = None
    for block, pieces in blocks:
        if held is not None and len(held[1]) == 1 and len(pieces) == 1 and held[0].getparent() is block.getparent():
            yield Row((held[1][0], pieces[0]))
        elif held is not None:
            yield Row(tuple(held[1]))
        held = (block, pieces)
    if held is not None:
        yield Row(tuple(held[1]))


def _is_row(element: etree._Element) -> bool:
    if element.tag == "dl":
        return True
    return element.tag == "tr" and next(element.iterdescendants("table", "tr"), None) is None


def _group(row: etree._Element) -> etree._Element:
    return row if row.tag == "dl" else next(row.iterancestors("table"), row)


def _block(element: etree._Element) -> etree._Element:
    while element.tag not in _BLOCKS:
        parent = element.getparent()
        if parent is None:
            return element
        element = parent
    return element


def _weak_titles(root: etree._Element) -> list[str]:
    """<h1> texts outside a page's header and footer, then <title>."""
    headings = [
        spaced_text(heading) for heading in root.iter("h1") if next(heading.iterancestors(*_CHROME), None) is None
    ]
    title = next(root.iter("title"), None)
    return headings if title is None else [*headings, tidy("".join(strings(title)))]


def _agree(field: Field, one: str, other: str) -> bool:
    """Whether two sources of a field say the same: equal days; texts of which one holds the other."""
    if field in _DATED:
        return one == other
    first, second = (_PUNCTUATION.sub("", text).lower() for text in (one, other))
    return first in second or second in first
