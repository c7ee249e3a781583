"""Which row a printed label names, and how sure that is."""

from __future__ import annotations

import pytest

from parsers.form import forms
from parsers.labels import CUT, FUZZY, OFFICIAL, RENUMBERED, Entry, LabelBook

ROWS = forms()["2021"].table("applications").blocks[0].rows
BOOK = LabelBook(Entry(row.label, row.also, ("三、本年度办理结果", row.group)) for row in ROWS)
STATISTICS = forms()["2014"].tables[0].blocks[0].rows
STATISTICS_BOOK = LabelBook(Entry(row.label, row.also) for row in STATISTICS)


@pytest.mark.parametrize(
    ("label", "row", "quality"),
    [
        ("(一) 予以公开", "granted", OFFICIAL),
        ("予以公开", "granted", OFFICIAL),
        ("（二）部分公开", "partly_granted", OFFICIAL),
        ("（二）部分公开（区分处理的，只计这一情", "partly_granted", OFFICIAL),
        ("（三）不予公开 1.属于国家秘密", "refused_state_secret", OFFICIAL),
        ("2.其他法律行政止公开", "refused_by_law", OFFICIAL),
        ("（七）总计（第1至6项之和）", "handled_total", CUT),
        ("0四、结转下年度继续办理", "carried_out", CUT),
        ("4.属于国家秘密", "refused_state_secret", RENUMBERED),
    ],
)
def test_a_label_by_its_official_words(label: str, row: str, quality: float) -> None:
    hit = BOOK.exact(label)
    assert hit is not None
    assert ([ROWS[index].key for index in hit.indexes], hit.quality) == ([row], quality)


@pytest.mark.parametrize(
    ("label", "row", "quality"),
    [
        ("4.无正当理由大量反复", "rejected_excessive", CUT),
        ("1.申请人无正当理由逾期不补正，行政机关", "other_uncorrected", CUT),
        ("7.属于行政执法案巻", "refused_enforcement_file", FUZZY),
    ],
)
def test_a_label_cut_short_or_misspelt(label: str, row: str, quality: float) -> None:
    assert BOOK.exact(label) is None
    hit = BOOK.loose(label)
    assert hit is not None
    assert ([ROWS[index].key for index in hit.indexes], hit.quality) == ([row], quality)


@pytest.mark.parametrize("label", ["", "属于", "其他情况说明", "（三）不予公开", "行政复议", "本年度工作"])
def test_a_label_of_nothing_in_the_table(label: str) -> None:
    assert BOOK.exact(label) is None
    assert BOOK.loose(label) is None


def test_a_label_that_begins_two_rows_names_neither() -> None:
    """维持具体行政行为数 and 维持具体行政行为或者驳回原告诉讼请求数, cut before they differ."""
    assert STATISTICS_BOOK.loose("（一）维持具体行政行为") is None


def test_a_label_printed_twice_on_the_form_names_both_rows() -> None:
    hit = STATISTICS_BOOK.exact("（二）被依法纠错数")
    assert hit is not None
    assert [STATISTICS[index].key for index in hit.indexes] == ["reconsideration.corrected", "litigation.corrected"]
