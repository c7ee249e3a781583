"""Libraries written in Rust: their panics are no `Exception`, and must not end more than one document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from parsers.errors import UnreadableDocumentError

_PANIC = "PanicException"


@contextmanager
def panics_refused(library: str) -> Iterator[None]:
    """Turns a panic of `library` into UnreadableDocumentError `damaged`.

    pyo3's PanicException derives from BaseException and cannot be imported: each extension makes its own.
    """
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise UnreadableDocumentError("damaged", f"{library} broke off over the file: {error}") from error
