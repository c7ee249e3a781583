"""The `gongkai` command: every task of the project behind one name.

Exit codes: 0 done; 1 something failed (what did succeed is kept and said); 2 usage; 75 another run holds the lock.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from archive.errors import ArchiveError, LockedError
from crawler import report
from crawler.exceptions import CrawlerError
from crawler.site import SITES_FOLDER, Site, bundled_site, bundled_sites, load_site

# Commands that stand in a module of their own, loaded when they are called or listed.
ELSEWHERE = {
    "agencies": "crawler.agencies_cli",
    "changes": "crawler.changes_cli",
    "corrections": "crawler.corrections_cli",
    "export": "crawler.publish_cli",
    "release": "crawler.publish_cli",
    "snapshot": "crawler.publish_cli",
}
EXIT_LOCKED = 75
_DISK_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_DAMAGE_CODES = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)

Command = Callable[..., None]


class Commands(click.Group):
    """Finds commands here and in the modules that `ELSEWHERE` names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(ELSEWHERE[cmd_name]), cmd_name)
        return command


def clear_errors(command: Command) -> Command:
    """Our own errors become one line and an exit code, never a traceback."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except BrokenPipeError:
            # Whoever read our output has seen enough; click ends quietly.
            raise
        except LockedError as error:
            click.echo(f"gongkai: {error}", err=True)
            sys.exit(EXIT_LOCKED)
        except (CrawlerError, ArchiveError, OSError) as error:
            click.echo(f"gongkai: {error}", err=True)
            sys.exit(1)
        except sqlite3.DatabaseError as error:
            # A mistake in our SQL is for its traceback, a full disk or a damaged file is not.
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code not in _DISK_CODES + _DAMAGE_CODES:
                raise
            remedy = "; move it away, `gongkai extract --full` makes it again" if code in _DAMAGE_CODES else ""
            click.echo(f"gongkai: the database: {error}{remedy}", err=True)
            sys.exit(1)

    return run


as_json = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
site_files = click.option(
    "--site-file",
    "site_files",
    multiple=True,
    metavar="F.toml",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Only the sites of these files (repeatable).",
)


def _is_contact(ctx: click.Context, option: click.Parameter, value: str) -> str:  # noqa: ARG001  click's signature
    """It goes into a comment of the User-Agent header."""
    if value and not re.fullmatch(r"(?:https?://|mailto:)[!#-'*-;=?-~]+", value):
        raise click.BadParameter('expected "https://…" or "mailto:…" without blanks and brackets')
    return value


contact = click.option(
    "--contact",
    default="",
    envvar="GONGKAI_CONTACT_URL",
    callback=_is_contact,
    metavar="URL",
    help="Whom a site's operator may ask, https://… or mailto:…, for the user agent (or GONGKAI_CONTACT_URL).",
)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gongkai")
@click.option(
    "--data",
    "data_dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    envvar="GONGKAI_DATA",
    show_default=True,
    help="Data directory (or GONGKAI_DATA).",
)
@click.pass_context
def main(ctx: click.Context, data_dir: Path) -> None:
    """公开: collect Chinese government information disclosure, keep its bytes, read its numbers."""
    ctx.obj = data_dir


def chosen_sites(names: Iterable[str], files: Iterable[Path]) -> list[Site]:
    """Sites of the given files and names; else every enabled bundled one."""
    chosen = [load_site(path) for path in files] + [bundled_site(name) for name in names]
    return chosen or [site for site in bundled_sites() if site.enabled]


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@as_json
def parse(files: tuple[Path, ...], as_json: bool) -> None:
    """Read document files: one JSON object per file per line with --json."""
    from crawler.parse import described, read_files

    failed = False
    for reading in read_files(files):
        failed |= reading["error"] is not None
        if as_json:
            print_json(reading)
        else:
            click.echo(described(reading))
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("names", metavar="[SITE]...", nargs=-1)
@site_files
@click.option(
    "--full", is_flag=True, help="Ask again for every known address (conditionally), not only lists and news."
)
@click.option("--limit", type=click.IntRange(min=1), help="At most this many listed pages per site.")
@contact
@as_json
@click.pass_obj
@clear_errors
def crawl(
    data_dir: Path,
    names: tuple[str, ...],
    site_files: tuple[Path, ...],
    full: bool,
    limit: int | None,
    contact: str,
    as_json: bool,
) -> None:
    """Crawl declared sites into WARC and database, and read what is new; no SITE means every enabled one."""
    from crawler.crawl import crawl

    summary = crawl(data_dir, chosen_sites(names, site_files), full=full, limit=limit, contact=contact)
    print_json(asdict(summary)) if as_json else click.echo(report.crawled(summary, data_dir))
    sys.exit(0 if summary.ok else 1)


@main.command()
@site_files
@click.option(
    "--recheck-days",
    type=click.IntRange(1, 3650),
    default=90,
    envvar="GONGKAI_RECHECK_DAYS",
    show_default=True,
    help="Ask every known page again within so many days (or GONGKAI_RECHECK_DAYS; a site file may say otherwise).",
)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that read.")
@contact
@as_json
@click.pass_obj
@clear_errors
def nightly(
    data_dir: Path, site_files: tuple[Path, ...], recheck_days: int, workers: int, contact: str, as_json: bool
) -> None:
    """Crawl every enabled site for what is new and changed, read it, and write the morning's report."""
    from crawler.nightly import nightly

    sites = chosen_sites((), site_files)
    summary = nightly(data_dir, sites, recheck_days=recheck_days, contact=contact, workers=workers)
    print_json(asdict(summary)) if as_json else click.echo(report.night(summary, data_dir))
    sys.exit(0 if summary.ok else 1)


@main.command()
@click.option(
    "--documents",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Add the files in DIR to the replica as reports.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8630,
    show_default=True,
    help="Where the replica listens, and its file host on the port above; 0 takes any free ones.",
)
@as_json
@click.pass_obj
@clear_errors
def demo(data_dir: Path, documents: Path | None, port: int, as_json: bool) -> None:
    """Offline: serve the bundled replica site on loopback, crawl it, read its reports, say what was collected."""
    from crawler.demo import demo

    summary = demo(data_dir, documents=documents, port=port)
    print_json(asdict(summary)) if as_json else click.echo(report.demonstrated(summary, data_dir))
    sys.exit(0 if summary.crawl.ok else 1)


@main.command()
@click.option("--full", is_flag=True, help="First make the database again from the WARC files.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that read.")
@click.option("--dask", metavar="ADDRESS", help="Read on the Dask cluster whose scheduler is there: tcp://host:8786.")
@as_json
@click.pass_obj
@clear_errors
def extract(data_dir: Path, full: bool, workers: int, dask: str | None, as_json: bool) -> None:
    """Read the archive again: what this version has not read yet, or with --full everything. Needs no network."""
    from crawler.cluster import cluster
    from crawler.extract import extract

    with nullcontext() if dask is None else cluster(dask) as runner:
        summary = extract(data_dir, full=full, workers=workers, runner=runner)
    print_json(asdict(summary)) if as_json else click.echo(report.extracted(summary))


@main.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that read.")
@as_json
@click.pass_obj
@clear_errors
def import_command(data_dir: Path, files: tuple[Path, ...], workers: int, as_json: bool) -> None:
    """Take in WARC or WACZ files written by other tools, and read what is new; the same file again adds nothing."""
    from crawler.importing import import_files

    summary = import_files(data_dir, files, workers=workers)
    print_json(asdict(summary)) if as_json else click.echo(report.imported(summary))
    sys.exit(0 if summary.ok else 1)


@main.command()
@as_json
@click.pass_obj
@clear_errors
def audit(data_dir: Path, as_json: bool) -> None:
    """Hash every record again and compare index, database and files: prints file, offset, record id, problem."""
    from archive.audit import audit

    count = 0
    for problem in audit(data_dir):
        count += 1
        print_json(asdict(problem)) if as_json else click.echo(report.problem(problem))
    if not as_json:
        click.echo(f"{count} problems" if count else "no problems")
    sys.exit(1 if count else 0)


@main.command()
@as_json
@click.pass_obj
@clear_errors
def status(data_dir: Path, as_json: bool) -> None:
    """Sites, last runs, coverage, what is broken."""
    from crawler.status import status

    found = status(data_dir)
    print_json(found) if as_json else click.echo(report.standing(found))


@main.command()
@click.option("--systemd", is_flag=True, help="A service and its timer.")
@click.option("--cron", is_flag=True, help="A line for a crontab.")
@click.option("--command", "program", type=click.Path(path_type=Path), help="The gongkai command to run.")
@click.option("--user", default="", metavar="NAME", help="Whom the night runs as.")
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write the units there instead."
)
@site_files
@click.pass_obj
@clear_errors
def schedule(
    data_dir: Path,
    systemd: bool,
    cron: bool,
    program: Path | None,
    user: str,
    to: Path | None,
    site_files: tuple[Path, ...],
) -> None:
    """Print the timer that runs `nightly` at half past one in Shanghai; --command and --data become absolute paths."""
    from crawler import schedule

    if systemd == cron:
        raise click.UsageError("choose one of --systemd and --cron")
    if cron and to is not None:
        raise click.UsageError("--to is for --systemd; a crontab is edited with crontab -e")
    plan = schedule.Plan(program or schedule.default_program(), data_dir, site_files, user)
    if to is not None:
        click.echo(schedule.described(schedule.write(plan, to)))
    else:
        click.echo(schedule.crontab(plan) if cron else schedule.printed(plan), nl=False)


@main.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Where it listens; 0: any free one."
)
@click.option(
    "--snapshot",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Serve what `gongkai snapshot --to DIR` published instead.",
)
@click.option(
    "--replay",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Replay whole pages with ReplayWeb.page, whose ui.js and sw.js are in DIR; it gets the next port.",
)
@click.option("--allow-download", is_flag=True, help="Let a snapshot be downloaded as one file.")
@click.pass_obj
@clear_errors
def serve(data_dir: Path, port: int, snapshot: Path | None, replay: Path | None, allow_download: bool) -> None:
    """Browse the corpus: Datasette with the project's configuration and plugin."""
    from crawler.serve import serve

    code = serve(
        data_dir, snapshot=snapshot, port=port, replay=replay, allow_download=allow_download, announce=click.echo
    )
    sys.exit(code)


@main.command()
@as_json
@click.pass_obj
@clear_errors
def doctor(data_dir: Path, as_json: bool) -> None:
    """Look at this machine: which parts are there, what is lost without the others, how to get them."""
    from crawler import doctor

    parts = doctor.examine(data_dir)
    is_broken = any(part.is_broken for part in parts)
    if as_json:
        print_json({"ok": not is_broken, "parts": [asdict(part) for part in parts]})
    else:
        click.echo(doctor.described(parts))
    sys.exit(1 if is_broken else 0)


@main.group()
def sites() -> None:
    """The declared sites."""


@sites.command("list")
@as_json
@clear_errors
def list_sites(as_json: bool) -> None:
    """Every bundled site: name, division code, agency, why it is disabled."""
    for site in bundled_sites():
        row = {
            "name": site.name,
            "agency": site.agency,
            "division_code": site.division_code,
            "enabled": site.enabled,
            "disabled_because": site.disabled_because,
            "channels": dict(site.channels),
        }
        print_json(row) if as_json else click.echo(report.site_line(site))


@sites.command("check")
@click.argument("files", metavar="[F.toml]...", nargs=-1, type=click.Path(path_type=Path))
@clear_errors
def check_sites(files: tuple[Path, ...]) -> None:
    """Validate site files offline; without F.toml, the bundled ones."""
    failed = False
    for path in files or sorted(SITES_FOLDER.glob("*/*.toml")):
        try:
            site = load_site(path)
        except CrawlerError as error:
            failed = True
            click.echo(str(error), err=True)
            continue
        click.echo(f"ok {path}: {site.agency}, {len(site.channels)} channels")
    sys.exit(1 if failed else 0)


@sites.command("probe")
@click.argument("url")
@click.option("--allow-private", is_flag=True, help="Also look at loopback and private addresses.")
@as_json
@clear_errors
def probe_site(url: str, allow_private: bool, as_json: bool) -> None:
    """Look at the page at URL, say what software its site runs, and print a site file to start from."""
    from crawler.probe import probe
    from crawler.proposal import site_text

    proposal = probe(url, allow_private=allow_private)
    print_json(asdict(proposal)) if as_json else click.echo(site_text(proposal), nl=False)
