"""A Frictionless data package: CSV files and datapackage.json with types, titles, keys. https://datapackage.org (v1)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archive.exports.tables import Column, ExportTable

_TYPES = {"integer": "integer", "number": "number", "text": "string"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A table and its file in the package."""

    table: ExportTable
    path: str
    bytes: int
    sha256: str


def descriptor(resources: Sequence[Resource], about: dict[str, Any]) -> dict[str, Any]:
    """datapackage.json. `about` has the package's own title, version and so on."""
    present = {resource.table.name for resource in resources}
    return {
        "profile": "tabular-data-package",
        "name": "gongkai",
        **about,
        "licenses": [{"name": "CC0-1.0", "title": "Creative Commons Zero: numbers as public bodies published them"}],
        "resources": [_resource(resource, present) for resource in resources],
    }


def _resource(resource: Resource, present: set[str]) -> dict[str, Any]:
    table = resource.table
    schema: dict[str, Any] = {"fields": [_field(column, table) for column in table.columns], "missingValues": [""]}
    if table.key:
        schema["primaryKey"] = list(table.key)
    keys = [
        {"fields": [column], "reference": {"resource": other, "fields": [field]}}
        for column, other, field in table.foreign
        if other in present
    ]
    if keys:
        schema["foreignKeys"] = keys
    return {
        "name": table.name,
        "profile": "tabular-data-resource",
        "title": f"{table.title_zh} {table.title}",
        "description": table.description,
        "path": resource.path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": resource.bytes,
        "hash": f"sha256:{resource.sha256}",
        "schema": schema,
    }


def _field(column: Column, table: ExportTable) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": column.name,
        "type": _TYPES[column.kind],
        "title": column.zh,
        "description": column.en,
    }
    if column.unit:
        field["unit"] = column.unit
    constraints: dict[str, Any] = {}
    if column.name in table.key and column.is_filled:
        constraints["required"] = True
    if column.categories:
        constraints["enum"] = list(column.categories)
    if constraints:
        field["constraints"] = constraints
    return field
