"""What a value in a table leads to: reports to their tables, numbers to their facts, captures to their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from markupsafe import Markup, escape

CAPTURE_COLUMNS = frozenset({"capture_id", "refers_to", "previous_capture_id", "payload_capture_id"})
REPORT_COLUMNS = frozenset({"report_id", "copy_of"})
RUN_COLUMNS = frozenset({"run_id", "first_run_id", "last_run_id"})
# In rows that speak of one cell of one report: its name, its text, and numbers other than these.
_OF_THE_FACT = frozenset({"cell", "value", "raw", "value_as_printed"})
_NO_FIGURES = frozenset({"report_year", "confidence", "position", "rank"})
_OF_THE_CHECK = frozenset({"check_id", "rule", "lhs", "rhs", "difference"})
# Views with a column for each concept; their rows speak of many cells.
_WIDE = frozenset({"panel_wide"})
_PANEL_KEYS = ("agency_id", "report_year", "scope")

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
    if table in _WIDE:
        is_number = _is_figure(column, key) and column != "other_reports"
        return _panel_link(column, row, key, path_to) if is_number else None
    if column in _OF_THE_FACT or _is_figure(column, key):
        found = _fact_link(row, key, path_to)
        if found is not None:
            return found
        found = _panel_link(_of(row, "concept"), row, key, path_to) or _outcome_link(row, key, path_to)
        if found is not None:
            return found
    if column in _OF_THE_CHECK:
        return _check_link(row, key, path_to)
    return None


def _is_figure(column: str, key: object) -> bool:
    return isinstance(key, int | float) and column not in _NO_FIGURES and not column.endswith("_id")


def _report_link(report_id: int, path_to: PathTo, *, with_facts: bool) -> Markup:
    anchor = _anchor(path_to(f"/-/report/{report_id}"), report_id)
    if not with_facts:
        return anchor
    facts = _anchor(path_to(f"/corpus/facts?report_id={report_id}"), "facts")
    return Markup('{} <small class="gk-facts">{}</small>').format(anchor, facts)


def _fact_link(row: Mapping[str, object], shown: object, path_to: PathTo) -> Markup | None:
    report_id, cell, version = _of(row, "report_id"), _of(row, "cell"), _of(row, "version_id")
    if not isinstance(report_id, int) or not _is_plain(cell):
        return None
    earlier = f"?version={version}" if isinstance(version, int) else ""
    return _anchor(path_to(f"/-/fact/{report_id}/{cell}{earlier}"), shown)


def _check_link(row: Mapping[str, object], shown: object, path_to: PathTo) -> Markup | None:
    report_id, rule, check_id = _of(row, "report_id"), _of(row, "rule"), _of(row, "check_id")
    if isinstance(check_id, int):
        return _anchor(path_to(f"/-/document-check/{check_id}"), shown)
    if not isinstance(report_id, int) or not _is_plain(rule):
        return None
    return _anchor(path_to(f"/-/check/{report_id}/{rule}"), shown)


def _panel_link(concept: object, row: Mapping[str, object], shown: object, path_to: PathTo) -> Markup | None:
    keys = {key: _of(row, key) for key in _PANEL_KEYS}
    if None in keys.values() or not _is_plain(concept):
        return None
    return _anchor(path_to("/-/number?" + urlencode({**keys, "concept": concept})), shown)


def _outcome_link(row: Mapping[str, object], shown: object, path_to: PathTo) -> Markup | None:
    report_id, outcome = _of(row, "report_id"), _of(row, "outcome")
    if not isinstance(report_id, int) or not _is_plain(outcome):
        return None
    return _anchor(path_to(f"/-/outcome/{report_id}/{outcome}"), shown)


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
