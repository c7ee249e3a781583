"""Where things lie in a data directory."""

from __future__ import annotations

from pathlib import Path

OPEN_SUFFIX = ".open"
OWN_PREFIX = "gongkai-"
# Files of other tools that `gongkai import` took in.
IMPORTED_PREFIX = "imported-"


def warc_dir(data_dir: Path) -> Path:
    return data_dir / "warc"


def quarantine_dir(data_dir: Path) -> Path:
    return data_dir / "warc" / "quarantine"


def manifest_path(data_dir: Path) -> Path:
    return data_dir / "warc" / "MANIFEST.jsonl"


def index_path(data_dir: Path) -> Path:
    return data_dir / "index.cdxj"


def database_path(data_dir: Path) -> Path:
    return data_dir / "corpus.db"


def rebuild_path(data_dir: Path) -> Path:
    """Where a database that is made again grows."""
    return data_dir / "corpus.db.new"


def lock_path(data_dir: Path) -> Path:
    return data_dir / ".lock"


def importing_dir(data_dir: Path) -> Path:
    """Where an import unpacks what it takes in; emptied by the next one."""
    return data_dir / "importing"


def has_sealed_files(data_dir: Path) -> bool:
    """Whether files of our own lie there that no crash explains without a database."""
    return any(warc_dir(data_dir).glob(f"{OWN_PREFIX}*.warc.gz"))


def no_database(data_dir: Path) -> str:
    """What to say where corpus.db is missing: how to get it."""
    path = database_path(data_dir)
    if has_sealed_files(data_dir):
        return f"{path}: missing, though warc/ holds captures; `gongkai extract` makes it again"
    return f"{path}: no such database; `gongkai crawl` or `gongkai demo` makes one"


def is_imported(warc_file: str) -> bool:
    return warc_file.startswith(IMPORTED_PREFIX)


def located(data_dir: Path, warc_file: str) -> Path | None:
    """The WARC file of that name wherever it lies: sealed, still open, or in quarantine; None when it is gone."""
    sealed = warc_dir(data_dir) / warc_file
    for path in (sealed, sealed.with_name(sealed.name + OPEN_SUFFIX), quarantine_dir(data_dir) / warc_file):
        if path.is_file():
            return path
    return None
