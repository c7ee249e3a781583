"""What can go wrong while remembering."""


class ArchiveError(Exception):
    """Root of everything this package raises on purpose."""


class LockedError(ArchiveError):
    """Raised by `lock` when another run holds the data directory; the message names its process, host and run."""


class RecorderError(ArchiveError):
    """Raised by the recorder once a write has failed: nothing after it is taken, what was committed stays.

    The message names the file, the operating system's reason and what the next start will do.
    """


class DamagedRecordError(ArchiveError):
    """Raised by `read_record` when the bytes at the given place are not one whole record or fail their digest."""


class ForeignFileError(ArchiveError):
    """Raised when a file to be imported is no WARC or WACZ file, or one that is not safe to unpack."""


class DecisionError(ArchiveError):
    """Raised for a decision that cannot be recorded: no author or reason, or nothing there to withdraw."""


class MissingRecordError(ArchiveError):
    """Raised when a capture's WARC file or a record it refers to is not there."""
