"""What a page of fixed layout shows, whatever the format: characters with their boxes, and ruled lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from parsers.readers.pdf_grid import Box, Line


@dataclass(slots=True)
class Characters:
    """Characters in the order of the file; points from the top left corner of the upright text, y downwards.

    Boxes span a character's advance and its font's height, so neighbours in a word touch. `scores`, one a character, is
    empty where characters are certain, and says how sure (0 to 1) their recognition was where they come from a picture.
    """

    text: str = ""
    left: list[float] = field(default_factory=list)
    top: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    bottom: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.text)


@dataclass(slots=True)
class PageContent:
    """What one page shows. `turn` is the clockwise rotation in degrees from the page as displayed to upright text.

    `most_certain` is below 1 where everything on the page was recognised in a picture; `image_share` is how much of the
    page its largest picture covers, `images` where each stands: left, top, right, bottom; `white` the same of text in
    white ink or painted over. `to_display`, for pages laid straight: (a, b, c, d, e, f), by which x' = a x + b y + c
    and y' = d x + e y + f.
    """

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
    to_display: tuple[float, ...] = ()
    most_certain: float = 1.0
    image_share: float = 0.0
    images: Sequence[tuple[float, float, float, float]] = ()
    white: Sequence[tuple[float, float, float, float]] = ()

    def displayed(self, left: float, top: float, right: float, bottom: float) -> str:
        """`box=…` of a locator: an upright box turned back to the page as displayed."""
        if self.to_display:
            a, b, c, d, e, f = self.to_display
            xs = [a * x + b * y + c for x in (left, right) for y in (top, bottom)]
            ys = [d * x + e * y + f for x in (left, right) for y in (top, bottom)]
            left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
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

    def all_displayed(self, xs: Sequence[float], ys: Sequence[float], boxes: Sequence[Box]) -> list[str]:
        """`displayed` for cells of a table with these edges."""
        if self.turn or self.to_display:
            return [self.displayed(xs[x], ys[y], xs[x + across], ys[y + down]) for y, x, down, across in boxes]
        # Cells share their edges, and it is writing numbers that takes time.
        left, top = [f"{x:.1f}" for x in xs], [f"{y:.1f}" for y in ys]
        at = f"page={self.number};box="
        return [f"{at}{left[x]},{top[y]},{left[x + across]},{top[y + down]}" for y, x, down, across in boxes]
