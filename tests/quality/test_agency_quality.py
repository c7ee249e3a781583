"""No two bodies are ever taken for one; what is told of one body's names keeps its floor; the rest is listed."""

from __future__ import annotations

import json

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
