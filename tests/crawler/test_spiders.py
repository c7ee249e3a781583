"""Spiders: one per site file, names that agree, and Scrapy's own commands."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from crawling import ROOT, rows
from loopback import Column, served, site_file
from test_crawl import wait_for_captures

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


SMALL = """
import sys
from pathlib import Path
from crawler.site import load_site
from crawler.spiders import column
column.bundled_site = lambda name: load_site(Path(sys.argv[1]))
"""
SCRAPY = "from scrapy.cmdline import execute; execute(['scrapy', 'crawl', 'jiamusi_qianjin'])"
# The signal comes once the first page is being read.
AT_READING = """
import os, signal
from crawler import extract
was = extract._Writer.write
def write(*values):
    extract._Writer.write = was
    os.kill(os.getpid(), signal.SIGINT)
    was(*values)
extract._Writer.write = write
extract.BATCH = 1
"""


def scrapy_on(site: Path, data_dir: Path, more: str = "") -> subprocess.Popen:
    command = [sys.executable, "-c", SMALL + more + SCRAPY, str(site)]
    environment = {**os.environ, "GONGKAI_DATA": str(data_dir)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )


def test_scrapy_told_to_stop_ends_what_is_in_flight_and_reads_nothing(tmp_path: Path):
    slow = Column(20).with_overrides(
        lambda path, _: replace(Column(20)(path, 1), seconds=0.2) if "art" in path else None
    )
    with served(slow) as script:
        process = scrapy_on(site_file(tmp_path, script.base), tmp_path / "data")
        wait_for_captures(tmp_path / "data", 4)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        asked = len(script.log)
    assert (process.returncode, "Traceback" in errors) == (0, False)
    assert rows(tmp_path / "data", "SELECT status, requests FROM runs") == [("interrupted", asked)]
    assert asked < 22
    assert rows(tmp_path / "data", "SELECT count(*) FROM readings") == [(0,)]
    assert rows(tmp_path / "data", "SELECT count(*) FROM frontier WHERE state = 'leased'") == [(0,)]
    assert list((tmp_path / "data" / "warc").glob("*.open")) == []


def test_scrapy_told_to_stop_while_it_reads_leaves_the_rest(tmp_path: Path):
    with served(Column(20)) as script:
        process = scrapy_on(site_file(tmp_path, script.base), tmp_path / "data", AT_READING)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (0, False)
    assert rows(tmp_path / "data", "SELECT status FROM runs") == [("interrupted",)]
    ((read,),) = rows(tmp_path / "data", "SELECT count(*) FROM readings")
    assert 0 < read < 20


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
