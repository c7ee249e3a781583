"""Checks across documents, run over the whole corpus: years of one agency, text against tables, parts against a whole.

Everything is worked out anew each time and only what differs is written, so that it may run after every extraction and
every correction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from archive.corrections import NOT_APPLIED as CORRECTION_NOT_APPLIED
from archive.corrections import LocatedFinding, apply_corrections, corrections_not_applied, sync_findings
from archive.document_checks import (
    CheckedReport,
    DocumentCheckRow,
    checked_reports,
    events,
    figures,
    kinds,
    parents,
    section_texts,
    write_checks,
)
from archive.model import Finding
from archive.panel import write_choices
from archive.store import Store
from parsers.across_years import ADDED_UP, APPLICANTS, CARRIED_IN, CARRIED_OUT, DOCUMENTS, WATCHED, across_years, jumps
from parsers.across_years import parts as check_parts
from parsers.concepts import concepts
from parsers.model import Section
from parsers.told import told, told_against_tables, told_words
from parsers.verdict import Figure, Verdict, YearReport

CHECK_FAILED = "document_check_failed"
AGGREGATE = "aggregate"
OWN = "own"
UNKNOWN = "unknown"
# Bodies that the centre directs; what a district's government gathers need not have them in it.
_DIRECTED = ("税务局", "税务分局", "气象局", "海关", "邮政管理局", "烟草专卖局", "消防救援大队", "消防救援支队")


def check_documents(store: Store) -> None:
    """Brings corrections, the choice of reports for the panel, and all verdicts and their findings up to date."""
    with store.transaction():
        write_choices(store, apply_corrections(store))
        reports = checked_reports(store)
        rows = list(_Checks(store, reports).rows())
        write_checks(store, rows)
        found = [*_failures(rows, reports), *corrections_not_applied(store)]
        sync_findings(store, (CHECK_FAILED, CORRECTION_NOT_APPLIED), found)


def needed_cells() -> set[str]:
    """Every cell that some check looks at."""
    names = {*WATCHED, *ADDED_UP}
    for measure in told_words().measures:
        names.update((measure.concept, *(name for also in measure.also for name in also)))
    cells = {
        cell
        for one in concepts().concepts
        if one.concept in names
        for printed in one.printed
        for way in printed.ways
        for cell in way
    }
    cells.update(start + applicant for start in (CARRIED_IN, CARRIED_OUT) for applicant in APPLICANTS)
    cells.update(f"disclosure.{kind}.{name}" for kind in DOCUMENTS for name in ("in_force", "issued", "repealed"))
    return cells


class _Checks:
    def __init__(self, store: Store, reports: Sequence[CheckedReport]) -> None:
        self._store = store
        self._reports = reports
        happened = events(store)
        numbers = figures(store, needed_cells())
        self._year_reports = {
            one.report_id: YearReport(
                one.report_id,
                one.year,
                one.form,
                one.scope,
                {cell: Figure(*figure) for cell, figure in numbers.get(one.reading_id, {}).items()},
                tuple(happened.get((one.agency_id, one.year), ())) if one.agency_id else (),
            )
            for one in reports
        }
        self._agencies = {one.report_id: one.agency_id for one in reports}

    def rows(self) -> Iterator[DocumentCheckRow]:
        for verdict in (*self._told(), *self._across_years(), *self._parts()):
            yield DocumentCheckRow(
                verdict.rule,
                verdict.status,
                self._agencies[verdict.report],
                verdict.year,
                verdict.lhs,
                verdict.rhs,
                verdict.note,
                verdict.report,
                tuple((place.report, place.cell) for place in verdict.left),
                tuple((place.report, place.cell) for place in verdict.right),
            )

    def _told(self) -> Iterator[Verdict]:
        texts = section_texts(self._store, (one.reading_id for one in self._reports))
        for one in self._reports:
            sections = [Section(heading, text) for heading, text in texts.get(one.reading_id, ())]
            found = told(sections, year=one.year, agency=one.agency, edition=one.form)
            yield from told_against_tables(found, self._year_reports[one.report_id])

    def _across_years(self) -> Iterator[Verdict]:
        """Pairs of years that follow each other; where the scope of an agency's reports changes, those are compared."""
        by_agency: dict[str, list[CheckedReport]] = defaultdict(list)
        for one in self._reports:
            if one.is_chosen and one.agency_id:
                by_agency[one.agency_id].append(one)
        for reports in by_agency.values():
            scopes: dict[str, list[YearReport]] = defaultdict(list)
            years: dict[int, list[YearReport]] = defaultdict(list)
            for one in reports:
                report = self._year_reports[one.report_id]
                scopes[one.scope].append(report)
                years[one.year].append(report)
            for series in scopes.values():
                yield from jumps(series)
            for year in sorted(years):
                for later in years[year]:
                    for earlier in _before(later, years.get(year - 1, [])):
                        yield from across_years(earlier, later)

    def _parts(self) -> Iterator[Verdict]:
        belongs = parents(self._store)
        chosen: dict[tuple[str, int], dict[str, CheckedReport]] = defaultdict(dict)
        for one in self._reports:
            if one.is_chosen and one.agency_id:
                chosen[one.agency_id, one.year][one.scope] = one
        left_out = {
            agency_id
            for agency_id, (kind, name) in kinds(self._store).items()
            if kind == "government" or name.endswith(_DIRECTED)
        }
        members: dict[str, list[str]] = defaultdict(list)
        for agency_id, parent_id in sorted(belongs.items()):
            members[parent_id].append(agency_id)
        for (agency_id, year), by_scope in chosen.items():
            whole = by_scope.get(AGGREGATE)
            if whole is None:
                continue
            # A report that does not say whom it covers may be this same whole, published twice.
            found = [by_scope[OWN]] if OWN in by_scope else []
            outside: set[int] = set()
            for member in members[agency_id]:
                of_member = chosen.get((member, year), {})
                # A part's own aggregate holds what its parts report.
                of_part = next((of_member[scope] for scope in (AGGREGATE, OWN, UNKNOWN) if scope in of_member), None)
                if of_part is not None:
                    found.append(of_part)
                    outside.update([of_part.report_id] if member in left_out else ())
            if found:
                yield from check_parts(
                    self._year_reports[whole.report_id],
                    [self._year_reports[one.report_id] for one in found],
                    outside=outside,
                )


def _before(later: YearReport, candidates: Sequence[YearReport]) -> list[YearReport]:
    """The report of the year before that `later` continues: that of the same scope, else the only one."""
    same = [one for one in candidates if one.scope == later.scope]
    return same or (list(candidates) if len(candidates) == 1 else [])


def _failures(rows: Sequence[DocumentCheckRow], reports: Sequence[CheckedReport]) -> Iterator[LocatedFinding]:
    by_id = {one.report_id: one for one in reports}
    for row in rows:
        if row.status != "fail":
            continue
        report = by_id[row.report_id]
        against = sorted({place[0] for place in (*row.left, *row.right)} - {row.report_id})
        where = f" (report {', '.join(map(str, against))})" if against else ""
        note = f"; {row.note}" if row.note else ""
        message = f"{row.rule} {row.report_year}: {row.lhs} against {row.rhs}{where}{note}"
        finding = Finding("warning", CHECK_FAILED, message, report.document_url)
        yield LocatedFinding(report.run_id, report.capture_id, report.report_id, finding)
