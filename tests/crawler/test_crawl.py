"""Whole crawls of the replica, each in a process of its own: what is found, what is asked again, what fails how."""

import signal
import sqlite3
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from crawling import Crawled, crawl, crawled, gongkai, one, rows, start, waits

from crawler.replica import Behaviour, Replica


@pytest.fixture(scope="module")
def replica():
    with Replica(listings=60) as site:
        yield site


@pytest.fixture(scope="module")
def site_file(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return replica.site_file(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def data_dir(site_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("crawl")
    first = crawl(data, site_file)
    assert (first.code, first.errors) == (0, "")
    return data


def edited(site_file: Path, folder: Path, *changes: tuple[str, str]) -> Path:
    """A copy of the site file with each first text replaced by the second."""
    text = site_file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / site_file.name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_listing_is_found(replica: Replica, data_dir: Path):
    truth = {
        (item.url, item.title, item.date.isoformat(), item.channel, item.position) for item in replica.truth.listings
    }
    assert set(rows(data_dir, "SELECT url, title, listed_date, channel, position FROM listings")) == truth


def test_every_page_is_read(replica: Replica, data_dir: Path):
    truth = {
        (page.url, page.channel, page.title, page.published_date.isoformat(), page.publisher or None)
        for page in replica.truth.pages
        if page.listed
    }
    found = set(rows(data_dir, "SELECT url, channel, title, published_date, publisher FROM pages"))
    assert truth - found == set()
    assert {page[1] for page in found - truth} <= {"annual_report_history"}


def test_every_page_keeps_its_numbers(replica: Replica, data_dir: Path):
    truth = {(page.url, page.index_number or None, page.document_number or None) for page in replica.truth.pages}
    found = set(rows(data_dir, "SELECT url, index_number, document_number FROM pages WHERE text <> ''"))
    assert found - truth == set()


def test_every_attachment_is_found_under_its_name_with_its_bytes(replica: Replica, data_dir: Path):
    truth = {(item.url, item.page_url, item.file_name, f"sha256:{item.sha256}") for item in replica.truth.attachments}
    found = set(
        rows(
            data_dir,
            """SELECT a.url, a.page_url, a.file_name, c.payload_digest
            FROM attachments a JOIN captures c USING (capture_id) WHERE a.media_type NOT LIKE 'image/%'""",
        )
    )
    assert found == truth


def test_every_report_is_read_with_its_page(replica: Replica, data_dir: Path):
    truth = {(item.document_url, item.page_url, item.agency, item.year, item.form) for item in replica.truth.reports}
    found = set(rows(data_dir, "SELECT document_url, page_url, agency, report_year, form FROM reports"))
    assert found == truth


def test_every_fact_leads_to_its_bytes(data_dir: Path):
    missing = one(
        data_dir,
        """SELECT count(*) FROM facts LEFT JOIN provenance p USING (report_id)
        WHERE p.warc_file IS NULL OR p.payload_digest IS NULL OR p.warc_record_id IS NULL""",
    )
    assert missing == 0
    assert one(data_dir, "SELECT count(*) FROM facts") > 1000


def test_a_damaged_file_is_a_finding_with_its_capture_and_nothing_else(data_dir: Path):
    found = rows(
        data_dir,
        "SELECT f.level, c.url = f.url FROM findings f JOIN captures c USING (capture_id) WHERE f.code = 'damaged'",
    )
    assert found == [("error", 1)]


def test_what_lies_elsewhere_is_said_and_not_fetched(data_dir: Path):
    assert one(data_dir, "SELECT count(*) FROM findings WHERE code = 'host_not_allowed'") >= 1
    assert one(data_dir, "SELECT count(*) FROM captures WHERE url LIKE '%.invalid/%'") == 0


def test_the_run_is_finished_and_sealed(data_dir: Path):
    assert rows(data_dir, "SELECT DISTINCT status FROM runs") == [("finished",)]
    assert list((data_dir / "warc").glob("*.open")) == []
    assert one(data_dir, "SELECT count(*) FROM frontier WHERE state <> 'acknowledged'") == 0


def test_a_second_crawl_asks_for_lists_only(replica: Replica, site_file: Path, data_dir: Path):
    before = one(data_dir, "SELECT max(capture_id) FROM captures")
    tables = ("listings", "pages", "attachments", "reports", "facts")
    counted = [one(data_dir, f"SELECT count(*) FROM {table}") for table in tables]
    second = crawl(data_dir, site_file)
    assert second.code == 0
    new = set(rows(data_dir, "SELECT role, url LIKE '%fbtime=%' FROM captures WHERE capture_id > ?", before))
    # Of the report history, the newest year may have been empty the last time.
    assert new <= {("list", 0), ("robots", 0), ("page", 1)}
    assert one(data_dir, "SELECT count(*) FROM captures WHERE capture_id > ? AND role = 'page'", before) <= 1
    assert [one(data_dir, f"SELECT count(*) FROM {table}") for table in tables] == counted
    assert second.summary["sites"][0]["new_listings"] == 0


def test_the_limit_holds_and_what_it_left_out_comes_later(replica: Replica, site_file: Path, tmp_path: Path):
    first = crawl(tmp_path, site_file, "--limit=3")
    assert first.code == 0
    listed = "SELECT count(*) FROM captures WHERE role = 'page' AND channel <> 'annual_report_history'"
    assert one(tmp_path, listed) == 3
    assert one(tmp_path, "SELECT count(*) FROM listings") == len(replica.truth.listings)
    # What was left out is not waiting either, nor after a rebuild.
    waiting = "SELECT count(*), count(*) FILTER (WHERE state <> 'acknowledged') FROM frontier"
    before = rows(tmp_path, waiting)
    assert before[0][1] == 0
    assert crawled(gongkai(tmp_path, "extract", "--full")).code == 0
    assert rows(tmp_path, waiting) == before
    second = crawl(tmp_path, site_file, "--limit=5")
    assert second.code == 0
    assert one(tmp_path, listed) <= 3 + 5


def test_a_channel_without_listings_fails_the_run(site_file: Path, replica: Replica, tmp_path: Path):
    empty = edited(site_file, tmp_path, ("[channels]\n", f'[channels]\nempty = "{replica.base_url}/"\n'))
    failed = crawl(tmp_path / "data", empty, "--limit=1")
    assert failed.code == 1
    assert rows(tmp_path / "data", "SELECT status FROM runs") == [("failed",)]
    found = dict(rows(tmp_path / "data", "SELECT code, level FROM findings WHERE level = 'error'"))
    assert found["no_listings"] == "error"
    assert found["platform_unknown"] == "error"
    assert any("channel empty" in trouble for trouble in failed.summary["sites"][0]["troubles"])
    assert one(tmp_path / "data", "SELECT count(*) FROM listings") > 0


def test_fewer_listings_than_expected_fail_the_run(site_file: Path, tmp_path: Path):
    text = site_file.read_text(encoding="utf-8").partition("[expect]")
    channel, _, count = text[2].strip().splitlines()[0].partition(" = ")
    greedy = tmp_path / "greedy.toml"
    rest = site_file.read_text(encoding="utf-8").replace(f"{channel} = {count}", f"{channel} = 9999")
    greedy.write_text(rest, encoding="utf-8")
    failed = crawl(tmp_path / "data", greedy, "--limit=1")
    assert failed.code == 1
    messages = [
        message
        for (message,) in rows(tmp_path / "data", "SELECT message FROM findings WHERE code = 'too_few_listings'")
    ]
    assert messages == [f"expected at least 9999 listings in channel {channel}, found {count}"]


def test_a_server_that_is_not_there_fails_the_run(site_file: Path, replica: Replica, tmp_path: Path):
    port = replica.base_url.rpartition(":")[2]
    gone = edited(site_file, tmp_path, (f":{port}/", ":1/"))
    failed = crawl(tmp_path / "data", gone, impatient=True)
    assert failed.code == 1
    assert set(rows(tmp_path / "data", "SELECT outcome FROM captures WHERE role <> 'robots'")) == {("net_error",)}
    assert one(tmp_path / "data", "SELECT count(*) FROM findings WHERE code = 'host_paused'") == 1
    # Whatever else was to be asked waits for the next run.
    assert one(tmp_path / "data", "SELECT count(*) FROM frontier WHERE state = 'pending'") > 0


def test_robots_are_obeyed_unless_the_site_file_says_otherwise(tmp_path: Path):
    with Replica(listings=10, behaviour=Behaviour(robots="disallow")) as site:
        path = site.site_file(tmp_path)
        refused = crawl(tmp_path / "refused", path)
        assert refused.code == 1
        assert set(rows(tmp_path / "refused", "SELECT outcome, role FROM captures")) == {
            ("ok", "robots"),
            ("robots", "list"),
            ("robots", "page"),
            ("robots", "robots"),
        }
        assert {entry.path for entry in site.access_log} == {"/robots.txt"}
        free = edited(path, tmp_path, ("[politeness]\n", "[politeness]\nobey_robots = false\n"))
        assert crawl(tmp_path / "free", free, "--limit=1").code == 0


def test_a_private_address_is_refused_unless_the_site_file_says_otherwise(site_file: Path, tmp_path: Path):
    public = edited(site_file, tmp_path, ("allow_private_hosts = true\n", ""))
    assert crawl(tmp_path / "data", public).code == 1
    errors = {error.partition(":")[0] for (error,) in rows(tmp_path / "data", "SELECT DISTINCT error FROM captures")}
    assert errors == {"private_address"}


def test_the_delay_between_two_requests_to_a_host_is_kept(tmp_path: Path):
    with Replica(listings=10) as site:
        slow = edited(site.site_file(tmp_path), tmp_path, ("delay_seconds = 0.0", "delay_seconds = 0.4"))
        assert crawl(tmp_path / "data", slow, "--limit=4").code == 0
        at = [entry.at for entry in site.access_log if not entry.path.startswith("/jcms_files")]
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert len(gaps) > 5
    assert median(gaps) > 0.35
    assert min(waits(tmp_path / "data")) > 0.3


def test_a_full_crawl_asks_for_every_known_address_again(site_file: Path, tmp_path: Path):
    with Replica(listings=10, behaviour=Behaviour(validators=True, volatile=False)) as site:
        path = site.site_file(tmp_path)
        assert crawl(tmp_path / "data", path).code == 0
        pages = set(rows(tmp_path / "data", "SELECT url FROM captures WHERE role = 'page' AND outcome = 'ok'"))
        second = crawl(tmp_path / "data", path, "--full")
        assert second.code == 0
        run = second.summary["run_id"]
        again = set(
            rows(tmp_path / "data", "SELECT url FROM captures WHERE run_id = ? AND outcome = 'not_modified'", run)
        )
        assert pages - again == set()


def test_a_second_run_on_the_same_directory_is_turned_away(tmp_path: Path):
    with Replica(listings=10, behaviour=Behaviour(delay_seconds=0.3)) as site:
        path = site.site_file(tmp_path)
        first = start(tmp_path / "data", path)
        wait_for_captures(tmp_path / "data", 1)
        second = crawl(tmp_path / "data", path)
        assert second.code == 75
        assert str(first.pid) in second.errors
        first.send_signal(signal.SIGINT)
        assert crawled(first).code == 1
    assert rows(tmp_path / "data", "SELECT status FROM runs") == [("interrupted",)]
    assert one(tmp_path / "data", "SELECT count(*) FROM frontier WHERE state = 'leased'") == 0
    assert list((tmp_path / "data" / "warc").glob("*.open")) == []


CONTENT = {
    "listings": "SELECT url, title, listed_date, channel, site, position FROM listings ORDER BY 1, 4",
    "pages": """SELECT url, site, channel, title, published_date, publisher, index_number, document_number, text
        FROM pages ORDER BY 1""",
    "attachments": "SELECT url, page_url, file_name, media_type, bytes FROM attachments ORDER BY 1, 2",
    "reports": """SELECT document_url, page_url, agency, division_code, report_year, form, title, published_date
        FROM reports ORDER BY 1""",
    "facts": """SELECT document_url, cell, value, raw, unit, status, locator, confidence
        FROM facts JOIN reports USING (report_id) ORDER BY 1, 2""",
    "checks": "SELECT document_url, rule, status, lhs, rhs FROM checks JOIN reports USING (report_id) ORDER BY 1, 2",
}


def content(data_dir: Path) -> dict[str, list[tuple]]:
    return {name: rows(data_dir, query) for name, query in CONTENT.items()}


def wait_for_captures(data_dir: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if one(data_dir, "SELECT count(*) FROM captures") >= count:
                return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.01)
    raise TimeoutError(f"fewer than {count} captures after a minute")


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory):
    """A replica on which nothing changes between two requests, its site file, and a crawl that nothing disturbed."""
    folder = tmp_path_factory.mktemp("still")
    with Replica(listings=40, behaviour=Behaviour(volatile=False)) as site:
        path = site.site_file(folder)
        undisturbed: Crawled = crawl(folder / "undisturbed", path)
        assert undisturbed.code == 0
        yield site, path, folder / "undisturbed"


@pytest.mark.parametrize("captures", [1, 12, 40])
def test_a_killed_crawl_ends_the_same_once_it_is_resumed(still, tmp_path: Path, captures: int):
    _, path, undisturbed = still
    process = start(tmp_path, path)
    wait_for_captures(tmp_path, captures)
    process.kill()
    crawled(process)
    resumed = crawl(tmp_path, path)
    assert (resumed.code, resumed.errors) == (0, "")
    assert content(tmp_path) == content(undisturbed)
    doubled = rows(
        tmp_path,
        """SELECT url FROM captures WHERE role IN ('page', 'attachment') AND outcome IN ('ok', 'revisit', 'redirect')
        GROUP BY url HAVING count(*) > 1 AND url NOT LIKE '%fbtime=%'""",
    )
    assert doubled == []
    with closing(sqlite3.connect(tmp_path / "corpus.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert list((tmp_path / "warc").glob("*.open")) == []


def test_an_emptied_database_comes_back_from_the_warc_files(still, tmp_path: Path):
    _, path, _ = still
    assert crawl(tmp_path, path).code == 0
    before = content(tmp_path), *(rows(tmp_path, query) for query in (CAPTURES, WAYS, FINDINGS, RUNS))
    for file in tmp_path.glob("corpus.db*"):
        file.unlink()
    assert crawled(gongkai(tmp_path, "extract", "--full")).code == 0
    after = content(tmp_path), *(rows(tmp_path, query) for query in (CAPTURES, WAYS, FINDINGS, RUNS))
    for now, then in zip(after, before, strict=True):
        assert now == then


CAPTURES = """SELECT capture_id, run_id, url, captured_at, outcome, http_status, media_type, payload_digest, warc_file,
    warc_offset, warc_length, warc_record_id, refers_to FROM captures ORDER BY capture_id"""
# A page may be known before the list that offers it: whose it was then stands in the note of its capture.
WAYS = """SELECT capture_id, role, f.site, f.channel, via, anchor, listed_date, depth
    FROM exchanges JOIN frontier f USING (frontier_id) ORDER BY capture_id"""
RUNS = "SELECT * FROM runs"
FINDINGS = "SELECT run_id, level, code, url, capture_id, message FROM findings ORDER BY 1, 3, 4, 6"


def test_a_full_disk_ends_the_crawl_with_one_line(site_file: Path, tmp_path: Path):
    """A limit on file sizes stands in for a full disk: the WARC file cannot grow beyond it."""
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000)); "
    )
    arguments = ("crawl", "--site-file", str(site_file), "--json")
    failed = crawled(gongkai(tmp_path, *arguments, code=code + "from crawler.cli import main; main()"))
    assert failed.code == 1
    assert "Traceback" not in failed.errors
    assert "cannot record" in failed.errors
    resumed = crawl(tmp_path, site_file)
    assert resumed.code == 0
    assert list((tmp_path / "warc").glob("*.open")) == []
