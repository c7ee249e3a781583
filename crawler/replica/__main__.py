"""`python -m crawler.replica [--port 8000]`: serves the replica until interrupted."""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

from crawler.replica.server import Replica


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m crawler.replica", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--listings", type=int, default=200)
    parser.add_argument("--documents", type=Path, help="a folder whose files are added as reports")
    parser.add_argument("--site-file", type=Path, help="write the site file below this folder")
    options = parser.parse_args()
    with Replica(
        seed=options.seed, listings=options.listings, documents=options.documents, port=options.port
    ) as replica:
        sys.stdout.write(f"{replica.channel_url('annual_report')}\n")
        if options.site_file is not None:
            sys.stdout.write(f"{replica.site_file(options.site_file)}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
