"""Whose table it is, by titles and captions. All bodies invented."""

from __future__ import annotations

import pytest

from parsers.owners import is_another, owner_named


@pytest.mark.parametrize(
    ("line", "owner"),
    [
        ("云岭县水库管理站", "云岭县水库管理站"),
        ("附件2：云岭县水库管理站2022年政府信息公开工作年度报告", "云岭县水库管理站"),
        ("附件 云岭县水库管理站行政复议、行政诉讼情况", "云岭县水库管理站"),
        ("二、云岭县水库管理站收到和处理政府信息公开申请情况", "云岭县水库管理站"),
        ("三岔河镇人民政府2022年政府信息公开工作年度报告", "三岔河镇人民政府"),
        ("四、政府信息公开行政复议、行政诉讼情况", ""),
        ("二、主动公开政府信息情况", ""),
        ("2022年度行政复议情况", ""),
        ("本机关行政复议情况", ""),
        ("全县行政复议情况", ""),
        ("云岭县水库管理站2022年没有收到政府信息公开申请。", ""),
        ("单位：件", ""),
    ],
)
def test_the_body_that_a_line_names(line: str, owner: str) -> None:
    assert owner_named(line) == owner


@pytest.mark.parametrize(
    ("ours", "other", "another"),
    [
        ("云岭县水务局", "云岭县水库管理站", True),
        ("云岭县水务局", "云岭县水务局水库管理站", True),
        ("云岭县水务局", "青石县水务局", True),
        ("云岭县", "云岭县水务局", True),
        ("云岭县", "云岭县人民政府办公室", False),
        ("云岭县人民政府", "云岭县政府", False),
        ("云岭县水务局", "水务局", False),
        ("云岭县水务局", "云岭县水务局办公室", False),
        ("云岭县水务局", "云岭县水务局", False),
    ],
)
def test_two_names_are_two_bodies_where_one_says_more_than_offices_do(ours: str, other: str, another: bool) -> None:
    assert is_another(ours, other) == is_another(other, ours) == another
