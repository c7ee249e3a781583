"""Archives (.zip, .rar, .7z, .tar, .gz) to their members, in memory: nothing touches the disk, names are only names.

Zip tools on Chinese Windows write names in GBK and do not say so; zip itself then claims they are cp437. A mail (.eml)
is an archive of what it says and what is attached to it.
"""

from __future__ import annotations

import ctypes
import gzip
import io
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Finding
from parsers.readers import mime

MAX_MEMBERS = 1000
MAX_DEPTH = 3
MAX_MEMBER_BYTES = 128 << 20
MAX_TOTAL_BYTES = 256 << 20
MAX_NAME = 1000
# A member may inflate this much, in total, over what the archive's own bytes are; text deflates to a fortieth.
MAX_RATIO = 250
_RATIO_MATTERS_FROM = 16 << 20
_CHUNK = 1 << 16

KINDS = frozenset((sniff.ZIP, sniff.RAR, sniff.SEVEN_ZIP, sniff.TAR, sniff.GZIP, sniff.MAIL))
_LIBARCHIVE_FORMATS = {sniff.RAR: ("rar5", "rar"), sniff.SEVEN_ZIP: ("7zip",), sniff.TAR: ("tar",)}
_RAR5 = b"Rar!\x1a\x07\x01"
# A RAR 5 archive ends with a block of type 5 of few bytes: its size, its type, its flags.
_RAR5_END = re.compile(rb"[\x03-\x10]\x05[\x00-\x07]")
_RAR5_END_WITHIN = 24
_TAR_END = bytes(1024)
_GZIP_EXTRA, _GZIP_NAME = 0x04, 0x08
# What has no name in a mail, and in a .gz, is called.
_BODY, _CONTENT = "正文", "内容"
_BODY_SUFFIXES = {sniff.HTML: ".html", sniff.PLAIN: ".txt"}
_FURNITURE = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_OTHER_SCRIPTS = "\u07ff"
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_ZIP_TROUBLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    OverflowError,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive. `name` as archived, `/` between folders; in an archive within: `inner.zip/name`."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Unpacked:
    """All files of an archive and of the archives in it, and what could not be taken out."""

    members: tuple[Member, ...]
    findings: tuple[Finding, ...] = ()


def members(data: bytes) -> Unpacked:
    """Take an archive apart.

    Raises UnreadableDocumentError: `damaged`, `encrypted` (every member is), `bomb`, `too_complex`, `too_large`,
    `libarchive_missing` (.rar, .7z and .tar), `unsupported` (no archive).
    """
    unpacking = _Unpacking(allowed=min(MAX_TOTAL_BYTES, max(_RATIO_MATTERS_FROM, len(data) * MAX_RATIO)))
    unpacking.take(data, "", 1)
    if unpacking.encrypted and not unpacking.members:
        raise UnreadableDocumentError("encrypted", f"all {unpacking.encrypted} members need a password")
    return Unpacked(tuple(unpacking.members), tuple(unpacking.findings))


@dataclass(slots=True)
class _Unpacking:
    """`allowed` bytes may still come out."""

    allowed: int
    members: list[Member] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    encrypted: int = 0
    seen: int = 0

    def take(self, data: bytes, folder: str, depth: int) -> None:
        kind = sniff.media_type(data)
        if kind == sniff.ZIP:
            found = self._zip(data, folder)
        elif kind == sniff.GZIP:
            found = self._gzip(data, folder)
        elif kind == sniff.MAIL:
            found = self._mail(data, folder)
        elif kind in _LIBARCHIVE_FORMATS:
            found = self._other(data, kind, folder)
        else:
            raise UnreadableDocumentError("unsupported", f"{kind} is no archive that can be read")
        for name, content in found:
            self._keep(folder + name, content, depth)

    def _keep(self, name: str, content: bytes, depth: int) -> None:
        if name.startswith(_FURNITURE) or name.endswith(_FURNITURE):
            return
        if sniff.media_type(content) not in KINDS:
            self.members.append(Member(name, content))
            return
        if depth >= MAX_DEPTH:
            self._finding(
                "nested_too_deep", f"archives nest more than {MAX_DEPTH} deep; this one was left closed", name
            )
            return
        try:
            self.take(content, f"{name}/", depth + 1)
        except UnreadableDocumentError as error:
            if error.code in ("bomb", "too_complex", "too_large"):
                raise
            self._finding(error.code, f"the archive within cannot be read: {error.message}", name)

    def _finding(self, code: str, message: str, name: str) -> None:
        self.findings.append(Finding(code, message, member_locator(name)))

    def _count(self) -> None:
        self.seen += 1
        if self.seen > MAX_MEMBERS:
            raise UnreadableDocumentError("too_complex", f"the archive holds more than {MAX_MEMBERS} members")

    def _spent(self, size: int, name: str) -> None:
        self.allowed -= size
        if self.allowed < 0:
            message = f"{name}: the archive inflates beyond {MAX_RATIO} times its size or {MAX_TOTAL_BYTES} bytes"
            raise UnreadableDocumentError("bomb", message)

    def _zip(self, data: bytes, folder: str) -> Iterator[tuple[str, bytes]]:
        try:
            archive = zipfile.ZipFile(io.BytesIO(data))
        except _ZIP_TROUBLE as error:
            raise UnreadableDocumentError("damaged", f"the zip cannot be opened: {error}") from error
        for entry in archive.infolist():
            self._count()
            name = _zip_name(entry)
            if name.endswith("/"):
                continue
            if entry.flag_bits & _ENCRYPTED:
                self._locked(folder + name)
                continue
            allowed = min(MAX_MEMBER_BYTES, self.allowed)
            try:
                with archive.open(entry) as stream:
                    content = stream.read(allowed + 1)
            except _ZIP_TROUBLE as error:
                self._finding("damaged_member", f"the member cannot be read: {error}", folder + name)
                continue
            self._measured(content, folder + name)
            yield name, content

    def _gzip(self, data: bytes, folder: str) -> Iterator[tuple[str, bytes]]:
        """The one file in it."""
        self._count()
        name = _gzip_name(data)
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
                content = stream.read(min(MAX_MEMBER_BYTES, self.allowed) + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise UnreadableDocumentError("damaged", f"the .gz cannot be read: {error}") from error
        self._measured(content, folder + name)
        yield name, content

    def _mail(self, data: bytes, folder: str) -> Iterator[tuple[str, bytes]]:
        found = mime.parts(data)
        if found.lacks_boundary or (found.is_cut and not found.parts):
            raise UnreadableDocumentError("damaged", "the mail is cut off, or does not say what parts its parts")
        if found.is_cut:
            message = "the mail is cut off: its last part may be, and others may be missing"
            self._finding("damaged_archive", message, folder.rstrip("/"))
        bodies = 0
        for part in found.parts:
            name = _shown(part.name)
            if not name:
                if not part.content.strip():
                    continue
                bodies += 1
                name = _BODY + (str(bodies) if bodies > 1 else "") + _BODY_SUFFIXES.get(part.kind, "")
            self._count()
            self._measured(part.content, folder + name)
            yield name, part.content

    def _measured(self, content: bytes, name: str) -> None:
        self._spent(len(content), name)
        if len(content) > MAX_MEMBER_BYTES:
            raise UnreadableDocumentError("too_large", f"{name} has more than {MAX_MEMBER_BYTES} bytes")

    def _locked(self, name: str) -> None:
        self.encrypted += 1
        self._finding("encrypted_member", "the member needs a password", name)

    def _other(self, data: bytes, kind: str, folder: str) -> Iterator[tuple[str, bytes]]:
        libarchive = _libarchive()
        rar5 = data.startswith(_RAR5)
        form = _LIBARCHIVE_FORMATS[kind][0 if rar5 else -1]
        taken = 0
        try:
            with libarchive.memory_reader(data, format_name=form, filter_name="none") as archive:
                for entry in archive:
                    self._count()
                    if not entry.isfile:
                        continue
                    name = _plain_name(os.fsencode(entry.pathname))
                    content = self._blocks(entry, folder + name)
                    if content is None:
                        continue
                    taken += 1
                    yield name, content
        except (libarchive.ArchiveError, UnicodeError, ValueError) as error:
            message = f"the {kind} archive breaks off: {_said(error)}"
            if _asks_for_password(error):
                self._locked(f"{folder}?")
            elif taken:
                self._finding("damaged_archive", message, folder.rstrip("/"))
            else:
                raise UnreadableDocumentError("damaged", message) from error
        if rar5 and not _RAR5_END.search(data[-_RAR5_END_WITHIN:]):
            # libarchive takes a cut between two members for the end.
            if not taken:
                raise UnreadableDocumentError("damaged", "the .rar archive is cut off before its first member")
            self._finding("damaged_archive", "the .rar archive is cut off: members may be missing", folder.rstrip("/"))
        if kind == sniff.TAR and not data.endswith(_TAR_END):
            self._finding("damaged_archive", "the .tar archive is cut off: members may be missing", folder.rstrip("/"))

    def _blocks(self, entry: object, name: str) -> bytes | None:
        """Content of a member, None (and a finding) where it cannot be read."""
        libarchive = _libarchive()
        content = bytearray()
        try:
            for block in entry.get_blocks(_CHUNK):  # type: ignore[attr-defined]
                self._spent(len(block), name)
                content += block
                if len(content) > MAX_MEMBER_BYTES:
                    raise UnreadableDocumentError("too_large", f"{name} has more than {MAX_MEMBER_BYTES} bytes")
        except libarchive.ArchiveError as error:
            if _asks_for_password(error):
                self._locked(name)
            else:
                self._finding("damaged_member", f"the member cannot be read: {_said(error)}", name)
            return None
        return bytes(content)


def _said(error: Exception) -> str:
    """libarchive's own words; the binding adds the address of a pointer."""
    return str(getattr(error, "msg", None) or "no reason given")


def _asks_for_password(error: Exception) -> bool:
    return any(word in _said(error) for word in ("ncrypt", "assphrase", "assword"))


def member_locator(name: str) -> str:
    """`member=NAME`, with what separates parts of a locator made harmless."""
    return f"member={name.replace(';', '；')}"


def _zip_name(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & _UTF8_NAME:
        return _shown(entry.filename)
    return _plain_name(entry.filename.encode("cp437", errors="replace"))


def _gzip_name(data: bytes) -> str:
    """The name in a .gz's head, where it has one (RFC 1952)."""
    flags = data[3] if len(data) > 3 else 0
    if not flags & _GZIP_NAME:
        return _CONTENT
    at = 10 + (2 + int.from_bytes(data[10:12], "little") if flags & _GZIP_EXTRA else 0)
    return _plain_name(data[at:].split(b"\0", 1)[0][:MAX_NAME]) or _CONTENT


def _plain_name(raw: bytes) -> str:
    """UTF-8 where that gives characters of Chinese: 通知 and 小学 in GBK are UTF-8 too, of letters of other scripts."""
    for encoding in ("utf-8", "gb18030"):
        try:
            name = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if name.isascii() or max(name) > _OTHER_SCRIPTS:
            return _shown(name)
    return _shown(raw.decode("cp437"))


def _shown(name: str) -> str:
    printable = "".join(character if character.isprintable() else "\ufffd" for character in name)
    return printable.replace("\\", "/")[:MAX_NAME]


def _libarchive() -> ModuleType:
    """libarchive-c, told where the library is: it would otherwise start ldconfig and a compiler to ask."""
    soname = "libarchive.so.13"
    try:
        ctypes.CDLL(soname)
        os.environ.setdefault("LIBARCHIVE", soname)
    except OSError:
        soname = ""  # not Linux: libarchive-c knows where to look
    try:
        return import_module("libarchive")
    except (ImportError, OSError, AttributeError, TypeError) as error:
        message = "reading .rar, .7z and .tar needs libarchive, which is not installed (Debian: libarchive13)"
        raise UnreadableDocumentError("libarchive_missing", message) from error
