"""What a person decides of agencies, checked against what stands, recorded, and at once applied."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from archive.agencies import AgencyRow, agency_row, agency_rows
from archive.decisions import Deciding, decision
from archive.store import Store
from crawler.agencies import assign_agencies, standing
from crawler.agency_rulings import DIFFER, KINDS, OF_NAME, OF_REPORT, RENAME, SAME, rulings, told
from crawler.deciding import deciding
from crawler.divisions import TABLE, divisions, table_text
from crawler.document_checks import check_documents
from crawler.exceptions import AgencyError
from parsers.agency_names import AgencyMatcher, Context
from parsers.division_index import DivisionIndex

# Records one decision, or a withdrawal, in an open store and returns its id.
Decide = Callable[[Store, Deciding], str]


def decide(data_dir: Path, author: str, make: Decide) -> str:
    """Records what `make` decides and brings agencies, and what rests on them, up to date.

    Raises AgencyError for what cannot stand.
    """
    with deciding(data_dir, author=author) as (store, decisions):
        decision_id = make(store, decisions)
        assign_agencies(store)
        check_documents(store)
        return decision_id


def same(one: str, other: str, *, reason: str) -> Decide:
    """The other's reports, names and years become the first one's."""

    def make(store: Store, decisions: Deciding) -> str:
        first, second = agency(store.connection, one), agency(store.connection, other)
        known = rulings(store.connection)
        if first.agency_id == second.agency_id:
            raise AgencyError(f"{one} and {other} are one agency already: {first.agency_id} {first.name}")
        for pair, against in known.differ.items():
            if known.pair(*pair) == {first.agency_id, second.agency_id}:
                raise AgencyError(f"decision {against.decision_id} says they differ; undo it first")
        return decisions.decide(SAME, _pair(first, second), reason=reason)

    return make


def differ(one: str, other: str, *, reason: str) -> Decide:
    """The two stay two, and are no longer asked about."""

    def make(store: Store, decisions: Deciding) -> str:
        first, second = agency(store.connection, one), agency(store.connection, other)
        if first.agency_id == second.agency_id:
            raise AgencyError(f"{one} and {other} are one agency: {first.agency_id} {first.name}")
        return decisions.decide(DIFFER, _pair(first, second), reason=reason)

    return make


def rename(which: str, name: str, name_en: str, *, reason: str) -> Decide:
    """The agency is called so, whatever the rules would call it."""

    def make(store: Store, decisions: Deciding) -> str:
        found = agency(store.connection, which)
        body = {"agency_id": found.agency_id, "name": name or found.name, "name_en": name_en or found.name_en}
        return decisions.decide(RENAME, body, reason=reason)

    return make


def assign(report: str, which: str, *, every: bool, reason: str) -> Decide:
    """A report (number or address) is of that agency: one that stands, or a body named in full.

    With `every`, so is whatever else the report's site calls by the same name.
    """

    def make(store: Store, decisions: Deciding) -> str:
        row = store.connection.execute(
            """SELECT r.document_url, r.site, r.agency FROM reports r WHERE r.document_url = ?1 OR r.report_id = ?2""",
            (report, int(report) if report.isascii() and report.isdigit() else None),
        ).fetchone()
        if row is None:
            raise AgencyError(f"there is no report {report}")
        document_url, site, printed = row
        if every and not printed:
            raise AgencyError(f"report {report} prints no name that others could share")
        whose = _identity(store, which)
        if every:
            return decisions.decide(OF_NAME, {"printed": printed, "site": site or "", "agency": whose}, reason=reason)
        return decisions.decide(OF_REPORT, {"document_url": document_url, "agency": whose}, reason=reason)

    return make


def take_in(table: Path, *, reason: str) -> Decide:
    """The division codes of a CSV table hold from now on."""

    def make(_: Store, decisions: Deciding) -> str:
        text, _rows = table_text(table)
        return decisions.decide(TABLE, {"table": text}, reason=reason)

    return make


def undo(decision_id: str, *, reason: str) -> Decide:
    """A decision on agencies no longer holds."""

    def make(store: Store, decisions: Deciding) -> str:
        known = decision(store.connection, decision_id)
        if known is not None and known.kind not in KINDS:
            raise AgencyError(f"decision {decision_id} is not about agencies but a {known.kind}")
        return decisions.withdraw(decision_id, reason=reason)

    return make


def agency(connection: sqlite3.Connection, which: str) -> AgencyRow:
    """An agency by its id, also one from before a merger, or by its canonical or a printed name. Raises AgencyError."""
    found = agency_row(connection, rulings(connection).agency_id(which))
    if found is not None:
        return found
    named = agency_rows(connection, name=which)
    if len(named) != 1:
        told_apart = ", ".join(f"{row.agency_id} {row.name}" for row in named)
        raise AgencyError(f"several agencies are called {which}: {told_apart}" if named else f"no agency {which}")
    return named[0]


def _pair(first: AgencyRow, second: AgencyRow) -> dict[str, str]:
    return {
        "agency_id": first.agency_id,
        "other_id": second.agency_id,
        "name": first.name,
        "other_name": second.name,
    }


def _identity(store: Store, which: str) -> dict[str, str]:
    """An agency as a decision tells it: one that stands by what it was made from, another by its name in full."""
    if agency_row(store.connection, which) or agency_rows(store.connection, name=which):
        return told(*standing(store)[agency(store.connection, which).agency_id])
    named = AgencyMatcher(DivisionIndex(divisions(store))).named(which, Context())
    if named.identity is None:
        raise AgencyError(f"no agency {which}, and as a name it is not full enough: {named.evidence}")
    return told(named.identity, named.name)
