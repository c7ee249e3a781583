"""How many cells of scanned reports are read right: scans as `baseline_scans.json` names them, with their floors.

`python tests/quality/measured_scans.py [--reports N]` prints them for N reports on each form, and the seconds a page.
Nothing lowers a floor but a person editing the file.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import measured

from crawler.replica.reports import Mode, draw_report, lay_out
from crawler.replica.writers import pdf, scan
from crawler.replica.writers.scan import ScanStyle
from parsers.reading import read

BASELINE = Path(__file__).with_name("baseline_scans.json")
MODES: tuple[Mode, ...] = ("distinct", "realistic", "zeros")
STYLES = {
    "200 dpi, skew 1": ScanStyle(),
    "150 dpi": ScanStyle(dpi=150),
    "skew 2.5": ScanStyle(skew=2.5),
    "black and white": ScanStyle(bilevel=True),
    "red seal": ScanStyle(seal="red"),
    "grey seal": ScanStyle(seal="grey"),
    "curved": ScanStyle(curve=10),
    "keystone": ScanStyle(keystone=20),
    # Photographs of a page held in the hand.
    "curved twice as much": ScanStyle(curve=20),
    "keystone and askew": ScanStyle(keystone=60, skew=3),
}


@dataclass(frozen=True)
class Scans:
    """One kind of scan: cells, and CPU seconds a page."""

    measure: measured.Measure
    pages: int
    seconds_a_page: float


def measure(name: str, reports: int = 1) -> Scans:
    """`reports` on each form; they take turns at being distinct, realistic and all zeros."""
    cells = right = wrong = pages = 0
    seconds = 0.0
    for at, (form, year) in enumerate(measured.YEARS.items()):
        for number in range(reports):
            mode = MODES[(at + number) % len(MODES)]
            printed = lay_out(draw_report(f"scan {form} {number}", year=year, mode=mode))
            data = scan.write(pdf.write(printed), style=STYLES[name], seed=number)
            began = time.thread_time()
            reading = read(data)
            seconds += time.thread_time() - began
            pages += sum(1 for finding in reading.findings if finding.code == "read_by_ocr")
            one = measured._compared(printed, reading)
            cells, right, wrong = cells + one.cells, right + one.right, wrong + one.wrong_when_sure
    return Scans(measured.Measure(cells, right, wrong), pages, seconds / max(1, pages))


def floors() -> dict[str, float]:
    """Least share of cells right, by kind of scan."""
    return {name: float(share) for name, share in json.loads(BASELINE.read_text("utf-8")).items()}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--reports", type=int, default=3, help="on each form; default 3")
    chosen = arguments.parse_args()
    for name in STYLES:
        found = measure(name, chosen.reports)
        print(
            f"{name:20} {found.measure.right:5} of {found.measure.cells} right ({found.measure.share:.2%}), "
            f"{found.measure.wrong_when_sure} wrong when sure, {found.seconds_a_page:.2f} s a page"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
