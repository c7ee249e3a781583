"""The numbered sections of a report: 一、总体情况 … 六、其他需要报告的事项, and the older reports' own.

The six sections are recognised by their titles. Numbers alone are not enough: the third table's rows are numbered the
same way, and so are lists inside a section. Reports on no form of ours are followed by their numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from parsers.lines import Line
from parsers.model import Finding, Section
from parsers.vocabulary import report_words

_NUMERALS = "一二三四五六七八九十"
_NUMBERED = re.compile(
    rf"(?:第(?P<part>[{_NUMERALS}]{{1,3}})部分|(?P<number>[{_NUMERALS}]{{1,3}}))\s*(?P<sign>[、.．,，:：]?)"
)
_CONTENTS_LINE = re.compile(r"[^：:。，,]{2,40}?(?:[.…·]{2,}|\s)\s*\d{1,3}")
_BEFORE_TEXT = "：:。，,、—- "
_SENTENCE = re.compile(r"[。；：:]")
_LONGEST_TITLE = 40
_CONTENTS_RUN = 3
# The second to fourth sections hold the tables. Fewer such lines are headings of the text.
_WITH_TABLES = range(2, 5)
_TABLE_LINES = 3
_SENTENCE_ENDS = ("。", "；", "：", "！", "？", ";", ":")


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that opens a section. `number` 0 when unnumbered; `place` 1–6 among the six, 0 when none of them.

    `first` is the text after the title on the same line; `span` how many lines the heading takes.
    """

    at: int
    number: int
    place: int
    text: str
    first: str = ""
    exact: bool = False
    span: int = 1


@dataclass(frozen=True, slots=True)
class Outline:
    """The headings that open sections, in reading order, and what did not fit."""

    headings: tuple[Heading, ...]
    findings: tuple[Finding, ...]


def outline(lines: Sequence[Line]) -> Outline:
    """Finds the headings of a report."""
    candidates = _without_contents(list(_candidates(lines)), lines)
    if _is_on_a_form(candidates):
        return _outline_of_six(candidates, lines)
    return _outline_by_number(candidates)


def sections(lines: Sequence[Line], headings: Sequence[Heading], end: int) -> tuple[Section, ...]:
    """The text under each heading, the last one's up to line `end`."""
    found = []
    ends = [*(heading.at for heading in headings), end][1:]
    for heading, following in zip(headings, ends, strict=True):
        texts = [line.text for line in lines[heading.at + heading.span : max(following, heading.at)]]
        if heading.place in _WITH_TABLES:
            texts = _without_table_lines(texts)
        found.append(Section(heading.text, "\n".join(filter(None, (heading.first, *texts))), lines[heading.at].locator))
    return tuple(found)


def _without_table_lines(texts: Sequence[str]) -> list[str]:
    """Without what a table leaves where its format does not mark it: lines on end that are no part of a sentence."""
    kept: list[str] = []
    for is_sentence, group in groupby(texts, key=_is_of_a_sentence):
        run = list(group)
        if is_sentence or len(run) < _TABLE_LINES:
            kept.extend(run)
    return kept


def _is_of_a_sentence(text: str) -> bool:
    """Broken lines of text hold a comma now and then; so does one label of the tables, before its numbers."""
    return text.endswith(_SENTENCE_ENDS) or "。" in text or ("，" in text and not text[-1].isdigit())


def _candidates(lines: Sequence[Line]) -> Iterator[Heading]:
    for at, line in enumerate(lines):
        heading = _heading(at, line, lines[at + 1] if at + 1 < len(lines) else None)
        if heading is not None:
            yield heading


def _heading(at: int, line: Line, following: Line | None) -> Heading | None:
    match = _NUMBERED.match(unicodedata.normalize("NFKC", line.text[:8]))
    if match is None:
        place = _place_of_title(line.key)
        return Heading(at, 0, place, line.text, exact=True) if place else None
    number = _number(match["part"] or match["number"])
    title = line.text[match.end() :].strip()
    if not title or title.startswith(report_words().table_rows) or _CONTENTS_LINE.fullmatch(title):
        return None
    known, rest = _known_title(title)
    if known:
        cut = line.text.rindex(title) + len(title) - len(rest)
        return Heading(at, number, known, line.text[:cut].rstrip(_BEFORE_TEXT), rest.lstrip(_BEFORE_TEXT), exact=True)
    if not match["sign"] and not match["part"]:
        return None
    if following is not None and _place_of_title("".join((*title.split(), following.key))):
        place = _place_of_title("".join((*title.split(), following.key)))
        return Heading(at, number, place, line.text + following.text, exact=True, span=2)
    sentence = _SENTENCE.search(title)
    head = title[: sentence.start()] if sentence else title
    if len(head) > _LONGEST_TITLE:
        return None
    text = line.text[: line.text.rindex(title) + len(head)]
    return Heading(at, number, _place_of_words(head), text, title[len(head) :].lstrip(_BEFORE_TEXT))


def _number(numeral: str) -> int:
    if "十" not in numeral:
        return _NUMERALS.index(numeral[0]) + 1
    tens, ones = numeral.split("十", 1)
    return (_NUMERALS.index(tens[0]) + 1 if tens else 1) * 10 + (_NUMERALS.index(ones[0]) + 1 if ones else 0)


def _place_of_title(key: str) -> int:
    return _places().get(key.rstrip(_BEFORE_TEXT), 0)


@cache
def _places() -> dict[str, int]:
    """The place of each whole title among the six sections."""
    return {title: place for place, part in enumerate(report_words().sections, 1) for title in part.titles}


def _place_of_words(title: str) -> int:
    for place, part in enumerate(report_words().sections, 1):
        if any(word in title for word in part.words):
            return place
    return 0


def _known_title(title: str) -> tuple[int, str]:
    """The place of the longest whole title that begins `title`, and the text that follows it there."""
    found = (0, "")
    longest = 0
    first = title[0]
    for known, place in _places().items():
        end = _end_of_prefix(title, known) if known[0] == first else 0
        if end <= longest:
            continue
        rest = title[end:]
        goes_on = not rest or rest[0] in _BEFORE_TEXT or rest[0].isdigit()
        if goes_on and not (rest and rest[0] == "、"):
            found, longest = (place, rest), end
    return found


def _end_of_prefix(text: str, prefix: str) -> int:
    """Where `prefix` ends in `text` that may hold spaces between its characters; 0 when `text` begins otherwise."""
    if " " not in text:
        return len(prefix) if text.startswith(prefix) else 0
    at = 0
    for sign in prefix:
        while at < len(text) and text[at] == " ":
            at += 1
        if at == len(text) or text[at] != sign:
            return 0
        at += 1
    return at


def _without_contents(candidates: list[Heading], lines: Sequence[Line]) -> list[Heading]:
    """Without a table of contents: headings that follow each other without text and come again later."""
    runs: list[list[Heading]] = []
    for heading in candidates:
        together = runs and heading.at == runs[-1][-1].at + 1 and not runs[-1][-1].first
        if together and not lines[heading.at].after_table:
            runs[-1].append(heading)
        else:
            runs.append([heading])
    last = {lines[heading.at].key: number for number, run in enumerate(runs) for heading in run}
    kept: list[Heading] = []
    for number, run in enumerate(runs):
        repeated = sum(last[lines[heading.at].key] > number for heading in run)
        is_contents = len(run) >= _CONTENTS_RUN and repeated * 2 > len(run)
        kept.extend([] if is_contents else run)
    return kept


def _is_on_a_form(candidates: Sequence[Heading]) -> bool:
    words = report_words().scheme_words
    places = {heading.place for heading in candidates if heading.place}
    return len(places) > 1 and any(word in heading.text for heading in candidates for word in words)


def _outline_of_six(candidates: Sequence[Heading], lines: Sequence[Line]) -> Outline:
    parts = report_words().sections
    chosen: dict[int, Heading] = {}
    for place in range(1, len(parts) + 1):
        heading = _best(place, [heading for heading in candidates if heading.place == place])
        if heading is not None:
            chosen[place] = heading
    findings: list[Finding] = []
    for place in range(1, len(parts) + 1):
        if place in chosen:
            continue
        heading = _untitled(place, candidates, chosen)
        if heading is None:
            title = f"{_NUMERALS[place - 1]}、{parts[place - 1].titles[0]}"
            findings.append(Finding("section_missing", f"expected the section {title!r}, found none"))
        else:
            chosen[place] = heading
    order = sorted(chosen, key=lambda place: chosen[place].at)
    if order != sorted(order):
        titles = [chosen[place].text for place in order]
        findings.append(Finding("sections_out_of_order", f"expected sections in the form's order, found {titles}"))
    last = max((heading.at for heading in chosen.values()), default=0)
    further = [heading for heading in candidates if heading.at > last and heading.number == len(parts) + 1]
    headings = sorted([*chosen.values(), *further[:1]], key=lambda heading: heading.at)
    findings.extend(
        Finding(
            "section_misnumbered",
            f"expected number {_NUMERALS[place - 1]}, found {heading.text!r}",
            lines[heading.at].locator,
        )
        for place, heading in chosen.items()
        if heading.number not in (0, place)
    )
    return Outline(tuple(headings), tuple(findings))


def _best(place: int, headings: Sequence[Heading]) -> Heading | None:
    """Of several headings that may open one section: under its number and by its whole title, before others."""
    numbered = [heading for heading in headings if heading.number]
    return min(
        numbered or headings,
        key=lambda heading: (heading.number != place, not heading.exact, heading.at),
        default=None,
    )


def _untitled(place: int, candidates: Sequence[Heading], chosen: dict[int, Heading]) -> Heading | None:
    """A heading under the right number, between its neighbours, whose title nobody has met."""
    after = max((chosen[other].at for other in chosen if other < place), default=-1)
    before = min((chosen[other].at for other in chosen if other > place), default=None)
    for heading in candidates:
        if (
            heading.number == place
            and not heading.place
            and heading.at > after
            and (before is None or heading.at < before)
        ):
            return heading
    return None


def _outline_by_number(candidates: Sequence[Heading]) -> Outline:
    """Headings in step, each number one above the last. One left out is a finding; a list that restarts is text."""
    headings: list[Heading] = []
    findings: list[Finding] = []
    for heading in candidates:
        last = headings[-1].number if headings else 0
        if not heading.number or not 0 < heading.number - last <= 2:
            continue
        if heading.number == last + 2:
            if any(other.number == last + 1 and other.at > heading.at for other in candidates):
                continue
            message = f"expected a section {_numeral(last + 1)}, found {heading.text!r}"
            findings.append(Finding("section_missing", message))
        headings.append(heading)
    return Outline(tuple(headings), tuple(findings))


def _numeral(number: int) -> str:
    return _NUMERALS[number - 1] if number <= len(_NUMERALS) else str(number)
