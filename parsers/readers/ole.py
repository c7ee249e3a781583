"""OLE files that hold nothing known: told apart from those cut before their directory, which may have been anything."""

from __future__ import annotations

import struct

from parsers.errors import UnreadableDocumentError
from parsers.model import Document

_HEADER_BYTES = 512
# Offsets in the header (MS-CFB 2.2): the power of two of a sector's size, and the directory's first sector.
_SECTOR_SHIFT, _FIRST_DIRECTORY_SECTOR = 30, 48


def read(data: bytes) -> Document:
    """Raises UnreadableDocumentError, always: `damaged` or `unsupported`."""
    if len(data) < _HEADER_BYTES:
        raise UnreadableDocumentError("damaged", f"the OLE file is cut off in its header ({len(data)} bytes)")
    (shift,) = struct.unpack_from("<H", data, _SECTOR_SHIFT)
    (first,) = struct.unpack_from("<I", data, _FIRST_DIRECTORY_SECTOR)
    if shift not in (9, 12) or (first + 1) << shift >= len(data):
        raise UnreadableDocumentError("damaged", f"the OLE file has no directory: cut off? ({len(data)} bytes)")
    raise UnreadableDocumentError("unsupported", "the OLE file holds no Word or Excel document")
