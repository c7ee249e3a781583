"""Precision and recall of `crawler.blocking` over the labelled pages of tests/fixtures/guards.

    python bench/blocking.py

A page counts as found when the sign bears the label's name and wants what the label says; any sign on a clean page is
a false alarm. Exits 1 unless both figures are 1.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from crawler.blocking import block

PAGES = Path(__file__).parents[1] / "tests" / "fixtures" / "guards"


@dataclass(frozen=True, slots=True)
class LabelledPage:
    """`guard` is "" for a clean page."""

    name: str
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    guard: str = ""
    kind: str = ""

    def verdict(self) -> tuple[str, str]:
        """Name and kind of the sign found, "" twice for none."""
        sign = block(self.body, status=self.status, headers=self.headers)
        return (sign.name, sign.kind) if sign else ("", "")


def labelled_pages() -> tuple[LabelledPage, ...]:
    """Guards' pages, then clean ones."""
    entries = [
        entry
        for name in ("blocked.toml", "clean.toml")
        for entry in tomllib.loads((PAGES / name).read_text(encoding="utf-8"))["page"]
    ]
    return tuple(
        LabelledPage(
            name=entry["name"],
            status=entry["status"],
            headers=tuple((name.encode(), value.encode()) for name, value in entry.get("headers", ())),
            body=entry["body"].encode(entry.get("encoding", "utf-8")),
            guard=entry.get("guard", ""),
            kind=entry.get("kind", ""),
        )
        for entry in entries
    )


def main() -> int:
    pages = labelled_pages()
    wrong = [page for page in pages if page.verdict() != (page.guard, page.kind)]
    for page in wrong:
        print(f"{page.name}: expected {page.guard or 'no guard'}, found {page.verdict()[0] or 'none'}")
    alarms = [page for page in pages if page.verdict()[0]]
    guards = [page for page in pages if page.guard]
    right = sum(page not in wrong for page in guards)
    precision, recall = right / max(1, len(alarms)), right / len(guards)
    clean = len(pages) - len(guards)
    counted = f"{len(guards)} guards' pages, {clean} clean ones"
    print(f"guard pages: precision {precision:.3f}, recall {recall:.3f} ({counted})")
    return 0 if precision == recall == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
