"""The reference pages of docs/, made from what the code itself knows, so that they cannot lag behind it.

python -m crawler.reference commands > docs/commands.md
python -m crawler.reference settings > docs/settings.md
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click

from crawler.cli import main as gongkai

_FOLDER = Path(__file__).parent
_LONGEST_VALUE = 60
_COMMANDS_HEAD = """\
# Commands

Made by `python -m crawler.reference commands`; `gongkai COMMAND --help` says the same.

`--data DIR` (or `GONGKAI_DATA`) stands before the command and names the data directory, `data` by default. `--json`
prints for programs. A command that writes is safe to run again. Progress goes to stderr, and only on a terminal.

| exit code | means |
|---|---|
| 0 | done |
| 1 | something failed; what did succeed is kept and said |
| 2 | usage |
| 75 | another run holds the lock |
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: its words after `gongkai`, and click's record of it."""

    words: tuple[str, ...]
    command: click.Command

    @property
    def name(self) -> str:
        return " ".join(("gongkai", *self.words))


def entries(command: click.Command = gongkai, words: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Every command below one, groups before what is in them, in the order of their names."""
    yield Entry(words, command)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in sorted(command.list_commands(context)):
            found = command.get_command(context, name)
            if found is not None:
                yield from entries(found, (*words, name))


def options(command: click.Command) -> list[click.Option]:
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def commands() -> str:
    """docs/commands.md."""
    return "\n".join([_COMMANDS_HEAD, *(_section(entry) for entry in entries())])


def _section(entry: Entry) -> str:
    command = entry.command
    arguments = [p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)]
    kind = "COMMAND …" if isinstance(command, click.Group) else ""
    flags = "[OPTIONS]" if options(command) else ""
    usage = " ".join(part for part in (entry.name, flags, kind, *arguments) if part)
    lines = [f"## {entry.name}", "", f"    {usage}", "", _paragraphs(command.help or "")]
    if options(command):
        lines += ["", "| option | default | |", "|---|---|---|", *(_option_row(option) for option in options(command))]
    return "\n".join([*lines, ""])


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\b", "").split("\n\n"))


def _option_row(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or _kind(option.type)}"
    names = ", ".join(f"`{name}`" for name in (*option.opts[:-1], f"{option.opts[-1]}{value}"))
    required = "required" if option.required else ""
    default = required if option.is_flag or option.multiple else _default(option.default) or required
    return f"| {names} | {default} | {_cell(option.help or '')} |"


def _kind(kind: click.ParamType[Any]) -> str:
    if isinstance(kind, click.Choice):
        return "\\|".join(str(choice) for choice in kind.choices)
    if isinstance(kind, click.Path):
        return "DIR" if not kind.file_okay else "PATH"
    return "N" if isinstance(kind, (click.types.IntParamType, click.types.FloatParamType)) else "TEXT"


def _default(value: Any) -> str:
    if value is None or callable(value) or value == "" or type(value).__name__ == "Sentinel":
        return ""
    return f"`{value}`"


# Settings


@cache
def described() -> dict[str, dict[str, Any]]:
    """reference.toml: what settings mean, by table."""
    return tomllib.loads((_FOLDER / "reference.toml").read_text("utf-8"))


def scrapy_settings() -> Iterator[tuple[str, str, str]]:
    """Each value that crawler/settings.py sets: name, value, the comment beside it (Scrapy's default; the reason)."""
    source = (_FOLDER / "settings.py").read_text("utf-8")
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and target.id.isupper() and not target.id.startswith("GONGKAI_"):
            text = ast.unparse(value)
            _, _, comment = lines[node.lineno - 1].partition("  # ")
            yield target.id, text if len(text) <= _LONGEST_VALUE else "see the file", comment


def settings() -> str:
    """docs/settings.md."""
    tables = described()
    return "\n".join(
        [
            "# Settings",
            "",
            "Made by `python -m crawler.reference settings` from `crawler/reference.toml` and `crawler/settings.py`.",
            "",
            "What can be said on the command line is in [commands.md](commands.md).",
            "",
            *_table("Environment", "variable", tables["environment"]),
            *_table("Site files", "key", tables["site"]),
            "[sites.md](sites.md) shows a whole file. Unknown keys are errors that name the known ones.",
            "",
            *_table("Settings of ours, for Scrapy", "setting", tables["scrapy"]),
            "Given as Scrapy's are: `scrapy crawl NAME -s GONGKAI_IDLE_SECONDS=5`.",
            "",
            "## Settings of Scrapy",
            "",
            "What `crawler/settings.py` sets, Scrapy's own default, and why.",
            "",
            "| setting | value | default; why |",
            "|---|---|---|",
            *(f"| `{name}` | `{_cell(value)}` | {_cell(comment)} |" for name, value, comment in scrapy_settings()),
            "",
            "Datasette's settings stand with their reasons in `archive/browse/codebook.py`.",
        ]
    )


def _table(title: str, first: str, rows: dict[str, dict[str, str]]) -> list[str]:
    lines = [f"| `{name}` | {_shown(row.get('default', ''))} | {_cell(row['en'])} |" for name, row in rows.items()]
    return [f"## {title}", "", f"| {first} | default | |", "|---|---|---|", *lines, ""]


def _shown(default: str) -> str:
    return f"`{default}`" if default else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    pages = {"commands": commands, "settings": settings}
    if len(sys.argv) != 2 or sys.argv[1] not in pages:
        sys.exit(f"usage: python -m crawler.reference {'|'.join(pages)}")
    sys.stdout.write(pages[sys.argv[1]]().rstrip("\n") + "\n")


if __name__ == "__main__":
    main()
