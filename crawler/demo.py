"""The main job, offline: the bundled replica site on loopback, crawled and read."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler.crawl import CrawlSummary, crawl
from crawler.replica import Replica
from crawler.site import load_site


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What the demonstration collected. `peak_megabytes` is this process's largest resident size, replica included."""

    site: str
    crawl: CrawlSummary
    peak_megabytes: int


def demo(data_dir: Path, *, documents: Path | None, port: int) -> DemoSummary:
    """Serves the replica, crawls and reads it. The same port gives the same addresses: a second run doubles nothing."""
    with Replica(documents=documents, port=port) as replica, TemporaryDirectory() as folder:
        site = load_site(replica.site_file(Path(folder)))
        summary = crawl(data_dir, [site])
        return DemoSummary(site=replica.base_url, crawl=summary, peak_megabytes=peak_megabytes())


def peak_megabytes() -> int:
    """Largest resident size of this process so far; the kernel counts in kB, on macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1 << 20 if sys.platform == "darwin" else 1 << 10)
