"""What a session's turns run with: settings made into providers and a policy. Built whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from dataclasses import field, replace
from typing import Any
from urllib.parse import urlsplit

from rlmc.cascade.policies import POLICIES
from rlmc.cascade.policies.policy import Policy
from rlmc.config.schema import Settings, UpstreamSettings
from rlmc.domain.frozen import dataclass
from rlmc.domain.turn import Model
from rlmc.errors import ConfigError
from rlmc.upstream.addresses import base_of, moved
from rlmc.upstream.provider import Auth, Endpoint, Provider
from rlmc.upstream.providers import find, providers

# Whoever answers where the user's agent was pointed before. Not names a user can give to an upstream.
GATEWAY = "(gateway)"
OPENAI_GATEWAY = "(openai-gateway)"
GATEWAYS = {"anthropic": GATEWAY, "openai": OPENAI_GATEWAY}
"""By vendor: who answers in its place where its base URL was set to something else."""
# The vendor whose clients speak a protocol.
_VENDOR_OF = {"anthropic": "anthropic", "chat": "openai", "responses": "openai"}


@dataclass(frozen=True, slots=True)
class Parts:
    """`homes` are the providers a client's requests go to when no verify model is named, by protocol: the ones whose
    credential the client holds. `protocol` is what the session's agent mainly speaks, and is meant where none is named.
    `left_out` says which of the user's provider files cannot be read. `fingerprint` names the settings, so that one can
    tell whether two turns were decided under the same.
    """

    settings: Settings
    policy: Policy
    providers: Mapping[str, Provider]
    homes: Mapping[str, Provider]
    protocol: str
    fingerprint: str
    left_out: tuple[str, ...] = ()
    # See `way_to`, which asks the same few questions at every turn.
    ways: dict[tuple[str, Model], Any] = field(default_factory=dict, compare=False, repr=False)

    def home(self, protocol: str | None = None) -> Provider:
        return self.homes[protocol or self.protocol]

    def verify_provider(self, protocol: str | None = None) -> Provider:
        model = self.settings.verify_model
        return self.providers[self._placed(model).provider] if model else self.home(protocol)

    def verify_model(self, requested: str, protocol: str | None = None) -> Model:
        model = self.settings.verify_model
        return self._placed(model) if model else Model(self.home(protocol).name, requested)

    def _placed(self, model: Model) -> Model:
        """Behind a gateway of the user's own, its vendor's models are asked there: what credential there is, is its."""
        gateway = GATEWAYS.get(model.provider, "")
        return Model(gateway, model.name) if gateway in self.providers else model

    def draft_model(self, protocol: str | None = None) -> Model | None:
        """The draft model in force, chosen by default where the user named none; None when drafting is off."""
        if self.settings.draft_off:
            return None
        if self.settings.draft_model is not None:
            return self._placed(self.settings.draft_model)
        verify = self.verify_provider(protocol)
        return Model(verify.name, verify.default_draft) if verify.default_draft else None

    @property
    def simulated(self) -> bool:
        """Whether a model of the embedded kind takes part: its prices are no real money."""
        return "sim" in {
            model.provider for model in (self.draft_model(), self.settings.verify_model) if model is not None
        }

    def who_sees(self) -> list[str]:
        """One line for each party that receives the user's code."""
        lines = [f"verify model: {self.verify_provider().operator} ({host(self.verify_provider())})"]
        draft = self.draft_model()
        if draft is not None:
            provider = self.providers[draft.provider]
            lines.append(f"draft model {draft}: {provider.operator} ({host(provider)})")
        return lines


def host(provider: Provider) -> str:
    """Without credentials, should a base URL hold any."""
    parts = urlsplit(provider.base_url)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or provider.name


def build_parts(settings: Settings, existing: Mapping[str, str] | None = None, protocol: str = "anthropic") -> Parts:
    """Settings come checked: their models name a provider that is built in or has a base URL of its own.

    `existing` is what the user's agent was pointed at before, by vendor (`anthropic`, `openai`); it stays the upstream
    of direct turns. `protocol` is what the agent mainly speaks.
    """
    readable, faults = providers()
    found = {p.name: p for p in readable}
    named = {model.provider for model in (settings.draft_model, settings.verify_model) if model is not None}
    for name in (*GATEWAYS, *settings.upstreams, *sorted(named)):
        if name not in found:
            find(name)  # a file that is asked for and cannot be read is an error
    for name, own in settings.upstreams.items():
        found[name] = _as_set(name, found.get(name), own)
    policy = next(p for p in POLICIES if p.name == settings.policy)
    vendors = {vendor: found[vendor] for vendor in GATEWAYS}
    moved_by_user = {name for name, own in settings.upstreams.items() if own.base_url is not None}
    for vendor, url in (existing or {}).items():
        vendors[vendor] = _provider_at(url, vendor, found, moved_by_user)
        found[vendors[vendor].name] = vendors[vendor]
    homes = {spoken: vendors[vendor] for spoken, vendor in _VENDOR_OF.items()}
    fingerprint = hashlib.blake2b(repr(settings).encode(), digest_size=6).hexdigest()
    return Parts(settings, policy, found, homes, protocol, fingerprint, tuple(fault.message for fault in faults))


def _as_set(name: str, provider: Provider | None, own: UpstreamSettings) -> Provider:
    """A provider with what the user says of it. One that is not known is the user's own."""
    key_env = own.api_key_env or (provider.key_env if provider else None)
    known = () if provider is None else provider.endpoints
    endpoints = known
    if own.protocol is not None:
        new = Endpoint(own.protocol, "", _OWN_AUTH[own.protocol] if key_env else "none")
        endpoints = tuple(one for one in known if one.protocol == own.protocol) or (new,)
    if own.base_url is not None:
        endpoints = moved(endpoints, own.base_url)
    if not endpoints[0].url:
        raise ConfigError(
            f"upstream.{name}.protocol: {name} is not known to speak {own.protocol}",
            f"Set upstream.{name}.base-url to where it does, or unset the protocol.",
        )
    if own.api_key_env is not None:
        endpoints = tuple(
            replace(one, auth=_OWN_AUTH[one.protocol] if one.auth == "none" else one.auth) for one in endpoints
        )
    if provider is None:
        return Provider(name, endpoints, key_env, operator=name)
    return replace(provider, endpoints=endpoints, key_env=key_env)


_OWN_AUTH: Mapping[str, Auth] = {"anthropic": "x-api-key", "chat": "bearer", "responses": "bearer"}


def _provider_at(base_url: str, vendor: str, known: Mapping[str, Provider], moved: Container[str]) -> Provider:
    """The known provider behind a base URL, or a nameless one whose prices are unknown. A port of this machine tells
    nothing of who bills behind it, nor does a host of those the user has `moved` there: a gateway has many paths."""
    url = base_url.rstrip("/")
    spoken = {protocol for protocol, of in _VENDOR_OF.items() if of == vendor}
    for provider in known.values():
        if provider.local:
            continue
        if provider.name in moved:
            here = tuple(one for one in provider.endpoints if one.url == base_of(url, one.protocol))
        else:
            here = tuple(one for one in provider.endpoints if urlsplit(one.url).netloc == urlsplit(url).netloc)
        same = tuple(one for one in here if one.protocol in spoken)
        if same:
            here_now = {one.protocol: replace(one, url=base_of(url, one.protocol)) for one in same}
            return replace(provider, endpoints=tuple(here_now.get(one.protocol, one) for one in provider.endpoints))
    endpoints = tuple(replace(one, url=base_of(url, one.protocol)) for one in known[vendor].endpoints)
    return replace(
        known[vendor],
        name=GATEWAYS[vendor],
        endpoints=endpoints,
        key_env=None,
        operator=urlsplit(url).hostname or "unknown",
        default_draft=None,
    )
