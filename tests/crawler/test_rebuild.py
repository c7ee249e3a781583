"""`gongkai extract --full` killed at any moment: what stood stands whole, and the next one ends as if nothing were."""

import random
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from archiving import LIST, put, response, session
from crawling import COMMAND, gongkai, one, rows

from archive.audit import audit
from archive.model import Finding, Target
from archive.snapshot import snapshot
from archive.store import Store
from crawler.extract import extract
from crawler.jail import InProcess
from crawler.replica.layout import tables

PAGES = 8
PAGE = Target("http://d.example.cn/art/1.html", "page", "d", "reports", via=LIST.url, anchor="年度报告", depth=1)
# Which calls the process dies at, and whether the new rows are in place by then.
MOMENTS = {
    "taking records in": ("archive.intake.Intake._take_group", 5, False),
    "reading the third report": ("archive.store.Store.insert_reading", 3, False),
    "checking documents": ("crawler.extract.check_documents", 1, False),
    "writing the index": ("archive.rebuild.rebuild_index", 1, False),
    "in the middle of the change": ("backup", 0, False),
    "after the change": ("archive.rebuild.remove_database", 2, True),
}
DYING = """
import os, signal, sqlite3, functools
from unittest import mock
from crawler import extract
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
class Dying(sqlite3.Connection):
    def backup(self, target): super().backup(target, pages=4, progress=die)
place, left = {place!r}, [{number}]
if place == "backup":
    sqlite3.connect = functools.partial(sqlite3.connect, factory=Dying)
else:
    from pkgutil import resolve_name
    owner, _, name = place.rpartition(".")
    was = getattr(resolve_name(owner), name)
    def counted(*values, **named):
        left[0] -= 1
        return was(*values, **named) if left[0] else die()
    mock.patch(place, counted).start()
"""
EVERYTHING = """SELECT document_url, report_year, form, cell, value, raw, status
    FROM facts JOIN reports USING (report_id) ORDER BY 1, 4"""
# A row that no WARC file brings back.
MARK = Finding("info", "mark", "the database as it stood")


def report(number: int) -> bytes:
    cells = "".join(
        "<table>"
        + "".join(
            "<tr>"
            + "".join(
                f"<td rowspan='{slot.row_span}' colspan='{slot.column_span}'>{number if slot.cell else slot.text}</td>"
                for slot in row
            )
            + "</tr>"
            for row in table.rows
        )
        + "</table>"
        for table in tables("2021")
    )
    title = f"某街道{2015 + number}年政府信息公开工作年度报告"
    html = f"<html><head><title>{title}</title></head><body><p>一、总体情况</p>{cells}</body></html>"
    return response(html.encode(), b"Content-Type: text/html; charset=utf-8")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("corpus")
    with session(data) as run:
        for number in range(PAGES):
            put(run, replace(PAGE, url=f"http://d.example.cn/art/{number}.html"), report(number))
    extract(data, runner=InProcess())
    with Store.open(data) as store:
        store.add_finding(one(data, "SELECT run_id FROM runs"), MARK)
    return data


@pytest.fixture
def data_dir(corpus: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(corpus, tmp_path / "data"))


def done(process: subprocess.Popen) -> tuple[int, str, str]:
    out, errors = process.communicate(timeout=100)
    return process.returncode, out, errors


def is_as_it_stood(data_dir: Path) -> bool:
    return one(data_dir, "SELECT count(*) FROM findings WHERE code = 'mark'") == 1


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_the_old_database_stands_or_the_new(moment: str, data_dir: Path, tmp_path: Path):
    before = rows(data_dir, EVERYTHING)
    place, number, is_changed = MOMENTS[moment]
    code = DYING.format(place=place, number=number) + COMMAND
    assert done(gongkai(data_dir, "extract", "--full", code=code))[0] == -9
    assert rows(data_dir, EVERYTHING) == before != []
    assert is_as_it_stood(data_dir) is not is_changed
    assert snapshot(data_dir, tmp_path / "snapshot").reports == PAGES
    assert extract(data_dir, runner=InProcess()).reports == PAGES
    assert not list(data_dir.glob("corpus.db.new*"))
    extract(data_dir, full=True, runner=InProcess())
    assert rows(data_dir, EVERYTHING) == before
    assert not is_as_it_stood(data_dir)
    assert list(audit(data_dir)) == []


def test_killed_at_moments_of_chance_nothing_is_lost(data_dir: Path):
    before, chance = rows(data_dir, EVERYTHING), random.Random(1)
    started = time.monotonic()
    assert done(gongkai(data_dir, "extract", "--full"))[0] == 0
    seconds = time.monotonic() - started
    for _ in range(3):
        process = gongkai(data_dir, "extract", "--full")
        time.sleep(seconds * chance.uniform(0.3, 1.0))
        process.kill()
        process.communicate()
        assert rows(data_dir, EVERYTHING) == before
        assert one(data_dir, "PRAGMA integrity_check") == "ok"


def test_who_has_the_database_open_goes_on_reading(data_dir: Path):
    with Store.open(data_dir) as reader:
        cursor = reader.connection.execute("SELECT url FROM captures")
        cursor.fetchone()
        assert done(gongkai(data_dir, "extract", "--full"))[0] == 0
        assert len(cursor.fetchall()) == PAGES - 1
        assert reader.connection.execute("SELECT count(*) FROM findings WHERE code = 'mark'").fetchone() == (0,)


COMMANDS = [
    ("status",),
    ("changes",),
    ("snapshot", "--to", "TO"),
    ("export", "--format", "csv", "--to", "TO"),
    ("release", "--author", "某人", "--to", "TO"),
    ("serve", "--port", "0"),
    ("crawl", "jiamusi_qianjin"),
    ("nightly", "--site-file", "SITE"),
]


@pytest.fixture(scope="module")
def missing(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a kill leaves it when the database had been taken away: its rows are in no corpus.db yet."""
    data = Path(shutil.copytree(corpus, tmp_path_factory.mktemp("missing") / "data"))
    for path in data.glob("corpus.db*"):
        path.unlink()
    code = DYING.format(place="archive.store.Store.insert_reading", number=3) + COMMAND
    assert done(gongkai(data, "extract", code=code))[0] == -9
    return data


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_command_takes_a_missing_database_for_an_empty_archive(
    command: tuple[str, ...], missing: Path, tmp_path: Path
):
    site = tmp_path / "site.toml"
    site.write_text('agency = "某区"\ndivision_code = "230199"\n[channels]\nreports = "http://127.0.0.1:9/"\n', "utf-8")
    given = {"TO": str(tmp_path / "to"), "SITE": str(site)}
    status, _, errors = done(gongkai(missing, *(given.get(word, word) for word in command)))
    assert status == 1
    assert errors.endswith("corpus.db: missing, though warc/ holds captures; `gongkai extract` makes it again\n")
    assert "Traceback" not in errors


def test_an_extraction_that_was_killed_is_done_again_by_the_next(missing: Path):
    assert extract(missing, runner=InProcess()).reports == PAGES
    assert list(audit(missing)) == []
