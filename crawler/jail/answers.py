"""Answers of a worker, as JSON: they come from a process that a document may have taken over.

A pickle runs code of its own; one that may not still makes whoever reads it fill all memory there is, in twenty bytes.
An answer is held to what the function it answers for says it returns: plain values, tuples and records. It is an array
of its kind, the name of its type, which tells one record from another, and the value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

# First element of an answer.
READY, DONE, RAISED, MEMORY, TOO_MUCH = "ready", "done", "raised", "memory", "too_much"
_KINDS: dict[str, Any] = {READY: tuple[str, ...], RAISED: str, MEMORY: str, TOO_MUCH: int}
# Each is some 80 bytes once it is a list or a dictionary, and two in JSON.
_MOST_VALUES = 4_000_000
# What SQLite holds.
_MOST = 1 << 63
_WHOLE = frozenset({int, Decimal})
_PLAIN = _WHOLE | {float, str, bytes, bool, NoneType}

_ENCODER = msgspec.json.Encoder()
_ENVELOPE = msgspec.json.Decoder(tuple[str, str, msgspec.Raw])


def answered(kind: str, value: object) -> bytes:
    """The bytes of an answer. Raises TypeError or ValueError for what does not pass."""
    return _ENCODER.encode((kind, type(value).__name__, value))


def answer(data: bytes, returned: Any) -> tuple[str, Any]:
    """The answer in bytes: its kind and what comes with it, for DONE of the type `returned`.

    Raises ValueError for anything else.
    """
    try:
        if len(data) > _MOST_VALUES and sum(map(data.count, (b",", b"[", b"{"))) > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES} values")
        kind, name, written = _ENVELOPE.decode(data)
        value = _decoder({**_KINDS, DONE: returned}[kind], name).decode(written)
        _hold_to_bounds((value,))
    # Bytes made to harm are wrong in all of these ways; none of them runs code of theirs.
    except (msgspec.MsgspecError, ValueError, KeyError, RecursionError, InvalidOperation) as error:
        raise ValueError(f"the answer is no answer: {type(error).__name__}: {error}"[:300]) from error
    return kind, value


@cache
def returned_by(function: Callable[..., Any]) -> Any:
    """What a function says it returns; Any where it does not say."""
    return get_type_hints(function).get("return", Any)


@cache
def _decoder(declared: Any, name: str) -> msgspec.json.Decoder[Any]:
    """For a value of the type, of several the one that is called so."""
    if get_origin(declared) in (Union, UnionType):
        declared = {_called(one): one for one in get_args(declared)}[name]
    return msgspec.json.Decoder(declared)


def _called(declared: Any) -> str:
    found: str = (get_origin(declared) or declared).__name__
    return found


def _hold_to_bounds(values: Collection[Any]) -> None:
    """Raises ValueError for a number among them, or in them, that is none or larger than SQLite holds.

    JSON has no float that is none.
    """
    kinds: set[Any] = set(map(type, values))
    if not kinds.isdisjoint(_WHOLE):
        whole: list[Any] = [one for one in values if type(one) in _WHOLE]
        if min(whole) < -_MOST or max(whole) >= _MOST:
            raise ValueError("a number of more than 64 bits")
    for kind in kinds - _PLAIN:
        same: list[Any] = [one for one in values if type(one) is kind]
        if issubclass(kind, Collection):
            for one in same:
                _hold_to_bounds(one.values() if kind is dict else one)
        else:
            # Field by field: of hundreds of records each is a column of one type.
            for name in _numbers(kind):
                _hold_to_bounds([getattr(one, name) for one in same])


@cache
def _numbers(record: type) -> tuple[str, ...]:
    """The fields of a record that are whole or decimal numbers, or hold some."""
    return tuple(name for name, hint in get_type_hints(record).items() if _has_numbers(hint))


def _has_numbers(declared: Any) -> bool:
    arguments = get_args(declared)
    if get_origin(declared) in (tuple, dict, Union, UnionType):
        return any(map(_has_numbers, arguments))
    if declared in (*_WHOLE, Any, object):
        return True
    return isinstance(declared, type) and any(map(_has_numbers, get_type_hints(declared).values()))
