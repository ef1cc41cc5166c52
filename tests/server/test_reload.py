"""A change of configuration takes effect in the running daemon; a broken one changes nothing and is told."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from tests.support import tools
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live
from tests.support.wire_client import send

AFTER_READ = tools.request(
    "Fix it.",
    tools.use("t1", "Read", file_path="a.py"),
    tools.result("t1", "x"),
    model="claude-opus-5-5",
    tools=tools.ALL,
    stream=True,
)


def write(live: Live, text: str) -> Path:
    file = live.folder / "config" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_change_takes_effect_without_a_restart(live: Live) -> None:
    with FakeUpstream() as verify, FakeUpstream(lambda _b, _n: Reply(calls=(("Read", {"file_path": "b"}),))) as draft:
        session = live.open_session(
            overrides={"upstream.anthropic.base-url": verify.url, "upstream.deepseek.base-url": draft.url},
            keys={"DEEPSEEK_API_KEY": "k"},
        )
        write(live, 'policy = "verify-only"\n')
        assert live.control("POST", "/-/reload")[1] == {"ok": True, "error": None}
        send(session.base_url, AFTER_READ)
        write(live, 'policy = "balanced"\ndraft-model = "deepseek/deepseek-flash"\n')
        live.control("POST", "/-/reload")
        send(session.base_url, AFTER_READ)
        session.end()
    assert [(r["outcome"], r["policy"]) for r in turn_rows()] == [("direct", "verify-only"), ("skipped", "balanced")]


def test_a_session_keeps_its_kind_of_money(live: Live) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        write(live, 'draft-model = "sim/draft"\npolicy = "draft-only"\n')
        assert live.control("POST", "/-/reload")[1] == {"ok": True, "error": None}
        send(session.base_url, AFTER_READ)
        status = live.control("GET", "/-/status")[1]
        assert status["draft_model"] == "sim/draft", "whoever comes next gets it"
        assert "never mixed" in status["last_error"]
        session.end()
    assert turn_rows()
    assert {c["provider"] for c in call_rows()} == {"anthropic"}


def test_a_file_edited_by_hand_is_noticed(live: Live) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        send(session.base_url, AFTER_READ)
        write(live, 'policy = "verify-only"\n')
        deadline = time.monotonic() + 10
        while live.control("GET", "/-/status")[1]["policy"] != "verify-only":
            assert time.monotonic() < deadline
            send(session.base_url, AFTER_READ)


def test_a_broken_file_changes_nothing_and_is_told(live: Live) -> None:
    write(live, 'policy = "verify-only"\n')
    live.control("POST", "/-/reload")
    write(live, 'policy = "daring"\n')
    ok = live.control("POST", "/-/reload")[1]
    status = live.control("GET", "/-/status")[1]
    assert ok["ok"] is False
    assert "daring" in ok["error"]
    assert status["policy"] == "verify-only"
    assert "daring" in status["config_error"]
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        assert any("daring" in note for note in session.notes)


def test_a_sessions_own_flags_stay_in_force(live: Live) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url, "policy": "verify-only"})
        write(live, 'policy = "draft-only"\n')
        live.control("POST", "/-/reload")
        send(session.base_url, AFTER_READ)
        session.end()
    assert turn_rows()[0]["policy"] == "verify-only"


def test_an_existing_base_url_stays_the_upstream_and_its_prices_are_unknown(live: Live) -> None:
    with FakeUpstream() as gateway:
        session = live.open_session(upstreams={"anthropic": gateway.url + "/gate/way/"})
        send(session.base_url, AFTER_READ)
        session.end()
    assert gateway.exchanges[0].path == "/gate/way/v1/messages"
    assert any("prices are unknown" in note for note in session.notes)
    row = turn_rows()[0]
    assert (row["outcome"], row["cost"], row["baseline"]) == ("direct", None, None)


def test_a_turn_under_way_keeps_what_it_began_with(live: Live) -> None:
    """The draft is slow, the verify model is exchanged meanwhile: this turn still goes where it began to go."""
    with (
        FakeUpstream() as verify,
        FakeUpstream(lambda _b, _n: Reply("words", stop="max_tokens", delay=1.0)) as draft,
        FakeUpstream() as other,
    ):
        session = live.open_session(
            overrides={
                "upstream.anthropic.base-url": verify.url,
                "upstream.deepseek.base-url": draft.url,
                "upstream.moonshot.base-url": other.url,
                "draft-model": "deepseek/deepseek-flash",
            },
            keys={"DEEPSEEK_API_KEY": "k", "MOONSHOT_API_KEY": "k2"},
        )
        asking = threading.Thread(target=send, args=(session.base_url, AFTER_READ))
        asking.start()
        draft.wait(lambda: len(draft.messages) == 1)
        write(live, 'verify-model = "moonshot/kimi-k3"\n')
        assert live.control("POST", "/-/reload")[1]["ok"]
        asking.join(20)
        send(session.base_url, AFTER_READ)
        session.end()
    assert [len(u.messages) for u in (verify, other)] == [1, 1]
    assert other.messages[0].json["model"] == "kimi-k3"
    assert [r["served_model"] for r in turn_rows()] == ["anthropic/claude-opus-5-5", "moonshot/kimi-k3"]


def test_behind_a_gateway_anthropics_models_are_asked_there_with_the_clients_own_credential(live: Live) -> None:
    """The key of a gateway must not travel to Anthropic, only because a model's name begins with it."""

    def script(body: dict[str, Any], _n: int) -> Reply:
        return Reply(calls=(("Read", {"file_path": "b"}),)) if "haiku" in body["model"] else Reply("direct")

    with FakeUpstream(script) as gateway:
        session = live.open_session(
            upstreams={"anthropic": gateway.url},
            overrides={"draft-model": "anthropic/claude-haiku-5-5"},
            keys={"ANTHROPIC_API_KEY": "sk-other"},
        )
        send(session.base_url, AFTER_READ)
        session.end()
    assert [e.json["model"] for e in gateway.exchanges] == ["claude-haiku-5-5"]
    assert gateway.exchanges[0].header("x-api-key") == "sk-ant-test-0000"
    row = turn_rows()[0]
    assert (row["outcome"], row["cost"]) == ("skipped", None)


def test_the_note_on_an_openai_gateway_names_its_own_setting(live: Live) -> None:
    session = live.open_session(upstreams={"openai": "http://127.0.0.1:9/oai"}, protocol="responses")
    (note,) = session.notes
    assert "bills like OpenAI: rlmc config set upstream.openai.base-url http://127.0.0.1:9/oai" in note
    (told,) = live.control("GET", "/-/status")[1]["sessions"]
    assert told["who_sees"] == ["verify model: 127.0.0.1 (127.0.0.1:9)"]
