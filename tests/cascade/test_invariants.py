"""The promises of the core over arbitrary turns, expected costs and answers of the models."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.playbook import NONCE, UNKNOWN, VERIFY, Play, pays, pays_briefly, turn, unprofitable
from tests.support.strategies import chat_requests, completions

from rlmc.cascade.economics import Prospect
from rlmc.cascade.plan import (
    Answer,
    BriefRequest,
    CallFailed,
    CallModel,
    CallResult,
    Continue,
    Opened,
    Original,
    Relay,
    WithAppendix,
)
from rlmc.cascade.policies import NAMES, find
from rlmc.cascade.policies.policy import Policy
from rlmc.cascade.reading import CONTENT
from rlmc.cascade.signals import Past
from rlmc.domain.chat import ChatRequest, Completion, Text, Thinking, Usage
from rlmc.domain.effect import Effect
from rlmc.domain.layout import Mark
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.turn import ClientHints, Turn

failures = st.builds(
    CallFailed, st.sampled_from(["unreachable", "status", "timeout", "wire", "stream", "refused"]), st.just("x")
)
turns = st.builds(
    lambda request, hints, own, block, tokens: replace(
        turn(request, hints=hints), own_calls=own, draft_block=block, brief_tokens=tokens
    ),
    chat_requests,
    st.builds(
        ClientHints,
        request_class=st.sampled_from([None, "main", "auxiliary", "subagent", "compaction"]),
        purpose=st.sampled_from([None, "summary-extraction", "permission-check"]),
        prompt_id=st.sampled_from([None, "p1", "p2"]),
    ),
    st.booleans(),
    st.sampled_from([None, None, None, Reason.LOGIN]),
    st.sampled_from([4_000, 10]),
)
verdicts = st.one_of(
    completions,
    st.just(Completion("v", (), "end_turn", None)),
    st.sampled_from([f"ACCEPT-{NONCE}", f"ACCEPT-{NONCE} and more", "Something else.", "REJECT"]).map(
        lambda text: Completion("v", (Text(text),), "end_turn", Usage(input=9, output=3))
    ),
)
pasts = st.builds(
    Past, prompt_id=st.sampled_from([None, "p1"]), hard=st.booleans(), failed=st.booleans(), turns=st.integers(0, 2)
)
amounts = st.one_of(st.none(), st.integers(0, 3_000_000))
prospects = st.one_of(
    st.sampled_from([UNKNOWN, pays(), pays_briefly(), pays(warm=False), pays(brief=3_000_000), unprofitable()]),
    st.builds(pays, direct=amounts, skipped=amounts, brief=st.integers(0, 3_000_000), warm=st.booleans()),
)


@dataclass(frozen=True)
class Scene:
    """All that a decision may look at."""

    of: Turn
    policy: str
    past: Past
    prospect: Prospect
    marker: Mark | None

    @property
    def rules(self) -> Policy:
        found = find(self.policy)
        assert found is not None
        return found

    def play(self) -> Play:
        return Play(self.of, self.policy, self.past, prospect=self.prospect, marker=self.marker)


scenes = st.builds(
    Scene,
    of=turns,
    policy=st.sampled_from(NAMES),
    past=pasts,
    prospect=prospects,
    marker=st.sampled_from([None, (3, "5m"), (4, "1h")]),
)
everything = given(scene=scenes, draft=st.one_of(completions, failures), verdict=st.one_of(verdicts, failures))


def play_out(scene: Scene, draft: CallResult, verdict: CallResult) -> Play:
    play = scene.play()
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


def effects(scene: Scene, draft: Completion) -> set[Effect]:
    """What each drafted call could do by itself."""
    found = set()
    for call in draft.tool_calls:
        effect = CONTENT.draft(scene.of, replace(draft, parts=(call,)))[1].effect
        assert effect is not None
        found.add(effect)
    return found


@everything
@settings(max_examples=400)
def test_every_turn_ends_with_one_outcome_and_one_reason(scene: Scene, draft: CallResult, verdict: CallResult) -> None:
    plan = play_out(scene, draft, verdict).plan
    assert plan is not None
    assert isinstance(plan.outcome, Outcome)
    assert isinstance(plan.reason, Reason)


@everything
@settings(max_examples=400)
def test_no_unsafe_call_and_no_thinking_of_a_draft_reaches_the_client(
    scene: Scene, draft: CallResult, verdict: CallResult
) -> None:
    """Unless the verify model has accepted it on a compact context, and the policy lets it be asked so."""
    plan = play_out(scene, draft, verdict).plan
    if not isinstance(plan, Answer):
        return
    assert not any(isinstance(p, Thinking) for p in plan.completion.parts)
    if plan.outcome in (Outcome.SKIPPED, Outcome.ACCEPTED):
        assert {c.name for c in plan.completion.tool_calls} <= {t.name for t in scene.of.request.tools}
        judged = scene.rules.brief if plan.reason is Reason.BRIEF else frozenset[Effect]()
        assert effects(scene, plan.completion) <= scene.rules.releases | judged


@everything
@settings(max_examples=400)
def test_what_a_brief_verification_lets_through_was_accepted_by_the_word_alone(
    scene: Scene, draft: CallResult, verdict: CallResult
) -> None:
    play = play_out(scene, draft, verdict)
    assert play.plan is not None
    if play.plan.reason is Reason.BRIEF:
        assert isinstance(verdict, Completion)
        assert verdict.text.strip() == f"ACCEPT-{NONCE}"
        assert verdict.stop_reason == "end_turn" and not verdict.tool_calls
        assert scene.of.own_calls


@everything
@settings(max_examples=400)
def test_the_verify_model_sees_the_original_request_at_most_with_something_appended_or_a_brief(
    scene: Scene, draft: CallResult, verdict: CallResult
) -> None:
    play = scene.play()
    while play.plan is None:
        ask = play.ask
        assert isinstance(ask, CallModel)
        if ask.role == "verify":
            assert ask.target == VERIFY
            assert ask.request.request is scene.of.request
            assert isinstance(ask.request, WithAppendix | BriefRequest)
            assert isinstance(ask.request, BriefRequest) or ask.request.marker == scene.marker
        play.reply(draft if ask.role == "draft" else verdict)
    if isinstance(play.plan, Relay) and play.plan.outcome is Outcome.DIRECT:
        assert play.plan.target == VERIFY
        assert play.plan.request == Original(scene.of.request, scene.marker)


@everything
@settings(max_examples=300)
def test_a_cold_prompt_of_known_price_is_not_read_for_a_verification_alone(
    scene: Scene, draft: CallResult, verdict: CallResult
) -> None:
    """Policies that follow rules instead of expected costs ask all the same."""
    cold = replace(scene, prospect=replace(scene.prospect, warm=False))
    play = cold.play()
    while play.plan is None:
        ask = play.ask
        assert ask is not None
        if isinstance(ask.request, WithAppendix) and cold.prospect.verify_price is not None:
            assert scene.policy == "paper"
        play.reply(draft if ask.role == "draft" else verdict)


@given(scene=scenes, failure=failures)
@settings(max_examples=300)
def test_fail_open_whatever_fails_on_the_draft_side(scene: Scene, failure: CallFailed) -> None:
    plan = play_out(scene, failure, failure).plan
    assert isinstance(plan, Relay)
    assert plan.outcome is Outcome.DIRECT
    assert plan.request == Original(scene.of.request, scene.marker)


@given(scene=scenes, draft=completions, failure=failures)
@settings(max_examples=300)
def test_fail_open_whatever_fails_on_the_verify_side(scene: Scene, draft: Completion, failure: CallFailed) -> None:
    play = play_out(scene, draft, failure)
    if "verify" in play.asked:
        assert isinstance(play.plan, Relay)
        assert (play.plan.outcome, play.plan.target) == (Outcome.DIRECT, VERIFY)


@everything
@settings(max_examples=200)
def test_the_core_is_deterministic(scene: Scene, draft: CallResult, verdict: CallResult) -> None:
    first, second = (play_out(scene, draft, verdict) for _ in range(2))
    assert first.asked == second.asked
    assert first.plan == second.plan


@given(scene=scenes, draft=completions, verdict=verdicts)
@settings(max_examples=200)
def test_gated_turns_never_draft(scene: Scene, draft: CallResult, verdict: CallResult) -> None:
    request: ChatRequest = scene.of.request
    gated = request.safeguards or request.max_tokens == 0 or request.tool_choice in ("any", "tool")
    if gated or scene.of.draft_block:
        play = play_out(scene, draft, verdict)
        assert play.asked == []
        assert play.plan is not None and play.plan.outcome is Outcome.DIRECT
        assert not isinstance(play.plan, Continue)


@given(scene=scenes, draft=completions, verdict=verdicts)
@settings(max_examples=200)
def test_no_draft_is_asked_for_where_it_is_known_not_to_pay(
    scene: Scene, draft: CallResult, verdict: CallResult
) -> None:
    """Side calls of the client are the exception, and policies that do not ask for the price."""
    costly = replace(scene, prospect=unprofitable())
    if scene.policy in ("balanced", "economy", "careful"):
        play = play_out(costly, draft, verdict)
        assert play.plan is not None
        assert play.asked == [] or play.plan.reason is Reason.AUXILIARY or scene.of.hints.request_class == "auxiliary"
