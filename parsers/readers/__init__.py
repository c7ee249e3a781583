"""One reader per file format: bytes in, a `Document` of paragraphs and grids out.

Each reader is a module with `read(data: bytes) -> Document` that raises `UnreadableDocumentError` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import cast
from urllib.parse import urlsplit

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Document

_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Format:
    """Which module reads a media type, and the most bytes it is given (beyond: `too_large`)."""

    module: str
    max_bytes: int


READERS: dict[str, Format] = {
    sniff.PLAIN: Format("parsers.readers.text", 32 * _MB),
    sniff.MARKDOWN: Format("parsers.readers.text", 32 * _MB),
    sniff.HTML: Format("parsers.readers.html", 32 * _MB),
    sniff.MHTML: Format("parsers.readers.mhtml", 64 * _MB),
    sniff.DOCX: Format("parsers.readers.docx", 64 * _MB),
    sniff.PDF: Format("parsers.readers.pdf", 128 * _MB),
    sniff.DOC: Format("parsers.readers.doc", 64 * _MB),
    sniff.XLS: Format("parsers.readers.sheet", 64 * _MB),
    sniff.XLSX: Format("parsers.readers.sheet", 64 * _MB),
    sniff.EXCEL_XML: Format("parsers.readers.excel_xml", 32 * _MB),
    sniff.ODS: Format("parsers.readers.ods", 64 * _MB),
    sniff.FLAT_ODS: Format("parsers.readers.ods", 32 * _MB),
    sniff.OLE: Format("parsers.readers.ole", 64 * _MB),
    sniff.OFD: Format("parsers.readers.ofd", 128 * _MB),
    sniff.RTF: Format("parsers.readers.convertible", 64 * _MB),
    **dict.fromkeys(
        ("image/jpeg", "image/jp2", "image/png", "image/tiff", "image/bmp", "image/gif", "image/webp"),
        Format("parsers.readers.image", 64 * _MB),
    ),
    sniff.ODT: Format("parsers.readers.convertible", 64 * _MB),
    sniff.WORD_XML: Format("parsers.readers.convertible", 64 * _MB),
    sniff.FLAT_ODT: Format("parsers.readers.convertible", 64 * _MB),
    sniff.UOF: Format("parsers.readers.convertible", 64 * _MB),
    sniff.FLAT_DOCX: Format("parsers.readers.flat_docx", 64 * _MB),
}

# Names that promise a binary container. Text behind one is a login page, a guard's page or an error, never the document
# (a .doc or .xls that is HTML is everyday, and read as what it is).
PROMISED: dict[str, str] = {".pdf": sniff.PDF, ".docx": sniff.DOCX, ".xlsx": sniff.XLSX, ".ofd": sniff.OFD}
_TEXTS = frozenset({sniff.HTML, sniff.PLAIN, sniff.MARKDOWN, sniff.XML, sniff.BINARY})


def read_document(data: bytes, *, name: str = "", kind: str = "") -> Document:
    """Read `data` with the reader of its kind, whatever its `name` ends in; `kind` is its media type where it is known.

    Raises UnreadableDocumentError: `empty`, `encrypted`, `type_mismatch` (text behind a name that promises a PDF or a
    docx), `unsupported` (no reader for this kind yet), `too_large`, or what the reader itself says (`damaged`,
    `too_complex`, …).
    """
    kind = kind or sniff.media_type(data, name)
    if kind == sniff.EMPTY:
        raise UnreadableDocumentError("empty", f"the file holds nothing ({len(data)} bytes, none of them text)")
    if kind == sniff.ENCRYPTED_OFFICE:
        raise UnreadableDocumentError("encrypted", "the Office file is encrypted and needs its password")
    promised = PROMISED.get(extension(name))
    if promised and kind in _TEXTS:
        raise UnreadableDocumentError("type_mismatch", f"the name promises {promised}, the bytes are {kind}")
    found = READERS.get(kind)
    if found is None:
        raise UnreadableDocumentError("unsupported", f"the file is {kind}, for which there is no reader yet")
    if len(data) > found.max_bytes:
        raise UnreadableDocumentError(
            "too_large", f"the {kind} file has {len(data)} bytes; at most {found.max_bytes} are read"
        )
    # Imported when first needed: a night of HTML pages never loads the PDF library.
    reader = cast(Callable[[bytes], Document], import_module(found.module).read)
    return reader(data)


def extension(name: str) -> str:
    """Lower-case extension of a file name or of an address's path, with its dot; "" where it has none."""
    path = urlsplit(name).path if "://" in name else name
    return PurePosixPath(path).suffix.lower()
