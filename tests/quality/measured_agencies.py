"""Invented bodies over real divisions, each printed under many names on many sites: what the floors in
`baseline_agencies.json` hold.

`python tests/quality/measured_agencies.py` prints the figures; `--raise` writes those that are better than the baseline
into it. Nothing lowers a floor but a person editing the file. The spellings here are its own: the words that the
matcher knows are not looked at.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from archive.agencies import ReportToAssign
from crawler.agencies import named
from crawler.agency_rulings import Rulings
from parsers.agency_names import AgencyMatcher, Identity
from parsers.agency_pairs import Known, doubtful_pairs
from parsers.division_index import DivisionIndex
from parsers.divisions import seeded

BASELINE = Path(__file__).with_name("baseline_agencies.json")
SEED = 7

# Counties with their city and province as people write them. Chosen for what they could be taken for: names that other
# cities have too, names inside one another, county-level cities, autonomous divisions, municipalities, changed codes.
COUNTIES = {
    "230103": ("黑龙江省", "哈尔滨市", "南岗区"),
    "230102": ("黑龙江省", "哈尔滨市", "道里区"),
    "230183": ("黑龙江省", "哈尔滨市", "尚志市"),
    "230804": ("黑龙江省", "佳木斯市", "前进区"),
    "320106": ("江苏省", "南京市", "鼓楼区"),
    "320302": ("江苏省", "徐州市", "鼓楼区"),
    "350102": ("福建省", "福州市", "鼓楼区"),
    "110105": ("", "北京市", "朝阳区"),
    "110108": ("", "北京市", "海淀区"),
    "220104": ("吉林省", "长春市", "朝阳区"),
    "220204": ("吉林省", "吉林市", "船营区"),
    "211321": ("辽宁省", "朝阳市", "朝阳县"),
    "140302": ("山西省", "阳泉市", "城区"),
    "140502": ("山西省", "晋城市", "城区"),
    "330106": ("浙江省", "杭州市", "西湖区"),
    "360103": ("江西省", "南昌市", "西湖区"),
    "610102": ("陕西省", "西安市", "新城区"),
    "150102": ("内蒙古自治区", "呼和浩特市", "新城区"),
    "222401": ("吉林省", "延边朝鲜族自治州", "延吉市"),
    "422801": ("湖北省", "恩施土家族苗族自治州", "恩施市"),
    "220323": ("吉林省", "四平市", "伊通满族自治县"),
    "370103": ("山东省", "济南市", "市中区"),
    "370402": ("山东省", "枣庄市", "市中区"),
    "310115": ("", "上海市", "浦东新区"),
    "429004": ("湖北省", "", "仙桃市"),
    "540324": ("西藏自治区", "昌都市", "丁青县"),
    "130708": ("河北省", "张家口市", "万全区"),
    "411002": ("河南省", "许昌市", "魏都区"),
}
CITY_STEMS = {
    "哈尔滨市": "哈尔滨",
    "南京市": "南京",
    "福州市": "福州",
    "长春市": "长春",
    "杭州市": "杭州",
    "北京市": "北京",
}
SHORT_CITIES = {"延边朝鲜族自治州": "延边州", "恩施土家族苗族自治州": "恩施州"}
FAR_SITE = "440305"
# Names that several counties of the country have.
SHARED_NAMES = {"鼓楼区", "朝阳区", "城区", "西湖区", "新城区", "市中区"}

STREETS = ("文化", "和平里", "市府", "新城", "东湖", "县前", "中山路", "{stem}")
TOWNS = ("云渡镇", "城关镇", "枫林乡", "{stem}镇", "文化镇")
# Spellings that mean one bureau, the fullest first.
BUREAUX = (
    ("财政局",),
    ("教育局",),
    ("民政局",),
    ("审计局",),
    ("发展和改革局", "发展改革局", "发改局"),
    ("人力资源和社会保障局", "人力资源社会保障局", "人社局"),
    ("住房和城乡建设局", "住房城乡建设局", "住建局"),
    ("市场监督管理局", "市场监管局", "市监局"),
    ("工业和信息化局", "工业信息化局", "工信局"),
    ("应急管理局", "应急局"),
    ("退役军人事务局", "退役军人局"),
    ("文化和旅游局", "文化旅游局", "文旅局"),
    ("民族宗教事务局", "民族和宗教事务局", "民宗局"),
    ("国有资产监督管理委员会", "国资委"),
    ("云帆和港湾管理局", "云帆港湾管理局"),
)
# One body under a name that only a person can join: renamed, or shortened in a way that may mean another.
RENAMED = (
    ("卫生健康局", "卫生和计划生育局"),
    ("城市管理局", "城管局"),
    ("自然资源局", "国土资源局"),
    ("农业农村委员会", "农业农村局"),
    ("云帆产业促进局", "云促局"),
)
OFFICES = ("人民政府办公室", "政府办公室", "政府办", "人民政府办公厅")
ZONES = ("经济技术开发区管理委员会", "经济技术开发区管委会")
INSTITUTIONS = ("档案馆", "图书馆")
CITY_BUREAUX = (("财政局",), ("教育局",), ("住房和城乡建设局", "住建局"), ("发展和改革委员会", "发改委", "发展改革委"))
INNER = ("综合办公室", "党政办公室", "便民服务中心")


@dataclass(frozen=True)
class Sample:
    """One report. `truth` is its body; `can_be_told` is False where a person could not say from what is there."""

    truth: str
    printed: str
    report: ReportToAssign
    text: str = ""
    can_be_told: bool = True


@dataclass(frozen=True)
class Figures:
    """Pairs of reports: found to be of one body, rightly or wrongly, and those that are.

    `splits` are pairs of ids of one body, `listed` those that the review list joins; `guessed` are reports whose body
    nobody could tell and that have an agency all the same.
    """

    samples: int
    names: int
    unresolved: int
    wrong_pairs: int
    right_pairs: int
    true_pairs: int
    splits: int
    listed: int
    guessed: int

    @property
    def recall(self) -> float:
        return self.right_pairs / self.true_pairs

    @property
    def listed_share(self) -> float:
        return self.listed / self.splits if self.splits else 1.0


def samples(seed: int = SEED) -> list[Sample]:
    """Every body of every county and city, under its names, on its sites."""
    dice = random.Random(seed)
    found: list[Sample] = []
    for code in COUNTIES:
        found.extend(_county(code))
    for code in {_city_code(code): code for code in COUNTIES if COUNTIES[code][1]}.values():
        found.extend(_city(code))
    return [_noisy(sample, number, dice) for number, sample in enumerate(found, 1)]


def _county(code: str) -> Iterator[Sample]:
    stem = COUNTIES[code][2][:-1] if len(COUNTIES[code][2]) > 2 else ""
    for base in STREETS:
        name = base.format(stem=stem)
        if len(name) >= 2:
            forms = tuple(name + end for end in ("街道办事处", "街道", "街道办"))
            yield from _body(code, f"street {name}", forms, has_text=True)
    for base in TOWNS:
        name = base.format(stem=stem)
        if len(name) >= 3:
            yield from _body(code, f"town {name}", (name + "人民政府", name, name + "政府"), has_text=True)
    for forms in BUREAUX:
        yield from _body(code, f"bureau {forms[0]}", forms, is_relative=True, has_stem=forms[0] != BUREAUX[-1][0])
    for forms in RENAMED:
        yield from _body(code, f"bureau {forms[0]}", forms)
    yield from _body(code, "office", OFFICES, is_relative=True, has_stem=True, between=False)
    yield from _body(code, "zone", ZONES)
    yield from _government(code)
    for name in INSTITUTIONS:
        yield from _printed_in_full(code, f"institution {name}", name)
    # What is left of a town's name where a line was lost.
    yield _sample(code, f"town {TOWNS[0]}", "人民政府", site=code, can_be_told=False)
    for name in INNER:
        # Two bodies of one county have an office called so: whose, nobody can say.
        for number in (1, 2):
            yield _sample(code, f"inner {name} {number}", name, site=code, can_be_told=False)


def _city(code: str) -> Iterator[Sample]:
    city, city_code = COUNTIES[code][1], _city_code(code)
    names = (city, SHORT_CITIES[city]) if city in SHORT_CITIES else (city, COUNTIES[code][0] + city)
    for forms in (*CITY_BUREAUX, OFFICES, ZONES):
        truth = f"{city_code} {forms[0]}"
        for form in forms:
            for name in names:
                for site in (city_code, code, FAR_SITE):
                    yield _sample(site, truth, name + form, site=site, truth_in_full=True)
            publisher = city + forms[0]
            if forms is not OFFICES:
                yield _sample(code, truth, form, site=city_code, publisher=publisher, truth_in_full=True)
            yield _sample(code, truth, form, site=city_code, truth_in_full=True, can_be_told=False)
    # Bureaux speak of those above and below them, and not of themselves alone.
    speaks_of_county = f"我局指导{city}{COUNTIES[code][2]}财政局公开预算。"
    speaks_of_city = f"我局在{city}财政局指导下公开预算。"
    for truth, text in ((f"{city_code} 财政局", speaks_of_county), (f"{code} bureau 财政局", speaks_of_city)):
        yield _sample(code, truth, "财政局", site=city_code, text=text, truth_in_full=True, can_be_told=False)
    for name in names:
        for end in ("", "人民政府", "政府"):
            for site in (city_code, code, FAR_SITE):
                yield _sample(site, f"{city_code} government", name + end, site=site, truth_in_full=True)
    if city.endswith("市") and COUNTIES[code][2].endswith("区"):
        yield _sample(code, f"{city_code} 财政局", "市财政局", site=code, truth_in_full=True)
        yield _sample(code, f"{city_code} government", "市政府", site=code, truth_in_full=True)


def _body(
    code: str,
    truth: str,
    forms: tuple[str, ...],
    *,
    is_relative: bool = False,
    has_stem: bool = False,
    has_text: bool = False,
    between: bool = True,
) -> Iterator[Sample]:
    county = COUNTIES[code][2]
    for form in forms:
        yield from _printed_in_full(code, truth, form)
        if between:
            yield _sample(code, truth, f"{COUNTIES[code][1]}{county}人民政府{form}", site=code)
        # On the county's own site, without its name.
        yield _sample(code, truth, form, site=code)
        if has_text:
            yield from _told_by_text(code, truth, form)
        if is_relative:
            yield _sample(code, truth, county[-1] + form, site=code)
        if has_stem and len(county) > 2 and not county.endswith("自治县") and _is_only_stem(code):
            yield _sample(code, truth, county[:-1] + form, site=code)
    if COUNTIES[code][1]:
        # On the city's site a bare name may be that of any district.
        yield _sample(code, truth, forms[0], site=_city_code(code), can_be_told=False)


def _printed_in_full(code: str, truth: str, form: str) -> Iterator[Sample]:
    province, city, county = COUNTIES[code]
    full = {province + city + county, city + county} if city else {province + county}
    if stem := CITY_STEMS.get(city):
        full.add(stem + county)
    if short := SHORT_CITIES.get(city):
        full.add(short + county)
    sites: tuple[str, ...] = (code, _city_code(code), FAR_SITE, "") if city else (code, FAR_SITE, "")
    for number, name in enumerate(sorted(full)):
        for site in sites[number % 2 :: 2]:
            yield _sample(code, truth, name + form, site=site)
    for site in (code, _city_code(code)) if city else (code,):
        yield _sample(code, truth, county + form, site=site)
    # Elsewhere the county's name alone may be another's.
    yield _sample(code, truth, county + form, site=FAR_SITE, can_be_told=False)
    yield _sample(code, truth, county + form, site="", can_be_told=county not in SHARED_NAMES)


def _told_by_text(code: str, truth: str, form: str) -> Iterator[Sample]:
    _, city, county = COUNTIES[code]
    told = f"根据条例，现公布{city}{county}{form}2020年度政府信息公开工作年度报告。"
    untold = f"2020年，{form}认真贯彻条例。"
    yield _sample(code, truth, form, site=code, text=told)
    yield _sample(code, truth, form, site=code, text=untold)
    if city:
        yield _sample(code, truth, form, site=_city_code(code), text=told)
        yield _sample(code, truth, form, site=_city_code(code), text=untold, can_be_told=False)
    # Put up by another district that has a street of the same name.
    other = next(one for one in COUNTIES if one != code and COUNTIES[one][2] != county)
    yield _sample(code, truth, form, site=other, text=told, can_be_told=False)


def _government(code: str) -> Iterator[Sample]:
    for end in ("", "人民政府", "政府"):
        yield from _printed_in_full(code, "government", end)
    for relative in ("人民政府", "政府"):
        yield _sample(code, "government", COUNTIES[code][2][-1] + relative, site=code)


def _sample(
    code: str,
    truth: str,
    printed: str,
    *,
    site: str,
    text: str = "",
    publisher: str = "",
    can_be_told: bool = True,
    truth_in_full: bool = False,
) -> Sample:
    report = ReportToAssign(
        0, 0, 0, 0, "r", "", printed, "document", None, site, _agency(site), site or None, publisher
    )
    return Sample(truth if truth_in_full else f"{code} {truth}", printed, report, text, can_be_told)


def _noisy(sample: Sample, number: int, dice: random.Random) -> Sample:
    """A year, and in some reports a name as fonts, keyboards and typesetters leave it."""
    printed = sample.printed
    match dice.randrange(12):
        case 0:
            printed = " ".join(printed)
        case 1:
            printed = printed.replace("区", "區").replace("办", "辦").replace("财", "財")
        case 2:
            printed += "（本级）"
        case 3:
            printed = f"\u3000{printed}\u200b"
        case 4:
            printed = printed.replace("民", "⺠").replace("人", "⼈")
    report = replace(
        sample.report,
        report_id=number,
        reading_id=number,
        document_url=f"http://{number}",
        agency=printed,
        year=dice.randrange(2015, 2025),
    )
    return replace(sample, report=report, printed=printed)


def _agency(site: str) -> str:
    if site in COUNTIES:
        return "".join(COUNTIES[site][1:]) + "人民政府"
    return next((COUNTIES[code][1] + "人民政府" for code in COUNTIES if _city_code(code) == site), "")


def _city_code(code: str) -> str:
    return f"{code[:2]}0000" if not COUNTIES[code][0] or not COUNTIES[code][1] else f"{code[:4]}00"


def _is_only_stem(code: str) -> bool:
    """朝阳财政局 on the site of 朝阳县 may be the city's, which is called 朝阳 too."""
    return COUNTIES[code][2][:-1] not in (COUNTIES[code][1][:-1], COUNTIES[code][0][:-1])


@cache
def measure(seed: int = SEED) -> Figures:
    """Assigns every sample as extraction does, and counts."""
    index = DivisionIndex(seeded())
    matcher = AgencyMatcher(index)
    drawn = samples(seed)
    ids: dict[str, list[tuple[str | None, Sample]]] = defaultdict(list)
    truths: dict[str, list[str]] = defaultdict(list)
    known: dict[str, Known] = {}
    guessed = 0
    for sample in drawn:
        found = named(sample.report, matcher, Rulings(), lambda _, text=sample.text: text)
        agency_id = found.identity.agency_id if found.identity else None
        ids[sample.truth].append((agency_id, sample))
        if agency_id is not None and isinstance(found.identity, Identity):
            truths[agency_id].append(sample.truth)
            years = frozenset({sample.report.year or 0}) | (
                known[agency_id].years if agency_id in known else frozenset()
            )
            known[agency_id] = Known(found.identity, found.name, years)
            guessed += not sample.can_be_told
    joined = {frozenset((pair.agency_id, pair.other_id)) for pair in doubtful_pairs(known.values(), index)}
    splits = [
        frozenset(pair)
        for told in ids.values()
        for pair in combinations(sorted({one for one, sample in told if one and sample.can_be_told}), 2)
    ]
    return Figures(
        samples=len(drawn),
        names=len({sample.printed for sample in drawn}),
        unresolved=sum(one is None for told in ids.values() for one, sample in told if sample.can_be_told),
        wrong_pairs=sum(_pairs(len(told)) - _same(told) for told in truths.values()),
        right_pairs=sum(_same([one for one, sample in told if one and sample.can_be_told]) for told in ids.values()),
        true_pairs=sum(_pairs(sum(sample.can_be_told for _, sample in told)) for told in ids.values()),
        splits=len(splits),
        listed=sum(split in joined for split in splits),
        guessed=guessed,
    )


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _same(values: list[str]) -> int:
    """Pairs of equal values."""
    return sum(_pairs(values.count(value)) for value in set(values))


def floors() -> dict[str, float]:
    return json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raise", dest="raised", action="store_true", help="write better figures into the baseline")
    parser.add_argument("--wrong", action="store_true", help="print what was not told, split or merged")
    options = parser.parse_args()
    found = measure()
    print(found)
    print(f"recall {found.recall:.4f}, splits listed {found.listed_share:.4f}, baseline {floors()}")
    if options.wrong:
        _print_wrong()
    if options.raised:
        better = {"recall": found.recall, "listed": found.listed_share}
        kept = {key: max(value, floors().get(key, 0.0)) for key, value in better.items()}
        BASELINE.write_text(
            json.dumps({key: int(value * 1e4) / 1e4 for key, value in kept.items()}, indent=1) + "\n", "utf-8"
        )


def _print_wrong() -> None:
    matcher = AgencyMatcher(DivisionIndex(seeded()))
    first: dict[str, tuple[str, Sample]] = {}
    names: dict[str, dict[str, str]] = defaultdict(dict)
    for sample in samples():
        found = named(sample.report, matcher, Rulings(), lambda _, text=sample.text: text)
        place = f"{sample.truth}: {sample.printed} on {sample.report.site} in {sample.report.year} ({sample.text[:20]})"
        if found.identity is None:
            if sample.can_be_told:
                print("OPEN  ", place, found.rule, found.evidence)
            continue
        truth, other = first.setdefault(found.identity.agency_id, (sample.truth, sample))
        if truth != sample.truth:
            print("MERGED", place, "with", truth, other.printed, other.report.site, found.rule)
        if not sample.can_be_told:
            print("GUESS ", place, found.rule, found.evidence)
        names[sample.truth].setdefault(found.identity.agency_id, f"{sample.printed} {found.identity}")
    for truth, told in names.items():
        if len(told) > 1:
            print("SPLIT ", truth, *told.values(), sep="\n         ")


if __name__ == "__main__":
    main()
