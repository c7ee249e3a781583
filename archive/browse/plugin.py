"""The Datasette plugin: routes, links in table cells, Chinese search, response headers.

The same file serves Datasette 0.65 and 1.0.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from datasette.views.base import DatasetteError
from markupsafe import Markup
from pluggy import HookimplMarker

from archive import search
from archive.browse import agencies, finding, formulas, headers, health, links, overview, pages, provenance, sums
from archive.browse.codebook import DATABASE

NAME = "gongkai"
hookimpl = HookimplMarker("datasette")
# An FTS5 expression that is valid and finds nothing.
_NOTHING = '""'
# What 0.65.5 says of `?_sort=` with a column that is not there or has no index.
_UNSORTABLE = "Cannot sort table by "


def match_expression(text: str | None) -> str:
    """What to MATCH for what was typed, whatever was typed."""
    return search.query(text or "") or _NOTHING


def cjk_snippet(text: str | None, looked_for: str | None) -> str:
    return search.snippet(text or "", looked_for or "")


# Datasette's search boxes call escape_fts; the last one to register it wins.
@hookimpl(trylast=True)
def prepare_connection(conn: sqlite3.Connection, database: str) -> None:
    if database == DATABASE:
        conn.create_function("escape_fts", 1, match_expression, deterministic=True)
        conn.create_function("cjk_snippet", 2, cjk_snippet, deterministic=True)


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    if database != DATABASE:
        return None
    return links.link(column, value, row, table, datasette.urls.path)


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    return [
        (r"/-/report/(?P<report_id>\d{1,15})$", pages.report_page),
        (r"/-/fact/(?P<report_id>\d{1,15})/(?P<cell>[A-Za-z0-9_.]+)$", provenance.fact_page),
        (r"/-/check/(?P<report_id>\d{1,15})/(?P<rule>[A-Za-z0-9_.]+)$", sums.check_page),
        (r"/-/document-check/(?P<check_id>\d{1,19})$", sums.document_check_page),
        (r"/-/outcome/(?P<report_id>\d{1,15})/(?P<outcome>[a-z0-9_]+)$", sums.outcome_page),
        (r"/-/number$", sums.panel_number),
        (r"/-/capture/(?P<capture_id>\d{1,15})$", pages.capture_page),
        (r"/-/capture/(?P<capture_id>\d{1,15})/raw$", pages.raw),
        (r"/-/capture/(?P<capture_id>\d{1,15})/view$", pages.view),
        (r"/-/capture/(?P<capture_id>\d{1,15})/place$", provenance.place),
        (r"/-/capture/(?P<capture_id>\d{1,15})/record\.warc\.gz$", pages.record),
        (r"/-/coverage$", overview.coverage_page),
        (r"/-/agencies$", agencies.agencies_page),
        (r"/-/agency/(?P<agency_id>[A-Za-z0-9_.-]{1,80})$", agencies.agency_page),
        (r"/-/concepts$", agencies.concepts_page),
        (r"/-/concept/(?P<concept>[a-z0-9_]{1,64})$", agencies.concept_page),
        (r"/-/outcomes$", overview.outcomes_page),
        (r"/-/changes$", overview.changes_page),
        (r"/-/change/(?P<change_id>\d{1,15})$", overview.change_page),
        (r"/-/checks$", overview.checks_page),
        (r"/-/sites$", health.sites_page),
        (r"/-/site/(?P<site>[A-Za-z0-9_.-]{1,80})$", health.site_page),
        (r"/-/search$", finding.search_page),
    ]


@hookimpl
def extra_template_vars(template: str, datasette: Any) -> Callable[[], Awaitable[dict[str, Any]]] | None:
    if template != "index.html":
        return None

    async def first_page() -> dict[str, Any]:
        return {"home": await overview.home(datasette)}

    return first_page


@hookimpl
def extra_css_urls(datasette: Any) -> list[str]:
    return [datasette.urls.path("/gongkai-static/tables.css")]


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    path = datasette.urls.path
    return [
        {"href": path("/"), "label": "首页 Start"},
        {"href": path(f"/{DATABASE}/reports"), "label": "报告 Reports"},
        {"href": path("/-/coverage"), "label": "覆盖 Coverage"},
        {"href": path("/-/search"), "label": "检索 Search"},
    ]


@hookimpl
def handle_exception(exception: Exception) -> None:
    """Leaves the answer to Datasette, which on 0.65 would call it our fault that there is no such column."""
    if isinstance(exception, DatasetteError) and exception.message.startswith(_UNSORTABLE):
        exception.status = HTTPStatus.BAD_REQUEST


@hookimpl
def asgi_wrapper() -> Callable[[headers.App], headers.App]:
    return lambda app: headers.guarded(formulas.without_formulas(app))
