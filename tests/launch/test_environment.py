from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rlmc.launch.base_url import LOOPBACK, NO_PROXY_LISTS
from rlmc.launch.environment import appended, child_environment, keys_of, network_of

HOSTS = st.sampled_from(["corp", ".internal", "127.0.0.1", "localhost", "10.0.0.0/8", ""])


@given(st.lists(HOSTS, max_size=6).map(",".join))
def test_appending_keeps_what_is_there_and_is_done_once(current: str) -> None:
    once = appended(current, LOOPBACK)
    items = once.split(",")
    present = [item for item in current.split(",") if item]
    assert [item for item in items if item][: len(present)] == present
    assert set(LOOPBACK) <= set(items)
    assert appended(once, LOOPBACK) == once
    assert len(items) <= len(current.split(",")) + 2


def test_a_star_covers_everything() -> None:
    assert appended("*", LOOPBACK) == "*"


def test_the_child_gets_a_copy_with_additions() -> None:
    environ = {"PATH": "/bin", "NO_PROXY": "corp", "ANTHROPIC_BASE_URL": "https://old"}
    before = dict(environ)
    child = child_environment(environ, {"ANTHROPIC_BASE_URL": "http://new"}, NO_PROXY_LISTS)
    assert environ == before
    assert child["PATH"] == "/bin"
    assert child["ANTHROPIC_BASE_URL"] == "http://new"
    assert child["NO_PROXY"] == "corp,127.0.0.1,localhost"


def test_either_spelling_of_no_proxy_says_all_of_it() -> None:
    for given_name in ("NO_PROXY", "no_proxy"):
        child = child_environment({given_name: "corp"}, {}, NO_PROXY_LISTS)
        assert child["NO_PROXY"] == child["no_proxy"] == "corp,127.0.0.1,localhost"
    both = child_environment({"NO_PROXY": "a", "no_proxy": "b"}, {}, NO_PROXY_LISTS)
    assert (both["NO_PROXY"], both["no_proxy"]) == ("a,127.0.0.1,localhost", "b,127.0.0.1,localhost")


def test_only_keys_that_are_named_and_set_are_taken() -> None:
    environ = {"A_KEY": "a", "B_KEY": "", "OTHER": "x"}
    assert keys_of(environ, ["B_KEY", "A_KEY", "C_KEY"]) == {"A_KEY": "a"}


def test_the_way_to_the_outside() -> None:
    assert network_of({}) == {}
    environ = {
        "HTTPS_PROXY": "http://upper",
        "https_proxy": "http://lower",
        "HTTP_PROXY": "http://plain",
        "NO_PROXY": "corp",
        "REQUESTS_CA_BUNDLE": "/r.pem",
        "NODE_EXTRA_CA_CERTS": "/n.pem",
    }
    assert network_of(environ) == {
        "https_proxy": "http://lower",
        "http_proxy": "http://plain",
        "no_proxy": "corp",
        "ca_file": "/n.pem",
    }
    assert network_of({**environ, "SSL_CERT_FILE": "/s.pem"})["ca_file"] == "/s.pem"
