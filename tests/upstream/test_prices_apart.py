"""The price table made by another process is the one that would have been made here."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rlmc.upstream import prices_apart
from rlmc.upstream.prices import price_rows
from rlmc.upstream.prices_apart import load_prices_apart

PROGRAM = """
import sys
from rlmc.upstream.prices_apart import load_prices_apart
from rlmc.domain.turn import Model
table = load_prices_apart()
price = table.lookup(Model("anthropic", "claude-opus-5-5"), 1_790_000_000_000_000, 1000)
print(price.input, "genai_prices" in sys.modules)
"""


def test_the_package_never_comes_into_the_process_that_asks() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert ran.stdout.split() == ["4000000", "False"], ran.stderr


@pytest.fixture
def _not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "genai_prices", raising=False)


@pytest.mark.usefixtures("_not_loaded")
def test_no_row_is_lost_or_changed_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []
    monkeypatch.setattr(prices_apart, "PriceTable", taken.append)
    load_prices_apart()
    assert taken == [price_rows()]


@pytest.mark.usefixtures("_not_loaded")
@pytest.mark.parametrize(
    "command",
    [
        ("/nonexistent/python",),
        (sys.executable, "-c", "raise SystemExit(1)"),
        (sys.executable, "-c", "print('no table')"),
        (sys.executable, "-c", ""),
    ],
    ids=["does not start", "fails", "says something else", "says nothing"],
)
def test_where_it_cannot_be_made_there_it_is_made_here(command: tuple[str, ...]) -> None:
    assert load_prices_apart(command).__class__.__name__ == "PriceTable"
