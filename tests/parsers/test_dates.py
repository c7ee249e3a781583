"""Days as documents print them, and what only looks like one."""

import pytest

from parsers.dates import find_date, find_dates, find_url_date, find_years


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("2021年1月21日", "2021-01-21"),
        ("2021-01-21", "2021-01-21"),
        ("2021/1/21", "2021-01-21"),
        ("2021.01.21", "2021-01-21"),
        ("２０２１年１月２１日", "2021-01-21"),
        ("2021年01月21号", "2021-01-21"),
        ("2021年 1 月 21 日", "2021-01-21"),
        ("2 0 2 1 年 1 月 2 1 日", "2021-01-21"),
        ("2021　年　1　月　21　日", "2021-01-21"),
        ("2021年1⽉21⽇", "2021-01-21"),
        ("二〇二一年一月二十一日", "2021-01-21"),
        ("二○二一年元月二十一日", "2021-01-21"),
        ("二零二一年十二月三十日", "2021-12-30"),
        ("二〇二〇年十月十日", "2020-10-10"),
        ("二O二一年一月廿一日", "2021-01-21"),
        ("二〇二一年1月21日", "2021-01-21"),
        ("2024-01-17 08:30", "2024-01-17"),
        ("2024-01-17T08:30:00+08:00", "2024-01-17"),
        ("发布时间：2022/12/1 9:05:00", "2022-12-01"),
        ("Mon Jan 25 10:00:00 CST 2021", "2021-01-25"),
        ("2020年2月29日", "2020-02-29"),
    ],
)
def test_a_printed_day_is_read(printed: str, value: str) -> None:
    found = find_date(printed)

    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    "printed",
    [
        pytest.param("2018年11日", id="a dropped character"),
        pytest.param("2021年2月30日", id="a day that does not exist"),
        pytest.param("2021年13月1日", id="a month that does not exist"),
        pytest.param("2019年2月29日", id="no leap year"),
        pytest.param("二○二一年元月", id="a month without a day"),
        pytest.param("2021年度", id="a year"),
        pytest.param("20210121", id="eight digits in running text"),
        pytest.param("12021-01-21", id="a longer number"),
        pytest.param("12021年1月21日", id="a longer number before 年"),
        pytest.param("2021-01-211", id="a longer day"),
        pytest.param("192.168.2021.1.2", id="part of a dotted number"),
        pytest.param("2021-1/21", id="two kinds of separator"),
        pytest.param("0021年1月1日", id="a year out of range"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_day_is_not_read(printed: str) -> None:
    assert find_date(printed) is None


def test_the_printed_span_is_kept() -> None:
    text = "松江路街道办事处　２０２１ 年 1 月 21 日印发"

    found = find_date(text)

    assert found is not None
    assert found.raw == "２０２１ 年 1 月 21 日"
    assert text[found.start : found.end] == found.raw


def test_all_days_come_in_order_without_the_impossible_ones() -> None:
    text = "自2021年1月1日至2021年12月31日，2021年2月30日不计。"

    assert [found.value for found in find_dates(text)] == ["2021-01-01", "2021-12-31"]


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("http://a.example/20210121/x.html", "2021-01-21"),
        ("http://a.example/202204/t20220417_974894.shtml", "2022-04-17"),
        ("http://a.example/art/2022/1/14/art_1_58888.html", "2022-01-14"),
        ("http://a.example/art/2016-3-16/art_2.html", "2016-03-16"),
    ],
)
def test_a_url_gives_its_day_when_asked(url: str, value: str) -> None:
    found = find_url_date(url)

    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    "url",
    ["http://a.example/202401/x.shtml", "http://a.example/x/1619593655548706818.html", "http://a.example/20219999/"],
)
def test_a_url_without_a_day_gives_none(url: str) -> None:
    assert find_url_date(url) is None


def test_years_are_found_in_both_kinds_of_digits() -> None:
    assert [year.value for year in find_years("2020年、二〇二一年度和 2 0 2 2 年，第9999年")] == [2020, 2021, 2022]
