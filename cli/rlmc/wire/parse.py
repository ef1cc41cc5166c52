"""JSON bytes to typed values, with the two ways of failing kept apart.

Rule: bytes that are no JSON raise `WireError` and say where; JSON of a strange shape raises `UnknownShape`, so that
the turn can still go direct and the provider may judge it.
"""

from __future__ import annotations

import json
from typing import NoReturn, TypeVar

import msgspec

from rlmc.errors import UnknownShape, WireError

T = TypeVar("T")

_ANYTHING = msgspec.json.Decoder(msgspec.Raw)


def parse(decoder: msgspec.json.Decoder[T], raw: bytes, what: str) -> T:
    """`raw` as the decoder's type. `what` names it in messages ("the request body")."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        _malformed(raw, what)
        raise UnknownShape(f"{what} has a shape this version does not know: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        _malformed(raw, what)
        raise UnknownShape(f"{what} holds text or nesting this version does not read") from None


def text_of(raw: bytes, what: str) -> str:
    """The JSON text of a raw value."""
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError as error:
        raise WireError(f"{what} is not valid UTF-8 (byte {error.start})") from None


def _malformed(raw: bytes, what: str) -> None:
    """Raises `WireError` if `raw` is not JSON at all. Slow: only ever called on the way to an error."""
    try:
        bytes(raw).decode()
        _ANYTHING.decode(raw)
    except UnicodeDecodeError as error:
        raise WireError(f"{what} is not valid UTF-8 (byte {error.start})") from None
    except RecursionError:
        return
    except msgspec.DecodeError as error:
        # Half a surrogate pair is legal JSON, if a strange one: providers differ on it, so it is theirs to judge.
        try:
            json.loads(bytes(raw), parse_constant=_not_json)
        except (ValueError, RecursionError):
            fault = str(error).removeprefix("JSON is malformed: ")
            where = "" if "(byte " in fault else f" (byte {len(raw)})"
            raise WireError(f"{what} is not valid JSON: {fault}{where}") from None


def _not_json(word: str) -> NoReturn:
    raise ValueError(word)
