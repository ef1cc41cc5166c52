"""Whose credential pays for a call, and in which header it travels.

Rule: a subscription login is passed through with the client's own request and never used for a call of rlmc's own,
unless the user has allowed it. Keys live in memory, never in a log, the ledger or an error text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rlmc.domain.outcome import Reason
from rlmc.upstream.provider import Provider
from rlmc.upstream.transport import Headers

LOGIN_BETA = "oauth-2025-04-20"
AUTH_HEADERS = frozenset({"authorization", "x-api-key"})


@dataclass(frozen=True, slots=True)
class ClientCredential:
    """What the client sent. `headers` are its authentication headers as received; `login` marks a subscription."""

    headers: tuple[tuple[str, str], ...]
    login: bool

    @property
    def present(self) -> bool:
        return bool(self.headers)


def client_credential(headers: Iterable[tuple[str, str]]) -> ClientCredential:
    """Reads a request's headers (names in lower case). Any Bearer without the login beta is a key."""
    auth = tuple((k, v) for k, v in headers if k in AUTH_HEADERS and v)
    betas = ",".join(v for k, v in headers if k == "anthropic-beta")
    bearer = any(k == "authorization" for k, _ in auth)
    login = bearer and LOGIN_BETA in {b.strip() for b in betas.split(",")}
    return ClientCredential(auth, login)


def own_call_headers(
    provider: Provider,
    keys: Mapping[str, str],
    client: ClientCredential,
    *,
    same_provider: bool,
    allow_login: bool,
) -> Headers | Reason:
    """The authentication headers for a call rlmc makes on its own at `provider`, or why it must not make one.

    A key named by the configuration comes first; else the client's own key, where it is this provider's.
    """
    if provider.auth == "none":
        return []
    key = keys.get(provider.key_env or "")
    if key:
        return [key_header(provider, key)]
    if provider.local:
        return []
    if not same_provider or not client.present:
        return Reason.NO_DRAFT_KEY
    if client.login:
        beside_it = [(k, v) for k, v in client.headers if k == "x-api-key"]
        if beside_it:
            return beside_it
        if not allow_login:
            return Reason.LOGIN
        return [*client.headers, ("anthropic-beta", LOGIN_BETA)]
    return list(client.headers)


def key_header(provider: Provider, key: str) -> tuple[str, str]:
    return ("x-api-key", key) if provider.auth == "x-api-key" else ("authorization", f"Bearer {key}")
