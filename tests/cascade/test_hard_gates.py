"""Turns that go direct whatever the policy says, before anybody is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.playbook import TOOLS, VERIFY, Play, after, request, result, turn, user, with_hints

from rlmc.cascade.hard_gates import verifiable
from rlmc.cascade.plan import Original, Relay
from rlmc.cascade.policies import NAMES
from rlmc.cascade.signals import Past, read_signals
from rlmc.domain.chat import Media, Message, Opaque, Text, ToolSpec
from rlmc.domain.outcome import Reason
from rlmc.domain.turn import Model, Turn

IMAGE = Message("user", (Text("What is this?"), Media("image")))

BLOCKED: list[tuple[Turn, str]] = [
    (turn(after("Read", safeguards=True)), "safeguards"),
    (
        turn(request(user("…"), tools=(), system_head="You are a security monitor for autonomous AI coding agents.")),
        "classifier",
    ),
    (turn(after("Read", thinking="enabled")), "manual-thinking"),
    (turn(request(user("hi"), tools=(), thinking="enabled")), "manual-thinking"),
    (turn(after("Read"), refuses_foreign_calls=True), "manual-thinking"),
    (turn(after("Read", max_tokens=0)), "prewarm"),
    (turn(after("Read", tool_choice="any")), "forced-tool"),
    (turn(after("Read", tool_choice="tool")), "forced-tool"),
    (turn(after("Read", tools=(*TOOLS, ToolSpec("web_search", b"", server=True)))), "server-tools"),
    (turn(request(Message("assistant", (Opaque("server_tool_use"),)), result())), "server-tools"),
    (
        turn(request(user("CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\nSummarise."))),
        "compaction",
    ),
    (with_hints(after("Read"), request_class="compaction", prompt_id="p"), "compaction"),
    (replace(turn(after("Read")), draft_block=Reason.LOGIN), "login"),
    (replace(turn(after("Read")), draft_block=Reason.NO_DRAFT_KEY), "no-draft-key"),
    (replace(turn(after("Read")), draft=None), "no-draft-model"),
    (replace(turn(after("Read")), draft=VERIFY), "same-model"),
    (turn(request(IMAGE)), "media"),
    (turn(after("Read", chars=10_000_000)), "too-long"),
]


@pytest.mark.parametrize("policy", [n for n in NAMES if n != "verify-only"])
@pytest.mark.parametrize(("blocked", "reason"), BLOCKED, ids=[r for _, r in BLOCKED])
def test_the_turn_is_direct_in_every_policy(blocked: Turn, reason: str, policy: str) -> None:
    for past in (Past(), Past(turns=9)):
        play = Play(blocked, policy, past)
        play.ends("direct", reason)
        assert play.asked == []


@pytest.mark.parametrize(("blocked", "reason"), BLOCKED, ids=[r for _, r in BLOCKED])
def test_a_gated_turn_keeps_the_marker_its_cache_needs(blocked: Turn, reason: str) -> None:
    plan = Play(blocked, marker=(3, "5m")).ends("direct", reason)
    assert isinstance(plan, Relay)
    assert plan.request == Original(blocked.request, (3, "5m"))


def test_a_title_may_ask_for_manual_thinking() -> None:
    title = with_hints(
        request(user("<session>"), tools=(), thinking="enabled"), request_class="auxiliary", prompt_id="p"
    )
    Play(title).expect("draft")


def test_a_title_leaves_no_call_in_a_history() -> None:
    title = replace(
        with_hints(request(user("<session>"), tools=()), request_class="auxiliary", prompt_id="p"),
        refuses_foreign_calls=True,
    )
    Play(title).expect("draft")


def test_auto_mode_local_lets_drafted_reads_leave_the_field_out() -> None:
    asked = replace(turn(after("Read", safeguards=True)), auto_mode_local=True)
    Play(asked).expect("draft")


def test_a_judgement_is_never_taken_for_a_side_call() -> None:
    """A call that is not streamed, or has another purpose, may be a safety check under a harmless class."""
    for policy in ("balanced", "paper", "draft-only"):
        whole = request(user("Is this safe?"), tools=(), stream=False)
        Play(with_hints(whole, prompt_id="p", request_class="auxiliary"), policy).ends("direct", "classifier")
    other = request(user("Is this safe?"), tools=())
    asked = with_hints(other, prompt_id="p", request_class="auxiliary", purpose="permission-check")
    Play(asked).ends("direct", "first-turn")


@pytest.mark.parametrize(
    ("change", "possible"),
    [
        ({}, True),
        ({"output_schema": b"{}"}, False),
        ({"safeguards": True}, False),
        ({"tool_choice": "any"}, False),
        ({"tool_choice": "auto"}, True),
        ({"chars": 5_000_000}, False),
    ],
)
def test_what_can_be_verified(change: dict[str, Any], possible: bool) -> None:
    assert _verifiable(turn(after("Read", **change))) is possible


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-haiku-4-5-20251001", "claude-opus-4-1", "claude-3-7"])
def test_models_that_forget_earlier_thinking_verify_nothing(model: str) -> None:
    assert not _verifiable(replace(turn(after("Read")), verify=Model("anthropic", model)))
    assert _verifiable(turn(after("Read")))


def _verifiable(asked: Turn) -> bool:
    return verifiable(asked, read_signals(asked, Past()), 1_000)
