"""What a newcomer meets first: the demonstration's corpus answers the questions, and every page of ours shows it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from crawling import gongkai

from archive.browse.codebook import codebook
from archive.browse.plugin import cjk_snippet, match_expression
from archive.browse.serve import application
from archive.paths import database_path
from crawler.status import status

# One good night cannot have them: changes between nights, what waits for a person, files published twice, troubles.
NEED_MORE = {
    "changed_content",
    "gone_but_kept",
    "agencies_to_decide",
    "agencies_of_many_names",
    "same_file_elsewhere",
    "reports_without_agency",
    "sites_in_trouble",
}
PAGES = ("/", "/-/coverage", "/-/outcomes", "/-/changes", "/-/checks", "/-/sites", "/-/site/qinghe", "/-/agencies")
PAGES += ("/-/concepts", "/-/concept/app_new", "/-/search?q=解读", "/-/search?q=公开&kind=pages")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("demo")
    process = gongkai(data_dir, "demo", "--port", "0", "--json")
    _, errors = process.communicate(timeout=110)
    assert process.returncode == 0, errors
    return data_dir


@pytest.fixture(scope="module")
def connection(data_dir: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database_path(data_dir))) as connection:
        connection.create_function("escape_fts", 1, match_expression)
        connection.create_function("cjk_snippet", 2, cjk_snippet)
        yield connection


def test_there_are_questions_enough() -> None:
    assert len(codebook().queries) - len(NEED_MORE) >= 20


@pytest.mark.parametrize("query", codebook().queries, ids=lambda query: query.name)
def test_the_demonstration_answers_it(connection: sqlite3.Connection, query) -> None:
    values = {"q": "解读", "cell": "applications.new.total", "day": "2999-03-01", "year": 2023}
    found = connection.execute(query.sql, values).fetchall()
    assert found or query.name in NEED_MORE


def test_every_page_of_ours_shows_it(data_dir: Path) -> None:
    datasette = application(data_dir)
    answers = {path: asyncio.run(datasette.client.get(path)).status_code for path in PAGES}
    for database in datasette.databases.values():
        database.close()
    assert set(answers.values()) == {200}, answers


def test_the_pages_and_gongkai_status_say_the_same_of_a_site(connection: sqlite3.Connection, data_dir: Path) -> None:
    """Two of the demonstration's documents cannot be read: that is theirs, and no trouble with the site."""
    errors = connection.execute("SELECT count(*) FROM findings WHERE level = 'error'").fetchone()[0]
    assert errors == 2
    shown = dict(connection.execute("SELECT site, state FROM site_health").fetchall())
    assert shown == {site["site"]: site["state"] for site in status(data_dir)["sites"]} == {"qinghe": "ok"}
