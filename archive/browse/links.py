"""What a value in a table leads to: reports to their tables, facts and captures to their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from markupsafe import Markup, escape

CAPTURE_COLUMNS = frozenset({"capture_id", "refers_to", "previous_capture_id", "payload_capture_id"})
REPORT_COLUMNS = frozenset({"report_id", "copy_of"})
RUN_COLUMNS = frozenset({"run_id", "first_run_id", "last_run_id"})
# Views and tables whose rows are facts of current reports; in others a cell may be of an earlier version.
_FACTS = frozenset({"facts", None})

PathTo = Callable[[str], str]


def link(column: str, value: object, row: Mapping[str, object], table: str | None, path_to: PathTo) -> Markup | None:
    """The cell as HTML, None where it leads nowhere. `table` is None for the rows of a query."""
    key = value.get("value") if isinstance(value, dict) else value
    if key is None or isinstance(key, bytes):
        return None
    if column in REPORT_COLUMNS and isinstance(key, int):
        return _report_link(key, path_to, with_facts=table == "reports" and column == "report_id")
    if column in CAPTURE_COLUMNS and isinstance(key, int):
        return _anchor(path_to(f"/-/capture/{key}"), key)
    if column in RUN_COLUMNS and table != "runs":
        return _anchor(path_to(f"/corpus/captures?run_id={key}") if _is_plain(key) else "", key)
    if column in ("cell", "value") and table in _FACTS:
        return _fact_link(row, key, path_to)
    return None


def _report_link(report_id: int, path_to: PathTo, *, with_facts: bool) -> Markup:
    anchor = _anchor(path_to(f"/-/report/{report_id}"), report_id)
    if not with_facts:
        return anchor
    facts = _anchor(path_to(f"/corpus/facts?report_id={report_id}"), "facts")
    return Markup('{} <small class="gk-facts">{}</small>').format(anchor, facts)


def _fact_link(row: Mapping[str, object], shown: object, path_to: PathTo) -> Markup | None:
    report_id, cell = _of(row, "report_id"), _of(row, "cell")
    if not isinstance(report_id, int) or not isinstance(cell, str) or not _is_plain(cell):
        return None
    return _anchor(path_to(f"/-/fact/{report_id}/{cell}"), shown)


def _of(row: Mapping[str, object], column: str) -> object:
    try:
        return row[column]
    except (KeyError, IndexError):
        return None


def _is_plain(value: object) -> bool:
    """Whether the value can stand in a path or query as it is."""
    return isinstance(value, str) and value.isascii() and all(c.isalnum() or c in "._-" for c in value)


def _anchor(href: str, shown: object) -> Markup:
    return Markup('<a href="{}">{}</a>').format(href, shown) if href else escape(str(shown))
