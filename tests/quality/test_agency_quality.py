"""No two bodies are ever taken for one; what is told of one body's names keeps its floor; the rest is listed."""

from __future__ import annotations

import json
import random
from collections import defaultdict

from measured_agencies import BASELINE, measure

from parsers.agency_names import AgencyMatcher, Context, Identity
from parsers.division_index import DivisionIndex
from parsers.divisions import seeded


def test_no_two_bodies_are_merged_and_nobody_guesses() -> None:
    found = measure()
    assert found.names >= 500
    assert (found.wrong_pairs, found.guessed) == (0, 0)


def test_reports_of_one_body_are_found_to_be_as_often_as_before() -> None:
    floor = json.loads(BASELINE.read_text("utf-8"))["recall"]
    assert measure().recall >= floor >= 0.97


def test_bodies_that_only_a_person_can_join_are_in_the_list_of_pairs() -> None:
    found = measure()
    assert found.splits > 0
    assert found.listed_share >= json.loads(BASELINE.read_text("utf-8"))["listed"] == 1.0


def test_every_county_of_the_country_is_read_back_from_its_name_in_full() -> None:
    index = DivisionIndex(seeded())
    matcher = AgencyMatcher(index)
    counties = sorted({one.code for one in seeded() if one.valid_to is None and index.knows(one.code)})
    assert len(counties) > 3000
    for code in counties:
        full = "".join(index.name(above) for above in reversed(index.chain(code)))
        found = matcher.named(full + "财政局", Context(year=2018)).identity
        assert found == Identity(index.place(code), "department", "财政局"), full


# Bodies whose names begin, or end, like a division's.
TRICKY = (
    "市政园林局",
    "区域合作局",
    "县域经济局",
    "州志办公室",
    "省际协作局",
    "旗县合作局",
    "市场监督管理局",
    "区划局",
    "县志编纂委员会",
    "盟务局",
    "县前街道",
    "市桥街道",
    "区府路街道",
    "州门司街道",
    "城区街道",
    "新区街道",
    "郊区镇",
    "县城镇",
    "市中街道",
    "省城街道",
    "镇区改造局",
    "政府采购管理局",
    "人民政府研究室",
    "办公室",
    "委员会",
    "街道办",
    "管委会",
    "地方志办公室",
    "档案馆",
    "第一小学",
    "公安分局",
)


def test_names_that_look_like_divisions_are_bodies_of_the_county_before_them() -> None:
    index = DivisionIndex(seeded())
    matcher = AgencyMatcher(index)
    dice = random.Random(11)
    current = [one for one in seeded() if one.valid_to is None and index.knows(one.code)]
    counties = dice.sample([one for one in current if one.level == "county"], 40)
    elsewhere = dice.sample([one.name[:-1] for one in current if len(one.name) > 2], 20)
    units = [*TRICKY, *(stem + end for stem in elsewhere for end in ("街道", "镇", "路街道", "局"))]
    meant: dict[Identity, set[tuple[str, str]]] = defaultdict(set)
    for county in counties:
        chain = index.chain(county.code)
        context = Context(county.code, year=2018)
        for unit in units:
            for names in (chain, chain[:2], chain[:1], [county.code, county.code], []):
                printed = "".join(index.name(code) for code in reversed(names)) + unit
                found = matcher.named(printed, context).identity
                if found is not None:
                    meant[found].add((county.code, unit))
                    assert found.place == index.place(county.code), printed
    assert len(meant) > 3000
    assert {identity: told for identity, told in meant.items() if len(told) > 1} == {}
