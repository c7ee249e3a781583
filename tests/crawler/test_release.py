"""A release is frozen, dated, checked, recorded in the archive; one that is not fit is stopped with a reason."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from crawling import gongkai
from publishing import make

from archive.bounds import BOUNDS_FILE, Bound, judged, load_bounds, measured
from archive.decisions import decisions
from archive.errors import ArchiveError
from archive.paths import database_path
from archive.store import Store
from crawler.extract import extract
from crawler.release import BoundsError, release

REPORTS = 12


def clock() -> datetime:
    return datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    make(folder, REPORTS)
    return folder


def bounds(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bounds.toml"
    path.write_text(text, "utf-8", "surrogateescape")
    return path


def releases(data_dir: Path) -> list[tuple]:
    connection = sqlite3.connect(database_path(data_dir))
    try:
        return connection.execute(
            "SELECT release, reports, accepted FROM releases ORDER BY made_at, release"
        ).fetchall()
    finally:
        connection.close()


def test_a_release_is_whole_dated_summed_and_comes_back_with_the_archive(data_dir: Path, tmp_path: Path) -> None:
    made = release(data_dir, tmp_path, author="tester", formats=("datapackage",), clock=clock)
    number = len(releases(data_dir))
    assert made.release == f"2026.03.{number}"
    assert made.path == tmp_path / made.release
    lines = (made.path / "SHA256SUMS").read_text("utf-8").splitlines()
    present = {p.relative_to(made.path).as_posix() for p in made.path.rglob("*") if p.is_file()} - {"SHA256SUMS"}
    assert {line.split("  ")[1] for line in lines} == present
    assert {"snapshot/corpus.db", "datapackage/datapackage.json", "CITATION.cff", "manifest.json"} <= present
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((made.path / name).read_bytes()).hexdigest() == digest
    manifest = json.loads((made.path / "manifest.json").read_text("utf-8"))
    assert manifest["counts"]["reports"] == REPORTS
    assert manifest["parser_versions"]
    assert {verdict["name"] for verdict in manifest["bounds"]} == {bound.name for bound in load_bounds()}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    before = releases(data_dir)
    for path in data_dir.glob("corpus.db*"):
        path.unlink()
    extract(data_dir, full=True)
    assert releases(data_dir) == before


def test_the_next_release_of_a_month_has_the_next_number(data_dir: Path, tmp_path: Path) -> None:
    first, second = (release(data_dir, tmp_path, author="tester", formats=(), clock=clock) for _ in range(2))
    month, _, number = first.release.rpartition(".")
    assert second.release == f"{month}.{int(number) + 1}"
    (tmp_path / f"{month}.40").mkdir()
    assert release(data_dir, tmp_path, author="tester", formats=(), clock=clock).release == f"{month}.41"


def test_a_corpus_that_is_not_fit_is_stopped_and_nothing_of_it_stays(data_dir: Path, tmp_path: Path) -> None:
    path = bounds(tmp_path, '[reports]\nsql = "SELECT count(*) FROM reports"\nleast = 13\nwhy = "some were lost"\n')
    before = releases(data_dir)
    with pytest.raises(BoundsError, match="reports: expected at least 13, found 12; some were lost"):
        release(data_dir, tmp_path / "new" / "to", author="tester", bounds_file=path, clock=clock)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bounds.toml"]
    assert releases(data_dir) == before


def test_a_release_that_is_stopped_leaves_the_folder_of_others_as_it_was(data_dir: Path, tmp_path: Path) -> None:
    path = bounds(tmp_path, '[reports]\nsql = "SELECT count(*) FROM reports"\nleast = 13\nwhy = "some were lost"\n')
    (tmp_path / "empty").mkdir()
    (tmp_path / "full" / "2025.01.1").mkdir(parents=True)
    warc = sorted(entry.name for entry in (data_dir / "warc").iterdir())
    for name in ("empty", "full"):
        with pytest.raises(BoundsError):
            release(data_dir, tmp_path / name, author="tester", bounds_file=path, clock=clock)
    assert not list((tmp_path / "empty").iterdir())
    assert [entry.name for entry in (tmp_path / "full").iterdir()] == ["2025.01.1"]
    assert sorted(entry.name for entry in (data_dir / "warc").iterdir()) == warc


def test_a_reason_releases_it_nonetheless_and_is_kept(data_dir: Path, tmp_path: Path) -> None:
    path = bounds(tmp_path, '[reports]\nsql = "SELECT count(*) FROM reports"\nleast = 13\nwhy = "some were lost"\n')
    made = release(
        data_dir, tmp_path / "to", author="tester", accept="a site closed", bounds_file=path, formats=(), clock=clock
    )
    assert made.accepted == "a site closed"
    assert (made.release, REPORTS, "a site closed") in releases(data_dir)
    with Store.open(data_dir) as store:
        newest = decisions(store.connection, "release")[-1]
    assert (newest.author, newest.reason) == ("tester", "a site closed")


def test_damage_in_the_archive_stops_a_release(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.release.audit", lambda _: iter(["a problem"]))
    with pytest.raises(BoundsError, match="audit_problems: expected at most 0, found 1"):
        release(data_dir, tmp_path / "to", author="tester", clock=clock)


REPORTS_BOUND = Bound("reports", "why", "SELECT 1", least=1, least_of_last=0.98)


@pytest.mark.parametrize(
    ("found", "last", "problem"),
    [
        (100, {}, ""),
        (98, {"reports": 100}, ""),
        (97, {"reports": 100}, "reports: expected at least 98 (0.98 of the last release's 100), found 97; why"),
        (0, {}, "reports: expected at least 1, found 0; why"),
        (None, {"reports": 100}, ""),
    ],
    ids=["first", "within tolerance", "fewer than last time", "none", "nothing to count"],
)
def test_a_bound_is_held_against_what_was_released_last(found: float | None, last: dict, problem: str) -> None:
    assert judged((REPORTS_BOUND,), {"reports": found}, last)[0].problem == problem


def test_too_much_is_a_breach_too() -> None:
    share = Bound("failed_check_share", "why", "SELECT 1", most=0.05)
    assert judged((share,), {"failed_check_share": 0.05}, {})[0].problem == ""
    expected = "failed_check_share: expected at most 0.05, found 0.0501; why"
    assert judged((share,), {"failed_check_share": 0.0501}, {})[0].problem == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[reports\n", "cannot be read as bounds"),
        ('[reports]\nsql = "SELECT 1"\nwhy = ""\nfewest = 3\n', "expected a table with why"),
        ('[reports]\nleast = 3\nwhy = ""\n', "expected sql, found none"),
        ('[reports]\nsql = "SELECT 1"\nmost = "5"\nwhy = ""\n', "expected a number for most, found '5'"),
        ('[reports]\nsql = "SELECT 1"\nmost = true\nwhy = ""\n', "expected a number for most, found True"),
        ("\udcff", "cannot be read as bounds"),
    ],
    ids=["no TOML", "unknown key", "nothing to ask", "limit in quotes", "limit of another kind", "no UTF-8"],
)
def test_a_file_of_bounds_that_cannot_be_understood_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ArchiveError, match=message):
        load_bounds(bounds(tmp_path, text))


def test_a_question_whose_answer_is_no_number_is_named(data_dir: Path) -> None:
    asked = (Bound("titles", "why", "SELECT 'many'", most=5),)
    with pytest.raises(ArchiveError, match="bound titles: expected its sql to give a number, found 'many'"):
        measured(database_path(data_dir), asked, audit_problems=0)


def test_every_bound_of_ours_asks_what_the_corpus_can_answer(data_dir: Path) -> None:
    connection = sqlite3.connect(database_path(data_dir))
    try:
        for bound in load_bounds(BOUNDS_FILE):
            assert bound.sql == "" or connection.execute(bound.sql).fetchone()[0] is not None, bound.name
    finally:
        connection.close()


def test_the_command_stops_with_one_and_says_why(data_dir: Path, tmp_path: Path) -> None:
    path = bounds(tmp_path, '[reports]\nsql = "SELECT count(*) FROM reports"\nleast = 13\nwhy = "some were lost"\n')
    arguments = ("release", "--to", str(tmp_path / "to"), "--author", "tester", "--bounds", str(path))
    process = gongkai(data_dir, *arguments)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 1
    assert "expected at least 13, found 12" in errors
    process = gongkai(data_dir, *arguments, "--accept", "known", "--format", "stata", "--json")
    out, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (0, "")
    assert json.loads(out)["accepted"] == "known"
