"""Turns whose verify model speaks another protocol than the client, and clients of the OpenAI protocols."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.support import tools
from tests.support.fake_openai import Ask, FakeOpenAi
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live, LiveSession
from tests.support.scripts import always_text
from tests.support.speaking import Saying, Speaker, said
from tests.support.wire_client import LOGIN_HEADERS, Got, raw_request, send

from rlmc.domain.turn import Model
from rlmc.errors import WireError
from rlmc.wire import PROTOCOLS
from rlmc.wire.openai.names import legal_name

Json = dict[str, Any]

LONG = "What I found in these files, at length. " * 60
ACCEPT = re.compile(r"ACCEPT-[0-9a-f]{16}")


def judging(ask: Ask) -> bool:
    return ACCEPT.search(json.dumps(ask.body["messages"][-1])) is not None


def translated(live: Live, verify: FakeOpenAi, draft: FakeUpstream, **more: str) -> LiveSession:
    """A session of an Anthropic client: verify model `verify` as deepseek's chat, draft model `draft` as cheap/x."""
    overrides = {
        "verify-model": "deepseek/deepseek-pro",
        "upstream.deepseek.base-url": verify.url,
        "upstream.deepseek.protocol": "chat",
        "draft-model": "cheap/x",
        "upstream.cheap.base-url": draft.url,
        "upstream.cheap.protocol": "anthropic",
    }
    return live.open_session(overrides=overrides | more, keys={"DEEPSEEK_API_KEY": "sk-deep-0000"})


def ask_for(messages: list[Json], stream: bool) -> Json:
    body = tools.request(*messages, model="claude-opus-5-5", tools=tools.ALL, stream=stream)
    return body | {"thinking": {"type": "adaptive"}}


def results_of(message: Json) -> Json:
    """The user's next message: a result for each call of the answer."""
    return {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": block["id"], "content": "print('hello')"}
            for block in message["content"]
            if block["type"] == "tool_use"
        ],
    }


def test_thoughts_are_kept_before_the_last_event_leaves(live: Live) -> None:
    """An agent goes on at the last event, whether or not the line is at its end."""
    saying = Saying(calls=(("Read", {"file_path": "a.py"}),), thought="hm, a.py", stays=True)
    with FakeOpenAi(lambda _ask: saying) as verify, FakeUpstream() as draft:
        session = translated(live, verify, draft, policy="verify-only")
        with raw_request(session.base_url, ask_for([{"role": "user", "content": "Fix it."}], True)) as client:
            read = b""
            while b"message_stop" not in read:
                read += client.recv(65536)
            kept = live.daemon._sessions.by_id(session.id)
            assert kept is not None
            [(_, thoughts)] = kept.reasoning.of(Model("deepseek", "deepseek-pro"), "chat").items()
    assert b"hm, a.py" in thoughts[0]


@pytest.mark.parametrize("stream", [True, False])
def test_what_a_verifier_thought_before_its_own_step_comes_back_to_it(live: Live, stream: bool) -> None:
    thoughts = iter(["first thought", "second thought", "third thought"])

    def script(_ask: Ask) -> Saying:
        return Saying("No: here.", calls=(("Read", {"file_path": "a.py"}),), thought=next(thoughts))

    with FakeOpenAi(script) as verify, FakeUpstream(always_text(LONG)) as draft:
        session = translated(live, verify, draft)
        messages: list[Json] = [{"role": "user", "content": "Fix it."}]
        for _ in range(3):
            got = send(session.base_url, ask_for(messages, stream))
            assert got.status == 200, got.body
            messages += [{"role": "assistant", "content": got.message["content"]}, results_of(got.message)]
        session.end()
    assert [row["outcome"] for row in turn_rows()] == ["direct", "enhanced", "enhanced"]
    back = [m.get("reasoning_content") for m in verify.asks[2].body["messages"] if m.get("tool_calls")]
    assert back == ["first thought", "second thought"]
    assert "thinking" not in verify.asks[2].body, "so it may go on thinking"
    ids = [block["id"] for m in messages if m["role"] == "assistant" for block in m["content"] if "id" in block]
    assert len(set(ids)) == 3
    assert all(re.fullmatch(r"toolu_01[0-9a-f]{22}", one) for one in ids), ids


def openai_agent(live: Live, protocol: str, **overrides: str) -> LiveSession:
    return live.open_session(overrides=overrides, keys={"ANTHROPIC_API_KEY": "sk-ant-own-0000"}, protocol=protocol)


BEARER = {"authorization": "Bearer sk-openai-0000", "content-type": "application/json"}
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}


def openai_tool(protocol: str, name: str) -> Json:
    spec = next(t for t in tools.ALL if t["name"] == name)
    function = {"name": name, "description": spec["description"], "parameters": spec["input_schema"]}
    return {"type": "function", **(function if protocol == "responses" else {"function": function})}


def openai_body(protocol: str, stream: bool, *, rounds: int = 0, text: str = "Fix it.") -> Json:
    """A request after `rounds` calls of Read and their results."""
    items: list[Json] = [{"role": "user", "content": text}]
    for n in range(rounds):
        raw, id_ = json.dumps({"file_path": f"/tmp/{n}.py"}), f"call_{n}"
        if protocol == "chat":
            call = {"id": id_, "type": "function", "function": {"name": "Read", "arguments": raw}}
            items.append({"role": "assistant", "content": None, "tool_calls": [call]})
            items.append({"role": "tool", "tool_call_id": id_, "content": "print('hello')"})
        else:
            items.append({"type": "function_call", "call_id": id_, "name": "Read", "arguments": raw})
            items.append({"type": "function_call_output", "call_id": id_, "output": "print('hello')"})
    names = ("Read", "Grep", "Edit", "Bash")
    body: Json = {"model": "gpt-6.1", "stream": stream, "tools": [openai_tool(protocol, name) for name in names]}
    if protocol == "chat":
        return body | {"messages": items}
    return body | {"store": False, "input": items}


@pytest.mark.parametrize("protocol", ["chat", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_an_openai_agent_is_drafted_for_by_a_simulated_model(live: Live, protocol: str, stream: bool) -> None:
    with FakeOpenAi(lambda _ask: Saying("direct")) as up:
        session = openai_agent(
            live, protocol, **{"upstream.openai.base-url": up.url, "draft-model": "sim/draft+latency=0"}
        )
        got = send(
            session.base_url,
            openai_body(protocol, stream, rounds=1, text="What does it do?"),
            PATHS[protocol],
            headers=BEARER,
        )
        session.end()
    assert got.status == 200, got.body
    first = call_rows()[0]
    assert (first["role"], first["provider"], first["error"]) == ("draft", "sim", None)
    assert turn_rows()[0]["outcome"] == "skipped", turn_rows()[0]["findings"]
    assert turn_rows()[0]["ending"] == "complete"


@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_an_openai_agent_is_served_by_simulated_models_alone(live: Live, protocol: str) -> None:
    session = openai_agent(
        live, protocol, **{"verify-model": "sim/verify+latency=0", "draft-model": "sim/draft+latency=0"}
    )
    got = send(session.base_url, openai_body(protocol, True, rounds=1), PATHS[protocol], headers=BEARER)
    assert got.status == 200, got.body
    assert got.body.rstrip().endswith(b"data: [DONE]") if protocol == "chat" else b"response.completed" in got.body
    models = send(session.base_url, None, "/v1/models", headers=BEARER, method="GET")
    assert models.status == 200
    assert models.json["object"] == "list"
    session.end()
    assert turn_rows()[0]["ending"] == "complete"


@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_a_gzipped_answer_nobody_asked_for_is_unreadable_and_no_crash(live: Live, protocol: str) -> None:
    squeezed = gzip.compress(b'{"type": "message"}')
    for kind, status in (("application/json", 200), ("text/event-stream", 200), ("application/json", 429)):
        reply = Reply(status=status, raw=squeezed, content_type=kind)
        with FakeUpstream(lambda _b, _n, reply=reply: reply) as up:
            session = openai_agent(
                live,
                protocol,
                **{
                    "verify-model": "anthropic/claude-opus-5-5",
                    "upstream.anthropic.base-url": up.url,
                    "draft-model": "none",
                },
            )
            for stream in (True, False):
                got = send(session.base_url, openai_body(protocol, stream), PATHS[protocol], headers=BEARER)
                assert got.status == (502 if status == 200 else 429), got.body
                assert got.json["error"]["message"]
            assert len(up.exchanges) == 2, "asked once for each"
            session.end()


@pytest.mark.parametrize("protocol", ["chat", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_status_that_is_no_error_is_told_as_one(live: Live, protocol: str, stream: bool) -> None:
    with FakeUpstream(lambda _b, _n: Reply(status=202, raw=b"{}", content_type="application/json")) as up:
        session = openai_agent(
            live,
            protocol,
            **{
                "verify-model": "anthropic/claude-opus-5-5",
                "upstream.anthropic.base-url": up.url,
                "draft-model": "none",
            },
        )
        got = send(session.base_url, openai_body(protocol, stream), PATHS[protocol], headers=BEARER)
        session.end()
    assert got.status == 502, got.body
    assert turn_rows()[0]["ending"] == "upstream-error"


@pytest.mark.parametrize("protocol", ["chat", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_an_error_before_the_first_word_is_told_by_a_status(live: Live, protocol: str, stream: bool) -> None:
    said = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    raw = b"event: error\ndata: " + json.dumps(said).encode() + b"\n\n"
    with FakeUpstream(lambda _b, _n: Reply(raw=raw, content_type="text/event-stream")) as up:
        session = openai_agent(
            live,
            protocol,
            **{
                "verify-model": "anthropic/claude-opus-5-5",
                "upstream.anthropic.base-url": up.url,
                "draft-model": "none",
            },
        )
        got = send(session.base_url, openai_body(protocol, stream), PATHS[protocol], headers=BEARER)
        session.end()
    assert got.status in (502, 503, 529), got.body
    assert turn_rows()[0]["ending"] == "upstream-error"


@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_a_stream_where_one_body_was_asked_for_is_read_all_the_same(live: Live, protocol: str) -> None:
    raw = said("anthropic", Saying("Here it is.", calls=(("Read", {"file_path": "a"}),)))
    with FakeUpstream(lambda _b, _n: Reply(raw=raw, content_type="text/event-stream")) as up:
        session = openai_agent(
            live,
            protocol,
            **{
                "verify-model": "anthropic/claude-opus-5-5",
                "upstream.anthropic.base-url": up.url,
                "draft-model": "none",
            },
        )
        got = send(session.base_url, openai_body(protocol, False), PATHS[protocol], headers=BEARER)
        session.end()
    assert got.status == 200, got.body
    assert "Here it is." in json.dumps(got.json)
    assert call_rows()[0]["error"] is None


def test_a_retry_after_reaches_a_client_of_another_protocol(live: Live) -> None:
    reply = Reply(status=429, headers=(("retry-after", "7"),))
    with FakeUpstream(lambda _b, _n: reply) as up:
        session = openai_agent(
            live,
            "chat",
            **{
                "verify-model": "anthropic/claude-opus-5-5",
                "upstream.anthropic.base-url": up.url,
                "draft-model": "none",
            },
        )
        got = send(session.base_url, openai_body("chat", True), PATHS["chat"], headers=BEARER)
        session.end()
    assert (got.status, got.headers["retry-after"]) == (429, "7")


def own_pair(live: Live, up: FakeOpenAi, draft: FakeUpstream, protocol: str, **more: str) -> LiveSession:
    """A session of an OpenAI client: OpenAI's own models verify, an Anthropic-speaking one drafts."""
    overrides = {
        "upstream.openai.base-url": up.url,
        "draft-model": "cheap/x",
        "upstream.cheap.base-url": draft.url,
        "upstream.cheap.protocol": "anthropic",
    }
    return live.open_session(overrides=overrides | more, protocol=protocol)


def words_of(protocol: str, got: Got) -> str:
    """The text of an answer, streamed or not."""
    if not got.headers["content-type"].startswith("text/event-stream"):
        answer = got.json
        if protocol == "chat":
            return answer["choices"][0]["message"]["content"] or ""
        parts = [part for item in answer["output"] if item["type"] == "message" for part in item["content"]]
        return "".join(part["text"] for part in parts)
    events = [json.loads(line[6:]) for line in got.body.decode().splitlines() if line.startswith("data: {")]
    if protocol == "chat":
        return "".join(c["delta"].get("content") or "" for e in events for c in e["choices"])
    return "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")


def calls_of(protocol: str, got: Got) -> list[tuple[str, str]]:
    """(id, name) of the calls of an answer."""
    if got.headers["content-type"].startswith("text/event-stream"):
        events = [json.loads(line[6:]) for line in got.body.decode().splitlines() if line.startswith("data: {")]
        if protocol == "chat":
            pieces = [p for e in events for c in e["choices"] for p in c["delta"].get("tool_calls") or []]
            return [(p["id"], p["function"]["name"]) for p in pieces if p.get("id")]
        items = [e["item"] for e in events if e["type"] == "response.output_item.done"]
    elif protocol == "chat":
        return [(c["id"], c["function"]["name"]) for c in got.json["choices"][0]["message"].get("tool_calls") or []]
    else:
        items = got.json["output"]
    return [(item["call_id"], item["name"]) for item in items if item["type"] == "function_call"]


def word_in(ask: Ask) -> str | None:
    found = ACCEPT.search(json.dumps(ask.body["messages" if ask.protocol == "chat" else "input"]))
    return None if found is None else found.group()


@pytest.mark.parametrize("protocol", ["chat", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_an_openai_verifier_that_acts_goes_on_as_the_answer(live: Live, protocol: str, stream: bool) -> None:
    def script(ask: Ask) -> Saying:
        word = word_in(ask)
        assert word is not None
        return Saying(f"{word} But look here first.", calls=(("Read", {"file_path": "b.py"}),), thought="hm")

    with FakeOpenAi(script) as up, FakeUpstream(always_text(LONG)) as draft:
        session = own_pair(live, up, draft, protocol)
        got = send(session.base_url, openai_body(protocol, stream, rounds=1), PATHS[protocol], headers=BEARER)
        session.end()
    assert got.status == 200, got.body
    assert words_of(protocol, got) == "But look here first."
    assert [name for _, name in calls_of(protocol, got)] == ["Read"]
    assert b"ACCEPT" not in got.body
    assert b'hm"' not in got.body
    assert [(c["role"], c["served"], c["error"]) for c in call_rows()] == [("draft", 0, None), ("verify", 1, None)]
    assert [(c["input"], c["cache_read"], c["output"]) for c in call_rows()][1] == (100, 20, 30)
    assert [row["outcome"] for row in turn_rows()] == ["enhanced"]


@pytest.mark.parametrize("protocol", ["chat", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_an_openai_verifier_that_accepts_sends_the_draft(live: Live, protocol: str, stream: bool) -> None:
    with (
        FakeOpenAi(lambda ask: Saying(word_in(ask) or "direct", thought="hm")) as up,
        FakeUpstream(always_text(LONG)) as draft,
    ):
        session = own_pair(live, up, draft, protocol)
        got = send(session.base_url, openai_body(protocol, stream, rounds=1), PATHS[protocol], headers=BEARER)
        session.end()
    assert words_of(protocol, got).strip() == LONG.strip()
    assert [row["outcome"] for row in turn_rows()] == ["accepted"]
    assert draft.exchanges[0].header("authorization") is None, "the client's key is OpenAI's"
    assert "sk-openai" not in json.dumps(draft.exchanges[0].headers)


@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_the_token_in_a_header_stays_here(live: Live, protocol: str, caplog: pytest.LogCaptureFixture) -> None:
    with FakeOpenAi(lambda _ask: Saying("direct")) as up:
        session = openai_agent(live, protocol, **{"upstream.openai.base-url": up.url, "draft-model": "none"})
        root, token = session.base_url.split("/s/")
        named = BEARER | {"x-rlmc-token": token}
        assert send(root, openai_body(protocol, True), PATHS[protocol], headers=named).status == 200
        both = send(
            session.base_url, openai_body(protocol, True), PATHS[protocol], headers=BEARER | {"x-rlmc-token": "x"}
        )
        assert both.status == 200, "the path names the session"
        assert (
            send(root, openai_body(protocol, True), PATHS[protocol], headers=named | {"x-rlmc-token": "x"}).status
            == 404
        )
        foreign = send(root, openai_body(protocol, True), PATHS[protocol], headers=named | {"origin": "http://evil"})
        assert foreign.status == 403
        assert send(root, None, "/-/sessions", headers=named, method="GET").status in (401, 403, 404, 405)
        session.end()
    assert [set(ask.headers) & {"x-rlmc-token"} for ask in up.asks] == [set(), set()]
    assert token not in caplog.text


def test_who_has_no_session_is_told_so_in_its_own_protocol(live: Live) -> None:
    for protocol, path in PATHS.items():
        got = send(f"http://127.0.0.1:{live.port}/s/nobody", openai_body(protocol, True), path, headers=BEARER)
        assert got.status == 404
        assert "type" not in got.json, "Anthropic's errors have one, OpenAI's do not"
    got = send(f"http://127.0.0.1:{live.port}/s/nobody", openai_body("chat", True))
    assert got.json["type"] == "error"


@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_a_request_that_cannot_be_translated_for_a_draft_goes_direct(
    live: Live, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> bytes:
        raise WireError("no way")

    monkeypatch.setattr(type(PROTOCOLS["anthropic"]), "write_prompt", refuses)
    with FakeOpenAi(lambda _ask: Saying("direct")) as up, FakeUpstream() as draft:
        session = own_pair(live, up, draft, protocol)
        got = send(session.base_url, openai_body(protocol, True, rounds=1), PATHS[protocol], headers=BEARER)
        session.end()
    assert words_of(protocol, got) == "direct"
    assert [(r["outcome"], r["reason"]) for r in turn_rows()] == [("direct", "draft-failed")]
    assert got.body == up.answers[0]


def claude_verify(up: FakeUpstream, **more: str) -> dict[str, str]:
    """Of a session whose turns all go to `up` as Anthropic."""
    return {
        "verify-model": "anthropic/claude-opus-5-5",
        "upstream.anthropic.base-url": up.url,
        "draft-model": "none",
    } | more


@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_a_passed_budget_is_told_in_the_clients_protocol(live: Live, protocol: str) -> None:
    with FakeUpstream(lambda _b, _n: Reply("dear words", output_tokens=100_000)) as up:
        budget = {"budget.session": "0.01", "budget.action": "stop"}
        session = openai_agent(live, protocol, **claude_verify(up, **budget))
        first = send(session.base_url, openai_body(protocol, True), PATHS[protocol], headers=BEARER)
        assert first.status == 200
        live.settle()  # its price is known by now
        got = send(session.base_url, openai_body(protocol, True), PATHS[protocol], headers=BEARER)
        session.end()
    assert got.status == 402, got.body
    assert "budget.session" in got.json["error"]["message"]
    assert "type" not in got.json
    assert len(up.exchanges) == 1


@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_a_translated_answer_that_breaks_off_is_booked_at_an_estimate(live: Live, protocol: str) -> None:
    with FakeUpstream(lambda _b, _n: Reply("words " * 50, break_after=6)) as up:
        session = openai_agent(live, protocol, **claude_verify(up))
        got = send(session.base_url, openai_body(protocol, True), PATHS[protocol], headers=BEARER)
        session.end()
    assert b"error" in got.body, "never a clean end"
    assert b"[DONE]" not in got.body
    assert b"response.completed" not in got.body
    call = call_rows()[0]
    assert (call["served"], call["usage_estimated"]) == (1, 1)
    assert call["cost"] is not None
    assert call["output"] > 0
    assert turn_rows()[0]["ending"] == "upstream-error"


def test_a_client_that_hangs_up_ends_the_translated_call_and_leaves_a_row(live: Live) -> None:
    with FakeUpstream(lambda _b, _n: Reply("words " * 200, gap=0.05)) as up:
        session = openai_agent(live, "chat", **claude_verify(up))
        parts, raw = urlsplit(session.base_url), json.dumps(openai_body("chat", True)).encode()
        head = f"POST {parts.path}/v1/chat/completions HTTP/1.1\r\nhost: {parts.netloc}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(raw)}\r\n\r\n"
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as client:
            client.sendall(head.encode() + raw)
            seen = b""
            while b"words" not in seen:
                seen += client.recv(65536)
        deadline = time.monotonic() + 10
        while not up.exchanges[0].client_gone and time.monotonic() < deadline:
            time.sleep(0.02)
        assert up.exchanges[0].client_gone
        session.end()
    assert [row["ending"] for row in turn_rows()] == ["client-gone"]
    assert call_rows()[0]["usage_estimated"] == 1


def test_answers_kept_at_the_provider_are_its_own(live: Live) -> None:
    """Who lets OpenAI keep its answers names them later by their ids, which a draft has not."""
    kept = openai_body("responses", True, rounds=1) | {"store": True}
    with FakeOpenAi(lambda _ask: Saying("direct")) as up, FakeUpstream(always_text("short")) as draft:
        session = own_pair(live, up, draft, "responses")
        for body in (kept, {name: value for name, value in kept.items() if name != "store"}):
            got = send(session.base_url, body, PATHS["responses"], headers=BEARER)
            assert got.body == up.answers[-1]
        session.end()
    assert draft.exchanges == []
    assert [row["outcome"] for row in turn_rows()] == ["direct", "direct"]


def test_no_marker_is_reckoned_with_that_a_translated_request_cannot_bear(live: Live) -> None:
    long = "Fix it. " + "All of this matters. " * 600
    with FakeUpstream() as up:
        session = openai_agent(live, "chat", **claude_verify(up))
        for rounds in (0, 30):
            send(session.base_url, openai_body("chat", True, rounds=rounds, text=long), PATHS["chat"], headers=BEARER)
        session.end()
    assert [json.loads(row["decision"])["marker"] for row in turn_rows()] == [None, None]


def test_an_anthropic_clients_markers_are_not_reckoned_with_where_they_do_not_go(live: Live) -> None:
    """Claude behind a chat endpoint: rlmc's request bears no markers, so none more would help."""
    mark = {"cache_control": {"type": "ephemeral"}}
    text = {"type": "text", "text": "All of this matters. " * 2000}
    with FakeOpenAi(lambda _ask: Saying("direct")) as up:
        session = live.open_session(
            overrides={
                "verify-model": "mine/claude-opus-5-5",
                "upstream.mine.base-url": up.url,
                "upstream.mine.protocol": "chat",
                "draft-model": "none",
            }
        )
        history: list[Json] = [{"role": "user", "content": [text]}]
        for rounds in (0, 30):
            for n in range(rounds):
                history += [tools.use(f"t{n}", "Read", file_path="a.py"), tools.result(f"t{n}", "print('hello')")]
            last = {"role": "user", "content": [{"type": "text", "text": "Go on."} | mark]}
            body = tools.request(*history, last, model="claude-opus-5-5", tools=tools.ALL, stream=True)
            assert send(session.base_url, body).status == 200
            history.append({"role": "user", "content": [{"type": "text", "text": "Go on."}]})
        session.end()
    assert "cache_control" not in json.dumps(up.asks[1].body)
    assert [json.loads(row["decision"])["marker"] for row in turn_rows()] == [None, None]


def test_a_login_is_no_reason_not_to_verify_where_another_vendor_does(live: Live) -> None:
    """The verify model is paid by a key of its own, and the login goes nowhere."""
    body = tools.request(
        "Fix it.",
        tools.use("t1", "Read", file_path="a.py"),
        tools.result("t1", "print('hello')"),
        model="claude-opus-5-5",
        tools=tools.ALL,
        stream=True,
    )
    with (
        FakeOpenAi(lambda ask: Saying(word_in(ask) or "direct")) as verify,
        FakeUpstream(always_text(LONG)) as draft,
    ):
        session = translated(live, verify, draft)
        got = send(session.base_url, body, headers=LOGIN_HEADERS)
        session.end()
    assert got.status == 200, got.body
    assert [row["outcome"] for row in turn_rows()] == ["accepted"]
    assert all("oat" not in json.dumps(ask.headers) for ask in verify.asks)
    assert verify.asks[0].headers["authorization"] == "Bearer sk-deep-0000"


@pytest.mark.parametrize("policy", ["verify-only", "draft-only"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_tool_whose_name_is_too_long_over_there_keeps_it_here(live: Live, policy: str, stream: bool) -> None:
    long = "mcp__a_server_with_a_rather_long_name__and_a_tool_whose_name_is_long_as_well"
    with Speaker("chat", Saying(calls=((legal_name(long), {"file_path": "a"}),))) as up:
        session = live.open_session(
            overrides={
                "verify-model": "there/large",
                "draft-model": "there/small",
                "policy": policy,
                f"tools.{long}": "read",
                "upstream.there.base-url": up.url,
                "upstream.there.protocol": "chat",
            }
        )
        schema = {"type": "object", "properties": {"file_path": {"type": "string"}}}
        body = {
            "model": "claude-opus-5-5",
            "max_tokens": 100,
            "stream": stream,
            "messages": [{"role": "user", "content": "Look."}],
            "tools": [{"name": long, "input_schema": schema}],
        }
        got = send(session.base_url, body)
        assert got.status == 200, got.body
        assert got.message["content"][0]["name"] == long
        assert up.bodies[0]["tools"][0]["function"]["name"] == legal_name(long)
