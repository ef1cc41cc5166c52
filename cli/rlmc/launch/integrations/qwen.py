"""Qwen Code: environment, which wins over its `.env` files and settings, but not over a model's own base URL.

Rule: a model that has an address of its own in the settings cannot be led elsewhere without putting the session's
address among the arguments, so it is said instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rlmc.launch.base_url import NO_PROXY_LISTS, foreign, some, upstream_of
from rlmc.launch.integration import Files, LaunchPlan, LaunchRequest
from rlmc.launch.integrations.dotenv import read_env
from rlmc.launch.integrations.generic import sdk_environment
from rlmc.launch.integrations.jsonc import inner, read_object, text_at
from rlmc.launch.integrations.places import home, upward
from rlmc.launch.integrations.words import has_flag, last_value

_SYSTEM = {"darwin": "/Library/Application Support/QwenCode/settings.json", "linux": "/etc/qwen-code/settings.json"}
_PROTOCOLS = {"anthropic": "anthropic", "openai": "chat", "openai-responses": "responses"}
_OWN_URL = "--openai-base-url"


class Qwen:
    name = "qwen"

    def plan(self, request: LaunchRequest, files: Files) -> LaunchPlan:
        settings = _settings(request, files)
        seen = _seen(request, files, settings)
        kind = last_value(request.argv, "--auth-type") or _last(settings, "security", "auth", "selectedType") or ""
        vendor = "anthropic" if kind == "anthropic" else "openai"
        upstreams = {name: upstream_of(seen, name) for name in ("anthropic", "openai")}
        upstreams[vendor] = upstreams[vendor] or foreign(_last(settings, "security", "auth", "baseUrl"))
        warnings, doubts = _own_addresses(request, seen, settings, kind)
        return LaunchPlan(
            argv=request.argv,
            env=sdk_environment(request.base_url),
            env_lists=NO_PROXY_LISTS,
            seen=seen,
            upstreams=some(upstreams),
            protocol=_PROTOCOLS.get(kind, "chat"),
            warnings=warnings,
            doubts=(*doubts, "it may speak to another provider than Anthropic or OpenAI, or have a login of its own"),
        )


INTEGRATION = Qwen()


def _settings(request: LaunchRequest, files: Files) -> list[Mapping[str, Any]]:
    """From weakest to strongest."""
    paths = [
        f"{home(request.environ)}/.qwen/settings.json",
        f"{request.directory}/.qwen/settings.json",
        request.environ.get("QWEN_CODE_SYSTEM_SETTINGS_PATH") or _SYSTEM.get(request.platform, ""),
    ]
    return [values for path in paths if path and (values := read_object(files.read(path))) is not None]


def _last(settings: list[Mapping[str, Any]], *path: str) -> str | None:
    """The strongest value there is."""
    return next((found for values in reversed(settings) if (found := text_at(values, *path))), None)


def _seen(request: LaunchRequest, files: Files, settings: list[Mapping[str, Any]]) -> dict[str, str]:
    """The environment, below it the first `.env` file there is, below that what the settings put into it."""
    seen: dict[str, str] = {}
    for values in settings:
        seen.update({name: value for name, value in inner(values, "env").items() if isinstance(value, str)})
    folders = [*upward(request.directory), home(request.environ)]
    texts = (files.read(f"{folder}/{name}") for folder in folders for name in (".qwen/.env", ".env"))
    seen.update(read_env(next((text for text in texts if text is not None), None)))
    return seen | dict(request.environ)


def _own_addresses(
    request: LaunchRequest, seen: Mapping[str, str], settings: list[Mapping[str, Any]], kind: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Warnings and doubts: the model in use has an address of its own, or others have."""
    if has_flag(request.argv, _OWN_URL) or last_value(request.argv, _OWN_URL):
        return (f"your {_OWN_URL} wins over rlmc's: Qwen Code bypasses rlmc",), ()
    own = {model for values in settings for model in _with_address(values, kind)}
    if not own:
        return (), ()
    variable = "ANTHROPIC_MODEL" if kind == "anthropic" else "OPENAI_MODEL"
    model = last_value(request.argv, "--model", "-m") or seen.get(variable) or _last(settings, "model", "name")
    if model not in own:
        return (), ("models with a baseUrl in its settings.json bypass rlmc",)
    return (
        f"settings.json gives {model} a baseUrl of its own, which nothing overrides: Qwen Code bypasses rlmc. Take it "
        "out there and set OPENAI_BASE_URL (or ANTHROPIC_BASE_URL) to it instead",
    ), ()


def _with_address(values: Mapping[str, Any], kind: str) -> Iterator[str]:
    for name, models in inner(values, "modelProviders").items():
        if isinstance(models, list) and (not kind or name == kind):
            yield from (one["id"] for one in models if isinstance(one, dict) and one.get("baseUrl") and one.get("id"))
