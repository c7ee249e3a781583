"""One number with everything needed to find it again, to be copied into a paper: a line of text, and BibTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping

Row = Mapping[str, object]

_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "{}%&#$_"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_BLANKS = re.compile(r"\s+")


def citation(report: Row, fact: Row, label: Row | None, provenance: Row | None) -> str:
    """The number, what it counts, where it is printed, and the record that holds it."""
    parts = [
        f"{report['agency'] or ''}，{report['title'] or report['document_url']}",
        "，".join(_names(fact, label)),
        f"{fact['cell']} = {_number(fact)}",
        str(report["document_url"]),
        *_source(provenance),
    ]
    return "; ".join(part.strip("，") for part in parts) + "."


def bibtex(report: Row, fact: Row, label: Row | None, provenance: Row | None) -> str:
    """The same as an entry for BibTeX or BibLaTeX with Unicode. What a document says cannot end a field."""
    captured = str(provenance["captured_at"]) if provenance else ""
    fields = {
        "author": f"{{{_plain(report['agency'] or 'unknown')}}}",
        "title": f"{{{_plain(report['title'] or report['document_url'])}}}",
        "year": _plain(str(report["published_date"] or "")[:4] or captured[:4]),
        "howpublished": f"\\url{{{_address(report['document_url'])}}}",
        "urldate": captured[:10],
        "note": "; ".join(
            _plain(part)
            for part in ("，".join(_names(fact, label)), f"{fact['cell']} = {_number(fact)}", *_source(provenance))
        ),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    key = f"gongkai-{report['report_id']}-{fact['cell']}"
    return "\n".join((f"@misc{{{re.sub(r'[^A-Za-z0-9.:_-]', '-', key)},", *lines, "}"))


def _names(fact: Row, label: Row | None) -> list[str]:
    names = (label["table_label"], label["row_label"], label["column_label"]) if label else (fact["cell"],)
    return [str(name) for name in names if name]


def _number(fact: Row) -> str:
    return f"{fact['value']} {fact['unit']}" if fact["value"] is not None else f"({fact['status']})"


def _source(provenance: Row | None) -> list[str]:
    if not provenance:
        return []
    place = f"{provenance['warc_file']}@{provenance['warc_offset']}+{provenance['warc_length']}"
    return [
        f"captured {provenance['captured_at']}",
        f"WARC {place} {provenance['warc_record_id']}",
        f"payload {provenance['payload_digest']}",
        f"report version {provenance['version_id']}, parsers {provenance['parser_version']}",
    ]


def _plain(value: object) -> str:
    return "".join(_LATEX.get(character, character) for character in _BLANKS.sub(" ", str(value)).strip())


def _address(url: object) -> str:
    """Inside \\url only braces, the backslash and the per cent sign can do harm, and all are spelled in hexadecimal."""
    spelled = {"{": "%7B", "}": "%7D", "\\": "%5C"}
    return "".join(spelled.get(character, character) for character in _BLANKS.sub("%20", str(url).strip()))
