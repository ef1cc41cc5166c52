"""Who may come in: loopback names only, no web pages, the right token, JSON; and the control side behind its own."""

from __future__ import annotations

import json

import pytest
from tests.support import tools
from tests.support.fake_upstream import FakeUpstream
from tests.support.live import Live
from tests.support.wire_client import KEY_HEADERS, LOGIN_HEADERS, send

BODY = tools.request("hi", model="claude-opus-5-5", stream=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1"},
        {"host": "127.0.0.1.evil.example:1"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_other_hosts_and_web_pages_are_turned_away(live: Live, headers: dict[str, str]) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        got = send(session.base_url, BODY, headers=KEY_HEADERS | headers)
    assert got.status == 403
    assert got.json["type"] == "error"
    assert up.exchanges == []


def test_the_daemons_own_page_may_not_ask_for_turns_either(live: Live) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        origin = {"origin": f"http://127.0.0.1:{live.port}", "sec-fetch-site": "same-origin"}
        got = send(session.base_url, BODY, headers=KEY_HEADERS | origin)
    assert got.status == 403
    assert up.exchanges == []


def test_no_cors_header_is_ever_sent(live: Live) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        got = send(session.base_url, None, method="OPTIONS", headers={"origin": "http://evil.example"})
    assert got.status == 403
    assert not any(name.startswith("access-control") for name in got.headers)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_taken_for_a_turn(live: Live, content_type: str) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        got = send(session.base_url, BODY, headers=KEY_HEADERS | {"content-type": content_type})
    assert got.status == 415
    assert up.exchanges == []


@pytest.mark.parametrize("path", ["", "/", "/v1/messages", "/s/", "/s/wrong-token/v1/messages", "/s//v1/messages"])
def test_without_the_sessions_token_nothing_exists(live: Live, path: str) -> None:
    live.open_session()
    got = send(f"http://127.0.0.1:{live.port}", BODY, path)
    assert got.status == 404
    assert "rlmc run" in got.json["error"]["message"]


def test_an_ended_sessions_address_stops_working(live: Live) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        assert send(session.base_url, BODY).status == 200
        session.end()
        assert send(session.base_url, BODY).status == 404


@pytest.mark.parametrize("path", ["/-/health", "/-/status", "/-/sessions", "/-/stop", "/-/nothing"])
def test_the_control_side_wants_its_own_token(live: Live, path: str) -> None:
    session = live.open_session()
    token = session.base_url.rsplit("/", 1)[1]
    for wrong in ("wrong", token):
        status, _ = live.control("GET", path, token=wrong)
        assert status == 401


def test_a_session_cannot_be_taken_over_with_another_token(live: Live) -> None:
    session = live.open_session()
    wanted = {"id": session.id, "token": "another-token-that-is-long", "client": "x"}
    status, answer = live.control("POST", "/-/sessions", wanted)
    assert status == 400
    assert "token" in answer["error"]


def test_registering_again_keeps_what_the_session_has_done(live: Live) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        send(session.base_url, BODY)
        again = {
            "id": session.id,
            "token": session.base_url.rsplit("/", 1)[1],
            "client": "test",
            "overrides": {"upstream.anthropic.base-url": up.url},
        }
        assert live.control("POST", "/-/sessions", again)[0] == 200
        send(session.base_url, BODY)
        assert session.end()["turns"] == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"{", {"id": "x"}, {"id": 1, "token": "t" * 20, "client": "c"}])
def test_a_malformed_registration_is_refused(live: Live, body: object) -> None:
    if isinstance(body, bytes):
        got = send(
            f"http://127.0.0.1:{live.port}",
            body,
            "/-/sessions",
            headers={"authorization": f"Bearer {live.control_token}", "content-type": "application/json"},
        )
        assert got.status == 400
    else:
        assert live.control("POST", "/-/sessions", body)[0] == 400


@pytest.mark.parametrize("wrong", [{"protocol": "grpc"}, {"upstreams": {"google": "http://127.0.0.1:9"}}])
def test_a_protocol_or_a_vendor_nobody_knows_is_refused(live: Live, wrong: dict[str, object]) -> None:
    status, answer = live.control("POST", "/-/sessions", {"id": "a", "token": "t" * 20, "client": "c"} | wrong)
    assert status == 400
    assert "not known" in answer["error"]


def test_an_impossible_override_names_the_setting(live: Live) -> None:
    wanted = {"id": "a", "token": "t" * 20, "client": "c", "overrides": {"policy": "daring"}}
    status, answer = live.control("POST", "/-/sessions", wanted)
    assert status == 400
    assert "policy" in answer["error"]
    assert "daring" in answer["error"]


def test_no_secret_shows_in_the_status(live: Live) -> None:
    session = live.open_session(keys={"DEEPSEEK_API_KEY": "sk-very-secret"})
    _, status = live.control("GET", "/-/status")
    text = json.dumps(status)
    assert "sk-very-secret" not in text
    assert session.base_url.rsplit("/", 1)[1] not in text
    assert live.control_token not in text


def test_a_session_that_comes_back_still_knows_of_the_login(live: Live) -> None:
    with FakeUpstream() as up:
        overrides = {"upstream.anthropic.base-url": up.url}
        session = live.open_session(overrides=overrides)
        send(session.base_url, BODY, headers=LOGIN_HEADERS)
        token = session.base_url.rsplit("/", 1)[1]
        live.control("POST", "/-/sessions", {"id": session.id, "token": token, "client": "c", "overrides": overrides})
        assert any("login" in note for note in session.end()["notes"])


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1:8080", "http://localhost:11434/x"])
def test_a_gateway_on_a_local_port_is_not_taken_for_a_local_model(live: Live, url: str) -> None:
    session = live.open_session(upstreams={"anthropic": url})
    assert any("prices are unknown" in note for note in session.notes)


def test_a_subscription_is_not_told_to_bill_like_an_api(live: Live) -> None:
    session = live.open_session(upstreams={"openai": "https://chatgpt.com/backend-api/codex"}, protocol="responses")
    assert len(session.notes) == 1
    assert "ChatGPT" in session.notes[0]
    assert "config set" not in session.notes[0]


def test_no_password_of_a_base_url_shows(live: Live) -> None:
    live.open_session(upstreams={"anthropic": "http://user:hunter2@127.0.0.1:9/x"})
    assert "hunter2" not in json.dumps(live.control("GET", "/-/status")[1])


@pytest.mark.parametrize("vendor", ["anthropic", "openai"])
def test_a_password_in_the_address_of_a_gateway_is_not_shown(live: Live, vendor: str) -> None:
    wanted = {
        "id": "1" * 16,
        "token": "t" * 32,
        "client": "test",
        "upstreams": {vendor: "https://me:hunter2@gateway.example/llm/v1?key=hunter2"},
    }
    status, answer = live.control("POST", "/-/sessions", wanted)
    assert status == 200
    assert "gateway.example" in answer["notes"][0]
    assert "hunter2" not in str(answer) + str(live.control("GET", "/-/status"))


@pytest.mark.parametrize(
    "url", ["http://gateway.example:${PORT}", "http://[::1", "gateway.example/v1", "{file:url.txt}"]
)
def test_an_address_that_is_none_is_refused_before_it_can_break_what_is_shown(live: Live, url: str) -> None:
    wanted = {"id": "1" * 16, "token": "t" * 32, "client": "test", "upstreams": {"openai": url}, "protocol": "chat"}
    status, answer = live.control("POST", "/-/sessions", wanted)
    assert status == 400
    assert "base URL" in answer["error"]
    assert live.control("GET", "/-/status")[0] == 200
