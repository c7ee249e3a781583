"""Word's docx: paragraphs and tables straight from the XML, in reading order.

Tracked deletions, hidden and struck-out text are left out, as in print; rows and cells wrapped in content controls are
kept. Cells keep their order within a row: LibreOffice sometimes adds a grid column that no cell starts in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lxml import etree
from msgspec import Struct

from parsers.errors import UnreadableDocumentError
from parsers.model import Block, Cell, Document, Finding, Grid, Paragraph
from parsers.readers import pasted
from parsers.readers.doc_marks import LEFT_OUT
from parsers.readers.docx_numbering import Numbering, numbering
from parsers.readers.ooxml import Package
from parsers.readers.white import is_white
from parsers.sniff import DOCX

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
MAX_TABLE_DEPTH = 24
_MAX_SPAN = 100
_MAX_COLUMNS = 200

_P, _R, _T, _TBL, _TR, _TC = (f"{_W}{name}" for name in ("p", "r", "t", "tbl", "tr", "tc"))
_P_PR, _R_PR, _TR_PR, _TC_PR = (f"{_W}{name}Pr" for name in ("p", "r", "tr", "tc"))
_R_STYLE = f"{_W}rStyle"
_STYLE, _STYLE_NAME, _P_STYLE, _OUTLINE = (f"{_W}{name}" for name in ("style", "name", "pStyle", "outlineLvl"))
_GRID_SPAN, _V_MERGE, _GRID_BEFORE = (f"{_W}{name}" for name in ("gridSpan", "vMerge", "gridBefore"))
_DEL, _CELL_DEL, _HIDDEN, _VERT_ALIGN = (f"{_W}{name}" for name in ("del", "cellDel", "hidden", "vertAlign"))
_POSITION, _COLOR, _GROUND = (f"{_W}{name}" for name in ("position", "color", "shd"))
_NUM_PR, _NUM_ID, _NUM_LEVEL = (f"{_W}{name}" for name in ("numPr", "numId", "ilvl"))
_VAL, _TYPE, _STYLE_ID = (f"{_W}{name}" for name in ("val", "type", "styleId"))
_SDT, _SDT_CONTENT, _TEXT_BOX = (f"{_W}{name}" for name in ("sdt", "sdtContent", "txbxContent"))
_ALTERNATE, _CHOICE, _FALLBACK = (f"{_MC}{name}" for name in ("AlternateContent", "Choice", "Fallback"))
_WRAPPERS = frozenset(
    f"{_W}{name}"
    for name in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml", "hyperlink", "fldSimple", "dir", "bdo")
) | {_ALTERNATE}
_DELETED = frozenset((_DEL, f"{_W}moveFrom"))
_DRAWINGS = frozenset((f"{_W}drawing", f"{_W}pict", f"{_W}object"))
_BREAKS = {f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}tab": "\t", f"{_W}ptab": "\t", f"{_W}noBreakHyphen": "-"}
_INVISIBLE = {f"{_W}vanish": "hidden_text", f"{_W}strike": "struck_text", f"{_W}dstrike": "struck_text"}
# What a cell may show in place of text; what floats over the page is not its own.
_IN_LINE = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}inline"
_FORMULA = "{http://schemas.openxmlformats.org/officeDocument/2006/math}oMath"
_PICTURE = f"{_W}pict"
_OBJECTS = (
    _IN_LINE, _FORMULA, _PICTURE, *(f"{_W}{name}" for name in ("object", "ruby", "instrText", "fldSimple", "altChunk")),
)  # fmt: skip
_SHOWN_PICTURES = (
    "{http://schemas.openxmlformats.org/drawingml/2006/main}blip",
    "{urn:schemas-microsoft-com:vml}imagedata",
)
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_FOREIGN_PART = f"{_W}altChunk"
_FLOATING = re.compile(r"position\s*:\s*absolute")
_SYMBOL = f"{_W}sym"
_OBJECT = "\ufffc"
_HAN = re.compile(r"[\u3400-\u9fff]")
# Nine of ten elements say how things look, and building them takes most of the time; `w` is what every producer calls
# the namespace, and nothing follows from them if it is another. White ink is kept, and what is not white behind it.
_LOOKS = re.compile(
    rb"<w:(?:adjustRightInd|autoSpaceD[EN]|bCs|bidi|bookmarkEnd|bookmarkStart|bottom|b|end|gridCol|iCs|ind|"
    rb'color(?! w:val="(?:[Ff][A-Fa-f]){3}")|shd(?![^<>]* w:fill="(?!auto|[Ff]{6}))|'
    rb"insideH|insideV|i|jc|keepLines|keepNext|kern|lang|left|noWrap|proofErr|rFonts|right|snapToGrid|spacing|"
    rb"start|suppressLineNumbers|szCs|sz|tblLayout|tblLook|tblW|tcW|textAlignment|top|trHeight|u|vAlign|widowControl|"
    rb"wordWrap)(?: [^<>]*)?/>"
)
_TELLING = re.compile(rb"<w:(?:vertAlign|position|vanish|d?strike)\b")
_STYLE_TYPE = re.compile(rb' w:type="(\w+)"')
# Half points up or down from which a run stands beside its line; less is a matter of fonts.
_LEAST_RAISED = 3
_OFF = ("0", "false", "off", "none")
_CORE = ("title", "subject", "creator", "lastModifiedBy", "created", "modified")


def read(data: bytes) -> Document:
    """Read a docx file.

    Raises UnreadableDocumentError: `damaged`, `encrypted`, `bomb`, `too_large`, `too_complex`.
    """
    package = Package(data)
    main = package.related("officeDocument") or "word/document.xml"
    root = package.tree(main, _without_looks)
    if root is None:
        raise UnreadableDocumentError("damaged", f"the package has no main part {main}")
    body = _child(root, f"{_W}body")
    if body is None:
        raise UnreadableDocumentError("damaged", f"{main} holds no body; its root is {root.tag}")
    reader = _Reader(_styles(package, main), _numbering(package, main))
    blocks = tuple(reader.blocks(body))
    metadata = _metadata(package)
    findings = [*reader.findings(), *_foreign(body)]
    if not any(isinstance(block, Grid) for block in blocks):
        more, said = _pasted(_pictures(package, main, body), blocks)
        blocks += more
        findings += said
    return Document(
        media_type=DOCX,
        blocks=blocks,
        title=metadata.get("title", ""),
        metadata=metadata,
        findings=tuple(findings),
    )


def pictures(data: bytes) -> list[bytes]:
    """The pictures that the text shows, in its order. Raises UnreadableDocumentError as `read` does."""
    package = Package(data)
    main = package.related("officeDocument") or "word/document.xml"
    root = package.tree(main)
    return _pictures(package, main, root) if root is not None else []


def _pictures(package: Package, main: str, body: etree._Element) -> list[bytes]:
    # A picture stands there twice, for new and for old versions of Word.
    shown = dict.fromkeys(
        picture.get(f"{_RELATION}embed") or picture.get(f"{_RELATION}id") or ""
        for picture in body.iter(_SHOWN_PICTURES)
    )
    parts = package.related_by_id(of=main) if shown else {}
    return [package.part(parts.get(identifier, "")) or b"" for identifier in shown]


def _pasted(pictures: list[bytes], blocks: Iterable[Block]) -> tuple[tuple[Block, ...], tuple[Finding, ...]]:
    """The pages of a report that a document without tables shows as pictures."""
    if not pictures:
        return (), ()
    if not pasted.may_be_report("".join(block.text for block in blocks if isinstance(block, Paragraph))):
        message = f"no table, but {len(pictures)} pictures, which were not read"
        return (), (Finding("pictures_not_read", message),)
    return pasted.read(pictures)


def _foreign(body: etree._Element) -> Iterator[Finding]:
    count = sum(1 for _ in body.iter(_FOREIGN_PART))
    if count:
        yield Finding("foreign_part", f"{count} parts of the document are in another format; they were not read")


def _child(element: etree._Element | None, tag: str) -> etree._Element | None:
    return None if element is None else next(element.iterchildren(tag), None)


def _without_looks(content: bytes) -> bytes:
    return _LOOKS.sub(b"", content)


def _telling_styles(content: bytes) -> bytes:
    """Styles of paragraphs, and those of characters that raise or hide: templates hold a great many others."""
    end = b"</w:style>"
    *parts, rest = content.split(end)
    kept = []
    for part in parts:
        start = part.rfind(b"<w:style ")
        kind = _STYLE_TYPE.search(part, start, part.find(b">", start)) if start >= 0 else None
        is_telling = not kind or kind[1] == b"paragraph" or (kind[1] == b"character" and _TELLING.search(part, start))
        kept.append(part + end if is_telling else part[:start])
    return _without_looks(b"".join((*kept, rest)))


def _value(element: etree._Element | None) -> str:
    return "" if element is None else element.get(_VAL) or ""


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def _metadata(package: Package) -> dict[str, str]:
    """Core properties; a docx without them, or with broken ones, is read all the same."""
    try:
        root = package.tree(package.related("core-properties") or "docProps/core.xml")
    except UnreadableDocumentError:
        return {}
    if root is None:
        return {}
    found = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in root.iterchildren("*")}
    return {name: found[name] for name in _CORE if found.get(name)}


def _numbering(package: Package, main: str) -> Numbering:
    try:
        return numbering(package.tree(package.related("numbering", of=main) or "word/numbering.xml"))
    except UnreadableDocumentError:
        return Numbering()


# The finding's code for characters that are not shown, else ""; whether they stand beside their line.
_Effect = tuple[str, bool]


@dataclass(slots=True)
class _Styles:
    """By a style's id: its heading level; its list and level there; what it does to characters."""

    levels: dict[str, int] = field(default_factory=dict)
    lists: dict[str, tuple[str, int]] = field(default_factory=dict)
    effects: dict[str, _Effect] = field(default_factory=dict)


def _styles(package: Package, main: str) -> _Styles:
    """Heading levels are those of the styles' outlines or of their built-in names."""
    styles = _Styles()
    try:
        root = package.tree(package.related("styles", of=main) or "word/styles.xml", _telling_styles)
    except UnreadableDocumentError:
        return styles
    for style in root.iterchildren(_STYLE) if root is not None else ():
        style_id = style.get(_STYLE_ID) or ""
        if style.get(_TYPE) == "character" and (properties := _child(style, _R_PR)) is not None:
            styles.effects[style_id] = _effect(properties)
        if style.get(_TYPE) != "paragraph":
            continue
        name = _value(_child(style, _STYLE_NAME)).lower()
        properties = _child(style, _P_PR)
        if name.startswith("heading ") and name[8:].isdigit():
            level = int(name[8:])
        elif name == "title":
            level = 1
        else:
            level = _number(_value(_child(properties, _OUTLINE)), 9) + 1
        if 1 <= level <= 6:
            styles.levels[style_id] = level
        listed = _list_place(properties)
        if listed:
            styles.lists[style_id] = listed
    return styles


def _effect(properties: etree._Element, effect: _Effect = ("", False)) -> _Effect:
    """What run properties make of the `effect` that a style had."""
    hidden, raised = effect
    for setting in properties:
        tag = setting.tag
        if tag in _INVISIBLE:
            if _value(setting) not in _OFF:
                hidden = _INVISIBLE[tag]
            elif hidden == _INVISIBLE[tag]:
                hidden = ""
        elif tag == _VERT_ALIGN:
            raised = _value(setting) in ("superscript", "subscript")
        elif tag == _POSITION:
            raised = raised or _number(_value(setting).lstrip("-"), 0) >= _LEAST_RAISED
    return hidden, raised


def _list_place(properties: etree._Element | None) -> tuple[str, int] | None:
    """List and level that paragraph properties name."""
    place = _child(properties, _NUM_PR)
    if place is None:
        return None
    return _value(_child(place, _NUM_ID)), min(_number(_value(_child(place, _NUM_LEVEL)), 0), 8)


class _RowCell(Struct, frozen=True, gc=False):
    """A cell of one row: how many grid columns it claims, and its part in a merge: "restart", "continue" or ""."""

    element: etree._Element
    width: int
    merge: str


@dataclass(slots=True)
class _TableCell:
    """A cell of a table; rows that continue it below lengthen it."""

    text: str
    row: int
    column: int
    width: int
    row_span: int = 1


@dataclass(slots=True)
class _Table:
    """A table being read. `open_merges` maps a grid column to the vertically merged cell that starts there."""

    number: int
    cells: list[_TableCell] = field(default_factory=list)
    inner: list[Grid] = field(default_factory=list)
    open_merges: dict[int, _TableCell] = field(default_factory=dict)
    clamped: int = 0


class _Reader:
    """Walks one document body. Tables are numbered as they begin, paragraphs as they are printed."""

    def __init__(self, styles: _Styles, numbering_of_document: Numbering) -> None:
        self._levels = styles.levels
        self._lists = styles.lists
        self._effects = styles.effects
        self._numbering = numbering_of_document
        self._paragraphs = 0
        self._tables = 0
        self._dropped: Counter[str] = Counter()
        self._findings: list[Finding] = []

    def findings(self) -> tuple[Finding, ...]:
        dropped = (Finding(code, f"{count} {LEFT_OUT[code]}") for code, count in sorted(self._dropped.items()))
        return (*self._findings, *dropped)

    def blocks(self, body: etree._Element, depth: int = 0) -> Iterator[Block]:
        """Blocks of a body, a cell or a text box; only those of the body itself (depth 0) are counted."""
        for element in _unwrapped(body):
            if element.tag == _P:
                yield from self._paragraph(element, depth)
            elif element.tag == _TBL:
                yield from self._table(element, depth + 1)

    def _paragraph(self, element: etree._Element, depth: int) -> Iterator[Block]:
        boxes: list[etree._Element] = []
        parts: list[str] = []
        self._inline(element, parts, boxes)
        text = "".join(parts).strip(" \n\t")
        label = self._label(element) if self._numbering.lists else ""
        if label and (depth == 0 or _HAN.search(text)):
            # A number in a cell never gets another one before it.
            text = f"{label}{text}" if text and not label[-1].isalnum() else f"{label} {text}".rstrip()
        if text and not text.isspace():
            if depth == 0:
                self._paragraphs += 1
            yield Paragraph(text, f"paragraph={self._paragraphs}", None if depth else self._level(element))
        if boxes and depth > MAX_TABLE_DEPTH:
            raise UnreadableDocumentError("too_complex", f"text boxes nest more than {MAX_TABLE_DEPTH} deep")
        for box in boxes:
            yield from self.blocks(box, depth and depth + 1)

    def _label(self, paragraph: etree._Element) -> str:
        """The automatic number Word prints before the paragraph, "" for none."""
        properties = _child(paragraph, _P_PR)
        if properties is None or not len(properties):
            return ""
        place = _list_place(properties) or (self._lists and self._lists.get(_value(_child(properties, _P_STYLE))))
        return self._numbering.label(*place) if place else ""

    def _level(self, paragraph: etree._Element) -> int | None:
        properties = _child(paragraph, _P_PR)
        if properties is None:
            return None
        level = _number(_value(_child(properties, _OUTLINE)), 9) + 1
        if level <= 6:
            return level
        return self._levels.get(_value(_child(properties, _P_STYLE)))

    def _inline(self, parent: etree._Element, parts: list[str], boxes: list[etree._Element]) -> None:
        for element in parent:
            tag = element.tag
            if tag == _R:
                self._run(element, parts, boxes)
            elif tag in _DELETED:
                self._dropped["deleted_text"] += 1
            elif tag == _FORMULA:
                parts.append(_OBJECT)
            elif tag in _WRAPPERS:
                for content in _contents(element):
                    self._inline(content, parts, boxes)

    def _run(self, run: etree._Element, parts: list[str], boxes: list[etree._Element]) -> None:
        raised = is_pale = False
        for element in run:
            tag = element.tag
            if tag == _T:
                text = element.text or ""
                if is_pale and text.strip() and not _HAN.search(text) and _is_unseen(run):
                    self._dropped["white_number"] += 1
                    text = _OBJECT
                # 21¹ must never become 211: a raised number is a note's mark, printed as one.
                parts.append(f"[{text.strip()}]" if raised and text.strip().isdigit() else text)
            elif tag == _R_PR:
                hidden, raised = _effect(element, self._effects.get(_value(_child(element, _R_STYLE)), ("", False)))
                if hidden:
                    self._dropped[hidden] += 1
                    return
                is_pale = is_white(_value(_child(element, _COLOR)))
            elif tag in _BREAKS:
                parts.append(_BREAKS[tag])
            elif tag == _SYMBOL:
                # A character by its place in a font of pictures.
                parts.append(_OBJECT)
            elif tag in _DRAWINGS or tag == _ALTERNATE:
                boxes.extend(_text_boxes(element))
                # What an old version of Word prints in place of a sign of a new one's.
                parts.extend(text.text or "" for text in element.iterfind(f"{_FALLBACK}/{_T}"))

    def _table(self, element: etree._Element, depth: int) -> Iterator[Block]:
        """A grid and the grids inside it; a table of one column is a box round paragraphs."""
        if depth > MAX_TABLE_DEPTH:
            raise UnreadableDocumentError("too_complex", f"tables nest more than {MAX_TABLE_DEPTH} deep")
        self._tables += 1
        rows = [(row, list(_row_cells(row))) for row in _unwrapped(element) if row.tag == _TR and self._is_printed(row)]
        if any(len(cells) > 1 for _, cells in rows):
            yield from self._grid(rows, depth)
            return
        for _, cells in rows:
            for cell in cells:
                yield from self.blocks(cell.element, depth - 1)

    def _is_printed(self, row: etree._Element) -> bool:
        properties = _child(row, _TR_PR)
        if properties is None:
            return True
        hidden = _child(properties, _HIDDEN)
        if hidden is not None and _value(hidden) not in _OFF:
            self._dropped["hidden_text"] += 1
            return False
        return _child(properties, _DEL) is None

    def _grid(self, rows: list[tuple[etree._Element, list[_RowCell]]], depth: int) -> Iterator[Block]:
        table = _Table(self._tables)
        at = f"table={table.number}"
        for row_number, (row, cells) in enumerate(rows):
            before = _number(_value(_child(_child(row, _TR_PR), _GRID_BEFORE)), 0)
            self._row(table, row_number, min(before, _MAX_SPAN), cells, depth)
        if table.clamped:
            message = f"{table.clamped} cells claim impossible spans; cut to the table"
            self._findings.append(Finding("span_clamped", message, at))
        grid = [
            Cell(
                text=cell.text,
                row=cell.row,
                column=cell.column,
                locator=f"{at};row={cell.row + 1};column={cell.column + 1}",
                row_span=cell.row_span,
                column_span=cell.width,
            )
            for cell in table.cells
        ]
        yield Grid(tuple(grid), at)
        yield from table.inner

    def _row(self, table: _Table, row: int, column: int, cells: list[_RowCell], depth: int) -> None:
        still_open: dict[int, _TableCell] = {}
        for cell in cells:
            width = min(cell.width, _MAX_SPAN, max(1, _MAX_COLUMNS - column))
            table.clamped += cell.width > width
            above = _merge_above(table.open_merges, column, width) if cell.merge == "continue" else None
            if above is not None:
                above.row_span += 1
                still_open[column] = above
            else:
                found = _TableCell(self._text(table, cell.element, depth), row, column, width)
                table.cells.append(found)
                if cell.merge:
                    still_open[column] = found
            column += width
        table.open_merges = still_open

    def _text(self, table: _Table, cell: etree._Element, depth: int) -> str:
        """Text of a cell, a line for each paragraph; grids in it go to the table's inner ones.

        A cell that shows a picture or a table in place of text is not empty: it holds U+FFFC.
        """
        texts: list[str] = []
        holds_object = False
        for block in self.blocks(cell, depth):
            if isinstance(block, Paragraph):
                texts.append(block.text)
            else:
                table.inner.append(block)
                holds_object = True
        if not texts and (holds_object or any(map(_is_shown, cell.iter(*_OBJECTS)))):
            return _OBJECT
        return "\n".join(texts)


def _unwrapped(parent: etree._Element) -> Iterator[etree._Element]:
    """Children of `parent`, those inside content controls, insertions, links and the like included, in order."""
    for element in parent:
        if element.tag not in _WRAPPERS:
            yield element
            continue
        for content in _contents(element):
            yield from _unwrapped(content)


def _contents(wrapper: etree._Element) -> list[etree._Element]:
    """The elements whose children a wrapper wraps."""
    if wrapper.tag == _SDT:
        return list(wrapper.iterchildren(_SDT_CONTENT))
    return _alternative(wrapper) if wrapper.tag == _ALTERNATE else [wrapper]


def _alternative(element: etree._Element) -> list[etree._Element]:
    """The first choice, or the fallback: both say the same, one for new and one for old versions of Word."""
    choice = _child(element, _CHOICE)
    chosen = choice if choice is not None else _child(element, _FALLBACK)
    return [] if chosen is None else [chosen]


def _text_boxes(element: etree._Element) -> list[etree._Element]:
    """Text boxes drawn by a run, without those inside other text boxes."""
    places = _alternative(element) if element.tag == _ALTERNATE else [element]
    return [box for place in places for box in place.iter(_TEXT_BOX) if _is_outermost(box, element)]


def _is_shown(element: etree._Element) -> bool:
    if element.tag == _PICTURE:
        return not any(_FLOATING.search(shape.get("style") or "") for shape in element)
    return next(element.iterancestors(_DEL), None) is None


def _is_unseen(run: etree._Element) -> bool:
    """Whether white ink in a cell has no ground of its own; a table's style may still give it one."""
    properties = [_child(run, _R_PR)]
    is_in_cell = False
    for above in run.iterancestors(_P, _TC, _TBL, _TEXT_BOX):
        if above.tag == _TEXT_BOX:
            break
        is_in_cell = is_in_cell or above.tag == _TC
        properties.append(_child(above, f"{above.tag}Pr"))
    return is_in_cell and all(_child(each, _GROUND) is None for each in properties)


def _is_outermost(box: etree._Element, within: etree._Element) -> bool:
    for above in box.iterancestors():
        if above is within:
            return True
        if above.tag == _TEXT_BOX:
            return False
    return True


def _row_cells(row: etree._Element) -> Iterator[_RowCell]:
    """Cells of a row, without those that a tracked change deletes."""
    for element in _unwrapped(row):
        if element.tag != _TC:
            continue
        width, merge, is_deleted = 1, "", False
        first = element[0] if len(element) else None
        properties = first if first is not None and first.tag == _TC_PR else _child(element, _TC_PR)
        for setting in properties if properties is not None else ():
            tag = setting.tag
            if tag == _GRID_SPAN:
                width = max(1, _number(_value(setting), 1))
            elif tag == _V_MERGE:
                merge = "restart" if _value(setting) == "restart" else "continue"
            elif tag == _CELL_DEL:
                is_deleted = True
        if not is_deleted:
            yield _RowCell(element, width, merge)


def _merge_above(open_merges: dict[int, _TableCell], column: int, width: int) -> _TableCell | None:
    """The open merge a continuing cell belongs to: at its column, or else the nearest that starts under its span."""
    if column in open_merges:
        return open_merges[column]
    near = [start for start in open_merges if column - 1 <= start < column + width]
    return open_merges[min(near, key=lambda start: abs(start - column))] if near else None
