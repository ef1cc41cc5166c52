"""Errors of this protocol: those of Chat Completions before an answer begins, and their like within its stream."""

from __future__ import annotations

from typing import Any

import msgspec

from rlmc.wire.chat.errors import kind_of
from rlmc.wire.sse import encode_event

Json = dict[str, Any]

# What the SDK and Codex know of codes in a failed response.
_CODES = {
    "rate_limit_error": "rate_limit_exceeded",
    "overloaded_error": "server_is_overloaded",
    "invalid_request_error": "invalid_prompt",
    "billing_error": "insufficient_quota",
}


def failed_response(response: Json, kind: str, message: str) -> Json:
    error = {"code": _CODES.get(kind, "server_error"), "message": message}
    return response | {"status": "failed", "error": error}


def stream_error(status: int, message: str) -> bytes:
    """For a stream whose writer is not at hand: an event of its own."""
    data = {
        "type": "error",
        "sequence_number": 0,
        "code": _CODES.get(kind_of(status), "server_error"),
        "message": message,
        "param": None,
    }
    return encode_event("error", msgspec.json.encode(data))
