from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import json_values

from rlmc.domain.chat import Failure
from rlmc.wire.chat.codec import CHAT


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (
            401,
            {"error": {"message": "m", "type": "invalid_request_error", "code": "invalid_api_key"}},
            "authentication_error",
            "invalid_api_key",
        ),
        (
            400,
            {"error": {"message": "m", "type": "invalid_request_error", "code": "context_length_exceeded"}},
            "invalid_request_error",
            "context_length_exceeded",
        ),
        (
            400,
            {"error": {"message": "This model's maximum context length is 8 tokens."}},
            "invalid_request_error",
            "context_length_exceeded",
        ),
        (
            400,
            {
                "error": {
                    "message": "the request exceeds the available context size",
                    "type": "exceed_context_size_error",
                    "code": 400,
                }
            },
            "invalid_request_error",
            "context_length_exceeded",
        ),
        (
            429,
            {"error": {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}},
            "billing_error",
            "insufficient_quota",
        ),
        (429, {"error": {"message": "m", "code": "rate_limit_exceeded"}}, "rate_limit_error", "rate_limit_exceeded"),
        (
            402,
            {"error": {"message": "Insufficient Balance", "type": "unknown_error", "code": "invalid_request_error"}},
            "billing_error",
            "invalid_request_error",
        ),
        (404, {"error": {"message": "m", "code": "model_not_found"}}, "not_found_error", "model_not_found"),
        (503, {"error": {"message": "m", "code": 503}}, "overloaded_error", None),
        (500, {"error": "broken"}, "api_error", None),
        (422, {"detail": "no"}, "invalid_request_error", None),
        (
            400,
            {"object": "error", "message": "no", "type": "BadRequestError", "code": 400},
            "invalid_request_error",
            None,
        ),
        (400, [{"error": {"message": "no", "code": 400}}], "invalid_request_error", None),
    ],
)
def test_what_providers_say(status: int, body: Any, kind: str, code: str | None) -> None:
    failure = CHAT.decode_failure(status, json.dumps(body).encode())
    assert (failure.kind, failure.code) == (kind, code)
    assert failure.message


def test_an_error_that_is_no_json() -> None:
    assert CHAT.decode_failure(502, b"<h1>Bad Gateway</h1>") == Failure("api_error", "<h1>Bad Gateway</h1>")
    assert "504" in CHAT.decode_failure(504, b"").message


@given(st.integers(400, 599), st.one_of(st.binary(max_size=80), json_values.map(lambda v: json.dumps(v).encode())))
def test_any_bytes_are_a_failure(status: int, raw: bytes) -> None:
    failure = CHAT.decode_failure(status, raw)
    assert failure.message
    assert json.loads(CHAT.encode_failure(status, failure))["error"]["message"] == failure.message


@pytest.mark.parametrize(
    "failure",
    [
        Failure("invalid_request_error", "too long", "context_length_exceeded"),
        Failure("authentication_error", "m"),
        Failure("rate_limit_error", "m"),
        Failure("billing_error", "m"),
        Failure("overloaded_error", "m"),
        Failure("timeout_error", "m"),
        Failure("api_error", "m"),
    ],
)
def test_an_error_keeps_its_kind(failure: Failure) -> None:
    raw = CHAT.encode_failure(400, failure)
    assert json.loads(raw)["error"].keys() == {"message", "type", "param", "code"}
    back = CHAT.decode_failure(500, raw)
    assert (back.kind, back.message) == (failure.kind, failure.message)
    assert failure.code in (None, back.code)


def test_errors_of_our_own() -> None:
    assert json.loads(CHAT.encode_error(401, "no key"))["error"]["code"] == "invalid_api_key"
    event = CHAT.encode_stream_error(529, "busy")
    assert event.startswith(b"data: ") and event.endswith(b"\n\n")
    assert json.loads(event[6:])["error"]["message"] == "busy"
