"""Packages of OpenDocument (.odt, .ods)."""

from __future__ import annotations

from parsers.errors import UnreadableDocumentError
from parsers.readers.ooxml import Package

_ENCRYPTION = b"encryption-data"


def opened(data: bytes) -> Package:
    """The package. Raises UnreadableDocumentError: `damaged`, `encrypted`, and as the package does."""
    package = Package(data)
    manifest = package.part("META-INF/manifest.xml")
    if manifest is None:
        raise UnreadableDocumentError("damaged", "the OpenDocument package has no manifest")
    if _ENCRYPTION in manifest:
        raise UnreadableDocumentError("encrypted", "the OpenDocument package is encrypted and needs its password")
    return package
