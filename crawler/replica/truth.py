"""What a faithful crawl and reading of the replica must find. URLs are absolute, as a browser requests them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from crawler.replica.layout import FormName
from crawler.replica.reports import Expected


@dataclass(frozen=True, slots=True)
class ListingTruth:
    """One entry of a channel. `position` counts from 1 at the top; `title` is the whole one where the list gives it.

    `reachable` is False for links that lead nowhere on purpose: a page that is gone, a host outside the site.
    """

    url: str
    title: str
    date: date
    channel: str
    position: int
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class PageTruth:
    """One page that answers 200. Values are "" where it gives none. `listed` is False when no channel links to it."""

    url: str
    channel: str
    title: str
    published_date: date
    written_date: date | None
    publisher: str
    index_number: str
    document_number: str
    listed: bool = True


@dataclass(frozen=True, slots=True)
class AttachmentTruth:
    """A file linked from a page. `url` is the link, `final_url` where its redirect ends; `sha256` is of its bytes.

    `readable` is False for files damaged on purpose.
    """

    url: str
    final_url: str
    page_url: str
    file_name: str
    sha256: str
    readable: bool = True


@dataclass(frozen=True, slots=True)
class PictureTruth:
    """A picture in a page's body; no file a person would download."""

    url: str
    page_url: str


@dataclass(frozen=True, slots=True)
class ReportTruth:
    """An annual report: a page's own body (`document_url` == `page_url`) or the file an attachment link ends at."""

    document_url: str
    page_url: str
    agency: str
    year: int
    form: FormName
    signed_on: date | None
    facts: Mapping[str, Expected]
    troubles: tuple[str, ...] = ()
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole truth about the site as it stands at one moment."""

    listings: tuple[ListingTruth, ...]
    pages: tuple[PageTruth, ...]
    attachments: tuple[AttachmentTruth, ...]
    reports: tuple[ReportTruth, ...]
    pictures: tuple[PictureTruth, ...] = ()
