"""PDF: pdfium's characters and ruled lines, or those recognised in a scanned page's picture.

`page_blocks` makes paragraphs and grids of either.
"""

from __future__ import annotations

import re
import threading
from array import array
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Finding
from parsers.readers import page_blocks, pdf_fonts, pdf_page, scan_pages
from parsers.readers.page_blocks import Page
from parsers.readers.page_content import PageContent
from parsers.readers.scan_pages import Scans
from parsers.sniff import PDF

MAX_PAGES = 2000
MAX_CHARACTERS = 3_000_000

# pdfium's documentation: calls from two threads crash or corrupt.
_LOCK = threading.Lock()
_ENCRYPTED = (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
# Layers that are switched off, of which pdfium gives the text all the same.
_LAYERS = b"/OCProperties"
_LAYERS_OFF = re.compile(rb"/OFF\s*\[\s*\d")
_MAY_BE_OFF = 0.5
_OBJECT = re.compile(rb"\d\s+\d+\s+obj\b")
_METADATA = (b"Title", b"Author", b"Subject", b"Keywords", b"Creator", b"Producer", b"CreationDate", b"ModDate")
# Bytes; an empty text is its two final zeros.
_EMPTY_METADATA, _MAX_METADATA = 2, 1 << 16


def read(data: bytes) -> Document:
    """Read a PDF. A scan that cannot be recognised gives no blocks and the findings `no_text_layer`, `ocr_missing`.

    Raises UnreadableDocumentError: `damaged`, `encrypted`, `empty` (no page), `too_large`, `too_complex`.
    """
    with _LOCK, closing(_opened(data)) as document:
        metadata = _metadata(document)
        has_hidden = _LAYERS in data and _LAYERS_OFF.search(data) is not None
        pages, findings = _pages(document, data, has_hidden=has_hidden)
        attached = raw.FPDFDoc_GetAttachmentCount(document.raw)
    if attached > 0:
        findings.append(Finding("attached_files", f"{attached} files are attached to the PDF; they were not read"))
    return Document(
        media_type=PDF,
        blocks=page_blocks.blocks(pages),
        title=metadata.get("Title", ""),
        metadata=metadata,
        findings=tuple(findings),
    )


@contextmanager
def opened(data: bytes) -> Iterator[pdfium.PdfDocument]:
    """The PDF for drawing, to this thread alone. Raises UnreadableDocumentError as `read` does."""
    with _LOCK, pdf_fonts.of_the_machine(), closing(_opened(data)) as document:
        yield document


def _is_cut(data: bytes) -> bool:
    """Whether objects stand after the last cross-reference: every complete file ends with one.

    pdfium rebuilds what it can of a cut file, and would show its first pages as if they were all.
    """
    return _OBJECT.search(data, max(0, data.rfind(b"startxref"))) is not None


def _opened(data: bytes) -> pdfium.PdfDocument:
    if _is_cut(data):
        raise UnreadableDocumentError(
            "damaged", f"the PDF is cut off: no cross-reference at its end ({len(data)} bytes)"
        )
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) in _ENCRYPTED:
            raise UnreadableDocumentError("encrypted", f"the PDF needs a password: {error}") from error
        raise UnreadableDocumentError("damaged", f"the PDF cannot be opened: {error}") from error
    if len(document) == 0:
        document.close()
        raise UnreadableDocumentError("empty", "the PDF has no page")
    if len(document) > MAX_PAGES:
        document.close()
        raise UnreadableDocumentError("too_large", f"the PDF has more than {MAX_PAGES} pages")
    return document


def _metadata(document: pdfium.PdfDocument) -> dict[str, str]:
    metadata: dict[str, str] = {}
    for key in _METADATA:
        length = raw.FPDF_GetMetaText(document.raw, key, None, 0)
        if length <= _EMPTY_METADATA:
            continue
        buffer = array("B", bytes(min(length, _MAX_METADATA)))
        raw.FPDF_GetMetaText(document.raw, key, buffer.buffer_info()[0], len(buffer))
        # Damaged and older files hold half a surrogate pair here.
        text = buffer.tobytes().decode("utf-16-le", errors="replace").strip("\0 ")
        if text:
            metadata[key.decode()] = text
    return metadata


def _pages(document: pdfium.PdfDocument, data: bytes, *, has_hidden: bool) -> tuple[list[Page], list[Finding]]:
    scans = Scans()
    pages: list[Page] = []
    findings: list[Finding] = []
    if has_hidden:
        findings.append(
            Finding("hidden_layers", "layers of the PDF are switched off; what they hold was not told apart")
        )
    characters = 0
    for index in range(len(document)):
        try:
            content = pdf_page.load(document, index)
        except pdfium.PdfiumError as error:
            findings.append(
                Finding("unreadable_page", f"page {index + 1} cannot be read: {error}", f"page={index + 1}")
            )
            continue
        characters += len(content.characters)
        if characters > MAX_CHARACTERS:
            raise UnreadableDocumentError("too_complex", f"the PDF holds more than {MAX_CHARACTERS} characters")
        content = scans.read(content, partial(scan_pages.of_pdf, data, index), findings)
        if has_hidden and content.most_certain == 1.0:
            content.most_certain = _MAY_BE_OFF
            content.characters.scores = [_MAY_BE_OFF] * len(content.characters)
        findings.extend(_page_findings(content))
        pages.append(page_blocks.taken_apart(content, findings))
    if not pages:
        raise UnreadableDocumentError("damaged", f"none of the PDF's {len(document)} pages can be read")
    return pages, findings


def _page_findings(content: PageContent) -> Iterator[Finding]:
    number, at = content.number, f"page={content.number}"
    if content.too_many_characters:
        yield Finding("too_many_characters", f"page {number} has more than {pdf_page.MAX_CHARACTERS} characters", at)
    yield from page_blocks.text_findings(content)
    if content.too_many_paths:
        yield Finding("too_many_paths", f"page {number} draws more than {pdf_page.MAX_PATHS} paths", at)
