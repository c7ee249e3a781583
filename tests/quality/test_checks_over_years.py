"""The checks across documents find what was put wrong, call nothing wrong that is not, and never accuse a blank."""

from __future__ import annotations

import pytest
from scripted_years import AGENCIES, TROUBLES, Scripted, Truth, scores, scripted, verdicts


@pytest.fixture(scope="module")
def script() -> Scripted:
    return scripted()


@pytest.fixture(scope="module")
def found(script: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return verdicts(tmp_path_factory.mktemp("scripted"), script)


def test_nothing_but_what_was_put_wrong_is_remarked(script: Scripted, found: Truth) -> None:
    assert {key: status for key, status in found.items() if status != "pass"} == {
        key: status for key, status in script.truth.items() if status != "pass"
    }


@pytest.mark.parametrize(("status", "expected"), [("fail", 4), ("uncertain", 5), ("not_applicable", 3)])
def test_precision_and_recall_stay_whole(script: Scripted, found: Truth, status: str, expected: int) -> None:
    measured = scores(found, script.truth, status)
    assert measured.expected == expected
    assert (measured.precision, measured.recall) == (1.0, 1.0)


def test_the_script_has_every_trouble_and_years_without_any(script: Scripted, found: Truth) -> None:
    troubled = {agency for agency, _, _ in script.truth}
    assert len(TROUBLES) == 10
    assert set(AGENCIES) - troubled >= set(AGENCIES[10:])
    clean = [status for (agency, _, _), status in found.items() if agency in AGENCIES[10:]]
    assert len(clean) > 100
    assert set(clean) == {"pass"}


def test_lawful_readings_pass(script: Scripted, found: Truth) -> None:
    lawful = [key for key, status in script.truth.items() if status == "pass"]
    assert len(lawful) == 1
    assert all(found[key] == "pass" for key in lawful)
