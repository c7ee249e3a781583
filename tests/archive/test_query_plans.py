"""What is asked every night about one run or one site is found by an index, not by reading a whole table."""

from pathlib import Path

import pytest

from archive import rechecks
from archive.browse.codebook import codebook
from archive.store import Store
from crawler import morning

LARGE = ("exchanges", "e", "changes", "c", "listings", "l", "frontier", "f", "findings", "n", "readings", "r")
QUERIES = {
    "outcomes": morning._OUTCOMES,
    "changes": morning._CHANGES,
    "new entries": morning._NEW,
    "unreadable documents": morning._UNREADABLE,
    "documents read": morning._DOCUMENTS,
    "findings": morning._FINDINGS,
    "errors": morning._ERRORS,
    "said of the run": morning._SAID,
    "known addresses": rechecks._CHECKED,
    "gone once": rechecks._GONE_ONCE,
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_large_table_is_read_whole(tmp_path: Path, name: str) -> None:
    sql = QUERIES[name]
    count = 2 if "?2" in sql else 1
    with Store.open(tmp_path) as store:
        steps = [row[3] for row in store.connection.execute(f"EXPLAIN QUERY PLAN {sql}", ("[]",) * count)]
    assert [step for step in steps if step.startswith("SCAN") and step.split()[1] in LARGE] == []


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("web_on_day", "SEARCH o USING INDEX report_versions_report (report_id=?)"),
        ("doubtful_numbers", "SEARCH f USING INDEX reading_facts_doubtful"),
    ],
)
def test_a_question_finds_its_rows_by_an_index_before_anything_is_published(
    tmp_path: Path, name: str, step: str
) -> None:
    (query,) = (query for query in codebook().queries if query.name == name)
    with Store.open(tmp_path) as store:
        plan = store.connection.execute(f"EXPLAIN QUERY PLAN {query.sql}", {"day": "2026-03-01"}).fetchall()
    assert any(row[3].startswith(step) for row in plan), [row[3] for row in plan]
