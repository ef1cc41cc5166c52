"""Errors in this protocol's shape, as its providers tell them and as its clients are told.

Rule: the same error keeps its meaning whatever the shape; a conversation that has grown too long is known by its code,
also where a provider only says it in words.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from rlmc.domain.chat import Failure, StreamError
from rlmc.errors import WireError
from rlmc.wire.parse import parse

TOO_LONG = "context_length_exceeded"

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# Codes and types, in the order in which they say more than the status.
_BY_WORD = {
    "context_length_exceeded": "invalid_request_error",
    "exceed_context_size_error": "invalid_request_error",
    "insufficient_quota": "billing_error",
    "invalid_api_key": "authentication_error",
    "authentication_error": "authentication_error",
    "invalid_prompt": "invalid_request_error",
    "model_not_found": "not_found_error",
    "rate_limit_exceeded": "rate_limit_error",
    "rate_limit_error": "rate_limit_error",
    "overloaded": "overloaded_error",
    "server_is_overloaded": "overloaded_error",
    "overloaded_error": "overloaded_error",
    "service_unavailable": "overloaded_error",
    "permission_error": "permission_error",
    "timeout": "timeout_error",
}
_BY_TYPE = {"invalid_request_error": "invalid_request_error", "server_error": "api_error"}
# What a client is told beside the message: type and code.
_TOLD: dict[str, tuple[str, str | None]] = {
    "invalid_request_error": ("invalid_request_error", None),
    "request_too_large": ("invalid_request_error", None),
    "conflict_error": ("invalid_request_error", None),
    "authentication_error": ("invalid_request_error", "invalid_api_key"),
    "permission_error": ("permission_error", None),
    "not_found_error": ("invalid_request_error", "model_not_found"),
    "billing_error": ("insufficient_quota", "insufficient_quota"),
    "rate_limit_error": ("rate_limit_error", "rate_limit_exceeded"),
    "overloaded_error": ("server_error", "overloaded"),
    "timeout_error": ("server_error", "timeout"),
}
_TOO_LONG = re.compile(
    r"maximum context length|context length exceeded|exceeds? the (?:available |model's )?context|prompt is too long",
    re.IGNORECASE,
)
_MOST = 2000


class _Error(msgspec.Struct, gc=False):
    message: str | None = None
    type: str | None = None
    code: Any = None


class _Body(msgspec.Struct, gc=False):
    error: _Error | str | None = None
    message: Any = None
    detail: Any = None
    type: Any = None
    code: Any = None


_ERROR = msgspec.json.Decoder(_Error | str)
_BODY = msgspec.json.Decoder(_Body | list[_Body])


def kind_of(status: int) -> str:
    return _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")


def decode_failure(status: int, raw: bytes) -> Failure:
    """Some servers answer with the bare error, a list of one, or no JSON at all."""
    unsaid = f"The provider answered with status {status}."
    try:
        body = parse(_BODY, raw, "The answer")
    except WireError:
        return Failure(kind_of(status), raw.decode("utf-8", "replace").strip()[:_MOST] or unsaid)
    if isinstance(body, list):
        body = body[0] if body else _Body()
    error = body.error
    if not isinstance(error, _Error):
        words = (error, body.message, body.detail)
        message = next((word for word in words if isinstance(word, str) and word), unsaid)
        error = _Error(message, body.type if isinstance(body.type, str) else None, body.code)
    return _failure(error, unsaid, kind_of(status))


def failure_in(raw: bytes) -> Failure:
    """An error that came in the place of an answer, or in the midst of one."""
    try:
        error = parse(_ERROR, raw, "An error")
    except WireError:
        error = raw.decode("utf-8", "replace")[:_MOST]
    if isinstance(error, str):
        error = _Error(error)
    status = error.code if type(error.code) is int else 500
    return _failure(error, "The provider gave no message.", kind_of(status))


def encode_failure(failure: Failure) -> bytes:
    kind, code = _TOLD.get(failure.kind, ("server_error", None))
    error = {"message": failure.message, "type": kind, "param": None, "code": failure.code or code}
    return msgspec.json.encode({"error": error})


def encode_error(status: int, message: str) -> bytes:
    return encode_failure(Failure(kind_of(status), message))


def error_event(error: StreamError) -> bytes:
    return b"data: " + encode_failure(Failure(error.type, error.message)) + b"\n\n"


def _failure(error: _Error, unsaid: str, kind: str) -> Failure:
    message = (error.message or unsaid)[:_MOST]
    code = error.code if isinstance(error.code, str) and error.code else None
    if code == "exceed_context_size_error" or error.type == "exceed_context_size_error" or _TOO_LONG.search(message):
        code = TOO_LONG
    kind = _BY_WORD.get(code or "") or _BY_WORD.get(error.type or "") or kind
    return Failure(kind, message, code)
