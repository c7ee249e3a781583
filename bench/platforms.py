"""Every platform's replica crawled whole with `platform = "auto"`: what was found of what is there.

    python bench/platforms.py [PLATFORM …]

`complete` counts the channels whose list the crawl itself calls whole; `requests per page` counts every request the
site saw, robots.txt included, over the pages stored. Exit code 1 when anything is missing or anything is found that is
not there.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "crawler")]

from platform_sites import SKINS, serving  # noqa: E402  the path is set above

from crawler.replica import Replica  # noqa: E402

COMMAND = "from crawler.cli import main; main()"
QUERIES = {
    "listings": "SELECT channel, url, title, listed_date FROM listings",
    "pages": "SELECT url FROM pages",
    "attachments": """SELECT a.url, a.page_url, a.file_name, c.payload_digest
        FROM attachments a JOIN captures c USING (capture_id) WHERE a.media_type NOT LIKE 'image/%'""",
    "reports": "SELECT document_url, page_url, agency, report_year, form FROM reports",
    "complete": "SELECT channel FROM channel_runs WHERE status = 'complete'",
}
Truth = dict[str, set[tuple[object, ...]]]


@dataclass(frozen=True)
class Served:
    """A replica that runs: its site file, its truth as rows of QUERIES, and how many requests it has seen."""

    site_file: Path
    truth: Truth
    requests: list[object]


@contextmanager
def platform_replica(name: str, folder: Path) -> Iterator[Served]:
    with serving(SKINS[name]()) as site:
        truth = site.truth
        yield Served(
            site.site_file(folder),
            {
                "listings": {(channel, url, title, day) for url, title, day, channel, _ in truth.listings},
                "pages": {(url,) for url in truth.pages},
                "attachments": set(truth.attachments),
                "reports": set(truth.reports),
                "complete": {(channel,) for channel in site.shelf.channels},
            },
            site.access_log,
        )


@contextmanager
def hanweb_replica(folder: Path) -> Iterator[Served]:
    """The demo's site; its report history is no channel, so its unlisted pages count too."""
    with Replica(listings=60) as site:
        truth = site.truth
        # A year without a report is a page too: a title without a body.
        empty = {(u,) for u in _history(site)} - {(page.url,) for page in truth.pages}
        yield Served(
            site.site_file(folder),
            {
                "listings": {(e.channel, e.url, e.title, e.date.isoformat()) for e in truth.listings},
                "pages": {(page.url,) for page in truth.pages} | empty,
                "attachments": {(a.url, a.page_url, a.file_name, f"sha256:{a.sha256}") for a in truth.attachments},
                "reports": {(r.document_url, r.page_url, r.agency, r.year, r.form) for r in truth.reports},
                "complete": {(e.channel,) for e in truth.listings},
            },
            site.access_log,
        )


def _history(site: Replica) -> Iterator[str]:
    from crawler.site import load_site

    with TemporaryDirectory() as folder:
        history = load_site(site.site_file(Path(folder))).history
    yield from (url for _, url in history.urls()) if history else ()


def measure(name: str) -> tuple[str, bool]:
    """One line of the table, and whether all of it is right."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        with hanweb_replica(place) if name == "hanweb" else platform_replica(name, place) as served:
            command = [sys.executable, "-c", COMMAND, "--data", folder, "crawl", "--site-file", str(served.site_file)]
            subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
            requests = len(served.requests)
            truth = served.truth
        found = read(place / "corpus.db")
    cells = [f"{len(found[kind] & truth[kind])}/{len(truth[kind])}" for kind in QUERIES]
    false = sum(len(found[kind] - truth[kind]) for kind in QUERIES)
    per_page = requests / max(1, len(found["pages"]))
    line = f"{name:<9}" + "".join(f"{cell:>13}" for cell in cells) + f"{false:>8}{per_page:>20.2f}"
    return line, found == truth


def read(database: Path) -> Truth:
    with closing(sqlite3.connect(database)) as connection:
        return {kind: set(connection.execute(query)) for kind, query in QUERIES.items()}


def main() -> int:
    names = sys.argv[1:] or ["hanweb", *SKINS]
    head = f"{'platform':<9}" + "".join(f"{kind:>13}" for kind in QUERIES) + f"{'false':>8}{'requests per page':>20}"
    sys.stdout.write(f"{head}\n")
    right = []
    for name in names:
        line, is_right = measure(name)
        right.append(is_right)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
