"""Whose credential pays for a call, and in which header it travels.

Rule: a subscription login is passed through with the client's own request and never used for a call of rlmc's own,
unless the user has allowed it. Keys live in memory, never in a log, the ledger or an error text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Reason
from rlmc.upstream.provider import Endpoint, Provider
from rlmc.upstream.transport import Headers

LOGIN_BETA = "oauth-2025-04-20"
_CHATGPT_ACCOUNT = "chatgpt-account-id"
AUTH_HEADERS = frozenset({"authorization", "x-api-key"})


@dataclass(frozen=True, slots=True)
class ClientCredential:
    """What the client sent. `headers` are its authentication headers as received; `login` marks a subscription,
    `account` one to ChatGPT, which is lent to nobody."""

    headers: tuple[tuple[str, str], ...]
    login: bool
    account: bool = False

    @property
    def present(self) -> bool:
        return bool(self.headers)


def client_credential(headers: Sequence[tuple[str, str]]) -> ClientCredential:
    """Reads a request's headers (names in lower case). Any Bearer is a key, unless something beside it says that it is
    a login: Anthropic's beta, or the account of a ChatGPT subscription."""
    auth = tuple((k, v) for k, v in headers if k in AUTH_HEADERS and v)
    betas = ",".join(v for k, v in headers if k == "anthropic-beta")
    bearer = any(k == "authorization" for k, _ in auth)
    account = bearer and any(k == _CHATGPT_ACCOUNT for k, _ in headers)
    login = account or (bearer and LOGIN_BETA in {b.strip() for b in betas.split(",")})
    return ClientCredential(auth, login, account)


def own_call_headers(
    provider: Provider,
    endpoint: Endpoint,
    keys: Mapping[str, str],
    client: ClientCredential,
    *,
    same_provider: bool,
    allow_login: bool,
) -> Headers | Reason:
    """The authentication headers for a call rlmc makes on its own at `provider`, or why it must not make one.

    A key named by the configuration comes first; else the client's own key, where it is this provider's.
    """
    if endpoint.auth == "none":
        return []
    key = keys.get(provider.key_env or "")
    if key:
        return [key_header(endpoint, key)]
    if provider.local:
        return []
    if not same_provider or not client.present:
        return Reason.NO_DRAFT_KEY
    if client.login:
        beside_it = [_for(endpoint, k, v) for k, v in client.headers if k == "x-api-key"]
        if beside_it:
            return beside_it
        if not allow_login or client.account or endpoint.protocol != "anthropic":
            return Reason.LOGIN
        return [*client.headers, ("anthropic-beta", LOGIN_BETA)]
    return list(dict(_for(endpoint, k, v) for k, v in client.headers).items())


def _for(endpoint: Endpoint, name: str, value: str) -> tuple[str, str]:
    """A key of the client's in the header the endpoint reads. A Bearer stays one: all of them read that, and what is
    in it may be a token that is no key."""
    return key_header(endpoint, value) if name == "x-api-key" else (name, value)


def key_header(endpoint: Endpoint, key: str) -> tuple[str, str]:
    return ("x-api-key", key) if endpoint.auth == "x-api-key" else ("authorization", f"Bearer {key}")
