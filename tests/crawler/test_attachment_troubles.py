"""Attachments as servers really send them, over three nights: each trouble is said once, its bytes are kept, the rest
goes on, and what was known of the file stands until another file comes.
"""

import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from crawling import COMMAND, crawled, gongkai, made_again, one, rows
from loopback import Answer, Column, served, site_file

from crawler.replica.reports import Text, draw_report, lay_out
from crawler.replica.writers import docx
from crawler.replica.writers.packed import write_zip

SETUP = (
    "from crawler import manners, retry, settings; retry.FIRST_WAIT_SECONDS = manners.FIRST_BLOCK_WAIT_SECONDS = 0.0; "
    "settings.DOWNLOAD_MAXSIZE = 1 << 20; "
)
SITE = Column(2)
CELL = "disclosure.regulations.issued"
BEFORE = draw_report("attachments", agency="云岭县水库站", year=2022)
AFTER = replace(BEFORE, values={**BEFORE.values, CELL: 777})
NOTICE = "<!DOCTYPE html><html><title>提示</title><body>文件服务器正在维护，请稍后再下载。</body></html>".encode()
HTML = (("Content-Type", "text/html; charset=utf-8"),)
NAME = "受理情况表.docx"
NAMES = {
    "gbk": b'attachment; filename="' + NAME.encode("gbk") + b'"',
    "rfc5987": b"attachment; filename=x.docx; filename*=UTF-8''" + quote(NAME).encode(),
    "rfc2047": b'attachment; filename="=?UTF-8?B?' + b64encode(NAME.encode()) + b'?="',
}


def file_of(text: str) -> bytes:
    return docx.write_blocks((Text(text * 9),), title="附件")


REPORTS = [docx.write(lay_out(report)) for report in (BEFORE, AFTER)]
GUIDE = file_of("本站受理申请的时间和地点。")
WHOLE = {
    "/files/notice.docx": file_of("甲表在此。"),
    "/files/part.docx": file_of("乙表在此。"),
    "/files/empty.docx": file_of("丙表在此。"),
    "/files/large.docx": file_of("丁表在此。"),
}
AMISS = {
    "/files/notice.docx": Answer(body=NOTICE, headers=HTML),
    "/files/part.docx": Answer(206, WHOLE["/files/part.docx"][:500], (("Content-Range", "bytes 0-499/9999"),)),
    "/files/empty.docx": Answer(),
    "/files/large.docx": Answer(body=WHOLE["/files/large.docx"] + bytes(4 << 20)),
}
SAID = {
    "/files/notice.docx": ["page_instead_of_file"],
    # Every answer that is no page and no file is left to the next run, which is said beside it.
    "/files/part.docx": ["fetch_failed", "http_error"],
    "/files/empty.docx": ["empty_answer"],
    "/files/large.docx": ["truncated"],
}
OTHERS = {
    "/files/mistyped.docx": Answer(body=GUIDE, headers=HTML),
    "/copies/guide.docx": Answer(body=GUIDE),
    "/files/never.pdf": Answer(body=NOTICE, headers=(("Content-Type", "application/pdf"),)),
    **{
        f"/system/_content/download.jsp?wbfileid={kind}": Answer(
            body=file_of(f"{kind}。"), headers=(("Content-Disposition", value.decode("latin-1")),)
        )
        for kind, value in NAMES.items()
    },
}
CHANGING = ("/files/report.docx", "/files/all.zip")


def answered(path: str, night: int) -> Answer | None:
    if path == SITE.paths[0]:
        links = "".join(
            f"<p><a href='{link}'>{'点击下载' if '?' in link else link.rpartition('/')[2]}</a></p>"
            for link in (*WHOLE, *OTHERS, *CHANGING)
        )
        return Answer(
            body=f"<html><title>公告</title><div id='zoom'><p>附件如下。</p>{links}</div></html>".encode(), headers=HTML
        )
    if path in WHOLE:
        return AMISS[path] if night == 2 else Answer(body=WHOLE[path])
    report = REPORTS[night > 1]
    if path == "/files/report.docx":
        return Answer(body=report)
    if path == "/files/all.zip":
        return Answer(body=write_zip([("说明.docx", GUIDE), ("年报.docx", report)]))
    return OTHERS.get(path)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second night has the troubles, and another report; the third is whole again."""
    folder, night = tmp_path_factory.mktemp("attachments"), 0
    with served(SITE.with_overrides(lambda path, _count: answered(path, night))) as script:
        file = str(site_file(folder, script.base))
        for _ in range(3):
            night += 1
            done = crawled(
                gongkai(folder / "data", "crawl", "--site-file", file, "--json", "--full", code=SETUP + COMMAND)
            )
            assert done.code == 0, done.errors
    return folder / "data"


def codes(nights: Path, path: str) -> list[str]:
    return [code for (code,) in rows(nights, "SELECT code FROM findings WHERE url LIKE '%' || ? ORDER BY 1", path)]


def kinds(nights: Path, path: str) -> list[str]:
    found = rows(nights, "SELECT kind FROM changes WHERE url LIKE '%' || ? ORDER BY change_id", path)
    return [kind for (kind,) in found]


@pytest.mark.parametrize("path", SAID)
def test_a_trouble_is_said_once_and_no_change(nights: Path, path: str):
    assert (codes(nights, path), kinds(nights, path)) == (SAID[path], ["appeared"])


@pytest.mark.parametrize("path", SAID)
def test_the_bytes_of_a_trouble_are_kept_and_the_file_stands(nights: Path, path: str):
    found = rows(nights, "SELECT payload_bytes FROM captures WHERE url LIKE '%' || ? ORDER BY capture_id", path)
    sizes = [size for (size,) in found]
    assert sizes[0] == sizes[2] == len(WHOLE[path])
    assert sizes[1] == len(AMISS[path].body) or (path == "/files/large.docx" and sizes[1] > 1 << 20)
    kind, size = rows(nights, "SELECT media_type, bytes FROM attachments WHERE url LIKE '%' || ?", path)[0]
    assert (kind.rpartition(".")[2], size) == ("document", len(WHOLE[path]))


def test_a_file_that_always_was_a_page_is_said_to_be_one_once(nights: Path):
    assert rows(nights, "SELECT media_type FROM attachments WHERE url LIKE '%never.pdf'") == [("text/html",)]
    assert (codes(nights, "never.pdf"), kinds(nights, "never.pdf")) == (["type_mismatch"], ["appeared"])


def test_all_is_the_same_when_the_database_is_made_again(nights: Path):
    before, after = made_again(
        nights,
        "SELECT url, kind FROM changes ORDER BY 1, 2",
        "SELECT url, outcome FROM captures ORDER BY captured_at, url",
        "SELECT level, code, url, message FROM findings WHERE capture_id IS NOT NULL ORDER BY 2, 3",
        "SELECT url, page_url, file_name, media_type, bytes, capture_id FROM attachments ORDER BY 1, 2",
    )
    assert after == before


def test_a_wrong_content_type_is_no_trouble(nights: Path):
    found = rows(nights, "SELECT media_type FROM attachments WHERE url LIKE '%/mistyped.docx'")
    assert [kind.rpartition(".")[2] for (kind,) in found] == ["document"]
    assert codes(nights, "mistyped.docx") == []


def test_the_same_file_at_two_addresses_is_two_attachments_of_one_payload(nights: Path):
    query = """SELECT count(*), count(DISTINCT c.payload_digest) FROM attachments a JOIN captures c USING (capture_id)
        WHERE a.url LIKE '%mistyped.docx' OR a.url LIKE '%guide.docx'"""
    assert rows(nights, query) == [(2, 1)]


@pytest.mark.parametrize("kind", NAMES)
def test_a_file_is_called_what_its_server_calls_it(nights: Path, kind: str):
    query = "SELECT file_name FROM attachments WHERE url LIKE '%wbfileid=' || ?"
    assert one(nights, query, kind) == NAME


@pytest.mark.parametrize("path", CHANGING)
def test_another_file_at_the_address_is_a_change_of_the_cell_that_differs(nights: Path, path: str):
    assert kinds(nights, path) == ["appeared", "content_changed"]
    cells = one(
        nights, "SELECT cells_json FROM change_diffs JOIN captures USING (capture_id) WHERE url LIKE '%' || ?", path
    )
    assert [cell["new"] for cell in json.loads(cells)] == ["777"]


def test_the_run_goes_on(nights: Path):
    assert one(nights, "SELECT count(*) FROM frontier WHERE state <> 'acknowledged'") == 0
    assert rows(nights, "SELECT DISTINCT status FROM runs") == [("finished",)]
    assert one(nights, "SELECT count(*) FROM pages") == 2
