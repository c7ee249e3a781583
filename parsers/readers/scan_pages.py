"""Pages of a document that say nothing in characters, read as pictures instead."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import pypdfium2 as pdfium

from parsers.model import Finding
from parsers.readers import ocr, page_blocks, pdf_fonts
from parsers.readers.page_content import PageContent

if TYPE_CHECKING:
    from parsers.readers.scan_ink import Picture

MAX_PAGES = 60
DPI = 200
# Pages are of A4's height, whatever a scanner's driver wrote; only larger paper (A3) is taken at its word.
_A4_POINTS, _MOST_POINTS = 842.0, 1200.0
# A picture this large on a page without rules may be the table.
_TABLE_SHARE = 0.15
_LEAST_RULES = 3


class Scans:
    """Reads one document's scanned pages, as many as it may."""

    def __init__(self) -> None:
        self._pages = 0
        self._is_missing = False

    def read(
        self, content: PageContent, picture: Callable[[], tuple[Picture, float] | None], findings: list[Finding]
    ) -> PageContent:
        """The page as its picture shows it, where that is more than its characters say; else `content` as it is.

        `picture` gives what is seen of the page, grey, 200 pixels to the inch, and how many of its points are one of
        those; None where that cannot be told.
        """
        if not may_be_scan(content):
            return content
        at = f"page={content.number}"
        if self._pages >= MAX_PAGES:
            if self._pages == MAX_PAGES:
                self._pages += 1
                findings.append(Finding("too_many_scanned_pages", f"only {MAX_PAGES} scanned pages are read", at))
            return content
        try:
            recogniser = ocr.recogniser()
        except ocr.MissingError as error:
            if not self._is_missing:
                self._is_missing = True
                findings.append(Finding("ocr_missing", f"a page that is an image was not read: {error}", at))
            return content
        # OpenCV and numpy are there only where recognition is.
        from parsers.readers.scan import page_content

        self._pages += 1
        seen = picture()
        if seen is None:
            return content
        grey, unit = seen
        scanned = page_content(grey, number=content.number, recogniser=recogniser, unit=unit).content
        is_ruled = min(len(scanned.horizontal), len(scanned.vertical)) >= _LEAST_RULES
        if not scanned.characters.text or (not is_ruled and not _says_nothing(content)):
            return content
        if content.characters.text.strip():
            findings.extend(page_blocks.text_findings(content))
        findings.append(Finding("read_by_ocr", f"page {content.number} was read as an image", at))
        return scanned


def may_be_scan(content: PageContent) -> bool:
    """Whether a page may show more than its characters say."""
    return _says_nothing(content) or _may_hold_a_table(content)


def _says_nothing(content: PageContent) -> bool:
    text = content.characters.text
    if content.too_many_characters:
        return False
    return (not text.strip() and content.has_image) or page_blocks.garbage_in(text) > 0


def _may_hold_a_table(content: PageContent) -> bool:
    return content.image_share >= _TABLE_SHARE and min(len(content.horizontal), len(content.vertical)) < _LEAST_RULES


def unit(longest: float) -> float:
    """How many points of a page, its longer side so many, are one of A4's."""
    return 1.0 if _A4_POINTS / 2 <= longest <= _MOST_POINTS else longest / _A4_POINTS


def of_pdf(data: bytes, index: int) -> tuple[Picture, float]:
    """The red channel of a page of a PDF at 200 pixels to the inch of A4, and its `unit`."""
    import numpy as np

    with (
        pdf_fonts.of_the_machine(),
        closing(pdfium.PdfDocument(data)) as document,
        closing(document[index]) as page,
    ):
        points = unit(max(page.get_size()))
        with closing(page.render(scale=DPI / 72 / points)) as bitmap:
            pixels = bitmap.to_numpy()
            red = pixels[:, :, 2] if pixels.ndim == 3 else pixels
            return np.ascontiguousarray(red), points
