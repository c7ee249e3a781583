"""Corrections of printed numbers by a person: made, taken back, listed. What was printed stays beside them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path

from archive.corrections import KIND, PrintedCell, correction_body, printed_cell, standing_correction
from archive.decisions import decision
from archive.store import Store
from crawler.deciding import deciding
from crawler.document_checks import check_documents
from crawler.exceptions import CorrectionError

# Numbers that reports hold have fewer digits (parsers/normalise.py); sums of larger ones would run over.
LARGEST = 10**15
_COLUMNS = (
    "correction_id",
    "report_id",
    "document_url",
    "cell",
    "value_as_printed",
    "raw",
    "value",
    "reason",
    "evidence",
    "author",
    "made_at",
    "withdrawn_at",
    "withdrawn_by",
    "withdrawn_because",
)


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction that was just made."""

    correction_id: str
    printed: PrintedCell
    value: int | float


def add_correction(
    data_dir: Path, *, report: str, cell: str, value: str, reason: str, evidence: str, author: str
) -> Corrected:
    """Lays `value` over a cell of a current report, given by its number or its document's address.

    Raises CorrectionError when there is no such cell, the value is no number, or another correction of it holds.
    """
    number = number_in(value)
    with deciding(data_dir, author=author) as (store, decisions):
        printed = printed_cell(store, report, cell)
        if printed is None:
            raise CorrectionError(_not_found(store, report, cell))
        standing = standing_correction(store, printed.payload_digest, cell)
        if standing is not None:
            raise CorrectionError(
                f"{cell} of report {printed.report_id} is corrected already, to {standing.body['value']} by "
                f"{standing.author} ({standing.decision_id}): withdraw that first"
            )
        if printed.value == number:
            raise CorrectionError(f"{cell} of report {printed.report_id} is printed as {value} already")
        correction_id = decisions.decide(KIND, correction_body(printed, number, evidence), reason=reason)
        check_documents(store)
    return Corrected(correction_id, printed, number)


def withdraw_correction(data_dir: Path, correction_id: str, *, reason: str, author: str) -> None:
    """Takes a correction back: the printed value counts again. Raises CorrectionError for what is no correction."""
    with deciding(data_dir, author=author) as (store, decisions):
        known = decision(store.connection, correction_id)
        if known is None or known.kind != KIND:
            raise CorrectionError(f"there is no correction {correction_id}; 'gongkai corrections list' names them")
        decisions.withdraw(correction_id, reason=reason)
        check_documents(store)


def listed_corrections(data_dir: Path, *, withdrawn: bool) -> list[dict[str, object]]:
    """Corrections in the order in which they were made; with `withdrawn` also those taken back."""
    with Store.open(data_dir) as store:
        rows = store.connection.execute(
            f"""SELECT {", ".join(_COLUMNS)} FROM corrections
            WHERE ? OR withdrawn_at IS NULL ORDER BY made_at, correction_id""",  # noqa: S608  our own names
            (withdrawn,),
        )
        return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def number_in(text: str) -> int | float:
    """A number as a person types it. Raises CorrectionError."""
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise CorrectionError(f"expected a number such as 84 or 4068.208, found {text!r}") from error
    if not number.is_finite() or abs(number) >= LARGEST:
        raise CorrectionError(f"expected a number such as 84 or 4068.208, found {text!r}")
    return int(number) if number == number.to_integral_value() else float(number)


def _not_found(store: Store, report: str, cell: str) -> str:
    row = store.connection.execute(
        "SELECT report_id FROM reports WHERE report_id = ? OR document_url = ?",
        (int(report) if report.isdecimal() else None, report),
    ).fetchone()
    if row is None:
        return f"there is no current report {report}: give its number or the address of its document"
    cells = [
        name for (name,) in store.connection.execute("SELECT cell FROM facts WHERE report_id = ? ORDER BY cell", row)
    ]
    near = get_close_matches(cell, cells, n=3)
    return f"report {row[0]} has no cell {cell}" + (f"; near: {', '.join(near)}" if near else "")
