"""Pictures of pages (JPEG, JPEG 2000, PNG, TIFF, BMP, GIF, WebP), read by recognition.

Boxes of locators are in the picture's pixels.
"""

from __future__ import annotations

import io
import math
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
# JPEG's own limit; PNG's would take seconds to decode in rows of one pixel.
MAX_SIDE = 65_535
MAX_PAGES = 60
# A page at 200 pixels to the inch.
_A4_HEIGHT, _A4_WIDTH = 2339, 1654
# What is higher, for its width, is a page that was scrolled through, or several under one another.
_HIGHEST_PAGE = 1.6
# Print smaller than a third of what it should be is not to be read.
_MOST_ENLARGED = 3.0
# A TIFF says which of its pictures are previews or masks of others.
_TIFF_KIND, _PREVIEW_OR_MASK = 254, 0b101
_FORMATS = ("JPEG", "JPEG2000", "PNG", "TIFF", "BMP", "GIF", "WEBP")


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
    for number, (picture, unit) in enumerate(pictures(data, findings), 1):
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


def frames(data: bytes, findings: list[Finding]) -> Iterator[Image.Image]:
    """Each page of the file, the right way up, in grey or red, green and blue; what is transparent is paper.

    Only a TIFF has pages. Of an animation, and of a photo with its preview, the first picture is taken. `findings` gets
    what is left out: the rest of an animation, the pages from one on that cannot be decoded.
    Raises UnreadableDocumentError as `read` does, for the first page.
    """
    pages = 0
    try:
        for page in _decoded(data, findings):
            yield page
            pages += 1
    except UnreadableDocumentError as error:
        if not pages:
            raise
        message = f"page {pages + 1} and those after it are missing: {error.message}"
        findings.append(Finding(f"{error.code}_page", message, f"page={pages + 1}"))


def _decoded(data: bytes, findings: list[Finding]) -> Iterator[Image.Image]:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as file:
            for frame in _pages(file, findings):
                if frame.width * frame.height > MAX_PIXELS or max(frame.size) > MAX_SIDE:
                    size = f"{frame.width} x {frame.height}"
                    raise UnreadableDocumentError(
                        "too_large", f"the picture is {size}, at most {MAX_PIXELS} pixels are read, {MAX_SIDE} a side"
                    )
                yield _on_paper(ImageOps.exif_transpose(frame))
    except Image.DecompressionBombError as error:
        raise UnreadableDocumentError("too_large", str(error)) from error
    # Pillow's decoders raise all of these for bytes that make no picture.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error) as error:
        raise UnreadableDocumentError("damaged", f"the picture cannot be decoded: {error}") from error


def _pages(file: Image.Image, findings: list[Finding]) -> Iterator[Image.Image]:
    from PIL import ImageSequence, TiffImagePlugin

    if not isinstance(file, TiffImagePlugin.TiffImageFile):
        if file.format != "MPO" and getattr(file, "is_animated", False):
            findings.append(Finding("animation", "only the first picture of an animation is read"))
        yield file
        return
    for _ in ImageSequence.Iterator(file):
        if not int(file.tag_v2.get(_TIFF_KIND, 0)) & _PREVIEW_OR_MASK:
            yield file


def _on_paper(frame: Image.Image) -> Image.Image:
    from PIL import Image

    if frame.mode in ("I", "F") or frame.mode.startswith("I;"):
        frame = _in_eight_bits(frame)
    if frame.has_transparency_data:
        paper = Image.new("RGBA", frame.size, "white")
        frame = Image.alpha_composite(paper, frame.convert("RGBA"))
    return frame.convert("L" if frame.mode in ("1", "L") else "RGB")


def _in_eight_bits(frame: Image.Image) -> Image.Image:
    """A picture of larger numbers, which Pillow would cut off at 255, from its darkest to its lightest."""
    import numpy as np
    from PIL import Image

    values = np.array(frame, np.float32)
    values[~np.isfinite(values)] = np.nan
    darkest, lightest = float(np.fmin.reduce(values, axis=None)), float(np.fmax.reduce(values, axis=None))
    if not darkest < lightest:
        return Image.new("L", frame.size, "white")
    values = (values - darkest) / (lightest - darkest) * 255
    return Image.fromarray(np.nan_to_num(values, nan=255).astype(np.uint8))


def pictures(data: bytes, findings: list[Finding]) -> Iterator[tuple[Picture, float]]:
    """Each page in grey at about 200 pixels to the inch, and how many of the file's pixels are one of A4's points."""
    import numpy as np

    for frame in frames(data, findings):
        scale = _scale(*frame.size)
        red = frame
        if scale != 1.0:
            size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
            red = frame.resize(size, reducing_gap=2.0)
        pixels = np.asarray(red)
        grey = np.ascontiguousarray(pixels[:, :, 0] if pixels.ndim == 3 else pixels)
        yield grey, 200 / 72 / scale


def _scale(width: int, height: int) -> float:
    """How far a picture is enlarged for its print to be of the size of a page's."""
    is_long = height > _HIGHEST_PAGE * width
    scale = _A4_WIDTH / width if is_long else _A4_HEIGHT / max(width, height)
    scale = min(scale, _MOST_ENLARGED, math.sqrt(MAX_PIXELS / (width * height)))
    return 1.0 if 0.8 <= scale <= 1.25 else scale
