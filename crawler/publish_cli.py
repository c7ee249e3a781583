"""The commands that publish: snapshot."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from crawler.cli import as_json, clear_errors, print_json

target = click.option(
    "--to",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder to write into; made when missing.",
)


@contextmanager
def steps(task: str) -> Iterator[Callable[[str], None]]:
    """Gives a function that says on a terminal what is being done."""
    is_shown = sys.stderr.isatty()

    def step(name: str) -> None:
        if is_shown:
            click.echo(f"\r\033[K{task}: {name}", nl=False, err=True)

    yield step
    if is_shown:
        click.echo("\r\033[K", nl=False, err=True)


@click.command()
@target
@as_json
@click.pass_obj
@clear_errors
def snapshot(data_dir: Path, to: Path, as_json: bool) -> None:
    """Publish the corpus: one database with indexed tables for `gongkai serve --snapshot`, fast however large."""
    from archive.snapshot import snapshot

    with steps("snapshot") as step:
        made = snapshot(data_dir, to, step=step)
    if as_json:
        print_json({**asdict(made), "path": str(made.path)})
        return
    size = f"{made.bytes / 1e6:.0f} MB"
    click.echo(f"{made.path}: {made.reports} reports, {made.facts} facts, {size}, sha256 {made.sha256}")
    click.echo(f"browse it: gongkai serve --snapshot {to}")
