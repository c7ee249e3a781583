"""UCAP: a channel whose list is JSON from the search, and one with static pages; ucaptitle, publishtime, ucapcontent."""

# ruff: noqa: E501  markup stays on the lines real pages have it on

import json
from html import escape

from crawler.replica.portal import Response
from platform_sites.base import NAMES, PER_PAGE, REPORTS, Skin, document, html

CHANNELS = {"annual_report": "c111239", "policy": "c111240"}
SEARCH = "/common/search/3f2b81c09d4e4a67b5c8e1d20a9f7c36"


class Ucap(Skin):
    name = "ucap"

    def channel_path(self, channel):
        page = "zfxxgk_gknb" if channel == REPORTS else "common_list"
        return f"/qinghe/{CHANNELS[channel]}/{page}.shtml"

    def article_path(self, article):
        return f"/qinghe/{CHANNELS[article.channel]}/{article.published:%Y%m}/c01_{article.article_id}.shtml"

    def file_path(self, attachment, article):
        return self.article_path(article).removesuffix(".shtml") + f"/files/{attachment.file_name}"

    def list_answer(self, path, query, shelf, origin):
        if path == SEARCH:
            return self.search(int(query.get("page", "1")), shelf, origin)
        if path == self.channel_path(REPORTS):
            script = (
                f'<script>$.get("{SEARCH}?_isAgg=true&_isJson=true&_pageSize=15&_template=index&page=" + p);</script>'
            )
            return html(document(NAMES[REPORTS], f'<div id="list"></div>{script}'))
        stem = self.channel_path("policy").removesuffix(".shtml")
        if path.startswith(stem) and path.endswith(".shtml"):
            number = int(path[len(stem) + 1 : -6] or 1) if path[len(stem)] == "_" else 1
            return self.static(number, shelf)
        return None

    def search(self, number, shelf, origin) -> Response:
        results = [
            {
                "title": f"<em>{a.title[:2]}</em>{a.title[2:]}",
                "url": self.article_path(a),
                "publishedTimeStr": f"{a.published} 10:00:00",
                "contentHtml": "<p>…</p>",
                "domainMetaList": [{"resultList": [{"key": "indexnumber", "value": a.index_number}]}],
            }
            for a in shelf.page(REPORTS, number)
        ]
        data = {"page": number, "rows": PER_PAGE, "total": shelf.total(REPORTS), "results": results}
        return Response(200, "application/json;charset=UTF-8", json.dumps({"code": 200, "data": data}).encode())

    def static(self, number, shelf) -> Response:
        rows = "\n".join(
            f'<li><a href="{self.article_path(a)}" title="{escape(a.title)}">{escape(a.title[:16])}…</a>'
            f"<span>[{a.published}]</span></li>"
            for a in shelf.page("policy", number)
        )
        call = f"createPageHTML('page_div',{shelf.pages('policy')},{number},'common_list','shtml',{shelf.total('policy')});"
        return html(document(NAMES["policy"], f'<ul class="list">{rows}</ul><script>{call}</script>'))

    def article_page(self, article):
        files = "".join(
            f'<p>附件：<a href="{self.file_path(f, article)}">{escape(f.name)}</a></p>' for f in article.attachments
        )
        body = (
            '<meta name="ColumnName" content="头部"><meta name="ColumnType" content="">'
            f'<h1 class="article-title"><ucaptitle>{escape(article.title)}</ucaptitle></h1>'
            f'<table><tr><td class="c3"><publishtime>{article.published}</publishtime></td></tr></table>'
            f'<div class="article-content " id="zoomcon"><ucapcontent>{article.body}{files}</ucapcontent></div>'
            '<iframe src="/qinghe/footer/footer.shtml" frameborder="0" id="adbottom" class="adbottom"></iframe>'
        )
        return document(article.title, body, {"others": "页面生成时间 2026-05-28 15:46:43"})
