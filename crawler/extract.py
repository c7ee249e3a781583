"""Reads captures with the parsers: pages, attachments, reports with their facts, checks, sections and findings.

Needs no network and no Scrapy. What one document does to a reader is that document's finding and nobody else's: the
others go on. Everything written here can be deleted and made again from the WARC files.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Literal

from archive import http1
from archive.contents import response_bytes
from archive.errors import ArchiveError
from archive.history import candidate, said_before
from archive.lock import lock
from archive.model import IMPORT_SITE, Finding
from archive.paths import database_path, rebuild_path
from archive.rebuild import is_emptied, rebuilding
from archive.recover import recover
from archive.rows import (
    AttachmentRow,
    CaptureToRead,
    CheckRow,
    FactRow,
    PageRow,
    ReadingRow,
    ReportRow,
    SectionRow,
)
from archive.store import Store
from crawler import office
from crawler.agencies import assign_agencies
from crawler.codebook import publish_codebook
from crawler.discover import MOST_REDIRECTS, PAGE_INSTEAD_OF_FILE, absolute_url, destination_of, location_of
from crawler.document_checks import check_documents
from crawler.filenames import is_for_people, shown_name
from crawler.history import is_layout_only, settle
from crawler.interrupts import Stopped
from crawler.jail import Failure, Runner, shared
from crawler.login import is_login_page
from crawler.progress import progress
from crawler.reread import archived_sites, discover_with, stored_sites
from crawler.site import HISTORY_CHANNEL, Site
from parsers.agency import agency_in_title
from parsers.dates import find_years
from parsers.model import Page, Reading, ReadingError
from parsers.page import page_kind, read_page
from parsers.reading import Conversions, read
from parsers.sniff import media_type
from parsers.version import PARSER_VERSION

log = logging.getLogger(__name__)

HTML = "text/html"
LOGIN_PAGE = "login_page"
UNKNOWN = "application/octet-stream"
BATCH = 64
_PAGE_COLUMNS = ("title", "published_date", "publisher", "index_number", "document_number")


Documents = tuple[tuple[str, bytes], ...]
Headers = tuple[tuple[bytes, bytes], ...]
# What `Understood` holds beside the capture.
Told = tuple[Reading, Page | None, Headers, int, Documents]


@dataclass(frozen=True, slots=True)
class ExtractSummary:
    """What was read this time, and what stands in the database afterwards (`pages` to `facts`)."""

    read: int
    unreadable: int
    pages: int
    attachments: int
    reports: int
    facts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Job:
    """One capture to read: where it came from and its response as it came over the wire."""

    capture: CaptureToRead
    name: str
    response: bytes


@dataclass(frozen=True, slots=True)
class Understood:
    """What the parsers made of one capture. `page` is None where the payload is no HTML page.

    `to_convert`: documents in it, by name, that another program has to make readable first.
    """

    capture: CaptureToRead
    reading: Reading
    page: Page | None
    headers: Headers
    bytes: int
    to_convert: Documents = ()


def extract(data_dir: Path, *, full: bool = False, workers: int = 1, runner: Runner | None = None) -> ExtractSummary:
    """Reads what this parser version has not read yet; `full` first makes the database again from the WARC files, as
    does a database that is not there or knows none of them. Until all is read the database stands as it was.

    Documents are read in as many jailed processes as `workers` says, or by `runner`. Raises LockedError when a run is
    under way.
    """
    with lock(data_dir, run_id="extract"):
        if full or is_emptied(data_dir):
            return _made_again(data_dir, workers, runner)
        with Store.open(data_dir) as store:
            _note(store, recover(data_dir, store, discover=discover_with(stored_sites(store))))
            return extract_new(data_dir, store, workers=workers, runner=runner)


def extract_new(
    data_dir: Path,
    store: Store,
    *,
    workers: int = 1,
    runner: Runner | None = None,
    lines: bool = False,
    stopped: Stopped = lambda: False,
) -> ExtractSummary:
    """`extract` for a caller that holds the lock and the open store; `lines` is for logs, see `progress`.

    Once `stopped` says so, what is being read is finished and the rest is left for the next time.
    """
    started = time.monotonic()
    publish_codebook(store)
    writer = _Writer(data_dir, store)
    waiting = _pages_first(store.captures_to_read(PARSER_VERSION))
    read = 0
    with progress("extract", "captures", total=len(waiting), lines=lines) as advance:
        for batch in _understood(data_dir, store, waiting, runner or shared(workers), stopped):
            with store.transaction():
                for understood in batch:
                    writer.write(understood)
            read += len(batch)
            advance(len(batch))
    with store.transaction():
        writer.settle_attachments()
    if not stopped():
        settle(data_dir, store, lambda capture_id: _read_again(data_dir, store, capture_id, runner or shared(workers)))
    assign_agencies(store)
    check_documents(store)
    return ExtractSummary(
        read=read,
        unreadable=writer.unreadable,
        pages=_count(store, "pages"),
        attachments=_count(store, "attachments"),
        reports=_count(store, "reports"),
        facts=_count(store, "facts"),
        seconds=time.monotonic() - started,
    )


def understand(response: bytes, name: str, url: str, converted: Conversions | None = None) -> Told:
    """Runs the parsers over one response, in the jail. Conversions are what `to_convert` has become meanwhile."""
    head = http1.split_head(response)
    try:
        entity = http1.entity(response)
    except http1.DecodingError as error:
        entity = error.partial
    headers = head.headers if head else ()
    is_html = media_type(entity, name) == HTML
    if is_html and is_login_page(entity):
        message = "expected a document, found a form to log in: what was asked for is behind it"
        return Reading(media_type=HTML, error=ReadingError(LOGIN_PAGE, message)), None, headers, len(entity), ()
    page = read_page(entity, url=url) if is_html else None
    reading = read(entity, name=name, url=url, page=page, converted=converted)
    wanted = office.convertible(entity, name) if converted is None and office.needs_conversion(reading) else ()
    return reading, page, headers, len(entity), wanted


def _made_again(data_dir: Path, workers: int, runner: Runner | None) -> ExtractSummary:
    """The database that stands is replaced once everything has been read."""
    # Files that no database knows yet are about to be taken in; the rebuild names those it leaves.
    repairs = [found for found in _repaired(data_dir) if found.code != "warc_unknown"]
    with rebuilding(data_dir, discover=discover_with(archived_sites(data_dir))) as rebuilt:
        _note(rebuilt.store, (*repairs, *rebuilt.findings))
        return extract_new(data_dir, rebuilt.store, workers=workers, runner=runner)


def _repaired(data_dir: Path) -> list[Finding]:
    """Seals what a dead run left open; what it holds is in the files then."""
    is_there = database_path(data_dir).exists()
    with Store.open(data_dir) if is_there else Store(rebuild_path(data_dir)) as store:
        known = {**archived_sites(data_dir), **stored_sites(store)}
        return recover(data_dir, store, discover=discover_with(known))


def _note(store: Store, findings: Iterable[Finding]) -> None:
    """Findings that belong to no run stand with the newest."""
    newest = store.connection.execute("SELECT run_id FROM runs ORDER BY started_at DESC LIMIT 1").fetchone()
    for finding in findings if newest else ():
        store.add_finding(newest[0], finding)


def _pages_first(captures: Iterable[CaptureToRead]) -> list[CaptureToRead]:
    """Oldest first, but files that other tools captured last: only the pages that link to them say whose they are."""
    return sorted(captures, key=lambda capture: capture.site == IMPORT_SITE and capture.role == "attachment")


def _count(store: Store, table: str) -> int:
    return int(store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608  our own names


def _understood(
    data_dir: Path, store: Store, waiting: list[CaptureToRead], runner: Runner, stopped: Stopped
) -> Iterator[list[Understood]]:
    """Everything that waits, read, in batches, until `stopped`. Files with the same bytes are read once, the first time
    they are met.
    """
    firsts: dict[str, CaptureToRead] = {}
    again: list[CaptureToRead] = []
    for capture in waiting:
        is_file = capture.role == "attachment"
        if is_file and firsts.setdefault(capture.payload_digest, capture) is not capture:
            again.append(capture)
    later = {capture.capture_id for capture in again}
    repeated = {capture.payload_digest for capture in again}
    known: dict[str, Understood] = {}
    firsts_of_all = (capture for capture in waiting if capture.capture_id not in later)
    jobs = _jobs(data_dir, store, takewhile(lambda _: not stopped(), firsts_of_all))
    for batch in _read_in_batches(jobs, runner):
        known.update({u.capture.payload_digest: u for u in batch if u.capture.payload_digest in repeated})
        yield batch
    yield [
        replace(known[capture.payload_digest], capture=capture) for capture in again if capture.payload_digest in known
    ]


def _jobs(data_dir: Path, store: Store, captures: Iterable[CaptureToRead]) -> Iterator[Job]:
    for capture in captures:
        try:
            response = response_bytes(data_dir, store.connection, capture.capture_id)
        except (ArchiveError, OSError) as error:
            finding = Finding("error", "capture_unreadable", str(error), capture.url)
            store.add_finding(capture.run_id, finding, capture_id=capture.capture_id)
            continue
        # A list may call a page by the name of the file on it.
        yield Job(capture, capture.anchor if capture.role == "attachment" else "", response)


def _read_in_batches(jobs: Iterator[Job], runner: Runner) -> Iterator[list[Understood]]:
    """Jobs read in their order. Some wait beside those under way, so that no worker has to."""
    under_way: deque[tuple[Job, Future[Told | Failure]]] = deque()
    batch: list[tuple[Job, Understood]] = []
    try:
        for job in jobs:
            under_way.append((job, runner.submit(understand, job.response, job.name, job.capture.url)))
            if len(under_way) > 4 * runner.workers:
                batch.append(_settled(*under_way.popleft()))
            if len(batch) >= BATCH:
                yield _converted(batch, runner)
                batch = []
        batch += [_settled(*waiting) for waiting in under_way]
        under_way.clear()
        yield _converted(batch, runner)
    finally:
        if under_way:
            # Interrupted: nobody waits for what is still being read.
            runner.stop()


def _read_again(data_dir: Path, store: Store, capture_id: int, runner: Runner) -> tuple[Reading, Page | None] | None:
    """What one capture says, for a comparison; None when its bytes are not readable."""
    capture = store.capture_to_read(capture_id)
    jobs = _jobs(data_dir, store, (capture,) if capture else ())
    found = [understood for batch in _read_in_batches(jobs, runner) for understood in batch]
    return (found[0].reading, found[0].page) if found else None


def _settled(job: Job, future: Future[Told | Failure]) -> tuple[Job, Understood]:
    told = future.result()
    if isinstance(told, Failure):
        # Nothing is made of its bytes in this process, not even their kind.
        log.warning("reading %s failed: %s: %s", job.capture.url, told.code, told.message)
        reading = Reading(media_type=job.capture.media_type or UNKNOWN, error=ReadingError(told.code, told.message))
        return job, Understood(job.capture, reading, None, (), job.capture.payload_bytes)
    return job, Understood(job.capture, *told)


def _converted(batch: list[tuple[Job, Understood]], runner: Runner) -> list[Understood]:
    """The batch, with documents that only LibreOffice reads read again from what it made of them, in one go."""
    files = [document for _, understood in batch for document in understood.to_convert]
    if not files:
        return [understood for _, understood in batch]
    made = office.conversions(files)
    again: list[Understood] = []
    for job, understood in batch:
        if understood.to_convert:
            own = {data: made[data] for _, data in understood.to_convert}
            _, understood = _settled(job, runner.submit(understand, job.response, job.name, job.capture.url, own))
        again.append(understood)
    return again


class _Writer:
    """Puts what was understood into the store, with what the way to the document adds."""

    def __init__(self, data_dir: Path, store: Store) -> None:
        self._data_dir = data_dir
        self._store = store
        self._sites = stored_sites(store)
        self._touched: set[str] = set()
        self.unreadable = 0

    def write(self, understood: Understood) -> None:
        capture = understood.capture
        digest = capture.payload_digest
        if is_layout_only(self._store, capture.capture_id, digest, understood.reading, understood.page):
            return
        is_foreign_file = capture.site == IMPORT_SITE and capture.role == "attachment"
        way = self._imported_way(capture) if is_foreign_file else _way_to(self._store, capture)
        self._touched.add(way.link_url)
        is_own_page = way.page_url == capture.url and not _is_login(understood)
        page = self._page_row(understood) if is_own_page else self._stored_page(way.page_url)
        if is_own_page and page is not None:
            self._store.insert_page(page)
        for link in understood.page.attachments if understood.page else ():
            url = absolute_url(capture.url, link.url)
            if url is not None and capture.role == "page":
                name = shown_name(link.name or link.text, (), url)
                self._store.insert_attachment(AttachmentRow(url, capture.url, name))
        self.unreadable += understood.reading.error is not None
        self._store.insert_reading(self._reading_row(understood, page))

    def settle_attachments(self) -> None:
        """Says of every attachment that was read now, or not yet found, which capture holds it."""
        rows = self._store.connection.execute("SELECT page_url, url, file_name, capture_id FROM attachments").fetchall()
        for page_url, url, file_name, capture_id in rows:
            if capture_id is not None and url not in self._touched:
                continue
            newest = self._destination(url)
            if newest is None:
                continue
            capture = self._store.first_to_say(newest)
            headers = () if is_for_people(file_name, url) else self._headers(capture.capture_id)
            row = AttachmentRow(
                url=url,
                page_url=page_url,
                file_name=shown_name(file_name, headers, url),
                media_type=self._media_type(capture),
                bytes=capture.payload_bytes,
                capture_id=capture.capture_id,
            )
            self._store.insert_attachment(row)

    def _destination(self, url: str) -> CaptureToRead | None:
        """The newest capture with content at the end of the redirects from `url`."""
        for _ in range(MOST_REDIRECTS + 1):
            content = self._store.latest_capture(url)
            redirect = self._store.connection.execute(
                """SELECT max(e.capture_id) FROM exchanges e JOIN urls u ON u.url_id = e.url_id
                WHERE u.url = ? AND e.outcome = 'redirect'""",
                (url,),
            ).fetchone()[0]
            if redirect is None or (content is not None and content.capture_id > redirect):
                return content
            location = destination_of(url, self._response(redirect))
            if location is None:
                return None
            url = location
        return None

    def _headers(self, capture_id: int) -> tuple[tuple[bytes, bytes], ...]:
        head = http1.split_head(self._response(capture_id))
        return head.headers if head else ()

    def _response(self, capture_id: int) -> bytes:
        """b"" where it cannot be read."""
        try:
            return response_bytes(self._data_dir, self._store.connection, capture_id)
        except (ArchiveError, OSError):
            return b""

    def _imported_way(self, capture: CaptureToRead) -> _Way:
        """Other tools do not say how they came to a file: the links of pages do, over redirects if need be."""
        link = capture.url
        for _ in range(MOST_REDIRECTS + 1):
            page_url = _page_with(self._store, link)
            if page_url is not None:
                return _Way(page_url, link)
            if link not in self._redirects:
                break
            link = self._redirects[link]
        return _Way(None, capture.url)

    @cached_property
    def _redirects(self) -> dict[str, str]:
        """Where a redirect that another tool captured leads → its address."""
        rows = self._store.connection.execute(
            "SELECT capture_id, url FROM captures WHERE site = ? AND outcome = 'redirect'", (IMPORT_SITE,)
        ).fetchall()
        found = ((location_of(url, self._headers(capture_id)), url) for capture_id, url in rows)
        return {location: url for location, url in found if location is not None}

    def _media_type(self, capture: CaptureToRead) -> str | None:
        row = self._store.connection.execute(
            "SELECT media_type FROM readings WHERE capture_id = ? ORDER BY reading_id DESC LIMIT 1",
            (capture.capture_id,),
        ).fetchone()
        return row[0] if row else capture.media_type

    def _page_row(self, understood: Understood) -> PageRow:
        """A page as its own bytes and, where they do not say, the list that led to it describe it."""
        capture, page = understood.capture, understood.page or Page()
        values: dict[str, str | None] = {}
        origins: dict[str, str] = {}
        listed = {"title": capture.anchor, "published_date": capture.listed_date}
        for column in _PAGE_COLUMNS:
            labelled = getattr(page, column)
            value, origin = (labelled.value, labelled.origin) if labelled else (listed.get(column), "list")
            values[column] = value or None
            if value:
                origins[column] = origin
        text = page.text if understood.page else "\n".join(section.text for section in understood.reading.sections)
        return PageRow(
            url=capture.url,
            site=capture.site,
            channel=self._channel(capture),
            capture_id=capture.capture_id,
            parser_version=PARSER_VERSION,
            text=text,
            origins_json=json.dumps(origins, ensure_ascii=False),
            kind=page_kind(values["title"] or ""),
            **values,
        )

    def _channel(self, capture: CaptureToRead) -> str:
        """A page of the report history may also be listed in a channel, and belongs there then."""
        if capture.channel != HISTORY_CHANNEL:
            return capture.channel
        row = self._store.connection.execute(
            "SELECT channel FROM listings WHERE site = ? AND url = ? ORDER BY channel LIMIT 1",
            (capture.site, capture.url),
        ).fetchone()
        return row[0] if row else capture.channel

    def _stored_page(self, url: str | None) -> PageRow | None:
        columns = ", ".join(("url", "site", "channel", "capture_id", "parser_version", *_PAGE_COLUMNS))
        row = self._store.connection.execute(f"SELECT {columns} FROM pages WHERE url = ?", (url,)).fetchone()  # noqa: S608
        return PageRow(*row) if row else None

    def _reading_row(self, understood: Understood, page: PageRow | None) -> ReadingRow:
        reading = understood.reading
        is_report = reading.kind == "annual_report" and reading.error is None
        return ReadingRow(
            capture_id=understood.capture.capture_id,
            parser_version=PARSER_VERSION,
            kind=reading.kind,
            media_type=reading.media_type,
            form=reading.form,
            contact_json=json.dumps(asdict(reading.contact), ensure_ascii=False),
            error_code=reading.error.code if reading.error else None,
            error_message=reading.error.message if reading.error else None,
            report=self._report_row(understood, page) if is_report else None,
            facts=tuple(
                FactRow(f.cell, f.value, f.raw, f.unit, f.status, f.locator, f.confidence) for f in reading.facts
            ),
            checks=tuple(CheckRow(check.rule, check.status, check.lhs, check.rhs) for check in reading.checks),
            sections=tuple(SectionRow(section.heading, section.text, section.locator) for section in reading.sections),
            findings=(*_findings(understood), *self._back_and_forth(understood.capture)),
            opening=reading.opening if is_report else "",
        )

    def _back_and_forth(self, capture: CaptureToRead) -> Iterator[Finding]:
        """Servers behind one name that do not hold the same pages answer with one and the other in turn."""
        earlier = said_before(self._store.connection, capture.capture_id, PARSER_VERSION)
        if earlier is not None and candidate(self._store.connection, capture.capture_id) is not None:
            message = f"says again what capture {earlier} said, and something else in between"
            yield Finding("warning", "content_back_and_forth", message, capture.url)

    def _site_of(self, capture: CaptureToRead) -> Site | None:
        """The declared site of a capture; for one that another tool made, the only one that publishes on its host."""
        if capture.site != IMPORT_SITE:
            return self._sites.get(capture.site)
        found = [site for site in self._sites.values() if site.allows(capture.url)]
        return found[0] if len(found) == 1 else None

    def _report_row(self, understood: Understood, page: PageRow | None) -> ReportRow:
        capture, reading = understood.capture, understood.reading
        site = self._site_of(capture)
        agency, agency_origin = _agency(reading, page, site)
        year, year_origin = _report_year(reading, page)
        day, day_origin = _published(reading, page)
        return ReportRow(
            document_url=capture.url,
            page_url=page.url if page else None,
            site=capture.site,
            agency=agency,
            agency_origin=agency_origin,
            division_code=site.division_code if site else None,
            report_year=year,
            report_year_origin=year_origin,
            form=reading.form,
            form_cited=reading.form_cited,
            title=reading.title or (page.title if page else None) or capture.anchor or None,
            published_date=day,
            published_date_origin=day_origin,
            signed_date=reading.signed_date,
        )


@dataclass(frozen=True, slots=True)
class _Way:
    """How a capture was come to: the page that offers it (None for a file that a list links to) and the link there."""

    page_url: str | None
    link_url: str


def _way_to(store: Store, capture: CaptureToRead) -> _Way:
    if capture.role == "page":
        return _Way(capture.url, capture.url)
    link, via = capture.url, capture.via
    for _ in range(MOST_REDIRECTS + 1):
        row = store.connection.execute(
            """SELECT f.role, f.via FROM frontier f JOIN urls u ON u.url_id = f.url_id
            WHERE u.url = ? AND f.method = 'GET' ORDER BY f.role = 'list' LIMIT 1""",
            (via,),
        ).fetchone()
        if row is None or row[0] == "list":
            return _Way(capture.url, link)
        if row[0] == "page":
            return _Way(via, link)
        link, via = via, row[1]
    return _Way(None, link)


def _page_with(store: Store, url: str) -> str | None:
    """The first page that offers the file at `url`; None when none was read."""
    row = store.connection.execute(
        "SELECT page_url FROM attachments WHERE url = ? ORDER BY attachment_id LIMIT 1", (url,)
    ).fetchone()
    return row[0] if row else None


def _agency(reading: Reading, page: PageRow | None, site: Site | None) -> tuple[str | None, str | None]:
    """The reporting body and where its name is from: the document, the page's title, its publisher, the site file."""
    if reading.agency:
        return reading.agency, "document"
    if page is not None and page.title and (named := agency_in_title(page.title)):
        return named, "page_title"
    if page is not None and page.publisher:
        return page.publisher, "page_publisher"
    return (site.agency, "site") if site else (None, None)


def _report_year(reading: Reading, page: PageRow | None) -> tuple[int | None, str | None]:
    if reading.report_year is not None:
        return reading.report_year, "document"
    years = {year.value for year in find_years(page.title or "")} if page else set()
    return (years.pop(), "page_title") if len(years) == 1 else (None, None)


def _published(reading: Reading, page: PageRow | None) -> tuple[str | None, str | None]:
    """The day of publishing. A document attached to a page was published with it, whatever it says of itself."""
    if page is not None and page.published_date:
        return page.published_date, "page"
    return (reading.published_date, "document") if reading.published_date else (None, None)


def _is_login(understood: Understood) -> bool:
    return understood.reading.error is not None and understood.reading.error.code == LOGIN_PAGE


def _findings(understood: Understood) -> Iterator[Finding]:
    capture, reading = understood.capture, understood.reading
    if reading.error is not None:
        level: Literal["warning", "error"] = "warning" if reading.error.code == "unsupported" else "error"
        yield Finding(level, reading.error.code, reading.error.message, capture.url)
    if understood.page is not None and not understood.page.text and not understood.page.attachments:
        yield Finding("info", "empty_page", "expected a text or a file on the page, found neither", capture.url)
    elif capture.role == "attachment" and understood.page is not None and reading.error is None:
        message = f"expected a file, found an HTML page of {understood.bytes} bytes"
        yield Finding("warning", PAGE_INSTEAD_OF_FILE, message, capture.url)
    if reading.kind == "annual_report":
        for found in reading.findings:
            yield Finding("warning", found.code, _located(found.message, found.locator), capture.url)
    for found in understood.page.findings if understood.page else ():
        yield Finding("info", found.code, _located(found.message, found.locator), capture.url)


def _located(message: str, locator: str) -> str:
    return f"{message} ({locator})" if locator else message
