from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.launch.base_url import foreign, is_first_party, is_own, session_base_url


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
