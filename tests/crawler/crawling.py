"""What tests of whole crawls share: starting one, and asking the database what came of it."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNNER = Path(__file__).with_name("crawl_process.py")
ROOT = Path(__file__).parents[2]
SECONDS = 100


@dataclass(frozen=True)
class Crawled:
    code: int
    summary: dict[str, Any]
    errors: str


def start(data_dir: Path, site_file: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-W", "error::ResourceWarning", str(RUNNER), str(data_dir), str(site_file), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def crawled(process: subprocess.Popen) -> Crawled:
    out, errors = process.communicate(timeout=SECONDS)
    return Crawled(process.returncode, json.loads(out) if out else {}, errors)


def crawl(data_dir: Path, site_file: Path, *options: str) -> Crawled:
    return crawled(start(data_dir, site_file, *options))


def rows(data_dir: Path, query: str, *values: object) -> list[tuple]:
    with closing(sqlite3.connect(f"file:{data_dir / 'corpus.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def one(data_dir: Path, query: str, *values: object) -> Any:
    ((value,),) = rows(data_dir, query, *values)
    return value
