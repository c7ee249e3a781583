"""Rows on their way into the store. Column names are those of the public tables; JSON columns are objects as text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from archive.model import Discovery, Finding, Outcome, Target

Number = int | float | Decimal
# `leased`: recorded, and about to be tried once more by whoever holds the row.
Finished = Literal["acknowledged", "pending", "failed", "leased"]


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run about to start. `settings_json` is what was asked for, without secrets."""

    run_id: str
    kind: str
    started_at: str
    code_version: str = ""
    host: str = ""
    settings_json: str = "{}"


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A declared site; `toml` is its file's text."""

    name: str
    agency: str
    division_code: str
    platform: str
    toml: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where the records of one exchange lie: the main one (response, revisit or, without either, metadata) and the
    metadata.
    """

    warc_file: str
    offset: int
    length: int
    record_id: str
    metadata_offset: int
    metadata_length: int


@dataclass(frozen=True, slots=True)
class CaptureRow:
    """One exchange as the store keeps it, with what its payload led to.

    `refers_to` is the WARC-Record-ID of the full response that a revisit stands for. `finished` is the state its
    frontier row gets; with `pending`, not before `not_before`. Without `frontier_id` the row is found, or made, by the
    target's key. Without `is_document` there is nothing in it for extraction to read.
    """

    target: Target
    captured_at: str
    outcome: Outcome
    http_status: int | None
    media_type: str | None
    payload_digest: str | None
    payload_bytes: int
    likeness: bytes | None
    etag: str | None
    last_modified: str | None
    truncated: str | None
    error: str | None
    refers_to: str | None
    place: Place
    discovery: Discovery
    frontier_id: int | None = None
    finished: Finished = "acknowledged"
    not_before: str | None = None
    is_document: bool = True


@dataclass(frozen=True, slots=True)
class FullResponse:
    """A stored response that a revisit may refer to, or whose payload a revisit stands for."""

    capture_id: int
    record_id: str
    url: str
    captured_at: str
    payload_digest: str
    warc_file: str
    offset: int
    length: int
    http_status: int | None
    method: str
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class CaptureToRead:
    """A capture with new content that the parser version at hand has not read yet. `via` and `anchor` say how it was
    found.
    """

    capture_id: int
    run_id: str
    url: str
    captured_at: str
    role: str
    site: str
    channel: str
    via: str
    anchor: str
    listed_date: str | None
    media_type: str | None
    payload_digest: str
    payload_bytes: int


@dataclass(frozen=True, slots=True)
class PageRow:
    """A page's furniture and main text as one parser version read it. `origins_json`: column → where it comes from."""

    url: str
    site: str
    channel: str
    capture_id: int
    parser_version: str
    title: str | None = None
    published_date: str | None = None
    publisher: str | None = None
    index_number: str | None = None
    document_number: str | None = None
    text: str = ""
    origins_json: str = "{}"
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A file that a page offers, under the name a person would see; the last three columns once it is captured."""

    url: str
    page_url: str
    file_name: str
    media_type: str | None = None
    bytes: int | None = None
    capture_id: int | None = None


@dataclass(frozen=True, slots=True)
class FactRow:
    """One cell. `value` is None unless `status` is `reported` or `inferred`."""

    cell: str
    value: Number | None
    raw: str
    unit: str
    status: str
    locator: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One arithmetic rule applied to one document."""

    rule: str
    status: str
    lhs: Number | None = None
    rhs: Number | None = None


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A heading and the running text under it."""

    heading: str
    text: str
    locator: str = ""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What a document says of itself as an annual report; each `_origin` names where the value was taken from."""

    document_url: str
    page_url: str | None = None
    site: str | None = None
    agency: str | None = None
    agency_origin: str | None = None
    division_code: str | None = None
    report_year: int | None = None
    report_year_origin: str | None = None
    form: str | None = None
    form_cited: str | None = None
    title: str | None = None
    published_date: str | None = None
    published_date_origin: str | None = None
    signed_date: str | None = None


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """What one parser version made of one capture. `report` is set when it is an annual report.

    `opening` is the text between its title and its first section.
    """

    capture_id: int
    parser_version: str
    kind: str
    media_type: str
    form: str | None = None
    contact_json: str = "{}"
    error_code: str | None = None
    error_message: str | None = None
    report: ReportRow | None = None
    facts: tuple[FactRow, ...] = ()
    checks: tuple[CheckRow, ...] = ()
    sections: tuple[SectionRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    opening: str = ""


@dataclass(frozen=True, slots=True)
class StoredReading:
    """What `insert_reading` did. `report_id` is None for a document that is not an annual report."""

    reading_id: int
    report_id: int | None
    is_new: bool
