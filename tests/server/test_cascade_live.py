"""The cascade through the real server: drafts, verdicts and everything that can go wrong with them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support import tools
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live, LiveSession
from tests.support.messages import calls, texts
from tests.support.scripts import Script, always_text, last_text
from tests.support.wire_client import LOGIN_HEADERS, send

READ_AGAIN = Reply("I will read on.", calls=(("Read", {"file_path": "b.py"}),))
LONG = "What I found in these files, at length. " * 60


def pair(live: Live, verify: FakeUpstream, draft: FakeUpstream, **more: str) -> LiveSession:
    """A session whose verify model is `verify` as anthropic and whose draft model is `draft` as deepseek."""
    overrides = {
        "upstream.anthropic.base-url": verify.url,
        "upstream.deepseek.base-url": draft.url,
        "draft-model": "deepseek/deepseek-flash",
    }
    return live.open_session(overrides=overrides | more, keys={"DEEPSEEK_API_KEY": "sk-deep-0000"})


def after_read(stream: bool = True, **fields: Any) -> dict[str, Any]:
    return tools.request(
        "Fix it.",
        tools.use("t1", "Read", file_path="a.py"),
        tools.result("t1", "print('hello')"),
        **({"model": "claude-opus-5-5", "tools": tools.ALL, "stream": stream} | fields),
    )


@pytest.mark.parametrize("stream", [True, False])
def test_a_skipped_turn_is_the_drafts_answer(live: Live, stream: bool) -> None:
    with FakeUpstream() as verify, FakeUpstream(lambda _b, _n: READ_AGAIN) as draft:
        session = pair(live, verify, draft)
        got = send(session.base_url, after_read(stream))
        session.end()
    message = got.message
    assert calls(message) == [("Read", {"file_path": "b.py"})]
    assert message["model"] == "deepseek-flash", "the model names who really answered"
    assert message["stop_reason"] == "tool_use"
    assert message["usage"]["input_tokens"] > 0
    assert verify.exchanges == []
    asked = draft.exchanges[0]
    assert asked.header("x-api-key") == "sk-deep-0000"
    assert asked.json["model"] == "deepseek-flash"
    assert asked.json["thinking"] == {"type": "disabled"}
    assert [(r["outcome"], r["reason"]) for r in turn_rows()] == [("skipped", "after-read")]
    assert [(r["role"], r["provider"], r["served"]) for r in call_rows()] == [("draft", "deepseek", 1)]
    assert turn_rows()[0]["baseline"] is not None
    assert turn_rows()[0]["baseline_estimated"] == 1


def test_the_clients_credential_never_travels_to_the_draft_vendor(live: Live) -> None:
    with FakeUpstream() as verify, FakeUpstream(lambda _b, _n: READ_AGAIN) as draft:
        session = pair(live, verify, draft)
        send(session.base_url, after_read(), x_claude_code_session_id="abc")
    raw = json.dumps(draft.exchanges[0].headers)
    assert "sk-ant" not in raw
    assert "abc" not in raw


FAULTS: dict[str, Reply] = {
    "reset before headers": Reply(break_after=-1),
    "reset in the middle": Reply("words " * 50, break_after=5),
    "clean end too early": Reply("words " * 50, eof_after=5),
    "hang before headers": Reply(hang_after=-1),
    "hang in the middle": Reply("words " * 50, hang_after=5),
    **{f"status {s}": Reply(status=s) for s in (400, 401, 403, 404, 408, 409, 413, 429, 500, 503, 529)},
    "html": Reply(raw=b"<html>sign in</html>", content_type="text/html"),
    "html as json": Reply(raw=b"<html>sign in</html>", content_type="application/json"),
    "malformed stream": Reply(raw=b"event: message_start\ndata: {oops\n\n", content_type="text/event-stream"),
    "empty stream": Reply(raw=b"", content_type="text/event-stream"),
    "gzip nobody asked for": Reply("words " * 50, raw=b"\x1f\x8b\x08\x00rubbish", content_type="text/event-stream"),
    "refusal": Reply("I cannot.", stop="refusal"),
    "cut": Reply("This is cut o", stop="max_tokens"),
    "empty": Reply(stop="end_turn"),
    "leaked markup": Reply("<tool_call>{}</tool_call>"),
    "unknown tool": Reply(calls=(("NoSuchTool", {}),)),
    "arguments that are no JSON": Reply(calls=(("Read", "{oops"),)),
    "arguments that do not fit": Reply(calls=(("Read", {"path": "x"}),)),
    "an edit": Reply(calls=(("Edit", {"file_path": "a", "old_string": "b", "new_string": "c"}),)),
    "a shell command": Reply(calls=(("Bash", {"command": "rm -rf /"}),)),
    "an unknown block": Reply("x", blocks=({"type": "future_block"},)),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_whatever_the_draft_side_does_the_client_gets_the_verify_models_answer(
    live: Live, fault: Reply, stream: bool
) -> None:
    body = after_read(stream)
    with FakeUpstream(always_text("The verify model speaks.")) as verify, FakeUpstream(lambda _b, _n: fault) as draft:
        session = pair(live, verify, draft, **{"draft-timeout": "1"})
        got = send(session.base_url, body)
        session.end()
    assert got.status == 200
    assert got.body == bytes(verify.exchanges[0].sent)
    assert verify.exchanges[0].body == json.dumps(body).encode()
    assert len(verify.messages) == 1
    assert len(draft.messages) == 1, "a draft is not asked for twice"
    row = turn_rows()[0]
    assert row["outcome"] == "direct"
    assert row["reason"] in ("draft-failed", "gate")
    assert [c["role"] for c in call_rows()] == ["draft", "direct"], "the wasted draft is in the books"


def test_the_draft_upstream_is_gone(live: Live) -> None:
    with FakeUpstream(always_text("The verify model speaks.")) as verify:
        with FakeUpstream() as draft:
            session = pair(live, verify, draft)
        got = send(session.base_url, after_read())
        session.end()
    assert texts(got.message) == "The verify model speaks."
    assert call_rows()[0]["cost"] == 0, "a call that never arrived costs nothing"


def verdict(script: Script) -> Script:
    """A verify model that judges candidates by `script` and has a word of its own for anything else."""

    def answer(body: dict[str, Any], n: int) -> Reply:
        return script(body, n) if "ACCEPT-" in last_text(body) else Reply("On its own.", thinking="hm")

    return answer


def accept(body: dict[str, Any], _n: int) -> Reply:
    word = next(w for w in last_text(body).split() if w.startswith("ACCEPT-"))
    return Reply(word, thinking="It is right.")


@pytest.mark.parametrize("stream", [True, False])
def test_an_accepted_draft_reaches_the_client_as_the_draft(live: Live, stream: bool) -> None:
    body = after_read(stream)
    with FakeUpstream(verdict(accept)) as verify, FakeUpstream(always_text(LONG)) as draft:
        session = pair(live, verify, draft)
        got = send(session.base_url, body)
        session.end()
    assert texts(got.message) == LONG
    assert got.message["model"] == "deepseek-flash"
    assert b"ACCEPT" not in got.body
    assert b"thinking" not in got.body
    sent, original = verify.exchanges[0].body, json.dumps(body).encode()
    end_of_history = original.index(b'], "tools"')
    assert sent.startswith(original[:end_of_history]), "nothing before the end is edited"
    assert sent.endswith(original[end_of_history:])
    assert verify.exchanges[0].json["messages"][:-1] == body["messages"]
    assert verify.exchanges[0].json | {"messages": 0} == body | {"messages": 0}
    assert [r["outcome"] for r in turn_rows()] == ["accepted"]
    assert [(c["role"], c["served"]) for c in call_rows()] == [("draft", 1), ("verify", 0)]


@pytest.mark.parametrize("stream", [True, False])
def test_a_verifier_that_acts_is_streamed_through_without_its_thinking(live: Live, stream: bool) -> None:
    acts = Reply("No: look here first.", thinking="The draft is wrong.", calls=(("Edit", {"file_path": "a"}),))
    with FakeUpstream(verdict(lambda _b, _n: acts)) as verify, FakeUpstream(always_text(LONG)) as draft:
        session = pair(live, verify, draft)
        got = send(session.base_url, after_read(stream))
        session.end()
    assert texts(got.message) == "No: look here first."
    assert calls(got.message) == [("Edit", {"file_path": "a"})], "its own calls are its own"
    assert b"thinking" not in got.body
    assert got.message["model"] == "claude-opus-5-5"
    assert [r["outcome"] for r in turn_rows()] == ["enhanced"]
    assert [(c["role"], c["served"]) for c in call_rows()] == [("draft", 0), ("verify", 1)]


@pytest.mark.parametrize("stream", [True, False])
def test_the_accept_word_with_more_behind_it_is_taken_off(live: Live, stream: bool) -> None:
    def chatty(body: dict[str, Any], n: int) -> Reply:
        return Reply(f"{accept(body, n).text}\n\nBut mind the second file.")

    with FakeUpstream(verdict(chatty)) as verify, FakeUpstream(always_text(LONG)) as draft:
        session = pair(live, verify, draft)
        got = send(session.base_url, after_read(stream))
        session.end()
    assert texts(got.message) == "But mind the second file."
    assert turn_rows()[0]["outcome"] == "enhanced"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "failure",
    [
        Reply(status=529, error="overloaded_error"),
        Reply(stop="refusal"),
        Reply(stop="end_turn"),
        Reply("ACC", stop="max_tokens"),
        Reply(break_after=-1),
    ],
    ids=["overloaded", "refusal", "empty", "cut", "reset"],
)
def test_without_a_verdict_the_turn_goes_direct_afresh(live: Live, failure: Reply, stream: bool) -> None:
    body = after_read(stream)
    with FakeUpstream(verdict(lambda _b, _n: failure)) as verify, FakeUpstream(always_text(LONG)) as draft:
        session = pair(live, verify, draft)
        got = send(session.base_url, body)
        session.end()
    assert got.body == bytes(verify.exchanges[1].sent)
    assert verify.exchanges[1].body == json.dumps(body).encode()
    assert [(r["outcome"], r["reason"]) for r in turn_rows()] == [("direct", "no-verdict")]
    assert [c["role"] for c in call_rows()] == ["draft", "verify", "direct"]


def test_a_verifier_that_breaks_off_in_its_own_answer_never_ends_cleanly(live: Live) -> None:
    import http.client

    acts = Reply("No, rather like this: " * 20, break_after=8)
    with FakeUpstream(verdict(lambda _b, _n: acts)) as verify, FakeUpstream(always_text(LONG)) as draft:
        session = pair(live, verify, draft)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            send(session.base_url, after_read())
        session.end()
    assert turn_rows()[0]["ending"] == "upstream-error"


def plain(text: str, **fields: Any) -> dict[str, Any]:
    return tools.request(text, model="claude-opus-5-5", stream=True, **fields)


def test_a_draft_without_tools_hides_its_thinking(live: Live) -> None:
    drafted = Reply("Four, I should think.", thinking="2+2")
    with FakeUpstream() as verify, FakeUpstream(lambda _b, _n: drafted) as draft:
        session = pair(live, verify, draft, policy="paper")
        got = send(session.base_url, plain("What is two and two?"))
        session.end()
    assert texts(got.message) == "Four, I should think."
    assert got.message["model"] == "deepseek-flash"
    assert b"thinking" not in got.body
    assert got.message["complete"]
    assert verify.exchanges == []
    assert turn_rows()[0]["outcome"] == "skipped"


@pytest.mark.parametrize(
    "fault",
    [Reply(status=500), Reply(break_after=-1), Reply(stop="refusal"), Reply(hang_after=2), Reply(eof_after=1)],
    ids=["500", "reset", "refusal", "hang", "eof"],
)
def test_a_draft_without_tools_that_fails_goes_direct(live: Live, fault: Reply) -> None:
    with FakeUpstream(always_text("Four.")) as verify, FakeUpstream(lambda _b, _n: fault) as draft:
        session = pair(live, verify, draft, policy="paper", **{"draft-timeout": "1"})
        got = send(session.base_url, plain("What is two and two?"))
        session.end()
    assert got.body == bytes(verify.exchanges[0].sent)
    [row] = turn_rows()
    assert (row["outcome"], row["reason"]) == ("direct", "gate" if fault.stop else "draft-failed")


def test_turns_that_ask_for_safeguards_go_direct_and_are_counted(live: Live) -> None:
    judged = {"safeguard_results": [{"type": "dangerous_tool_use"}]}
    with FakeUpstream(lambda _b, _n: Reply("ok", delta=judged)) as verify, FakeUpstream() as draft:
        session = pair(live, verify, draft)
        got = send(session.base_url, after_read(safeguards=[{"type": "dangerous_tool_use"}]))
        ended = session.end()
    assert b"safeguard_results" in got.body
    assert draft.exchanges == []
    assert ended["auto_mode_turns"] == 1
    assert turn_rows()[0]["reason"] == "safeguards"


def test_auto_mode_local_leaves_the_field_out_rather_than_inventing_it(live: Live) -> None:
    with FakeUpstream() as verify, FakeUpstream(lambda _b, _n: READ_AGAIN) as draft:
        session = pair(live, verify, draft, **{"claude.auto-mode": "local"})
        got = send(session.base_url, after_read(safeguards=[{"type": "dangerous_tool_use"}]))
    assert calls(got.message) == [("Read", {"file_path": "b.py"})]
    assert b"safeguard" not in got.body
    assert "safeguards" not in draft.exchanges[0].json


def test_without_a_key_for_the_draft_vendor_turns_go_direct(live: Live) -> None:
    with FakeUpstream() as verify:
        session = live.open_session(
            overrides={"upstream.anthropic.base-url": verify.url, "draft-model": "deepseek/deepseek-flash"}
        )
        send(session.base_url, after_read())
        session.end()
    assert turn_rows()[0]["reason"] == "no-draft-key"


def test_an_api_key_alone_drafts_with_the_cheapest_claude_of_that_key(live: Live) -> None:
    def script(body: dict[str, Any], _n: int) -> Reply:
        return READ_AGAIN if "haiku" in body["model"] else Reply("direct")

    with FakeUpstream(script) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        got = send(session.base_url, after_read())
        session.end()
    assert up.exchanges[0].json["model"] == "claude-haiku-5-5"
    assert up.exchanges[0].header("x-api-key") == "sk-ant-test-0000"
    assert got.message["model"] == "claude-haiku-5-5"
    assert turn_rows()[0]["outcome"] == "skipped"


def test_another_vendors_drafts_serve_beside_a_subscription_login(live: Live) -> None:
    with FakeUpstream() as verify, FakeUpstream(lambda _b, _n: READ_AGAIN) as draft:
        session = pair(live, verify, draft)
        send(session.base_url, after_read(), headers=LOGIN_HEADERS)
        session.end()
    assert turn_rows()[0]["outcome"] == "skipped"
    assert "oat" not in json.dumps(draft.exchanges[0].headers)


def test_allow_login_calls_lets_the_login_draft(live: Live) -> None:
    def script(body: dict[str, Any], _n: int) -> Reply:
        return READ_AGAIN if "haiku" in body["model"] else Reply("direct")

    with FakeUpstream(script) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url, "allow-login-calls": "true"})
        send(session.base_url, after_read(), headers=LOGIN_HEADERS)
        session.end()
    assert up.exchanges[0].header("anthropic-beta") == "oauth-2025-04-20"
    assert turn_rows()[0]["outcome"] == "skipped"


def test_content_is_kept_only_when_asked_for(live: Live) -> None:
    import sqlite3
    import zlib

    from tests.support.ledger_rows import ledger_path

    with FakeUpstream(always_text("a secret answer")) as verify, FakeUpstream() as draft:
        session = pair(live, verify, draft, policy="verify-only")
        send(session.base_url, after_read())
        kept = pair(live, verify, draft, policy="verify-only", **{"log-content": "true"})
        send(kept.base_url, after_read())
        session.end()
        kept.end()
    with sqlite3.connect(ledger_path()) as db:
        rows = db.execute("SELECT request, answer FROM contents").fetchall()
    db.close()
    assert len(rows) == 1
    assert json.loads(zlib.decompress(rows[0][0])) == after_read()
    assert b"secret" in zlib.decompress(rows[0][1])


@pytest.mark.parametrize(
    "more",
    [
        Reply("Let me see.", calls=(("Bash", {"command": "rm -rf /"}),)),
        Reply("I had better not.", stop="refusal"),
        Reply("words " * 30, hang_after=6),
        Reply("words " * 30, break_after=6),
        Reply("words " * 30, eof_after=6),
    ],
    ids=["a tool call", "a refusal", "silence", "a break", "an early end"],
)
def test_of_a_draft_that_goes_wrong_no_word_reaches_the_client(live: Live, more: Reply) -> None:
    """Also where nothing but words is asked for, and the client streams."""
    with FakeUpstream() as verify, FakeUpstream(lambda _b, _n: more) as draft:
        session = pair(live, verify, draft, policy="paper", **{"draft-timeout": "1"})
        got = send(session.base_url, plain("What is two and two?"))
        session.end()
    assert len(draft.messages) == 1
    assert got.body == bytes(verify.exchanges[0].sent)


def test_a_draft_cannot_invent_a_safety_result(live: Live) -> None:
    judged = Reply("Four.", delta={"safeguard_results": [{"type": "dangerous_tool_use"}]})
    with FakeUpstream() as verify, FakeUpstream(lambda _b, _n: judged) as draft:
        session = pair(live, verify, draft, policy="paper")
        got = send(session.base_url, plain("What is two and two?"))
    assert texts(got.message) == "Four."
    assert b"safeguard" not in got.body


def test_pings_keep_the_line_alive_while_the_verify_model_thinks(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.server.driver.HOLD_SECONDS", 0.1)
    monkeypatch.setattr("rlmc.server.driver.PING_SECONDS", 0.1)
    for verdict_of, outcome in (
        (lambda b, n: Reply(accept(b, n).text, gap=0.3), "accepted"),
        (lambda b, n: Reply("No, so.", gap=0.3), "enhanced"),
        (lambda b, n: Reply(stop="refusal", gap=0.3), "direct"),
    ):
        with FakeUpstream(verdict(verdict_of)) as verify, FakeUpstream(always_text(LONG)) as draft:
            session = pair(live, verify, draft)
            got = send(session.base_url, after_read(), accept_encoding="gzip")
            session.end()
        assert got.body.startswith(b"event: ping")
        assert got.message["complete"]
        assert turn_rows()[-1]["outcome"] == outcome


def test_a_verify_model_that_falls_silent_leaves_the_turn_direct(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.server.driver.SILENCE_SECONDS", 0.4)
    silent = verdict(lambda _b, _n: Reply("ACC", hang_after=3))
    with FakeUpstream(silent) as verify, FakeUpstream(always_text(LONG)) as draft:
        session = pair(live, verify, draft)
        got = send(session.base_url, after_read())
        session.end()
    assert texts(got.message) == "On its own."
    assert turn_rows()[0]["reason"] == "no-verdict"


def test_an_error_after_pings_is_told_inside_the_stream(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.server.driver.HOLD_SECONDS", 0.1)

    def script(body: dict[str, Any], _n: int) -> Reply:
        return Reply(stop="refusal", gap=0.3) if "ACCEPT-" in last_text(body) else Reply(status=529)

    with FakeUpstream(script) as verify, FakeUpstream(always_text(LONG)) as draft:
        session = pair(live, verify, draft)
        got = send(session.base_url, after_read())
    assert got.status == 200
    assert b"overloaded_error" in got.body
    assert b"message_stop" not in got.body


def test_an_own_step_that_could_not_be_written_again_goes_direct(live: Live) -> None:
    """A block of an unknown kind, in an answer that came whole: the client gets the provider's bytes instead."""
    strange = Reply(blocks=({"type": "future_block", "x": 1},), calls=(("Read", {"file_path": "b.py"}),))
    with FakeUpstream(lambda _b, _n: strange) as verify, FakeUpstream(always_text(LONG)) as draft:
        session = pair(live, verify, draft)
        got = send(session.base_url, after_read(stream=False))
        session.end()
    assert got.body == bytes(verify.exchanges[-1].sent)
    assert [row["reason"] for row in turn_rows()] == ["no-verdict"]


def test_an_own_step_that_ends_too_early_ends_as_the_provider_ended_it(live: Live) -> None:
    step = Reply("On its own, at some length.", eof_after=4)
    with FakeUpstream(lambda _b, _n: step) as verify, FakeUpstream(always_text(LONG)) as draft:
        session = pair(live, verify, draft)
        got = send(session.base_url, after_read())
        session.end()
    assert b"On its own" in got.body
    assert b"message_stop" not in got.body
    assert b"error" not in got.body
    assert [row["ending"] for row in turn_rows()] == ["upstream-error"]
