"""Invented reports of a thousand agencies over years: what a published corpus is measured on.

Everything is drawn from the seed. Unlike the replica's reports these hang together from year to year: what is carried
out of one year is carried into the next, 现行有效 follows from what was issued and repealed, offices are renamed, some
governments report for all their departments. And, like real ones, some do not: see `Habits`. No such division exists.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from crawler.replica import layout
from crawler.replica.reports import Number, Printed, ReportSpec, break_sum, dice, draw_report, lay_out
from crawler.replica.troubles import with_troubles

LAST_YEAR = 2024
AGENCIES_PER_DISTRICT = 25
PEOPLE = tuple(column for column, _ in layout.COLUMNS[:-1])
Format = Literal["html", "word_html", "gbk_html", "docx", "pdf"]
Kind = Literal["government", "department", "street", "town"]

_CITIES = ("澜州市", "栖霞岭市", "云浦市", "砚城市", "棠溪市", "雁湖市", "鹿鸣市", "苇塘市")
_DISTRICTS = ("青禾区", "石桥区", "柳溪区", "稻香县", "清渠区", "松岗县", "白鹭区", "临湖县")
_SPELLINGS = ("lanzhou", "qixialing", "yunpu", "yancheng", "tangxi", "yanhu", "luming", "weitang")
# Until the reform of 2018/19, and since.
_DEPARTMENTS = (
    ("财政局", "财政局"),
    ("教育局", "教育局"),
    ("卫生和计划生育局", "卫生健康局"),
    ("文化体育局", "文化和旅游局"),
    ("国土资源局", "自然资源局"),
    ("安全生产监督管理局", "应急管理局"),
    ("住房和城乡建设局", "住房和城乡建设局"),
    ("民政局", "民政局"),
    ("审计局", "审计局"),
    ("统计局", "统计局"),
    ("司法局", "司法局"),
    ("工商行政管理局", "市场监督管理局"),
)
_STREETS = ("文化", "和平", "新华", "建设", "红星", "东湖", "西山", "南苑")
_TOWNS = ("云渡", "枫林", "沙河", "梅岭")
_TROUBLES = (
    "blank_columns",
    "slashes",
    "thousands_commas",
    "single_other_row",
    "label_variants",
    "split_review",
    "extra_row",
    "units_in_cells",
    "full_width_digits",
    "missing_row",
    "missing_table",
    "nothing_in_words",
)


@dataclass(frozen=True, slots=True)
class Habits:
    """How many reports in a hundred go wrong in each way."""

    troubles: float = 6
    broken_sum: float = 1.5
    broken_carry: float = 2
    broken_stock: float = 2
    wrong_sentence: float = 2
    jump: float = 0.3
    missing_year: float = 5
    docx: float = 4
    pdf: float = 4
    changed: float = 1


HABITS = Habits()


@dataclass(frozen=True, slots=True)
class Agency:
    """One reporting body. `number` is its place in its district; the government has 0."""

    district: int
    number: int
    kind: Kind
    before_2019: str
    since_2019: str
    years: tuple[int, ...]

    def name(self, year: int) -> str:
        return self.before_2019 if year < 2019 else self.since_2019


@dataclass(frozen=True, slots=True)
class Report:
    """One report as its agency publishes it. `again` is another edition that takes its place later, if one does."""

    agency: Agency
    year: int
    published: date
    format: Format
    printed: Printed
    again: Printed | None


@dataclass(frozen=True, slots=True)
class District:
    """A county-level division with its site; `agencies` begins with its government."""

    number: int
    agencies: tuple[Agency, ...]

    @property
    def city(self) -> str:
        return _CITIES[self.number // len(_DISTRICTS)]

    @property
    def name(self) -> str:
        return _DISTRICTS[self.number % len(_DISTRICTS)]

    @property
    def code(self) -> str:
        """In a province that GB/T 2260 does not have."""
        return f"99{self.number // len(_DISTRICTS) + 1:02d}{self.number % len(_DISTRICTS) + 2:02d}"

    @property
    def site(self) -> str:
        return f"{_SPELLINGS[self.number // len(_DISTRICTS)]}_d{self.code}"

    @property
    def host(self) -> str:
        return f"www.d{self.code}.invalid"

    @property
    def is_aggregate(self) -> bool:
        """Whether its government reports for its departments and streets too."""
        return self.number % 2 == 0


def districts(report_count: int, seed: int) -> list[District]:
    """So many that their agencies publish exactly `report_count` reports, five each on average; at most some 8,000."""
    found: list[District] = []
    left = report_count
    while left > 0:
        number = len(found)
        agencies = []
        for place in range(AGENCIES_PER_DISTRICT):
            if left <= 0:
                break
            agency = _agency(number, place, seed)
            agencies.append(replace(agency, years=agency.years[-left:]))
            left -= len(agencies[-1].years)
        found.append(District(number, tuple(agencies)))
    return found


def reports(district: District, seed: int) -> Iterator[Report]:
    """Every report of the district, agency by agency; the government's come last, for they may need the others'."""
    sums: dict[int, dict[str, Number]] = {}
    for agency in (*district.agencies[1:], district.agencies[0]):
        before: Mapping[str, Number | None] | None = None
        for year in agency.years:
            chance = dice(seed, district.number, agency.number, year)
            spec = _spec(district, agency, year, seed)
            values = dict(spec.values)
            if agency.kind == "government" and district.is_aggregate and year in sums and spec.form != "2014":
                for cell, value in sums[year].items():
                    values[cell] = (values.get(cell) or 0) + value
            _hang_together(values, before if year - 1 in agency.years else None, chance)
            if agency.kind != "government":
                _add(sums.setdefault(year, {}), values)
            before = values
            spec = _with_sentences(replace(spec, values=values), district, agency, chance)
            yield _published(spec, agency, chance, seed)


def _agency(district: int, place: int, seed: int) -> Agency:
    city = _CITIES[district // len(_DISTRICTS)]
    name = _DISTRICTS[district % len(_DISTRICTS)]
    chance = dice(seed, "agency", district, place)
    span = chance.choice((3, 4, 5, 5, 5, 6, 7))
    last = LAST_YEAR if chance.random() < 0.85 else LAST_YEAR - chance.randint(1, 2)
    years = list(range(last - span + 1, last + 1))
    if span > 3 and chance.random() * 100 < HABITS.missing_year * span:
        years.remove(chance.choice(years[1:-1]))
    if place == 0:
        return Agency(district, place, "government", f"{name}人民政府", f"{name}人民政府", tuple(years))
    if place <= len(_DEPARTMENTS):
        old, new = _DEPARTMENTS[place - 1]
        prefix = chance.choice((name, name, f"{city}{name}"))
        return Agency(district, place, "department", prefix + old, prefix + new, tuple(years))
    place -= len(_DEPARTMENTS) + 1
    if place < len(_STREETS):
        street = _STREETS[place]
        short = chance.choice((f"{name}{street}街道办事处", f"{name}{street}街道", f"{name}人民政府{street}街道办事处"))
        full = f"{city}{name}人民政府{street}街道办事处" if chance.random() < 0.3 else f"{name}{street}街道办事处"
        return Agency(district, place + len(_DEPARTMENTS) + 1, "street", short, full, tuple(years))
    town = _TOWNS[(place - len(_STREETS)) % len(_TOWNS)]
    written = f"{name}{town}镇人民政府"
    return Agency(district, place + len(_DEPARTMENTS) + 1, "town", written, written, tuple(years))


def _spec(district: District, agency: Agency, year: int, seed: int) -> ReportSpec:
    key = f"{seed}/{district.number}/{agency.number}"
    return draw_report(key, agency=agency.name(year), year=year, signed=(district.number + agency.number) % 4 != 1)


def _hang_together(
    values: dict[str, Number | None], before: Mapping[str, Number | None] | None, chance: random.Random
) -> None:
    """Carries over from the year before, and makes the sums right again."""
    if "applications.carried_in.total" not in values:
        return
    is_broken = chance.random() * 100 < HABITS.broken_carry
    for column in PEOPLE:
        carried_in = _of(before, f"applications.carried_out.{column}") if before else None
        if carried_in is not None:
            values[f"applications.carried_in.{column}"] = carried_in + (is_broken and column == "natural_person") * 2
        if chance.random() * 100 < HABITS.jump and column == "natural_person":
            values["applications.granted.natural_person"] = (
                _of(values, "applications.granted.natural_person") or 3
            ) * 1000
        _balance(values, column)
    for row in {cell.split(".")[1] for cell in values if cell.startswith("applications.")}:
        values[f"applications.{row}.total"] = sum(_of(values, f"applications.{row}.{column}") or 0 for column in PEOPLE)
    for key in ("regulations", "normative_documents"):
        cell = f"disclosure.{key}.in_force"
        if cell not in values:
            continue
        stock = _of(before, cell) if before else None
        issued, repealed = (_of(values, f"disclosure.{key}.{what}") or 0 for what in ("issued", "repealed"))
        if key == "regulations":
            # Offices of counties make none.
            values.update({f"disclosure.{key}.{what}": 0 for what in ("issued", "repealed", "in_force")})
            continue
        issued, repealed = issued % 40, repealed % 20
        stock = chance.randint(5, 180) if stock is None else stock
        repealed = min(repealed, int(stock) + issued)
        wrong = 7 if chance.random() * 100 < HABITS.broken_stock else 0
        values[f"disclosure.{key}.issued"] = issued
        values[f"disclosure.{key}.repealed"] = repealed
        values[cell] = stock + issued - repealed + wrong


def _balance(values: dict[str, Number | None], column: str) -> None:
    """new + carried_in = handled_total + carried_out; what would be negative is granted besides."""
    handled_rows = [
        cell
        for cell in values
        if cell.startswith("applications.")
        and cell.endswith(f".{column}")
        and cell.split(".")[1] not in ("new", "carried_in", "carried_out", "handled_total")
    ]
    handled = sum(values[cell] or 0 for cell in handled_rows)
    new = handled + (_of(values, f"applications.carried_out.{column}") or 0)
    new -= _of(values, f"applications.carried_in.{column}") or 0
    if new < 0:
        granted = f"applications.granted.{column}"
        values[granted] = (values[granted] or 0) - new
        handled, new = handled - new, 0
    values[f"applications.handled_total.{column}"] = handled
    values[f"applications.new.{column}"] = new


def _of(values: Mapping[str, Number | None] | None, cell: str) -> Number | None:
    return values.get(cell) if values else None


def _add(total: dict[str, Number], values: Mapping[str, Number | None]) -> None:
    for cell, value in values.items():
        if cell.startswith(("applications.", "review.")) and value is not None:
            total[cell] = total.get(cell, 0) + value


def _with_sentences(spec: ReportSpec, district: District, agency: Agency, chance: random.Random) -> ReportSpec:
    """The report with sentences that name its own place and its own numbers, once in a while the wrong one."""
    opening = spec.opening.replace("青禾区", district.name)
    if agency.kind == "government" and district.is_aggregate:
        opening += f"本报告所列数据包括{district.name}人民政府各部门和各街道、镇的数据。"
    new = spec.values.get("applications.new.total", spec.values.get("applications.received"))
    said = (new or 0) + (1 if chance.random() * 100 < HABITS.wrong_sentence else 0)
    sentence = f"（二）依申请公开。{spec.year}年共收到政府信息公开申请{said}件，均在法定期限内办理。"
    overview = (spec.overview[0], sentence, *spec.overview[2:])
    return replace(spec, opening=opening, overview=overview)


def _published(spec: ReportSpec, agency: Agency, chance: random.Random, seed: int) -> Report:
    draw = chance.random() * 100
    key = f"{seed}/{agency.district}/{agency.number}/{spec.year}"
    if draw < HABITS.broken_sum:
        spec = break_sum(spec, key)
    printed = lay_out(spec)
    if HABITS.broken_sum <= draw < HABITS.broken_sum + HABITS.troubles:
        wanted = chance.choice(_TROUBLES)
        if wanted != "single_other_row" or spec.form == "2021":
            printed = with_troubles(printed, [wanted], key)
    again = None
    if spec.year < LAST_YEAR and chance.random() * 100 < HABITS.changed:
        posts = spec.other[0] + "（本报告于次年更正一次。）"
        again = lay_out(replace(spec, other=(posts,)))
    published = date(spec.year + 1, 1, 8) + timedelta(days=chance.randint(0, 70))
    return Report(agency, spec.year, published, _format(chance), printed, again)


def _format(chance: random.Random) -> Format:
    draw = chance.random() * 100
    if draw < HABITS.pdf:
        return "pdf"
    if draw < HABITS.pdf + HABITS.docx:
        return "docx"
    return chance.choice(("html", "html", "word_html", "gbk_html"))
