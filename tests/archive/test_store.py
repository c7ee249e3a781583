"""The public tables as readers of corpus.db see them, and what may be written twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from archive_kit import FixedClock, exchange, http_response, page_body, page_target, page_url, recording

from archive.history import add_content_digest
from archive.model import Finding
from archive.recorder import Recorder
from archive.rows import AttachmentRow, CheckRow, FactRow, PageRow, ReadingRow, ReportRow, SectionRow
from archive.search import search
from archive.store import Store

PUBLIC = {
    "runs": "run_id kind started_at finished_at status requests new_captures",
    "captures": "capture_id run_id url captured_at outcome http_status media_type payload_digest warc_file warc_offset "
    "warc_length warc_record_id refers_to",
    "listings": "url title listed_date channel site position first_run_id last_run_id",
    "pages": "url site channel title published_date publisher index_number document_number text capture_id",
    "attachments": "url page_url file_name media_type bytes capture_id",
    "reports": "report_id agency division_code report_year form title published_date document_url page_url capture_id",
    "facts": "report_id cell value raw unit status locator confidence",
    "checks": "report_id rule status lhs rhs",
    "changes": "url run_id kind capture_id previous_capture_id",
    "findings": "run_id level code url capture_id report_id message",
    "provenance": "report_id document_url captured_at payload_digest warc_file warc_offset warc_length warc_record_id "
    "parser_version run_id",
}

Archive = tuple[Store, Recorder, FixedClock]


@pytest.fixture
def archive(tmp_path: Path, clock: FixedClock) -> Iterator[Archive]:
    with recording(tmp_path, "r1", clock) as (store, _, recorder):
        yield store, recorder, clock


def capture(archive: Archive, number: int = 1, edition: int = 1) -> int:
    _, recorder, clock = archive
    sent = exchange(page_target(number), http_response(page_body(number, edition)), clock)
    return recorder.record_now(page_target(number), None, sent).capture_id


def reading(capture_id: int, *, value: int | Decimal = 84, version: str = "1", number: int = 1) -> ReadingRow:
    return ReadingRow(
        capture_id=capture_id,
        parser_version=version,
        kind="annual_report",
        media_type="text/html",
        form="2021",
        report=ReportRow(page_url(number), page_url=page_url(number), agency="清河区", report_year=2021, form="2021"),
        facts=(
            FactRow("applications.new.natural_person", value, str(value), "件", "reported", "table=2;row=3;column=2"),
            FactRow("applications.new.legal_person", None, "—", "件", "blank", "table=2;row=3;column=3", 0.9),
        ),
        checks=(CheckRow("row_sum", "pass", 84, Decimal("84")),),
        sections=(SectionRow("一、总体情况", "本年度公开政府信息二十件。"),),
        findings=(Finding("warning", "row_unknown", "one row too many", page_url(number)),),
    )


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    return store.connection.execute(query).fetchall()


@pytest.mark.parametrize("name", PUBLIC)
def test_public_tables_have_at_least_the_promised_columns(archive: Archive, name: str) -> None:
    columns = [column[0] for column in archive[0].connection.execute(f"SELECT * FROM {name}").description]
    assert [column for column in PUBLIC[name].split() if column not in columns] == []


def test_opening_again_applies_nothing_twice(tmp_path: Path) -> None:
    for _ in range(2):
        with Store.open(tmp_path) as store:
            names = rows(store, "SELECT name FROM _sqlite_migrations ORDER BY rowid")
            assert names[:3] == [("m0001_archive",), ("m0002_readings",), ("m0003_search",)]
            assert rows(store, "PRAGMA journal_mode") == [("wal",)]
            assert rows(store, "PRAGMA foreign_keys") == [("1",)] or rows(store, "PRAGMA foreign_keys") == [(1,)]
            assert rows(store, "PRAGMA synchronous") == [(2,)]


def test_every_foreign_key_names_its_column(archive: Archive) -> None:
    for (table,) in rows(archive[0], "SELECT name FROM sqlite_master WHERE type = 'table'"):
        for key in rows(archive[0], f"PRAGMA foreign_key_list({table})"):
            assert key[4] is not None, table


def test_a_reading_becomes_report_facts_checks_and_sections(archive: Archive) -> None:
    store = archive[0]
    stored = store.insert_reading(reading(capture(archive)))
    assert (stored.report_id, stored.is_new) == (1, True)
    assert rows(store, "SELECT report_id, agency, report_year, form, document_url FROM reports") == [
        (1, "清河区", 2021, "2021", page_url(1))
    ]
    assert rows(store, "SELECT cell, value, raw, unit, status, confidence FROM facts ORDER BY cell DESC") == [
        ("applications.new.natural_person", 84, "84", "件", "reported", 1),
        ("applications.new.legal_person", None, "—", "件", "blank", 0.9),
    ]
    assert rows(store, "SELECT * FROM checks") == [(1, "row_sum", "pass", 84, 84)]
    assert rows(store, "SELECT heading FROM report_sections") == [("一、总体情况",)]
    assert rows(store, "SELECT run_id, code, capture_id, report_id FROM findings") == [("r1", "row_unknown", 1, 1)]
    assert rows(store, "SELECT report_id, parser_version, run_id, payload_capture_id FROM provenance") == [
        (1, "1", "r1", 1)
    ]


@pytest.mark.parametrize(
    ("value", "stored"),
    [(84, "84"), (Decimal("4068.208"), "4068.208"), (Decimal("84.0"), "84"), (2**70, "1.18059162071741e+21")],
)
def test_numbers_print_as_written(archive: Archive, value: int | Decimal, stored: str) -> None:
    archive[0].insert_reading(reading(capture(archive), value=value))
    query = "SELECT CAST(value AS TEXT) FROM facts WHERE status = 'reported'"
    assert rows(archive[0], query) == [(stored,)]


def test_the_same_reading_again_changes_nothing(archive: Archive) -> None:
    store = archive[0]
    capture_id = capture(archive)
    store.insert_reading(reading(capture_id))
    before = list(store.connection.iterdump())
    again = store.insert_reading(reading(capture_id, value=99))
    assert (again.report_id, again.is_new) == (1, False)
    assert list(store.connection.iterdump()) == before


def test_new_content_makes_a_version_and_closes_the_old_one(archive: Archive) -> None:
    store = archive[0]
    for edition in (1, 2):
        store.insert_reading(reading(capture(archive, edition=edition), value=80 + edition))
    assert rows(store, "SELECT value FROM facts WHERE status = 'reported'") == [(82,)]
    assert rows(store, "SELECT value, known_to IS NULL FROM all_facts WHERE status = 'reported'") == [(81, 0), (82, 1)]
    assert rows(store, "SELECT capture_id, closed_because FROM report_versions") == [(1, "republished"), (2, None)]
    ((closed, opened),) = rows(
        store,
        "SELECT a.known_to, b.known_from FROM report_versions a JOIN report_versions b ON b.version_id = 2 LIMIT 1",
    )
    assert closed == opened


def test_a_new_parser_version_takes_over_without_losing_the_old_reading(archive: Archive) -> None:
    store = archive[0]
    first, second = capture(archive, edition=1), capture(archive, edition=2)
    for capture_id in (first, second):
        store.insert_reading(reading(capture_id, version="1"))
    for capture_id in (first, second):
        store.insert_reading(reading(capture_id, value=85, version="2"))
    assert rows(store, "SELECT value FROM facts WHERE status = 'reported'") == [(85,)]
    assert rows(store, "SELECT capture_id, reading_id FROM reports") == [(2, 4)]
    assert rows(store, "SELECT reading_id, closed_because FROM report_versions") == [
        (1, "republished"),
        (2, "reparsed"),
        (3, "republished"),
        (4, None),
    ]


def test_content_that_returns_is_current_again(archive: Archive) -> None:
    store = archive[0]
    for edition in (1, 2, 1):
        store.insert_reading(reading(capture(archive, edition=edition), value=edition))
    assert rows(
        store, "SELECT value, capture_id FROM facts JOIN reports USING (report_id) WHERE status = 'reported'"
    ) == [(1, 3)]


def test_a_page_that_was_replaced_does_not_withdraw_its_report(archive: Archive) -> None:
    store = archive[0]
    store.insert_reading(reading(capture(archive)))
    store.insert_reading(ReadingRow(capture(archive, edition=2), "1", "page", "text/html"))
    assert rows(store, "SELECT capture_id FROM reports") == [(1,)]


def test_a_parser_that_knows_better_withdraws_it(archive: Archive) -> None:
    store = archive[0]
    capture_id = capture(archive)
    store.insert_reading(reading(capture_id))
    store.insert_reading(ReadingRow(capture_id, "2", "page", "text/html"))
    assert rows(store, "SELECT * FROM reports") == []
    assert rows(store, "SELECT closed_because FROM report_versions") == [("not_a_report",)]


def test_a_failed_insert_leaves_nothing_of_the_document(archive: Archive) -> None:
    store = archive[0]
    broken = replace(reading(capture(archive)), checks=(CheckRow("row_sum", "perhaps"),))
    with pytest.raises(sqlite3.IntegrityError):
        store.insert_reading(broken)
    for table in ("readings", "reading_facts", "report_documents", "sections", "findings"):
        assert rows(store, f"SELECT count(*) FROM {table}") == [(0,)], table


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE exchanges SET outcome = 'ok'",
        "UPDATE payloads SET bytes = 0",
        "UPDATE readings SET kind = 'page'",
        "UPDATE reading_facts SET raw = ''",
    ],
)
def test_what_was_captured_and_read_cannot_be_changed(archive: Archive, statement: str) -> None:
    archive[0].insert_reading(reading(capture(archive)))
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        archive[0].connection.execute(statement)


def test_captures_are_read_once_per_parser_version(archive: Archive) -> None:
    store = archive[0]
    for edition in (1, 1, 2):
        capture(archive, edition=edition)
    waiting = list(store.captures_to_read("1"))
    assert [(w.capture_id, w.role, w.anchor) for w in waiting] == [(1, "page", "第1号"), (3, "page", "第1号")]
    for found in waiting:
        store.insert_reading(reading(found.capture_id))
        add_content_digest(store.connection, found.capture_id, "1", "sha256:0", None)
    assert list(store.captures_to_read("1")) == []
    assert [w.capture_id for w in store.captures_to_read("2")] == [1, 3]


def test_pages_have_versions_too(archive: Archive) -> None:
    store = archive[0]
    first = PageRow(page_url(1), "demo_qinghe", "annual_report", capture(archive), "1", title="旧题", text="旧文公开")
    store.insert_page(first)
    store.insert_page(first)
    store.insert_page(replace(first, capture_id=capture(archive, edition=2), title="新题", text="新文公开"))
    assert rows(store, "SELECT title, capture_id FROM pages") == [("新题", 2)]
    assert rows(store, "SELECT title, closed_because FROM page_versions") == [("旧题", "republished"), ("新题", None)]
    assert [hit.title for hit in search(store.connection, "公开")] == ["新题"]


def test_an_attachment_learns_its_capture_later(archive: Archive) -> None:
    store = archive[0]
    known = AttachmentRow(page_url(2), page_url(1), "2021年报.docx")
    store.insert_attachment(known)
    store.insert_attachment(replace(known, file_name="", media_type="text/html", bytes=9, capture_id=capture(archive)))
    store.insert_attachment(known)
    assert rows(store, "SELECT file_name, media_type, bytes, capture_id FROM attachments") == [
        ("2021年报.docx", "text/html", 9, 1)
    ]


def test_the_same_report_in_another_format_is_marked_as_a_copy(archive: Archive) -> None:
    store = archive[0]
    for number, agency in ((1, "清河区"), (2, "清河区"), (3, "东河区")):
        row = reading(capture(archive, number), number=number)
        assert row.report is not None
        store.insert_reading(replace(row, report=replace(row.report, page_url=page_url(1), agency=agency)))
    assert rows(store, "SELECT report_id, copy_of FROM reports") == [(1, None), (2, 1), (3, None)]


def offered(archive: Archive, number: int, value: int | None, *, same_bytes: bool = False, **about: object) -> None:
    """One of the reports on a page, with one number in it or none."""
    row = reading(capture(archive, number), number=number)
    if same_bytes:
        _, recorder, clock = archive
        sent = exchange(page_target(number), http_response(page_body(1)), clock)
        row = replace(row, capture_id=recorder.record_now(page_target(number), None, sent).capture_id)
    assert row.report is not None
    facts = (
        () if value is None else (FactRow("applications.new.total", value, str(value), "件", "reported", "table=2"),)
    )
    archive[0].insert_reading(replace(row, facts=facts, report=replace(row.report, page_url=page_url(1), **about)))


def copies(archive: Archive) -> list[object]:
    return [copy for (copy,) in rows(archive[0], "SELECT copy_of FROM reports ORDER BY report_id")]


@pytest.mark.parametrize(
    ("origin", "values", "expected"),
    [
        ("document", (7, 7), [None, 1]),
        ("document", (0, 0), [None, 1]),
        ("document", (None, None), [None, 1]),
        ("document", (7, 8), [None, None]),
        ("document", (7, None), [None, 1]),
        ("document", (None, 7), [2, None]),
        ("site", (7, 7), [None, 1]),
        ("site", (7, 8), [None, None]),
        ("site", (0, 0), [None, None]),
        ("site", (None, None), [None, None]),
        ("page_publisher", (0, 0), [None, None]),
    ],
)
def test_a_copy_has_no_number_that_the_other_lacks(
    archive: Archive, origin: str, values: tuple[int | None, int | None], expected: list[int | None]
) -> None:
    """Two files on one page, both under the name of the document, or of the publisher where they name nobody."""
    for number, value in enumerate(values, 1):
        offered(archive, number, value, agency_origin=origin)
    assert copies(archive) == expected


@pytest.mark.parametrize("year", [2021, None])
def test_the_same_bytes_are_a_copy_whatever_they_say(archive: Archive, year: int | None) -> None:
    offered(archive, 1, 0, agency=None, report_year=year)
    offered(archive, 2, 0, agency=None, report_year=year, same_bytes=True)
    offered(archive, 3, 0, agency=None, report_year=year)
    assert copies(archive) == [None, 1, None]


def test_the_same_bytes_of_two_publishers_are_no_copy(archive: Archive) -> None:
    offered(archive, 1, 7, agency="清河区")
    offered(archive, 2, 7, agency="东河区", same_bytes=True)
    assert copies(archive) == [None, None]


@pytest.mark.parametrize(
    ("scopes", "copy_of"),
    [(("own", "aggregate"), None), (("own", "unknown"), 1), (("unknown", "aggregate"), 1), (("own", "own"), 1)],
)
def test_own_figures_and_gathered_ones_on_a_page_are_no_copies(
    archive: Archive, scopes: tuple[str, str], copy_of: int | None
) -> None:
    store = archive[0]
    for number, scope in enumerate(scopes, 1):
        row = reading(capture(archive, number), number=number)
        assert row.report is not None
        store.insert_reading(replace(row, report=replace(row.report, page_url=page_url(1), agency="清河区")))
        with store.transaction() as connection:
            connection.execute(
                """INSERT INTO report_agencies(report_id, scope, rule, evidence, version_id, words_digest)
                VALUES (?, ?, '', '', ?, '')""",
                (number, scope, number),
            )
    assert rows(store, "SELECT report_id, copy_of FROM reports") == [(1, None), (2, copy_of)]


def test_a_finding_is_stored_once_per_run(archive: Archive) -> None:
    store = archive[0]
    for _ in range(3):
        store.add_finding("r1", Finding("error", "channel_empty", "nothing listed"))
    assert rows(store, "SELECT level, code, url, message FROM findings") == [
        ("error", "channel_empty", None, "nothing listed")
    ]


def test_nested_transactions_are_one(archive: Archive) -> None:
    store = archive[0]
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.add_finding("r1", Finding("info", "x", "y"))
        _ = 1 / 0
    assert rows(store, "SELECT * FROM findings") == []
