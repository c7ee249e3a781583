"""Markup of 大汉 jCMS: column pages, groups of records, article pages. Pure functions from content to text.

Two marks stand for what changes at every request: `CLICKS` and `CLOCK`; the server puts values in when it answers.
"""

# ruff: noqa: E501  markup stays on the lines real pages have it on

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from crawler.replica.content import CHANNELS, SITE_ID_CODE, SITE_NAME, Article, Attachment, Channel, column_of

CLICKS = "@@clicks@@"
CLOCK = "@@clock@@"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where the site and its file host answer: `http://host:port`, no slash at the end."""

    site: str
    files: str

    @property
    def domain(self) -> str:
        return self.site.partition("//")[2]


def article_url(article: Article, hosts: Hosts) -> str:
    return article.path if "//" in article.path else hosts.site + article.path


def attachment_href(attachment: Attachment, hosts: Hosts) -> str:
    """The link as the page carries it, not yet escaped for HTML."""
    if attachment.place == "file_host":
        return final_attachment_url(attachment, hosts)
    shown = f"showname={quote(attachment.name)}&" if attachment.named else ""
    return f"/module/download/downfile.jsp?classid=0&{shown}filename={attachment.file_name}"


def attachment_url(attachment: Attachment, hosts: Hosts) -> str:
    href = attachment_href(attachment, hosts)
    return href if href.startswith("http") else hosts.site + href


def attachment_path(attachment: Attachment) -> str:
    folder = "/jcms_files/jcms1/web31/site/attach/0/" if attachment.place == "file_host" else "/attach/0/"
    return folder + attachment.file_name


def final_attachment_url(attachment: Attachment, hosts: Hosts) -> str:
    return (hosts.files if attachment.place == "file_host" else hosts.site) + attachment_path(attachment)


# Lists ------------------------------------------------------------------------------------------------------------


def group_path(channel: Channel, page: int) -> str:
    return (
        f"/module/web/jpage/dataproxy.jsp?page={page}&appid=1&webid=31&path=/&columnid={channel.column_id}"
        f"&unitid={channel.unit_id}&webname={SITE_NAME}&permissiontype=0"
    )


def _href(article: Article, hosts: Hosts) -> str:
    if article.href == "absolute":
        return article_url(article, hosts)
    if article.href == "spaced":
        return f"{article.path}  "
    if article.href == "escaped_twice":
        return article.path.replace("&", "&amp;amp;")
    return article.path


def record(article: Article, channel: Channel, hosts: Hosts) -> str:
    q = channel.quote
    shown = article.listed_title or article.title
    link = f"<a href={q}{_href(article, hosts)}{q} title={q}{escape(article.title)}{q} target={q}_blank{q}>{shown}</a>"
    day = f"<{channel.date_tag}>{article.published.isoformat()}</{channel.date_tag}>"
    if channel.table_rows:
        return f'<table width="100%"><tr><td width="12">·</td><td>{link}</td><td align="right">{day}</td></tr></table>'
    return f"<li>{link}{day}</li>"


def _records(articles: Sequence[Article], channel: Channel, hosts: Hosts) -> str:
    lines = [f"<record><![CDATA[{record(article, channel, hosts)}]]></record>" for article in articles]
    inner = "\n".join(lines)
    return f"<recordset>\n{inner}\n</recordset>" if channel.recordset else inner


def _next_group(channel: Channel, page: int) -> str:
    return f'<nextgroup><![CDATA[<a href="{group_path(channel, page)}"></a>]]></nextgroup>'


def group(articles: Sequence[Article], channel: Channel, hosts: Hosts, *, total: int, next_page: int | None) -> str:
    """The answer of dataproxy.jsp. `next_page` is the number of the group after this one, None after the last."""
    pages = -(-total // channel.per_page)
    totals = f"<totalrecord>{total}</totalrecord><totalpage>{pages}</totalpage>" if channel.totals else ""
    more = _next_group(channel, next_page) if next_page is not None else ""
    answer = f"<datastore>{totals}\n{more}\n{_records(articles, channel, hosts)}\n"
    return f"\r\n\r\n{answer}<li style=<br/>" if channel.ragged else f"{answer}</datastore>"


def column_page(
    articles: Sequence[Article], channel: Channel, hosts: Hosts, *, total: int, next_page: int | None
) -> str:
    more = _next_group(channel, next_page) if next_page is not None else ""
    unit = channel.unit_id
    data = f"<datastore>\n{more}\n{_records(articles, channel, hosts)}\n</datastore>"
    body = f"""<div class="list_main">
<div class="position">当前位置：<a href="/" class="bt_link">首页</a> &gt; <a href="/col/col126000/index.html" class="bt_link">政府信息公开</a> &gt; {channel.page_title}</div>
<div id="{unit}" class="list_box"><script type="text/xml">{data}</script></div>
<script>
var param_{unit}={{webid:31,columnid:{channel.column_id},unitid:'{unit}',webname:'{SITE_NAME}',path:'/',permissiontype:0}};
$('#{unit}').jpage({{theme:'default',totalRecord:{total},perPage:{channel.per_page},dataBefore:'<ul>',dataAfter:'</ul>',proxyUrl:'/module/web/jpage/dataproxy.jsp',currPage:1,queryParam:param_{unit}}});
</script>
</div>"""
    metas = {
        "SiteName": SITE_NAME,
        "SiteDomain": hosts.domain,
        "SiteIDCode": SITE_ID_CODE,
        "ColumnName": channel.page_title,
        "ColumnType": channel.page_title,
        "ColumnDescription": f"{SITE_NAME}{channel.page_title}栏目",
        "ColumnKeywords": channel.page_title,
    }
    return _page(f"{SITE_NAME} {channel.page_title}", metas, body, declared="utf-8")


# Pages ------------------------------------------------------------------------------------------------------------


def article_page(article: Article, hosts: Hosts) -> str:
    channel = column_of(article.channel)
    metas = {
        "SiteName": SITE_NAME,
        "SiteDomain": hosts.domain,
        "SiteIDCode": SITE_ID_CODE,
        "ColumnName": channel.page_title,
        "ColumnType": channel.page_title,
        "ArticleTitle": article.title,
        "PubDate": f"{article.published.isoformat()} 09:{article.article_id % 60:02d}",
        "ContentSource": article.source,
        "Keywords": "",
        "Author": "",
        "Url": article_url(article, hosts),
    }
    body = f"""<div class="article">
<div class="position">当前位置：<a href="/" class="bt_link">首页</a> &gt; <a href="/col/col126000/index.html" class="bt_link">政府信息公开</a> &gt; <a href="{channel.path}" class="bt_link">{channel.page_title}</a></div>
{_head_table(article)}
<table id="article" width="100%" border="0" cellspacing="0" cellpadding="0">
<tr><td class="title"><!--<$[标题名称(html)]>begin-->{escape(article.title, quote=False)}<!--<$[标题名称(html)]>end--></td></tr>
<tr><td class="info">信息来源：<!--<$[信息来源]>begin-->{article.source}<!--<$[信息来源]>end-->&nbsp;&nbsp;发布日期：{article.published.isoformat()}&nbsp;&nbsp;浏览次数：<span id="clicks">{CLICKS}</span>次&nbsp;&nbsp;字体：[ <a href="javascript:doZoom(18)">大</a> <a href="javascript:doZoom(16)">中</a> <a href="javascript:doZoom(14)">小</a> ]</td></tr>
<tr><td class="bt_content"><div id="zoom"><!--ZJEG_RSS.content.begin--><meta name="ContentStart"/>
{article.body}
{_attachments(article, hosts)}<meta name="ContentEnd"/><!--ZJEG_RSS.content.end--></div></td></tr>
</table>
<div class="tools"><a href="javascript:window.print()">打印本页</a> <a href="javascript:window.close()">关闭窗口</a></div>
</div>"""
    return _page(f"{article.title}-{SITE_NAME}", metas, body, declared=article.declared)


def empty_report_page(agency: str, year: str, hosts: Hosts) -> str:
    """What the annual-report endpoint gives for a year without a report: a title and no body."""
    metas = {"SiteName": SITE_NAME, "SiteDomain": hosts.domain, "SiteIDCode": SITE_ID_CODE}
    title = f"{agency}{year}年政府信息公开工作年度报告"
    body = (
        f'<table id="article"><tr><td class="title">{title}</td></tr>'
        '<tr><td class="bt_content"><div id="zoom"><!--ZJEG_RSS.content.begin--><meta name="ContentStart"/>'
        '<meta name="ContentEnd"/><!--ZJEG_RSS.content.end--></div></td></tr></table>'
    )
    return _page(title, metas, body, declared="utf-8")


def home_page(hosts: Hosts) -> str:
    metas = {"SiteName": SITE_NAME, "SiteDomain": hosts.domain, "SiteIDCode": SITE_ID_CODE}
    body = f'<div class="index"><h1>{SITE_NAME}</h1><p>今日：{CLOCK}</p></div>'
    return _page(SITE_NAME, metas, body, declared="utf-8")


def not_found_page() -> str:
    return (
        '<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"><title>404</title></head>\n'
        '<body><h2>您访问的页面不存在或已删除</h2><p><a href="/">返回首页</a></p></body>\n</html>\n'
    )


def _head_table(article: Article) -> str:
    """The labelled head of a disclosure page; real ones have ideographic and plain spaces inside the labels."""
    written = article.written
    written_text = f"{written.year}年{written.month}月{written.day}日" if written else ""
    return f"""<table class="xxgk_head" width="100%" border="0" cellpadding="3">
<tr><td width="80"><b>索 引 号：</b></td><td width="260">{article.index_number}</td><td width="80"><b>组配分类：</b></td><td width="260">{column_of(article.channel).page_title}</td></tr>
<tr><td><b>发文机关：</b></td><td>{article.publisher}</td><td><b>成文日期：</b></td><td>{written_text}</td></tr>
<tr><td><b>标　　题：</b></td><td colspan="3">{escape(article.title, quote=False)}</td></tr>
<tr><td><b>文　　号：</b></td><td>{article.document_number}</td><td><b>发布日期：</b></td><td>{article.published.isoformat()}</td></tr>
<tr><td><b>主 题 词：</b></td><td></td><td><b>有 效 性：</b></td><td></td></tr>
</table>"""


def _attachments(article: Article, hosts: Hosts) -> str:
    if not article.attachments:
        return ""
    lines = []
    for attachment in article.attachments:
        href = escape(attachment_href(attachment, hosts))
        icon = f'<a href="{href}"><img src="/picture/icon/{attachment.extension}.gif" border="0"></a> '
        text = f'<a href="{href}" target="_blank">{escape(attachment.name, quote=False)}</a>'
        lines.append(f"<p>附件：{icon if attachment.twice else ''}{text}</p>\n")
    return "".join(lines)


def _page(title: str, metas: dict[str, str], body: str, *, declared: str) -> str:
    tags = "\n".join(f'<meta name="{name}" content="{escape(content)}">' for name, content in metas.items())
    return f"""<!DOCTYPE html>
<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset={declared}">
<title>{escape(title, quote=False)}</title>
{tags}
<link rel="stylesheet" type="text/css" href="/images/31/style.css">
</head>
<body>
<div class="top"><span id="utime">{CLOCK}</span> 欢迎访问{SITE_NAME}</div>
<table width="1100" align="center"><tr><td width="220" valign="top">
{_menu()}
</td><td valign="top">
{body}
</td></tr></table>
<div class="footer"><p>主办：{SITE_NAME}办公室　网站标识码：{SITE_ID_CODE}　联系电话：0999-80000000</p>
<p>青ICP备00000000号-1　青公网安备 99010102000001号</p></div>
</body>
</html>
"""


def _menu() -> str:
    """The left menu of disclosure portals since 2019, headings broken in the middle as on real ones."""
    items = [
        '<li><a href="/col/col126010/index.html">政府信息<br>公开指南</a></li>',
        '<li><a href="/col/col126011/index.html">政府信息<br>公开制度</a></li>',
    ]
    items += [f'<li><a href="{channel.path}">{channel.page_title}</a></li>' for channel in reversed(CHANNELS)]
    items.append('<li><a href="/col/col126014/index.html">依申请公开</a></li>')
    return '<div class="leftmenu"><ul>\n' + "\n".join(items) + "\n</ul></div>"
