"""Answers of a worker, as JSON: they come from a process that a document may have taken over.

A pickle runs code of its own; one that may not still makes whoever reads it fill all memory there is, in twenty bytes.
An answer is held to what the function it answers for says it returns: plain values, tuples and the records of
`parsers.model`. A record is `{"Reading": [its fields]}`, bytes and decimals likewise; a tuple of records in a record is
`{"Facts": [[the first field of each], …]}`, which is checked in a third of the time. Arrays come back as tuples.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from parsers import model

# First element of an answer.
READY, DONE, RAISED, MEMORY, TOO_MUCH = "ready", "done", "raised", "memory", "too_much"
# Each is some 80 bytes once it is a list or a dictionary, and two in JSON.
_MOST_VALUES = 4_000_000
# What SQLite holds.
_MOST = 1 << 63
_NUMBERS = frozenset({int, float})

_Take = Callable[[Any], Any]


def answered(kind: str, value: object) -> bytes:
    """The bytes of an answer. Raises TypeError or ValueError for what does not pass."""
    return _ENCODER.encode((kind, value)).encode()


def answer(data: bytes, returned: Any) -> tuple[str, Any]:
    """The answer in bytes: its kind and what comes with it, for DONE of the type `returned`.

    Raises ValueError for anything else.
    """
    try:
        if len(data) > _MOST_VALUES and sum(map(data.count, (b",", b"[", b"{"))) > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES} values")
        found = json.loads(data.decode(), parse_constant=_refused)
        if rb"\ud" in data:
            # Half a character, which no database takes.
            json.dumps(found, ensure_ascii=False).encode()
        kind, value = found
        return kind, _taker({**_KINDS, DONE: returned}[kind])(value)
    # Bytes made to harm are wrong in all of these ways; none of them runs code of theirs.
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidOperation) as error:
        raise ValueError(f"the answer is no answer: {type(error).__name__}: {error}"[:300]) from error


@cache
def returned_by(function: Callable[..., Any]) -> Any:
    """What a function says it returns; Any where it does not say."""
    return get_type_hints(function).get("return", Any)


# ------------------------------------------------------------ to JSON


def _as_json(value: object) -> dict[str, Any]:
    kind = type(value)
    if kind in _VALUES:
        return {kind.__name__: [_columns(one) if type(one) is tuple else one for one in _VALUES[kind](value)]}
    if kind is bytes:
        return {"bytes": binascii.b2a_base64(value, newline=False).decode("ascii")}  # type: ignore[arg-type]  # bytes
    if kind is Decimal:
        return {"Decimal": str(value)}
    raise TypeError(f"{kind.__module__}.{kind.__qualname__} is not among the records that pass")


def _columns(values: tuple[Any, ...]) -> object:
    kinds = set(map(type, values))
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind not in _VALUES:
        return values
    return {f"{kind.__name__}s": list(zip(*map(_VALUES[kind], values), strict=True))}


def _values(record: type) -> Callable[[Any], tuple[Any, ...]]:
    names = [field.name for field in fields(record)]
    return attrgetter(*names) if len(names) > 1 else lambda one: (getattr(one, names[0]),)


_RECORDS = [
    item
    for item in vars(model).values()
    if isinstance(item, type) and is_dataclass(item) and item.__module__ == model.__name__
]
_VALUES = {record: _values(record) for record in _RECORDS}
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_as_json)


# ------------------------------------------------------------ from JSON


@cache
def _taker(declared: Any) -> _Take:
    """What makes a value of a type from its JSON; it raises ValueError, TypeError, KeyError or AttributeError."""
    origin, arguments = get_origin(declared), get_args(declared)
    if declared in (Any, object):
        return _anything
    if declared in _PLAIN:
        return _PLAIN[declared]
    if declared in _VALUES:
        return _record(declared)
    if origin is Literal:
        return lambda value: arguments[arguments.index(value)]
    if origin in (Union, UnionType):
        return _one_of(_types(declared))
    if origin is tuple and arguments[-1] is ... and arguments[0] in _VALUES:
        return _records(arguments[0])
    if origin is tuple and arguments[-1] is ...:
        every = _column(arguments[0])
        return lambda value: tuple(every(value))
    if origin is tuple:
        each = [_taker(argument) for argument in arguments]
        return lambda value: tuple([take(one) for take, one in zip(each, _list(value), strict=True)])
    if origin in (dict, Mapping) and arguments[0] is str:
        held = _taker(arguments[1])
        return lambda value: {key: held(one) for key, one in value.items()}
    raise TypeError(f"{declared} is nothing that a worker answers with")


def _record(record: type) -> _Take:
    hints = get_type_hints(record)
    takers = [_taker(hints[field.name]) for field in fields(record)]
    name = record.__name__

    def take(value: Any) -> Any:
        return record(*[take(one) for take, one in zip(takers, _list(value[name]), strict=True)])

    return take


def _records(record: type) -> _Take:
    """A tuple of records from their columns; without any it is an array of none."""
    hints = get_type_hints(record)
    takers = [_column(hints[field.name]) for field in fields(record)]
    name = f"{record.__name__}s"

    def take(value: Any) -> Any:
        if value == []:
            return ()
        columns = [take(column) for take, column in zip(takers, _list(value[name]), strict=True)]
        if len({len(column) for column in columns}) != 1:
            raise ValueError("columns of several lengths")
        return tuple(map(record, *columns))

    return take


def _column(declared: Any) -> _Take:
    """Many values of a type from the array of them: at once where JSON has them as they are."""
    take = _taker(declared)
    if get_origin(declared) is Literal:
        allowed = frozenset(get_args(declared))
        return lambda values: values if allowed.issuperset(_list(values)) else [*map(take, values)]
    shapes = frozenset(shape for one in _types(declared) for shape in _shapes(one))
    plain = shapes & ({float} if declared is float else {str, int, bool, NoneType})
    return lambda values: values if _are_plain(_list(values), plain) else [*map(take, values)]


def _are_plain(values: list[Any], kinds: frozenset[Any]) -> bool:
    found = set(map(type, values))
    if not found <= kinds:
        return False
    return found.isdisjoint(_NUMBERS) or all(_is_bounded(value) for value in values if type(value) in _NUMBERS)


def _one_of(types: tuple[Any, ...]) -> _Take:
    """One of several types, which JSON tells apart."""
    takers = {shape: _taker(one) for one in types for shape in _shapes(one)}
    return lambda value: takers[next(iter(value)) if type(value) is dict else type(value)](value)


def _types(declared: Any) -> tuple[Any, ...]:
    return get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)


def _shapes(declared: Any) -> tuple[Any, ...]:
    if declared in _VALUES or declared in (bytes, Decimal):
        return (declared.__name__,)
    if get_origin(declared) is Literal:
        return tuple({type(value) for value in get_args(declared)})
    if get_origin(declared) is tuple:
        return (list,)
    return (int, float) if declared is float else (declared,)


def _anything(value: Any) -> Any:
    if type(value) is list:
        return tuple(map(_anything, value))
    if type(value) is not dict:
        return value
    name = next(iter(value), "")
    if len(value) == 1 and name in _NAMED:
        return _taker(_NAMED[name])(value)
    return {key: _anything(one) for key, one in value.items()}


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError(f"{type(value).__name__}, expected an array")
    return value


def _exactly(kind: type) -> _Take:
    def take(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"{type(value).__name__}, expected {kind.__name__}")
        return value

    return take


def _integer(value: Any) -> int:
    if type(value) is not int or not _is_bounded(value):
        raise ValueError("no integer of 64 bits")
    return value


def _float(value: Any) -> float:
    if type(value) not in _NUMBERS or not _is_bounded(value):
        raise ValueError("no number")
    return float(value)


def _decimal(value: Any) -> Decimal:
    number = Decimal(value["Decimal"])
    if not _is_bounded(number):
        raise ValueError("no number of 64 bits")
    return number


def _is_bounded(number: int | float | Decimal) -> bool:
    """Neither infinite nor none at all, and no larger than SQLite holds."""
    return -_MOST <= number < _MOST


def _bytes(value: Any) -> bytes:
    return binascii.a2b_base64(value["bytes"])


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no number")


_PLAIN: dict[Any, _Take] = {
    int: _integer,
    float: _float,
    bytes: _bytes,
    Decimal: _decimal,
    **{kind: _exactly(kind) for kind in (str, bool, NoneType)},
}
_NAMED: dict[str, type] = {kind.__name__: kind for kind in (*_RECORDS, bytes, Decimal)}
_KINDS: dict[str, Any] = {READY: tuple[str, ...], RAISED: str, MEMORY: str, TOO_MUCH: int}
