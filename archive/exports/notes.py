"""What lies beside the data: README with first lines in R, Stata and Python, the codebook, how to cite it."""

# ruff: noqa: E501  lines of Markdown stay whole

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Literal

from archive.exports.tables import ExportTable, Selection

Format = Literal["csv", "parquet", "stata", "datapackage"]
TITLE = "Government information disclosure of China, archived: annual reports cell by cell"
TITLE_ZH = "政府信息公开年度报告档案"

_FIRST_LINES: dict[Format, str] = {
    "csv": """## R

```r
facts <- read.csv("facts.csv", fileEncoding = "UTF-8-BOM", na.strings = "")
reports <- read.csv("reports.csv", fileEncoding = "UTF-8-BOM", na.strings = "")
new <- subset(merge(facts, reports), cell == "applications.new.total" & status == "reported")
aggregate(value ~ report_year, new, sum)
```

## Python

```python
import pandas as pd

facts = pd.read_csv("facts.csv", encoding="utf-8-sig", dtype={"raw": "string"}, keep_default_na=False, na_values={"value": [""]})
```

Text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab, a carriage return, or the full-width
form of one of these) has an apostrophe before it; numbers are as they were, negative ones too.
""",
    "parquet": """## R

```r
library(arrow)
open_dataset("facts.parquet") |> dplyr::filter(cell == "applications.new.total", status == "reported") |> dplyr::collect()
```

## Python

```python
import pandas as pd

facts = pd.read_parquet("facts.parquet", filters=[("cell", "==", "applications.new.total"), ("status", "==", "reported")])
```

Titles, descriptions and units stand in each file's schema metadata.
""",
    "stata": """## Stata

```stata
use facts.dta, clear
keep if cell == "applications.new.total" & status == 1
merge m:1 report_id using reports, keep(match) nogenerate
collapse (sum) value, by(report_year)
```

Stata 14 or newer (file format 118). Categories are numbers with value labels; long texts are strL.
""",
    "datapackage": """## Any language

```python
from frictionless import Package

package = Package("datapackage.json")
assert package.validate().valid
```

`datapackage.json` names every file, its columns with types, titles and units, its key, and which columns refer to which table.
In text that a spreadsheet would take for a formula an apostrophe stands first.
""",
}


def readme(form: Format, tables: Sequence[ExportTable], selection: Selection, made_on: str) -> str:
    lines = [
        f"# {TITLE_ZH} {TITLE}",
        "",
        f"Exported {made_on} by gongkai {version('gongkai')}. {_narrowed(selection)}",
        "",
        "| table | holds | rows |",
        "|---|---|---|",
        *(f"| `{table.name}` | {table.title_zh} {table.title} | {table.rows} |" for table in tables),
        "",
        "Blank is never 0: `value` is empty unless `status` is `reported` or `inferred`; an empty `raw` beside `blank` is an empty",
        "cell, beside `absent` a cell that the document does not have. A printed number is never repaired: corrections stand in",
        "`corrections`, and `corrected_facts` is `facts` with them laid over. The panel has the corrected numbers: `panel` says so of",
        "each, and `panel_wide` names in `doubtful` and `corrected` the concepts of a row to look at again. Every column is described",
        "in codebook.md.",
        "",
        _FIRST_LINES[form],
        "`provenance` leads from every report to the archived bytes: WARC file, offset, length, record id and digest.",
        "",
    ]
    return "\n".join(lines)


def codebook(tables: Sequence[ExportTable]) -> str:
    return "\n".join([f"# Codebook {TITLE_ZH}", *_described(tables), ""])


def citation(made_on: str, release: str = "") -> str:
    """CITATION.cff of the data, as 1.2.0 of the format has it."""
    return (
        "cff-version: 1.2.0\n"
        "message: If you use these data, please cite them as below.\n"
        f'title: "{TITLE_ZH} {TITLE}"\n'
        "type: dataset\n"
        f"version: {release or made_on}\n"
        f"date-released: {made_on}\n"
        "authors:\n  - name: The gongkai developers\n"
    )


def _narrowed(selection: Selection) -> str:
    return f"Only {selection}; agencies, forms, concepts and corrections whole." if selection else "The whole corpus."


def _described(tables: Sequence[ExportTable]) -> Iterator[str]:
    for table in tables:
        yield ""
        yield f"## `{table.name}` {table.title_zh} {table.title}"
        yield ""
        yield table.description
        if table.key:
            yield ""
            yield f"Key: {', '.join(f'`{column}`' for column in table.key)}."
        for name, other, field in table.foreign:
            yield ""
            yield f"`{name}` refers to `{other}.{field}`."
        yield ""
        yield "| column | 名称 | holds | unit | type | values |"
        yield "|---|---|---|---|---|---|"
        for column in table.columns:
            coded = ", ".join(f"{code} {value}" for code, value in enumerate(column.categories, 1))
            yield f"| `{column.name}` | {column.zh} | {column.en} | {column.unit} | {column.kind} | {coded} |"
