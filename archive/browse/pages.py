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

from archive.browse import layout, places, queries
from archive.browse.codebook import DATABASE
from archive.browse.headers import ARCHIVED_POLICY, NO_PREFETCH
from archive.browse.payload import (
    HTML,
    TEXT,
    Archived,
    UnavailableError,
    archived,
    content_disposition,
    disarmed,
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
            return await page(datasette, request, "unavailable", context, status=error.status.value)

    return clear_view


@clear
async def report_page(datasette: Any, request: Any) -> Response:
    database = datasette.get_database(DATABASE)
    report_id = int(request.url_vars["report_id"])
    report = await found_report(database, report_id)
    checks = await checks_of(database, report)
    facts = await rows(database, queries.FACTS, report_id=report_id)
    form_cells = await rows(database, queries.FORM_CELLS, form=report["form"])
    failed = [check for check in checks if check["status"] == "fail"]
    context = {
        "report": report,
        "contact": _contact(report["contact_json"]),
        "tables": layout.laid_out(form_cells, facts, cells_in(failed)),
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
    return await page(datasette, request, "report", context)


@clear
async def capture_page(datasette: Any, request: Any) -> Response:
    database = datasette.get_database(DATABASE)
    capture_id = int(request.url_vars["capture_id"])
    capture = await found_capture(database, capture_id)
    problem, kept = "", None
    try:
        kept = await kept_bytes(datasette, database, capture)
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
    return await page(datasette, request, "capture", context)


@clear
async def raw(datasette: Any, request: Any) -> Response:
    """The archived entity, byte for byte: HTML as its source, other text as it is, everything else as a download."""
    database = datasette.get_database(DATABASE)
    capture = await found_capture(database, int(request.url_vars["capture_id"]))
    kept = await kept_bytes(datasette, database, capture)
    headers = {"content-security-policy": ARCHIVED_POLICY}
    if kept.is_shown:
        return Response(kept.body, headers=headers, content_type=f"{TEXT}; charset={kept.charset}")
    shown = await first_row(database, queries.ATTACHMENT_NAME, url=capture["url"])
    name = file_name(shown["file_name"] if shown else "", capture["url"], kept.body)
    headers["content-disposition"] = content_disposition(name)
    return Response(kept.body, headers=headers, content_type=kept.media_type)


@clear
async def view(datasette: Any, request: Any) -> Response:
    """An archived page or text as a browser draws it, where it can do nothing."""
    database = datasette.get_database(DATABASE)
    capture = await found_capture(database, int(request.url_vars["capture_id"]))
    kept = await kept_bytes(datasette, database, capture)
    if not kept.is_shown:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"Capture {capture['capture_id']} is neither a page nor text.")
    body = kept.body
    if kept.media_type == HTML:
        body = disarmed(body.decode(kept.charset, "replace")).encode("utf-8", "replace")
        return archived_html(body)
    headers = {"content-security-policy": ARCHIVED_POLICY}
    return Response(body, headers=headers, content_type=f"{TEXT}; charset={kept.charset}")


def archived_html(body: bytes) -> Response:
    """HTML in UTF-8 that came from elsewhere: an opaque origin, no scripts, no requests."""
    headers = {"content-security-policy": ARCHIVED_POLICY, **NO_PREFETCH}
    return Response(body, headers=headers, content_type=f"{HTML}; charset=utf-8")


@clear
async def record(datasette: Any, request: Any) -> Response:
    """The capture's own records as they are stored: one small WARC file."""
    database = datasette.get_database(DATABASE)
    capture = await found_capture(database, int(request.url_vars["capture_id"]))
    stored = await asyncio.to_thread(capture_group, data_dir_of(datasette, database), capture)
    name = f"capture-{capture['capture_id']}.warc.gz"
    return Response(
        stored, headers={"content-disposition": content_disposition(name)}, content_type="application/warc+gzip"
    )


def capture_group(data_dir: Path, capture: RowDict) -> bytes:
    """The records of one capture as they are stored: response, request, metadata."""
    end = max(
        capture["warc_offset"] + capture["warc_length"],
        (capture["metadata_offset"] or 0) + (capture["metadata_length"] or 0),
    )
    return record_group(data_dir, capture["warc_file"], capture["warc_offset"], end)


async def page(datasette: Any, request: Any, name: str, context: RowDict, *, status: int = 200) -> Response:
    html = await datasette.render_template(f"gongkai/{name}.html", context, request=request)
    return Response.html(html, status=status)


async def found_report(database: queries.Database, report_id: int) -> RowDict:
    report = await first_row(database, queries.REPORT, report_id=report_id)
    if report is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"There is no current report {report_id}.")
    return report


async def found_capture(database: queries.Database, capture_id: int) -> RowDict:
    capture = await first_row(database, queries.CAPTURE, capture_id=capture_id)
    if capture is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"There is no capture {capture_id}.")
    return capture


async def checks_of(database: queries.Database, report: RowDict) -> list[RowDict]:
    checks = await rows(database, queries.CHECKS, report_id=report["report_id"], form=report["form"])
    for check in checks:
        check["left"], check["right"] = (json.loads(check[side] or "[]") for side in ("left_cells", "right_cells"))
        check["cells"] = frozenset((*check["left"], *check["right"]))
    return checks


def cells_in(checks: list[RowDict]) -> frozenset[str]:
    return frozenset(cell for check in checks for cell in check["cells"])


def _counts(facts: list[RowDict]) -> dict[str, int]:
    counts = dict.fromkeys(("reported", "inferred", "blank", "absent", "unreadable"), 0)
    for fact in facts:
        counts[fact["status"]] += 1
    return counts


def _contact(text: str) -> dict[str, str]:
    contact = json.loads(text)
    return {key: value for key, value in contact.items() if value} if isinstance(contact, dict) else {}


async def kept_bytes(datasette: Any, database: queries.Database, capture: RowDict) -> Archived:
    if capture["payload_digest"] is None:
        reason = capture["error"] or capture["outcome"]
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"Capture {capture['capture_id']} has no content: {reason}.")

    def read(connection: sqlite3.Connection) -> Archived:
        return archived(data_dir_of(datasette, database), connection, capture["capture_id"])

    kept: Archived = await database.execute_fn(read)
    return kept


def data_dir_of(datasette: Any, database: queries.Database) -> Path:
    """Where warc/ is: beside the database, or where `serve` was told."""
    return places.of(datasette).data_dir or Path(database.path).parent
