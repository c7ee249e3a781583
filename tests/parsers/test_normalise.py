"""Numbers and labels as reports print them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from parsers.normalise import (
    bare_key,
    is_section_heading,
    is_wordy,
    label_key,
    money_unit,
    numbering,
    read_number,
    without_instruction,
)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("0", "件", 0),
        (" 　12 ", "件", 12),
        ("12,053", "件", 12053),
        ("１２，０５３", "件", 12053),
        ("3 119", "件", 3119),
        ("1,20\n7", "件", 1207),
        ("+19", "项", 19),
        ("-8", "项", -8),
        ("－8", "项", -8),
        ("−8", "项", -8),
        ("15件", "件", 15),
        ("15 项", "件", 15),
        ("22（其中修订 16 件）", "件", 22),
        ("55(40.1%)", "件", 55),
        ("5①", "件", 5),
        ("8.0", "件", 8),
        ("0 元", "元", 0),
        ("251000元", "元", 251000),
        ("477.35万元", "元", 4773500),
        ("251000元", "万元", Decimal("25.1")),
        ("5元", "万元", Decimal("0.0005")),
        ("1.2亿元", "万元", 12000),
        ("4068.208", "万元", Decimal("4068.208")),
        ("7730.280", "万元", Decimal("7730.280")),
    ],
)
def test_a_number_is_read(text: str, unit: str, value: int | Decimal) -> None:
    printed = read_number(text, unit)
    assert (printed.status, printed.value) == ("number", value)


@pytest.mark.parametrize("text", ["", " ", "　", "-", "--", "—", "——", "－", "/", "／", "\\", "无", " 无 ", "_"])
def test_a_sign_for_nothing_is_blank(text: str) -> None:
    assert read_number(text, "件").status == "blank"


@pytest.mark.parametrize(
    "text",
    [
        *("见附件", "约50", "十二", "一", "暂无", "不涉及"),
        *("3l", "1O", "5 / 3", "5-3", "5、3", "5%", "40.1％", "*", "2023年", "①", "½"),
        *("00", "012", "1.006", "1,20", "12,05", "1,2345", "1.2.3", "9" * 40),
        *("168  168", "7\t7", "477.35万元"),
        *("12（更正为15）", "12\n（应为15）", "\u202e12"),
    ],
)
def test_no_number_is_made_of_anything_else_in_a_count(text: str) -> None:
    assert read_number(text, "件").status == "unreadable"


@pytest.mark.parametrize("text", ["9" * 16, "-" + "9" * 16, "100000000000万元", "10000000亿元"])
def test_a_number_that_is_too_long_also_in_its_unit_is_none(text: str) -> None:
    assert read_number(text, "元").status == "unreadable"


def test_fifteen_digits_are_a_number_yet() -> None:
    assert read_number("99999999999万元", "元").value == 999_999_999_990_000


@pytest.mark.parametrize(
    ("text", "unit", "oddity"),
    [
        ("12,053", "件", ""),
        ("12 053", "件", ""),
        ("276 277", "件", "spaces"),
        ("276\u00a0277", "件", "spaces"),
        ("3 11", "件", "spaces"),
        ("1,20\n7", "件", "broken_line"),
        ("22（其中修订 16 件）", "件", "note"),
        ("5①", "件", "note"),
        ("12.5", "件", "decimal_count"),
        ("12.5", "万元", ""),
        ("477.35万元", "元", "unit_converted"),
        ("-8", "项", "sign"),
    ],
)
def test_what_was_unusual_is_named(text: str, unit: str, oddity: str) -> None:
    assert read_number(text, unit).oddity == oddity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("（三） 不予公 开", "(三)不予公开"),
        ("1．属于国家秘密", "1、属于国家秘密"),
        ("3.危及“三安全一稳定”", '3. 危及"三安全一稳定"'),
        ("⼀、本年新收", "一、本年新收"),
        ("结\n果\n维\n持", "结果维持"),
    ],
)
def test_prints_of_one_label_have_one_key(one: str, other: str) -> None:
    assert label_key(one) == label_key(other)


@pytest.mark.parametrize(
    ("label", "number", "bare"),
    [
        ("（三）不予公开", "三", "不予公开"),
        ("1. 属于国家秘密", "1", "属于国家秘密"),
        ("四、结转下年度继续办理", "四", "结转下年度继续办理"),
        ("一般事项", "", "一般事项"),
        ("规章", "", "规章"),
    ],
)
def test_the_numbering_of_a_label_is_told_from_its_words(label: str, number: str, bare: str) -> None:
    assert (numbering(label), bare_key(label)) == (number, bare)


def test_the_instruction_that_ends_a_label_is_cut_off_and_its_number_kept() -> None:
    assert without_instruction("（二）部分公开（区分处理的，只计这一情形）") == "(二)部分公开"


@pytest.mark.parametrize(
    ("label", "unit"),
    [
        ("本年收费金额（单位：万元）", "万元"),
        ("采购总金额（万元）", "万元"),
        ("采购总金额(元)", "元"),
        ("采购总金额", ""),
        ("单元（含）", ""),
    ],
)
def test_the_money_unit_a_label_names(label: str, unit: str) -> None:
    assert money_unit(label) == unit


def test_words_are_told_from_the_remains_of_numbers() -> None:
    assert is_wordy("1.属于国家秘密")
    assert not any(map(is_wordy, ("12", "1,2", "", "/", "无", "22（其中修订 16 件）", "3l")))


def test_section_headings_are_told_from_row_labels() -> None:
    assert is_section_heading("三、收到和处理政府信息公开申请情况")
    assert is_section_heading("## 四、因政府信息公开工作被申请行政复议、提起行政诉讼情况")
    assert not is_section_heading("一、本年新收政府信息公开申请数量")
    assert not is_section_heading("四、行政复议数量")
