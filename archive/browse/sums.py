"""Numbers that are made of several cells: each leads to a page that lists them, and every one of those to its fact.

/-/check/REPORT/RULE         a sum of the form, both sides
/-/document-check/CHECK      what two documents, or a table and a sentence, say of each other
/-/outcome/REPORT/OUTCOME    what became of applications, from the cells that it is added up from
/-/number?agency_id=…        a number of the panel: one cell leads straight to its fact
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from datasette import Response

from archive.browse import queries
from archive.browse.codebook import DATABASE
from archive.browse.pages import checks_of, clear, found_report, page
from archive.browse.payload import UnavailableError
from archive.browse.queries import RowDict, first_row, rows

Cells = list[tuple[int, str]]
_LEFT, _RIGHT = ("左边", "Left side"), ("右边", "Right side")
_SUM = ("相加各格", "Cells added up")


@clear
async def check_page(datasette: Any, request: Any) -> Response:
    """One rule of the form applied to a report."""
    database = datasette.get_database(DATABASE)
    report_id, rule = int(request.url_vars["report_id"]), request.url_vars["rule"]
    report = await found_report(database, report_id)
    check = next((check for check in await checks_of(database, report) if check["rule"] == rule), None)
    if check is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"Report {report_id} has no check {rule}.")
    sides = [
        await _side(database, _LEFT, check["lhs"], [(report_id, cell) for cell in check["left"]]),
        await _side(database, _RIGHT, check["rhs"], [(report_id, cell) for cell in check["right"]]),
    ]
    context = {"report": report, "kicker": ("勾稽", "Check"), "name": rule, "says": check["says"] or "", "sides": sides}
    context |= {"status": check["status"], "relation": check["relation"] or "="}
    return await page(datasette, request, "sum", context)


@clear
async def document_check_page(datasette: Any, request: Any) -> Response:
    database = datasette.get_database(DATABASE)
    check_id = int(request.url_vars["check_id"])
    # SQLite's numbers have 64 bits.
    check = await first_row(database, queries.DOCUMENT_CHECK, check_id=check_id) if check_id < 2**63 else None
    if check is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"There is no check {check_id} across documents.")
    cells = await rows(database, queries.DOCUMENT_CHECK_CELLS, check_id=check_id)
    sides = [
        await _side(
            database, title, check[total], [(one["report_id"], one["cell"]) for one in cells if one["side"] == side]
        )
        for side, title, total in (("left", _LEFT, "lhs"), ("right", _RIGHT, "rhs"))
    ]
    context = {
        "report": await found_report(database, check["report_id"]),
        "kicker": ("跨文件核对", "Check across documents"),
        "name": check["rule"],
        "says": check["note"],
        "sides": sides,
        "status": check["status"],
        "relation": "",
    }
    return await page(datasette, request, "sum", context)


@clear
async def outcome_page(datasette: Any, request: Any) -> Response:
    database = datasette.get_database(DATABASE)
    report_id, outcome = int(request.url_vars["report_id"]), request.url_vars["outcome"]
    report = await found_report(database, report_id)
    ways = await rows(database, queries.OUTCOME_CELLS, report_id=report_id, form=report["form"], outcome=outcome)
    if not ways:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"Report {report_id} has no outcome {outcome}.")
    # Some documents print an outcome as one row instead of three: the whole way counts, of two the larger.
    printed = [[one for one in ways if one["way"] == way] for way in sorted({one["way"] for one in ways})]
    parts = max(printed, key=_completeness)
    total = None if any(one["value"] is None for one in parts) else sum(one["value"] for one in parts)
    cells = [(report_id, one["cell"]) for one in parts]
    return await _one_sum(datasette, request, report, ("办理结果", "Outcome"), outcome, total, cells)


@clear
async def panel_number(datasette: Any, request: Any) -> Response:
    database = datasette.get_database(DATABASE)
    keys = {key: str(request.args.get(key) or "") for key in ("agency_id", "report_year", "scope", "concept")}
    found = await first_row(database, queries.PANEL_NUMBER, **keys)
    if found is None:
        message = "The panel has no number for " + ", ".join(f"{key} {value}" for key, value in keys.items()) + "."
        raise UnavailableError(HTTPStatus.NOT_FOUND, message)
    report_id, cells = found["report_id"], found["cell"].split(" + ")
    if len(cells) == 1:
        return Response.redirect(datasette.urls.path(f"/-/fact/{report_id}/{cells[0]}"))
    report = await found_report(database, report_id)
    members = [(report_id, cell) for cell in cells]
    title = (found["label_zh"], found["label_en"])
    return await _one_sum(datasette, request, report, title, found["concept"], found["value"], members)


async def _one_sum(
    datasette: Any, request: Any, report: RowDict, kicker: tuple[str, str], name: str, total: object, cells: Cells
) -> Response:
    database = datasette.get_database(DATABASE)
    sides = [await _side(database, _SUM, total, cells, query=queries.CORRECTED_MEMBER)]
    context = {
        "report": report,
        "kicker": kicker,
        "name": name,
        "says": "",
        "sides": sides,
        "status": "",
        "relation": "",
    }
    return await page(datasette, request, "sum", context)


async def _side(
    database: queries.Database, title: tuple[str, str], total: object, cells: Cells, *, query: str = queries.MEMBER
) -> RowDict:
    """One side: its title, its sum, and its cells with what they hold and are called; `fact` is None without any."""
    members = []
    for report_id, cell in cells:
        found = await first_row(database, query, report_id=report_id, cell=cell)
        members.append({"report_id": report_id, "cell": cell, "fact": found})
    return {"title": title, "total": total, "members": members}


def _completeness(parts: list[RowDict]) -> tuple[bool, int, float]:
    numbers = [part["value"] for part in parts if part["value"] is not None]
    return len(numbers) == len(parts), len(numbers) if len(numbers) < len(parts) else 0, sum(numbers)
