"""What Codex goes by: its configuration file, the profile named on the command line, and its own `-c` overrides.

Rule: only read. Later ones win: file, profile, `-c`, just as Codex has it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from rlmc.domain.frozen import dataclass
from rlmc.launch.integration import Files, LaunchRequest
from rlmc.launch.integrations.jsonc import inner, text_at
from rlmc.launch.integrations.places import home
from rlmc.launch.integrations.words import has_flag, last_value, values_of

OPENAI = "openai"

Login = Literal["none", "key", "chatgpt", "keychain"]


@dataclass(frozen=True, slots=True)
class CodexSettings:
    """`provider` is the id of the provider in force and `own` its table where the user has written one. `flagged` are
    the keys set by `-c`. `login` is what Codex itself would pay with, apart from the environment."""

    provider: str
    own: Mapping[str, Any] | None = field(repr=False)
    openai_base_url: str | None
    flagged: frozenset[str]
    oss: bool
    login: Login


def read_settings(request: LaunchRequest, files: Files) -> CodexSettings:
    folder = request.environ.get("CODEX_HOME", "").rstrip("/") or f"{home(request.environ)}/.codex"
    values: dict[str, Any] = _toml(files.read(f"{folder}/config.toml"))
    profile = last_value(request.argv, "--profile", "-p")
    if profile is not None and "/" not in profile:
        values = _merged(values, _toml(files.read(f"{folder}/{profile}.config.toml")))
    flags = dict(_flag(text) for text in values_of(request.argv, "--config", "-c") if "=" in text)
    for key, value in flags.items():
        values = _merged(values, _nested(key, value))
    provider = text_at(values, "model_provider") or OPENAI
    own = inner(values, "model_providers").get(provider)
    return CodexSettings(
        provider=provider,
        own=own if isinstance(own, dict) and provider != OPENAI else None,
        openai_base_url=text_at(values, "openai_base_url"),
        flagged=frozenset(flags),
        oss=has_flag(request.argv, "--oss"),
        login=_login(files.read(f"{folder}/auth.json"), text_at(values, "cli_auth_credentials_store")),
    )


def _login(text: str | None, store: str | None) -> Login:
    try:
        auth = json.loads(text) if text is not None else None
    except ValueError:
        auth = None
    if isinstance(auth, dict):
        key = bool(auth.get("OPENAI_API_KEY"))
        if auth.get("tokens") and (not key or auth.get("auth_mode") == "chatgpt"):
            return "chatgpt"
        if key:
            return "key"
    return "keychain" if store in ("keyring", "auto") else "none"


def _toml(text: str | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text) if text is not None else {}
    except ValueError:
        return {}  # Codex itself will say so


def _flag(text: str) -> tuple[str, Any]:
    """Codex takes a value for TOML, and for plain text where it is none."""
    key, _, value = text.partition("=")
    try:
        return key.strip(), tomllib.loads(f"x = {value}")["x"]
    except ValueError:
        return key.strip(), value.strip().strip("\"'")


def _nested(key: str, value: Any) -> dict[str, Any]:
    for step in reversed(key.split(".")):
        value = {step: value}
    return dict(value)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
