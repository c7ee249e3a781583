"""What changed and what was said when, as `gongkai changes` and the stored queries answer."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from crawling import one, rows
from test_nightly import nights  # noqa: F401  a fixture

from archive.browse.codebook import codebook
from archive.changes import changes, said_on
from crawler import extract as extract_module
from crawler import history as history_module
from crawler.cli import main
from crawler.jail import InProcess
from crawler.replica import Behaviour, Replica

A, B, AGAIN = "2026-01-01", "2026-01-02", "2026-01-03"


@dataclass(frozen=True)
class Told:
    """Four nights: a report said 1, then another number, then 1 again; a second one was deleted before the third."""

    data: Path
    report: str
    deleted: str
    cell: str
    first: str
    second: str

    def ask(self, *arguments: str) -> list[dict[str, Any]]:
        done = CliRunner().invoke(main, ["--data", str(self.data), "changes", "--json", *arguments])
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    def query(self, name: str, **values: object) -> list[dict[str, Any]]:
        (sql,) = (query.sql for query in codebook().queries if query.name == name)
        with closing(sqlite3.connect(self.data / "corpus.db")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, values)]


@pytest.fixture(scope="module")
def told(nights: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:  # noqa: F811
    folder = tmp_path_factory.mktemp("told")
    data = folder / "data"
    with Replica(listings=12, behaviour=Behaviour(validators=True)) as site:
        path = nights.without_expectations(site, folder)
        nights.run_night(data, path, 0)
        on_page = [
            item.document_url for item in site.truth.reports if item.document_url == item.page_url and item.listed
        ]
        cell, report, first = rows(
            data,
            """SELECT f.cell, r.document_url, f.raw FROM facts f JOIN reports r USING (report_id)
            WHERE f.cell = 'applications.new.natural_person' AND f.value > 9 AND r.document_url IN (
                SELECT value FROM json_each(?)) LIMIT 1""",
            json.dumps(on_page),
        )[0]
        body = site.portal._article(report).body
        second = str(int(first) + 1)
        changed, count = re.subn(rf">\s*{first}\s*<", f">{second}<", body, count=1)
        assert count == 1
        deleted = next(url for url in on_page if url != report)
        site.edit_article(report, body=changed)
        nights.run_night(data, path, 1, "--recheck-days", "1")
        site.edit_article(report, body=body)
        site.delete_article(deleted)
        nights.run_night(data, path, 2, "--recheck-days", "1")
        nights.run_night(data, path, 3, "--recheck-days", "1")
    yield Told(data, report, deleted, cell, first, second)


def test_changes_are_listed_newest_first(told: Told) -> None:
    found = told.ask("--since", B)
    assert [(change["at"][:10], change["kind"], change["url"]) for change in found] == [
        (AGAIN, "disappeared", told.deleted),
        (AGAIN, "content_changed", told.report),
        (B, "content_changed", told.report),
    ]


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--kind", "disappeared"), 1),
        (("--kind", "disappeared", "--kind", "content_changed"), 3),
        (("--since", "2026-01-04"), 0),
        (("--since", B, "--limit", "1"), 1),
    ],
    ids=["a kind", "two kinds", "later", "a limit"],
)
def test_changes_can_be_narrowed(told: Told, arguments: tuple[str, ...], count: int) -> None:
    assert len(told.ask(*arguments)) == count


def test_the_site_of_a_change_is_named(told: Told) -> None:
    (site,) = {change["site"] for change in told.ask()}
    assert told.ask("--site", site, "--kind", "disappeared")[0]["url"] == told.deleted


def test_a_change_of_a_report_shows_its_cells_and_its_text(told: Told) -> None:
    _, change, _ = told.ask(told.report)
    assert {"cell": told.cell, "old": told.first, "new": told.second} in change["cells"]
    assert f"+{told.second}" in change["text_diff"] or told.second in change["text_diff"]
    printed = CliRunner().invoke(main, ["--data", str(told.data), "changes", told.report]).stdout
    assert f"{told.cell}: “{told.first}” -> “{told.second}”" in printed


def test_a_report_can_be_named_by_its_number(told: Told) -> None:
    report_id = one(told.data, "SELECT report_id FROM reports WHERE document_url = ?", told.report)
    assert told.ask(str(report_id)) == told.ask(told.report)


@pytest.mark.parametrize("axis", ["--on", "--known-on"])
@pytest.mark.parametrize("day", [A, B, AGAIN, "2026-01-09"])
def test_a_report_says_on_each_day_what_it_said_then(told: Told, axis: str, day: str) -> None:
    (said,) = (said for said in told.ask(told.report, axis, day) if said["kind"] == "report")
    cells = {cell["cell"]: cell["raw"] for cell in said["cells"]}
    assert cells[told.cell] == (told.second if day == B else told.first)


def test_before_it_was_captured_nothing_is_known(told: Told) -> None:
    done = CliRunner().invoke(main, ["--data", str(told.data), "changes", told.report, "--on", "2025-12-31"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "nothing is known" in done.stderr
    assert told.ask("--on", "2025-12-31") == told.ask("--known-on", "2025-12-31") == []


def test_what_was_gone_by_then_says_so(told: Told) -> None:
    before, after = ({row["document_url"]: row["gone_at"] for row in told.ask("--on", day)} for day in (B, AGAIN))
    assert (before[told.deleted], after[told.deleted][:10]) == (None, AGAIN)
    assert after[told.report] is None
    assert before.keys() == after.keys()
    assert told.ask(told.deleted, "--on", AGAIN)[0]["gone_at"][:10] == AGAIN


@pytest.mark.parametrize("name", ["web_on_day", "known_on_day"])
def test_the_stored_queries_give_the_version_of_the_day(told: Told, name: str) -> None:
    versions = {
        day: next(row["version_id"] for row in told.query(name, day=day) if row["document_url"] == told.report)
        for day in (A, B, AGAIN)
    }
    assert len(set(versions.values())) == 3
    value = "SELECT raw FROM all_facts WHERE version_id = ? AND cell = ?"
    assert [one(told.data, value, versions[day], told.cell) for day in (A, B, AGAIN)] == [
        told.first,
        told.second,
        told.first,
    ]
    assert told.query(name, day="2025-12-31") == []


def test_the_stored_query_of_changed_content_has_both_sides(told: Told) -> None:
    found = told.query("changed_content")
    assert [row["url"] for row in found] == [told.report, told.report]
    assert [(cell["old"], cell["new"]) for cell in json.loads(found[1]["cells_json"]) if cell["cell"] == told.cell] == [
        (told.first, told.second)
    ]


def test_a_page_says_its_text(told: Told) -> None:
    url = one(told.data, "SELECT url FROM pages WHERE url NOT IN (SELECT document_url FROM reports) LIMIT 1")
    (said,) = (said for said in told.ask(url, "--on", A) if said["url"] == url)
    assert said["kind"] == "page"
    assert said["text"] == one(told.data, "SELECT text FROM pages WHERE url = ?", url)


def test_a_mistaken_question_is_answered_in_a_line(told: Told) -> None:
    def asked(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["--data", str(told.data), "changes", *arguments])
        return done.exit_code, done.stderr

    assert asked("--on", A, "--known-on", A)[0] == 2
    assert asked("--on", "yesterday")[0] == 2
    assert asked("--kind", "vanished")[0] == 2
    assert asked("999999") == (1, "gongkai: there is no report 999999\n")
    assert asked("9" * 20) == (1, f"gongkai: there is no report {'9' * 20}\n")
    assert asked("http://nowhere.example/") == (1, "gongkai: nothing is known of http://nowhere.example/\n")
    assert asked("--on", "2020-01-01") == (0, "nothing is known of any report on 2020-01-01\n")
    unknown = "gongkai: nothing is known of a site nosuch; `gongkai status` lists those that were asked\n"
    assert asked("--site", "nosuch") == (1, unknown)
    assert asked("--on", A, "http://nowhere.example/")[0] == 1


def test_no_changes_are_said_to_be_none(told: Told) -> None:
    for arguments in (("--since", "2026-02-01"), (told.report, "--since", "2026-02-01")):
        done = CliRunner().invoke(main, ["--data", str(told.data), "changes", *arguments])
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "no such changes\n")


def test_a_list_that_was_cut_says_so(told: Told) -> None:
    for arguments, said in ((("--limit", "2"), "the newest 2; there are more: --limit\n"), (("--limit", "3"), "")):
        done = CliRunner().invoke(main, ["--data", str(told.data), "changes", "--since", B, *arguments])
        assert (done.exit_code, done.stderr) == (0, said)


def test_without_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--data", str(tmp_path), "changes"])
    assert done.exit_code == 1
    assert "`gongkai crawl` or `gongkai demo` makes one" in done.stderr


def test_a_new_reading_changes_what_the_web_said_and_not_what_we_knew(
    told: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Last: it reads the archive again as a later parser would."""
    before = {name: told.query(name, day=B) for name in ("web_on_day", "known_on_day")}
    monkeypatch.setattr(extract_module, "PARSER_VERSION", "later")
    monkeypatch.setattr(history_module, "PARSER_VERSION", "later")
    extract_module.extract(told.data, runner=InProcess())
    web, known = (told.query(name, day=B) for name in ("web_on_day", "known_on_day"))
    assert known_versions(known) == known_versions(before["known_on_day"])
    assert [row["capture_id"] for row in web] == [row["capture_id"] for row in before["web_on_day"]]
    assert not set(known_versions(web)) & set(known_versions(before["web_on_day"]))
    with closing(sqlite3.connect(told.data / "corpus.db")) as connection:
        said = said_on(connection, told.report, B, "web")
        assert said is not None
        assert {cell.cell: cell.raw for cell in said.cells}[told.cell] == told.second
        assert [change.kind for change in changes(connection, urls=[told.report])][:2] == ["content_changed"] * 2


def known_versions(found: list[dict[str, Any]]) -> list[int]:
    return [row["version_id"] for row in found]
