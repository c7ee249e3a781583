"""Runs the wire suite against several Scrapy releases, each in a throw-away environment.

    python tests/wire_matrix.py                          oldest supported, pinned, newest 2.x
    python tests/wire_matrix.py 2.15.0 2.16.0:24.11.0    these; the number after the colon is Twisted's

Needs PyPI. The environments have the Python that runs this: `python3.13 tests/wire_matrix.py` tries another one. The
oldest Scrapy that can work is 2.14 (coroutine download handlers); 2.15 is the oldest supported, because it brought the
exceptions the handler raises (`DownloadTimeoutError`, `ResponseDataLossError` …).
Exit code 1 when any release fails.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
OLDEST, NEWEST = "2.15.0", "newest"
TESTS = (
    "tests/archive/test_http1.py",
    "tests/crawler/test_wire.py",
    "tests/crawler/test_wire_cases.py",
    "tests/crawler/test_wire_crawl.py",
)


def pinned() -> str:
    """The Scrapy and the Twisted that constraints.txt names."""
    pins = dict(re.findall(r"(?im)^(scrapy|twisted)==(\S+)", (ROOT / "constraints.txt").read_text("utf-8").lower()))
    return f"{pins['scrapy']}:{pins['twisted']}"


def wanted_packages(release: str) -> list[str]:
    scrapy, _, twisted = release.partition(":")
    return [
        "scrapy>=2.15,<3" if scrapy == NEWEST else f"scrapy=={scrapy}",
        *([f"twisted=={twisted}"] if twisted else []),
        "isal",
        "certifi",
        "sqlite-utils",
        "pytest",
        "pytest-timeout",
        "hypothesis",
    ]


def outcome(release: str, folder: Path) -> tuple[bool, str]:
    """Whether the suite passes with `release`, and a line that says with what."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted_packages(release)], check=True)
    versions = subprocess.run(
        [python, "-c", "import scrapy, twisted; print('Scrapy', scrapy.__version__, 'Twisted', twisted.__version__)"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    # Deprecations of a release are its own affair; wrong bytes are ours.
    suite = subprocess.run(
        [python, "-m", "pytest", "--noconftest", "-p", "no:cacheprovider", "-o", "filterwarnings=default", *TESTS],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if suite.returncode:
        sys.stderr.write((suite.stdout + suite.stderr)[-5000:])
    return suite.returncode == 0, f"{versions}: {(suite.stdout.strip() or 'no tests run').splitlines()[-1]}"


def main() -> int:
    passed = True
    for release in sys.argv[1:] or (OLDEST, pinned(), NEWEST):
        with tempfile.TemporaryDirectory() as folder:
            ok, line = outcome(release, Path(folder))
        passed = passed and ok
        sys.stdout.write(f"{'ok  ' if ok else 'FAIL'}  {line}\n")
        sys.stdout.flush()
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
