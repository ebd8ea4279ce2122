"""Strict shapes of JSON: every problem is named by the place where it stands."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

# Far above everything that is read here. Python's parser runs out of stack, and the process ends, far beyond.
_MOST_NESTED = 32
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_BRACKET = re.compile(rb"[\[\]{}]")


class ShapeError(Exception):
    """A sentence that says where data has not the shape that was promised."""


def decode(data: bytes) -> Any:
    """The value of a JSON text, whoever wrote it. Raises ShapeError."""
    brackets = _BRACKET.findall(_STRING.sub(b"", data))
    depths = accumulate(1 if bracket in b"[{" else -1 for bracket in brackets)
    if max(depths, default=0) > _MOST_NESTED:
        raise ShapeError("it is not JSON that is read here: it is nested too deeply")
    try:
        return json.loads(data, object_pairs_hook=_object)
    except ValueError as error:
        raise ShapeError(f"it is not JSON: {error}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which every key stands once: of two values nobody knows which one others would take."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ShapeError("it is not JSON that is read here: a key stands twice in an object")
    return value


def fields(value: Any, place: str, required: set[str], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    """An object with all of the required fields and no unknown one."""
    if not isinstance(value, dict):
        raise ShapeError(f"{place} must be an object")
    missing = sorted(required - value.keys())
    if missing:
        raise ShapeError(f"{place} has no field {missing[0]}")
    unknown = sorted(value.keys() - required - optional)
    if unknown:
        raise ShapeError(f"{place} has the unknown field {unknown[0]}")
    return value


def mapping(value: Any, place: str) -> dict[str, Any]:
    """An object whose keys are names."""
    if not isinstance(value, dict):
        raise ShapeError(f"{place} must be an object")
    return value


def items(value: Any, place: str, least: int = 0) -> list[Any]:
    """A list of at least so many."""
    if not isinstance(value, list) or len(value) < least:
        raise ShapeError(f"{place} must be a list" + (f" of at least {least}" if least else ""))
    return value


def text(value: Any, place: str) -> str:
    """A string that can be encoded and holds no NUL."""
    if not isinstance(value, str) or "\0" in value or not _encodable(value):
        raise ShapeError(f"{place} must be a string")
    return value


def texts(value: Any, place: str, least: int = 0) -> tuple[str, ...]:
    """A list of strings."""
    return tuple(text(item, f"{place}[{n}]") for n, item in enumerate(items(value, place, least)))


def number(value: Any, place: str, least: int, most: int) -> int:
    """A whole number within bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ShapeError(f"{place} must be a whole number from {least} to {most}")
    return value


def truth(value: Any, place: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ShapeError(f"{place} must be true or false")
    return value


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
