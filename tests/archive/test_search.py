"""Two-character words are found, wherever they stand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from archive.search import bigrams, marked, query, snippet


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("信息公开", "信息 息公 公开 开"),
        ("依据第711号文", "依据 据第 第 711 号文 文"),
        ("公 开  指\n南", "公开 开指 指南 南"),
        ("ＧＤＰ 2021年", "gdp 2021 年"),
        ("", ""),
    ],
)
def test_text_becomes_overlapping_pairs(text: str, tokens: str) -> None:
    assert bigrams(text) == tokens


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("公开", '"公开"'),
        ("信息公开", '"信息 息公 公开"'),
        ("公开 指南", '"公开" AND "指南"'),
        ("公", '"公"*'),
        ("第711号", '"第 711 号"*'),
        ('" OR *', '"or"'),
        ("——", ""),
    ],
)
def test_queries_are_phrases_of_pairs(text: str, expression: str) -> None:
    assert query(text) == expression


TEXT = "依申请公开工作：本年收到第 711 号申请，行政复议维持结果。政府信 息公开年报。"


@pytest.fixture
def index() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(text, content='', tokenize='unicode61')")
    connection.execute("INSERT INTO t(rowid, text) VALUES (1, ?)", (bigrams(TEXT),))
    yield connection
    connection.close()


def is_found(index: sqlite3.Connection, text: str) -> bool:
    return bool(index.execute("SELECT rowid FROM t WHERE t MATCH ?", (query(text),)).fetchall())


@pytest.mark.parametrize(
    "word",
    ["公开", "申请", "复议", "请公", "年报", "政府信息公开", "第711号", "第 711 号", "711", "报", "维", "复议 年报"],
)
def test_every_part_of_the_text_is_found(index: sqlite3.Connection, word: str) -> None:
    assert is_found(index, word)


@pytest.mark.parametrize("word", ["开公", "诉讼", "第712号", "复议 诉讼", "71", "号年"])
def test_what_is_not_there_is_not_found(index: sqlite3.Connection, word: str) -> None:
    assert not is_found(index, word)


def test_a_snippet_shows_the_word_in_its_surroundings() -> None:
    assert snippet("前" * 100 + "行政 复议维持" + "后" * 100, "复议", characters=5) == "…行政复议维持后后后后…"
    assert snippet("短文", "没有") == "短文"


@pytest.mark.parametrize(
    ("text", "looked_for", "found"),
    [
        ("政策解读与回应", "解读", ["解读"]),
        ("解 读形式单一，解读", "解读", ["解 读", "解读"]),
        ("信息公开", "公开 信息公开", ["信息公开"]),
        ("PDF 与 pdf", "pdf", ["PDF", "pdf"]),
        ("<b>解读</b>", ".*", []),
        ("解读", "", []),
    ],
    ids=["two characters", "a space in between", "the longer word", "letter case", "no pattern", "nothing"],
)
def test_what_was_looked_for_is_marked_and_nothing_is_lost(text: str, looked_for: str, found: list[str]) -> None:
    pieces = marked(text, looked_for)
    assert [piece for piece, is_found in pieces if is_found] == found
    assert "".join(piece for piece, _ in pieces) == text


def test_a_snippet_is_around_the_first_of_several_words() -> None:
    text = "一" * 200 + "政策解读" + "二" * 200
    assert "政策解读" in snippet(text, "无此 解读")
