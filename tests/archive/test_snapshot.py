"""The published snapshot holds the same rows under the same names, answers every page, and is never half a file."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from browse_corpus import REPORT, make

from archive.browse.codebook import codebook
from archive.browse.serve import ServeError, application
from archive.errors import ArchiveError
from archive.paths import database_path
from archive.snapshot import FILE_NAME, INSPECT_NAME, inspected, rules, snapshot
from archive.store import Store


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def published(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    snapshot(data_dir, folder)
    return folder


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("table", codebook().tables, ids=lambda table: table.name)
def test_a_public_table_has_the_same_columns_and_rows(table, data_dir: Path, published: Path) -> None:
    kept = [c.name for c in table.columns if (table.name, c.name) not in rules().blank]
    columns = ", ".join(f'"{name}"' for name in kept)
    sql = f"SELECT {columns} FROM {table.name} ORDER BY {columns}"
    assert rows(published / FILE_NAME, sql) == rows(database_path(data_dir), sql)


def test_public_views_are_tables_with_indexes_for_what_is_counted_and_looked_up(published: Path) -> None:
    kinds = dict(rows(published / FILE_NAME, "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view')"))
    public = {table.name for table in codebook().tables}
    assert {name for name in public if kinds[name] == "view"} == rules().views
    plan = rows(published / FILE_NAME, "EXPLAIN QUERY PLAN SELECT * FROM facts WHERE report_id = 1 AND cell = 'x'")
    assert "facts_unique" in str(plan)
    for facet in codebook().table("reports").facets:
        plan = rows(published / FILE_NAME, f"EXPLAIN QUERY PLAN SELECT {facet}, count(*) FROM reports GROUP BY {facet}")
        assert "USING COVERING INDEX" in str(plan), facet


def test_queues_triggers_and_the_machine_are_left_out(published: Path) -> None:
    assert rows(published / FILE_NAME, "SELECT DISTINCT host FROM runs") == [("",)]
    assert rows(published / FILE_NAME, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'") == [(0,)]
    assert rows(published / FILE_NAME, "SELECT name FROM sqlite_schema WHERE name = 'content_digests'") == []
    assert rows(published / FILE_NAME, "PRAGMA journal_mode") == [("delete",)]
    # SQLite 3.40 finds NULL in columns of WITHOUT ROWID tables whose key is not their first columns.
    found = rows(published / FILE_NAME, "PRAGMA integrity_check")
    problems = [text for (text,) in found if "NULL value in" not in str(text)]
    assert problems in ([], ["ok"])


def test_what_is_counted_ahead_is_of_this_file_or_not_used(data_dir: Path, tmp_path: Path) -> None:
    made = snapshot(data_dir, tmp_path)
    found = inspected(tmp_path)
    assert found is not None
    assert found["corpus"]["hash"] == made.sha256
    assert found["corpus"]["tables"]["reports"]["count"] == made.reports == 2
    assert found["corpus"]["views"]["all_facts"]["count"] == 10
    tree = json.loads((tmp_path / INSPECT_NAME).read_text("utf-8"))
    tree["corpus"]["user_version"] += 1
    (tmp_path / INSPECT_NAME).write_text(json.dumps(tree), "utf-8")
    assert inspected(tmp_path) is None


def test_only_columns_with_an_index_are_offered_to_sort_the_largest_tables_by(data_dir: Path, published: Path) -> None:
    datasette = application(data_dir, snapshot=published)

    async def pages() -> tuple[str, str]:
        await datasette.invoke_startup()
        facts = (await datasette.client.get("/corpus/facts")).text
        return facts, (await datasette.client.get("/corpus/all_facts")).text

    facts, all_facts = asyncio.run(pages())
    assert "_sort=value" in facts
    assert "_sort=locator" not in facts
    assert "_sort=value" not in all_facts


def test_a_snapshot_that_fails_leaves_the_one_before(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(data_dir, tmp_path)
    monkeypatch.setattr("archive.snapshot.inspect", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        snapshot(data_dir, tmp_path)
    assert (tmp_path / FILE_NAME).stat().st_size == before.bytes
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_corpus_itself_is_never_replaced(data_dir: Path) -> None:
    with pytest.raises(ArchiveError, match="take the place of the corpus"):
        snapshot(data_dir, data_dir)


def test_another_archive_is_never_replaced_nor_a_folder_of_records_written_to(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "warc").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for place in (tmp_path, data_dir / "warc", data_dir / "warc" / "below"):
        with pytest.raises(ArchiveError, match="an archive's own place"):
            snapshot(data_dir, place)
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_to_publish_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no such database"):
        snapshot(tmp_path / "empty", tmp_path / "to")
    with pytest.raises(ServeError, match="gongkai snapshot"):
        application(tmp_path, snapshot=tmp_path)


def test_every_table_and_own_page_answers_on_the_snapshot(data_dir: Path, published: Path) -> None:
    datasette = application(data_dir, snapshot=published)

    async def statuses() -> dict[str, int]:
        await datasette.invoke_startup()
        paths = ["/", "/corpus", f"/-/report/{REPORT}", "/-/capture/1"]
        paths += [f"/corpus/{table.name}" for table in codebook().tables]
        paths += [
            "/corpus/report_sections?_search=解读",
            "/corpus/facts?_sort_desc=value",
            "/corpus/facts?_facet=status",
        ]
        paths += [
            f"/corpus/{query.name}?q=解读&cell=applications.new.total&day=2999-01-01" for query in codebook().queries
        ]
        return {path: (await datasette.client.get(path)).status_code for path in paths}

    found = asyncio.run(statuses())
    assert {path: status for path, status in found.items() if status != 200} == {}


def test_a_crawl_may_write_while_a_snapshot_is_made(data_dir: Path, tmp_path: Path) -> None:
    with Store.open(data_dir) as store, store.transaction() as connection:
        before = connection.execute("SELECT requests FROM runs WHERE run_id = 'run-1'").fetchall()
        connection.execute("UPDATE runs SET requests = 99 WHERE run_id = 'run-1'")
        snapshot(data_dir, tmp_path)
        connection.execute("UPDATE runs SET requests = ? WHERE run_id = 'run-1'", before[0])
    assert rows(tmp_path / FILE_NAME, "SELECT requests FROM runs WHERE run_id = 'run-1'") == before
