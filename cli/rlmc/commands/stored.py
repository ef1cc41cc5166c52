"""Keys that the keyring holds for the models in use, where the user has turned it on."""

from __future__ import annotations

from collections.abc import Mapping

from rlmc.config.schema import Settings
from rlmc.launch.key_store import Stored, stored_keys
from rlmc.ui import console
from rlmc.upstream.providers import find

# Whose models agents ask for.
_VENDORS = ("anthropic", "openai")


def names_in_use(settings: Settings) -> frozenset[str]:
    """Variables of the providers that a session by these settings may have to pay."""
    models = (settings.draft_model, settings.verify_model)
    return frozenset(
        name
        for provider in {*_VENDORS, *(model.provider for model in models if model is not None)}
        if (name := key_variable(provider, settings)) is not None
    )


def key_variable(provider: str, settings: Settings) -> str | None:
    own = settings.upstreams.get(provider)
    if own is not None and own.api_key_env:
        return own.api_key_env
    known = find(provider)
    return None if known is None else known.key_env


def from_keyring(settings: Settings, environ: Mapping[str, str]) -> Stored:
    """What the environment lacks. Nothing where `keyring` is off."""
    if not settings.keyring:
        return Stored()
    return stored_keys(name for name in names_in_use(settings) if not environ.get(name))


def with_keyring(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for calls of rlmc's own, of no child's; what is wrong with the keyring is said."""
    stored = from_keyring(settings, environ)
    if stored.problem:
        console.warning(stored.problem)
    return {**environ, **stored.keys}
