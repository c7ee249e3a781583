"""One document, read from bytes to cells: reader, matcher, arithmetic and narrative put together.

`read` never raises on bad input: what a reader cannot read becomes the reading's error.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from parsers import checks, sniff
from parsers.errors import UnreadableDocumentError
from parsers.form import forms
from parsers.match import match
from parsers.model import Check, Document, Fact, Finding, Number, Reading, ReadingError
from parsers.readers import read_document


def read(data: bytes, *, name: str = "", url: str = "") -> Reading:
    """Read a document. `name` and `url` are where it came from; neither decides what it is taken for."""
    try:
        document = read_document(data, name=name)
    except UnreadableDocumentError as error:
        return Reading(media_type=sniff.media_type(data, name), error=ReadingError(error.code, error.message))
    return read_parsed(document)


def read_parsed(document: Document) -> Reading:
    """What is understood of a document that a reader could read."""
    found = match(document)
    facts, checked, findings = _with_arithmetic(found.form, found.facts)
    return Reading(
        media_type=document.media_type,
        kind="annual_report" if found.form else "page",
        form=found.form,
        facts=facts,
        checks=checked,
        findings=(*document.findings, *found.findings, *findings),
    )


def _with_arithmetic(
    edition: str | None, facts: tuple[Fact, ...]
) -> tuple[tuple[Fact, ...], tuple[Check, ...], tuple[Finding, ...]]:
    if edition is None:
        return facts, (), ()
    form = forms()[edition]
    checked = checks.check(form, facts)
    return checks.lowered(facts, checked), checked, checks.failures(form, checked)


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
