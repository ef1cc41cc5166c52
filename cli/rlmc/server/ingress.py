"""From a client's request to an `Inbound`: who asks, on which path, with which body."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from rlmc.config.env import TOKEN_HEADER
from rlmc.domain.chat import ChatRequest, Text
from rlmc.domain.turn import ClientHints
from rlmc.server.exchange import TooLarge
from rlmc.server.headers import first
from rlmc.upstream.credentials import ClientCredential
from rlmc.upstream.transport import Headers

# What clients ask for below a base URL that already ends in `/v1`, or should have.
_UNVERSIONED = frozenset({"messages", "models", "chat", "responses", "completions", "embeddings"})


@dataclass(frozen=True, slots=True)
class Inbound:
    """`path` is below the session's prefix, `query` the raw query string. Header names are in lower case. `protocol` is
    the one the client speaks, `key` makes digests the session's own."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    credential: ClientCredential
    protocol: str
    key: bytes = field(repr=False)
    _by_name: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The first of each name, as `first` finds it: a turn asks for some twenty.
        object.__setattr__(self, "_by_name", dict(reversed(self.headers)))

    def header(self, name: str) -> str | None:
        return self._by_name.get(name)


def announced_size(headers: Headers, limit: int) -> int:
    """How large the body is going to be, at most. Raises TooLarge where it says itself that it is over the limit."""
    length = first(headers, "content-length")
    if length is not None and length.isdigit():
        if int(length) > limit:
            raise TooLarge
        return int(length)
    return limit if first(headers, "transfer-encoding") is not None else 0


def normal_path(path: str) -> str:
    """Clients disagree on who appends `/v1`: `/messages`, `/v1/messages` and `/v1/v1/messages` are one path, and so are
    those of the other protocols."""
    path = "/" + path.lstrip("/")
    while path.startswith("/v1/v1/"):
        path = path[3:]
    head = path.partition("/")[2].partition("/")[0]
    return "/v1" + path if head in _UNVERSIONED else path


def token_header(headers: Headers) -> str | None:
    """The session's token, from clients that are better not given it in a URL."""
    return first(headers, TOKEN_HEADER)


def hints_of(inbound: Inbound) -> ClientHints:
    return ClientHints(
        request_class=inbound.header("x-claude-code-request-class"),
        purpose=inbound.header("x-claude-1p-request-class"),
        prompt_id=inbound.header("x-claude-code-prompt-id"),
        agent_id=inbound.header("x-claude-code-agent-id"),
        login=inbound.credential.login,
    )


_MOST_KNOWN = 8
# What agents name a conversation by; Codex has a thread for each of its agents.
_SESSION_HEADERS = ("x-claude-code-session-id", "thread-id", "x-session-id", "session-id", "x-session-affinity")


def conversation_key(inbound: Inbound, request: ChatRequest | None, known: dict[tuple[str, ...], str]) -> str:
    """Whose prompt cache this turn belongs to: the client's session and agent, else how the conversation began.

    Side calls have prompts, and so caches, of their own. A digest under the session's key, so that nothing of the
    content is kept, and nobody who guesses it can tell. `known` is the session's own, and goes with it: the turns of a
    conversation begin alike.
    """
    session = next((value for name in _SESSION_HEADERS if (value := inbound.header(name))), None)
    agent = inbound.header("x-claude-code-agent-id") or ""
    side = "" if request is None or request.tools else "side:" + request.system_head[:200]
    begin: tuple[str, ...] = (str(session),)
    if session is None and request is not None:
        first_text = next((p.text for m in request.messages for p in m.parts if isinstance(p, Text)), "")
        begin = (request.system_head, "\0", first_text[:2000])
    said = (*begin, f"\0{agent}\0{side}\0{request.model if request is not None else ''}")
    found = known.get(said)
    if found is None:
        if len(known) >= _MOST_KNOWN:
            known.clear()
        whole = "".join(said).encode(errors="replace")
        digest = hashlib.blake2b(whole, key=inbound.key, digest_size=8, person=b"rlmc threads")
        found = known[said] = digest.hexdigest()
    return found
