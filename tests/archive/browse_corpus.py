"""A small corpus as crawl and extraction leave it, with an agency that means harm, and Datasette on it."""

from __future__ import annotations

import gzip
from pathlib import Path

from archive_kit import FixedClock, exchange, recording

from archive.browse.form_cells import FormCellRow, FormRuleRow, write_codebook
from archive.model import Exchange, Finding, Target
from archive.rows import AttachmentRow, CheckRow, FactRow, PageRow, ReadingRow, ReportRow, SectionRow
from archive.store import Store

HOST = "www.qinghe.example"
PAGE_URL = f"http://{HOST}/art/2024/1/20/art_1_1.html"
PDF_URL = f"http://{HOST}/attach/0/report.pdf"
SVG_URL = f"http://{HOST}/attach/0/seal.svg"
BROKEN_URL = f"http://{HOST}/broken.html"
SILENT_URL = f"http://{HOST}/silent.html"
HOSTILE = "<script>alert('x')</script>"
PAGE_TEXT = f"<html><meta charset=utf-8><body>{HOSTILE}<table><tr><td>自然人</td><td>84</td></tr></table></body></html>"
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\ntrailer\n%%EOF\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'

# Captures in the order in which `make` records them.
PAGE, PDF_FILE, SVG_FILE, BROKEN, SILENT, SAME_PAGE = range(1, 7)
REPORT, PDF_REPORT = 1, 2

_TABLE = "三、收到和处理申请情况"
CELLS = (
    FormCellRow("2021", "disclosure.rules.issued", "二、主动公开情况", "规章", "本年制发件数", "件"),
    FormCellRow("2021", "disclosure.rules.in_force", "二、主动公开情况", "规章", "现行有效件数", "件"),
    FormCellRow("2021", "disclosure.fees.amount", "二、主动公开情况", "行政事业性收费", "本年收费金额", "万元"),
    FormCellRow(
        "2021", "applications.new.natural_person", _TABLE, "一、本年新收", "自然人", "件", "New: natural persons"
    ),
    FormCellRow("2021", "applications.new.other", _TABLE, "一、本年新收", "其他", "件"),
    FormCellRow("2021", "applications.new.total", _TABLE, "一、本年新收", "总计", "件"),
    FormCellRow(
        "2021", "applications.refused_secret.natural_person", _TABLE, "（三）不予公开 1.国家秘密", "自然人", "件"
    ),
    FormCellRow("2021", "applications.refused_secret.other", _TABLE, "（三）不予公开 1.国家秘密", "其他", "件"),
    FormCellRow("2021", "applications.refused_secret.total", _TABLE, "（三）不予公开 1.国家秘密", "总计", "件"),
    FormCellRow("2021", "applications.odd.total", _TABLE, "（六）其他", "总计", "件", variant="印作一行时"),
)
RULES = (
    FormRuleRow(
        "2021",
        "applications.sum.new",
        "自然人与其他之和等于总计",
        "=",
        ("applications.new.natural_person", "applications.new.other"),
        ("applications.new.total",),
    ),
    FormRuleRow(
        "2021",
        "applications.sum.refused_secret",
        "自然人与其他之和等于总计",
        "=",
        ("applications.refused_secret.natural_person", "applications.refused_secret.other"),
        ("applications.refused_secret.total",),
    ),
)
FACTS = (
    FactRow("disclosure.rules.issued", 0, "0", "件", "reported", "table=1;row=2;column=2"),
    FactRow("disclosure.rules.in_force", None, "—", "件", "blank", "table=1;row=2;column=3"),
    FactRow("disclosure.fees.amount", None, HOSTILE, "万元", "unreadable", "table=1;row=4;column=2"),
    FactRow("applications.new.natural_person", 84, "84", "件", "reported", "table=2;row=3;column=2"),
    FactRow("applications.new.other", 6, "6", "件", "reported", "table=2;row=3;column=3", 0.5),
    FactRow("applications.new.total", 91, "91", "件", "reported", "table=2;row=3;column=4", 0.5),
    FactRow("applications.refused_secret.natural_person", None, "", "件", "absent", ""),
    FactRow("applications.refused_secret.other", 3, "", "件", "inferred", "table=2;row=5;column=3", 0.8),
    FactRow("unheard.of", 12, "12", "件", "reported", "page=2;box=90.1,310.5,152.3,325"),
)
CHECKS = (
    CheckRow("applications.sum.new", "fail", 90, 91),
    CheckRow("applications.sum.refused_secret", "not_applicable"),
)
SECTIONS = (
    SectionRow("一、总体情况", f"清河区以民为本，{HOSTILE}落实政策解读。\n全年回应关切。", "paragraph=3"),
    SectionRow("五、存在的主要问题", "解读形式单一。", "paragraph=9"),
)


def answer(body: bytes, media_type: str, *headers: bytes) -> bytes:
    fields = (b"Content-Type: " + media_type.encode(), b"Content-Length: %d" % len(body), *headers)
    return b"\r\n".join((b"HTTP/1.1 200 OK", *fields)) + b"\r\n\r\n" + body


def make(data_dir: Path) -> None:
    """Two runs: everything once, then the page again with the same payload; then what extraction writes."""
    clock = FixedClock()
    # GBK that calls itself utf-8.
    page = answer(
        gzip.compress(PAGE_TEXT.encode("gbk"), mtime=0), "text/html; charset=utf-8", b"Content-Encoding: gzip"
    )
    first = {
        PAGE_URL: page,
        PDF_URL: answer(PDF, "text/html"),
        SVG_URL: answer(SVG, "image/svg+xml"),
        BROKEN_URL: answer(b"this is no gzip", "text/html", b"Content-Encoding: gzip"),
        SILENT_URL: b"",
    }
    for run_id, answers in (("run-1", first), ("run-2", {PAGE_URL: page})):
        with recording(data_dir, run_id, clock) as (_, _, recorder):
            for url, response in answers.items():
                recorder.record_now(_target(url), None, _exchange(url, response, clock))
            recorder.close()
    with Store.open(data_dir, clock=clock) as store:
        write_codebook(store, CELLS, RULES)
        _read(store)


def _target(url: str) -> Target:
    return Target(url, "page" if url == PAGE_URL else "attachment", "demo_qinghe", "annual_report", anchor=HOSTILE)


def _exchange(url: str, response: bytes, clock: FixedClock) -> Exchange:
    error = None if response else "ConnectionRefused: nobody there"
    return exchange(_target(url), response, clock, error=error)


def _read(store: Store) -> None:
    page = PageRow(
        PAGE_URL,
        "demo_qinghe",
        "annual_report",
        PAGE,
        "1",
        f"清河区年报{HOSTILE}",
        "2024-01-20",
        text=f"以民为本{HOSTILE}",
    )
    store.insert_page(page)
    store.insert_attachment(
        AttachmentRow(PDF_URL, PAGE_URL, '年报"\r\nX-Evil: 1<b>.pdf', "application/pdf", len(PDF), PDF_FILE)
    )
    report = ReportRow(
        PAGE_URL,
        page_url=PAGE_URL,
        site="demo_qinghe",
        agency=f"清河区{HOSTILE}",
        agency_origin="title",
        division_code="000101",
        report_year=2023,
        form="2021",
        title=f"清河区2023年度报告{HOSTILE}",
        published_date="2024-01-20",
    )
    store.insert_reading(
        ReadingRow(
            PAGE,
            "1",
            "annual_report",
            "text/html",
            form="2021",
            contact_json='{"phone": "<b>000</b>"}',
            report=report,
            facts=FACTS,
            checks=CHECKS,
            sections=SECTIONS,
            findings=(Finding("warning", "stray_cell", f"row 9: {HOSTILE}"),),
        )
    )
    other = ReportRow(
        PDF_URL, page_url=PAGE_URL, agency="清河区财政局", report_year=2022, form=None, title="二〇二二年报告"
    )
    store.insert_reading(ReadingRow(PDF_FILE, "1", "annual_report", "application/pdf", report=other, facts=(FACTS[3],)))
    store.insert_reading(
        ReadingRow(BROKEN, "1", "unknown", "text/html", error_code="empty", error_message=f"nothing {HOSTILE}")
    )
