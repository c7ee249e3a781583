"""One spider per bundled site file, so that `scrapy list` and `scrapy crawl NAME` know it."""

from __future__ import annotations

from crawler.site import Site, bundled_sites
from crawler.spiders.column import ColumnSpider


def spider_class_name(site_name: str) -> str:
    """`harbin_nangang` → `HarbinNangangSpider`."""
    return "".join(part.capitalize() for part in site_name.split("_")) + "Spider"


def _spider_class(site: Site) -> type[ColumnSpider]:
    attributes = {"name": site.name, "site_name": site.name, "__module__": __name__, "__doc__": site.agency}
    return type(spider_class_name(site.name), (ColumnSpider,), attributes)


globals().update({spider_class_name(site.name): _spider_class(site) for site in bundled_sites()})
