"""The simulated provider on the wire: shapes, endpoints, refusals, waiting, cancelling."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.messages import assemble
from tests.support.simulated import ask, refused, run, send
from tests.support.tools import ALL, READ, request, result, use

from rlmc.errors import UpstreamError
from rlmc.upstream.simulated import SimulatedTransport
from rlmc.upstream.transport import UpstreamRequest

FIELDS = (
    "system",
    "tools",
    "stream",
    "thinking",
    "tool_choice",
    "output_config",
    "cache_control",
    "speed",
    "max_tokens",
)
ROLES = ("user", "assistant", "system")
WORDS = ("type", "text", "properties", "required", "enum", "items", "minItems", "minimum", "anyOf", "content", "format")


@pytest.mark.parametrize("tools", [[], ALL])
@pytest.mark.parametrize("thinking", [None, {"type": "adaptive"}])
def test_streamed_and_whole_answers_say_the_same(tools: list[Any], thinking: Any) -> None:
    body = request("Fix the greeting in hello.txt", tools=tools, thinking=thinking)
    whole = ask(body)
    status, raw = run(send(SimulatedTransport(latency=0), body | {"stream": True}))
    streamed = assemble(raw)
    assert status == 200
    assert streamed["complete"]
    # Ids are drawn from the request's bytes, which differ by `stream`.
    plain = [{k: v for k, v in b.items() if k != "id"} for b in streamed["content"]]
    assert plain == [{k: v for k, v in b.items() if k != "id"} for b in whole["content"]]
    for field in ("model", "stop_reason", "role", "type"):
        assert streamed[field] == whole[field]
    assert streamed["usage"]["output_tokens"] == whole["usage"]["output_tokens"]


def test_the_same_request_gets_the_same_bytes() -> None:
    body = request("Where is the fee?", tools=ALL, stream=True)
    first, second = (run(send(SimulatedTransport(latency=0), body)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", ["draft", "verify", "sim/draft", "draft+latency=0", "draft+fault=empty"])
def test_an_answer_names_the_simulated_model(name: str) -> None:
    assert ask(request("hi", model=name))["model"] == f"sim/{name.removeprefix('sim/').split('+')[0]}"


def test_other_endpoints() -> None:
    counted = run(send(SimulatedTransport(), {"model": "draft", "messages": [{"role": "user", "content": "a" * 370}]}))
    assert counted[0] == 400  # on /v1/messages max_tokens is required
    body = {"model": "draft", "messages": [{"role": "user", "content": "a" * 370}]}
    status, data = run(send(SimulatedTransport(), body, "/v1/messages/count_tokens"))
    assert (status, json.loads(data)) == (200, {"input_tokens": 100})
    status, data = run(send(SimulatedTransport(), b"", "/v1/models?limit=1000", "GET"))
    assert [m["id"] for m in json.loads(data)["data"]] == ["sim/draft", "sim/verify"]
    assert json.loads(run(send(SimulatedTransport(), b"", "/v1/models/sim/verify", "GET"))[1])["id"] == "sim/verify"
    assert run(send(SimulatedTransport(), b"", "/api/hello", "HEAD")) == (200, b"")
    assert refused(b"", path="/v1/files", method="GET")[:2] == (404, "not_found_error")
    assert refused(b"", path="/v1/models/opus", method="GET")[:2] == (404, "not_found_error")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "invalid_request_error", "not valid JSON")),
        (b"\xff", (400, "invalid_request_error", "")),
        (b'{"model": "draft"}', (400, "invalid_request_error", "messages")),
        (request(model="draft"), (400, "invalid_request_error", "at least one message")),
        (request("hi", model="opus"), (404, "not_found_error", "model: opus")),
        (request("hi", model="draft+fault=nothing"), (400, "invalid_request_error", "status-529")),
        (request("hi", model="draft+speed=2"), (400, "invalid_request_error", "latency=FACTOR")),
        (request("hi", model="draft+latency=-1"), (400, "invalid_request_error", "latency")),
        (request({"role": "assistant", "content": "x"}), (400, "invalid_request_error", "first message")),
        (request("hi", {"role": "assistant", "content": "x"}), (400, "invalid_request_error", "prefill")),
        (request("hi", use("t1", "Read"), "no result"), (400, "invalid_request_error", "without `tool_result`")),
        (request("hi", result("t1", "x")), (400, "invalid_request_error", "unexpected `tool_use_id`")),
    ],
)
def test_bad_requests_are_refused_in_the_providers_shape(body: object, expected: tuple[int, str, str]) -> None:
    status, kind, message = refused(body)
    assert (status, kind) == expected[:2]
    assert expected[2] in message


def test_cache_markers_are_checked() -> None:
    def text(marker: object) -> dict[str, Any]:
        return {"type": "text", "text": "x", "cache_control": marker}

    five = [text({"type": "ephemeral"})] * 5
    assert "maximum of 4" in refused(request({"role": "user", "content": five}))[2]
    mixed = [text({"type": "ephemeral"}), text({"type": "ephemeral", "ttl": "1h"})]
    assert "must not come after" in refused(request({"role": "user", "content": mixed}))[2]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(), inner, max_size=4),
    max_leaves=12,
)


def answered(body: object) -> None:
    status, data = run(send(SimulatedTransport(latency=0), body))
    assert (status, json.loads(data)["type"]) in ((200, "message"), (400, "error"), (404, "error"))


@given(json_values)
def test_any_json_gets_an_answer_in_the_providers_shape(value: Any) -> None:
    answered(value)


@given(
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=3),
    st.lists(json_values.map(lambda s: {"name": "Read", "input_schema": s}) | st.just(READ), max_size=2),
)
def test_odd_fields_get_an_answer_too(fields: dict[str, Any], tools: list[Any]) -> None:
    answered(request("Read hello.txt", tools=tools) | fields)


@given(st.lists(st.fixed_dictionaries({"role": st.sampled_from(ROLES), "content": json_values}), max_size=4))
def test_odd_conversations_get_an_answer_too(messages: list[dict[str, Any]]) -> None:
    answered(request("hi", *messages, "and now?", tools=ALL))


@example("output_config", {"enum": [None]})
@given(st.sampled_from(["thinking", "tool_choice", "output_config"]), json_values)
def test_odd_settings_get_an_answer_too(name: str, value: Any) -> None:
    settings = {
        "thinking": {"type": "adaptive", "block_binding": value},
        "tool_choice": {"type": "tool", "name": value},
        "output_config": {"format": {"type": "json_schema", "schema": value}},
    }
    answered(request("hi", tools=[] if name == "output_config" else ALL, **{name: settings[name]}))


def test_latency_is_waited_for_and_can_be_switched_off_by_name() -> None:
    async def seconds(name: str) -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await send(SimulatedTransport(latency=1), request("hi", model=name, stream=True))
        return loop.time() - started

    assert run(seconds("verify")) >= 0.2
    assert run(seconds("verify+latency=0")) < 0.15


def test_closing_ends_a_stream_that_waits() -> None:
    async def cancelled() -> int:
        sim = SimulatedTransport(latency=0)
        body = json.dumps(request("hi", model="draft+fault=slow", stream=True)).encode()
        response = await sim.send(UpstreamRequest("POST", "sim://models/v1/messages", [], body))
        seen = 0
        async for _ in response.chunks():
            seen += 1
            await response.close()
        return seen

    assert run(cancelled()) == 1


def test_closing_the_transport_ends_a_hanging_call() -> None:
    async def hang() -> None:
        sim = SimulatedTransport()
        task = asyncio.create_task(send(sim, request("hi", model="draft+fault=hang")))
        await asyncio.sleep(0)
        await sim.close()
        await task

    with pytest.raises(UpstreamError):
        run(hang())
