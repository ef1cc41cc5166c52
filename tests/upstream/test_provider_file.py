"""A provider's file: what it says is what the provider is, and what it says wrongly is told with the way out."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest
import tomli_w

from rlmc.domain.shape import ReasoningBack, Shape
from rlmc.errors import ConfigError
from rlmc.upstream.provider import Provider
from rlmc.upstream.provider_file import read_provider

Json = dict[str, Any]

CHAT: Json = {"protocol": "chat", "url": "https://api.acme.example/v1", "auth": "bearer"}


def whole(**changes: Any) -> Json:
    return {"key-env": "ACME_KEY", "endpoint": [CHAT]} | changes


def read(table: Json, name: str = "acme") -> Provider:
    return read_provider(name, tomli_w.dumps(table), f"/p/{name}.toml")


def shaped(**fields: Any) -> Json:
    return whole(endpoint=[CHAT | {"shape": fields}])


def test_the_least_there_can_be() -> None:
    found = read(whole())
    (endpoint,) = found.endpoints
    assert (found.name, found.operator, found.key_env, found.local) == ("acme", "acme", "ACME_KEY", False)
    assert (found.default_draft, found.media_models, found.effort_models) == (None, (), ())
    assert found.context_of("any") == 128_000
    assert (endpoint.protocol, endpoint.url, endpoint.auth) == ("chat", "https://api.acme.example/v1", "bearer")
    assert endpoint.shape_of("any") == Shape()
    assert endpoint.address("/v1/chat/completions") == "https://api.acme.example/v1/chat/completions"


def test_the_order_of_the_file_is_the_order_of_preference() -> None:
    messages = {"protocol": "anthropic", "url": "https://api.acme.example/", "auth": "x-api-key"}
    found = read(whole(endpoint=[CHAT, messages]))
    assert found.base_url == "https://api.acme.example/v1"
    assert [found.endpoint(name).protocol for name in ("chat", "anthropic", "responses")] == [
        "chat",
        "anthropic",
        "chat",
    ]
    assert found.endpoint("anthropic").address("/v1/messages") == "https://api.acme.example/v1/messages"


@pytest.mark.parametrize("field", list(get_type_hints(Shape)))
def test_every_field_of_a_shape_can_be_said(field: str) -> None:
    """A field with a kind of value the reader does not know would be noticed here."""
    default = getattr(Shape(), field)
    other: Any
    match default:
        case bool():
            other = not default
        case frozenset() | tuple():
            other = ["a", "b"]
        case None:
            other = 5
        case str():
            other = {"reasoning_back": "always", "thinking_off": "omit", "output_limit": "max_completion_tokens",
                     "system_role": "developer"}.get(field, "thoughts")  # fmt: skip
        case _:
            other = {"x": {"y": [1]}}
    found = read(shaped(**{field.replace("_", "-"): other})).endpoints[0].shape
    said = getattr(found, field)
    assert (sorted(said) if isinstance(said, frozenset | tuple) else said) == other
    assert type(said) is type(default) or default is None


def test_a_variant_differs_from_its_endpoints_shape_alone() -> None:
    shape = {"max-output": 10, "efforts": ["low"], "reasoning-back": "if_all"}
    variants = [{"prefix": "big-new", "efforts": []}, {"prefix": "big", "max-output": 99}, {"prefix": "big-never"}]
    endpoint = read(whole(endpoint=[CHAT | {"shape": shape, "variant": variants}])).endpoints[0]
    base = endpoint.shape
    assert (base.max_output, base.efforts, base.reasoning_back) == (10, ("low",), "if_all")
    new, big, never = (endpoint.shape_of(name) for name in ("big-new-2", "big", "big-never"))
    assert (new.max_output, new.efforts, new.reasoning_back) == (10, (), "if_all")
    assert (big.max_output, big.efforts) == (99, ("low",))
    assert never == big, "the first that fits counts"
    assert endpoint.shape_of("small") is base


def without(table: Json, key: str) -> Json:
    return {name: value for name, value in table.items() if name != key}


@pytest.mark.parametrize(
    ("table", "where", "way_out"),
    [
        (whole(operatr="x"), "operatr", "operator?"),
        (whole(api="x"), "api", "Known: "),
        (whole(operator=1), "operator", "providers.md"),
        (whole(local="yes"), "local", "providers.md"),
        (whole(**{"key-env": "not a name"}), "key-env", "MY_API_KEY"),
        (without(whole(), "key-env"), "key-env", 'auth = "none"'),
        (whole(endpoint=[CHAT | {"auth": "none"}]), "key-env", '"bearer"'),
        (without(whole(), "endpoint"), "endpoint", "[[endpoint]]"),
        (whole(endpoint=[CHAT, CHAT]), "endpoint", "Keep the one"),
        (whole(endpoint=CHAT), "endpoint", "providers.md"),
        (whole(context={"": "long"}), "context", "200_000"),
        (whole(context={"": 0}), "context", "200_000"),
        (whole(context={"": True}), "context", "200_000"),
        (whole(**{"media-models": "claude-"}), "media-models", "providers.md"),
        (whole(endpoint=[CHAT | {"protcol": "x"}]), "endpoint 1: protcol", "protocol?"),
        (whole(endpoint=[CHAT | {"protocol": "grpc"}]), "endpoint 1: protocol", "One of anthropic, chat, responses"),
        (whole(endpoint=[without(CHAT, "auth")]), "endpoint 1: auth: is missing", "x-api-key"),
        (whole(endpoint=[without(CHAT, "url")]), "endpoint 1: url", "/v1"),
        (whole(endpoint=[CHAT | {"url": "api.acme.example"}]), "endpoint 1: url", "https://"),
        (whole(endpoint=[CHAT | {"url": "ftp://api.acme.example"}]), "endpoint 1: url", "https://"),
        (whole(endpoint=[CHAT | {"url": "sim://models"}]), "endpoint 1: url", "https://"),
        (whole(endpoint=[CHAT | {"url": "https://a.example/v1?x=1"}]), "endpoint 1: url", "Leave out"),
        (whole(endpoint=[CHAT | {"url": "https://a.example/v1/chat/completions"}]), "endpoint 1: url", "SDK"),
        (whole(endpoint=[CHAT | {"protocol": "anthropic"}]), "endpoint 1: url", "Leave out /v1"),
        (whole(endpoint=[CHAT | {"variant": [{"efforts": []}]}]), "endpoint 1: variant 1: prefix", "begin"),
        (whole(endpoint=[CHAT | {"variant": [{"prefix": "a", "effort": []}]}]), "variant 1: effort", "efforts?"),
        (shaped(tool_choice=True), "endpoint 1: shape.tool_choice", "tool-choice?"),
        (shaped(**{"tool-choice": "no"}), "endpoint 1: shape.tool-choice", "providers.md"),
        (shaped(**{"tool-choice": 1}), "shape.tool-choice", "providers.md"),
        (shaped(**{"max-output": "much"}), "shape.max-output", "providers.md"),
        (shaped(**{"max-output": True}), "shape.max-output", "providers.md"),
        (shaped(**{"max-output": 0}), "shape.max-output", "providers.md"),
        (shaped(**{"drop-fields": "top_p"}), "shape.drop-fields", "providers.md"),
        (shaped(efforts=[1]), "shape.efforts", "providers.md"),
        (shaped(extra="x"), "shape.extra", "providers.md"),
        (shaped(**{"reasoning-back": "maybe"}), ", ".join(get_args(ReasoningBack)), "providers.md"),
        (shaped(**{"output-limit": []}), "shape.output-limit", "providers.md"),
    ],
)
def test_what_is_wrong_is_named_with_a_way_out(table: Json, where: str, way_out: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(table)
    assert raised.value.message.startswith("/p/acme.toml: ")
    assert where in raised.value.message
    assert way_out in str(raised.value.hint)


@pytest.mark.parametrize("text", ["= 1", "[[endpoint]", 'operator = "a"\noperator = "b"'])
def test_a_file_that_is_no_toml_says_where(text: str) -> None:
    with pytest.raises(ConfigError, match=r"line 1|end of document") as raised:
        read_provider("acme", text, "/p/acme.toml")
    assert raised.value.message.startswith("/p/acme.toml ")


@pytest.mark.parametrize("name", ["Acme", "my provider", "a_b", "-a", "a.", "é", ""])
def test_a_name_nobody_could_write_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be one"):
        read(whole(), name)


def test_what_is_simulated_has_one_name_and_no_other() -> None:
    """Its money is no real money, and is told by the name."""
    sim = {"protocol": "anthropic", "url": "sim://models", "auth": "none"}
    assert read({"endpoint": [sim]}, "sim").base_url == "sim://models"
    with pytest.raises(ConfigError, match="simulated"):
        read(whole(), "sim")
    with pytest.raises(ConfigError, match="url"):
        read({"endpoint": [sim]}, "acme")


KEY = "sk-ant-api03-Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA"


@pytest.mark.parametrize(
    "table",
    [
        whole(**{"key-env": KEY}),
        whole(local=KEY),
        whole(endpoint=[CHAT | {"auth": KEY}]),
        whole(endpoint=[CHAT | {"url": f"https://user:{KEY}@api.acme.example/v1"}]),
        whole(endpoint=[CHAT | {"url": KEY}]),
        shaped(**{"system-role": KEY}),
        shaped(**{"max-output": KEY}),
    ],
)
def test_a_key_in_the_wrong_place_is_not_repeated(table: Json) -> None:
    with pytest.raises(ConfigError) as raised:
        read(table)
    assert KEY not in raised.value.message + str(raised.value.hint)
