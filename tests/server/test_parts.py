"""Settings made into providers: who is asked, where, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from rlmc.config.load import load
from rlmc.config.paths import providers_dir
from rlmc.domain.turn import Model
from rlmc.errors import ConfigError
from rlmc.server.parts import GATEWAY, OPENAI_GATEWAY, Parts, build_parts, host
from rlmc.upstream.providers import built_in, names

GATE = "https://gate.example/llm"


def parts(
    text: str = "", existing: Mapping[str, str] | None = None, protocol: str = "anthropic", **flags: str
) -> Parts:
    settings = load(Path("none"), env={}, flags=flags, providers=names(), text=text).settings
    return build_parts(settings, existing, protocol)


def addresses(found: Parts, name: str) -> dict[str, str]:
    return {one.protocol: one.url for one in found.providers[name].endpoints}


def test_without_settings_a_client_is_answered_by_its_own_vendor() -> None:
    found = parts()
    assert {protocol: found.home(protocol).name for protocol in ("anthropic", "chat", "responses")} == {
        "anthropic": "anthropic",
        "chat": "openai",
        "responses": "openai",
    }
    assert found.verify_model("claude-x") == Model("anthropic", "claude-x")
    assert found.verify_model("gpt-x", "chat") == Model("openai", "gpt-x")
    assert found.draft_model("anthropic") == Model("anthropic", "claude-haiku-5-5")
    assert found.draft_model("responses") == Model("openai", "gpt-6-luna")


def test_what_is_said_without_a_protocol_is_of_what_the_agent_mainly_speaks() -> None:
    found = parts(protocol="responses")
    assert found.home().name == found.verify_provider().name == "openai"
    assert found.draft_model() == Model("openai", "gpt-6-luna")
    assert found.who_sees() == [
        "verify model: OpenAI (api.openai.com)",
        "draft model openai/gpt-6-luna: OpenAI (api.openai.com)",
    ]


def test_a_named_verify_model_is_it_for_every_protocol() -> None:
    found = parts(**{"verify-model": "deepseek/deepseek-v4-pro"})
    for protocol in ("anthropic", "chat", "responses"):
        assert found.verify_model("any", protocol) == Model("deepseek", "deepseek-v4-pro")
        assert found.verify_provider(protocol).name == "deepseek"
        assert found.draft_model(protocol) is None, "none is known to be cheap there"
    assert found.home("chat").name == "openai", "whose credential a client holds is another question"


def test_a_session_is_simulated_by_its_main_protocols_models() -> None:
    assert not parts().simulated
    assert parts(**{"draft-model": "sim/draft"}).simulated
    assert parts(**{"verify-model": "sim/verify"}, protocol="chat").simulated


def test_settings_have_a_fingerprint() -> None:
    assert parts().fingerprint == parts().fingerprint != parts(policy="economy").fingerprint


# --- where the agent was pointed before --------------------------------------------------------------------------


def test_an_openai_gateway_answers_both_of_its_protocols() -> None:
    found = parts(existing={"openai": GATE}, protocol="responses")
    assert found.home("chat").name == found.home("responses").name == OPENAI_GATEWAY
    assert found.home("anthropic").name == "anthropic"
    assert addresses(found, OPENAI_GATEWAY) == {"responses": GATE, "chat": GATE}
    assert found.draft_model() is None, "what is cheap there is not known"
    assert found.who_sees() == ["verify model: gate.example (gate.example)"]


def test_two_gateways_are_two() -> None:
    found = parts(existing={"anthropic": GATE, "openai": "https://other.example"})
    assert (found.home("anthropic").name, found.home("chat").name) == (GATEWAY, OPENAI_GATEWAY)
    assert addresses(found, GATEWAY) == {"anthropic": GATE}
    assert addresses(found, OPENAI_GATEWAY)["chat"] == "https://other.example/v1"


@pytest.mark.parametrize(
    ("vendor", "model", "gateway"),
    [("anthropic", "anthropic/claude-haiku-5-5", GATEWAY), ("openai", "openai/gpt-6-luna", OPENAI_GATEWAY)],
)
def test_a_vendors_models_are_asked_at_its_gateway(vendor: str, model: str, gateway: str) -> None:
    found = parts(existing={vendor: GATE}, **{"draft-model": model, "verify-model": model})
    name = model.partition("/")[2]
    assert found.draft_model() == found.verify_model("any") == Model(gateway, name)
    assert found.providers[gateway].key_env is None, "a key of the vendor's is none of the gateway's"


def test_a_gateway_that_is_a_known_provider_is_that_one() -> None:
    found = parts(existing={"anthropic": "https://api.deepseek.com/anthropic/", "openai": "https://api.z.ai/api/v4"})
    assert (found.home("anthropic").name, found.home("chat").name) == ("deepseek", "zai")
    assert addresses(found, "deepseek") == {one.protocol: one.url for one in built_in("deepseek").endpoints}
    assert addresses(found, "zai")["chat"] == "https://api.z.ai/api/v4"
    assert addresses(found, "zai")["anthropic"] == "https://api.z.ai/api/anthropic"


def test_a_gateway_with_many_paths_is_many_providers() -> None:
    """A draft model's address beside the agent's own on one host stays where it was set."""
    text = '[upstream.cheap]\nbase-url = "https://gate.example/cheap"\n[upstream.dear]\nbase-url = "https://gate.example/llm"'
    found = parts(text, existing={"anthropic": GATE})
    assert addresses(found, "cheap") == {"anthropic": "https://gate.example/cheap"}
    assert found.home("anthropic").name == "dear"


@pytest.mark.parametrize("url", ["http://localhost:11434/v1", "http://127.0.0.1:8000"])
def test_a_local_port_is_a_gateway(url: str) -> None:
    assert parts(existing={"openai": url}).home("chat").name == OPENAI_GATEWAY


# --- what the user says of a provider ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found", "auth"),
    [
        ('base-url = "https://a.example/v1"', {"anthropic": "https://a.example"}, "none"),
        ('base-url = "https://a.example"\nprotocol = "chat"', {"chat": "https://a.example/v1"}, "none"),
        (
            'base-url = "https://a.example/x"\nprotocol = "responses"\napi-key-env = "K"',
            {"responses": "https://a.example/x"},
            "bearer",
        ),
        ('base-url = "https://a.example"\napi-key-env = "K"', {"anthropic": "https://a.example"}, "x-api-key"),
    ],
)
def test_a_provider_of_the_users_own(text: str, found: dict[str, str], auth: str) -> None:
    built = parts(f"[upstream.my-own]\n{text}")
    assert addresses(built, "my-own") == found
    assert {one.auth for one in built.providers["my-own"].endpoints} == {auth}
    assert host(built.providers["my-own"]) == "a.example"


def test_a_protocol_alone_leaves_one_of_the_known_endpoints() -> None:
    built = parts('[upstream.deepseek]\nprotocol = "chat"')
    assert addresses(built, "deepseek") == {"chat": "https://api.deepseek.com"}
    assert built.providers["deepseek"].endpoint("anthropic").shape.reasoning_off == {"thinking": {"type": "disabled"}}


def test_address_and_protocol_replace_all_endpoints_and_keep_the_shape() -> None:
    built = parts('[upstream.deepseek]\nbase-url = "https://a.example/anthropic"\nprotocol = "chat"')
    (one,) = built.providers["deepseek"].endpoints
    assert one == replace(built_in("deepseek").endpoint("chat"), url="https://a.example/anthropic")


def test_a_protocol_the_provider_is_not_known_to_speak_wants_an_address_and_takes_its_key() -> None:
    with pytest.raises(ConfigError, match=r"upstream\.zai\.protocol") as raised:
        parts('[upstream.zai]\nprotocol = "responses"')
    assert "upstream.zai.base-url" in str(raised.value.hint)
    built = parts('[upstream.zai]\nprotocol = "responses"\nbase-url = "https://api.z.ai/api/v1"')
    (one,) = built.providers["zai"].endpoints
    assert (one.protocol, one.url, one.auth) == ("responses", "https://api.z.ai/api/v1", "bearer")


def test_another_variable_for_the_key_changes_nothing_else() -> None:
    built = parts('[upstream.openai]\napi-key-env = "WORK_KEY"').providers["openai"]
    assert built == replace(built_in("openai"), key_env="WORK_KEY")
    local = parts('[upstream.ollama]\napi-key-env = "K"').providers["ollama"]
    assert [one.auth for one in local.endpoints] == ["x-api-key", "bearer", "bearer"]


def test_settings_go_over_the_users_own_file_too() -> None:
    put("acme", OWN)
    built = parts('[upstream.acme]\nbase-url = "https://b.example"', **{"draft-model": "acme/small"})
    assert addresses(built, "acme") == {"chat": "https://b.example/v1"}
    assert built.draft_model() == Model("acme", "small")
    assert built.who_sees()[1] == "draft model acme/small: Acme Corp. (b.example)"


def test_a_model_of_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown provider acme"):
        parts(**{"draft-model": "acme/small"})


def test_a_broken_file_that_nobody_asks_for_is_left_out_and_named() -> None:
    file = put("acme", "endpoint = 1")
    built = parts()
    assert "acme" not in built.providers
    assert len(built.left_out) == 1
    assert str(file) in built.left_out[0]


@pytest.mark.parametrize(("name", "flags"), [("acme", {"draft-model": "acme/small"}), ("anthropic", {})])
def test_a_broken_file_that_is_needed_is_an_error_before_anything_runs(name: str, flags: dict[str, str]) -> None:
    file = put(name, "endpoint = 1")
    with pytest.raises(ConfigError) as raised:
        parts(**flags)
    assert str(file) in raised.value.message


OWN = """
operator = "Acme Corp."
key-env = "ACME_KEY"
[[endpoint]]
protocol = "chat"
url = "https://api.acme.example/v1"
auth = "bearer"
"""


def put(name: str, text: str) -> Path:
    file = providers_dir() / f"{name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file
