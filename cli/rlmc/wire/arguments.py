"""The arguments of a call where a protocol wants an object: what a model wrote need not be one."""

from __future__ import annotations

import msgspec

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def as_object(arguments: str) -> bytes:
    """The JSON of an object: `arguments` themselves, `{}` for none, and anything else as `{"_raw": …}`."""
    text = arguments.strip()
    if not text:
        return b"{}"
    raw = text.encode("utf-8", "replace")
    try:
        _OBJECT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.encode({"_raw": arguments})
    return raw


CUSTOM_SCHEMA = (
    b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}'
)
"""Of a tool that takes one text, where only objects can be given."""


class _Custom(msgspec.Struct, gc=False):
    input: str


_CUSTOM = msgspec.json.Decoder(_Custom)


def custom_arguments(text: str) -> str:
    """The arguments of a call that has one text."""
    return msgspec.json.encode({"input": text}).decode()


def custom_text(arguments: str) -> str:
    """The one text of such a call; the arguments as they are where they are something else."""
    try:
        return _CUSTOM.decode(arguments.encode("utf-8", "replace")).input
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return arguments
