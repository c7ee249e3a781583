"""What is measured across the editions of the form, read from `forms/concepts.toml` into frozen records.

A concept has, for each edition that prints it, one or more ways to its number: each a tuple of cells that are added up.
The first way whose every cell holds a number counts; where none does there is no number.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from parsers.errors import FormFileError
from parsers.form import FORMS_DIR

CONCEPTS_FILE = FORMS_DIR / "concepts.toml"
# Stata's limits for names of variables and their labels.
MAX_NAME = 32
MAX_LABEL = 80

Comparability = Literal["exact", "broader", "narrower", "break"]
Cells = tuple[str, ...]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FILE_KEYS = {"reasons", "applicants", "concepts", "without"}
_CONCEPT_KEYS = {"id", "zh", "en", "unit", "definition_zh", "definition_en", "by_applicant"}
_WAY_KEYS = {"is", "because", "cells", "or"}
_PER_APPLICANT = re.compile(r"(applications\.\w+)\.total")


@dataclass(frozen=True, slots=True)
class Printed:
    """How one edition prints a concept. `ways` are tried in order: a variant row first, else the plain one."""

    edition: str
    ways: tuple[Cells, ...]
    comparability: Comparability
    reason_zh: str
    reason_en: str


@dataclass(frozen=True, slots=True)
class Concept:
    """Something measured. `unit` is as the cells print it.

    `of` is the concept that this one is the same as for one kind of applicant, "" for all others.
    """

    concept: str
    label_zh: str
    label_en: str
    unit: str
    definition_zh: str
    definition_en: str
    printed: tuple[Printed, ...]
    of: str = ""

    def in_edition(self, edition: str) -> Printed | None:
        return next((one for one in self.printed if one.edition == edition), None)


@dataclass(frozen=True, slots=True)
class Without:
    """A cell that no concept stands for, and why."""

    edition: str
    cell: str
    reason_zh: str
    reason_en: str


@dataclass(frozen=True, slots=True)
class Concepts:
    concepts: tuple[Concept, ...]
    without: tuple[Without, ...] = ()


@cache
def concepts() -> Concepts:
    """The project's concepts, in the order of the file."""
    return load_concepts(CONCEPTS_FILE)


def load_concepts(path: Path) -> Concepts:
    """Raises FormFileError that names the file, the place and what was expected."""
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
        _known(tree, _FILE_KEYS, path.name)
        reasons = {key: (entry["zh"], entry["en"]) for key, entry in tree["reasons"].items()}
        found = [
            one for entry in tree["concepts"] for one in _with_applicants(entry, reasons, tree["applicants"], path.name)
        ]
        without = tuple(
            Without(str(entry["form"]), entry["cell"], *reasons[entry["because"]]) for entry in tree.get("without", ())
        )
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise FormFileError(f"{path}: cannot be read ({error})") from error
    except KeyError as error:
        raise FormFileError(f"{path.name}: expected a key or reason named {error}") from error
    names = [one.concept for one in found]
    for name in names:
        if names.count(name) > 1:
            raise FormFileError(f"{path.name}: concept {name} is there more than once")
    return Concepts(tuple(found), without)


def _with_applicants(
    entry: dict[str, Any], reasons: dict[str, tuple[str, str]], applicants: list[dict[str, str]], file: str
) -> list[Concept]:
    """A concept, and where the file says so the same for each kind of applicant."""
    concept = _concept(entry, reasons, file)
    if not entry.get("by_applicant"):
        return [concept]
    return [concept, *(_of_applicant(concept, applicant, file) for applicant in applicants)]


def _concept(entry: dict[str, Any], reasons: dict[str, tuple[str, str]], file: str) -> Concept:
    editions = {key: way for key, way in entry.items() if key.isdigit()}
    _known(entry, _CONCEPT_KEYS | editions.keys(), f"{file} {entry['id']}")
    printed = tuple(
        _printed(edition, way, reasons, f"{file} {entry['id']} {edition}") for edition, way in editions.items()
    )
    return _checked(
        Concept(
            entry["id"],
            entry["zh"],
            entry["en"],
            entry["unit"],
            entry["definition_zh"],
            entry["definition_en"],
            printed,
        ),
        file,
    )


def _printed(edition: str, way: dict[str, Any], reasons: dict[str, tuple[str, str]], where: str) -> Printed:
    _known(way, _WAY_KEYS, where)
    if way["is"] not in get_args(Comparability):
        raise FormFileError(f"{where}: expected one of {get_args(Comparability)}, found {way['is']!r}")
    ways = (*(tuple(cells) for cells in way.get("or", ())), tuple(way["cells"]))
    if not all(ways):
        raise FormFileError(f"{where}: expected at least one cell")
    return Printed(edition, ways, way["is"], *reasons[way["because"]])


def _of_applicant(concept: Concept, applicant: dict[str, str], file: str) -> Concept:
    """The same rows in the column of one kind of applicant; editions without such columns do not have it."""
    printed = tuple(
        Printed(
            one.edition,
            tuple(
                tuple(_PER_APPLICANT.sub(rf"\g<1>.{applicant['column']}", cell) for cell in cells) for cells in one.ways
            ),
            one.comparability,
            one.reason_zh,
            one.reason_en,
        )
        for one in concept.printed
        if all(_PER_APPLICANT.fullmatch(cell) for cells in one.ways for cell in cells)
    )
    return _checked(
        Concept(
            f"{concept.concept}_{applicant['suffix']}",
            f"{concept.label_zh}（{applicant['zh']}）",
            f"{concept.label_en}: {applicant['en']}",
            concept.unit,
            f"{concept.definition_zh.replace('总计', applicant['zh'])}申请人为{applicant['zh']}。",
            f"{concept.definition_en} Applicants: {applicant['en']}.",
            printed,
            of=concept.concept,
        ),
        file,
    )


def _checked(concept: Concept, file: str) -> Concept:
    where = f"{file} {concept.concept}"
    if not _NAME.fullmatch(concept.concept) or len(concept.concept) > MAX_NAME:
        raise FormFileError(f"{where}: expected an id of a-z, 0-9 and _ of at most {MAX_NAME} characters")
    for label in (concept.label_zh, concept.label_en):
        if not 0 < len(label) <= MAX_LABEL:
            raise FormFileError(f"{where}: expected a label of at most {MAX_LABEL} characters, found {len(label)}")
    if not concept.printed:
        raise FormFileError(f"{where}: expected at least one edition that prints it")
    return concept


def _known(entry: dict[str, Any], keys: set[str], where: str) -> None:
    unknown = entry.keys() - keys
    if unknown:
        raise FormFileError(f"{where}: unknown keys {sorted(unknown)}; known are {sorted(keys)}")
