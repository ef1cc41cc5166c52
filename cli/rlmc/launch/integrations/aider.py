"""aider: environment, and its own way to set variables where a `.env` file would override them.

Rule: of a vendor's two variables the one that wins is ours, which also beats the option `openai-api-base`; only a
`.env` file comes later, and after that what aider is told to set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rlmc.launch.base_url import NO_PROXY_LISTS, OPENAI_BASE_URL, foreign, some, upstream_of
from rlmc.launch.integration import Files, LaunchPlan, LaunchRequest
from rlmc.launch.integrations.dotenv import read_env
from rlmc.launch.integrations.generic import sdk_environment
from rlmc.launch.integrations.places import home, repository
from rlmc.launch.integrations.words import has_flag, last_value

ANTHROPIC_API_BASE = "ANTHROPIC_API_BASE"
SET_ENV = "AIDER_SET_ENV"

_OPTION = "AIDER_OPENAI_API_BASE"
_API_BASE_LINE = re.compile(r"^openai-api-base\s*:\s*[\"']?([^\"'\s#]+)", re.MULTILINE)
_SET_ENV_LINE = re.compile(r"^set-env\s*:", re.MULTILINE)
_CLAUDES = ("anthropic/", "claude", "sonnet", "opus", "haiku")


class Aider:
    name = "aider"

    def plan(self, request: LaunchRequest, files: Files) -> LaunchPlan:
        dotenv, configuration = _read(request, files)
        seen = {**request.environ, **dotenv}
        env = sdk_environment(request.base_url) | {ANTHROPIC_API_BASE: request.base_url}
        overridden = {name: env[name] for name in (OPENAI_BASE_URL, ANTHROPIC_API_BASE) if name in dotenv}
        warnings: tuple[str, ...] = ()
        if overridden:
            if SET_ENV in seen or has_flag(request.argv, "--set-env") or _SET_ENV_LINE.search(configuration):
                warnings = (f"a .env file sets {' and '.join(overridden)}, and set-env is in use: aider bypasses rlmc",)
            else:
                env[SET_ENV] = f"[{', '.join(f'{name}={value}' for name, value in overridden.items())}]"
        model = last_value(request.argv, "--model") or seen.get("AIDER_MODEL", "")
        return LaunchPlan(
            argv=request.argv,
            env=env,
            env_lists=NO_PROXY_LISTS,
            seen=seen,
            upstreams=some({"anthropic": _anthropic(seen), "openai": _openai(request, seen, configuration)}),
            protocol="anthropic" if model.startswith(_CLAUDES) else "chat",
            warnings=warnings,
            doubts=("only models of Anthropic and OpenAI (openai/…, anthropic/…) are led through rlmc",),
        )


INTEGRATION = Aider()


def _read(request: LaunchRequest, files: Files) -> tuple[dict[str, str], str]:
    """The variables of all `.env` files, and the text of all configuration files, the weakest first."""
    folders = [home(request.environ), repository(request.directory, files), request.directory]
    named = last_value(request.argv, "--env-file") or request.environ.get("AIDER_ENV_FILE")
    paths = [f"{folder}/.env" for folder in folders if folder is not None]
    if named:
        paths.append(named if named.startswith("/") else f"{request.directory}/{named}")
    dotenv: dict[str, str] = {}
    for path in paths:
        dotenv.update(read_env(files.read(path)))
    own = last_value(request.argv, "--config", "-c")
    configurations = [f"{folder}/.aider.conf.yml" for folder in folders if folder is not None]
    if own:
        configurations = [own if own.startswith("/") else f"{request.directory}/{own}"]
    return dotenv, "\n".join(text for path in configurations if (text := files.read(path)) is not None)


def _anthropic(seen: Mapping[str, str]) -> str | None:
    return foreign(seen.get(ANTHROPIC_API_BASE)) or upstream_of(seen, "anthropic")


def _openai(request: LaunchRequest, seen: Mapping[str, str], configuration: str) -> str | None:
    """Where aider would have gone, in its own order."""
    lines = _API_BASE_LINE.findall(configuration)
    option = last_value(request.argv, "--openai-api-base") or seen.get(_OPTION) or (lines[-1] if lines else None)
    return foreign(seen.get(OPENAI_BASE_URL)) or foreign(option) or upstream_of(seen, "openai")
