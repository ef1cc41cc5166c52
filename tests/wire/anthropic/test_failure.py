from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import json_values, spelled

from rlmc.domain.chat import Failure
from rlmc.errors import WireError
from rlmc.wire.anthropic.failure import decode_failure, encode_failure


def body(**error: object) -> bytes:
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("status", "raw", "failure"),
    [
        (529, body(type="overloaded_error", message="Busy"), Failure("overloaded_error", "Busy")),
        (500, body(type="overloaded_error", message="Busy"), Failure("overloaded_error", "Busy")),
        # As DeepSeek answers.
        (
            401,
            body(message="No", type="authentication_error", param=None, code="invalid_request_error"),
            Failure("authentication_error", "No", "invalid_request_error"),
        ),
        (402, body(message="Poor", type="unknown_error", code="x"), Failure("billing_error", "Poor", "x")),
        (503, body(message="Down", type="server_error", code=503), Failure("overloaded_error", "Down")),
        (
            429,
            body(message="Poor", type="insufficient_quota", code="insufficient_quota"),
            Failure("billing_error", "Poor", "insufficient_quota"),
        ),
        (404, b'{"error":"no such model"}', Failure("not_found_error", "no such model")),
        (422, b'{"message":"strange"}', Failure("invalid_request_error", "strange")),
        (502, b"<html>Bad gateway</html>", Failure("api_error", "<html>Bad gateway</html>")),
        (500, b"", Failure("api_error", "The provider answered with status 500.")),
        (429, b"{}", Failure("rate_limit_error", "The provider answered with status 429.")),
        (400, b'{"error":{"message":{"a":1}}}', Failure("invalid_request_error", '{"error":{"message":{"a":1}}}')),
    ],
)
def test_what_providers_say(status: int, raw: bytes, failure: Failure) -> None:
    assert decode_failure(status, raw) == failure


@pytest.mark.parametrize(
    "words",
    [
        "prompt is too long: 213000 tokens > 200000 maximum",
        "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens",
        "the request exceeds the available context size",
        "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000",
    ],
)
def test_a_prompt_that_is_too_long_has_its_code(words: str) -> None:
    assert decode_failure(400, body(type="invalid_request_error", message=words)).code == "context_length_exceeded"
    assert decode_failure(500, body(type="api_error", message=words)).code is None


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "This model's maximum context length is 131,072 tokens. However, you requested 140,000 tokens "
            "(108000 in the messages, 32000 in the completion).",
            "prompt is too long: 140000 tokens > 131072 maximum",
        ),
        ("gpt-5-20260101 takes 128000 tokens, not 130000.", "prompt is too long: 130000 tokens > 128000 maximum"),
        ("Too much for 128000 tokens", "prompt is too long: Too much for 128000 tokens"),
        ("Too much: " + "9" * 5_000, "prompt is too long: Too much: " + "9" * 5_000),
        ("prompt is too long: 5 tokens > 4 maximum", "prompt is too long: 5 tokens > 4 maximum"),
    ],
)
def test_a_client_that_compacts_is_told_in_words_it_knows(message: str, told: str) -> None:
    raw = encode_failure(400, Failure("invalid_request_error", message, "context_length_exceeded"))
    assert json.loads(raw) == {"type": "error", "error": {"type": "invalid_request_error", "message": told}}


def test_other_failures_keep_their_words() -> None:
    raw = encode_failure(429, Failure("rate_limit_error", "Slow down", "rate_limit_exceeded"))
    assert json.loads(raw)["error"] == {"type": "rate_limit_error", "message": "Slow down"}
    assert decode_failure(429, raw) == Failure("rate_limit_error", "Slow down")


@given(st.one_of(st.binary(), json_values.flatmap(spelled)), st.sampled_from([400, 401, 429, 500, 529]))
def test_any_bytes_are_a_failure(raw: bytes, status: int) -> None:
    with suppress(WireError):
        failure = decode_failure(status, raw)
        assert failure.message
        assert json.loads(encode_failure(status, failure))["error"]["type"] == failure.kind
