"""What people decided of agencies: which are one, which are not, what they are called, whose a report is.

Bodies of decisions, by kind. An agency is told in full (`place`, `kind`, `key`, `name`) wherever it must exist for the
decision to hold, so that it comes back with the decision.

    agency_same     {agency_id, other_id}: the other's reports are the first one's
    agency_differ   {agency_id, other_id}
    agency_rename   {agency_id, name, name_en}
    agency_report   {document_url, agency}: the report at this address is that agency's
    agency_name     {printed, site, agency}: whatever a site's documents call so
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.decisions import Decision, decisions
from crawler.divisions import TABLE
from parsers.agency_names import Identity, Named
from parsers.agency_units import spelled

SAME, DIFFER, RENAME = "agency_same", "agency_differ", "agency_rename"
OF_REPORT, OF_NAME = "agency_report", "agency_name"
KINDS = (SAME, DIFFER, RENAME, OF_REPORT, OF_NAME, TABLE)


@dataclass(frozen=True, slots=True)
class Told:
    """A name that a person gave an agency."""

    name: str
    name_en: str | None
    decision: Decision


@dataclass(slots=True)
class Rulings:
    """All decisions that hold, ready to be asked. Pairs of ids are in order."""

    same: dict[frozenset[str], Decision] = field(default_factory=dict)
    differ: dict[frozenset[str], Decision] = field(default_factory=dict)
    names: dict[str, Told] = field(default_factory=dict)
    _into: dict[str, str] = field(default_factory=dict)
    _reports: dict[str, Named] = field(default_factory=dict)
    _printed: dict[tuple[str, str], Named] = field(default_factory=dict)

    def agency_id(self, agency_id: str) -> str:
        """The agency that one is part of by decision, else itself."""
        while agency_id in self._into:
            agency_id = self._into[agency_id]
        return agency_id

    def pair(self, one: str, other: str) -> frozenset[str]:
        return frozenset((self.agency_id(one), self.agency_id(other)))

    def merged(self) -> dict[str, Decision]:
        """Ids that became part of another, each with the decision that said so."""
        return {
            decision.body["other_id"]: decision
            for decision in self.same.values()
            if decision.body["other_id"] in self._into
        }

    def named(self, document_url: str, site: str | None, printed: str | None) -> Named | None:
        """Whose a report is, where a person said so."""
        return self._reports.get(document_url) or self._printed.get((site or "", spelled(printed or "")))

    def add(self, decision: Decision) -> None:
        body = decision.body
        if decision.kind == SAME:
            self._merge(decision)
        elif decision.kind == DIFFER:
            self.differ[frozenset((body["agency_id"], body["other_id"]))] = decision
        elif decision.kind == RENAME:
            self.names[body["agency_id"]] = Told(body["name"], body.get("name_en"), decision)
        elif decision.kind == OF_REPORT:
            self._reports[body["document_url"]] = _named(body["agency"], decision)
        elif decision.kind == OF_NAME:
            self._printed[body["site"], spelled(body["printed"])] = _named(body["agency"], decision)

    def _merge(self, decision: Decision) -> None:
        into, other = self.agency_id(decision.body["agency_id"]), self.agency_id(decision.body["other_id"])
        self.same[frozenset((decision.body["agency_id"], decision.body["other_id"]))] = decision
        if into != other:
            self._into[other] = into


def rulings(connection: sqlite3.Connection) -> Rulings:
    """What holds, in the order in which it was decided: a later decision on the same thing counts."""
    found = Rulings()
    for decision in decisions(connection):
        if decision.kind in KINDS:
            found.add(decision)
    return found


def told(identity: Identity, name: str) -> dict[str, str]:
    """An agency as the body of a decision tells it."""
    return {"place": identity.place, "kind": identity.kind, "key": identity.key, "name": name}


def authority(decision: Decision) -> str:
    """`decided_by` of the rows that a decision made."""
    return f"decision:{decision.decision_id}"


def _named(body: Mapping[str, Any], decision: Decision) -> Named:
    identity = Identity(body["place"], body["kind"], body["key"])
    return Named(identity, body["name"], f"decision/{identity.kind}", f"{authority(decision)}: {decision.reason}")
