"""Codex: a provider on its command line, because it heeds no base URL of the environment.

Rule: who pays stays who paid: its login, its key, the provider of its configuration. The session's token travels in a
header that Codex fills from the environment, never among the arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from rlmc.config.env import TOKEN_ENV, TOKEN_HEADER
from rlmc.launch.base_url import NO_PROXY_LISTS, foreign, openai_base_url, some
from rlmc.launch.integration import Files, LaunchPlan, LaunchRequest
from rlmc.launch.integrations.codex_settings import OPENAI, CodexSettings, read_settings

CHATGPT = "https://chatgpt.com/backend-api/codex"

_PROVIDER = "rlmc"
_KEY, _OPENAI_KEY = "CODEX_API_KEY", "OPENAI_API_KEY"
_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Codex:
    name = "codex"

    def plan(self, request: LaunchRequest, files: Files) -> LaunchPlan:
        settings = read_settings(request, files)
        past = _leads_past(settings)
        if past is not None:
            return _plan(request, (), {}, f"{past}: Codex bypasses rlmc")
        if settings.own is not None:
            base_url = settings.own.get("base_url")
            upstream = foreign(base_url) if isinstance(base_url, str) else None
            if not base_url and settings.login == "chatgpt" and settings.own.get("requires_openai_auth") is True:
                upstream = CHATGPT
            return _plan(request, _pointed(settings.provider, request), some({"openai": upstream}))
        # A key that comes before the login is none for ChatGPT.
        by_login = settings.login == "chatgpt" and not request.environ.get(_KEY)
        upstream = foreign(settings.openai_base_url) or (CHATGPT if by_login else None)
        options, warnings = _credential(request, settings)
        return _plan(
            request,
            (
                ("model_provider", _PROVIDER),
                (f"model_providers.{_PROVIDER}.name", _PROVIDER),
                (f"model_providers.{_PROVIDER}.wire_api", "responses"),
                *_pointed(_PROVIDER, request),
                *options,
            ),
            some({"openai": upstream}),
            *warnings,
        )


INTEGRATION = Codex()


_Options = tuple[tuple[str, str], ...]


def _plan(request: LaunchRequest, options: _Options, upstreams: Mapping[str, str], *warnings: str) -> LaunchPlan:
    flags = [word for key, value in options for word in ("-c", f"{key}={value}")]
    own = _first_own(request.argv)
    return LaunchPlan(
        argv=(*request.argv[:own], *flags, *request.argv[own:]),
        env={TOKEN_ENV: request.token} if options else {},
        env_lists=NO_PROXY_LISTS,
        seen=request.environ,
        upstreams=upstreams,
        protocol="responses",
        warnings=warnings,
        doubts=(
            "Codex resumes a session only with the provider it began with: one begun without rlmc goes on without it",
            "a managed configuration of Codex may name another provider",
        ),
    )


def _first_own(argv: tuple[str, ...]) -> int:
    """Where Codex's own words begin: behind its name, which may stand behind that of what starts it (`npx codex`)."""
    names = (PurePosixPath(word).name.partition("@")[0] for word in argv)
    return next((position + 1 for position, name in enumerate(names) if name == "codex"), 1)


def _pointed(provider: str, request: LaunchRequest) -> _Options:
    """At rlmc; whatever else the provider's table says stays."""
    return (
        (f"model_providers.{provider}.base_url", openai_base_url(request.origin)),
        (f"model_providers.{provider}.env_http_headers.{TOKEN_HEADER}", TOKEN_ENV),
    )


def _leads_past(settings: CodexSettings) -> str | None:
    """What keeps Codex from coming to rlmc whatever stands in front of the user's own arguments."""
    if settings.oss:
        return "--oss has Codex speak to a model server of this machine"
    if settings.own is None and settings.provider != OPENAI:
        return f"model_provider is {settings.provider!r}, whose address Codex does not let anybody change"
    if f"model_providers.{settings.provider}.base_url" in settings.flagged:
        return f"your -c model_providers.{settings.provider}.base_url wins over rlmc's"
    if settings.own is None and "model_provider" in settings.flagged:
        return "your -c model_provider wins over rlmc's"
    if not _NAME.fullmatch(settings.provider):
        return f"model_provider is {settings.provider!r}, which cannot be named on a command line"
    return None


def _credential(request: LaunchRequest, settings: CodexSettings) -> tuple[_Options, tuple[str, ...]]:
    """In Codex's own order; `OPENAI_API_KEY` of the environment it would not have used, but would ask for a login."""
    env_key = f"model_providers.{_PROVIDER}.env_key"
    login = (f"model_providers.{_PROVIDER}.requires_openai_auth", "true")
    if request.environ.get(_KEY):
        return ((env_key, _KEY),), ()
    if settings.login in ("key", "chatgpt"):
        return (login,), ()
    if settings.login == "keychain":
        return (login,), (
            "Codex keeps its login in the system's keychain, where rlmc does not look. If it is a ChatGPT login, set "
            f'openai_base_url = "{CHATGPT}" in its config.toml, or its turns will fail',
        )
    if request.environ.get(_OPENAI_KEY):
        return ((env_key, _OPENAI_KEY),), ()
    verify = request.verify_model or ""
    if verify and not verify.startswith("openai/"):
        return (), ()
    return (), (
        f"no OpenAI credential found ({_OPENAI_KEY}, {_KEY}, or a login of Codex): turns the verify model answers will "
        "fail",
    )
