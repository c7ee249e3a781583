"""A report's pages that were pasted into a document as pictures: recognised, and put behind what it says itself.

Boxes of locators are in the picture's pixels.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from parsers.errors import UnreadableDocumentError
from parsers.model import Block, Finding, Grid
from parsers.readers import image, ocr, page_blocks

MAX_PICTURES = 60
_REPORT = re.compile(r"信息公开.{0,40}(?:报告|年报)", re.DOTALL)
_REPORT_WITHIN = 5000
# Beside a text that is longer the pictures are not the document.
_LITTLE = 100
# Print is recognised this surely (0 to 1), and a page of it has so many characters; emblems and photographs do not.
_LEAST_SCORE, _LEAST_CHARACTERS = 0.8, 20


def is_report(text: str) -> bool:
    """Whether a text says at its beginning that it is a report of this kind."""
    return _REPORT.search(text[:_REPORT_WITHIN]) is not None


def may_be_report(text: str) -> bool:
    """Whether pictures in a document with this text, and no table, may be the pages of a report."""
    return len(text) < _LITTLE or is_report(text)


def read(pictures: Sequence[bytes]) -> tuple[tuple[Block, ...], tuple[Finding, ...]]:
    """What the pictures say, in their order, with findings for those that were not read."""
    try:
        recogniser = ocr.recogniser()
    except ocr.MissingError as error:
        return (), (Finding("ocr_missing", f"{len(pictures)} pictures in the document were not read: {error}"),)
    from parsers.readers.scan import page_content

    pages = []
    findings: list[Finding] = []
    unread = max(0, len(pictures) - MAX_PICTURES)
    for number, data in enumerate(pictures[:MAX_PICTURES], 1):
        try:
            with warnings.catch_warnings():
                # Pillow warns of odd metadata.
                warnings.simplefilter("ignore")
                grey, unit = next(image.pictures(data, []))
        except UnreadableDocumentError:
            unread += 1
            continue
        scanned = page_content(grey, number=number, recogniser=recogniser, unit=unit)
        if (scanned.score or 0.0) < _LEAST_SCORE or len(scanned.content.characters) < _LEAST_CHARACTERS:
            unread += 1
            continue
        findings.append(Finding("read_by_ocr", f"picture {number} was read as a page", f"picture={number}"))
        pages.append(page_blocks.taken_apart(scanned.content, findings))
    if unread:
        findings.append(Finding("pictures_not_read", f"{unread} of {len(pictures)} pictures were not read as pages"))
    found = page_blocks.blocks(pages) if pages else ()
    return tuple(_of_picture(block) for block in found), tuple(findings)


def _of_picture(block: Block) -> Block:
    """A block whose locators name the picture, not a page."""
    locator = block.locator.replace("page=", "picture=", 1)
    if isinstance(block, Grid):
        cells = tuple(
            structs.replace(cell, locator=cell.locator.replace("page=", "picture=", 1)) for cell in block.cells
        )
        return replace(block, cells=cells, locator=locator)
    return structs.replace(block, locator=locator)
