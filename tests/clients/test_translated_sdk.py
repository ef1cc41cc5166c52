"""What rlmc writes for a client of one protocol from a model of another, judged by the official SDKs' own parsers.

All nine pairs of protocols, and every way a stream can go wrong. The upstream is a fake that speaks its protocol in
words of its own (tests/support/speaking.py); the answer has Unicode cut across chunks and calls in parallel.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.live import Live
from tests.support.speaking import ERROR, Fault, Saying, Speaker

anthropic = pytest.importorskip("anthropic", reason="needs the extra 'clients'")
openai = pytest.importorskip("openai", reason="needs the extra 'clients'")

pytestmark = pytest.mark.clients

Json = dict[str, Any]

PROTOCOLS = ("anthropic", "chat", "responses")
WORDS = "Grüße aus Köln 🦊 – 東京, ¿qué tal? " * 5
SCHEMA = {"type": "object", "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]}
CALLS = (("Read", {"file_path": "/tmp/ä.py"}), ("Read", {"file_path": '/tmp/"b".py'}))
SAYINGS = {
    "words": Saying(text=WORDS, thought="Hm, 🦊."),
    "calls": Saying(text="I will look.", calls=CALLS, thought="Which?"),
    "calls alone, whole": Saying(calls=CALLS, whole=True),
    "cut by the limit": Saying(text=WORDS, stop="length"),
}


class Heard:
    """What an SDK made of an answer: words, calls, why it ended, tokens (prompt, output)."""

    def __init__(self, text: str, calls: list[tuple[str, str, Any]], stop: str | None, usage: tuple[int, int]) -> None:
        self.text, self.calls, self.stop, self.usage = text, calls, stop, usage


def ask(protocol: str, base_url: str, *, stream: bool) -> Heard:
    return {"anthropic": _anthropic, "chat": _chat, "responses": _responses}[protocol](base_url, stream=stream)


def _anthropic(base_url: str, *, stream: bool) -> Heard:
    body: Json = {
        "model": "m",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "Look."}],
        "tools": [{"name": "Read", "description": "Reads.", "input_schema": SCHEMA}],
    }
    with anthropic.Anthropic(base_url=base_url, api_key="sk-ant-test", max_retries=0) as client:
        if stream:
            with client.messages.stream(**body) as events:
                for _ in events:
                    pass
                message = events.get_final_message()
                if message.stop_reason is None:
                    raise anthropic.APIError("ended early", request=None, body=None)  # type: ignore[arg-type]
        else:
            message = client.messages.create(**body)
    text = "".join(block.text for block in message.content if block.type == "text")
    calls = [(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"]
    usage = message.usage
    prompt = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return Heard(text, calls, message.stop_reason, (prompt, usage.output_tokens))


def _chat(base_url: str, *, stream: bool) -> Heard:
    import json

    function = {"name": "Read", "description": "Reads.", "parameters": SCHEMA}
    body: Json = {
        "model": "m",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "Look."}],
        "tools": [{"type": "function", "function": function}],
    }
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key="sk-test", max_retries=0) as client:
        if stream:
            with client.chat.completions.stream(**body, stream_options={"include_usage": True}) as events:
                try:
                    for _ in events:
                        pass
                    answer = events.get_final_completion()
                except openai.LengthFinishReasonError as cut:  # how this helper says so
                    answer = cut.completion
        else:
            answer = client.chat.completions.create(**body)
    choice = answer.choices[0]
    calls = [(c.id, c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or []]
    stop = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}.get(choice.finish_reason)
    usage = answer.usage
    return Heard(choice.message.content or "", calls, stop, (usage.prompt_tokens, usage.completion_tokens))


def _responses(base_url: str, *, stream: bool) -> Heard:
    import json

    body: Json = {
        "model": "m",
        "max_output_tokens": 1000,
        "input": "Look.",
        "store": False,
        "tools": [{"type": "function", "name": "Read", "description": "Reads.", "parameters": SCHEMA, "strict": False}],
    }
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key="sk-test", max_retries=0) as client:
        if stream:
            with client.responses.stream(**body) as events:
                seen = list(events)
                if not seen or seen[-1].type == "response.failed":
                    raise openai.APIError(str(seen), request=None, body=None)  # type: ignore[arg-type]
                # The helper knows no other end than a complete one.
                answer = seen[-1].response if seen[-1].type == "response.incomplete" else events.get_final_response()
        else:
            answer = client.responses.create(**body)
    calls = [
        (item.call_id, item.name, json.loads(item.arguments)) for item in answer.output if item.type == "function_call"
    ]
    stop = "max_tokens" if answer.status == "incomplete" else "tool_use" if calls else "end_turn"
    text = "".join(part.text for item in answer.output if item.type == "message" for part in item.content)
    return Heard(text, calls, stop, (answer.usage.input_tokens, answer.usage.output_tokens))


def session(live: Live, up: Speaker, policy: str = "verify-only") -> str:
    opened = live.open_session(
        overrides={
            "verify-model": "there/m",
            "draft-model": "there/cheap",
            "policy": policy,
            "upstream.there.base-url": up.url,
            "upstream.there.protocol": up.protocol,
        }
    )
    return opened.base_url


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("saying", SAYINGS.values(), ids=SAYINGS.keys())
@pytest.mark.parametrize("model", PROTOCOLS)
@pytest.mark.parametrize("client", PROTOCOLS)
def test_an_answer_is_understood(live: Live, client: str, model: str, saying: Saying, stream: bool) -> None:
    with Speaker(model, saying, cut=7) as up:
        heard = ask(client, session(live, up), stream=stream)
    assert heard.text == saying.text
    assert [(name, arguments) for _, name, arguments in heard.calls] == list(saying.calls)
    assert len({id_ for id_, _, _ in heard.calls}) == len(saying.calls)
    assert heard.stop == ("max_tokens" if saying.stop == "length" else "tool_use" if saying.calls else "end_turn")
    assert heard.usage == (120, 30)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("model", PROTOCOLS)
@pytest.mark.parametrize("client", PROTOCOLS)
def test_a_draft_is_understood(live: Live, client: str, model: str, stream: bool) -> None:
    saying = Saying(text=WORDS, thought="Hm.") if client == "chat" else SAYINGS["calls"]
    with Speaker(model, saying, cut=11) as up:
        heard = ask(client, session(live, up, "draft-only"), stream=stream)
    assert heard.text == saying.text
    assert [(name, arguments) for _, name, arguments in heard.calls] == list(saying.calls)
    assert up.bodies[0]["model"] == "cheap"


@pytest.mark.parametrize("fault", ["empty", "ends-early", "breaks", "error-event", "status"])
@pytest.mark.parametrize("model", PROTOCOLS)
@pytest.mark.parametrize("client", PROTOCOLS)
def test_a_fault_is_an_error_and_never_a_clean_end(live: Live, client: str, model: str, fault: Fault) -> None:
    if client == model:
        pytest.skip("the same protocol is relayed untouched, faults and all")
    with Speaker(model, SAYINGS["words"], fault=fault) as up:
        base_url = session(live, up)
        with pytest.raises((anthropic.APIError, openai.APIError)) as raised:
            ask(client, base_url, stream=True)
    if fault in ("error-event", "status"):
        said = str(raised.value) + str(getattr(raised.value, "body", ""))
        assert ERROR in said


def test_openai_sdk_lists_models_where_nobody_there_speaks_its_protocol(live: Live) -> None:
    with (
        Speaker("anthropic", SAYINGS["words"]) as up,
        openai.OpenAI(base_url=f"{session(live, up)}/v1", api_key="sk-test") as client,
    ):
        assert [model.id for model in client.models.list()] == ["m"]


def test_anthropic_sdk_counts_tokens_where_nobody_there_speaks_its_protocol(live: Live) -> None:
    with (
        Speaker("chat", SAYINGS["words"]) as up,
        anthropic.Anthropic(base_url=session(live, up), api_key="sk-ant-test") as client,
    ):
        counted = client.messages.count_tokens(model="m", messages=[{"role": "user", "content": "hello " * 300}])
        assert 300 <= counted.input_tokens <= 1000
        assert [model.id for model in client.models.list()] == ["m"]
