"""Which headers travel on, in each direction. Everything not named here does: headers are an open list."""

from __future__ import annotations

from collections.abc import Iterable

from rlmc.config.env import TOKEN_HEADER
from rlmc.upstream.transport import Headers

# Belong to one connection, or are written anew for the next one.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_REQUEST_ONLY = frozenset({"host", "content-length", "expect", TOKEN_HEADER})
_NOT_UPSTREAM = _HOP_BY_HOP | _REQUEST_ONLY
_OF_ANOTHER_BODY = _HOP_BY_HOP | {"content-length", "content-encoding"}
_BODILESS = frozenset({204, 304})
# What a provider of the client's protocol needs of its headers, and nothing that could be a secret.
OF_THE_PROTOCOL = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-encoding",
        "content-type",
        "user-agent",
        "anthropic-version",
        "anthropic-beta",
        "openai-beta",
    }
)
# Encodings whose copy the books can read; asking for others would make usage, and so costs, unknown.
_READABLE_ENCODINGS = ("gzip", "deflate", "identity")


def for_upstream(headers: Iterable[tuple[str, str]]) -> Headers:
    """A client's headers for the provider (names in lower case in, order kept)."""
    headers = list(headers)
    named = _named_by_connection(headers)
    kept = [(k, v) for k, v in headers if k not in _NOT_UPSTREAM and k not in named]
    if first(kept, "accept-encoding") is None:
        # To say nothing of encodings allows any; who says nothing, as Codex does, mostly knows none.
        return [*kept, ("accept-encoding", "identity")]
    return [(k, _readable(v)) if k == "accept-encoding" else (k, v) for k, v in kept]


def for_client(headers: Iterable[tuple[str, str]], *, same_body: bool, status: int = 200) -> list[tuple[bytes, bytes]]:
    """A provider's headers for the client. Without `same_body` the body is written anew and its length is unknown."""
    headers = [(k.lower(), v) for k, v in headers]
    dropped = _HOP_BY_HOP if same_body else _OF_ANOTHER_BODY
    if status in _BODILESS:
        dropped |= {"content-length"}
    named = _named_by_connection(headers)
    if named:
        dropped |= named
    return [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers if k not in dropped]


def without(headers: Headers, names: frozenset[str]) -> Headers:
    return [(k, v) for k, v in headers if k not in names]


def without_token(value: str, token: str) -> str:
    """A comma list without one of its members."""
    return ",".join(part for part in value.split(",") if part.strip() != token)


def first(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    size = len(name)
    for k, v in headers:
        if len(k) == size and k.lower() == name:
            return v
    return None


def media_type(headers: Iterable[tuple[str, str]]) -> str:
    """What the body is said to be, without its parameters."""
    return (first(headers, "content-type") or "").partition(";")[0].strip().lower()


def _named_by_connection(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    named = [v for k, v in headers if len(k) == len("connection") and k.lower() == "connection"]
    return frozenset([token.strip().lower() for value in named for token in value.split(",")])


def _readable(accept_encoding: str) -> str:
    kept = [
        part.strip() for part in accept_encoding.split(",") if part.split(";")[0].strip().lower() in _READABLE_ENCODINGS
    ]
    return ", ".join(kept) or "identity"
