"""The night's report: what it counts, what it compares with, when it raises an alarm, and what its files hold."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import lxml.html
import nights
import pytest

from archive.model import Finding
from archive.store import Store
from archive.times import moment
from crawler.morning import ReportError, gather, usual, write_report
from crawler.night import Night, SiteNight

GOOD = {"a": (12, {"ok": 10})}
MADE_AT = "2026-02-01T00:00:00.000000Z"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with nights.opened(tmp_path) as opened:
        yield opened


def gathered(store: Store, run_id: str) -> Night:
    return gather(store.path.parent, store.connection, run_id, clock=lambda: moment(MADE_AT))


def codes(night: Night) -> list[tuple[str, str]]:
    return [(alarm.code, alarm.site) for alarm in night.alarms]


def only(night: Night) -> SiteNight:
    (site,) = night.sites
    return site


def test_numbers_stand_beside_the_median_of_the_last_seven(store: Store) -> None:
    for day, requests in enumerate((100, 1, 2, 3, 4, 5, 6, 7), start=1):
        nights.night(store, day, {"a": (12, {"ok": requests})})
    found = only(gathered(store, nights.night(store, 20, {"a": (12, {"ok": 3, "http_error": 1})})))
    assert (found.requests, found.failed, found.usual_requests, found.usual_failed) == (4, 1, 4.0, 0.0)


def test_two_earlier_runs_are_too_few_to_speak_of_usual(store: Store) -> None:
    for day in (1, 2):
        nights.night(store, day, GOOD)
    assert only(gathered(store, nights.night(store, 3, {"a": (1, {"ok": 1})}))).usual_listings is None
    assert (usual([1, 2]), usual([1, 2, 9])) == (None, 2.0)


def test_runs_of_another_kind_or_limit_and_interrupted_ones_are_no_measure(store: Store) -> None:
    nights.night(store, 1, GOOD, kind="crawl")
    nights.night(store, 2, GOOD, limit=5)
    nights.night(store, 3, GOOD, status="interrupted")
    nights.night(store, 5, GOOD)
    assert gathered(store, nights.night(store, 4, GOOD)).earlier == ()


def test_a_site_that_lists_nothing_is_an_alarm_without_any_history(store: Store) -> None:
    night = gathered(store, nights.night(store, 1, {"a": (0, {"ok": 3})}))
    assert (only(night).state, codes(night)) == ("silent", [("zero_yield", "a")])


def test_lists_that_have_not_changed_are_not_silence(store: Store) -> None:
    first = nights.night(store, 1, GOOD)
    nights.listing(store, first, "a", "http://a.example.cn/1")
    run_id = nights.night(store, 2, {"a": (0, {"not_modified": 1})})
    night = gathered(store, run_id)
    assert (only(night).state, codes(night)) == ("ok", [])


def test_an_empty_list_that_has_not_changed_is_still_silent(store: Store) -> None:
    run_id = nights.night(store, 2, {"a": (0, {"not_modified": 1})})
    assert codes(gathered(store, run_id)) == [("zero_yield", "a")]


@pytest.mark.parametrize(("listed", "expected"), [(5, [("falling_yield", "a")]), (6, [])])
def test_less_than_half_the_usual_entries_is_an_alarm(store: Store, listed: int, expected: list) -> None:
    for day in (1, 2, 3):
        nights.night(store, day, GOOD)
    assert codes(gathered(store, nights.night(store, 4, {"a": (listed, {"ok": 10})}))) == expected


def test_a_site_that_was_not_asked_is_no_alarm(store: Store) -> None:
    for day in (1, 2, 3):
        nights.night(store, day, GOOD)
    night = gathered(store, nights.night(store, 4, {"a": (0, {})}))
    assert (only(night).state, codes(night)) == ("not_asked", [])


def test_new_changed_gone_and_the_rest_are_counted_by_site(store: Store) -> None:
    first = nights.night(store, 1, {"a": (2, {"ok": 2}), "b": (2, {"ok": 2})})
    nights.listing(store, first, "b", "http://b.example.cn/gone")
    run_id = nights.night(store, 2, {"a": (3, {"ok": 2}), "b": (1, {"ok": 1})})
    nights.listing(store, run_id, "a", "http://a.example.cn/new")
    nights.change(store, run_id, "http://a.example.cn/x", "content_changed", nights.exchange(store, run_id, "a", "ok"))
    nights.change(store, run_id, "http://b.example.cn/gone", "disappeared")
    nights.change(store, first, "http://b.example.cn/gone", "appeared")
    a, b = gathered(store, run_id).sites
    assert (a.new, a.changed, a.gone) == (1, 1, 0)
    assert (b.new, b.changed, b.gone) == (0, 0, 1)


def test_an_older_run_is_reported_as_it_was(store: Store) -> None:
    first = nights.night(store, 1, GOOD)
    nights.listing(store, first, "a", "http://a.example.cn/1")
    before = only(gathered(store, first))
    nights.night(store, 2, {"a": (0, {"net_error": 3})})
    assert only(gathered(store, first)) == before
    assert before.listings == 12


def test_blocked_failed_incomplete_and_interrupted_show(store: Store) -> None:
    sites = {"a": (5, {"ok": 8, "blocked": 2}), "b": (5, {"ok": 2, "net_error": 8}), "c": (5, {"ok": 5})}
    run_id = nights.night(store, 1, sites, status="interrupted", incomplete={"c": "fewer than declared"})
    night = gathered(store, run_id)
    assert [site.state for site in night.sites] == ["blocked", "ok", "incomplete"]
    assert codes(night) == [("run_interrupted", ""), ("blocked", "a"), ("many_failed", "b")]
    assert night.sites[2].incomplete == ("reports: fewer than declared",)


def test_a_site_that_always_fails_a_lot_is_no_news(store: Store) -> None:
    sites = {"a": (5, {"ok": 2, "http_error": 8})}
    for day in (1, 2, 3):
        nights.night(store, day, sites)
    assert codes(gathered(store, nights.night(store, 4, sites))) == []


def test_many_pages_gone_at_once_is_an_alarm(store: Store) -> None:
    first = nights.night(store, 1, GOOD)
    for number in range(10):
        nights.listing(store, first, "a", f"http://a.example.cn/{number}")
    run_id = nights.night(store, 2, GOOD)
    for number in range(5):
        nights.change(store, run_id, f"http://a.example.cn/{number}", "disappeared")
    assert codes(gathered(store, run_id)) == [("many_gone", "a")]


def test_errors_of_a_run_are_its_sites_by_capture_channel_or_host(store: Store) -> None:
    run_id = nights.night(store, 1, {"a": (5, {"ok": 5}), "b": (5, {"ok": 5})}, status="failed")
    store.add_finding(run_id, Finding("error", "too_few_listings", "expected 9", "http://a.example.cn/list.html"))
    store.add_finding(run_id, Finding("error", "odd", "by host", "http://b.example.cn/elsewhere"))
    night = gathered(store, run_id)
    assert [site.troubles for site in night.sites] == [("expected 9",), ("by host",)]
    assert codes(night) == [("run_failed", ""), ("site_failed", "a"), ("site_failed", "b")]


def test_documents_that_could_not_be_read_are_named(store: Store) -> None:
    run_id = nights.night(store, 1, GOOD)
    for number in range(6):
        nights.unreadable(store, nights.exchange(store, run_id, "a", "ok", url=f"http://a.example.cn/{number}.pdf"))
    night = gathered(store, run_id)
    assert (night.unreadable_count, night.unreadable[0].url) == (6, "http://a.example.cn/0.pdf")
    assert (only(night).unreadable, codes(night)) == (6, [("many_unreadable", "")])


def test_the_database_is_compared_with_the_last_report_of_another_run(store: Store) -> None:
    folder = store.path.parent
    write_report(folder, store, nights.night(store, 1, GOOD))
    second = nights.night(store, 2, GOOD)
    before = json.loads((folder / "reports" / "latest.json").read_text("utf-8"))["growth"]["database"]
    for _ in range(2):
        write_report(folder, store, second)
        assert (
            json.loads((folder / "reports" / "latest.json").read_text("utf-8"))["growth"]["database_before"] == before
        )
    assert gathered(store, second).growth.night_warc == 1000


def test_probes_of_our_own_are_not_the_sites_failures(store: Store) -> None:
    run_id = nights.night(store, 1, GOOD)
    nights.exchange(store, run_id, "a", "http_error")
    assert (only(gathered(store, run_id)).requests, only(gathered(store, run_id)).failed) == (10, 0)


def test_a_run_without_its_end_is_counted_from_its_captures(store: Store) -> None:
    run_id = nights.night(store, 1, {"a": (12, {"ok": 2, "net_error": 1})})
    nights.exchange(store, run_id, "a", "http_error", role="robots")
    store.finish_run(run_id, "interrupted", stats_json="{}")
    assert (only(gathered(store, run_id)).requests, only(gathered(store, run_id)).failed) == (3, 1)


def test_of_many_changes_those_that_say_most_are_listed_and_all_are_counted(store: Store) -> None:
    run_id = nights.night(store, 1, GOOD)
    capture_id = nights.exchange(store, run_id, "a", "ok")
    for number in range(250):
        nights.change(store, run_id, f"http://a.example.cn/{number}", "appeared", capture_id)
    nights.change(store, run_id, "http://a.example.cn/z", "disappeared", capture_id)
    night = gathered(store, run_id)
    assert (night.change_count, len(night.changes), night.changes[0].kind) == (251, 200, "disappeared")
    write_report(store.path.parent, store, run_id)
    page = (store.path.parent / "reports" / "latest.html").read_text("utf-8")
    assert "only the first" in page
    assert page.lstrip().startswith("<!doctype html>")


def test_changes_of_layout_alone_are_counted_apart_and_not_listed(store: Store) -> None:
    run_id = nights.night(store, 1, GOOD)
    capture_id = nights.exchange(store, run_id, "a", "ok")
    for number in range(3):
        nights.change(store, run_id, f"http://a.example.cn/{number}", "layout_changed", capture_id)
    for number, kind in enumerate(("content_changed", "moved", "reappeared")):
        nights.change(store, run_id, f"http://a.example.cn/said-{number}", kind, capture_id)
    night = gathered(store, run_id)
    assert (night.change_count, night.layout_change_count, len(night.changes)) == (3, 3, 3)
    write_report(store.path.parent, store, run_id)
    page = (store.path.parent / "reports" / "latest.html").read_text("utf-8")
    text = (store.path.parent / "reports" / "latest.md").read_text("utf-8")
    for written in (page, text):
        assert "http://a.example.cn/2" not in written
        assert "http://a.example.cn/said-2" in written
    assert "另有 3 个页面仅版式或计数变化 3 more pages changed in layout or counters alone" in text
    tiles = lxml.html.fromstring(page).xpath("//ul[@class='tiles']/li")
    counted = {tile.xpath("string(span[@lang='en'])"): tile.findtext("b") for tile in tiles}
    assert (counted["changed"], counted["moved"], counted["reappeared"]) == ("1", "1", "1")


def test_an_unknown_run_is_an_error(store: Store) -> None:
    with pytest.raises(ReportError, match="'nothing'"):
        gathered(store, "nothing")


@pytest.fixture
def written(store: Store) -> Path:
    """A report with hostile words in every place that the outside fills."""
    for day in (1, 2, 3):
        nights.night(store, day, GOOD)
    run_id = nights.night(store, 4, {"a": (0, {"ok": 3})}, incomplete={"a": "<b>because</b>"})
    nights.site(store, run_id, "a", agency="<script>alert(1)</script>政府 & 他人")
    capture_id = nights.exchange(store, run_id, "a", "ok", url="javascript:alert(1)")
    nights.change(store, run_id, "javascript:alert(1)", "content_changed", capture_id)
    nights.change(store, run_id, 'http://a.example.cn/"><img src=x>', "moved", capture_id)
    nights.unreadable(store, capture_id, message="<img src=x onerror=alert(1)> | `x`")
    write_report(store.path.parent, store, run_id)
    return store.path.parent / "reports"


def test_every_file_is_there_twice_and_nothing_else(written: Path) -> None:
    stems = ("20260104T173000Z-nightly", "latest")
    names = {f"{stem}{suffix}" for stem in stems for suffix in (".html", ".md", ".json")} | {"badge.svg"}
    assert {path.name for path in written.iterdir()} == names
    for suffix in (".html", ".md", ".json"):
        assert (written / f"{stems[0]}{suffix}").read_bytes() == (written / f"latest{suffix}").read_bytes()


def test_the_page_fetches_and_runs_nothing(written: Path) -> None:
    page = lxml.html.parse(str(written / "latest.html"), lxml.html.HTMLParser(encoding="utf-8")).getroot()
    assert (
        page.xpath("//script | //img | //iframe | //link | //object | //@src | //@*[starts-with(name(), 'on')]") == []
    )
    assert all(href.startswith("http://a.example.cn/") for href in page.xpath("//@href"))
    assert "url(" not in page.findtext(".//style")
    assert "@import" not in page.findtext(".//style")


def test_the_page_shows_hostile_words_as_they_are(written: Path) -> None:
    page = lxml.html.parse(str(written / "latest.html"), lxml.html.HTMLParser(encoding="utf-8")).getroot()
    text = page.text_content()
    for words in ("<script>alert(1)</script>政府 & 他人", "<b>because</b>", "javascript:alert(1)", "onerror"):
        assert words in text


def test_the_page_says_its_languages(written: Path) -> None:
    page = lxml.html.parse(str(written / "latest.html"), lxml.html.HTMLParser(encoding="utf-8")).getroot()
    assert page.get("lang") == "zh-CN"
    for heading in page.xpath("//h1 | //h2"):
        assert [span.get("lang") for span in heading.xpath("./span[@lang]")] == ["zh-CN", "en"]
    assert "prefers-color-scheme: dark" in page.findtext(".//style")


def test_markdown_keeps_hostile_words_out_of_its_own_marks(written: Path) -> None:
    text = (written / "latest.md").read_text("utf-8")
    assert r"\<b\>because" in text
    assert r"\| \`x\`" in text
    assert "zero_yield" in text


def test_json_holds_the_whole_night(written: Path) -> None:
    night = json.loads((written / "latest.json").read_text("utf-8"))
    (site,) = night["sites"]
    assert (site["state"], site["listings"], site["usual_listings"]) == ("silent", 0, 12.0)
    assert {alarm["code"] for alarm in night["alarms"]} == {"zero_yield"}
    assert [change["kind"] for change in night["changes"]] == ["content_changed", "moved"]


def test_the_badge_is_an_image_that_counts_alarms(written: Path, store: Store) -> None:
    root = ElementTree.parse(written / "badge.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("aria-label") == "gongkai 公开: 2026-01-04 · 1 alarm"
    write_report(store.path.parent, store, nights.night(store, 5, GOOD))
    assert "alarm" not in (written / "badge.svg").read_text("utf-8")


def test_a_document_that_cannot_be_read_does_not_fail_its_site(store: Store) -> None:
    run_id = nights.night(store, 1, GOOD)
    capture_id = nights.exchange(store, run_id, "a", "ok")
    nights.unreadable(store, capture_id)
    store.add_finding(
        run_id, Finding("error", "damaged", "cut short", "http://a.example.cn/x.pdf"), capture_id=capture_id
    )
    night = gathered(store, run_id)
    assert (only(night).state, only(night).unreadable, codes(night)) == ("ok", 1, [])
    other = nights.exchange(store, run_id, "a", "ok")
    store.add_finding(run_id, Finding("error", "list_failed", "the list could not be read"), capture_id=other)
    assert codes(gathered(store, run_id)) == [("site_failed", "a")]


def test_what_waits_for_a_person_is_said_in_every_form_and_what_is_decided_is_not(store: Store) -> None:
    run_id = nights.night(store, 1, GOOD)
    folder = store.path.parent / "reports"
    write_report(store.path.parent, store, run_id)
    assert json.loads((folder / "latest.json").read_text("utf-8"))["reviews"] == {"pairs": 0, "reports": 0}
    assert "待人裁定" not in (folder / "latest.html").read_text("utf-8") + (folder / "latest.md").read_text("utf-8")
    for number in range(3):
        nights.review(store, f"p{number}", "pair")
    nights.review(store, "r", "report")
    nights.review(store, "done", "pair", status="decided")
    write_report(store.path.parent, store, run_id)
    assert json.loads((folder / "latest.json").read_text("utf-8"))["reviews"] == {"pairs": 3, "reports": 1}
    text = (folder / "latest.md").read_text("utf-8")
    assert "## 待人裁定 For a person to decide" in text
    assert "- 可能为同一机关的机关对 pairs of agencies that may be one: 3" in text
    assert "- 无法归属的报告 reports without an agency: 1" in text
    page = lxml.html.parse(str(folder / "latest.html"), lxml.html.HTMLParser(encoding="utf-8")).getroot()
    said = " ".join(page.xpath("string(//h2[span='待人裁定']/following-sibling::ul[1])").split())
    assert said.startswith("可能为同一机关的机关对 pairs of agencies that may be one: 3 无法归属的报告 reports")
