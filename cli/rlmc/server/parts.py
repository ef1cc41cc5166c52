"""What a session's turns run with: settings made into providers and a policy. Built whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from rlmc.cascade.policies import POLICIES
from rlmc.cascade.policies.policy import Policy
from rlmc.config.schema import Settings
from rlmc.domain.turn import Model
from rlmc.upstream.provider import Provider
from rlmc.upstream.providers import PROVIDERS

# Whoever answers where the user's agent was pointed before. Not a name a user can give to an upstream.
GATEWAY = "(gateway)"


@dataclass(frozen=True, slots=True)
class Parts:
    """`home` is the provider a client's requests go to when no verify model is named: the one whose credential the
    client holds. `fingerprint` names the settings, so that one can tell whether two turns were decided under the same.
    """

    settings: Settings
    policy: Policy
    providers: Mapping[str, Provider]
    home: Provider
    fingerprint: str

    @property
    def verify_provider(self) -> Provider:
        model = self.settings.verify_model
        return self.providers[self._placed(model).provider] if model else self.home

    def verify_model(self, requested: str) -> Model:
        model = self.settings.verify_model
        return self._placed(model) if model else Model(self.home.name, requested)

    def _placed(self, model: Model) -> Model:
        """Behind a gateway of the user's own, Anthropic's models are asked there: what credential there is, is its."""
        return Model(GATEWAY, model.name) if model.provider == "anthropic" and self.home.name == GATEWAY else model

    def draft_model(self) -> Model | None:
        """The draft model in force, chosen by default where the user named none; None when drafting is off."""
        if self.settings.draft_off:
            return None
        if self.settings.draft_model is not None:
            return self._placed(self.settings.draft_model)
        default = self.verify_provider.default_draft
        return Model(self.verify_provider.name, default) if default else None

    @property
    def simulated(self) -> bool:
        """Whether a model of the embedded kind takes part: its prices are no real money."""
        return "sim" in {
            model.provider for model in (self.draft_model(), self.settings.verify_model) if model is not None
        }

    def who_sees(self) -> list[str]:
        """One line for each party that receives the user's code."""
        lines = [f"verify model: {self.verify_provider.operator} ({host(self.verify_provider)})"]
        draft = self.draft_model()
        if draft is not None:
            provider = self.providers[draft.provider]
            lines.append(f"draft model {draft}: {provider.operator} ({host(provider)})")
        return lines


def host(provider: Provider) -> str:
    """Without credentials, should a base URL hold any."""
    parts = urlsplit(provider.base_url)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or provider.name


def build_parts(settings: Settings, existing_base_url: str | None = None) -> Parts:
    """Settings come checked: their models name a provider that is built in or has a base URL of its own.

    `existing_base_url` is what the user's agent was pointed at before; it stays the upstream of direct turns.
    """
    providers = {p.name: p for p in PROVIDERS}
    for name, own in settings.upstreams.items():
        provider = providers.get(name) or Provider(name, "", "none", None, operator=name)
        if own.base_url is not None:
            provider = replace(provider, base_url=own.base_url.rstrip("/"))
        if own.api_key_env is not None:
            auth = "x-api-key" if provider.auth == "none" else provider.auth
            provider = replace(provider, key_env=own.api_key_env, auth=auth)
        providers[name] = provider
    policy = next(p for p in POLICIES if p.name == settings.policy)
    home = providers["anthropic"]
    if existing_base_url:
        home = _provider_at(existing_base_url, providers)
        providers[home.name] = home
    fingerprint = hashlib.blake2b(repr(settings).encode(), digest_size=6).hexdigest()
    return Parts(settings, policy, providers, home, fingerprint)


def _provider_at(base_url: str, providers: Mapping[str, Provider]) -> Provider:
    """The known provider behind a base URL, or a nameless one whose prices are unknown. A port of this machine tells
    nothing of who bills behind it."""
    url = base_url.rstrip("/")
    for provider in providers.values():
        if not provider.local and urlsplit(provider.base_url).netloc == urlsplit(url).netloc:
            return replace(provider, base_url=url)
    return replace(
        providers["anthropic"],
        name=GATEWAY,
        base_url=url,
        key_env=None,
        operator=urlsplit(url).hostname or "unknown",
        default_draft=None,
    )
