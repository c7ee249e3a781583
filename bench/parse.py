"""Warm time to read one report, by format, beside what the format's library alone needs for the same file.

    python bench/parse.py [FILE …] [--runs N] [--json]

Without files it takes the reports of `../shared` where there are any, and the tests' fixtures otherwise. "read" is the
whole of `parsers.reading.read`: bytes to cells, checks and sections. "floor" is the least any reader could do:

    PDF    pdfium gives all characters and the bounds of all paths, without the machine's fonts as readers do
    HTML   lxml.html.fromstring
    docx   the main part unzipped, and its tree by lxml
    text   decoded, in lines
    doc    office-oxide gives its tree
    sheet  calamine gives the values of all cells
    OFD    the parts unzipped, and their trees by lxml

Formats of which there is no file are measured on a generated report.

Both are medians of the same number of runs, taken turn by turn in one process, in the thread's own CPU time, which
other programs on the machine disturb least. Ratios travel between machines, milliseconds do not.
"""

from __future__ import annotations

import argparse
import ctypes
import io
import json
import statistics
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import lxml.html
import office_oxide
import pypdfium2 as pdfium
import pypdfium2.raw as raw
from lxml import etree
from python_calamine import CalamineWorkbook

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers import ofd, sheet
from parsers import sniff
from parsers.reading import read

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
RUNS = 30
SUFFIXES = {".txt", ".html", ".docx", ".pdf"}


@dataclass(frozen=True)
class Timing:
    """Median milliseconds of one file."""

    file: str
    format: str
    bytes: int
    read_ms: float
    floor_ms: float
    ratio: float
    runs: int
    cells: int


def pdf_floor(data: bytes) -> int:
    """All characters and the bounds of all paths, as pdfium gives them, nothing kept. Returns how many of both."""
    count = 0
    edges = [ctypes.c_float() for _ in range(4)]
    references = [ctypes.byref(edge) for edge in edges]
    document = pdfium.PdfDocument(data)
    for index in range(len(document)):
        page = document[index]
        text_page = page.get_textpage()
        count += len(text_page.get_text_range())
        for number in range(raw.FPDFPage_CountObjects(page.raw)):
            item = raw.FPDFPage_GetObject(page.raw, number)
            if raw.FPDFPageObj_GetType(item) == raw.FPDF_PAGEOBJ_PATH:
                raw.FPDFPageObj_GetBounds(item, *references)
                count += 1
        text_page.close()
        page.close()
    document.close()
    return count


def html_floor(data: bytes) -> int:
    return len(lxml.html.fromstring(data))


def docx_floor(data: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return len(etree.fromstring(package.read("word/document.xml")))


def text_floor(data: bytes) -> int:
    return len(data.decode("utf-8", errors="replace").splitlines())


def doc_floor(data: bytes) -> int:
    return len(office_oxide.Document.from_bytes(data, "doc").to_ir()["sections"])


def sheet_floor(data: bytes) -> int:
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return sum(len(workbook.get_sheet_by_name(name).to_python()) for name in workbook.sheet_names)


def ofd_floor(data: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return sum(len(etree.fromstring(package.read(name))) for name in package.namelist() if name.endswith(".xml"))


FLOORS: dict[str, tuple[str, Callable[[bytes], int]]] = {
    sniff.PDF: ("PDF", pdf_floor),
    sniff.HTML: ("HTML", html_floor),
    sniff.DOCX: ("docx", docx_floor),
    sniff.DOC: ("doc", doc_floor),
    sniff.XLS: ("xls", sheet_floor),
    sniff.XLSX: ("xlsx", sheet_floor),
    sniff.OFD: ("OFD", ofd_floor),
    sniff.PLAIN: ("text", text_floor),
    sniff.MARKDOWN: ("text", text_floor),
}


def default_files() -> list[Path]:
    """Reports beside the project, else the inputs of the project's own fixtures."""
    for folders in ((SHARED / "seeds", SHARED / "real"), (ROOT / "tests" / "fixtures",)):
        found = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES]
        if found:
            return found
    return []


def generated(known: set[str]) -> dict[str, bytes]:
    """A report in each format whose name in `FLOORS` is not among the `known`; .doc is the tests' fixture."""
    printed = lay_out(draw_report("bench", year=2022, mode="distinct"))
    fixture = ROOT / "tests" / "fixtures" / "documents" / "doc-report" / "input.doc"
    made = {
        "xls": ("generated.xls", sheet.write_xls(printed)),
        "xlsx": ("generated.xlsx", sheet.write_xlsx(printed)),
        "OFD": ("generated.ofd", ofd.write(printed)),
        "doc": (str(fixture.relative_to(ROOT)), fixture.read_bytes()),
    }
    return {name: data for kind, (name, data) in made.items() if kind not in known}


def timed(data: bytes, name: str, runs: int) -> Timing:
    kind, floor = FLOORS[sniff.media_type(data, name)]
    cells = len(read(data, name=name).facts)
    read_times, floor_times = [], []
    for _ in range(runs):
        read_times.append(milliseconds(lambda: read(data, name=name)))
        floor_times.append(milliseconds(lambda: floor(data)))
    read_ms, floor_ms = statistics.median(read_times), statistics.median(floor_times)
    return Timing(
        file=name,
        format=kind,
        bytes=len(data),
        read_ms=round(read_ms, 2),
        floor_ms=round(floor_ms, 3),
        ratio=round(read_ms / floor_ms, 1),
        runs=runs,
        cells=cells,
    )


def milliseconds(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return (time.thread_time() - begin) * 1000


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", nargs="*", type=Path)
    arguments.add_argument("--runs", type=int, default=RUNS, help=f"at least 20 mean something; default {RUNS}")
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    files: list[Path] = chosen.files or default_files()
    if not files:
        print("no files given and none found beside the project", file=sys.stderr)
        return 2
    timings = []
    for path in files:
        data = path.read_bytes()
        if sniff.media_type(data, path.name) in FLOORS:
            timings.append(timed(data, path.name, chosen.runs))
        else:
            print(f"{path}: no floor for its kind, left out", file=sys.stderr)
    if not chosen.files:
        made = generated({timing.format for timing in timings})
        timings += [timed(data, name, chosen.runs) for name, data in made.items()]
    if chosen.json:
        print(json.dumps([asdict(timing) for timing in timings], ensure_ascii=False, indent=1))
        return 0
    print(f"{'format':6} {'read ms':>8} {'floor ms':>9} {'ratio':>6} {'cells':>6}  file  (medians of {chosen.runs})")
    for timing in sorted(timings, key=lambda timing: (timing.format, timing.file)):
        figures = f"{timing.read_ms:8.2f} {timing.floor_ms:9.3f} {timing.ratio:6.1f} {timing.cells:6}"
        print(f"{timing.format:6} {figures}  {timing.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
