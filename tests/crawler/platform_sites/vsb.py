"""VSB: further pages counted downwards, downloads without extension that want a Referer, the file list outside the body."""

# ruff: noqa: E501  markup stays on the lines real pages have it on

from html import escape

from crawler.replica.portal import Response
from platform_sites.base import NAMES, Skin, article_metas, document, html

LISTS = {"annual_report": ("/xxgk/nb", 1045), "policy": ("/xxgk/zcwj", 1046)}


class Vsb(Skin):
    name = "vsb"

    def channel_path(self, channel):
        return LISTS[channel][0] + ".htm"

    def article_path(self, article):
        return f"/info/{LISTS[article.channel][1]}/{article.article_id}.htm"

    def file_path(self, attachment, article):
        number = int(attachment.file_id[:7], 16)
        return f"/system/_content/download.jsp?urltype=news.DownloadAttachUrl&owner=1427152635&wbfileid={number}"

    def list_answer(self, path, query, shelf, origin):
        for channel, (stem, _) in LISTS.items():
            if path == f"{stem}.htm":
                return self.list_page(channel, 1, shelf)
            if path.startswith(f"{stem}/") and path.endswith(".htm"):
                return self.list_page(channel, shelf.pages(channel) + 1 - int(path[len(stem) + 1 : -4]), shelf)
        return None

    def list_page(self, channel, number, shelf) -> Response:
        stem = LISTS[channel][0].rpartition("/")[2]
        up, down = ("..", f"{stem}/") if number == 1 else ("../..", "")
        rows = "\n".join(
            f'<tr height="20"><td width="20"><img src="/images/dot.gif"></td><td><a class="c53565" '
            f'href="{up}{self.article_path(a)}" target="_blank" title="{escape(a.title)}">{escape(a.title[:14])}...</a>'
            f'</td><td><span class="timestyle53565">{a.published:%Y/%m/%d}&nbsp;</span></td></tr>'
            for a in shelf.page(channel, number)
        )
        pages = shelf.pages(channel)
        following = f'<a href="{down}{pages - number}.htm" class="Next">下页</a>' if number < pages else "下页"
        body = (
            f'<table class="winstyle53565">{rows}<tr><td colspan="3" align="center"><div class="pager">'
            f"共{shelf.total(channel)}条&nbsp;&nbsp;{number}/{pages}&nbsp;&nbsp;首页 上页 {following} 尾页</div></td></tr></table>"
        )
        return html(document(NAMES[channel], body, {"ColumnName": NAMES[channel]}))

    def article_page(self, article):
        files = "".join(
            f'<li>附件【<a href="{escape(self.file_path(f, article))}" target="_blank">{escape(f.name)}</a>】已下载'
            f'<span id="nattach{n}">3</span>次</li>'
            for n, f in enumerate(article.attachments)
        )
        clicks = f'<span id="dynclicks_wbnews_{article.article_id}_181">25</span>'
        body = (
            f'<h1>{escape(article.title)}</h1><div class="info">发布时间：{article.published} 点击数：{clicks}</div>'
            f"<div id='vsb_content_2' ><div class=\"v_news_content\">{article.body}</div></div>"
            f'<ul style="list-style-type:none;">{files}</ul>'
        )
        return document(article.title, body, article_metas(article))

    def file_answer(self, attachment, request) -> Response:
        if "/info/" not in request.headers.get("referer", ""):
            return Response(403, "text/html", "<html><body>请从正文页面下载</body></html>".encode())
        name = attachment.name.encode("gbk").decode("latin-1")
        headers = (("Content-Disposition", f'attachment; filename="{name}"'),)
        return Response(200, "application/octet-stream", attachment.data, headers=headers)
