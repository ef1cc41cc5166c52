"""Credentials: which are there, and what follows for the two models. Names of variables only, never their values.

What is looked at is this shell; an agent may also have a credential of its own, which always passes through.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from rlmc.commands.checks.check import Check
from rlmc.config.schema import Settings
from rlmc.domain.turn import Model
from rlmc.upstream.providers import find

_HOME_PROVIDER, _OTHER_HOME = "anthropic", "openai"
_CLIENT_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
_LOGIN_TOKEN = "CLAUDE_CODE_OAUTH_TOKEN"  # noqa: S105 - the name of a variable


def check_credentials(
    settings: Settings, env: Mapping[str, str], claude_folder: Path, stored: Collection[str] = ()
) -> list[Check]:
    """One check for the verify model and one for the draft model. `stored` are variables whose keys the keyring has."""
    verify = settings.verify_model
    provider = verify.provider if verify else _HOME_PROVIDER
    label = str(verify) if verify else "as the agent requests"
    key = _key_of(provider, settings, env, stored)
    if key is None and provider == _HOME_PROVIDER:
        key = _agents_key(claude_folder)
    login = key is None and provider == _HOME_PROVIDER and _has_login(env, claude_folder)
    if verify is None and key is None and not login:
        # An agent of the other vendor's is all that could be started with what is here.
        key = _key_of(_OTHER_HOME, settings, env, stored)
        provider = _OTHER_HOME if key else provider
    return [_verify(provider, label, key, login, settings), _draft(settings, env, stored, provider, key, login)]


def _verify(provider: str, label: str, key: str | None, login: bool, settings: Settings) -> Check:
    if not _needs_key(provider, settings):
        return Check("verify model", "ok", f"{label}; {provider} needs no key")
    if key:
        return Check("verify model", "ok", f"{label}; {key}")
    if login and settings.allow_login_calls:
        return Check(
            "verify model", "ok", f"{label}; by subscription login, also for rlmc's own calls (allow-login-calls)"
        )
    if login:
        return Check(
            "verify model",
            "warn",
            f"{label}; by subscription login, which only passes through: drafts are not verified with it",
            "Set ANTHROPIC_API_KEY to have drafts verified.",
        )
    names = " or ".join(_key_names(provider, settings))
    return Check(
        "verify model",
        "warn",
        f"{label}; no credential found in this shell. What the agent brings itself passes through",
        f"If it brings none: export {names}=…" if " or " not in names else f"If it brings none, set {names}.",
    )


def _draft(
    settings: Settings,
    env: Mapping[str, str],
    stored: Collection[str],
    verify: str,
    verify_key: str | None,
    login: bool,
) -> Check:
    name = "draft model"
    if settings.draft_off:
        return Check(name, "ok", "none: every turn goes to the verify model")
    model = settings.draft_model
    if model is None:
        known = find(verify)
        if known is None or known.default_draft is None:
            return Check(
                name,
                "warn",
                f"none is set, and there is no default beside {verify}: every turn goes to the verify model",
                "rlmc config set draft-model PROVIDER/MODEL",
            )
        model = Model(verify, known.default_draft)
    key = _key_of(model.provider, settings, env, stored)
    if key is None and model.provider == verify:
        key = verify_key
    if not _needs_key(model.provider, settings):
        return Check(name, "ok", f"{model}; {model.provider} needs no key")
    if key:
        return Check(name, "ok", f"{model}; {key}")
    if login and model.provider == _HOME_PROVIDER:
        if settings.allow_login_calls:
            return Check(name, "ok", f"{model}; by subscription login (allow-login-calls)")
        return Check(
            name,
            "warn",
            f"{model} is not asked: there is only a subscription login, which is never used for calls of rlmc's own",
            "Set ANTHROPIC_API_KEY, or rlmc config set draft-model to a model of another vendor.",
        )
    names = " or ".join(_key_names(model.provider, settings))
    if model.provider == verify:
        return Check(
            name, "warn", f"{model}, with the agent's own key if it brings one; else no drafts", f"Set {names}."
        )
    return Check(name, "warn", f"{model} is not asked: {names} is not set. Every turn goes direct", f"export {names}=…")


def _needs_key(provider: str, settings: Settings) -> bool:
    own = settings.upstreams.get(provider)
    if own and own.api_key_env:
        return True
    known = find(provider)
    return known is not None and known.needs_key


def _key_names(provider: str, settings: Settings) -> tuple[str, ...]:
    own = settings.upstreams.get(provider)
    if own and own.api_key_env:
        return (own.api_key_env,)
    if provider == _HOME_PROVIDER:
        return _CLIENT_KEYS
    known = find(provider)
    return (known.key_env,) if known and known.key_env else ()


def _key_of(provider: str, settings: Settings, env: Mapping[str, str], stored: Collection[str]) -> str | None:
    """In words, where there is one."""
    names = _key_names(provider, settings)
    if (name := next((name for name in names if env.get(name)), None)) is not None:
        return f"{name} is set"
    name = next((name for name in names if name in stored), None)
    return None if name is None else f"{name} is in the keyring"


def _agents_key(claude_folder: Path) -> str | None:
    """A key that Claude Code takes from its own settings."""
    settings = read_json(claude_folder / "settings.json")
    if settings.get("apiKeyHelper"):
        return "apiKeyHelper of Claude Code is set"
    inner = settings.get("env")
    if isinstance(inner, dict):
        return next((f"{name} of Claude Code's settings is set" for name in _CLIENT_KEYS if inner.get(name)), None)
    return None


def _has_login(env: Mapping[str, str], claude_folder: Path) -> bool:
    return bool(env.get(_LOGIN_TOKEN)) or (claude_folder / ".credentials.json").exists()


def read_json(path: Path) -> dict[str, object]:
    """An object from a file of somebody else's; empty when there is none or it is damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
