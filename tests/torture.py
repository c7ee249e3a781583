"""Random kills of whole crawls, many of them: what `make torture` runs.

    python tests/torture.py [--kills 200] [--seed 1] [--listings 20]

A crawl of the replica is started in a process group of its own and the group killed (SIGKILL) at a random moment, from
before its first import to the end of its extraction; several times over one data directory, until a life ends by
itself. Then everything must be as after a crawl that nothing disturbed: listings, pages, attachments, reports, facts,
payload digests; no response stored twice, the database whole, no `.open` file, nothing for the audit to say. The first
difference ends it with status 1 and leaves the directory to be looked at. The same seed gives the same moments.
"""

# ruff: noqa: T201  a command of its own

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "crawler")]

from crawling import COMMAND, rows  # noqa: E402  beside the tests, which pytest finds by itself
from test_crawl import content  # noqa: E402

from crawler.replica import Behaviour, Replica  # noqa: E402

DIGESTS = """SELECT DISTINCT url, role, payload_digest FROM captures
    WHERE outcome IN ('ok', 'revisit') AND role IN ('page', 'attachment') ORDER BY 1, 2, 3"""
DOUBLED = """SELECT url, count(*) FROM captures
    WHERE role IN ('page', 'attachment') AND outcome IN ('ok', 'revisit', 'redirect')
    GROUP BY url HAVING count(*) > 1 AND url NOT LIKE '%fbtime=%'"""
# More kills on one directory than this would only show again what fewer do.
MOST_LIVES = 8
LIFE_SECONDS = 300


def start(data: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", COMMAND, "--data", str(data), *arguments]
    with (data.parent / f"{data.name}.log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)


def is_killed(process: subprocess.Popen[bytes], after: float) -> bool:
    """Waits so long and kills the process's group; False when it had ended by itself."""
    try:
        code = process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    if code:
        raise SystemExit(f"a crawl that was not killed ended with {code}; see its log")
    return False


def finish(data: Path, *arguments: str) -> None:
    if is_killed(start(data, *arguments), LIFE_SECONDS):
        raise SystemExit(f"{arguments[0]} took more than {LIFE_SECONDS} s")


def state(data: Path) -> dict[str, list[tuple]]:
    return {**content(data), "digests": rows(data, DIGESTS)}


def differences(data: Path, expected: dict[str, list[tuple]]) -> list[str]:
    found = []
    for name, wanted in expected.items():
        there = state(data)[name]
        if there != wanted:
            lost, more = set(map(repr, wanted)) - set(map(repr, there)), set(map(repr, there)) - set(map(repr, wanted))
            found.append(f"{name}: {len(lost)} lost, {len(more)} more, e.g. {[*sorted(lost)[:1], *sorted(more)[:1]]}")
    doubled = rows(data, DOUBLED)
    if doubled:
        found.append(f"stored twice: {doubled[:3]}")
    with closing(sqlite3.connect(data / "corpus.db")) as connection:
        if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            found.append("integrity_check fails")
    found += [f"left open: {path.name}" for path in (data / "warc").glob("*.open")]
    return found


def torture(folder: Path, kills: int, seed: int, listings: int) -> int:
    """The number of kills survived; ends the program at the first difference."""
    dice = random.Random(seed)
    with Replica(listings=listings, behaviour=Behaviour(volatile=False)) as replica:
        arguments = ("crawl", "--site-file", str(replica.site_file(folder)))
        started = time.monotonic()
        finish(folder / "undisturbed", *arguments)
        seconds = time.monotonic() - started
        expected = state(folder / "undisturbed")
        print(f"undisturbed: {seconds:.1f} s, {', '.join(f'{len(v)} {k}' for k, v in expected.items())}", flush=True)
        survived = round_number = 0
        while survived < kills:
            round_number += 1
            data = folder / f"round{round_number}"
            lives = 0
            while lives < MOST_LIVES and survived + lives < kills:
                if not is_killed(start(data, *arguments), dice.uniform(0, seconds * 1.1)):
                    break
                lives += 1
            finish(data, *arguments)
            found = differences(data, expected)
            if found:
                print(f"round {round_number}, after {lives} kills, in {data}:", *found, sep="\n  ", file=sys.stderr)
                raise SystemExit(1)
            finish(data, "audit")
            survived += lives
            shutil.rmtree(data)
            print(f"round {round_number}: {lives} kills, {survived} of {kills}", flush=True)
    return survived


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--listings", type=int, default=20)
    chosen = options.parse_args()
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="gongkai-torture-"))
    survived = torture(folder, chosen.kills, chosen.seed, chosen.listings)
    shutil.rmtree(folder)
    print(f"{survived} kills in {time.monotonic() - started:.0f} s, nothing lost, nothing doubled (seed {chosen.seed})")


if __name__ == "__main__":
    main()
