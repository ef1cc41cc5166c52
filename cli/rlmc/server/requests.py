"""From what the cascade asks for to bytes for a provider: the request of each kind of call."""

from __future__ import annotations

from dataclasses import replace

from rlmc.cascade.plan import BriefRequest, CallRequest, DraftRequest, Original, WithAppendix
from rlmc.domain.chat import ChatRequest, Text
from rlmc.domain.layout import Mark
from rlmc.domain.outcome import Reason
from rlmc.domain.prompt import PromptMessage
from rlmc.domain.turn import Model
from rlmc.errors import UpstreamError, WireError
from rlmc.server import headers as h
from rlmc.server.ingress import Inbound
from rlmc.server.reasoning import Reasoning
from rlmc.server.sessions import Means
from rlmc.server.way import Way, way_to
from rlmc.upstream.credentials import LOGIN_BETA, key_header, own_call_headers
from rlmc.upstream.provider import Endpoint, Provider
from rlmc.upstream.transport import Headers, UpstreamRequest
from rlmc.wire.codec import Codec

# Room for a short thought: a judgement that is cut off is none.
_BRIEF_TOKENS = 2_000


def own_credential(means: Means, inbound: Inbound, way: Way) -> Headers | Reason:
    """The credential for a call rlmc writes itself, whichever part it plays, or why there must be none."""
    parts = means.parts
    return own_call_headers(
        way.provider,
        way.endpoint,
        means.keys,
        inbound.credential,
        same_provider=way.provider.name == parts.home(inbound.protocol).name,
        allow_login=parts.settings.allow_login_calls,
    )


def request_for(
    means: Means, inbound: Inbound, codec: Codec, target: Model, wanted: CallRequest, reasoning: Reasoning
) -> UpstreamRequest:
    """Raises WireError where the request cannot be written for the target."""
    way = way_to(means.parts, codec, target)
    recall = reasoning.of(target, way.codec.name)
    match wanted:
        case DraftRequest(request):
            if way.same:
                body = codec.draft_body(request, target.name, way.shape, recall)
            else:
                prompt = codec.read_prompt(request.raw)
                body = way.codec.write_prompt(prompt, target.name, way.shape, recall, stream=True, reason=False)
            return _own_request(means, inbound, way, body, "text/event-stream")
        case BriefRequest(_, system, text):
            effort = way.provider.low_effort_of(target.name)
            body = way.codec.brief_body(system, text, target.name, effort, _BRIEF_TOKENS, way.shape)
            return _own_request(means, inbound, way, body, "application/json")
        case Original(request, marker) if way.same:
            return verify_request(means, inbound, codec, target, _marked(codec, request, marker))
        case WithAppendix(request, text, marker) if way.same:
            body = codec.append_user_text(_marked(codec, request, marker), text)
            return uncompressed(verify_request(means, inbound, codec, target, body))
        case Original(request) | WithAppendix(request):
            text = wanted.text if isinstance(wanted, WithAppendix) else ""
            return translated(means, inbound, codec, target, request, reasoning, text)


def translated(
    means: Means,
    inbound: Inbound,
    codec: Codec,
    target: Model,
    request: ChatRequest,
    reasoning: Reasoning,
    appendix: str = "",
) -> UpstreamRequest:
    """The client's request for a verify model that speaks another protocol, with a user text at its end if there is an
    `appendix`."""
    way = way_to(means.parts, codec, target)
    prompt = codec.read_prompt(request.raw)
    if appendix:
        prompt = replace(prompt, messages=(*prompt.messages, PromptMessage("user", (Text(appendix),))))
    recall = reasoning.of(target, way.codec.name)
    body = way.codec.write_prompt(
        prompt, target.name, way.shape, recall, stream=request.stream, reason=prompt.effort != "none"
    )
    return _own_request(means, inbound, way, body, "text/event-stream" if request.stream else "application/json")


def _own_request(means: Means, inbound: Inbound, way: Way, body: bytes, accept: str) -> UpstreamRequest:
    """A request rlmc writes itself: nothing of the client's headers goes with it."""
    auth = own_credential(means, inbound, way)
    if isinstance(auth, Reason):
        raise UpstreamError(
            "credential", f"there is no key for {way.provider.name} ({way.provider.key_env} is not set)"
        )
    own = [
        ("content-type", "application/json"),
        ("accept", accept),
        ("accept-encoding", "identity"),
        ("user-agent", "rlmc"),
        *way.codec.own_headers,
    ]
    return UpstreamRequest("POST", way.endpoint.address(way.codec.path), [*own, *auth], body, means.network)


def _marked(codec: Codec, request: ChatRequest, marker: Mark | None) -> bytes:
    """The client's bytes with one more cache marker. It only saves money, so where it cannot be it is left out."""
    if marker is None:
        return request.raw
    try:
        return codec.add_marker(request.raw, request.layout, *marker)
    except WireError:
        return request.raw


def takes_marker(codec: Codec, request: ChatRequest, marker: Mark) -> bool:
    """Whether the request can be given this marker; see `_marked`."""
    return _marked(codec, request, marker) is not request.raw


def verify_request(means: Means, inbound: Inbound, codec: Codec, target: Model, body: bytes) -> UpstreamRequest:
    """The client's own request for a verify model of its protocol, with `model` replaced where another one is set."""
    if means.parts.settings.verify_model is not None:
        body = codec.replace_model(body, target.name)
    return forwarded(means, inbound, body)


def forwarded(means: Means, inbound: Inbound, body: bytes) -> UpstreamRequest:
    """A request passed on as it came, to whoever serves the verify model in the client's protocol."""
    parts = means.parts
    provider = parts.verify_provider(inbound.protocol)
    endpoint = provider.endpoint(inbound.protocol)
    headers = h.for_upstream(inbound.headers)
    if provider.name != parts.home(inbound.protocol).name:
        headers = _for_another_vendor(provider, endpoint, means, headers)
    query = f"?{inbound.query}" if inbound.query else ""
    return UpstreamRequest(inbound.method, endpoint.address(inbound.path) + query, headers, body, means.network)


def uncompressed(request: UpstreamRequest) -> UpstreamRequest:
    """The same request, to be answered in plain bytes."""
    headers = [*h.without(request.headers, frozenset({"accept-encoding"})), ("accept-encoding", "identity")]
    return UpstreamRequest(request.method, request.url, headers, request.body, request.network)


def _for_another_vendor(provider: Provider, endpoint: Endpoint, means: Means, headers: Headers) -> Headers:
    """What the client says is meant for its own vendor, credentials and private headers above all: another one gets
    what the protocol needs, and its own key."""
    kept = [(k, v) for k, v in headers if k in h.OF_THE_PROTOCOL or k.startswith("x-stainless-")]
    kept = [(k, h.without_token(v, LOGIN_BETA)) if k == "anthropic-beta" else (k, v) for k, v in kept]
    key = means.keys.get(provider.key_env or "")
    return [*kept, key_header(endpoint, key)] if key else kept
