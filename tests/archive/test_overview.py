"""The pages about the whole corpus, over invented reports: what they show is what the reports say."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from chromium import PROGRAM, Chromium, chromium
from lxml import html
from panel_corpus import page, pages, publish, series, url_of, with_values

from archive.browse.codebook import codebook
from archive.browse.serve import application
from archive.paths import database_path
from crawler.extract import extract

ROOT = Path(__file__).parents[2]
AGENCY = "青禾区柳溪街道办事处"
OTHER = "青禾区财政局"
GAP = 2021
FIRST, SECOND = "20260301T173000Z-000001", "20260302T173000Z-000002"
GONE = url_of(OTHER, 2022)
EDITED = url_of(OTHER, 2023)

# (site, state, what the run counted at it)
SITES = (
    ("ok_site", "ok", {"ok": 9}, {"stored": 9, "status": "complete"}, ""),
    ("blocked_site", "blocked", {"blocked": 4, "ok": 1}, {"stored": 3, "status": "incomplete"}, ""),
    ("silent_site", "silent", {"ok": 3}, {"stored": 0, "status": "unknown"}, ""),
    ("unchanged_site", "ok", {"not_modified": 3}, {"stored": 0, "status": "unknown"}, ""),
    ("failed_site", "failed", {"ok": 3, "http_error": 2}, {"stored": 2, "status": "complete"}, "too few"),
    ("short_site", "incomplete", {"ok": 3}, {"stored": 2, "declared": 7, "status": "incomplete"}, ""),
)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: reports of two bodies with a year left out, a blank and a wrong sum; then one report edited."""
    data_dir = tmp_path_factory.mktemp("overview")
    long = series(AGENCY, range(2017, 2024))
    del long[GAP]
    long[2022] = with_values(long[2022], applications__refused_query__total=None)
    short = series(OTHER, range(2022, 2024))
    total = int(short[2023].values["applications.new.total"] or 0)
    short[2023] = with_values(short[2023], applications__new__total=total + 1)
    publish(data_dir, pages([*long.values(), *short.values()]))
    publish(data_dir, [(EDITED, page(with_values(short[2023], applications__new__total=total + 5)))], run=2)
    extract(data_dir)
    with sqlite3.connect(database_path(data_dir)) as connection:
        _count(connection)
    connection.close()
    return data_dir


def _count(connection: sqlite3.Connection) -> None:
    """What runs count of sites at their end; and a page that is gone."""
    stats = {"outcomes": {"qinghe": {"ok": 8}}, "channels": []}
    toml = (
        'agency = "某局"\ndivision_code = "990103"\n[channels]\nreports = "http://x.example/"\n[expect]\nreports = 5\n'
    )
    for name, _, outcomes, channel, _ in SITES:
        stats["outcomes"][name] = outcomes  # type: ignore[call-overload]
        stats["channels"].append({"site": name, "channel": "reports", "because": "", "declared": None, **channel})  # type: ignore[attr-defined]
        connection.execute(
            "INSERT INTO sites(name, agency, division_code, platform, toml, first_run_id, last_run_id) "
            "VALUES (?, '某局', '990103', 'auto', ?, ?, ?)",
            (name, toml, FIRST, SECOND),
        )
        url_id = connection.execute(
            "INSERT INTO urls(url) VALUES (?) RETURNING url_id", (f"http://{name}/",)
        ).fetchone()[0]
        _list(connection, name, url_id)
    for run_id in (FIRST, SECOND):
        connection.execute(
            """UPDATE runs SET kind = 'nightly', status = 'finished', finished_at = started_at, stats_json = ?
            WHERE run_id = ?""",
            (json.dumps(stats), run_id),
        )
    connection.execute(
        """INSERT INTO findings(run_id, level, code, url, message)
        VALUES (?, 'error', 'too_few_listings', ?, 'too few <b>')""",
        (SECOND, "http://failed_site/"),
    )
    connection.execute(
        """INSERT INTO changes(url, run_id, kind, previous_capture_id)
        SELECT ?, ?, 'disappeared', capture_id FROM captures WHERE url = ?""",
        (GONE, SECOND, GONE),
    )


def _list(connection: sqlite3.Connection, site: str, url_id: int) -> None:
    """A list page asked for in the first run, with an entry known since."""
    frontier_id = connection.execute(
        "INSERT INTO frontier(key, url_id, role, site, channel, host, priority, state, run_id) "
        "VALUES (?, ?, 'list', ?, 'reports', 'x', 0, 'acknowledged', ?) RETURNING frontier_id",
        (site.encode(), url_id, site, FIRST),
    ).fetchone()[0]
    connection.execute(
        """INSERT INTO exchanges(run_id, frontier_id, url_id, captured_at, outcome, warc_id, warc_offset, warc_length,
            warc_record_id, metadata_offset, metadata_length)
        SELECT run_id, ?, ?, captured_at, 'ok', warc_id, 0, 1, ?, 0, 1 FROM exchanges LIMIT 1""",
        (frontier_id, url_id, site),
    )
    connection.execute(
        """INSERT INTO listings(site, channel, url, title, position, first_run_id, last_run_id)
        VALUES (?, 'reports', 'http://x.example/1', '', 1, ?, ?)""",
        (site, FIRST, FIRST),
    )


class Browser:
    def __init__(self, data_dir: Path) -> None:
        self._datasette = application(data_dir)

    def get(self, path: str) -> Any:
        return asyncio.run(self._datasette.client.get(path, follow_redirects=True))

    def page(self, path: str) -> html.HtmlElement:
        response = self.get(path)
        assert response.status_code == 200, response.text
        return html.fromstring(response.content)

    def close(self) -> None:
        for database in self._datasette.databases.values():
            database.close()


@pytest.fixture(scope="module")
def browser(data_dir: Path) -> Iterator[Browser]:
    browser = Browser(data_dir)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def connection(data_dir: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(database_path(data_dir))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def agency_id(connection: sqlite3.Connection) -> str:
    found: str = connection.execute("SELECT agency_id FROM coverage WHERE agency = ? LIMIT 1", (AGENCY,)).fetchone()[0]
    return found


@pytest.fixture(scope="module")
def own_pages(agency_id: str, connection: sqlite3.Connection) -> list[str]:
    changes = [row[0] for row in connection.execute("SELECT change_id FROM changes WHERE kind <> 'appeared'")]
    assert len(changes) == 2
    return [
        *("/", "/-/coverage", "/-/outcomes", "/-/outcomes?division=990103", "/-/changes", "/-/changes?kind=appeared"),
        *("/-/checks", "/-/checks?verdict=uncertain", "/-/sites", "/-/site/qinghe", "/-/site/failed_site"),
        *("/-/search", "/-/search?q=申请", "/-/search?q=申请&kind=pages", "/-/agencies", f"/-/agency/{agency_id}"),
        *("/-/concepts", "/-/concept/app_new", "/-/concept/norm_in_force"),
        *(f"/-/change/{number}" for number in changes),
    ]


def words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


# The views


@pytest.mark.parametrize(("site", "state"), [(site, state) for site, state, *_ in SITES])
def test_a_sites_state_follows_from_what_the_run_counted(connection: sqlite3.Connection, site: str, state: str) -> None:
    rows = connection.execute("SELECT state, run_id FROM site_health WHERE site = ?", (site,)).fetchall()
    assert rows == [(state, SECOND)]


def test_coverage_has_a_row_for_every_year_with_a_report_and_no_other(connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        "SELECT report_year, reports, forms, failed_checks > 0 FROM coverage WHERE agency = ? ORDER BY report_year",
        (AGENCY,),
    ).fetchall()
    assert [row[:3] for row in rows] == [
        (2017, 1, "2014"),
        (2018, 1, "2014"),
        (2019, 1, "2019"),
        (2020, 1, "2019"),
        (2022, 1, "2021"),
        (2023, 1, "2021"),
    ]


def test_an_outcome_is_the_sum_of_its_cells_or_nothing(connection: sqlite3.Connection) -> None:
    rows = {
        (year, outcome): (value, is_whole)
        for year, outcome, value, is_whole in connection.execute(
            "SELECT report_year, outcome, value, is_whole FROM outcomes WHERE agency = ? AND form <> '2014'", (AGENCY,)
        )
    }
    assert rows[2022, "refused"] == (None, 0)
    assert rows[2022, "granted"][1] == 0
    for outcome, prefix in (("refused", "refused_%"), ("unable", "unable_%"), ("granted", "granted")):
        (printed,) = connection.execute(
            """SELECT sum(f.value) FROM facts f JOIN reports r ON r.report_id = f.report_id
            WHERE r.agency = ? AND r.report_year = 2023 AND f.cell LIKE ?""",
            (AGENCY, f"applications.{prefix}.total"),
        ).fetchone()
        assert rows[2023, outcome] == (printed, 1)


def test_outcomes_add_up_to_the_printed_total(connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        """SELECT o.report_id, sum(o.value), (SELECT value FROM facts f WHERE f.report_id = o.report_id
            AND f.cell = 'applications.handled_total.total')
        FROM outcomes o WHERE o.is_whole AND o.form <> '2014' GROUP BY o.report_id"""
    ).fetchall()
    assert len(rows) == 5
    assert [row for row in rows if row[1] != row[2]] == []


def test_failed_checks_are_the_checks_that_fail(connection: sqlite3.Connection) -> None:
    failed = connection.execute("SELECT report_id, rule, lhs, rhs FROM failed_checks").fetchall()
    assert sorted(failed) == sorted(
        connection.execute("SELECT report_id, rule, lhs, rhs FROM checks WHERE status = 'fail'").fetchall()
    )
    assert {rule for _, rule, *_ in failed} >= {"applications.row_sum.new"}


def test_a_change_knows_its_report_and_how_much_it_changed(connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        "SELECT kind, url, report_year, changed_cells FROM recent_changes WHERE kind <> 'appeared' ORDER BY change_id"
    ).fetchall()
    assert rows == [("content_changed", EDITED, 2023, 1), ("disappeared", GONE, 2022, None)]


@pytest.mark.parametrize("name", ["changed_content", "gone_but_kept", "reports_in_doubt", "blank_or_zero"])
def test_questions_that_take_two_nights_are_answered(connection: sqlite3.Connection, name: str) -> None:
    [query] = [query for query in codebook().queries if query.name == name]
    assert connection.execute(query.sql).fetchall()


def test_cells_are_counted_as_they_are_printed(connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        """SELECT c.blank, c.zero + c.other_number + c.blank + c.absent + c.unreadable + c.inferred = c.cells,
            c.cells = (SELECT count(*) FROM facts f WHERE f.report_id = c.report_id)
        FROM cell_counts c JOIN reports r ON r.report_id = c.report_id WHERE r.agency = ? AND r.report_year = 2022""",
        (AGENCY,),
    ).fetchall()
    assert rows == [(1, 1, 1)]


# The pages


def test_pages_say_their_language_and_need_no_script(browser: Browser, own_pages: list[str]) -> None:
    for path in own_pages:
        found = browser.page(path)
        assert found.get("lang") == "zh-Hans", path
        assert found.xpath("//script | //@onclick | //@style | //img | //iframe") == [], path
        assert len(found.xpath("//main//h1")) == 1, path
        ids = found.xpath("//@id")
        assert len(ids) == len(set(ids)), path
        assert [words(link) for link in found.xpath("//main//a[not(normalize-space(.)) and not(@aria-label)]")] == [], (
            path
        )
        assert found.xpath("//main//svg[not(@aria-label) and not(@aria-hidden)]") == [], path
        assert found.xpath("//main//th[not(@scope)]") == [], path
        assert found.xpath("//main//input[@type != 'hidden'][not(@id) and not(ancestor::label)]") == [], path
        assert found.xpath("//main//select[not(ancestor::label)]") == [], path


def test_every_chart_has_its_numbers_as_a_table(browser: Browser, own_pages: list[str]) -> None:
    count = 0
    for path in own_pages:
        for figure in browser.page(path).xpath("//figure[.//*[contains(@class, 'chart ')]]"):
            count += 1
            nearby = figure.xpath(".//table | ../following-sibling::*//table | ./following-sibling::div//table")
            assert nearby, path
    assert count > 12


def test_every_link_between_pages_leads_somewhere(browser: Browser, own_pages: list[str]) -> None:
    links = {link for path in own_pages for link in browser.page(path).xpath("//main//a/@href | //nav//a/@href")}
    found = {urlsplit(link)._replace(fragment="").geturl() for link in links if link.startswith("/")}
    # One of each kind: they differ by their numbers only.
    kinds = {"".join("0" if c.isdigit() else c for c in link.partition("&page")[0]): link for link in sorted(found)}
    assert len(kinds) > 60
    broken = {}
    for link in kinds.values():
        status = browser.get(link).status_code
        if status != 200:
            broken[link] = status
    assert broken == {}


@pytest.mark.parametrize(
    "path",
    [
        "/-/coverage?division=x';--&page=-3&q=%25",
        "/-/outcomes?division=999999&year=abcd&scope=<b>",
        "/-/outcomes?year=1066",
        "/-/changes?kind=<script>&site=<script>alert(1)</script>&page=99999",
        "/-/checks?rule=<script>alert(1)</script>&year=²⁰²³&verdict=x",
        "/-/search?q=<script>alert(1)</script>",
        "/-/search?q=%22AND*NEAR(&page=9999999",
        "/-/search?q=%00",
        "/-/agencies?q=_%25&division=99",
        "/-/concept/app_new?year=²",
        "/-/sites?state=<b>",
    ],
)
def test_what_is_typed_breaks_nothing(browser: Browser, path: str) -> None:
    response = browser.get(path)
    assert response.status_code == 200
    assert "<script>alert" not in response.text


@pytest.mark.parametrize("path", ["/-/agency/nobody", "/-/concept/nothing", "/-/site/nowhere", "/-/change/999"])
def test_what_is_not_there_is_said_to_be_missing(browser: Browser, path: str) -> None:
    response = browser.get(path)
    assert (response.status_code, "There is no" in response.text) == (404, True)


def test_the_first_page_leads_to_what_there_is(browser: Browser) -> None:
    found = browser.page("/")
    assert "8 份报告" in words(found)
    night = words(found.xpath("//section[h2[contains(., '最近一夜')]]")[0])
    assert "内容改动 content changed 1" in night
    assert "被拦 blocked 1" in night
    links = set(found.xpath("//nav[@class='ways']/a/@href"))
    assert links >= {"/-/coverage", "/-/agencies", "/-/outcomes", "/-/changes", "/-/checks", "/-/sites", "/-/concepts"}


def test_the_matrix_shows_reports_gaps_and_failed_checks(browser: Browser) -> None:
    found = browser.page("/-/coverage?division=990103")
    head = [words(cell) for cell in found.xpath("//table//thead//th")]
    [row] = [row for row in found.xpath("//table//tbody//tr") if words(row.xpath("./th")[0]) == AGENCY]
    cells = dict(zip(head[1:], row.xpath("./td"), strict=True))
    assert words(cells["2017"]) == "2014"
    assert (words(cells[str(GAP)]), cells[str(GAP)].get("class")) == ("缺", "gap")
    assert cells["2019"].xpath("./a/@href")[0].startswith("/-/report/")
    [row] = [row for row in found.xpath("//table//tbody//tr") if words(row.xpath("./th")[0]) == OTHER]
    assert [words(mark) for mark in row.xpath(".//sup")] == ["≠"]


def test_an_agencys_series_has_a_dot_for_every_number_and_a_gap_for_every_other_year(
    browser: Browser, agency_id: str
) -> None:
    [chart] = browser.page(f"/-/agency/{agency_id}?concept=app_refused").xpath("//main//svg[contains(@class, 'line')]")
    assert len(chart.xpath(".//*[contains(@class, 'dot')]")) == 5
    gaps = chart.xpath(".//*[local-name()='g' or local-name()='a'][.//*[@class='gap']]")
    assert [gap.get("aria-label").split("：")[0] for gap in gaps] == ["2021", "2022"]
    assert "不可比" in "".join(chart.xpath(".//*[@class='break']/text()"))
    assert len(chart.xpath(".//*[@class='series']")) == 2


def test_an_agencys_page_names_it_and_lists_its_reports(browser: Browser, agency_id: str) -> None:
    found = browser.page(f"/-/agency/{agency_id}")
    assert words(found.xpath("//h1")[0]) == AGENCY
    assert len(found.xpath("//section[h2[contains(., '历年报告')]]//tbody/tr")) == 6
    assert AGENCY in words(found.xpath("//section[h2[contains(., '名称与沿革')]]//table")[0])


def test_reports_without_a_number_are_left_out_of_shares_and_counted(browser: Browser) -> None:
    found = browser.page("/-/outcomes")
    rows = {words(row.xpath("./th")[0]): row for row in found.xpath("//table[@class='shares']//tr[td]")}
    assert words(rows["2022"].xpath("./td")[-1]) == "1"
    assert "因缺数字而未计的报告： Reports left out for want of a number: 2022：1" in words(found)


def test_a_change_shows_both_sides(browser: Browser, connection: sqlite3.Connection) -> None:
    (change_id,) = connection.execute("SELECT change_id FROM changes WHERE kind = 'content_changed'").fetchone()
    found = browser.page(f"/-/change/{change_id}")
    [row] = found.xpath("//table//tbody/tr")
    old, new = (words(cell) for cell in row.xpath("./td"))
    assert int(new) - int(old) == 4
    assert len(found.xpath("//main//a[starts-with(@href, '/-/capture/')]")) == 2


def test_changes_go_night_by_night_without_what_merely_appeared(browser: Browser) -> None:
    found = browser.page("/-/changes")
    assert [words(day) for day in found.xpath("//h2[@class='day']")] == ["2026-03-02", "2026-03-01"]
    assert [words(item.xpath(".//*[@class='what']//a")[0]) for item in found.xpath("//ul[@class='events']/li")][
        -1
    ].startswith("8 ")


def test_a_site_shows_what_is_expected_of_it(browser: Browser) -> None:
    found = browser.page("/-/site/failed_site")
    [row] = found.xpath("//section[h2[contains(., '栏目')]]//tbody/tr")
    assert [words(cell) for cell in row.xpath("./td")][1:4] == ["5", "—", "＜2"]
    assert words(found.xpath("//p[contains(@class, 'fail')]")[0]) == "too few <b>"


def test_search_finds_two_characters_marks_them_and_leads_to_the_section(browser: Browser) -> None:
    found = browser.page("/-/search?q=申请")
    hits = found.xpath("//ol[@class='hits']/li")
    assert len(hits) >= 8
    assert {words(mark) for mark in found.xpath("//mark")} == {"申请"}
    assert all("#section-" in hit.xpath(".//h2/a/@href")[0] for hit in hits)
    assert all(hit.xpath(".//a[starts-with(@href, '/-/capture/')]") for hit in hits)


def test_search_keeps_to_a_year(browser: Browser) -> None:
    years = {words(hit).split(" · ")[1] for hit in browser.page("/-/search?q=申请&year=2019").xpath("//ol/li")}
    assert years == {"2019"}


# In a real browser


@pytest.fixture(scope="module")
def server(data_dir: Path) -> Iterator[str]:
    code = (
        "import functools, pathlib, sys; from archive.browse.serve import serve; "
        f"sys.exit(serve(pathlib.Path({str(data_dir)!r}), port=0, announce=functools.partial(print, flush=True)))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process:
        yield process.stdout.readline().decode().strip().rstrip("/")
        process.terminate()


@pytest.fixture(scope="module")
def tab() -> Iterator[Chromium]:
    if PROGRAM is None:
        pytest.skip("needs chromium, to see what a browser makes of the pages")
    with chromium() as found:
        yield found


def opened(tab: Chromium, url: str, *, width: int = 1400, scheme: str = "light") -> None:
    tab.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    tab.open(url, settle=0.05)


@pytest.mark.parametrize("width", [1400, 400])
def test_no_page_is_wider_than_its_window(tab: Chromium, server: str, own_pages: list[str], width: int) -> None:
    for path in own_pages:
        opened(tab, server + path, width=width)
        assert tab.ask("document.documentElement.scrollWidth") <= width, path
        assert tab.said() == [], path
        assert {urlsplit(url).netloc for url in tab.requested()} == {urlsplit(server).netloc}, path


SEEN = """(() => {
  const table = [...document.querySelectorAll('table.form')].find(t => t.tHead?.rows[0].cells.length === 8);
  const box = table.parentElement, right = box.getBoundingClientRect().right;
  const shown = [...table.tHead.rows[0].cells].slice(1).filter(c => c.getBoundingClientRect().right <= right);
  return [shown.length, table.querySelector('tbody th:not([colspan])').offsetWidth / box.clientWidth] })()"""


def test_a_table_of_statistics_shows_its_numbers_on_a_telephone(
    tab: Chromium, server: str, connection: sqlite3.Connection
) -> None:
    """Of the seven columns of section three at least six stand beside their labels."""
    (report_id,) = connection.execute("SELECT report_id FROM reports WHERE form = '2021' LIMIT 1").fetchone()
    opened(tab, f"{server}/-/report/{report_id}", width=400)
    columns, share_of_labels = tab.ask(SEEN)
    assert columns >= 6
    assert share_of_labels < 1 / 3
    assert tab.ask("document.documentElement.scrollWidth") <= 400


# Text against the nearest background that is not see-through; what is drawn on a pattern has a plate of its own.
CONTRAST = """(() => {
  const linear = x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4;
  const light = c => { const v = c.slice(0, 3).map(x => linear(x / 255));
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };
  const probe = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = text => { probe.clearRect(0, 0, 1, 1); probe.fillStyle = text; probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data] };
  const behind = e => { for (; e; e = e.parentElement) { const s = getComputedStyle(e);
    const c = rgb(s.backgroundColor); if (c[3] > 250) return c } return [255, 255, 255, 255] };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (!box.width || style.visibility === 'hidden' || e.closest('option, title')) continue;
    const ink = rgb(e.closest('svg') ? style.fill : style.color), paper = behind(e);
    const [a, b] = [light(ink), light(paper)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05), size = parseFloat(style.fontSize);
    if (ratio < (size >= 24 ? 3 : 4.5))
      found.push(e.className.baseVal ?? e.className, e.textContent.trim().slice(0, 20), ratio.toFixed(2));
  }
  return found })()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_background(tab: Chromium, server: str, own_pages: list[str], scheme: str) -> None:
    for path in own_pages:
        opened(tab, server + path, scheme=scheme)
        assert tab.ask(CONTRAST) == [], path


def test_a_keyboard_reaches_a_point_of_a_chart_and_follows_it(tab: Chromium, server: str, agency_id: str) -> None:
    opened(tab, f"{server}/-/agency/{agency_id}?concept=app_new")
    for _ in range(60):
        tab.press("Tab")
        if tab.ask("!!document.activeElement.closest('svg')"):
            break
    assert tab.ask("document.activeElement.getAttribute('aria-label')").startswith("2017：")
    assert tab.ask("getComputedStyle(document.activeElement.querySelector('.halo')).strokeWidth") == "3px"
    tab.press("Enter")
    tab.wait(0.8)
    assert "/-/fact/" in tab.ask("location.pathname")


def test_the_first_stop_of_the_keyboard_is_past_the_menu(tab: Chromium, server: str) -> None:
    opened(tab, f"{server}/-/coverage")
    tab.press("Tab")
    assert tab.ask("document.activeElement.getAttribute('href')") == "#main"
    assert tab.ask("document.activeElement.getBoundingClientRect().left") >= 0
