"""What can go wrong while reading a document."""


class ParserError(Exception):
    """Root of everything this package raises on purpose."""


class UnreadableDocumentError(ParserError):
    """Raised by a reader whose bytes cannot be read at all: damaged, encrypted, empty, too large, not what they claim.

    `code` is stable and machine-readable (`empty`, `damaged`, `encrypted`, `too_large`, `unsupported`, …).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class FormFileError(ParserError):
    """Raised while loading a form file that contradicts itself or lacks a key; the message names file and key."""


class DivisionTableError(ParserError):
    """Raised while reading a table of division codes; the message names line and column."""
