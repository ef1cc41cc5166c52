from __future__ import annotations

import msgspec
import pytest

from rlmc.errors import UnknownShape, WireError
from rlmc.wire.parse import parse, text_of


class Named(msgspec.Struct):
    name: str


DECODER = msgspec.json.Decoder(Named)


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b"", "byte 0"),
        (b'{"name":', "byte 8"),
        (b'{"name":"x"} x', "trailing characters"),
        (b'{"name":"\xff"}', "byte 9"),
        (b"<html>", "byte 0"),
        (b'{"name":1,', "byte 10"),  # a strange shape does not hide that it is no JSON
        (b'{"name":NaN}', "byte"),
    ],
)
def test_bytes_that_are_no_json_are_told_with_their_place(raw: bytes, where: str) -> None:
    with pytest.raises(WireError, match=where) as caught:
        parse(DECODER, raw, "The thing")
    assert not isinstance(caught.value, UnknownShape)
    assert caught.value.message.startswith("The thing ")


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b'{"name":1}',
        b"{}",
        b'{"name":"\\ud83d"}',
        b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"name":1e999}',
    ],
)
def test_json_that_is_merely_strange_is_kept_apart(raw: bytes) -> None:
    with pytest.raises(UnknownShape):
        parse(DECODER, raw, "The thing")


def test_text_that_is_not_utf8_is_a_wire_error() -> None:
    with pytest.raises(WireError, match="byte 1"):
        text_of(b"a\xff", "It")
