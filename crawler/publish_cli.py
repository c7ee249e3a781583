"""The commands that publish: snapshot, export, release."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from archive.errors import ArchiveError
from archive.paths import database_path, no_database
from archive.store import Store
from crawler.cli import as_json, clear_errors, print_json
from crawler.progress import progress

if TYPE_CHECKING:
    from archive.exports.notes import Format

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

    try:
        yield step
    finally:
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


FORMATS = ("csv", "parquet", "stata", "datapackage", "wacz")
RELEASED = ("datapackage", "parquet", "stata", "wacz")


@click.command()
@click.option("--format", "form", required=True, type=click.Choice(FORMATS), help="What to write.")
@target
@click.option("--site", "sites", multiple=True, metavar="SITE", help="Only reports of this site (repeatable).")
@click.option(
    "--year",
    "years",
    multiple=True,
    type=click.IntRange(1000, 9999),
    metavar="YEAR",
    help="Only reports on this year; for wacz, what was captured in it (repeatable).",
)
@click.option("--bom/--no-bom", default=True, show_default=True, help="csv: begin files with the mark Excel looks for.")
@as_json
@click.pass_obj
@clear_errors
def export(
    data_dir: Path, form: str, to: Path, sites: tuple[str, ...], years: tuple[int, ...], bom: bool, as_json: bool
) -> None:
    """Write the corpus for other programs: CSV, Parquet, Stata, a Frictionless data package, WACZ of the archive."""
    from archive.exports.export import export
    from archive.exports.tables import Selection
    from archive.exports.wacz import export_wacz

    selection = Selection(sites, years)
    database = current_database(data_dir)
    with progress("export", "rows") as count:

        def advance(_: str, rows: int) -> None:
            count(rows)

        if form == "wacz":
            files = export_wacz(data_dir, to, selection=selection, advance=advance)
        else:
            chosen = cast("Format", form)
            files = export(database, to, chosen, selection=selection, bom=bom, advance=advance)
    if not files:
        click.echo("nothing was captured that could be exported; `gongkai status` says what the runs came to", err=True)
    elif any(file.rows == 0 and file.name.startswith("reports.") for file in files):
        click.echo("the corpus has no report: `gongkai status` says what the runs came to", err=True)
    if as_json:
        print_json({"to": str(to), "files": [asdict(file) for file in files]})
        return
    for file in files:
        counted = "" if file.rows is None else f"  {file.rows} {'captures' if form == 'wacz' else 'rows'}"
        click.echo(f"{to / file.name}  {file.bytes} bytes{counted}")


def current_database(data_dir: Path) -> Path:
    """corpus.db of a data directory, its schema that of this version; that of a snapshot is left as it is.

    Raises ArchiveError when there is none.
    """
    from archive.snapshot import is_published

    path = database_path(data_dir)
    if not path.is_file():
        raise ArchiveError(no_database(data_dir))
    if is_published(data_dir):
        return path
    with Store.open(data_dir):
        return path


@click.command()
@target
@click.option(
    "--author",
    required=True,
    envvar="GONGKAI_AUTHOR",
    metavar="NAME",
    help="Who releases (or GONGKAI_AUTHOR).",
)
@click.option("--accept", default="", metavar="REASON", help="Release although bounds do not hold; the reason is kept.")
@click.option(
    "--bounds",
    "bounds_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="F.toml",
    help="Other bounds than those of archive/bounds.toml.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(RELEASED),
    default=RELEASED[:3],
    show_default=True,
    help="What to export beside the snapshot (repeatable).",
)
@as_json
@click.pass_obj
@clear_errors
def release(
    data_dir: Path,
    to: Path,
    author: str,
    accept: str,
    bounds_file: Path | None,
    formats: tuple[str, ...],
    as_json: bool,
) -> None:
    """Freeze the corpus as a dated version with checksums, unless it is not fit to be released."""
    from archive.bounds import BOUNDS_FILE
    from crawler.release import release

    with steps("release") as step:
        made = release(
            data_dir,
            to,
            author=author,
            accept=accept,
            bounds_file=bounds_file or BOUNDS_FILE,
            formats=formats,
            step=step,
        )
    if as_json:
        print_json({**asdict(made), "path": str(made.path)})
        return
    counts = ", ".join(f"{count} {name}" for name, count in made.counts.items())
    click.echo(f"{made.release} in {made.path}: {counts}")
    for verdict in made.verdicts:
        if verdict.problem:
            click.echo(f"accepted: {verdict.problem}")
    click.echo(
        f"manifest sha256 {made.manifest_sha256}, recorded as {made.decision_id}; check: sha256sum -c SHA256SUMS"
    )
