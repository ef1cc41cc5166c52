"""Errors: as a provider of this protocol tells them, and as a client of it is told.

Rule: a client's own way out hangs on certain words, so those are said where they are meant.
"""

from __future__ import annotations

import re

import msgspec

from rlmc.domain.chat import Failure
from rlmc.errors import WireError
from rlmc.wire.anthropic.response import KINDS, error_kind, error_of
from rlmc.wire.parse import parse

_REFUSED = frozenset({400, 413, 422})

TOO_LONG = "context_length_exceeded"
# What providers say instead of the code.
_WORDS = re.compile(
    r"prompt is too long|maximum context length|exceeds? (the )?(available )?context|context limit", re.IGNORECASE
)
# Numbers of tokens: whole words, and not so long that they are none.
_NUMBERS = re.compile(r"(?<![\w.-])\d[\d,]{2,14}(?![\w-])")
_MOST = 2000


class _Error(msgspec.Struct, gc=False):
    type: str | None = None
    message: str | None = None
    code: str | int | None = None


class _Answer(msgspec.Struct, gc=False):
    error: _Error | str | None = None
    message: str | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_QUOTA = "insufficient_quota"


def decode_failure(status: int, raw: bytes) -> Failure:
    """Some providers of this protocol answer in OpenAI's shape, and some proxies with no JSON at all."""
    kind = error_kind(status)
    try:
        answer = parse(_ANSWER, raw, "The answer")
    except WireError:
        said = raw.decode("utf-8", "replace").strip()
        return Failure(kind, said[:_MOST] or f"The provider answered with status {status}.")
    error = answer.error
    if not isinstance(error, _Error):
        return Failure(kind, error or answer.message or f"The provider answered with status {status}.")
    message = error.message or f"The provider answered with status {status}."
    code = error.code if isinstance(error.code, str) else None
    if status in _REFUSED and _WORDS.search(message):
        code = TOO_LONG
    if _QUOTA in (error.type, code):
        return Failure("billing_error", message, code)
    # OpenAI's words for kinds are not this protocol's; the status says as much.
    return Failure(error.type if error.type in KINDS else kind, message, code)


def encode_failure(status: int, failure: Failure) -> bytes:
    return error_of(failure.kind, told(failure))


def told(failure: Failure) -> str:
    """The message, in the words by which clients know that a conversation has grown too long."""
    if failure.code != TOO_LONG or "prompt is too long" in failure.message:
        return failure.message
    numbers = sorted((int(found.replace(",", "")) for found in _NUMBERS.findall(failure.message)), reverse=True)
    if len(numbers) >= 2 and numbers[0] > numbers[1]:
        return f"prompt is too long: {numbers[0]} tokens > {numbers[1]} maximum"
    return f"prompt is too long: {failure.message}"
