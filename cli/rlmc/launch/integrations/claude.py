"""Claude Code: environment, and a settings file of our own where the user's settings would override it.

Rule: what the agent can do without rlmc it can do with it. Tool search stays on, its hints on what a request is for are
asked for, nothing is switched off, and the session's address, a secret, stands in the environment or in a private file,
never among the arguments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from rlmc.launch.base_url import BASE_URL, LOOPBACK, NO_PROXY_LISTS, is_first_party, some, upstream_of
from rlmc.launch.environment import appended
from rlmc.launch.integration import Files, LaunchPlan, LaunchRequest, TempFile
from rlmc.launch.integrations.claude_settings import ClaudeSettings, config_dir, read_settings

HINTS = "CLAUDE_CODE_GATEWAY_HINT_HEADERS"
TOOL_SEARCH = "ENABLE_TOOL_SEARCH"
PLACEHOLDER = "rlmc-placeholder-no-credential"

_CREDENTIALS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
_LOGIN_MARKS = ('"oauthAccount"', '"primaryApiKey"')
_OTHER_CLOUDS = {
    "CLAUDE_CODE_USE_BEDROCK": "Amazon Bedrock",
    "CLAUDE_CODE_USE_VERTEX": "Google Vertex",
    "CLAUDE_CODE_USE_FOUNDRY": "Microsoft Foundry",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS": "the Claude platform on AWS",
}
_YES = frozenset({"1", "true", "yes", "on"})


class Claude:
    name = "claude"

    def plan(self, request: LaunchRequest, files: Files) -> LaunchPlan:
        settings = read_settings(request, files)
        seen = {**request.environ, **settings.env()}
        upstream = upstream_of(seen, "anthropic")
        env = {BASE_URL: request.base_url, HINTS: "1"}
        # A gateway of the user's own may not know tool search; with it the agent's own default is the right one.
        if TOOL_SEARCH not in seen and (upstream is None or is_first_party(upstream)):
            env[TOOL_SEARCH] = "true"
        warnings = _bypasses(settings, seen)
        placeholder, about_credentials = _credentials(request, settings, seen, files)
        env.update(placeholder)
        argv, about_flag = _arguments(request, settings)
        return LaunchPlan(
            argv=argv,
            env=env,
            env_lists=NO_PROXY_LISTS,
            seen=seen,
            upstreams=some({"anthropic": upstream}),
            warnings=(*warnings, *about_credentials, *about_flag),
            doubts=("its settings may name another address or another provider (Bedrock, Vertex, Foundry)",),
        )


INTEGRATION = Claude()


def _bypasses(settings: ClaudeSettings, seen: Mapping[str, str]) -> list[str]:
    warnings = [
        f"{name} is set: Claude Code speaks to {cloud} and bypasses rlmc"
        for name, cloud in _OTHER_CLOUDS.items()
        if seen.get(name, "").strip().lower() in _YES
    ]
    if settings.managed is not None and BASE_URL in settings.managed.env:
        warnings.append(f"{settings.managed.name} set {BASE_URL}, which nothing overrides: Claude Code bypasses rlmc")
    return warnings


# --- settings that would win over the environment -----------------------------------------------------------------


def _arguments(request: LaunchRequest, settings: ClaudeSettings) -> tuple[tuple[str | TempFile, ...], tuple[str, ...]]:
    """The arguments, with a settings file of ours in front where one is needed, the user's own merged into it."""
    needed = _overriding_env(request, settings)
    if not needed:
        return request.argv, ()
    if settings.flag_unreadable:
        return request.argv, (
            f"your settings set {', '.join(needed)}, and your --settings cannot be read: Claude Code may bypass rlmc",
        )
    own = settings.flag_values.get("env")
    merged = {**settings.flag_values, "env": {**(own if isinstance(own, dict) else {}), **needed}}
    rest = request.argv[1:]
    if settings.flag is not None:
        rest = request.argv[1 : settings.flag.start] + request.argv[settings.flag.end :]
    return (request.argv[0], "--settings", TempFile(json.dumps(merged)), *rest), ()


def _overriding_env(request: LaunchRequest, settings: ClaudeSettings) -> dict[str, str]:
    """What must be said with a settings file's force, because another settings file says otherwise."""
    theirs: dict[str, str] = {}
    for source in settings.sources:
        theirs.update(source.env)
    needed = {name: appended(theirs[name], LOOPBACK) for name in NO_PROXY_LISTS if name in theirs}
    needed = {name: value for name, value in needed.items() if value != theirs[name]}
    if BASE_URL in theirs:
        needed[BASE_URL] = request.base_url
    return needed


# --- credentials ----------------------------------------------------------------------------------------------------


def _credentials(
    request: LaunchRequest, settings: ClaudeSettings, seen: Mapping[str, str], files: Files
) -> tuple[dict[str, str], tuple[str, ...]]:
    """A placeholder where the agent needs none but would not start without, and what to say about that."""
    if _has_credential(request, settings, seen, files):
        return {}, ()
    verify, draft = request.verify_model or "", request.draft_model or ""
    elsewhere = bool(verify) and not verify.startswith("anthropic/")
    said = []
    placeholder = {}
    if elsewhere or draft.startswith("sim/"):
        placeholder = {"ANTHROPIC_AUTH_TOKEN": PLACEHOLDER}
        said.append("no Anthropic credential found; Claude Code is given a placeholder so that it starts")
    if not elsewhere:
        said.append(
            "no Anthropic credential found (ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN, apiKeyHelper, or a login): "
            "turns the verify model answers will fail"
        )
    return placeholder, tuple(said)


def _has_credential(request: LaunchRequest, settings: ClaudeSettings, seen: Mapping[str, str], files: Files) -> bool:
    if any(seen.get(name) for name in _CREDENTIALS):
        return True
    if any(source.values.get("apiKeyHelper") for source in settings.all):
        return True
    if any(seen.get(name, "").strip().lower() in _YES for name in _OTHER_CLOUDS):
        return True
    folder = config_dir(request.environ)
    if files.exists(f"{folder}/.credentials.json"):
        return True
    # Where the login itself lies in the system's keychain, only this file tells of it.
    home = folder if request.environ.get("CLAUDE_CONFIG_DIR") else request.environ.get("HOME", "").rstrip("/")
    account = files.read(f"{home}/.claude.json") or ""
    return any(mark in account for mark in _LOGIN_MARKS)
