"""A place in a document, drawn for a person: the page, the lines, the tables or the picture, with the place marked.

    bytes + locator → which member, which kind → markup | lines | tables → `Shown`
                                               → picture → `PagePicture` → `framed` → `Shown`

What is drawn is made of the document's bytes by the reader that gave the locator, so that both mean the same cell. Of
HTML it is the source itself with our mark in the start tags of the cell and its row. All of it is one HTML page that
needs no script and loads nothing. Text is escaped, but an HTML document's own source is not: whoever serves it keeps it
in a sandbox.
"""

from __future__ import annotations

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import PagePicture, Shown
from parsers.places import lines, markup, picture, tables
from parsers.places.frame import ANCHOR
from parsers.places.picture import framed
from parsers.readers import flat_docx
from parsers.readers.archive import KINDS, member_locator, members
from parsers.reading import Conversions, document_of

__all__ = ["ANCHOR", "draw", "framed", "without_box"]

_TEXTS = (sniff.PLAIN, sniff.MARKDOWN)


def draw(
    data: bytes, *, name: str = "", locator: str = "", converted: Conversions | None = None
) -> Shown | PagePicture:
    """The place that `locator` names. Without one, or where it names nothing, the document without a mark.

    Of a PDF, a scanned OFD, a picture and one in a Word document the page as a picture, which serves all places on it;
    `framed` draws the place on it. `converted` as for `reading.read`. Raises UnreadableDocumentError: `no_member`,
    `no_page`, what the readers raise.
    """
    data, name, locator = _located(data, name, locator)
    kind = sniff.media_type(data, name)
    if kind == sniff.HTML:
        return markup.marked(data, locator)
    if kind in _TEXTS:
        return lines.marked(data, locator)
    if kind == sniff.PDF or kind.startswith("image/"):
        return picture.page_picture(data, kind, _number(locator))
    if kind == sniff.OFD and (scan := picture.ofd_page(data, _number(locator))) is not None:
        return scan
    if locator.startswith("picture=") and (package := _docx(data, kind, converted or {})) is not None:
        return picture.pasted(package, _number(locator, "picture"))
    document = document_of(data, name, converted or {})
    if any(finding.code == "needs_conversion" for finding in document.findings) and converted is None:
        raise UnreadableDocumentError("needs_conversion", "the document has to be converted before it is drawn")
    return tables.marked(document, locator)


def without_box(locator: str) -> str:
    """What all places on one page that is shown as a picture have in common."""
    return ";".join(part for part in locator.split(";") if not part.startswith("box="))


def _located(data: bytes, name: str, locator: str) -> tuple[bytes, str, str]:
    """The document that a locator is within: its bytes, its name and the rest of the locator."""
    if sniff.media_type(data, name) not in KINDS:
        return data, name, locator
    for member in members(data).members:
        led = member_locator(member.name)
        if locator == led or locator.startswith(f"{led};"):
            return member.data, member.name, locator[len(led) + 1 :]
    raise UnreadableDocumentError("no_member", f"the archive holds no file that the place {locator!r} is in")


def _docx(data: bytes, kind: str, converted: Conversions) -> bytes | None:
    """The docx whose pictures a document's are; None where it has to be converted first, or cannot be."""
    if kind == sniff.DOCX:
        return data
    made = flat_docx.zipped(data) if kind == sniff.FLAT_DOCX else converted.get(data)
    return made if isinstance(made, bytes) else None


def _number(locator: str, of: str = "page") -> int:
    parts = dict(part.partition("=")[::2] for part in locator.split(";"))
    number = parts.get(of, "1")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
