"""Documents against the statutory forms: which edition it is, and what each of its cells holds.

The matcher reads grids; it knows nothing of file formats. The edition follows from the tables, never from the year: a
report for 2021 may stand on the form of 2019, and single tables of a report may be of another edition than the rest.

What a confidence means. The lowest that applies holds; a failed check of the form's arithmetic lowers it further, and
takes away what was only inferred (see `checks`).

    1.0    label official or a listed variant, position certain, number plainly printed
    0.95   label cut short by a page break or with a note of another hand; an amount converted from another unit
    0.9    rows not marked (a stream); the right label under another number; a note beside the number
    0.85   a header that does not show all columns in their order; spaces inside the number
    0.8    label a few letters off; columns from the header's geometry, or from a header in another order; values on the
           line after the label; an unexplained label before them; the table printed more than once
    0.6    the order of the cells and the columns of the header disagree; number broken over lines
    0.5    a sign or a fraction in a count; a table captioned for part of a year, or printed for another body or another
           year alone; a repeated table that disagrees elsewhere

Nothing below 1.0 should be used unseen. A value that cannot be put to its column, two printings that disagree, and
anything that is no number is `unreadable` with its raw text; it is never guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from msgspec.structs import replace

from parsers.form import Form, cell_id, forms
from parsers.model import Document, Fact, Finding, Number, Paragraph
from parsers.normalise import squeezed
from parsers.owners import is_another
from parsers.rows import Candidate, Line
from parsers.shapes.across import AcrossReader
from parsers.shapes.blocks import BlocksReader
from parsers.shapes.matrix import MatrixReader
from parsers.shapes.single import Single, SingleReader
from parsers.zones import Zone, part_of_year_title, title_year, zones_of

_STATISTICS, _BLOCKS, _MATRIX, _ACROSS = "statistics", "disclosure", "applications", "review"
_SPLIT_ROWS = {"other_uncorrected", "other_unpaid", "other_rest"}
_UNDIVIDED_ROW = "other_handling"
_LEAST_ROWS_WITHOUT_HEADER = 12
_LEAST_ROWS = 3
_LEAST_STATISTICS = 5
# The 2014 table: the share of its printed rows that are the form's, and without its header the share of the form's.
_LEAST_KNOWN, _LEAST_PRINTED = 0.7, 0.3
_CAPPED = 0.5
_ONE_OF_TWO = 0.8
# Candidates of the n-th printing of a table are numbered from n times this.
_PRINTING = 1000


@dataclass(frozen=True, slots=True)
class Match:
    """What the tables of a document say. `form` is None, and `facts` empty, when no statutory table was recognised."""

    form: str | None
    facts: tuple[Fact, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Evidence:
    """All that was read of the document's tables before its form is decided."""

    by_edition: dict[str, list[Candidate]]
    rows_by_edition: dict[str, set[str]]
    shared: list[Candidate] = field(default_factory=list)
    matrix_rows: set[str] = field(default_factory=set)
    review: bool = False
    statistics: list[Candidate] = field(default_factory=list)
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    printings: dict[str, int] = field(default_factory=dict)
    years: dict[tuple[str, int], int | None] = field(default_factory=dict)
    owners: dict[tuple[str, int], str] = field(default_factory=dict)


class Matcher:
    """The forms prepared for matching; made once a process."""

    def __init__(self, editions: dict[str, Form]) -> None:
        self.forms = editions
        six_part = [editions["2019"], editions["2021"]]
        self._blocks = BlocksReader(six_part, _BLOCKS)
        # The 2021 table has every row of the 2019 table.
        self._matrix = MatrixReader(editions["2021"].table(_MATRIX))
        self._across = AcrossReader(editions["2021"].table(_ACROSS))
        self._single = SingleReader(editions["2014"].table(_STATISTICS))

    def match(self, document: Document) -> Match:
        evidence = _Evidence({"2019": [], "2021": []}, {"2019": set(), "2021": set()})
        title = part_of_year_title(document)
        for zone in zones_of(document, self._kind_of):
            zone.caption = (*zone.caption, title) if title else zone.caption
            self._read(zone, evidence)
        edition, findings = self._edition(document, evidence)
        if edition is None:
            return Match(None)
        form = self.forms[edition]
        if edition == "2014":
            candidates = evidence.statistics
            tables: tuple[str, ...] = (_STATISTICS,)
        else:
            candidates = evidence.by_edition[edition] + evidence.shared
            tables = (_BLOCKS, _MATRIX, _ACROSS)
        for table in tables:
            findings.extend(evidence.findings.get(table, []))
        year = title_year(document)
        candidates, left_out = _of_the_year(form, candidates, evidence, year)
        findings.extend(left_out)
        candidates, left_out = _of_the_body(form, candidates, evidence, year)
        findings.extend(left_out)
        facts, problems = _facts(form, candidates, evidence.printings)
        findings.extend(problems)
        findings.extend(_foreign(form, candidates))
        findings.extend(_absent(form, facts))
        return Match(edition, tuple(facts), tuple(dict.fromkeys(findings)))

    def _kind_of(self, line: Line, current: str) -> str:
        if self._single.is_header(line) or (current in ("", _STATISTICS) and self._single.has_row(line)):
            return _STATISTICS
        if self._blocks.is_header(line):
            return _BLOCKS
        if self._matrix.is_header(line):
            return _MATRIX
        if self._across.is_header(line):
            return _ACROSS
        if current != _MATRIX and self._matrix.has_row(line):
            return _MATRIX
        return current

    def _read(self, zone: Zone, evidence: _Evidence) -> None:
        printing = evidence.printings.get(zone.table, 0)
        findings = evidence.findings.setdefault(zone.table, [])
        if zone.table == _BLOCKS:
            blocks = self._blocks.read(zone.lines, zone.caption)
            if not blocks.has_header:
                return
            for edition, candidates in blocks.candidates.items():
                evidence.by_edition[edition].extend(_of_printing(candidates, zone, printing))
                evidence.rows_by_edition[edition].update(blocks.rows[edition])
            findings.extend(blocks.findings)
        elif zone.table == _MATRIX:
            matrix = self._matrix.read(zone.lines)
            least = _LEAST_ROWS if matrix.has_header else _LEAST_ROWS_WITHOUT_HEADER
            if len(set(matrix.rows)) < least:
                return
            evidence.shared.extend(_of_printing(matrix.candidates, zone, printing))
            evidence.matrix_rows.update(matrix.rows)
            findings.extend(matrix.findings)
        elif zone.table == _ACROSS:
            across = self._across.read(zone.lines)
            if not across.has_header:
                return
            evidence.shared.extend(_of_printing(across.candidates, zone, printing))
            evidence.review = True
            findings.extend(across.findings)
        else:
            single = self._single.read(zone.lines)
            if not self._is_statistics(single):
                return
            evidence.statistics.extend(_of_printing(single.candidates, zone, printing))
            findings.extend(single.findings)
        evidence.printings[zone.table] = printing + 1
        evidence.years[zone.table, printing] = zone.year
        evidence.owners[zone.table, printing] = zone.owner
        if zone.part_of_year:
            findings.append(
                Finding("part_of_year", f"a table is captioned {' / '.join(zone.caption)}", zone.lines[0].locator)
            )

    def _is_statistics(self, single: Single) -> bool:
        """Whether rows are those of the statutory table: home-made ones share some of its labels."""
        known = len(set(single.rows))
        rows = len(self.forms["2014"].table(_STATISTICS).blocks[0].rows)
        if known < _LEAST_STATISTICS or known < _LEAST_KNOWN * (known + single.unknown):
            return False
        return single.has_header or known >= _LEAST_PRINTED * rows

    # ------------------------------------------------------------ which form

    def _edition(self, document: Document, evidence: _Evidence) -> tuple[str | None, list[Finding]]:
        six_part = len(evidence.matrix_rows) + sum(len(rows) for rows in evidence.rows_by_edition.values())
        statistics = len({one.cell for one in evidence.statistics})
        if statistics > six_part:
            findings = [_hybrid("the 2014 table", "tables of the six-part report")] if six_part else []
            return "2014", findings
        if not six_part and not evidence.review:
            return None, []
        findings = [_hybrid("the six-part report", "rows of the 2014 table")] if statistics else []
        old, new = (len(evidence.rows_by_edition[edition]) for edition in ("2019", "2021"))
        split = bool(evidence.matrix_rows & _SPLIT_ROWS)
        undivided = _UNDIVIDED_ROW in evidence.matrix_rows and not split
        if old and new:
            findings.append(_hybrid("section two: rows under 2019 columns", "rows under 2021 columns"))
        if old != new:
            edition = "2019" if old > new else "2021"
            if edition == "2019" and split:
                findings.append(_hybrid("section two of the 2019 form", "section three of the 2021 form"))
            if edition == "2021" and undivided:
                message = "section two is of the 2021 form; section three prints （六）其他处理 as one row, as in 2019"
                findings.append(Finding("undivided_row", message))
            return edition, findings
        if split:
            return "2021", findings
        cited = self._cited(document)
        edition = cited or ("2019" if undivided else "2021")
        basis = (
            f"the text cites {self.forms[edition].cited[0]}" if cited else "the rest does not tell; this is the nearest"
        )
        findings.append(
            Finding("form_uncertain", f"section two does not show the edition; taken for {edition}: {basis}")
        )
        return edition, findings

    def _cited(self, document: Document) -> str | None:
        """The edition whose number the text cites, when it cites one only."""
        text = "".join(
            re.sub(r"[\[［【(（]", "〔", re.sub(r"[\]］】)）]", "〕", squeezed(block.text)))
            for block in document.blocks
            if isinstance(block, Paragraph)
        )
        cited = [edition for edition in ("2019", "2021") if any(number in text for number in self.forms[edition].cited)]
        return cited[0] if len(cited) == 1 else None


@cache
def matcher() -> Matcher:
    return Matcher(forms())


def match(document: Document) -> Match:
    """Recognise the statutory form of a document and read every cell of it."""
    return matcher().match(document)


def _of_printing(candidates: Iterable[Candidate], zone: Zone, printing: int) -> list[Candidate]:
    cap = _CAPPED if zone.part_of_year else 1.0
    if cap == 1.0 and not printing:
        return list(candidates)
    return [
        replace(one, instance=one.instance + _PRINTING * printing, confidence=min(one.confidence, cap))
        for one in candidates
    ]


def _of_the_year(
    form: Form, candidates: list[Candidate], evidence: _Evidence, year: int | None
) -> tuple[list[Candidate], list[Finding]]:
    """Without the printings of tables that disagree with another and are captioned with another year than the title's.

    Left alone, and so unreadable where they disagree, when title or captions do not say.
    """
    kept, findings = candidates, list[Finding]()
    if max(evidence.printings.values(), default=0) < 2:
        return kept, findings
    for table in {_table_of(form, cell) for cell in _conflicts(candidates)}:
        years = {number: found for (name, number), found in evidence.years.items() if name == table}
        ours = {number for number, found in years.items() if found == year}
        if year is None or not ours or None in years.values() or len(ours) == len(years):
            continue
        others = sorted({found for found in years.values() if found and found != year})
        findings.append(
            Finding("other_year", f"{table}: printed for {', '.join(map(str, others))} too; only {year} is taken")
        )
        kept = [
            replace(one, confidence=min(one.confidence, _ONE_OF_TWO)) if _table_of(form, one.cell) == table else one
            for one in kept
            if _table_of(form, one.cell) != table or one.instance // _PRINTING in ours
        ]
    return kept, findings


def _of_the_body(
    form: Form, candidates: list[Candidate], evidence: _Evidence, year: int | None
) -> tuple[list[Candidate], list[Finding]]:
    """Without the tables under another body's name than the first table's, where ours are printed too.

    Where only another's is printed, or only another year's, it is kept and nearly nothing is left of its confidence.
    """
    ours = next(filter(None, evidence.owners.values()), "")
    is_dated = year is not None and next(iter(evidence.years.values()), None) == year
    left_out: set[tuple[str, int]] = set()
    doubted: set[str] = set()
    findings: list[Finding] = []
    for table, count in evidence.printings.items():
        owners = {number: evidence.owners[table, number] for number in range(count)}
        others = {number: owner for number, owner in owners.items() if ours and owner and is_another(ours, owner)}
        if others:
            message = f"{table}: printed for {', '.join(dict.fromkeys(others.values()))}; the first table is {ours}'s"
            findings.append(Finding("other_body", message))
        if others and len(others) < count:
            left_out |= {(table, number) for number in others}
        elif others:
            doubted.add(table)
        if is_dated and not {evidence.years[table, number] for number in range(count)} & {year, None}:
            findings.append(Finding("other_year", f"{table}: printed for another year than {year} alone"))
            doubted.add(table)
    if not findings:
        return candidates, findings
    kept = [one for one in candidates if (_table_of(form, one.cell), one.instance // _PRINTING) not in left_out]
    capped = [
        replace(one, confidence=min(one.confidence, _CAPPED)) if _table_of(form, one.cell) in doubted else one
        for one in kept
    ]
    return capped, findings


def _conflicts(candidates: Iterable[Candidate]) -> set[str]:
    """Cells reported with more than one value."""
    values: dict[str, Number | None] = {}
    return {
        one.cell
        for one in candidates
        if one.status == "reported" and values.setdefault(one.cell, one.value) != one.value
    }


def _hybrid(one: str, other: str) -> Finding:
    return Finding("hybrid_form", f"the document mixes editions: {one}, and {other}")


# ------------------------------------------------------------ candidates to facts


def _facts(form: Form, candidates: Sequence[Candidate], printings: dict[str, int]) -> tuple[list[Fact], list[Finding]]:
    by_cell: defaultdict[str, list[Candidate]] = defaultdict(list)
    for one in candidates:
        by_cell[one.cell].append(one)
    findings: list[Finding] = []
    mixed = {_table_of(form, cell) for cell, found in by_cell.items() if len(found) > 1 and _conflicts(found)}
    is_lowered = bool(mixed) or max(printings.values(), default=0) > 1
    facts: list[Fact] = []
    for cell in form.cells.values():
        found = by_cell.get(cell.cell)
        if found is None:
            if not cell.variant:
                facts.append(Fact(cell.cell, None, "", cell.unit, "absent", ""))
            continue
        fact, problem = _one_fact(found, cell.unit)
        if is_lowered and fact.status == "reported":
            table = _table_of(form, cell.cell)
            if table in mixed:
                fact = replace(fact, confidence=min(fact.confidence, _CAPPED))
            elif printings.get(table, 1) > 1 and len(found) == 1:
                fact = replace(fact, confidence=min(fact.confidence, _ONE_OF_TWO))
        facts.append(fact)
        findings += problem
        if found[0].oddity:
            findings += _oddities(found[0])
    return facts, findings


def _one_fact(found: Sequence[Candidate], unit: str) -> tuple[Fact, list[Finding]]:
    if len(found) == 1 and found[0].status == "reported":
        one = found[0]
        return Fact(one.cell, one.value, one.raw, unit, "reported", one.locator, one.confidence), []
    reported = [one for one in found if one.status == "reported"]
    values = {one.value for one in reported}
    if len(values) > 1:
        raw = " / ".join(dict.fromkeys(one.raw for one in reported))
        places = ", ".join(one.locator for one in reported)
        message = f"{found[0].cell}: printed more than once and not alike: {raw} (at {places})"
        fact = Fact(found[0].cell, None, raw, unit, "unreadable", reported[0].locator, 0.5)
        return fact, [Finding("conflicting_values", message, reported[1].locator)]
    if reported:
        best = max(reported, key=lambda one: one.confidence)
        confidence = best.confidence if len(reported) == len(found) else min(best.confidence, _ONE_OF_TWO)
        return Fact(best.cell, best.value, best.raw, unit, "reported", best.locator, confidence), []
    best = next((one for one in found if one.status == "unreadable"), found[0])
    findings = []
    if best.status == "unreadable" and best.oddity != "unassigned":
        findings.append(
            Finding("unreadable_value", f"{best.cell}: no number can be made of {best.raw!r}", best.locator)
        )
    return Fact(best.cell, None, best.raw, unit, best.status, best.locator, best.confidence), findings


def _table_of(form: Form, cell: str) -> str:
    return form.tables[0].key if len(form.tables) == 1 else cell.split(".", 1)[0]


_ODDITIES = {
    "note": "a note stands beside the number",
    "broken_line": "the number is broken over lines",
    "spaces": "spaces stand inside the number",
    "unit_converted": "the amount is printed in another unit and was converted",
    "decimal_count": "a count is printed with a decimal point",
}


def _oddities(one: Candidate) -> list[Finding]:
    said = _ODDITIES.get(one.oddity)
    if one.status != "reported" or not said or one.oddity == "spaces":
        return []
    return [Finding("odd_number", f"{one.cell}: {said}: {one.raw!r}", one.locator)]


def _foreign(form: Form, candidates: Sequence[Candidate]) -> list[Finding]:
    """Rows printed that belong to another edition."""
    rows: dict[str, list[Candidate]] = {}
    for one in candidates:
        if one.cell not in form.cells:
            rows.setdefault(one.cell.rsplit(".", 1)[0], []).append(one)
    return [
        Finding(
            "unknown_row",
            f"{row}: a row of another edition than {form.edition}: {' | '.join(one.raw for one in found)}",
            found[0].locator,
        )
        for row, found in rows.items()
    ]


def _absent(form: Form, facts: Sequence[Fact]) -> list[Finding]:
    """One finding for each table that is not printed, else for each of its rows that is not."""
    absent = {fact.cell for fact in facts if fact.status == "absent"}
    if not absent:
        return []
    undivided = any(fact.cell.startswith(f"{_MATRIX}.{_UNDIVIDED_ROW}.") for fact in facts) and form.edition == "2021"
    findings: list[Finding] = []
    for table in form.tables:
        rows = [
            (row, [cell_id(table, row, column) for column in block.columns or (None,)])
            for block in table.blocks
            for row in block.rows
            if not row.variant
        ]
        if all(cell in absent for _, ids in rows for cell in ids):
            findings.append(Finding("table_absent", f"form {form.edition}: the table {table.label!r} is not printed"))
            continue
        for row, ids in rows:
            if undivided and row.key in _SPLIT_ROWS:
                continue
            if all(cell in absent for cell in ids):
                findings.append(
                    Finding(
                        "row_absent", f"form {form.edition}, {table.label}: the row {row.full_label!r} is not printed"
                    )
                )
    return findings
