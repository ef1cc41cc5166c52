"""Bytes and JSON to domain values and back; one package a protocol. Given any bytes: a value or a WireError."""

from __future__ import annotations

from rlmc.wire.anthropic.codec import ANTHROPIC
from rlmc.wire.codec import Codec

PROTOCOLS: dict[str, Codec] = {"anthropic": ANTHROPIC}
