"""Reports made to mislead a reader: statutory tables with known numbers, printed as tools, CMS and people print them.

Nothing here knows how the reader works; the labels are written down once more on purpose. All agencies are invented.
"""

from __future__ import annotations

import html
import random
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

COLUMNS = {
    "natural_person": "自然人",
    "business": "商业企业",
    "research": "科研机构",
    "public_interest": "社会公益组织",
    "legal_service": "法律服务机构",
    "other": "其他",
    "total": "总计",
}
OUTCOMES = {
    "upheld": "结果维持",
    "corrected": "结果纠正",
    "other": "其他结果",
    "pending": "尚未审结",
    "total": "总计",
}
REVIEWS = {
    "reconsideration": "行政复议",
    "litigation_direct": "未经复议直接起诉",
    "litigation_after_reconsideration": "复议后起诉",
}
# Row of table three: key, group it stands in, label as printed.
ROWS = (
    ("new", "", "一、本年新收政府信息公开申请数量"),
    ("carried_in", "", "二、上年结转政府信息公开申请数量"),
    ("granted", "-", "（一）予以公开"),
    ("partly_granted", "-", "（二）部分公开（区分处理的，只计这一情形，不计其他情形）"),
    ("refused_state_secret", "（三）不予公开", "1.属于国家秘密"),
    ("refused_by_law", "（三）不予公开", "2.其他法律行政法规禁止公开"),
    ("refused_security_stability", "（三）不予公开", "3.危及“三安全一稳定”"),
    ("refused_third_party", "（三）不予公开", "4.保护第三方合法权益"),
    ("refused_internal_affairs", "（三）不予公开", "5.属于三类内部事务信息"),
    ("refused_process", "（三）不予公开", "6.属于四类过程性信息"),
    ("refused_enforcement_file", "（三）不予公开", "7.属于行政执法案卷"),
    ("refused_query", "（三）不予公开", "8.属于行政查询事项"),
    ("unable_not_held", "（四）无法提供", "1.本机关不掌握相关政府信息"),
    ("unable_must_create", "（四）无法提供", "2.没有现成信息需要另行制作"),
    ("unable_still_unclear", "（四）无法提供", "3.补正后申请内容仍不明确"),
    ("rejected_complaint", "（五）不予处理", "1.信访举报投诉类申请"),
    ("rejected_repeat", "（五）不予处理", "2.重复申请"),
    ("rejected_publication", "（五）不予处理", "3.要求提供公开出版物"),
    ("rejected_excessive", "（五）不予处理", "4.无正当理由大量反复申请"),
    ("rejected_reconfirm", "（五）不予处理", "5.要求行政机关确认或重新出具已获取信息"),
    ("other_uncorrected", "（六）其他处理", "1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请"),
    ("other_unpaid", "（六）其他处理", "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请"),
    ("other_rest", "（六）其他处理", "3.其他"),
    ("handled_total", "-", "（七）总计"),
    ("carried_out", "", "四、结转下年度继续办理"),
)
_OUTSIDE = {"new", "carried_in", "handled_total", "carried_out"}
# Section two: title of the block, its header, and each row's label with its cells.
BLOCKS = (
    (
        "第二十条第（一）项",
        ("信息内容", "本年制发件数", "本年废止件数", "现行有效件数"),
        {
            "规章": ("regulations", "issued repealed in_force"),
            "行政规范性文件": ("normative_documents", "issued repealed in_force"),
        },
    ),
    ("第二十条第（五）项", ("信息内容", "本年处理决定数量"), {"行政许可": ("licensing", "decisions")}),
    (
        "第二十条第（六）项",
        ("信息内容", "本年处理决定数量"),
        {"行政处罚": ("penalties", "decisions"), "行政强制": ("coercive_measures", "decisions")},
    ),
    ("第二十条第（八）项", ("信息内容", "本年收费金额（单位：万元）"), {"行政事业性收费": ("fees", "amount")}),
)
AGENCY, YEAR, SIGNED = "云岭县水务局", 2022, "2023-01-12"


@dataclass(frozen=True)
class Box:
    """A printed cell; `cell` is the form's name for it where it holds a value."""

    text: str = ""
    rows: int = 1
    columns: int = 1
    cell: str = ""


Table = list[list[Box]]
Truth = dict[str, int | None]
# The three tables of a report, each turned into what a format prints.
Change = Callable[[str, Table], Table]


def truth(seed: int, *, blanks: float = 0.0, sums_hold: bool = True) -> Truth:
    """Every cell of the 2021 form with its number (None: printed empty). Numbers differ, so that a shift shows."""
    rng = random.Random(seed)
    pool = iter(rng.sample(range(2, 3000), 400))
    cells: Truth = {name: next(pool) for name in _disclosure_cells()}
    inner = [key for key, _, _ in ROWS if key not in _OUTSIDE]
    people = [column for column in COLUMNS if column != "total"]
    table = {(key, column): next(pool) for key in (*inner, "carried_out", "carried_in") for column in people}
    for column in people:
        table["handled_total", column] = sum(table[key, column] for key in inner)
        ends = table["handled_total", column] + table["carried_out", column]
        table["carried_in", column] %= 50
        table["new", column] = ends - table["carried_in", column]
    for key, _, _ in ROWS:
        table[key, "total"] = sum(table[key, column] for column in people)
    cells.update({f"applications.{key}.{column}": number for (key, column), number in table.items()})
    for group in REVIEWS:
        found = {outcome: next(pool) for outcome in OUTCOMES if outcome != "total"}
        found["total"] = sum(found.values())
        cells.update({f"review.{group}.{outcome}": number for outcome, number in found.items()})
    if not sums_hold:
        cells.update({name: next(pool) for name in cells if name.endswith(".total")})
    return {name: None if rng.random() < blanks else number for name, number in cells.items()}


def _disclosure_cells() -> list[str]:
    return [
        f"disclosure.{key}.{column}"
        for _, _, rows in BLOCKS
        for key, columns in rows.values()
        for column in columns.split()
    ]


def tables(cells: Truth, printed: dict[str, str] | None = None) -> dict[str, Table]:
    """The three tables by name; `printed` says how a cell is printed instead of in plain digits."""
    said = printed or {}

    def box(cell: str, columns: int = 1) -> Box:
        number = cells[cell]
        return Box(said.get(cell, "" if number is None else str(number)), 1, columns, cell)

    return {"disclosure": _section_two(box), "applications": _section_three(box), "review": _section_four(box)}


def _section_two(box: Callable[..., Box]) -> Table:
    table: Table = []
    for title, header, rows in BLOCKS:
        last = 5 - len(header)
        table.append([Box(title, 1, 4)])
        table.append([Box(text, 1, last if text == header[-1] else 1) for text in header])
        for label, (key, columns) in rows.items():
            names = [f"disclosure.{key}.{column}" for column in columns.split()]
            table.append([Box(label), *(box(name, last if name == names[-1] else 1) for name in names)])
    return table


def _section_three(box: Callable[..., Box]) -> Table:
    words = list(COLUMNS.values())
    table: Table = [
        [Box("（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）", 3, 3), Box("申请人情况", 1, 7)],
        [Box(words[0], 2), Box("法人或其他组织", 1, 5), Box(words[-1], 2)],
        [Box(word) for word in words[1:-1]],
    ]
    inside = sum(1 for _, group, _ in ROWS if group)
    seen: set[str] = set()
    for key, group, label in ROWS:
        row: list[Box] = []
        if group and "三" not in seen:
            row.append(Box("三、本年度办理结果", inside))
            seen.add("三")
        if group not in ("", "-") and group not in seen:
            row.append(Box(group, sum(1 for _, other, _ in ROWS if other == group)))
            seen.add(group)
        row.append(Box(label, 1, 3 if not group else 2 if group == "-" else 1))
        table.append([*row, *(box(f"applications.{key}.{column}") for column in COLUMNS)])
    return table


def _section_four(box: Callable[..., Box]) -> Table:
    first, second, third = REVIEWS.values()
    outcomes = list(OUTCOMES.values())
    return [
        [Box(first, 1, 5), Box("行政诉讼", 1, 10)],
        [*(Box(word, 2) for word in outcomes), Box(second, 1, 5), Box(third, 1, 5)],
        [Box(word) for word in (*outcomes, *outcomes)],
        [box(f"review.{group}.{outcome}") for group in REVIEWS for outcome in OUTCOMES],
    ]


# ------------------------------------------------------------ documents


def document(made: dict[str, Table], printed: Callable[[str, Table], str], *, blank: str = "\n\n") -> str:
    """The whole report as text; `printed` turns one table into text."""
    year, month, day = SIGNED.split("-")
    parts = [
        f"{AGENCY}{YEAR}年政府信息公开工作年度报告",
        "根据《中华人民共和国政府信息公开条例》和国办公开办函〔2021〕30号的要求，编制本报告。",
        "一、总体情况",
        "本局按时完成各项公开任务，全年公开信息三百余条。",
        "二、主动公开政府信息情况",
        printed("disclosure", made["disclosure"]),
        "三、收到和处理政府信息公开申请情况",
        printed("applications", made["applications"]),
        "四、政府信息公开行政复议、行政诉讼情况",
        printed("review", made["review"]),
        "五、存在的主要问题及改进情况",
        "公开形式较为单一，今后将加以丰富。",
        "六、其他需要报告的事项",
        "本年度没有收取信息处理费。",
        AGENCY,
        f"{year}年{int(month)}月{int(day)}日",
    ]
    return blank.join(parts) + "\n"


def squares(table: Table) -> list[list[tuple[Box, int, int] | None]]:
    """The table as a grid: for each square the box over it and how far down and right inside that box it lies."""
    over: dict[tuple[int, int], tuple[Box, int, int]] = {}
    for y, row in enumerate(table):
        x = 0
        for box in row:
            while (y, x) in over:
                x += 1
            over.update(
                {(y + down, x + right): (box, down, right) for down in range(box.rows) for right in range(box.columns)}
            )
            x += box.columns
    width = 1 + max(x for _, x in over)
    return [[over.get((y, x)) for x in range(width)] for y in range(len(table))]


def slots(table: Table, merged: str = "first") -> list[list[str]]:
    """Rows of text. What merged cells leave behind: `first` empty slots, `real` nothing, `repeat` their text again,
    `down` their text in the rows below only, `across` in the columns beside only."""
    lines: list[list[str]] = []
    for row in squares(table):
        line: list[str] = []
        for square in row:
            box, down, right = square or (Box(), 0, 0)
            shown = {
                "first": not down and not right,
                "real": not down and not right,
                "repeat": True,
                "down": not right,
                "across": not down,
            }[merged]
            if shown or merged != "real":
                line.append(box.text if shown else "")
        lines.append(line)
    return lines


def tabbed(made: dict[str, Table], merged: str = "first", *, strip: bool = False) -> str:
    """Rows of tab-separated cells, as a browser copies them."""

    def printed(_name: str, table: Table) -> str:
        lines = ["\t".join(line) for line in slots(table, merged)]
        return "\n".join(line.rstrip("\t") if strip else line for line in lines)

    return document(made, printed)


def piped(made: dict[str, Table], merged: str = "first", *, rule_after: int | None = 1) -> str:
    """Markdown tables between bars."""

    def printed(_name: str, table: Table) -> str:
        lines = slots(table, merged)
        width = max(map(len, lines))
        rows = ["| " + " | ".join([*line, *[""] * (width - len(line))]) + " |" for line in lines]
        if rule_after is not None:
            rows.insert(rule_after, "|" + " --- |" * width)
        return "\n".join(rows)

    return document(made, printed)


def spaced(made: dict[str, Table], *, centred: bool = True, blank_lines: bool = False) -> str:
    """Columns set apart by spaces, every cell on one line, as pdftotext -layout prints a wide page."""

    def printed(_name: str, table: Table) -> str:
        lines = slots(table)
        widths = [max(2, *(_width(line[x]) for line in lines)) for x in range(len(lines[0]))]
        rows = [
            "  ".join(_padded(text, width, centred) for text, width in zip(line, widths, strict=True)) for line in lines
        ]
        return ("\n\n" if blank_lines else "\n").join(row.rstrip() for row in rows)

    return document(made, printed)


def one_a_line(made: dict[str, Table], *, between: str = "\n") -> str:
    """Every printed cell on its own line, nothing to show where a row ends."""
    return document(
        made, lambda _name, table: between.join(text for line in slots(table, "real") for text in line if text)
    )


def behind_tabs(made: dict[str, Table]) -> str:
    """Every printed cell on its own line behind a tab, an empty line after each row."""
    return document(
        made, lambda _name, table: "\n".join("\t" + "\n\t".join(line) + "\n" for line in slots(table, "real"))
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _padded(text: str, width: int, centred: bool) -> str:
    free = width - _width(text)
    left = free // 2 if centred else 0
    return " " * left + text + " " * (free - left)


# ------------------------------------------------------------ HTML


def page(
    made: dict[str, Table],
    *,
    printed: Callable[[str, Table], str] | None = None,
    dressed: Callable[[str, Box], str] = lambda text, _box: text,
    encoding: str = "utf-8",
) -> bytes:
    """The report as a page; `dressed` wraps the escaped text of each cell, `printed` makes a table's mark-up."""
    tags = printed or (lambda _name, table: table_tags(table, dressed))
    body = document(made, tags).split("\n\n")
    inner = "\n".join(part if part.startswith("<") else f"<p>{html.escape(part)}</p>" for part in body)
    text = f"<html><head><meta charset='{encoding}'></head><body><div class='main'>{inner}</div></body></html>"
    return text.encode(encoding)


def table_tags(table: Table, dressed: Callable[[str, Box], str] = lambda text, _box: text) -> str:
    rows = ""
    for row in table:
        rows += "<tr>"
        for box in row:
            spans = (f" rowspan='{box.rows}'" if box.rows > 1 else "") + (
                f" colspan='{box.columns}'" if box.columns > 1 else ""
            )
            rows += f"<td{spans}>{dressed(html.escape(box.text), box)}</td>"
        rows += "</tr>"
    return f"<table>{rows}</table>"


def changed(made: dict[str, Table], name: str, change: Callable[[Table], Table]) -> dict[str, Table]:
    """The same report with one of its tables changed."""
    return {**made, name: change([list(row) for row in made[name]])}


def moved_columns(order: Sequence[int]) -> Callable[[Table], Table]:
    """Table three with its seven value columns in another order; header flattened to one row so that it follows."""

    def change(table: Table) -> Table:
        words = list(COLUMNS.values())
        header = [Box("", 1, 3), *(Box(words[index]) for index in order)]
        return [header, *([*row[:-7], *(row[-7:][index] for index in order)] for row in table[3:])]

    return change


def longer_spans(table: Table) -> Table:
    """Every vertical span of a group one row too long, as editors leave it when a row is deleted."""
    return [[replace(box, rows=box.rows + 1) if 2 < box.rows < 10 else box for box in row] for row in table]
