"""Says of every report which agency it is of, and keeps agencies, their names and what is left for a person.

All of it is worked out anew from reports, sites, division codes and people's decisions; only rows that differ are
written.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from archive.model import IMPORT_SITE
from archive.store import Store
from parsers.agency_names import AgencyMatcher, Context, Identity, Named
from parsers.agency_words import words_digest
from parsers.division_index import DivisionIndex
from parsers.divisions import Division, combined, level_of, read_table, seeded
from parsers.errors import DivisionTableError

log = logging.getLogger(__name__)

DIVISIONS_FILE = "divisions.csv"
UNRESOLVED = "agency_unresolved"
_AUTHORITY = "rule"
_UNSEEN = "division"

_REPORTS = """
SELECT v.report_id, v.version_id, v.capture_id, e.run_id, d.document_url, v.agency, v.agency_origin, v.report_year,
    v.site, s.agency, v.division_code, p.publisher
FROM report_versions v
JOIN report_documents d ON d.report_id = v.report_id
JOIN exchanges e ON e.capture_id = v.capture_id
LEFT JOIN sites s ON s.name = v.site
LEFT JOIN page_versions p ON p.url = v.page_url AND p.known_to IS NULL
WHERE v.known_to IS NULL ORDER BY v.report_id
"""


@dataclass(frozen=True, slots=True)
class AgencySummary:
    """What stands in the database afterwards. `unresolved` reports have no agency, `open_reviews` wait for a person."""

    agencies: int
    assigned: int
    unresolved: int
    open_reviews: int


@dataclass(frozen=True, slots=True)
class _Report:
    report_id: int
    version_id: int
    capture_id: int
    run_id: str
    document_url: str
    agency: str | None
    agency_origin: str | None
    year: int | None
    site: str | None
    site_agency: str | None
    division_code: str | None
    publisher: str | None

    @property
    def context(self) -> Context:
        return Context(
            division_code=self.division_code,
            site=self.site or "",
            site_agency=self.site_agency or "",
            publisher=self.publisher or "",
            year=self.year,
        )


def assign_agencies(store: Store) -> AgencySummary:
    """Brings divisions, agencies, names, assignments and reviews up to date; a second call changes nothing."""
    with store.transaction() as connection:
        divisions = _divisions(store)
        _sync(connection, "divisions", ("division_code", "valid_from"), map(_division_row, divisions))
        _Assignment(connection, DivisionIndex(divisions)).write()
        return _summary(connection)


def _divisions(store: Store) -> tuple[Division, ...]:
    """The package's codes, those of the user's table, and those that only a site file knows."""
    known = combined(seeded(), _later(store.path.parent / DIVISIONS_FILE))
    codes = {division.code for division in known}
    sites = store.connection.execute(
        "SELECT division_code, min(agency) FROM sites WHERE name <> ? GROUP BY division_code ORDER BY division_code",
        (IMPORT_SITE,),
    ).fetchall()
    invented = tuple(
        Division(code, name, "", source="site")
        for code, agency in sites
        if code and code not in codes and (name := agency.removesuffix("政府").removesuffix("人民")) != agency
    )
    return known + invented


def _later(path: Path) -> tuple[Division, ...]:
    if not path.exists():
        return ()
    try:
        return read_table(path.read_text("utf-8"))
    except DivisionTableError as error:
        raise DivisionTableError(f"{path}: {error}") from error


def _division_row(division: Division) -> dict[str, object]:
    return {
        "division_code": division.code,
        "valid_from": division.valid_from,
        "valid_to": division.valid_to,
        "name": division.name,
        "level": division.level,
        "parent_code": _parent_code(division.code),
        "source": division.source,
    }


def _parent_code(code: str) -> str | None:
    if code.endswith("0000"):
        return None
    return f"{code[:2]}0000" if code.endswith("00") else f"{code[:4]}00"


@dataclass(slots=True)
class _NameUse:
    """A printed name of an agency: in which years, in how many reports, where first."""

    years: list[int] = field(default_factory=list)
    reports: int = 0
    capture_id: int = 0


class _Assignment:
    """One pass over all reports."""

    def __init__(self, connection: sqlite3.Connection, index: DivisionIndex) -> None:
        self._connection = connection
        self._index = index
        self._matcher = AgencyMatcher(index)
        self._known: dict[tuple[str, Context], Named] = {}
        self._identities: dict[str, Identity] = {}
        self._uses: dict[tuple[str, str], _NameUse] = defaultdict(_NameUse)

    def write(self) -> None:
        assigned = [(report, self._named(report)) for report in self._reports]
        for report, named in assigned:
            if named.identity is not None:
                self._note(report, named.identity)
        used = set(self._identities)
        for identity in list(self._identities.values()):
            self._add_governments(identity.division_code)
        agencies = [self._agency_row(identity, used) for identity in self._identities.values()]
        sync = _sync
        sync(self._connection, "agencies", ("agency_id",), agencies)
        sync(self._connection, "agency_names", ("agency_id", "name"), self._name_rows())
        sync(self._connection, "report_agencies", ("report_id",), (_report_row(*one) for one in assigned))
        sync(self._connection, "agency_reviews", ("review_id",), self._reviews(assigned))
        self._write_findings(assigned)

    @cached_property
    def _reports(self) -> list[_Report]:
        return [_Report(*row) for row in self._connection.execute(_REPORTS)]

    def _named(self, report: _Report) -> Named:
        if not report.agency:
            return Named(None, "no_name", "neither document nor page names the reporting body")
        if report.agency_origin == "site":
            return Named(None, "only_site", f"the document names nobody; the site is of {report.agency}")
        key = (report.agency, report.context)
        if key not in self._known:
            self._known[key] = self._matcher.named(*key)
        found = self._known[key]
        if report.agency_origin == "page_publisher" and (
            found.identity is None or found.identity.kind in ("government", "government_office")
        ):
            return Named(None, "only_publisher", f"the document names nobody; its page was put up by {report.agency}")
        return found

    def _note(self, report: _Report, identity: Identity) -> None:
        agency_id = identity.agency_id
        self._identities[agency_id] = identity
        use = self._uses[agency_id, report.agency or ""]
        use.reports += 1
        use.capture_id = use.capture_id or report.capture_id
        if report.year is not None:
            use.years.append(report.year)

    def _add_governments(self, code: str) -> None:
        for one in self._index.chain(code):
            government = _government(one)
            self._identities.setdefault(government.agency_id, government)

    def _agency_row(self, identity: Identity, used: set[str]) -> dict[str, object]:
        code = identity.division_code
        return {
            "agency_id": identity.agency_id,
            "name": self._index.full_name(code) + (identity.name or "人民政府"),
            "name_en": None,
            "kind": identity.kind,
            "level": level_of(code),
            "division_code": code,
            "parent_id": self._parent(identity),
            "is_provisional": int(identity.apart != ""),
            "decided_by": _AUTHORITY if identity.agency_id in used else _UNSEEN,
        }

    def _parent(self, identity: Identity) -> str | None:
        if identity.kind != "government":
            return _government(identity.division_code).agency_id
        above = self._index.parent(identity.division_code)
        return _government(above).agency_id if above else None

    def _name_rows(self) -> Iterator[dict[str, object]]:
        for (agency_id, name), use in sorted(self._uses.items()):
            yield {
                "agency_id": agency_id,
                "name": name,
                "valid_from": min(use.years, default=None),
                "valid_to": max(use.years, default=None),
                "reports": use.reports,
                "capture_id": use.capture_id,
                "decided_by": _AUTHORITY,
            }

    def _reviews(self, assigned: Sequence[tuple[_Report, Named]]) -> Iterator[dict[str, object]]:
        for report, named in assigned:
            if named.identity is None:
                yield {
                    "review_id": _digest("report", report.document_url),
                    "kind": "report",
                    "agency_id": None,
                    "other_id": None,
                    "report_id": report.report_id,
                    "rule": named.rule,
                    "evidence": named.evidence,
                    "status": "open",
                    "decided_by": None,
                }

    def _write_findings(self, assigned: Sequence[tuple[_Report, Named]]) -> None:
        wanted = {
            (report.run_id, report.document_url, report.capture_id, report.report_id, f"{named.rule}: {named.evidence}")
            for report, named in assigned
            if named.identity is None
        }
        known = {
            row[1:]: row[0]
            for row in self._connection.execute(
                "SELECT finding_id, run_id, url, capture_id, report_id, message FROM findings WHERE code = ?",
                (UNRESOLVED,),
            )
        }
        self._connection.executemany(
            "DELETE FROM findings WHERE finding_id = ?", [(known[key],) for key in known.keys() - wanted]
        )
        self._connection.executemany(
            """INSERT INTO findings(run_id, level, code, url, capture_id, report_id, message)
            VALUES (?, 'info', ?, ?, ?, ?, ?)""",
            [
                (run, UNRESOLVED, url, capture, report, told)
                for run, url, capture, report, told in sorted(wanted - known.keys(), key=lambda key: key[3])
            ],
        )


def _government(code: str) -> Identity:
    return Identity(code, "government", "")


def _report_row(report: _Report, named: Named) -> dict[str, object]:
    return {
        "report_id": report.report_id,
        "agency_id": named.identity.agency_id if named.identity else None,
        "scope": "unknown",
        "rule": named.rule,
        "evidence": named.evidence,
        "scope_rule": "",
        "scope_evidence": "",
        "version_id": report.version_id,
        "words_digest": words_digest(),
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _summary(connection: sqlite3.Connection) -> AgencySummary:
    counts = connection.execute(
        """SELECT (SELECT count(*) FROM agencies), (SELECT count(agency_id) FROM report_agencies),
        (SELECT count(*) FROM report_agencies WHERE agency_id IS NULL),
        (SELECT count(*) FROM agency_reviews WHERE status = 'open')"""
    ).fetchone()
    return AgencySummary(*counts)


def _sync(
    connection: sqlite3.Connection, table: str, key: tuple[str, ...], rows: Iterable[Mapping[str, object]]
) -> None:
    """Makes a table hold exactly these rows, touching only those that differ."""
    wanted = {tuple(row[column] for column in key): row for row in rows}
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    places = [columns.index(column) for column in key]
    stored = {
        tuple(row[place] for place in places): row
        for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608  our own names
    }
    where = " AND ".join(f"{column} = ?" for column in key)
    connection.executemany(f"DELETE FROM {table} WHERE {where}", [known for known in stored if known not in wanted])  # noqa: S608
    marks = ", ".join("?" for _ in columns)
    changed = [
        values
        for known, row in wanted.items()
        if stored.get(known) != (values := tuple(row[column] for column in columns))
    ]
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in key)
    connection.executemany(
        f"INSERT INTO {table}({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO UPDATE SET {updates}",  # noqa: S608
        changed,
    )
