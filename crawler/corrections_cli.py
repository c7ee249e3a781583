"""`gongkai corrections`: lay a number over a printed one, take it back, list what was corrected."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from crawler.cli import as_json, clear_errors, print_json

author_option = click.option(
    "--author", required=True, envvar="GONGKAI_AUTHOR", metavar="NAME", help="Who decides (or GONGKAI_AUTHOR)."
)
reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why.")


@click.group()
def corrections() -> None:
    """Corrections of printed numbers by people; what was printed stays."""


# Negative numbers are values here, not options.
@corrections.command("add", context_settings={"ignore_unknown_options": True})
@click.argument("report")
@click.argument("cell")
@click.argument("value")
@reason_option
@click.option("--evidence", required=True, metavar="TEXT", help="What shows it: an address, a sentence, a letter.")
@author_option
@as_json
@click.pass_obj
@clear_errors
def add(
    data_dir: Path, report: str, cell: str, value: str, reason: str, evidence: str, author: str, as_json: bool
) -> None:
    """Lay VALUE over CELL of REPORT (its number, or the address of its document), in the cell's unit."""
    from crawler.corrections import add_correction

    made = add_correction(
        data_dir, report=report, cell=cell, value=value, reason=reason, evidence=evidence, author=author
    )
    if as_json:
        print_json(asdict(made))
        return
    printed = made.printed
    was = printed.status if printed.value is None else str(printed.value)
    click.echo(f"{made.correction_id}: report {printed.report_id}, {printed.cell}: {was} → {made.value} {printed.unit}")


@corrections.command("withdraw")
@click.argument("correction_id", metavar="ID")
@reason_option
@author_option
@click.pass_obj
@clear_errors
def withdraw(data_dir: Path, correction_id: str, reason: str, author: str) -> None:
    """Take the correction ID back; it stays on record with the reason."""
    from crawler.corrections import withdraw_correction

    withdraw_correction(data_dir, correction_id, reason=reason, author=author)
    click.echo(f"{correction_id}: withdrawn, the printed value counts again")


@corrections.command("list")
@click.option("--all", "withdrawn", is_flag=True, help="Also those that were withdrawn.")
@as_json
@click.pass_obj
@clear_errors
def list_corrections(data_dir: Path, withdrawn: bool, as_json: bool) -> None:
    """Every correction: printed value, corrected value, who, why."""
    from crawler.corrections import listed_corrections

    for row in listed_corrections(data_dir, withdrawn=withdrawn):
        if as_json:
            print_json(row)
            continue
        where = f"report {row['report_id']}" if row["report_id"] is not None else f"not applied, {row['document_url']}"
        ended = f" (withdrawn by {row['withdrawn_by']}: {row['withdrawn_because']})" if row["withdrawn_at"] else ""
        was = row["raw"] or "nothing printed"
        what = f"{row['cell']}: {was} → {row['value']}"
        click.echo(f"{row['correction_id']}  {where}  {what}  {row['author']}: {row['reason']}{ended}")
