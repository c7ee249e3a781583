"""A page that shows no sign of a file has none: what is not parsed would have given nothing."""

import random
from pathlib import Path

import pytest

from parsers.attachments import attachments, page_base
from parsers.decode import decode
from parsers.file_signs import may_link_files
from parsers.folded import unfolded
from parsers.page import read_links
from parsers.tree import bare_tree

URL = "http://district.example.cn/c0/202301/t20230105_1.html"
PLAIN_PAGE = """<html><head><link href="/css/a.css"><script src="/js/b.js"></script></head><body>
<div class="header"><img src="/images/logo.png"></div><a href="/c0/index.html">公开</a><a href="../">上级</a>
<div class="TRS_Editor"><p>共 35 条，占 12.5%。&#160;见 <a href="t20230106_2.html">另一条</a></p></div></body></html>"""

FILES = {
    "extension": '<a href="a.PDF">年报</a>',
    "name": '<a href="/get?id=3">2022年报.docx</a>',
    "title": '<a href="/get?id=3" title="年报.xls">年报</a>',
    "image alt": '<a href="/get?id=3"><img alt="" src="/i.gif"></a><a href="/get?id=4" download="年报.wps">下</a>',
    "endpoint": '<a href="/module/download/downfile.jsp?id=1">年报</a>',
    "endpoint of another": '<a href="/x/FileDownload?id=1">年报</a>',
    "parameter": '<a href="/get?file=a%2Epdf">年报</a>',
    "letters of a parameter": '<a href="/get?file=a.%70df">年报</a>',
    "encoded twice": '<a href="/get?file=a%252epdf">年报</a>',
    "entity": '<a href="a&#46;pdf">年报</a>',
    "entity of a letter": '<a href="a.&#112;df">年报</a>',
    "line break": '<a href="a.p\ndf">年报</a>',
    "control character": '<a href="a.p\x01df">年报</a>',
    "viewer": '<iframe src="/viewer.html?file=/x/a.pdf"></iframe>',
    "frame": '<embed src="a.ofd">',
    "picture in the body box": '<div class="TRS_Editor"><img src="scan"></div>',
    "picture in a box without a class": '<div id="zoom"><p><img src="/u/scan.gif"></p></div>',
    "picture that is named": '<img src="scan.gif" alt="附件1">',
    "picture that is named in entities": '<img src="scan.gif" alt="&#38468;&#20214;1">',
    "link to a picture": '<a href="scan.jpg">附件</a>',
}


def parsed(data: bytes, url: str = URL):
    """The links by way of the tree, whatever the bytes show."""
    decoded = decode(unfolded(data))
    root = bare_tree(decoded.text)
    return () if root is None else attachments(root, base=page_base(root, url), encoding=decoded.encoding)[0]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("markup", FILES.values(), ids=FILES)
def test_a_page_with_a_file_shows_a_sign(markup: str, encoding: str):
    data = f"<html><body>{markup}</body></html>".encode(encoding)

    assert parsed(data)
    assert may_link_files(data, url=URL)
    assert read_links(data, url=URL) == parsed(data)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf_16_may_hide_any_sign(encoding: str):
    assert may_link_files(FILES["extension"].encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_an_ordinary_page_shows_none(encoding: str):
    data = PLAIN_PAGE.encode(encoding)

    assert not may_link_files(data, url=URL)
    assert parsed(data) == ()


def test_a_file_s_own_address_is_a_sign():
    data = '<html><body><a href="?page=2">下一页</a></body></html>'.encode()
    url = "http://district.example.cn/module/download/downfile.jsp"

    assert may_link_files(data, url=url)
    assert read_links(data, url=url) == parsed(data, url) != ()


PIECES = (
    *FILES.values(),
    *("<div class='zoom'>", "</div>", "<p>", "附件", "公开。", "<a href='", "'>", "</a>", '<img src="', '">', " alt='"),
    *(
        ".pdf",
        ".png",
        ".html",
        "&#",
        "46;",
        "%2e",
        "?file=",
        "download",
        ".d",
        "o",
        "c",
        "\n",
        "<!--",
        "-->",
        " title=",
    ),
)


def test_pages_put_together_at_random_lose_no_link():
    dice = random.Random(5)
    for _ in range(4000):
        data = "".join(dice.choices(PIECES, k=dice.randint(1, 8))).encode(dice.choice(("utf-8", "gb18030")), "replace")
        assert may_link_files(data, url=URL) or not parsed(data), data


def test_saved_pages_lose_no_link():
    pages = [*Path(__file__).parents[1].rglob("*.html")]

    assert len(pages) > 5
    for page in pages:
        data = page.read_bytes()
        assert read_links(data, url=URL) == parsed(data), page
