"""What is known of the command line's values beyond their types: the settings, their values, and who speaks where.

Rule: an option named like a setting takes that setting's values; nobody has to say so twice.
"""

from __future__ import annotations

from collections.abc import Collection

from rlmc.completion.tree import ByPrevious, KnownValue, Value, Word, Words, summary
from rlmc.config import values
from rlmc.config.schema import KEYS, UPSTREAM_KEYS, Key
from rlmc.upstream.providers import PROVIDERS

_NAMED_KEYS = {("config", "get"), ("config", "set"), ("config", "unset")}


def known_values(clients: Collection[str]) -> KnownValue:
    """`clients` are the words `--as` takes."""
    by_flag = {key.flag: _value_of(key) for key in KEYS} | {"--as": Words("client", tuple(map(Word, clients)))}
    keys = Words("key", tuple(Word(name, summary(key.meaning)) for name, key in _all_keys()))
    cases = tuple((name, value) for name, key in _all_keys() if (value := _value_of(key)))

    def known(path: tuple[str, ...], name: str) -> Value:
        if path in _NAMED_KEYS and name == "key":
            return keys
        if path == ("config", "set") and name == "value":
            return ByPrevious(cases)
        return by_flag.get(name)

    return known


def _all_keys() -> list[tuple[str, Key]]:
    """Every key by its full name; those of upstreams for the built-in providers that are reached over a network."""
    names = [one.name for one in PROVIDERS if one.base_url.startswith("http")]
    upstreams = [(key.name.replace("<name>", name), key) for name in names for key in UPSTREAM_KEYS]
    return [*((key.name, key) for key in KEYS), *upstreams]


def _value_of(key: Key) -> Words | None:
    match key.parse:
        case values.Choice():
            words = list(key.parse.words())
        case values.ModelName():
            words = list(key.parse.words)
            if key.name == "draft-model":
                words += [f"{one.name}/{one.default_draft}" for one in PROVIDERS if one.default_draft]
        case values.boolean:
            words = ["true", "false"]
        case _:
            return None
    return Words(key.name.rpartition(".")[2], tuple(map(Word, words)))
