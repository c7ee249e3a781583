"""TRS WCM: index_N, links relative to the list, files beside the article."""

# ruff: noqa: E501  markup stays on the lines real pages have it on

from html import escape

from crawler.replica.portal import Response
from platform_sites.base import (
    NAMES,
    REPORTS,
    Skin,
    article_metas,
    document,
    html,
)  # fmt: skip

STUB = "<html><head><meta charset='utf-8'><title></title></head><body>" + " " * 250 + "</body></html>\n"
FOLDERS = {"annual_report": "/zwgk/gknb/", "policy": "/zwgk/zcwj/"}


class Trs(Skin):
    name = "trs"

    def channel_path(self, channel):
        return FOLDERS[channel] if channel == REPORTS else FOLDERS[channel] + "index.html"

    def article_path(self, article):
        day = article.published
        return f"{FOLDERS[article.channel]}{day:%Y%m}/t{day:%Y%m%d}_{article.article_id}.html"

    def file_path(self, attachment, article):
        number = f"{article.published:%Y%m%d}{int(attachment.file_id[:8], 16):018d}"
        return f"{FOLDERS[article.channel]}{article.published:%Y%m}/P0{number}.{attachment.extension}"

    def list_answer(self, path, query, shelf, origin):
        for channel, folder in FOLDERS.items():
            name = path.removeprefix(folder) if path.startswith(folder) else None
            if name in ("", "index.html"):
                return self.list_page(channel, 1, shelf)
            if name and name.startswith("index_") and name.endswith(".html"):
                return self.list_page(channel, int(name[6:-5]) + 1, shelf)
        return None

    def list_page(self, channel, number, shelf) -> Response:
        if 0 < shelf.faults.stubs_from <= number or number > shelf.pages(channel):
            return html(STUB)
        folder = FOLDERS[channel]
        rows = "\n".join(
            f'<li><a class="cjcx_biaobnan" href="./{self.article_path(a).removeprefix(folder)}" target="_blank">'
            f'{escape(a.title)}</a><span class="date">{a.published}</span></li>'
            for a in shelf.page(channel, number)
        )
        pages = shelf.pages(channel)
        pager = f'createPageHTML({pages}, {number - 1}, "index", "html");'
        if channel != REPORTS:
            pager = f"var currentPage = {number - 1};\nvar countPage = {pages}//共多少页\nshowPages();"
        body = (
            '<div class="crumb">当前位置：<a href="../../" title="首页" class="CurrChnlCls">首页</a>&nbsp;&gt;&nbsp;'
            f'<a href="./" class="CurrChnlCls">{NAMES[channel]}</a></div>\n<div class="list"><ul>\n{rows}\n</ul></div>\n'
            f'<div class="pages"><script>\n{pager}\n</script></div>'
        )
        return html(document(NAMES[channel], body, {"ColumnName": NAMES[channel]}))

    def article_page(self, article):
        files = "".join(
            f'<p>附件：<a href="./{self.file_path(f, article).rpartition("/")[2]}">{escape(f.name)}</a></p>'
            for f in article.attachments
        )
        body = (
            '<div class="crumb">当前位置：<a href="../../" class="CurrChnlCls">首页</a>&nbsp;&gt;&nbsp;'
            f'<a href="../" class="CurrChnlCls">{NAMES[article.channel]}</a></div><h1>{escape(article.title)}</h1>'
            f'<div class="TRS_Editor">{article.body}{files}</div>'
        )
        return document(article.title, body, {**article_metas(article), "contentid": str(article.article_id)})
