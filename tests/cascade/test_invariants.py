"""The promises of the core over arbitrary turns and arbitrary answers of the models."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.playbook import NONCE, VERIFY, Play, turn
from tests.support.strategies import chat_requests, completions

from rlmc.cascade.effects import RELEASED, effect_of
from rlmc.cascade.plan import Answer, CallFailed, CallModel, CallResult, Continue, Opened, Original, Relay, WithAppendix
from rlmc.cascade.policies import NAMES
from rlmc.cascade.session import SessionState
from rlmc.domain.chat import ChatRequest, Completion, Text, Thinking, Usage
from rlmc.domain.turn import ClientHints, Outcome, Reason, Turn

failures = st.builds(
    CallFailed, st.sampled_from(["unreachable", "status", "timeout", "wire", "stream", "refused"]), st.just("x")
)
turns = st.builds(
    lambda request, hints, own, block: replace(turn(request, hints=hints), own_calls=own, draft_block=block),
    chat_requests,
    st.builds(
        ClientHints,
        request_class=st.sampled_from([None, "main", "auxiliary", "subagent", "compaction"]),
        purpose=st.sampled_from([None, "summary-extraction", "permission-check"]),
        prompt_id=st.sampled_from([None, "p1", "p2"]),
    ),
    st.booleans(),
    st.sampled_from([None, None, None, Reason.LOGIN]),
)
verdicts = st.one_of(
    completions,
    st.just(Completion("v", (), "end_turn", None)),
    st.sampled_from([f"ACCEPT-{NONCE}", f"ACCEPT-{NONCE} and more", "Something else."]).map(
        lambda text: Completion("v", (Text(text),), "end_turn", Usage(input=9, output=3))
    ),
)
states = st.builds(SessionState, prompt_id=st.sampled_from([None, "p1"]))


def play_out(of: Turn, policy: str, state: SessionState, draft: CallResult, verdict: CallResult) -> Play:
    play = Play(of, policy, state)
    for _ in range(4):
        if play.plan is not None:
            return play
        ask = play.ask
        assert ask is not None
        if ask.role == "draft":
            play.reply(draft)
        else:
            opened = isinstance(verdict, Completion) and ask.reader is not None and verdict.text.startswith("Some")
            play.reply(Opened() if opened else verdict)
    raise AssertionError("the cascade asks without end")


everything = given(
    of=turns,
    policy=st.sampled_from(NAMES),
    state=states,
    draft=st.one_of(completions, failures),
    verdict=st.one_of(verdicts, failures),
)


@everything
@settings(max_examples=400)
def test_every_turn_ends_with_one_outcome_and_one_reason(
    of: Turn, policy: str, state: SessionState, draft: CallResult, verdict: CallResult
) -> None:
    plan = play_out(of, policy, state, draft, verdict).plan
    assert plan is not None
    assert isinstance(plan.outcome, Outcome)
    assert isinstance(plan.reason, Reason)


@everything
@settings(max_examples=400)
def test_no_unsafe_call_and_no_thinking_of_a_draft_reaches_the_client(
    of: Turn, policy: str, state: SessionState, draft: CallResult, verdict: CallResult
) -> None:
    plan = play_out(of, policy, state, draft, verdict).plan
    if isinstance(plan, Answer):
        assert not any(isinstance(p, Thinking) for p in plan.completion.parts)
        if plan.outcome in (Outcome.SKIPPED, Outcome.ACCEPTED):
            names = {t.name for t in of.request.tools}
            assert all(effect_of(c.name) in RELEASED and c.name in names for c in plan.completion.tool_calls)


@everything
@settings(max_examples=400)
def test_the_verify_model_sees_the_original_request_at_most_with_something_appended(
    of: Turn, policy: str, state: SessionState, draft: CallResult, verdict: CallResult
) -> None:
    play = Play(of, policy, state)
    while play.plan is None:
        ask = play.ask
        assert isinstance(ask, CallModel)
        if ask.role == "verify":
            assert ask.target == VERIFY
            assert isinstance(ask.request, WithAppendix)
            assert ask.request.request is of.request
        play.reply(draft if ask.role == "draft" else verdict)
    if isinstance(play.plan, Relay) and play.plan.outcome is Outcome.DIRECT:
        assert play.plan.target == VERIFY
        assert play.plan.request == Original(of.request)


@given(of=turns, policy=st.sampled_from(NAMES), state=states, failure=failures)
@settings(max_examples=300)
def test_fail_open_whatever_fails_on_the_draft_side(
    of: Turn, policy: str, state: SessionState, failure: CallFailed
) -> None:
    plan = play_out(of, policy, state, failure, failure).plan
    if isinstance(plan, Relay) and plan.outcome is Outcome.SKIPPED:
        plan = plan.fallback
    assert isinstance(plan, Relay)
    assert plan.outcome is Outcome.DIRECT
    assert plan.request == Original(of.request)


@everything
@settings(max_examples=200)
def test_the_core_is_deterministic(
    of: Turn, policy: str, state: SessionState, draft: CallResult, verdict: CallResult
) -> None:
    first, second = (play_out(of, policy, state, draft, verdict) for _ in range(2))
    assert first.asked == second.asked
    assert first.plan == second.plan


@given(of=turns, policy=st.sampled_from(NAMES), state=states, draft=completions, verdict=verdicts)
@settings(max_examples=200)
def test_gated_turns_never_draft(
    of: Turn, policy: str, state: SessionState, draft: CallResult, verdict: CallResult
) -> None:
    request: ChatRequest = of.request
    if request.safeguards or request.max_tokens == 0 or request.tool_choice in ("any", "tool") or of.draft_block:
        play = play_out(of, policy, state, draft, verdict)
        assert play.asked == []
        assert play.plan is not None and play.plan.outcome is Outcome.DIRECT
        assert not isinstance(play.plan, Continue)
