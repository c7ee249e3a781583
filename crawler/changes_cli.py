"""`gongkai changes`: what changed, how a page or report differs from before, and what was said on a day."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from archive import changes as history
from archive.changes import KINDS, Axis
from archive.paths import database_path, no_database
from crawler import report
from crawler.cli import as_json, clear_errors, print_json
from crawler.exceptions import CrawlerError


def _day(ctx: click.Context, option: click.Parameter, value: str) -> str:  # noqa: ARG001  click's signature
    if not value:
        return ""
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise click.BadParameter("expected a day such as 2026-03-01") from error


@click.command()
@click.argument("address", metavar="[URL]", required=False, default="")
@click.option("--site", default="", metavar="SITE", help="Only of this site.")
@click.option(
    "--since", default="", callback=_day, metavar="DAY", help="Only what was noticed on this day (UTC) or later."
)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only of this kind (repeatable).")
@click.option("--on", "web_day", default="", callback=_day, metavar="DAY", help="What the web said at the end of DAY.")
@click.option(
    "--known-on", "known_day", default="", callback=_day, metavar="DAY", help="What we knew at the end of DAY."
)
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True, help="At most so many.")
@as_json
@click.pass_obj
@clear_errors
def changes(
    data_dir: Path,
    address: str,
    site: str,
    since: str,
    kinds: tuple[str, ...],
    web_day: str,
    known_day: str,
    limit: int,
    as_json: bool,
) -> None:
    """List what changed, newest first; with URL (of a page or a document, or a report's number) show how it differs.

    With --on or --known-on: all reports as they stood on that day, or what URL said, with its cells or its text. What
    the web said counts by when it was captured, in the newest reading; what we knew is read as it was read then.
    """
    if web_day and known_day:
        raise click.UsageError("choose one of --on and --known-on")
    path = database_path(data_dir)
    if not path.exists():
        raise CrawlerError(no_database(data_dir))
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        if not (web_day or known_day):
            _tell_changes(connection, address, as_json, site=site, since=since, kinds=kinds, limit=limit)
            return
        axis: Axis = "web" if web_day else "known"
        if address:
            _tell_said(connection, address, web_day or known_day, axis, as_json)
        else:
            _tell_reports(connection, web_day or known_day, axis, as_json)


def _tell_changes(
    connection: sqlite3.Connection, address: str, as_json: bool, *, limit: int, site: str, **asked: Any
) -> None:
    urls = history.addresses(connection, address) if address else []
    if address and not urls:
        raise CrawlerError(f"there is no report {address}")
    if address and not history.changes(connection, urls=urls, limit=1):
        raise CrawlerError(f"nothing is known of {address}")
    found = history.changes(connection, urls=urls, limit=limit + 1, site=site, **asked)
    if site and not found and not connection.execute("SELECT 1 FROM sites WHERE name = ?", (site,)).fetchone():
        raise CrawlerError(f"nothing is known of a site {site}; `gongkai status` lists those that were asked")
    for change in found[:limit]:
        print_json(asdict(change)) if as_json else click.echo(report.change(change, is_whole=bool(address)))
    if not found:
        click.echo("no such changes", err=True)
    if len(found) > limit:
        click.echo(f"the newest {limit}; there are more: --limit", err=True)


def _tell_said(connection: sqlite3.Connection, address: str, day: str, axis: Axis, as_json: bool) -> None:
    urls = history.addresses(connection, address)
    found = [said for url in urls if (said := history.said_on(connection, url, day, axis)) is not None]
    if not found:
        raise CrawlerError(f"nothing is known of {address} on {day}")
    for said in found:
        print_json(asdict(said)) if as_json else click.echo(report.said(said))


def _tell_reports(connection: sqlite3.Connection, day: str, axis: Axis, as_json: bool) -> None:
    found = history.reports_on(connection, day, axis)
    if not found:
        click.echo(f"nothing is known of any report on {day}", err=True)
    for row in found:
        print_json(row) if as_json else click.echo(report.standing_report(row))
