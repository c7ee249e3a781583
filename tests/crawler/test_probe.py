"""Looking at a page: what its site runs, which channels it shows, and a site file that loads."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from crawling import crawl, one
from platform_sites import SKINS, serving
from platform_sites.base import POLICIES, REPORTS, document

from crawler.cli import main
from crawler.exceptions import ProbeError
from crawler.probe import probe
from crawler.proposal import propose, site_text
from crawler.site import parse_site

URL = "http://qinghe.example.cn/zfxxgk/index.html"


def test_the_menu_of_a_disclosure_portal_is_found_though_line_breaks_part_its_words():
    proposal = propose(document("政府信息公开", "<p>欢迎</p>").encode(), URL)
    assert [(channel.name, channel.label, channel.url, channel.is_list) for channel in proposal.channels] == [
        ("guide", "政府信息公开指南", "http://qinghe.example.cn/zfxxgkzn/", False),
        ("rules", "政府信息公开制度", "http://qinghe.example.cn/zfxxgkzd/", False),
        ("proactive_disclosure", "法定主动公开内容", "http://qinghe.example.cn/fdgknr/", True),
        ("annual_report", "政府信息公开年报", "http://qinghe.example.cn/zfxxgknb/", True),
        ("on_request", "依申请公开", "http://qinghe.example.cn/ysqgk/", False),
    ]
    assert (proposal.platform, proposal.agency, proposal.division_code) == ("", "青禾区人民政府", "990101")


def test_the_proposed_file_loads_and_has_the_lists_as_channels():
    site = parse_site(site_text(propose(document("政府信息公开", "").encode(), URL)), name="s", source="s.toml")
    assert dict(site.channels) == {
        "proactive_disclosure": "http://qinghe.example.cn/fdgknr/",
        "annual_report": "http://qinghe.example.cn/zfxxgknb/",
    }
    assert (site.agency, site.division_code, site.platform) == ("青禾区人民政府", "990101", "auto")


@pytest.mark.parametrize("entity", [b"", b"\xff\xfe\x00", b"<a href='http://[x'>\xe5\xb9\xb4\xe6\x8a\xa5</a>", b"{}"])
def test_a_page_that_says_nothing_gives_a_file_that_loads_and_is_off(entity: bytes):
    text = site_text(propose(entity, URL))
    site = parse_site(text, name="s", source="s.toml")
    assert not site.enabled
    assert site.disabled_because
    assert site.agency == "qinghe.example.cn"
    assert "not said on the page" in text


def test_words_of_a_page_cannot_leave_their_string():
    page = "<meta name='SiteName' content='a\"\nb = \"\\'><meta name='ColumnName' content='c\x01\nd'><ul>" + "".join(
        f"<li><a href='/{n}'>某某公告文件</a>2024-01-0{n}</li>" for n in (1, 2, 3)
    )
    site = parse_site(site_text(propose(page.encode(), URL)), name="s", source="s.toml")
    assert site.agency.startswith('a"')
    assert dict(site.channels) == {"channel": URL}


@pytest.mark.parametrize("name", SKINS)
def test_every_platform_is_named_with_its_reason(name: str):
    with serving(SKINS[name]()) as site:
        for channel in (REPORTS, POLICIES):
            proposal = probe(site.base_url + site.skin.channel_path(channel), allow_private=True)
            assert proposal.platform == name
            assert proposal.reason
            assert any(found.is_list for found in proposal.channels)


def test_a_private_address_is_refused_unless_it_is_allowed():
    with serving(SKINS["trs"]()) as site:
        with pytest.raises(ProbeError, match=r"private_address: .* \(--allow-private looks nonetheless\)$"):
            probe(site.base_url + "/zwgk/gknb/")
        assert site.access_log == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example.cn/", "http://", "http://[x"])
def test_only_web_addresses_are_looked_at(url: str):
    with pytest.raises(ProbeError):
        probe(url, allow_private=True)


def test_a_missing_page_is_said():
    with serving(SKINS["trs"]()) as site, pytest.raises(ProbeError, match="found 404"):
        probe(site.base_url + "/nothing.html", allow_private=True)


def test_the_command_prints_a_file_that_can_be_crawled(tmp_path: Path):
    with serving(SKINS["trs"]()) as site:
        url = site.base_url + site.skin.channel_path(POLICIES)
        result = CliRunner().invoke(main, ["sites", "probe", url, "--allow-private"])
        assert result.exit_code == 0
        assert "# platform: trs (" in result.output
        path = tmp_path / "found.toml"
        lines = [line for line in result.output.splitlines() if "fdgknr" not in line and "zfxxgknb" not in line]
        path.write_text("\n".join(lines).replace("delay_seconds = 2.0", "delay_seconds = 0.0"), encoding="utf-8")
        assert CliRunner().invoke(main, ["sites", "check", str(path)]).exit_code == 0
        assert crawl(tmp_path / "data", path).code == 0
        assert one(tmp_path / "data", "SELECT count(*) FROM listings") == len(site.shelf.channels[POLICIES])
        as_json = CliRunner().invoke(main, ["sites", "probe", url, "--allow-private", "--json"])
        assert json.loads(as_json.output)["platform"] == "trs"
