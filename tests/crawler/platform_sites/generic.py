"""A site of no known software: one list with 下一页, one whose pages differ only by a parameter."""

# ruff: noqa: E501  markup stays on the lines real pages have it on

from html import escape

from crawler.replica.portal import Response
from platform_sites.base import NAMES, REPORTS, Skin, article_metas, document, html


class Generic(Skin):
    name = "generic"

    def channel_path(self, channel):
        return "/gongkai/site_qh/channel_64e1/" if channel == REPORTS else "/gongkai/iList?cat_id=15971&cur_page=1"

    def article_path(self, article):
        return f"/gongkai/doc_{article.article_id:024x}.html"

    def file_path(self, attachment, article):
        return f"/gongkai/upload/{attachment.file_name}"

    def list_answer(self, path, query, shelf, origin):
        if path == "/gongkai/site_qh/channel_64e1/":
            return self.divs(int(query.get("pageIndex", "1")), shelf)
        if path == "/gongkai/iList":
            return self.definitions(int(query.get("cur_page", "1")), shelf)
        return None

    def divs(self, number, shelf) -> Response:
        rows = "\n".join(
            f'<div class="item"><p class="tit"><a href="/gongkai/fl/{a.published.year}">[年报]</a> '
            f'<a href="{self.article_path(a)}">{escape(a.title)}</a></p><p class="rq">{a.published:%Y年%m月%d日}</p></div>'
            for a in shelf.page(REPORTS, number)
        )
        last = number >= shelf.pages(REPORTS)
        following = "" if last else f'<a href="?pageIndex={number + 1}">下一页 &gt;</a>'
        hot = "".join(f'<li><a href="/hot/{n}.html">本周热点第{n}条</a><i>2026-01-0{n}</i></li>' for n in range(1, 6))
        body = (
            f'<div class="main">{rows}</div><div class="pager"><span>共有 {shelf.total(REPORTS)} 条</span> '
            f'<a href="?pageIndex=1">首页</a> {following}</div><div class="hot"><ul>{hot}</ul></div>'
        )
        return html(document(NAMES[REPORTS], body))

    def definitions(self, number, shelf) -> Response:
        rows = "\n".join(
            f'<dl><dt><a href="{self.article_path(a)}" target="_blank">{escape(a.title)}</a></dt>'
            f"<dd>发布日期：{a.published:%Y.%m.%d}</dd></dl>"
            for a in shelf.page("policy", number)
        )
        pager = (
            f'<div class="pg">总计：{shelf.total("policy")}条 <a href="javascript:goPage({number + 1})">后翻</a></div>'
        )
        return html(document(NAMES["policy"], f'<div class="box">{rows}</div>{pager}'))

    def article_page(self, article):
        files = "".join(
            f'<p>附件：<a href="{self.file_path(f, article)}">{escape(f.name)}</a></p>' for f in article.attachments
        )
        body = f'<h1>{escape(article.title)}</h1><div class="view-content">{article.body}{files}</div>'
        return document(article.title, body, article_metas(article))
