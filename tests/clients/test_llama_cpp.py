"""Two real models behind llama.cpp's own server, over every protocol it speaks: a server nobody here wrote.

Opt-in, beside `--clients`: LLAMA_DRAFT and LLAMA_VERIFY name two GGUF files, LLAMA_PYTHON a Python that has xllamacpp,
LLAMA_TEMPLATE a chat template with which the draft model calls tools. Each test is one question, and takes seconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.studies.models import served
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live
from tests.support.wire_client import send

DRAFT, VERIFY = os.environ.get("LLAMA_DRAFT"), os.environ.get("LLAMA_VERIFY")
PYTHON, TEMPLATE = os.environ.get("LLAMA_PYTHON"), os.environ.get("LLAMA_TEMPLATE")

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(not (DRAFT and VERIFY and PYTHON), reason="needs LLAMA_DRAFT, LLAMA_VERIFY and LLAMA_PYTHON"),
]

Json = dict[str, Any]

PROTOCOLS = ("anthropic", "chat", "responses")
PATHS = {"anthropic": "/v1/messages", "chat": "/v1/chat/completions", "responses": "/v1/responses"}
QUESTION = "What is the capital of France? Answer with one word."
TASK = "Call look_up for the city Paris."
HEADERS = {"authorization": "Bearer none", "content-type": "application/json"}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(scope="module")
def draft() -> Iterator[int]:
    with served(Path(str(DRAFT)), str(PYTHON)) as port:
        yield port


@pytest.fixture(scope="module")
def verify() -> Iterator[int]:
    with served(Path(str(VERIFY)), str(PYTHON)) as port:
        yield port


def question(protocol: str, *, stream: bool, tools: bool = False) -> Json:
    asked = TASK if tools else QUESTION
    if protocol == "responses":
        body: Json = {"input": asked, "max_output_tokens": 64, "store": False}
        tool: Json = {"type": "function", "name": "look_up", "description": "Looks a city up.", "parameters": CITY}
    elif protocol == "chat":
        body = {"messages": [{"role": "user", "content": asked}], "max_tokens": 64}
        function = {"name": "look_up", "description": "Looks a city up.", "parameters": CITY}
        tool = {"type": "function", "function": function}
    else:
        body = {"messages": [{"role": "user", "content": asked}], "max_tokens": 64}
        tool = {"name": "look_up", "description": "Looks a city up.", "input_schema": CITY}
    return {"model": "any", "stream": stream, **body, **({"tools": [tool]} if tools else {})}


def answered(protocol: str, body: bytes, *, stream: bool) -> tuple[str, list[tuple[str, Json]]]:
    """The words and the calls of an answer."""
    if not stream:
        return _whole(protocol, json.loads(body))
    lines = [line[6:] for line in body.decode().splitlines() if line.startswith("data: {")]
    events = [json.loads(line) for line in lines]
    if protocol == "responses":
        return _whole(protocol, next(e["response"] for e in events if e["type"] == "response.completed"))
    if protocol == "chat":
        deltas = [choice["delta"] for event in events for choice in event["choices"]]
        text = "".join(delta.get("content") or "" for delta in deltas)
        calls: dict[int, list[str]] = {}
        for piece in (call for delta in deltas for call in delta.get("tool_calls") or []):
            name_and_text = calls.setdefault(piece["index"], ["", ""])
            name_and_text[0] += piece["function"].get("name") or ""
            name_and_text[1] += piece["function"].get("arguments") or ""
        return text, [(name, json.loads(arguments)) for name, arguments in calls.values()]
    text = "".join(e["delta"].get("text", "") for e in events if e["type"] == "content_block_delta")
    arguments = "".join(e["delta"].get("partial_json", "") for e in events if e["type"] == "content_block_delta")
    opened = [e["content_block"] for e in events if e["type"] == "content_block_start"]
    return text, [(block["name"], json.loads(arguments)) for block in opened if block["type"] == "tool_use"]


def _whole(protocol: str, answer: Json) -> tuple[str, list[tuple[str, Json]]]:
    if protocol == "responses":
        items = answer["output"]
        texts = [part["text"] for item in items if item["type"] == "message" for part in item["content"]]
        calls = [(i["name"], json.loads(i["arguments"])) for i in items if i["type"] == "function_call"]
        return "".join(texts), calls
    if protocol == "chat":
        message = answer["choices"][0]["message"]
        called = [call["function"] for call in message.get("tool_calls") or []]
        return message["content"] or "", [(one["name"], json.loads(one["arguments"])) for one in called]
    blocks = answer["content"]
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    return "".join(texts), [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]


@contextmanager
def session(live: Live, policy: str, draft: tuple[int, str], verify: tuple[int, str]) -> Iterator[str]:
    opened = live.open_session(
        overrides={
            "draft-model": "small/qwen",
            "verify-model": "large/qwen",
            "policy": policy,
            "draft-timeout": "300",
            "upstream.small.base-url": f"http://127.0.0.1:{draft[0]}",
            "upstream.small.protocol": draft[1],
            "upstream.large.base-url": f"http://127.0.0.1:{verify[0]}",
            "upstream.large.protocol": verify[1],
        }
    )
    yield opened.base_url
    opened.end()


@pytest.mark.parametrize("large", PROTOCOLS)
@pytest.mark.parametrize("small", PROTOCOLS)
@pytest.mark.parametrize("client", PROTOCOLS)
@pytest.mark.parametrize(("policy", "outcome"), [("draft-only", "skipped"), ("verify-only", "direct")])
def test_a_question_through_every_combination(
    live: Live, draft: int, verify: int, policy: str, outcome: str, client: str, small: str, large: str
) -> None:
    stream = small != large  # both ways are covered for each client and model
    with session(live, policy, (draft, small), (verify, large)) as base_url:
        got = send(base_url, question(client, stream=stream), PATHS[client], headers=HEADERS)
        assert got.status == 200, got.body
        words, _ = answered(client, got.body, stream=stream)
        assert "Paris" in words
    row, call = turn_rows()[0], call_rows()[0]
    assert (row["outcome"], row["protocol"], row["ending"]) == (outcome, client, "complete")
    assert call["output"] > 0


@pytest.mark.skipif(not TEMPLATE, reason="needs LLAMA_TEMPLATE")
@pytest.mark.parametrize("model", PROTOCOLS)
@pytest.mark.parametrize("client", PROTOCOLS)
def test_a_call_of_a_tool_through_every_pair(live: Live, tool_model: int, client: str, model: str) -> None:
    for stream in (True, False):
        with session(live, "verify-only", (tool_model, model), (tool_model, model)) as base_url:
            got = send(base_url, question(client, stream=stream, tools=True), PATHS[client], headers=HEADERS)
            assert got.status == 200, got.body
            _, calls = answered(client, got.body, stream=stream)
            assert [name for name, _ in calls] == ["look_up"]
            assert isinstance(calls[0][1], dict)


@pytest.fixture(scope="module")
def tool_model() -> Iterator[int]:
    with served(Path(str(DRAFT)), str(PYTHON), Path(str(TEMPLATE))) as port:
        yield port
