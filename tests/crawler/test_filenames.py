"""Names of files, from links and from headers as received."""

import pytest

from crawler.filenames import disposition_name, safe_name, shown_name

NAME = "年度报告.doc"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b'attachment; filename="' + NAME.encode("gbk") + b'"', NAME),
        (b"attachment; filename=" + NAME.encode("gbk") + b"; size=3", NAME),
        (b'attachment; filename="' + NAME.encode() + b'"', NAME),
        (b"attachment; filename*=UTF-8''%E5%B9%B4%E5%BA%A6%E6%8A%A5%E5%91%8A.doc", NAME),
        (b"attachment; filename=x.doc; filename*=GBK''%C4%EA%B6%C8%B1%A8%B8%E6.doc", NAME),
        (b"attachment; filename*=no-such-charset''%E5%B9%B4.doc", "年.doc"),
        (b'attachment; FileName="%E5%B9%B4%E5%BA%A6%E6%8A%A5%E5%91%8A.doc"', NAME),
        (b'attachment; filename="=?UTF-8?B?5bm05bqm5oql5ZGKLmRvYw==?="', NAME),
        (b"attachment; filename==?GB2312?Q?=C4=EA=B6=C8=B1=A8=B8=E6.doc?=", NAME),
        (b'attachment; filename="=?utf-8?b?5bm05bqm?= =?UTF-8?B?5oql5ZGK?=.doc"', NAME),
        (b'attachment; filename="=?UTF-8?B?5?=.doc"', "=?UTF-8?B?5?=.doc"),
        (b'attachment; filename="a\\"b.doc"', 'a"b.doc'),
        (b'attachment; filename="../../etc/passwd"', "passwd"),
        (b'attachment; filename="C:\\\\temp\\\\a.doc"', "a.doc"),
        (b"attachment", ""),
        (b"", ""),
    ],
)
def test_content_disposition(value: bytes, name: str):
    assert disposition_name(value) == name


@pytest.mark.parametrize(
    ("link", "headers", "url", "name"),
    [
        ("报告.pdf", ((b"Content-Disposition", b"attachment; filename=1.pdf"),), "http://h/2.pdf", "报告.pdf"),
        ("点击下载", ((b"content-disposition", b"attachment; filename=1.pdf"),), "http://h/2.pdf", "1.pdf"),
        ("点击下载", (), "http://h/2.pdf", "点击下载"),
        ("2.pdf", ((b"content-disposition", b"attachment; filename=1.pdf"),), "http://h/a/2.pdf", "1.pdf"),
        ("2.pdf", ((b"content-disposition", b"attachment; filename=1.pdf"),), "http://h/d.jsp?filename=2.pdf", "1.pdf"),
        ("2.pdf", ((b"content-disposition", b"attachment; filename=1.pdf"),), "http://h/d.jsp?showname=2.pdf", "2.pdf"),
        ("2.pdf", (), "http://h/a/2.pdf", "2.pdf"),
        ("", (), "http://h/a/%E5%B9%B4.pdf?x=1", "年.pdf"),
    ],
)
def test_the_name_a_person_sees(link: str, headers: tuple, url: str, name: str):
    assert shown_name(link, headers, url) == name


def test_a_name_is_data_and_no_path():
    assert safe_name("..\\..\x00/‮gpj.exe ") == "gpj.exe"
    assert len(safe_name("长" * 400 + ".docx")) == 255
    assert safe_name("长" * 400 + ".docx").endswith(".docx")
