"""Errors of this protocol: those of Chat Completions before an answer begins, and a failed response within its stream.

Rule: a client goes by the code, so what it knows a way out of keeps its own.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rlmc.wire.openai.errors import TOO_LONG, failure_in, kind_of
from rlmc.wire.sse import encode_event

Json = dict[str, Any]

# Codes in a failed response, as Codex knows them; after any other it tries again.
_CODES = {
    "rate_limit_error": "rate_limit_exceeded",
    "overloaded_error": "server_is_overloaded",
    "invalid_request_error": "invalid_prompt",
    "request_too_large": "invalid_prompt",
    "billing_error": "insufficient_quota",
}


def failed_response(response: Json, kind: str, message: str) -> Json:
    too_long = failure_in(msgspec.json.encode(message)).code == TOO_LONG
    code = TOO_LONG if too_long else _CODES.get(kind, "server_error")
    return response | {"status": "failed", "error": {"code": code, "message": message}}


def failed_event(response: Json, status: int, message: str) -> bytes:
    """For a stream whose writer is not at hand."""
    data = {
        "type": "response.failed",
        "sequence_number": 0,
        "response": failed_response(response, kind_of(status), message),
    }
    return encode_event("response.failed", msgspec.json.encode(data))
