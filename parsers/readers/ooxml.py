"""Parts of an Office Open XML package: a zip of XML, opened with limits and without trusting what it declares."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Callable

from lxml import etree

from parsers.errors import UnreadableDocumentError
from parsers.readers.xml_tree import xml_tree

MAX_MEMBERS = 10_000
MAX_PART_BYTES = 32 << 20
# WPS repeats fonts and borders in every cell, which deflates to a fortieth; bombs start at a thousandth.
MAX_RATIO = 250
_RATIO_MATTERS_FROM = 8 << 20

# Strict (ISO) documents say the same in other namespaces.
_STRICT = (
    (
        b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    ),
)
_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


class Package:
    """The members of one package, read into memory one at a time."""

    def __init__(self, data: bytes) -> None:
        """Raises UnreadableDocumentError: `damaged` (no zip, or cut), `too_complex` (members without end)."""
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, OverflowError) as error:
            raise UnreadableDocumentError("damaged", f"the file is no readable zip package: {error}") from error
        if len(self._archive.namelist()) > MAX_MEMBERS:
            raise UnreadableDocumentError("too_complex", f"the package has more than {MAX_MEMBERS} members")

        self._relations: dict[str, list[tuple[str, str, str]]] = {}

    def names(self) -> list[str]:
        """Names of all members, in the order of the directory."""
        return self._archive.namelist()

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self._archive.NameToInfo

    def part(self, name: str) -> bytes | None:
        """Bytes of a member, None when there is none.

        Raises UnreadableDocumentError: `encrypted`, `bomb` (inflates beyond the ratio), `too_large`, `damaged`.
        """
        try:
            member = self._archive.getinfo(name.lstrip("/"))
        except KeyError:
            return None
        if member.flag_bits & 0x1:
            raise UnreadableDocumentError("encrypted", f"{name} in the package is encrypted")
        # The directory may lie about sizes: what counts is what comes out.
        allowed = min(MAX_PART_BYTES, max(_RATIO_MATTERS_FROM, member.compress_size * MAX_RATIO))
        try:
            with self._archive.open(member) as stream:
                content = stream.read(allowed + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, OverflowError) as error:
            raise UnreadableDocumentError("damaged", f"{name} in the package cannot be read: {error}") from error
        if len(content) <= allowed:
            return content
        if allowed == MAX_PART_BYTES:
            raise UnreadableDocumentError("too_large", f"{name} inflates to more than {MAX_PART_BYTES} bytes")
        raise UnreadableDocumentError("bomb", f"{name} inflates to more than {MAX_RATIO} times its size")

    def tree(self, name: str, shortened: Callable[[bytes], bytes] | None = None) -> etree._Element | None:
        """The XML of a part, None when there is none. Entities and DTDs are not followed, the network is not asked.

        `shortened` takes out of the bytes what nobody asks for; it is asked where markup is all that `<` can begin.

        Raises UnreadableDocumentError as `part`, and `damaged` for XML that is cut or broken.
        """
        content = self.part(name)
        if content is None:
            return None
        for strict, transitional in _STRICT:
            content = content.replace(strict, transitional)
        # "!" alone is found ten times as fast as behind the "<" that stands everywhere.
        if shortened is not None and (b"!" not in content or b"<!" not in content):
            content = shortened(content)
        return xml_tree(content, f"{name} in the package")

    def related(self, kind: str, *, of: str = "") -> str:
        """Name of the first part that part `of` ("" for the package itself) relates to as `kind`; "" when none."""
        return next((target for _, other, target in self._related(of) if other == kind), "")

    def related_by_id(self, *, of: str) -> dict[str, str]:
        """Names of the parts that part `of` relates to, by the relation's id."""
        return {identifier: target for identifier, _, target in self._related(of)}

    def _related(self, of: str) -> list[tuple[str, str, str]]:
        """Id, kind and part of every relation that stays inside the package."""
        if of not in self._relations:
            folder, file = posixpath.split(of)
            relations = self.tree(posixpath.join(folder, "_rels", f"{file}.rels"))
            self._relations[of] = [
                (
                    relation.get("Id") or "",
                    (relation.get("Type") or "").rsplit("/", 1)[-1],
                    posixpath.normpath(posixpath.join("/", folder, relation.get("Target") or "")).lstrip("/"),
                )
                for relation in (relations.iter(_RELATIONSHIP) if relations is not None else ())
                if relation.get("TargetMode") != "External"
            ]
        return self._relations[of]
