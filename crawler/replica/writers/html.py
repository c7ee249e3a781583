"""Reports as HTML, from plain tables to what a page keeps after pasting from Word."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from crawler.replica.layout import Row, Slot, Table
from crawler.replica.reports import Printed, Text


@dataclass(frozen=True, slots=True)
class HtmlStyle:
    """`word` gives one span per run, `<o:p>` and font tags; `split_after` cuts table 三 in two after so many rows."""

    word: bool = False
    split_after: int = 0
    heading_tag: str = "p"
    cell_tag: str = "p"


def body(printed: Printed, style: HtmlStyle | None = None) -> str:
    """The report as it stands inside the page's content box: paragraphs and tables, without html or body tags."""
    chosen = style or HtmlStyle()
    parts: list[str] = []
    for block in printed.blocks:
        if isinstance(block, Text):
            parts.append(_paragraph(block, chosen))
        else:
            parts.extend(_table(table, chosen) for table in _split(block, chosen.split_after))
    return "\n".join(parts)


def write(
    printed: Printed,
    *,
    style: HtmlStyle | None = None,
    encoding: str = "utf-8",
    declared: str = "utf-8",
) -> bytes:
    """A whole page holding nothing but the report. `declared` is the charset it claims, `encoding` the one it has."""
    text = (
        f'<!DOCTYPE html>\n<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html; charset={declared}">\n'
        f"<title>{escape(printed.title)}</title>\n</head>\n<body>\n{body(printed, style)}\n</body>\n</html>\n"
    )
    return text.encode(encoding)


def _runs(text: str) -> list[str]:
    """The text in the pieces Word makes of it: digits apart from characters."""
    runs: list[str] = []
    for character in text:
        if runs and runs[-1][-1].isdigit() == character.isdigit():
            runs[-1] += character
        else:
            runs.append(character)
    return runs


def _inline(text: str, style: HtmlStyle) -> str:
    if not style.word:
        return _run(text)
    spans = (
        f'<span style="font-size: 16pt;"><font face="仿宋_GB2312">{_run(run)}</font></span>' for run in _runs(text)
    )
    return "".join(spans) + '<span style="font-family: 仿宋;"><o:p></o:p></span>'


def _run(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>")


def _paragraph(block: Text, style: HtmlStyle) -> str:
    inner = _inline(block.text, style)
    if block.role == "title":
        return f'<p style="text-align: center;"><strong>{inner}</strong></p>'
    if block.role in ("signature", "date"):
        return f'<p style="text-align: right;">{inner}</p>'
    if block.role == "heading":
        return f"<{style.heading_tag}><b>{inner}</b></{style.heading_tag}>"
    return f'<p style="text-indent: 2em;">{inner}</p>'


def _split(table: Table, after: int) -> tuple[Table, ...]:
    """Table 三 as two tables, labels that span the cut printed in the first part only."""
    if not after or table.name != "applications" or after >= len(table.rows):
        return (table,)
    first: list[Row] = []
    second: list[Row] = [() for _ in table.rows[after:]]
    for number, row in enumerate(table.rows):
        if number >= after:
            second[number - after] = (*second[number - after], *row)
            continue
        shortened: list[Slot] = []
        for slot in row:
            over = number + slot.row_span - after
            if over <= 0:
                shortened.append(slot)
                continue
            shortened.append(Slot(slot.text, slot.row_span - over, slot.column_span, slot.cell))
            second[0] = (*second[0], Slot("", over, slot.column_span))
        first.append(tuple(shortened))
    head = Table(table.name, tuple(first), table.header_rows, table.widths)
    return head, Table(table.name, tuple(second), 0, table.widths)


def _table(table: Table, style: HtmlStyle) -> str:
    rows = []
    for row in table.rows:
        cells = "\n".join(_cell(slot, style) for slot in row)
        rows.append(f"<tr>\n{cells}\n</tr>")
    attributes = 'border="1" cellspacing="0" cellpadding="2" style="border-collapse: collapse;"'
    return f"<table {attributes}>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table>"


def _cell(slot: Slot, style: HtmlStyle) -> str:
    spans = "".join(
        f' {name}="{span}"' for name, span in (("rowspan", slot.row_span), ("colspan", slot.column_span)) if span > 1
    )
    inner = _inline(slot.text, style) if slot.text else ("&nbsp;" if style.word else "")
    if style.cell_tag:
        inner = f"<{style.cell_tag}>{inner}</{style.cell_tag}>"
    return f'<td{spans} align="center">{inner}</td>'
