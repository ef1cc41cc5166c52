"""What each kind of call becomes on the wire, and with whose headers and credential it goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rlmc.cascade.plan import BriefRequest, CallRequest, DraftRequest, Original, WithAppendix
from rlmc.config.load import load
from rlmc.domain.chat import ChatRequest
from rlmc.domain.layout import Mark
from rlmc.domain.turn import Model
from rlmc.errors import UpstreamError
from rlmc.server.ingress import Inbound
from rlmc.server.parts import build_parts
from rlmc.server.reasoning import Reasoning
from rlmc.server.requests import request_for
from rlmc.server.sessions import Means
from rlmc.upstream.credentials import client_credential
from rlmc.upstream.providers import names
from rlmc.upstream.transport import Headers, Network, UpstreamRequest
from rlmc.wire.anthropic.codec import ANTHROPIC

OPUS = Model("anthropic", "claude-opus-5-5")
CLIENT: Headers = [("x-api-key", "sk-client"), ("x-claude-code-session-id", "abc"), ("accept-encoding", "gzip")]
LOGIN: Headers = [("authorization", "Bearer oat"), ("anthropic-beta", "oauth-2025-04-20")]
MARK = b'"cache_control":{"type":"ephemeral"}'


def body(*contents: str, **fields: Any) -> bytes:
    messages = [{"role": "user", "content": [{"type": "text", "text": text}]} for text in contents]
    return json.dumps({"model": "claude-opus-5-5", "max_tokens": 9, "messages": messages, **fields}).encode()


def decoded(raw: bytes) -> ChatRequest:
    return ANTHROPIC.decode_request(raw)


def sent(
    folder: Path,
    wanted: CallRequest,
    target: Model = OPUS,
    *,
    headers: Headers = CLIENT,
    keys: dict[str, str] | None = None,
    base_url: str | None = None,
    **flags: str,
) -> UpstreamRequest:
    settings = load(folder / "none.toml", env={}, flags=flags, providers=names()).settings
    means = Means(build_parts(settings, {"anthropic": base_url} if base_url else {}), keys or {}, Network())
    credential, raw = client_credential(headers), wanted.request.raw
    inbound = Inbound("POST", "/v1/messages", "beta=true", headers, raw, credential, "anthropic", b"key")
    return request_for(means, inbound, ANTHROPIC, target, wanted, Reasoning())


def asked(*, system: str = "Judge.", text: str = "The step.") -> BriefRequest:
    return BriefRequest(decoded(body("hi")), system, text)


# --- the client's own request -----------------------------------------------------------------------------------------


def test_the_clients_request_goes_on_as_it_came(tmp_path: Path) -> None:
    raw = body("hi")
    request = sent(tmp_path, Original(decoded(raw)))
    assert request.body is raw
    assert request.url == "https://api.anthropic.com/v1/messages?beta=true"
    assert request.headers == CLIENT


@pytest.mark.parametrize("block", [0, 1])
def test_a_marker_is_all_that_changes(tmp_path: Path, block: int) -> None:
    request = decoded(body("a", "b"))
    marked = sent(tmp_path, Original(request, (block, "5m"))).body
    assert marked.replace(b"," + MARK, b"") == request.raw
    assert decoded(marked).layout.marks == ((block, "5m"),)


NOWHERE: list[Mark] = [(7, "5m"), (-1, "1h"), (0, "5m")]


@pytest.mark.parametrize("marker", NOWHERE)
def test_a_marker_that_cannot_be_is_left_out(tmp_path: Path, marker: Mark) -> None:
    request = decoded(body(" ", "b"))  # the first block is blank
    assert sent(tmp_path, Original(request, marker)).body is request.raw
    assert sent(tmp_path, WithAppendix(request, "t", marker)).body == sent(tmp_path, WithAppendix(request, "t")).body


def test_an_appended_text_stands_behind_the_marker(tmp_path: Path) -> None:
    request = decoded(body("a", "b"))
    whole = sent(tmp_path, WithAppendix(request, "Judge this.", (1, "1h")))
    messages = json.loads(whole.body)["messages"]
    assert messages[1]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert messages[2] == {"role": "user", "content": [{"type": "text", "text": "Judge this."}]}
    assert ("accept-encoding", "identity") in whole.headers


def test_a_marker_and_another_model(tmp_path: Path) -> None:
    request = decoded(body("a"))
    flags = {"verify-model": "anthropic/claude-opus-5"}
    found = sent(tmp_path, Original(request, (0, "5m")), Model("anthropic", "claude-opus-5"), **flags)
    assert found.body.replace(b"," + MARK, b"") == request.raw.replace(b"claude-opus-5-5", b"claude-opus-5")


# --- calls of rlmc's own ----------------------------------------------------------------------------------------------


def test_a_brief_is_a_call_of_its_own_to_the_verify_model(tmp_path: Path) -> None:
    request = sent(tmp_path, asked())
    assert (request.method, request.url) == ("POST", "https://api.anthropic.com/v1/messages")
    assert dict(request.headers) == {
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "anthropic-version": "2023-06-01",
        "user-agent": "rlmc",
        "x-api-key": "sk-client",
    }
    found = json.loads(request.body)
    assert (found["model"], found["stream"], found["output_config"]) == ("claude-opus-5-5", False, {"effort": "low"})
    assert found["system"][0]["text"] == "Judge."
    assert found["messages"][0]["content"][0]["text"] == "The step."
    assert not {"thinking", "tools", "metadata"} & found.keys()


def test_a_brief_to_a_model_of_unknown_efforts_sets_none(tmp_path: Path) -> None:
    flags = {"verify-model": "deepseek/deepseek-pro"}
    request = sent(tmp_path, asked(), Model("deepseek", "deepseek-pro"), keys={"DEEPSEEK_API_KEY": "k"}, **flags)
    assert request.url == "https://api.deepseek.com/anthropic/v1/messages"
    assert "output_config" not in json.loads(request.body)
    assert ("x-api-key", "k") in request.headers
    assert "sk-client" not in str(request.headers)


def test_a_brief_goes_to_the_users_own_gateway(tmp_path: Path) -> None:
    request = sent(tmp_path, asked(), Model("(gateway)", "claude-opus-5-5"), base_url="http://10.0.0.1:4000")
    assert request.url == "http://10.0.0.1:4000/v1/messages"
    assert ("x-api-key", "sk-client") in request.headers


def test_a_login_pays_for_no_call_of_rlmcs_own_unless_allowed(tmp_path: Path) -> None:
    for wanted in (asked(), DraftRequest(decoded(body("hi")))):
        with pytest.raises(UpstreamError):
            sent(tmp_path, wanted, headers=LOGIN)
        allowed = sent(tmp_path, wanted, headers=LOGIN, **{"allow-login-calls": "true"})
        assert ("authorization", "Bearer oat") in allowed.headers
        own_key = sent(tmp_path, wanted, headers=LOGIN, keys={"ANTHROPIC_API_KEY": "sk-own"})
        assert ("x-api-key", "sk-own") in own_key.headers and "oat" not in str(own_key.headers)


def test_a_draft_is_a_stream_without_the_clients_headers(tmp_path: Path) -> None:
    wanted = DraftRequest(decoded(body("hi")))
    request = sent(tmp_path, wanted, Model("deepseek", "deepseek-flash"), keys={"DEEPSEEK_API_KEY": "k"})
    assert request.url == "https://api.deepseek.com/anthropic/v1/messages"
    assert ("accept", "text/event-stream") in request.headers
    assert "abc" not in str(request.headers)
    assert json.loads(request.body)["model"] == "deepseek-flash"
