"""Pictures on the pages of an OFD, laid on paper as the page shows them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parsers.errors import UnreadableDocumentError
from parsers.readers import image, scan_pages
from parsers.readers.ooxml import Package

if TYPE_CHECKING:
    from PIL import Image

# A page that is a scan is one picture, or a few strips of one.
_MOST = 40


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture by its resource's name; its box in points from the page's top left corner."""

    resource: str
    left: float
    top: float
    right: float
    bottom: float


def on_paper(
    package: Package, paths: Mapping[str, str], placed: Sequence[Placed], size: tuple[float, float]
) -> Image.Image | None:
    """A page of so many points (width, height) in colour, None where a picture of it cannot be decoded.

    It has 200 pixels to the inch of A4. `paths`: where in the package a resource lies.
    """
    from PIL import Image

    scale = scan_pages.DPI / 72 / scan_pages.unit(max(size))
    paper = Image.new("RGB", (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))), "white")
    for picture in placed[:_MOST]:
        data = package.part(paths.get(picture.resource, ""))
        if data is None:
            return None
        try:
            with warnings.catch_warnings():
                # Pillow warns of odd metadata.
                warnings.simplefilter("ignore")
                drawn = next(image.frames(data, []))
        except UnreadableDocumentError:
            return None
        left, top = round(picture.left * scale), round(picture.top * scale)
        width, height = round(picture.right * scale) - left, round(picture.bottom * scale) - top
        if width > 2 * paper.width or height > 2 * paper.height:
            return None
        if width > 0 and height > 0:
            paper.paste(drawn.resize((width, height), reducing_gap=2.0), (left, top))
    return paper
