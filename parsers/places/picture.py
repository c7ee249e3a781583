"""A place on a page of a PDF, a scanned one of an OFD, or in a picture: the page as a picture, with the cell's box."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import pypdfium2 as pdfium

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import PagePicture, Shown
from parsers.places.frame import ANCHOR, page
from parsers.readers import docx, image, ofd, pdf

if TYPE_CHECKING:
    from PIL import Image

# A4 at 144 pixels to the inch has 1684; larger paper is drawn coarser.
_MOST_PIXELS = 1754
_SCALE = 2.0
# A page of text is a tenth of it as PNG; what is larger is a photograph.
_MOST_PNG_BYTES = 700_000
_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def page_picture(data: bytes, kind: str, number: int) -> PagePicture:
    """Page `number` (from 1) as a picture. Raises UnreadableDocumentError: `no_page`, `damaged`, what readers raise."""
    return _pdf_page(data, number) if kind == sniff.PDF else _frame(data, number)


def ofd_page(data: bytes, number: int) -> PagePicture | None:
    """Page `number` (from 1) of an OFD where it is a scan, else None. Raises as `page_picture`."""
    scan = ofd.scanned_page(data, number)
    if scan is None:
        return None
    drawn, width, height = scan
    drawn.thumbnail((_MOST_PIXELS, _MOST_PIXELS))
    return PagePicture(_encoded(drawn), width, height, number)


def pasted(data: bytes, number: int) -> PagePicture:
    """Picture `number` (from 1) that a docx shows. Raises UnreadableDocumentError as `page_picture`."""
    shown = docx.pictures(data)
    if not 1 <= number <= len(shown):
        raise UnreadableDocumentError("no_page", f"the document has {len(shown)} pictures, not one numbered {number}")
    return replace(_frame(shown[number - 1], 1), number=number)


def framed(picture: PagePicture, locator: str) -> Shown:
    """The page with the locator's box drawn, and a band over the line that it stands in."""
    box = _box(locator)
    media_type = next((name for magic, name in _TYPES.items() if picture.encoded.startswith(magic)), "")
    source = f"data:{media_type};base64,{base64.b64encode(picture.encoded).decode('ascii')}"
    title = f"page {picture.number}"
    marks = _marks(box, picture) if box else ""
    size = f'width="{round(picture.width)}" height="{round(picture.height)}"'
    body = f'<figure><img alt="{title}" {size} src="{source}">{marks}</figure>'
    return Shown("picture", page(title, body), is_marked=box is not None)


def _pdf_page(data: bytes, number: int) -> PagePicture:
    with pdf.opened(data) as document:
        if not 1 <= number <= len(document):
            raise UnreadableDocumentError(
                "no_page", f"the PDF has {len(document)} pages, expected one numbered {number}"
            )
        try:
            sheet = document[number - 1]
            width, height = sheet.get_size()
            bitmap = sheet.render(scale=min(_SCALE, _MOST_PIXELS / max(width, height, 1.0)), may_draw_forms=False)
            drawn = bitmap.to_pil()
            encoded = _encoded(drawn)
        except pdfium.PdfiumError as error:
            raise UnreadableDocumentError("damaged", f"page {number} cannot be drawn: {error}") from error
        return PagePicture(encoded, width, height, number)


def _frame(data: bytes, number: int) -> PagePicture:
    frame = next(islice(image.frames(data, []), number - 1, None), None)
    if frame is None:
        raise UnreadableDocumentError("no_page", f"the picture has no page {number}")
    width, height = frame.size
    if max(frame.size) > _MOST_PIXELS:
        # Twice the pixels of the screen are enough.
        frame.thumbnail((_MOST_PIXELS, _MOST_PIXELS))
    return PagePicture(_encoded(frame), width, height, number)


def _encoded(drawn: Image.Image) -> bytes:
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG", compress_level=4)
    if buffer.tell() > _MOST_PNG_BYTES:
        buffer = io.BytesIO()
        drawn.convert("RGB").save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _marks(box: tuple[float, float, float, float], picture: PagePicture) -> str:
    left, right = (100 * x / picture.width for x in (box[0], box[2]))
    top, bottom = (100 * y / picture.height for y in (box[1], box[3]))
    rows = f"top:{top:.3f}%;height:{bottom - top:.3f}%"
    return (
        f'<span class="row" style="{rows}"></span>'
        f'<span class="cell" id="{ANCHOR}" style="{rows};left:{left:.3f}%;width:{right - left:.3f}%"></span>'
    )


def _box(locator: str) -> tuple[float, float, float, float] | None:
    text = dict(part.partition("=")[::2] for part in locator.split(";")).get("box", "")
    try:
        left, top, right, bottom = (float(number) for number in text.split(","))
    except ValueError:
        return None
    return left, top, right, bottom
