"""Charts draw what there is, and gaps where there is nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from archive.browse import charts
from archive.browse.charts import Break, Column, Part, Point
from archive.browse.codebook import codebook

STYLES = (Path(charts.__file__).parent / "static" / "pages.css").read_text("utf-8")


def drawn(markup: str) -> etree._Element:
    return etree.fromstring(str(markup))


def classes(svg: etree._Element) -> list[str]:
    return [element.get("class", "") for element in svg.iter() if element.get("class")]


def test_every_number_is_a_dot_with_its_link_and_words() -> None:
    svg = drawn(charts.line([Point(2020, 3, "三", "/a"), Point(2021, 0, "零", "/b")], label="申请"))
    assert classes(svg).count("dot") == 2
    assert [link.get("href") for link in svg.iter("a")] == ["/a", "/b"]
    assert [link.get("aria-label") for link in svg.iter("a")] == ["三", "零"]
    assert svg.get("aria-label") == "申请"


@pytest.mark.parametrize(("gap", "sign"), charts.GAPS.items())
def test_what_has_no_number_is_a_gap_and_never_zero(gap: str, sign: str) -> None:
    points = [Point(2019, 5, "五"), Point(2020, None, "无", gap=gap), Point(2021, 7, "七")]
    svg = drawn(charts.line(points, label="x"))
    assert classes(svg).count("dot") == 2
    assert classes(svg).count("series") == 0
    assert [text.text for text in svg.iter("text") if text.get("class") == "gap"] == [sign]


def test_a_line_is_cut_where_forms_do_not_compare_and_dotted_where_nearly() -> None:
    points = [Point(year, 1, "") for year in (2018, 2019, 2020, 2021)]
    breaks = [Break(2019, "2014→2019 不可比"), Break(2021, "2019→2021 口径较宽", is_cut=False)]
    svg = drawn(charts.line(points, breaks, label="x"))
    assert classes(svg).count("series") == 1
    assert classes(svg).count("series dotted") == 1
    said = [text.text for text in svg.iter("text") if text.get("class") == "break"]
    assert said == ["2014→2019 不可比", "2019→2021 口径较宽"]


def test_doubtful_points_are_hollow() -> None:
    assert "dot hollow" in classes(drawn(charts.line([Point(2020, 1, "", is_doubtful=True)], label="x")))


def test_places_follow_from_numbers() -> None:
    svg = drawn(charts.line([Point(2020, 0, ""), Point(2021, 50, ""), Point(2022, 100, "")], label="x", height=158))
    dots = [(dot.get("cx"), dot.get("cy")) for dot in svg.iter("circle") if dot.get("class") == "dot"]
    assert dots == [("6.00%", "134.0"), ("50.00%", "84.0"), ("94.00%", "34.0")]


def test_shares_add_up_to_the_whole_width() -> None:
    svg = drawn(charts.shares([Part("granted", "予以公开", 1), Part("refused", "不予公开", 3)], label="2020"))
    found = [(part.get("x"), part.get("width")) for part in svg.iter("rect") if "part" in part.get("class", "")]
    assert found == [("0.00%", "25.00%"), ("25.00%", "75.00%")]
    assert [text.text for text in svg.iter("text")] == ["25%", "75%"]


def test_columns_stack_their_parts_and_say_their_sum() -> None:
    column = Column("21", (Part("form-2019", "2019", 1), Part("form-2021", "2021", 10)), "2021：11", "/x", "✕")
    svg = drawn(charts.columns([column], label="x"))
    assert {"part form-2019", "part form-2021"} <= set(classes(svg))
    assert {"11", "✕", "21"} <= {text.text for text in svg.iter("text")}


BELOW_ZERO = [
    Column("20", (Part("form-2019", "2019", 12), Part("form-2021", "2021", -8)), "2020：4"),
    Column("21", (Part("form-2021", "2021", -20),), "2021：-20"),
    Column("22", (Part("form-2021", "2021", 0),), "2022：0"),
]


@pytest.mark.parametrize("draw", [charts.columns, charts.spark], ids=["columns", "spark"])
@pytest.mark.parametrize("found", [BELOW_ZERO, BELOW_ZERO[:1], BELOW_ZERO[1:2]], ids=["both", "mixed", "only below"])
def test_numbers_below_zero_hang_from_the_axis_inside_the_picture(
    draw: Callable[..., str], found: list[Column]
) -> None:
    svg = drawn(draw(found, label="x"))
    room = float(svg.get("height", "0"))
    for box in svg.iter("rect"):
        assert float(box.get("height", "")) > 0
        assert 0 <= float(box.get("y", "")) <= float(box.get("y", "")) + float(box.get("height", "")) <= room


def test_parts_above_and_below_zero_stack_away_from_it() -> None:
    svg = drawn(charts.columns(BELOW_ZERO[:1], label="x", height=224))
    axis = next(float(line.get("y1", "")) for line in svg.iter("line") if line.get("class") == "axis")
    up, down = [box for box in svg.iter("rect") if "part" in box.get("class", "")]
    assert float(up.get("y", "")) + float(up.get("height", "")) == axis == float(down.get("y", ""))
    assert (float(up.get("height", "")), float(down.get("height", ""))) == (99.6, 66.4)
    assert "4" in {text.text for text in svg.iter("text")}


@pytest.mark.parametrize("empty", [charts.line([], label=""), charts.columns([], label=""), charts.spark([], label="")])
def test_nothing_is_drawn_of_nothing(empty: str) -> None:
    assert empty == ""


def test_shares_of_nothing_are_not_drawn() -> None:
    assert charts.shares([Part("granted", "", 0)], label="") == ""
    assert charts.shares([Part("granted", "", 9), Part("refused", "", -3)], label="") == ""


def test_hostile_words_stay_words() -> None:
    evil = '"><script>alert(1)</script>'
    svg = charts.line([Point(2020, 1, evil, evil)], [Break(2020, evil)], label=evil)
    svg += charts.columns([Column(evil, (Part("plain", evil, 1),), evil, evil, evil)], label=evil)
    assert "<script" not in svg
    assert '"><' not in re.sub(r'"[^"]*"', '""', svg.replace('"><title', "").replace('"><', ""))


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0, "0"), (12053, "12,053"), (4068.208, "4,068.21"), (2.5, "2.5"), (-3, "-3")]
)
def test_numbers_are_written_for_people(value: float | None, text: str) -> None:
    assert charts.number(value) == text


@pytest.mark.parametrize(("value", "top"), [(0, 1), (1, 1), (7, 8), (11, 12), (13, 15), (99, 100), (812, 1000)])
def test_axes_end_at_round_numbers(value: float, top: float) -> None:
    assert charts.ceiling(value) == top


def test_every_part_that_pages_draw_has_a_style_of_its_own() -> None:
    terms = codebook().terms
    drawn_together = [
        [
            name
            for name in terms["outcome"]
            if name in {"granted", "partly_granted", "refused", "unable", "rejected", "other"}
        ],
        [name for name in terms["outcome"] if name not in {"unable", "rejected", "other"}],
        ["form-2014", "form-2019", "form-2021", "form-none"],
        ["content_changed", "disappeared", "reappeared", "moved"],
    ]
    fills = {}
    for selectors, body in re.findall(r"([^{}]+)\{ fill: ([^;}]+);", STYLES):
        fills.update({name: body.strip() for name in re.findall(r"\.part\.([\w-]+)", selectors)})
    for names in drawn_together:
        assert len({fills[name] for name in names}) == len(names), names
