"""The cascade as scripts: what is asked, what is answered, what the client gets."""

from __future__ import annotations

from tests.support.playbook import (
    DRAFT,
    FAILED,
    NONCE,
    VERIFY,
    Play,
    after,
    called,
    calls,
    request,
    result,
    says,
    system,
    tool,
    turn,
    user,
    with_hints,
    without_own_calls,
)

from rlmc.cascade.plan import Answer, CallFailed, Continue, DraftRequest, Opened, Original, Relay, WithAppendix
from rlmc.domain.chat import Completion, Text, TextDelta, Thinking, ToolCall, Usage
from rlmc.domain.turn import Reason

LONG = "A long explanation of what was found. " * 60


def test_a_turn_after_a_read_is_drafted_and_the_draft_is_the_answer() -> None:
    play = Play(after("Read"))
    play.expect("draft")
    assert play.ask is not None
    assert play.ask.target == DRAFT
    assert isinstance(play.ask.request, DraftRequest)
    plan = play.reply(calls("Read")).ends("skipped", "after-read")
    assert isinstance(plan, Answer)
    assert plan.completion.tool_calls[0].name == "Read"


def test_the_first_turn_of_a_task_is_direct_and_asks_nobody() -> None:
    asked = request(user("Fix the greeting."))
    play = Play(asked)
    plan = play.ends("direct", "first-turn")
    assert plan == Relay(plan.outcome, Reason.FIRST_TURN, VERIFY, Original(asked))
    assert play.asked == []


def test_a_draft_that_fails_leaves_the_turn_to_the_verify_model() -> None:
    plan = Play(after("Read")).expect("draft").reply(FAILED).ends("direct", "draft-failed")
    assert isinstance(plan, Relay)
    assert isinstance(plan.request, Original)
    assert plan.findings[0].detail == "unreachable: refused"


def test_a_drafted_edit_is_not_released() -> None:
    plan = Play(after("Read")).expect("draft").reply(calls("Edit")).ends("direct", "gate")
    assert [f.check for f in plan.findings] == ["effect"]


def test_a_drafted_shell_command_is_not_released_in_any_policy() -> None:
    for policy in ("balanced", "draft-only"):
        Play(after("Read"), policy).expect("draft").reply(calls("Bash", '{"command": "ls"}')).ends("direct", "gate")


def test_a_long_text_draft_is_verified_and_accepted() -> None:
    play = Play(after("Read")).expect("draft").reply(says(LONG)).expect("verify")
    assert play.ask is not None
    assert play.ask.target == VERIFY
    assert isinstance(play.ask.request, WithAppendix)
    assert NONCE in play.ask.request.text
    plan = play.reply(says(f" ACCEPT-{NONCE}\n")).ends("accepted", "verdict")
    assert isinstance(plan, Answer)
    assert plan.completion.text == LONG


def test_the_end_of_a_task_of_several_steps_is_verified() -> None:
    asked = request(
        user("Fix it."),
        called("Grep", call_id="a"),
        result("a"),
        called("Read", call_id="b"),
        result("b"),
        called("Read", call_id="c"),
        result("c"),
    )
    Play(asked).expect("draft").reply(says("Done.")).expect("verify").reply(FAILED).ends("direct", "no-verdict")


def test_a_verifier_that_acts_itself_is_streamed_on() -> None:
    play = Play(after("Read")).expect("draft").reply(says(LONG)).expect("verify")
    assert play.ask is not None and play.ask.reader is not None
    assert play.ask.reader(TextDelta(0, "No, ")) == "diverged"
    plan = play.reply(Opened()).ends("enhanced", "verdict")
    assert isinstance(plan, Continue)
    assert plan.drop_prefix == ""


def test_a_verifier_that_says_the_word_and_goes_on_loses_the_word() -> None:
    play = Play(after("Read")).expect("draft").reply(says(LONG)).expect("verify")
    assert play.ask is not None and play.ask.reader is not None
    for piece in ("ACC", f"EPT-{NONCE}", "\n"):
        assert play.ask.reader(TextDelta(0, piece)) == "undecided"
    assert play.ask.reader(TextDelta(0, "but also")) == "diverged"
    plan = play.reply(Opened()).ends("enhanced", "verdict")
    assert isinstance(plan, Continue)
    assert plan.drop_prefix == f"ACCEPT-{NONCE}"


def test_a_client_that_does_not_stream_gets_the_verifiers_whole_answer_without_its_thinking() -> None:
    play = Play(after("Read", stream=False)).expect("draft").reply(says(LONG)).expect("verify")
    assert play.ask is not None and play.ask.reader is None
    answer = Completion("claude", (Thinking(40), *says("Better so.").parts), "end_turn", Usage())
    plan = play.reply(answer).ends("enhanced", "verdict")
    assert isinstance(plan, Answer)
    assert plan.completion.text == "Better so."
    assert not any(isinstance(p, Thinking) for p in plan.completion.parts)


def test_a_refused_cut_or_empty_verdict_is_none() -> None:
    empty = Completion("claude", (), "end_turn", Usage())
    for verdict in (says("no", "refusal"), says(f"ACCEPT-{NONCE}", "max_tokens"), empty, says("x", None)):
        Play(after("Read")).reply(says(LONG)).reply(verdict).ends("direct", "no-verdict")


def test_blank_text_around_the_word_changes_nothing() -> None:
    for blank in ("", " \n"):
        parts = (Text(blank), Text(f"ACCEPT-{NONCE}"))
        said = Completion("v", parts, "end_turn", Usage())
        Play(after("Read", stream=False)).reply(says(LONG)).reply(said).ends("accepted", "verdict")
        acted = Completion("v", (Text(blank), Text(f"ACCEPT-{NONCE} but more")), "end_turn", Usage())
        plan = Play(after("Read", stream=False)).reply(says(LONG)).reply(acted).ends("enhanced", "verdict")
        assert isinstance(plan, Answer)
        assert plan.completion.text == "but more"


def test_a_draft_with_stop_sequences_is_not_streamed_live() -> None:
    asked = request(user("Count."), tools=(), fields=frozenset({"stop_sequences"}))
    Play(asked, "paper").expect("draft").reply(says("One, two", "stop_sequence")).ends("direct", "gate")


def test_the_word_of_another_turn_is_no_acceptance() -> None:
    Play(after("Read", stream=False)).reply(says(LONG)).reply(says("ACCEPT-ffffffffffffffff")).ends(
        "enhanced", "verdict"
    )


def test_nothing_is_verified_where_the_last_message_is_a_system_message() -> None:
    asked = request(user("Look."), called("Read"), result(), system("The date has changed."))
    Play(asked).expect("draft").reply(says(LONG)).ends("direct", "not-verifiable")


def test_a_subscription_login_pays_for_no_verification() -> None:
    Play(without_own_calls(after("Read"))).expect("draft").reply(says(LONG)).ends("direct", "login")


def test_a_title_without_tools_is_drafted_and_must_fit_its_schema() -> None:
    schema = b'{"type":"object","properties":{"title":{"type":"string"}},"required":["title"]}'
    asked = request(user("<session>…</session>"), tools=(), output_schema=schema)
    titled = with_hints(asked, request_class="auxiliary", purpose="summary-extraction", prompt_id="p1")
    for policy in ("balanced", "paper"):
        Play(titled, policy).expect("draft").reply(says('{"title": "Greeting"}')).ends(
            "skipped", "auxiliary" if policy == "balanced" else "simple"
        )
        Play(titled, policy).expect("draft").reply(says("Greeting")).ends("direct", "gate")


def test_a_text_draft_without_tools_streams_live_with_a_direct_relay_behind_it() -> None:
    plan = Play(request(user("What is two and two?"), tools=()), "paper").ends("skipped", "simple")
    assert isinstance(plan, Relay)
    assert plan.target == DRAFT
    assert plan.fallback is not None
    assert (plan.fallback.outcome, plan.fallback.reason) == ("direct", Reason.DRAFT_FAILED)
    assert isinstance(plan.fallback.request, Original)


def test_paper_sends_tools_direct_verifies_complex_text_and_drafts_the_rest() -> None:
    Play(after("Read"), "paper").ends("direct", "tools")
    Play(request(user("Prove the theorem."), tools=()), "paper").expect("draft").reply(says("QED")).expect("verify")
    Play(request(user("word " * 400), tools=()), "paper").expect("draft")


def test_verify_only_is_always_direct() -> None:
    Play(after("Read"), "verify-only").ends("direct", "policy")


def test_tool_call_ids_of_drafts_are_replaced_and_stable() -> None:
    plans = [Play(after("Read")).reply(calls("Read")).plan for _ in range(2)]
    ids = {p.completion.tool_calls[0].id for p in plans if isinstance(p, Answer)}
    assert len(ids) == 1
    assert ids.pop().startswith("toolu_01")


def test_draft_thinking_never_reaches_the_client() -> None:
    thought = Completion("x", (Thinking(9), ToolCall("c", "Read", '{"file_path":"a"}')), "tool_use", Usage())
    plan = Play(after("Read")).reply(thought).ends("skipped", "after-read")
    assert isinstance(plan, Answer)
    assert not any(isinstance(p, Thinking) for p in plan.completion.parts)


def test_a_timeout_is_a_failed_draft() -> None:
    Play(after("Read")).reply(CallFailed("timeout", "no answer within 30 s")).ends("direct", "draft-failed")


def test_a_deferred_tool_can_be_drafted_once_a_search_has_found_it() -> None:
    from dataclasses import replace

    from rlmc.domain.chat import Message, ToolResult

    deferred = replace(tool("Glob", "pattern"), deferred=True)
    found = Message("user", (ToolResult("toolu_1", 0, False, references=("Glob",)),))
    draft = calls("Glob", '{"pattern": "*.py"}')
    before = request(user("Look."), called("ToolSearch"), result(), tools=(deferred,))
    Play(before).reply(draft).ends("direct", "gate")
    searched = request(user("Look."), called("ToolSearch"), found, tools=(deferred,))
    Play(searched).reply(draft).ends("skipped", "after-read")


def test_the_same_turn_gives_the_same_plan() -> None:
    plans = [Play(turn(after("Read"))).reply(says("The file says hello.")).plan for _ in range(2)]
    assert plans[0] == plans[1]
