"""Crawls in a process of its own, because Twisted's reactor runs once: crawl_process.py DATA SITE_FILE [OPTION …].

Options: --full, --limit=N, --impatient (tries again at once). Prints the summary as JSON; exits 0 when all is well,
1 when not, 75 when another run has the directory.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from archive.errors import LockedError
from crawler import retry
from crawler.crawl import crawl
from crawler.exceptions import CrawlerError
from crawler.site import load_site


def main(data_dir: str, site_file: str, *options: str) -> int:
    if "--impatient" in options:
        retry.FIRST_WAIT_SECONDS = 0.0
    limits = [int(option.removeprefix("--limit=")) for option in options if option.startswith("--limit=")]
    try:
        summary = crawl(
            Path(data_dir), [load_site(site_file)], full="--full" in options, limit=limits[0] if limits else None
        )
    except LockedError as error:
        sys.stderr.write(f"{error}\n")
        return 75
    except CrawlerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(asdict(summary)))
    return 0 if summary.ok else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
