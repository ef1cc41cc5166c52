from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.launch.base_url import (
    before,
    foreign,
    is_first_party,
    is_own,
    openai_base_url,
    session_base_url,
    upstreams_of,
)


@given(st.integers(1, 65535))
def test_every_address_rlmc_gives_is_recognised(port: int) -> None:
    url = session_base_url(port, secrets.token_urlsafe(24))
    assert is_own(url)
    assert is_own(f"{url}/")
    assert is_own(f"{url}/v1/messages")
    assert is_own(url.replace("127.0.0.1", "localhost"))
    assert foreign(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://api.anthropic.com",
        "http://127.0.0.1:4000",
        "http://127.0.0.1:4000/v1",
        "http://127.0.0.1:4000/s/short",
        "http://127.0.0.1:4000/x/s/aaaaaaaaaaaaaaaaaaaaaaaa",
        "http://gateway.example/s/aaaaaaaaaaaaaaaaaaaaaaaa",
        "http://[::1",
        "not a url",
    ],
)
def test_any_other_address_is_somebody_elses(url: str) -> None:
    assert not is_own(url)
    assert foreign(f" {url} ") == url


@pytest.mark.parametrize("url", [None, "", "  "])
def test_no_address_is_nobodys(url: str | None) -> None:
    assert foreign(url) is None


def test_whose_tool_search_is_known_to_work() -> None:
    assert is_first_party("https://api.anthropic.com/v1")
    assert not is_first_party("https://anthropic.com.example")
    assert not is_first_party("https://gateway.example")
    assert not is_first_party("http://[::1")


OURS = session_base_url(4711, "a" * 32)
OURS_TOO = openai_base_url(OURS)
BEFORE_A, BEFORE_O = {"RLMC_BEFORE_ANTHROPIC": "https://a"}, {"RLMC_BEFORE_OPENAI": "https://o"}


@pytest.mark.parametrize(
    ("environ", "upstreams"),
    [
        ({}, {}),
        (
            {"ANTHROPIC_BASE_URL": "https://a", "OPENAI_BASE_URL": "https://o"},
            {"anthropic": "https://a", "openai": "https://o"},
        ),
        ({"OPENAI_API_BASE": "https://o"}, {"openai": "https://o"}),
        ({"OPENAI_BASE_URL": "https://o", "OPENAI_API_BASE": "https://older"}, {"openai": "https://o"}),
        ({"ANTHROPIC_BASE_URL": OURS, "OPENAI_BASE_URL": OURS_TOO, "OPENAI_API_BASE": OURS_TOO}, {}),
        ({"ANTHROPIC_BASE_URL": OURS, **BEFORE_A}, {"anthropic": "https://a"}),
        ({"OPENAI_BASE_URL": OURS_TOO, **BEFORE_O}, {"openai": "https://o"}),
        # Somebody has unset ours, or set another: what was before us is of no interest.
        (BEFORE_A, {}),
        ({"ANTHROPIC_BASE_URL": "https://b", **BEFORE_A}, {"anthropic": "https://b"}),
    ],
)
def test_where_an_environment_points(environ: dict[str, str], upstreams: dict[str, str]) -> None:
    assert upstreams_of(environ) == upstreams


@pytest.mark.parametrize(
    ("upstreams", "env", "environ", "told"),
    [
        ({"anthropic": "https://a"}, {"ANTHROPIC_BASE_URL": OURS}, {}, BEFORE_A),
        ({}, {"ANTHROPIC_BASE_URL": OURS}, {}, {}),
        # Another session said so once; this one has its own upstream.
        ({}, {"OPENAI_BASE_URL": OURS_TOO}, BEFORE_O, {"RLMC_BEFORE_OPENAI": ""}),
        # Codex is led by arguments: the variables still lead to the session around it, and what was before that stays.
        ({"openai": "https://chatgpt.com/backend-api/codex"}, {"RLMC_TOKEN": "t"}, BEFORE_O, {}),
    ],
)
def test_what_is_told_of_before(
    upstreams: dict[str, str], env: dict[str, str], environ: dict[str, str], told: dict[str, str]
) -> None:
    assert before(upstreams, env, environ) == told
