"""The page open while an agent works: its numbers move, and end as the ledger's, read with plain SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.browser.session import play, playing
from tests.browser.watched import Watched
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live

from rlmc.views.figures import money

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

_SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((entry) => entry.value)))
        .observe({ type: "layout-shift", buffered: false });
"""
_ANNOUNCED = """
    window.announced = [];
    new MutationObserver(() => window.announced.push(document.getElementById("announcer").textContent))
        .observe(document.getElementById("announcer"), { childList: true, characterData: true, subtree: true });
"""
_MARK = (
    "document.querySelectorAll('.headline .figure, .bill .sum, .outcomes dd').forEach((node) => { node.mark = true })"
)
_MARKED = "[...document.querySelectorAll('.headline .figure, .bill .sum, .outcomes dd')].every((node) => node.mark)"


def sums() -> dict[str, Any]:
    turns = turn_rows()
    paid, baseline = sum(call["cost"] for call in call_rows()), sum(turn["baseline"] for turn in turns)
    return {
        "paid": paid,
        "baseline": baseline,
        "saved": baseline - paid,
        "outcomes": Counter(t["outcome"] for t in turns),
    }


def test_the_numbers_move_and_end_as_the_ledgers(dashboard: Callable[..., Watched], live: Live) -> None:
    with playing(live) as session:
        seen = dashboard()
        seen.turns(0)
        assert "No turns today" in seen.text(".empty h2")
        assert "rlmc run -- claude" in seen.text(".empty")
        steps = []
        for first in range(0, 24, 6):
            play(session, first, first + 6)
            seen.turns(first + 6)
            steps.append((seen.line("paid"), seen.line("baseline"), seen.text("#saved")))
        assert len(set(steps)) == len(steps), f"the numbers did not move: {steps}"
        session.end()
        truth = sums()
        assert len(truth["outcomes"]) == 4, f"the session should have every outcome: {truth}"
        assert truth["saved"] > 0
        assert seen.line("paid") == money(truth["paid"])
        assert seen.line("baseline").partition(" ±")[0] == money(truth["baseline"])
        assert seen.line("saved") == seen.text("#saved") == money(truth["saved"])
        shown = {name: int(seen.text(f"#count-{name}")) for name in ("skipped", "accepted", "enhanced", "direct")}
        assert shown == truth["outcomes"]
        data = seen.page.evaluate("fetch('api/overview?period=today').then((answer) => answer.json())")["data"]
        assert data["account"]["paid"]["picodollars"] == truth["paid"]
        assert seen.page.locator("#headline").text_content().strip() == data["words"]["headline"]
        assert seen.line("baseline") == data["words"]["baseline"]
        assert all(sentence in seen.text("#overview") for sentence in data["words"]["reasons"].values())
        row = seen.text("#sessions tbody tr")
        assert money(truth["paid"]) in row and money(truth["saved"]) in row
        seen.check()


def test_numbers_change_in_place(dashboard: Callable[..., Watched], live: Live) -> None:
    with playing(live) as session:
        play(session, 0, 6)
        seen = dashboard()
        seen.turns(6)
        seen.page.wait_for_selector("#sessions tbody tr")
        seen.page.evaluate(_SHIFTS)
        seen.page.evaluate(_ANNOUNCED)
        seen.page.evaluate(_MARK)
        before = seen.line("paid")
        for turn in range(6, 14):
            play(session, turn, turn + 1)
            seen.turns(turn + 1)
        assert seen.line("paid") != before
        assert seen.page.evaluate(_MARKED), "a figure was made anew instead of being changed"
        assert sum(seen.page.evaluate("window.shifts")) < 0.01
        assert len(seen.page.evaluate("window.announced")) <= 1, "a screen reader is told at most every ten seconds"
        seen.until("document.getElementById('announcer').textContent.includes('14 turns')")
        seen.check()


def test_a_session_is_followed_while_it_lives(dashboard: Callable[..., Watched], live: Live) -> None:
    with playing(live) as session:
        play(session, 0, 3)
        seen = dashboard(f"#/session/{session.id}")
        seen.until("document.querySelectorAll('#session tbody tr').length === 3")
        play(session, 3, 5)
        seen.until("document.querySelectorAll('#session tbody tr').length === 5")
        session.end()
        assert money(sums()["paid"]) == seen.text("#session-paid")
        seen.check()


def test_a_daemon_that_is_stopped_says_so(dashboard: Callable[..., Watched], live: Live) -> None:
    with playing(live) as session:
        play(session, 0, 1)
        seen = dashboard()
        seen.turns(1)
        seen.check()
        live.control("POST", "/-/stop")
        seen.page.wait_for_selector('#connection[data-state="stopped"]')
        assert "daemon stopped: run rlmc start" in seen.text("#connection")
        assert seen.text("#saved"), "what was known stays on the page"
        seen.check()


def test_a_broken_feed_is_taken_up_again(dashboard: Callable[..., Watched], live: Live) -> None:
    with playing(live) as session:
        play(session, 0, 1)
        seen = dashboard("#/period/week")
        seen.turns(1)
        # From here on the feed fails once, as where a laptop sleeps.
        failed = []

        def once(route: Any) -> None:
            if failed:
                route.fallback()
            else:
                failed.append(route.request.url)
                route.abort()

        seen.page.route("**/api/events*", once)
        seen.page.evaluate("document.querySelector('label[for=period-all]').click()")
        seen.page.wait_for_selector('#connection[data-state="reconnecting"]')
        seen.page.wait_for_selector('#connection[data-state="live"]')
        play(session, 1, 2)
        seen.turns(2)
        assert failed
        assert seen.strays == []


@pytest.mark.parametrize(
    ("answer", "state", "words"), [(None, "stopped", "rlmc start"), (403, "expired", "no longer valid")]
)
def test_what_has_become_of_a_silent_daemon_is_found_out(
    dashboard: Callable[..., Watched], live: Live, answer: int | None, state: str, words: str
) -> None:
    seen = dashboard()
    seen.turns(0)
    seen.page.route(
        "**/api/*", lambda route: route.abort() if answer is None else route.fulfill(status=answer, body="no")
    )
    seen.page.click("label[for=period-all]")
    seen.page.wait_for_selector(f'#connection[data-state="{state}"]')
    assert words in seen.text("#connection")
    assert seen.strays == []
