"""Figures: a cent is not zero, a bound is not exact, a loss is not a saving."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.domain.money import PICO
from rlmc.ledger.report import Amount, Saving, SavingsReport
from rlmc.views import figures


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        ("0", "$0.00"),
        ("0.61", "$0.61"),
        ("1.2", "$1.20"),
        ("1234.5", "$1,234.50"),
        ("0.614", "$0.61"),
        ("0.0042", "$0.0042"),
        ("0.00421", "$0.0042"),
        ("0.05", "$0.05"),
        ("0.0614", "$0.061"),
        ("0.0999", "$0.10"),
        ("0.00003", "$0.00003"),
        ("0.0000001", "<$0.000001"),
        ("-0.12", "-$0.12"),
        ("-0.0042", "-$0.0042"),
    ],
)
def test_money(dollars: str, text: str) -> None:
    assert figures.money(int(Decimal(dollars) * PICO)) == text


@given(st.integers(-(10**18), 10**18))
def test_money_is_right_to_two_digits_and_never_shows_nothing_for_something(amount: int) -> None:
    text = figures.money(amount)
    if "<" in text:
        assert 0 < abs(amount) < PICO // 10**6
        return
    shown = Decimal(re.sub(r"[$,]", "", text)) * PICO
    assert (shown == 0) is (amount == 0)
    assert abs(shown - amount) <= abs(Decimal(amount)) * Decimal("0.05")


@pytest.mark.parametrize(
    ("known", "missing", "text"),
    [(610_000_000_000, 0, "$0.61"), (610_000_000_000, 3, "at least $0.61"), (0, 2, "unknown"), (0, 0, "$0.00")],
)
def test_amounts(known: int, missing: int, text: str) -> None:
    assert figures.amount(Amount(known, missing)) == text


@pytest.mark.parametrize(
    ("saving", "share", "text"),
    [
        (Saving(590_000_000_000, "exact"), 0.49, "saved $0.59 (49 %)"),
        (Saving(0, "exact"), 0.0, "saved $0.00 (0 %)"),
        (Saving(-120_000_000_000, "exact"), -0.1, "lost $0.12 (10 %)"),
        (Saving(590_000_000_000, "at most"), None, "saved at most $0.59"),
        (Saving(-590_000_000_000, "at most"), None, "lost at least $0.59"),
        (Saving(590_000_000_000, "at least"), None, "saved at least $0.59"),
        (Saving(-590_000_000_000, "at least"), None, "lost at most $0.59"),
        (Saving(None, "unknown"), None, "saving unknown"),
    ],
)
def test_savings_and_losses(saving: Saving, share: float | None, text: str) -> None:
    assert figures.saving(saving, share) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.49, "49 %"),
        (0, "0 %"),
        (0.004, "0.4 %"),
        (-0.004, "-0.4 %"),
        (1, "100 %"),
        (0.998, "99.8 %"),
        (-0.33, "-33 %"),
    ],
)
def test_shares(share: float, text: str) -> None:
    assert figures.percent(share) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(2100, "2.1 s"), (350, "0.3 s"), (40, "40 ms"), (0, "0 ms"), (125_000, "125.0 s")]
)
def test_durations(ms: float, text: str) -> None:
    assert figures.seconds(ms) == text


def test_counts_and_their_nouns() -> None:
    assert [figures.count(n, "turn") for n in (0, 1, 2, 1200)] == ["0 turns", "1 turn", "2 turns", "1,200 turns"]
    assert figures.count(2, "call has", "calls have") == "2 calls have"


def test_names_from_outside_cannot_move_the_cursor() -> None:
    assert figures.label("a\x1b[2Jb\nc") == "a?[2Jb?c"
    assert figures.label("") == "-"
    assert figures.label("/home/ada/projects/rlmc", 10) == "…ects/rlmc"
    assert figures.label("short", 10) == "short"


@pytest.mark.parametrize(
    ("middle", "half_width", "text"),
    [
        ("1.20", "0.05", " ± 0.05"),
        ("1.20", "0.0049", ""),
        ("1.20", "0", ""),
        ("0.0421", "0.0019", " ± 0.002"),
        ("0.0042", "0.00004", ""),
        ("3000", "1234.5", " ± 1,234.50"),
        ("0", "0.004", ""),
    ],
)
def test_a_range_has_as_many_decimals_as_what_it_stands_behind(middle: str, half_width: str, text: str) -> None:
    pico = [int(Decimal(dollars) * PICO) for dollars in (middle, half_width)]
    assert figures.spread(*pico) == text


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_a_range_is_never_shown_as_nothing(middle: int, half_width: int) -> None:
    text = figures.spread(middle, half_width)
    assert text == "" or Decimal(text.removeprefix(" ± ").replace(",", "")) > 0


def _account(known: int, missing: int = 0, estimated: int = 1, bias: float = 0.0) -> SavingsReport:
    return SavingsReport(baseline=Amount(known, missing), baseline_estimated=estimated, baseline_bias=bias)


def test_a_baseline_has_a_range_only_where_it_is_a_whole_estimate() -> None:
    assert figures.baseline(_account(12 * PICO // 10, bias=PICO / 20)) == "$1.20 ± 0.05"
    assert figures.baseline(_account(12 * PICO // 10, bias=PICO / 1000)) == "$1.20"
    assert figures.baseline(_account(12 * PICO // 10, missing=1, bias=PICO / 20)) == "at least $1.20"
    assert figures.baseline(_account(12 * PICO // 10, estimated=0, bias=PICO / 20)) == "$1.20"
    assert figures.baseline(_account(0, missing=2)) == "unknown"


def test_cells_say_what_is_only_a_bound() -> None:
    assert [figures.short(Amount(*a)) for a in ((PICO, 0), (PICO, 1), (0, 1))] == ["$1.00", "≥ $1.00", "?"]
    assert figures.short_saving(Saving(-PICO, "at most")) == "≤ -$1.00"
    assert figures.short_saving(Saving(None, "unknown")) == "?"


def test_a_name_that_is_too_long_keeps_its_end_or_its_start() -> None:
    assert [figures.label("/home/ada/project", width) for width in (17, 8, 2, 1)] == [
        "/home/ada/project",
        "…project",
        "…t",
        "…",
    ]
    assert [figures.label("second attempt", width, start=True) for width in (14, 7, 1)] == [
        "second attempt",
        "second…",
        "…",
    ]
    assert figures.label("/code/価格表", 6) == "…格表"
    assert figures.label("価格表", 4, start=True) == "価…"


def test_wide_letters_take_two_columns_and_accents_none() -> None:
    assert [figures.cells(text) for text in ("", "abc", "価格", "e\u0301", "≥ …")] == [0, 3, 4, 1, 3]


def test_a_directory_is_written_from_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada/")
    found = [figures.path(text) for text in ("/home/ada", "/home/ada/x", "/home/adam", "/srv", "")]
    assert found == ["~", "~/x", "/home/adam", "/srv", ""]
    monkeypatch.delenv("HOME")
    assert figures.path("/home/ada/x") == "/home/ada/x"


@pytest.mark.parametrize(
    ("share", "up", "down"),
    [
        (0.0, "0 %", "0 %"),
        (0.02, "2 %", "2 %"),
        (0.0200001, "2.1 %", "2 %"),
        (0.0199, "2 %", "1.9 %"),
        (0.0999, "10 %", "9.9 %"),
        (0.662, "67 %", "66 %"),
        (0.1, "10 %", "10 %"),
        (1.0, "100 %", "100 %"),
        (0.0001, "0.1 %", "0 %"),
    ],
)
def test_a_bound_is_rounded_to_its_own_side(share: float, up: str, down: str) -> None:
    assert (figures.upper(share), figures.lower(share)) == (up, down)


@pytest.mark.parametrize(("share", "text"), [(0.02, "2 %"), (0.015, "1.5 %"), (0.95, "95 %"), (0.02 * 0.5, "1 %")])
def test_what_was_set_is_shown_as_it_was_set(share: float, text: str) -> None:
    assert figures.exact_percent(share) == text
