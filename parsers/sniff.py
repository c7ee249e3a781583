"""What kind of file the bytes are: by magic bytes, never by extension.

`.doc` that is RTF, HTML or docx, `.pdf` that is a login page, and attachments sent as octet-stream are everyday.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from parsers.decode import decode
from parsers.errors import UnreadableDocumentError

PDF = "application/pdf"
HTML = "text/html"
XML = "application/xml"
PLAIN = "text/plain"
MARKDOWN = "text/markdown"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
OFD = "application/ofd"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
EPUB = "application/epub+zip"
ZIP = "application/zip"
RAR = "application/vnd.rar"
SEVEN_ZIP = "application/x-7z-compressed"
GZIP = "application/gzip"
TAR = "application/x-tar"
DOC = "application/msword"
XLS = "application/vnd.ms-excel"
PPT = "application/vnd.ms-powerpoint"
WORKS = "application/vnd.ms-works"
OLE = "application/x-ole-storage"
ENCRYPTED_OFFICE = "application/x-ole-encrypted"
RTF = "application/rtf"
MHTML = "multipart/related"
MAIL = "message/rfc822"
WORD_XML = "application/vnd.ms-word.2003+xml"
FLAT_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document+xml"
EXCEL_XML = "application/vnd.ms-excel.2003+xml"
FLAT_ODT = "application/vnd.oasis.opendocument.text-flat-xml"
FLAT_ODS = "application/vnd.oasis.opendocument.spreadsheet-flat-xml"
UOF = "application/vnd.uof.text"
EMPTY = "application/x-empty"
BINARY = "application/octet-stream"

_HEAD = 4096
# Acrobat accepts a PDF header anywhere in the first 1,024 bytes, and files with leading junk are met.
_PDF_HEADER_WITHIN = 1024
_TEXT_SAMPLE = 65536

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", RTF),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    # The same without its box, as scanners and OFD writers keep it (.j2k, .jpc).
    (b"\xff\x4f\xff\x51", "image/jp2"),
    (b"Rar!\x1a\x07", RAR),
    (b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    (b"\x1f\x8b\x08", GZIP),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x7fELF", "application/x-executable"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
)
# Photographs of telephones have the container of films.
_FTYP_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1"), "image/heic"),
    b"avif": "image/avif",
}
_TAR_SIGN_AT = 257
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Stream names in an OLE file's directory, UTF-16; an encrypted docx or xlsx is an OLE file around its ciphertext.
_OLE_STREAMS: tuple[tuple[str, str], ...] = (
    ("EncryptedPackage", ENCRYPTED_OFFICE),
    ("WordDocument", DOC),
    ("Workbook", XLS),
    ("Book", XLS),
    ("PowerPoint Document", PPT),
    ("MatOST", WORKS),
)
# 标文通 since 2.0 is a package, which LibreOffice 7.4 does not read.
_UOF_PACKAGE = "application/vnd.uof+zip"
_ZIP_MEMBERS: tuple[tuple[str, str], ...] = (
    ("word/", DOCX),
    ("xl/", XLSX),
    ("ppt/", PPTX),
    ("OFD.xml", OFD),
    ("uof.xml", _UOF_PACKAGE),
)
_MIMETYPES = ("application/vnd.oasis.opendocument.", EPUB, OFD)
# Every Office package has these; one cut before its own parts is most often a docx here.
_ANY_OFFICE = ("[Content_Types].xml", "_rels/", "docProps/")
_LOCAL_HEADER = re.compile(rb"PK\x03\x04.{22}(.)\x00.{2}([\x20-\x7e]{1,255})", re.DOTALL)
_HTML_TAG = re.compile(
    r"<(?:!doctype\s+html|html|head|body|title|meta|link|script|style|base|table|tbody|thead|tr|td|th|div|p|span|font|"
    r"br|hr|center|h[1-6]|ul|ol|li|dl|a|b|strong|em|i|u|img|form|input|iframe|frameset|section|article|header|main|nav"
    r")(?=[\s>/])",
    re.IGNORECASE,
)
_HTML_ROOT = re.compile(r"<(?:!doctype\s+html|html|body)(?=[\s>])", re.IGNORECASE)
_HTML_CLOSING = re.compile(r"</(?:p|td|div|span|tr|table|body|html)\s*>", re.IGNORECASE)
_MANY_CLOSINGS = 3
_BEFORE_MARKUP = re.compile(r"\s*(?:<!--.*?-->\s*|<\?xml.*?\?>\s*|<\?.*?\?>\s*)*", re.DOTALL)
_OFFICE_XML: tuple[tuple[str, str], ...] = (
    ("http://schemas.microsoft.com/office/word/2003/wordml", WORD_XML),
    ("http://schemas.microsoft.com/office/2006/xmlPackage", FLAT_DOCX),
    ('"urn:schemas-microsoft-com:office:spreadsheet"', EXCEL_XML),
    (f'office:mimetype="{ODT}"', FLAT_ODT),
    (f'office:mimetype="{ODS}"', FLAT_ODS),
    # 标文通 (GB/T 20916) is one for texts, sheets and slides, and what wrote a text need not say so.
    ("vnd.uof.spreadsheet", "application/vnd.uof.spreadsheet"),
    ("vnd.uof.presentation", "application/vnd.uof.presentation"),
    ('"http://schemas.uof.org/cn/2003/uof"', UOF),
)
# Lines of a message's head up to the one that says what it is made of.
_WEB_ARCHIVE = re.compile(
    r"\s*(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){0,20}?content-type:\s*multipart/(?:related|alternative)", re.IGNORECASE
)
_HEAD_OF_LINES = re.compile(r"\s*((?:[A-Za-z][\w-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)+)\r?\n")
# Web archives are addressed to no one.
_MAIL_LINES = (
    re.compile(r"^(?:received|to):", re.I | re.M),
    re.compile(r"^(?:mime-version|content-type):", re.I | re.M),
)
# C0 controls that no text file holds; tab, line ends, form feed (page breaks) and escape sequences aside.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def media_type(data: bytes, name: str = "") -> str:
    """The media type of `data`. `name` only tells Markdown from other plain text; it decides nothing else.

    What is nothing known is `application/octet-stream`, no bytes (or only blanks and NULs) `application/x-empty`.
    """
    head = data[:_HEAD]
    if not head.strip(b"\x00 \t\r\n\x0b\x0c") and not data.strip(b"\x00 \t\r\n\x0b\x0c"):
        return EMPTY
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(_ZIP_STARTS):
        return _zip_kind(data)
    if head.startswith(_OLE_START):
        return _ole_kind(data)
    if head[_TAR_SIGN_AT:].startswith(b"ustar"):
        return TAR
    if _binary_kind(head):
        return _binary_kind(head)
    if b"%PDF-" in head[:_PDF_HEADER_WITHIN] and not head.lstrip().startswith(b"<"):
        return PDF
    return _text_kind(data, name)


def _binary_kind(head: bytes) -> str:
    if head.startswith(b"MZ") and b"\x00" in head:
        return "application/x-msdownload"
    if head.startswith(b"BM") and b"\x00" in head[:16]:
        return "image/bmp"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _FTYP_BRANDS.get(head[8:12], "video/mp4")
    return ""


def _zip_kind(data: bytes) -> str:
    """Kind of a zip file by its members; a cut one, whose directory is lost, by the names its bytes still show."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                declared = archive.read("mimetype").decode("ascii", errors="replace").strip()
                if declared.startswith(_MIMETYPES):
                    return declared
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError):
        found = _LOCAL_HEADER.findall(data)
        names = {name[: length[0]].decode("ascii") for length, name in found}
    for start, kind in _ZIP_MEMBERS:
        if any(name.startswith(start) for name in names):
            return kind
    return DOCX if any(name.startswith(_ANY_OFFICE) for name in names) else ZIP


def _ole_kind(data: bytes) -> str:
    """Kind of an OLE file by its directory, not what its text or embedded objects name; a cut one by all its bytes."""
    # The readers ask this module.
    from parsers.readers.ole import top_names

    try:
        names = top_names(data)
    except UnreadableDocumentError:
        names = frozenset(name for name, _ in _OLE_STREAMS if (name + "\x00").encode("utf-16-le") in data)
    return next((kind for name, kind in _OLE_STREAMS if name in names), OLE)


def _text_kind(data: bytes, name: str) -> str:
    decoded = decode(_sample(data))
    text = decoded.text
    head = _HEAD_OF_LINES.match(text)
    if head and all(line.search(head[1]) for line in _MAIL_LINES):
        return MAIL
    if _WEB_ARCHIVE.match(text):
        return MHTML
    body = text[_end_of_prologue(text) :]
    if _HTML_TAG.match(body) or _HTML_ROOT.search(text[:_HEAD]):
        return HTML
    if len(_CONTROL.findall(text)) + decoded.broken > len(text) / 20:
        return BINARY
    if text.lstrip().startswith(("<?xml", "<Workbook")):
        return next((kind for sign, kind in _OFFICE_XML if sign in text[:_HEAD]), XML)
    if len(_HTML_CLOSING.findall(text)) >= _MANY_CLOSINGS:
        return HTML
    return MARKDOWN if name.lower().endswith((".md", ".markdown")) else PLAIN


def _sample(data: bytes) -> bytes:
    """The beginning up to where a line or a tag ends (XML is one long line): cut elsewhere, a character may break."""
    sample = data[:_TEXT_SAMPLE]
    ends = max(sample.rfind(b"\n"), sample.rfind(b">"))
    return sample[:ends] if len(data) > _TEXT_SAMPLE and ends > 0 else sample


def _end_of_prologue(text: str) -> int:
    prologue = _BEFORE_MARKUP.match(text)
    return prologue.end() if prologue else 0
