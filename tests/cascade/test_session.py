"""What a session remembers: it foresees from what it has seen, learns from what comes, and can be replayed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.outlines import RATIO, outline, tokens, warm
from tests.support.playbook import after, called, request, result, turn, user
from tests.support.prices import FLASH, HOUR, MINUTE, NOBODY, OPUS, START, TABLE

from rlmc.cascade.economics import Prospect
from rlmc.cascade.policies import find
from rlmc.cascade.policies.policy import Policy
from rlmc.cascade.session import Arrival, Foresight, Memory, facts_as_sent
from rlmc.cascade.signals import Past, Signals, read_signals
from rlmc.domain.chat import ChatRequest, Usage
from rlmc.domain.effect import Effect
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.outline import Outline
from rlmc.domain.turn import ClientHints, Model
from rlmc.pricing.baseline import Alone, Shadows
from rlmc.pricing.facts import TurnFacts

FIRST = request(user("Fix it."))
TITLE = request(user("<session>"), tools=())


def policy(name: str) -> Policy:
    found = find(name)
    assert found is not None
    return found


def signals(of: ChatRequest, request_class: str | None) -> Signals:
    return read_signals(turn(of, hints=ClientHints(request_class=request_class)), Past(turns=1))


@dataclass
class Talk:
    """A session of one conversation, one turn at a time."""

    memory: Memory
    draft: Model | None = FLASH
    policy: str = "balanced"
    conversation: str = "c"

    def comes(
        self, of: ChatRequest, prompt: Outline, minute: float = 0, *, request_class: str | None = None
    ) -> tuple[Arrival, Foresight]:
        arrival = Arrival(
            self.conversation,
            START + round(minute * MINUTE),
            signals(of, request_class),
            prompt,
            OPUS,
            self.draft,
            policy(self.policy),
        )
        return arrival, self.memory.arrive(arrival, TABLE)

    def ends(
        self,
        arrival: Arrival,
        outcome: Outcome,
        reason: Reason,
        *calls: Usage,
        draft: Usage | None = None,
        brief: int = 0,
    ) -> Shadows:
        facts = TurnFacts(
            at=arrival.at,
            outcome=outcome,
            verify=arrival.verify,
            draft_model=arrival.draft,
            outline=arrival.outline,
            verify_calls=calls,
            asked_draft=draft is not None,
            draft=draft,
            brief_prompt=brief,
        )
        return self.memory.finish(arrival, facts, reason)

    def direct(self, of: ChatRequest, prompt: Outline, usage: Usage, minute: float = 0) -> Shadows:
        return self.ends(self.comes(of, prompt, minute)[0], Outcome.DIRECT, Reason.FIRST_TURN, usage)


def talk(policy: str = "balanced") -> Talk:
    return Talk(Memory(RATIO), policy=policy)


# --- foreseeing ------------------------------------------------------------------------------------------------------


def test_nothing_is_expected_without_prices_and_of_unknown_models() -> None:
    arrival, known = talk().comes(FIRST, outline(10_000))
    assert known.prospect.known
    memory = Memory(RATIO)
    assert memory.arrive(arrival, None).prospect == Prospect()
    assert memory.arrive(replace(arrival, verify=NOBODY), TABLE).prospect == Prospect()
    unpriced = memory.arrive(replace(arrival, draft=NOBODY), TABLE)
    assert unpriced.prospect.direct is not None and unpriced.prospect.skipped is None
    alone = memory.arrive(replace(arrival, draft=None), TABLE)
    assert alone.draft is None and not alone.prospect.known


def test_what_was_written_is_foreseen_to_be_read() -> None:
    session = talk()
    session.direct(FIRST, outline(10_000), Usage(cache_write_5m=10_000, output=80))
    _, seen = session.comes(after("Read"), outline(10_000, 12_000), 1)
    assert (seen.verify.read, seen.verify.write_5m, seen.prospect.warm) == (10_000, 2_000, True)
    assert seen.draft is not None
    assert (seen.draft.prompt, seen.draft.read) == (12_000, 0)
    late = session.comes(after("Read"), outline(10_000, 12_000), 5)[1]
    assert (late.verify.read, late.prospect.warm) == (0, False)


def test_what_was_skipped_is_still_to_be_written_but_told_to_the_client_as_read() -> None:
    """Clients steer their context by the usage they are told: it is that of a verify-only session."""
    session = talk()
    session.direct(FIRST, outline(10_000), Usage(cache_write_5m=10_000, output=80))
    arrival, _ = session.comes(after("Read"), outline(10_000, 14_000), 1)
    session.ends(arrival, Outcome.SKIPPED, Reason.AFTER_READ, draft=Usage(input=14_000, output=20))
    _, seen = session.comes(after("Read"), outline(10_000, 14_000, 15_000), 2)
    assert seen.verify.read == 10_000
    assert seen.told == Usage(input=1_000, cache_read=14_000)
    assert seen.draft is not None and seen.draft.read == 14_000


def test_the_told_usage_is_never_of_a_prompt_without_input() -> None:
    session = talk()
    session.direct(FIRST, outline(10_000), Usage(cache_write_5m=10_000, output=80))
    assert session.comes(FIRST, outline(10_000), 1)[1].told.input == 1


def test_a_marker_is_foreseen_where_the_cache_would_not_be_found_and_its_reads_are_reckoned_with() -> None:
    session = talk()
    session.direct(FIRST, outline(10_000), Usage(cache_write_5m=10_000, output=80))
    far = outline(10_000, 30_000, positions={10_000: 0, 30_000: 40})
    arrival, seen = session.comes(after("Read"), far, 1)
    assert seen.marker == (0, "5m")
    assert seen.verify.read == 10_000
    facts = TurnFacts(arrival.at, Outcome.DIRECT, OPUS, FLASH, far, (Usage(cache_read=10_000, cache_write_5m=20_000),))
    assert facts_as_sent(facts, None) is facts
    sent = facts_as_sent(facts, seen.marker)
    assert [place.mark for place in sent.outline.places] == ["5m", "5m"]
    shadows = session.memory.finish(arrival, sent, Reason.UNPROFITABLE)
    assert shadows.verify == Alone(facts.verify_calls[0], False)


def test_a_refreshed_cache_lives_on_in_reality_alone() -> None:
    session = talk()
    session.direct(FIRST, outline(10_000), Usage(cache_write_5m=10_000, output=80))
    session.memory.refresh(OPUS, outline(10_000), START + 4 * MINUTE)
    side = session.memory.sides.of(OPUS)
    assert warm(side.real, 10_000, START + 8 * MINUTE) and not warm(side.shadow, 10_000, START + 8 * MINUTE)


def test_the_draft_model_s_prompt_is_reckoned_by_the_verify_model_s_count_until_it_has_its_own() -> None:
    session = talk()
    session.direct(FIRST, outline(10_000), Usage(cache_write_5m=12_000, output=80))
    arrival, seen = session.comes(after("Read"), outline(10_000), 1)
    assert seen.draft is not None and seen.draft.prompt == 12_000
    session.ends(arrival, Outcome.SKIPPED, Reason.AFTER_READ, draft=Usage(input=9_000, output=5))
    seen = session.comes(after("Read"), outline(10_000), 2)[1]
    assert seen.draft is not None and seen.draft.prompt == 9_000


def test_a_policy_that_releases_no_edits_reckons_with_more_waste() -> None:
    waste = {
        name: talk(policy=name).comes(after("Read"), outline(10_000))[1].prospect.waste
        for name in ("balanced", "economy", "careful")
    }
    assert waste["careful"] > waste["balanced"] == waste["economy"] > 0
    title = talk().comes(TITLE, outline(10_000), request_class="auxiliary")[1]
    assert title.prospect.waste == 0


def test_a_policy_that_has_unsafe_drafts_judged_expects_to_lose_less_by_them() -> None:
    costs = {
        name: talk(policy=name).comes(after("mcp__db__query"), outline(150_000))[1].prospect
        for name in ("balanced", "economy")
    }
    assert costs["balanced"].skipped is not None and costs["economy"].skipped is not None
    assert costs["economy"].skipped < costs["balanced"].skipped


def test_what_is_foreseen_goes_into_the_ledger_as_plain_facts() -> None:
    session = talk()
    record = session.comes(FIRST, outline(10_000))[1].record()
    assert json.loads(json.dumps(record)) == record
    assert (record["verify_prompt"], record["verify_warm"], record["verify_left_s"]) == (10_000, 0, None)
    session.direct(FIRST, outline(10_000), Usage(cache_write_5m=10_000, output=80))
    again = session.comes(after("Read"), outline(10_000, 11_000), 1)[1].record()
    assert (again["verify_warm"], again["verify_left_s"]) == (10_000, 240.0)
    assert "draft_prompt" not in Talk(Memory(RATIO), draft=None).comes(FIRST, outline(10_000))[1].record()


# --- learning --------------------------------------------------------------------------------------------------------


def test_what_the_answer_did_shows_in_the_turn_after_it() -> None:
    session = talk()
    before = session.memory.learning.next_effects(None)
    session.direct(FIRST, outline(10_000), Usage(cache_write_5m=10_000, output=900))
    assert session.memory.learning.next_effects(None) == before, "nothing is known of it yet"
    session.comes(after("Edit"), outline(11_000), 1)
    edit, unsafe = session.memory.learning.next_effects(None)
    assert edit > before[0] and unsafe < before[1]
    assert session.memory.lengths.predict("edit", 100).tokens > 100


def test_a_turn_teaches_once() -> None:
    session = talk()
    session.direct(FIRST, outline(10_000), Usage(cache_write_5m=10_000, output=900))
    session.comes(after("Edit"), outline(11_000), 1)
    once = session.memory.learning.next_effects(None)
    session.comes(after("Edit"), outline(11_000), 1)
    assert session.memory.learning.next_effects(None) == once


def test_a_text_that_the_user_answers_was_neither_an_edit_nor_unsafe() -> None:
    session = talk()
    session.direct(after("Read"), outline(10_000), Usage(cache_write_5m=10_000, output=70))
    before = session.memory.learning.next_effects(Effect.READ)
    session.comes(request(user("Go."), called("Read"), result(), user("Thanks.")), outline(11_000), 1)
    after_text = session.memory.learning.next_effects(Effect.READ)
    assert all(now < then for now, then in zip(after_text, before, strict=True))
    assert session.memory.lengths.predict("text", 500).tokens < 500


def test_only_measured_direct_answers_teach_how_long_answers_are() -> None:
    for usage, outcome in ((Usage(input=10_000, output=900), Outcome.ACCEPTED), (Usage(), Outcome.DIRECT)):
        session = talk()
        arrival, _ = session.comes(FIRST, outline(10_000))
        session.ends(arrival, outcome, Reason.VERDICT, usage)
        session.comes(after("Edit"), outline(11_000), 1)
        assert session.memory.lengths.usual() == Memory().lengths.usual()


def test_side_calls_of_the_client_teach_nothing_of_what_follows_what() -> None:
    session = talk()
    arrival, _ = session.comes(TITLE, outline(600), request_class="auxiliary")
    before = session.memory.learning.next_effects(None)
    session.ends(arrival, Outcome.SKIPPED, Reason.AUXILIARY, draft=Usage(input=600, output=9))
    session.comes(after("Edit"), outline(11_000), 1)
    assert session.memory.learning.next_effects(None) == before


@pytest.mark.parametrize(
    ("outcome", "reason", "brief", "whole", "briefly"),
    [
        (Outcome.ACCEPTED, Reason.VERDICT, 0, 1, 0),
        (Outcome.ENHANCED, Reason.VERDICT, 0, -1, 0),
        (Outcome.ACCEPTED, Reason.BRIEF, 900, 0, 1),
        (Outcome.DIRECT, Reason.BRIEF_REFUSED, 900, 0, -1),
        (Outcome.DIRECT, Reason.BRIEF_REFUSED, 0, 0, 0),  # nobody could be asked
        (Outcome.DIRECT, Reason.NO_VERDICT, 0, 0, 0),
        (Outcome.SKIPPED, Reason.AFTER_READ, 0, 0, 0),
    ],
)
def test_verdicts_teach_how_often_drafts_stand(
    outcome: Outcome, reason: Reason, brief: int, whole: int, briefly: int
) -> None:
    session = talk()
    learning = session.memory.learning
    before = learning.accept.value, learning.accept_brief.value
    arrival, _ = session.comes(after("Read"), outline(10_000))
    session.ends(arrival, outcome, reason, draft=Usage(input=10_000, output=9), brief=brief)
    moved = learning.accept.value - before[0], learning.accept_brief.value - before[1]
    assert [(m > 0) - (m < 0) for m in moved] == [whole, briefly]


def test_drafts_teach_how_long_they_are_and_briefs_how_long_they_get() -> None:
    session = talk()
    learning = session.memory.learning
    assert learning.brief_tokens(4_000) == 4_000
    for minute in range(60):
        arrival, _ = session.comes(after("Read"), outline(10_000), minute)
        session.ends(arrival, Outcome.ACCEPTED, Reason.BRIEF, draft=Usage(input=10_000, output=1_000), brief=1_000)
    assert learning.draft_output == pytest.approx(1_000, rel=0.05)
    assert 1_000 < learning.brief_tokens(4_000) < 1_500
    assert learning.brief_tokens(500) == 500, "never more than there may be"


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_conversations_are_kept_apart_and_bounded() -> None:
    memory = Memory()
    memory.remember("first", Past(prompt_id="p", turns=3))
    assert memory.past("first") == Past(prompt_id="p", turns=3)
    assert memory.past("another") == Past()
    for n in range(600):
        memory.remember(str(n), Past(turns=n))
    assert memory.past("first") == Past()
    assert memory.past("599") == Past(turns=599)
    assert len(memory._conversations) == 512


def test_asking_for_a_past_keeps_nothing() -> None:
    memory = Memory()
    memory.past("c")
    assert len(memory._conversations) == 0


# --- the same again --------------------------------------------------------------------------------------------------

turns = st.lists(
    st.tuples(
        st.sampled_from([FIRST, TITLE, after("Read"), after("Edit"), after("mcp__db__query")]),
        st.sampled_from([0, 1, 4, 5, 6, 60, 61]),  # minutes since the turn before
        st.integers(1, 3_000),  # growth of the prompt
        st.sampled_from(
            [
                (Outcome.DIRECT, Reason.FIRST_TURN),
                (Outcome.SKIPPED, Reason.AFTER_READ),
                (Outcome.ACCEPTED, Reason.VERDICT),
                (Outcome.ENHANCED, Reason.VERDICT),
                (Outcome.ACCEPTED, Reason.BRIEF),
                (Outcome.DIRECT, Reason.BRIEF_REFUSED),
            ]
        ),
        st.integers(0, 900),  # output
        st.sampled_from(["c", "d"]),
        st.sampled_from(["balanced", "economy", "careful"]),
    ),
    max_size=14,
)


def replayed(story: list[tuple[ChatRequest, int, int, tuple[Outcome, Reason], int, str, str]]) -> list[object]:
    memory, minute, known, said = Memory(RATIO), 0, {"c": [2_000], "d": [3_000]}, list[object]()
    for of, gap, growth, (outcome, reason), output, conversation, name in story:
        minute += gap
        known[conversation].append(known[conversation][-1] + growth)
        session = Talk(memory, policy=name, conversation=conversation)
        prompt = outline(*known[conversation][-18:], of=conversation)
        arrival, seen = session.comes(of, prompt, minute)
        whole = tokens(prompt)[-1]
        calls = (Usage(input=5, cache_write_5m=whole, output=output),)
        briefly = reason in (Reason.BRIEF, Reason.BRIEF_REFUSED)
        asked = () if outcome is Outcome.SKIPPED or reason is Reason.BRIEF else calls
        drafted = Usage(input=whole, output=output) if outcome is not Outcome.DIRECT else None
        said += [
            seen,
            json.dumps(seen.record()),
            session.ends(arrival, outcome, reason, *asked, draft=drafted, brief=700 if briefly else 0),
        ]
    return said


@given(turns)
@settings(deadline=None)
def test_the_same_turns_in_the_same_order_are_foreseen_and_booked_the_same(
    story: list[tuple[ChatRequest, int, int, tuple[Outcome, Reason], int, str, str]],
) -> None:
    assert replayed(story) == replayed(story)


@given(turns)
@settings(deadline=None)
def test_expectations_are_always_chances_and_costs(
    story: list[tuple[ChatRequest, int, int, tuple[Outcome, Reason], int, str, str]],
) -> None:
    for seen in replayed(story):
        if isinstance(seen, Foresight):
            found = seen.prospect
            assert found.known
            assert all(0 <= chance <= 1 for chance in (found.waste, found.accept, found.accept_brief))
            assert min(found.direct or 0, found.verified or 0, found.draft, found.debt, found.credit) >= 0
            assert seen.told.input >= 1 and seen.told.cache_read >= 0


def test_a_session_that_pauses_for_hours_finds_nothing_and_forgets_nothing_it_learnt() -> None:
    session = talk()
    session.direct(FIRST, outline(10_000, marks="1h"), Usage(cache_write_1h=10_000, output=900))
    session.comes(after("Edit"), outline(10_000, 11_000, marks="1h"), 1)
    learnt = session.memory.lengths.predict("edit", None)
    arrival, seen = session.comes(FIRST, outline(10_000, 11_000, marks="1h"), 3 * HOUR / MINUTE)
    assert (seen.verify.read, arrival.outline.lifetime) == (0, "1h")
    assert session.memory.lengths.predict("edit", None) == learnt
