"""Files of other tools taken in: whatever their container, everything readable in them, once, and safely."""

import base64
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import warnings
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from crash_kit import Killed, SteppedFiles, SteppedStore, Steps, When
from crawling import crawled, gongkai, rows
from foreign import (
    by_member,
    chunked,
    fetched,
    http,
    info,
    one_stream,
    page,
    record,
    record_id,
    saved,
    wacz,
)

from archive.audit import audit
from archive.contents import capture_record, entity_bytes, payload_bytes, response_bytes
from archive.http1 import split_head
from archive.lock import lock
from archive.model import Exchange, Target
from archive.paths import database_path, index_path, warc_dir
from archive.reader import read_record
from archive.store import Store
from crawler import importing
from crawler.extract import extract
from crawler.importing import ImportSummary, import_files
from crawler.replica import Behaviour, Replica
from crawler.report import standing
from crawler.session import Options, Session
from crawler.site import parse_site
from crawler.status import status

A, B, C = (f"http://www.qinghe.example/{name}.html" for name in "abc")


def taken(tmp_path: Path, data: bytes, name: str = "other.warc.gz") -> ImportSummary:
    return import_files(tmp_path / "data", [saved(tmp_path, data, name)])


def captures(tmp_path: Path) -> list[tuple]:
    return rows(tmp_path / "data", "SELECT url, outcome, http_status, role FROM captures ORDER BY capture_id")


def findings(tmp_path: Path) -> list[tuple]:
    return rows(tmp_path / "data", "SELECT level, code, message FROM findings ORDER BY finding_id")


def pages(*urls: str) -> list[bytes]:
    return [info(), *(record("response", url, http(page(f"第{n}页")), name=url) for n, url in enumerate(urls))]


# What the replica's truth says, out of files that other tools made of it


@pytest.fixture(scope="module")
def replica():
    with Replica(listings=14, behaviour=Behaviour(volatile=False, chunked=True, gzip=True)) as site:
        yield site


def addresses(replica: Replica) -> list[str]:
    files = [url for item in replica.truth.attachments for url in (item.url, item.final_url)]
    return list(dict.fromkeys([*(item.url for item in replica.truth.pages if item.listed), *files]))


@pytest.fixture(scope="module")
def exchanges(replica: Replica) -> list[tuple[str, bytes]]:
    """The listed pages and their files as the server sends them; files come before the pages that link to them."""
    return [(url, fetched(url)) for url in reversed(addresses(replica))]


def truth_of(replica: Replica) -> tuple[set[tuple], set[tuple]]:
    reports = {
        (item.document_url, item.page_url, item.agency, item.year, item.form)
        for item in replica.truth.reports
        if item.listed
    }
    facts = {
        (item.document_url, cell, float(expected.value))
        for item in replica.truth.reports
        for cell, expected in item.facts.items()
        if item.listed and not item.troubles and expected.value is not None
    }
    return reports, facts


def assert_reports_equal_truth(replica: Replica, data_dir: Path) -> None:
    reports, facts = truth_of(replica)
    assert len(reports) >= 4
    found = rows(data_dir, "SELECT document_url, page_url, agency, report_year, form FROM reports")
    assert set(found) == reports
    values = set(rows(data_dir, "SELECT document_url, cell, value FROM facts JOIN reports USING (report_id)"))
    assert facts - values == set()


def test_wgets_own_warc_gives_the_reports(replica: Replica, tmp_path: Path):
    if shutil.which("wget") is None:
        pytest.skip("wget is not installed")
    command = ["wget", "-q", "--no-proxy", "-e", "robots=off", "--page-requisites", "--span-hosts", "--delete-after"]
    command += ["--domains=127.0.0.1", "--tries=1", f"--warc-file={tmp_path / 'made'}", "-P", str(tmp_path / "w")]
    subprocess.run([*command, *addresses(replica)], check=False, timeout=60)
    data = tmp_path / "data"
    first = import_files(data, [tmp_path / "made.warc.gz"])
    assert first.ok
    assert_reports_equal_truth(replica, data)
    truth = {(item.url, item.page_url, f"sha256:{item.sha256}") for item in replica.truth.attachments}
    found = rows(
        data, "SELECT a.url, a.page_url, c.payload_digest FROM attachments a LEFT JOIN captures c USING (capture_id)"
    )
    assert truth - set(found) == set()
    stored = data / "warc" / str(first.files[0].warc_file)
    assert stored.read_bytes() == (tmp_path / "made.warc.gz").read_bytes()
    assert list(audit(data)) == []


def made_by_warcio(exchanges: list[tuple[str, bytes]], version: str) -> bytes:
    from warcio.warcwriter import WARCWriter

    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version=version)
    writer.write_record(writer.create_warcinfo_record("made.warc.gz", {"software": "warcio"}))
    for url, raw in exchanges:
        request = writer.create_warc_record(url, "request", payload=io.BytesIO(b"GET / HTTP/1.1\r\n\r\n"))
        response = writer.create_warc_record(url, "response", payload=io.BytesIO(raw))
        with warnings.catch_warnings():
            # warcio leaves its temporary files to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            writer.write_request_response_pair(request, response)
            del request, response
    return out.getvalue()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_files_by_warcio_give_the_reports(replica: Replica, exchanges, tmp_path: Path, version: str):
    """Chunked and content-coded answers among them; each file before the page that links to it."""
    assert any(b"chunked" in raw[:500] for _, raw in exchanges)
    assert any(b"Content-Encoding: gzip" in raw[:500] for _, raw in exchanges)
    assert taken(tmp_path, made_by_warcio(exchanges, f"WARC/{version}")).ok
    assert_reports_equal_truth(replica, tmp_path / "data")
    assert list(audit(tmp_path / "data")) == []
    found = status(tmp_path / "data")
    assert found["imported"] == {"files": 1, "reports": len(truth_of(replica)[0])}
    assert f"imported: 1 files, {found['imported']['reports']} reports" in standing(found).splitlines()


def test_a_wacz_by_py_wacz_gives_the_reports_and_an_emptied_database_gets_them_back(
    replica: Replica, exchanges, tmp_path: Path
):
    program = Path(sys.executable).with_name("wacz")
    if not program.exists():
        pytest.skip("wacz is not installed (dev extra)")
    made = saved(tmp_path, made_by_warcio(exchanges, "WARC/1.1"), "made.warc.gz")
    subprocess.run([program, "create", "-o", tmp_path / "made.wacz", made], check=True, capture_output=True)
    data = tmp_path / "data"
    assert import_files(data, [tmp_path / "made.wacz"]).ok
    assert_reports_equal_truth(replica, data)
    before = content(data)
    for path in [*data.glob("corpus.db*"), index_path(data)]:
        path.unlink()
    extract(data, full=True)
    assert content(data) == before
    assert list(audit(data)) == []


CONTENT = (
    "SELECT run_id, kind, started_at, finished_at, status, requests, new_captures FROM runs",
    "SELECT * FROM captures ORDER BY capture_id",
    "SELECT * FROM imports",
    "SELECT run_id, level, code, url, capture_id, message FROM findings ORDER BY 1, 3, 4, 6",
    "SELECT url, site, channel, title, text, capture_id FROM pages ORDER BY url",
    "SELECT url, page_url, file_name, media_type, bytes, capture_id FROM attachments ORDER BY url, page_url",
    "SELECT document_url, page_url, agency, report_year, form, division_code, capture_id FROM reports ORDER BY 1",
    "SELECT cell, value, raw, status FROM facts JOIN reports USING (report_id) ORDER BY document_url, cell",
)


def content(data_dir: Path) -> list[list[tuple]]:
    return [rows(data_dir, query) for query in CONTENT]


# Containers

CONTAINERS = {
    "members": ("other.warc.gz", by_member),
    "stream": ("other.warc.gz", one_stream),
    "plain": ("other.warc", b"".join),
    "wacz": ("other.wacz", lambda records: wacz({"archive/data.warc.gz": by_member(records)})),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_captures_and_bytes(tmp_path: Path, container: str):
    name, packed = CONTAINERS[container]
    raw = http(chunked(gzip.compress(page("编码"), mtime=0)), b"Transfer-Encoding: chunked", b"Content-Encoding: gzip")
    records = [*pages(A, B), record("response", C, raw, name=C), record("request", C, b"GET / HTTP/1.1\r\n\r\n")]
    summary = taken(tmp_path, packed(records), name)
    assert (summary.ok, summary.captures, summary.extracted.pages) == (True, 3, 3)
    assert captures(tmp_path) == [(url, "ok", 200, "page") for url in (A, B, C)]
    data = tmp_path / "data"
    assert rows(data, "SELECT DISTINCT captured_at FROM captures") == [("2021-01-05T08:00:00.000000Z",)]
    (path,) = warc_dir(data).glob("imported-*")
    places = rows(data, "SELECT warc_file, warc_offset, warc_length, warc_record_id FROM captures ORDER BY capture_id")
    for number, (file, offset, length, name) in enumerate(places):
        assert file == path.name
        assert read_record(path, offset, length).record_id == name
        # The record's own bytes, whatever they were packed in.
        assert gzip.decompress(path.read_bytes()[offset : offset + length]) == records[number + 1]
    with Store(database_path(data)) as store:
        assert response_bytes(data, store.connection, 3) == raw
        assert entity_bytes(data, store.connection, 3) == page("编码")
    assert [line.split(" ")[0] for line in index_path(data).read_text().splitlines()] == [
        f"example,qinghe)/{name}.html" for name in "abc"
    ]
    assert list(audit(data)) == []
    assert not (data / "importing").exists()


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_same_file_again_adds_nothing_under_any_name(tmp_path: Path, container: str):
    name, packed = CONTAINERS[container]
    data = packed(pages(A, B))
    taken(tmp_path, data, name)
    before = content(tmp_path / "data"), sorted(path.name for path in warc_dir(tmp_path / "data").iterdir())
    again = taken(tmp_path, data, f"renamed.{name}")
    assert [file.status for file in again.files] == ["known"]
    assert (again.run_id, again.captures, again.extracted.read) == (None, 0, 0)
    assert (content(tmp_path / "data"), sorted(path.name for path in warc_dir(tmp_path / "data").iterdir())) == before


def test_records_known_from_another_file_are_left_out(tmp_path: Path):
    taken(tmp_path, by_member(pages(A, B)))
    second = taken(tmp_path, by_member(pages(A, B, C)), "more.warc.gz")
    assert second.captures == 1
    assert [row[0] for row in captures(tmp_path)] == [A, B, C]
    assert findings(tmp_path) == []
    assert list(audit(tmp_path / "data")) == []


# Damage


@pytest.mark.parametrize("container", ["members", "stream", "plain"])
def test_a_cut_tail_costs_only_what_it_cuts(tmp_path: Path, container: str):
    name, packed = CONTAINERS[container]
    whole = packed([*pages(A, B), record("response", C, http(random_page()), name=C)])
    summary = taken(tmp_path, whole[:-900], name)
    assert summary.ok
    assert [row[0] for row in captures(tmp_path)] == [A, B]
    damage = findings(tmp_path)
    assert {(level, code) for level, code, _ in damage} == {("warning", "import_damaged")}
    assert all(message.startswith(f"{name} at byte ") for _, _, message in damage)
    (kept,) = (warc_dir(tmp_path / "data") / "quarantine").iterdir()
    assert kept.read_bytes() == whole[:-900]
    assert list(audit(tmp_path / "data")) == []
    # The whole file later brings what was missing.
    assert taken(tmp_path, whole, "whole.warc.gz").captures == 1
    assert list(audit(tmp_path / "data")) == []


def random_page() -> bytes:
    noise = b"".join(hashlib.sha256(bytes([number])).hexdigest().encode() for number in range(60))
    return page("长") + noise


def test_a_damaged_member_in_the_middle_costs_only_itself(tmp_path: Path):
    members = [gzip.compress(one, mtime=0) for one in pages(A, B, C)]
    broken = bytearray(members[2])
    broken[40] ^= 0xFF
    members[2] = bytes(broken)
    assert taken(tmp_path, b"".join(members)).ok
    assert [row[0] for row in captures(tmp_path)] == [A, C]
    ((level, code, message),) = findings(tmp_path)
    assert (level, code) == ("warning", "import_damaged")
    assert f"at byte {len(members[0]) + len(members[1])}" in message
    (stored,) = warc_dir(tmp_path / "data").glob("imported-*")
    assert stored.read_bytes() == members[0] + members[1] + members[3]


def test_a_digest_that_does_not_hold_is_said_and_the_bytes_are_taken(tmp_path: Path):
    wrong = "sha1:" + "A" * 32
    records = [record("response", A, http(page("甲")), name=A, WARC_Payload_Digest=wrong)]
    summary = taken(tmp_path, by_member(records))
    assert summary.extracted.pages == 1
    ((level, code, _),) = findings(tmp_path)
    assert (level, code) == ("warning", "record_digest_differs")
    assert list(audit(tmp_path / "data")) == []


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"<html>not an archive</html>", "expected a WARC or WACZ file"),
        (b"\x28\xb5\x2f\xfd" + bytes(40), "zstd"),
        (b"filedesc://a.arc 0.0.0.0 20010101000000 text/plain 70\n", "holds no whole WARC record"),
        (gzip.compress(b"no record in here"), "holds no whole WARC record"),
        (b"PK\x03\x04" + bytes(60), "cannot be read as a WACZ"),
        (wacz({"pages/pages.jsonl": b"{}"}), "found none"),
    ],
    ids=["empty", "html", "zstd", "arc", "gzip", "cut_zip", "no_warcs"],
)
def test_what_is_no_warc_fails_alone_with_its_reason(tmp_path: Path, data: bytes, says: str):
    good = saved(tmp_path, by_member(pages(A)), "good.warc.gz")
    bad = saved(tmp_path, data, "bad.warc.gz")
    missing = tmp_path / "missing.warc.gz"
    summary = import_files(tmp_path / "data", [bad, missing, good])
    assert [file.status for file in summary.files] == ["failed", "failed", "imported"]
    assert not summary.ok
    assert says in str(summary.files[0].problem)
    assert captures(tmp_path) == [(A, "ok", 200, "page")]
    assert sorted(path.suffix for path in warc_dir(tmp_path / "data").iterdir()) == [".gz", ".gz", ".jsonl"]


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "packed"])
def test_an_arc_file_is_taken_in_with_its_bytes_and_kept_whole(tmp_path: Path, compressed: bool):
    answer = http(page("旧"))
    about = b"1 0 tool\nURL IP-address Archive-date Content-type Archive-length\n"
    head = b"filedesc://old.arc 0.0.0.0 20080501000000 text/plain %d\n" % len(about)
    line = b"%s 127.0.0.1 20080501093000 text/html %d\n" % (A.encode(), len(answer))
    parts = [head + about + b"\n", line + answer + b"\n"]
    data = b"".join(map(gzip.compress, parts)) if compressed else b"".join(parts)
    summary = taken(tmp_path, data, "old.arc.gz" if compressed else "old.arc")
    assert summary.ok
    assert captures(tmp_path) == [(A, "ok", 200, "page")]
    with Store.open(tmp_path / "data") as store:
        assert response_bytes(tmp_path / "data", store.connection, 1) == answer
    assert rows(tmp_path / "data", "SELECT captured_at FROM captures") == [("2008-05-01T09:30:00.000000Z",)]
    (kept,) = (warc_dir(tmp_path / "data") / "quarantine").iterdir()
    assert kept.read_bytes() == data
    assert list(audit(tmp_path / "data")) == []


# What records say


def test_revisits_stand_for_what_they_refer_to_however_they_say_it(tmp_path: Path):
    body = page("同")
    digest = f"sha1:{base64.b32encode(hashlib.sha1(body).digest()).decode()}"
    own = http(b"", b"X-Own: 1").replace(b"Content-Length: 0", b"Content-Length: %d" % len(body))
    profile = "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"
    kept = {"WARC_Profile": profile, "WARC_Truncated": "length"}
    by_date = {"WARC_Refers_To_Target_URI": f"<{A}>", "WARC_Refers_To_Date": "2021-01-05T08:00:00Z"}
    records = [
        record("response", A, http(body), name=A, WARC_Payload_Digest=digest),
        record("revisit", B, own, name="by_id", WARC_Refers_To=record_id(A), **kept),
        record("revisit", B, b"", name="by_date", **kept, **by_date),
        record("revisit", C, own, name="by_digest", WARC_Payload_Digest=digest, **kept),
        record("revisit", C, own, name="nowhere", WARC_Refers_To=record_id("elsewhere"), **kept),
        record(
            "revisit", A, b"HTTP/1.1 304 Not Modified\r\n\r\n", name="unmodified", WARC_Refers_To=record_id(A),
            WARC_Profile="http://netpreserve.org/warc/1.0/revisit/server-not-modified",
        ),
    ]  # fmt: skip
    assert taken(tmp_path, by_member(records)).ok
    data = tmp_path / "data"
    expected = [("ok", None), ("revisit", 1), ("revisit", 1), ("revisit", 1), ("revisit", None), ("not_modified", 1)]
    assert rows(data, "SELECT outcome, refers_to FROM captures ORDER BY capture_id") == expected
    with Store(database_path(data)) as store:
        for capture_id in (1, 2, 3, 4, 6):
            assert payload_bytes(data, store.connection, capture_id) == body, capture_id
        assert b"X-Own: 1" in response_bytes(data, store.connection, 2)
    digests = rows(data, "SELECT payload_digest FROM captures WHERE capture_id <> 5")
    assert set(digests) == {(f"sha256:{hashlib.sha256(body).hexdigest()}",)}
    assert [(code, level) for level, code, _ in findings(tmp_path)] == [("revisit_without_response", "warning")]
    # The same page at another address is a page there.
    assert {url for (url,) in rows(data, "SELECT url FROM pages")} == {A, B, C}
    assert list(audit(data)) == []


def test_files_stored_without_http_are_read(tmp_path: Path):
    text = "一、总体情况\n本年没有需要说明的情况。\n".encode()
    records = [
        record("resource", A, page("文"), name=A),
        record("resource", f"{C}.txt", text, name=C, Content_Type="text/plain"),
        record("resource", "urn:pageinfo:x", b"{}", name="info", Content_Type="application/json"),
        record("resource", "metadata://gnu.org/software/wget/log", b"log", name="log", Content_Type="text/plain"),
        record("response", "dns:www.qinghe.example", b"192.0.2.1", name="dns", Content_Type="text/dns"),
        record("metadata", A, b"via: x", name="meta", Content_Type="application/warc-fields"),
        record("conversion", A, b"text", name="conversion", Content_Type="text/plain"),
    ]
    assert taken(tmp_path, by_member(records)).captures == 2
    assert captures(tmp_path) == [(A, "ok", None, "page"), (f"{C}.txt", "ok", None, "attachment")]
    data = tmp_path / "data"
    with Store(database_path(data)) as store:
        assert payload_bytes(data, store.connection, 1) == page("文")
    assert [json.loads(line.split(" ", 2)[2])["status"] for line in index_path(data).read_text().splitlines()] == [
        "200",
        "200",
    ]


def test_outcomes_follow_the_answer_and_furniture_is_not_read(tmp_path: Path):
    base = "http://www.qinghe.example/"
    answers = {
        "moved": http(b"", b"Location: /a.html", status=b"302 Found"),
        "gone": http(page("无"), status=b"404 Not Found"),
        "style.css": http(b"body {}", media_type=b"text/css"),
        "logo.png": http(b"\x89PNG\r\n\x1a\n", media_type=b"image/png"),
        "data.json": http(b"[1]", media_type=b"application/json"),
        "odd": http(b"%PDF-1.4 cut", media_type=b"text/css"),
        "nothing": b"",
        "no_head": b"no status line at all",
    }
    records = [record("response", base + name, raw, name=name) for name, raw in answers.items()]
    records.append(record("response", base + "cut", http(page("截")), name="cut", WARC_Truncated="length"))
    summary = taken(tmp_path, by_member(records))
    found = {url.removeprefix(base): outcome for url, outcome, _, _ in captures(tmp_path)}
    assert found == {
        "moved": "redirect", "gone": "http_error", "style.css": "ok", "logo.png": "ok", "data.json": "ok", "odd": "ok",
        "nothing": "net_error", "no_head": "net_error", "cut": "net_error",
    }  # fmt: skip
    # Only what may be a document is read, by its bytes and not by its type.
    assert summary.extracted.read == 1
    assert rows(tmp_path / "data", "SELECT truncated FROM captures WHERE url LIKE '%/cut'") == [("length",)]


def test_a_guards_page_is_no_page(tmp_path: Path):
    raw = http(b"<script>document.cookie='__jsl_clearance_s=1';location.href=location.pathname</script>",
               b"Set-Cookie: __jsluid_s=1", b"X-Via-JSL: 1", status=b"521 ")  # fmt: skip
    taken(tmp_path, by_member([record("response", A, raw, name=A)]))
    assert captures(tmp_path)[0][1] == "blocked"
    assert [code for _, code, _ in findings(tmp_path)] == ["blocked"]


def test_odd_records_are_taken_with_what_is_odd_about_them(tmp_path: Path):
    records = [
        record("response", A, http(page("无号"))),
        record("response", B, http(page("无日")), name=B, date="yesterday"),
        record("response", C, http(page("一")), name="twice"),
        record("response", C, http(page("二")), name="twice"),
        record("response", f"<{A}>", http(page("括号")), name="brackets", date="2022-03-01T00:00:00.123456789Z"),
        record("response", "file:///etc/passwd", http(b"x"), name="file"),
        record("response", "javascript:alert(1)", http(b"x"), name="script"),
    ]
    summary = taken(tmp_path, by_member(records))
    assert [url for url, *_ in captures(tmp_path)] == [A, B, C, A]
    assert {code for _, code, _ in findings(tmp_path)} == {"record_undated", "record_id_reused"}
    assert summary.captures == 4
    assert list(audit(tmp_path / "data")) == []


# Hostile packages


@pytest.mark.parametrize(
    "name",
    ["../../../evil.warc.gz", "/tmp/evil.warc.gz", "年报 $(touch x).warc.gz", "-rf.warc.gz", ".warc.gz", "a" * 240],
    ids=["up", "absolute", "shell", "option", "hidden", "long"],
)
def test_names_in_a_wacz_are_data_only(tmp_path: Path, name: str):
    data = by_member(pages(A))
    member = f"archive/{name}" if name.endswith(".gz") else f"archive/{name}.warc"
    summary = taken(tmp_path, wacz({member: data}), "x.wacz")
    assert summary.ok
    (stored,) = warc_dir(tmp_path / "data").glob("imported-*")
    assert stored.name.isascii()
    assert len(stored.name) < 110
    assert {path.name for path in tmp_path.iterdir()} == {"data", "x.wacz"}
    assert summary.files[0].source == f"x.wacz/{member}"


def test_a_wacz_with_a_wrong_digest_is_said_and_taken(tmp_path: Path):
    data = by_member(pages(A))
    packed = wacz({"archive/data.warc.gz": data}, {"archive/data.warc.gz": "sha256:" + "0" * 64})
    assert taken(tmp_path, packed, "x.wacz").captures == 1
    assert [code for _, code, _ in findings(tmp_path)] == ["wacz_digest_differs"]


def test_bombs_are_refused(tmp_path: Path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        with package.open("archive/bomb.warc", "w") as member:
            for _ in range(80):
                member.write(bytes(1024 * 1024))
        package.writestr("archive/good.warc.gz", by_member(pages(A)))
    summary = taken(tmp_path, out.getvalue(), "bomb.wacz")
    assert [file.status for file in summary.files] == ["failed", "imported"]
    assert "unpacks to 83886080 bytes from" in str(summary.files[0].problem)
    assert not (tmp_path / "data" / "importing").exists()


def test_a_crowd_of_members_is_refused_before_its_list_is_read(tmp_path: Path):
    crowd = wacz({f"archive/{number}.warc": b"" for number in range(10_001)})
    (file,) = taken(tmp_path, crowd, "x.wacz").files
    assert "expected at most 10000 members" in str(file.problem)


def test_an_encrypted_member_is_said(tmp_path: Path):
    packed = bytearray(wacz({"archive/data.warc.gz": by_member(pages(A))}))
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        start = packed.rfind(mark)
        packed[start + place] |= 1
    (file,) = taken(tmp_path, bytes(packed), "x.wacz").files
    assert str(file.problem).endswith("is encrypted")


def test_a_stream_that_swells_beyond_measure_ends_there(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("archive.imports.UNPACKED_FLOOR", 100_000)
    big = record("response", B, http(bytes(50_000_000)), name=B)
    summary = taken(tmp_path, one_stream([*pages(A), big]))
    assert [row[0] for row in captures(tmp_path)] == [A]
    assert summary.ok
    assert any("more than" in message for _, _, message in findings(tmp_path))


def test_a_record_too_large_for_memory_is_passed_over(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("archive.imports.RECORD_LIMIT", 100_000)
    records = [*pages(A), record("response", B, http(bytes(200_000)), name=B), *pages(C)[1:]]
    taken(tmp_path, by_member(records))
    assert [row[0] for row in captures(tmp_path)] == [A, C]
    assert [message for _, _, message in findings(tmp_path) if "more than 100000 bytes in one gzip member" in message]


# The command


def test_the_command_says_what_it_took_and_exits_by_it(tmp_path: Path):
    good = saved(tmp_path, by_member(pages(A)), "good.warc.gz")
    done = crawled(gongkai(tmp_path / "data", "import", str(good), "--json"))
    assert (done.code, done.errors) == (0, "")
    assert done.summary["files"][0]["status"] == "imported"
    assert done.summary["extracted"]["pages"] == 1
    bad = saved(tmp_path, b"x" * 99, "bad.warc.gz")
    process = gongkai(tmp_path / "data", "import", str(bad), str(good))
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (1, "")
    assert out.splitlines()[0].startswith("FAILED bad.warc.gz: expected a WARC or WACZ file")
    assert out.splitlines()[1].startswith("good.warc.gz: imported before, as imported-")


def test_a_capture_of_an_import_leads_to_the_other_tools_record(tmp_path: Path):
    taken(tmp_path, by_member(pages(A)))
    data = tmp_path / "data"
    with Store(database_path(data)) as store:
        assert capture_record(data, store.connection, 1).record_id == record_id(A)


# Beside a crawl of our own


def put_page(data_dir: Path, text: str, at: datetime) -> None:
    """A crawl of one page, recorded at that time."""
    target = Target(url=A, role="page", site="q", channel="reports", via=LIST)
    raw = http(page(text))
    head = split_head(raw)
    assert head is not None
    with Session(data_dir, [SITE], Options()) as session:
        exchange = Exchange(A, "GET", at, 1.0, b"GET /a.html HTTP/1.1\r\n\r\n", raw, head.status, head.headers)
        session.recorder.record_now(target, None, exchange)
    extract(data_dir)


LIST = "http://www.qinghe.example/list.html"
SITE = parse_site(
    f'agency = "清河区人民政府"\ndivision_code = "230199"\n[channels]\nreports = "{LIST}"\n', name="q", source="q.toml"
)


@pytest.mark.parametrize(("year", "current"), [(2021, "我们"), (2027, "他们")], ids=["older", "newer"])
def test_the_current_page_is_the_latest_by_the_clock(tmp_path: Path, year: int, current: str):
    data = tmp_path / "data"
    put_page(data, "我们", datetime(2026, 1, 1, tzinfo=UTC))
    taken(tmp_path, by_member([record("response", A, http(page("他们")), name=A, date=f"{year}-01-01T00:00:00Z")]))
    assert rows(data, "SELECT title FROM pages") == [(current,)]
    assert rows(data, "SELECT kind, previous_capture_id FROM changes") == [("appeared", None)] * 2
    assert {title for (title,) in rows(data, "SELECT title FROM page_versions")} == {"我们", "他们"}
    before = content(data)
    extract(data, full=True)
    assert content(data) == before
    assert list(audit(data)) == []


def test_what_others_captured_is_still_to_be_crawled(tmp_path: Path):
    data = tmp_path / "data"
    taken(tmp_path, by_member([record("response", A, http(page("同")), name=A)]))
    with Session(data, [SITE], Options()) as session:
        assert session.frontier.add([Target(url=A, role="page", site="q", channel="reports")]) == 1
    put_page(data, "同", datetime(2026, 1, 1, tzinfo=UTC))
    # The same bytes: a capture of our own all the same, in full, and the page is the site's.
    assert rows(data, "SELECT site, outcome FROM captures") == [("import", "ok"), ("q", "ok")]
    assert rows(data, "SELECT site FROM pages") == [("q",)]


# Killed


@pytest.mark.parametrize("when", ["before", "torn", "after"])
def test_killed_at_every_step_and_imported_again(tmp_path: Path, monkeypatch, when: When):
    monkeypatch.setattr(Store, "synchronous", "OFF")
    monkeypatch.setattr(importing, "extract_new", lambda *_, **__: None)
    monkeypatch.setattr(importing, "Store", SteppedStore)
    source = saved(tmp_path, one_stream([*pages(A, B), record("response", C, http(random_page()), name=C)])[:-900])
    names = stepped(tmp_path / "undisturbed", source, monkeypatch, None, when)
    assert {"rename .new", "fdatasync .open", "commit", "rename .open"} <= set(names)
    for number, name in enumerate(names):
        if when == "torn" and not name.startswith("write"):
            continue
        data = tmp_path / f"{number}"
        with pytest.raises(Killed):
            stepped(data, source, monkeypatch, number, when)
        stepped(data, source, monkeypatch, None, when)
        found = rows(data, "SELECT url FROM captures ORDER BY capture_id")
        assert found == [(A,), (B,)], name
        assert rows(data, "SELECT count(*) FROM findings WHERE code = 'import_damaged'")[0][0] >= 1, name
        assert rows(data, "SELECT count(*) FROM runs WHERE status = 'running'") == [(0,)], name
        assert list(audit(data)) == [], name
        assert [path.name for path in data.rglob("*.new")] == []


def stepped(data_dir: Path, source: Path, monkeypatch, kill_at: int | None, when: When) -> list[str]:
    steps = Steps(kill_at, when)
    monkeypatch.setattr(SteppedStore, "steps", steps)
    import_files(data_dir, [source], files=SteppedFiles(steps))
    return steps.names


def test_a_second_run_on_the_same_directory_is_turned_away(tmp_path: Path):
    source = saved(tmp_path, by_member(pages(A)))
    with lock(tmp_path / "data", run_id="r9"):
        process = gongkai(tmp_path / "data", "import", str(source))
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (75, "")
    assert "run r9" in errors
    assert list(warc_dir(tmp_path / "data").glob("*")) == []
