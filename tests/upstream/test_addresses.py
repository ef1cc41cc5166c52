"""Base URLs as people write them: what is meant, and never a request to where nobody meant it."""

from __future__ import annotations

import pytest

from rlmc.upstream.addresses import base_of, moved
from rlmc.upstream.provider import Endpoint
from rlmc.upstream.providers import built_in


@pytest.mark.parametrize(
    ("url", "protocol", "base"),
    [
        ("https://a.example", "anthropic", "https://a.example"),
        ("https://a.example/", "anthropic", "https://a.example"),
        ("https://a.example/v1", "anthropic", "https://a.example"),
        ("https://a.example/v1/messages", "anthropic", "https://a.example"),
        ("https://a.example/gate/v1/", "anthropic", "https://a.example/gate"),
        ("https://a.example", "chat", "https://a.example/v1"),
        ("http://127.0.0.1:8000/", "responses", "http://127.0.0.1:8000/v1"),
        ("https://a.example/v1", "chat", "https://a.example/v1"),
        ("https://a.example/api/paas/v4", "chat", "https://a.example/api/paas/v4"),
        ("https://a.example/openai", "chat", "https://a.example/openai"),
        ("https://a.example/v1/chat/completions", "chat", "https://a.example/v1"),
        ("https://a.example/v1/responses", "responses", "https://a.example/v1"),
    ],
)
def test_the_base_of_a_protocol(url: str, protocol: str, base: str) -> None:
    assert base_of(url, protocol) == base
    assert base_of(base, protocol) == base


@pytest.mark.parametrize(
    ("name", "url", "found"),
    [
        # One place: one URL is enough for all.
        ("ollama", "http://nas:1", {"anthropic": "http://nas:1", "chat": "http://nas:1/v1", "responses": "http://nas:1/v1"}),
        ("ollama", "http://nas:1/v1", {"anthropic": "http://nas:1", "chat": "http://nas:1/v1", "responses": "http://nas:1/v1"}),
        ("vllm", "http://nas/a", {"anthropic": "http://nas/a", "chat": "http://nas/a/v1", "responses": "http://nas/a/v1"}),
        ("ollama", "http://nas:1/v1/chat/completions", {"chat": "http://nas:1/v1"}),
        ("openai", "https://g.example", {"responses": "https://g.example/v1", "chat": "https://g.example/v1"}),
        ("openai", "https://g.example/oai", {"responses": "https://g.example/oai", "chat": "https://g.example/oai"}),
        ("openai", "https://g.example/v1/responses", {"responses": "https://g.example/v1"}),
        ("anthropic", "https://g.example/v1", {"anthropic": "https://g.example"}),
        ("anthropic", "https://g.example/x", {"anthropic": "https://g.example/x"}),
        # Several places: the end says whose it is.
        ("deepseek", "https://g.example", {"anthropic": "https://g.example"}),
        ("deepseek", "https://g.example/anthropic", {"anthropic": "https://g.example/anthropic"}),
        ("deepseek", "https://g.example/v1", {"chat": "https://g.example/v1"}),
        ("zai", "https://api.z.ai/api/coding/paas/v4", {"chat": "https://api.z.ai/api/coding/paas/v4"}),
        ("deepseek", "https://g.example/v1/messages", {"anthropic": "https://g.example"}),
        ("minimax", "https://g.example/v1", {"chat": "https://g.example/v1", "responses": "https://g.example/v1"}),
    ],
)  # fmt: skip
def test_a_built_in_provider_elsewhere(name: str, url: str, found: dict[str, str]) -> None:
    endpoints = built_in(name).endpoints
    there = moved(endpoints, url)
    assert {one.protocol: one.url for one in there} == found
    shapes = {one.protocol: (one.auth, one.shape, one.variants) for one in endpoints}
    assert all((one.auth, one.shape, one.variants) == shapes[one.protocol] for one in there)


@pytest.mark.parametrize(
    ("url", "protocol", "base"),
    [
        ("https://a.example", "anthropic", "https://a.example"),
        ("https://a.example/v1", "anthropic", "https://a.example"),
        ("https://a.example/v1/chat/completions", "chat", "https://a.example/v1"),
    ],
)
def test_where_nothing_is_known_messages_are_spoken(url: str, protocol: str, base: str) -> None:
    assert moved((), url) == (Endpoint(protocol, base, "none"),)


def test_there_is_always_somewhere_to_go() -> None:
    two = (Endpoint("chat", "https://a.example/v1", "bearer"), Endpoint("responses", "https://b.example/v1", "bearer"))
    assert {one.url for one in moved(two, "https://g.example/oai")} == {"https://g.example/oai"}
