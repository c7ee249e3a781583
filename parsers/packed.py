"""The documents in a file: itself, or what an archive holds."""

from __future__ import annotations

from parsers import sniff
from parsers.readers.archive import KINDS, Member, members


def documents(data: bytes, name: str = "") -> tuple[Member, ...]:
    """A file that is no archive is its only document. Raises UnreadableDocumentError as `archive.members` does."""
    if sniff.media_type(data, name) not in KINDS:
        return (Member(name, data),)
    return members(data).members
