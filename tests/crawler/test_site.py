"""Site files: what a good one gives, and what the message for a bad one says."""

from pathlib import Path

import pytest

from crawler.exceptions import SiteFileError, UnknownSiteError
from crawler.site import SITES_FOLDER, ReportHistory, bundled_site, bundled_sites, load_site, parse_site

GOOD = """
agency = "某市某区人民政府"
division_code = "230199"

[channels]
annual_report = "http://district.example.cn/col/col7/index.html"
guide = "http://district.example.cn/col/col8/index.html"
"""


def parsed(text: str):
    return parse_site(text, name="example", source="example.toml")


def test_a_file_with_only_the_needed_keys_gets_careful_defaults():
    site = parsed(GOOD)
    assert (site.name, site.agency, site.division_code, site.platform) == (
        "example",
        "某市某区人民政府",
        "230199",
        "auto",
    )
    assert site.channels == (
        ("annual_report", "http://district.example.cn/col/col7/index.html"),
        ("guide", "http://district.example.cn/col/col8/index.html"),
    )
    assert site.enabled is True
    assert site.politeness.delay_seconds == 2.0
    assert site.politeness.concurrent_requests == 1
    assert site.politeness.obey_robots is True
    assert site.politeness.allow_private_hosts is False
    assert site.text == GOOD


def test_limits_and_windows_are_optional():
    site = parsed(GOOD)
    assert (site.limits.max_list_pages, site.limits.max_depth, site.politeness.probe_missing) == (2000, 10, True)
    assert site.politeness.window is None
    small = parsed(GOOD + '[politeness]\nwindow = "22:00-06:00"\nprobe_missing = false\n[limits]\nmax_depth = 4\n')
    assert (small.limits.max_list_pages, small.limits.max_depth, small.politeness.probe_missing) == (2000, 4, False)
    assert str(small.politeness.window) == "22:00-06:00 Asia/Shanghai"


def test_a_file_with_every_key_is_taken_whole():
    site = parsed(
        'agency = "某局"\ndivision_code = "330105"\nplatform = "hanweb"\nenabled = false\n'
        'disabled_because = "moved"\nallowed_hosts = ["files.example.cn"]\n'
        '[channels]\na = "https://a.example.cn:8443/x"\n'
        "[politeness]\ndelay_seconds = 5\nconcurrent_requests = 3\nobey_robots = false\nallow_private_hosts = true\n"
        "[expect]\na = 12\n"
        '[annual_report_history]\nurl = "https://a.example.cn/r.jsp?fbtime={year}"\n'
        "first_year = 2020\nlast_year = 2021\n"
    )
    assert site.platform == "hanweb"
    assert site.enabled is False
    assert site.disabled_because == "moved"
    assert site.politeness.delay_seconds == 5.0
    assert site.politeness.concurrent_requests == 3
    assert site.politeness.obey_robots is False
    assert site.politeness.allow_private_hosts is True
    assert site.expect == (("a", 12),)
    assert site.history == ReportHistory("https://a.example.cn/r.jsp?fbtime={year}", 2020, 2021)
    assert site.history.urls() == (
        (2021, "https://a.example.cn/r.jsp?fbtime=2021"),
        (2020, "https://a.example.cn/r.jsp?fbtime=2020"),
    )


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://district.example.cn/any", True),
        ("https://district.example.cn/any", True),
        ("http://DISTRICT.example.cn/any", True),
        ("http://files.example.cn/any", True),
        ("http://store.example.cn:8080/any", True),
        ("http://store.example.cn/any", False),
        ("http://district.example.cn:22/any", False),
        ("http://example.cn/any", False),
        ("http://district.example.cn.evil.com/any", False),
        ("ftp://district.example.cn/any", False),
        ("file:///etc/passwd", False),
        ("http://[broken/any", False),
    ],
)
def test_only_channel_hosts_and_allowed_hosts_may_be_fetched(url: str, allowed: bool):
    site = parsed('allowed_hosts = ["files.example.cn", "store.example.cn:8080"]' + GOOD)
    assert site.allows(url) is allowed


def test_on_private_hosts_every_port_goes():
    private = parsed(GOOD + "[politeness]\nallow_private_hosts = true\n")
    assert private.allows("http://district.example.cn:18080/any")
    assert not private.allows("http://elsewhere.example.cn:18080/any")


# fmt: off
BAD = {
    "unknown key": ('colour = "red"' + GOOD, ["unknown key 'colour'", "agency, division_code, platform"]),
    "unknown politeness key": (GOOD + "[politeness]\ndelay = 1", ["[politeness]", "'delay'", "delay_seconds"]),
    "expect names no channel": (GOOD + "[expect]\nreports = 1", ["[expect]", "'reports'", "annual_report, guide"]),
    "missing agency": (GOOD.replace("agency", "#"), ["missing key 'agency'", "known keys"]),
    "empty agency": (GOOD.replace("某市某区人民政府", " "), ["agency", "expected the agency's name"]),
    "missing division code": (GOOD.replace("division_code", "#"), ["missing key 'division_code'"]),
    "division code as a number": (GOOD.replace('"230199"', "230199"), ["division_code", "a string", "230199"]),
    "division code too short": (GOOD.replace("230199", "2301"), ["division_code", "six digits", "'2301'"]),
    "division code of letters": (GOOD.replace("230199", "23O1O3"), ["division_code", "'23O1O3'"]),
    "missing channels": ('agency = "a"\ndivision_code = "230103"', ["missing key 'channels'"]),
    "no channels": ('agency = "a"\ndivision_code = "230103"\n[channels]', ["channels", "at least one"]),
    "bad channel name": (GOOD.replace("guide", '"Guide-1"'), ["channels.Guide-1"]),
    "channel is no address": (
        GOOD.replace("http://district.example.cn/col/col8/index.html", "col8"),
        ["channels.guide", "'col8'"],
    ),
    "channel with another scheme": (
        GOOD.replace("http://district.example.cn/col/col8", "ftp://h/x"),
        ["channels.guide"],
    ),
    "channel with a bad port": (GOOD.replace("example.cn/col/col8", "example.cn:port/col"), ["channels.guide"]),
    "channel with a blank": (GOOD.replace("col8/index", "col8/in dex"), ["channels.guide"]),
    "channel is a number": (
        GOOD.replace('"http://district.example.cn/col/col8/index.html"', "8"),
        ["channels.guide", "8"],
    ),
    "unknown platform": ('platform = "wordpress"' + GOOD, ["platform", "auto, hanweb", "'wordpress'"]),
    "allowed host is an address": (
        'allowed_hosts = ["http://files.example.cn/"]' + GOOD,
        ["allowed_hosts", "host name"],
    ),
    "allowed hosts is a string": ('allowed_hosts = "files.example.cn"' + GOOD, ["allowed_hosts", "an array"]),
    "enabled is a string": ('enabled = "yes"' + GOOD, ["enabled", "true or false", "'yes'"]),
    "negative delay": (GOOD + "[politeness]\ndelay_seconds = -1", ["politeness.delay_seconds", "-1"]),
    "delay is true": (GOOD + "[politeness]\ndelay_seconds = true", ["politeness.delay_seconds", "a number"]),
    "no concurrency": (GOOD + "[politeness]\nconcurrent_requests = 0", ["politeness.concurrent_requests"]),
    "no window": (GOOD + '[politeness]\nwindow = "night"', ["politeness.window", "22:00-06:00", "'night'"]),
    "empty window": (GOOD + '[politeness]\nwindow = "22:00-22:00"', ["politeness.window"]),
    "window beyond the day": (GOOD + '[politeness]\nwindow = "22:00-24:30"', ["politeness.window"]),
    "unknown time zone": (GOOD + '[politeness]\ntime_zone = "Asia/Peking"', ["politeness.time_zone", "Asia/Shanghai"]),
    "unknown limit": (GOOD + "[limits]\nmax_pages = 5", ["[limits]", "'max_pages'", "max_list_pages, max_depth"]),
    "no list pages": (GOOD + "[limits]\nmax_list_pages = 0", ["limits.max_list_pages", "at least 1"]),
    "no depth": (GOOD + "[limits]\nmax_depth = 1", ["limits.max_depth", "at least 2"]),
    "expect is nothing": (GOOD + "[expect]\nguide = 0", ["expect.guide", "at least 1"]),
    "history without year": (
        GOOD + '[annual_report_history]\nurl = "http://a.example.cn/"\nfirst_year = 2020\nlast_year = 2021',
        ["annual_report_history.url", "{year}"],
    ),
    "history backwards": (
        GOOD + '[annual_report_history]\nurl = "http://a.example.cn/{year}"\nfirst_year = 2021\nlast_year = 2020',
        ["annual_report_history.first_year", "(2021, 2020)"],
    ),
    "history without last year": (
        GOOD + '[annual_report_history]\nurl = "http://a.example.cn/{year}"\nfirst_year = 2021',
        ["annual_report_history", "missing key 'last_year'", "url, first_year, last_year"],
    ),
    "not TOML": ("agency = ", ["not valid TOML"]),
}
# fmt: on


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_file_key_and_what_was_expected(name: str):
    text, fragments = BAD[name]
    with pytest.raises(SiteFileError) as caught:
        parsed(text)
    message = str(caught.value)
    assert message.startswith("example.toml: ")
    assert [fragment for fragment in fragments if fragment not in message] == []


WRONG = """
colour = "red"
division_code = 2301
platform = "wordpress"
enabled = "yes"
allowed_hosts = ["files.example.cn/x", 8080, "store.example.cn"]
[channels]
Guide = "http://district.example.cn/col/col8/index.html"
reports = "district.example.cn/col/col7"
[politeness]
delay_seconds = "fast"
concurrent_requests = 0
window = "22:00"
time_zone = "China/Harbin"
[limits]
max_list_pages = 0
max_depth = 1
pages = 9
[recheck]
days = 0
[render]
channels = ["rules", "reports"]
seconds = 1
[expect]
reports = 0
rules = 3
[annual_report_history]
url = "http://district.example.cn/report"
first_year = "2008"
"""
ERRORS = [
    "unknown key 'colour'; known keys: agency, division_code,",
    "enabled: expected true or false, found 'yes'",
    "channels.Guide: expected a name of a-z",
    "channels.reports: expected an http or https address",
    "[annual_report_history] missing key 'last_year'; known keys: url, first_year, last_year",
    "annual_report_history.first_year: expected a whole number, found '2008'",
    "annual_report_history.url: expected an address with {year} in it once",
    "politeness.delay_seconds: expected a number, found 'fast'",
    "politeness.concurrent_requests: expected 1 to 64, found 0",
    "politeness.time_zone: expected a time zone",
    "politeness.window: expected two times of day",
    "missing key 'agency'; known keys: agency, division_code,",
    "division_code: expected a string, found 2301",
    "platform: expected one of auto, hanweb,",
    'allowed_hosts: expected a host name, optionally with :port, such as "files.example.gov.cn", found \'files.e',
    'allowed_hosts: expected a host name, optionally with :port, such as "files.example.gov.cn", found 8080',
    "[limits] unknown key 'pages'; known keys: max_list_pages, max_depth",
    "limits.max_list_pages: expected at least 1 page, found 0",
    "limits.max_depth: expected at least 2",
    "recheck.days: expected 1 to 3650 days, found 0",
    "render.channels: expected names of channels (Guide, reports), found 'rules'",
    "render.seconds: expected 5 to 600 seconds, found 1",
    "[expect] unknown key 'rules'; known keys: Guide, reports",
    "expect.reports: expected at least 1 listing, found 0",
]


def test_all_errors_of_a_file_are_said_at_once():
    with pytest.raises(SiteFileError) as caught:
        parsed(WRONG)
    lines = str(caught.value).split("\n")
    assert [line[: len("example.toml: ") + len(error)] for line, error in zip(lines, ERRORS, strict=True)] == [
        f"example.toml: {error}" for error in ERRORS
    ]


@pytest.mark.parametrize(
    "channels", ["", 'channels = "http://d.example.cn/"\n'], ids=["no channels", "channels that are no table"]
)
def test_what_names_channels_is_not_blamed_for_their_absence(channels: str):
    text = (
        f'agency = "某局"\ndivision_code = "230199"\n{channels}[expect]\nreports = 3\n[render]\nchannels = ["reports"]'
    )
    with pytest.raises(SiteFileError) as caught:
        parsed(text)
    assert len(str(caught.value).split("\n")) == 1


def test_a_file_that_is_not_there_or_not_utf8_is_named(tmp_path: Path):
    with pytest.raises(SiteFileError, match=r"nowhere\.toml: cannot be read"):
        load_site(tmp_path / "nowhere.toml")
    (tmp_path / "gbk.toml").write_bytes('agency = "某局"'.encode("gbk"))
    with pytest.raises(SiteFileError, match=r"gbk\.toml: not valid UTF-8"):
        load_site(tmp_path / "gbk.toml")


def test_a_file_from_anywhere_is_named_by_its_stem(tmp_path: Path):
    path = tmp_path / "my_site.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_site(path).name == "my_site"


def test_a_bundled_file_is_named_by_its_path():
    assert {site.name for site in bundled_sites()} == {
        "hangzhou_gongshu",
        "harbin_acheng",
        "harbin_city",
        "harbin_nangang",
        "jiamusi_qianjin",
    }
    assert load_site(SITES_FOLDER / "harbin" / "nangang.toml") == bundled_site("harbin_nangang")


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(UnknownSiteError, match=r"atlantis.*harbin_nangang"):
        bundled_site("atlantis")
