"""Misbehaviour on request."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from tests.support.messages import calls, events, texts
from tests.support.simulated import ask, refused, run, send
from tests.support.tools import ALL, GREP, request

from rlmc.errors import UpstreamError
from rlmc.upstream.simulated import SimulatedTransport
from rlmc.upstream.simulated.faults import FAULTS


@pytest.mark.parametrize("fault", [f.name for f in FAULTS if f.where == "status"])
def test_status_faults(fault: str) -> None:
    status, kind, _ = refused(request("hi", model=f"draft+fault={fault}"))
    assert status == int(fault.removeprefix("status-"))
    assert kind.endswith("_error")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", [f.name for f in FAULTS if f.where == "answer"])
def test_answer_faults_are_well_formed_on_the_wire(fault: str, stream: bool) -> None:
    body = request("Fix fees.py", tools=ALL, model=f"draft+fault={fault}", stream=stream)
    status, raw = run(send(SimulatedTransport(latency=0), body))
    assert status == 200
    if stream:
        assert events(raw)[-1][0] == "message_stop"
    else:
        assert json.loads(raw)["type"] == "message"


def test_what_answer_faults_say() -> None:
    def fault(name: str) -> dict[str, Any]:
        return ask(request("Fix fees.py", tools=ALL, model=f"draft+fault={name}"))

    assert (fault("refusal")["stop_reason"], fault("refusal")["content"]) == ("refusal", [])
    assert fault("max-tokens")["stop_reason"] == "max_tokens"
    assert (fault("empty")["stop_reason"], fault("empty")["content"]) == ("end_turn", [])
    assert "<tool_call>" in texts(fault("leak"))
    assert isinstance(calls(fault("bad-json"))[0][1], str)
    name, arguments = calls(fault("bad-schema"))[0]
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(next(t["input_schema"] for t in ALL if t["name"] == name), arguments)
    assert calls(fault("unknown-tool"))[0][0] not in {t["name"] for t in ALL}
    assert calls(fault("edit"))[0][0] == "Edit"
    assert calls(fault("shell"))[0][1]["command"].startswith("rm -rf")
    assert len(calls(fault("many"))) == 20
    assert len(texts(fault("long"))) > 3000


@pytest.mark.parametrize("stream", [True, False])
def test_transport_faults(stream: bool) -> None:
    def get(name: str) -> tuple[int, bytes]:
        body = request("Fix fees.py", tools=[GREP], model=f"draft+fault={name}", stream=stream)
        return run(send(SimulatedTransport(latency=0), body))

    for name in ("reset", "break"):
        with pytest.raises(UpstreamError) as caught:
            get(name)
        assert caught.value.kind == "reset"
    assert get("html")[1].startswith(b"<!doctype html>")
    cut = get("eof")[1]
    assert b"message_stop" not in cut
    assert cut
    with pytest.raises(json.JSONDecodeError):
        events(get("malformed")[1]) if stream else json.loads(get("malformed")[1])
    assert b'"usage"' not in get("no-usage")[1]
