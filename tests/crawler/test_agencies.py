"""From reports to agencies: assignment, parents, scope, what is left for a person; the same again after a rebuild."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from archiving import put, response, session
from crawling import gongkai, rows

from archive.browse.codebook import codebook
from archive.model import Target
from archive.paths import database_path
from archive.store import Store
from crawler import agency_deciding as deciding
from crawler.agencies import assign_agencies
from crawler.exceptions import AgencyError, DivisionFileError
from crawler.extract import extract
from crawler.jail import InProcess
from crawler.site import parse_site

SITE = parse_site(
    """
agency = "哈尔滨市南岗区人民政府"
division_code = "230103"
[channels]
reports = "http://n.example.cn/list.html"
""",
    name="n",
    source="n.toml",
)
AGGREGATE = "本报告所列数据包括区政府办公室及各部门、各街道的数据。"
OWN = "本报告统计数据仅为本机关情况。"
# Name in the title, year, opening.
REPORTS = (
    ("南岗区文化街道办事处", 2019, ""),
    ("文化街道", 2020, "现公布南岗区文化街道2020年度报告。"),
    ("哈尔滨市南岗区人民政府文化街道办事处", 2021, OWN),
    ("南岗区", 2020, AGGREGATE),
    ("哈尔滨市南岗区人民政府", 2021, AGGREGATE + OWN),
    ("南岗区发展和改革局", 2020, ""),
    ("南岗区发改局", 2021, ""),
    ("南岗区发展和改革委员会", 2022, ""),
    ("奋斗街道办事处", 2021, "现公布道里区奋斗街道2021年度报告。"),
    ("综合办公室", 2021, ""),
)
WHO = {"author": "陈默"}


def url_of(name: str, year: int) -> str:
    return f"http://n.example.cn/{year}/{sum(name.encode())}.html"


def page(name: str, year: int, opening: str) -> bytes:
    title = f"{name}{year}年政府信息公开工作年度报告"
    text = (
        f"<html><head><title>{title}</title><meta name='ArticleTitle' content='{title}'></head><body><h1>{title}</h1>"
        f"<p>根据条例编制。{opening}</p><p>一、总体情况</p><p>平稳。</p><p>二、主动公开政府信息情况</p><p>无变化。</p>"
        f"<p>三、收到和处理政府信息公开申请情况</p><p>没有收到。</p><p>四、政府信息公开行政复议、行政诉讼情况</p><p>没有。</p></body></html>"
    )
    return response(text.encode(), b"Content-Type: text/html; charset=utf-8")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("agencies")
    with session(data_dir, site=SITE) as opened:
        for name, year, opening in REPORTS:
            put(opened, Target(url_of(name, year), "page", "n", "reports"), page(name, year, opening))
    extract(data_dir, runner=InProcess())
    return data_dir


@pytest.fixture
def data_dir(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "data"))


def agency_of(data_dir: Path, name: str, year: int) -> str | None:
    ((found,),) = rows(data_dir, "SELECT agency_id FROM reports WHERE document_url = ?", url_of(name, year))
    return found


def scope_of(data_dir: Path, name: str, year: int) -> tuple[str, str]:
    ((scope, evidence),) = rows(
        data_dir,
        """SELECT r.scope, b.scope_evidence FROM reports r JOIN report_agencies b ON b.report_id = r.report_id
        WHERE r.document_url = ?""",
        url_of(name, year),
    )
    return scope, evidence


def everything(data_dir: Path) -> dict[str, list[tuple]]:
    """All of agencies' tables; row numbers of reports as addresses."""
    tables = {
        "agencies": "*", "agency_names": "agency_id, name, valid_from, valid_to, reports, decided_by",
        "agency_events": "*", "divisions": "*", "agency_reviews": "review_id, kind, rule, evidence, status, decided_by",
    }  # fmt: skip
    found = {
        table: sorted(rows(data_dir, f"SELECT {columns} FROM {table}"), key=repr) for table, columns in tables.items()
    }
    found["report_agencies"] = rows(
        data_dir,
        """SELECT d.document_url, b.agency_id, b.scope, b.rule, b.evidence, b.scope_evidence FROM report_agencies b
        JOIN report_documents d ON d.report_id = b.report_id ORDER BY 1""",
    )
    found["findings"] = rows(
        data_dir, "SELECT level, url, message FROM findings WHERE code = 'agency_unresolved' ORDER BY url"
    )
    return found


def run(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess:
    process = gongkai(data_dir, "agencies", *arguments)
    out, errors = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, out, errors)


def told(done: subprocess.CompletedProcess) -> list[dict[str, Any]]:
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_street_under_three_names_is_one_agency_with_three_names_and_their_years(data_dir: Path) -> None:
    ids = {agency_of(data_dir, name, year) for name, year, _ in REPORTS[:3]}
    assert len(ids) == 1
    (agency_id,) = ids
    assert rows(data_dir, "SELECT name, kind, level, division_code FROM agencies WHERE agency_id = ?", agency_id) == [
        ("哈尔滨市南岗区文化街道办事处", "street_office", "county", "230103")
    ]
    assert rows(data_dir, "SELECT name, valid_from FROM agency_names WHERE agency_id = ? ORDER BY 2", agency_id) == [
        ("南岗区文化街道办事处", 2019),
        ("文化街道", 2020),
        ("哈尔滨市南岗区人民政府文化街道办事处", 2021),
    ]


def test_a_street_is_below_its_district_and_that_below_its_city_and_province(data_dir: Path) -> None:
    chain, agency_id = [], agency_of(data_dir, "文化街道", 2020)
    while agency_id:
        ((name, agency_id),) = rows(data_dir, "SELECT name, parent_id FROM agencies WHERE agency_id = ?", agency_id)
        chain.append(name)
    assert chain == [
        "哈尔滨市南岗区文化街道办事处",
        "哈尔滨市南岗区人民政府",
        "哈尔滨市人民政府",
        "黑龙江省人民政府",
    ]


def test_scope_is_what_the_text_says_and_unknown_where_it_says_nothing_or_both(data_dir: Path) -> None:
    assert scope_of(data_dir, "哈尔滨市南岗区人民政府文化街道办事处", 2021) == ("own", OWN)
    assert scope_of(data_dir, "南岗区", 2020) == ("aggregate", AGGREGATE)
    assert scope_of(data_dir, "南岗区发改局", 2021) == ("unknown", "")
    assert scope_of(data_dir, "哈尔滨市南岗区人民政府", 2021) == ("unknown", f"{AGGREGATE} | {OWN}")


def test_what_no_rule_can_tell_has_no_agency_a_finding_and_a_place_in_the_list(data_dir: Path) -> None:
    unresolved = {
        url_of("奋斗街道办事处", 2021): "text_contradicts_site",
        url_of("综合办公室", 2021): "bare_institution",
    }
    assert {agency_of(data_dir, name, 2021) for name in ("奋斗街道办事处", "综合办公室")} == {None}
    found = rows(data_dir, "SELECT url, message FROM findings WHERE code = 'agency_unresolved'")
    assert {url: message.split(":")[0] for url, message in found} == unresolved
    listed = told(run(data_dir, "review", "--json"))
    assert {row["document_url"]: row["rule"] for row in listed if row["kind"] == "report"} == unresolved


def test_a_second_pass_writes_nothing(data_dir: Path) -> None:
    with Store.open(data_dir) as store:
        before = store.connection.total_changes
        assert assign_agencies(store) == assign_agencies(store)
        assert store.connection.total_changes == before


def test_a_person_joins_two_that_may_be_one_and_a_rebuild_keeps_it(data_dir: Path) -> None:
    bureau, commission = agency_of(data_dir, "南岗区发改局", 2021), agency_of(data_dir, "南岗区发展和改革委员会", 2022)
    assert bureau is not None and commission is not None and bureau != commission
    (pair,) = [row for row in told(run(data_dir, "review", "--json")) if row["kind"] == "pair"]
    assert ({pair["agency_id"], pair["other_id"]}, pair["rule"]) == ({bureau, commission}, "same_function")
    (decision,) = told(
        run(data_dir, "same", bureau, commission, "--author", "陈默", "--reason", "2023年机构改革方案", "--json")
    )
    assert agency_of(data_dir, "南岗区发展和改革委员会", 2022) == bureau
    by = f"decision:{decision['decision_id']}"
    assert rows(data_dir, "SELECT kind, other, note, decided_by FROM agency_events") == [
        ("merged", commission, "2023年机构改革方案", by)
    ]
    assert [row for row in told(run(data_dir, "review", "--json")) if row["kind"] == "pair"] == []
    before = everything(data_dir)
    database_path(data_dir).unlink()
    extract(data_dir, full=True, runner=InProcess())
    assert everything(data_dir) == before


def test_a_decision_that_is_undone_leaves_what_was_before(data_dir: Path) -> None:
    before = everything(data_dir)
    bureau, commission = "南岗区发改局", "南岗区发展和改革委员会"
    made = deciding.decide(data_dir, "陈默", deciding.same(bureau, commission, reason="改革"))
    assert everything(data_dir) != before
    deciding.decide(data_dir, "陈默", deciding.undo(made, reason="看错了"))
    assert everything(data_dir) == before


def test_two_that_differ_are_not_asked_about_again_and_cannot_be_joined(data_dir: Path) -> None:
    bureau, commission = "南岗区发改局", "南岗区发展和改革委员会"
    deciding.decide(data_dir, "陈默", deciding.differ(bureau, commission, reason="并存"))
    assert rows(data_dir, "SELECT count(*) FROM agency_reviews WHERE kind = 'pair' AND status = 'open'") == [(0,)]
    assert rows(data_dir, "SELECT count(*) FROM agencies WHERE is_provisional") == [(0,)]
    with pytest.raises(AgencyError, match="says they differ; undo it first"):
        deciding.decide(data_dir, "陈默", deciding.same(bureau, commission, reason="改革"))


def test_a_person_says_whose_a_report_is(data_dir: Path) -> None:
    report = url_of("综合办公室", 2021)
    with pytest.raises(AgencyError, match="not full enough"):
        deciding.decide(data_dir, "陈默", deciding.assign(report, "综合办公室", every=False, reason="电话核实"))
    deciding.decide(data_dir, "陈默", deciding.assign(report, "南岗区奋斗街道办事处", every=True, reason="电话核实"))
    assert rows(data_dir, "SELECT agency_name FROM reports WHERE document_url = ?", report) == [
        ("哈尔滨市南岗区奋斗街道办事处",)
    ]
    ((by,),) = rows(data_dir, "SELECT decided_by FROM agencies WHERE name = '哈尔滨市南岗区奋斗街道办事处'")
    assert by.startswith("decision:")
    assert rows(data_dir, "SELECT url FROM findings WHERE code = 'agency_unresolved'") == [
        (url_of("奋斗街道办事处", 2021),)
    ]


def test_a_new_name_stands_over_the_canonical_one(data_dir: Path) -> None:
    agency_id = agency_of(data_dir, "文化街道", 2020)
    assert agency_id is not None
    done = run(data_dir, "rename", agency_id, "文化街道", "--name-en", "Wenhua", "--author", "陈默", "--reason", "惯称")
    assert done.returncode == 0
    assert rows(data_dir, "SELECT name, name_en FROM agencies WHERE agency_id = ?", agency_id) == [
        ("文化街道", "Wenhua")
    ]
    assert [row["name"] for row in told(run(data_dir, "list", "--kind", "street_office", "--json"))] == ["文化街道"]


def test_a_decision_on_what_is_no_more_is_a_finding(data_dir: Path) -> None:
    bureau, commission = "南岗区发改局", "南岗区发展和改革委员会"
    made = deciding.decide(data_dir, "陈默", deciding.same(bureau, commission, reason="改革"))
    with Store.open(data_dir) as store:
        with store.transaction() as connection:
            connection.execute(
                "UPDATE report_versions SET known_to = '2030-01-01T00:00:00Z' WHERE agency = ?", (commission,)
            )
        assign_agencies(store)
    ((level, message),) = rows(
        data_dir, "SELECT level, message FROM findings WHERE code = 'agency_decision_not_applied'"
    )
    assert (level, message.split(": ")[0]) == ("warning", f"decision {made} (agency_same)")


def test_an_agency_is_shown_with_names_parents_and_reports(data_dir: Path) -> None:
    (shown,) = told(run(data_dir, "show", "文化街道", "--json"))
    assert shown["parents"][0]["name"] == "哈尔滨市南岗区人民政府"
    assert len(shown["names"]) == len(shown["reports"]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("same", "南岗区发改局", "南岗区发改局"), "are one agency already"),
        (("differ", "南岗区发改局", "无此机关"), "no agency 无此机关"),
        (("undo", "d00000000"), "there is no decision d00000000"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_decision_that_cannot_stand_is_one_line(data_dir: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run(data_dir, *arguments, "--author", "陈默", "--reason", "试")
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert rows(data_dir, "SELECT count(*) FROM decisions") == [(0,)]


def test_later_division_codes_come_from_a_table_that_a_rebuild_keeps(data_dir: Path, tmp_path: Path) -> None:
    table = tmp_path / "later.csv"
    table.write_text("division_code,name,valid_from,valid_to\n230103,南岗新名区,2030-01,\n", "utf-8")
    assert run(data_dir, "divisions", str(table), "--author", "陈默", "--reason", "民政部公告").returncode == 0
    table.unlink()
    for _ in range(2):
        assert rows(data_dir, "SELECT name, valid_to, source FROM divisions WHERE division_code = '230103'") == [
            ("南岗区", "2030-01", "gb2260"),
            ("南岗新名区", None, "csv"),
        ]
        assert agency_of(data_dir, "文化街道", 2020) == "a503g0pbgvb5k"
        assert rows(data_dir, "SELECT name FROM agencies WHERE agency_id = 'a503g0pbgvb5k'") == [
            ("哈尔滨市南岗新名区文化街道办事处",)
        ]
        assert rows(data_dir, "SELECT other, year FROM agency_events WHERE agency_id = 'a503g0pbgvb5k'") == [
            ("南岗区", 2030)
        ]
        extract(data_dir, full=True, runner=InProcess())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("23010,某区,2020-01,", "line 2: expected a division code of six digits, found '23010'"),
        ("230103,,2020-01,", "line 2: expected the name of 230103, found none"),
        ("230103,某区,去年,", "line 2: expected valid_from as 2021-04"),
    ],
)
def test_a_table_of_codes_that_cannot_be_read_is_named_with_its_line(data_dir: Path, line: str, message: str) -> None:
    (data_dir / "divisions.csv").write_text(f"division_code,name,valid_from,valid_to\n{line}\n", "utf-8")
    with Store.open(data_dir) as store, pytest.raises(DivisionFileError, match=r"divisions\.csv: ") as raised:
        assign_agencies(store)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("query", "count"), [("agencies_to_decide", 1), ("reports_without_agency", 2), ("agencies_of_many_names", 3)]
)
def test_a_stored_query_shows_what_waits_and_who_has_many_names(data_dir: Path, query: str, count: int) -> None:
    (sql,) = [one.sql for one in codebook().queries if one.name == query]
    assert len(rows(data_dir, sql)) == count
