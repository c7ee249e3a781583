"""Word 97–2003 (.doc, and .wps of WPS Office): office-oxide's intermediate tree to paragraphs and grids.

The tree has no grid columns: a row is its cells in order, cells that a merge continues are empty ones, and a table is
broken wherever its cells change. Tables with nothing between them are one grid, of which only the order of cells within
a row is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from office_oxide import Document as OxideDocument
from office_oxide import OfficeOxideError

from parsers.errors import UnreadableDocumentError
from parsers.model import Block, Cell, Document, Finding, Grid, Paragraph
from parsers.readers import doc_marks, pasted
from parsers.readers.native import panics_refused
from parsers.sniff import DOC

MAX_CELLS = 200_000
_MAX_DEPTH = 32
_Node = dict[str, Any]

_NOT_READABLE_BY_OTHERS = ("missing stream", "CFB error")
_ENCRYPTED = ("encrypted", "password")
_NESTED = "nested tables"
_METADATA = ("title", "author", "subject", "description", "created", "modified")


def read(data: bytes) -> Document:
    """Read a .doc. A report without a table in it gets the finding `needs_conversion`: another program may see one.

    Raises UnreadableDocumentError: `damaged`, `encrypted`, `too_complex`, or `needs_conversion` for what office-oxide
    does not understand and LibreOffice may (Word 6 and 95).
    """
    data, left_out = doc_marks.shown(data)
    with panics_refused("office-oxide"):
        tree = _tree(data)
    metadata = {key: _repaired(str(value)) for key in _METADATA if (value := tree["metadata"].get(key))}
    elements = [element for section in tree["sections"] for element in section["elements"]]
    blocks = tuple(_blocks(elements))
    pictures = sum(element["type"] == "image" for element in elements)
    return Document(
        media_type=DOC,
        blocks=blocks,
        title=metadata.get("title", ""),
        metadata=metadata,
        findings=(
            *_findings(blocks, tree["metadata"].get("warnings") or (), pictures),
            *(Finding(code, f"{count} {doc_marks.LEFT_OUT[code]}") for code, count in sorted(left_out.items())),
        ),
    )


def _tree(data: bytes) -> _Node:
    try:
        return OxideDocument.from_bytes(data, "doc").to_ir()
    except OfficeOxideError as error:
        message = str(error)
        if any(word in message for word in _ENCRYPTED):
            raise UnreadableDocumentError("encrypted", f"the .doc needs its password: {message}") from error
        if message.startswith(_NOT_READABLE_BY_OTHERS):
            raise UnreadableDocumentError("damaged", f"the .doc cannot be opened: {message}") from error
        raise UnreadableDocumentError("needs_conversion", f"the .doc is not understood: {message}") from error


def _repaired(text: str) -> str:
    """Properties in UTF-8 or GBK come out a character for each byte."""
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return text


def _findings(blocks: tuple[Block, ...], warnings: Iterable[str], pictures: int) -> Iterator[Finding]:
    nested = [warning for warning in warnings if _NESTED in warning]
    for warning in nested:
        yield Finding("nested_tables", warning)
    has_table = any(isinstance(block, Grid) for block in blocks)
    if pictures and not has_table:
        yield Finding("pictures_not_read", f"no table, but {pictures} pictures, which were not read")
    if has_table and not nested:
        return
    text = "".join(block.text for block in blocks if isinstance(block, Paragraph))
    if pasted.may_be_report(text) if pictures else pasted.is_report(text):
        message = "the text is a report's, and no table that stands by itself was found in it; LibreOffice may see one"
        yield Finding("needs_conversion", message)


def _blocks(elements: Iterable[_Node]) -> Iterator[Block]:
    paragraphs, tables, cells = 0, 0, 0
    rows: list[list[str]] = []
    for element in elements:
        if element["type"] == "table":
            rows += [[_cell_text(cell) for cell in row["cells"]] for row in element["rows"]]
            cells += sum(len(row["cells"]) for row in element["rows"])
            if cells > MAX_CELLS:
                raise UnreadableDocumentError("too_complex", f"the .doc has more than {MAX_CELLS} cells")
            continue
        text = _text(element).strip(" \n\t")
        if not text:
            continue
        if rows:
            tables += 1
            yield from _table(rows, tables)
            rows = []
        paragraphs += 1
        yield Paragraph(text, f"paragraph={paragraphs}", _level(element))
    if rows:
        yield from _table(rows, tables + 1)


def _level(element: _Node) -> int | None:
    level = element.get("level")
    return level if element["type"] == "heading" and isinstance(level, int) and 1 <= level <= 6 else None


def _table(rows: list[list[str]], number: int) -> Iterator[Block]:
    """A grid; a table of one column is a box round paragraphs."""
    at = f"table={number}"
    if all(len(row) <= 1 for row in rows):
        for row_number, row in enumerate(rows):
            for text in row:
                if text:
                    yield Paragraph(text, f"{at};row={row_number + 1};column=1")
        return
    yield Grid(
        tuple(
            Cell(text, row, column, f"{at};row={row + 1};column={column + 1}")
            for row, texts in enumerate(rows)
            for column, text in enumerate(texts)
        ),
        at,
        columns_known=False,
    )


def _cell_text(cell: _Node) -> str:
    """Text of a cell, a line for each paragraph."""
    texts = (_text(element).strip(" \n\t") for element in cell["content"])
    return "\n".join(text for text in texts if text)


def _text(node: _Node, depth: int = 0) -> str:
    """All text of an element, whatever kinds of elements it is made of."""
    if depth > _MAX_DEPTH:
        raise UnreadableDocumentError("too_complex", f"the .doc nests more than {_MAX_DEPTH} deep")
    if node.get("type") == "text":
        text = doc_marks.read_back(str(node.get("text") or ""))
        # 21¹ must never become 211: a raised number is a note's mark, printed as one.
        is_mark = node.get("vertical_align") == "superscript" and text.strip().isdigit()
        return f"[{text.strip()}]" if is_mark else text
    if node.get("type") == "line_break":
        return "\n"
    separator = "" if node.get("type") in ("paragraph", "heading") else "\n"
    children = (child for key in ("content", "items", "rows", "cells") for child in node.get(key) or ())
    return separator.join(_text(child, depth + 1) for child in children if isinstance(child, dict))
