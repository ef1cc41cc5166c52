"""The views and the ways between them: addresses, back, focus, keyboard, narrow windows, what axe has to say."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.browser.accessible import objections
from tests.browser.session import play, playing
from tests.browser.watched import Watched
from tests.support.ledger_rows import ledger_path, turn_rows
from tests.support.live import Live, LiveSession

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

TURNS = 12
HOSTILE = '<img src=x onerror="document.title=1">'


@pytest.fixture
def played(live: Live) -> Iterator[LiveSession]:
    with playing(live) as session:
        play(session, 0, TURNS)
        session.end()
        yield session


def change(sql: str, *values: object) -> None:
    database = sqlite3.connect(ledger_path())
    with database:
        database.execute(sql, values)
    database.close()


def test_down_to_a_turn_and_back(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    seen = dashboard()
    page = seen.page
    link = page.wait_for_selector(f'#sessions a[href="#/session/{played.id}"]')
    link.click()
    page.wait_for_selector("#session tbody tr")
    assert page.url.endswith(f"#/session/{played.id}")
    assert seen.focused == seen.text("h1"), "the focus follows to the heading"
    assert page.title() == f"{seen.text('h1')} · rlmc"
    turn = next(row for row in turn_rows() if row["outcome"] == "accepted")
    page.click(f'#session a[href="#/turn/{turn["id"]}"]')
    page.wait_for_selector("#turn .panel")
    assert page.url.endswith(f"#/turn/{turn['id']}")
    assert seen.focused == seen.text("h1")
    text = seen.text("#turn")
    for part in (
        "What was seen", "What was expected", "The draft", "The calls", "What it came to", turn["reason"],
        "chance that it is accepted", "the verify model would do just that", "request class main", "claude-haiku-5-5",
    ):  # fmt: skip
        assert part in text
    page.go_back()
    page.wait_for_selector("#session tbody tr")
    page.go_back()
    page.wait_for_selector("#overview #sessions tbody tr")
    focused = page.evaluate("document.activeElement.getAttribute('href')")
    assert focused == f"#/session/{played.id}", "back to the link one had followed"
    page.reload()
    page.wait_for_selector("#overview #sessions tbody tr")
    seen.check()


def test_what_audits_found_is_on_every_view(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    turn = next(row for row in turn_rows() if row["outcome"] == "skipped")
    change("UPDATE turns SET epoch = 'e1', coin = 0.04 WHERE id = ?", turn["id"])
    change("INSERT INTO epochs VALUES ('e1', 1, 'a/d', 'a/v', 'a/v', 'balanced', 1, 0.04, 0, NULL, 0, 0)")
    change("INSERT INTO audits VALUES (?, 'e1', ?, 0.04, 'read', 2, 1.0, 'judged')", turn["id"], turn["started_at"])
    seen = dashboard()
    line = "not certified yet (1 audit, 1 worse; bound 100 % of turns, target 2 %)"
    seen.page.wait_for_selector("#quality-words")
    assert line in seen.text("#quality-words")
    assert seen.text("#audit-words") == "none", "no call of an audit is in the ledger"
    elsewhere = dashboard(f"#/session/{played.id}")
    elsewhere.page.wait_for_selector("#session tbody tr")
    assert line in elsewhere.text("#session-quality")
    there = dashboard(f"#/turn/{turn['id']}")
    there.page.wait_for_selector("#turn .panel")
    assert "What audits had taught, and its own" in there.text("#turn")
    assert "the judge found the draft materially worse, loss 1" in there.text("#turn")


def test_older_turns_are_shown_when_asked_for(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    columns = ", ".join(name for name in turn_rows()[0] if name not in ("id", "started_at", "estimated", "cost"))
    change(
        f"""WITH RECURSIVE n(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n WHERE value < 9)
            INSERT INTO turns (id, started_at, {columns})
            SELECT id || '-' || value, started_at - value * 60000000, {columns} FROM turns, n"""  # noqa: S608
    )
    seen = dashboard(f"#/session/{played.id}")
    rows = "document.querySelectorAll('#session tbody tr').length"
    seen.until(f"{rows} === 100")
    assert "20 more" in seen.text(".more")
    seen.page.click(".more")
    seen.until(f"{rows} === 120")
    assert not seen.page.is_visible(".more")
    ids = seen.page.evaluate("[...document.querySelectorAll('#session tbody tr')].map((row) => row.dataset.key)")
    assert ids == [turn["id"] for turn in reversed(turn_rows())]
    seen.check()


def test_addresses_hold_by_themselves(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    turn = turn_rows()[3]["id"]
    for hash, selector in (
        (f"#/session/{played.id}", "#session tbody tr"),
        (f"#/turn/{turn}", "#turn .panel"),
        ("#/period/month", "#overview #sessions tbody tr"),
    ):
        seen = dashboard(hash)
        seen.page.wait_for_selector(selector)
        seen.page.reload()
        seen.page.wait_for_selector(selector)
        seen.check()


def test_what_is_not_there_is_said(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    seen = dashboard()
    for kind in ("session", "turn"):
        seen.page.evaluate("hash => { location.hash = hash }", f"#/{kind}/none")
        seen.until(f"document.querySelector('h1').textContent === 'There is no {kind} none'")
    assert seen.strays == []


def test_the_period_is_a_radio_group_with_an_address(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    seen = dashboard()
    page = seen.page
    seen.turns(TURNS)
    page.focus("#period-today")
    page.keyboard.press("ArrowRight")
    seen.until("location.hash === '#/period/yesterday'")
    page.wait_for_selector(".empty h2 >> text=No turns yesterday")
    assert seen.text("h1") == "Savings yesterday"
    page.click("label[for=period-all]")
    seen.turns(TURNS)
    assert page.url.endswith("#/period/all")
    page.click(f'#sessions a[href="#/session/{played.id}"]')
    page.wait_for_selector("#session")
    page.click(".crumbs a")
    page.wait_for_selector("#overview")
    assert page.url.endswith("#/period/all"), "the period stays"
    seen.check()


def test_everything_by_keyboard_with_the_focus_in_sight(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    seen = dashboard()
    page = seen.page
    page.wait_for_selector("#sessions tbody tr")
    met: list[dict[str, Any]] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate(_FOCUSED)
        if here is None or (met and here["what"] == met[0]["what"]):
            break
        met.append(here)
    names = [one["what"] for one in met]
    assert names[0] == "a Skip to the figures"
    assert all(one["outlined"] for one in met), [one for one in met if not one["outlined"]]
    reachable = {"a rlmc", "button theme: system", "input period-today", "summary The same as a table"}
    assert reachable <= set(names)
    assert sum(name.startswith("a ") for name in names) == page.locator("a:visible").count()
    page.keyboard.press("Shift+Tab")
    page.evaluate("document.querySelector('.skip').focus()")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.focus(f'#sessions a[href="#/session/{played.id}"]')
    page.keyboard.press("Enter")
    page.wait_for_selector("#session tbody tr")
    seen.check()


_FOCUSED = """() => {
    const node = document.activeElement;
    if (node === document.body) return null;
    const shown = node.matches("input") ? node.nextElementSibling : node;
    const style = getComputedStyle(shown);
    return {
        what: `${node.localName} ${node.id.startsWith("period-") ? node.id : node.textContent}`,
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_and_width(dashboard: Callable[..., Watched], played: LiveSession, width: int, scheme: str) -> None:
    seen = dashboard(width=width, scheme=scheme)
    seen.page.wait_for_selector("#sessions tbody tr")
    seen.page.click("summary")
    views = [("overview", "")]
    views += [("session", f"#/session/{played.id}")]
    views += [("turn", f"#/turn/{row['id']}") for row in turn_rows()[3:7]]
    for name, hash in views:
        if hash:
            seen.page.evaluate("hash => { location.hash = hash }", hash)
            seen.page.wait_for_selector(f"#{name}")
        seen.page.wait_for_timeout(350)  # bars have grown
        assert objections(seen.page) == [], f"{name} at {width}, {scheme}"
        assert seen.overflow <= 0, f"{name} is wider than {width}"
    seen.check()


def test_the_theme_is_kept(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    seen = dashboard(scheme="light")
    page = seen.page
    seen.turns(TURNS)
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.click("#theme")
    page.click("#theme")
    assert seen.text("#theme") == "theme: dark"
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    seen.turns(TURNS)
    assert page.evaluate(background) == dark
    page.click("#theme")
    assert page.evaluate(background) == light
    assert page.evaluate("localStorage.length") == 0
    seen.check()


def test_no_motion_where_none_is_wanted(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    duration = "getComputedStyle(document.querySelector('.fill')).transitionDuration"
    still, moving = dashboard(reduced_motion="reduce"), dashboard(reduced_motion="no-preference")
    for seen in (still, moving):
        seen.turns(TURNS)
    assert still.page.evaluate(duration) == "0s"
    assert moving.page.evaluate(duration) != "0s"


def test_the_chart_has_its_figures_as_a_table(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    seen = dashboard()
    seen.turns(TURNS)
    label = seen.page.get_attribute("#chart", "aria-label")
    assert seen.line("paid") in label and seen.line("baseline").partition(" ±")[0] in label
    assert seen.page.locator("#chart canvas").count() == 1
    seen.page.click("summary")
    rows = seen.page.locator("details tbody tr")
    assert sum(int(rows.nth(at).locator("td").first.inner_text()) for at in range(rows.count())) == TURNS
    seen.check()


def test_simulated_turns_are_called_so(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    seen = dashboard()
    seen.turns(TURNS)
    assert not seen.page.is_visible("#simulated")
    change("UPDATE sessions SET simulated = 1")
    seen.page.wait_for_selector("#simulated")
    assert "simulated models, simulated prices" in seen.text("#simulated").lower()
    for hash in (f"#/session/{played.id}", f"#/turn/{turn_rows()[0]['id']}"):
        seen.page.evaluate("hash => { location.hash = hash }", hash)
        seen.page.wait_for_selector(f"{hash[1:].replace('/', '#', 1).partition('/')[0]} .banner")
    seen.check()


def test_a_loss_is_called_one(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    seen = dashboard()
    seen.turns(TURNS)
    change("UPDATE turns SET baseline = baseline / 10")
    seen.page.wait_for_selector("#headline.lost")
    assert seen.text("#headline").startswith("lost")
    assert "-" not in seen.text("#saved")
    assert seen.line("lost") == seen.text("#saved")
    assert "cost more than the verify model alone" in seen.text("#break-even")
    seen.check()


def test_what_is_unknown_is_no_zero(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    seen = dashboard()
    seen.turns(TURNS)
    change("UPDATE calls SET cost = NULL WHERE role = 'draft'")
    seen.page.wait_for_selector(".bill .paid .sum >> text=at least")
    assert seen.page.locator("#headline").text_content().startswith("saved at most $")
    assert seen.page.locator("#sessions tbody tr").first.inner_text().count("≥") >= 1
    assert seen.page.locator("#sessions .unseen >> text=at least").count() >= 1, "a sign has its words"
    change("UPDATE calls SET cost = NULL")
    change("UPDATE turns SET baseline = NULL")
    seen.page.wait_for_selector("#headline >> text=unknown")
    assert (seen.line("paid"), seen.line("baseline")) == ("unknown", "unknown")
    assert not re.search(r"\$0\.00(?!\d)", seen.text(".statement"))
    seen.check()


def test_names_are_only_text(dashboard: Callable[..., Watched], played: LiveSession) -> None:
    change("UPDATE sessions SET name = ?, directory = ?", HOSTILE, "/tmp/\u202egnp.exe")
    change("UPDATE turns SET reason = ?", HOSTILE)
    seen = dashboard()
    seen.page.wait_for_selector("#sessions tbody tr")
    assert HOSTILE in seen.text("#sessions")
    seen.page.evaluate("hash => { location.hash = hash }", f"#/session/{played.id}")
    seen.page.wait_for_selector("#session tbody tr")
    assert HOSTILE in seen.text("h1")
    assert seen.page.locator("img").count() == 0
    assert "\u202e" not in seen.page.content()
    seen.check()
