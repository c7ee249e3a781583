"""One document, read from bytes to cells: reader, matcher, arithmetic and narrative put together.

`read` never raises on bad input: what a reader cannot read becomes the reading's error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from msgspec import structs

from parsers import certainty, checks, sniff
from parsers.errors import UnreadableDocumentError
from parsers.form import forms
from parsers.match import match
from parsers.model import Check, Document, Fact, Finding, Kind, Number, Page, Reading, ReadingError
from parsers.narrative import Narrative, narrate
from parsers.readers import read_document
from parsers.readers.archive import KINDS, member_locator, members

_REPORT_TITLES = ("年度报告", "年报", "年度工作报告")
_LEAST_SECTIONS = 3
_NEEDS_CONVERSION = "needs_conversion"


Conversions = Mapping[bytes, bytes | ReadingError]


def read(
    data: bytes, *, name: str = "", url: str = "", page: Page | None = None, converted: Conversions | None = None
) -> Reading:
    """Read a document. `name` and `url` say where it came from, never what it is; `page` is the page that linked it.

    `converted`: what another program made of documents that no reader here reads well (code `needs_conversion`), a docx
    or why there is none, by the document's own bytes. Of an archive its one report is read.
    """
    name = name or url
    kind = sniff.media_type(data, name)
    if kind in KINDS:
        return _read_archive(data, page, converted or {})
    try:
        document = document_of(data, name, converted or {}, kind=kind)
    except UnreadableDocumentError as error:
        return Reading(media_type=kind, error=ReadingError(error.code, error.message))
    return read_parsed(document, page)


def document_of(data: bytes, name: str, converted: Conversions, *, kind: str = "") -> Document:
    """What a reader makes of the bytes, or of those they were converted to where it asks for that.

    `kind` is their media type where it is known.
    """
    docx = converted.get(data)
    try:
        document = read_document(data, name=name, kind=kind)
    except UnreadableDocumentError as error:
        if error.code != _NEEDS_CONVERSION or docx is None:
            raise
        if isinstance(docx, ReadingError):
            raise UnreadableDocumentError(docx.code, docx.message) from error
        return replace(read_document(docx), media_type=kind or sniff.media_type(data, name))
    if docx is None or _NEEDS_CONVERSION not in {finding.code for finding in document.findings}:
        return document
    if isinstance(docx, ReadingError):
        kept = tuple(finding for finding in document.findings if finding.code != _NEEDS_CONVERSION)
        return replace(document, findings=(*kept, Finding(docx.code, docx.message)))
    return replace(read_document(docx), media_type=document.media_type)


def _read_archive(data: bytes, page: Page | None, converted: Conversions) -> Reading:
    """The one report in an archive, each locator led by its member. Several, or none, are a page with findings."""
    kind = sniff.media_type(data)
    try:
        unpacked = members(data)
    except UnreadableDocumentError as error:
        return Reading(media_type=kind, error=ReadingError(error.code, error.message))
    if not unpacked.members:
        return Reading(
            media_type=kind, findings=unpacked.findings, error=ReadingError("empty", "no file in the archive")
        )
    read_members = [
        (member.name, read(member.data, name=member.name, page=page, converted=converted))
        for member in unpacked.members
    ]
    reports = [(name, reading) for name, reading in read_members if reading.kind == "annual_report"]
    failed = [
        Finding(reading.error.code, f"{name}: {reading.error.message}", member_locator(name))
        for name, reading in read_members
        if reading.error
    ]
    if len(reports) == 1:
        name, reading = reports[0]
        located = _in_member(reading, member_locator(name))
        return replace(located, media_type=kind, findings=(*unpacked.findings, *located.findings, *failed))
    if len(failed) == len(read_members) == 1:
        return Reading(media_type=kind, findings=unpacked.findings, error=read_members[0][1].error)
    several = [Finding("report_in_archive", f"{name} is a report", member_locator(name)) for name, _ in reports]
    return Reading(media_type=kind, kind="page", findings=(*unpacked.findings, *several, *failed))


def _in_member(reading: Reading, at: str) -> Reading:
    def led(locator: str) -> str:
        return f"{at};{locator}" if locator else at

    return replace(
        reading,
        facts=tuple(structs.replace(fact, locator=led(fact.locator) if fact.locator else "") for fact in reading.facts),
        findings=tuple(replace(finding, locator=led(finding.locator)) for finding in reading.findings),
        sections=tuple(replace(section, locator=led(section.locator)) for section in reading.sections),
    )


def read_parsed(document: Document, page: Page | None = None) -> Reading:
    """What is understood of a document that a reader could read."""
    found = match(document)
    told = narrate(document, page)
    is_recognised = certainty.is_recognised(document)
    printed = certainty.regrouped(found.facts) if is_recognised else found.facts
    facts, checked, failed = _with_arithmetic(found.form, printed)
    if is_recognised:
        facts = certainty.as_certain_as_recognised(document, facts, checked)
    kind = _kind(found.form, told)
    # Of a page that is no report, what a report should have said is not missing.
    said = told.findings if kind == "annual_report" else ()
    return Reading(
        media_type=document.media_type,
        kind=kind,
        form=found.form,
        report_year=told.report_year,
        agency=told.agency,
        title=told.title,
        published_date=told.published_date,
        signed_date=told.signed_date,
        form_cited=told.form_cited,
        contact=told.contact,
        facts=facts,
        checks=checked,
        findings=(*_no_text(document), *said, *found.findings, *failed, *_no_tables(kind, found.form)),
        sections=told.sections,
        opening=told.opening,
    )


def _kind(form: str | None, told: Narrative) -> Kind:
    """A report has a statutory table, or a report's title over a report's sections (its tables may be pictures)."""
    titled = any(word in (told.title or "") for word in _REPORT_TITLES)
    if form or (titled and len(told.sections) >= _LEAST_SECTIONS):
        return "annual_report"
    return "page"


def _no_text(document: Document) -> tuple[Finding, ...]:
    """The document's findings; one in which nothing was found does not go without."""
    if document.blocks or document.findings:
        return document.findings
    return (Finding("no_text", "nothing in the document is text; pictures in it were not read"),)


def _no_tables(kind: Kind, form: str | None) -> tuple[Finding, ...]:
    if kind != "annual_report" or form:
        return ()
    return (Finding("no_statutory_table", "title and sections are a report's, but none of its tables was recognised"),)


def _with_arithmetic(
    edition: str | None, facts: tuple[Fact, ...]
) -> tuple[tuple[Fact, ...], tuple[Check, ...], tuple[Finding, ...]]:
    if edition is None:
        return facts, (), ()
    form = forms()[edition]
    settled, checked = checks.settled(form, facts)
    return settled, checked, checks.failures(form, checked)


def as_json(reading: Reading, file: str) -> dict[str, Any]:
    """The reading as `gongkai parse --json` prints it; numbers are int, or float where the document prints decimals."""
    return {
        "file": file,
        "media_type": reading.media_type,
        "kind": reading.kind,
        "form": reading.form,
        "report_year": reading.report_year,
        "agency": reading.agency,
        "title": reading.title,
        "published_date": reading.published_date,
        "signed_date": reading.signed_date,
        "form_cited": reading.form_cited,
        "contact": {
            "department": reading.contact.department,
            "address": reading.contact.address,
            "postcode": reading.contact.postcode,
            "phone": reading.contact.phone,
            "email": reading.contact.email,
        },
        "facts": [_fact(fact) for fact in reading.facts],
        "checks": [
            {
                "rule": check.rule,
                "status": check.status,
                "lhs": _number(check.lhs),
                "rhs": _number(check.rhs),
                "cells": list(check.cells),
            }
            for check in reading.checks
        ],
        "findings": _findings(reading.findings),
        "sections": [{"heading": section.heading, "text": section.text} for section in reading.sections],
        "error": {"code": reading.error.code, "message": reading.error.message} if reading.error else None,
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "cell": fact.cell,
        "value": _number(fact.value),
        "raw": fact.raw,
        "unit": fact.unit,
        "status": fact.status,
        "locator": fact.locator,
        "confidence": fact.confidence,
    }


def _findings(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [{"code": finding.code, "message": finding.message, "locator": finding.locator} for finding in findings]


def _number(value: Number | None) -> int | float | None:
    return float(value) if isinstance(value, Decimal) else value
