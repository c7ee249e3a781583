"""The replica's articles: three channels of an invented district, and the traps real lists set.

Everything is drawn from the seed. Annual reports come on the form of their year as pages (plain, pasted from Word, GBK
bytes that call themselves utf-8) and as pages that only link a file.
"""

from __future__ import annotations

import hashlib
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from crawler.replica.layout import FormName
from crawler.replica.reports import (
    Block,
    Printed,
    ReportSpec,
    Text,
    break_sum,
    chinese_date,
    dice,
    draw_report,
    follow,
    lay_out,
)
from crawler.replica.troubles import with_troubles
from crawler.replica.writers import docx, html, pdf

SITE_NAME = "青禾区人民政府"
DIVISION_CODE = "990101"  # no such division in GB/T 2260
SITE_ID_CODE = "9901010001"
HrefStyle = Literal["plain", "spaced", "absolute", "escaped_twice", "other_host"]
Place = Literal["here", "file_host"]

FIRST_YEAR, LAST_YEAR = 2014, 2024
AGENCIES: tuple[tuple[str, str], ...] = (
    ("青禾区柳溪街道办事处", "990101003001"),
    ("青禾区人民政府", "990101001001"),
    ("青禾区财政局", "990101002004"),
    ("青禾区石桥街道办事处", "990101003002"),
    ("青禾区云渡镇人民政府", "990101003003"),
    ("青禾区教育局", "990101002006"),
    ("青禾区卫生健康局", "990101002011"),
    ("青禾区住房和城乡建设局", "990101002015"),
)
# The body whose reports stand only behind xxgkAnnualReport.jsp; its list entry names the last year.
HISTORY_AGENCY, HISTORY_AREA = "青禾区档案馆", "990101002021"
HISTORY_YEARS = range(2016, 2024)


@dataclass(frozen=True, slots=True)
class Channel:
    """A column of the site (栏目) and the habits of its list.

    `page_title` heads its pages. `totals`: the answers of dataproxy.jsp state totalrecord and totalpage. `recordset`:
    the records stand inside <recordset>. `endless`: the last group still names a next one, which is empty. `ragged`:
    the answer is not well-formed XML.
    """

    key: str
    column_id: int
    unit_id: int
    page_title: str
    per_page: int = 15
    quote: str = "'"
    date_tag: str = "span"
    recordset: bool = True
    totals: bool = True
    endless: bool = False
    ragged: bool = False
    table_rows: bool = False

    @property
    def path(self) -> str:
        return f"/col/col{self.column_id}/index.html"

    @property
    def group_size(self) -> int:
        return self.per_page * 3


CHANNELS: tuple[Channel, ...] = (
    Channel("annual_report", 126001, 403741, "政府信息公开年报"),
    Channel("policy", 126002, 403752, "政策文件", quote='"', date_tag="b", recordset=False),
    Channel("notices", 126003, 403763, "法定主动公开内容", totals=False, endless=True, ragged=True, table_rows=True),
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file a page links to. `file_id` is its name on the server without extension; `name` what a person sees.

    `named`: the link carries showname. `twice`: the page links it from an icon and from text. `data` None: 404.
    """

    file_id: str
    extension: str
    name: str
    data: bytes
    place: Place = "here"
    named: bool = True
    twice: bool = False
    readable: bool = True
    report: Printed | None = None

    @property
    def file_name(self) -> str:
        return f"{self.file_id}.{self.extension}"


@dataclass(frozen=True, slots=True)
class Article:
    """One page and its entry in the list. `listed_title` is what the list shows when it is not the title."""

    article_id: int
    channel: str
    title: str
    published: date
    publisher: str
    body: str
    listed_title: str = ""
    written: date | None = None
    index_number: str = ""
    document_number: str = ""
    source: str = ""
    encoding: str = "utf-8"
    declared: str = "utf-8"
    href: HrefStyle = "plain"
    path: str = ""
    gone: bool = False
    listed: bool = True
    attachments: tuple[Attachment, ...] = ()
    report: Printed | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """All there is on the site when it opens."""

    articles: tuple[Article, ...]
    pictures: tuple[Picture, ...]


def make_content(seed: int, listings: int) -> Content:
    """`listings` entries over the three channels: half annual reports, a quarter policy, the rest notices."""
    reports = min(listings, max(1, round(listings * 0.5)))
    policies = min(listings - reports, round(listings * 0.26))
    notices = listings - reports - policies
    articles = [
        *_take(_annual_reports(seed), reports),
        *_take(_policies(seed), policies),
        *_take(_notices(seed), notices),
    ]
    numbered = [_numbered(article, 30001 + number * 7) for number, article in enumerate(articles)]
    history = (_numbered(_history_page(seed, year), 80000 + year) for year in HISTORY_YEARS[:-1])
    return Content((*numbered, *history), _pictures())


def article_path(column_id: int, article_id: int, published: date) -> str:
    """jCMS paths have month and day without leading zeros."""
    return f"/art/{published.year}/{published.month}/{published.day}/art_{column_id}_{article_id}.html"


def column_of(channel: str) -> Channel:
    return next(known for known in CHANNELS if known.key == channel)


def documents_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def document_article(path: Path, number: int) -> Article:
    """A page that offers one file of the user's as a report."""
    data = path.read_bytes()
    attachment = Attachment(
        file_id=hashlib.sha256(path.name.encode() + data).hexdigest()[:32],
        extension=path.suffix.lstrip(".").lower() or "bin",
        name=path.name,
        data=data,
    )
    article = Article(
        article_id=0,
        channel="annual_report",
        title=path.stem,
        published=date(2025, 3, 28),
        publisher=SITE_NAME,
        body="",
        attachments=(attachment,),
    )
    return _numbered(article, 90001 + number)


def _numbered(article: Article, article_id: int) -> Article:
    column = column_of(article.channel)
    path = article.path or article_path(column.column_id, article_id, article.published)
    index = f"QH{column.column_id % 1000:03d}-{article.published.year}-{article_id}"
    return replace(article, article_id=article_id, path=path, index_number=article.index_number or index)


def _take(entries: Iterator[Article], count: int) -> list[Article]:
    return [entry for _, entry in zip(range(count), entries, strict=False)]


# Annual reports ---------------------------------------------------------------------------------------------------


def _annual_reports(seed: int) -> Iterator[Article]:
    """Traps first, so that the smallest site has them; then the plain reports of every agency and year."""
    yield from _traps(seed)
    years = [2023, 2020, 2017, *(y for y in range(LAST_YEAR, FIRST_YEAR - 1, -1) if y not in (2023, 2020, 2017))]
    for turn, year in enumerate(years):
        for place, (agency, _) in enumerate(AGENCIES):
            if (agency, year) not in _TAKEN:
                yield _report_article(seed, agency, year, turn * 3 + place)
    yield from _extra_reports(seed)


# Agency and year of the reports that are traps: not published a second time.
_LIU, _SHI, _YUN, _CAI, _QU = AGENCIES[0][0], AGENCIES[3][0], AGENCIES[4][0], AGENCIES[2][0], AGENCIES[1][0]
_JIAO, _WEI, _ZHU = AGENCIES[5][0], AGENCIES[6][0], AGENCIES[7][0]
_TAKEN = {
    (_LIU, 2023),
    (_SHI, 2021),
    (_YUN, 2021),
    (_CAI, 2022),
    (_CAI, 2016),
    (_QU, 2015),
    (_JIAO, 2022),
    (_WEI, 2022),
    (_ZHU, 2022),
    (_ZHU, 2020),
    (_QU, 2024),
    (_YUN, 2018),
}


def _traps(seed: int) -> Iterator[Article]:
    # The same report three times: itself, its picture digest, its explanation.
    main = _printed(seed, _LIU, 2023)
    day = date(2024, 1, 26)
    yield _page_report(main, day)
    yield _plain(f"一图读懂：{main.title}", day, _LIU, f'<p><img src="{_PICTURES[0]}" width="600" alt="图解"></p>')
    explained = "<p>年报中群众最关心的几项，这里作一说明。</p><p>问：全年收到多少件申请？答：数字见年报第三部分。</p>"
    yield _plain(f"{main.title}文字解读", day + timedelta(days=1), _LIU, explained)
    # A title that says next to nothing, on a report that uses the last period's form.
    yield replace(_page_report(_printed(seed, _SHI, 2021, form="2019"), date(2022, 1, 24)), title="2021年度")
    # Published long after its year: moved from an older site.
    yield _page_report(_printed(seed, _QU, 2015), date(2020, 9, 21))
    # Only a link; the file is linked from icon and text.
    yield _file_report(seed, _printed(seed, _YUN, 2021), date(2022, 1, 14), "docx", twice=True)
    # Title cut in the list.
    cut = _page_report(_printed(seed, _CAI, 2022), date(2023, 1, 17))
    yield replace(cut, listed_title=cut.title[:14] + "…")
    # A link with trailing spaces, one with the site's own absolute address.
    yield replace(_page_report(_printed(seed, _JIAO, 2022), date(2023, 1, 18)), href="spaced")
    yield replace(_page_report(_printed(seed, _WEI, 2022), date(2023, 1, 30)), href="absolute")
    # A page that is gone.
    yield replace(_plain(f"{_ZHU}2020年政府信息公开工作年度报告", date(2021, 1, 29), _ZHU, ""), gone=True)
    # The endpoint that has one page per body and year, its address escaped twice.
    yield _history_page(seed, HISTORY_YEARS[-1])
    # A department's own site.
    yield replace(
        _plain("青禾区文旅协会2022年信息公开情况", date(2023, 2, 8), SITE_NAME, ""),
        href="other_host",
        path="http://wenlv.qinghe.invalid/art/2023/2/8/art_1_1.html",
    )
    yield from _printed_error(seed)
    yield from _damaged_files(seed)


def _printed_error(seed: int) -> Iterator[Article]:
    spec = break_sum(_spec(seed, _ZHU, 2022), seed)
    yield _page_report(replace(lay_out(spec), troubles=("printed_error",)), date(2023, 2, 1))


def _damaged_files(seed: int) -> Iterator[Article]:
    """Three attachments: HTML under a .pdf name, a PDF cut short, and a sound one on the file host."""
    login = (
        "<html><head><title>统一身份认证</title></head><body><form><input name='user'></form></body></html>".encode()
    )
    good = _pdf(_printed(seed, _QU, 2024))
    for agency, year, data, day in (
        (_YUN, 2018, login, date(2019, 3, 8)),
        (_CAI, 2016, good[: len(good) * 2 // 5], date(2017, 3, 10)),
    ):
        title = f"{agency}{year}年政府信息公开工作年度报告"
        attachment = Attachment(_file_id(seed, title), "pdf", f"{title}.pdf", data, readable=False)
        yield replace(_plain(title, day, agency, ""), attachments=(attachment,))
    printed = _printed(seed, _QU, 2024)
    far = Attachment(
        _file_id(seed, printed.title), "pdf", f"{printed.title}.pdf", good, place="file_host", report=printed
    )
    yield replace(_plain(printed.title, date(2025, 1, 20), _QU, ""), attachments=(far,))


# What one report in five does to its tables.
_HABITS = (
    "blank_columns",
    "slashes",
    "thousands_commas",
    "single_other_row",
    "label_variants",
    "split_review",
    "extra_row",
    "broken_headers",
    "units_in_cells",
    "full_width_digits",
)


def _habitual(seed: int, agency: str, year: int) -> Printed:
    """A report as `_printed` has it, one in five with a habit of careless offices."""
    printed = _printed(seed, agency, year)
    chance = dice(seed, agency, year, "habit")
    return with_troubles(printed, [chance.choice(_HABITS)], seed) if chance.random() < 0.2 else printed


def _printed(seed: int, agency: str, year: int, form: FormName | None = None) -> Printed:
    return lay_out(_spec(seed, agency, year, form))


@cache
def _spec(seed: int, agency: str, year: int, form: FormName | None = None) -> ReportSpec:
    """A report that goes on from the year before, as far back as there are any."""
    mode: Literal["distinct", "realistic"] = "distinct" if year % 3 == 0 else "realistic"
    drawn = draw_report(seed, agency=agency, year=year, form=form, mode=mode, signed=year % 4 != 1)
    return follow(drawn, _spec(seed, agency, year - 1) if year > FIRST_YEAR else None)


def _report_article(seed: int, agency: str, year: int, turn: int) -> Article:
    printed = _habitual(seed, agency, year)
    chance = dice(seed, agency, year, "published")
    day = date(year + 1, 1, 10) + timedelta(days=chance.randint(0, 60))
    kind = turn % 6
    if kind == 1:
        return _page_report(printed, day, word=True)
    if kind == 2:
        return replace(_page_report(printed, day), encoding="gb18030")
    if kind == 3:
        return _file_report(seed, printed, day, "docx")
    if kind == 4:
        return _file_report(seed, printed, day, "pdf")
    return _page_report(printed, day)


def _extra_reports(seed: int) -> Iterator[Article]:
    """Further bodies, for sites larger than the agencies' reports."""
    number = 0
    while True:
        number += 1
        for year in range(LAST_YEAR, FIRST_YEAR - 1, -1):
            yield _report_article(seed, f"青禾区第{number}社区服务中心", year, 0)


def _page_report(printed: Printed, day: date, *, word: bool = False) -> Article:
    body = html.body(printed, html.HtmlStyle(word=word))
    return replace(_plain(printed.title, day, printed.agency, body), written=printed.signed_on, report=printed)


def _file_report(seed: int, printed: Printed, day: date, extension: str, *, twice: bool = False) -> Article:
    data = docx.write(printed) if extension == "docx" else _pdf(printed)
    attachment = Attachment(
        file_id=_file_id(seed, printed.title),
        extension=extension,
        name=f"{printed.title}.{extension}",
        data=data,
        twice=twice,
        named=printed.year != 2019,
        report=printed,
    )
    article = _plain(printed.title, day, printed.agency, "")
    return replace(article, attachments=(attachment,))


def _pdf(printed: Printed) -> bytes:
    return pdf.write(printed)


def _file_id(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()[:32]


def _plain(title: str, day: date, publisher: str, body: str, channel: str = "annual_report") -> Article:
    return Article(
        article_id=0, channel=channel, title=title, published=day, publisher=publisher, body=body, source=publisher
    )


def history_path(area: str, year: int | str) -> str:
    return f"/module/xxgk/xxgkAnnualReport.jsp?area={area}&fbtime={year}"


def _history_page(seed: int, year: int) -> Article:
    """A page behind the endpoint; no list links them but that of the last year, its address escaped twice."""
    page = _page_report(_printed(seed, HISTORY_AGENCY, year), date(year + 1, 1, 31))
    return replace(
        page,
        path=history_path(HISTORY_AREA, year),
        href="escaped_twice",
        listed=year == HISTORY_YEARS[-1],
        index_number=f"QH-DAG-{year}",
    )


# Policy documents and notices -------------------------------------------------------------------------------------

_SUBJECTS = (
    "河道保洁", "社区食堂", "公共停车位", "老旧电梯更新", "校园周边秩序", "农贸市场", "建筑垃圾清运", "古树名木保护",
    "夜间施工", "便民服务点", "雨污分流", "小微企业贷款贴息", "公共自行车", "养老助餐", "图书分馆", "防汛物资",
)  # fmt: skip
_FORMS = ("管理办法", "实施方案", "工作规程", "考核细则", "扶持意见")
_RULES = (
    "本办法所称主管部门，是指区级承担相应职责的部门；街道、镇负责本辖区内的日常巡查。",
    "经费列入年度预算，专款专用，年末结余按规定交回。",
    "单位和个人可以通过窗口、电话或者网站提出意见，收到意见的单位应当在十个工作日内答复。",
    "未按期整改的，由主管部门书面提醒；再次逾期的，在全区通报。",
    "本文件自印发之日起施行，有效期五年；此前规定与本文件不一致的，以本文件为准。",
)


def _policies(seed: int) -> Iterator[Article]:
    guide = (
        "<p>各街道、镇，区级各部门：</p><p>请于明年一月底前完成本单位年度报告的编写和公开，"
        "表格按国办公开办函〔2021〕30号所附格式填写，没有数据的栏目填“0”。</p>"
    )
    title = "青禾区人民政府办公室关于做好2023年政府信息公开工作年度报告编制发布工作的通知"
    office = "青禾区人民政府办公室"
    yield replace(
        _plain(title, date(2023, 12, 18), office, guide, "policy"),
        document_number="青政办函〔2023〕61号",
        written=date(2023, 12, 15),
    )
    chance = dice(seed, "policy")
    number = 0
    while True:
        number += 1
        yield _policy(seed, chance, number)


def _policy(seed: int, chance: random.Random, number: int) -> Article:
    day = date(2016, 2, 1) + timedelta(days=chance.randint(0, 3300))
    written = day - timedelta(days=chance.randint(1, 12))
    subject, form = _SUBJECTS[number % len(_SUBJECTS)], _FORMS[number % len(_FORMS)]
    office = "青禾区人民政府办公室"
    name = f"青禾区{subject}{form}"
    title = f"{office}关于印发《{name}》的通知"
    rules = [f"第{'一二三四五'[i]}条　{rule}" for i, rule in enumerate(chance.sample(_RULES, chance.randint(2, 5)))]
    lines = ["各街道、镇，区级各部门：", f"《{name}》已经区政府第{number}次常务会议同意，现印发给你们。", *rules]
    body = "\n".join(f'<p style="text-indent: 2em;">{line}</p>' for line in lines)
    article = replace(
        _plain(title, day, office, body, "policy"),
        document_number=f"青政办发〔{written.year}〕{number}号",
        written=written,
        encoding="gb18030" if number % 4 == 0 else "utf-8",
        declared="gb2312" if number % 8 == 0 else "utf-8",
    )
    if number % 7 == 3:
        return replace(article, attachments=(_form_file(seed, name),))
    if number % 9 == 5:
        return replace(article, listed_title=title[:18] + "...")
    return article


def _form_file(seed: int, name: str) -> Attachment:
    blocks: tuple[Block, ...] = (Text(f"{name}申请表", "title"), Text("申请人：　　　　　联系电话：　　　　　"))
    data = docx.write_blocks(blocks, title=f"{name}申请表")
    return Attachment(_file_id(seed, name), "docx", f"{name}申请表.docx", data)


def _notices(seed: int) -> Iterator[Article]:
    quarter = (
        "<p>第二季度全区收到申请情况如下。</p><table border='1'><tr><td>单位</td><td>收到</td><td>办结</td></tr>"
        "<tr><td>柳溪街道</td><td>3</td><td>3</td></tr><tr><td>石桥街道</td><td>1</td><td>0</td></tr></table>"
    )
    yield _plain("青禾区2023年第二季度政府信息公开申请办理情况统计", date(2023, 7, 12), SITE_NAME, quarter, "notices")
    picture = f'<p>现场照片如下。</p><p><img src="{_PICTURES[1]}" width="500"></p>'
    yield _plain("柳溪街道便民服务点本周起延时开放", date(2024, 5, 6), "青禾区柳溪街道办事处", picture, "notices")
    chance = dice(seed, "notices")
    number = 0
    while True:
        number += 1
        agency = AGENCIES[number % len(AGENCIES)][0]
        day = date(2019, 1, 7) + timedelta(days=chance.randint(0, 2200))
        subject = _SUBJECTS[chance.randrange(len(_SUBJECTS))]
        title = f"{agency}关于{subject}项目第{number}批结果的公示"
        body = (
            f"<p>经现场查看和集体讨论，{subject}项目第{number}批共有{chance.randint(2, 40)}户符合条件，现予公示。</p>"
            f"<p>公示时间自{chinese_date(day)}起五个工作日，有不同意见的请向{agency}反映。</p>"
        )
        article = _plain(title, day, agency, body, "notices")
        yield replace(article, encoding="gb18030", declared="gb2312") if number % 5 == 0 else article


# Pictures ---------------------------------------------------------------------------------------------------------

_PICTURES = ("/picture/0/5d1c0a77e2b84f60a3c19e8b7f2d4406.png", "/picture/0/91b7e36c0f5a4d28b6e0c4a1d8f3725e.png")


def _pictures() -> tuple[Picture, ...]:
    return tuple(Picture(path, _png(60 + 30 * number)) for number, path in enumerate(_PICTURES))


def _png(shade: int) -> bytes:
    """An 8 × 8 grey square."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + bytes([shade]) * 8) * 8
    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
