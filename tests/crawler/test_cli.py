"""The command as a user meets it: exit codes, one line per error, the demonstration from column to cell."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from crawling import ROOT, gongkai, one, rows

from archive.contents import payload_bytes
from archive.paths import database_path
from archive.rows import RunRow
from archive.store import Store
from crawler.cli import ELSEWHERE, main

SHARED = ROOT.parent / "shared"
SEEDS = SHARED / "seeds"


def run(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess:
    process = gongkai(data_dir, *arguments)
    out, errors = process.communicate(timeout=110)
    return subprocess.CompletedProcess(arguments, process.returncode, out, errors)


def read_json(data_dir: Path, *files: Path) -> tuple[int, list[dict[str, Any]]]:
    done = run(data_dir, "parse", "--json", *map(str, files))
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_commands_of_other_modules_are_listed_and_found(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    assert set(ELSEWHERE) <= set(re.findall(r"^  ([a-z]+) ", done.stdout, re.MULTILINE))


def test_every_command_is_documented_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    documented = set(re.findall(r"gongkai(?: --data \S+)? ([a-z]+)", readme)) | {"serve"}
    assert {*main.commands, *ELSEWHERE} <= documented


NO_DATABASE = [
    ("status",),
    ("changes",),
    ("extract",),
    ("serve", "--port", "0"),
    ("agencies", "list"),
    ("corrections", "list"),
    ("export", "--format", "csv", "--to", "out"),
]


@pytest.mark.parametrize("command", NO_DATABASE, ids=" ".join)
def test_a_file_that_is_no_database_ends_a_command_in_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    database_path(tmp_path).write_text("no database at all", "utf-8")
    done = run(tmp_path, *command)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "file is not a database" in line


def test_a_data_directory_may_have_any_name(tmp_path: Path) -> None:
    """What # ? and % mean in a URI: another, empty file was opened, and made."""
    data_dir = tmp_path / "数据 #1?%41"
    with Store.open(data_dir) as store:
        store.start_run(RunRow("r1", "crawl", "2026-03-01T17:30:00.000000Z", "0.1.0", "host"))
    done = run(data_dir, "status")
    assert (done.returncode, done.stderr) == (0, "")
    assert "run r1 crawl running" in done.stdout
    assert run(data_dir, "changes").returncode == 0
    done = run(data_dir, "serve", "--port", "0")
    assert done.returncode == 1
    assert done.stderr.endswith("whose path has #, ? or % in it; rename the folder\n")
    assert [path.name for path in tmp_path.iterdir()] == [data_dir.name]


def test_bad_files_give_an_error_each_and_the_good_one_its_reading(tmp_path: Path) -> None:
    good = tmp_path / "good.txt"
    good.write_text("一、总体情况\n本年没有需要说明的情况。\n", "utf-8")
    bad = {
        "empty.txt": (b"", "empty"),
        "not_a_zip.docx": (b"these are only words", "type_mismatch"),
        "page.pdf": (b"<!doctype html><html><body><form>log in</form></body></html>", "type_mismatch"),
        "cut.pdf": (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog", "damaged"),
        "tool.docx": (b"MZ\x90\x00" + bytes(200), "unsupported"),
    }
    for name, (data, _) in bad.items():
        (tmp_path / name).write_bytes(data)
    files = [tmp_path / name for name in bad]
    code, readings = read_json(tmp_path, *files, tmp_path / "missing.pdf", good)
    errors = [reading["error"] and reading["error"]["code"] for reading in readings]
    assert errors == [*(code for _, code in bad.values()), "cannot_open", None]
    assert code == 1


def test_a_good_file_alone_exits_with_zero(tmp_path: Path) -> None:
    good = tmp_path / "good.txt"
    good.write_text("一、总体情况\n本年没有需要说明的情况。\n", "utf-8")
    code, (reading,) = read_json(tmp_path, good)
    assert (code, reading["error"], reading["facts"]) == (0, None, [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('agency = "x"\ndivision_code = "230103"\nplattform = "auto"\n', ["plattform", "known keys", "platform"]),
        ('division_code = "230103"\n[channels]\na = "http://a.example/"\n', ["agency", "known keys"]),
        ('agency = "x"\ndivision_code = "230103"\n[channels]\na = "ftp://a.example/"\n', ["channels.a", "ftp"]),
    ],
    ids=["unknown key", "missing agency", "bad address"],
)
def test_a_bad_site_file_is_an_error_that_names_file_and_key(tmp_path: Path, text: str, said: list[str]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    for command in (["sites", "check", str(path)], ["crawl", "--site-file", str(path)]):
        done = run(tmp_path / "data", *command)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert all(word in done.stderr for word in ["mine.toml", *said])


def test_an_unknown_site_names_the_known_ones(tmp_path: Path) -> None:
    done = run(tmp_path, "crawl", "atlantis")
    assert done.returncode == 1
    assert "harbin_nangang" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    process = gongkai(tmp_path, "sites", "list")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    with process.stderr as errors:
        assert errors.read() == ""
    process.wait(timeout=60)


def test_looking_at_nothing_says_what_to_do_first(tmp_path: Path) -> None:
    for command in ("status", "serve"):
        done = run(tmp_path, command)
        assert done.returncode == 1
        assert "corpus.db" in done.stderr


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    if not SEEDS.is_dir():
        pytest.skip(f"no documents in {SEEDS}")
    data_dir = tmp_path_factory.mktemp("demo")
    done = run(data_dir, "demo", "--port", "0", "--documents", str(SEEDS), "--json")
    assert done.returncode == 0, done.stderr
    return data_dir, json.loads(done.stdout)


def expected_seeds() -> list[Path]:
    return sorted((SEEDS / "expected").glob("*.json")) if SEEDS.is_dir() else []


@pytest.mark.parametrize("expected", expected_seeds(), ids=lambda path: path.stem)
def test_a_seed_report_goes_from_column_to_cell_and_back_to_its_bytes(
    demonstrated: tuple[Path, dict[str, Any]], expected: Path
) -> None:
    data_dir, _ = demonstrated
    document = SEEDS / f"{expected.stem}.txt"
    digest = "sha256:" + hashlib.sha256(document.read_bytes()).hexdigest()
    ((report_id, capture_id),) = rows(
        data_dir,
        "SELECT p.report_id, r.capture_id FROM provenance p JOIN reports r USING (report_id) WHERE payload_digest = ?",
        digest,
    )
    facts = dict(rows(data_dir, "SELECT cell, value FROM facts WHERE report_id = ?", report_id))
    assert facts == json.loads(expected.read_text("utf-8"))["cells"]
    with Store.open(data_dir) as store:
        assert payload_bytes(data_dir, store.connection, capture_id) == document.read_bytes()


def test_the_demonstration_says_what_it_collected(demonstrated: tuple[Path, dict[str, Any]]) -> None:
    data_dir, said = demonstrated
    counted = {table: one(data_dir, f"SELECT count(*) FROM {table}") for table in ("pages", "reports", "facts")}
    assert {table: said["crawl"]["extracted"][table] for table in counted} == counted
    assert said["peak_megabytes"] > 0
    assert database_path(data_dir).exists()
