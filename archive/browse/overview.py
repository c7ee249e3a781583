"""Pages about the whole corpus: the first one, coverage, what became of applications, changes, failed checks."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from datasette import Response

from archive.browse import charts
from archive.browse.codebook import DATABASE, codebook
from archive.browse.pages import clear
from archive.browse.payload import UnavailableError
from archive.browse.queries import RowDict, first_row, rows
from archive.browse.rendering import address, chosen, division_of, page_of, shown, typed, year_of

AGENCIES_A_PAGE = 150
ROWS_A_PAGE = 100

TOTALS = """
SELECT (SELECT count(*) FROM reports) AS reports, (SELECT count(DISTINCT agency) FROM coverage) AS agencies,
    (SELECT min(report_year) FROM coverage) AS first_year, (SELECT max(report_year) FROM coverage) AS last_year,
    (SELECT count(*) FROM page_versions WHERE known_to IS NULL) AS pages, (SELECT count(*) FROM exchanges) AS captures,
    (SELECT count(*) FROM failed_checks) AS failed_checks
"""
YEARS = """
SELECT report_year, ifnull(form, '') AS form, count(*) AS reports FROM reports
WHERE report_year IS NOT NULL AND copy_of IS NULL GROUP BY report_year, form ORDER BY report_year, form
"""
NEWEST_REPORTS = """
SELECT report_id, agency, report_year, form, title, published_date, document_url FROM reports
WHERE copy_of IS NULL ORDER BY published_date IS NULL, published_date DESC, report_id DESC LIMIT 8
"""
NEWEST_NIGHT = """
SELECT run_id, kind, started_at, finished_at, status, requests, new_captures FROM runs
WHERE kind IN ('crawl', 'nightly') AND status <> 'running' ORDER BY started_at DESC LIMIT 1
"""
NIGHT_STATES = "SELECT state, count(*) AS sites FROM site_runs WHERE run_id = :run_id GROUP BY state ORDER BY state"
NIGHT_CHANGES = "SELECT kind, count(*) AS changes FROM changes WHERE run_id = :run_id GROUP BY kind"

# A county with its prefecture: many have the same name. Where a code had several names, the newest comes last.
DIVISION_NAMES = """
SELECT d.division_code, ifnull((SELECT p.name FROM divisions p WHERE p.division_code = d.parent_code
        AND d.level = 'county' AND p.level = 'prefecture' ORDER BY p.valid_from DESC LIMIT 1), '') || d.name AS name
FROM divisions d
WHERE d.division_code IN (SELECT division_code FROM agencies UNION SELECT division_code FROM sites)
ORDER BY d.division_code, d.valid_from
"""
COVERAGE_YEARS = "SELECT min(report_year) AS first, max(report_year) AS last FROM coverage"
COVERAGE_OF_DIVISIONS = """
SELECT ifnull(division_code, '') AS division_code, report_year, count(*) AS agencies FROM coverage
GROUP BY division_code, report_year
"""
AGENCIES_OF_DIVISIONS = """
SELECT ifnull(division_code, '') AS division_code, count(DISTINCT agency) AS agencies FROM coverage
GROUP BY division_code ORDER BY division_code
"""
COVERED_AGENCIES = """
SELECT agency_id, agency, min(report_year) AS first, max(report_year) AS last, count(DISTINCT report_year) AS years
FROM coverage WHERE (:division = '' OR ifnull(division_code, '') = :division) AND agency LIKE :name
GROUP BY agency_id, agency ORDER BY agency LIMIT :size OFFSET :skip
"""
COVERED_COUNT = """
SELECT count(*) AS agencies FROM (SELECT DISTINCT agency_id, agency FROM coverage
    WHERE (:division = '' OR ifnull(division_code, '') = :division) AND agency LIKE :name)
"""
COVERED_CELLS = """
SELECT agency_id, agency, report_year, reports, report_id, forms, failed_checks FROM coverage
WHERE (:division = '' OR ifnull(division_code, '') = :division) AND agency IN (SELECT value FROM json_each(:agencies))
"""

OUTCOMES_SUMMED = """
SELECT form = '2014' AS is_old, report_year, ifnull(division_code, '') AS division_code, outcome, is_whole,
    sum(value) AS value, count(*) AS reports
FROM outcomes
WHERE (:division = '' OR division_code = :division)
    AND CASE WHEN :scope <> '' THEN scope = :scope ELSE report_id IN (SELECT report_id FROM counted_reports) END
GROUP BY 1, report_year, 3, outcome, is_whole ORDER BY 1, report_year, 3
"""
OUTCOMES_BY_AGENCY = """
SELECT agency, report_id, outcome, value, 1 AS reports FROM outcomes
WHERE division_code = :division AND report_year = :year AND form <> '2014' AND is_whole
    AND CASE WHEN :scope <> '' THEN scope = :scope ELSE report_id IN (SELECT report_id FROM counted_reports) END
ORDER BY agency, report_id LIMIT 1200
"""

CHANGES = """
SELECT * FROM recent_changes
WHERE (:kind = '' OR kind = :kind) AND (:site = '' OR site = :site) AND (:run = '' OR run_id = :run)
ORDER BY change_id DESC LIMIT :size OFFSET :skip
"""
CHANGE_KINDS = "SELECT kind, count(*) AS changes FROM changes GROUP BY kind"
CHANGES_BY_RUN = """
SELECT n.run_id, n.started_at, g.kind, count(*) AS changes FROM changes g JOIN runs n ON n.run_id = g.run_id
WHERE n.run_id IN (SELECT run_id FROM runs WHERE kind IN ('crawl', 'nightly') ORDER BY started_at DESC LIMIT 30)
    AND g.kind <> 'layout_changed'
GROUP BY n.run_id, g.kind ORDER BY n.started_at
"""
CHANGES_OF_RUNS = """
SELECT * FROM recent_changes
WHERE kind NOT IN ('appeared', 'layout_changed') AND run_id IN (SELECT value FROM json_each(:runs))
ORDER BY change_id DESC LIMIT 300
"""
CHANGE = "SELECT * FROM recent_changes WHERE change_id = :change_id"
DIFF = "SELECT text_diff, cells_json, parser_version FROM change_diffs WHERE capture_id = :capture_id"

FAILED = """
SELECT * FROM failed_checks
WHERE (:rule = '' OR rule = :rule) AND (:year IS NULL OR report_year = :year)
    AND (:division = '' OR ifnull(division_code, '') = :division)
ORDER BY report_year DESC, agency, report_id, rule LIMIT :size OFFSET :skip
"""
FAILED_COUNT = """
SELECT count(*) AS failed FROM failed_checks
WHERE (:rule = '' OR rule = :rule) AND (:year IS NULL OR report_year = :year)
    AND (:division = '' OR ifnull(division_code, '') = :division)
"""
FAILED_RULES = """
SELECT rule, max(says) AS says, count(*) AS failed, count(DISTINCT report_id) AS reports FROM failed_checks
GROUP BY rule ORDER BY failed DESC, rule LIMIT 40
"""
FAILED_YEARS = "SELECT report_year, count(*) AS failed FROM failed_checks GROUP BY report_year ORDER BY report_year"

DOCUMENT_CHECKS = """
SELECT d.check_id, d.rule, d.status, d.agency_id, a.name AS agency_name, d.report_year, d.report_id,
    d.lhs, d.rhs, d.note
FROM document_checks d LEFT JOIN agencies a ON a.agency_id = d.agency_id
WHERE d.status = :status AND (:rule = '' OR d.rule = :rule) AND (:year IS NULL OR d.report_year = :year)
ORDER BY d.report_year DESC, d.check_id LIMIT 100
"""
DOCUMENT_RULES = """
SELECT rule, sum(status = 'fail') AS fail, sum(status = 'uncertain') AS uncertain, sum(status = 'pass') AS pass,
    sum(status = 'not_applicable') AS not_applicable
FROM document_checks GROUP BY rule ORDER BY fail DESC, uncertain DESC, rule
"""

OUTCOMES = ("granted", "partly_granted", "refused", "unable", "rejected", "other")
OUTCOMES_2014 = (
    "granted",
    "partly_granted",
    "refused",
    "already_disclosed",
    "not_this_agency",
    "not_existing",
    "asked_to_amend",
    "other_channel",
)
CHANGE_KIND_ORDER = ("content_changed", "disappeared", "reappeared", "moved", "appeared", "layout_changed")


@dataclass(frozen=True, slots=True)
class Bar:
    """What became of the applications of one year, division or agency. `parts` are in the order of the legend."""

    name: str
    parts: tuple[charts.Part, ...]
    reports: int

    @property
    def total(self) -> float:
        return sum(part.value for part in self.parts)

    @property
    def drawn(self) -> str:
        return charts.shares(self.parts, label=f"{self.name}：{charts.number(self.total)} 件")


async def home(datasette: Any) -> RowDict:
    """What the first page shows."""
    database = datasette.get_database(DATABASE)
    night = await first_row(database, NEWEST_NIGHT)
    context: RowDict = {
        "codebook": codebook(),
        "terms": codebook().terms,
        "totals": await first_row(database, TOTALS),
        "years": _years_chart(await rows(database, YEARS), datasette.urls.path),
        "newest": await rows(database, NEWEST_REPORTS),
        "night": night,
    }
    if night:
        changes = {row["kind"]: row["changes"] for row in await rows(database, NIGHT_CHANGES, run_id=night["run_id"])}
        context["night_changes"] = [(kind, changes[kind]) for kind in CHANGE_KIND_ORDER if kind in changes]
        context["night_states"] = await rows(database, NIGHT_STATES, run_id=night["run_id"])
    return context


def _years_chart(found: list[RowDict], path: Any) -> RowDict:
    """Reports by year, one pattern for each form; also as the rows behind it."""
    by_year: dict[int, dict[str, int]] = defaultdict(dict)
    for row in found:
        by_year[row["report_year"]][row["form"]] = row["reports"]
    columns = []
    for year in range(min(by_year, default=0), max(by_year, default=-1) + 1):
        forms = by_year.get(year, {})
        parts = tuple(charts.Part(f"form-{form or 'none'}", form or "—", count) for form, count in forms.items())
        said = "，".join(f"{form or '无版式'} {count}" for form, count in forms.items()) or "无报告 no report"
        href = path(f"/corpus/reports?report_year={year}")
        columns.append(charts.Column(f"{year % 100:02d}", parts, f"{year}：{said}", href if forms else ""))
    known = sorted({row["form"] for row in found})
    return {
        "drawn": charts.columns(columns, label="各年度报告数 Reports by year"),
        "forms": known,
        "rows": [(year, by_year[year]) for year in sorted(by_year)],
    }


async def coverage_page(datasette: Any, request: Any) -> Response:
    """Divisions by year; with a division, or where there is only one, agencies by year."""
    database = datasette.get_database(DATABASE)
    names = await division_names(database)
    divisions = await rows(database, AGENCIES_OF_DIVISIONS)
    span = await first_row(database, COVERAGE_YEARS)
    years = list(range(span["first"], span["last"] + 1)) if span and span["first"] is not None else []
    division, name = division_of(request), typed(request, "q")
    context: RowDict = {"years": years, "names": names, "division": division, "q": name, "divisions": divisions}
    if division or name or len(divisions) <= 1:
        context |= await _agencies_by_year(database, division, name, page_of(request), years)
    else:
        counted = await rows(database, COVERAGE_OF_DIVISIONS)
        context["counts"] = {(row["division_code"], row["report_year"]): row["agencies"] for row in counted}
    return await shown(datasette, request, "coverage", context)


async def _agencies_by_year(database: Any, division: str, name: str, page: int, years: list[int]) -> RowDict:
    asked = {"division": division, "name": f"%{name}%"}
    counted = await first_row(database, COVERED_COUNT, **asked)
    skip = (page - 1) * AGENCIES_A_PAGE
    agencies = await rows(database, COVERED_AGENCIES, **asked, size=AGENCIES_A_PAGE, skip=skip)
    listed = json.dumps([agency["agency"] for agency in agencies], ensure_ascii=False)
    cells: dict[tuple[str | None, str], dict[int, RowDict]] = defaultdict(dict)
    for cell in await rows(database, COVERED_CELLS, division=division, agencies=listed):
        cells[cell["agency_id"], cell["agency"]][cell["report_year"]] = cell
    for agency in agencies:
        agency["cells"] = [_covered(agency, year, cells[agency["agency_id"], agency["agency"]]) for year in years]
    count = counted["agencies"] if counted else 0
    return {"agencies": agencies, "count": count, "page": page, "pages": -(-count // AGENCIES_A_PAGE)}


def _covered(agency: RowDict, year: int, cells: dict[int, RowDict]) -> RowDict:
    """One square of the matrix: a report, a gap between the agency's reports, or outside of them."""
    if year in cells:
        return {"year": year, "state": "report", **cells[year]}
    return {"year": year, "state": "gap" if agency["first"] < year < agency["last"] else "outside"}


async def outcomes_page(datasette: Any, request: Any) -> Response:
    """Shares of what became of applications: by year, and for one year by division or, in a division, by agency."""
    database = datasette.get_database(DATABASE)
    names = await division_names(database)
    division, scope = division_of(request), chosen(request, "scope", ("own", "aggregate", "unknown"))
    asked: dict[str, object] = {"division": division, "scope": scope}
    summed = await rows(database, OUTCOMES_SUMMED, **asked)
    counted = [row for row in summed if row["is_whole"]]
    new = _bars([row for row in counted if not row["is_old"]], "report_year", OUTCOMES)
    old = _bars([row for row in counted if row["is_old"]], "report_year", OUTCOMES_2014)
    year = year_of(request) or max((int(bar.name) for bar in new), default=None)
    if division:
        of_reports = await rows(database, OUTCOMES_BY_AGENCY, **asked, year=year)
        places = _bars(of_reports, "agency", OUTCOMES)
        links = {row["agency"]: f"/-/report/{row['report_id']}" for row in of_reports}
    else:
        of_year = [row for row in counted if row["report_year"] == year and not row["is_old"]]
        places = _bars(of_year, "division_code", OUTCOMES)
        links = {bar.name: address("/-/outcomes", division=bar.name, scope=scope, year=year) for bar in places}
    without = _left_out(summed)
    context = {
        "names": names,
        "divisions": await rows(database, AGENCIES_OF_DIVISIONS),
        "division": division,
        "scope": scope,
        "year": year,
        "new": new,
        "old": old,
        "places": places,
        "links": {name: datasette.urls.path(link) for name, link in links.items()},
        "without": without,
        "outcomes": OUTCOMES,
        "outcomes_2014": OUTCOMES_2014,
    }
    return await shown(datasette, request, "outcomes", context)


def _bars(found: list[RowDict], key: str, outcomes: tuple[str, ...]) -> list[Bar]:
    """One bar for each value of `key`, in the order met. Every report has a row for each outcome."""
    values: dict[object, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    reports: dict[object, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in found:
        values[row[key]][row["outcome"]] += row["value"]
        reports[row[key]][row["outcome"]] += row["reports"]
    words = codebook().terms["outcome"]
    return [
        Bar(
            str(name),
            tuple(charts.Part(outcome, words[outcome][0], by_outcome.get(outcome, 0)) for outcome in outcomes),
            max(reports[name].values()),
        )
        for name, by_outcome in values.items()
    ]


def _left_out(summed: list[RowDict]) -> dict[int, int]:
    """By year, how many reports lack a number."""
    found: dict[int, int] = defaultdict(int)
    for row in summed:
        if not row["is_whole"] and row["outcome"] == "granted":
            found[row["report_year"]] += row["reports"]
    return dict(sorted(found.items()))


async def changes_page(datasette: Any, request: Any) -> Response:
    """What changed, newest first."""
    database = datasette.get_database(DATABASE)
    kinds = {row["kind"]: row["changes"] for row in await rows(database, CHANGE_KINDS)}
    kind, site, run = chosen(request, "kind", CHANGE_KIND_ORDER), typed(request, "site"), typed(request, "run")
    nights = _nights_chart(await rows(database, CHANGES_BY_RUN), datasette.urls.path)
    context: RowDict = {
        "kinds": [(name, kinds[name]) for name in CHANGE_KIND_ORDER if name in kinds],
        "kind": kind,
        "site": site,
        "run": run,
        "nights": nights,
    }
    if kind or site or run:
        page = page_of(request)
        asked = {"kind": kind, "site": site, "run": run, "size": ROWS_A_PAGE + 1, "skip": (page - 1) * ROWS_A_PAGE}
        found = await rows(database, CHANGES, **asked)
        context |= {"changes": found[:ROWS_A_PAGE], "page": page, "has_more": len(found) > ROWS_A_PAGE}
    else:
        by_night: dict[str, list[RowDict]] = defaultdict(list)
        for change in await rows(database, CHANGES_OF_RUNS, runs=json.dumps([run_id for run_id, *_ in nights["rows"]])):
            by_night[change["run_id"]].append(change)
        context["by_night"] = by_night
    return await shown(datasette, request, "changes", context)


def _nights_chart(found: list[RowDict], path: Any) -> RowDict:
    """Changes of the last runs, the first appearance of an address left out: a first crawl would dwarf all others."""
    by_run: dict[str, dict[str, int]] = defaultdict(dict)
    days: dict[str, str] = {}
    for row in found:
        by_run[row["run_id"]][row["kind"]] = row["changes"]
        days[row["run_id"]] = row["started_at"][:10]
    words = codebook().terms["change"]
    shown_kinds = [kind for kind in CHANGE_KIND_ORDER if kind not in ("appeared", "layout_changed")]
    columns = []
    for run_id, counts in by_run.items():
        parts = tuple(charts.Part(kind, words[kind][0], counts.get(kind, 0)) for kind in shown_kinds)
        said = "，".join(f"{words[kind][0]} {count}" for kind, count in counts.items())
        columns.append(
            charts.Column(days[run_id][5:], parts, f"{days[run_id]}：{said}", path(address("/-/changes", run=run_id)))
        )
    has_any = any(column.total for column in columns)
    return {
        "drawn": charts.columns(columns[-14:], label="各夜变化 Changes by night") if has_any else "",
        "kinds": shown_kinds,
        "rows": [(run_id, days[run_id], counts) for run_id, counts in by_run.items()],
    }


@clear
async def change_page(datasette: Any, request: Any) -> Response:
    """One change: what the address said before and after."""
    database = datasette.get_database(DATABASE)
    change_id = int(request.url_vars["change_id"])
    change = await first_row(database, CHANGE, change_id=change_id)
    if change is None:
        raise UnavailableError(HTTPStatus.NOT_FOUND, f"There is no change {change_id}.")
    diff = await first_row(database, DIFF, capture_id=change["capture_id"]) if change["capture_id"] else None
    context = {
        "change": change,
        "lines": _diff_lines(diff["text_diff"]) if diff else [],
        "cells": json.loads(diff["cells_json"]) if diff else [],
        "parser_version": diff["parser_version"] if diff else "",
    }
    return await shown(datasette, request, "change", context)


def _diff_lines(text: str) -> list[tuple[str, str]]:
    """(added, removed, context or place; text) for each line of a unified diff without its head."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    lines = [line for line in text.splitlines() if not line.startswith(("+++", "---"))]
    return [(kinds.get(line[:1], "context"), line if line.startswith("@") else line[1:]) for line in lines]


async def checks_page(datasette: Any, request: Any) -> Response:
    """Numbers that do not add up."""
    database = datasette.get_database(DATABASE)
    rule, year, division = typed(request, "rule"), year_of(request), division_of(request)
    asked: dict[str, object] = {"rule": rule, "year": year, "division": division}
    page, verdict = page_of(request), chosen(request, "verdict", ("uncertain",)) or "fail"
    counted = await first_row(database, FAILED_COUNT, **asked)
    by_year = await rows(database, FAILED_YEARS)
    path = datasette.urls.path
    columns = [
        charts.Column(
            str(row["report_year"]),
            (charts.Part("failed", "不符", row["failed"]),),
            f"{row['report_year']}：{row['failed']} 项不符 failed",
            path(address("/-/checks", year=row["report_year"], rule=rule, division=division)),
        )
        for row in by_year
    ]
    context = {
        "rule": rule,
        "year": year,
        "division": division,
        "names": await division_names(database),
        "count": counted["failed"] if counted else 0,
        "page": page,
        "pages": -(-(counted["failed"] if counted else 0) // ROWS_A_PAGE),
        "checks": await rows(database, FAILED, **asked, size=ROWS_A_PAGE, skip=(page - 1) * ROWS_A_PAGE),
        "rules": await rows(database, FAILED_RULES),
        "years": by_year,
        "drawn": charts.columns(columns, label="各年度不符项数 Failed checks by year", height=170),
        "document_rules": await rows(database, DOCUMENT_RULES),
        "verdict": verdict,
        "document_checks": await rows(database, DOCUMENT_CHECKS, status=verdict, rule=rule, year=year),
    }
    return await shown(datasette, request, "checks", context)


async def division_names(database: Any) -> dict[str, str]:
    """The newest name of every division."""
    return {row["division_code"]: row["name"] for row in await rows(database, DIVISION_NAMES)}
