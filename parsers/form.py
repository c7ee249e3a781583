"""The statutory forms, read from `forms/*.toml` into frozen records.

A form has tables, a table has blocks, a block has columns and rows. Cell ids are `table.row.column`; in a table of
shape `list` (one number a row) the row's key is the whole id. Shapes:

    blocks   section two: several small tables, each with its own header
    matrix   section three: one header, one row per way of handling
    across   section four: the rows stand side by side, five cells each, in one printed row
    list     the 2014 table: label, unit, number
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from parsers.errors import FormFileError

Shape = Literal["blocks", "matrix", "across", "list"]
Relation = Literal["=", "<="]

FORMS_DIR = Path(__file__).parent / "forms"

_FORM_KEYS = {"edition", "authority", "cited", "tables", "rules"}
_TABLE_KEYS = {"key", "label", "shape", "furniture", "blocks"}
_BLOCK_KEYS = {"label", "columns", "rows"}
_COLUMN_KEYS = {"key", "label", "unit", "also"}
_ROW_KEYS = {"key", "label", "also", "unit", "within", "group", "parent", "variant"}
_RULE_KEYS = {"key", "says", "table", "each", "left", "right", "relation"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a block: `label` as the authority prints it, `also` other prints met."""

    key: str
    label: str
    unit: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a block.

    `within` and `group` are the headings it stands under, as the full label gives them; `parent` is the row it belongs
    to where its label alone does not tell it apart; `variant` says when the row is printed at all, "" for rows every
    document should have. `unit` is set in tables of shape `list` only.
    """

    key: str
    label: str
    also: tuple[str, ...] = ()
    unit: str = ""
    within: str = ""
    group: str = ""
    parent: str = ""
    variant: str = ""

    @property
    def full_label(self) -> str:
        return self.within + (f"{self.group} " if self.group else "") + self.label


@dataclass(frozen=True, slots=True)
class Block:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`furniture`: printed labels of the table that carry no number."""

    key: str
    label: str
    shape: Shape
    blocks: tuple[Block, ...]
    furniture: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormCell:
    """One cell of a form, as `cells.csv` lists it."""

    cell: str
    table: str
    row_label: str
    column_label: str
    unit: str
    variant: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the form's arithmetic: the sum of `left` stands in `relation` to the sum of `right`."""

    key: str
    says: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    relation: Relation
    cells: tuple[str, ...]  # of both sides


@dataclass(frozen=True, slots=True)
class Form:
    """An edition of the statutory form. `cited` are the document numbers by which reports name it."""

    edition: str
    authority: str
    cited: tuple[str, ...]
    tables: tuple[Table, ...]
    cells: dict[str, FormCell]
    rules: tuple[Rule, ...]

    def table(self, key: str) -> Table:
        return next(table for table in self.tables if table.key == key)


@cache
def forms() -> dict[str, Form]:
    """All editions by name, oldest first."""
    loaded = [load_form(path) for path in sorted(FORMS_DIR.glob("[0-9]*.toml"))]
    return {form.edition: form for form in loaded}


def load_form(path: Path) -> Form:
    """Read one form file. Raises FormFileError, which names the file and the key at fault."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FormFileError(f"{path.name}: cannot be read as TOML: {error}") from error
    form = _Loader(path.name).form(document)
    if form.edition != path.stem:
        raise FormFileError(f"{path.name}: the form.edition: is {form.edition!r}, expected {path.stem!r} as the name")
    return form


def cell_id(table: Table, row: Row, column: Column | None) -> str:
    return row.key if column is None else f"{table.key}.{row.key}.{column.key}"


class _Loader:
    """Turns the tree of one TOML file into records and keeps the place for messages."""

    def __init__(self, file: str) -> None:
        self.file = file

    def form(self, tree: dict[str, Any]) -> Form:
        self._known(tree, _FORM_KEYS, "the form")
        tables = tuple(self._table(entry, place) for entry, place in self._entries(tree, "tables", ""))
        self._distinct((table.key for table in tables), "tables")
        cells = self._cells(tables)
        rules = tuple(
            rule
            for entry, place in self._entries(tree, "rules", "")
            for rule in self._rules(entry, place, tables, cells)
        )
        self._distinct((rule.key for rule in rules), "rules")
        return Form(
            edition=self._text(tree, "edition", "the form"),
            authority=self._text(tree, "authority", "the form"),
            cited=self._texts(tree, "cited", "the form"),
            tables=tables,
            cells=cells,
            rules=rules,
        )

    def _table(self, tree: dict[str, Any], place: str) -> Table:
        self._known(tree, _TABLE_KEYS, place)
        shape = self._text(tree, "shape", place)
        if shape not in get_args(Shape):
            raise self._error(f"{place}.shape", f"is {shape!r}, expected one of {', '.join(get_args(Shape))}")
        blocks = tuple(self._block(entry, at, shape) for entry, at in self._entries(tree, "blocks", place))
        return Table(
            key=self._text(tree, "key", place),
            label=self._text(tree, "label", place),
            shape=shape,  # type: ignore[arg-type]  # checked against get_args above
            blocks=blocks,
            furniture=self._texts(tree, "furniture", place),
        )

    def _block(self, tree: dict[str, Any], place: str, shape: str) -> Block:
        self._known(tree, _BLOCK_KEYS, place)
        if shape == "list":
            columns: tuple[Column, ...] = ()
        else:
            columns = tuple(self._column(entry, at) for entry, at in self._entries(tree, "columns", place))
        rows = tuple(self._row(entry, at) for entry, at in self._entries(tree, "rows", place))
        for row in rows:
            if (shape == "list") != bool(row.unit):
                raise self._error(
                    f"{place}.rows {row.key}", "has a unit of its own in tables of shape 'list', only there"
                )
        return Block(columns=columns, rows=rows, label=self._text(tree, "label", place, default=""))

    def _column(self, tree: dict[str, Any], place: str) -> Column:
        self._known(tree, _COLUMN_KEYS, place)
        return Column(
            key=self._text(tree, "key", place),
            label=self._text(tree, "label", place),
            unit=self._text(tree, "unit", place),
            also=self._texts(tree, "also", place),
        )

    def _row(self, tree: dict[str, Any], place: str) -> Row:
        self._known(tree, _ROW_KEYS, place)
        texts = {key: self._text(tree, key, place, default="") for key in _ROW_KEYS - {"key", "label", "also"}}
        return Row(
            key=self._text(tree, "key", place),
            label=self._text(tree, "label", place),
            also=self._texts(tree, "also", place),
            **texts,
        )

    def _cells(self, tables: tuple[Table, ...]) -> dict[str, FormCell]:
        cells: dict[str, FormCell] = {}
        for table, row, column in printed_cells(tables):
            cell = FormCell(
                cell=cell_id(table, row, column),
                table=table.label,
                row_label=row.full_label,
                column_label=column.label if column else "",
                unit=column.unit if column else row.unit,
                variant=row.variant,
            )
            if cell.cell in cells:
                raise self._error(cell.cell, "is declared twice")
            cells[cell.cell] = cell
        return cells

    def _rules(
        self, tree: dict[str, Any], place: str, tables: tuple[Table, ...], cells: dict[str, FormCell]
    ) -> Iterator[Rule]:
        self._known(tree, _RULE_KEYS, place)
        key, each = self._text(tree, "key", place), self._text(tree, "each", place, default="")
        left, right = self._texts(tree, "left", place), self._texts(tree, "right", place)
        relation = self._text(tree, "relation", place, default="=")
        if relation not in get_args(Relation):
            raise self._error(f"{place}.relation", f"is {relation!r}, expected one of {', '.join(get_args(Relation))}")
        if each not in ("", "row", "column"):
            raise self._error(f"{place}.each", f"is {each!r}, expected 'row', 'column' or no such key")
        for suffix, pattern in self._instances(tree, place, tables, each):
            sides = [tuple(pattern.format(part) for part in side) for side in (left, right)]
            rule = Rule(
                key=key + suffix,
                says=self._text(tree, "says", place),
                left=sides[0],
                right=sides[1],
                relation=relation,  # type: ignore[arg-type]  # checked above
                cells=sides[0] + sides[1],
            )
            unknown = [cell for cell in rule.cells if cell not in cells]
            if unknown or not rule.left or not rule.right:
                raise self._error(f"{place} {rule.key}", f"names cells the form does not have: {', '.join(unknown)}")
            yield rule

    def _instances(
        self, tree: dict[str, Any], place: str, tables: tuple[Table, ...], each: str
    ) -> Iterator[tuple[str, str]]:
        """(suffix of the rule's key, pattern that makes a cell id of a part) for every row or column it holds for."""
        if not each:
            yield "", "{}"
            return
        name = self._text(tree, "table", place)
        table = next((table for table in tables if table.key == name), None)
        if table is None:
            raise self._error(f"{place}.table", f"is {name!r}, expected one of {', '.join(t.key for t in tables)}")
        for block in table.blocks:
            parts = block.rows if each == "row" else block.columns
            for part in parts:
                yield f".{part.key}", f"{name}.{part.key}.{{}}" if each == "row" else f"{name}.{{}}.{part.key}"

    def _entries(self, tree: dict[str, Any], key: str, place: str) -> Iterator[tuple[dict[str, Any], str]]:
        entries = tree.get(key)
        at = f"{place}.{key}" if place else key
        if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
            raise self._error(at, "expected a list of tables that is not empty")
        for number, entry in enumerate(entries, 1):
            yield entry, f"{at}[{entry.get('key', entry.get('label', number))}]"

    def _text(self, tree: dict[str, Any], key: str, place: str, *, default: str | None = None) -> str:
        value = tree.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self._error(f"{place}.{key}", f"expected a text, found {value!r}")
        return value

    def _texts(self, tree: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
        value = tree.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, str) and entry for entry in value):
            raise self._error(f"{place}.{key}", f"expected a list of texts, found {value!r}")
        return tuple(value)

    def _known(self, tree: dict[str, Any], known: set[str], place: str) -> None:
        unknown = sorted(set(tree) - known)
        if unknown:
            raise self._error(f"{place}.{unknown[0]}", f"is not a key; known keys: {', '.join(sorted(known))}")

    def _distinct(self, keys: Iterator[str], place: str) -> None:
        seen: set[str] = set()
        for key in keys:
            if key in seen:
                raise self._error(f"{place} {key}", "is declared twice")
            seen.add(key)

    def _error(self, place: str, problem: str) -> FormFileError:
        return FormFileError(f"{self.file}: {place}: {problem}")


def printed_cells(tables: tuple[Table, ...]) -> Iterator[tuple[Table, Row, Column | None]]:
    """Every cell of the tables in printed order: table, row, and column (None in a table of shape `list`)."""
    for table in tables:
        for block in table.blocks:
            for row in block.rows:
                for column in block.columns or (None,):
                    yield table, row, column
