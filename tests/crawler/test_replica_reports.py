"""Generated reports: their forms, their sums, and that the truth of each trouble is what is printed."""

import csv
import io
import zipfile
from decimal import Decimal
from pathlib import Path

import docx
import pypdfium2
import pytest

from crawler.replica import layout
from crawler.replica.reports import STATISTICS_SUMS, Expected, draw_report, follow, lay_out
from crawler.replica.troubles import TROUBLES, with_troubles
from crawler.replica.writers import docx as docx_writer
from crawler.replica.writers import html as html_writer
from crawler.replica.writers import pdf as pdf_writer
from crawler.replica.writers import text as text_writer

FORMS = ("2014", "2019", "2021")
YEARS = {"2014": 2016, "2019": 2020, "2021": 2022}
CELLS = Path(__file__).parents[2].parent / "shared" / "contract" / "cells.csv"


def printed_report(form, mode="distinct", seed=3):
    return lay_out(draw_report(seed, year=YEARS[form], mode=mode))


def printed_texts(printed):
    return {slot.cell: slot.text for table in printed.tables for row in table.rows for slot in row if slot.cell}


@pytest.mark.parametrize("form", FORMS)
def test_layout_prints_the_cells_of_the_contract_in_order(form):
    if not CELLS.exists():
        pytest.skip(f"no {CELLS}: the contract is not beside the repository")
    with CELLS.open(encoding="utf-8", newline="") as file:
        wanted = [row["cell"] for row in csv.DictReader(file) if row["form"] == form and not row["variant"]]
    assert list(layout.cells(form)) == wanted


@pytest.mark.parametrize("form", FORMS)
def test_every_row_of_a_table_fills_its_grid(form):
    for table in layout.tables(form):
        covered = [0] * len(table.rows)
        for placed in layout.place(table):
            for row in range(placed.row, placed.row + placed.slot.row_span):
                covered[row] += placed.slot.column_span
        assert set(covered) == {len(table.widths)}


@pytest.mark.parametrize("mode", ["zeros", "realistic", "distinct"])
@pytest.mark.parametrize("form", ["2019", "2021"])
def test_table_sums_hold(form, mode):
    values = draw_report(5, year=YEARS[form], mode=mode).values
    for column, _ in layout.COLUMNS:
        got = {
            row: values[f"applications.{row}.{column}"] for row in ("new", "carried_in", "handled_total", "carried_out")
        }
        assert got["new"] + got["carried_in"] == got["handled_total"] + got["carried_out"]
        assert got["handled_total"] == sum(values[f"applications.{r}.{column}"] for r in layout.outcome_rows(form))
        assert min(got.values()) >= 0
    for key, _ in layout.REVIEWS:
        parts = sum(values[f"review.{key}.{outcome}"] for outcome, _ in layout.OUTCOMES[:-1])
        assert values[f"review.{key}.total"] == parts


def test_statistics_sums_hold():
    values = draw_report(5, year=2017, mode="realistic").values
    for total, parts in STATISTICS_SUMS.items():
        assert values[total] == sum(values[part] for part in parts)


@pytest.mark.parametrize("form", ["2019", "2021"])
def test_distinct_reports_repeat_no_number_within_a_table(form):
    values = draw_report(9, year=YEARS[form], mode="distinct").values
    for prefix in ("disclosure.", "applications.", "review."):
        numbers = [value for cell, value in values.items() if cell.startswith(prefix)]
        assert len(numbers) == len(set(numbers))


def test_the_same_seed_draws_the_same_report_and_another_seed_another():
    assert draw_report(1) == draw_report(1)
    assert draw_report(1).values != draw_report(2).values


@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.parametrize("form", FORMS)
def test_the_truth_of_a_trouble_is_what_is_printed(form, name):
    clean = printed_report(form)
    printed = with_troubles(clean, [name], 11)
    if form not in TROUBLES[name].forms:
        assert printed == clean
        return
    texts = printed_texts(printed)
    for cell, expected in printed.truth.items():
        assert (cell in texts) == (expected.status != "absent"), cell
        if expected.status == "blank":
            assert texts[cell] in ("", "/", "—", "-", "无")
    assert printed != clean
    assert printed.troubles == (name,)
    if not TROUBLES[name].effect:
        assert printed.truth == clean.truth


def test_a_single_other_row_carries_the_sums_of_the_three():
    clean = printed_report("2021")
    printed = with_troubles(clean, ["single_other_row"], 1)
    parts = [
        clean.truth[f"applications.{key}.business"].value for key in ("other_uncorrected", "other_unpaid", "other_rest")
    ]
    assert printed.truth["applications.other_handling.business"] == Expected(sum(parts), "reported")
    assert printed.truth["applications.other_rest.business"] == Expected(None, "absent")


def test_an_amount_printed_in_wan_yuan_is_true_in_yuan():
    printed = with_troubles(printed_report("2019"), ["amount_in_wan_yuan"], 1)
    text = printed_texts(printed)["disclosure.procurement.amount"]
    assert text.endswith("万元")
    value = printed.truth["disclosure.procurement.amount"].value
    assert Decimal(text.removesuffix("万元")) * 10_000 == value


def test_a_printed_error_breaks_exactly_one_total():
    clean = printed_report("2021")
    printed = with_troubles(clean, ["printed_error"], 4)
    changed = [cell for cell in clean.truth if clean.truth[cell] != printed.truth[cell]]
    assert len(changed) == 1
    assert changed[0].endswith(".total")


@pytest.mark.parametrize("form", FORMS)
def test_docx_holds_every_number_once_and_the_same_bytes_each_time(form):
    printed = printed_report(form)
    data = docx_writer.write(printed)
    assert data == docx_writer.write(printed)
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    document = docx.Document(io.BytesIO(data))
    assert len(document.tables) == len(printed.tables)
    for table, truth in zip(document.tables, printed.tables, strict=True):
        rows = [[cell.text for cell in row.cells] for row in table.rows]
        for placed in layout.place(truth):
            assert rows[placed.row][placed.column] == placed.slot.text


@pytest.mark.parametrize("rules", ["lines", "boxes", "hairlines"])
def test_pdf_crosses_pages_and_holds_every_number(rules):
    printed = printed_report("2021")
    style = pdf_writer.PdfStyle(rules=rules, padding=7, repeat_header=True)
    data = pdf_writer.write(printed, style=style)
    assert data == pdf_writer.write(printed, style=style)
    document = pypdfium2.PdfDocument(data)
    text = ""
    for page in document:
        text_page = page.get_textpage()
        text += text_page.get_text_range()
        text_page.close()
        page.close()
    document.close()
    words = text.split()
    assert text.count("法律") >= 2
    for cell, expected in printed.truth.items():
        assert f"{expected.value}" in words, cell


@pytest.mark.parametrize("shape", ["tabs", "cells", "stream", "layout", "markdown"])
def test_text_shapes_hold_every_number(shape):
    printed = printed_report("2019")
    text = text_writer.write(printed, style=text_writer.TextStyle(shape=shape)).decode()
    for cell, expected in printed.truth.items():
        assert f"{expected.value}" in text.split(), cell


def test_a_cut_label_goes_on_below_the_page_end():
    style = text_writer.TextStyle(shape="tabs", page_rows=11, cut_labels=True)
    lines = text_writer.write(printed_report("2019"), style=style).decode().split("\n")
    cut = next(number for number, line in enumerate(lines) if "4.保护第" in line)
    assert lines[cut + 1] == ""
    assert lines[cut + 2].strip() == "三方合法权益"


def test_html_says_the_encoding_it_does_not_have():
    data = html_writer.write(printed_report("2021"), encoding="gb18030")
    assert b"charset=utf-8" in data
    assert "第二十条第（一）项" in data.decode("gb18030")


def test_word_markup_parts_digits_from_words():
    body = html_writer.body(printed_report("2021"), html_writer.HtmlStyle(word=True))
    assert "<o:p></o:p>" in body
    assert ">2022</font></span>" in body


def test_a_split_table_goes_on_in_a_second_one():
    body = html_writer.body(printed_report("2021"), html_writer.HtmlStyle(split_after=12))
    assert body.count("<table") == 4


def test_a_report_goes_on_from_the_year_before() -> None:
    before = draw_report("years", year=2021, mode="distinct")
    spec = follow(draw_report("years", year=2022, mode="distinct"), before)
    columns = ("natural_person", "business", "research", "public_interest", "legal_service", "other", "total")
    for column in columns:
        number = {row: spec.values[f"applications.{row}.{column}"] for row in ("new", "carried_in", "carried_out")}
        handled = spec.values[f"applications.handled_total.{column}"]
        assert number["carried_in"] == before.values[f"applications.carried_out.{column}"]
        assert number["new"] + number["carried_in"] == handled + number["carried_out"]
        assert number["new"] >= 0
    for kind in ("regulations", "normative_documents"):
        issued, repealed, there = (
            spec.values[f"disclosure.{kind}.{what}"] for what in ("issued", "repealed", "in_force")
        )
        assert there == before.values[f"disclosure.{kind}.in_force"] + issued - repealed >= 0
    assert follow(before, None) == before
    assert follow(before, draw_report("years", year=2018)) == before
