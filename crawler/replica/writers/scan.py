"""Reports as scans: a PDF's pages rendered, printed badly, laid crookedly, stamped, and kept as JPEG.

The same bytes for the same PDF, style and seed. Needs OpenCV (the extra `ocr`), and a Chinese font on the system for
PDFs that do not embed theirs.
"""

from __future__ import annotations

import io
import math
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import pypdfium2 as pdfium
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from parsers.readers import pdf_fonts

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Seal = Literal["", "red", "grey"]


@dataclass(frozen=True, slots=True)
class ScanStyle:
    """How a page went through the scanner.

    `skew` in degrees, clockwise. `noise` is the standard deviation of the grey values, of 255; `specks` so many dots a
    page. `curve` bends lines and `keystone` narrows the top by so many pixels, as a photograph does. `quality` is
    JPEG's; `faint` 0 to 1 takes contrast away. `turn`: laid on the glass turned by so many degrees clockwise.
    """

    dpi: int = 200
    skew: float = 1.0
    noise: float = 6.0
    specks: int = 60
    quality: int = 75
    seal: Seal = ""
    curve: float = 0.0
    keystone: float = 0.0
    faint: float = 0.0
    bilevel: bool = False
    turn: Literal[0, 90, 180, 270] = 0


def write(pdf: bytes, *, style: ScanStyle | None = None, seed: int = 0) -> bytes:
    """A PDF of one picture a page, each as large as the page it was."""
    style = style or ScanStyle()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    for picture in pictures(pdf, style=style, seed=seed):
        height, width = picture.shape[:2]
        size = width * 72 / style.dpi, height * 72 / style.dpi
        canvas.setPageSize(size)
        canvas.drawImage(ImageReader(io.BytesIO(jpeg(picture, style.quality))), 0, 0, *size)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def pictures(pdf: bytes, *, style: ScanStyle | None = None, seed: int = 0) -> list[Picture]:
    """Every page as scanned: BGR where it bears a red seal, else grey."""
    style = style or ScanStyle()
    with pdf_fonts.of_the_machine(), closing(pdfium.PdfDocument(pdf)) as document:
        return [_scanned(_rendered(document[index], style.dpi), style, seed + index) for index in range(len(document))]


def jpeg(picture: Picture, quality: int = 75) -> bytes:
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def png(picture: Picture) -> bytes:
    return bytes(cv2.imencode(".png", picture)[1])


def _rendered(page: pdfium.PdfPage, dpi: int) -> Picture:
    bitmap = page.render(scale=dpi / 72)
    picture = cv2.cvtColor(bitmap.to_numpy().copy(), cv2.COLOR_BGR2GRAY)
    page.close()
    return np.asarray(picture, dtype=np.uint8)


def _scanned(picture: Picture, style: ScanStyle, seed: int) -> Picture:
    chance = np.random.default_rng(seed)
    if style.seal:
        picture = _sealed(picture, style, chance)
    picture = _laid(picture, style)
    grey = picture.astype(np.float32)
    if style.faint:
        grey = 255 - (255 - grey) * (1 - style.faint)
    if style.noise:
        grey += chance.normal(0, style.noise, grey.shape[:2])[(...,) + (None,) * (grey.ndim - 2)]
    result: Picture = np.clip(grey, 0, 255).astype(np.uint8)
    height, width = result.shape[:2]
    for _ in range(style.specks):
        centre = int(chance.integers(width)), int(chance.integers(height))
        cv2.circle(result, centre, int(chance.integers(0, 2)), (int(chance.integers(40, 160)),) * 3, -1)
    if style.bilevel:
        result = cv2.threshold(result, 160, 255, cv2.THRESH_BINARY)[1].astype(np.uint8)
    return np.ascontiguousarray(np.rot90(result, -style.turn // 90 % 4))


def _laid(picture: Picture, style: ScanStyle) -> Picture:
    """Bent, photographed from above its foot, and crooked: one mapping from the result back to the page."""
    height, width = picture.shape[:2]
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), style.skew, 1.0)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    x = turned[0, 0] * xs + turned[0, 1] * ys + turned[0, 2]
    y = turned[1, 0] * xs + turned[1, 1] * ys + turned[1, 2]
    if style.keystone:
        x = width / 2 + (x - width / 2) * (1 + 2 * style.keystone / width * (1 - y / height))
    if style.curve:
        y = y + style.curve * np.sin(x / width * math.pi)
    return cv2.remap(
        picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=(255, 255, 255)
    ).astype(np.uint8)


def _sealed(picture: Picture, style: ScanStyle, chance: np.random.Generator) -> Picture:
    """A round seal of 42 mm over the lower half, a star in it; half transparent, as ink is."""
    colour = (60, 60, 215) if style.seal == "red" else (120, 120, 120)
    height, width = picture.shape[:2]
    radius = int(21 / 25.4 * style.dpi)
    centre = int(width * chance.uniform(0.35, 0.65)), int(height * chance.uniform(0.4, 0.7))
    page = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    ink = np.full_like(page, 255)
    cv2.circle(ink, centre, radius, colour, max(2, radius // 16))
    points = [
        (
            centre[0] + int(radius * size * math.sin(math.pi * corner / 5)),
            centre[1] - int(radius * size * math.cos(math.pi * corner / 5)),
        )
        for corner, size in zip(range(10), (0.36, 0.14) * 5, strict=True)
    ]
    cv2.fillPoly(ink, [np.array(points, np.int32)], colour)
    for step in range(14):
        angle = math.pi * (0.75 + step / 13 * 1.5)
        at = centre[0] + int(radius * 0.78 * math.sin(angle)) - 8, centre[1] - int(radius * 0.78 * math.cos(angle)) + 8
        cv2.putText(ink, "#", at, cv2.FONT_HERSHEY_SIMPLEX, style.dpi / 200, colour, 2)
    sealed = np.minimum(page, ink).astype(np.uint8)
    return sealed if style.seal == "red" else cv2.cvtColor(sealed, cv2.COLOR_BGR2GRAY).astype(np.uint8)
