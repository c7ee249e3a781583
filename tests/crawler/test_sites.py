"""Every bundled site file loads, yields its first requests, and asks gently."""

import pytest

from crawler.discover import seeds
from crawler.site import HISTORY_CHANNEL, bundled_sites

SITES = {site.name: site for site in bundled_sites()}


@pytest.mark.parametrize("name", SITES)
def test_an_enabled_site_yields_its_first_requests_on_its_own_hosts(name: str):
    site = SITES[name]
    targets = seeds(site)
    assert [target.channel for target in targets if target.role == "list"] == [channel for channel, _ in site.channels]
    assert all(site.allows(target.url) and target.site == name for target in targets)
    assert bool(targets) or not site.enabled


@pytest.mark.parametrize("name", SITES)
def test_a_disabled_site_says_why(name: str):
    assert SITES[name].enabled is not bool(SITES[name].disabled_because)


@pytest.mark.parametrize("name", SITES)
def test_a_bundled_site_is_asked_slowly_and_by_its_robots(name: str):
    politeness = SITES[name].politeness
    assert politeness.delay_seconds >= 2
    assert politeness.concurrent_requests == 1
    assert politeness.obey_robots
    assert not politeness.allow_private_hosts


@pytest.mark.parametrize("name", SITES)
def test_division_code_fits_the_folder(name: str):
    prefixes = {"harbin": "2301", "jiamusi": "2308", "hangzhou": "3301"}
    division, _, _ = name.partition("_")
    assert SITES[name].division_code.startswith(prefixes[division])


def test_history_years_are_pages_newest_first():
    from crawler.site import parse_site

    site = parse_site(
        'agency = "a"\ndivision_code = "370000"\n[channels]\nr = "http://h.example.cn/"\n[annual_report_history]\n'
        'url = "http://h.example.cn/module/xxgk/xxgkAnnualReport.jsp?area=37&fbtime={year}"\n'
        "first_year = 2019\nlast_year = 2020\n",
        name="s",
        source="s.toml",
    )
    history = [target for target in seeds(site) if target.channel == HISTORY_CHANNEL]
    assert [(target.role, target.url) for target in history] == [
        ("page", "http://h.example.cn/module/xxgk/xxgkAnnualReport.jsp?area=37&fbtime=2020"),
        ("page", "http://h.example.cn/module/xxgk/xxgkAnnualReport.jsp?area=37&fbtime=2019"),
    ]
