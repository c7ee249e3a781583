"""Conversion by LibreOffice: whole reports, hopeless documents, hangs, and life without it."""

from __future__ import annotations

import io
import socket
import stat
import time
import zipfile
from pathlib import Path

import pytest

from crawler import office
from crawler.office import ConversionError, convert
from crawler.parse import read_file, read_files
from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers import word
from crawler.replica.writers.packed import write_zip
from parsers.model import Finding, Reading, ReadingError
from parsers.reading import read

FIXTURES = Path(__file__).parents[1] / "fixtures" / "documents"
RTF = rb"{\rtf1\ansi\uc0 \u24180?\u25253?\par}"
ODT = (FIXTURES / "odt-report" / "input.odt").read_bytes()

installed = pytest.mark.skipif(not office.is_installed(), reason="LibreOffice is not installed")


def program(folder: Path, script: str) -> str:
    """A stand-in for soffice. `$OUT` is the folder it is to write to, `$@` all its arguments."""
    path = folder / "soffice"
    path.write_text('#!/bin/sh\nwhile [ "$1" != --outdir ]; do shift; done; OUT=$2; shift 2\n' + script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def use(script: str) -> None:
        monkeypatch.setattr(office, "_program", lambda: program(tmp_path, script))
        monkeypatch.setattr(office, "_sandbox", lambda: ())

    return use


def outcome(converted: list[office.Converted]) -> list[str]:
    return [made.code if isinstance(made, ConversionError) else made.decode() for made in converted]


@installed
def test_the_xml_of_word_2003_is_read(tmp_path: Path) -> None:
    row = "".join(f"<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>" for text in ("规章", "3"))
    (tmp_path / "年报.doc").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><?mso-application progid="Word.Document"?><w:wordDocument '
        'xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:body><w:p><w:r><w:t>云岫镇年度报告</w:t></w:r>'
        f"</w:p><w:tbl><w:tr>{row}</w:tr></w:tbl><w:sectPr/></w:body></w:wordDocument>",
        "utf-8",
    )
    reading = read_file(tmp_path / "年报.doc")
    assert (reading["kind"], reading["error"], reading["findings"]) == ("page", None, [])


@installed
@pytest.mark.parametrize("kind", ["fodt", "uot"])
def test_texts_that_are_one_xml_file_are_read(kind: str) -> None:
    reading = read_file(FIXTURES / f"{kind}-report" / f"input.{kind}")
    assert {fact["locator"]: fact["raw"] for fact in reading["facts"] if fact["locator"]} == {
        "table=1;row=2;column=2": "3",
        "table=1;row=2;column=3": "",
        "table=1;row=2;column=4": "41",
        "table=1;row=3;column=2": "0",
        "table=1;row=3;column=3": "/",
        "table=1;row=3;column=4": "26",
    }
    assert (reading["error"], reading["form"], reading["signed_date"]) == (None, "2021", "2023-01-11")


@installed
def test_several_documents_are_converted_in_one_start(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = []
    run = office._run
    monkeypatch.setattr(office, "_run", lambda *given: starts.append(1) or run(*given))
    printed = lay_out(draw_report("office", year=2022))
    rtf = word.write(printed, kind="rtf")
    starts.clear()
    made = convert([("a.odt", ODT), ("年报.rtf", rtf), ("c.rtf", b"{\\rtf1 {\\b cut")])
    assert len(starts) == 1
    assert isinstance(made[0], bytes)
    reading = read(rtf, converted={rtf: made[1]})
    assert {fact.cell: fact.value for fact in reading.facts} == {c: e.value for c, e in printed.truth.items()}
    assert {fact.confidence for fact in reading.facts} == {1.0}
    assert not isinstance(made[2], ConversionError) or made[2].code == "conversion_failed"


@installed
def test_a_file_that_needs_it_is_converted_for_gongkai_parse() -> None:
    reading = read_file(FIXTURES / "odt-report" / "input.odt")
    assert (reading["error"], reading["form"], reading["media_type"]) == (
        None,
        "2019",
        "application/vnd.oasis.opendocument.text",
    )


@installed
def test_the_sandbox_sees_neither_the_network_nor_other_folders() -> None:
    sandbox = office._sandbox()
    if not sandbox:
        pytest.skip("bubblewrap is not installed or may not be used here")
    import subprocess

    seen = subprocess.run(
        [*sandbox, "sh", "-c", "ls -d /home /root /etc/passwd; cat /proc/net/dev"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "/" not in seen.stdout.split("Inter-")[0]
    assert [line.split(":")[0].strip() for line in seen.stdout.splitlines() if ":" in line] == ["lo"]


@installed
def test_a_document_asks_for_nothing_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its settings alone keep it from that, where there is no bubblewrap."""
    monkeypatch.setattr(office, "_sandbox", lambda: ())
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        with zipfile.ZipFile(io.BytesIO(ODT)) as source:
            parts = {name: source.read(name) for name in source.namelist()}
        drawn = "".join(
            f'<text:p><draw:frame svg:width="3cm" svg:height="3cm"><draw:{kind} xlink:href="{address}/{kind}" '
            'xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"/></draw:frame></text:p>'
            for kind in ("image", "object")
        )
        content = parts["content.xml"].decode().replace("</office:text>", f"{drawn}</office:text>")
        assert all(f"xmlns:{prefix}=" in content for prefix in ("draw", "svg", "text", "xlink"))
        parts["content.xml"] = content.encode()
        made = convert([("a.odt", write_zip(list(parts.items()), encoding="utf-8"))])
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert isinstance(made[0], bytes)


def test_without_libreoffice_every_document_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "_program", lambda: None)
    assert outcome(convert([("a.rtf", RTF), ("b.odt", ODT)])) == ["libreoffice_missing"] * 2
    reading = read_file(FIXTURES / "odt-report" / "input.odt")
    assert reading["error"]["code"] == "libreoffice_missing"
    assert "libreoffice-writer-nogui" in reading["error"]["message"]


def test_files_that_wait_for_libreoffice_are_converted_together_and_told_in_order(monkeypatch, tmp_path) -> None:
    asked: list[int] = []

    def nothing(files, **_):
        asked.append(len(files))
        return [ConversionError("conversion_failed", "not now")] * len(files)

    monkeypatch.setattr(office, "convert", nothing)
    paths = []
    for name, content in (
        ("a.txt", b"text"),
        ("b.rtf", RTF),
        ("c.txt", b"text"),
        ("d.rtf", RTF + b" "),
        ("e.rtf", RTF),
    ):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    read_all = [(Path(one["file"]).name, (one["error"] or {}).get("code")) for one in read_files(paths)]
    assert read_all == [
        ("a.txt", None),
        ("b.rtf", "conversion_failed"),
        ("c.txt", None),
        ("d.rtf", "conversion_failed"),
        ("e.rtf", "conversion_failed"),
    ]
    assert [count for count in asked if count] == [3]


def test_the_file_that_ends_a_run_costs_only_itself(stand_in) -> None:
    stand_in('for f; do case $f in *0001.rtf) kill -9 $$;; esac; echo -n made >"$OUT/$(basename "$f" .rtf).rtf"; done')
    assert outcome(convert([("", RTF)] * 4, to="rtf")) == ["made", "conversion_failed", "made", "made"]


def test_the_file_that_hangs_costs_only_itself_and_is_killed_with_its_children(stand_in, tmp_path, monkeypatch) -> None:
    # Longer than a start takes on a busy machine.
    monkeypatch.setattr(office, "STALL_SECONDS", 1.5)
    stand_in(
        f"for f; do case $f in *0000.rtf) (sleep 3; touch {tmp_path}/alive) & wait;; esac; "
        'echo -n made >"$OUT/$(basename "$f")"; done'
    )
    assert outcome(convert([("", RTF)] * 3, to="rtf")) == ["conversion_failed", "made", "made"]
    time.sleep(2)
    assert not (tmp_path / "alive").exists()


def test_a_file_it_passes_over_is_not_tried_again(stand_in, tmp_path) -> None:
    stand_in(f'echo >>{tmp_path}/starts; shift; for f; do echo -n made >"$OUT/$(basename "$f")"; done')
    assert outcome(convert([("", RTF)] * 3, to="rtf")) == ["conversion_failed", "made", "made"]
    assert (tmp_path / "starts").read_text().count("\n") == 1


def test_a_program_that_never_starts_gives_up_on_each(stand_in) -> None:
    stand_in("exit 1")
    assert outcome(convert([("", RTF)] * 3)) == ["conversion_failed"] * 3


def test_a_package_that_was_being_written_is_not_taken(stand_in) -> None:
    stand_in('echo -n "PK half" >"$OUT/0000.docx"; kill -9 $$')
    assert outcome(convert([("", RTF)])) == ["conversion_failed"]


def test_an_output_without_end_is_too_large(stand_in, monkeypatch) -> None:
    monkeypatch.setattr(office, "MAX_OUTPUT_BYTES", 4096)
    stand_in('head -c 100000 /dev/zero >"$OUT/0000.rtf"')
    assert outcome(convert([("", RTF)], to="rtf")) == ["too_large"]


def test_a_link_to_a_file_elsewhere_is_no_output(stand_in, tmp_path) -> None:
    (tmp_path / "own").write_text("not for the corpus")
    stand_in(f'ln -s {tmp_path}/own "$OUT/0000.rtf"')
    assert outcome(convert([("", RTF)], to="rtf")) == ["conversion_failed"]
    (tmp_path / "0000.rtf").write_text("nor this")
    stand_in(f'rmdir "$OUT"; ln -s {tmp_path} "$OUT"')
    assert outcome(convert([("", RTF)], to="rtf")) == ["conversion_failed"]


def test_a_program_that_takes_its_folders_away_costs_its_document(stand_in) -> None:
    stand_in('rmdir "$OUT"; sleep 60')
    assert outcome(convert([("", RTF)])) == ["conversion_failed"]


def test_nothing_is_left_behind(stand_in, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    stand_in("exit 0")
    convert([("", RTF)])
    assert [path.name for path in tmp_path.iterdir()] == ["soffice"]


def test_macros_links_and_content_from_outside_are_off() -> None:
    profile = office._profile()
    for setting in (
        "MacroSecurityLevel",
        "DisableMacrosExecution",
        "BlockUntrustedRefererLinks",
        "DisableActiveContent",
    ):
        assert setting in profile


@pytest.mark.parametrize(
    ("reading", "needs"),
    [
        (Reading("application/rtf", error=ReadingError("needs_conversion", "")), True),
        (Reading("application/msword", findings=(Finding("needs_conversion", ""),)), True),
        (Reading("application/msword", error=ReadingError("damaged", "")), False),
    ],
)
def test_which_readings_may_become_better(reading: Reading, needs: bool) -> None:
    assert office.needs_conversion(reading) is needs


def test_documents_in_archives_can_be_converted_and_damaged_archives_hold_none() -> None:
    data = write_zip([("a.rtf", RTF), ("b.txt", b"text")])
    assert office.convertible(data, "x.zip") == (("a.rtf", RTF),)
    assert office.convertible(data[:-30], "x.zip") == ()
