"""What is known of the command line's values beyond their types: the settings, their values, and who speaks where.

Rule: an option named like a setting takes that setting's values; nobody has to say so twice.
"""

from __future__ import annotations

from collections.abc import Collection

from rlmc.completion.tree import ByPrevious, KnownValue, Value, Word, Words, summary
from rlmc.config import values
from rlmc.config.schema import KEYS, UPSTREAM_KEYS, Key
from rlmc.upstream.providers import BUILT_IN, built_in

_NAMED_KEYS = {("config", "get"), ("config", "set"), ("config", "unset")}


def known_values(clients: Collection[str]) -> KnownValue:
    """`clients` are the words `--as` takes."""
    by_flag = {key.flag: _value_of(key) for key in KEYS} | {
        "--as": Words("client", tuple(map(Word, clients))),
        "--shell": Words("shell", tuple(map(Word, ("bash", "zsh", "sh", "fish")))),
    }
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
    names = [name for name, base_url, _ in _built_in() if base_url.startswith("http")]
    upstreams = [(key.name.replace("<name>", name), key) for name in names for key in UPSTREAM_KEYS]
    return [*((key.name, key) for key in KEYS), *upstreams]


def _value_of(key: Key) -> Words | None:
    match key.parse:
        case values.Choice():
            words = list(key.parse.words())
        case values.ModelName():
            words = list(key.parse.words)
            if key.name == "draft-model":
                words += [f"{name}/{draft}" for name, _, draft in _built_in() if draft]
        case values.boolean:
            words = ["true", "false"]
        case _:
            return None
    return Words(key.name.rpartition(".")[2], tuple(map(Word, words)))


def _built_in() -> list[tuple[str, str, str | None]]:
    """The built-in providers' names, addresses and default drafts. The scripts are the same for everybody, so nobody's
    own files are looked at."""
    return [(name, one.base_url, one.default_draft) for name in BUILT_IN if (one := built_in(name))]
