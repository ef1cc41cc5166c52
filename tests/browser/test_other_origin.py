"""A page of another origin in a real browser, which knows the port and a session's token, tries to spend the key.

Whatever it does, nothing of it reaches a provider, and it reads nothing. That the page does what it says is shown by a
second server, which answers anybody and must see all of it.
"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from tests.security.wires import token_of, within
from tests.support.fake_upstream import FakeUpstream
from tests.support.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

BODY = '{"model":"claude-opus-5-5","max_tokens":64,"messages":[{"role":"user","content":"Hi."}]}'
# Every way a page has of sending something: each a promise of what the page could read of the answer.
TRIES = """
async ([base, body]) => {
    const url = `${base}/v1/messages`;
    const json = { "content-type": "application/json", "x-api-key": "sk-page", "anthropic-version": "2023-06-01" };
    const read = async (answer) => `${answer.type} ${answer.status} ${await answer.text()}`;
    const form = (type) => new Promise((done) => {
        const frame = document.createElement("iframe");
        frame.name = `f${Math.random()}`;
        frame.onload = () => done("");
        const form = Object.assign(document.createElement("form"), { method: "post", action: url, target: frame.name });
        form.enctype = type;
        form.append(Object.assign(document.createElement("input"), { name: body, value: "" }));
        document.body.append(frame, form);
        form.submit();
        setTimeout(done, 1500, "");
    });
    const element = (tag, more) => new Promise((done) => {
        const made = Object.assign(document.createElement(tag), more);
        made.onload = () => done(`${tag} loaded`);
        made.onerror = () => done("");
        document.body.append(made);
        setTimeout(done, 1500, "");
    });
    const tries = {
        cors: () => fetch(url, { method: "POST", headers: json, body }).then(read),
        cors_with_cookies: () => fetch(url, { method: "POST", headers: json, body, credentials: "include" }).then(read),
        simple: () => fetch(url, { method: "POST", headers: { "content-type": "text/plain" }, body }).then(read),
        no_cors: () => fetch(url, { method: "POST", mode: "no-cors", body }).then(read),
        no_cors_blob: () => fetch(url, {
            method: "POST", mode: "no-cors", body: new Blob([body], { type: "text/plain" }),
        }).then(read),
        get: () => fetch(`${base}/v1/models`).then(read),
        get_no_cors: () => fetch(`${base}/v1/models`, { mode: "no-cors" }).then(read),
        redirected: () => fetch("/moved", { method: "POST", body }).then(read),
        xhr: () => new Promise((done) => {
            const sent = new XMLHttpRequest();
            sent.onloadend = () => done(sent.responseText);
            sent.open("POST", url);
            sent.send(body);
        }),
        beacon: async () => { navigator.sendBeacon(url, body); return ""; },
        beacon_of_json: async () => {
            navigator.sendBeacon(url, new Blob([body], { type: "application/json" }));
            return "";
        },
        keepalive: () => fetch(url, { method: "POST", mode: "no-cors", keepalive: true, body }).then(read),
        form: () => form("application/x-www-form-urlencoded"),
        plain_form: () => form("text/plain"),
        multipart_form: () => form("multipart/form-data"),
        image: () => element("img", { src: `${base}/v1/models?image` }),
        script: () => element("script", { src: `${base}/v1/models?script` }),
        module: () => element("script", { type: "module", src: `${base}/v1/models?module` }),
        style: () => element("link", { rel: "stylesheet", href: `${base}/v1/models?style` }),
        prefetch: () => element("link", { rel: "prefetch", href: `${base}/v1/models?prefetch` }),
        media: () => element("video", { src: `${base}/v1/models?media`, autoplay: true }),
        frame: () => element("iframe", { src: `${base}/v1/models?frame` }).then((said) => {
            const frame = [...document.querySelectorAll("iframe")].at(-1);
            try { return frame.contentDocument.body.textContent; } catch { return ""; }
        }),
        event_source: () => new Promise((done) => {
            const source = new EventSource(`${base}/v1/models?events`);
            source.onmessage = (event) => done(event.data);
            source.onerror = () => { source.close(); done(""); };
        }),
        web_socket: () => new Promise((done) => {
            const socket = new WebSocket(`${base.replace("http", "ws")}/v1/responses`);
            socket.onopen = () => { socket.send(body); done("opened"); };
            socket.onerror = () => done("");
        }),
        worker: () => new Promise((done) => {
            const asked = { method: "POST", mode: "no-cors", body };
            const code = `fetch(${JSON.stringify(url)}, ${JSON.stringify(asked)})
                .then((answer) => answer.text()).then(postMessage, () => postMessage(""))`;
            const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
            worker.onmessage = (event) => done(event.data);
        }),
        popup: async () => { window.open(`${base}/v1/models?popup`); return ""; },
    };
    const got = {};
    for (const [name, attempt] of Object.entries(tries)) {
        got[name] = await Promise.race([
            attempt().catch(() => ""),
            new Promise((done) => setTimeout(done, 3000, "")),
        ]);
    }
    return got;
}
"""


class Page(http.server.BaseHTTPRequestHandler):
    """The other origin. `moved` is where its redirect leads."""

    moved: ClassVar[str] = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a page</title><body>")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(307)
        self.send_header("location", self.moved)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Anybody(http.server.BaseHTTPRequestHandler):
    """A server with no guard at all, in the daemon's place."""

    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(f"{self.command} {self.path}")
        length = int(self.headers.get("content-length") or 0)
        self.rfile.read(length)
        self.send_response(200)
        for name in ("origin", "headers", "methods"):
            self.send_header(f"access-control-allow-{name}", "*")
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"said": "to anybody"}')

    do_POST = do_OPTIONS = do_HEAD = do_GET  # as the base class wants them named

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tried(chromium: Any, page_host: str, base: str) -> dict[str, str]:
    """What the page could read of each of its tries."""
    Page.moved = f"{base}/v1/messages"
    with served(Page) as port, chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"http://{page_host}:{port}/")
        got: dict[str, str] = page.evaluate(TRIES, [base, BODY])
        page.wait_for_timeout(500)
        return got


HOSTS = ["localhost", "127.0.0.1"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_page_of_another_origin_spends_nothing(chromium: Any, live: Live, host: str) -> None:
    with FakeUpstream() as up:
        session = live.open_session(
            overrides={"upstream.anthropic.base-url": up.url, "upstream.openai.base-url": up.url}
        )
        for own in HOSTS:
            got = tried(chromium, host, f"http://{own}:{live.port}/s/{token_of(session)}")
            readable = {name: said for name, said in got.items() if said and not said.startswith("opaque 0")}
            assert readable == {}
        assert len(got) > 25
        assert not within(1, lambda: bool(up.exchanges)), up.exchanges
    answer = session.end()
    assert (answer["requests"], answer["turns"]) == (0, 0)


@pytest.mark.parametrize("host", HOSTS)
def test_the_page_does_what_it_says(chromium: Any, host: str) -> None:
    Anybody.seen = []
    with served(Anybody) as port:
        got = tried(chromium, host, f"http://127.0.0.1:{port}")
    assert "to anybody" in got["cors"] and "to anybody" in got["xhr"] and "to anybody" in got["redirected"]
    assert sum(line == "POST /v1/messages" for line in Anybody.seen) >= 12
    for how in ("image", "script", "module", "style", "frame", "events", "media", "popup"):
        assert any(line.endswith(f"?{how}") for line in Anybody.seen), how


def test_a_page_of_another_origin_steals_no_view_of_the_dashboard(chromium: Any, live: Live) -> None:
    """The browser holds the cookie of a view; a page that knows the view's address frames and fetches it."""
    url = live.control("POST", "/-/dashboard")[1]["url"]
    with served(Page) as port, chromium.new_context() as context:
        own = context.new_page()
        own.goto(url)
        own.wait_for_selector('#connection[data-state="live"]')
        view = own.url.partition("#")[0]
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        got = page.evaluate(
            """async (view) => {
                const read = (options) => fetch(`${view}api/overview?period=all`, options)
                    .then((answer) => answer.text()).catch(() => "");
                const frame = Object.assign(document.createElement("iframe"), { src: view });
                document.body.append(frame);
                await new Promise((done) => setTimeout(done, 1000));
                let framed = "";
                try { framed = frame.contentDocument.body.textContent; } catch { framed = ""; }
                return [await read({ credentials: "include" }), await read({ mode: "no-cors" }), framed];
            }""",
            view,
        )
        assert got == ["", "", ""]
        frames = [frame for frame in page.frames if frame != page.main_frame]
        assert all("rlmc" not in (frame.title() or "") for frame in frames)
