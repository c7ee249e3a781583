"""Pages whose article is a string in a script."""

import json

import pytest

from parsers.folded import unfolded
from parsers.page import read_links, read_page
from parsers.readers.html import read

ARTICLE = '<p>本年收到申请 "3" 件。</p><p><a href="/attachment/1/16/125.docx">附件：年报.docx</a></p>'


def page(detail: str) -> bytes:
    script = f"window._CONFIG = {{SID:'1', DETAIL: {detail}}};"
    return f"<html><body><div id='app'></div><script>{script}</script></body></html>".encode()


def folded(article: str) -> str:
    return json.dumps({"id": 7, "title": "题", "content": article}).replace("/", "\\/").replace("<", "\\u003c")


def test_a_folded_article_is_read_like_any_other():
    data = page(folded(ARTICLE))
    assert "本年收到申请" in read_page(data, url="http://a.example.cn/p.html").text
    assert any("本年收到申请" in str(block) for block in read(data).blocks)


def test_files_of_a_folded_article_are_its_attachments():
    found = read_page(page(folded(ARTICLE)), url="http://a.example.cn/p.html").attachments
    assert read_links(page(folded(ARTICLE)), url="http://a.example.cn/p.html") == found
    assert [(link.url, link.name) for link in found] == [("http://a.example.cn/attachment/1/16/125.docx", "年报.docx")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<p>DETAIL</p>",
        page("{}"),
        page('{"content": ""}'),
        page('{"content": "\\u00'),
        b"_CONFIG DETAIL: {content: 5}",
    ],
)
def test_any_other_page_stays_as_it_is(data: bytes):
    assert unfolded(data) == data
