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


@pytest.mark.parametrize(
    "path", ["embeddings", "v1/embeddings", "v1/images/generations", "v1/moderations", "v1/completions", "v1/batches"]
)
def test_a_key_of_openais_goes_to_openai_also_where_the_path_is_no_turn(live: Live, path: str) -> None:
    """A program on any SDK, whose usual protocol is a guess: only the path tells whose client asks."""
    with Speaker("anthropic", Saying("Hello.")) as anthropic, Speaker("chat", Saying("Hello.")) as openai:
        overrides = {"upstream.anthropic.base-url": anthropic.url, "upstream.openai.base-url": openai.url}
        session = live.open_session(overrides=overrides, protocol="anthropic")
        assert send(session.base_url, {"model": "m"}, f"/{path}", headers=HEADERS).status == 200
        assert (len(anthropic.headers), len(openai.headers)) == (0, 1)


@pytest.mark.parametrize("own", [{"anthropic-version": "2023-06-01"}, {"anthropic-beta": "oauth-2025-04-20"}])
@pytest.mark.parametrize("protocol", ["anthropic", "chat"])
def test_a_credential_of_anthropics_goes_to_anthropic(live: Live, own: dict[str, str], protocol: str) -> None:
    with Speaker("anthropic", Saying("Hello.")) as anthropic, Speaker("chat", Saying("Hello.")) as openai:
        overrides = {"upstream.anthropic.base-url": anthropic.url, "upstream.openai.base-url": openai.url}
        session = live.open_session(overrides=overrides, protocol=protocol)
        for path in ("/v1/files", "/v1/batches"):
            assert send(session.base_url, {"model": "m"}, path, headers={**HEADERS, **own}).status == 200
        assert (len(anthropic.headers), len(openai.headers)) == (2, 0)
