from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.config import values
from rlmc.config.schema import KEYS, TOOL_KEYS, UPSTREAM_KEYS
from rlmc.config.values import BadValue
from rlmc.domain.turn import Model

ANY_PARSER = st.sampled_from([key.parse for key in (*KEYS, *UPSTREAM_KEYS, *TOOL_KEYS)])
ANY_RAW = st.one_of(
    st.text(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.none(),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(["9" * 5000, "1e999999999", "http://[", "http://a:99999999", "a/" + "x" * 10_000]),
)


@given(ANY_PARSER, ANY_RAW)
def test_any_value_is_checked_or_refused(parser: values.Parser, raw: object) -> None:
    with contextlib.suppress(BadValue):
        parser(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(True, True), (False, False), ("true", True), ("ON", True), ("yes", True), ("0", False), (" off ", False)],
)
def test_boolean(raw: object, expected: bool) -> None:
    assert values.boolean(raw) is expected


@pytest.mark.parametrize("raw", [1, 0, "maybe", "", None, 1.0])
def test_boolean_refuses(raw: object) -> None:
    with pytest.raises(BadValue):
        values.boolean(raw)


@pytest.mark.parametrize("raw", [-1, 65536, True, "x", "8080.5", Decimal("1.5"), float("nan"), Decimal("Infinity"), ""])
def test_whole_refuses(raw: object) -> None:
    with pytest.raises(BadValue):
        values.Whole(0, 65535)(raw)


def test_whole_accepts_both_ends() -> None:
    assert [values.Whole(0, 65535)(raw) for raw in (0, "65535", Decimal(30))] == [0, 65535, 30]


def test_zero_seconds_only_where_zero_means_something() -> None:
    assert values.Seconds(10, zero=True)("0") == 0.0
    for raw in (0, "-1", "0.0001", 11, "30s", True):
        with pytest.raises(BadValue):
            values.Seconds(10)(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (33554432, 33554432),
        ("33554432", 33554432),
        ("32MiB", 32 * 1024**2),
        ("32 mb", 32_000_000),
        ("1.5KiB", 1536),
        ("1GiB", 1024**3),
        ("1TiB", 1024**4),
    ],
)
def test_size(raw: object, expected: int) -> None:
    assert values.Size(1024, 1024**4)(raw) == expected


@pytest.mark.parametrize("raw", ["12", "2GiB", "32 MiBs", "-5MiB", "MiB", True, "1.0001KiB"])
def test_size_refuses(raw: object) -> None:
    with pytest.raises(BadValue):
        values.Size(1024, 1024**3)(raw)


@given(st.integers(1, 10**8))
def test_dollars_are_exact(cents: int) -> None:
    amount = Decimal(cents) / 100
    assert values.Dollars(1_000_000)(f"${amount}") == amount
    assert values.Dollars(1_000_000)(amount) == amount


@pytest.mark.parametrize("raw", [0, "-5", "0.001", "five", "1000001", float("inf"), True])
def test_dollars_refuses(raw: object) -> None:
    with pytest.raises(BadValue):
        values.Dollars(1_000_000)(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("deepseek/deepseek-flash", Model("deepseek", "deepseek-flash")),
        ("OpenRouter/anthropic/claude-haiku-5-5", Model("openrouter", "anthropic/claude-haiku-5-5")),
        ("llama.cpp/Qwen3", Model("llama.cpp", "Qwen3")),
        ("vllm//models/q", Model("vllm", "/models/q")),
        ("None", "none"),
    ],
)
def test_model(raw: str, expected: object) -> None:
    assert values.ModelName(("auto", "none"))(raw) == expected


@pytest.mark.parametrize("raw", ["deepseek", "/x", "deepseek/", "deep seek/x", "a/b c", "", "a/\x1b[31m", 5])
def test_model_refuses(raw: object) -> None:
    with pytest.raises(BadValue):
        values.ModelName(("auto", "none"))(raw)


def test_base_url_loses_only_its_last_slash() -> None:
    assert (
        values.base_url("https://Gateway.example.com:8443/anthropic/") == "https://Gateway.example.com:8443/anthropic"
    )
    assert values.base_url("http://[::1]:8080") == "http://[::1]:8080"


@pytest.mark.parametrize(
    "raw",
    [
        "gateway.example.com",
        "ftp://example.com",
        "https://",
        "https://example.com/?key=secret",
        "https://example.com/#x",
        "https://user:secret@example.com",
        "https://secret@example.com",
        "http://example.com:99999",
        "http://exa mple.com",
        "sim://models",
        "//example.com",
        7,
    ],
)
def test_base_url_refuses_and_shows_no_secret(raw: object) -> None:
    with pytest.raises(BadValue) as refused:
        values.base_url(raw)
    said = f"{refused.value.hint} {refused.value.shown}"
    assert "secret" not in said
    if "secret" in str(raw):
        assert refused.value.shown is not None, "the caller would show the value itself"


@pytest.mark.parametrize(
    "raw", ["DEEPSEEK_API_KEY", "_x", "key1", "A" * 40, "COMPANY_WIDE_SHARED_GATEWAY_ANTHROPIC_API_KEY"]
)
def test_names_of_variables(raw: str) -> None:
    assert values.env_name(f" {raw} ") == raw


@pytest.mark.parametrize(
    "raw",
    [
        "sk-ant-api03-abcdefghijklmnop",
        "gsk_abcdef",
        "Ab3dEf6hIj9kLm2nOp5qRs8t",
        "0123456789abcdef0123456789abcdef",
        "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4",
        "eyJhbGciOi.J9-abc.def/ghi=jklmnopqrstuvwxyzabcdefgh",
    ],
)
def test_a_key_in_place_of_its_name_is_refused_without_being_shown(raw: str) -> None:
    with pytest.raises(BadValue) as refused:
        values.env_name(raw)
    assert refused.value.shown is not None
    assert raw not in f"{refused.value.shown} {refused.value.hint}"
    assert "variable" in str(refused.value.hint)


@pytest.mark.parametrize("raw", ["1KEY", "MY-KEY", "", "a b", None, 5])
def test_names_of_variables_refuses(raw: object) -> None:
    with pytest.raises(BadValue) as refused:
        values.env_name(raw)
    assert refused.value.shown == "the value given"


def test_quoted_is_one_short_line() -> None:
    assert values.quoted("a\nb\x1b[31m") == r"'a\nb\x1b[31m'"
    assert len(values.quoted("x" * 10_000)) == 80


def test_a_collector_is_named_without_the_path_of_a_signal() -> None:
    assert values.collector_url("http://127.0.0.1:4318/") == "http://127.0.0.1:4318"
    with pytest.raises(BadValue, match="Leave out /v1/traces"):
        values.collector_url("http://127.0.0.1:4318/v1/traces")
    with pytest.raises(BadValue, match="a collector on this machine") as bad:
        values.collector_url("http://me:secret@127.0.0.1:4318")
    assert "secret" not in f"{bad.value} {bad.value.shown}"
