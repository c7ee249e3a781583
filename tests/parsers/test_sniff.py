"""Kinds of files by their bytes, whatever they are called."""

from __future__ import annotations

import io
import zipfile

import pytest
from drawn_pdf import pdf, text
from written_docx import docx, p

from parsers import sniff
from parsers.readers import ole
from parsers.sniff import media_type

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def stream(name: str) -> bytes:
    return OLE + (name + "\0").encode("utf-16-le") + bytes(64)


def zipped(*names: str, mimetype: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "<x/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b"", sniff.EMPTY, id="nothing"),
        pytest.param(b" \r\n\0\0 ", sniff.EMPTY, id="blanks and NULs"),
        pytest.param(b"%PDF-1.4\n1 0 obj", sniff.PDF, id="pdf"),
        pytest.param(b"\xef\xbb\xbf\r\n" + b"x" * 900 + b"%PDF-1.7\n\x00\xff", sniff.PDF, id="pdf behind junk"),
        pytest.param(b"<html>see %PDF-1.4</html>", sniff.HTML, id="html that speaks of pdf"),
        pytest.param(docx(p("正文")), sniff.DOCX, id="docx"),
        pytest.param(docx(p("正文"))[:200], sniff.DOCX, id="docx cut off"),
        pytest.param(zipped("[Content_Types].xml", "xl/workbook.xml"), sniff.XLSX, id="xlsx"),
        pytest.param(zipped("OFD.xml", "Doc_0/Document.xml"), sniff.OFD, id="ofd"),
        pytest.param(zipped("content.xml", mimetype=sniff.ODT), sniff.ODT, id="odt"),
        pytest.param(zipped("content.xml", mimetype=sniff.ODS), sniff.ODS, id="ods"),
        pytest.param(zipped("uof.xml", "_meta/meta.xml"), "application/vnd.uof+zip", id="uof 2.0"),
        pytest.param(zipped("附件1.doc"), sniff.ZIP, id="zip"),
        pytest.param(b"PK\x05\x06" + bytes(18), sniff.ZIP, id="empty zip"),
        pytest.param(stream("WordDocument"), sniff.DOC, id="doc or wps"),
        pytest.param(stream("Workbook"), sniff.XLS, id="xls or et"),
        pytest.param(stream("EncryptedPackage"), sniff.ENCRYPTED_OFFICE, id="encrypted docx"),
        pytest.param(OLE, sniff.OLE, id="some ole"),
        pytest.param(b"{\\rtf1\\ansi}", sniff.RTF, id="rtf"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg", id="jpeg"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0", "image/png", id="png"),
        pytest.param(b"GIF89a\x01\x00", "image/gif", id="gif"),
        pytest.param(b"\0\0\0\x24ftypheic\0\0\0\0mif1", "image/heic", id="a telephone's photograph"),
        pytest.param(b"\0\0\0\x1cftypavif\0\0\0\0", "image/avif", id="avif"),
        pytest.param(b"\0\0\0\x18ftypisom\0\0\0\0", "video/mp4", id="a film"),
        pytest.param(b"\0\0\0\x0cjP  \r\n\x87\n\0\0", "image/jp2", id="jpeg 2000"),
        pytest.param(b"Rar!\x1a\x07\x01\x00", "application/vnd.rar", id="rar"),
        pytest.param(b"7z\xbc\xaf\x27\x1c\x00\x04", "application/x-7z-compressed", id="7z"),
        pytest.param(b"\x1f\x8b\x08\0", sniff.GZIP, id="gz"),
        pytest.param(b"a.doc" + bytes(252) + b"ustar\x0000" + bytes(250), sniff.TAR, id="tar"),
        pytest.param(b"MZ\x90\x00\x03\x00\x00\x00", "application/x-msdownload", id="exe"),
        pytest.param(bytes(range(256)) * 8, sniff.BINARY, id="anything else"),
        pytest.param("<!DOCTYPE html><html>".encode("utf-16"), sniff.HTML, id="utf-16 html"),
        pytest.param("\n<!-- 模板 -->\n<div>文</div>".encode("gbk"), sniff.HTML, id="html fragment behind a comment"),
        pytest.param(b"<?xml version='1.0'?><!DOCTYPE html PUBLIC ''><html>", sniff.HTML, id="xhtml"),
        pytest.param("青石县<p>一</p><p>二</p><p>三</p>".encode(), sniff.HTML, id="html that begins with text"),
        pytest.param(b"<?xml version='1.0'?><rss><channel/></rss>", sniff.XML, id="xml"),
        pytest.param(b"MIME-Version: 1.0\r\nContent-Type: multipart/related", sniff.MHTML, id="mhtml"),
        pytest.param(
            b"Received: a\r\n\tby b\r\nSubject: x\r\nContent-Type: multipart/related; boundary=b\r\n\r\n<html>",
            sniff.MAIL,
            id="mail with a page",
        ),
        pytest.param(
            "Date: x\nFrom: 张三\nTo: a\nSubject: 年报\nMIME-Version: 1.0\n\nxOqxqA==\n".encode("gb18030"),
            sniff.MAIL,
            id="mail in base64",
        ),
        pytest.param(b"To: whom it may concern\n\nMIME-Version: 1.0\n", sniff.PLAIN, id="text that begins as a mail"),
        pytest.param(
            b"From: <Saved by Blink>\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n",
            sniff.MHTML,
            id="mhtml of a browser",
        ),
        pytest.param(
            b'<?xml version="1.0"?>\n<?mso-application progid="Word.Document"?>'
            b'<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"/>',
            sniff.WORD_XML,
            id="Word 2003 XML",
        ),
        pytest.param(
            b'<?xml version="1.0"?>\n<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml">'
            + "<w:t>字</w:t>".encode() * 6000,
            sniff.WORD_XML,
            id="Word 2003 XML in one long line",
        ),
        pytest.param(
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            sniff.EXCEL_XML,
            id="Excel 2003 XML",
        ),
        pytest.param(
            b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            sniff.EXCEL_XML,
            id="Excel 2003 XML that does not say it is XML",
        ),
        pytest.param(
            b'<html xmlns:x="urn:schemas-microsoft-com:office:excel"><table/>', sniff.HTML, id="a page that Excel saved"
        ),
        pytest.param(
            b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
            b'office:mimetype="application/vnd.oasis.opendocument.text"/>',
            sniff.FLAT_ODT,
            id="flat odt",
        ),
        pytest.param(
            '<?xml version="1.0"?><uof:UOF xmlns:uof="http://schemas.uof.org/cn/2003/uof" xmlns:字="字"/>'.encode(),
            sniff.UOF,
            id="uof",
        ),
        pytest.param(
            b'<?xml version="1.0"?><u:UOF xmlns:u="http://schemas.uof.org/cn/2003/uof" '
            b'u:mimetype="vnd.uof.spreadsheet"/>',
            "application/vnd.uof.spreadsheet",
            id="a sheet in uof",
        ),
        pytest.param(
            b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
            b'office:mimetype="application/vnd.oasis.opendocument.spreadsheet"/>',
            sniff.FLAT_ODS,
            id="flat ods",
        ),
        pytest.param("青石县人民政府年度报告\n规章\t3".encode("gb18030"), sniff.PLAIN, id="gbk text"),
        pytest.param("青石县\f第二页".encode(), sniff.PLAIN, id="utf-8 text with form feeds"),
        pytest.param("规章\t3\r\n".encode("utf-16-le"), sniff.PLAIN, id="utf-16 text without mark"),
        pytest.param(b"1 < 2 and a <b", sniff.PLAIN, id="text with a less-than sign"),
        pytest.param("字".encode() * 30_000, sniff.PLAIN, id="long text cut inside a character"),
    ],
)
def test_bytes_tell_the_kind(data: bytes, kind: str) -> None:
    assert media_type(data) == kind


@pytest.mark.parametrize("name", ["报告.pdf", "报告.doc", "报告.txt", ""])
def test_the_name_decides_nothing(name: str) -> None:
    assert media_type(b"<!DOCTYPE html><html><body>x", name) == sniff.HTML
    assert media_type(pdf(lambda page: text(page, 80, 80, "文")), name) == sniff.PDF


def test_the_name_tells_markdown_from_other_text() -> None:
    assert media_type("# 年度报告".encode(), "报告.md") == sniff.MARKDOWN
    assert media_type("# 年度报告".encode(), "报告.txt") == sniff.PLAIN


def test_an_ole_file_is_what_its_directory_says_not_what_its_text_names() -> None:
    content = ("WordDocument\0").encode("utf-16-le") * 400
    assert sniff.media_type(ole.container("Workbook", content)) == sniff.XLS
    assert sniff.media_type(ole.container("Contents", content)) == sniff.OLE
