"""Spiders: one per site file, names that agree, and Scrapy's own commands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from crawling import ROOT, rows

from crawler import settings
from crawler.site import bundled_sites
from crawler.spiders import bundled
from crawler.spiders.bundled import spider_class_name


def scrapy(*arguments: str, data_dir: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "scrapy", *arguments]
    environment = {**os.environ, "GONGKAI_DATA": str(data_dir)}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60, check=False)


@pytest.mark.parametrize("site", bundled_sites(), ids=lambda site: site.name)
def test_file_class_and_registered_name_agree(site):
    spider = getattr(bundled, spider_class_name(site.name))
    assert (spider.name, spider.site_name, spider.__name__) == (site.name, site.name, spider_class_name(site.name))
    assert spider.__module__ == "crawler.spiders.bundled"


def test_class_names_are_the_site_names_in_camel_case():
    assert spider_class_name("harbin_nangang") == "HarbinNangangSpider"


def test_scrapy_lists_every_site(tmp_path: Path):
    listed = scrapy("list", data_dir=tmp_path)
    assert listed.stdout.split() == sorted(site.name for site in bundled_sites())
    assert listed.returncode == 0


def test_scrapy_crawls_by_name_and_closes_the_run(tmp_path: Path):
    """A site without a channel asks for nothing, so that this needs no network."""
    done = scrapy("crawl", "jiamusi_qianjin", data_dir=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert rows(tmp_path, "SELECT status, requests FROM runs") == [("failed", 0)]
    assert rows(tmp_path, "SELECT level, code FROM findings") == [("error", "no_channels")]
    assert list((tmp_path / "warc").glob("*.open")) == []


def test_every_changed_setting_says_the_default_and_the_reason():
    """`NAME = value  # default; reason`, the comment on the line where the value begins."""
    lines = Path(settings.__file__).read_text(encoding="utf-8").splitlines()
    begun = [line for line in lines if line[:1].isupper() and " = " in line]
    assert len(begun) > 25
    bare = [line for line in begun if "  # " not in line and not line.startswith(("NEWSPIDER", "GONGKAI_"))]
    assert bare == []


def test_only_http_and_https_are_fetched():
    handlers = {scheme for scheme, handler in settings.DOWNLOAD_HANDLERS.items() if handler is not None}
    assert handlers == {"http", "https"}
    assert {"file", "ftp", "s3", "data"} <= set(settings.DOWNLOAD_HANDLERS)


def test_no_way_in_is_open():
    assert not settings.TELNETCONSOLE_ENABLED
    assert not settings.REMOTE_CONTROL_ENABLED


def test_we_say_who_we_are():
    assert settings.USER_AGENT.startswith("gongkai/")
    assert settings.user_agent("https://example.cn/crawl").endswith(" (+https://example.cn/crawl)")


def test_nobody_is_named_who_was_not_given():
    assert "(" not in settings.user_agent("")
