"""`gongkai agencies`: which bodies the reports are of, and what a person decides where no rule can tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from archive.agencies import AgencyRow, ReviewRow, agency_rows, review_rows
from archive.store import Store
from crawler import agency_deciding
from crawler.agency_deciding import Decide
from crawler.agency_rulings import KINDS
from crawler.cli import as_json, clear_errors, print_json

Command = Callable[..., None]
_LONGEST_SHOWN = 120
_MARK = {True: "?", False: " "}

author = click.option("--author", required=True, envvar="GONGKAI_AUTHOR", help="Who decides (or GONGKAI_AUTHOR).")
reason = click.option("--reason", required=True, help="Why: kept with the decision.")


@click.group()
def agencies() -> None:
    """Which body each report is of: one agency under all its names.

    Agencies are told by their id, their canonical name or a name as printed.
    """


@agencies.command("list")
@click.option("--kind", default="", metavar="KIND", help="Only of this kind: street_office, town, department …")
@click.option("--division", default="", metavar="CODE", help="Only in the division with this code.")
@click.option("--all", "everything", is_flag=True, help="Also governments that are only the parents of others.")
@as_json
@click.pass_obj
@clear_errors
def list_agencies(data_dir: Path, kind: str, division: str, everything: bool, as_json: bool) -> None:
    """Every agency with its id, kind, division and number of reports; ? marks those that may be part of another."""
    with Store.open(data_dir) as store:
        rows = agency_rows(store.connection, kind=kind, division=division, with_reports=not everything)
        _print(rows, as_json, _agency_line)


@agencies.command()
@click.argument("agency")
@as_json
@click.pass_obj
@clear_errors
def show(data_dir: Path, agency: str, as_json: bool) -> None:
    """One agency: its names, what became of it, its reports and by which rule they are its."""
    with Store.open(data_dir) as store:
        row = agency_deciding.agency(store.connection, agency)
        found = _particulars(store, row)
    if as_json:
        print_json({"agency": asdict(row), **found})
        return
    click.echo(_agency_line(row))
    for title, entries in found.items():
        click.echo(f"{title}:" if entries else f"{title}: none")
        for entry in entries:
            click.echo("  " + "  ".join(str(value) for value in entry.values() if value not in (None, "")))


@agencies.command()
@click.option("--all", "everything", is_flag=True, help="Also what was decided.")
@click.option("--kind", type=click.Choice(("pair", "report")), help="Only pairs, or only reports.")
@click.option("--rule", default="", metavar="RULE", help="Only what this rule doubts.")
@as_json
@click.pass_obj
@clear_errors
def review(data_dir: Path, everything: bool, kind: str | None, rule: str, as_json: bool) -> None:
    """What waits for a person: pairs that may be one agency, and reports whose agency no rule can tell."""
    with Store.open(data_dir) as store:
        rows = review_rows(store.connection, decided=everything)
        chosen = [row for row in rows if kind in (None, row.kind) and rule in ("", row.rule)]
        _print(chosen, as_json, _review_lines)


@agencies.command()
@click.argument("agency")
@click.argument("other")
@author
@reason
@as_json
@click.pass_obj
@clear_errors
def same(data_dir: Path, agency: str, other: str, author: str, reason: str, as_json: bool) -> None:
    """AGENCY and OTHER are one: OTHER's reports become AGENCY's, under AGENCY's id and name."""
    _decide(data_dir, author, agency_deciding.same(agency, other, reason=reason), as_json)


@agencies.command()
@click.argument("agency")
@click.argument("other")
@author
@reason
@as_json
@click.pass_obj
@clear_errors
def differ(data_dir: Path, agency: str, other: str, author: str, reason: str, as_json: bool) -> None:
    """AGENCY and OTHER are two, and are no longer asked about."""
    _decide(data_dir, author, agency_deciding.differ(agency, other, reason=reason), as_json)


@agencies.command()
@click.argument("agency")
@click.argument("name", required=False, default="")
@click.option("--name-en", default="", metavar="NAME", help="Its English name.")
@author
@reason
@as_json
@click.pass_obj
@clear_errors
def rename(data_dir: Path, agency: str, name: str, name_en: str, author: str, reason: str, as_json: bool) -> None:
    """AGENCY is called NAME from now on; its id and the names that were printed stay."""
    if not name and not name_en:
        raise click.UsageError("give a NAME or --name-en")
    _decide(data_dir, author, agency_deciding.rename(agency, name, name_en, reason=reason), as_json)


@agencies.command()
@click.argument("report")
@click.argument("agency")
@click.option("--every", is_flag=True, help="So is every report of the same site under the same printed name.")
@author
@reason
@as_json
@click.pass_obj
@clear_errors
def assign(data_dir: Path, report: str, agency: str, every: bool, author: str, reason: str, as_json: bool) -> None:
    """REPORT (its number or address) is of AGENCY: one that is listed, or one named in full (哈尔滨市南岗区档案馆)."""
    _decide(data_dir, author, agency_deciding.assign(report, agency, every=every, reason=reason), as_json)


@agencies.command()
@click.argument("decision")
@author
@reason
@as_json
@click.pass_obj
@clear_errors
def undo(data_dir: Path, decision: str, author: str, reason: str, as_json: bool) -> None:
    """Take a decision back by its id; both stay on record."""
    _decide(data_dir, author, agency_deciding.undo(decision, reason=reason), as_json)


@agencies.command()
@click.option("--all", "everything", is_flag=True, help="Also those that were taken back.")
@as_json
@click.pass_obj
@clear_errors
def decisions(data_dir: Path, everything: bool, as_json: bool) -> None:
    """The decisions on agencies, in the order in which they were made."""
    from archive.decisions import decisions as made

    with Store.open(data_dir) as store:
        rows = [one for one in made(store.connection, withdrawn=everything) if one.kind in KINDS]
        _print(rows, as_json, _decision_line)


@agencies.command("divisions")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@author
@reason
@as_json
@click.pass_obj
@clear_errors
def add_divisions(data_dir: Path, table: Path, author: str, reason: str, as_json: bool) -> None:
    """Take in division codes after April 2019: a CSV table with division_code, name, valid_from and valid_to."""
    _decide(data_dir, author, agency_deciding.take_in(table, reason=reason), as_json)


def _decide(data_dir: Path, who: str, make: Decide, as_json: bool) -> None:
    decision_id = agency_deciding.decide(data_dir, who, make)
    print_json({"decision_id": decision_id}) if as_json else click.echo(f"decision {decision_id}")


def _print(rows: list[Any], as_json: bool, line: Callable[[Any], str]) -> None:
    for row in rows:
        print_json(asdict(row)) if as_json else click.echo(line(row))
    if not rows and not as_json:
        click.echo("none")


def _agency_line(row: AgencyRow) -> str:
    return (
        f"{row.agency_id} {_MARK[row.is_provisional]} {row.kind:<17} {row.division_code}  {row.name}  "
        f"({row.reports} reports, {row.decided_by})"
    )


def _review_lines(row: ReviewRow) -> str:
    decided = f"  [{row.decided_by}]" if row.decided_by else ""
    if row.kind == "pair":
        names = f"{row.agency_id} {row.name or '(merged)'}\n  {row.other_id} {row.other_name or '(merged)'}"
        return f"pair {row.rule}{decided}: {row.evidence}\n  {names}"
    return f"report {row.report_id} {row.rule}{decided}: {row.evidence}\n  {row.document_url}"


def _decision_line(row: Any) -> str:
    withdrawn = f"  (undone by {row.withdrawn_by})" if row.withdrawn_by else ""
    said = "  ".join(f"{key}={str(value)[:_LONGEST_SHOWN]!r}" for key, value in row.body.items())
    return f"{row.decision_id}  {row.made_at}  {row.kind}  {row.author}: {row.reason}  {said}{withdrawn}"


def _particulars(store: Store, row: AgencyRow) -> dict[str, list[dict[str, Any]]]:
    queries = {
        "parents": """WITH RECURSIVE above(agency_id, depth) AS (
                SELECT parent_id, 1 FROM agencies WHERE agency_id = ?1
                UNION ALL SELECT a.parent_id, depth + 1 FROM above b JOIN agencies a ON a.agency_id = b.agency_id
                WHERE a.parent_id IS NOT NULL)
            SELECT a.agency_id, a.name FROM above b JOIN agencies a ON a.agency_id = b.agency_id ORDER BY depth""",
        "names": """SELECT name, valid_from, valid_to, reports, decided_by FROM agency_names WHERE agency_id = ?1
            ORDER BY valid_from, name""",
        "events": """SELECT kind, year, other, note, decided_by FROM agency_events WHERE agency_id = ?1
            ORDER BY position""",
        "reports": """SELECT r.report_id, r.report_year, r.agency, r.scope, b.rule, b.evidence, b.scope_evidence
            FROM reports r JOIN report_agencies b ON b.report_id = r.report_id WHERE b.agency_id = ?1
            ORDER BY r.report_year, r.document_url""",
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for title, query in queries.items():
        cursor = store.connection.execute(query, (row.agency_id,))
        columns = [column[0] for column in cursor.description]
        found[title] = [dict(zip(columns, values, strict=True)) for values in cursor]
    return found
