"""Documented or red: every command, option, site-file key, setting and variable. Tables and columns: docs/data.md has
its own test (tests/archive/test_browse_codebook.py).
"""

import re
from pathlib import Path

import pytest

from crawler import reference, settings, site
from crawler.reference import Entry, commands, described, entries, options, scrapy_settings

ROOT = Path(__file__).parents[1]
ENTRIES = list(entries())
# Read by libraries, not by our code.
FOREIGN = {"SSL_CERT_FILE"}


def source() -> str:
    files = (path for name in ("crawler", "archive", "parsers") for path in (ROOT / name).rglob("*.py"))
    return "\n".join(path.read_text("utf-8") for path in files)


@pytest.mark.parametrize("name", ["commands", "settings"])
def test_a_reference_page_is_as_the_code_says(name: str) -> None:
    made = getattr(reference, name)().rstrip("\n") + "\n"
    assert (ROOT / "docs" / f"{name}.md").read_text("utf-8") == made, (
        f"docs/{name}.md is behind: python -m crawler.reference {name} > docs/{name}.md"
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_command_and_each_of_its_options_says_what_it_is_for(entry: Entry) -> None:
    assert entry.command.help
    assert [option.name for option in options(entry.command) if not option.help] == []


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_both_readmes_name_every_command(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    named = set(re.findall(r"gongkai(?: --data \S+)? ([a-z]+)", text)) | set(re.findall(r"make ([a-z]+)", text))
    assert {entry.words[0] for entry in ENTRIES if entry.words} - named == set()


def test_every_variable_that_the_code_names_is_documented_and_no_other() -> None:
    known = set(described()["environment"]) | set(described()["scrapy"])
    assert known - FOREIGN == set(re.findall(r"\bGONGKAI_[A-Z_]*[A-Z]\b", source()))


def test_variables_of_the_environment_are_told_from_settings_of_scrapy() -> None:
    text = source()
    for name in described()["scrapy"]:
        assert re.search(rf"settings\.get\w*\(\s*\"{name}\"", text), name
    for name in set(described()["environment"]) - FOREIGN:
        assert not re.search(rf"settings\.get\w*\(\s*\"{name}\"", text), name


def test_every_key_of_a_site_file_is_documented_and_no_other() -> None:
    tables = {
        "politeness": site.POLITENESS_KEYS,
        "limits": site.LIMITS_KEYS,
        "recheck": site.RECHECK_KEYS,
        "render": site.RENDER_KEYS,
        site.HISTORY_CHANNEL: site.HISTORY_KEYS,
        "channels": ("NAME",),
        "expect": ("NAME",),
    }
    keys = {key for key in site.TOP_KEYS if key not in tables}
    keys |= {f"{table}.{key}" for table, names in tables.items() for key in names}
    assert set(described()["site"]) == keys


@pytest.mark.parametrize("key", described()["site"])
def test_the_whole_site_file_in_the_guide_has_every_key(key: str) -> None:
    table, _, name = key.rpartition(".")
    guide = (ROOT / "docs" / "sites.md").read_text("utf-8")
    wanted = f"[{table}]" if name == "NAME" else name
    assert wanted in guide


def test_every_setting_of_scrapy_that_is_set_is_documented() -> None:
    assert {name for name, _, _ in scrapy_settings()} == {
        name for name in settings.as_dict() if not name.startswith("GONGKAI_")
    }
    assert [name for name, _, comment in scrapy_settings() if not comment] == []


def test_an_option_that_is_not_documented_would_be_found() -> None:
    page = commands()
    for entry in ENTRIES:
        for option in options(entry.command):
            assert f"`{option.opts[-1]}" in page
