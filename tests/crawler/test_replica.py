"""The replica is right by itself: asked with http.client, no crawler."""

import gzip
import hashlib
import http.client
import re
import threading
import time
import tomllib
from datetime import date
from itertools import pairwise
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from crawler.replica import Behaviour, Replica
from crawler.replica.content import AGENCIES, CHANNELS, HISTORY_AREA

HREF = re.compile(r"""<a href=['"]([^'"]+)['"] title=""")


def get(url, *, method="GET", body=None, headers=None):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body=body, headers=headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def text_of(url, **options):
    return get(url, **options)[1].decode()


@pytest.fixture(scope="module")
def replica():
    with Replica() as served:
        yield served


@pytest.fixture
def small():
    with Replica(listings=20) as served:
        yield served


def channel(key):
    return next(known for known in CHANNELS if known.key == key)


def next_group(text):
    found = re.search(r"<nextgroup><!\[CDATA\[<a href=\"([^\"]+)\"", text)
    return found.group(1) if found else None


def groups_by_get(replica, key):
    """The links of every group, following <nextgroup> until there is none or a group is empty."""
    text = text_of(replica.channel_url(key))
    groups = [HREF.findall(text)]
    while (href := next_group(text)) is not None:
        text = text_of(replica.base_url + href.replace("青禾区人民政府", "x"))
        links = HREF.findall(text)
        if not links:
            break
        groups.append(links)
    return groups


def groups_by_post(replica, key):
    column = channel(key)
    page = text_of(replica.channel_url(key))
    total = int(re.search(r"totalRecord:(\d+)", page).group(1))
    groups = [HREF.findall(page)]
    for start in range(column.group_size + 1, total + 1, column.group_size):
        end = start + column.group_size - 1
        path = f"/module/web/jpage/dataproxy.jsp?startrecord={start}&endrecord={end}&perpage={column.per_page}"
        form = f"col=1&appid=1&webid=31&path=%2F&columnid={column.column_id}&unitid={column.unit_id}&permissiontype=0"
        response, data = get(
            replica.base_url + path,
            method="POST",
            body=form,
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"},
        )
        assert response.status == 200
        groups.append(HREF.findall(data.decode()))
    return groups


def absolute(replica, href):
    href = href.strip().replace("&amp;amp;", "&")
    return href if href.startswith("http") else replica.base_url + href


def test_has_two_hundred_listings_over_three_channels(replica):
    listings = replica.truth.listings
    assert len(listings) == 200
    assert {listing.channel for listing in listings} == {"annual_report", "policy", "notices"}


def test_reports_are_of_every_year_and_form_in_force_then(replica):
    years = {(report.year, report.form) for report in replica.truth.reports}
    assert {year for year, _ in years} == set(range(2014, 2025))
    assert {form for year, form in years if year < 2019} == {"2014"}
    assert {form for year, form in years if year in (2019, 2020)} == {"2019"}
    assert {year for year, form in years if year > 2020 and form == "2019"} == {2021}


@pytest.mark.parametrize("key", ["annual_report", "policy", "notices"])
@pytest.mark.parametrize("walk", [groups_by_get, groups_by_post], ids=["get", "post"])
def test_groups_hold_every_listing_with_one_record_twice_at_each_boundary(replica, key, walk):
    groups = walk(replica, key)
    wanted = [listing.url for listing in replica.truth.listings if listing.channel == key]
    read = [absolute(replica, href) for href in groups[0]]
    for before, group in pairwise(groups):
        assert group[0] == before[-1]
        read += [absolute(replica, href) for href in group[1:]]
    assert read == wanted
    assert len(groups) > 1


def test_lists_are_newest_first_and_positions_count_from_one(replica):
    entries = [listing for listing in replica.truth.listings if listing.channel == "policy"]
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.date for entry in entries] == sorted((entry.date for entry in entries), reverse=True)


def test_the_second_screen_page_has_no_file_of_its_own(replica):
    response, _ = get(replica.channel_url("policy").replace("index.html", "index_1.html"))
    assert response.status == 404


def test_every_page_answers_and_carries_its_title(replica):
    for page in replica.truth.pages:
        response, data = get(page.url)
        assert response.status == 200
        text = data.decode("utf-8") if b"\xe5\x8f\x91\xe5\xb8\x83" in data else data.decode("gb18030")
        assert f'<meta name="ArticleTitle" content="{page.title}">' in text
        assert page.published_date.isoformat() in text


def test_some_pages_are_gbk_and_call_themselves_utf8(replica):
    liars = [url for url in (page.url for page in replica.truth.pages) if is_lying(get(url)[1])]
    assert len(liars) >= 10


def is_lying(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return b"charset=utf-8" in data
    return False


def test_head_table_labels_have_spaces_inside(replica):
    page = next(page for page in replica.truth.pages if page.document_number)
    data = get(page.url)[1]
    text = data.decode("gb18030") if b"\xb7\xa2\xce\xc4" in data else data.decode()
    for label in ("索 引 号：", "文　　号：", "发文机关：", "成文日期：", "发布日期："):
        assert label in text
    assert page.index_number in text
    assert page.document_number in text


def test_listings_that_lead_nowhere_are_named_so(replica):
    dead = [listing for listing in replica.truth.listings if not listing.reachable]
    assert [urlsplit(listing.url).hostname for listing in dead if "invalid" in listing.url] == ["wenlv.qinghe.invalid"]
    gone = [listing.url for listing in dead if "invalid" not in listing.url]
    assert [get(url)[0].status for url in gone] == [404]


def test_download_links_redirect_to_octet_streams(replica):
    here = [entry for entry in replica.truth.attachments if entry.url != entry.final_url]
    assert len(here) >= 30
    for entry in here:
        response, _ = get(entry.url)
        assert response.status == 302
        assert replica.base_url + response.headers["Location"] == entry.final_url
        response, data = get(entry.final_url)
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert hashlib.sha256(data).hexdigest() == entry.sha256


def test_one_file_is_on_the_file_host(replica):
    far = [entry for entry in replica.truth.attachments if entry.url == entry.final_url]
    assert [urlsplit(entry.url).netloc for entry in far] == [urlsplit(replica.files_url).netloc]
    response, data = get(far[0].url)
    assert response.status == 200
    assert data.startswith(b"%PDF-")


def test_damaged_files_are_a_login_page_and_half_a_pdf(replica):
    broken = [get(entry.final_url)[1] for entry in replica.truth.attachments if not entry.readable]
    assert sorted(data[:5] for data in broken) == [b"%PDF-", b"<html"]
    assert all(b"%%EOF" not in data for data in broken)


def test_pictures_stand_in_the_pages_that_show_them(replica):
    pictures = replica.truth.pictures
    assert len(pictures) == 2
    for picture in pictures:
        response, data = get(picture.url)
        assert (response.headers["Content-Type"], data[:4]) == ("image/png", b"\x89PNG")
        assert urlsplit(picture.url).path in text_of(picture.page_url)


def test_some_reports_have_the_habits_of_careless_offices(replica):
    habits = {name for report in replica.truth.reports for name in report.troubles}
    assert {"printed_error", "single_other_row"} < habits


def test_a_shown_name_is_the_file_name_a_person_sees(replica):
    named = [entry for entry in replica.truth.attachments if "showname=" in entry.url]
    assert named
    for entry in named:
        assert parse_qs(urlsplit(entry.url).query)["showname"] == [entry.file_name]
    assert unquote(named[0].url).count(named[0].file_name) == 1


def test_the_annual_report_endpoint_gives_a_title_without_a_body_for_an_empty_year(replica):
    empty = f"{replica.base_url}/module/xxgk/xxgkAnnualReport.jsp?fbtime=2011&area={HISTORY_AREA}"
    text = text_of(empty)
    assert "青禾区档案馆2011年政府信息公开工作年度报告" in text
    assert '<meta name="ContentStart"/><meta name="ContentEnd"/>' in text
    full = [report for report in replica.truth.reports if "xxgkAnnualReport" in report.page_url]
    assert [report.listed for report in full].count(True) == 1
    assert all("<table" in text_of(report.page_url).split("ContentStart")[1] for report in full)
    elsewhere = f"{replica.base_url}/module/xxgk/xxgkAnnualReport.jsp?area={AGENCIES[0][1]}&fbtime=2020"
    assert "ContentStart" in text_of(elsewhere)


def test_clicks_and_clock_change_at_every_request_and_nothing_else(replica):
    url = replica.truth.pages[0].url
    first, second = (re.sub(rb'(id="(?:clicks|utime)">)[^<]*', rb"\1", get(url)[1]) for _ in range(2))
    assert get(url)[1] != get(url)[1]
    assert first == second


def test_the_same_seed_gives_the_same_site(replica):
    with Replica() as again:
        for mine, theirs in zip(replica.truth.attachments, again.truth.attachments, strict=True):
            assert mine.sha256 == theirs.sha256
        strip = [page.title for page in replica.truth.pages]
        assert strip == [page.title for page in again.truth.pages]


def test_another_seed_gives_other_numbers(replica):
    with Replica(seed=7) as other:
        assert [report.facts for report in replica.truth.reports] != [report.facts for report in other.truth.reports]


def test_is_ready_in_five_seconds():
    started = time.perf_counter()
    with Replica(seed=41) as fresh:
        get(fresh.channel_url("policy"))
    assert time.perf_counter() - started < 5


def test_stopping_leaves_no_thread_even_with_an_open_connection():
    before = threading.active_count()
    replica = Replica(listings=3)
    replica.start()
    parts = urlsplit(replica.base_url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    connection.request("GET", "/")
    connection.getresponse().read()
    assert threading.active_count() == before + 1
    replica.stop()
    assert threading.active_count() == before
    connection.close()
    with pytest.raises(OSError):
        get(replica.base_url)


def test_connections_are_kept_alive(small):
    parts = urlsplit(small.base_url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    for _ in range(3):
        connection.request("GET", "/")
        response = connection.getresponse()
        assert int(response.headers["Content-Length"]) == len(response.read())
        assert not response.will_close
    connection.close()


def test_the_access_log_names_every_answer(small):
    get(f"{small.base_url}/nowhere")
    entry = small.access_log[-1]
    assert (entry.method, entry.path, entry.status) == ("GET", "/nowhere", 404)
    assert entry.bytes_sent > 100


@pytest.mark.parametrize(
    ("robots", "status", "begins"),
    [
        ("missing", 404, b"<!DOCTYPE"),
        ("allow", 200, b"User-agent"),
        ("disallow", 200, b"User-agent: *\nDisallow: /\n"),
        ("homepage", 200, b"<!DOCTYPE"),
    ],
)
def test_robots_txt(robots, status, begins):
    with Replica(listings=3, behaviour=Behaviour(robots=robots)) as served:
        response, data = get(f"{served.base_url}/robots.txt")
    assert response.status == status
    assert data.startswith(begins)


def test_validators_answer_not_modified_though_the_clock_moves():
    with Replica(listings=3, behaviour=Behaviour(validators=True)) as served:
        url = served.truth.pages[0].url
        tag = get(url)[0].headers["ETag"]
        response, data = get(url, headers={"If-None-Match": tag})
        assert (response.status, data) == (304, b"")
        served.edit_article(url, title="改过的标题")
        assert get(url, headers={"If-None-Match": tag})[0].status == 200


def test_gzip_and_chunks_carry_the_same_page():
    plain = Behaviour(volatile=False)
    packed = Behaviour(volatile=False, gzip=True, chunked=True)
    with Replica(listings=3, behaviour=plain) as one, Replica(listings=3, behaviour=packed) as other:
        path = "/col/col126001/index.html"
        response, data = get(other.base_url + path, headers={"Accept-Encoding": "gzip"})
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert gzip.decompress(data).decode().replace(other.base_url[7:], one.base_url[7:]) == text_of(
            one.base_url + path
        )


def test_added_article_heads_its_list(small):
    url = small.add_article(channel="policy", title="新文件", body="<p>正文</p>", published=date(2026, 1, 5))
    first = next(listing for listing in small.truth.listings if listing.channel == "policy")
    assert (first.url, first.title, first.position) == (url, "新文件", 1)
    assert "<p>正文</p>" in text_of(url)
    assert url.removeprefix(small.base_url) in text_of(small.channel_url("policy"))


def test_edited_article_keeps_its_address_and_loses_the_truth_of_its_body(small):
    report = next(report for report in small.truth.reports if report.document_url == report.page_url)
    small.edit_article(report.page_url, body="<p>内容已更新</p>")
    assert "内容已更新" in text_of(report.page_url)
    assert report.page_url not in {other.page_url for other in small.truth.reports}


def test_deleted_article_is_gone_from_site_and_list_unless_kept_listed(small):
    first, second = [listing for listing in small.truth.listings if listing.channel == "policy"][:2]
    small.delete_article(first.url)
    small.delete_article(second.url, keep_listed=True)
    assert [get(entry.url)[0].status for entry in (first, second)] == [404, 404]
    left = {listing.url: listing.reachable for listing in small.truth.listings}
    assert first.url not in left
    assert left[second.url] is False


@pytest.mark.parametrize(("redirect", "status"), [(False, 404), (True, 302)])
def test_moved_article_answers_at_its_new_address(small, redirect, status):
    old = next(listing for listing in small.truth.listings if listing.channel == "policy")
    new = small.move_article(old.url, redirect=redirect)
    response, _ = get(old.url)
    assert response.status == status
    assert get(new)[0].status == 200
    assert new in {listing.url for listing in small.truth.listings}


def test_replaced_attachment_has_other_bytes_at_the_same_address(small):
    entry = next(entry for entry in small.truth.attachments if entry.readable)
    small.edit_attachment(entry.url, b"other bytes")
    assert get(entry.final_url)[1] == b"other bytes"


def test_documents_of_a_folder_are_added_as_reports(tmp_path):
    (tmp_path / "expected").mkdir()
    (tmp_path / "柳溪 2020.txt").write_text("柳溪街道2020年报告", encoding="utf-8")
    (tmp_path / "b.PDF").write_bytes(b"%PDF-1.4")
    with Replica(listings=10, documents=tmp_path) as served:
        added = served.truth.attachments[-2:]
        assert [entry.file_name for entry in added] == ["b.PDF", "柳溪 2020.txt"]
        assert len(served.truth.listings) == 12
        response, data = get(added[1].final_url)
        assert data.decode() == "柳溪街道2020年报告"
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert [page.title for page in served.truth.pages][-2:] == ["b", "柳溪 2020"]
        assert served.truth.listings[0].url in {entry.page_url for entry in added}


def test_site_file_names_channels_hosts_and_counts(replica, tmp_path):
    site = tomllib.loads(replica.site_file(tmp_path).read_text(encoding="utf-8"))
    assert site["channels"]["policy"] == replica.channel_url("policy")
    assert site["allowed_hosts"] == [urlsplit(replica.files_url).hostname]
    assert sum(site["expect"].values()) == 200
    assert site["politeness"]["allow_private_hosts"] is True


def test_the_address_is_known_only_while_it_is_served():
    with pytest.raises(RuntimeError, match="no address yet"):
        Replica(listings=1).base_url  # noqa: B018
