"""What breaks readers of reports, one named change at a time.

Each trouble takes a printed report and a source of chance and gives the report as a careless office would have printed
it, with the truth changed where the document now says something else. All have been met in real reports, but for the
last three, which are there because a reader that goes by position alone would not notice them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from crawler.replica import layout
from crawler.replica.layout import FormName, Row, Slot, Table
from crawler.replica.reports import (
    AMOUNTS,
    Expected,
    Number,
    Printed,
    Text,
    dice,
    draw_report,
    format_number,
    lay_out,
)

Change = Callable[[Printed, random.Random], Printed]
ALL: frozenset[FormName] = frozenset({"2014", "2019", "2021"})
TABLES: frozenset[FormName] = frozenset({"2019", "2021"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """`forms` are those on which it can happen; `effect` says what it does to the truth, "" when nothing.

    `layout` marks those that move cells: at most one of them makes sense at a time, and it comes first.
    """

    name: str
    apply: Change
    forms: frozenset[FormName]
    effect: str = ""
    layout: bool = False


def with_troubles(printed: Printed, names: Iterable[str], seed: int | str) -> Printed:
    """The report with these troubles in this order; a trouble that cannot happen on its form is left out."""
    for name in names:
        trouble = TROUBLES[name]
        if printed.form in trouble.forms:
            changed = trouble.apply(printed, dice(seed, name))
            printed = replace(changed, troubles=(*printed.troubles, name))
    return printed


# Values -----------------------------------------------------------------------------------------------------------


def _reprint(printed: Printed, texts: Mapping[str, str], truth: Mapping[str, Expected] | None = None) -> Printed:
    """Other texts in the slots of some cells, and another truth about some cells."""

    def change(slot: Slot) -> Slot:
        return replace(slot, text=texts[slot.cell]) if slot.cell in texts else slot

    return replace(
        _map_tables(printed, lambda table: layout.change_slots(table, change)), truth={**printed.truth, **(truth or {})}
    )


def _map_tables(printed: Printed, change: Callable[[Table], Table]) -> Printed:
    blocks = tuple(change(block) if isinstance(block, Table) else block for block in printed.blocks)
    return replace(printed, blocks=blocks)


def _some(printed: Printed, chance: random.Random, share: float) -> list[str]:
    """A part of the cells that print a number, at least one."""
    cells = [cell for cell, expected in printed.truth.items() if expected.status == "reported"]
    return [cell for cell in cells if chance.random() < share] or cells[:1]


def _printed_cells(printed: Printed) -> set[str]:
    return {cell for cell, expected in printed.truth.items() if expected.status != "absent"}


def _reported(printed: Printed) -> dict[str, Number]:
    return {cell: expected.value for cell, expected in printed.truth.items() if expected.value is not None}


def _empty_cells(text: str) -> Change:
    def apply(printed: Printed, chance: random.Random) -> Printed:
        cells = _some(printed, chance, 0.12)
        return _reprint(printed, dict.fromkeys(cells, text), dict.fromkeys(cells, Expected(None, "blank")))

    return apply


def _blank_columns(printed: Printed, chance: random.Random) -> Printed:
    people = [column for column, _ in layout.COLUMNS[1:6]]
    empty = set(chance.sample(people, chance.randint(1, 5)))
    cells = [c for c in _printed_cells(printed) if c.startswith("applications.") and c.rpartition(".")[2] in empty]
    return _reprint(printed, dict.fromkeys(cells, ""), dict.fromkeys(cells, Expected(None, "blank")))


def _thousands(printed: Printed, chance: random.Random) -> Printed:  # noqa: ARG001
    texts = {cell: f"{value:,}" for cell, value in _reported(printed).items() if value >= 1000}
    return _reprint(printed, texts)


def _units_in_cells(printed: Printed, chance: random.Random) -> Printed:
    texts = {}
    for cell in _some(printed, chance, 0.15):
        unit = _unit(printed.form, cell)
        texts[cell] = f"{format_number(printed.truth[cell].value)}{chance.choice(['', ' '])}{unit}"
    return _reprint(printed, texts)


def _unit(form: FormName, cell: str) -> str:
    if cell == "disclosure.procurement.amount":
        return "元"
    if cell in AMOUNTS:
        return "万元"
    if form == "2019" and cell.startswith("disclosure.") and "documents" not in cell and "regulations" not in cell:
        return "项"
    return (
        "条" if form == "2014" and cell in ("disclosure.total", "channels.website") else "" if form == "2014" else "件"
    )


def _amount_in_wan_yuan(printed: Printed, chance: random.Random) -> Printed:
    """An amount in 万元 in a cell that is in 元: the value stays in 元."""
    printed_wan = Decimal(chance.randint(1001, 99999)) / 100
    value = int(printed_wan * 10_000)
    cell = "disclosure.procurement.amount"
    if cell not in _printed_cells(printed):
        return printed
    return _reprint(printed, {cell: f"{printed_wan}万元"}, {cell: Expected(value, "reported")})


def _notes_in_cells(printed: Printed, chance: random.Random) -> Printed:
    notes = ("（其中修订{0}件）", "（含自然失效{0}件）", "（含上年{0}件）")
    texts = {}
    for cell in _some(printed, chance, 0.04):
        note = chance.choice(notes).format(chance.randint(1, 29))
        texts[cell] = f"{format_number(printed.truth[cell].value)}{note}"
    return _reprint(printed, texts)


_FULL_WIDTH = str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")


def _full_width_digits(printed: Printed, chance: random.Random) -> Printed:
    texts = {
        cell: format_number(printed.truth[cell].value).translate(_FULL_WIDTH) for cell in _some(printed, chance, 0.5)
    }
    return _reprint(printed, texts)


def _spaces_in_numbers(printed: Printed, chance: random.Random) -> Printed:
    texts = {}
    for cell, value in _reported(printed).items():
        text = format_number(value)
        if len(text) > 1 and text.isdigit() and chance.random() < 0.3:
            cut = chance.randint(1, len(text) - 1)
            texts[cell] = f"{text[:cut]} {text[cut:]}"
    return _reprint(printed, texts)


def _signs(printed: Printed, chance: random.Random) -> Printed:
    texts = {}
    for cell, value in _reported(printed).items():
        if cell.endswith(".items_change") and value:
            sign = "+" if value > 0 else chance.choice(["-", "－", "−"])
            texts[cell] = f"{sign}{abs(value)}"
    return _reprint(printed, texts)


def _decimals(printed: Printed, chance: random.Random) -> Printed:
    values = {
        cell: Decimal(chance.randint(1001, 9_999_999)) / 1000 for cell in sorted(AMOUNTS & _printed_cells(printed))
    }
    texts = {cell: f"{value}" for cell, value in values.items()}
    return _reprint(printed, texts, {cell: Expected(value, "reported") for cell, value in values.items()})


def _printed_error(printed: Printed, chance: random.Random) -> Printed:
    """A total that is not the sum of its parts: it stays what the document says."""
    totals = [c for c in _reported(printed) if c.endswith((".total", ".received"))]
    cell = chance.choice(totals)
    value = (printed.truth[cell].value or 0) + chance.randint(1, 9)
    return _reprint(printed, {cell: format_number(value)}, {cell: Expected(value, "reported")})


# Labels -----------------------------------------------------------------------------------------------------------


def _relabel(printed: Printed, change: Callable[[str], str]) -> Printed:
    def label(slot: Slot) -> Slot:
        return slot if slot.cell or not slot.text else replace(slot, text=change(slot.text))

    return _map_tables(printed, lambda table: layout.change_slots(table, label))


def _dropped_characters(printed: Printed, chance: random.Random) -> Printed:
    """Characters that a private font or a careless copy lost; never the number in front."""

    def drop(text: str) -> str:
        if len(text) < 8 or chance.random() > 0.2:
            return text
        place = chance.randrange(5, len(text))
        return text[:place] + text[place + 1 :]

    return _relabel(printed, drop)


_VARIANTS = (
    ("行政规范性文件", "规范性文件"),
    ("只计这一情形", "只记这一情形"),
    ("处理决定数量", "处理决定数里"),
    ("不再处理", "不在处理"),
    ("（", "("),
    ("）", ")"),
    ("1.", "1．"),
    ("2.", "2、"),
    ("“三安全一稳定”", '"三安全一稳定"'),
    ("申请数量", "申请数"),
    ("本年度办理结果", "本年度办理 结果"),
    ("（单位：万元）", "(万元)"),
    ("法律服务机构", "法律服务 机构"),
)


def _label_variants(printed: Printed, chance: random.Random) -> Printed:
    pairs = [pair for pair in _VARIANTS if chance.random() < 0.5]

    def change(text: str) -> str:
        for official, variant in pairs:
            text = text.replace(official, variant)
        return text

    return _relabel(printed, change)


def _broken_headers(printed: Printed, chance: random.Random) -> Printed:
    """Column headings with a line break in the middle, as narrow columns force it."""

    def broken(table: Table) -> Table:
        if table.name == "disclosure":
            return table
        rows = [
            tuple(
                _break_line(slot, chance) if number < table.header_rows and len(slot.text) == 4 else slot
                for slot in row
            )
            for number, row in enumerate(table.rows)
        ]
        return replace(table, rows=tuple(rows))

    return _map_tables(printed, broken)


def _break_line(slot: Slot, chance: random.Random) -> Slot:
    return replace(slot, text=f"{slot.text[:2]}\n{slot.text[2:]}") if chance.random() < 0.7 else slot


def _instructions_in_labels(printed: Printed, chance: random.Random) -> Printed:  # noqa: ARG001
    """The form's own filling notes left in the headings, sample numbers and all."""
    notes = {
        "本年增/减": "本年增/减（增加填正数，减少填负数，如-8）",
        "现行有效件数": "现行有效件数（截至12月31日）",
        "（七）总计": "（七）总计（第1至6项之和）",
    }
    return _relabel(printed, lambda text: notes.get(text, text))


def _stray_zero(printed: Printed, chance: random.Random) -> Printed:  # noqa: ARG001
    return _relabel(printed, lambda text: f"0{text}" if text.startswith("四、结转") else text)


def _restarted_numbers(printed: Printed, chance: random.Random) -> Printed:  # noqa: ARG001
    """Section numbers that begin again after the tables."""
    renumbered = {"五、": "一、", "六、": "二、"}

    def change(block: Text | Table) -> Text | Table:
        if isinstance(block, Table) or block.role != "heading" or block.text[:2] not in renumbered:
            return block
        return replace(block, text=renumbered[block.text[:2]] + block.text[2:])

    return replace(printed, blocks=tuple(map(change, printed.blocks)))


def _numbers_before_tables(printed: Printed, chance: random.Random) -> Printed:
    """A sentence with numbers between a section's heading and its table."""
    blocks: list[Text | Table] = []
    for block in printed.blocks:
        if isinstance(block, Table):
            first, second = chance.randint(2, 90), chance.randint(2, 90)
            blocks.append(Text(f"本年度制发规范性文件{first}件，收到申请{second}件，其中自然人{second - 1}件。"))
        blocks.append(block)
    return replace(printed, blocks=tuple(blocks))


# Rows and columns -------------------------------------------------------------------------------------------------


def _map_named(printed: Printed, name: str, change: Callable[[Table], Table]) -> Printed:
    return _map_tables(printed, lambda table: change(table) if table.name == name else table)


def _extra_row(printed: Printed, chance: random.Random) -> Printed:
    """A row no form knows, below the 规范性文件 row."""
    numbers = [str(chance.randint(0, 300)) for _ in range(3)]

    def change(table: Table) -> Table:
        place = next(i for i, row in enumerate(table.rows) if "规范性文件" in row[0].text) + 1
        row: Row = (Slot("其他主动公开文件"), *(Slot(number) for number in numbers))
        return replace(table, rows=(*table.rows[:place], row, *table.rows[place:]))

    return _map_named(printed, "disclosure", change)


def _key(row: Row) -> str:
    """The row key of table 三 (`granted`), "" for a row without values of it."""
    cell = next((slot.cell for slot in row if slot.cell), "")
    return cell.split(".")[1] if cell.startswith("applications.") and cell.count(".") == 2 else ""


def _without_row(table: Table, place: int) -> Table:
    """The table without a row in which no merged cell begins."""
    rows: list[Row] = []
    for number, row in enumerate(table.rows):
        if number == place:
            continue
        shortened = (
            replace(slot, row_span=slot.row_span - 1) if number < place < number + slot.row_span else slot
            for slot in row
        )
        rows.append(tuple(shortened))
    return replace(table, rows=tuple(rows))


def _missing_row(printed: Printed, chance: random.Random) -> Printed:
    name = "statistics" if printed.form == "2014" else "applications"
    table = next(table for table in printed.tables if table.name == name)
    places = [
        place
        for place, row in enumerate(table.rows)
        if any(slot.cell for slot in row) and all(slot.row_span == 1 for slot in row) and place >= table.header_rows
    ]
    place = chance.choice(places)
    gone = [slot.cell for slot in table.rows[place] if slot.cell]
    truth = {**printed.truth, **dict.fromkeys(gone, Expected(None, "absent"))}
    return replace(_map_named(printed, name, lambda table: _without_row(table, place)), truth=truth)


def _single_other_row(printed: Printed, chance: random.Random) -> Printed:  # noqa: ARG001
    """（六）其他处理 of the form of 2021 printed as one undivided row."""
    parts = ("other_uncorrected", "other_unpaid", "other_rest")
    truth = dict(printed.truth)
    values: list[Slot] = []
    for column, _ in layout.COLUMNS:
        numbers = [truth[f"applications.{part}.{column}"].value for part in parts]
        total = None if None in numbers else sum(number for number in numbers if number is not None)
        cell = f"applications.other_handling.{column}"
        truth[cell] = Expected(total, "blank" if total is None else "reported")
        values.append(Slot(format_number(total), cell=cell))
        for part in parts:
            truth[f"applications.{part}.{column}"] = Expected(None, "absent")

    def change(table: Table) -> Table:
        places = [place for place, row in enumerate(table.rows) if _key(row) in parts]
        for place in reversed(places[1:]):
            table = _without_row(table, place)
        label = replace(table.rows[places[0]][0], row_span=1, column_span=2)
        return replace(table, rows=(*table.rows[: places[0]], (label, *values), *table.rows[places[0] + 1 :]))

    return replace(_map_named(printed, "applications", change), truth=truth)


def _shifted_total_row(printed: Printed, chance: random.Random) -> Printed:  # noqa: ARG001
    """（七）总计 printed one column too far left, an empty cell at its end."""

    def change(table: Table) -> Table:
        rows = [
            (replace(row[0], column_span=1), *row[1:], Slot("")) if _key(row) == "handled_total" else row
            for row in table.rows
        ]
        return replace(table, rows=tuple(rows))

    return _map_named(printed, "applications", change)


def _stray_cell(printed: Printed, chance: random.Random) -> Printed:
    """An empty cell too many at the end of one row of values."""

    def change(table: Table) -> Table:
        places = [place for place, row in enumerate(table.rows) if _key(row)]
        if not places:
            # Another trouble took the table away.
            return table
        place = chance.choice(places)
        rows = [(*row, Slot("")) if number == place else row for number, row in enumerate(table.rows)]
        return replace(table, rows=tuple(rows), widths=(*table.widths, 0.6))

    return _map_named(printed, "applications", change)


def _doubled_label_column(printed: Printed, chance: random.Random) -> Printed:  # noqa: ARG001
    """The label column of section two printed twice."""

    def change(table: Table) -> Table:
        rows = [
            (replace(row[0], column_span=5),) if row[0].column_span == 4 else (row[0], row[0], *row[1:])
            for row in table.rows
        ]
        return replace(table, rows=tuple(rows), widths=(table.widths[0], *table.widths))

    return _map_named(printed, "disclosure", change)


def _split_review(printed: Printed, chance: random.Random) -> Printed:  # noqa: ARG001
    """Table 四 as three tables of five cells."""
    blocks: list[Text | Table] = []
    for block in printed.blocks:
        if isinstance(block, Text) or block.name != "review":
            blocks.append(block)
            continue
        values = block.rows[-1]
        outcomes = tuple(Slot(text) for _, text in layout.OUTCOMES)
        heads: tuple[tuple[Row, ...], ...] = (
            ((Slot("行政复议", column_span=5),),),
            ((Slot("行政诉讼", column_span=5),), (Slot("未经复议直接起诉", column_span=5),)),
            ((Slot("行政诉讼", column_span=5),), (Slot("复议后起诉", column_span=5),)),
        )
        for number, head in enumerate(heads):
            rows = (*head, outcomes, values[number * 5 : number * 5 + 5])
            blocks.append(Table("review", rows, len(head) + 1, (1.0,) * 5))
    return replace(printed, blocks=tuple(blocks))


def _two_years(printed: Printed, chance: random.Random) -> Printed:
    """The tables of the year before after the report, for comparison."""
    before = lay_out(
        draw_report(
            chance.randrange(1 << 30), agency=printed.agency, year=printed.year - 1, form=printed.form, mode="distinct"
        )
    )
    added: list[Text | Table] = [Text(f"附：{printed.year - 1}年度数据", "heading")]
    added += [layout.change_slots(table, lambda slot: replace(slot, cell="")) for table in before.tables]
    return replace(printed, blocks=(*printed.blocks, *added))


def _missing_table(printed: Printed, chance: random.Random) -> Printed:
    """A section that says in words that there is nothing to count, and prints no table."""
    name = chance.choice(["disclosure", "applications", "review"])
    table = next(table for table in printed.tables if table.name == name)
    gone = [slot.cell for row in table.rows for slot in row if slot.cell]
    blocks = tuple(
        Text("本年度未发生相关事项。") if isinstance(block, Table) and block.name == name else block
        for block in printed.blocks
    )
    return replace(printed, blocks=blocks, truth={**printed.truth, **dict.fromkeys(gone, Expected(None, "absent"))})


# What a reader that goes by position alone would not notice --------------------------------------------------------


def _missing_column(printed: Printed, chance: random.Random) -> Printed:
    """One body of applicants left out of table 三, heading and all."""
    number = chance.randint(1, 4)
    key, heading = layout.COLUMNS[number]
    gone = [cell for cell in printed.truth if cell.startswith("applications.") and cell.endswith(f".{key}")]

    def change(table: Table) -> Table:
        rows: list[Row] = []
        for place, row in enumerate(table.rows):
            kept = [slot for slot in row if not slot.cell.endswith(f".{key}") and slot.text != heading]
            if place < 2:
                kept = [replace(s, column_span=s.column_span - 1) if s.column_span in (5, 7) else s for s in kept]
            rows.append(tuple(kept))
        return replace(table, rows=tuple(rows), widths=table.widths[:-1])

    truth = {**printed.truth, **dict.fromkeys(gone, Expected(None, "absent"))}
    return replace(_map_named(printed, "applications", change), truth=truth)


def _swapped_columns(printed: Printed, chance: random.Random) -> Printed:
    """Two bodies of applicants in another order, headings with their numbers."""
    first, second = sorted(chance.sample(range(1, 6), 2))

    def swap(row: Row, start: int) -> Row:
        slots = list(row)
        a, b = len(slots) - start + first, len(slots) - start + second
        slots[a], slots[b] = slots[b], slots[a]
        return tuple(slots)

    def change(table: Table) -> Table:
        rows = [swap(row, 6) if n == 2 else swap(row, 7) if _key(row) else row for n, row in enumerate(table.rows)]
        return replace(table, rows=tuple(rows))

    return _map_named(printed, "applications", change)


def _swapped_rows(printed: Printed, chance: random.Random) -> Printed:
    """Two neighbouring rows of one group in another order, their numbers in front as printed on the form."""

    def change(table: Table) -> Table:
        places = [
            place
            for place, row in enumerate(table.rows[:-1])
            if _key(row).split("_")[0] == _key(table.rows[place + 1]).split("_")[0] != ""
            and all(slot.row_span == 1 for slot in (*row, *table.rows[place + 1]))
            and len(row) == len(table.rows[place + 1]) == 8
        ]
        place = chance.choice(places)
        rows = list(table.rows)
        rows[place], rows[place + 1] = rows[place + 1], rows[place]
        return replace(table, rows=tuple(rows))

    return _map_named(printed, "applications", change)


_BLANK = "the cells become blank"
TROUBLES: Mapping[str, Trouble] = {
    trouble.name: trouble
    for trouble in (
        Trouble("blank_columns", _blank_columns, TABLES, _BLANK),
        Trouble("empty_cells", _empty_cells(""), ALL, _BLANK),
        Trouble("slashes", _empty_cells("/"), ALL, _BLANK),
        Trouble("dashes", _empty_cells("—"), ALL, _BLANK),
        Trouble("hyphens", _empty_cells("-"), ALL, _BLANK),
        Trouble("nothing_in_words", _empty_cells("无"), ALL, _BLANK),
        Trouble("thousands_commas", _thousands, ALL),
        Trouble("units_in_cells", _units_in_cells, ALL),
        Trouble("amount_in_wan_yuan", _amount_in_wan_yuan, frozenset({"2019"}), "the amount is another"),
        Trouble("notes_in_cells", _notes_in_cells, ALL),
        Trouble("full_width_digits", _full_width_digits, ALL),
        Trouble("spaces_in_numbers", _spaces_in_numbers, ALL),
        Trouble("signs", _signs, frozenset({"2019"})),
        Trouble("decimals", _decimals, ALL, "the amounts are others"),
        Trouble("printed_error", _printed_error, ALL, "one total is what is printed"),
        Trouble("dropped_characters", _dropped_characters, ALL),
        Trouble("label_variants", _label_variants, ALL),
        Trouble("broken_headers", _broken_headers, TABLES),
        Trouble("instructions_in_labels", _instructions_in_labels, TABLES),
        Trouble("stray_zero", _stray_zero, TABLES),
        Trouble("restarted_numbers", _restarted_numbers, TABLES),
        Trouble("numbers_before_tables", _numbers_before_tables, ALL),
        Trouble("extra_row", _extra_row, TABLES, layout=True),
        Trouble("missing_row", _missing_row, ALL, "the row's cells become absent", layout=True),
        Trouble(
            "single_other_row",
            _single_other_row,
            frozenset({"2021"}),
            "21 cells absent, 7 of other_handling",
            layout=True,
        ),
        Trouble("shifted_total_row", _shifted_total_row, TABLES, layout=True),
        Trouble("stray_cell", _stray_cell, TABLES, layout=True),
        Trouble("doubled_label_column", _doubled_label_column, TABLES, layout=True),
        Trouble("split_review", _split_review, TABLES, layout=True),
        Trouble("two_years", _two_years, ALL, layout=True),
        Trouble("missing_table", _missing_table, TABLES, "the table's cells become absent", layout=True),
        Trouble("missing_column", _missing_column, TABLES, "the column's cells become absent", layout=True),
        Trouble("swapped_columns", _swapped_columns, TABLES, layout=True),
        Trouble("swapped_rows", _swapped_rows, TABLES, layout=True),
    )
}
