"""The label lists of `words/*.toml`, loaded once.

A label spelled differently is a string in those files, never a branch in code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

WORDS = Path(__file__).parent / "words"

Field = Literal[
    "title", "published_date", "written_date", "publisher", "index_number", "document_number", "column_name",
    "site_name", "site_code", "other",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PageWords:
    """`words/page.toml`. Mappings lead from a label (or tag, or meta name in lower case) to the field it fills;
    `body_ranks` from the tag, id or class of a body box to its rank, 0 the best known.
    """

    meta: Mapping[str, Field]
    head: Mapping[str, Field]
    line: Mapping[str, Field]
    tags: Mapping[str, Field]
    marks: Mapping[str, Field]
    meaningless_values: frozenset[str]
    meaningless_parts: tuple[str, ...]
    breadcrumb_starts: tuple[str, ...]
    not_columns: frozenset[str]
    body_ranks: Mapping[str, int]
    noise_ids: frozenset[str]
    noise_id_starts: tuple[str, ...]
    noise_classes: frozenset[str]
    attachments: AttachmentWords
    kinds: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class AttachmentWords:
    """`[attachments]` of `words/page.toml`."""

    extensions: frozenset[str]
    image_extensions: frozenset[str]
    page_extensions: frozenset[str]
    words: tuple[str, ...]
    endpoints: tuple[str, ...]
    name_parameters: tuple[str, ...]
    idle_parameters: frozenset[str]
    viewers: tuple[str, ...]
    viewer_parameters: tuple[str, ...]
    icon_parts: tuple[str, ...]


@cache
def page_words() -> PageWords:
    """The words of page furniture."""
    read = load_words("page.toml")
    return PageWords(
        meta={name.lower(): field for name, field in _by_label(read["meta"]).items()},
        head=_by_label(read["head"]),
        line=_by_label(read["line"]),
        tags=_by_label(read["tags"]),
        marks=_by_label(read["marks"]),
        meaningless_values=frozenset(value.lower() for value in read["meaningless"]["values"]),
        meaningless_parts=tuple(read["meaningless"]["parts"]),
        breadcrumb_starts=tuple(read["breadcrumb"]["starts"]),
        not_columns=frozenset(read["breadcrumb"]["not_columns"]),
        body_ranks=_ranks([*read["body"]["tags"], *read["body"]["ids"], *read["body"]["classes"]]),
        noise_ids=frozenset(read["noise"]["ids"]),
        noise_id_starts=tuple(read["noise"]["id_starts"]),
        noise_classes=frozenset(read["noise"]["classes"]),
        attachments=_attachment_words(read["attachments"]),
        kinds={kind: tuple(words) for kind, words in read["kinds"].items()},
    )


def _attachment_words(read: dict[str, list[str]]) -> AttachmentWords:
    return AttachmentWords(
        extensions=frozenset(read["extensions"]),
        image_extensions=frozenset(read["image_extensions"]),
        page_extensions=frozenset(read["page_extensions"]),
        words=tuple(read["words"]),
        endpoints=tuple(read["endpoints"]),
        name_parameters=tuple(read["name_parameters"]),
        idle_parameters=frozenset(read["idle_parameters"]),
        viewers=tuple(read["viewers"]),
        viewer_parameters=tuple(read["viewer_parameters"]),
        icon_parts=tuple(read["icon_parts"]),
    )


def _by_label(fields: Mapping[str, list[str]]) -> dict[str, Any]:
    """label → field; a label given to two fields would make one of them silently deaf, so it is refused."""
    labels: dict[str, Any] = {}
    for field, spellings in fields.items():
        for label in spellings:
            if label in labels:
                raise ValueError(f"label {label!r} stands under both {labels[label]!r} and {field!r}")
            labels[label] = field
    return labels


def _ranks(names: list[str]) -> dict[str, int]:
    """name → its place in the list, best known first."""
    return {name: rank for rank, name in enumerate(names)}


def load_words(name: str) -> dict[str, Any]:
    """A file of `words/` as it stands."""
    return tomllib.loads((WORDS / name).read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class SectionWords:
    """One of the six sections: whole titles without spaces, and words no other section's title holds."""

    titles: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportWords:
    """`words/report.toml`. `contact` leads from a label to the part of the contact block it opens, or `other`."""

    sections: tuple[SectionWords, ...]
    scheme_words: tuple[str, ...]
    table_rows: tuple[str, ...]
    title_words: tuple[str, ...]
    title_subjects: tuple[str, ...]
    title_around: tuple[str, ...]
    not_titles: tuple[str, ...]
    opening_starts: tuple[str, ...]
    agency_suffixes: tuple[str, ...]
    agency_predicates: tuple[str, ...]
    announcing: tuple[str, ...]
    not_names: tuple[str, ...]
    agency_generic: tuple[str, ...]
    contact: Mapping[str, str]
    end_words: tuple[str, ...]


@cache
def report_words() -> ReportWords:
    """The words of annual reports' running text."""
    read = load_words("report.toml")
    return ReportWords(
        sections=tuple(SectionWords(tuple(part["titles"]), tuple(part["words"])) for part in read["sections"]),
        scheme_words=tuple(read["headings"]["scheme_words"]),
        table_rows=tuple(read["headings"]["table_rows"]),
        title_words=tuple(read["title"]["words"]),
        title_subjects=tuple(read["title"]["subjects"]),
        title_around=tuple(read["title"]["around"]),
        not_titles=tuple(read["title"]["not_titles"]),
        opening_starts=tuple(read["opening"]["starts"]),
        agency_suffixes=tuple(read["agency"]["suffixes"]),
        agency_predicates=tuple(read["agency"]["predicates"]),
        announcing=tuple(read["agency"]["announcing"]),
        not_names=tuple(read["agency"]["not_names"]),
        agency_generic=tuple(read["agency"]["generic"]),
        contact=_by_label(read["contact"]),
        end_words=tuple(read["end"]["words"]),
    )
