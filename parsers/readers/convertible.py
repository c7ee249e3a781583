"""Formats that are read by way of another program: what can be said of them without it.

RTF, ODT (also as one XML file, .fodt), the XML of Word 2003 and 标文通 (UOF, .uot and .uof) reach `read` only while
nobody has converted them; the docx that LibreOffice makes of them is read instead.
"""

from __future__ import annotations

import re

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Document
from parsers.readers import odf

# A backslash before a brace makes it text; bytes after \\bin may be braces without being any.
_BRACES = re.compile(rb"\\[{}\\]|([{}])")
_XML = (sniff.WORD_XML, sniff.FLAT_ODT, sniff.UOF)
_XML_END = re.compile(rb"</(?:\w+:)?(?:wordDocument|document|UOF)\s*>")
_END_WITHIN = 1000
_ENTITY = b"<!ENTITY"
_BINARY = re.compile(rb"\\bin\d")


def read(data: bytes) -> Document:
    """Raises UnreadableDocumentError, always: `encrypted`, `damaged`, `unsupported`, or else `needs_conversion`."""
    kind = sniff.media_type(data)
    if kind == sniff.ODT:
        odf.opened(data)
    elif kind in _XML:
        if not _XML_END.search(data, max(0, len(data) - _END_WITHIN)):
            raise UnreadableDocumentError("damaged", f"the XML is cut off: no end of it ({len(data)} bytes)")
        if _ENTITY in data:
            # Another program may put files of this machine in their place.
            raise UnreadableDocumentError("unsupported", "the XML defines entities, which are not followed")
    elif _is_cut(data):
        raise UnreadableDocumentError("damaged", f"the RTF is cut off: a group is still open ({len(data)} bytes)")
    raise UnreadableDocumentError("needs_conversion", f"{kind} is read by way of LibreOffice, which has not been asked")


def _is_cut(rtf: bytes) -> bool:
    if _BINARY.search(rtf):
        return False
    braces = _BRACES.findall(rtf)
    return braces.count(b"{") > braces.count(b"}")
