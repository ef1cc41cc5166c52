"""From what the cascade asks for to bytes for a provider: the request of each kind of call."""

from __future__ import annotations

from rlmc.cascade.plan import CallRequest, DraftRequest, Original, WithAppendix
from rlmc.domain.turn import Model, Reason
from rlmc.errors import UpstreamError
from rlmc.server import headers as h
from rlmc.server.ingress import Inbound
from rlmc.server.sessions import Session
from rlmc.upstream.credentials import AUTH_HEADERS, key_header, own_call_headers
from rlmc.upstream.provider import Provider
from rlmc.upstream.transport import Headers, UpstreamRequest
from rlmc.wire.codec import Codec

MESSAGES = "/v1/messages"
_VERSION = "2023-06-01"


def draft_credential(session: Session, inbound: Inbound, model: Model) -> Headers | Reason:
    parts = session.parts
    return own_call_headers(
        parts.providers[model.provider],
        session.keys,
        inbound.credential,
        same_provider=model.provider == parts.home.name,
        allow_login=parts.settings.allow_login_calls,
    )


def request_for(
    session: Session, inbound: Inbound, codec: Codec, target: Model, wanted: CallRequest
) -> UpstreamRequest:
    match wanted:
        case DraftRequest(request):
            provider = session.parts.providers[target.provider]
            auth = draft_credential(session, inbound, target)
            if isinstance(auth, Reason):
                raise UpstreamError("credential", f"no credential for {provider.name}")
            body = codec.draft_body(request, target.name, provider.shape_of(target.name))
            own = [
                ("content-type", "application/json"),
                ("accept", "text/event-stream"),
                ("accept-encoding", "identity"),
                ("anthropic-version", _VERSION),
                ("user-agent", "rlmc"),
            ]
            return UpstreamRequest("POST", provider.base_url + MESSAGES, [*own, *auth], body, session.network)
        case Original(request):
            return verify_request(session, inbound, codec, target, request.raw)
        case WithAppendix(request, text):
            body = codec.append_user_text(request.raw, text)
            sent = verify_request(session, inbound, codec, target, body)
            headers = [*h.without(sent.headers, frozenset({"accept-encoding"})), ("accept-encoding", "identity")]
            return UpstreamRequest(sent.method, sent.url, headers, sent.body, sent.network)


def verify_request(session: Session, inbound: Inbound, codec: Codec, target: Model, body: bytes) -> UpstreamRequest:
    """The client's own request for the verify model: its bytes, at most with `model` replaced."""
    configured = session.parts.settings.verify_model
    if configured is not None:
        body = codec.replace_model(body, target.name)
    return forwarded(session, inbound, body)


def forwarded(session: Session, inbound: Inbound, body: bytes) -> UpstreamRequest:
    """A request passed on as it came, to whoever serves the verify model."""
    provider = session.parts.verify_provider
    headers = h.for_upstream(inbound.headers)
    if provider.name != session.parts.home.name:
        headers = _with_credential_of(provider, session, headers)
    query = f"?{inbound.query}" if inbound.query else ""
    return UpstreamRequest(inbound.method, provider.base_url + inbound.path + query, headers, body, session.network)


def _with_credential_of(provider: Provider, session: Session, headers: Headers) -> Headers:
    """The client's credential is another vendor's: it must not travel there."""
    headers = h.without(headers, AUTH_HEADERS)
    key = session.keys.get(provider.key_env or "")
    return [*headers, key_header(provider, key)] if key else headers
