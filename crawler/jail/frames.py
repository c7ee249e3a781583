"""What passes between the two sides: frames of eight bytes of length (big-endian) and a pickle.

Jobs go in as ordinary pickles: the worker trusts its parent. Answers come from a process that a document may have taken
over: `answer` builds nothing but plain values and the frozen records named here.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import struct
from collections import ChainMap
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any

from parsers import model

HEADER = struct.Struct(">Q")
# First element of an answer.
READY, DONE, RAISED, MEMORY, TOO_MUCH = "ready", "done", "raised", "memory", "too_much"


def framed(value: object) -> bytes:
    buffer = io.BytesIO()
    buffer.write(HEADER.pack(0))
    pickler = pickle.Pickler(buffer, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _reducers()
    pickler.dump(value)
    data = buffer.getbuffer()
    HEADER.pack_into(data, 0, len(data) - HEADER.size)
    return bytes(data)


def answer(data: bytes) -> tuple[str, Any]:
    """The answer in a frame: its kind and what comes with it. Raises ValueError for anything else."""
    try:
        value = _Unpickler(io.BytesIO(data)).load()
    # Bytes made to harm can make the unpickler raise nearly anything; none of it runs code of theirs.
    except Exception as error:
        raise ValueError(f"the answer cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(value, tuple) or len(value) != 2 or value[0] not in (READY, DONE, RAISED, MEMORY, TOO_MUCH):
        raise ValueError("the answer is no answer")
    return value


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _known().get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} is not among the records that pass")
        return found


@cache
def _known() -> dict[tuple[str, str], Any]:
    return {(record.__module__, record.__qualname__): record for record in (Decimal, *_records())}


@cache
def _reducers() -> ChainMap[type, Callable[[Any], Any]]:
    """How a record is pickled: as the call that makes it anew. A third of what dataclasses do by themselves."""
    return ChainMap({record: _reducer(record) for record in _records()}, copyreg.dispatch_table)


def _reducer(record: type) -> Callable[[Any], Any]:
    names = [field.name for field in fields(record)]
    values = attrgetter(*names) if len(names) > 1 else lambda one: (getattr(one, names[0]),)
    return lambda one: (record, values(one))


def _records() -> list[type]:
    found = [item for item in vars(model).values() if isinstance(item, type) and is_dataclass(item)]
    return [item for item in found if item.__module__ == model.__name__]
