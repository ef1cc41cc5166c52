"""The words of `rlmc run` mean the same whoever reads them: `run_words`, or the command as it is declared."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from rlmc.__main__ import run
from rlmc.app import build
from rlmc.commands import wrapped
from rlmc.commands.run_words import AS_CLIENT, NAME, NO_SUMMARY, SETTINGS, Wish, wish_of

OPTIONS = (*SETTINGS, NAME, AS_CLIENT)


def declared(words: Sequence[str]) -> Wish | None:
    """By the command itself; None where it runs nothing."""
    wishes: list[Wish] = []
    before = wrapped.run_wrapped
    wrapped.run_wrapped = lambda wish: wishes.append(wish) or 0  # type: ignore[func-returns-value]
    try:
        get_command(build("run")).main(args=["run", *words], prog_name="rlmc", standalone_mode=False)
    except Exception:
        return None
    finally:
        wrapped.run_wrapped = before
    return wishes[0] if wishes else None


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        (["claude"], Wish(("claude",), {})),
        (["--", "claude", "--", "-p"], Wish(("claude", "--", "-p"), {})),
        (["--policy", "paper", "claude", "--policy", "x"], Wish(("claude", "--policy", "x"), {"policy": "paper"})),
        (["--policy=paper", "--no-summary", "a"], Wish(("a",), {"policy": "paper"}, summary=False)),
        (["--budget", "5", "--name", "n", "--as", "codex", "a"], Wish(("a",), {"budget.session": "5"}, "n", "codex")),
        (["--policy", "paper", "--policy", "economy", "a"], Wish(("a",), {"policy": "economy"})),
        (["--draft-model", "", "a"], Wish(("a",), {})),
        (["--draft-model=a/b=c", "a"], Wish(("a",), {"draft-model": "a/b=c"})),
        (["--name", "--", "a"], Wish(("a",), {}, "--")),
        (["-", "a"], Wish(("-", "a"), {})),
    ],
)
def test_what_is_plain(words: list[str], wish: Wish) -> None:
    assert wish_of(words) == wish
    assert declared(words) == wish


@pytest.mark.parametrize(
    "words", [[], ["--"], ["--help"], ["-h", "a"], ["--polcy", "a", "b"], ["--policy"], ["--no-summary=1", "a"], ["-p"]]
)
def test_the_rest_is_left_to_the_command(words: list[str]) -> None:
    assert wish_of(words) is None


@given(
    st.lists(
        st.sampled_from([*OPTIONS, NO_SUMMARY, "--", "-", "a", "", "--name=x", "--as=", "-x", "--help"]), max_size=7
    )
)
def test_both_readings_agree(words: list[str]) -> None:
    found = wish_of(words)
    if found is not None:
        assert found == declared(words)


def test_the_command_has_these_options_and_no_others() -> None:
    command = get_command(build("run")).commands["run"]  # type: ignore[attr-defined]
    assert {name for param in command.params if param.param_type_name == "option" for name in param.opts} == {
        *OPTIONS,
        NO_SUMMARY,
    }


def test_the_way_in_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    wishes: list[Wish] = []
    monkeypatch.setattr(wrapped, "run_wrapped", lambda wish: wishes.append(wish) or 7)
    monkeypatch.setattr("typer.main.get_command", lambda *_: pytest.fail("the long way"))
    assert run(["run", "--policy", "paper", "--", "claude"]) == 7
    assert wishes == [Wish(("claude",), {"policy": "paper"})]
