"""What the guides say can be done: files they name are there, commands and options they show exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from crawler.reference import entries, options

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = {entry.words: entry.command for entry in entries()}
CALLS = re.compile(r"(?:^|`|\$ )\s*(?:\.venv/bin/)?gongkai ([^`#\n]*)", re.MULTILINE)
# Made by running the project, not part of it.
MADE = ("data/",)


def calls(page: Path) -> Iterator[list[str]]:
    """Command lines on a page, without the program's name."""
    for line in CALLS.findall(page.read_text("utf-8")):
        words = line.split(" && ")[0].split("|")[0].split(">")[0]
        yield shlex.split(words.replace("'", ""))


def problems(call: list[str]) -> list[str]:
    """What of a call is no command or option."""
    words = [word for word in call if word not in ("…", "...")]
    found: tuple[str, ...] = ()
    known = {option for one in options(COMMANDS[()]) for option in one.opts}
    wrong = []
    takes_value = False
    for word in words:
        if takes_value:
            takes_value = False
        elif word.startswith("--"):
            name = word.partition("=")[0]
            here = {opt: one for one in options(COMMANDS[found]) for opt in (*one.opts, *one.secondary_opts)}
            if name not in here and name not in known and name != "--help":
                wrong.append(word)
            takes_value = "=" not in word and name in here and not here[name].is_flag
        elif (*found, word) in COMMANDS:
            found = (*found, word)
        elif isinstance(COMMANDS[found], click.Group) and word.islower() and word.isalpha():
            wrong.append(word)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_that_a_page_shows_exist(page: Path) -> None:
    assert {" ".join(call): problems(call) for call in calls(page) if problems(call)} == {}


def test_a_command_that_is_not_there_would_be_found() -> None:
    assert problems(["crawl", "--sites", "x"]) == ["--sites"]
    assert problems(["--data", "x", "exhume"]) == ["exhume"]
    assert problems(["sites", "prove", "URL"]) == ["prove"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    named = re.findall(r"`((?:crawler|parsers|archive|tests|bench|docs)/[\w./-]*)`", text)
    missing = [name for name in named if not name.startswith(MADE) and not (ROOT / name).exists()]
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
    assert missing + [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_places_within_pages_that_links_lead_to_are_there(page: Path) -> None:
    wrong = []
    for link, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)]+)\)", page.read_text("utf-8")):
        target = page.parent / link if link else page
        headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
        if anchor not in {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}:
            wrong.append(f"{link}#{anchor}")
    assert wrong == []


def test_both_readmes_show_the_same_commands() -> None:
    """The Chinese one is kept in step: same commands in the same order, whatever their comments."""

    def shown(name: str) -> list[str]:
        blocks = re.findall(r"^```\n(.*?)^```", (ROOT / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)
        lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
        return [line for line in lines if re.match(r"(\S*gongkai|make|rm|git|\S*python) ", line)]

    assert shown("README.zh-CN.md") == shown("README.md")


def test_both_readmes_speak_of_the_same_things() -> None:
    """Names in backticks, links and headings, outside of the blocks of commands."""

    def spoken(name: str) -> tuple[set[str], set[str], list[int]]:
        text = re.sub(r"```.*?```", "", (ROOT / name).read_text("utf-8"), flags=re.DOTALL)
        links = {link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("README")}
        return set(re.findall(r"`([^`\n]+)`", text)), links, [len(m) for m in re.findall(r"^(#+) ", text, re.MULTILINE)]

    assert spoken("README.zh-CN.md") == spoken("README.md")
