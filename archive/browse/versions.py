"""What differs between Datasette 0.65 and 1.0, all of it.

Both take the same plugin, templates and queries. 0.65 knows one tree of metadata, 1.0 keeps descriptions apart from
configuration; 0.65 does not count views; 1.0 has more inline scripts, some of which carry data and are refused: its
tables do without (no menu on column heads).
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import datasette

from archive.browse.codebook import Codebook, configuration, merged, metadata

IS_FIRST = int(datasette.__version__.partition(".")[0]) < 1
_TEMPLATES = Path(datasette.__file__).parent / "templates"
# Pages that are served, and what they include.
_WITH_SCRIPTS = (
    *("base.html", "table.html", "database.html", "query.html", "row.html"),
    *("_close_open_menus.html", "_codemirror_foot.html", "_sql_parameter_scripts.html"),
)


def described(book: Codebook, more: dict[str, Any]) -> dict[str, Any]:
    """Codebook and configuration, with `more` of the latter, as arguments of Datasette."""
    config = merged(configuration(book), more)
    if IS_FIRST:
        return {"metadata": merged(metadata(book), config)}
    return {"metadata": metadata(book), "config": config}


def count_views(app: datasette.app.Datasette) -> None:
    """Tells 0.65 how many rows the views have; where it lists the tables it does not expect them."""
    if not IS_FIRST:
        return
    known: MutableMapping[str, Any]
    for name, known in (app.inspect_data or {}).items():
        if app.get_database(name).cached_table_counts is not None:
            known["tables"] = {**known["tables"], **known["views"]}


def templates_with_scripts() -> Iterator[str]:
    """Source of Datasette's own templates that may hold inline scripts."""
    for name in _WITH_SCRIPTS:
        path = _TEMPLATES / name
        if path.is_file():
            yield path.read_text("utf-8")
