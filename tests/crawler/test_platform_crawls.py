"""Whole crawls of every platform's replica with `platform = "auto"`: what is found is what is there."""

from pathlib import Path

import pytest
from crawling import crawl, crawled, gongkai, one, rows
from platform_sites import SKINS, Faults, PlatformSite, serving


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


def test_every_channel_is_complete(crawled_site: tuple[PlatformSite, Path]):
    site, data = crawled_site
    counts = {channel: len(entries) for channel, entries in site.shelf.channels.items()}
    declared = dict.fromkeys(counts) if site.skin.name == "trs" else counts
    assert set(rows(data, "SELECT channel, declared, stored, status, because FROM channel_runs")) == {
        (channel, declared[channel], count, "complete", "") for channel, count in counts.items()
    }


INCOMPLETE = {
    "a total that is never reached": (
        "ucap",
        Faults(missing=2),
        "incomplete",
        "list_incomplete, list_short, fewer than declared",
    ),
    "a site that repeats its first page": (
        "jpaas",
        Faults(stuck=True),
        "incomplete",
        "list_repeated, list_short, fewer than declared",
    ),
    "stubs": ("trs", Faults(stubs_from=2), "incomplete", "list_incomplete"),
    "a list that moves": (
        "gkmlpt",
        Faults(published_meanwhile=True),
        "incomplete",
        "list_incomplete, list_shifted, list_short, fewer than declared",
    ),
    "a total that counts no further": ("gkmlpt", Faults(capped=True), "unknown", ""),
}


@pytest.mark.parametrize("case", INCOMPLETE)
def test_nothing_partial_is_called_complete(case: str, tmp_path: Path):
    name, faults, status, because = INCOMPLETE[case]
    with serving(SKINS[name](), faults) as site:
        assert crawl(tmp_path, site.site_file(tmp_path)).code == 0
    found = dict(rows(tmp_path, "SELECT channel, status || ': ' || because FROM channel_runs"))
    assert found["annual_report"] == f"{status}: {because}"
    assert (one(tmp_path, "SELECT count(*) FROM findings WHERE code = 'channel_incomplete'") > 0) is (
        status == "incomplete"
    )


def test_a_run_with_a_limit_is_not_complete_and_the_verdict_survives_the_database(tmp_path: Path):
    with serving(SKINS["trs"]()) as site:
        path = site.site_file(tmp_path)
        assert crawl(tmp_path, path, "--limit=3").code == 0
        assert crawl(tmp_path, path).code == 0
    query = "SELECT run_id, site, channel, declared, stored, status, because FROM channel_runs ORDER BY 1, 3"
    before = rows(tmp_path, query)
    assert [row[5:] for row in before] == [("incomplete", "limit of 3 pages")] * 2 + [("complete", "")] * 2
    for file in tmp_path.glob("corpus.db*"):
        file.unlink()
    assert crawled(gongkai(tmp_path, "extract", "--full")).code == 0
    assert rows(tmp_path, query) == before
