"""Pages of other origins in a browser on this machine. They know the port, and here even a session's token.

What a real browser makes of it is in tests/browser/test_other_origin.py; here are the requests browsers write.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
from tests.security.wires import BODY, exchange, request, status, token_of
from tests.support.fake_upstream import FakeUpstream
from tests.support.live import Live

EVIL = "http://evil.example"


@pytest.fixture
def up() -> Iterator[FakeUpstream]:
    with FakeUpstream() as fake:
        yield fake


@pytest.fixture
def path(live: Live, up: FakeUpstream) -> str:
    session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
    return f"/s/{token_of(session)}"


def refused(live: Live, raw: bytes) -> bytes:
    answer = exchange(live.port, raw)
    assert status(answer) == 403
    assert b"access-control" not in answer.lower(), "nothing is told to a page"
    assert b"set-cookie" not in answer.lower()
    return answer


ORIGINS = {
    "another site": f"Origin: {EVIL}",
    "a file or a frame without an origin": "Origin: null",
    "another port of this host": "Origin: http://localhost:1",
    "another port of the same address": "Origin: http://127.0.0.1:1",
    "the same port by TLS": "Origin: https://127.0.0.1:{port}",
    "the port's own origin": "Origin: http://127.0.0.1:{port}",
    "an extension": "Origin: chrome-extension://aaaa",
    "an empty one": "Origin:",
}
SITES = ("cross-site", "same-site", "CROSS-SITE", "anything")


@pytest.mark.parametrize("origin", ORIGINS.values(), ids=ORIGINS)
@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS", "HEAD", "PUT", "DELETE"])
def test_what_names_an_origin_is_refused(live: Live, up: FakeUpstream, path: str, origin: str, method: str) -> None:
    line = origin.format(port=live.port)
    for target in (f"{path}/v1/messages", f"{path}/v1/models", "/-/stop", "/-/proof", "/metrics", "/"):
        refused(live, request(live, target, line, f"Authorization: Bearer {live.control_token}", method=method))
    assert up.exchanges == []
    assert not live.daemon.stop_requested.is_set()


@pytest.mark.parametrize("site", SITES)
def test_what_a_page_has_the_browser_fetch_is_refused(live: Live, up: FakeUpstream, path: str, site: str) -> None:
    """An image, a script, a style, a frame or a link: a GET without an origin."""
    for mode in ("no-cors", "navigate", "websocket"):
        for target in (f"{path}/v1/models", f"{path}/v1/files/x/content", "/dashboard/x/", "/-/status"):
            refused(live, request(live, target, f"Sec-Fetch-Site: {site}", f"Sec-Fetch-Mode: {mode}", method="GET"))
    assert up.exchanges == []


def test_a_preflight_is_answered_with_no_permission(live: Live, up: FakeUpstream, path: str) -> None:
    lines = (
        f"Origin: {EVIL}",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: content-type,x-api-key",
        "Access-Control-Request-Private-Network: true",
    )
    for target in (f"{path}/v1/messages", "/v1/messages", "/-/sessions"):
        assert b"allow" not in refused(live, request(live, target, *lines, method="OPTIONS")).lower()
    assert up.exchanges == []


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"]
)
def test_a_form_spends_nothing_even_from_a_browser_that_names_no_origin(
    live: Live, up: FakeUpstream, path: str, content_type: str
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
    connection.request("POST", f"{path}/v1/messages", BODY, {"content-type": content_type})
    assert connection.getresponse().status == 415
    connection.close()
    assert up.exchanges == []


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "evil.example", "127.0.0.1.nip.io:{port}", "[::ffff:7f00:1]:{port}"]
)
def test_a_name_that_is_rebound_to_this_host_is_refused(live: Live, up: FakeUpstream, path: str, host: str) -> None:
    """To the browser the page and the daemon are of one origin then; only the name tells."""
    name = host.format(port=live.port)
    for target in (f"{path}/v1/messages", "/-/stop", "/dashboard/", "/metrics"):
        refused(live, request(live, target, f"Origin: http://{name}", "Sec-Fetch-Site: same-origin", host=name))
        refused(live, request(live, target, "Sec-Fetch-Site: same-origin", method="GET", host=name))
    assert up.exchanges == []


def test_a_websocket_of_a_page_is_refused(live: Live, up: FakeUpstream, path: str) -> None:
    lines = (
        *("Connection: Upgrade, close", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==", f"Origin: {EVIL}"),
    )
    for target in (f"{path}/v1/responses", f"{path}/v1/realtime"):
        refused(live, request(live, target, *lines, method="GET", last=False))
    assert up.exchanges == []


# --- the dashboard, which is a page -----------------------------------------------------------------------------------


def opened(live: Live) -> tuple[str, str]:
    """The path of a view, and the cookie that opens it."""
    url = live.control("POST", "/-/dashboard")[1]["url"]
    answer = exchange(live.port, request(live, url.partition(str(live.port))[2], method="GET"))
    lines = dict(line.split(": ", 1) for line in answer.decode().split("\r\n\r\n")[0].split("\r\n")[1:])
    return lines["location"], lines["set-cookie"].split(";")[0]


def test_the_dashboard_can_be_put_into_no_frame(live: Live) -> None:
    view, cookie = opened(live)
    for target, status_ in ((view, 200), ("/dashboard/x/", 403), (f"{view}nothing", 404)):
        answer = exchange(live.port, request(live, target, f"Cookie: {cookie}", method="GET"))
        assert status(answer) == status_
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert b"frame-ancestors 'none'" in head
        assert b"default-src 'none'" in head and b"unsafe" not in head
        assert b"referrer-policy: no-referrer" in head
        assert b"cross-origin-resource-policy: same-origin" in head
        assert b"x-content-type-options: nosniff" in head


def test_a_link_to_the_dashboard_in_a_history_opens_nothing_twice(live: Live) -> None:
    url = live.control("POST", "/-/dashboard")[1]["url"].partition(str(live.port))[2]
    first, second = (exchange(live.port, request(live, url, method="GET")) for _ in range(2))
    assert (status(first), status(second)) == (303, 410)
    assert url.rpartition("/")[2].encode() not in first, "the page is at another address"
    cookie = next(line for line in first.split(b"\r\n") if line.lower().startswith(b"set-cookie"))
    assert b"HttpOnly" in cookie and b"SameSite=Strict" in cookie and b"Path=/dashboard/" in cookie


def test_a_page_of_another_origin_reads_nothing_of_the_dashboard(live: Live) -> None:
    view, cookie = opened(live)
    api = f"{view}api/overview?period=all"
    assert status(exchange(live.port, request(live, api, f"Cookie: {cookie}", method="GET"))) == 200
    for line in (f"Origin: {EVIL}", "Origin: http://localhost:1", "Sec-Fetch-Site: same-site"):
        refused(live, request(live, api, f"Cookie: {cookie}", line, method="GET"))
    assert status(exchange(live.port, request(live, api, method="GET"))) == 403
    assert status(exchange(live.port, request(live, api, f"Cookie: {cookie}x", method="GET"))) == 403
