"""How many cells of generated reports each format gives back right: the figures the floors in `baseline.json` hold.

`python tests/quality/measured.py` prints them; `--raise` writes those that are better than the baseline into it.
Nothing lowers a floor but a person editing the file.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from crawler import office
from crawler.replica.reports import Mode, Printed, draw_report, lay_out
from crawler.replica.writers import docx, html, ofd, packed, pdf, sheet, text, word
from crawler.replica.writers.pdf import PdfStyle
from parsers.reading import read

BASELINE = Path(__file__).with_name("baseline.json")
YEARS = {"2014": 2016, "2019": 2020, "2021": 2022}
SEEDS = (1, 2)
MODES: tuple[Mode, ...] = ("distinct", "realistic", "zeros")
SURE = 0.9

Write = Callable[[Sequence[Printed]], list[bytes]]


@dataclass(frozen=True)
class Measure:
    """Of all cells printed: how many read right (value and status), how many wrong at a confidence of 0.9 or more."""

    cells: int
    right: int
    wrong_when_sure: int

    @property
    def share(self) -> float:
        return self.right / self.cells


def each(write: Callable[[Printed], bytes]) -> Write:
    return lambda reports: [write(printed) for printed in reports]


def packed_as(pack: Callable[..., bytes]) -> Write:
    return each(lambda printed: pack([("附件/年度报告.docx", docx.write(printed)), ("说明.txt", "见附件。".encode())]))


FORMATS: dict[str, Write] = {
    "text": each(text.write),
    "html": each(html.write),
    "docx": each(docx.write),
    "pdf": each(lambda printed: pdf.write(printed, style=PdfStyle(padding=7))),
    "ofd": each(ofd.write),
    "xls": each(sheet.write_xls),
    "xlsx": each(sheet.write_xlsx),
    "excel-xml": each(sheet.write_excel_xml),
    "ods": each(sheet.write_ods),
    "fods": each(sheet.write_fods),
    "zip": packed_as(packed.write_zip),
    "rar": packed_as(packed.write_rar),
    "mail": packed_as(packed.write_mail),
    "gzip": each(lambda printed: gzip.compress(docx.write(printed), mtime=0)),
}
# Written by LibreOffice, and all but .doc read with it too.
OFFICE_FORMATS: dict[str, Write] = {
    "doc": lambda reports: word.write_all(reports, kind="doc"),
    "rtf": lambda reports: word.write_all(reports, kind="rtf"),
    "odt": lambda reports: word.write_all(reports, kind="odt"),
    "fodt": lambda reports: word.write_all(reports, kind="fodt"),
    "uot": lambda reports: word.write_all(reports, kind="uot"),
}
CONVERTED = ("rtf", "odt", "fodt", "uot")


def reports(form: str, seeds: Sequence[int]) -> list[Printed]:
    """Three reports on a form for each seed."""
    return [lay_out(draw_report(f"quality {seed}", year=YEARS[form], mode=mode)) for seed in seeds for mode in MODES]


def measure(name: str) -> Measure:
    write = {**FORMATS, **OFFICE_FORMATS}[name]
    # LibreOffice takes a tenth of a second to write each report and another to read it.
    seeds = SEEDS[:1] if name in CONVERTED else SEEDS
    printed = [report for form in YEARS for report in reports(form, seeds)]
    written = write(printed)
    converted = office.conversions([("", data) for data in written]) if name in CONVERTED else None
    found = [_compared(report, read(data, converted=converted)) for report, data in zip(printed, written, strict=True)]
    return Measure(
        cells=sum(one.cells for one in found),
        right=sum(one.right for one in found),
        wrong_when_sure=sum(one.wrong_when_sure for one in found),
    )


def _compared(printed: Printed, reading: Any) -> Measure:
    facts = {fact.cell: fact for fact in reading.facts}
    right = wrong = 0
    for cell, expected in printed.truth.items():
        fact = facts.get(cell)
        if fact is not None and (fact.value, fact.status) == (expected.value, expected.status):
            right += 1
        elif fact is not None and fact.confidence >= SURE and fact.status not in ("absent", "unreadable"):
            wrong += 1
    return Measure(len(printed.truth), right, wrong)


def floors() -> dict[str, float]:
    """Least share of cells right, by format."""
    return {name: float(share) for name, share in json.loads(BASELINE.read_text("utf-8")).items()}


def raised(known: dict[str, float], shares: dict[str, float]) -> dict[str, float]:
    """Floors after a measurement: a better share becomes the floor, a worse one changes nothing."""
    return {name: max(known.get(name, 0.0), shares.get(name, 0.0)) for name in sorted({*known, *shares})}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "--raise", dest="is_raising", action="store_true", help="write better figures to the baseline"
    )
    chosen = arguments.parse_args()
    names = [*FORMATS, *(OFFICE_FORMATS if office.is_installed() else ())]
    found = {name: measure(name) for name in names}
    known = floors() if BASELINE.exists() else {}
    print(f"{'format':9} {'cells':>6} {'right':>8} {'floor':>8}  wrong at confidence >= {SURE}")
    for name, one in found.items():
        print(f"{name:9} {one.cells:6} {one.share:8.2%} {known.get(name, 0.0):8.2%}  {one.wrong_when_sure}")
    if chosen.is_raising:
        shares = raised(known, {name: round(one.share, 6) for name, one in found.items()})
        BASELINE.write_text(json.dumps(shares, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
