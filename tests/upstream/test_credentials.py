"""Whose credential pays for a call: a named key first, the client's own key where it fits, a login never unasked."""

from __future__ import annotations

import pytest

from rlmc.domain.outcome import Reason
from rlmc.upstream.credentials import client_credential, own_call_headers
from rlmc.upstream.provider import Provider
from rlmc.upstream.providers import find

KEY = [("x-api-key", "sk-client")]
BEARER = [("authorization", "Bearer sk-client"), ("anthropic-beta", "tools-2026")]
LOGIN = [("authorization", "Bearer oat"), ("anthropic-beta", "a-1, oauth-2025-04-20,b-2")]

CHATGPT = [("authorization", "Bearer jwt"), ("chatgpt-account-id", "acc-1")]


def provider(name: str) -> Provider:
    found = find(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("headers", "login"),
    [
        (KEY, False),
        (BEARER, False),
        (LOGIN, True),
        (LOGIN + KEY, True),
        (CHATGPT, True),
        ([*KEY, CHATGPT[1]], False),
        ([], False),
    ],
)
def test_a_login_is_a_bearer_with_its_beta_or_its_account(headers: list[tuple[str, str]], login: bool) -> None:
    assert client_credential(headers).login is login


def own(
    name: str,
    headers: list[tuple[str, str]],
    keys: dict[str, str] | None = None,
    *,
    same: bool,
    allow: bool = False,
    protocol: str = "anthropic",
) -> object:
    credential = client_credential(headers)
    return own_call_headers(
        provider(name),
        provider(name).endpoint(protocol),
        keys or {},
        credential,
        same_provider=same,
        allow_login=allow,
    )


def test_a_named_key_comes_first_and_travels_in_its_providers_header() -> None:
    assert own("deepseek", KEY, {"DEEPSEEK_API_KEY": "k"}, same=False) == [("x-api-key", "k")]
    assert own("moonshot", KEY, {"MOONSHOT_API_KEY": "k"}, same=False) == [("authorization", "Bearer k")]
    assert own("anthropic", LOGIN, {"ANTHROPIC_API_KEY": "k"}, same=True) == [("x-api-key", "k")]


def test_the_clients_own_key_serves_its_own_provider_alone() -> None:
    assert own("anthropic", KEY, same=True) == KEY
    assert own("anthropic", BEARER, same=True) == BEARER[:1]
    assert own("deepseek", KEY, same=False) is Reason.NO_DRAFT_KEY
    assert own("anthropic", [], same=True) is Reason.NO_DRAFT_KEY


def test_a_login_is_used_only_when_allowed() -> None:
    assert own("anthropic", LOGIN, same=True) is Reason.LOGIN
    assert own("anthropic", LOGIN, same=True, allow=True) == [LOGIN[0], ("anthropic-beta", "oauth-2025-04-20")]
    assert own("anthropic", LOGIN + KEY, same=True) == KEY, "a key beside the login is a key"


def test_a_local_model_needs_no_key_but_takes_one() -> None:
    assert own("ollama", LOGIN, same=False) == []
    assert own("vllm", LOGIN, same=False) == []
    assert own("vllm", [], {"VLLM_API_KEY": "k"}, same=False) == [("authorization", "Bearer k")]


def test_a_key_travels_in_the_header_of_its_endpoint() -> None:
    keys = {"DEEPSEEK_API_KEY": "k", "OPENAI_API_KEY": "k"}
    bearer = [("authorization", "Bearer k")]
    assert own("deepseek", [], keys, same=False, protocol="anthropic") == [("x-api-key", "k")]
    assert own("deepseek", [], keys, same=False, protocol="chat") == bearer
    assert own("openai", [], keys, same=False, protocol="responses") == bearer


def test_the_clients_own_key_is_sent_in_the_header_the_endpoint_reads() -> None:
    sent = [("authorization", "Bearer sk-client")]
    assert own("openrouter", KEY, same=True, protocol="anthropic") == sent
    assert own("openrouter", KEY, same=True, protocol="chat") == sent
    assert own("openai", BEARER, same=True, protocol="responses") == sent
    assert own("openrouter", KEY + sent, same=True, protocol="chat") == sent, "one header"
    assert own("deepseek", BEARER, same=True, protocol="anthropic") == sent, "it may be a token that is no key"


def test_a_chatgpt_login_is_lent_to_nobody() -> None:
    for allow in (False, True):
        for name, protocol in (("openai", "responses"), ("openai", "chat"), ("anthropic", "anthropic")):
            assert own(name, CHATGPT, same=True, allow=allow, protocol=protocol) is Reason.LOGIN
    assert own("openai", CHATGPT, {"OPENAI_API_KEY": "k"}, same=True, protocol="responses") == [
        ("authorization", "Bearer k")
    ]


def test_an_anthropic_login_is_lent_to_messages_alone() -> None:
    assert own("openrouter", LOGIN, same=True, allow=True, protocol="chat") is Reason.LOGIN
