"""Guards' pages are told from answers: every labelled one found under its name, no false alarm."""

import tomllib
from pathlib import Path

import pytest

from crawler.blocking import SIGNS_FILE, block, self_redirect_guard, signs

FOLDER = Path(__file__).parents[1] / "fixtures" / "guards"


def pages(name: str):
    entries = tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))["page"]
    return [pytest.param(entry, id=entry["name"]) for entry in entries]


def sign_of(entry: dict):
    headers = tuple((name.encode(), value.encode()) for name, value in entry.get("headers", ()))
    body = entry["body"].encode(entry.get("encoding", "utf-8"))
    return block(body, status=entry["status"], headers=headers)


@pytest.mark.parametrize("entry", pages("blocked.toml"))
def test_a_guards_page_is_recognised_and_named(entry: dict):
    sign = sign_of(entry)
    assert sign is not None
    assert (sign.name, sign.kind) == (entry["guard"], entry["kind"])


@pytest.mark.parametrize("entry", pages("clean.toml"))
def test_an_answer_is_no_guards_page(entry: dict):
    assert sign_of(entry) is None


def test_the_labelled_sets_are_large_enough_to_say_something():
    assert len(pages("blocked.toml")) >= 25
    assert len(pages("clean.toml")) >= 60


def test_every_sign_is_shown_by_a_labelled_page():
    shown = {sign_of(entry.values[0]) for entry in pages("blocked.toml")}
    assert {sign.why for sign in signs()} == {sign.why for sign in shown if sign}


def test_every_word_of_the_signs_is_in_lower_case():
    """The body is compared in lower case: a word with a capital would never be found."""
    for sign in signs():
        for word in (*sign.all, *sign.any, *sign.header):
            assert word == word.lower(), f"{SIGNS_FILE.name}: {sign.name}: {word}"


@pytest.mark.parametrize(
    ("cookie", "name"),
    [(b"CT6T=1; path=/", "CT6T"), (b"CT6TS=2", "CT6T"), (b"__jsluid_s=1", "加速乐"), (b"sid=3", "cookie loop")],
)
def test_a_redirect_to_itself_is_named_after_its_cookie(cookie: bytes, name: str):
    assert self_redirect_guard(((b"Set-Cookie", cookie),)) == name
