"""Bytes and JSON to domain values and back; one package a protocol. Given any bytes: a value or a WireError."""

from __future__ import annotations

from rlmc.wire.anthropic.codec import ANTHROPIC
from rlmc.wire.chat.codec import CHAT
from rlmc.wire.codec import Codec
from rlmc.wire.responses.codec import RESPONSES

PROTOCOLS: dict[str, Codec] = {codec.name: codec for codec in (ANTHROPIC, CHAT, RESPONSES)}
