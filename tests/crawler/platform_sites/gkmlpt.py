"""gkmlpt: a category tree in window._CONFIG, a JSON API whose pages 0 and 1 are the same, https in links of an http host."""

# ruff: noqa: E501  markup stays on the lines real pages have it on

import json
from datetime import UTC, datetime, timedelta
from html import escape

from crawler.replica.portal import Response
from platform_sites.base import REPORTS, Skin, article_metas, document, html

CATEGORIES = {"annual_report": 2044, "policy": 2051}
SID = "990101"
SIZE = 10  # of the real ones: 100


class Gkmlpt(Skin):
    name = "gkmlpt"

    def channel_path(self, channel):
        if channel == REPORTS:
            return "/gkmlpt/index"
        return f"/gkmlpt/api/all/{CATEGORIES[channel]}?page=1&sid={SID}"

    def article_path(self, article):
        number = article.article_id
        return f"/gkmlpt/content/{number // 100000}/{number // 1000}/post_{number}.html"

    def file_path(self, attachment, article):
        return f"/attachment/1/{article.article_id % 1000}/{int(attachment.file_id[:7], 16)}.{attachment.extension}"

    def list_answer(self, path, query, shelf, origin):
        if path == "/gkmlpt/index":
            tree = [
                {"id": 2040, "name": "政府信息公开指南", "children": []},
                {
                    "id": CATEGORIES["policy"],
                    "name": "法定主动公开内容",
                    "children": [{"id": 2052, "name": "规划计划"}],
                },
                {"id": CATEGORIES[REPORTS], "name": "政府信息公开年报", "children": []},
            ]
            config = (
                f"window._CONFIG = {{SID:'{SID}', TREE:{json.dumps(tree, ensure_ascii=False)}, SERVICE_AREA_ID:'9'}};"
            )
            return html(document("政府信息公开目录", f'<div id="app"></div><script>{config}</script>'))
        channel = next((c for c, number in CATEGORIES.items() if path == f"/gkmlpt/api/all/{number}"), None)
        if channel is None:
            return None
        return self.answer(channel, max(1, int(query.get("page", "0"))), shelf, origin.replace("http:", "https:"))

    def answer(self, channel, number, shelf, origin) -> Response:
        shown = [
            {
                "id": a.article_id,
                "title": a.title,
                "url": origin + self.article_path(a),
                "post_url": origin + self.article_path(a),
                "identifier": a.index_number,
                "publisher": a.publisher,
                "document_number": a.document_number,
                "date": int((datetime(a.published.year, a.published.month, a.published.day, tzinfo=UTC)
                             - timedelta(hours=8)).timestamp()),
                "created_at": "2026-05-01 08:00:00",
                "attachment": [],
            }
            for a in shelf.page(channel, number, SIZE)
        ]  # fmt: skip
        answer = {"classify": {"id": CATEGORIES[channel], "post_count": shelf.total(channel)}, "articles": shown}
        return Response(200, "application/json", json.dumps(answer).encode())

    def article_page(self, article):
        files = "".join(
            f'<p><a href="{self.file_path(f, article)}">{escape(f.name)}</a></p>' for f in article.attachments
        )
        detail = json.dumps({"id": article.article_id, "title": article.title, "content": article.body + files})
        folded = detail.replace("/", "\\/").replace("<", "\\u003c")
        body = f"<div id='app'></div><script>window._CONFIG = {{SID:'{SID}', DETAIL: {folded}}};</script>"
        return document(article.title, body, article_metas(article))
