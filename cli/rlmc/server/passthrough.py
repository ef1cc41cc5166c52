"""Requests that are no turn: lists of models, token counts, paths nobody here knows. They go where the verify model is.

Rule: bytes go on untouched where somebody there speaks the client's protocol. Where nobody does, the few things a
client cannot do without are answered here, and anything else is refused in plain words.
"""

from __future__ import annotations

from contextlib import suppress

from rlmc.domain.turn import Model
from rlmc.errors import WireError
from rlmc.server.calls import Call
from rlmc.server.egress import relay
from rlmc.server.headers import first
from rlmc.server.ingress import Inbound
from rlmc.server.outgoing import Outgoing
from rlmc.server.requests import forwarded
from rlmc.server.sessions import Session
from rlmc.upstream.transport import Headers, Transport
from rlmc.wire import PROTOCOLS
from rlmc.wire.codec import Codec

_MODELS = "/v1/models"
_COUNT = "/v1/messages/count_tokens"
# What OpenAI's clients ask for beside turns, by the first word below `/v1`. Nothing but the path and a Bearer tells
# whose key that is, and it must not reach the other vendor.
_OPENAIS = frozenset(
    {"models", "embeddings", "completions", "moderations", "images", "audio", "videos", "files", "uploads", "batches"}
    | {"fine_tuning", "vector_stores", "conversations", "containers", "evals", "assistants", "threads", "realtime"}
)
_ANTHROPICS = ("anthropic-version", "anthropic-beta", "x-api-key")
# A careful figure for text that nobody has counted.
_CHARS_PER_TOKEN = 3


def spoken(path: str, headers: Headers, usual: str = "anthropic") -> Codec:
    """What a request speaks, by its path, else by what only one vendor's clients send; `usual` where nothing tells."""
    for codec in PROTOCOLS.values():
        if path == codec.path or path.startswith(codec.path + "/"):
            return codec
    if any(first(headers, name) is not None for name in _ANTHROPICS):
        return PROTOCOLS["anthropic"]
    head = path.removeprefix("/v1/").partition("/")[0] if path.startswith("/v1/") else ""
    if usual == "anthropic" and head in _OPENAIS and first(headers, "authorization") is not None:
        return PROTOCOLS["chat"]
    return PROTOCOLS[usual]


async def pass_through(
    session: Session, inbound: Inbound, codec: Codec, out: Outgoing, transports: dict[str, Transport]
) -> None:
    means, body = session.means, inbound.body
    parts = means.parts
    provider = parts.verify_provider(codec.name)
    if not provider.speaks(codec.name):
        await _answer(session, inbound, codec, out)
        return
    verify = parts.settings.verify_model
    if verify is not None and inbound.path == _COUNT:
        with suppress(WireError):
            body = codec.replace_model(body, verify.name)
    request = forwarded(means, inbound, body)
    transport = transports.get(provider.name) or transports["http"]
    await relay(Call("direct", Model(provider.name, "")), request, transport, out, codec)


async def _answer(session: Session, inbound: Inbound, codec: Codec, out: Outgoing) -> None:
    parts = session.parts
    verify = parts.verify_model("", codec.name)
    if inbound.path == _MODELS and inbound.method == "GET":
        body = codec.models_body([verify.name])
    elif inbound.path == _COUNT and inbound.method == "POST":
        try:
            request = codec.decode_request(inbound.body, inbound.key)
        except WireError as error:
            await out.fail(400, f"rlmc: {error.message}")
            return
        body = codec.count_body(request.chars // _CHARS_PER_TOKEN + 1)
    else:
        await out.fail(404, f"rlmc: verify-model {verify} does not speak this protocol, and {inbound.path} is no turn")
        return
    await out.begin_own(stream=False, length=len(body))
    await out.end(body)
