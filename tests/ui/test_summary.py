"""The session summary: the few lines a user sees at the end, for every kind of session."""

from __future__ import annotations

from typing import Any

from tests.support.oracle import report_of
from tests.support.prices import START

from rlmc.ledger.quality import Known
from rlmc.ledger.queries import CallRow, TurnRow
from rlmc.ledger.report import SavingsReport
from rlmc.quality.standing import Audited, Epoch, standing
from rlmc.ui.summary import session_summary

DOLLAR = 10**12


def call(role: str, cost: int | None, model: str = "anthropic/m", latency: float = 3400.0, **changes: Any) -> CallRow:
    provider, name = model.split("/", 1)
    row = CallRow(role, provider, name, True, latency, 10, 80, 10, 0, 5, 0, True, False, cost, False)
    return row._replace(**changes)


def turn(
    outcome: str, *calls: CallRow, baseline: int | None = DOLLAR, latency: float = 2100.0, **changes: Any
) -> TurnRow:
    row = TurnRow(
        "t", "s", None, "claude", "/p", False, START, "main", "anthropic/m", outcome, "unsure", "complete", latency,
        baseline, outcome != "direct", 0.0, 0.0, None, calls,
    )  # fmt: skip
    return row._replace(**changes)


def report(*turns: TurnRow) -> SavingsReport:
    return report_of(turns)


def cheap(outcome: str, baseline: int = DOLLAR // 25) -> TurnRow:
    return turn(outcome, call("draft", DOLLAR // 100), baseline=baseline)


def test_a_session_with_everything() -> None:
    turns = [
        *[cheap("skipped") for _ in range(23)],
        *[cheap("accepted") for _ in range(2)],
        turn("enhanced", call("draft", 0, served=False), call("verify", DOLLAR // 25), baseline=DOLLAR // 25),
        *[turn("direct", call("direct", DOLLAR // 50), baseline=DOLLAR // 50) for _ in range(15)],
    ]
    assert session_summary(report(*turns), []).splitlines() == [
        "rlmc: 41 turns · 23 skipped · 2 accepted · 1 enhanced · 15 direct",
        "      paid $0.59, baseline $1.34, saved $0.75 (56 %)",
        "      p50 2.1 s (baseline est. 3.4 s)",
        "      quality: not audited (23 turns that a draft answered)",
        "      baseline estimated on 26 of 41 turns; assumes no extra turns",
        "      rlmc stats --last for more",
    ]


def test_a_session_of_one_direct_turn_claims_nothing() -> None:
    text = session_summary(report(turn("direct", call("direct", 4_200_000_000), baseline=4_200_000_000)), [])
    assert text.splitlines() == [
        "rlmc: 1 turn · 1 direct",
        "      paid $0.0042, baseline $0.0042, saved $0.00 (0 %)",
        "      p50 2.1 s",
        "      rlmc stats --last for more",
    ]


def test_a_loss_is_called_a_loss() -> None:
    text = session_summary(report(turn("direct", call("direct", 12 * DOLLAR), baseline=10 * DOLLAR)), [])
    assert "paid $12.00, baseline $10.00, lost $2.00 (20 %)" in text
    assert "saved" not in text


def test_unknown_prices_are_named_and_the_totals_say_so() -> None:
    unknown = [turn("skipped", call("draft", None, model="foo/bar")) for _ in range(3)]
    text = session_summary(report(*unknown, turn("direct", call("direct", 61 * DOLLAR // 100))), [])
    assert "paid at least $0.61, baseline $4.00, saved at most $3.39" in text
    assert "3 calls have no known price: foo/bar" in text


def test_a_verify_model_without_a_price_leaves_the_saving_unknown() -> None:
    text = session_summary(report(turn("direct", call("direct", None), baseline=None)), [])
    assert "paid unknown, baseline unknown, saving unknown" in text
    assert "1 turn has no known baseline" in text


def test_many_unknown_models_are_counted_not_listed() -> None:
    calls = [call("draft", None, model=f"p/m{n}") for n in range(5)]
    text = session_summary(report(turn("skipped", *calls)), [])
    assert "5 calls have no known price: p/m0, p/m1, p/m2 and 2 more" in text


def test_no_turn_says_so_and_why() -> None:
    text = session_summary(report(), ["the command may use another base URL", "see `rlmc doctor`"])
    assert text.splitlines() == [
        "rlmc: no turn came through rlmc, so there is nothing to account for",
        "      the command may use another base URL",
        "      see `rlmc doctor`",
    ]


def test_simulated_models_are_never_passed_off_as_real() -> None:
    text = session_summary(report(turn("skipped", call("draft", 1, model="sim/draft"), simulated=True)), [])
    assert "simulated models, simulated prices" in text
    assert "simulated" not in session_summary(report(cheap("skipped")), [])


def test_auto_mode_is_explained_with_a_way_out() -> None:
    blocked = [turn("direct", call("direct", 1), reason="safeguards") for _ in range(2)]
    text = session_summary(report(*blocked, cheap("skipped")), ["a note"])
    assert "2 turns went direct" in text
    assert "--permission-mode acceptEdits" in text
    assert text.splitlines()[-2:] == ["      a note", "      rlmc stats --last for more"]


def test_a_session_whose_turns_all_broke_off_has_no_median() -> None:
    text = session_summary(report(turn("direct", call("direct", 1), ending="client-gone")), [])
    assert "p50" not in text


def test_an_estimated_baseline_comes_with_its_range_and_the_draft_model_alone_with_its_cost() -> None:
    turns = [
        turn(
            "skipped", call("draft", DOLLAR // 100), baseline=DOLLAR // 2, baseline_bias=DOLLAR / 100,
            baseline_noise=(DOLLAR / 50) ** 2, draft_only=DOLLAR // 50,
        )
        for _ in range(4)
    ]  # fmt: skip
    lines = session_summary(report(*turns), []).splitlines()
    assert lines[1:3] == [
        "      paid $0.04, baseline $2.00 ± 0.12, saved $1.96 (98 %)",
        "      the draft model alone: $0.08",
    ]


def test_what_is_not_known_of_the_draft_model_alone_is_left_out() -> None:
    half_known = [cheap("skipped"), cheap("skipped")._replace(draft_only=DOLLAR)]
    assert "alone" not in session_summary(report(*half_known), [])
    undrafted = turn("direct", call("direct", DOLLAR), draft_only=DOLLAR // 10)
    assert "alone" not in session_summary(report(undrafted), [])
    assert "±" not in session_summary(report(*half_known, undrafted), [])


def test_the_quality_line_says_what_audits_tell() -> None:
    one = cheap("skipped")._replace(epoch="e1", coin=0.04)
    epoch = Epoch(10, 8, (Audited(0.04, 0.0),) * 11 + (Audited(0.04, 1.0),), 3, 3)
    known = Known("e1", standing(epoch, target=0.02, confidence=0.95, least=0.04), False, 1, START, 8)
    text = session_summary(report(one), [], known)
    assert "\n      quality: not certified yet (12 audits, 1 worse; bound 80 % of turns, target 2 %)\n" in text
    assert "quality" not in session_summary(report(turn("direct", call("direct", 1))), [])
