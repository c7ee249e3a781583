"""What `gongkai doctor` finds, and what it says of what it does not find."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler import doctor
from crawler.cli import main
from crawler.doctor import Part, described, examine
from crawler.jail import JailError
from crawler.wire.selftest import WireSelfTestError

NAMED = (
    "Python", "package scrapy", "package datasette", "package pypdfium2", "SQLite with FTS5 and JSON", "wire self-test",
    "data directory", "disk space", "jail for documents", "bubblewrap", "libarchive", "OCR models", "LibreOffice",
    "Chromium", "systemd-analyze", "wget", "nginx",
)  # fmt: skip


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Part]:
    return {part.name: part for part in examine(tmp_path_factory.mktemp("doctor") / "not" / "there" / "yet")}


@pytest.mark.parametrize("name", NAMED)
def test_each_part_is_named_with_what_is_lost_and_how_to_get_it(parts: dict[str, Part], name: str) -> None:
    part = parts[name]
    assert part.lost
    assert part.install
    assert part.detail or part.state == "missing" or name == "jail for documents"


def test_what_the_tests_themselves_need_is_found(parts: dict[str, Part]) -> None:
    essential = [part for part in parts.values() if part.essential]
    assert [part.name for part in essential if part.is_broken] == []
    assert len(essential) > 15


def test_looking_makes_nothing(tmp_path: Path) -> None:
    examine(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_programs_still_works(parts: dict[str, Part], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    found = [doctor._program(program) for program in doctor._PROGRAMS] + [doctor._bubblewrap()]
    assert {part.state for part in found} == {"missing"}
    text = described(found)
    assert "apt-get install libreoffice-writer-nogui" in text
    assert ".rtf, .odt and odd .doc files are not read" in text
    assert text.endswith("everything essential is there")


def test_a_program_that_says_nothing_is_named_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*arguments: object, **_: object) -> None:
        raise subprocess.TimeoutExpired("x", 1)

    monkeypatch.setattr(doctor.subprocess, "run", late)
    assert doctor._said("/usr/bin/x", ()) == "/usr/bin/x"


def test_a_wire_that_changes_bytes_is_essential(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lies() -> None:
        raise WireSelfTestError("self-test: bytes sent differ at 3")

    monkeypatch.setattr(doctor, "check_wire", lies)
    part = doctor._wire()
    assert (part.is_broken, part.detail) == (True, "self-test: bytes sent differ at 3")


def test_a_jail_without_all_its_measures_is_limited_and_none_at_all_is_essential(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor.Jail, "missing", lambda self: ("no namespaces: not allowed",))
    assert (doctor._jail().state, doctor._jail().detail) == ("limited", "no namespaces: not allowed")

    def fails(self: object) -> tuple[str, ...]:
        raise JailError("no worker")

    monkeypatch.setattr(doctor.Jail, "missing", fails)
    assert doctor._jail().is_broken


def test_a_package_that_is_gone_is_essential(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["scrapy>=2", "not-there-at-all>=1", 'pytest>=8; extra == "dev"']
    monkeypatch.setattr(doctor, "requires", lambda name: wanted)
    found = {part.name: part.is_broken for part in doctor._packages()}
    assert found == {"package scrapy": False, "package not-there-at-all": True}


def test_a_full_disk_is_said_and_is_not_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 1 << 80)
    part = doctor._disk(tmp_path)
    assert (part.state, part.is_broken) == ("limited", False)


@pytest.mark.parametrize(("state", "code"), [("found", 0), ("limited", 0), ("missing", 1)])
def test_the_command_fails_only_for_what_is_essential(monkeypatch: pytest.MonkeyPatch, state: str, code: int) -> None:
    found = [Part("a", state, "1", "work", "get it", essential=True), Part("b", "missing", "", "little", "get it")]
    monkeypatch.setattr(doctor, "examine", lambda data_dir: found)
    done = CliRunner().invoke(main, ["doctor", "--json"])
    assert done.exit_code == code
    rows = json.loads(done.stdout)["parts"]
    assert [(row["name"], row["state"]) for row in rows] == [("a", state), ("b", "missing")]
    text = CliRunner().invoke(main, ["doctor"]).stdout
    assert ("gongkai cannot work: a" in text) == bool(code)
