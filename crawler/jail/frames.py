"""What passes between the two sides: frames of eight bytes of length (big-endian) and what they carry.

Jobs go in as pickles: the worker trusts its parent. What comes back is in `answers`.
"""

from __future__ import annotations

import pickle
import struct

HEADER = struct.Struct(">Q")


def framed(data: bytes) -> bytes:
    return HEADER.pack(len(data)) + data


def pickled(value: object) -> bytes:
    """The frame of a job, or of the settings."""
    return framed(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
