"""Web archives (.mht, and Word's "single file web page" named .doc): the page in them, read as HTML.

Of several pages (Excel writes a frame and one for each sheet) the longest is read.
"""

from __future__ import annotations

from dataclasses import replace

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Finding
from parsers.readers import html, mime


def read(data: bytes) -> Document:
    """Read a web archive. A lost end is the finding `cut_off`, each further page with a table `further_page`.

    Raises UnreadableDocumentError: `damaged` (no boundary), `empty` (no page in it), and as the HTML reader does.
    """
    found = mime.parts(data)
    if found.lacks_boundary:
        raise UnreadableDocumentError("damaged", "the web archive does not say what parts its parts (no boundary)")
    pages = sorted((part.content for part in found.parts if part.kind == sniff.HTML), key=len)
    if not pages:
        raise UnreadableDocumentError("empty", "the web archive holds no page")
    findings = [Finding("cut_off", "the web archive is cut off: its last boundary is missing")] if found.is_cut else []
    for page in pages[:-1]:
        if b"<table" in page.lower():
            findings.append(Finding("further_page", f"a further page of {len(page)} bytes, with a table, was not read"))
    document = html.read(pages[-1])
    return replace(document, media_type=sniff.MHTML, findings=(*findings, *document.findings))
