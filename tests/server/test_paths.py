"""Which paths agents really use, and what each is answered."""

from __future__ import annotations

import http.client

import pytest
from tests.support.live import Live
from tests.support.speaking import Saying, Speaker
from tests.support.wire_client import send

HEADERS = {"authorization": "Bearer sk-test", "content-type": "application/json"}
BODIES = {
    "chat/completions": {"model": "m", "messages": [{"role": "user", "content": "Hi."}]},
    "responses": {"model": "m", "input": "Hi.", "store": False},
}


@pytest.mark.parametrize("prefix", ["", "/v1", "/v1/v1"])
@pytest.mark.parametrize("path", BODIES)
def test_clients_disagree_on_who_says_v1(live: Live, path: str, prefix: str) -> None:
    protocol = "chat" if path.startswith("chat") else "responses"
    with Speaker(protocol, Saying("Hello.")) as up:
        session = live.open_session(overrides={"upstream.openai.base-url": up.url}, protocol="chat")
        got = send(session.base_url, BODIES[path], f"{prefix}/{path}", headers=HEADERS)
        assert got.status == 200
        assert up.bodies == [BODIES[path]]
        assert up.headers[0]["authorization"] == "Bearer sk-test"


@pytest.mark.parametrize("path", ["/responses", "/v1/responses"])
def test_a_websocket_is_answered_at_once_with_the_status_codex_understands(live: Live, path: str) -> None:
    session = live.open_session(protocol="responses")
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "x3JJHMbDL1EzLkh9GBhXDw==",
        "sec-websocket-version": "13",
    }
    assert send(session.base_url, None, path, headers=upgrade, method="GET").status == 426


def test_a_token_may_come_in_a_header_and_goes_no_further(live: Live) -> None:
    with Speaker("responses", Saying("Hello.")) as up:
        session = live.open_session(overrides={"upstream.openai.base-url": up.url}, protocol="responses")
        token = session.base_url.rpartition("/")[2]
        origin = f"http://127.0.0.1:{live.port}"
        got = send(origin, BODIES["responses"], "/v1/responses", headers={**HEADERS, "x-rlmc-token": token})
        assert got.status == 200
        assert "x-rlmc-token" not in up.headers[0]
        assert token not in str(up.headers) + str(up.bodies)
        for wrong in ({}, {"x-rlmc-token": "no-such-token-there-is"}):
            refused = send(origin, BODIES["responses"], "/v1/responses", headers={**HEADERS, **wrong})
            assert refused.status == 404
            assert "message" in refused.json["error"], "in the client's protocol"


def test_who_says_nothing_of_encodings_is_answered_in_plain_bytes(live: Live) -> None:
    with Speaker("responses", Saying("Hello.")) as up:
        session = live.open_session(overrides={"upstream.openai.base-url": up.url}, protocol="responses")
        connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
        path = session.base_url.partition(str(live.port))[2] + "/v1/responses"
        raw = b'{"model":"m","input":"Hi.","store":false}'
        connection.putrequest("POST", path, skip_accept_encoding=True)
        for name, value in HEADERS.items():
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(raw)))
        connection.endheaders(raw)
        assert connection.getresponse().status == 200
        connection.close()
        assert up.headers[0]["accept-encoding"] == "identity"
