"""Reports as .doc, .rtf, .odt, .fodt and 标文通 (.uot): LibreOffice makes them of the .docx, many in one start.

Without it there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from crawler.office import ConversionError, convert
from crawler.replica.reports import Printed
from crawler.replica.writers import docx
from crawler.replica.writers.docx import DocxStyle

Kind = Literal["doc", "rtf", "odt", "fodt", "uot"]


def write(printed: Printed, *, kind: Kind = "doc", style: DocxStyle | None = None) -> bytes:
    return write_all((printed,), kind=kind, style=style)[0]


def write_all(reports: Sequence[Printed], *, kind: Kind, style: DocxStyle | None = None) -> list[bytes]:
    """The reports in order. Raises ConversionError when LibreOffice is missing or makes nothing of one."""
    files = [(printed.title, docx.write(printed, style=style)) for printed in reports]
    written: list[bytes] = []
    for made in convert(files, to=kind):
        if isinstance(made, ConversionError):
            raise made
        written.append(made)
    return written
