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
        ({"ANTHROPIC_BASE_URL": OURS, **before({"anthropic": "https://a"})}, {"anthropic": "https://a"}),
        ({"OPENAI_BASE_URL": OURS_TOO, **before({"openai": "https://o"})}, {"openai": "https://o"}),
        # Somebody has unset ours, or set another: what was before us is of no interest.
        (before({"anthropic": "https://a"}), {}),
        ({"ANTHROPIC_BASE_URL": "https://b", **before({"anthropic": "https://a"})}, {"anthropic": "https://b"}),
    ],
)
def test_where_an_environment_points(environ: dict[str, str], upstreams: dict[str, str]) -> None:
    assert upstreams_of(environ) == upstreams
