"""The live page's doors, data and feed, over real sockets."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support import books, cli, tools
from tests.support.audited import Audited
from tests.support.fake_upstream import FakeUpstream
from tests.support.ledger_rows import ledger_path, turn_rows
from tests.support.live import Live
from tests.support.mixed_session import PRICES, conversation, script
from tests.support.wire_client import send

from rlmc.commands import explain, stats
from rlmc.ledger.store import Ledger
from rlmc.server.dashboard import facts, pages
from rlmc.server.dashboard import feed as feed_module
from rlmc.server.dashboard.doors import LINK_SECONDS, UNUSED_SECONDS, Doors
from rlmc.server.dashboard.feed import Feed

FORBIDDING = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Browser:
    """As much of one as it takes: it follows no redirects, and keeps one cookie with its path."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.base = ""
        self.cookie = ""

    def get(
        self, path: str, *, method: str = "GET", kept: bool = True, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.live.port, timeout=20)
        try:
            wanted = {name.replace("_", "-"): value for name, value in headers.items()}
            if kept and self.cookie and path.startswith(self.base):
                wanted["cookie"] = self.cookie
            connection.request(method, path, headers=wanted)
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def enter(self, link: str | None = None) -> None:
        status, headers, _ = self.get(link or minted(self.live))
        assert status == 303
        self.base = headers["location"]
        self.cookie, *attributes = headers["set-cookie"].split("; ")
        assert attributes == ["HttpOnly", "SameSite=Strict", f"Path={self.base}"]

    def data(self, path: str) -> Any:
        status, headers, body = self.get(self.base + path)
        assert (status, headers["content-type"]) == (200, "application/json"), body
        answer = json.loads(body)
        assert answer["schema"] == "rlmc.dashboard/1"
        return answer["data"]

    @contextmanager
    def events(self, period: str = "today") -> Iterator[Iterator[tuple[str, Any]]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.live.port, timeout=20)
        connection.request("GET", f"{self.base}api/events?period={period}", headers={"cookie": self.cookie})
        response = connection.getresponse()
        assert response.status == 200
        assert response.getheader("content-type", "").startswith("text/event-stream")

        def read() -> Iterator[tuple[str, Any]]:
            name = ""
            for line in response:
                key, _, value = line.decode().strip().partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    yield name, json.loads(value)

        try:
            yield read()
        finally:
            response.close()
            connection.close()


@pytest.fixture
def browser(live: Live) -> Browser:
    return Browser(live)


def minted(live: Live) -> str:
    status, answer = live.control("POST", "/-/dashboard", {})
    assert status == 200
    origin = f"http://127.0.0.1:{live.port}"
    assert answer["url"].startswith(origin)
    return str(answer["url"].removeprefix(origin))


def work(live: Live, turns: range) -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        for turn in turns:
            assert send(session.base_url, conversation(turn), x_claude_code_session_id="s1").status == 200
        session.end()


# --- doors ----------------------------------------------------------------------------------------------------------


def test_a_link_opens_the_page_once(browser: Browser) -> None:
    link = minted(browser.live)
    browser.enter(link)
    status, headers, body = browser.get(browser.base)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<title>rlmc</title>" in body
    status, _, body = browser.get(link)
    assert status == 410
    assert b"rlmc dashboard" in body


def test_a_look_at_a_link_does_not_use_it_up(browser: Browser) -> None:
    link = minted(browser.live)
    assert browser.get(link, method="HEAD")[0] == 410
    browser.enter(link)


def test_links_and_views_do_not_last() -> None:
    now = 0.0
    doors = Doors(clock=lambda: now)
    early, late = (doors.link().rpartition("/")[2] for _ in range(2))
    view = doors.enter(early)
    assert view is not None
    cookie = view.cookie.partition(";")[0]
    now = LINK_SECONDS
    assert doors.enter(late) is None
    now = UNUSED_SECONDS
    assert doors.admits(view.id, cookie)
    now = 2 * UNUSED_SECONDS + 1
    assert not doors.admits(view.id, cookie)


def test_views_are_bounded_and_the_one_unused_for_longest_goes() -> None:
    now = 0.0
    doors = Doors(clock=lambda: now)
    views = []
    for at in range(17):
        now = float(at)
        view = doors.enter(doors.link().rpartition("/")[2])
        assert view is not None
        views.append(view)
    admitted = [doors.admits(view.id, view.cookie.partition(";")[0]) for view in views]
    assert admitted == [False] + [True] * 16


@pytest.mark.parametrize("cookie", ["", "rlmc_dashboard=wrong", "other=1", "rlmc_dashboard=\xff;;="])
def test_without_the_cookie_nothing_is_shown(browser: Browser, cookie: str) -> None:
    browser.enter()
    for path in ("", "static/main.js", "api/overview", "api/events"):
        status, headers, body = browser.get(browser.base + path, kept=False, **{"cookie": cookie} if cookie else {})
        assert status == 403
        assert "set-cookie" not in headers
        assert b"rlmc dashboard" in body


@pytest.mark.parametrize("other", ["bare", "o=x y z", 'o={"a": 1}', "a:b/c=1", "=", "x_rlmc_dashboard=1"])
def test_cookies_of_other_servers_on_this_host_do_not_hide_ours(browser: Browser, other: str) -> None:
    browser.enter()
    for cookies in (f"{browser.cookie}; {other}", f"{other}; {browser.cookie}", f"{browser.cookie};{other}"):
        assert browser.get(browser.base, kept=False, cookie=cookies)[0] == 200
    assert browser.get(browser.base, kept=False, cookie=other)[0] == 403


def test_a_cookie_opens_only_its_own_view(browser: Browser) -> None:
    browser.enter()
    other = Browser(browser.live)
    other.enter()
    assert browser.get(other.base, cookie=browser.cookie)[0] == 403
    assert browser.get(other.base, cookie=other.cookie)[0] == 200


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"sec_fetch_site": "cross-site"}]
)
def test_other_hosts_and_web_pages_are_turned_away(browser: Browser, headers: dict[str, str]) -> None:
    browser.enter()
    status, told, _ = browser.get(browser.base + "api/overview", **headers)
    assert status == 403
    assert {name: told[name] for name in FORBIDDING} == FORBIDDING
    assert "default-src 'none'" in told["content-security-policy"]
    link = minted(browser.live)
    assert browser.get(link, **headers)[0] == 403
    browser.enter(link)


def test_a_link_is_not_given_without_the_control_token(live: Live) -> None:
    assert live.control("POST", "/-/dashboard", {}, token="wrong" * 5)[0] == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_is_for_looking_only(browser: Browser, method: str) -> None:
    browser.enter()
    assert browser.get(browser.base + "api/overview", method=method)[0] == 405


def test_every_answer_forbids_what_the_page_does_not_need(browser: Browser) -> None:
    answers = [browser.get(minted(browser.live)), browser.get("/dashboard/"), browser.get("/dashboard/enter/none")]
    browser.enter()
    paths = (
        "",
        "static/main.js",
        "static/none.js",
        "api/overview",
        "api/none",
        "api/turn?id=none",
        "api/sessions?period=x",
    )
    answers += [browser.get(browser.base + path) for path in paths]
    assert [status for status, _, _ in answers] == [303, 403, 410, 200, 200, 404, 200, 404, 404, 400]
    for _, headers, _ in answers:
        assert {name: headers[name] for name in FORBIDDING} == FORBIDDING
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] in ("no-store", "no-cache")
        assert not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize(
    "path",
    ["static/../doors.py", "static/%2e%2e/doors.py", "static/", "static/vendor", "static/index.html/", "index.html",
     "static//main.js", "main.js", "static/..%2fpages.py"],
)  # fmt: skip
def test_only_the_pages_own_files_are_served(browser: Browser, path: str) -> None:
    browser.enter()
    assert browser.get(browser.base + path)[0] == 404


def test_files_are_not_sent_twice(browser: Browser) -> None:
    browser.enter()
    _, headers, body = browser.get(browser.base + "static/main.js")
    assert body
    assert browser.get(browser.base + "static/main.js", if_none_match=headers["etag"])[0::2] == (304, b"")


# --- data -----------------------------------------------------------------------------------------------------------


def test_its_figures_are_those_of_stats(browser: Browser) -> None:
    work(browser.live, range(20))
    browser.enter()
    for period, option in (("today", "--today"), ("week", "--week"), ("all", "--all"), ("yesterday", "--yesterday")):
        shown = browser.data(f"api/overview?period={period}")
        told = json.loads(cli.run(stats.register, "stats", option, "--json").out)["data"]
        assert shown["account"] == told["total"]
        assert sum(point["turns"] for point in shown["series"]["points"]) == told["total"]["turns"]
        paid = sum(point["paid"]["picodollars"] for point in shown["series"]["points"])
        assert paid == told["total"]["paid"]["picodollars"]
    assert browser.data("api/overview")["period"]["name"] == "today"


def test_it_drills_down_to_a_turn(browser: Browser) -> None:
    work(browser.live, range(12))
    browser.enter()
    [session] = browser.data("api/sessions?period=all")["sessions"]
    page = browser.data(f"api/turns?session={session['id']}")
    assert page["session"] == session
    newest_first = [row["id"] for row in turn_rows()][::-1]
    assert [turn["id"] for turn in page["turns"]] == newest_first
    rest = browser.data(f"api/turns?session={session['id']}&before={newest_first[3]}")
    assert [turn["id"] for turn in rest["turns"]] == newest_first[4:]
    told = json.loads(cli.run(explain.register, "explain", newest_first[0], "--json").out)["data"]["turn"]
    assert browser.data(f"api/turn?id={newest_first[0]}")["turn"] == told
    assert browser.get(browser.base + "api/turns?session=none")[0] == 404


def test_the_quality_line_and_a_turns_audit_are_those_of_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    epoch = Audited(path)
    epoch.served(3)
    worst = epoch.audited(1.0)
    epoch.close()
    status = {"quality": {"max_regression": 0.05, "confidence": 0.9}}
    found = facts.turns(path, status, "s1", None)
    told = facts.turn(path, worst)
    assert found is not None
    assert told is not None
    assert found["words"] == {"quality": "not certified yet (1 audit, 1 worse; bound 100 % of turns, target 5 %)"}
    assert told["words"] == {"audit": [("audit", "drawn; the judge found the draft materially worse, loss 1")]}


def test_a_session_whose_row_was_lost_opens_too(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.record(books.turn(session="lost"))
    assert ledger.flush(10)
    ledger.close()
    [listed] = facts.sessions(tmp_path / "ledger.db", "all")["sessions"]
    status = {"quality": {"max_regression": 0.02, "confidence": 0.95}}
    found = facts.turns(tmp_path / "ledger.db", status, "lost", None)
    assert found is not None
    assert found["session"] == listed
    assert len(found["turns"]) == 1
    assert facts.turns(tmp_path / "ledger.db", status, "never was", None) is None


def test_no_content_is_shown(browser: Browser) -> None:
    secret = "Zebra-in-the-prompt"
    live = browser.live
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        send(session.base_url, tools.request(secret, model="claude-opus-5-5"))
        session.end()
    browser.enter()
    turn = turn_rows()[0]["id"]
    for path in ("api/overview", "api/sessions", f"api/turns?session={session.id}", f"api/turn?id={turn}"):
        body = browser.get(browser.base + path)[2].decode()
        assert secret not in body
        assert session.base_url.rpartition("/")[2] not in body
        assert live.control_token not in body


def test_a_damaged_ledger_is_said_and_the_rest_is_shown(browser: Browser) -> None:
    work(browser.live, range(1))
    browser.enter()
    for extra in ("-wal", "-shm"):
        ledger_path().with_name(ledger_path().name + extra).unlink(missing_ok=True)
    ledger_path().write_bytes(b"SQLite format 3\x00" + b"damage" * 4000)
    shown = browser.data("api/overview")
    assert any("damaged" in note or "cannot be read" in note for note in shown["words"]["notes"])
    assert shown["account"]["turns"] == 0
    assert shown["daemon"]["port"] == browser.live.port
    assert browser.get(browser.base + "api/sessions")[0] == 503


# --- feed -----------------------------------------------------------------------------------------------------------


def test_the_feed_moves_with_the_ledger(browser: Browser) -> None:
    browser.enter()
    with browser.events() as events:
        name, first = next(events)
        assert name == "overview"
        assert first["data"]["account"]["turns"] == 0
        work(browser.live, range(8))
        seen = first
        while seen["data"]["account"]["turns"] < 8:
            name, seen = next(events)
            assert name == "overview"
    paid = sum(row["cost"] for row in turn_rows())
    assert seen["data"]["account"]["paid"]["picodollars"] == paid


def test_two_pages_cost_one_reckoning(browser: Browser) -> None:
    browser.enter()
    feed = browser.live.daemon._feed
    with browser.events() as one, browser.events() as other:
        assert next(one)[1]["data"]["account"] == next(other)[1]["data"]["account"]
        time.sleep(0.3)
        before = feed.reckoned
        rows = sqlite3.connect(ledger_path())
        rows.execute("UPDATE sessions SET name = 'x'")
        work(browser.live, range(1))
        rows.close()
        for events in (one, other):
            while next(events)[1]["data"]["account"]["turns"] < 1:
                pass
        # Registering, the turn, the end: a few changes, seen at two a second, and none of them reckoned for each page.
        assert feed.reckoned - before <= 4
    deadline = time.monotonic() + 5
    while feed.open and time.monotonic() < deadline:
        time.sleep(0.05)
    assert feed.open == 0


def test_what_is_reckoned_when_the_last_one_has_left_is_shown_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, begun, go_on = ["old"], threading.Event(), threading.Event()

    def slow(_ledger: Path, _status: dict[str, Any], period: str) -> bytes:
        now = world[0]
        if (period, now) == ("week", "old"):
            begun.set()
            go_on.wait(10)
        return now.encode()

    monkeypatch.setattr(feed_module, "_body", slow)
    monkeypatch.setattr(feed_module, "LOOK_SECONDS", 0.01)
    status: dict[str, Any] = {"sessions": 0}

    async def run() -> bytes:
        feed = Feed(tmp_path / "none.db", lambda: status, lambda: None)
        today, week = feed.follow("today"), feed.follow("week")
        await anext(today)
        leaving = asyncio.ensure_future(anext(week))
        assert await asyncio.to_thread(begun.wait, 10)
        leaving.cancel()
        await asyncio.wait([leaving])
        go_on.set()
        world[0], status["sessions"] = "new", 1
        while (await anext(today)).body != b"new":
            pass
        again = feed.follow("week")
        shown = (await asyncio.wait_for(anext(again), 10)).body
        for states in (today, week, again):
            await states.aclose()
        await feed.close()
        return shown

    assert asyncio.run(run()) == b"new"


def test_the_daemons_end_ends_the_feed_at_once(browser: Browser) -> None:
    browser.enter()
    live = browser.live
    with browser.events() as events:
        next(events)
        began = time.monotonic()
        live.loop.call_soon_threadsafe(live.daemon.stop_requested.set)
        assert [name for name, _ in events] == ["end"]
        assert time.monotonic() - began < 5


def test_a_page_that_does_not_read_holds_up_nobody(browser: Browser) -> None:
    browser.enter()
    connection = http.client.HTTPConnection("127.0.0.1", browser.live.port, timeout=20)
    connection.request("GET", f"{browser.base}api/events", headers={"cookie": browser.cookie})
    try:
        with browser.events() as events:
            next(events)
            work(browser.live, range(3))
            while next(events)[1]["data"]["account"]["turns"] < 3:
                pass
    finally:
        connection.close()


def full(browser: Browser) -> socket.socket:
    """A page that asked for the feed, took nothing, and has the line full of it."""
    page = socket.socket()
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    page.connect(("127.0.0.1", browser.live.port))
    request = f"GET {browser.base}api/events HTTP/1.1\r\nHost: 127.0.0.1:{browser.live.port}\r\n"
    page.sendall(f"{request}Cookie: {browser.cookie}\r\n\r\n".encode())
    feed = browser.live.daemon._feed
    assert soon(lambda: feed.reckoned > 0)
    time.sleep(0.5)  # pings meet the full line
    return page


def soon(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


@pytest.fixture
def long_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far more than a socket takes unread."""
    monkeypatch.setattr(feed_module, "_body", lambda *_: b" " * 30_000_000)
    monkeypatch.setattr(pages, "PING_SECONDS", 0.05)


@pytest.mark.usefixtures("long_states")
def test_a_page_that_does_not_read_does_not_hold_up_the_end(browser: Browser) -> None:
    browser.enter()
    live = browser.live
    with full(browser):
        tasks = live.listener.tasks
        assert tasks
        live.loop.call_soon_threadsafe(live.daemon.stop_requested.set)
        assert soon(lambda: not tasks)


@pytest.mark.usefixtures("long_states")
def test_a_page_that_does_not_read_is_let_go(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "UNREAD_SECONDS", 1.0)
    browser.enter()
    feed = browser.live.daemon._feed
    with full(browser):
        assert feed.open == 1
        assert soon(lambda: feed.open == 0)


def test_a_page_that_reads_late_gets_the_newest_state_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status: dict[str, Any] = {"sessions": 0}
    monkeypatch.setattr(feed_module, "_body", lambda _ledger, status, _period: str(status["sessions"]).encode())
    monkeypatch.setattr(feed_module, "LOOK_SECONDS", 0.01)

    async def run() -> tuple[bytes, bytes]:
        feed = Feed(tmp_path / "none.db", lambda: dict(status), lambda: None)
        eager, late = feed.follow("today"), feed.follow("today")
        first = (await anext(late)).body
        await anext(eager)
        for count in range(1, 6):
            status["sessions"] = count
            while (await anext(eager)).body != str(count).encode():
                pass
        then = (await anext(late)).body
        for states in (eager, late):
            await states.aclose()
        await feed.close()
        return first, then

    assert asyncio.run(run()) == (b"0", b"5")


def test_feeds_are_bounded(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.server.dashboard.pages.MOST_FEEDS", 1)
    browser.enter()
    with browser.events() as events:
        next(events)
        assert browser.get(browser.base + "api/events")[0] == 503


def test_an_open_page_is_a_use(browser: Browser) -> None:
    browser.enter()
    daemon = browser.live.daemon
    with browser.events() as events:
        next(events)
        time.sleep(1.2)
        assert daemon.idle_seconds() < 1.1


def test_a_view_lasts_as_long_as_its_page_is_open(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PING_SECONDS", 0.05)
    browser.enter()
    app = browser.live.daemon._app
    assert app is not None
    doors = app._dashboard.doors
    [view] = doors._views
    now = view.used
    monkeypatch.setattr(doors, "_clock", lambda: now)
    with browser.events() as events:
        next(events)
        now += UNUSED_SECONDS - 1
        assert soon(lambda: view.used == now)
        now += UNUSED_SECONDS - 1
        assert browser.get(browser.base)[0] == 200
    assert soon(lambda: browser.live.daemon._feed.open == 0)
    now += UNUSED_SECONDS + 1
    assert browser.get(browser.base)[0] == 403


def test_many_requests_at_once(browser: Browser) -> None:
    work(browser.live, range(3))
    browser.enter()
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(browser.data("api/overview"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one["account"]["turns"] for one in found] == [3] * 8
