"""Pictures of pages (JPEG, PNG, TIFF, BMP, GIF, WebP), read by recognition.

Boxes of locators are in the picture's pixels.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Finding
from parsers.readers import ocr, page_blocks

if TYPE_CHECKING:
    from PIL import Image

    from parsers.readers.scan_ink import Picture

MAX_PIXELS = 60_000_000
MAX_PAGES = 60
# A page's longer side at 200 pixels to the inch. Smaller pictures than half of that are no pages.
_A4_PIXELS = 2339
_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP")


def read(data: bytes) -> Document:
    """Read a picture. One without text, and any where recognition is not installed, gives a document without blocks.

    Raises UnreadableDocumentError: `damaged`, `too_large`.
    """
    kind = sniff.media_type(data)
    try:
        recogniser = ocr.recogniser()
    except ocr.MissingError as error:
        return Document(kind, (), findings=(Finding("ocr_missing", f"a picture was not read: {error}"),))
    with warnings.catch_warnings():
        # Pillow warns of odd metadata, and of large pictures before they can be asked how large they are.
        warnings.simplefilter("ignore")
        return _document(data, kind, recogniser)


def _document(data: bytes, kind: str, recogniser: ocr.Recogniser) -> Document:
    from parsers.readers.scan import page_content

    pages = []
    findings: list[Finding] = []
    for number, (picture, unit) in enumerate(_pictures(data), 1):
        if number > MAX_PAGES:
            findings.append(Finding("too_many_scanned_pages", f"only {MAX_PAGES} pages of the picture are read"))
            break
        content = page_content(picture, number=number, recogniser=recogniser, unit=unit).content
        if content.characters.text:
            pages.append(page_blocks.taken_apart(content, findings))
            findings.append(Finding("read_by_ocr", f"page {number}: its text was recognised", f"page={number}"))
        else:
            findings.append(Finding("empty_page", f"page {number} holds no text", f"page={number}"))
    return Document(kind, page_blocks.blocks(pages) if pages else (), findings=tuple(findings))


def frames(data: bytes) -> Iterator[Image.Image]:
    """Each page of the file, the right way up, in grey or red, green and blue; what is transparent is paper.

    Raises UnreadableDocumentError as `read` does.
    """
    from PIL import Image, ImageOps, ImageSequence

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as file:
            if file.width * file.height > MAX_PIXELS:
                raise UnreadableDocumentError(
                    "too_large", f"the picture is {file.width} x {file.height}, at most {MAX_PIXELS} pixels are read"
                )
            for frame in ImageSequence.Iterator(file):
                upright = ImageOps.exif_transpose(frame)
                if upright.mode in ("RGBA", "LA", "P", "PA"):
                    # What is transparent is paper.
                    paper = Image.new("RGBA", upright.size, "white")
                    upright = Image.alpha_composite(paper, upright.convert("RGBA")).convert("RGB")
                yield upright.convert("L") if upright.mode in ("1", "L", "I;16", "I") else upright.convert("RGB")
    except Image.DecompressionBombError as error:
        raise UnreadableDocumentError("too_large", str(error)) from error
    # Pillow's decoders raise all of these for bytes that make no picture.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error) as error:
        raise UnreadableDocumentError("damaged", f"the picture cannot be decoded: {error}") from error


def _pictures(data: bytes) -> Iterator[tuple[Picture, float]]:
    """Each page in grey at about 200 pixels to the inch, and how many of the file's pixels are one of A4's points."""
    import numpy as np

    for frame in frames(data):
        scale = _A4_PIXELS / max(frame.size)
        if 0.8 <= scale <= 1.25:
            scale = 1.0
        red = frame
        if scale != 1.0:
            size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
            red = frame.resize(size, reducing_gap=2.0)
        pixels = np.asarray(red)
        grey = np.ascontiguousarray(pixels[:, :, 0] if pixels.ndim == 3 else pixels)
        yield grey, 200 / 72 / scale
