"""The records that pass between readers, matcher and callers.

A reader turns bytes into a `Document`: paragraphs and grids in reading order, each with a locator. The matcher reads
documents and knows nothing of formats. A `Reading` is all that was understood of one document, and what was not.

Locators are strings a person can follow, `key=value` joined by `;`, most general first, everything counted from 1:

    page=2;box=90.1,310.5,152.3,325.0     PDF, OFD: points from the page's top left corner (left, top, right, bottom)
    table=3;row=5;column=2                HTML, docx, .doc: n-th table of the document, grid row and column
    paragraph=14                          HTML, docx, .doc
    line=120;column=3                     text: line of the file, n-th tab-, bar- or space-separated cell of it
    sheet=表一;cell=B12                    sheets: the sheet's name (its semicolons full-width) and the cell
    member=附件/年报.doc;…                 archives: before the locator within the member

In .doc, whose rows do not say in which columns their cells stand, `column` counts the cells of the row.

Records of which a document has hundreds are msgspec's, which makes one in a third of the time that a dataclass takes;
nothing in them leads back to them, so the garbage collector need not know them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from msgspec import Struct

Kind = Literal["annual_report", "page", "unknown"]
FactStatus = Literal["reported", "blank", "absent", "unreadable", "inferred"]
CheckStatus = Literal["pass", "fail", "not_applicable"]
Number = int | Decimal


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that did not fit. `code` is stable; `message` says where, what was expected, what was found."""

    code: str
    message: str
    locator: str = ""


class Paragraph(Struct, frozen=True, gc=False):
    """A run of text. `level` is 1–6 where the format marks it as a heading, else None."""

    text: str
    locator: str
    level: int | None = None


class Cell(Struct, frozen=True, gc=False):
    """One printed cell. `row` and `column` are the grid position of its top left corner, from 0; text as printed.

    `confidence` is below 1 where the text was recognised in a picture: then no character of it is less sure.
    """

    text: str
    row: int
    column: int
    locator: str
    row_span: int = 1
    column_span: int = 1
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. `cells` holds each real cell once, in row-major order; merged cells carry their spans.

    `columns_known` is False where the format does not say in which column a cell stands (text with one cell per line,
    ragged tab-separated rows): then only the order of cells within a row can be relied on.
    `rows_known` is False where even row boundaries are not marked: a stream of cells, one per row.
    """

    cells: tuple[Cell, ...]
    locator: str
    columns_known: bool = True
    rows_known: bool = True


Block = Paragraph | Grid


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader made of a payload: blocks in reading order.

    `title` is the format's own (HTML <title>, PDF or docx properties), "" when it has none.
    `metadata` holds labelled facts of the container: HTML meta tags (name as printed → content), docx or PDF
    properties.
    """

    media_type: str
    blocks: tuple[Block, ...]
    title: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


class Fact(Struct, frozen=True, gc=False):
    """One cell of a statutory form as this document prints it.

    `value` is in the form's unit for the cell; `raw` is the text as printed ("" when the cell is absent).
    """

    cell: str
    value: Number | None
    raw: str
    unit: str
    status: FactStatus
    locator: str
    confidence: float = 1.0


class Check(Struct, frozen=True, gc=False):
    """One arithmetic rule of a form applied to one document. `cells` are all cells that take part in it."""

    rule: str
    status: CheckStatus
    lhs: Number | None
    rhs: Number | None
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered section of the report (一、总体情况 …): heading as printed and its running text, tables left out."""

    heading: str
    text: str
    locator: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Where the report says questions may be sent; each as printed, "" when not given."""

    department: str = ""
    address: str = ""
    postcode: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class ReadingError:
    """Why nothing could be read."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was understood of one document, and what was not. `opening` is what stands before the first section."""

    media_type: str
    kind: Kind = "unknown"
    form: str | None = None
    report_year: int | None = None
    agency: str | None = None
    title: str | None = None
    published_date: str | None = None
    signed_date: str | None = None
    form_cited: str | None = None
    contact: Contact = Contact()
    facts: tuple[Fact, ...] = ()
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    sections: tuple[Section, ...] = ()
    error: ReadingError | None = None
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A value of page furniture and where on the page it was taken from: `meta`, `head_table`, `page` or `url`."""

    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link out of a page. `text` is what a person sees; `name` is the file name a person would see, "" for pages."""

    url: str
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A disclosure page's furniture, main text and attachments. Values are None where the page does not give them."""

    title: Labelled | None = None
    published_date: Labelled | None = None
    written_date: Labelled | None = None
    publisher: Labelled | None = None
    index_number: Labelled | None = None
    document_number: Labelled | None = None
    column_name: Labelled | None = None
    site_name: Labelled | None = None
    site_code: Labelled | None = None
    text: str = ""
    attachments: tuple[Link, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A document drawn for a person, as one HTML page that needs no script and loads nothing.

    `how`: `page` is an HTML document's own source, to be kept in a sandbox; `lines`, `tables` and `picture` are ours.
    """

    how: Literal["page", "lines", "tables", "picture"]
    html: str
    is_marked: bool


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page as PNG or JPEG; `width` and `height` are in the units of the locators' boxes."""

    encoded: bytes
    width: float
    height: float
    number: int
