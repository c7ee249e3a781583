"""docs/concepts.md: every concept with its definition, its cells in each edition, and how far they agree.

python -m parsers.concept_pages > docs/concepts.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from parsers.concepts import Concept, Concepts, Printed, concepts

_WORDS = {"exact": "exact 相同", "broader": "broader 较宽", "narrower": "narrower 较窄", "break": "**break 中断**"}


def markdown(book: Concepts) -> str:
    return "\n".join(_lines(book)) + "\n"


def _lines(book: Concepts) -> Iterator[str]:
    yield "# Concepts 概念"
    yield ""
    yield "<!-- Made from parsers/forms/concepts.toml by: python -m parsers.concept_pages > docs/concepts.md -->"
    yield ""
    yield "What the panel measures ([panel.md](panel.md)): a value of `concept` in `panel`, a column of `panel_wide`."
    yield "A sum has a value only when every cell has a number. 面板数据所量度的概念；每个概念为 `panel_wide` 的一列。"
    yield ""
    yield "| comparability | means |"
    yield "|---|---|"
    yield "| exact | the edition's cells measure the concept as defined 与定义一致 |"
    yield "| broader | they count more 所数较多 |"
    yield "| narrower | they count less 所数较少 |"
    yield "| **break** | another way of counting: do not join the series; empty in `panel_wide` 口径不同，不可连接 |"
    for concept in book.concepts:
        if not concept.of:
            yield from _concept(concept, [one for one in book.concepts if one.of == concept.concept])
    if book.without:
        yield ""
        yield "## Cells without a concept 不属任何概念的单元格"
        yield ""
        yield from (f"- {one.edition} `{one.cell}`: {one.reason_zh} {one.reason_en}" for one in book.without)


def _concept(concept: Concept, by_applicant: Sequence[Concept]) -> Iterator[str]:
    yield ""
    yield f"## `{concept.concept}`"
    yield ""
    yield f"{concept.label_zh} · {concept.label_en} ({concept.unit})"
    yield ""
    yield f"{concept.definition_zh} {concept.definition_en}"
    yield ""
    yield "| form | cells | comparability | why |"
    yield "|---|---|---|---|"
    for one in concept.printed:
        why = f"{one.reason_zh} {one.reason_en}"
        yield f"| {one.edition} | {_cells(one)} | {_WORDS[one.comparability]} | {why} |"
    if by_applicant:
        yield ""
        yield "The same in the columns of applicants 各类申请人: " + ", ".join(
            f"`{one.concept}`" for one in by_applicant
        )


def _cells(one: Printed) -> str:
    return ", else ".join(" + ".join(f"`{cell}`" for cell in way) for way in one.ways)


if __name__ == "__main__":
    sys.stdout.write(markdown(concepts()))
