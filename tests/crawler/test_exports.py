"""Exports, read back by other programs: csv, pyarrow, pandas, ReadStat, frictionless, py-wacz, warcio."""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import math
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from crawling import gongkai
from publishing import make

from archive.browse.codebook import codebook
from archive.errors import ArchiveError
from archive.exports import parquet, stata, wacz
from archive.exports.csv_files import safe
from archive.exports.export import export
from archive.exports.tables import Column, ExportTable, Selection, Source
from archive.exports.wacz import export_wacz
from archive.lock import lock
from archive.paths import database_path
from archive.seal import file_sha256
from archive.snapshot import snapshot
from archive.store import Store
from crawler.cli import main

REPORTS = 24
MADE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def clock() -> datetime:
    return MADE


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    make(folder, REPORTS)
    return folder


@pytest.fixture(scope="module")
def database(data_dir: Path) -> Path:
    return database_path(data_dir)


def rows(database: Path, sql: str) -> list[tuple]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def count(database: Path, table: str) -> int:
    return rows(database, f"SELECT count(*) FROM {table}")[0][0]


# CSV


def test_csv_has_every_row_in_the_order_of_its_key(database: Path, tmp_path: Path) -> None:
    export(database, tmp_path, "csv", clock=clock)
    data = (tmp_path / "facts.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfreport_id,cell,value,raw,unit,status,locator,confidence\r\n")
    with (tmp_path / "facts.csv").open(encoding="utf-8-sig", newline="") as handle:
        found = list(csv.DictReader(handle))
    expected = rows(database, "SELECT report_id, cell, value, status FROM facts ORDER BY report_id, cell")
    assert [(int(r["report_id"]), r["cell"], r["status"]) for r in found] == [(r[0], r[1], r[3]) for r in expected]
    assert [r["value"] for r in found] == ["" if r[2] is None else str(r[2]) for r in expected]


def test_csv_without_the_mark_begins_with_the_first_column(database: Path, tmp_path: Path) -> None:
    export(database, tmp_path, "csv", bom=False)
    assert (tmp_path / "reports.csv").read_bytes().startswith(b"report_id,")


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "－", "-"])
def test_text_that_a_spreadsheet_would_calculate_gets_an_apostrophe(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("value", [-3, -0.5, "-12", "+3.5", "84", "—", "", None, "年报"])
def test_numbers_and_plain_text_stay(value: object) -> None:
    assert safe(value) == value


def test_a_selection_narrows_what_hangs_on_reports_and_keeps_codebooks_whole(database: Path, tmp_path: Path) -> None:
    site, year = rows(database, "SELECT site, report_year FROM reports GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT 1")[0]
    export(database, tmp_path, "csv", selection=Selection((site,), (year,)), bom=False)
    with (tmp_path / "reports.csv").open(encoding="utf-8", newline="") as handle:
        chosen = {
            row["report_id"] for row in csv.DictReader(handle) if (row["site"], row["report_year"]) == (site, str(year))
        }
    with (tmp_path / "facts.csv").open(encoding="utf-8", newline="") as handle:
        assert {row["report_id"] for row in csv.DictReader(handle)} == chosen
    assert 0 < len(chosen) < REPORTS
    assert len((tmp_path / "form_cells.csv").read_text("utf-8").splitlines()) == count(database, "form_cells") + 1
    assert f"sites {site} and years {year}" in (tmp_path / "README.md").read_text("utf-8")


def test_a_selection_of_nothing_is_an_error_and_writes_nothing(data_dir: Path, database: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no report is of sites nowhere and years 1999"):
        export(database, tmp_path / "csv", "csv", selection=Selection(("nowhere",), (1999,)))
    with pytest.raises(ArchiveError, match="nothing was captured of sites nowhere"):
        export_wacz(data_dir, tmp_path / "wacz", selection=Selection(("nowhere",)))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_leaves_the_files_before_and_no_scraps(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(database, tmp_path, "csv")
    before = (tmp_path / "facts.csv").read_bytes()
    monkeypatch.setattr("archive.exports.csv_files.safe", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        export(database, tmp_path, "csv")
    assert (tmp_path / "facts.csv").read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_same_corpus_gives_the_same_bytes(database: Path, tmp_path: Path) -> None:
    for form in ("csv", "stata", "datapackage"):
        first, second = ({f.name: f.sha256 for f in export(database, tmp_path, form, clock=clock)} for _ in range(2))
        assert first == second


def test_what_is_exported_is_described(database: Path, tmp_path: Path) -> None:
    export(database, tmp_path, "csv", clock=clock)
    described = (tmp_path / "codebook.md").read_text("utf-8")
    with Source(database) as source:
        for table in source.tables():
            assert f"## `{table.name}`" in described
            assert all(f"| `{column.name}` | {column.zh} |" in described for column in table.columns)
    citation = (tmp_path / "CITATION.cff").read_text("utf-8")
    assert "cff-version: 1.2.0" in citation
    assert "date-released: 2026-03-01" in citation


def test_exported_tables_have_their_keys(database: Path) -> None:
    with Source(database) as source:
        for table in source.tables():
            if table.key:
                keys = ", ".join(table.key)
                found = rows(database, f"SELECT {keys} FROM {table.name} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1")
                assert found == [], table.name


# Parquet


def test_parquet_is_typed_described_and_compressed(database: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (parquet extra)")
    export(database, tmp_path, "parquet", clock=clock)
    table = parquet.read_table(tmp_path / "facts.parquet")
    assert [str(field.type) for field in table.schema] == [
        "int64", "string", "double", "string", "string", "string", "string", "double",
    ]  # fmt: skip
    assert table.schema.field("confidence").metadata[b"unit"] == b"0 to 1"
    assert parquet.ParquetFile(tmp_path / "facts.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    expected = rows(database, "SELECT report_id, cell, value FROM facts ORDER BY report_id, cell")
    read = table.select(["report_id", "cell", "value"]).to_pylist()
    assert [(r["report_id"], r["cell"], r["value"]) for r in read] == expected


def test_parquet_takes_a_whole_number_that_no_double_holds(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (parquet extra)")
    column = Column("value", "number", "数值", "value", "", None, None, 0, is_filled=False, categories=())
    table = ExportTable("sums", "和", "Sums", "", (column,), (), (), 3)
    parquet.write(table, [[(2**53 + 1,), (0.5,), (None,)]], tmp_path / "sums.parquet")
    found = pq.read_table(tmp_path / "sums.parquet").column("value").to_pylist()
    assert found == [float(2**53), 0.5, None]


def test_a_snapshot_is_exported_without_a_byte_of_it_changing(data_dir: Path, tmp_path: Path) -> None:
    made = snapshot(data_dir, tmp_path / "snapshot")
    present = sorted(made.path.parent.iterdir())
    process = gongkai(made.path.parent, "export", "--format", "csv", "--to", str(tmp_path / "csv"))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert (file_sha256(made.path), sorted(made.path.parent.iterdir())) == (made.sha256, present)


@pytest.mark.parametrize("run_id", ["20260301T120000Z-aaaaaa", "extract"])
def test_what_stands_is_exported_while_another_writes(run_id: str, data_dir: Path, tmp_path: Path) -> None:
    with lock(data_dir, run_id=run_id):
        process = gongkai(data_dir, "export", "--format", "csv", "--to", str(tmp_path / "to"))
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def test_a_year_that_is_none_is_refused_in_a_line(data_dir: Path, tmp_path: Path) -> None:
    process = gongkai(data_dir, "export", "--format", "csv", "--to", str(tmp_path), "--year", "9" * 20)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Invalid value for '--year'" in errors) == (2, True)
    assert "Traceback" not in errors


# Stata


def test_stata_is_read_by_pandas_with_labels_and_long_texts(database: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (dev extra)")
    export(database, tmp_path, "stata", clock=clock)
    with pandas.io.stata.StataReader(tmp_path / "facts.dta") as reader:
        labels, facts = reader.variable_labels(), reader.read()
        assert reader.time_stamp == "01 Mar 2026 12:30"
    expected = rows(database, "SELECT report_id, cell, value, status FROM facts ORDER BY report_id, cell")
    assert len(facts) == len(expected)
    assert facts["cell"].tolist() == [row[1] for row in expected]
    assert facts["status"].tolist() == [row[3] for row in expected]
    values = [None if math.isnan(value) else value for value in facts["value"].tolist()]
    assert values == [row[2] for row in expected]
    assert labels["status"].startswith("状态")
    assert all(len(label) <= 80 for label in labels.values())
    sections = pandas.read_stata(tmp_path / "report_sections.dta")
    texts = rows(database, "SELECT text FROM report_sections ORDER BY section_id")
    assert sections["text"].tolist() == [text for (text,) in texts]


def test_stata_is_read_by_readstat(database: Path, tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat", reason="pyreadstat is not installed (dev extra)")
    export(database, tmp_path, "stata", clock=clock)
    for path in sorted(tmp_path.glob("*.dta")):
        frame, about = pyreadstat.read_dta(str(path))
        assert len(frame) == count(database, path.stem), path.name
        assert all(len(name) <= 32 for name in about.column_names)
    _, about = pyreadstat.read_dta(str(tmp_path / "checks.dta"))
    assert about.variable_value_labels["status"] == {1: "pass", 2: "fail", 3: "not_applicable"}


@pytest.mark.parametrize(
    ("least", "most", "dtype"),
    [(-127, 100, "int8"), (0, 101, "int16"), (0, 32740, "int16"), (0, 32741, "int32"), (0, 2147483621, "float64")],
    ids=["byte", "beyond byte", "int", "beyond int", "beyond long"],
)
def test_stata_numbers_take_the_smallest_type_that_holds_them(
    tmp_path: Path, least: int, most: int, dtype: str
) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (dev extra)")
    column = Column("n", "integer", "数", "number", "", least, most, 10, False, ())
    stata.write(ExportTable("t", "表", "table", "", (column,), (), (), 2), [[(least,), (most,)]], tmp_path / "t.dta")
    found = pandas.read_stata(tmp_path / "t.dta")["n"]
    assert (str(found.dtype), found.tolist()) == (dtype, [least, most])
    stata.write(ExportTable("t", "表", "table", "", (column,), (), (), 2), [[(None,), (most,)]], tmp_path / "t.dta")
    found = pandas.read_stata(tmp_path / "t.dta")["n"]
    assert math.isnan(found[0])
    assert found[1] == most


# Data package


def test_the_data_package_is_valid_for_frictionless_keys_included(database: Path, tmp_path: Path) -> None:
    frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed (dev extra)")
    export(database, tmp_path, "datapackage", clock=clock)
    tree = json.loads((tmp_path / "datapackage.json").read_text("utf-8"))
    resources = {resource["name"]: resource for resource in tree["resources"]}
    assert resources["facts"]["schema"]["primaryKey"] == ["report_id", "cell"]
    references = [key["reference"]["resource"] for key in resources["facts"]["schema"]["foreignKeys"]]
    assert references == ["reports"]
    report = frictionless.Package(str(tmp_path / "datapackage.json")).validate()
    assert report.flatten(["title", "note"]) == []
    with (tmp_path / "facts.csv").open("a", encoding="utf-8", newline="") as handle:
        handle.write("999999,no.such,1,1,件,reported,,1\r\n")
    for resource in tree["resources"]:
        del resource["hash"], resource["bytes"]
    (tmp_path / "datapackage.json").write_text(json.dumps(tree), "utf-8")
    broken = frictionless.Package(str(tmp_path / "datapackage.json")).validate()
    assert broken.flatten(["title"]) == [["ForeignKey Error"]]


# WACZ


def test_wacz_is_valid_for_py_wacz_and_each_site_and_year_has_one(data_dir: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("wacz")
    if not program.exists():
        pytest.skip("wacz is not installed (dev extra)")
    found = export_wacz(data_dir, tmp_path)
    expected = rows(
        database_path(data_dir), "SELECT DISTINCT site, substr(captured_at, 1, 4) FROM captures ORDER BY 1, 2"
    )
    assert [file.name for file in found] == [f"{site}-{year}.wacz" for site, year in expected]
    for file in found:
        done = subprocess.run([program, "validate", "-f", tmp_path / file.name], capture_output=True, text=True)
        assert "is valid" in done.stdout, done.stdout


def test_wacz_records_are_those_of_the_archive_and_the_index_finds_them(data_dir: Path, tmp_path: Path) -> None:
    from warcio.archiveiterator import ArchiveIterator

    file = export_wacz(data_dir, tmp_path)[-1]
    with zipfile.ZipFile(tmp_path / file.name) as package:
        package.extractall(tmp_path / "unpacked")
    warc = tmp_path / "unpacked" / "archive" / "data.warc.gz"
    with warc.open("rb") as handle:
        kinds = [record.rec_type for record in ArchiveIterator(handle)]
    assert kinds[0] == "warcinfo"
    assert kinds.count("request") == kinds.count("response") + kinds.count("revisit")
    lines = gzip.decompress((tmp_path / "unpacked" / "indexes" / "index.cdx.gz").read_bytes()).decode().splitlines()
    assert lines == sorted(lines)
    for line in lines:
        fields = json.loads(line.split(" ", 2)[2])
        with warc.open("rb") as handle:
            handle.seek(int(fields["offset"]))
            record = next(iter(ArchiveIterator(handle)))
            assert record.rec_headers.get_header("WARC-Target-URI") == fields["url"]


def test_a_revisit_takes_along_what_it_refers_to(data_dir: Path, tmp_path: Path) -> None:
    from warcio.archiveiterator import ArchiveIterator

    export_wacz(data_dir, tmp_path, selection=Selection(years=(2025,)))
    known, wanted = set(), set()
    for path in tmp_path.glob("*.wacz"):
        with zipfile.ZipFile(path) as package, package.open("archive/data.warc.gz") as handle:
            for record in ArchiveIterator(handle):
                known.add(record.rec_headers.get_header("WARC-Record-ID"))
                wanted.add(record.rec_headers.get_header("WARC-Refers-To"))
    assert len(wanted) > 1
    assert wanted - {None} <= known


def test_the_same_captures_give_the_same_wacz(data_dir: Path, tmp_path: Path) -> None:
    first, second = ([file.sha256 for file in export_wacz(data_dir, tmp_path / name)] for name in ("a", "b"))
    assert first == second


@pytest.mark.parametrize("site", ["../../above", "/nowhere/above", "..", "a/b", "区" * 300, "x\ny", ".hidden"])
def test_a_wacz_lies_in_its_folder_whatever_its_site_is_called(site: str, data_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(data_dir, tmp_path / "data")
    with contextlib.closing(sqlite3.connect(database_path(tmp_path / "data"))) as connection, connection:
        connection.execute("UPDATE frontier SET site = ?", (site,))
    to = tmp_path / "out" / "deep" / "wacz"
    found = export_wacz(tmp_path / "data", to)
    assert {path.name for path in to.iterdir()} == {file.name for file in found}
    assert all(file.name[0] != "." for file in found)
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.wacz")) == sorted(file.name for file in found)


def test_two_sites_whose_names_differ_in_what_no_file_can_have_keep_two_files() -> None:
    assert len({wacz._file_stem(site) for site in ("a/b", "a\\b", "a_b", "a?b")}) == 4


# The command


def test_the_command_exports_and_says_what(data_dir: Path, tmp_path: Path) -> None:
    copied = tmp_path / "data"
    shutil.copytree(data_dir, copied)
    process = gongkai(copied, "export", "--format", "csv", "--to", str(tmp_path / "out"), "--json")
    out, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (0, "")
    files = {file["name"]: file["rows"] for file in json.loads(out)["files"]}
    assert files["reports.csv"] == REPORTS
    assert files["README.md"] is None
    assert set(files) - {"README.md", "codebook.md", "CITATION.cff"} <= {f"{t.name}.csv" for t in codebook().tables}


@pytest.mark.parametrize(
    ("form", "said"),
    [("csv", "the corpus has no report: "), ("wacz", "nothing was captured that could be exported; ")],
)
def test_a_corpus_without_anything_says_so_beside_its_empty_files(form: str, said: str, tmp_path: Path) -> None:
    with Store.open(tmp_path / "data"):
        pass
    arguments = ["--data", str(tmp_path / "data"), "export", "--format", form, "--to", str(tmp_path / "to"), "--json"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["to"] == str(tmp_path / "to")
    assert done.stderr == f"{said}`gongkai status` says what the runs came to\n"


def test_without_a_corpus_the_command_says_so(tmp_path: Path) -> None:
    process = gongkai(tmp_path, "export", "--format", "csv", "--to", str(tmp_path / "out"))
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 1
    assert "no such database" in errors
    with pytest.raises(ArchiveError, match="no such database"):
        export(tmp_path / "corpus.db", tmp_path / "out", "csv")
