"""What a report says in words: whose it is, its year, when it was signed, the form it cites, whom to ask, its sections.

Works on the blocks of any format. Lines before the first section hold the title and the opening paragraph, lines after
the last one the signature; on a web page both stand among menus and footers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parsers.agency import agency_announced, agency_as_subject, agency_in_title, is_signature, may_be_same
from parsers.contact import contact
from parsers.dates import find_date, find_dates, find_years
from parsers.furniture import Row, entries
from parsers.lines import Line, lines
from parsers.model import Contact, Document, Finding, Grid, Page, Section
from parsers.sections import Outline, outline, sections
from parsers.spacing import close_up, squeeze
from parsers.vocabulary import page_words, report_words

_LONGEST_TITLE = 60
# Where no section is found all text counts as opening; no real one comes near this many characters.
_LONGEST_OPENING = 20_000
_LONGEST_TITLE_PART = 36
_LONGEST_SIGNATURE = 60
_SENTENCE_END = ("。", "；", "，", "：", ",", ";", ":")
_FILE_NAME = re.compile(r"\.(?:docx?|pdf|wps|xlsx?|ofd|zip|rar)$", re.IGNORECASE)
_BREADCRUMB = re.compile(r"[>＞»›]")
_PERIOD = re.compile(
    r"(?P<year>\d{4})年(?P<from>\d{1,2})月\d{1,2}日(?:起|开始)?(?:至|到|—+|-+|–|~|～)(?:(?P<until>\d{4})年)?\d{1,2}月\d{1,2}日"
)
_FORM_CITED = re.compile(r"国办公开办函[〔\[【（(﹝［「]?(?P<year>20\d\d)[〕\]】）)﹞］」]?(?P<number>\d{1,3})号")
NO_CONTACT = Contact()
_OF_YEAR = re.compile(r"年度?$")


@dataclass(frozen=True, slots=True)
class Narrative:
    """None where the report does not say. Dates are ISO days; `form_cited` is spelled 国办公开办函〔2021〕30号."""

    title: str | None = None
    report_year: int | None = None
    agency: str | None = None
    signed_date: str | None = None
    published_date: str | None = None
    form_cited: str | None = None
    contact: Contact = NO_CONTACT
    sections: tuple[Section, ...] = ()
    findings: tuple[Finding, ...] = ()
    opening: str = ""


def narrate(document: Document, page: Page | None = None) -> Narrative:
    """Reads the running text of a report. `page` is the page that is, or that linked, the document."""
    printed = lines(document)
    return _Narrator(document, page, printed, outline(printed)).narrative()


@dataclass(frozen=True, slots=True)
class _Signature:
    """The lines that end a report: `at` the first of them, the name above or before the date, the day."""

    at: int
    name: str
    day: str


class _Narrator:
    """Reads one report; keeps what several questions need."""

    def __init__(self, document: Document, page: Page | None, printed: list[Line], plan: Outline) -> None:
        self._document = document
        self._page = page
        self._lines = printed
        self._headings = plan.headings
        self._findings = list(plan.findings)
        self._is_html = document.media_type == "text/html"
        self._first = plan.headings[0].at if plan.headings else len(printed)
        self._title_at, self._title = self._printed_title()
        self._opening = "".join(line.key for line in self._opening_lines())[:_LONGEST_OPENING]

    def narrative(self) -> Narrative:
        signature = self._signature()
        end = signature.at if signature and signature.at > self._first else self._end_of_text()
        parts = sections(self._lines, self._headings, end)
        title = self._best_title()
        year = self._report_year(title, parts)
        agency = self._agency(title, signature, parts)
        if title is None:
            self._note("title_missing", "expected a title before the first section, found none")
        if year is None:
            self._note("report_year_missing", "neither title nor statistical period nor text tells the reporting year")
        if agency is None:
            self._note("agency_missing", "neither title nor signature nor text names the reporting body")
        signed = signature.day if signature else None
        return Narrative(
            title=title,
            report_year=year,
            agency=agency,
            signed_date=signed,
            published_date=self._published_date() or signed,
            form_cited=self._form_cited(parts),
            contact=self._contact(parts),
            sections=parts,
            findings=tuple(self._findings),
            opening="\n".join(line.text for line in self._opening_lines())[:_LONGEST_OPENING],
        )

    def _note(self, code: str, message: str, locator: str = "") -> None:
        self._findings.append(Finding(code, message, locator))

    # Title

    def _best_title(self) -> str | None:
        """On a web page the page's own labels before its lines; elsewhere the document's lines before the page's."""
        labelled = self._labelled_title()
        candidates = [labelled, self._title] if self._is_html else [self._title, labelled]
        candidates.append(close_up(self._document.title))
        given = [title for title in candidates if title]
        return next((title for title in given if _has_title_word(title)), next(iter(given[:-1]), None))

    def _labelled_title(self) -> str:
        if self._page is not None and self._page.title is not None:
            return close_up(self._page.title.value)
        return close_up(self._meta("title"))

    def _printed_title(self) -> tuple[int, str]:
        """The title among the lines before the first section: where it ends, and its text with broken lines joined."""
        head = self._lines[: self._first]
        ends = next((at for at, line in enumerate(head) if _is_opening(line)), len(head))
        places = [at for at in range(len(head)) if _is_title(head[at])]
        marked = [at for at in places if head[at].level == 1]
        best = marked or [at for at in places if at < ends] or places
        if not best:
            return -1, ""
        # Menus stand before the title of a web page; in a file it comes first.
        at = best[-1] if self._is_html else best[0]
        return at, self._joined_title(at)

    def _joined_title(self, at: int) -> str:
        title = close_up(self._lines[at].text)
        start = at
        while start > 0 and at - start < 2 and not (agency_in_title(title) and any(find_years(title))):
            before = self._lines[start - 1]
            if not self._is_title_part(before, self._lines[start]):
                break
            title = close_up(before.text) + title
            start -= 1
        return title

    def _is_title_part(self, line: Line, title: Line) -> bool:
        """Whether a line is the beginning of the title broken off above: a body's name, a year, or both."""
        if len(line.key) > _LONGEST_TITLE_PART or line.key.endswith(_SENTENCE_END) or title.after_table:
            return False
        if _OF_YEAR.search(line.key) and any(find_years(line.key)):
            return True
        return is_signature(line.key) and (not self._is_html or line.locator == title.locator)

    def _opening_lines(self) -> list[Line]:
        return self._lines[self._title_at + 1 : self._first]

    # Signature and dates

    def _signature(self) -> _Signature | None:
        """The first line after the last heading that is a day or a name and a day; else a day below the title."""
        start = self._headings[-1].at if self._headings else max(0, len(self._lines) - 8)
        for at in range(start, len(self._lines)):
            line = self._lines[at]
            if self._headings and at > start and self._is_end(line):
                break
            signed = self._signed_line(at, line, is_heading=bool(self._headings) and at == start)
            if signed:
                return signed
        return self._day_below_title()

    def _signed_line(self, at: int, line: Line, *, is_heading: bool) -> _Signature | None:
        if is_heading or len(line.key) > _LONGEST_SIGNATURE:
            return None
        days = list(find_dates(line.text))
        if len(days) != 1:
            return None
        rest = squeeze(line.text[: days[0].start])
        after = squeeze(line.text[days[0].end :])
        if after.strip("）)。") or (rest and not is_signature(rest.strip("（(")) and rest not in ("（", "(")):
            return None
        if is_signature(rest):
            return _Signature(at, rest, days[0].value)
        above = self._lines[at - 1] if at else None
        if above is not None and is_signature(above.key) and not any(h.at == at - 1 for h in self._headings):
            return _Signature(at - 1, close_up(above.text), days[0].value)
        below = self._lines[at + 1].key if at + 1 < len(self._lines) else ""
        return _Signature(at, below if is_signature(below) else "", days[0].value)

    def _day_below_title(self) -> _Signature | None:
        if self._title_at < 0:
            return None
        for line in self._opening_lines()[:2]:
            found = find_date(line.text)
            if found and squeeze(found.raw) == line.key.strip("（()）"):
                return _Signature(0, "", found.value)
        return None

    def _is_end(self, line: Line) -> bool:
        return any(word in line.key for word in report_words().end_words) and len(line.key) < _LONGEST_SIGNATURE

    def _end_of_text(self) -> int:
        start = self._headings[-1].at + 1 if self._headings else len(self._lines)
        return next((at for at in range(start, len(self._lines)) if self._is_end(self._lines[at])), len(self._lines))

    def _published_date(self) -> str | None:
        if self._page is not None:
            return self._page.published_date.value if self._page.published_date else None
        found = find_date(self._meta("published_date")) or find_date(self._head("published_date"))
        return found.value if found else None

    # Facts of the page around an HTML document

    def _meta(self, field: str) -> str:
        fields = page_words().meta
        return next(
            (text for name, text in self._document.metadata.items() if text and fields.get(name.lower()) == field), ""
        )

    def _head(self, field: str) -> str:
        if not self._is_html:
            return ""
        return next((entry.value for entry in entries(self._head_rows()) if entry.field == field), "")

    def _head_rows(self) -> Iterator[Row]:
        """Tables and short lines before the first section."""
        until = self._lines[self._first].locator if self._first < len(self._lines) else None
        for number, block in enumerate(self._document.blocks, 1):
            if isinstance(block, Grid):
                rows: dict[int, list[str]] = {}
                for cell in block.cells:
                    rows.setdefault(cell.row, []).append(cell.text)
                yield from (Row(tuple(cells), group=number) for cells in rows.values())
            elif block.locator == until:
                return
            else:
                yield Row((block.text,))

    # Year, body, form, contact

    def _report_year(self, title: str | None, parts: Sequence[Section]) -> int | None:
        """The title's year, else the statistical period's, else the one the text speaks of."""
        period = _period_year(self._opening) or _period_year(squeeze("".join(part.text for part in parts[:1])))
        titled = _title_year(title or "", period)
        if titled and period and titled != period:
            self._note("report_year_conflict", f"the title says {titled}, the statistical period {period}")
        return titled or period or self._told_year(parts)

    def _told_year(self, parts: Sequence[Section]) -> int | None:
        texts = [line.key for line in self._opening_lines()] + [
            line for part in parts[:1] for line in part.text.split("\n")
        ]
        counted: Counter[int] = Counter()
        for text in texts:
            for year in find_years(squeeze(text)):
                # A paragraph that begins with a year speaks of that year; documents cited in it have theirs too.
                counted[year.value] += 3 if year.start <= 1 else 1
        ranked = counted.most_common(2)
        if len(ranked) > 1 and ranked[0][1] < 2 * ranked[1][1]:
            years = sorted(year for year, _ in ranked)
            self._note("report_year_uncertain", f"no title and no period; the text speaks of {years[0]} and {years[1]}")
        return ranked[0][0] if ranked else None

    def _agency(self, title: str | None, signature: _Signature | None, parts: Sequence[Section]) -> str | None:
        titled = agency_in_title(title or "") or agency_in_title(self._title)
        signed = signature.name if signature else ""
        if titled and signed and not may_be_same(titled, signed):
            self._note("agency_conflict", f"the title names {titled!r}, the signature {signed!r}")
        return titled or signed or agency_announced(self._opening) or self._subject(parts) or self._publisher() or None

    def _subject(self, parts: Sequence[Section]) -> str:
        opening = [line.key for line in self._opening_lines()]
        overview = [squeeze(line) for part in parts[:1] for line in part.text.split("\n")]
        for sentences in (opening, overview):
            for number, sentence in enumerate(sentences):
                if name := agency_as_subject(sentence, is_first=number == 0):
                    return name
        return ""

    def _publisher(self) -> str:
        if self._page is not None:
            return self._page.publisher.value if self._page.publisher else ""
        return self._meta("publisher") or self._head("publisher")

    def _form_cited(self, parts: Sequence[Section]) -> str | None:
        for text in (self._opening, *(squeeze(part.text) for part in parts)):
            cited = list(
                dict.fromkeys(f"国办公开办函〔{m['year']}〕{m['number']}号" for m in _FORM_CITED.finditer(text))
            )
            if len(cited) > 1:
                self._note("several_forms_cited", f"expected one form, found {', '.join(cited)}")
            if cited:
                return cited[0]
        return None

    def _contact(self, parts: Sequence[Section]) -> Contact:
        found = contact(self._opening)
        if found == NO_CONTACT and parts:
            return contact(squeeze(parts[-1].text))
        return found


def _is_title(line: Line) -> bool:
    return (
        len(line.key) <= _LONGEST_TITLE
        and _has_title_word(line.key)
        and not line.key.endswith(_SENTENCE_END)
        and not line.key.startswith((*report_words().not_titles, *report_words().opening_starts))
        and not _FILE_NAME.search(line.key)
        and not _BREADCRUMB.search(line.key)
    )


def _is_opening(line: Line) -> bool:
    return len(line.key) > _LONGEST_TITLE or line.key.startswith(report_words().opening_starts)


def _has_title_word(title: str) -> bool:
    return any(word in title for word in report_words().title_words)


def _title_year(title: str, period: int | None) -> int | None:
    """The title's year; of several the one the period confirms, else the last: 2022年公布的2021年度报告."""
    years = [year.value for year in find_years(title)]
    if period in years:
        return period
    return years[-1] if years else None


def _period_year(text: str) -> int | None:
    """The year of 自2021年1月1日起至2021年12月31日止. `text` without spaces."""
    for match in _PERIOD.finditer(text):
        if match["from"].lstrip("0") == "1" and match["until"] in (None, match["year"]):
            return int(match["year"])
    return None
