"""Which package may know which: read from the imports themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FORBIDDEN = {
    "parsers": {
        "archive",
        "crawler",
        "scrapy",
        "sqlite3",
        "sqlite_utils",
        "warcio",
        "datasette",
        "socket",
        "urllib.request",
    },
    "archive": {"parsers", "crawler", "scrapy"},
}
# Reading the archive again needs no crawler.
FREE_OF_SCRAPY = [
    "crawler/extract.py",
    "crawler/site.py",
    "crawler/blocking.py",
    "crawler/discover.py",
    "crawler/platforms",
]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def crossings(path: Path, forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for name in imports(path)
        if any(name == banned or name.startswith(banned + ".") for banned in forbidden)
    ]


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_package_keeps_to_its_layer(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    assert [crossing for path in files for crossing in crossings(path, FORBIDDEN[package])] == []


@pytest.mark.parametrize("name", FREE_OF_SCRAPY)
def test_reading_the_archive_again_needs_no_scrapy(name: str) -> None:
    place = ROOT / name
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    assert files
    assert [crossing for path in files for crossing in crossings(path, {"scrapy", "twisted"})] == []


def test_a_crossing_would_be_seen(tmp_path: Path) -> None:
    offender = tmp_path / "offender.py"
    offender.write_text("from archive.store import Store\nimport scrapy.http\n", "utf-8")
    assert {"archive.store", "scrapy.http"} <= set(imports(offender))


def test_no_other_package_stands_at_the_top() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"tests"} == {"archive", "crawler", "parsers"}
