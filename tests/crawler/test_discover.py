"""What one payload leads to, by role, from bytes of our own making."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from archive.model import Discovery, Exchange, Target
from crawler.discover import MOST_REDIRECTS, discover, is_page_instead_of_file
from crawler.site import parse_site

SITE = parse_site(
    'agency = "某区"\ndivision_code = "230199"\nallowed_hosts = ["files.example.cn"]\n'
    '[channels]\nreports = "http://d.example.cn/col/col33/index.html"\n',
    name="d",
    source="d.toml",
)
LIST = Target(url="http://d.example.cn/col/col33/index.html", role="list", site="d", channel="reports")
PAGE = Target(
    url="http://d.example.cn/art/2022/1/5/art_33_1.html",
    role="page",
    site="d",
    channel="reports",
    via=LIST.url,
    anchor="甲",
    listed_date="2022-01-05",
    depth=1,
)
FILE = replace(PAGE, url="http://d.example.cn/module/download/downfile.jsp?filename=1.pdf", role="attachment", depth=2)


def exchange(status: int | None, *headers: tuple[bytes, bytes], **changes: object) -> Exchange:
    return Exchange(
        url="", method="GET", started_at=datetime(2022, 1, 6, tzinfo=UTC), elapsed_ms=1.0, request=b"", response=b"",
        status=status, headers=headers, **changes,
    )  # fmt: skip


def column_page(*hrefs: str, total: int | None = None) -> bytes:
    records = "".join(
        f"<record><![CDATA[<li><a href='{href}'>第{n}号</a><span>2022-01-0{n}</span></li>]]></record>"
        for n, href in enumerate(hrefs, 1)
    )
    return (
        "<script type='text/xml'><datastore><nextgroup><![CDATA[<a href='/module/web/jpage/dataproxy.jsp?webid=7"
        f"&columnid=33&unitid=900'></a>]]></nextgroup><recordset>{records}</recordset></datastore></script>"
        f"<script>$('#900').jpage({{totalRecord:{len(hrefs) if total is None else total},perPage:15}});</script>"
    ).encode()


def read(
    target: Target, entity: bytes, status: int | None = 200, *headers: tuple[bytes, bytes], **changes
) -> Discovery:
    return discover(target, entity, site=SITE, exchange=exchange(status, *headers, **changes))


def codes(discovery: Discovery) -> list[str]:
    return [finding.code for finding in discovery.findings]


def test_a_list_gives_listings_pages_and_the_next_group():
    found = read(LIST, column_page("/a.html", "/b.pdf", total=60))
    assert [(listing.url, listing.title, listing.listed_date, listing.position) for listing in found.listings] == [
        ("http://d.example.cn/a.html", "第1号", "2022-01-01", 1),
        ("http://d.example.cn/b.pdf", "第2号", "2022-01-02", 2),
    ]
    page, file, group = found.targets
    assert page == Target(
        url="http://d.example.cn/a.html",
        role="page",
        site="d",
        channel="reports",
        via=LIST.url,
        anchor="第1号",
        listed_date="2022-01-01",
        depth=1,
    )
    assert file.role == "attachment"
    assert (group.role, group.method, group.channel) == ("list", "POST", "reports")
    assert json.loads(group.parameters)["platform"] == "hanweb"
    assert found.declared_total == 60
    assert codes(found) == ["platform_recognised"]
    assert found.findings[0].level == "info"


def test_the_next_group_is_read_with_its_own_parameters_and_not_recognised_again():
    group = read(LIST, column_page("/a.html", total=2)).targets[-1]
    answer = b"<datastore><recordset><record><![CDATA[<a href='/b.html'>x</a>]]></record></recordset></datastore>"
    found = read(group, answer)
    assert [(listing.url, listing.position) for listing in found.listings] == [("http://d.example.cn/b.html", 2)]
    assert (found.declared_total, codes(found)) == (None, [])


def test_the_same_bytes_give_the_same_discovery():
    entity = column_page("/a.html", "/b.html", total=60)
    assert read(LIST, entity) == read(LIST, entity)


def test_a_page_of_no_known_platform_is_an_error():
    found = read(LIST, b"<html><body>nothing known</body></html>")
    assert (codes(found), found.findings[0].level, found.targets) == (["platform_unknown"], "error", ())


def test_an_empty_list_is_an_error():
    found = read(LIST, column_page(total=0))
    assert codes(found) == ["platform_recognised", "list_empty"]
    assert found.findings[1].level == "error"


def test_an_entry_on_another_host_is_listed_and_not_followed():
    found = read(LIST, column_page("/a.html", "http://clone.example.com/a.html"))
    assert len(found.listings) == 2
    assert [target.url for target in found.targets] == ["http://d.example.cn/a.html"]
    refused = found.findings[-1]
    assert (refused.code, refused.url) == ("host_not_allowed", "http://clone.example.com/a.html")
    assert "http://clone.example.com" in refused.message


def test_an_address_is_spelled_as_it_is_requested():
    (listing,) = read(LIST, column_page("/公开 1.html#top")).listings
    assert listing.url == "http://d.example.cn/%E5%85%AC%E5%BC%80%201.html"


def test_an_attachment_is_followed_once_under_its_fullest_name():
    entity = (
        "<html><body><div id='zoom'><p>正文</p>"
        "<a href='/module/download/downfile.jsp?filename=1.pdf'><img src='/icon.gif'></a>"
        "<a href='/module/download/downfile.jsp?filename=1.pdf'>2021年年度报告.pdf</a>"
        "<a href='http://files.example.cn/2.docx'>附表.docx</a></div></body></html>"
    ).encode()
    found = read(PAGE, entity)
    assert [(target.url, target.role, target.anchor, target.depth) for target in found.targets] == [
        ("http://d.example.cn/module/download/downfile.jsp?filename=1.pdf", "attachment", "2021年年度报告.pdf", 2),
        ("http://files.example.cn/2.docx", "attachment", "附表.docx", 2),
    ]
    assert found.targets[0].headers == (("Referer", PAGE.url),)
    assert found.targets[0].via == PAGE.url


def test_a_page_without_files_leads_nowhere():
    assert read(PAGE, "<html><body><p>正文</p><a href='/next.html'>下一篇</a></body></html>".encode()) == Discovery()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_as_the_same_thing(status: int):
    found = read(FILE, b"", status, (b"LOCATION", b"/attach/0/1.pdf"))
    (target,) = found.targets
    assert (target.url, target.role, target.via) == ("http://d.example.cn/attach/0/1.pdf", "attachment", FILE.url)
    assert (target.anchor, target.listed_date, target.channel) == (FILE.anchor, FILE.listed_date, FILE.channel)
    assert json.loads(target.parameters) == {"redirects": 1}


def test_gbk_bytes_in_a_location_are_asked_for_as_received():
    (target,) = read(FILE, b"", 302, (b"Location", "/附件.pdf".encode("gbk"))).targets
    assert target.url == "http://d.example.cn/%B8%BD%BC%FE.pdf"


def test_a_redirect_keeps_a_post_only_where_the_status_says_so():
    group = read(LIST, column_page("/a.html", total=60)).targets[-1]
    kept = read(group, b"", 307, (b"Location", b"/other.jsp")).targets[0]
    dropped = read(group, b"", 302, (b"Location", b"/other.jsp")).targets[0]
    assert (kept.method, kept.body) == ("POST", group.body)
    assert (dropped.method, dropped.body) == ("GET", b"")
    assert "Content-Type" not in dict(dropped.headers)
    assert json.loads(dropped.parameters)["list"] == json.loads(group.parameters)["list"]


def test_redirects_end_somewhere():
    target, hops = PAGE, 0
    while True:
        found = read(target, b"", 302, (b"Location", f"/hop{hops}.html?x".encode()))
        if not found.targets:
            break
        (target,), hops = found.targets, hops + 1
    assert (hops, codes(found)) == (MOST_REDIRECTS, ["redirect_limit"])


@pytest.mark.parametrize(
    ("location", "code"),
    [
        (b"http://clone.example.com/x", "host_not_allowed"),
        (b"javascript:alert(1)", "host_not_allowed"),
        (b"file:///etc/passwd", "host_not_allowed"),
        (b"http://[broken", "redirect_without_location"),
        (b"", "redirect_without_location"),
        (b"/", "redirect_to_home"),
        (b"/404.html", "redirect_to_home"),
        (PAGE.url.encode(), "redirect_limit"),
    ],
)
def test_a_redirect_that_is_not_followed_says_why(location: bytes, code: str):
    found = read(PAGE, b"", 302, (b"Location", location))
    assert (codes(found), found.targets) == ([code], ())


def test_a_redirect_to_itself_with_a_cookie_is_a_guard():
    found = read(PAGE, b"", 302, (b"Location", PAGE.url.encode()), (b"Set-Cookie", b"CT6T=1"))
    assert (codes(found), found.outcome) == (["challenge"], "blocked")
    assert found.findings[0].message.endswith("CT6T")


JUMPS = {
    "script": f"<html><script>location.href='{PAGE.url}';</script></html>".encode(),
    "meta": b"<html><meta http-equiv='refresh' content='0;url=art_33_1.html'><p>Loading, please wait.</p></html>",
}


@pytest.mark.parametrize("kind", JUMPS)
@pytest.mark.parametrize("role", ["page", "attachment", "list"])
def test_a_page_that_sends_to_itself_with_a_cookie_is_a_guard(kind: str, role: str):
    found = read(replace(PAGE, role=role), JUMPS[kind], 200, (b"Set-Cookie", b"seen=1; path=/"))
    assert (codes(found), found.outcome) == (["challenge"], "blocked")


@pytest.mark.parametrize("kind", JUMPS)
def test_a_page_that_draws_itself_anew_without_a_cookie_is_a_page(kind: str):
    assert read(PAGE, JUMPS[kind]) == Discovery()


@pytest.mark.parametrize(("target", "empty"), [(PAGE, b""), (FILE, b""), (PAGE, b"\r\n\t\r\n")])
def test_an_answer_with_nothing_in_it_is_no_content(target: Target, empty: bytes):
    found = read(target, empty)
    assert (codes(found), found.outcome, found.asks_again) == (["empty_answer"], "http_error", True)


NOTICE = "<!DOCTYPE html>\n<html><body>文件读取失败</body></html>".encode()


@pytest.mark.parametrize(
    ("target", "entity", "is_page"),
    [
        (replace(FILE, anchor="统计表.docx"), NOTICE, True),
        (replace(FILE, url="http://d.example.cn/files/a.PDF"), b"\xef\xbb\xbf\r\n<html></html>", True),
        (replace(FILE, anchor="统计表.doc"), NOTICE, False),
        (replace(FILE, anchor="统计表.docx"), b"PK\x03\x04 <html>", False),
        (replace(PAGE, anchor="统计表.docx"), NOTICE, False),
    ],
)
def test_a_page_under_the_name_of_a_file_is_told_from_the_file(target: Target, entity: bytes, is_page: bool):
    assert is_page_instead_of_file(target, entity) == is_page


GUARDS = {
    "ruishu 412": (412, b"<meta r='m'><script r='m'>$_ts=window['$_ts'];</script>"),
    "ruishu 202": (202, b"<script type='text/javascript' r='m'>$_ts=window['$_ts'];$_ts.cd='x'</script>"),
    "ruishu 200": (200, b"<script type='text/javascript' r='m'>$_ts=window['$_ts'];</script>"),
    "jsl": (521, b"<script>document.cookie=('_')+('_')+('j')</script>"),
    "jsl second": (521, b";go({'tn':'__jsl_clearance_s'})"),
    "c3vk": (200, b"<script>document.cookie = 'C3VK=1a2b; path=/; max-age=300'; location.reload()</script>"),
    "chuangyu": (403, "<title>创宇盾</title>".encode()),
    "refusal in gbk": (405, "<html>您的请求被WAF拦截</html>".encode("gbk")),
    "soft": (200, "<html><body>访问过于频繁，请稍后再试</body></html>".encode()),
}


REFUSALS = ("chuangyu", "refusal in gbk", "soft")


@pytest.mark.parametrize("name", GUARDS)
@pytest.mark.parametrize("target", [LIST, PAGE, FILE], ids=lambda target: target.role)
def test_a_guard_is_no_empty_list(name: str, target: Target):
    status, entity = GUARDS[name]
    found = read(target, entity, status)
    code = "blocked" if name in REFUSALS else "challenge"
    assert (codes(found), found.outcome, found.findings[0].level) == ([code], "blocked", "error")


def test_a_report_that_speaks_of_verification_is_no_guard():
    entity = (
        "<html><body>" + "<p>加强网站安全验证和人机验证工作，避免访问受限。</p>" * 200 + "</body></html>"
    ).encode()
    assert read(PAGE, entity).outcome is None


@pytest.mark.parametrize("status", [None, 304])
def test_what_is_no_answer_leads_nowhere(status: int | None):
    assert read(LIST, column_page("/a.html"), status) == Discovery()


@pytest.mark.parametrize("status", [202, 204, 206, 300])
def test_an_answer_that_is_no_page_is_no_content(status: int):
    found = read(PAGE, column_page("/a.html"), status)
    assert (codes(found), found.outcome, found.targets) == (["http_error"], "http_error", ())


@pytest.mark.parametrize(("target", "level"), [(LIST, "error"), (PAGE, "warning"), (FILE, "warning")])
@pytest.mark.parametrize("status", [404, 410, 500])
def test_an_error_page_is_a_finding_and_leads_nowhere(target: Target, level: str, status: int):
    found = read(target, column_page("/a.html"), status)
    assert (codes(found), found.findings[0].level, found.targets) == (["http_error"], level, ())


def test_a_list_cut_short_is_read_and_said():
    found = read(LIST, column_page("/a.html"), 200, truncated="disconnect")
    assert len(found.listings) == 1
    assert codes(found)[-1] == "truncated"


@pytest.mark.parametrize("target", [LIST, PAGE, FILE], ids=lambda target: target.role)
@pytest.mark.parametrize("entity", [b"", b"\x00" * 100, b"%PDF-1.7 /attach", b"\xff\xfe<", b"<a href='http://[x.pdf'>"])
def test_bad_bytes_never_raise(target: Target, entity: bytes):
    read(target, entity)


def stub(content: str, text: str = "页面正在跳转，请稍候") -> bytes:
    return (
        f"<html><head><title>跳转</title><meta http-equiv='Refresh' content=\"{content}\"></head>{text}</html>".encode()
    )


def script(statement: str, text: str = "") -> bytes:
    return f"<html><head><title>跳转</title><script>{statement}</script></head><body>{text}</body></html>".encode()


@pytest.mark.parametrize(
    "statement",
    [
        "location.href='/zfxxgk/1.html'",
        '\n window.location = "/zfxxgk/1.html";\n',
        "top.location.replace( '/zfxxgk/1.html' );",
        'document.location.assign("/zfxxgk/1.html")',
    ],
)
def test_a_page_whose_script_only_sends_on_is_a_redirect(statement: str):
    found = read(FILE, script(statement))
    assert [(following.url, following.role) for following in found.targets] == [
        ("http://d.example.cn/zfxxgk/1.html", "attachment")
    ]
    assert (found.outcome, codes(found)) == ("redirect", ["meta_refresh"])


@pytest.mark.parametrize("target", [LIST, PAGE, FILE], ids=["list", "page", "file"])
@pytest.mark.parametrize("content", ["0;url=/zfxxgk/1.html", "3; URL='/zfxxgk/1.html'", "0,url= /zfxxgk/1.html "])
def test_a_page_that_only_sends_on_is_a_redirect(target: Target, content: str):
    found = read(target, stub(content))
    (following,) = found.targets
    assert (following.url, following.role, following.via) == (
        "http://d.example.cn/zfxxgk/1.html",
        target.role,
        target.url,
    )
    assert (found.outcome, codes(found)) == ("redirect", ["meta_refresh"])


def test_a_page_that_sends_on_to_the_homepage_is_gone():
    found = read(PAGE, stub("3;url=/"))
    assert (found.outcome, codes(found)) == ("redirect", ["meta_refresh", "redirect_to_home"])


def test_a_page_that_sends_on_to_a_foreign_host_is_said():
    found = read(PAGE, stub("0;url=http://other.example.com/1.html"))
    assert (found.targets, codes(found)) == ((), ["meta_refresh", "host_not_allowed"])


@pytest.mark.parametrize(
    "page",
    [
        stub("0;url=/1.html", "本年度政府信息公开工作情况如下。" * 30),
        stub("600;url=/1.html"),
        stub("30"),
        stub(f"0;url={PAGE.url}"),
        b"<html><!--" + stub("0;url=/1.html") + b"--></html>",
        b"<html><noscript>" + stub("0;url=/1.html") + b"</noscript></html>",
        script("location.href='/1.html'", "本年度政府信息公开工作情况如下。" * 30),
        script("if (screen.width < 700) location.href='/m/1.html'"),
        script("location.href='/a/' + year + '.html'"),
        script("location.href='/1.html'; go()"),
        script("location.reload()"),
        b"<!--" + script("location.href='/1.html'") + b"-->",
    ],
    ids=[
        "with a text",
        "after a while",
        "itself",
        "itself by name",
        "commented out",
        "without scripts",
        "a script with a text",
        "a script with a condition",
        "a script that puts an address together",
        "a script that does more",
        "a script that loads again",
        "a script commented out",
    ],
)
def test_a_page_that_is_one_itself_is_read(page: bytes):
    found = read(PAGE, page)
    assert (found.outcome, found.targets) == (None, ())


def test_bytes_after_the_end_of_a_list_are_said():
    found = read(LIST, column_page("/art/1.html"), trailing=b"<li>one more</li>")
    assert codes(found)[-1] == "bytes_after_end"
    assert "bytes_after_end" not in codes(read(LIST, column_page("/art/1.html"), trailing=b"\r\n"))


def test_entries_whose_characters_are_broken_are_said():
    page = column_page("/art/1.html", "/art/2.html")
    assert "list_garbled" not in codes(read(LIST, page))
    broken = page.replace("第2号".encode(), "第2号".encode("gbk"))
    assert "list_garbled" in codes(read(LIST, broken))
