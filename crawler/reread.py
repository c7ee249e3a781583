"""Discovery over what is archived already: the site files as they were when the captures were made.

Every run writes its site files' text into its first WARC file, so that the archive alone says how a list was read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from archive.groups import CAPTURE, SITE, groups
from archive.model import IMPORT_SITE, Discovery, Exchange, Finding, Target
from archive.paths import OWN_PREFIX, warc_dir
from archive.prepare import Discover
from archive.rebuild import file_order
from archive.store import Store
from crawler.blocking import block
from crawler.discover import discover
from crawler.exceptions import SiteFileError
from crawler.site import Site, parse_site
from crawler.walks import ListWalks

log = logging.getLogger(__name__)


def discover_with(sites: Mapping[str, Site]) -> Discover:
    """`crawler.discover` as the archive calls it. A capture of no known site leads to nothing.

    Of what other tools captured, only pages that a guard sent in a page's place are told apart.
    """
    walks = ListWalks()

    def read(target: Target, exchange: Exchange, entity: bytes) -> Discovery:
        if target.site == IMPORT_SITE:
            return _guarded(target, exchange, entity)
        site = sites.get(target.site)
        if site is None or target.role == "robots":
            return Discovery()
        found = discover(target, entity, site=site, exchange=exchange)
        return walks.within(target, found, site) if target.role == "list" else found

    return read


def _guarded(target: Target, exchange: Exchange, entity: bytes) -> Discovery:
    guard = block(entity, status=exchange.status or 0, headers=exchange.headers)
    if guard is None:
        return Discovery()
    message = f"a page of a guard: {guard.name} ({guard.why})"
    return Discovery(findings=(Finding("warning", "blocked", message, target.url),), outcome="blocked")


def stored_sites(store: Store) -> dict[str, Site]:
    """The sites of earlier runs as the database has them; a file that no longer loads is left out and said."""
    rows = store.connection.execute("SELECT name, toml FROM sites ORDER BY site_id")
    return _parsed(dict(rows.fetchall()))


def archived_sites(data_dir: Path) -> dict[str, Site]:
    """The sites as the WARC files have them, the newest text of each."""
    texts: dict[str, str] = {}
    for name in file_order(data_dir):
        if not name.startswith(OWN_PREFIX):
            continue
        for group in groups(warc_dir(data_dir) / name):
            if group.kind == CAPTURE:
                break
            if group.kind == SITE:
                texts[group.facts["name"]] = group.facts["toml"]
    return _parsed(texts)


def _parsed(texts: Mapping[str, str]) -> dict[str, Site]:
    sites: dict[str, Site] = {}
    for name, text in texts.items():
        try:
            sites[name] = parse_site(text, name=name, source=f"archived site file {name}")
        except SiteFileError as error:
            log.warning("captures of %s are not read for listings: %s", name, error)
    return sites
