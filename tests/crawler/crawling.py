"""What tests of whole crawls share: starting one, and asking the database what came of it.

Each crawl is a process of its own, because Twisted's reactor runs once.
"""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

COMMAND = "from crawler.cli import main; main()"
# Tries again at once instead of after seconds.
IMPATIENT = "from crawler import retry; retry.FIRST_WAIT_SECONDS = 0.0; "
ROOT = Path(__file__).parents[2]
SECONDS = 100


@dataclass(frozen=True)
class Crawled:
    code: int
    summary: dict[str, Any]
    errors: str


def gongkai(data_dir: Path, *arguments: str, code: str = COMMAND) -> subprocess.Popen:
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", code, "--data", str(data_dir), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def start(data_dir: Path, site_file: Path, *options: str, impatient: bool = False) -> subprocess.Popen:
    code = IMPATIENT + COMMAND if impatient else COMMAND
    return gongkai(data_dir, "crawl", "--site-file", str(site_file), "--json", *options, code=code)


def crawled(process: subprocess.Popen) -> Crawled:
    out, errors = process.communicate(timeout=SECONDS)
    return Crawled(process.returncode, json.loads(out) if out.startswith("{") else {}, errors)


def crawl(data_dir: Path, site_file: Path, *options: str, impatient: bool = False) -> Crawled:
    return crawled(start(data_dir, site_file, *options, impatient=impatient))


def rows(data_dir: Path, query: str, *values: object) -> list[tuple]:
    with closing(sqlite3.connect(f"file:{data_dir / 'corpus.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def one(data_dir: Path, query: str, *values: object) -> Any:
    ((value,),) = rows(data_dir, query, *values)
    return value


def made_again(data_dir: Path, *queries: str) -> tuple[list[list[tuple]], list[list[tuple]]]:
    """What the queries say of a database, and of the one that is made again from the files."""
    before = [rows(data_dir, query) for query in queries]
    assert crawled(gongkai(data_dir, "extract", "--full")).code == 0
    return before, [rows(data_dir, query) for query in queries]


def waits(data_dir: Path) -> list[float]:
    """Seconds between the starts of two requests, by the crawl's own clock: a busy server notes them late."""
    starts = [datetime.fromisoformat(at) for (at,) in rows(data_dir, "SELECT captured_at FROM captures ORDER BY 1")]
    return [(later - earlier).total_seconds() for earlier, later in pairwise(starts)]
