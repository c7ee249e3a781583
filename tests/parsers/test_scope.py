"""Whom a report's figures cover: only what its own words say."""

from __future__ import annotations

import pytest

from parsers.scope import Scope, scope_of


@pytest.mark.parametrize(
    ("sentence", "rule"),
    [
        ("本报告所列数据包括区政府办公室及各部门、各街道的数据。", "report_includes_others"),
        ("本年度报告涵盖全区各镇和区直单位。", "report_includes_others"),
        ("本报告根据全县各单位年度报告汇总编制。", "report_gathers_division"),
        ("2021年，全区共收到政府信息公开申请90件。", "whole_division_received"),
    ],
)
def test_words_that_take_in_others_make_an_aggregate(sentence: str, rule: str) -> None:
    assert scope_of(["某区2021年报告", f"前言。{sentence}后语。"]) == Scope("aggregate", rule, sentence)


@pytest.mark.parametrize(
    ("sentence", "rule"),
    [
        ("本报告数据仅为本机关情况。", "only_own"),
        ("本年度报告不包括下属单位。", "without_others"),
        ("本报告统计数据不含各街道、乡镇。", "without_others"),
        ("本报告不包括各区县数据。", "without_others"),
        ("编制范围不包括各部门。", "without_others"),
        ("数据范围未包含所属单位。", "without_others"),
        ("统计数据中没有包括各街道。", "without_others"),
    ],
)
def test_words_that_leave_others_out_make_it_the_bodys_own(sentence: str, rule: str) -> None:
    assert scope_of([sentence]) == Scope("own", rule, sentence)


@pytest.mark.parametrize(
    "text",
    [
        "本报告包括总体情况、主动公开政府信息情况、收到和处理政府信息公开申请情况等六个部分。",
        "我区各部门积极公开信息，公开内容包括财政预算。",
        "全区政务公开工作会议收到良好效果。",
        "本报告由办公室编制。各部门、各街道配合。",
        "本报告并非涵盖各部门。",
        "本年度报告根据《关于做好全区各单位年度报告工作的通知》编制。",
        "按照全市统一部署，我局共收到申请3件。",
        "在全市政务公开办指导下我单位收到申请3件。",
        "",
    ],
)
def test_a_text_that_does_not_say_leaves_it_unknown(text: str) -> None:
    assert scope_of([text]) == Scope()


def test_a_text_that_says_both_is_unknown_and_keeps_both_sentences() -> None:
    found = scope_of(["本报告数据包括各部门。", "本报告数据仅为本级数据。"])
    assert (found.value, found.rule) == ("unknown", "contradictory")
    assert found.evidence == "本报告数据包括各部门。 | 本报告数据仅为本级数据。"
