"""Charts as SVG made here: nothing is fetched, nothing runs, and every point is a link that a keyboard reaches.

Widths are per cent of the room there is, heights and text are pixels: a chart is as legible on a telephone as on a
desk. What has no number is a gap with a mark, never 0; where two forms count differently the line is cut. Colours and
patterns are classes of static/pages.css; no chart tells its parts by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10

from markupsafe import Markup

# Room beside the plot, per cent, for what the first and the last year say; pixels above it for what breaks say.
_SIDE = 6.0
_TOP, _BOTTOM = 34, 24
_SPARK_HEIGHT = 30
_WIDEST = 14.0
_ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
GAPS = {"blank": "空", "absent": "未列", "unreadable": "？", "incomplete": "不全", "none": "缺"}


@dataclass(frozen=True, slots=True)
class Point:
    """One year. `value` is None where there is no number, and `gap` says why: a key of GAPS; `none` is no report,
    `incomplete` a sum of which a part is missing. `text` is read aloud and shown on pointing. A doubtful point is
    drawn hollow.
    """

    year: int
    value: float | None
    text: str
    href: str = ""
    gap: str = "none"
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Break:
    """Before `year` something else was counted than from it on. A cut leaves the line open, else it is dotted."""

    year: int
    label: str
    is_cut: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a whole, drawn with the pattern of its `key`."""

    key: str
    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Column:
    """One column: parts from zero away, up or down; `mark` is a sign above it, whose meaning `text` says."""

    label: str
    parts: tuple[Part, ...]
    text: str
    href: str = ""
    mark: str = ""

    @property
    def total(self) -> float:
        return sum(part.value for part in self.parts)

    @property
    def top(self) -> float:
        """How high the parts reach above zero, stacked; those below it hang from it down to `bottom`."""
        return sum(max(part.value, 0.0) for part in self.parts)

    @property
    def bottom(self) -> float:
        return sum(min(part.value, 0.0) for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where years and values lie: x per cent of the width, y pixels from the top."""

    first: int
    last: int
    low: float
    high: float
    foot: int

    def x(self, year: float) -> float:
        if self.first == self.last:
            return 50.0
        return _SIDE + (100 - 2 * _SIDE) * (year - self.first) / (self.last - self.first)

    def y(self, value: float) -> float:
        return self.foot - (self.foot - _TOP) * (value - self.low) / ((self.high - self.low) or 1.0)


def number(value: float | None) -> str:
    """As people write it: thousands apart, no needless decimals; "" without a number."""
    if value is None:
        return ""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def ceiling(value: float) -> float:
    """The round number at or above `value` where an axis may end."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in _ROUND if step * power >= value * (1 - 1e-9))


def line(points: Sequence[Point], breaks: Sequence[Break] = (), *, label: str, height: int = 190) -> Markup:
    """One series over `points`, one for every year, in order. Empty without points."""
    if not points:
        return Markup("")
    return _svg(_line_parts(points, breaks, height - _BOTTOM), label, height, "line")


def columns(found: Sequence[Column], *, label: str, height: int = 210) -> Markup:
    """Columns side by side on one scale. Empty without columns."""
    if not found:
        return Markup("")
    return _svg(_column_parts(found, height - _BOTTOM), label, height, "columns")


def spark(found: Sequence[Column], *, label: str) -> Markup:
    """Columns as small as a word, without text; the marks stay."""
    if not found:
        return Markup("")
    return _svg(_spark_parts(found), label, _SPARK_HEIGHT, "spark")


def shares(parts: Sequence[Part], *, label: str, height: int = 26) -> Markup:
    """One bar from 0 to 100 per cent. Empty where the parts add up to nothing, or one of them is below it."""
    if sum(part.value for part in parts) <= 0 or any(part.value < 0 for part in parts):
        return Markup("")
    return _svg(_share_parts(parts, height), label, height, "shares")


def _line_parts(points: Sequence[Point], breaks: Sequence[Break], foot: int) -> Iterator[Markup]:
    values = [point.value for point in points if point.value is not None]
    low = min(0.0, *values, 0.0)
    plot = _Plot(points[0].year, points[-1].year, -ceiling(-low) if low else 0.0, ceiling(max(0.0, *values, 0.0)), foot)
    if values:
        yield from _scale(plot)
    step = plot.x(plot.first + 1) - plot.x(plot.first)
    shown_breaks = [found for found in breaks if plot.first < found.year <= plot.last]
    for found in shown_breaks:
        at = plot.x(found.year - 0.5)
        yield _element("line", "break", x1=_percent(at), x2=_percent(at), y1=17, y2=foot)
        yield _text(found.label, at, 12, "break")
    for before, after in pairwise(points):
        if before.value is None or after.value is None:
            continue
        crossed = [found for found in shown_breaks if found.year == after.year]
        if not any(found.is_cut for found in crossed):
            yield _element(
                "line",
                "series dotted" if crossed else "series",
                x1=_percent(plot.x(before.year)),
                x2=_percent(plot.x(after.year)),
                y1=_pixels(plot.y(before.value)),
                y2=_pixels(plot.y(after.value)),
            )
    said = _worth_saying(points)
    for place, point in enumerate(points):
        yield _text(f"{point.year % 100:02d}" if len(points) > 6 else point.year, plot.x(point.year), foot + 17, "year")
        yield _linked(_drawn(point, plot, step, is_said=place in said), point.href, point.text)


def _drawn(point: Point, plot: _Plot, step: float, *, is_said: bool) -> Markup:
    x = plot.x(point.year)
    if point.value is None:
        half = min(step, 9.0) * 0.42
        area = {"x": _percent(x - half), "width": _percent(2 * half), "y": _TOP, "height": plot.foot - _TOP}
        return _element("rect", "gap", **area) + _text(GAPS[point.gap], x, plot.foot - 7, "gap")
    place = {"cx": _percent(x), "cy": _pixels(plot.y(point.value))}
    drawn = _element("circle", "halo", **place, r=11)
    drawn += _element("circle", "dot hollow" if point.is_doubtful else "dot", **place, r=4)
    return drawn + (_text(number(point.value), x, plot.y(point.value) - 10, "value") if is_said else Markup(""))


def _worth_saying(points: Sequence[Point]) -> frozenset[int]:
    """Places of the points whose number is written out: the highest, the last, and all where there are few."""
    numbered = [place for place, point in enumerate(points) if point.value is not None]
    if len(numbered) <= 4:
        return frozenset(numbered)
    highest = max(numbered, key=lambda place: points[place].value or 0.0)
    last = numbered[-1]
    return frozenset({highest, last} if abs(highest - last) != 1 else {highest})


def _scale(plot: _Plot) -> Iterator[Markup]:
    for value, kind in ((plot.high, "grid"), ((plot.high + plot.low) / 2, "grid"), (plot.low, "grid"), (0.0, "axis")):
        at = plot.y(value)
        yield _element("line", kind, x1="0%", x2="100%", y1=_pixels(at), y2=_pixels(at))
        if kind == "grid" and value:
            yield _text(number(value), 0, at - 4, "scale")


def _column_parts(found: Sequence[Column], foot: int) -> Iterator[Markup]:
    low = min(column.bottom for column in found)
    plot = _Plot(0, 1, -ceiling(-low) if low else 0.0, ceiling(max(column.top for column in found)), foot)
    yield from _scale(plot)
    room = min(94.0 / len(found), _WIDEST)
    for place, column in enumerate(found):
        left = 6.0 + place * room
        middle = left + room / 2
        drawn = _element("rect", "catch", x=_percent(left), width=_percent(room), y=_TOP, height=foot - _TOP)
        drawn += _stack(column, plot, left + room * 0.12, room * 0.76)
        drawn += _text(number(column.total), middle, plot.y(column.top) - 6, "value")
        if column.mark:
            drawn += _text(column.mark, middle, plot.y(column.top) - 21, "mark")
        yield _linked(drawn, column.href, column.text)
        yield _text(column.label, middle, foot + 17, "year")


def _spark_parts(found: Sequence[Column]) -> Iterator[Markup]:
    totals = [0.0, *(column.total for column in found)]
    high, low = max(totals), min(totals)
    room = min(100.0 / len(found), 12.0)
    foot = _SPARK_HEIGHT - 2
    zero = foot + (foot - 11) * low / ((high - low) or 1.0)
    yield _element("line", "axis", x1="0%", x2="100%", y1=_pixels(zero), y2=_pixels(zero))
    for place, column in enumerate(found):
        tall = (foot - 11) * abs(column.total) / ((high - low) or 1.0)
        top = zero - tall if column.total > 0 else zero
        area = {"x": _percent(place * room), "width": _percent(room * 0.78)}
        drawn = _element("rect", "catch", **area, y=0, height=foot)
        if tall:
            drawn += _element("rect", "part plain", **area, y=_pixels(top), height=_pixels(max(1.0, tall)))
        if column.mark:
            drawn += _text(column.mark, place * room + room * 0.39, max(9.0, top - 2), "mark")
        yield _linked(drawn, column.href, column.text)


def _stack(column: Column, plot: _Plot, left: float, width: float) -> Markup:
    drawn, above, below = Markup(""), 0.0, 0.0
    for part in column.parts:
        start = above if part.value > 0 else below
        ends = plot.y(start), plot.y(start + part.value)
        if part.value:
            area = {"x": _percent(left), "width": _percent(width)}
            area |= {"y": _pixels(min(ends)), "height": _pixels(abs(ends[0] - ends[1]))}
            drawn += _element("rect", f"part {part.key}", **area)
        above, below = above + max(part.value, 0.0), below + min(part.value, 0.0)
    return drawn


def _share_parts(parts: Sequence[Part], height: int) -> Iterator[Markup]:
    whole = sum(part.value for part in parts)
    left = 0.0
    for part in parts:
        wide = 100.0 * part.value / whole
        if not wide:
            continue
        drawn = _element("rect", f"part {part.key}", x=_percent(left), width=_percent(wide), y=0, height=height)
        if wide >= 7:
            size = " wide" if wide >= 20 else ""
            plate = {"x": _percent(left + wide / 2), "y": height / 2 - 9, "width": 36, "height": 18, "rx": 4}
            drawn += _element("rect", f"plate{size}", **plate, transform="translate(-18 0)")
            drawn += _text(f"{wide:.0f}%", left + wide / 2, height / 2 + 5, f"share{size}")
        yield _linked(drawn, "", f"{part.label}：{number(part.value)}，{wide:.1f}%")
        left += wide


def _svg(parts: Iterator[Markup], label: str, height: int, kind: str) -> Markup:
    drawn = Markup("").join(parts)
    return Markup('<svg class="chart {}" width="100%" height="{}" role="group" aria-label="{}">{}</svg>').format(
        kind, height, label, drawn
    )


def _linked(drawn: Markup, href: str, text: str) -> Markup:
    title = Markup("<title>{}</title>").format(text)
    if href:
        return Markup('<a href="{}" aria-label="{}">{}{}</a>').format(href, text, title, drawn)
    return Markup('<g role="img" aria-label="{}">{}{}</g>').format(text, title, drawn)


def _text(text: object, x: float, y: float, kind: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(kind, _percent(x), _pixels(y), text)


def _element(name: str, kind: str, /, **attributes: object) -> Markup:
    return Markup('<{} class="{}"{}/>').format(name, kind, _written(attributes))


def _written(attributes: dict[str, object]) -> Markup:
    return Markup("").join(Markup(' {}="{}"').format(key, value) for key, value in attributes.items())


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _pixels(value: float) -> str:
    return f"{value:.1f}"
