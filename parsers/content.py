"""What a document says, as lines: two of the same lines differ in their layout at most.

Left out is what changes by itself from one request to the next: click counters, clocks, the page around the article,
meta tags that say when the page was generated.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from hashlib import sha256

from parsers.model import Page, Reading
from parsers.spacing import squeeze

_PAGE_FIELDS = (
    "title",
    "published_date",
    "written_date",
    "publisher",
    "index_number",
    "document_number",
)
_COUNTER = re.compile(r"[【\[（(]?(?:浏览|点击|阅读|访问)(?:次数|人次|数|量|率)[:：]\d*次?[】\]）)]?")
_CLOCK = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日星期[一二三四五六日天](?:\d{1,2}:\d{2}(?::\d{2})?)?")
_CLOCK_STARTS = re.compile(r"(?:今天是|现在是|当前时间|现在时间|北京时间|打印时间|页面生成时间)")
# Longer lines are sentences: a number of visits in them is a statement.
_LONGEST_FURNITURE = 60
# Less than this is a heading that many pages share.
_LEAST_ESSENCE = 40
_LONGEST_DIFF = 100_000


def content_lines(reading: Reading, page: Page | None) -> tuple[str, ...]:
    """What the document says, a statement a line; () where its parts are not known well enough to be compared.

    Of files only reports are understood well enough: of anything else each new payload counts as new content.
    """
    if reading.error is not None or (page is None and reading.kind != "annual_report"):
        return ()
    return (*_essence(reading, page), *_links(page))


def essence_lines(reading: Reading, page: Page | None) -> tuple[str, ...]:
    """`content_lines` without addresses, by which a document is known again elsewhere; () when it says too little."""
    lines = () if not content_lines(reading, page) else tuple(_essence(reading, page))
    return lines if sum(map(len, lines)) >= _LEAST_ESSENCE else ()


def digest_of(lines: tuple[str, ...]) -> str:
    """`sha256:` and the digest of the lines."""
    return f"sha256:{sha256(chr(10).join(lines).encode('utf-8', 'surrogatepass')).hexdigest()}"


def text_diff(old: tuple[str, ...], new: tuple[str, ...]) -> str:
    """A unified diff of two contents with a line of context, cut at 100,000 characters."""
    lines = difflib.unified_diff(old, new, "before", "after", n=1, lineterm="")
    return "\n".join(lines)[:_LONGEST_DIFF]


def changed_cells(old: Reading, new: Reading) -> tuple[tuple[str, str | None, str | None], ...]:
    """Cells printed differently: name, text before, text now; None where a reading does not have the cell."""
    before, after = ({fact.cell: fact.raw for fact in reading.facts} for reading in (old, new))
    names = [*after, *(cell for cell in before if cell not in after)]
    return tuple(
        (cell, before.get(cell), after.get(cell))
        for cell in names
        if squeeze(before.get(cell) or "") != squeeze(after.get(cell) or "")
    )


def _essence(reading: Reading, page: Page | None) -> Iterator[str]:
    if page is not None:
        for name in _PAGE_FIELDS:
            labelled = getattr(page, name)
            # A day that only the address gives is no statement of the page.
            if labelled is not None and labelled.origin != "url":
                yield f"{name}: {squeeze(labelled.value)}"
        yield from _text(page.text)
    if reading.kind != "annual_report":
        return
    for name in ("title", "agency", "report_year", "published_date", "signed_date", "form"):
        value = getattr(reading, name)
        if value is not None and not (page is not None and name in ("title", "published_date")):
            yield f"report.{name}: {squeeze(str(value))}"
    if page is None:
        for section in reading.sections:
            yield from _text(f"{section.heading}\n{section.text}")
    for fact in reading.facts:
        if fact.status != "absent":
            yield f"{fact.cell}: {squeeze(fact.raw)}"


def _text(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        said = squeeze(line)
        if len(said) <= _LONGEST_FURNITURE:
            if _CLOCK_STARTS.match(said) or _CLOCK.fullmatch(said):
                continue
            said = _COUNTER.sub("", said)
        if said:
            yield said


def _links(page: Page | None) -> Iterator[str]:
    for link in page.attachments if page else ():
        yield f"file: {squeeze(link.name or link.text)} {link.url}"
