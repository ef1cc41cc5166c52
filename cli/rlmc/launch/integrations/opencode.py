"""opencode: the environment, and a configuration in it where the user's files say otherwise.

Rule: a provider is named in that configuration only where the user has named it: opencode takes a provider that stands
in a configuration for one with a credential, and would offer its models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from rlmc.launch.base_url import NO_PROXY_LISTS, foreign, openai_base_url, some, upstream_of
from rlmc.launch.integration import Files, LaunchPlan, LaunchRequest
from rlmc.launch.integrations.generic import sdk_environment
from rlmc.launch.integrations.jsonc import inner
from rlmc.launch.integrations.opencode_settings import CONTENT, OpencodeSettings, read_settings
from rlmc.launch.integrations.words import last_value

_PROTOCOLS = {"anthropic": "anthropic", "openai": "responses"}


class Opencode:
    name = "opencode"

    def plan(self, request: LaunchRequest, files: Files) -> LaunchPlan:
        settings = read_settings(request, files)
        named = [vendor for vendor in _PROTOCOLS if vendor in settings.base_urls]
        model = last_value(request.argv, "--model", "-m") or settings.model or ""
        provider = model.partition("/")[0]
        env = sdk_environment(request.base_url)
        if named and settings.content is not None:
            env[CONTENT] = _content(settings.content, named, openai_base_url(request.base_url))
        upstreams = {
            vendor: foreign(settings.base_urls.get(vendor)) or upstream_of(request.environ, vendor)
            for vendor in _PROTOCOLS
        }
        return LaunchPlan(
            argv=request.argv,
            env=env,
            env_lists=NO_PROXY_LISTS,
            seen=request.environ,
            upstreams=some(upstreams),
            protocol=_PROTOCOLS.get(provider, "anthropic"),
            warnings=tuple(_bypasses(settings, named, provider)),
            doubts=("only its providers anthropic and openai are led through rlmc, not others of its configuration",),
        )


INTEGRATION = Opencode()


def _content(content: Mapping[str, object], named: list[str], base_url: str) -> str:
    """The user's own configuration of the environment, with our address in it."""
    providers = dict(inner(content, "provider"))
    for name in named:
        own = inner(providers, name)
        providers[name] = {**own, "options": {**inner(own, "options"), "baseURL": base_url}}
    return json.dumps({**content, "provider": providers})


def _bypasses(settings: OpencodeSettings, named: list[str], provider: str) -> list[str]:
    warnings = []
    if named and settings.content is None:
        warnings.append(
            f"your configuration sets a base URL for {' and '.join(named)}, and {CONTENT} cannot be read: opencode may "
            "bypass rlmc"
        )
    warnings += [
        f"your organisation's configuration sets a base URL for {vendor}, which nothing overrides: opencode bypasses "
        "rlmc"
        for vendor in _PROTOCOLS
        if vendor in settings.managed
    ]
    if "openai" in settings.logins:
        warnings.append("opencode has a ChatGPT login: with it, its OpenAI models bypass rlmc")
    if provider and provider not in _PROTOCOLS:
        warnings.append(
            f"opencode's model is of the provider {provider}: only anthropic and openai are led through rlmc. To use "
            "another vendor's model, name it as verify-model"
        )
    return warnings
