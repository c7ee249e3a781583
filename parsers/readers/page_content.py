"""What a page of fixed layout shows, whatever the format: characters with their boxes, and ruled lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from parsers.readers.pdf_grid import Line


@dataclass(slots=True)
class Characters:
    """Characters in the order of the file; points from the top left corner of the upright text, y downwards.

    Boxes span a character's advance and its font's height, so neighbours in a word touch.
    """

    text: str = ""
    left: list[float] = field(default_factory=list)
    top: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    bottom: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.text)


@dataclass(slots=True)
class PageContent:
    """What one page shows. `turn` is the clockwise rotation in degrees from the page as displayed to upright text."""

    number: int
    width: float
    height: float
    turn: int
    characters: Characters
    horizontal: list[Line]
    vertical: list[Line]
    has_image: bool = False
    is_scan_with_ocr: bool = False
    too_many_paths: bool = False
    too_many_characters: bool = False

    def displayed(self, left: float, top: float, right: float, bottom: float) -> str:
        """`box=…` of a locator: an upright box turned back to the page as displayed."""
        # `width` and `height` are those of the upright page.
        if self.turn == 90:
            left, top, right, bottom = top, self.width - right, bottom, self.width - left
        elif self.turn == 180:
            left, top, right, bottom = (
                self.width - right,
                self.height - bottom,
                self.width - left,
                self.height - top,
            )
        elif self.turn == 270:
            left, top, right, bottom = self.height - bottom, left, self.height - top, right
        return f"page={self.number};box={left:.1f},{top:.1f},{right:.1f},{bottom:.1f}"
