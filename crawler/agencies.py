"""Says of every report which agency it is of, and keeps agencies, their names and what is left for a person.

All of it is worked out anew from reports, sites, division codes and people's decisions, so that it is the same after a
rebuild; only rows that differ are written.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from archive.agencies import FindingRow, ReportToAssign, report_text, reports_to_assign, sync, sync_findings
from archive.decisions import decisions
from archive.store import Store
from crawler.agency_rulings import KINDS, OF_NAME, OF_REPORT, Rulings, authority, rulings
from crawler.divisions import divisions
from parsers.agency_names import AgencyMatcher, Context, Identity, Named
from parsers.agency_pairs import Known, Pair, doubtful_pairs
from parsers.agency_texts import with_text
from parsers.agency_words import words_digest
from parsers.division_index import DivisionIndex
from parsers.divisions import Division, level_of
from parsers.scope import scope_digest, scope_of

UNRESOLVED = "agency_unresolved"
NOT_APPLIED = "agency_decision_not_applied"
BY_RULE = "rule"
# An agency that no report is of, and that others are part of.
BY_DIVISION = "division"
GOVERNMENT = "人民政府"
# Who puts a page up is not always who reports: the office of a government does that for others.
_PUBLISHERS = ("street_office", "town", "department", "committee")
# What is known of a body whose name does not begin with its division's; the text may say more.
_WITHOUT_DIVISION = ("site_division", "which_division", "no_division")

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class AgencySummary:
    """What stands in the database afterwards. `unresolved` reports have no agency; `open_reviews` wait for a person."""

    agencies: int
    assigned: int
    unresolved: int
    open_reviews: int


def assign_agencies(store: Store) -> AgencySummary:
    """Brings divisions, agencies, names, assignments and reviews up to date; a second call changes nothing.

    Raises DivisionFileError for a divisions.csv that cannot be read.
    """
    with store.transaction() as connection:
        known = divisions(store)
        sync(connection, "divisions", ("division_code", "valid_from"), map(_division_row, known))
        _Assignment(connection, DivisionIndex(known), rulings(connection)).write()
        counts = connection.execute(
            """SELECT (SELECT count(*) FROM agencies), (SELECT count(agency_id) FROM report_agencies),
            (SELECT count(*) FROM report_agencies WHERE agency_id IS NULL),
            (SELECT count(*) FROM agency_reviews WHERE status = 'open')"""
        ).fetchone()
        return AgencySummary(*counts)


def standing(store: Store) -> dict[str, tuple[Identity, str]]:
    """Every agency by its id: what it was made from, and its name inside its division."""
    index = DivisionIndex(divisions(store))
    bodies = _Assignment(store.connection, index, rulings(store.connection)).bodies()
    return {agency_id: (body.identity, body.name) for agency_id, body in bodies.items()}


def named(report: ReportToAssign, matcher: AgencyMatcher, ruled: Rulings, text: Callable[[int], str]) -> Named:
    """Whose a report is: by a person's decision, else by the rules. `text` gives that of a reading."""
    decided = ruled.named(report.document_url, report.site, report.agency)
    if decided is not None:
        return decided
    if not report.agency:
        return Named(None, "", "no_name", "neither document nor page names the reporting body")
    if report.agency_origin == "site":
        return Named(None, "", "only_site", f"the document names nobody; its site is of {report.agency}")
    found = matcher.named(report.agency, context_of(report))
    if found.rule.startswith(_WITHOUT_DIVISION):
        found = with_text(found, report.agency, context_of(report), text(report.reading_id), matcher)
    is_publisher = report.agency_origin == "page_publisher"
    if is_publisher and found.identity is not None and found.identity.kind not in _PUBLISHERS:
        return Named(None, "", "only_publisher", f"the document names nobody; {report.agency} put its page up")
    return found


def context_of(report: ReportToAssign) -> Context:
    return Context(report.division_code, report.site_agency or "", report.publisher or "", report.year)


@dataclass(slots=True)
class _Body:
    """An agency while it is put together: names inside the division by id before mergers, and printed names."""

    identity: Identity
    names: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    uses: dict[str, _Use] = field(default_factory=dict)

    @property
    def years(self) -> frozenset[int]:
        return frozenset(year for use in self.uses.values() for year in use.years)

    @property
    def decided_by(self) -> str:
        """A rule where one named a report of it, else who did."""
        by = sorted({use.decided_by for use in self.uses.values()})
        return BY_RULE if BY_RULE in by else next(iter(by), BY_DIVISION)

    @property
    def name(self) -> str:
        """The fullest spelling of its own name, not of those that a person found to be its too."""
        own = self.names.get(self.identity.agency_id, ())
        return max(own, key=lambda name: (len(name), name), default="")


@dataclass(slots=True)
class _Use:
    """A printed name of an agency: the years and number of its reports, the capture of the first, who says so."""

    decided_by: str
    capture_id: int
    reports: int = 0
    years: set[int] = field(default_factory=set)


class _Assignment:
    """One pass over all reports."""

    def __init__(self, connection: sqlite3.Connection, index: DivisionIndex, ruled: Rulings) -> None:
        self._connection = connection
        self._index = index
        self._ruled = ruled
        self._matcher = AgencyMatcher(index)
        self._bodies: dict[str, _Body] = {}
        self._assigned: list[tuple[ReportToAssign, Named]] = []

    def bodies(self) -> dict[str, _Body]:
        """Agencies with reports, and the governments above them."""
        for report in reports_to_assign(self._connection):
            found = named(report, self._matcher, self._ruled, self._text)
            self._assigned.append((report, found))
            if found.identity is not None:
                self._note(report, found, found.identity)
        for body in list(self._bodies.values()):
            self._add_governments(body.identity.place)
        return self._bodies

    def write(self) -> None:
        connection = self._connection
        used = {agency_id: body for agency_id, body in self.bodies().items() if body.uses}
        pairs = self._open_pairs(used)
        doubtful = {agency_id for pair in pairs for agency_id in (pair.agency_id, pair.other_id)}
        sync(connection, "agencies", ("agency_id",), self._agency_rows(doubtful))
        sync(connection, "agency_names", ("agency_id", "name"), self._name_rows())
        sync(connection, "agency_events", ("agency_id", "position"), self._event_rows())
        sync(connection, "report_agencies", ("report_id",), self._report_rows())
        sync(connection, "agency_reviews", ("review_id",), self._review_rows(pairs))
        sync_findings(connection, UNRESOLVED, "info", self._unresolved())
        sync_findings(connection, NOT_APPLIED, "warning", self._not_applied())

    def _text(self, reading_id: int) -> str:
        return "\n".join(report_text(self._connection, reading_id)[1:])

    def _unresolved(self) -> Iterator[FindingRow]:
        for report, found in self._assigned:
            if found.identity is None:
                message = f"{found.rule}: {found.evidence}"
                yield report.run_id, report.document_url, report.capture_id, report.report_id, message

    def _not_applied(self) -> Iterator[FindingRow]:
        """Decisions that speak of what is no more, or not any longer under that id."""
        ids = set(self._bodies) | {found.identity.agency_id for _, found in self._assigned if found.identity}
        used = {found.evidence.split(": ")[0] for _, found in self._assigned if _is_decided(found)}
        runs = dict(self._connection.execute("SELECT decision_id, run_id FROM decisions").fetchall())
        for decision in decisions(self._connection):
            if decision.kind not in KINDS:
                continue
            missing = [
                one for key in ("agency_id", "other_id") if (one := decision.body.get(key, "")) and one not in ids
            ]
            is_idle = decision.kind in (OF_REPORT, OF_NAME) and authority(decision) not in used
            if missing or is_idle:
                told = f"no agency {', '.join(missing)}" if missing else "no report that it speaks of"
                message = f"decision {decision.decision_id} ({decision.kind}): {told}"
                yield runs[decision.decision_id], None, None, None, message

    def _note(self, report: ReportToAssign, found: Named, identity: Identity) -> None:
        original = identity.agency_id
        agency_id = self._ruled.agency_id(original)
        body = self._bodies.setdefault(agency_id, _Body(identity))
        if original == agency_id:
            body.identity = identity
        body.names[original].add(found.name)
        decision = self._ruled.merged().get(original) if agency_id != original else None
        by = authority(decision) if decision else found.evidence.split(": ")[0] if _is_decided(found) else BY_RULE
        use = body.uses.setdefault(report.agency or "", _Use(by, report.capture_id))
        use.reports += 1
        if report.year is not None:
            use.years.add(report.year)

    def _add_governments(self, place: str) -> None:
        for code in self._index.chain(self._index.code(place)):
            government = self._government(code)
            self._bodies.setdefault(self._ruled.agency_id(government.agency_id), _Body(government))

    def _government(self, code: str) -> Identity:
        return Identity(self._index.place(code), "government", "")

    def _open_pairs(self, used: dict[str, _Body]) -> list[Pair]:
        known = [Known(body.identity, body.name, body.years) for body in used.values()]
        decided = {self._ruled.pair(*pair) for pair in (*self._ruled.differ, *self._ruled.same)}
        return [
            pair
            for pair in doubtful_pairs(known, self._index)
            if frozenset((pair.agency_id, pair.other_id)) not in decided
        ]

    def _agency_rows(self, doubtful: set[str]) -> Iterator[Row]:
        merged = {self._ruled.agency_id(other): decision for other, decision in self._ruled.merged().items()}
        for agency_id, body in self._bodies.items():
            if self._ruled.agency_id(agency_id) != agency_id:
                continue
            code = self._index.code(body.identity.place)
            told = self._ruled.names.get(agency_id)
            decision = told.decision if told else merged.get(agency_id)
            yield {
                "agency_id": agency_id,
                "name": told.name if told else self._full_name(body),
                "name_en": told.name_en if told else None,
                "kind": body.identity.kind,
                "level": level_of(code),
                "division_code": code,
                "parent_id": self._parent(body.identity),
                "is_provisional": int(agency_id in doubtful),
                "decided_by": authority(decision) if decision else body.decided_by,
            }

    def _full_name(self, body: _Body) -> str:
        return self._index.full_name(self._index.code(body.identity.place)) + (body.name or GOVERNMENT)

    def _parent(self, identity: Identity) -> str | None:
        code: str | None = self._index.code(identity.place)
        if identity.kind == "government" and code is not None:
            code = self._index.parent(code)
        return self._ruled.agency_id(self._government(code).agency_id) if code else None

    def _name_rows(self) -> Iterator[Row]:
        for agency_id, body in self._bodies.items():
            for name, use in body.uses.items():
                yield {
                    "agency_id": agency_id,
                    "name": name,
                    "valid_from": min(use.years, default=None),
                    "valid_to": max(use.years, default=None),
                    "reports": use.reports,
                    "capture_id": use.capture_id,
                    "decided_by": use.decided_by,
                }

    def _event_rows(self) -> Iterator[Row]:
        events: dict[str, list[Row]] = defaultdict(list)
        for agency_id, body in self._bodies.items():
            for year, before in self._index.former_names(self._index.code(body.identity.place)):
                row: Row = {
                    "kind": "division_renamed",
                    "year": year,
                    "other": before,
                    "note": "",
                    "decided_by": BY_RULE,
                }
                events[self._ruled.agency_id(agency_id)].append(row)
        for other, decision in sorted(self._ruled.merged().items()):
            row = {"kind": "merged", "year": None, "other": other, "note": decision.reason}
            events[self._ruled.agency_id(other)].append({**row, "decided_by": authority(decision)})
        for agency_id, told in sorted(self._ruled.names.items()):
            if agency_id in self._bodies:
                row = {"kind": "renamed", "year": None, "other": self._full_name(self._bodies[agency_id])}
                events[agency_id].append({**row, "note": told.decision.reason, "decided_by": authority(told.decision)})
        for agency_id, rows in events.items():
            for position, event in enumerate(rows, 1):
                yield {"agency_id": agency_id, "position": position, **event}

    def _report_rows(self) -> Iterator[Row]:
        digest = f"{words_digest()}.{scope_digest()}"
        known = {
            row[0]: row[1:]
            for row in self._connection.execute(
                """SELECT version_id, scope, scope_rule, scope_evidence FROM report_agencies
                WHERE substr(words_digest, -16) = ?""",
                (scope_digest(),),
            )
        }
        for report, found in self._assigned:
            scope = known.get(report.version_id) or self._scope(report)
            yield {
                "report_id": report.report_id,
                "agency_id": self._ruled.agency_id(found.identity.agency_id) if found.identity else None,
                "scope": scope[0],
                "rule": found.rule,
                "evidence": found.evidence,
                "scope_rule": scope[1],
                "scope_evidence": scope[2],
                "version_id": report.version_id,
                "words_digest": digest,
            }

    def _scope(self, report: ReportToAssign) -> tuple[str, str, str]:
        found = scope_of(report_text(self._connection, report.reading_id))
        return found.value, found.rule, found.evidence

    def _review_rows(self, pairs: list[Pair]) -> Iterator[Row]:
        for pair in pairs:
            yield _review(
                "pair", (pair.agency_id, pair.other_id), rule=pair.rule, evidence=pair.evidence, decided_by=None
            )
        for rule, decided in (("same", self._ruled.same), ("differ", self._ruled.differ)):
            for decision in decided.values():
                ids = decision.body["agency_id"], decision.body["other_id"]
                yield _review("pair", ids, rule=rule, evidence=decision.reason, decided_by=authority(decision))
        for report, found in self._assigned:
            if found.identity is None or _is_decided(found):
                by = None if found.identity is None else found.evidence.split(": ")[0]
                row = _review("report", (report.document_url,), rule=found.rule, evidence=found.evidence, decided_by=by)
                yield {**row, "agency_id": None, "report_id": report.report_id}


def _review(kind: str, subject: tuple[str, ...], *, rule: str, evidence: str, decided_by: str | None) -> Row:
    ids = sorted(subject)
    return {
        "review_id": "r" + hashlib.sha256("|".join((kind, *ids)).encode()).hexdigest()[:12],
        "kind": kind,
        "agency_id": ids[0],
        "other_id": ids[1] if len(ids) > 1 else None,
        "report_id": None,
        "rule": rule,
        "evidence": evidence,
        "status": "decided" if decided_by else "open",
        "decided_by": decided_by,
    }


def _is_decided(found: Named) -> bool:
    return found.rule.startswith("decision/")


def _division_row(division: Division) -> Row:
    code = division.code
    above = None if code.endswith("0000") else f"{code[:2]}0000" if code.endswith("00") else f"{code[:4]}00"
    return {
        "division_code": code,
        "valid_from": division.valid_from,
        "valid_to": division.valid_to,
        "name": division.name,
        "level": division.level,
        "parent_code": above,
        "source": division.source,
    }
