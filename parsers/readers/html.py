"""HTML pages: paragraphs and data tables in reading order, whatever Word, WPS or a page builder wrapped round them.

Text is as a browser shows it: source white space collapsed, `<br>` and block elements end lines, no-break and
ideographic spaces kept. Not shown and so not read: scripts, comments, elements hidden by style, struck-out text. A
number that only a browser could say is shown (white ink, classes that a style sheet hides) is U+FFFC.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from lxml import etree

from parsers.decode import decode
from parsers.errors import UnreadableDocumentError
from parsers.folded import unfolded
from parsers.model import Block, Cell, Document, Finding, Grid, Paragraph
from parsers.readers import html_table, html_veiled
from parsers.tree import without_ends

MEDIA_TYPE = "text/html"
# A browser draws any depth; libxml2 stops at 2,048 elements, and no page we know nests tables more than ten deep.
MAX_TABLE_DEPTH = 24
# A hundred times the largest report page met; the tree of this many takes a quarter of a gigabyte.
MAX_TAGS = 500_000


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_STRUCK = _tags("del s strike")
# What a cell may show in place of text.
_OBJECTS = _tags("img svg math object embed iframe canvas select script")
_DROPPED = (
    _STRUCK
    | (_OBJECTS - {"img", "embed"})
    | _tags("style head noscript template frame frameset applet audio video map meta link title rt rp")
)
_RAISED = _tags("sup sub")
_BLOCKS = _tags(
    "html body div p table caption thead tbody tfoot tr td th ul ol li dl dt dd h1 h2 h3 h4 h5 h6 pre blockquote "
    "center form fieldset legend address article aside footer header hr main nav section figure figcaption details "
    "summary dir menu"
)
_PARAGRAPHS = _tags("p div")
_PLAIN_RUNS = _tags("span font o:p b strong i em u a ins st1:chsdate")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all", re.IGNORECASE)
_STRUCK_STYLE = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)
# Word also moves characters by so many points.
_RAISED_STYLE = re.compile(
    r"vertical-align\s*:\s*(?:super|sub)\b|mso-text-raise\s*:\s*-?(?:1\.[5-9]|[2-9]|1\d)|position\s*:\s*relative\s*;\s*top\s*:\s*-",
    re.IGNORECASE,
)
_NOTE_LINK = re.compile(r"#_?(?:ftn|edn|fn|note)", re.IGNORECASE)
# Pictures so small hold a layout open.
_SPACERS = ("0", "1", "0px", "1px")
_OBJECT = "\ufffc"
_HAN = re.compile(r"[\u3400-\u9fff]")
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
# libxml2 never yields NUL in text, so it can stand for a line break until source white space is collapsed.
_BREAK = "\0"
_AROUND_BREAK = re.compile(rf" ?{_BREAK} ?")
_PAGE_END = re.compile(r"</(?:html|body)\s*>", re.IGNORECASE)
_PAGE_END_WITHIN = 2000
_TABLE_TAG = re.compile(r"<(/?)(table|tr|td|th)\b", re.IGNORECASE)
_CUT_TAG = re.compile(r"<[^<>]*$")
_XML_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


def read(data: bytes) -> Document:
    """Read an HTML page of any encoding.

    Raises UnreadableDocumentError: `empty` (no markup, no text), `too_complex` (nested beyond any real page).
    """
    decoded = decode(unfolded(data))
    text, is_cut = _ended(decoded.text)
    root = _parse(text)
    reader = _Reader(root)
    if decoded.broken:
        reader.note("broken_encoding", f"{decoded.broken} places are not {decoded.encoding}; shown as U+FFFD", "")
    if is_cut:
        reader.note("cut_off", "the page breaks off in the middle of a table; what follows is missing", "")
    blocks = tuple(reader.blocks(root))
    return Document(
        media_type=MEDIA_TYPE,
        blocks=blocks,
        title=_title(root),
        metadata=_metadata(root),
        findings=reader.all_findings(),
    )


def places(text: str) -> dict[str, etree._Element]:
    """The element that each locator of a page's paragraphs, tables and cells speaks of. Raises as `read` does."""
    root = _parse(text)
    reader = _Reader(root)
    reader.places = {}
    for _ in reader.blocks(root):
        pass
    return reader.places


def _ended(text: str) -> tuple[str, bool]:
    """The page, and whether it breaks off within a table; the cell it breaks off in is marked as not wholly there."""
    if _PAGE_END.search(text, max(0, len(text) - _PAGE_END_WITHIN)):
        return text, False
    whole = _CUT_TAG.sub("", text)
    tags = [(tag[1], tag[2].lower()) for tag in _TABLE_TAG.finditer(whole)]
    if tags.count(("", "table")) <= tags.count(("/", "table")):
        return text, False
    return (whole + _OBJECT if tags[-1] in (("", "td"), ("", "th")) else whole), True


def _parse(text: str) -> etree._Element:
    if text.count("<") > MAX_TAGS:
        raise UnreadableDocumentError("too_complex", f"the page has more than {MAX_TAGS} tags")
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True, recover=True
    )
    try:
        shown = _XML_UNSAFE.sub("\ufffd", without_ends(text))
        root = etree.fromstring(shown.encode("utf-8", errors="replace"), parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableDocumentError("empty", f"no HTML could be read: {error}") from error
    if root is None:
        raise UnreadableDocumentError("empty", "the page holds no element and no text")
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise UnreadableDocumentError("too_complex", "the page nests elements more than 2,048 deep")
    return root


def _title(root: etree._Element) -> str:
    for element in root.iter("title"):
        text = _SPACES.sub(" ", html_table.all_text(element)).strip()
        if text:
            return text
    return ""


def _metadata(root: etree._Element) -> dict[str, str]:
    """Meta tags wherever they stand (page builders put them into the body): the first that says something wins."""
    metadata: dict[str, str] = {}
    for element in root.iter("meta"):
        name = (element.get("name") or element.get("property") or "").strip()
        content = (element.get("content") or "").strip()
        if name and (content or name not in metadata) and not metadata.get(name):
            metadata[name] = content
    return metadata


@dataclass(slots=True)
class _Line:
    """Text gathered since the last block boundary. `element`: where it begins."""

    parts: list[str] = field(default_factory=list)
    level: int | None = None
    element: etree._Element | None = None

    def add(self, text: str, element: etree._Element | None) -> None:
        if not self.parts:
            self.element = element
        self.parts.append(text)

    def take(self) -> list[str]:
        """The paragraphs gathered, split where two line breaks follow each other; the line is empty after."""
        text = _AROUND_BREAK.sub("\n", _SPACES.sub(" ", "".join(self.parts))).strip(" \n")
        self.parts.clear()
        if not text or text.isspace():
            return []
        if "\n" not in text:
            return [text]
        return list(_split_at_blank_lines(text.split("\n")))


def _split_at_blank_lines(lines: list[str]) -> Iterator[str]:
    together: list[str] = []
    for line in [*lines, ""]:
        if line and not line.isspace():
            together.append(line)
        elif together:
            yield "\n".join(together)
            together = []


_Style = Literal["", "hidden", "struck", "raised", "veiled"]


class _Reader:
    """Walks one page. Tables are numbered in document order, layout tables included, as a person counts them."""

    def __init__(self, root: etree._Element) -> None:
        self._has_hidden = bool(root.xpath("boolean(//@hidden)"))
        self._has_fonts = bool(root.xpath("boolean(//td//font/@color)"))
        self._veils = html_veiled.classes(root)
        self._findings: list[Finding] = []
        self._dropped: Counter[str] = Counter()
        self._paragraphs = 0
        self._tables = 0
        self._styles: dict[str, _Style] = {}
        # Filled where it is asked which element a locator means.
        self.places: dict[str, etree._Element] | None = None

    def note(self, code: str, message: str, locator: str) -> None:
        self._findings.append(Finding(code, message, locator))

    def all_findings(self) -> tuple[Finding, ...]:
        messages = {
            "hidden_table": "tables hidden by their style were left out",
            "struck_text": "places of struck-out text were left out",
            "veiled_number": "cells hold numbers, or nothing, that a style may hide, or replace by what it draws",
        }
        dropped = [Finding(code, f"{count} {messages[code]}") for code, count in sorted(self._dropped.items())]
        return (*self._findings, *dropped)

    def blocks(self, root: etree._Element, depth: int = 0) -> Iterator[Block]:
        """Paragraphs and grids below `root`; inside cells paragraphs are not counted for locators (depth > 0)."""
        line = _Line()
        preformatted = 0
        nested = depth
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            tag = element.tag
            if event == "start":
                style = self._style(element) if element is not root else ""
                if tag in _DROPPED or style in ("hidden", "struck"):
                    self._count_dropped(element, is_struck=tag in _STRUCK or style == "struck")
                    walk.skip_subtree()
                    continue
                is_raised = tag in _RAISED or (style == "raised" and tag not in _BLOCKS) or _is_note_link(element, tag)
                if is_raised and (mark := html_table.all_text(element).strip()).isdigit():
                    # 21¹ must never become 211: a raised number is a note's mark, printed as one.
                    line.add(f"[{mark}]", element)
                    walk.skip_subtree()
                    continue
                if tag in _BLOCKS:
                    if line.parts:
                        yield from self._paragraphs_of(line, depth)
                    line.level = _HEADINGS.get(tag, line.level)
                if tag == "table" and element is not root:
                    nested += 1
                    _refuse_depth(nested)
                    self._tables += 1
                    if html_table.is_data(element):
                        yield from self._grids(element, depth + 1)
                        walk.skip_subtree()
                        continue
                preformatted += tag == "pre"
                text = _shown_text(element, tag)
                if text and (line.parts or not text.isspace()):
                    line.add(text.replace("\n", _BREAK) if preformatted else text, element)
                continue
            if tag in _BLOCKS:
                if line.parts:
                    yield from self._paragraphs_of(line, depth)
                line.level = None if tag in _HEADINGS else line.level
                nested -= tag == "table" and element is not root
                preformatted -= tag == "pre"
            text = element.tail
            if text and element is not root and (line.parts or not text.isspace()):
                line.add(text.replace("\n", _BREAK) if preformatted else text, element.getparent())
        yield from self._paragraphs_of(line, depth)

    def _paragraphs_of(self, line: _Line, depth: int) -> Iterator[Paragraph]:
        for text in line.take():
            if depth == 0:
                self._paragraphs += 1
                self._place(f"paragraph={self._paragraphs}", line.element)
            yield Paragraph(text, f"paragraph={self._paragraphs}", line.level)

    def _place(self, locator: str, element: etree._Element | None) -> None:
        if self.places is not None and element is not None:
            self.places.setdefault(locator, element)

    def _is_hidden(self, element: etree._Element) -> bool:
        return self._style(element) == "hidden"

    def _style(self, element: etree._Element) -> _Style:
        """What an element's own style does to its text."""
        if self._has_hidden and element.get("hidden") is not None:
            return "hidden"
        is_veiled = (self._veils or self._has_fonts) and html_veiled.of_element(element, self._veils)
        style = element.get("style")
        if not style:
            return "veiled" if is_veiled else ""
        # Word writes the same few styles thousands of times.
        found = self._styles.get(style)
        if found is None:
            found = self._styles[style] = _style_of(style)
        return found or ("veiled" if is_veiled else "")

    def _plain_text(self, cell: etree._Element) -> str | None:
        """Text of a cell of at most one paragraph of plain runs, as nearly all are; None for any other."""
        paragraph = cell
        if len(cell) == 1 and cell[0].tag in _BLOCKS:
            paragraph = cell[0]
            if not (_is_blank(cell.text) and _is_blank(paragraph.tail)) or self._style(paragraph):
                return None
            if paragraph.tag not in _PARAGRAPHS:
                return None
        for element in paragraph.iterdescendants():
            tag = element.tag
            if tag not in _PLAIN_RUNS or self._style(element) or _is_note_link(element, tag):
                return None
        text = _SPACES.sub(" ", html_table.all_text(paragraph)).strip(" ")
        return "" if text.isspace() else text

    def _count_dropped(self, element: etree._Element, *, is_struck: bool) -> None:
        if is_struck and html_table.all_text(element).strip():
            self._dropped["struck_text"] += 1
        tables = sum(1 for _ in element.iter("table")) if element.tag not in _DROPPED else 0
        if tables:
            self._tables += tables
            self._dropped["hidden_table"] += tables

    def _grids(self, table: etree._Element, depth: int) -> Iterator[Block]:
        """The grid of a data table, before it what stands in the table but in no cell, after it its nested grids."""
        _refuse_depth(depth)
        number = self._tables
        self._place(f"table={number}", table)
        for outside in html_table.outside_cells(table):
            self._paragraphs += 1
            self._place(f"paragraph={self._paragraphs}", table)
            yield Paragraph(_SPACES.sub(" ", outside).strip(), f"paragraph={self._paragraphs}")
        placed, clamped = html_table.place(row for row in html_table.rows(table) if not self._is_hidden(row.element))
        if clamped:
            self.note("span_clamped", f"{clamped} cells claim impossible spans; cut to the table", f"table={number}")
        inner: list[Block] = []
        cells: list[Cell] = []
        for cell in placed:
            style = self._style(cell.element)
            if style == "hidden":
                continue
            row = cell.element.getparent()
            is_plain = not style and (row is None or not self._style(row))
            text = self._plain_text(cell.element) if is_plain else None
            if text is None:
                found = list(self.blocks(cell.element, depth))
                text = "\n".join([block.text for block in found if isinstance(block, Paragraph)])
                grids = [block for block in found if isinstance(block, Grid)]
                inner.extend(grids)
                if not text and (grids or any(map(_is_object, cell.element.iter(*_OBJECTS)))):
                    # What a picture or a table within shows is not nothing.
                    text = _OBJECT
                if not _HAN.search(text) and html_veiled.hides(cell.element, self._veils):
                    self._dropped["veiled_number"] += 1
                    text = _OBJECT
            locator = f"table={number};row={cell.row + 1};column={cell.column + 1}"
            self._place(locator, cell.element)
            cells.append(Cell(text, cell.row, cell.column, locator, cell.row_span, cell.column_span))
        if cells:
            yield Grid(tuple(cells), f"table={number}")
        yield from inner


def _style_of(style: str) -> _Style:
    if _HIDDEN_STYLE.search(style):
        return "hidden"
    if _STRUCK_STYLE.search(style):
        return "struck"
    if _RAISED_STYLE.search(style):
        return "raised"
    return "veiled" if html_veiled.of_style(style) else ""


def _is_note_link(element: etree._Element, tag: str) -> bool:
    return tag == "a" and _NOTE_LINK.match(element.get("href") or "") is not None


def _is_object(element: etree._Element) -> bool:
    return element.get("width") not in _SPACERS and element.get("height") not in _SPACERS


def _is_blank(text: str | None) -> bool:
    return not text or text.isspace()


def _refuse_depth(depth: int) -> None:
    if depth > MAX_TABLE_DEPTH:
        raise UnreadableDocumentError("too_complex", f"the page nests tables more than {MAX_TABLE_DEPTH} deep")


def _shown_text(element: etree._Element, tag: str) -> str:
    if tag == "br":
        return _BREAK
    if tag == "input":
        is_shown = (element.get("type") or "text").lower() in ("text", "number", "tel", "date")
        return element.get("value") or "" if is_shown else ""
    return element.text or ""
