"""Pages about bodies and about what is measured: agencies with their history, concepts across forms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise
from typing import Any

from datasette import Response
from markupsafe import Markup

from archive.browse import charts
from archive.browse.codebook import DATABASE, codebook
from archive.browse.overview import division_names
from archive.browse.pages import clear
from archive.browse.payload import UnavailableError
from archive.browse.queries import RowDict, first_row, rows
from archive.browse.rendering import address, chosen, division_of, page_of, shown, typed

AGENCIES_A_PAGE = 100
# What an agency's page draws first; every other concept that it has numbers for is one click away.
MAIN_CONCEPTS = (
    "app_new",
    "app_granted",
    "app_refused",
    "app_unable",
    "app_carried_out",
    "norm_in_force",
    "lic_decisions",
    "pen_decisions",
    "recon_total",
    "lit_total",
)

AGENCIES = """
SELECT c.agency_id, c.agency, c.division_code, a.kind, a.level, count(DISTINCT c.report_year) AS years,
    min(c.report_year) AS first_year, max(c.report_year) AS last_year, sum(c.reports) AS reports,
    sum(c.failed_checks) AS failed_checks
FROM coverage c LEFT JOIN agencies a ON a.agency_id = c.agency_id
WHERE c.agency_id IS NOT NULL AND (:division = '' OR c.division_code = :division)
    AND (:name = '' OR c.agency_id IN (SELECT agency_id FROM agency_names WHERE name LIKE :like)
        OR c.agency LIKE :like)
GROUP BY c.agency_id ORDER BY c.division_code, c.agency LIMIT :size OFFSET :skip
"""
DIVISIONS = """
SELECT division_code, count(DISTINCT agency_id) AS agencies FROM coverage
WHERE agency_id IS NOT NULL AND division_code IS NOT NULL GROUP BY division_code ORDER BY division_code
"""
UNIDENTIFIED = "SELECT count(*) AS reports FROM reports WHERE agency_id IS NULL AND copy_of IS NULL"

AGENCY = """
SELECT a.*, p.name AS parent FROM agencies a LEFT JOIN agencies p ON p.agency_id = a.parent_id
WHERE a.agency_id = :agency_id
"""
CHILDREN = "SELECT agency_id, name FROM agencies WHERE parent_id = :agency_id ORDER BY name LIMIT 200"
NAMES = """
SELECT name, valid_from, valid_to, reports, decided_by FROM agency_names WHERE agency_id = :agency_id
ORDER BY valid_from IS NULL, valid_from, name
"""
EVENTS = "SELECT * FROM agency_events WHERE agency_id = :agency_id ORDER BY year IS NULL, year, position"
REPORTS = """
SELECT r.report_id, r.report_year, r.form, r.title, r.agency, r.published_date, r.scope, r.copy_of, r.document_url,
    (SELECT count(*) FROM failed_checks k WHERE k.report_id = r.report_id) AS failed_checks
FROM reports r WHERE r.agency_id = :agency_id ORDER BY r.report_year DESC, r.copy_of IS NOT NULL, r.report_id
"""
SERIES = """
SELECT p.agency_id, p.concept, p.report_year, p.scope, p.value, p.unit, p.status, p.comparability, p.form, p.cell,
    p.report_id, p.confidence
FROM panel p WHERE p.agency_id = :agency_id ORDER BY p.report_year
"""
CHANGES = """
SELECT change_id, noticed_at, kind, title, url, report_year, changed_cells, capture_id FROM recent_changes
WHERE report_id IN (SELECT report_id FROM reports WHERE agency_id = :agency_id) AND kind <> 'layout_changed'
ORDER BY change_id DESC LIMIT 30
"""
DOCUMENT_CHECKS = """
SELECT check_id, rule, status, report_year, report_id, lhs, rhs, note FROM document_checks
WHERE agency_id = :agency_id AND status IN ('fail', 'uncertain') ORDER BY report_year DESC, status, rule LIMIT 100
"""

CONCEPTS = "SELECT * FROM concepts ORDER BY position"
CONCEPT = "SELECT * FROM concepts WHERE concept = :concept"
CONCEPT_CELLS = """
SELECT c.form, c.cell, c.way, c.comparability, c.reason_zh, c.reason_en, f.table_label, f.row_label, f.column_label
FROM concept_cells c LEFT JOIN form_cells f ON f.form = c.form AND f.cell = c.cell
WHERE c.concept = :concept ORDER BY c.form, c.way, f.position
"""
EDITIONS = """
SELECT concept, form, min(comparability) AS comparability FROM concept_cells GROUP BY concept, form
"""
CONCEPT_YEARS = """
SELECT report_year, form, min(comparability) AS comparability, count(*) AS reports, count(value) AS numbers,
    sum(value) AS total, max(value) AS most, sum(status = 'blank') AS blank
FROM panel WHERE concept = :concept AND report_id IN (SELECT report_id FROM counted_reports)
GROUP BY report_year, form ORDER BY report_year, form
"""
CONCEPT_TOP = """
SELECT agency_id, agency, division_code, report_year, scope, concept, value, unit, report_id, cell, confidence
FROM panel
WHERE concept = :concept AND report_year = :year AND value IS NOT NULL
    AND report_id IN (SELECT report_id FROM counted_reports)
ORDER BY value DESC, agency LIMIT 25
"""


@dataclass(frozen=True, slots=True)
class Series:
    """One concept of one agency: its chart and the rows behind it."""

    concept: RowDict
    drawn: Markup
    rows: list[RowDict]


async def agencies_page(datasette: Any, request: Any) -> Response:
    """Agencies that reports were collected of, by division or by any of their names."""
    database = datasette.get_database(DATABASE)
    division, name, page = division_of(request), typed(request, "q"), page_of(request)
    asked = {"division": division, "name": name, "like": f"%{name}%"}
    skip = (page - 1) * AGENCIES_A_PAGE
    found = await rows(database, AGENCIES, **asked, size=AGENCIES_A_PAGE + 1, skip=skip)
    unidentified = await first_row(database, UNIDENTIFIED)
    context = {
        "agencies": found[:AGENCIES_A_PAGE],
        "has_more": len(found) > AGENCIES_A_PAGE,
        "page": page,
        "division": division,
        "q": name,
        "names": await division_names(database),
        "divisions": await rows(database, DIVISIONS),
        "unidentified": unidentified["reports"] if unidentified else 0,
    }
    return await shown(datasette, request, "agencies", context)


@clear
async def agency_page(datasette: Any, request: Any) -> Response:
    """One agency: what it was called, its reports, what they say over the years."""
    database = datasette.get_database(DATABASE)
    agency_id = request.url_vars["agency_id"]
    agency = await first_row(database, AGENCY, agency_id=agency_id)
    if agency is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"There is no agency {agency_id}.")
    concepts = {row["concept"]: row for row in await rows(database, CONCEPTS)}
    series = await rows(database, SERIES, agency_id=agency_id)
    scopes = sorted({row["scope"] for row in series})
    scope = chosen(request, "scope", scopes) or _usual_scope(series)
    of_scope = [row for row in series if row["scope"] == scope]
    numbered = {row["concept"] for row in of_scope if row["value"] is not None}
    wanted = chosen(request, "concept", numbered)
    drawn = [wanted] if wanted else [concept for concept in MAIN_CONCEPTS if concept in numbered]
    context = {
        "agency": agency,
        "names": await division_names(database),
        "children": await rows(database, CHILDREN, agency_id=agency_id),
        "known_names": await rows(database, NAMES, agency_id=agency_id),
        "events": await rows(database, EVENTS, agency_id=agency_id),
        "reports": await rows(database, REPORTS, agency_id=agency_id),
        "changes": await rows(database, CHANGES, agency_id=agency_id),
        "checks": await rows(database, DOCUMENT_CHECKS, agency_id=agency_id),
        "scopes": scopes,
        "scope": scope,
        "source": source,
        "main": _series(of_scope, [concepts[concept] for concept in drawn], datasette.urls.path),
        "others": [concept for name, concept in concepts.items() if name in numbered - {*MAIN_CONCEPTS}],
        "wanted": wanted,
    }
    return await shown(datasette, request, "agency", context)


def _usual_scope(series: list[RowDict]) -> str:
    """The scope that most years have; the agency's own figures where that is even."""
    years: dict[str, set[int]] = defaultdict(set)
    for row in series:
        years[row["scope"]].add(row["report_year"])
    return max(sorted(years, reverse=True), key=lambda scope: (len(years[scope]), scope == "own"), default="")


def _series(found: list[RowDict], concepts: list[RowDict], path: Any) -> list[Series]:
    """The concepts over the years in which the agency has a report in the panel."""
    by_concept: dict[str, list[RowDict]] = defaultdict(list)
    for row in found:
        by_concept[row["concept"]].append(row)
    forms = {row["report_year"]: row["form"] for row in found}
    years = range(min(forms, default=0), max(forms, default=-1) + 1)
    return [
        Series(
            concept, _chart(concept, by_concept[concept["concept"]], years, forms, path), by_concept[concept["concept"]]
        )
        for concept in concepts
    ]


def _chart(concept: RowDict, numbers: list[RowDict], years: range, forms: dict[int, str], path: Any) -> Markup:
    by_year = {row["report_year"]: row for row in numbers}
    points = [_point(year, by_year.get(year), year in forms, concept["unit"], path) for year in years]
    return charts.line(points, breaks(by_year), label=f"{concept['label_zh']} {concept['label_en']}")


def _point(year: int, row: RowDict | None, has_report: bool, unit: str, path: Any) -> charts.Point:
    if row is None:
        gap = "absent" if has_report else "none"
        said = "该版式无此项 not in this form" if has_report else "缺报告 no report"
        return charts.Point(year, None, f"{year}：{said}", gap=gap)
    href = path(source(row))
    status = codebook().terms["status"].get(row["status"], (row["status"], row["status"]))
    if row["value"] is None:
        gap = row["status"] if row["status"] in charts.GAPS else "incomplete"
        return charts.Point(year, None, f"{year}：{status[0]} {status[1]}", href, gap)
    doubt = "，存疑 in doubt" if row["confidence"] < 1 else ""
    said = f"{year}：{charts.number(row['value'])} {unit}（{status[0]}{doubt}，{row['form']} 版式）"
    return charts.Point(year, row["value"], said, href, is_doubtful=row["confidence"] < 1)


def source(row: RowDict) -> str:
    """Where a value of the panel stands: its cell; for a sum the list of its cells."""
    if row["cell"] is not None and " " not in row["cell"]:
        return f"/-/fact/{row['report_id']}/{row['cell']}"
    key = {name: row[name] for name in ("agency_id", "report_year", "scope", "concept")}
    return address("/-/number", **key)


def breaks(by_year: dict[int, RowDict]) -> list[charts.Break]:
    """Where the form changes between two years that have the concept: cut where the two do not count the same."""
    found = []
    years = sorted(by_year)
    for before, after in pairwise(years):
        old, new = by_year[before], by_year[after]
        if old["form"] == new["form"]:
            continue
        kinds = {old["comparability"], new["comparability"]} - {"exact"}
        words = codebook().terms["comparability"]
        label = f"{old['form']}→{new['form']}"
        if "break" in kinds:
            found.append(charts.Break(after, f"{label} {words['break'][0]}"))
        elif kinds:
            found.append(charts.Break(after, f"{label} {words[kinds.pop()][0]}", is_cut=False))
    return found


async def concepts_page(datasette: Any, request: Any) -> Response:
    """What is measured, and which editions of the form have it."""
    database = datasette.get_database(DATABASE)
    editions = {(row["concept"], row["form"]): row["comparability"] for row in await rows(database, EDITIONS)}
    context = {"concepts": await rows(database, CONCEPTS), "editions": editions, "forms": ("2014", "2019", "2021")}
    return await shown(datasette, request, "concepts", context)


@clear
async def concept_page(datasette: Any, request: Any) -> Response:
    """One concept: what it means, which cells it is, its sum over the years, who has most."""
    database = datasette.get_database(DATABASE)
    name = request.url_vars["concept"]
    concept = await first_row(database, CONCEPT, concept=name)
    if concept is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"There is no concept {name}.")
    years = await rows(database, CONCEPT_YEARS, concept=name)
    numbered = sorted({row["report_year"] for row in years if row["numbers"]})
    asked = typed(request, "year")
    year = int(asked) if asked.isdecimal() and int(asked) in numbered else (numbered[-1] if numbered else None)
    context = {
        "concept": concept,
        "names": await division_names(database),
        "cells": await rows(database, CONCEPT_CELLS, concept=name),
        "years": years,
        "drawn": _sums(years, concept, datasette.urls.path),
        "year": year,
        "numbered": numbered,
        "source": source,
        "top": await rows(database, CONCEPT_TOP, concept=name, year=year) if year else [],
    }
    return await shown(datasette, request, "concept", context)


def _sums(years: list[RowDict], concept: RowDict, path: Any) -> Markup:
    """The sum over all agencies by year, of the form that most reports of the year use."""
    name = concept["concept"]
    by_year: dict[int, RowDict] = {}
    for row in years:
        known = by_year.get(row["report_year"])
        if known is None or row["numbers"] > known["numbers"]:
            by_year[row["report_year"]] = row
    points = []
    for year in range(min(by_year, default=0), max(by_year, default=-1) + 1):
        found = by_year.get(year)
        if found is None or not found["numbers"]:
            points.append(charts.Point(year, None, f"{year}：无数字 no number"))
            continue
        said = f"{year}：{charts.number(found['total'])} {concept['unit']}，{found['numbers']} 份报告 reports"
        points.append(charts.Point(year, found["total"], said, path(address(f"/-/concept/{name}", year=year))))
    return charts.line(
        points,
        breaks({year: row for year, row in by_year.items() if row["numbers"]}),
        label=f"{concept['label_zh']}：各年度合计 sum by year",
        height=230,
    )
