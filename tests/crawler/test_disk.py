"""A disk that really is full, and one that really cannot be written: a file system of its own, mounted for the test."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from crawling import Crawled, crawl, crawled, gongkai, one, rows
from foreign import by_member, http, info, page, record, saved

from crawler.replica import Behaviour, Replica


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a file system here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def remount(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", disk], check=True)


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with Replica(listings=40, behaviour=Behaviour(volatile=False)) as site:
        yield site


def audited(data_dir: Path) -> Crawled:
    process = gongkai(data_dir, "audit")
    out, errors = process.communicate(timeout=60)
    return Crawled(process.returncode, {"said": out}, errors)


def test_a_crawl_on_a_full_disk_stops_and_goes_on_when_there_is_room(replica: Replica, disk: Path, tmp_path: Path):
    data, site_file = disk / "data", replica.site_file(tmp_path)
    (disk / "ballast").write_bytes(os.urandom(1_000_000))
    failed = crawl(data, site_file)
    assert failed.code == 1
    assert "Traceback" not in failed.errors
    assert failed.errors.count("gongkai: ") == 1
    remount(disk, "size=64m")
    assert crawl(data, site_file).code == 0
    truth = replica.truth
    assert {url for (url,) in rows(data, "SELECT url FROM listings")} == {item.url for item in truth.listings}
    assert {item.url for item in truth.pages if item.listed} <= {url for (url,) in rows(data, "SELECT url FROM pages")}
    assert audited(data) == Crawled(0, {"said": "no problems\n"}, "")


def test_a_night_on_a_full_disk_is_reported_all_the_same(replica: Replica, disk: Path, tmp_path: Path):
    data, site_file = disk / "data", str(replica.site_file(tmp_path))
    (disk / "ballast").write_bytes(os.urandom(600_000))
    failed = crawled(gongkai(data, "nightly", "--site-file", site_file))
    assert failed.code == 1
    assert "Traceback" not in failed.errors
    night = json.loads((data / "reports" / "latest.json").read_text("utf-8"))
    assert night["run"]["status"] == "failed"
    (message,) = (alarm["message"] for alarm in night["alarms"] if alarm["code"] == "run_broken")
    assert message.startswith("the run broke off in ")
    assert "disk is full" in message or "No space left" in message
    assert "run_broken" in (data / "reports" / "latest.html").read_text("utf-8")
    assert rows(data, "SELECT status FROM runs") == [("failed",)]
    remount(disk, "size=64m")
    assert crawled(gongkai(data, "nightly", "--site-file", site_file)).code == 0
    assert rows(data, "SELECT status FROM runs ORDER BY started_at") == [("failed",), ("finished",)]
    night = json.loads((data / "reports" / "latest.json").read_text("utf-8"))
    assert night["earlier"] == []
    assert audited(data) == Crawled(0, {"said": "no problems\n"}, "")


def test_an_import_on_a_full_disk_leaves_nothing_half_done(disk: Path, tmp_path: Path):
    data = disk / "data"
    noise = os.urandom(1_900_000).hex().encode()
    records = [info(), record("response", "http://www.qinghe.example/", http(page("大") + noise), name="big")]
    source = saved(tmp_path, by_member(records))
    failed = crawled(gongkai(data, "import", str(source), "--json"))
    assert failed.code == 1
    assert "Traceback" not in failed.errors
    remount(disk, "size=64m")
    assert audited(data).code == 0
    assert crawled(gongkai(data, "import", str(source), "--json")).code == 0
    assert one(data, "SELECT count(*) FROM captures") == 1
    assert audited(data) == Crawled(0, {"said": "no problems\n"}, "")


def test_a_disk_that_cannot_be_written_is_said_and_can_still_be_audited(disk: Path, tmp_path: Path):
    remount(disk, "size=64m")
    data = disk / "data"
    source = saved(tmp_path, by_member([info(), record("response", "http://a.example/", http(page("只")), name="a")]))
    assert crawled(gongkai(data, "import", str(source))).code == 0
    remount(disk, "ro")
    for failed in (crawled(gongkai(data, "import", str(source))), crawled(gongkai(data, "extract"))):
        assert failed.code == 1
        assert failed.errors.startswith(f"gongkai: {data}")
        assert failed.errors.count("\n") == 1
    assert audited(data) == Crawled(0, {"said": "no problems\n"}, "")
