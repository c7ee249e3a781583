"""Nights on the replica: whether every scripted change is found and nothing else, and what a second night costs.

    python bench/nights.py [--nights N] [--pages N …] [--only changes|cost|rotation]

`changes`: so many scripted nights, each a process of its own with its own clock, on a site whose counters and clock
differ at every request, once with ETag and Last-Modified and once without. Every known page is asked each night, so
that each change is to be found in the night in which it can first be known. Precision and recall are over
(night, kind, address); `layout_changed` is not counted as a find, but a change of layout called content is a false one.

`cost`: a first night, then 1 % of the pages changed (half new, half edited where the list does not show it), then a
second one. The ideal asks for list pages, what is new and what is edited, at a full crawl's bytes and seconds by the
request; nobody can know what is edited without asking. `90 days` asks a ninetieth of the known pages and at most as
many again of those that are likelier to have changed, `1 day` all of them, conditionally. Reading is left out of the
larger site's figures.

`rotation`: nine months of nights on 2,000 pages of six years, without a site: which pages a night would ask, and when
it would so find the edits that no list shows. Edits are drawn in two ways: `young`, as we expect them (a page is edited
at a rate that falls with its age, and three times likelier again in the two months after an edit), and `even`, every
page at any time alike, where nothing can be gained. Adaptive nights are held against plain ones, and against plain ones
that ask for as much.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from archive.rechecks import RECHECK_DAYS, due
from archive.store import Store
from archive.times import instant
from crawler.replica import Behaviour, Replica
from crawler.replica.server import AccessEntry

ROOT = Path(__file__).parents[1]
FIRST = datetime(2026, 1, 1, 17, 30, tzinfo=UTC)
COMMAND = "from crawler.cli import main; main()"
UNREAD = """
from crawler import extract
extract.extract_new = lambda *_, **__: extract.ExtractSummary(0, 0, 0, 0, 0, 0, 0.0)
"""
# An address rests after a change until what is to be concluded from it has been.
REST = 4
WITHOUT_READING = 1000
WORDS = ("受理", "答复", "公开", "培训", "考核", "监督", "保障", "平台", "栏目", "制度")

Change = tuple[int, str, str]


@dataclass
class Script:
    """Changes to a site, night by night, and what is to be found of them."""

    site: Replica
    dice: random.Random
    expected: set[Change] = field(default_factory=set)
    rests: dict[str, int] = field(default_factory=dict)
    gone: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    number: int = 0

    def play(self, night: int) -> None:
        """What happens to the site before a night."""
        for action in (self._add, self._edit, self._rename, self._replace_file, self._delete, self._forget):
            if self.dice.random() < 0.6:
                action(night)
        for action in (self._move, self._redirect, self._restore):
            if self.dice.random() < 0.4:
                action(night)
        if self.dice.random() < 0.2:
            self.site.redesign(f"本站第{night}次改版，欢迎提出意见。")

    def _take(self, night: int) -> str | None:
        """A listed page that has been left alone for some nights."""
        kept = {"annual_report_history"}
        pages = [
            item.url
            for item in self.site.truth.listings
            if item.reachable
            and item.channel not in kept
            and "fbtime=" not in item.url
            and self.rests.get(item.url, -REST) + REST <= night
        ]
        if not pages:
            return None
        url = self.dice.choice(pages)
        self.rests[url] = night
        return url

    def _body(self) -> str:
        self.number += 1
        said = "、".join(self.dice.choices(WORDS, k=30))
        return f"<p>第{self.number}次说明：本单位本期工作涉及{said}。</p><p>共{self.dice.randint(100, 999)}件。</p>"

    def _files(self, url: str) -> tuple[str, ...]:
        return tuple(file.final_url for file in self.site.truth.attachments if file.page_url == url)

    def _add(self, night: int) -> None:
        channel = self.dice.choice([item.channel for item in self.site.truth.listings if item.reachable])
        self.number += 1
        url = self.site.add_article(
            channel=channel, title=f"关于第{self.number}号事项的公告", body=self._body(), published=date(2026, 1, 2)
        )
        self.rests[url] = night
        self.expected.add((night, "appeared", url))

    def _edit(self, night: int) -> None:
        url = self._take(night)
        if url:
            files = self._files(url)
            self.site.edit_article(url, body=self._body())
            self.rests[url] = night
            self.expected.add((night, "content_changed", url))
            assert self._files(url) == files

    def _rename(self, night: int) -> None:
        url = self._take(night)
        if url:
            self.number += 1
            self.site.edit_article(url, title=f"关于第{self.number}号事项的更正通知")
            self.expected.add((night, "content_changed", url))

    def _replace_file(self, night: int) -> None:
        files = [
            file
            for file in self.site.truth.attachments
            if self.rests.get(file.final_url, -REST) + REST <= night
            and self.rests.get(file.page_url, -REST) + REST <= night
        ]
        if files:
            file = self.dice.choice(files)
            self.rests[file.final_url] = self.rests[file.page_url] = night
            self.number += 1
            self.site.edit_attachment(file.final_url, f"更正后的附件，第{self.number}稿。\n".encode() * 20)
            self.expected.add((night, "content_changed", file.final_url))

    def _delete(self, night: int) -> None:
        url = self._take(night)
        if url:
            files = self._files(url)
            self.site.delete_article(url)
            self.gone.append((url, files))
            self.expected.add((night, "disappeared", url))
            self.expected.update((night + 1, "disappeared", file) for file in files)

    def _forget(self, night: int) -> None:
        """The page goes, its entry stays: gone is what is gone on two days."""
        url = self._take(night)
        if url:
            files = self._files(url)
            self.site.delete_article(url, keep_listed=True)
            self.gone.append((url, files))
            self.expected.update((night + 1, "disappeared", address) for address in (url, *files))

    def _move(self, night: int) -> None:
        self._moved(night, redirect=False)

    def _redirect(self, night: int) -> None:
        self._moved(night, redirect=True)

    def _moved(self, night: int, *, redirect: bool) -> None:
        url = self._take(night)
        if url:
            new = self.site.move_article(url, redirect=redirect)
            self.rests[new] = night
            self.expected |= {(night, "moved", url), (night, "appeared", new)}

    def _restore(self, night: int) -> None:
        ready = [entry for entry in self.gone if self.rests[entry[0]] + REST <= night]
        if ready:
            entry = ready[0]
            self.gone.remove(entry)
            self.site.restore_article(entry[0])
            self.rests[entry[0]] = night
            self.expected.update((night, "reappeared", address) for address in (entry[0], *entry[1]))


@dataclass(frozen=True)
class Scripted:
    """What was to be found and what was, of (night, kind, address)."""

    expected: frozenset[Change]
    found: frozenset[Change]

    @property
    def precision(self) -> float:
        return len(self.found & self.expected) / max(1, len(self.found))

    @property
    def recall(self) -> float:
        return len(self.found & self.expected) / max(1, len(self.expected))


def at(night: int) -> str:
    """When a night starts; every tenth comes two days late."""
    return (FIRST + timedelta(days=night + 2 * (night // 10))).isoformat().replace("+00:00", "Z")


def run_night(data_dir: Path, site_file: Path, night: int, *options: str, code: str = COMMAND) -> None:
    command = [sys.executable, "-c", code, "--data", str(data_dir), "nightly", "--site-file", str(site_file), *options]
    environment = {**os.environ, "GONGKAI_NOW": at(night)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"night {night} ended with {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")


def without_expectations(site: Replica, folder: Path) -> Path:
    """The replica's site file; how much a list holds changes by script here."""
    path = site.site_file(folder)
    path.write_text(path.read_text("utf-8").partition("[expect]")[0], encoding="utf-8")
    return path


def scripted_nights(data_dir: Path, nights: int, *, validators: bool, listings: int = 30, seed: int = 6) -> Scripted:
    """Plays so many nights after a first one on a new site."""
    with Replica(listings=listings, behaviour=Behaviour(validators=validators)) as site:
        path = without_expectations(site, data_dir)
        script = Script(site, random.Random(seed))
        run_night(data_dir, path, 0)
        for night in range(1, nights + 1):
            # What is done in the last night but one can still be concluded.
            if night < nights:
                script.play(night)
            run_night(data_dir, path, night, "--recheck-days", "1")
    return Scripted(frozenset(script.expected), frozenset(changes(data_dir)))


def changes(data_dir: Path) -> Iterator[Change]:
    """What the database says, without the first night and without changes of layout."""
    with closing(sqlite3.connect(data_dir / "corpus.db")) as connection:
        runs = [run_id for (run_id,) in connection.execute("SELECT run_id FROM runs ORDER BY started_at")]
        rows = connection.execute("SELECT run_id, kind, url FROM changes WHERE kind <> 'layout_changed'").fetchall()
    for run_id, kind, url in rows:
        if runs.index(run_id):
            yield runs.index(run_id), kind, url


@dataclass(frozen=True)
class Cost:
    """Requests, bytes of answers and seconds of a run, and how many of the changes it found."""

    requests: int
    sent: int
    seconds: float
    found: str = ""

    def line(self, name: str) -> str:
        return (
            f"  {name:<22}{self.requests:>7} requests {self.sent / 1e6:>8.2f} MB {self.seconds:>7.1f} s  {self.found}"
        )


def measured(site: Replica, data_dir: Path, path: Path, night: int, *options: str, code: str) -> Cost:
    before, started = len(site.access_log), time.monotonic()
    run_night(data_dir, path, night, *options, code=code)
    entries = site.access_log[before:]
    return Cost(len(entries), sum(entry.bytes_sent for entry in entries), time.monotonic() - started)


def costs(folder: Path, pages: int, *, validators: bool) -> Iterator[str]:
    """Lines of figures for one site."""
    code = COMMAND if pages < WITHOUT_READING else UNREAD + COMMAND
    with Replica(listings=pages, behaviour=Behaviour(validators=validators, volatile=not validators)) as site:
        path = without_expectations(site, folder)
        first = measured(site, folder / "data", path, 0, code=code)
        script = Script(site, random.Random(5))
        for _ in range(max(1, pages // 200)):
            script._add(1)
            script._edit(1)
        wanted = {(kind, url) for _, kind, url in script.expected}
        for name, days, night in (("second night, 90 days", "90", 1), ("third night, 1 day", "1", 2)):
            asked = len(site.access_log)
            cost = measured(site, folder / "data", path, night, "--recheck-days", days, code=code)
            lists = list_pages(site, asked)
            if name.startswith("second"):
                yield first.line("full crawl")
                article = first.sent / max(1, first.requests)
                ideal = len(lists) + len(wanted)
                sent = sum(e.bytes_sent for e in lists) + round(article * len(wanted))
                seconds = first.seconds * ideal / max(1, first.requests)
                yield Cost(ideal, sent, seconds, f"{len(lists)} of them list pages").line("ideal (reckoned)")
            found = sum(seen_since(folder / "data", kind, url) for kind, url in wanted)
            yield Cost(cost.requests, cost.sent, cost.seconds, f"{found} of {len(wanted)} changes known").line(name)


@dataclass(frozen=True)
class Rotation:
    """What nights of one kind asked and found. `delays`: days from each edit to the night that found it."""

    requests: int
    edits: int
    delays: tuple[float, ...]
    longest_alone: float

    def line(self, name: str, nights: int) -> str:
        shares = ", ".join(
            f"{sum(delay <= days for delay in self.delays) / max(1, self.edits):.2f} in {days}" for days in (1, 7, 30)
        )
        mean = sum(self.delays) / max(1, len(self.delays))
        return (
            f"  {name:<22}{self.requests / nights:>6.1f} requests a night; of {self.edits} edits found {shares} days; "
            f"{mean:.1f} days on average; no page left alone for more than {self.longest_alone:.0f} days"
        )


def edit_days(kind: str, published: int, nights: int, dice: random.Random) -> list[int]:
    """The days on which a page is edited, of a page published so many days before the first night (or after it)."""
    found: list[int] = []
    for day in range(max(0, published), nights):
        age = day - published
        restless = 3.0 if found and day - found[-1] < 60 else 1.0
        rate = 0.0004 if kind == "even" else 0.15 * restless / (age + 10) ** 1.2
        if dice.random() < rate:
            found.append(day)
    return found


def rotation(
    folder: Path, kind: str, *, days: int, is_adaptive: bool, nights: int = 270, pages: int = 2000
) -> Rotation:
    """Plays the nights on a database alone. One page is new each day."""
    dice = random.Random(8)
    # Later edits may still be found in time.
    counted = nights - RECHECK_DAYS
    published = [dice.randrange(-6 * 365, 0) for _ in range(pages)] + list(range(1, nights))
    edits = [edit_days(kind, day, nights, dice) for day in published]
    asked_at = [-dice.random() * days if day < 0 else float(day) for day in published]
    delays: list[float] = []
    longest, requests = 0.0, 0
    with Store.open(folder) as store, store.transaction() as connection:
        connection.execute("INSERT INTO warc_files(file_name, state) VALUES ('w', 'sealed')")
        _play_run(connection, -1, FIRST - timedelta(days=1))
        for number, day in enumerate(published, 1):
            if day < 0:
                _play_page(connection, number, day, FIRST + timedelta(days=asked_at[number - 1]))
        for night in range(nights):
            at = FIRST + timedelta(days=night)
            rows = due(connection, "a", days=days, at=at, is_adaptive=is_adaptive)
            _play_run(connection, night, at)
            requests += len(rows)
            for number in rows:
                longest = max(longest, night - asked_at[number - 1])
                fresh = [day for day in edits[number - 1] if asked_at[number - 1] < day <= night]
                delays += [float(night - day) for day in fresh if day < counted]
                capture = _play_answer(connection, number, night, at)
                if fresh:
                    connection.execute(
                        "INSERT INTO changes(url, run_id, kind, capture_id) VALUES (?, ?, 'content_changed', ?)",
                        (f"http://a.example/{number}", f"r{night}", capture),
                    )
                asked_at[number - 1] = float(night)
            for number in (number for number, day in enumerate(published, 1) if day == night):
                _play_page(connection, number, night, at)
    return Rotation(requests, sum(day < counted for found in edits for day in found), tuple(delays), longest)


def _play_run(connection: sqlite3.Connection, night: int, at: datetime) -> None:
    connection.execute(
        """INSERT INTO runs(run_id, kind, started_at, status, settings_json)
        VALUES (?, 'nightly', ?, 'finished', '{"sites": ["a"]}')""",
        (f"r{night}", instant(at)),
    )


def _play_page(connection: sqlite3.Connection, number: int, day: int, asked: datetime) -> None:
    connection.execute("INSERT INTO urls(url_id, url) VALUES (?, ?)", (number, f"http://a.example/{number}"))
    connection.execute(
        """INSERT INTO frontier(
            frontier_id, key, url_id, role, site, channel, listed_date, host, priority, state, run_id)
        VALUES (?1, ?1, ?1, 'page', 'a', 'c', ?2, 'h', 1, 'acknowledged', 'r-1')""",
        (number, instant(FIRST + timedelta(days=day))[:10]),
    )
    _play_answer(connection, number, -1, asked)


def _play_answer(connection: sqlite3.Connection, number: int, night: int, at: datetime) -> int:
    found: int = connection.execute(
        """INSERT INTO exchanges(run_id, frontier_id, url_id, captured_at, outcome, http_status, warc_id, warc_offset,
            warc_length, warc_record_id, metadata_offset, metadata_length)
        VALUES (?1, ?2, ?2, ?3, 'ok', 200, 1, 0, 0, ?1 || '/' || ?2, 0, 0) RETURNING capture_id""",
        (f"r{night}", number, instant(at)),
    ).fetchone()[0]
    return found


def rotations() -> Iterator[str]:
    nights = 270
    for kind in ("young", "even"):
        yield f"rotation over {nights} nights, edits {kind}"
        found: dict[str, Rotation] = {}
        for name, is_adaptive in (("plain, 90 days", False), ("adaptive, 90 days", True)):
            with tempfile.TemporaryDirectory() as folder:
                found[name] = rotation(Path(folder), kind, days=90, is_adaptive=is_adaptive, nights=nights)
        days = round(90 * found["plain, 90 days"].requests / found["adaptive, 90 days"].requests)
        with tempfile.TemporaryDirectory() as folder:
            found[f"plain, {days} days"] = rotation(Path(folder), kind, days=days, is_adaptive=False, nights=nights)
        yield from (one.line(name, nights) for name, one in found.items())


def list_pages(site: Replica, start: int) -> list[AccessEntry]:
    """Requests for list pages since that place in the log."""
    pages = tuple(site.channel_url(channel) for channel in {item.channel for item in site.truth.listings})
    return [e for e in site.access_log[start:] if "dataproxy" in e.path or any(url.endswith(e.path) for url in pages)]


def seen_since(data_dir: Path, kind: str, url: str) -> bool:
    """Also before reading: a change of payload at the address."""
    with closing(sqlite3.connect(data_dir / "corpus.db")) as connection:
        rows = connection.execute("SELECT 1 FROM changes WHERE kind = ? AND url = ?", (kind, url)).fetchall()
    return bool(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=32)
    parser.add_argument("--pages", type=int, nargs="*", default=[200, 5000])
    parser.add_argument("--only", choices=["changes", "cost", "rotation"])
    arguments = parser.parse_args()
    for line in rotations() if arguments.only in (None, "rotation") else ():
        print(line, flush=True)
    for validators in (True, False):
        kind = "with ETag and Last-Modified" if validators else "without validators"
        with tempfile.TemporaryDirectory() as folder:
            if arguments.only in (None, "changes"):
                done = scripted_nights(Path(folder), arguments.nights, validators=validators)
                print(f"{arguments.nights} nights {kind}: {len(done.expected)} changes, ", end="")
                print(f"precision {done.precision:.3f}, recall {done.recall:.3f}")
                for change in sorted(done.found ^ done.expected):
                    print("  FALSE" if change in done.found else "  MISSED", *change)
        for pages in arguments.pages if arguments.only in (None, "cost") else ():
            with tempfile.TemporaryDirectory() as folder:
                print(f"{pages} listings {kind}", flush=True)
                for line in costs(Path(folder), pages, validators=validators):
                    print(line, flush=True)


if __name__ == "__main__":
    main()
