"""Years of invented agencies with errors put in by hand, and what each check must say of them.

Every number but those changed here follows from the year before, and every sentence but those changed here agrees with
the tables: any other verdict than `pass` that is not listed is a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from panel_corpus import pages, publish, series, with_values

from archive.store import Store
from crawler.extract import extract
from crawler.replica.reports import Number, ReportSpec, dice

YEARS = tuple(range(2019, 2025))
PLACES = ("柳溪", "望江", "石桥", "云岭", "白沙", "东湖", "南坪", "枫林", "沙洲", "松涛", "竹园", "金滩")
AGENCIES = tuple(f"青禾区{place}街道办事处" for place in PLACES)
START = "disclosure.normative_documents."

# (agency, year, rule) → status
Truth = dict[tuple[str, int, str], str]
Reports = dict[int, ReportSpec]


@dataclass(frozen=True, slots=True)
class Scripted:
    reports: tuple[ReportSpec, ...]
    truth: Truth


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one status: how many of the verdicts given were to be given, how many of those to be given were."""

    given: int
    expected: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.given if self.given else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.expected if self.expected else 1.0


def scripted() -> Scripted:
    """Each agency gets one kind of trouble, in a year drawn for it; the last ones have none."""
    reports: list[ReportSpec] = []
    truth: Truth = {}
    for number, agency in enumerate(AGENCIES):
        years = series(agency, YEARS, seed=number)
        chance = dice("scripted", agency)
        if number < len(TROUBLES):
            TROUBLES[number](years, chance.choice(YEARS[3:5]), _Notes(agency, truth))
        reports.extend(years.values())
    return Scripted(tuple(reports), truth)


def verdicts(data_dir: Path, script: Scripted) -> Truth:
    """What the checks say of the reports, printed, recorded and read as a crawl reads them.

    Jumps in money and decisions are left out: the generator draws them without a thought for the year before.
    """
    publish(data_dir, pages(script.reports))
    extract(data_dir)
    with Store.open(data_dir) as store:
        rows = store.connection.execute(
            """SELECT r.agency, d.report_year, d.rule, d.status FROM document_checks d JOIN reports r USING (report_id)
            WHERE d.rule NOT LIKE 'jump.%' OR d.rule = 'jump.app_new'"""
        ).fetchall()
    found = {(agency, year, rule): status for agency, year, rule, status in rows}
    if len(found) != len(rows):
        raise ValueError("a check was made twice of the same agency and year")
    return found


def scores(found: Mapping[tuple[str, int, str], str], truth: Truth, status: str) -> Scores:
    given = {key for key, value in found.items() if value == status}
    expected = {key for key, value in truth.items() if value == status}
    return Scores(len(given), len(expected), len(given & expected))


@dataclass(frozen=True, slots=True)
class _Notes:
    agency: str
    truth: Truth

    def expect(self, year: int, status: str, *rules: str) -> None:
        self.truth.update(((self.agency, year, rule), status) for rule in rules)


def _shifted(spec: ReportSpec, changes: Mapping[str, int]) -> ReportSpec:
    """The report with that much more in each cell, its sentences still about the old tables."""
    values = {cell: int(spec.values[cell] or 0) + more for cell, more in changes.items()}
    return replace(spec, values={**spec.values, **values})


def _said(spec: ReportSpec, old: str, new: str) -> ReportSpec:
    if not any(old in line for line in spec.overview):
        raise ValueError(f"{old} is not said in {spec.overview}")
    return replace(spec, overview=tuple(line.replace(old, new) for line in spec.overview))


def _new(spec: ReportSpec) -> Number | None:
    return spec.values["applications.new.total"]


# One kind of trouble each -----------------------------------------------------------------------------------------


def more_comes_in_than_was_carried_over(years: Reports, year: int, notes: _Notes) -> None:
    """Its own table still adds up, and its sentences say what the table says."""
    more, spec = 2, years[year]
    rows = {"carried_in": "", "handled_total": "办结{}件", "granted": "予以公开{}件"}
    for row, words in rows.items():
        was = int(spec.values[f"applications.{row}.total"] or 0)
        spec = _said(spec, words.format(was), words.format(was + more)) if words else spec
        spec = _shifted(spec, {f"applications.{row}.natural_person": more, f"applications.{row}.total": more})
    years[year] = spec
    notes.expect(year, "fail", "carry_over.natural_person", "carry_over.total")


def a_total_misprinted(years: Reports, year: int, notes: _Notes) -> None:
    """The sums of its own table fail: the number is doubted already, and accuses nobody."""
    years[year] = _shifted(years[year], {"applications.carried_in.total": 1})
    notes.expect(year, "uncertain", "carry_over.total")


def more_in_force_than_can_be(years: Reports, year: int, notes: _Notes) -> None:
    years[year] = _shifted(years[year], {f"{START}in_force": 5})
    notes.expect(year, "fail", "in_force.normative_documents")
    _and_the_year_after(years, year, notes, 5)


def fewer_in_force_as_documents_lapse(years: Reports, year: int, notes: _Notes) -> None:
    years[year] = _shifted(years[year], {f"{START}in_force": -3})
    notes.expect(year, "uncertain", "in_force.normative_documents")
    if year + 1 in years:
        years[year + 1] = _shifted(years[year + 1], {f"{START}in_force": -3})
    for later in range(year + 2, YEARS[-1] + 1):
        years[later] = _shifted(years[later], {f"{START}in_force": -3})


def _and_the_year_after(years: Reports, year: int, notes: _Notes, more: int) -> None:
    """The year after goes on from the right number: seen from the wrong one it has fewer, which may be lawful."""
    if year + 1 in years and more > 0:
        notes.expect(year + 1, "uncertain", "in_force.normative_documents")


def another_number_in_the_text(years: Reports, year: int, notes: _Notes) -> None:
    was = _new(years[year])
    years[year] = _said(years[year], f"共收到政府信息公开申请{was}件", f"共收到政府信息公开申请{int(was or 0) + 400}件")
    notes.expect(year, "fail", "told.received")


def the_text_counts_what_was_carried_in(years: Reports, year: int, notes: _Notes) -> None:
    """Lawful, and a pass with a note."""
    was, into = _new(years[year]), years[year].values["applications.carried_in.total"]
    if not into:
        year = next(y for y in YEARS[3:] if years[y].values["applications.carried_in.total"])
        was, into = _new(years[year]), years[year].values["applications.carried_in.total"]
    both = int(was or 0) + int(into or 0)
    years[year] = _said(years[year], f"共收到政府信息公开申请{was}件", f"共收到政府信息公开申请{both}件")
    notes.expect(year, "pass", "told.received")


def a_loose_verb(years: Reports, year: int, notes: _Notes) -> None:
    was = _new(years[year])
    years[year] = _said(years[year], f"收到政府信息公开申请{was}件", f"受理政府信息公开申请{int(was or 0) + 400}件")
    notes.expect(year, "uncertain", "told.received")


def the_text_is_about_something_else(years: Reports, year: int, notes: _Notes) -> None:
    """Sentences that look alike: another year, another body, letters and not applications."""
    lines = (
        f"{year - 1}年，本机关共收到政府信息公开申请987件。",
        "区教育局收到政府信息公开申请654件，办结654件。",
        "全年收到群众来信321件，办结321件，其中予以公开3件。",
        "开园以来共收到政府信息公开申请4321件。",
    )
    years[year] = replace(years[year], overview=(*years[year].overview, *lines))


def cells_left_blank(years: Reports, year: int, notes: _Notes) -> None:
    years[year] = with_values(
        years[year],
        applications__carried_in__total=None,
        disclosure__normative_documents__issued=None,
        applications__new__total=None,
    )
    notes.expect(year, "not_applicable", "carry_over.total", "in_force.normative_documents", "told.received")


def far_more_applications(years: Reports, year: int, notes: _Notes) -> None:
    """Fifty thousand more of natural persons, as of all; text and table agree, and the sums hold."""
    more, spec = 50_000, years[year]
    rows = {"new": "申请{}件", "handled_total": "办结{}件", "granted": "予以公开{}件"}
    for row, words in rows.items():
        was = int(spec.values[f"applications.{row}.total"] or 0)
        spec = _said(spec, words.format(was), words.format(was + more))
        spec = _shifted(spec, {f"applications.{row}.natural_person": more, f"applications.{row}.total": more})
    years[year] = spec
    notes.expect(year, "uncertain", "jump.app_new")


Trouble = Callable[[Reports, int, _Notes], None]
TROUBLES: tuple[Trouble, ...] = (
    more_comes_in_than_was_carried_over,
    a_total_misprinted,
    more_in_force_than_can_be,
    fewer_in_force_as_documents_lapse,
    another_number_in_the_text,
    the_text_counts_what_was_carried_in,
    a_loose_verb,
    the_text_is_about_something_else,
    cells_left_blank,
    far_more_applications,
)
