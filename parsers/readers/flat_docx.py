"""Word documents as one XML file (`pkg:package`, mostly named .doc): the parts of a docx in place of a zip of them.

Offices' own programs fill templates of this kind in, and of Word 2003's, which is read by way of LibreOffice.
"""

from __future__ import annotations

import base64
import io
import zipfile
from dataclasses import replace

from lxml import etree

from parsers import sniff
from parsers.model import Document
from parsers.readers import docx
from parsers.readers.xml_tree import flat_tree

_LONGEST_NAME = 200
_PKG = "{http://schemas.microsoft.com/office/2006/xmlPackage}"


def read(data: bytes) -> Document:
    """Read the docx that the parts make up. Raises UnreadableDocumentError: `damaged`, and as the docx reader does."""
    document = docx.read(zipped(data))
    return replace(document, media_type=sniff.FLAT_DOCX)


def zipped(data: bytes) -> bytes:
    """The docx that the parts make up. Raises UnreadableDocumentError: `damaged`."""
    root = flat_tree(data, "the Word XML")
    parts = {(part.get(f"{_PKG}name") or "").strip("/"): _content(part) for part in root.iterchildren(f"{_PKG}part")}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            if 0 < len(name) <= _LONGEST_NAME:
                archive.writestr(name, content)
    return buffer.getvalue()


def _content(part: etree._Element) -> bytes:
    for held in part:
        if held.tag == f"{_PKG}xmlData" and len(held):
            return etree.tostring(held[0], encoding="utf-8")
        if held.tag == f"{_PKG}binaryData":
            try:
                return base64.b64decode(held.text or "")
            except ValueError:
                return b""
    return b""
