"""Whole crawls of every platform's replica with `platform = "auto"`: what is found is what is there."""

from pathlib import Path

import pytest
from crawling import crawl, one, rows
from platform_sites import SKINS, PlatformSite, serving


@pytest.fixture(scope="module", params=sorted(SKINS))
def crawled_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp(request.param)
    with serving(SKINS[request.param]()) as site:
        done = crawl(folder, site.site_file(folder))
        assert (done.code, done.errors) == (0, "")
        yield site, folder


def test_the_platform_is_recognised_and_why(crawled_site: tuple[PlatformSite, Path]):
    site, data = crawled_site
    messages = [m for (m,) in rows(data, "SELECT message FROM findings WHERE code = 'platform_recognised'")]
    assert len(messages) == 2
    assert {message.partition(": ")[0] for message in messages} == {site.skin.name}
    assert all(message.partition(": ")[2] for message in messages)


def test_every_listing_is_found(crawled_site: tuple[PlatformSite, Path]):
    site, data = crawled_site
    assert set(rows(data, "SELECT url, title, listed_date, channel, position FROM listings")) == site.truth.listings


def test_every_page_is_stored(crawled_site: tuple[PlatformSite, Path]):
    site, data = crawled_site
    assert {url for (url,) in rows(data, "SELECT url FROM pages")} == site.truth.pages


def test_every_attachment_is_found_with_its_bytes(crawled_site: tuple[PlatformSite, Path]):
    site, data = crawled_site
    found = rows(
        data,
        """SELECT a.url, a.page_url, a.file_name, c.payload_digest FROM attachments a JOIN captures c USING (capture_id)
        WHERE a.media_type NOT LIKE 'image/%'""",
    )
    assert set(found) == site.truth.attachments


def test_every_report_is_read(crawled_site: tuple[PlatformSite, Path]):
    site, data = crawled_site
    found = rows(data, "SELECT document_url, page_url, agency, report_year, form FROM reports")
    assert set(found) == site.truth.reports


def test_the_declared_total_is_kept_and_nothing_is_short(crawled_site: tuple[PlatformSite, Path]):
    site, data = crawled_site
    totals = dict(rows(data, "SELECT channel, declared_total FROM declared_totals"))
    stated = {channel: len(entries) for channel, entries in site.shelf.channels.items()}
    # TRS declares pages only.
    assert totals == ({} if site.skin.name == "trs" else stated)
    assert one(data, "SELECT count(*) FROM findings WHERE code LIKE 'list!_%' ESCAPE '!' AND level <> 'info'") == 0
