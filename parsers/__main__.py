"""`python -m parsers FILE…` prints what was understood of each file and what was not, `--json` for machines."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from parsers.model import Fact, Reading
from parsers.reading import as_json, read


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every file was read, 1 when one was not (the others still are)."""
    parser = argparse.ArgumentParser(prog="python -m parsers", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON object per file per line")
    given = parser.parse_args(arguments)
    failed = False
    for file in given.files:
        try:
            data = file.read_bytes()
        except OSError as error:
            failed = True
            sys.stderr.write(f"{file}: {error.strerror}\n")
            continue
        reading = read(data, name=file.name)
        failed = failed or reading.error is not None
        text = (
            json.dumps(as_json(reading, str(file)), ensure_ascii=False) if given.json else described(reading, str(file))
        )
        sys.stdout.write(f"{text}\n")
    return int(failed)


def described(reading: Reading, file: str) -> str:
    """A reading for a person: what it is, its rows of numbers, then all that did not fit."""
    if reading.error:
        return f"{file}\n  error {reading.error.code}: {reading.error.message}"
    lines = [
        file,
        f"  {reading.kind} ({reading.media_type}), form {reading.form}, year {reading.report_year}",
        f"  title {reading.title}, agency {reading.agency}, published {reading.published_date}",
        f"  sections: {' | '.join(section.heading for section in reading.sections) or 'none'}",
    ]
    lines += [f"  {row}" for row in _rows(reading.facts)]
    counts = Counter(check.status for check in reading.checks)
    lines.append("  checks: " + (", ".join(f"{number} {status}" for status, number in counts.items()) or "none"))
    lines += [f"  ! {finding.code}: {finding.message} {finding.locator}".rstrip() for finding in reading.findings]
    return "\n".join(lines)


def _rows(facts: Sequence[Fact]) -> list[str]:
    """One line a row of the form: values in order, a dash for a blank, words for other states, ~ for doubt."""
    rows: dict[str, list[str]] = {}
    for fact in facts:
        shown = str(fact.value) if fact.value is not None else {"blank": "-"}.get(fact.status, fact.status)
        rows.setdefault(fact.cell.rpartition(".")[0], []).append(shown + ("~" if fact.confidence < 1 else ""))
    return [f"{row}: {' '.join(values)}" for row, values in rows.items()]


if __name__ == "__main__":
    sys.exit(main())
