"""From a number to where it is printed: the page of a fact, the document drawn with its place marked.

/-/fact/REPORT/CELL            the fact; ?version=N as an earlier version had it
/-/capture/CAPTURE/place?at=…  the archived document with the place marked, for the frame of that page
/-/check/REPORT/RULE           a sum of the form with every number in it
/-/number?agency_id=…          a number of the panel: leads to its fact
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from datasette import Response

from archive.browse import layout, locator, places, queries, replay
from archive.browse.citation import bibtex, citation
from archive.browse.codebook import DATABASE
from archive.browse.headers import ARCHIVED_POLICY
from archive.browse.pages import (
    archived_html,
    cells_in,
    checks_of,
    clear,
    found_capture,
    found_report,
    kept_bytes,
    page,
)
from archive.browse.payload import Archived, UnavailableError, disarmed, file_name
from archive.browse.places import Drawn, UndrawnError
from archive.browse.queries import RowDict, first_row, rows

_MOST_LOCATOR = 2000


@clear
async def fact_page(datasette: Any, request: Any) -> Response:
    database = datasette.get_database(DATABASE)
    report_id, cell = int(request.url_vars["report_id"]), request.url_vars["cell"]
    report = await found_report(database, report_id)
    facts = await rows(database, queries.FACTS, report_id=report_id)
    now = next((fact for fact in facts if fact["cell"] == cell), None)
    versions = await rows(database, queries.FACT_VERSIONS, report_id=report_id, cell=cell)
    version = _version(request, versions)
    fact = version or now
    if fact is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"Report {report_id} has no cell {cell}.")
    form_cells = await rows(database, queries.FORM_CELLS, form=report["form"])
    checks = [check for check in await checks_of(database, report) if cell in check["cells"]]
    provenance = await _provenance(database, report_id, version)
    label = next((form_cell for form_cell in form_cells if form_cell["cell"] == cell), None)
    place = locator.parse(fact["locator"])
    context = {
        "report": report,
        "fact": fact,
        "label": label,
        "line": None if version else _line_around(form_cells, facts, checks, cell),
        "place_zh": locator.in_chinese(place),
        "place_en": locator.in_english(place),
        "box": locator.box_in_english(place.box) if place.box else "",
        "checks": [] if version else checks,
        "document_checks": await rows(database, queries.FACT_DOCUMENT_CHECKS, report_id=report_id, cell=cell),
        "correction": await first_row(database, queries.FACT_CORRECTION, report_id=report_id, cell=cell),
        "values": {fact["cell"]: fact for fact in facts},
        "provenance": provenance,
        "run": await first_row(database, queries.RUN, run_id=provenance["run_id"]) if provenance else None,
        "versions": versions,
        "version": version,
        "citation": citation(report, fact, label, provenance),
        "bibtex": bibtex(report, fact, label, provenance),
        "replay": await replay.address(datasette, database, provenance["capture_id"]) if provenance else "",
        **await _frame(datasette, database, provenance, fact["locator"]),
    }
    return await page(datasette, request, "fact", context)


def _version(request: Any, versions: list[RowDict]) -> RowDict | None:
    """The earlier version asked for; None without one."""
    asked = request.args.get("version") or ""
    if not asked:
        return None
    found = next((version for version in versions if str(version["version_id"]) == asked), None)
    if found is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"The cell has no version {asked}.")
    return found if found["known_to"] else None


async def _provenance(database: queries.Database, report_id: int, version: RowDict | None) -> RowDict | None:
    if version is None:
        return await first_row(database, queries.PROVENANCE, report_id=report_id)
    return await first_row(database, queries.VERSION_PROVENANCE, version_id=version["version_id"])


async def _frame(datasette: Any, database: queries.Database, provenance: RowDict | None, at: str) -> RowDict:
    """What the page says of its frame. The place is drawn now, so that it is known; what takes long is not awaited."""
    if provenance is None:
        return {"frame": "", "drawn": None, "undrawn": "The report has no capture."}
    capture_id = provenance["capture_id"]
    frame = datasette.urls.path(f"/-/capture/{capture_id}/place?at={quote(at, safe='=;,.')}#{places.ANCHOR}")
    try:
        drawing = asyncio.ensure_future(_drawn(datasette, database, capture_id, at))
        drawn = await asyncio.wait_for(asyncio.shield(drawing), places.PATIENCE_SECONDS)
    except TimeoutError:
        drawing.add_done_callback(lambda done: done.exception())
        return {"frame": frame, "drawn": None, "undrawn": ""}
    except UnavailableError as error:
        return {"frame": "", "drawn": None, "undrawn": str(error)}
    except UndrawnError as error:
        kept = await kept_bytes(datasette, database, await found_capture(database, capture_id))
        plain = datasette.urls.path(f"/-/capture/{capture_id}/view") if kept.is_shown else ""
        return {"frame": plain, "drawn": None, "undrawn": str(error)}
    return {"frame": frame, "drawn": drawn, "undrawn": ""}


async def place(datasette: Any, request: Any) -> Response:
    """The archived document with the place marked. It is shown in a frame, so that trouble is one too."""
    at = str(request.args.get("at") or "")[:_MOST_LOCATOR]
    headers = {"content-security-policy": ARCHIVED_POLICY}
    try:
        drawn = await _drawn(datasette, datasette.get_database(DATABASE), int(request.url_vars["capture_id"]), at)
    except UndrawnError as error:
        return Response.text(str(error), status=HTTPStatus.UNPROCESSABLE_ENTITY, headers=headers)
    except UnavailableError as error:
        return Response.text(str(error), status=error.status, headers=headers)
    if drawn.how != "page":
        return archived_html(drawn.html)
    return archived_html(disarmed(drawn.html.decode("utf-8")).encode("utf-8"))


async def _drawn(datasette: Any, database: queries.Database, capture_id: int, at: str) -> Drawn:
    capture = await found_capture(database, capture_id)
    kept: Archived = await kept_bytes(datasette, database, capture)
    name = file_name("", capture["url"], kept.body)
    return await places.drawn(datasette, kept.body, digest=capture["payload_digest"], name=name, locator=at)


def _line_around(
    form_cells: list[RowDict], facts: list[RowDict], checks: list[RowDict], cell: str
) -> tuple[layout.Block, layout.Line] | None:
    """The printed row that holds `cell`, with its block's header."""
    failed = cells_in([check for check in checks if check["status"] == "fail"])
    for table in layout.laid_out(form_cells, facts, failed):
        for block in table.blocks:
            for line in block.lines:
                if any(printed.cell == cell for printed in line.cells):
                    return block, line
    return None
