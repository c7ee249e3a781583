"""Every cell of every edition belongs to a concept or says why not; names and labels fit where they are to be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from parsers.concept_pages import markdown
from parsers.concepts import CONCEPTS_FILE, concepts, load_concepts
from parsers.english import english_label
from parsers.errors import FormFileError
from parsers.form import forms

ALL = concepts().concepts
BY_NAME = {one.concept: one for one in ALL}


@pytest.mark.parametrize("edition", sorted(forms()))
def test_every_cell_has_a_concept_or_a_reason_to_have_none(edition: str) -> None:
    used = {cell for one in ALL for p in one.printed if p.edition == edition for way in p.ways for cell in way}
    without = {one.cell for one in concepts().without if one.edition == edition}
    assert used | without == set(forms()[edition].cells)
    assert used & without == set()


@pytest.mark.parametrize("concept", ALL, ids=lambda one: one.concept)
def test_names_and_labels_fit(concept) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,31}", concept.concept)
    for text, script in ((concept.label_zh, r"[\u4e00-\u9fff]"), (concept.label_en, "[A-Za-z]")):
        assert len(text) <= 80
        assert re.search(script, text)
    assert re.search(r"[\u4e00-\u9fff]", concept.definition_zh)
    assert concept.definition_en.isascii() or "（" not in concept.definition_en
    for printed in concept.printed:
        assert re.search(r"[\u4e00-\u9fff]", printed.reason_zh)
        assert re.search("[A-Za-z]", printed.reason_en)


@pytest.mark.parametrize("word", ["规章", "规范性文件"])
def test_concepts_call_a_kind_of_document_what_the_cells_call_it(word: str) -> None:
    named = {"规章": "Rules (规章)", "规范性文件": "Normative documents"}[word]
    row = {"规章": "disclosure.regulations", "规范性文件": "disclosure.normative_documents"}[word]
    assert english_label(f"{row}.in_force").startswith(named)
    labels = [one.label_en for one in ALL if word in one.label_zh]
    assert len(labels) == 4
    assert [label for label in labels if not label.startswith(named)] == []


def test_labels_are_told_apart() -> None:
    assert len({one.label_en for one in ALL}) == len({one.label_zh for one in ALL}) == len(ALL) == 270


def test_what_an_edition_prints_in_another_unit_breaks_the_series() -> None:
    """规范性文件 of 2014 are counted in 条, 处理决定 of 2019 in 项; the concepts in 件."""
    differing = {
        (one.concept, p.edition): p.comparability
        for one in ALL
        for p in one.printed
        for way in p.ways
        for cell in way
        if forms()[p.edition].cells[cell].unit != one.unit
    }
    assert differing == {
        ("norm_disclosed", "2014"): "break",
        ("lic_decisions", "2019"): "break",
        ("pen_decisions", "2019"): "break",
        ("coer_decisions", "2019"): "break",
    }


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        ("app_new", {"2014": "exact", "2019": "exact", "2021": "exact"}),
        ("app_handled", {"2014": "break", "2019": "exact", "2021": "exact"}),
        ("app_granted", {"2014": "narrower", "2019": "exact", "2021": "exact"}),
        ("app_ref_by_law", {"2014": "broader", "2019": "exact", "2021": "exact"}),
        ("norm_issued", {"2014": "broader", "2019": "break", "2021": "exact"}),
        ("reg_in_force", {"2019": "break", "2021": "exact"}),
        ("fee_amount", {"2021": "exact"}),
        ("app_new_business", {"2019": "exact", "2021": "exact"}),
    ],
)
def test_how_far_the_editions_agree(concept: str, expected: dict[str, str]) -> None:
    assert {p.edition: p.comparability for p in BY_NAME[concept].printed} == expected


def test_other_handling_is_one_printed_row_or_three() -> None:
    printed = BY_NAME["app_oth_handling_research"].in_edition("2021")
    assert printed is not None
    assert printed.ways == (
        ("applications.other_handling.research",),
        (
            "applications.other_uncorrected.research",
            "applications.other_unpaid.research",
            "applications.other_rest.research",
        ),
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "app_new"', 'id = "App-New"', "expected an id"),
        ('en = "Applications received in the year"', f'en = "{"x" * 81}"', "at most 80"),
        ('is = "narrower"', 'is = "smaller"', "expected one of"),
        ('because = "answered"', 'because = "nothing"', "'nothing'"),
        ('id = "app_closed"', 'id = "app_granted"', "more than once"),
        ('id = "app_closed"', 'id = "app_closed"\ncolour = "red"', "unknown keys"),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = CONCEPTS_FILE.read_text("utf-8")
    assert old in text
    path = tmp_path / "concepts.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(FormFileError, match=re.escape(message)):
        load_concepts(path)


def test_a_cell_may_be_left_out_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "concepts.toml"
    left_out = '\n[[without]]\nform = "2021"\ncell = "applications.new.total"\nbecause = "only_edition"\n'
    path.write_text(CONCEPTS_FILE.read_text("utf-8") + left_out, "utf-8")
    (one,) = load_concepts(path).without
    assert (one.edition, one.cell) == ("2021", "applications.new.total")
    assert one.reason_en.startswith("Only this edition")


def test_the_page_of_concepts_is_up_to_date() -> None:
    found = (Path(__file__).parents[2] / "docs" / "concepts.md").read_text("utf-8")
    assert found == markdown(concepts()), "run: python -m parsers.concept_pages > docs/concepts.md"


def test_the_page_says_why_a_cell_has_no_concept(tmp_path: Path) -> None:
    path = tmp_path / "concepts.toml"
    left_out = '\n[[without]]\nform = "2021"\ncell = "applications.new.total"\nbecause = "only_edition"\n'
    path.write_text(CONCEPTS_FILE.read_text("utf-8") + left_out, "utf-8")
    assert "- 2021 `applications.new.total`: 仅此一版" in markdown(load_concepts(path))
