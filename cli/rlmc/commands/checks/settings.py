"""The configuration and the user's own provider files: can they be read, and will they do what was meant?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from rlmc.commands.checks.check import Check
from rlmc.config.load import Config, load
from rlmc.config.schema import Settings
from rlmc.errors import ConfigError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_settings(file: Path, env: Mapping[str, str], providers: Collection[str]) -> tuple[list[Check], Config | None]:
    """The checks, and the configuration if there is one to go on with."""
    try:
        config = load(file, env=env, providers=providers)
    except ConfigError as error:
        return [Check("config", "fail", error.message, error.hint)], None
    own = sum(one.source != "default" for one in config.entries)
    detail = f"{file}; {own} set" if file.exists() else f"no file at {file}: defaults"
    checks = [Check("config", "ok", detail)]
    checks += [Check("config", "warn", text, "Unset it or correct its name.") for text in config.warnings]
    own_providers = _provider_files()
    checks += own_providers
    if any(one.status == "fail" for one in own_providers):
        return checks, None
    return [*checks, *_together(config.settings), *_upstreams(config.settings)], config


def _provider_files() -> list[Check]:
    from rlmc.upstream.providers import BUILT_IN, find, own_files

    checks: list[Check] = []
    read: list[str] = []
    replaced: list[str] = []
    for name, file in own_files().items():
        try:
            provider = find(name)
        except ConfigError as error:
            checks.append(Check("providers", "fail", error.message, error.hint))
            continue
        if provider is None:
            continue
        (replaced if name in BUILT_IN else read).append(name)
        for endpoint in provider.endpoints:
            if endpoint.auth != "none" and _in_the_clear(endpoint.url):
                detail = f"{file} sends a key and code over plain http"
                checks.append(Check("providers", "warn", detail, f"Use https for {endpoint.url}."))
    said = [f"of your own: {', '.join(read)}"] if read else []
    said += [f"in place of the built-in: {', '.join(replaced)}"] if replaced else []
    return [*([Check("providers", "ok", "; ".join(said))] if said else []), *checks]


def _together(settings: Settings) -> list[Check]:
    """Whether what is set of a provider agrees with what is known of it."""
    from rlmc.server.parts import build_parts

    try:
        parts = build_parts(settings)
    except ConfigError as error:
        return [Check("config", "fail", error.message, error.hint)]
    return [
        Check(
            "config",
            "warn",
            f"upstream.{name}.base-url is the address of an OpenAI call, but {name} is asked as Anthropic is",
            f"Set upstream.{name}.protocol to the one it speaks, or correct the URL.",
        )
        for name in settings.upstreams
        for endpoint in parts.providers[name].endpoints
        if endpoint.protocol == "anthropic" and endpoint.url.endswith(("/chat/completions", "/responses"))
    ]


def _in_the_clear(url: str) -> bool:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def _upstreams(settings: Settings) -> list[Check]:
    from urllib.parse import urlsplit

    checks: list[Check] = []
    for name, upstream in settings.upstreams.items():
        url = upstream.base_url or ""
        if upstream.api_key_env and _in_the_clear(url):
            detail = f"upstream.{name}.base-url sends a key and code over plain http"
            checks.append(Check("config", "warn", detail, f"Use https for {urlsplit(url).hostname}."))
    return checks
