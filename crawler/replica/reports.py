"""Invented annual reports: numbers that add up, sentences of our own, a date; and the blocks they print as.

`draw_report` draws a report from a seed, `lay_out` prints it. What is printed is a tuple of blocks (`Text` and `Table`)
and the truth: what a faithful reader must say of every cell, in the terms of `gongkai parse` (value and status).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from crawler.replica import layout
from crawler.replica.layout import FormName, Table

Number = int | Decimal
Mode = Literal["zeros", "realistic", "distinct"]
Status = Literal["reported", "blank", "absent"]
TextRole = Literal["title", "opening", "heading", "body", "signature", "date"]

# Amounts may have decimals; items_change may be negative. Everything else counts.
AMOUNTS = frozenset({"disclosure.procurement.amount", "disclosure.fees.amount", "fees.amount", "capacity.budget"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What a faithful reader says of a cell. `value` is None unless the status is `reported`."""

    value: Number | None
    status: Status


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    role: TextRole = "body"


Block = Text | Table


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """One body's report on one year. `values` has an entry for every cell of the form; None prints nothing."""

    form: FormName
    agency: str
    year: int
    values: Mapping[str, Number | None]
    opening: str
    overview: tuple[str, ...]
    problems: tuple[str, ...]
    other: tuple[str, ...]
    signed_on: date | None

    @property
    def title(self) -> str:
        return f"{self.agency}{self.year}年政府信息公开工作年度报告"


@dataclass(frozen=True, slots=True)
class Printed:
    """A report as blocks in printed order, and the truth about it."""

    form: FormName
    agency: str
    year: int
    title: str
    signed_on: date | None
    blocks: tuple[Block, ...]
    truth: Mapping[str, Expected]
    troubles: tuple[str, ...] = field(default=())

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(block for block in self.blocks if isinstance(block, Table))


def dice(*seed: object) -> random.Random:
    """The same stream of draws for the same words; not for secrets."""
    return random.Random("/".join(map(str, seed)))  # noqa: S311


def form_of(year: int) -> FormName:
    """The form in force for a reporting year."""
    if year < 2019:
        return "2014"
    return "2019" if year < 2021 else "2021"


def draw_report(
    seed: int | str,
    *,
    agency: str = "青禾区柳溪街道办事处",
    year: int = 2022,
    form: FormName | None = None,
    mode: Mode = "realistic",
    signed: bool = True,
) -> ReportSpec:
    """A report whose sums are right. `distinct` gives every cell of a table its own number, to show shifts."""
    form = form or form_of(year)
    chance = dice(seed, agency, year, form, mode)
    values = _statistics_values(chance, mode) if form == "2014" else _table_values(chance, form, mode)
    return ReportSpec(
        form=form,
        agency=agency,
        year=year,
        values=values,
        opening=_opening(chance, agency, year, form),
        overview=_overview(chance, agency, year),
        problems=_problems(chance, year),
        other=_other(chance),
        signed_on=date(year + 1, 1, chance.randint(8, 29)) if signed else None,
    )


def follow(spec: ReportSpec, before: ReportSpec | None) -> ReportSpec:
    """The report with numbers that go on from the year before: what was carried over, what is in force; its own sums
    still hold. Without a year before on a form that prints these, the report as it is.
    """
    if before is None or spec.form == "2014" or before.form == "2014":
        return spec
    values = dict(spec.values)
    _carry_in(values, before.values, layout.outcome_rows(spec.form))
    if spec.form == before.form == "2021":
        _go_on_in_force(values, before.values)
    return replace(spec, values=values)


def break_sum(spec: ReportSpec, seed: int | str) -> ReportSpec:
    """The report with one total misprinted, as some real reports print it: the number stays what the document says."""
    chance = dice(seed, "break_sum")
    totals = sorted(cell for cell in spec.values if cell.endswith(".total") and cell.count(".") == 2)
    cell = chance.choice(totals or ["applications.received"])
    printed = spec.values[cell] or 0
    return replace(spec, values={**spec.values, cell: printed + chance.randint(1, 9)})


def format_number(value: Number | None) -> str:
    return "" if value is None else f"{value}"


def lay_out(spec: ReportSpec) -> Printed:
    """The report printed without troubles."""
    texts = {cell: format_number(value) for cell, value in spec.values.items()}
    tables = [layout.fill(table, texts) for table in layout.tables(spec.form)]
    blocks: list[Block] = [Text(spec.title, "title"), Text(spec.opening, "opening")]
    blocks += [Text("一、总体情况", "heading"), *map(Text, spec.overview)]
    if spec.form == "2014":
        blocks += [Text("二、存在的问题和改进措施", "heading"), *map(Text, spec.problems)]
        blocks += [Text("三、其他需要报告的事项", "heading"), *map(Text, spec.other)]
        blocks += [Text("政府信息公开情况统计表", "heading"), Text(f"（{spec.year}年度）"), tables[0]]
    else:
        blocks += [Text("二、主动公开政府信息情况", "heading"), tables[0]]
        blocks += [Text("三、收到和处理政府信息公开申请情况", "heading"), tables[1]]
        blocks += [Text("四、政府信息公开行政复议、行政诉讼情况", "heading"), tables[2]]
        blocks += [Text("五、存在的主要问题及改进情况", "heading"), *map(Text, spec.problems)]
        blocks += [Text("六、其他需要报告的事项", "heading"), *map(Text, spec.other)]
    if spec.signed_on is not None:
        blocks += [Text(spec.agency, "signature"), Text(chinese_date(spec.signed_on), "date")]
    truth = {c: Expected(v, "blank" if v is None else "reported") for c, v in spec.values.items()}
    return Printed(
        form=spec.form,
        agency=spec.agency,
        year=spec.year,
        title=spec.title,
        signed_on=spec.signed_on,
        blocks=tuple(blocks),
        truth=truth,
    )


def chinese_date(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


# Values -----------------------------------------------------------------------------------------------------------


def _count(chance: random.Random, mode: Mode, most: int) -> int:
    if mode == "zeros" or (mode == "realistic" and chance.random() < 0.75):
        return 0
    return chance.randint(1, most)


def _distinct(draw: Callable[[], dict[str, Number]], mode: Mode) -> dict[str, Number]:
    """Draws until every number differs in `distinct` mode; the first draw otherwise."""
    while True:
        values = draw()
        if mode != "distinct" or len(set(values.values())) == len(values):
            return values


def _table_values(chance: random.Random, form: FormName, mode: Mode) -> dict[str, Number | None]:
    values = {
        **_distinct(lambda: _disclosure_values(chance, form, mode), mode),
        **_distinct(lambda: _application_values(chance, form, mode), mode),
        **_distinct(lambda: _review_values(chance, mode), mode),
    }
    return {cell: values[cell] for cell in layout.cells(form)}


def _disclosure_values(chance: random.Random, form: FormName, mode: Mode) -> dict[str, Number]:
    values: dict[str, Number] = {}
    for cell in layout.tables(form)[0].rows:
        for slot in cell:
            if slot.cell:
                values[slot.cell] = _count(chance, mode, 999)
    if mode != "zeros" and form == "2021" and chance.random() < 0.5:
        values["disclosure.fees.amount"] = Decimal(chance.randint(101, 99999)) / 100
    if mode != "zeros" and form == "2019":
        values["disclosure.procurement.amount"] = chance.randint(10_000, 9_999_999)
        for key in ("licensing", "penalties"):
            values[f"disclosure.{key}.items_change"] = chance.choice([-1, 1]) * chance.randint(1, 60)
    return values


def _application_values(chance: random.Random, form: FormName, mode: Mode) -> dict[str, Number]:
    values: dict[str, Number] = {}
    rows = layout.outcome_rows(form)
    people = [column for column, _ in layout.COLUMNS[:-1]]
    pool = iter(chance.sample(range(1, 900), 400))
    for column in people:
        for row in rows:
            values[f"applications.{row}.{column}"] = (
                next(pool) if mode == "distinct" else _count(chance, mode, 30 if column == "natural_person" else 6)
            )
        handled = sum(values[f"applications.{row}.{column}"] for row in rows)
        carried_out = next(pool) if mode == "distinct" else _count(chance, mode, 4)
        carried_in = next(pool) if mode == "distinct" else min(_count(chance, mode, 4), int(handled) + carried_out)
        values[f"applications.handled_total.{column}"] = handled
        values[f"applications.carried_out.{column}"] = carried_out
        values[f"applications.carried_in.{column}"] = carried_in
        values[f"applications.new.{column}"] = handled + carried_out - carried_in
    for row in (*rows, "handled_total", "carried_out", "carried_in", "new"):
        values[f"applications.{row}.total"] = sum(values[f"applications.{row}.{column}"] for column in people)
    return values


def _review_values(chance: random.Random, mode: Mode) -> dict[str, Number]:
    values: dict[str, Number] = {}
    pool = iter(chance.sample(range(1, 200), 12))
    for key, _ in layout.REVIEWS:
        parts = [next(pool) if mode == "distinct" else _count(chance, mode, 5) for _ in range(4)]
        for (outcome, _), part in zip(layout.OUTCOMES, (*parts, sum(parts)), strict=True):
            values[f"review.{key}.{outcome}"] = part
    return values


# Sums the statistics table of 2014 states through its own numbering: total → its parts.
STATISTICS_SUMS: Mapping[str, tuple[str, ...]] = {
    "applications.received": tuple(f"applications.received_{how}" for how in ("in_person", "fax", "online", "letter")),
    "applications.closed": ("applications.closed_on_time", "applications.closed_extended"),
    "applications.refused": tuple(
        f"applications.refused_{why}"
        for why in (
            "state_secret",
            "trade_secret",
            "privacy",
            "security_stability",
            "not_government_information",
            "other_law",
        )
    ),
    "applications.answered": tuple(
        f"applications.{key}"
        for key in (
            "already_disclosed",
            "granted",
            "partly_granted",
            "refused",
            "not_this_agency",
            "not_existing",
            "asked_to_amend",
            "other_channel",
        )
    ),
    "reconsideration.total": ("reconsideration.upheld", "reconsideration.corrected", "reconsideration.other"),
    "litigation.total": ("litigation.upheld", "litigation.corrected", "litigation.other"),
    "capacity.staff": ("capacity.staff_full_time", "capacity.staff_part_time"),
}


def _statistics_values(chance: random.Random, mode: Mode) -> dict[str, Number | None]:
    cells = layout.cells("2014")
    most = 800

    def draw() -> dict[str, Number]:
        pool = iter(chance.sample(range(1, most), len(cells)))
        values: dict[str, Number] = {}
        for cell in cells:
            values[cell] = next(pool) if mode == "distinct" else _count(chance, mode, 40)
        for total, parts in STATISTICS_SUMS.items():
            values[total] = sum(values[part] for part in parts)
        for part, whole in (
            ("disclosure.normative_documents", "disclosure.total"),
            ("response.press_conferences_by_head", "response.press_conferences"),
            ("response.online_interviews_by_head", "response.online_interviews"),
        ):
            values[whole] = values[part] + (0 if mode == "zeros" else chance.randint(1, 200))
        if mode != "zeros":
            values["disclosure.total"] += chance.randint(60, 4000)
            values["channels.website"] = chance.randint(810, 4000)
            values["capacity.budget"] = Decimal(chance.randint(11, 99)) / 10
        return values

    drawn = _distinct(draw, mode)
    return {cell: drawn[cell] for cell in cells}


def _carry_in(values: dict[str, Number | None], before: Mapping[str, Number | None], rows: tuple[str, ...]) -> None:
    """上年结转 from the year before. What cannot be left from it by then has been granted."""
    people = [column for column, _ in layout.COLUMNS[:-1]]
    for column in people:
        carried_in, carried_out, handled = (
            _whole(source, f"applications.{row}.{column}")
            for source, row in ((before, "carried_out"), (values, "carried_out"), (values, "handled_total"))
        )
        granted = max(0, carried_in - carried_out - handled)
        values[f"applications.granted.{column}"] = _whole(values, f"applications.granted.{column}") + granted
        values[f"applications.handled_total.{column}"] = handled + granted
        values[f"applications.carried_in.{column}"] = carried_in
        values[f"applications.new.{column}"] = handled + granted + carried_out - carried_in
    for row in (*rows, "handled_total", "carried_out", "carried_in", "new"):
        values[f"applications.{row}.total"] = sum(_whole(values, f"applications.{row}.{column}") for column in people)


def _go_on_in_force(values: dict[str, Number | None], before: Mapping[str, Number | None]) -> None:
    for kind in ("regulations", "normative_documents"):
        cell = f"disclosure.{kind}"
        there = _whole(before, f"{cell}.in_force") + _whole(values, f"{cell}.issued")
        repealed = min(_whole(values, f"{cell}.repealed"), there)
        values[f"{cell}.repealed"] = repealed
        values[f"{cell}.in_force"] = there - repealed


def _whole(values: Mapping[str, Number | None], cell: str) -> int:
    return int(values[cell] or 0)


# Sentences --------------------------------------------------------------------------------------------------------


def _opening(chance: random.Random, agency: str, year: int, form: FormName) -> str:
    basis = {
        "2014": "《中华人民共和国政府信息公开条例》有关规定",
        "2019": "《中华人民共和国政府信息公开条例》和国办公开办函〔2019〕60号文件要求",
        "2021": "《中华人民共和国政府信息公开条例》和国办公开办函〔2021〕30号文件要求",
    }[form]
    road = chance.choice(["清渠路", "稻香街", "云帆大道", "石桥巷"])
    return (
        f"依照{basis}，{agency}编写本报告，现予公布。报告所列数据的统计期限为{year}年1月1日至{year}年12月31日，"
        f"电子版可在青禾区人民政府网站下载。公众对本报告如有疑问，可与{agency}综合办公室联系"
        f"（地址：青禾区{road}{chance.randint(2, 198)}号；邮编：990{chance.randint(100, 999)}；"
        f"电话：0999-8{chance.randint(100000, 999999)}）。"
    )


def _overview(chance: random.Random, agency: str, year: int) -> tuple[str, ...]:
    meetings, posts, desks = chance.randint(2, 9), chance.randint(20, 480), chance.randint(1, 4)
    lines = [
        f"（一）主动公开。{year}年，{agency}把群众常问的办事指南、资金使用和人员招录列为公开重点，"
        f"全年在网站和公众号刊发消息{posts}条，撤下过期内容{chance.randint(1, 30)}条。",
        f"（二）依申请公开。设接待窗口{desks}个，统一登记、限时转办、到期提醒，答复前由法制人员复看一遍。",
        f"（三）信息管理。对历年文件重新编目，补齐索引号{chance.randint(5, 90)}个，做到存目与网页一一对应。",
        f"（四）平台建设。网站栏目精简为{chance.randint(6, 19)}个，公众号每周更新，老年人可用大字版面。",
        f"（五）监督保障。召开专题会{meetings}次，培训{chance.randint(15, 160)}人次，未发生追责情形。",
    ]
    return tuple(lines[: chance.randint(3, 5)])


def _problems(chance: random.Random, year: int) -> tuple[str, ...]:
    problems = (
        "存在的问题：个别科室报送偏慢，有的解读文字过长，居民反映不易看懂。",
        "存在的问题：栏目之间有重复登载，旧文件的有效性标注还不齐全。",
        "存在的问题：经办人员轮换较多，答复文书的格式前后不尽一致。",
    )
    steps = (
        f"改进情况：{year + 1}年将按月通报报送进度，推广问答式、图表式解读。",
        f"改进情况：{year + 1}年上半年完成一次全面清理，逐件标明有效、修改或废止。",
        f"改进情况：编印文书样例，新到岗人员先跟班{chance.randint(1, 4)}周再独立办理。",
    )
    return chance.choice(problems), chance.choice(steps)


def _other(chance: random.Random) -> tuple[str, ...]:
    return (chance.choice(["无其他需要报告的事项。", "本年度未收取信息处理费。", "没有其他事项需要说明。"]),)
