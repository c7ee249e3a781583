"""Readers and matcher held to generated reports whose every cell is known: forms × formats × troubles.

A fact may be right, missing (`absent`, `unreadable`) or doubted (confidence below 1.0). A wrong one at confidence 1.0
is a failure whatever the document looks like. `GONGKAI_EXAMPLES=2000` looks further than the everyday run.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.troubles import TROUBLES, with_troubles
from crawler.replica.writers import docx, html, pdf, text
from crawler.replica.writers.docx import DocxStyle
from crawler.replica.writers.html import HtmlStyle
from crawler.replica.writers.pdf import PdfStyle
from crawler.replica.writers.text import TextStyle
from parsers.reading import read

EXAMPLES = int(os.environ.get("GONGKAI_EXAMPLES", "0"))
YEARS = {"2014": 2016, "2019": 2020, "2021": 2022}

Writer = Callable[..., bytes]


def styled(write, style, **options) -> Writer:
    return lambda printed: write(printed, style=style, **options)


TEXT = {
    "tabs": styled(text.write, TextStyle(shape="tabs")),
    "tabs broken by pages": styled(text.write, TextStyle(shape="tabs", page_rows=13)),
    "tabs with labels cut": styled(text.write, TextStyle(shape="tabs", page_rows=9, cut_labels=True)),
    "ragged tabs": styled(text.write, TextStyle(shape="tabs", ragged=True, page_rows=11)),
    "one cell a line": styled(text.write, TextStyle(shape="cells")),
    "one spaced cell a line": styled(text.write, TextStyle(shape="cells", spaced=True)),
    "markdown": styled(text.write, TextStyle(shape="markdown")),
    "layout": styled(text.write, TextStyle(shape="layout")),
    "gbk tabs": styled(text.write, TextStyle(shape="tabs"), encoding="gb18030"),
}
LOSSY = {
    "narrow layout": styled(text.write, TextStyle(shape="layout", wrap=12, page_rows=17)),
    "stream": styled(text.write, TextStyle(shape="stream")),
    "glued": styled(text.write, TextStyle(shape="glued")),
    "cells without repeats": styled(text.write, TextStyle(shape="cells", deduplicated=True)),
    "stream without repeats": styled(text.write, TextStyle(shape="stream", deduplicated=True)),
}
HTML = {
    "html": styled(html.write, HtmlStyle()),
    "html from word": styled(html.write, HtmlStyle(word=True)),
    "gbk html that says utf-8": styled(html.write, HtmlStyle(), encoding="gb18030"),
    "html with a table split": styled(html.write, HtmlStyle(split_after=12, heading_tag="h3", cell_tag="")),
}
DOCX = {
    "docx": styled(docx.write, DocxStyle()),
    "docx in runs": styled(docx.write, DocxStyle(split_runs=True)),
    "docx with content controls": styled(docx.write, DocxStyle(content_controls=True)),
}
PDF = {
    "pdf": styled(pdf.write, PdfStyle()),
    "pdf over pages": styled(pdf.write, PdfStyle(padding=7)),
    "pdf of boxes, headers repeated": styled(pdf.write, PdfStyle(rules="boxes", repeat_header=True, padding=7)),
    "pdf of hairlines, rows cut, open below": styled(
        pdf.write, PdfStyle(rules="hairlines", cut_rows=True, bottom_line=False, padding=7)
    ),
    "pdf drawn unevenly": styled(pdf.write, PdfStyle(jitter=0.5, padding=6)),
}
# Shapes that keep less than the table: every number is to be read, some with doubt.
DOUBTFUL = ("markdown", "layout", "tabs with labels cut")
CLEAN = {**TEXT, **HTML, **DOCX, **PDF}
CERTAIN = [name for name in CLEAN if name not in DOUBTFUL]


def wrong_facts(printed, reading):
    """Facts at confidence 1.0 that the document does not bear, as readable lines."""
    facts = {fact.cell: fact for fact in reading.facts}
    lines = []
    for cell, expected in printed.truth.items():
        fact = facts.get(cell)
        if fact is None or fact.confidence < 1.0 or fact.status in ("absent", "unreadable"):
            continue
        right_status = fact.status == expected.status or (fact.status == "inferred" and expected.value is not None)
        if not right_status or fact.value != expected.value:
            lines.append(
                f"{cell}: printed {expected.value} ({expected.status}), read {fact.value} ({fact.status})"
                f" from {fact.raw!r} at {fact.locator}"
            )
    lines += [f"{fact.cell}: no such cell" for fact in reading.facts if fact.cell not in printed.truth]
    return lines


def doubted_facts(printed, reading):
    facts = {fact.cell: (fact.value, fact.status, fact.confidence) for fact in reading.facts}
    wanted = {cell: (expected.value, expected.status, 1.0) for cell, expected in printed.truth.items()}
    return [f"{cell}: {facts.get(cell)}, printed {want}" for cell, want in wanted.items() if facts.get(cell) != want]


@pytest.mark.parametrize("mode", ["zeros", "realistic", "distinct"])
@pytest.mark.parametrize("form", YEARS)
@pytest.mark.parametrize("format_name", CLEAN)
def test_every_number_of_a_clean_report_is_read(format_name, form, mode):
    printed = lay_out(draw_report("clean", year=YEARS[form], mode=mode))
    reading = read(CLEAN[format_name](printed))
    assert reading.error is None
    assert reading.form == form
    assert {fact.cell: fact.value for fact in reading.facts} == {
        cell: expected.value for cell, expected in printed.truth.items()
    }
    assert {check.status for check in reading.checks} <= {"pass"}


@pytest.mark.parametrize("form", YEARS)
@pytest.mark.parametrize("format_name", CERTAIN)
def test_clean_reports_are_read_for_certain(format_name, form):
    printed = lay_out(draw_report("certain", year=YEARS[form]))
    assert doubted_facts(printed, read(CLEAN[format_name](printed))) == []


@pytest.mark.parametrize("form", YEARS)
@pytest.mark.parametrize("format_name", ["tabs", "one cell a line", "html", "html from word", "docx", "pdf"])
def test_year_agency_and_signing_date_are_as_printed(format_name, form):
    printed = lay_out(draw_report("who", year=YEARS[form]))
    reading = read(CLEAN[format_name](printed))
    assert reading.kind == "annual_report"
    assert reading.report_year == printed.year
    assert reading.agency == printed.agency
    assert printed.signed_on is not None
    assert reading.signed_date == printed.signed_on.isoformat()


def test_a_report_on_the_form_of_another_year_is_known_by_its_tables():
    printed = lay_out(draw_report("old form", year=2021, form="2019"))
    reading = read(html.write(printed))
    assert (reading.form, reading.report_year) == ("2019", 2021)


def test_a_printed_error_stays_as_printed_and_fails_a_check():
    printed = with_troubles(lay_out(draw_report("error", year=2022, mode="distinct")), ["printed_error"], 1)
    reading = read(html.write(printed))
    assert [fact.value for fact in reading.facts] == [expected.value for expected in printed.truth.values()]
    failed = {cell for check in reading.checks if check.status == "fail" for cell in check.cells}
    assert failed
    assert all(fact.confidence < 1.0 for fact in reading.facts if fact.cell in failed)


LAYOUT_TROUBLES = sorted(name for name, trouble in TROUBLES.items() if trouble.layout)
OTHER_TROUBLES = sorted(name for name, trouble in TROUBLES.items() if not trouble.layout)


@dataclass(frozen=True)
class Case:
    """Enough to make one report again: at most one trouble that moves cells, and up to three others."""

    form: str
    mode: str
    seed: int
    troubles: tuple[str, ...]

    def printed(self):
        report = draw_report(self.seed, year=YEARS[self.form], mode=self.mode)
        return with_troubles(lay_out(report), self.troubles, self.seed)


CASES = st.builds(
    lambda form, mode, seed, layout, others: Case(form, mode, seed, (*layout, *others)),
    form=st.sampled_from(sorted(YEARS)),
    mode=st.sampled_from(["distinct", "realistic", "zeros"]),
    seed=st.integers(0, 10_000),
    layout=st.lists(st.sampled_from(LAYOUT_TROUBLES), max_size=1),
    others=st.lists(st.sampled_from(OTHER_TROUBLES), max_size=3, unique=True),
)


def everyday(examples):
    return settings(
        max_examples=EXAMPLES or examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def assert_nothing_wrong_is_certain(case, write):
    printed = case.printed()
    reading = read(write(printed))
    assert reading.error is None
    assert wrong_facts(printed, reading) == []


@everyday(250)
@given(case=CASES, format_name=st.sampled_from(sorted(TEXT)))
def test_no_wrong_number_is_certain_in_text(case, format_name):
    assert_nothing_wrong_is_certain(case, TEXT[format_name])


@everyday(150)
@given(case=CASES, format_name=st.sampled_from(sorted(LOSSY)))
def test_no_wrong_number_is_certain_where_a_converter_lost_marks(case, format_name):
    assert_nothing_wrong_is_certain(case, LOSSY[format_name])


@everyday(150)
@given(case=CASES, format_name=st.sampled_from(sorted(HTML)))
def test_no_wrong_number_is_certain_in_html(case, format_name):
    assert_nothing_wrong_is_certain(case, HTML[format_name])


@everyday(45)
@given(case=CASES, format_name=st.sampled_from(sorted(DOCX)))
def test_no_wrong_number_is_certain_in_docx(case, format_name):
    assert_nothing_wrong_is_certain(case, DOCX[format_name])


@everyday(45)
@given(case=CASES, format_name=st.sampled_from(sorted(PDF)))
def test_no_wrong_number_is_certain_in_pdf(case, format_name):
    assert_nothing_wrong_is_certain(case, PDF[format_name])


def test_no_number_with_a_space_inside_is_certain_in_two_pieces():
    case = Case("2021", "distinct", 20, ("spaces_in_numbers", "blank_columns"))
    assert_nothing_wrong_is_certain(case, TEXT["layout"])


def test_numbers_beside_a_short_label_cut_by_a_page_end_are_not_blank():
    printed = lay_out(draw_report("cut", year=2022, mode="distinct"))
    lines = TEXT["tabs"](printed).decode().split("\n")
    at = next(number for number, line in enumerate(lines) if "（七）总计" in line)
    rest = "\t".join("）总计" if "（七" in cell else "" for cell in lines[at].split("\t"))
    cut = [*lines[:at], lines[at].replace("（七）总计", "（七"), "", rest, *lines[at + 1 :]]
    assert wrong_facts(printed, read("\n".join(cut).encode())) == []
