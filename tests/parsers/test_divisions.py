"""Division codes over time, and the user's table laid over them."""

from __future__ import annotations

import pytest

from parsers.agency_names import AgencyMatcher, Context
from parsers.division_index import DivisionIndex, short_names
from parsers.divisions import Division, combined, read_table, seeded
from parsers.errors import DivisionTableError

INDEX = DivisionIndex(seeded())


def spans(code: str) -> list[tuple[str, str, str | None]]:
    return [(one.name, one.valid_from, one.valid_to) for one in seeded() if one.code == code]


def test_a_code_has_each_of_its_names_with_the_months_of_their_revisions() -> None:
    assert spans("230103") == [("南岗区", "1980-12", None)]
    assert spans("420600") == [("襄樊市", "1980-12", "2010-12"), ("襄阳市", "2010-12", None)]
    assert spans("230182")[-1] == ("双城市", "1996-12", "2014-12")


def test_lines_that_gather_others_are_no_divisions() -> None:
    assert {one.name for one in seeded()}.isdisjoint({"市辖区", "县", "省直辖县级行政区划"})


def test_names_of_two_codes_never_hold_for_one_code_at_one_time() -> None:
    for one, other in zip(seeded(), seeded()[1:], strict=False):
        if one.code == other.code:
            assert one.valid_to is not None
            assert one.valid_from < one.valid_to <= other.valid_from


def test_a_place_whose_code_changed_is_known_by_its_first_code() -> None:
    assert INDEX.place("540324") == INDEX.place("542125") == "542125"
    assert INDEX.code("542125") == "540324"
    matcher = AgencyMatcher(INDEX)
    before, after = (
        matcher.named("丁青县财政局", Context(code, year=year)) for code, year in (("542125", 2012), ("540324", 2020))
    )
    assert before.identity == after.identity is not None


def test_a_city_of_two_levels_is_two_places_whatever_it_is_called() -> None:
    assert INDEX.place("522401") != INDEX.place("520500")


@pytest.mark.parametrize(
    ("name", "short"),
    [("延边朝鲜族自治州", ["延边州"]), ("内蒙古自治区", ["内蒙古"]), ("伊通满族自治县", ["伊通县"]), ("南岗区", [])],
)
def test_an_autonomous_division_has_a_short_name(name: str, short: list[str]) -> None:
    assert short_names(name) == short


def test_the_users_table_adds_names_ends_earlier_ones_and_replaces_those_of_its_month() -> None:
    seed = (Division("990101", "甲县", "2000-12"), Division("990102", "乙县", "2000-12"))
    later = read_table(
        "\ufeffdivision_code,name,valid_from,valid_to\n990101,甲区,2021-04,\n990102,乙县,2000-12,2022-01\n990103,丙区,2021-04,\n"
    )
    assert [(one.code, one.name, one.valid_from, one.valid_to, one.source) for one in combined(seed, later)] == [
        ("990101", "甲县", "2000-12", "2021-04", "gb2260"),
        ("990101", "甲区", "2021-04", None, "csv"),
        ("990102", "乙县", "2000-12", "2022-01", "csv"),
        ("990103", "丙区", "2021-04", None, "csv"),
    ]


def test_a_table_without_a_column_is_refused() -> None:
    with pytest.raises(DivisionTableError, match=r"line 1: expected the columns .* found no valid_from"):
        read_table("division_code,name\n990101,甲区\n")
