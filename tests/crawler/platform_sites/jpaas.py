"""jpaas: a column page that only says what to ask its gateway for, and pages of markup inside JSON."""

# ruff: noqa: E501  markup stays on the lines real pages have it on

import json
from html import escape

from crawler.replica.portal import Response
from platform_sites.base import NAMES, Skin, article_metas, document, html

COLUMNS = {"annual_report": 2035, "policy": 2036}
UNIT = "/api-gateway/jpaas-publish-server/front/page/build/unit"


class Jpaas(Skin):
    name = "jpaas"

    def channel_path(self, channel):
        return f"/col/col{COLUMNS[channel]}/index.html"

    def article_path(self, article):
        day = article.published
        return f"/art/{day.year}/{day.month}/{day.day}/art_{COLUMNS[article.channel]}_{article.article_id}.html"

    def file_path(self, attachment, article):
        return f"/cms_files/filemanager/31/attach/{attachment.file_name}"

    def list_answer(self, path, query, shelf, origin):
        if path == UNIT:
            channel = next((c for c, number in COLUMNS.items() if query.get("pageId") == str(number)), None)
            return self.unit(channel, int(query.get("pageNo", "1")), shelf) if channel else None
        channel = next((c for c in COLUMNS if self.channel_path(c) == path), None)
        if channel is None:
            return None
        data = {
            "webId": "31",
            "pageId": str(COLUMNS[channel]),
            "tplSetId": "9c1f77d20e",
            "tagId": "信息列表",
            "pageType": "column",
        }
        script = f"<div id='list' queryData='{json.dumps(data, ensure_ascii=False)}' url='{UNIT}'></div>"
        return html(document(NAMES[channel], script))

    def unit(self, channel, number, shelf) -> Response:
        rows = "\n".join(
            f'<li><a href="{self.article_path(a)}" title="{escape(a.title)}">{escape(a.title)}</a><b>{a.published}</b></li>'
            for a in shelf.page(channel, number)
        )
        pager = f'<div class="pagination">共{shelf.total(channel)}条</div>'
        data = {"html": f'<ul class="list">{rows}</ul>{pager}', "currentPage": number}
        return Response(200, "application/json", json.dumps({"success": True, "data": data}).encode())

    def article_page(self, article):
        files = "".join(
            f'<p>附件：<a href="{self.file_path(f, article)}">{escape(f.name)}</a></p>' for f in article.attachments
        )
        body = f'<h1>{escape(article.title)}</h1><div class="article_zoom">{article.body}{files}</div>'
        return document(article.title, body, article_metas(article))
