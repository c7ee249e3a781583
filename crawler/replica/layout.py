"""The three statutory forms as printed tables.

A `Table` holds each printed cell once, in the row where it starts, as HTML and Word do. A `Slot` with a `cell` prints
the value of that fact; one without is a label. The tables of 国办公开办函〔2019〕60号 and 〔2021〕30号 and the
政府信息公开情况统计表 used for the years 2014 to 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

FormName = Literal["2014", "2019", "2021"]

COLUMNS = (
    ("natural_person", "自然人"),
    ("business", "商业企业"),
    ("research", "科研机构"),
    ("public_interest", "社会公益组织"),
    ("legal_service", "法律服务机构"),
    ("other", "其他"),
    ("total", "总计"),
)
OUTCOMES = (
    ("upheld", "结果维持"),
    ("corrected", "结果纠正"),
    ("other", "其他结果"),
    ("pending", "尚未审结"),
    ("total", "总计"),
)
REVIEWS = (
    ("reconsideration", "行政复议"),
    ("litigation_direct", "未经复议直接起诉"),
    ("litigation_after_reconsideration", "复议后起诉"),
)
# (group label, ((row key, row label), …)) of 三、本年度办理结果, without （七）总计.
Group = tuple[str, tuple[tuple[str, str], ...]]
_GROUPS: tuple[Group, ...] = (
    ("（一）予以公开", (("granted", ""),)),
    ("（二）部分公开（区分处理的，只计这一情形，不计其他情形）", (("partly_granted", ""),)),
    (
        "（三）不予公开",
        (
            ("refused_state_secret", "1.属于国家秘密"),
            ("refused_by_law", "2.其他法律行政法规禁止公开"),
            ("refused_security_stability", "3.危及“三安全一稳定”"),
            ("refused_third_party", "4.保护第三方合法权益"),
            ("refused_internal_affairs", "5.属于三类内部事务信息"),
            ("refused_process", "6.属于四类过程性信息"),
            ("refused_enforcement_file", "7.属于行政执法案卷"),
            ("refused_query", "8.属于行政查询事项"),
        ),
    ),
    (
        "（四）无法提供",
        (
            ("unable_not_held", "1.本机关不掌握相关政府信息"),
            ("unable_must_create", "2.没有现成信息需要另行制作"),
            ("unable_still_unclear", "3.补正后申请内容仍不明确"),
        ),
    ),
    (
        "（五）不予处理",
        (
            ("rejected_complaint", "1.信访举报投诉类申请"),
            ("rejected_repeat", "2.重复申请"),
            ("rejected_publication", "3.要求提供公开出版物"),
            ("rejected_excessive", "4.无正当理由大量反复申请"),
            ("rejected_reconfirm", "5.要求行政机关确认或重新出具已获取信息"),
        ),
    ),
)
_OTHER_2019: Group = ("（六）其他处理", (("other_handling", ""),))
_OTHER_2021: Group = (
    "（六）其他处理",
    (
        ("other_uncorrected", "1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请"),
        ("other_unpaid", "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请"),
        ("other_rest", "3.其他"),
    ),
)
CHECK_NOTE = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）"


@dataclass(frozen=True, slots=True)
class Slot:
    """One printed cell; `cell` names the fact it prints, "" for a label."""

    text: str
    row_span: int = 1
    column_span: int = 1
    cell: str = ""


Row = tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A printed table. `header_rows` rows at its top are repeated where a writer repeats headers on a new page.

    `widths` are the relative widths of its grid columns; their number is the number of grid columns.
    """

    name: str
    rows: tuple[Row, ...]
    header_rows: int
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A slot and the grid position of its top left corner, from 0."""

    slot: Slot
    row: int
    column: int


def groups(form: FormName) -> tuple[Group, ...]:
    """The outcome groups of table 三 of the forms of 2019 and 2021."""
    return (*_GROUPS, _OTHER_2021 if form == "2021" else _OTHER_2019)


def outcome_rows(form: FormName) -> tuple[str, ...]:
    """Keys of the rows that add up to （七）总计."""
    return tuple(key for _, rows in groups(form) for key, _ in rows)


@cache
def tables(form: FormName) -> tuple[Table, ...]:
    """The form's tables with every value slot empty."""
    if form == "2014":
        return (_statistics(),)
    disclosure = _disclosure_2021() if form == "2021" else _disclosure_2019()
    return disclosure, _applications(form), _review()


def cells(form: FormName) -> tuple[str, ...]:
    """Every fact the form prints, in printed order."""
    return tuple(slot.cell for table in tables(form) for row in table.rows for slot in row if slot.cell)


def change_slots(table: Table, change: Callable[[Slot], Slot]) -> Table:
    return replace(table, rows=tuple(tuple(change(slot) for slot in row) for row in table.rows))


def fill(table: Table, texts: Mapping[str, str]) -> Table:
    return change_slots(table, lambda slot: replace(slot, text=texts[slot.cell]) if slot.cell else slot)


def place(table: Table) -> Iterator[Placed]:
    """Grid positions of all slots in row-major order, spans resolved as a browser does."""
    taken: set[tuple[int, int]] = set()
    for row_number, row in enumerate(table.rows):
        column = 0
        for slot in row:
            while (row_number, column) in taken:
                column += 1
            covered = ((r, c) for r in range(slot.row_span) for c in range(slot.column_span))
            taken.update((row_number + r, column + c) for r, c in covered)
            yield Placed(slot, row_number, column)
            column += slot.column_span


def _label(text: str, *, rows: int = 1, columns: int = 1) -> Slot:
    return Slot(text, rows, columns)


def _value(cell: str, *, columns: int = 1) -> Slot:
    return Slot("", 1, columns, cell)


def _disclosure_2019() -> Table:
    rows: list[Row] = []

    def part(article: str, columns: tuple[tuple[str, str], ...], items: tuple[tuple[str, str], ...]) -> None:
        wide = 4 - len(columns)  # the last column takes what the article does not use of the four
        spans = [1] * (len(columns) - 1) + [wide]
        rows.append((_label(f"第二十条第（{article}）项", columns=4),))
        heads = (_label(text, columns=span) for (_, text), span in zip(columns, spans, strict=True))
        rows.append((_label("信息内容"), *heads))
        for key, text in items:
            values = (_value(f"disclosure.{key}.{c}", columns=s) for (c, _), s in zip(columns, spans, strict=True))
            rows.append((_label(text), *values))

    made = (("made", "本年新制作数量"), ("disclosed", "本年新公开数量"), ("disclosed_total", "对外公开总数量"))
    items = (("items_last_year", "上一年项目数量"), ("items_change", "本年增/减"), ("decisions", "处理决定数量"))
    part("一", made, (("regulations", "规章"), ("normative_documents", "规范性文件")))
    part("五", items, (("licensing", "行政许可"), ("other_services", "其他对外管理服务事项")))
    part("六", items, (("penalties", "行政处罚"), ("coercive_measures", "行政强制")))
    part("八", items[:2], (("fees", "行政事业性收费"),))
    part("九", (("projects", "采购项目数量"), ("amount", "采购总金额")), (("procurement", "政府集中采购"),))
    return Table("disclosure", tuple(rows), 0, (2.2, 1.5, 1.5, 1.5))


def _disclosure_2021() -> Table:
    heads = (("issued", "本年制发件数"), ("repealed", "本年废止件数"), ("in_force", "现行有效件数"))
    documents = (("regulations", "规章"), ("normative_documents", "行政规范性文件"))
    rows: list[Row] = [
        (_label("第二十条第（一）项", columns=4),),
        (_label("信息内容"), *(_label(text) for _, text in heads)),
    ]
    rows += [(_label(text), *(_value(f"disclosure.{key}.{c}") for c, _ in heads)) for key, text in documents]

    def part(article: str, head: str, column: str, items: tuple[tuple[str, str], ...]) -> None:
        rows.append((_label(f"第二十条第（{article}）项", columns=4),))
        rows.append((_label("信息内容"), _label(head, columns=3)))
        rows.extend((_label(text), _value(f"disclosure.{key}.{column}", columns=3)) for key, text in items)

    part("五", "本年处理决定数量", "decisions", (("licensing", "行政许可"),))
    part("六", "本年处理决定数量", "decisions", (("penalties", "行政处罚"), ("coercive_measures", "行政强制")))
    part("八", "本年收费金额（单位：万元）", "amount", (("fees", "行政事业性收费"),))
    return Table("disclosure", tuple(rows), 0, (2.2, 1.5, 1.5, 1.5))


def _applications(form: FormName) -> Table:
    def values(key: str) -> Row:
        return tuple(_value(f"applications.{key}.{column}") for column, _ in COLUMNS)

    rows: list[Row] = [
        (_label(CHECK_NOTE, rows=3, columns=3), _label("申请人情况", columns=7)),
        (_label("自然人", rows=2), _label("法人或其他组织", columns=5), _label("总计", rows=2)),
        tuple(_label(text) for _, text in COLUMNS[1:6]),
        (_label("一、本年新收政府信息公开申请数量", columns=3), *values("new")),
        (_label("二、上年结转政府信息公开申请数量", columns=3), *values("carried_in")),
    ]
    results: list[Row] = []
    for group, items in groups(form):
        for position, (key, text) in enumerate(items):
            if not text:
                results.append((_label(group, columns=2), *values(key)))
                continue
            head = (_label(group, rows=len(items)),) if position == 0 else ()
            results.append((*head, _label(text), *values(key)))
    results.append((_label("（七）总计", columns=2), *values("handled_total")))
    rows.append((_label("三、本年度办理结果", rows=len(results)), *results[0]))
    rows += results[1:]
    rows.append((_label("四、结转下年度继续办理", columns=3), *values("carried_out")))
    return Table("applications", tuple(rows), 3, (0.8, 1.4, 3.0, 1, 1, 1, 1, 1, 1, 1))


def _review() -> Table:
    outcomes = tuple(_label(text) for _, text in OUTCOMES)
    tall = tuple(_label(text, rows=2) for _, text in OUTCOMES)
    values = tuple(_value(f"review.{key}.{column}") for key, _ in REVIEWS for column, _ in OUTCOMES)
    rows = (
        (_label("行政复议", columns=5), _label("行政诉讼", columns=10)),
        (*tall, _label("未经复议直接起诉", columns=5), _label("复议后起诉", columns=5)),
        (*outcomes, *outcomes),
        values,
    )
    return Table("review", rows, 3, (1.0,) * 15)


# (depth, label, unit, cell): unit "——" and no cell for a heading of the statistics table.
_STATISTICS: tuple[tuple[int, str, str, str], ...] = (
    (0, "一、主动公开情况", "——", ""),
    (1, "（一）主动公开政府信息数（不同渠道和方式公开相同信息计1条）", "条", "disclosure.total"),
    (2, "其中：主动公开规范性文件数", "条", "disclosure.normative_documents"),
    (3, "制发规范性文件总数", "件", "disclosure.normative_documents_issued"),
    (1, "（二）通过不同渠道和方式公开政府信息的情况", "——", ""),
    (2, "1.政府公报公开政府信息数", "条", "channels.gazette"),
    (2, "2.政府网站公开政府信息数", "条", "channels.website"),
    (2, "3.政务微博公开政府信息数", "条", "channels.weibo"),
    (2, "4.政务微信公开政府信息数", "条", "channels.wechat"),
    (2, "5.其他方式公开政府信息数", "条", "channels.other"),
    (0, "二、回应解读情况", "——", ""),
    (1, "（一）回应公众关注热点或重大舆情数（不同方式回应同一热点或舆情计1次）", "次", "response.hot_topics"),
    (1, "（二）通过不同渠道和方式回应解读的情况", "——", ""),
    (2, "1.参加或举办新闻发布会总次数", "次", "response.press_conferences"),
    (3, "其中：主要负责同志参加新闻发布会次数", "次", "response.press_conferences_by_head"),
    (2, "2.政府网站在线访谈次数", "次", "response.online_interviews"),
    (3, "其中：主要负责同志参加政府网站在线访谈次数", "次", "response.online_interviews_by_head"),
    (2, "3.政策解读稿件发布数", "篇", "response.policy_interpretations"),
    (2, "4.微博微信回应事件数", "次", "response.social_media"),
    (2, "5.其他方式回应事件数", "次", "response.other"),
    (0, "三、依申请公开情况", "——", ""),
    (1, "（一）收到申请数", "件", "applications.received"),
    (2, "1.当面申请数", "件", "applications.received_in_person"),
    (2, "2.传真申请数", "件", "applications.received_fax"),
    (2, "3.网络申请数", "件", "applications.received_online"),
    (2, "4.信函申请数", "件", "applications.received_letter"),
    (1, "（二）申请办结数", "件", "applications.closed"),
    (2, "1.按时办结数", "件", "applications.closed_on_time"),
    (2, "2.延期办结数", "件", "applications.closed_extended"),
    (1, "（三）申请答复数", "件", "applications.answered"),
    (2, "1.属于已主动公开范围数", "件", "applications.already_disclosed"),
    (2, "2.同意公开答复数", "件", "applications.granted"),
    (2, "3.同意部分公开答复数", "件", "applications.partly_granted"),
    (2, "4.不同意公开答复数", "件", "applications.refused"),
    (3, "其中：涉及国家秘密", "件", "applications.refused_state_secret"),
    (4, "涉及商业秘密", "件", "applications.refused_trade_secret"),
    (4, "涉及个人隐私", "件", "applications.refused_privacy"),
    (4, "危及国家安全、公共安全、经济安全和社会稳定", "件", "applications.refused_security_stability"),
    (4, "不是《条例》所指政府信息", "件", "applications.refused_not_government_information"),
    (4, "法律法规规定的其他情形", "件", "applications.refused_other_law"),
    (2, "5.不属于本行政机关公开数", "件", "applications.not_this_agency"),
    (2, "6.申请信息不存在数", "件", "applications.not_existing"),
    (2, "7.告知作出更改补充数", "件", "applications.asked_to_amend"),
    (2, "8.告知通过其他途径办理数", "件", "applications.other_channel"),
    (0, "四、行政复议数量", "件", "reconsideration.total"),
    (1, "（一）维持具体行政行为数", "件", "reconsideration.upheld"),
    (1, "（二）被依法纠错数", "件", "reconsideration.corrected"),
    (1, "（三）其他情形数", "件", "reconsideration.other"),
    (0, "五、行政诉讼数量", "件", "litigation.total"),
    (1, "（一）维持具体行政行为或者驳回原告诉讼请求数", "件", "litigation.upheld"),
    (1, "（二）被依法纠错数", "件", "litigation.corrected"),
    (1, "（三）其他情形数", "件", "litigation.other"),
    (0, "六、举报投诉数量", "件", "complaints.total"),
    (0, "七、依申请公开信息收取的费用", "万元", "fees.amount"),
    (0, "八、机构建设和保障经费情况", "——", ""),
    (1, "（一）政府信息公开工作专门机构数", "个", "capacity.offices"),
    (1, "（二）设置政府信息公开查阅点数", "个", "capacity.reading_points"),
    (1, "（三）从事政府信息公开工作人员数", "人", "capacity.staff"),
    (2, "1.专职人员数（不包括政府公报及政府网站工作人员数）", "人", "capacity.staff_full_time"),
    (2, "2.兼职人员数", "人", "capacity.staff_part_time"),
    (
        1,
        "（四）政府信息公开专项经费（不包括用于政府公报编辑管理及政府网站建设维护等方面的经费）",
        "万元",
        "capacity.budget",
    ),
    (0, "九、政府信息公开会议和培训情况", "——", ""),
    (1, "（一）召开政府信息公开工作会议或专题会议数", "次", "training.meetings"),
    (1, "（二）举办各类培训班数", "次", "training.courses"),
    (1, "（三）接受培训人员数", "人次", "training.trainees"),
)


def _statistics() -> Table:
    rows: list[Row] = [(_label("统计指标"), _label("单位"), _label("统计数"))]
    for depth, text, unit, cell in _STATISTICS:
        last = _value(cell) if cell else _label("")
        rows.append((_label("　" * depth + text), _label(unit), last))
    return Table("statistics", tuple(rows), 1, (6.0, 1.0, 1.2))
