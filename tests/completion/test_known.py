"""What completions know of values: the settings."""

from __future__ import annotations

import pytest

from rlmc.cascade.policies import NAMES as POLICIES
from rlmc.completion.known import known_values
from rlmc.completion.tree import ByPrevious, Words
from rlmc.config import lookup
from rlmc.config.schema import KEYS
from rlmc.upstream.providers import providers

known = known_values(["claude", "other"])


def words(value: object) -> list[str]:
    assert isinstance(value, Words)
    return [word.text for word in value.words]


@pytest.mark.parametrize("command", ["get", "set", "unset"])
def test_every_key_is_offered_where_a_key_is_due(command: str) -> None:
    offered = words(known(("config", command), "key"))
    assert {key.name for key in KEYS} < set(offered)
    assert "upstream.deepseek.base-url" in offered
    assert "upstream.llama.cpp.api-key-env" in offered
    assert not any(word.startswith("upstream.sim.") for word in offered)  # it is reached over no network
    assert len(offered) == len(set(offered))


def test_every_offered_key_and_value_is_valid() -> None:
    values = known(("config", "set"), "value")
    assert isinstance(values, ByPrevious)
    assert "policy" in dict(values.cases)
    for key, offered in values.cases:
        for word in words(offered):
            lookup.parse(key, word, "test")


def test_an_option_named_like_a_setting_takes_its_values() -> None:
    assert words(known(("run",), "--policy")) == list(POLICIES)
    draft_models = words(known(("run",), "--draft-model"))
    assert draft_models[:2] == ["auto", "none"]
    assert {f"{one.name}/{one.default_draft}" for one in providers()[0] if one.default_draft} <= set(draft_models)


def test_clients_are_offered_for_as_and_nothing_where_nothing_is_known() -> None:
    assert words(known(("run",), "--as")) == ["claude", "other"]
    assert known(("run",), "--name") is None
    assert known(("stats",), "session") is None


def test_the_shells_that_env_can_write_for_are_offered() -> None:
    assert words(known(("env",), "--shell")) == ["bash", "zsh", "sh", "fish"]
