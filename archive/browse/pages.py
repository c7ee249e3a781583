"""The pages beside Datasette's own: report, fact, capture, archived bytes.

Each takes Datasette and the request and returns a response; what is not there becomes a page that says so.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any

from datasette import Response

from archive.browse import layout, locator, queries
from archive.browse.codebook import DATABASE
from archive.browse.headers import ARCHIVED_POLICY
from archive.browse.payload import (
    Archived,
    UnavailableError,
    archived,
    content_disposition,
    file_name,
    record_group,
)
from archive.browse.queries import RowDict, first_row, rows

View = Callable[[Any, Any], Awaitable[Response]]


def clear(view: View) -> View:
    """`view` with a page for what is unavailable instead of a traceback."""

    @wraps(view)
    async def clear_view(datasette: Any, request: Any) -> Response:
        try:
            return await view(datasette, request)
        except UnavailableError as error:
            context = {"status": error.status.value, "phrase": error.status.phrase, "message": str(error)}
            return await _page(datasette, request, "unavailable", context, status=error.status.value)

    return clear_view


@clear
async def report_page(datasette: Any, request: Any) -> Response:
    database = datasette.get_database(DATABASE)
    report_id = int(request.url_vars["report_id"])
    report = await _report(database, report_id)
    checks = await _checks(database, report)
    facts = await rows(database, queries.FACTS, report_id=report_id)
    form_cells = await rows(database, queries.FORM_CELLS, form=report["form"])
    failed = [check for check in checks if check["status"] == "fail"]
    context = {
        "report": report,
        "contact": _contact(report["contact_json"]),
        "tables": layout.laid_out(form_cells, facts, _cells_of(failed)),
        "values": {fact["cell"]: fact for fact in facts},
        "counts": _counts(facts),
        "doubtful": any(fact["value"] is not None and fact["confidence"] < 1 for fact in facts),
        "failed": failed,
        "passed": sum(check["status"] == "pass" for check in checks),
        "sections": await rows(database, queries.SECTIONS, report_id=report_id),
        "findings": await rows(database, queries.REPORT_FINDINGS, report_id=report_id, capture_id=report["capture_id"]),
        "versions": await rows(database, queries.REPORT_VERSIONS, report_id=report_id),
        "provenance": await first_row(database, queries.PROVENANCE, report_id=report_id),
    }
    return await _page(datasette, request, "report", context)


@clear
async def fact_page(datasette: Any, request: Any) -> Response:
    database = datasette.get_database(DATABASE)
    report_id, cell = int(request.url_vars["report_id"]), request.url_vars["cell"]
    report = await _report(database, report_id)
    facts = await rows(database, queries.FACTS, report_id=report_id)
    fact = next((fact for fact in facts if fact["cell"] == cell), None)
    if fact is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"Report {report_id} has no cell {cell}.")
    form_cells = await rows(database, queries.FORM_CELLS, form=report["form"])
    checks = [check for check in await _checks(database, report) if cell in check["cells"]]
    provenance = await first_row(database, queries.PROVENANCE, report_id=report_id)
    place = locator.parse(fact["locator"])
    label = next((form_cell for form_cell in form_cells if form_cell["cell"] == cell), None)
    context = {
        "report": report,
        "fact": fact,
        "label": label,
        "line": _line_around(form_cells, facts, checks, cell),
        "place_zh": locator.in_chinese(place),
        "place_en": locator.in_english(place),
        "box": locator.box_in_english(place.box) if place.box else "",
        "checks": checks,
        "values": {fact["cell"]: fact for fact in facts},
        "provenance": provenance,
        "versions": await rows(database, queries.FACT_VERSIONS, report_id=report_id, cell=cell),
        "citation": citation(report, fact, label, provenance),
    }
    return await _page(datasette, request, "fact", context)


@clear
async def capture_page(datasette: Any, request: Any) -> Response:
    database = datasette.get_database(DATABASE)
    capture_id = int(request.url_vars["capture_id"])
    capture = await _capture(database, capture_id)
    problem, kept = "", None
    try:
        kept = await _archived(database, capture)
    except UnavailableError as error:
        problem = str(error)
    context = {
        "capture": capture,
        "problem": problem,
        "kept": kept,
        "kept_size": len(kept.body) if kept else 0,
        "response_head": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in kept.head.headers]
        if kept
        else [],
        "readings": await rows(database, queries.CAPTURE_READINGS, capture_id=capture_id),
        "facts": await rows(database, queries.CAPTURE_FACTS, capture_id=capture_id),
        "findings": await rows(database, queries.CAPTURE_FINDINGS, capture_id=capture_id),
        "others": await rows(database, queries.CAPTURES_OF_URL, capture_id=capture_id),
    }
    return await _page(datasette, request, "capture", context)


@clear
async def raw(datasette: Any, request: Any) -> Response:
    """The archived entity: HTML and text where they can do nothing, everything else as a download."""
    database = datasette.get_database(DATABASE)
    capture = await _capture(database, int(request.url_vars["capture_id"]))
    kept = await _archived(database, capture)
    headers = {"content-security-policy": ARCHIVED_POLICY}
    if kept.is_shown:
        return Response(kept.body, headers=headers, content_type=f"{kept.media_type}; charset={kept.charset}")
    shown = await first_row(database, queries.ATTACHMENT_NAME, url=capture["url"])
    name = file_name(shown["file_name"] if shown else "", capture["url"], kept.body)
    headers["content-disposition"] = content_disposition(name)
    return Response(kept.body, headers=headers, content_type=kept.media_type)


@clear
async def record(datasette: Any, request: Any) -> Response:
    """The capture's own records as they are stored: one small WARC file."""
    database = datasette.get_database(DATABASE)
    capture = await _capture(database, int(request.url_vars["capture_id"]))
    end = capture["metadata_offset"] + capture["metadata_length"]
    place = (capture["warc_file"], capture["warc_offset"], end)
    stored = await asyncio.to_thread(record_group, _data_dir(database), *place)
    name = f"capture-{capture['capture_id']}.warc.gz"
    return Response(
        stored, headers={"content-disposition": content_disposition(name)}, content_type="application/warc+gzip"
    )


def citation(report: RowDict, fact: RowDict, label: RowDict | None, provenance: RowDict | None) -> str:
    """One number with everything needed to find it again."""
    names = (label["table_label"], label["row_label"], label["column_label"]) if label else (fact["cell"],)
    number = f"{fact['value']} {fact['unit']}" if fact["value"] is not None else f"({fact['status']})"
    parts = [
        f"{report['agency'] or ''}，{report['title'] or report['document_url']}",
        "，".join(name for name in names if name),
        f"{fact['cell']} = {number}",
        report["document_url"],
    ]
    if provenance:
        parts.append(f"captured {provenance['captured_at']}")
        place = f"{provenance['warc_file']}@{provenance['warc_offset']}+{provenance['warc_length']}"
        parts.append(f"WARC {place} {provenance['warc_record_id']}")
        parts.append(f"payload {provenance['payload_digest']}")
        parts.append(f"report version {provenance['version_id']}, parsers {provenance['parser_version']}")
    return "; ".join(part.strip("，") for part in parts) + "."


async def _page(datasette: Any, request: Any, name: str, context: RowDict, *, status: int = 200) -> Response:
    html = await datasette.render_template(f"gongkai/{name}.html", context, request=request)
    return Response.html(html, status=status)


async def _report(database: queries.Database, report_id: int) -> RowDict:
    report = await first_row(database, queries.REPORT, report_id=report_id)
    if report is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"There is no current report {report_id}.")
    return report


async def _capture(database: queries.Database, capture_id: int) -> RowDict:
    capture = await first_row(database, queries.CAPTURE, capture_id=capture_id)
    if capture is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"There is no capture {capture_id}.")
    return capture


async def _checks(database: queries.Database, report: RowDict) -> list[RowDict]:
    checks = await rows(database, queries.CHECKS, report_id=report["report_id"], form=report["form"])
    for check in checks:
        check["left"], check["right"] = (json.loads(check[side] or "[]") for side in ("left_cells", "right_cells"))
        check["cells"] = frozenset((*check["left"], *check["right"]))
    return checks


def _cells_of(checks: list[RowDict]) -> frozenset[str]:
    return frozenset(cell for check in checks for cell in check["cells"])


def _counts(facts: list[RowDict]) -> dict[str, int]:
    counts = dict.fromkeys(("reported", "inferred", "blank", "absent", "unreadable"), 0)
    for fact in facts:
        counts[fact["status"]] += 1
    return counts


def _contact(text: str) -> dict[str, str]:
    contact = json.loads(text)
    return {key: value for key, value in contact.items() if value} if isinstance(contact, dict) else {}


def _line_around(
    form_cells: list[RowDict], facts: list[RowDict], checks: list[RowDict], cell: str
) -> tuple[layout.Block, layout.Line] | None:
    """The printed row that holds `cell`, with its block's header."""
    failed = _cells_of([check for check in checks if check["status"] == "fail"])
    for table in layout.laid_out(form_cells, facts, failed):
        for block in table.blocks:
            for line in block.lines:
                if any(printed.cell == cell for printed in line.cells):
                    return block, line
    return None


async def _archived(database: queries.Database, capture: RowDict) -> Archived:
    if capture["payload_digest"] is None:
        reason = capture["error"] or capture["outcome"]
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"Capture {capture['capture_id']} has no content: {reason}.")

    def read(connection: sqlite3.Connection) -> Archived:
        return archived(_data_dir(database), connection, capture["capture_id"])

    kept: Archived = await database.execute_fn(read)
    return kept


def _data_dir(database: queries.Database) -> Path:
    return Path(database.path).parent
