"""What a collector is sent of real turns: names, attributes, who belongs to whom, and the times of the books."""

from __future__ import annotations

import asyncio
import builtins
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support import tools
from tests.support.collector import Collector, attributes, collector
from tests.support.daemons import eventually
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live, live_daemon
from tests.support.mixed_session import PRICES, conversation, script
from tests.support.scripts import always_text
from tests.support.wire_client import send

from rlmc.server.telemetry import Telemetry
from rlmc.server.telemetry_facts import caller

PICO = 10**12
ROOT = Path(__file__).parents[2]
# Names of OpenTelemetry; everything else sent is rlmc's own.
CONVENTIONS = ("gen_ai.", "server.", "error.", "http.", "service.")


@pytest.fixture
def sink() -> Iterator[Collector]:
    with collector() as mine:
        yield mine


@pytest.fixture
def sending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: Collector) -> Iterator[Live]:
    """A daemon that sends to the collector, soon."""
    import rlmc.server.telemetry_export as export

    monkeypatch.setattr(export, "SPAN_SECONDS", 0.05)
    monkeypatch.setattr(export, "METRIC_SECONDS", 0.2)
    with live_daemon(tmp_path, monkeypatch, f'otel.endpoint = "{sink.url}"\n') as live:
        yield live


def play(live: Live, turns: int = 42, **headers: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    with FakeUpstream(script, prices=PRICES) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url}, client="claude")
        for turn in range(turns):
            sent = send(session.base_url, conversation(turn), x_claude_code_session_id="s1", **headers)
            assert sent.status == 200
        session.end()
    return turn_rows(), call_rows()


def test_every_turn_and_call_is_a_span_of_its_own_place_and_time(sending: Live, sink: Collector) -> None:
    turns, calls = play(sending)
    eventually(lambda: len(sink.spans) == len(turns) + len(calls))
    roots = {attributes(s.attributes)["rlmc.turn.id"]: s for s in sink.spans if s.name == "rlmc turn"}
    assert roots.keys() == {t["id"] for t in turns}
    for turn in turns:
        root = roots[turn["id"]]
        assert (root.kind, root.parent_span_id) == (2, b""), "SERVER, and nobody's child"
        assert root.start_time_unix_nano == turn["started_at"] * 1000
        taken = root.end_time_unix_nano - root.start_time_unix_nano
        assert taken == pytest.approx(turn["latency_ms"] * 1_000_000, abs=1000)
        seen = attributes(root.attributes)
        assert (seen["rlmc.outcome"], seen["rlmc.reason"]) == (turn["outcome"], turn["reason"])
        assert seen["gen_ai.conversation.id"] == turn["session_id"]
        assert seen["rlmc.baseline.usd"] == pytest.approx(turn["baseline"] / PICO)
        children = [s for s in sink.spans if s.parent_span_id == root.span_id]
        assert {s.trace_id for s in children} == {root.trace_id}
        mine = [c for c in calls if c["turn_id"] == turn["id"]]
        assert sorted(s.name for s in children) == sorted(f"chat {c['model']} ({c['role']})" for c in mine)
        assert {s.kind for s in children} == {3}, "CLIENT"
    assert {s.name.rpartition(" ")[2] for s in sink.spans} == {"turn", "(draft)", "(verify)", "(direct)"}
    assert sink.resources[0]["service.name"] == "rlmc"


def test_calls_say_what_the_ledger_says(sending: Live, sink: Collector) -> None:
    turns, calls = play(sending)
    eventually(lambda: len(sink.spans) == len(turns) + len(calls))
    spans = {(s.start_time_unix_nano // 1000, attributes(s.attributes).get("rlmc.role")): s for s in sink.spans}
    for call in calls:
        span = spans[call["started_at"], call["role"]]
        seen = attributes(span.attributes)
        assert (seen["gen_ai.operation.name"], seen["gen_ai.provider.name"]) == ("chat", "anthropic")
        assert (seen["gen_ai.request.model"], seen["rlmc.served"]) == (call["model"], bool(call["served"]))
        prompt = sum(call[n] for n in ("input", "cache_read", "cache_write_5m", "cache_write_1h"))
        assert (seen["gen_ai.usage.input_tokens"], seen["gen_ai.usage.output_tokens"]) == (prompt, call["output"])
        assert seen["gen_ai.usage.cache_read.input_tokens"] == call["cache_read"]
        assert seen["gen_ai.usage.cache_write.input_tokens"] == call["cache_write_5m"] + call["cache_write_1h"]
        assert seen["rlmc.cost.usd"] == pytest.approx(call["cost"] / PICO)
        assert (seen["server.address"], seen["server.port"] > 0) == ("127.0.0.1", True)
        assert seen.get("gen_ai.response.finish_reasons", [None]) == [call["stop_reason"]]
        assert (span.status.code == 2, "error.type" in seen) == (call["error"] is not None,) * 2
        if call["status"] == 529:
            assert seen["error.type"] == "529"
    assert any(call["status"] == 529 for call in calls)


def test_metrics_equal_the_ledger(sending: Live, sink: Collector) -> None:
    _, calls = play(sending)
    usage = "gen_ai.client.inference.usage."
    output = sum(call["output"] for call in calls)
    eventually(lambda: usage + "output_tokens" in sink.metrics and _total(sink, usage + "output_tokens") == output)
    prompt = sum(c[n] for c in calls for n in ("input", "cache_read", "cache_write_5m", "cache_write_1h"))
    assert _total(sink, usage + "input_tokens") == prompt
    assert _total(sink, usage + "cache_read.input_tokens") == sum(c["cache_read"] for c in calls)
    points = sink.metrics["gen_ai.client.operation.duration"].histogram.data_points
    assert sum(point.count for point in points) == len(calls)
    assert list(points[0].explicit_bounds) == pytest.approx([0.01 * 2**n for n in range(14)])
    assert {attributes(p.attributes).get("error.type") for p in points} >= {None, "529"}
    for point in sink.metrics[usage + "output_tokens"].sum.data_points:
        seen = attributes(point.attributes)
        assert (seen["gen_ai.token.modality"], seen["gen_ai.operation.name"]) == ("text", "chat")
        assert seen["rlmc.simulated"] is False


def _total(sink: Collector, name: str) -> int:
    return sum(point.as_int for point in sink.metrics[name].sum.data_points)


def test_nothing_of_the_content_is_sent(sending: Live, sink: Collector) -> None:
    def secretive(body: dict[str, Any], n: int) -> Reply:
        return Reply("ANSWER-SECRET", calls=(("Read", {"file_path": "/home/me/PATH-SECRET"}),))

    with FakeUpstream(secretive) as up:
        session = sending.open_session(overrides={"upstream.anthropic.base-url": up.url}, client="claude")
        body = tools.request("PROMPT-SECRET", model="claude-opus-5-5", tools=tools.ALL, stream=True)
        send(session.base_url, body, x_api_key="KEY-SECRET")
        session.end()
    eventually(lambda: sink.named("rlmc turn") and sink.metrics)
    everything = b"".join(sink.bodies) + str(sink.headers).encode()
    token = session.base_url.rpartition("/")[2].encode()
    assert b"rlmc.turn.id" in everything
    assert b"SECRET" not in everything and token not in everything


TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_turn_is_part_of_the_clients_trace(sending: Live, sink: Collector) -> None:
    play(sending, 1, traceparent=f"00-{TRACE}-{SPAN}-01")
    eventually(lambda: len(sink.spans) >= 2)
    root = sink.named("rlmc turn")[0]
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == (TRACE, SPAN)
    assert {s.trace_id.hex() for s in sink.spans} == {TRACE}
    assert {s.parent_span_id for s in sink.named("chat")} == {root.span_id}


def test_what_the_client_does_not_trace_is_no_span_but_counts(sending: Live, sink: Collector) -> None:
    play(sending, 1, traceparent=f"00-{TRACE}-{SPAN}-00")
    eventually(lambda: "gen_ai.client.operation.duration" in sink.metrics)
    play(sending, 1)
    eventually(lambda: sink.spans)
    assert TRACE not in {s.trace_id.hex() for s in sink.spans}


@pytest.mark.parametrize(
    "header",
    [None, "", "00", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
     f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-more"],
)  # fmt: skip
def test_a_header_that_is_no_good_is_no_parent(header: str | None) -> None:
    assert caller(header) is None
    assert caller(f"01-{TRACE}-{SPAN}-03-later") is not None


def test_a_call_booked_later_finds_its_turn(sending: Live, sink: Collector) -> None:
    from dataclasses import replace

    _, _ = play(sending, 1)
    eventually(lambda: len(sink.spans) >= 2)
    root = sink.named("rlmc turn")[0]
    seen: list[Any] = []
    books = sending.daemon.books
    books.observers.insert(0, seen.append)
    play(sending, 1)
    first = seen[0]
    eventually(lambda: len(sink.named("rlmc turn")) == 2)
    ping = replace(first.turn.calls[0], role="keepalive")
    sending.loop.call_soon_threadsafe(books._tell, replace(first, first=False, calls=(ping,)))
    late = eventually(lambda: sink.named("(keepalive)"))[0]
    second = next(s for s in sink.named("rlmc turn") if s.span_id != root.span_id)
    assert (late.trace_id, late.parent_span_id) == (second.trace_id, second.span_id)
    assert len(sink.named("rlmc turn")) == 2, "the turn itself is told of once"


def test_simulated_turns_are_sent_and_marked(sending: Live, sink: Collector) -> None:
    session = sending.open_session(overrides={"draft-model": "sim/draft", "verify-model": "sim/verify"})
    send(session.base_url, conversation(0))
    session.end()
    root = eventually(lambda: sink.named("rlmc turn"))[0]
    assert attributes(root.attributes)["rlmc.simulated"] is True


# --- when it does not work --------------------------------------------------------------------------------------------


def test_a_dead_collector_is_said_and_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import rlmc.server.telemetry_export as export

    monkeypatch.setattr(export, "SPAN_SECONDS", 0.05)
    monkeypatch.setattr(export, "_TIMEOUT_SECONDS", 0.5)
    with collector() as gone:
        pass
    with live_daemon(tmp_path, monkeypatch, f'otel.endpoint = "{gone.url}"\n') as live:
        _telemetry_open(live)
        began = time.monotonic()
        play(live, 6)
        assert time.monotonic() - began < 5
        error = eventually(lambda: live.control("GET", "/-/status")[1]["telemetry"]["error"])
        assert gone.url in error and "traces" in error
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 6


def test_a_collector_that_comes_back_is_no_error_any_more(sending: Live, sink: Collector) -> None:
    sink.status = 400
    play(sending, 1)
    eventually(lambda: sending.control("GET", "/-/status")[1]["telemetry"]["error"])
    sink.status = 200
    play(sending, 1)
    eventually(lambda: sending.control("GET", "/-/status")[1]["telemetry"]["error"] is None)


def test_the_setting_is_followed_without_a_restart(live: Live, sink: Collector, tmp_path: Path) -> None:
    assert live.control("GET", "/-/status")[1]["telemetry"] is None
    config = tmp_path / "config"
    config.mkdir(exist_ok=True)
    (config / "config.toml").write_text(f'otel.endpoint = "{sink.url}"\n')
    live.control("POST", "/-/reload")
    play(live, 1)
    (config / "config.toml").write_text("")
    _telemetry_open(live)
    live.control("POST", "/-/reload")
    assert live.control("GET", "/-/status")[1]["telemetry"] is None
    eventually(lambda: sink.named("rlmc turn"))  # what was waiting is sent on closing


def test_turns_of_the_first_moments_are_sent_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import rlmc.assembly as assembly

    opened = assembly._open_export

    def slow(*given: Any) -> Any:
        time.sleep(1)
        return opened(*given)

    monkeypatch.setattr(assembly, "_open_export", slow)
    with collector() as sink:
        with live_daemon(tmp_path, monkeypatch, f'otel.endpoint = "{sink.url}"\n') as live:
            turns, _ = play(live, 2)
            _telemetry_open(live)
        assert len(sink.named("rlmc turn")) == len(turns)


def test_without_the_packages_the_daemon_serves_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(("opentelemetry", "rlmc.server.telemetry_export"))]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with live_daemon(tmp_path, monkeypatch, 'otel.endpoint = "http://127.0.0.1:1"\n') as live:
        turns, _ = play(live, 1)
        assert len(turns) == 1
        error = eventually(lambda: live.control("GET", "/-/status")[1]["telemetry"]["error"])
    assert "rlm-cascade[otel]" in error


def test_nothing_is_imported_without_an_endpoint(tmp_path: Path) -> None:
    program = """
import asyncio, logging, sys
from rlmc.assembly import build_daemon
async def main():
    daemon = build_daemon(port=1, control_token="t", instance="i", log=logging.getLogger("rlmc"))
    await daemon.startup()
    await daemon.shutdown()
asyncio.run(main())
print("opentelemetry" in sys.modules, "prometheus_client" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.split() == ["False", "False"]


def _telemetry_open(live: Live) -> None:
    eventually(lambda: live.daemon._telemetry._export is not None)


# --- the document -----------------------------------------------------------------------------------------------------


def test_the_document_lists_every_name_that_is_sent(sending: Live, sink: Collector) -> None:
    turns, calls = play(sending)
    with FakeUpstream(always_text("Fine.")) as up:
        session = sending.open_session(overrides={"upstream.anthropic.base-url": up.url, "policy": "verify-only"})
        send(session.base_url, conversation(0), x_claude_code_session_id="s2")
        session.end()
    eventually(lambda: len(sink.spans) > len(turns) + len(calls) and len(sink.metrics) > 4)
    text = (ROOT / "docs" / "metrics.md").read_text().partition("## OpenTelemetry")[2]
    documented = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", text))
    sent = {name for span in sink.spans for name in attributes(span.attributes)} | set(sink.metrics)
    for metric in sink.metrics.values():
        points = metric.sum.data_points or metric.histogram.data_points
        sent |= {name for point in points for name in attributes(point.attributes)}
    assert sent <= documented
    assert all(name.startswith((*CONVENTIONS, "rlmc.")) for name in sent)
    sometimes = {"rlmc.brief", "otel.endpoint"}
    ours = {n for n in documented if n.startswith(("gen_ai.", "rlmc.", "server.", "http.", "error."))}
    assert ours - sent <= sometimes | {"gen_ai.client.inference.usage.reasoning.output_tokens"}


def test_a_setting_that_changes_while_it_is_taken_up_leaves_nothing_open() -> None:
    opened: list[str] = []
    closed: list[str] = []
    go_on = threading.Event()

    def open_export(endpoint: str) -> Any:
        go_on.wait(10)
        opened.append(endpoint)
        return SimpleNamespace(error=None, send=lambda _: None, close=lambda: closed.append(endpoint))

    async def change() -> str:
        settings = SimpleNamespace(otel_endpoint="http://one")
        telemetry = Telemetry(lambda: settings, open_export)  # type: ignore[arg-type]
        for endpoint in ("http://one", "http://two", "http://one"):
            settings.otel_endpoint = endpoint
            telemetry.follow()
            await asyncio.sleep(0.01)
        go_on.set()
        while len(opened) < 3 or len(closed) < 2:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
        state = telemetry.status()
        await telemetry.close()
        return str(state)

    state = asyncio.run(asyncio.wait_for(change(), 20))
    assert state == "{'endpoint': 'http://one', 'error': None}"
    assert sorted(closed) == sorted(opened)
