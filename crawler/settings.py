"""Scrapy's settings for this project: each changed value, then Scrapy's default, then the reason.

What a site asks for (delay, concurrency, robots, private hosts) is in its site file; `crawler.session` turns it into
DOWNLOAD_SLOTS and request metadata, so the values here are what holds for a host that no site file names.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

BOT_NAME = "gongkai"  # "scrapybot"; the name in logs
SPIDER_MODULES = ["crawler.spiders"]  # []; `scrapy list` finds one spider per bundled site there
NEWSPIDER_MODULE = "crawler.spiders"  # ""

# Where corpus.db and warc/ lie; not a setting of Scrapy.
GONGKAI_DATA = os.environ.get("GONGKAI_DATA", "data")
# Whom a site's operator may ask: an address or a mail box of whoever runs the crawler. There is no default, because an
# address that answers nobody is worse than none; a run without one says so in a finding.
GONGKAI_CONTACT_URL = os.environ.get("GONGKAI_CONTACT_URL", "").strip()

# Who we are


def user_agent(contact: str = GONGKAI_CONTACT_URL) -> str:
    """Name, version and, where there is one, the contact."""
    name = f"gongkai/{version('gongkai')}"
    return f"{name} (+{contact})" if contact else name


USER_AGENT = user_agent()  # "Scrapy/…"; a way to reach us
DEFAULT_REQUEST_HEADERS = {  # text/html first, en; pages are Chinese, and files are asked for too
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Language": "zh-CN,zh;q=0.9",
    # deflate, br and zstd are left out: WARC readers lack the last, servers get the first wrong.
    "Accept-Encoding": "gzip",
}

# Politeness

ROBOTSTXT_OBEY = True  # False; a site file may say otherwise for its own hosts
CONCURRENT_REQUESTS = 16  # 16; over all hosts, and never more than the sites of a run allow together
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # 8
DOWNLOAD_DELAY = 2.0  # 0; seconds between two requests to a host
DOWNLOAD_DELAY_JITTER = 0  # 0.5; a site file's delay is a least time, and jitter would undercut it
DOWNLOAD_MAXSIZE = 256 * 1024 * 1024  # 1 GiB; no disclosure document comes near, and a body is held in memory
DOWNLOAD_WARNSIZE = 0  # 32 MiB; a large file is nothing to warn of

# What fetches: our own handler keeps the bytes of the wire; only http and https are fetched at all.

DOWNLOAD_HANDLERS = {  # Twisted's for http and https; local files, FTP and S3 by their own
    "http": "crawler.wire.handler.WireHandler",
    "https": "crawler.wire.handler.WireHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
SCHEDULER = "crawler.scheduler.FrontierScheduler"  # in memory; the frontier is in corpus.db and survives a kill
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"  # the same; the handler needs asyncio

# What is left out. Redirects, retries, known addresses and hosts out of bounds are the frontier's business, content
# codings the handler's; what a crawl without items and links does not need only costs time on every response.

COOKIES_ENABLED = False  # True; a session would make captures depend on their order
REDIRECT_ENABLED = False  # True; every hop is a capture and a frontier row of its own
METAREFRESH_ENABLED = False  # True
RETRY_ENABLED = False  # True; attempts are counted in the frontier and survive a kill
COMPRESSION_ENABLED = False  # True; the handler decodes, with caps
HTTPPROXY_ENABLED = False  # True; a proxy would take our place in the TLS session that is recorded
REFERER_ENABLED = False  # True; a Referer is part of the target where a platform needs one
TELNETCONSOLE_ENABLED = False  # True; a way to run code in this process
REMOTE_CONTROL_ENABLED = False  # True; the same over HTTP
STATS_DUMP = False  # True; the run's row holds what counts
LOGSTATS_INTERVAL = 0  # 60.0; progress goes to the terminal, the outcome into the run's row
DOWNLOADER_STATS = False  # True; counted in the run's row
MEMUSAGE_ENABLED = False  # True; it only mails
CONCURRENT_ITEMS = 1  # 100; there are no items
WARN_ON_GENERATOR_RETURN_VALUE = False  # True; looks at a callback's source once per response
LOG_LEVEL = "WARNING"  # "DEBUG"; a line per request says less than the database

# Of what Scrapy enables by itself nothing: what a later version adds (a console, remote control) stays out as well, and
# what is not used is not even imported.

DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}  # fourteen
DOWNLOADER_MIDDLEWARES = {  # {}
    "crawler.robots.RobotsMiddleware": 100,
    "crawler.render.RenderMiddleware": 200,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}  # six; callbacks yield nothing
EXTENSIONS_BASE: dict[str, int] = {}  # eleven; none of them has work here


def as_dict() -> dict[str, Any]:
    """The settings above, for a process that does not start from scrapy.cfg."""
    return {name: value for name, value in globals().items() if name.isupper()}
