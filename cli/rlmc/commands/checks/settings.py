"""The configuration: can it be read, and does it say anything that will not do what was meant?"""

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
    return [*checks, *_upstreams(config.settings)], config


def _upstreams(settings: Settings) -> list[Check]:
    from urllib.parse import urlsplit

    checks: list[Check] = []
    for name, upstream in settings.upstreams.items():
        parts = urlsplit(upstream.base_url or "")
        key = f"upstream.{name}.base-url"
        if parts.path.endswith("/v1"):
            without = (upstream.base_url or "").removesuffix("/v1")
            checks.append(
                Check(
                    "config",
                    "warn",
                    f"{key} ends in /v1, and rlmc adds /v1/messages to it",
                    f"rlmc config set {key} {without}",
                )
            )
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK and upstream.api_key_env:
            checks.append(
                Check(
                    "config", "warn", f"{key} sends a key and code over plain http", f"Use https for {parts.hostname}."
                )
            )
    return checks
