"""Printed names of one body come to one agency, those of two never do, and what is doubtful is said to be."""

from __future__ import annotations

import pytest

from parsers.agency_names import AgencyMatcher, Context
from parsers.division_index import DivisionIndex
from parsers.divisions import seeded

MATCHER = AgencyMatcher(DivisionIndex(seeded()))
DISTRICT = Context("230103", site="district", year=2021)
CITY = Context("230100", site="city", year=2021)


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
        ("Finance Bureau", DISTRICT, "not_a_name"),
    ],
)
def test_what_nobody_can_say_from_the_name_is_left_open_with_a_reason(name: str, context: Context, rule: str) -> None:
    named = MATCHER.named(name, context)
    assert (named.identity, named.rule) == (None, rule)
    assert named.evidence


def test_a_bureau_without_its_city_is_kept_apart_on_a_citys_site() -> None:
    assert MATCHER.named("财政局", CITY).is_provisional
    assert agency("财政局", CITY) != agency("哈尔滨市财政局", CITY)


def test_an_agency_id_is_the_same_everywhere_and_always() -> None:
    assert agency("南岗区文化街道") == "ants8pxx2t0ps"
