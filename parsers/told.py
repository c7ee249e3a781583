"""Numbers that the running text gives and the tables give too, and whether the two agree.

Only clauses that are a known sentence from end to end count (`words/told.toml`): whose number it is, of which year and
of what must be beyond doubt, else the sentence is left alone.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from parsers.concepts import concepts
from parsers.model import Section
from parsers.verdict import Place, Sum, Verdict, VerdictStatus, YearReport, doubts, measured, missing_note
from parsers.vocabulary import WORDS

_SENTENCE = re.compile(r"[。；;！!？?\n]")
# Commas part clauses, but not the thousands of a number; so does 、 after a counted thing.
_CLAUSE = re.compile(r",(?!\d{3}(?!\d))|(?<!\d),|(?<=\d[件条宗份起例])、")
_EDGES = "()、:"
# What every sentence that counts has in it.
_WORTH_A_LOOK = re.compile("申请|复议|诉讼|结转|规范性文件|主动公开")
_DIGIT = re.compile(r"\d")
# Stands for the report's own name.
_OURSELVES = "本机关"
_SPACE = re.compile(r"\s+")
_YEAR = re.compile(r"(?<!\d)(20\d\d)年")
_EARLIER = re.compile(r"去年|上年(?!度?结转)|上一年(?!度?结转)|前年")
# More digits than this are no count.
_NUMBER = r"(?P<n>\d[\d,]{0,14})"
_BY_NAME = {one.concept: one for one in concepts().concepts}


@dataclass(frozen=True, slots=True)
class Measure:
    """What sentences of a kind count; see the file. `also` are sums of concepts that a lawful reading may mean."""

    key: str
    concept: str
    editions: tuple[str, ...]
    patterns: tuple[str, ...]
    none: tuple[str, ...]
    needs: str
    also: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A number in the text. `is_loose`: the verb leaves open what was counted; `is_whole`: it is of more than one body.

    `clause` is the text that gives it.
    """

    measure: Measure
    number: int
    clause: str
    heading: str
    is_loose: bool = False
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class _Words:
    vetoes: re.Pattern[str]
    others: re.Pattern[str]
    parts: dict[str, str]
    measures: tuple[Measure, ...]


@cache
def told_words() -> _Words:
    """The file, read."""
    tree = tomllib.loads((WORDS / "told.toml").read_text("utf-8"))
    measures = tuple(
        Measure(
            entry["key"],
            entry["concept"],
            tuple(entry["editions"]),
            tuple(entry["patterns"]),
            tuple(entry.get("none", ())),
            entry.get("needs", ""),
            tuple(tuple(names) for names in entry.get("also", ())),
        )
        for entry in tree["measures"]
    )
    return _Words(re.compile("|".join(tree["vetoes"])), re.compile("|".join(tree["others"])), tree["words"], measures)


def told(sections: Sequence[Section], *, year: int, agency: str, edition: str) -> tuple[Told, ...]:
    """The numbers in a report's sections that cells of `edition` hold too, in reading order.

    `agency` is the report's own name: a sentence about another body is left alone.
    """
    own_name = _plain(agency)
    return tuple(
        found
        for section in sections
        for sentence in _SENTENCE.split(section.text)
        for found in _in_sentence(sentence, section.heading, year, own_name, edition)
    )


def told_against_tables(found: Sequence[Told], report: YearReport) -> Iterator[Verdict]:
    """One verdict for each measure that the text names. Two different numbers for one measure are not applicable."""
    by_key: dict[str, list[Told]] = defaultdict(list)
    for one in found:
        by_key[one.measure.key].append(one)
    for ones in by_key.values():
        yield _verdict(ones, report)


def _in_sentence(sentence: str, heading: str, year: int, agency: str, edition: str) -> Iterator[Told]:
    if not _WORTH_A_LOOK.search(sentence):
        return
    whole = _plain(sentence)
    if agency:
        whole = whole.replace(agency, _OURSELVES)
    if told_words().vetoes.search(whole) or _EARLIER.search(whole):
        return
    if any(int(found) != year for found in _YEAR.findall(whole)):
        return
    clauses = [clause.strip(_EDGES) for clause in _CLAUSE.split(whole)]
    if _is_of_others(clauses):
        return
    measures = [one for one in _compiled() if edition in one.measure.editions]
    measures = [one for one in measures if one.needs is None or one.needs.search(whole)]
    for clause in clauses:
        for one in measures:
            if found := _in_clause(clause, one, heading):
                yield found


def _is_of_others(clauses: Sequence[str]) -> bool:
    """A clause names another body, or gives a number of applications in words that are not understood: whose the
    numbers of this sentence are is open.
    """
    application, who = _part("application"), _part("who")
    for clause in clauses:
        is_counted = application.search(clause) and _DIGIT.search(clause)
        is_doubtful = is_counted or told_words().others.search(who.sub("", clause.replace(_OURSELVES, "")))
        if is_doubtful and not _is_understood(clause):
            return True
    return False


def _is_understood(clause: str) -> bool:
    return any(pattern.fullmatch(clause) for one in _compiled() for pattern in (*one.patterns, *one.none))


@cache
def _part(name: str) -> re.Pattern[str]:
    return _pattern(f"{{{name}}}", told_words().parts)


def _in_clause(clause: str, compiled: _Compiled, heading: str) -> Told | None:
    for pattern in (*compiled.patterns, *compiled.none):
        match = pattern.fullmatch(clause)
        if match is not None:
            groups = match.groupdict()
            number = int(groups["n"].replace(",", "")) if "n" in groups else 0
            is_loose, is_whole = bool(groups.get("loose")), bool(groups.get("whole"))
            return Told(compiled.measure, number, clause, heading, is_loose, is_whole)
    return None


@dataclass(frozen=True, slots=True)
class _Compiled:
    measure: Measure
    patterns: tuple[re.Pattern[str], ...]
    none: tuple[re.Pattern[str], ...]
    needs: re.Pattern[str] | None


@cache
def _compiled() -> tuple[_Compiled, ...]:
    words = {**told_words().parts, "n": _NUMBER}
    return tuple(
        _Compiled(
            measure,
            tuple(_pattern(text, words) for text in measure.patterns),
            tuple(_pattern(text, words) for text in measure.none),
            _pattern(measure.needs, words) if measure.needs else None,
        )
        for measure in told_words().measures
    )


def _pattern(text: str, words: dict[str, str]) -> re.Pattern[str]:
    for name, part in words.items():
        text = text.replace(f"{{{name}}}", part)
    return re.compile(text)


def _plain(text: str) -> str:
    """Without spaces and in one width; 、 stays what it is."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text))


def _verdict(ones: Sequence[Told], report: YearReport) -> Verdict:
    measure, clause = ones[0].measure, f"“{ones[0].clause}”"
    table = _table_sum(measure.concept, report)
    numbers = sorted({one.number for one in ones})

    def verdict(status: VerdictStatus, *notes: str) -> Verdict:
        told = numbers[0] if len(numbers) == 1 else None
        return Verdict(
            f"told.{measure.key}",
            status,
            report.report,
            report.year,
            told,
            table.value,
            right=table.places,
            note="; ".join([*notes, clause]),
        )

    if len(numbers) > 1:
        return verdict("not_applicable", f"the text gives {' and '.join(map(str, numbers))}")
    if table.value is None:
        return verdict("not_applicable", missing_note(table))
    if numbers[0] == table.value:
        return verdict("pass")
    lawful = _lawful(measure, numbers[0], report)
    if lawful:
        return verdict("pass", lawful)
    notes = doubts(table)
    if any(one.is_loose for one in ones):
        notes.append("the verb leaves open what was counted")
    if any(one.is_whole for one in ones) and report.scope != "aggregate":
        notes.append("the sentence is about a whole area")
    return verdict("uncertain" if notes else "fail", *notes)


def _lawful(measure: Measure, number: int, report: YearReport) -> str:
    """The other reading of the sentence that holds, "" when none does."""
    for names in measure.also:
        sums = [_table_sum(name, report) for name in names]
        if any(one.value is None for one in sums):
            continue
        if sum(one.value for one in sums if one.value is not None) == number:
            return f"a lawful difference: it is {' + '.join(names)}"
    return ""


def _table_sum(concept: str, report: YearReport) -> Sum:
    printed = _BY_NAME[concept].in_edition(report.form)
    if printed is None:
        return Sum(None, (Place(report.report, concept),), 1.0, (concept,))
    return measured(report, printed)
