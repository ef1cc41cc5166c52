"""What in the environment or in Claude Code's settings makes an agent's requests pass rlmc by, or work less well.

Values are shown only where they cannot hold a secret: of a URL its scheme and host.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from rlmc.commands.checks.check import Check
from rlmc.commands.checks.credentials import read_json
from rlmc.launch.base_url import VARIABLES, is_own

_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_LOOPBACK = frozenset({"127.0.0.1", "127.0.0.0/8", "localhost", "*"})
_CLOUDS = {
    "CLAUDE_CODE_USE_BEDROCK": "Bedrock",
    "CLAUDE_CODE_USE_VERTEX": "Vertex",
    "CLAUDE_CODE_USE_FOUNDRY": "Foundry",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS": "the Claude Platform on AWS",
}
_QUIET = "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"


def check_environment(env: Mapping[str, str], settings_files: Mapping[Path, bool]) -> list[Check]:
    """`settings_files` are Claude Code's; True marks one of the administrator's, which nothing can override."""
    checks = [*_proxies(env), *_base_url(env), *_claude(env, "this shell")]
    for path, managed in settings_files.items():
        inner = read_json(path).get("env")
        values = {str(k): str(v) for k, v in inner.items()} if isinstance(inner, dict) else {}
        checks += [*_settings_base_url(values, path, managed), *_claude(values, str(path))]
    return checks or [Check("environment", "ok", "nothing that leads past rlmc")]


def claude_settings(claude_folder: Path, project: Path) -> dict[Path, bool]:
    """Where Claude Code reads settings from, weakest first."""
    managed = (
        Path("/Library/Application Support/ClaudeCode/managed-settings.json")
        if sys.platform == "darwin"
        else Path("/etc/claude-code/managed-settings.json")
    )
    own = (
        claude_folder / "settings.json",
        project / ".claude" / "settings.json",
        project / ".claude" / "settings.local.json",
    )
    return dict.fromkeys(own, False) | {managed: True}


def _proxies(env: Mapping[str, str]) -> list[Check]:
    used = [name for name in _PROXIES if env.get(name)]
    exceptions = ",".join(env.get(name, "") for name in ("NO_PROXY", "no_proxy"))
    if not used or _LOOPBACK & {word.strip() for word in exceptions.split(",")}:
        return []
    return [
        Check(
            "environment",
            "warn",
            f"{used[0]} is set and NO_PROXY leaves out 127.0.0.1: requests to rlmc would go to that proxy. "
            "`rlmc run` adds the exception for its own child",
            "For agents started in another way: export NO_PROXY=127.0.0.1,localhost",
        )
    ]


def _base_url(env: Mapping[str, str]) -> list[Check]:
    named = {name: url for names in VARIABLES.values() for name in names if (url := env.get(name, "").strip())}
    theirs = {name: url for name, url in named.items() if not is_own(url)}
    checks = [
        Check("environment", "ok", f"{name} is {shown_url(url)}; `rlmc run` makes it the upstream")
        for name, url in theirs.items()
    ]
    if named.keys() - theirs.keys():
        inside = "this shell is inside an `rlmc run` or `rlmc env`; it is not chained to another"
        checks.insert(0, Check("environment", "ok", inside))
    return checks


def _settings_base_url(values: Mapping[str, str], path: Path, managed: bool) -> list[Check]:
    url = values.get("ANTHROPIC_BASE_URL")
    if not url:
        return []
    what = f"{path} sets ANTHROPIC_BASE_URL to {shown_url(url)}, which wins over the environment"
    if managed:
        fix = f"Ask whoever manages {path}; nothing of the user's can override it."
        return [Check("environment", "fail", f"{what}: Claude Code passes rlmc by", fix)]
    fix = "Nothing to do for `rlmc run`. For agents started in another way, take it out of that file."
    return [Check("environment", "warn", f"{what}. `rlmc run` puts its own over it and makes it the upstream", fix)]


def _claude(values: Mapping[str, str], where: str) -> list[Check]:
    checks: list[Check] = []
    for name, cloud in _CLOUDS.items():
        if _is_on(values.get(name)):
            detail = f"{name} is set in {where}: Claude Code talks to {cloud} and passes rlmc by"
            checks.append(Check("environment", "fail", detail, f"Unset {name} to use rlmc."))
    if _is_on(values.get(_QUIET)):
        detail = f"{_QUIET} is set in {where}: no title calls to draft, and auto mode loses its local check"
        checks.append(Check("environment", "warn", detail, f"Unset {_QUIET} unless you need it."))
    return checks


def _is_on(value: str | None) -> bool:
    return bool(value) and str(value).strip().casefold() not in {"0", "false", "no", "off", ""}


def shown_url(url: str) -> str:
    """Scheme and host; the rest of a URL may hold a token."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "something that is no URL"
    if not parts.scheme or not host:
        return "something that is no URL"
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}"
