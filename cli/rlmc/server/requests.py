"""From what the cascade asks for to bytes for a provider: the request of each kind of call."""

from __future__ import annotations

from rlmc.cascade.plan import BriefRequest, CallRequest, DraftRequest, Original, WithAppendix
from rlmc.domain.chat import ChatRequest
from rlmc.domain.layout import Mark
from rlmc.domain.outcome import Reason
from rlmc.domain.turn import Model
from rlmc.errors import UpstreamError, WireError
from rlmc.server import headers as h
from rlmc.server.ingress import Inbound
from rlmc.server.sessions import Means
from rlmc.upstream.credentials import LOGIN_BETA, key_header, own_call_headers
from rlmc.upstream.provider import Provider
from rlmc.upstream.transport import Headers, UpstreamRequest
from rlmc.wire.codec import Codec

MESSAGES = "/v1/messages"
_VERSION = "2023-06-01"
# Room for a short thought: a judgement that is cut off is none.
_BRIEF_TOKENS = 2_000


def draft_credential(means: Means, inbound: Inbound, model: Model) -> Headers | Reason:
    """The credential for a call of rlmc's own to a model, whichever part it plays, or why there must be none."""
    parts = means.parts
    return own_call_headers(
        parts.providers[model.provider],
        means.keys,
        inbound.credential,
        same_provider=model.provider == parts.home.name,
        allow_login=parts.settings.allow_login_calls,
    )


def request_for(means: Means, inbound: Inbound, codec: Codec, target: Model, wanted: CallRequest) -> UpstreamRequest:
    match wanted:
        case DraftRequest(request):
            shape = means.parts.providers[target.provider].shape_of(target.name)
            body = codec.draft_body(request, target.name, shape)
            return _own_request(means, inbound, target, body, "text/event-stream")
        case BriefRequest(_, system, text):
            effort = means.parts.providers[target.provider].low_effort_of(target.name)
            body = codec.brief_body(system, text, target.name, effort, _BRIEF_TOKENS)
            return _own_request(means, inbound, target, body, "application/json")
        case Original(request, marker):
            return verify_request(means, inbound, codec, target, _marked(codec, request, marker))
        case WithAppendix(request, text, marker):
            body = codec.append_user_text(_marked(codec, request, marker), text)
            return uncompressed(verify_request(means, inbound, codec, target, body))


def _own_request(means: Means, inbound: Inbound, target: Model, body: bytes, accept: str) -> UpstreamRequest:
    """A call of rlmc's own: nothing of the client's headers goes with it."""
    provider = means.parts.providers[target.provider]
    auth = draft_credential(means, inbound, target)
    if isinstance(auth, Reason):
        raise UpstreamError("credential", f"no credential for {provider.name}")
    own = [
        ("content-type", "application/json"),
        ("accept", accept),
        ("accept-encoding", "identity"),
        ("anthropic-version", _VERSION),
        ("user-agent", "rlmc"),
    ]
    return UpstreamRequest("POST", provider.base_url + MESSAGES, [*own, *auth], body, means.network)


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
    """The client's own request for the verify model, with `model` replaced where another one is set."""
    if means.parts.settings.verify_model is not None:
        body = codec.replace_model(body, target.name)
    return forwarded(means, inbound, body)


def forwarded(means: Means, inbound: Inbound, body: bytes) -> UpstreamRequest:
    """A request passed on as it came, to whoever serves the verify model."""
    provider = means.parts.verify_provider
    headers = h.for_upstream(inbound.headers)
    if provider.name != means.parts.home.name:
        headers = _for_another_vendor(provider, means, headers)
    query = f"?{inbound.query}" if inbound.query else ""
    return UpstreamRequest(inbound.method, provider.base_url + inbound.path + query, headers, body, means.network)


def uncompressed(request: UpstreamRequest) -> UpstreamRequest:
    """The same request, to be answered in plain bytes."""
    headers = [*h.without(request.headers, frozenset({"accept-encoding"})), ("accept-encoding", "identity")]
    return UpstreamRequest(request.method, request.url, headers, request.body, request.network)


def _for_another_vendor(provider: Provider, means: Means, headers: Headers) -> Headers:
    """What the client says is meant for its own vendor, credentials and private headers above all: another one gets
    what the protocol needs, and its own key."""
    kept = [(k, v) for k, v in headers if k in h.OF_THE_PROTOCOL or k.startswith("x-stainless-")]
    kept = [(k, h.without_token(v, LOGIN_BETA)) if k == "anthropic-beta" else (k, v) for k, v in kept]
    key = means.keys.get(provider.key_env or "")
    return [*kept, key_header(provider, key)] if key else kept
