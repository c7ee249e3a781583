"""Printed names of one body come to one agency, those of two never do, and what is doubtful is said to be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.agency_names import AgencyMatcher, Context
from parsers.agency_texts import with_text
from parsers.division_index import DivisionIndex
from parsers.divisions import seeded

MATCHER = AgencyMatcher(DivisionIndex(seeded()))
DISTRICT = Context("230103", year=2021)
CITY = Context("230100", year=2021)


def agency(name: str, context: Context = DISTRICT) -> str | None:
    identity = MATCHER.named(name, context).identity
    return identity.agency_id if identity else None


@pytest.mark.parametrize(
    "names",
    [
        ("文化街道办事处", "南岗区文化街道", "哈尔滨市南岗区人民政府文化街道办事处", "南岗区 文化街道办"),
        ("南岗区", "哈尔滨市南岗区人民政府", "黑龙江省哈尔滨市南岗区人民政府", "区政府", "南岗区政府（本级）"),
        ("发展和改革局", "南岗区发改局", "区发展改革局", "哈尔滨市南岗区人民政府发展和改革局"),
        ("王岗镇", "南岗区王岗镇人民政府", "王岗镇政府", "王岗鎮"),
        ("南岗区人民政府办公室", "区政府办", "哈尔滨市南岗区政府办公室"),
        ("国家税务总局哈尔滨市南岗区税务局", "南岗区税务局"),
    ],
    ids=lambda names: names[0],
)
def test_names_of_one_body_come_to_one_agency(names: tuple[str, ...]) -> None:
    assert len({agency(name) for name in names}) == 1
    assert agency(names[0]) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("南岗区", "南岗区人民政府办公室"),
        ("文化街道", "文化镇"),
        ("南岗区文化街道", "道里区文化街道"),
        ("发展和改革局", "发展和改革委员会"),
        ("区财政局", "市财政局"),
        ("南岗区", "哈尔滨市"),
    ],
)
def test_names_of_two_bodies_stay_apart(one: str, other: str) -> None:
    assert agency(one) != agency(other)
    assert None not in (agency(one), agency(other))


@pytest.mark.parametrize(
    ("name", "context", "rule"),
    [
        ("文化街道办事处", CITY, "which_division"),
        ("鼓楼区财政局", Context(), "which_division"),
        ("财政局", Context(), "no_division"),
        ("便民服务中心", DISTRICT, "bare_institution"),
        ("人民政府", DISTRICT, "no_division"),
        ("国家税务总局", DISTRICT, "national_body"),
        ("哈尔滨市南岗区委员会", DISTRICT, "unknown_form"),
        ("国家统计局某某局", DISTRICT, "national_body"),
        ("双城市财政局", Context("230113", year=2021), "division_ended"),
        ("区财政局", Context("150782", year=2021), "which_division"),
        ("区政府", Context("659001", year=2021), "unknown_form"),
        ("哈尔滨市文化街道", CITY, "which_division"),
        ("Finance Bureau", DISTRICT, "not_a_name"),
    ],
)
def test_what_nobody_can_say_from_the_name_is_left_open_with_a_reason(name: str, context: Context, rule: str) -> None:
    named = MATCHER.named(name, context)
    assert (named.identity, named.rule) == (None, rule)
    assert named.evidence


@pytest.mark.parametrize("around", [{"site_agency": "哈尔滨市财政局"}, {"publisher": "哈尔滨市财政局"}], ids=str)
def test_a_bureau_without_its_city_is_the_one_that_the_site_or_the_publisher_is(around: dict[str, str]) -> None:
    assert agency("财政局", CITY) is None
    assert agency("财政局", Context("230100", year=2021, **around)) == agency("哈尔滨市财政局", CITY)


@pytest.mark.parametrize(
    ("text", "rule", "place"),
    [
        ("现公布南岗区文化街道2020年度报告", "told_in_text/street_office", "230103"),
        ("哈尔滨市南岗区人民政府文化街道办事处认真贯彻", "told_in_text/street_office", "230103"),
        ("文化街道认真贯彻", "which_division", None),
        ("南岗区文化街道，道里区文化街道", "which_division", None),
    ],
)
def test_the_text_says_of_which_district_a_street_on_a_citys_site_is(text: str, rule: str, place: str | None) -> None:
    found = with_text(MATCHER.named("文化街道", CITY), "文化街道", CITY, text, MATCHER)
    assert (found.rule, found.identity.place if found.identity else None) == (rule, place)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("现公布哈尔滨市财政局2020年度报告。", "told_in_text/department"),
        ("现公布哈尔滨市南岗区财政局2020年度报告。", "told_in_text/department"),
        ("在哈尔滨市财政局指导下，本局认真公开。", "which_division"),
        ("我局指导南岗区财政局公开预算。", "which_division"),
    ],
)
def test_of_bureaux_only_what_the_text_announces_counts(text: str, rule: str) -> None:
    assert with_text(MATCHER.named("财政局", CITY), "财政局", CITY, text, MATCHER).rule == rule


def test_a_government_without_its_divisions_name_is_nobodys() -> None:
    assert agency("人民政府", Context("230103", "哈尔滨市南岗区人民政府", "南岗区人民政府", 2021)) is None


@pytest.mark.parametrize("other", ["道里区", "杭州市拱墅区", "鼓楼区"])
def test_a_text_that_names_another_district_leaves_the_report_open(other: str) -> None:
    text = f"现公布{other}文化街道2020年年报"
    found = with_text(MATCHER.named("文化街道", DISTRICT), "文化街道", DISTRICT, text, MATCHER)
    assert (found.identity, found.rule) == (None, "text_contradicts_site")
    assert f"{other}文化街道" in found.evidence


@pytest.mark.parametrize(
    ("name", "context", "full"),
    [
        ("朝阳市场监督管理局", Context("220104", year=2021), "长春市朝阳区市场监管局"),
        ("哈尔滨市文化街道", DISTRICT, "南岗区文化街道"),
        ("哈尔滨经济技术开发区管委会", DISTRICT, "哈尔滨市经济技术开发区管理委员会"),
        ("双城市财政局", Context("230113", year=2013), "哈尔滨市双城市财政局"),
        ("大同市城区财政局", Context(year=2015), "山西省大同市城区财政局"),
        ("延边州财政局", Context(), "吉林省延边朝鲜族自治州财政局"),
        ("区财政厅", Context("150105", year=2021), "内蒙古自治区财政厅"),
        ("区财政局", Context("150105", year=2021), "呼和浩特市赛罕区财政局"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_shortened_name_is_the_bodys_that_its_full_name_is(name: str, context: Context, full: str) -> None:
    assert agency(name, context) == agency(full, Context(year=context.year)) is not None


@pytest.mark.parametrize(
    ("name", "site", "before", "after"), [("哈密市", "650500", 2015, 2016), ("巢湖市", "340181", 2010, 2012)]
)
def test_a_city_that_took_the_name_of_one_of_another_level_is_not_that_city(
    name: str, site: str, before: int, after: int
) -> None:
    old, new = (agency(f"{name}财政局", Context(site, year=year)) for year in (before, after))
    assert new is not None
    assert old != new


def test_an_agency_id_is_the_same_everywhere_and_always() -> None:
    assert agency("南岗区文化街道") == "a503g0pbgvb5k"


BASES = st.text(alphabet="云帆枫林梅溪澜沙", min_size=2, max_size=4)
DIVISIONS = st.sampled_from(["", "南岗区", "哈尔滨市南岗区", "黑龙江省哈尔滨市南岗区", "南岗区南岗区", "哈尔滨南岗区"])
NOISE = st.sampled_from([str, " ".join, lambda name: f"　{name}", lambda name: name.replace("区", "區")])


@settings(deadline=None)
@given(
    base=BASES, one=DIVISIONS, other=DIVISIONS, noise=NOISE, suffixes=st.permutations(["街道", "街道办", "街道办事处"])
)
def test_a_street_is_one_however_it_is_printed(base: str, one: str, other: str, noise, suffixes: list[str]) -> None:
    assert agency(one + base + suffixes[0]) == agency(noise(other + base + suffixes[1])) is not None


@settings(deadline=None)
@given(one=BASES, other=BASES, suffix=st.sampled_from(["街道", "镇", "乡", "局", "管委会", "委员会"]))
def test_two_names_are_one_agency_only_when_they_are_one_name(one: str, other: str, suffix: str) -> None:
    assert (agency(f"南岗区{one}{suffix}") == agency(f"哈尔滨市南岗区{other}{suffix}")) == (one == other)


@settings(deadline=None)
@given(base=BASES, kinds=st.permutations(["街道办事处", "镇人民政府", "乡人民政府", "局", "管理委员会"]))
def test_bodies_of_two_kinds_are_never_one(base: str, kinds: list[str]) -> None:
    assert agency(base + kinds[0]) != agency(base + kinds[1])


@settings(deadline=None)
@given(name=st.text(max_size=30), code=st.sampled_from([None, "230103", "230100", "000000", "999999"]))
def test_no_text_breaks_the_reading_of_names(name: str, code: str | None) -> None:
    named = MATCHER.named(name, Context(code, year=2020))
    assert named.rule and named.evidence
    assert with_text(named, name, Context(code, year=2020), f"现公布{name}年报", MATCHER).rule
