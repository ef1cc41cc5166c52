"""Every fault a provider can have here: a name, and the delivery it makes of a good answer.

Rule: a fault knows the protocol it is told in, whether the answer is streamed and which side it happens on, and nothing
of clients or of rlmc.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tests.faults.upstream import Ask, Delivery, Headers, Json
from tests.support.speaking import Saying, error_event, said, whole

Side = Literal["draft", "verify"]

# The longest stream of the three protocols has fewer events than this.
_MOST_EVENTS = 24
_REQUEST_ID = {"anthropic": ("request-id", "req_fault"), "chat": ("x-request-id", "req_fault")}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says where nothing is wrong, and for whom."""

    protocol: str
    streamed: bool
    saying: Saying
    side: Side = "verify"

    @property
    def events(self) -> list[bytes]:
        raw = said(self.protocol, self.saying)
        return [event + b"\n\n" for event in raw.split(b"\n\n") if event]

    @property
    def body(self) -> bytes:
        return json.dumps(whole(self.protocol, self.saying)).encode()


@dataclass(frozen=True, slots=True)
class Fault:
    """`make` gives None where there is no such fault: a stream's in an answer in one piece, or behind its end.

    `harmless`: an answer that is odd and still whole; a draft may be served from it. `refuses`: nobody listens.
    """

    name: str
    make: Callable[[Answer], Delivery | None]
    harmless: bool = False
    refuses: bool = False


def good(answer: Answer) -> Delivery:
    if answer.streamed:
        return Delivery(200, _typed(answer, "text/event-stream; charset=utf-8"), tuple(answer.events))
    return Delivery(200, _typed(answer, "application/json"), (answer.body,), sized=True)


def spoken(ask: Ask, saying: Saying, side: Side = "verify") -> Answer:
    return Answer(ask.protocol, ask.streamed, saying, side)


def _typed(answer: Answer, kind: str, *more: tuple[str, str]) -> Headers:
    return (("content-type", kind), _REQUEST_ID.get(answer.protocol, _REQUEST_ID["chat"]), *more)


# --- the connection -----------------------------------------------------------------------------------------------


def _before(ending: Literal["cut", "reset", "hang"]) -> Callable[[Answer], Delivery]:
    return lambda _answer: Delivery(None, ending=ending)


def _amid(ending: Literal["cut", "reset", "hang"], *, torn: bool = False) -> Callable[[Answer], Delivery]:
    """Half the answer, and then this; `torn`: in the middle of an event."""

    def make(answer: Answer) -> Delivery:
        told = good(answer)
        if not answer.streamed:
            half = answer.body[: len(answer.body) // 2]
            return replace(told, pieces=(half,), length=len(answer.body), ending=ending)
        begun = told.pieces[: len(told.pieces) // 2]
        tail = (told.pieces[len(begun)][:20],) if torn else ()
        return replace(told, pieces=begun + tail, ending=ending)

    return make


def _ends_after(count: int) -> Callable[[Answer], Delivery | None]:
    """A stream that ends, cleanly, before its end. The mark behind the last event of a chat stream is one of them."""

    def make(answer: Answer) -> Delivery | None:
        if not answer.streamed or count >= len(answer.events):
            return None
        return replace(good(answer), pieces=tuple(answer.events[:count]))

    return make


def _drips(answer: Answer) -> Delivery:
    """A draft never gets done; an answer of the verify model takes its time."""
    told = good(answer)
    raw = b"".join(told.pieces)
    size, gap = (1, 0.05) if answer.side == "draft" else (24, 0.01)
    return replace(told, pieces=tuple(raw[at : at + size] for at in range(0, len(raw), size)), gap=gap)


def _no_http(_answer: Answer) -> Delivery:
    return Delivery(None, pieces=(b"SSH-2.0-OpenSSH_9.9\r\n\r\n",), ending="cut")


# --- statuses -------------------------------------------------------------------------------------------------------

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def _refusal(answer: Answer, status: int, message: str, code: str | None, *headers: tuple[str, str]) -> Delivery:
    kind = _KINDS.get(status, "api_error")
    error: Json = {"type": kind, "message": message}
    if answer.protocol == "anthropic":
        body: Json = {"type": "error", "error": error, "request_id": "req_fault"}
    else:
        body = {"error": error | {"param": None, "code": code}}
    return Delivery(status, _typed(answer, "application/json", *headers), (json.dumps(body).encode(),), sized=True)


def _status(status: int, *headers: tuple[str, str]) -> Callable[[Answer], Delivery]:
    return lambda answer: _refusal(answer, status, f"told to answer {status}", None, *headers)


def _overflow(answer: Answer) -> Delivery:
    if answer.protocol == "anthropic":
        return _refusal(answer, 400, "prompt is too long: 210000 tokens > 200000 maximum", None)
    words = "This model's maximum context length is 128000 tokens. Your messages resulted in 210000 tokens."
    return _refusal(answer, 400, words, "context_length_exceeded")


def _html(answer: Answer) -> Delivery:
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    return Delivery(502, (("content-type", "text/html"),), (page,), sized=True)


# --- what the body is -----------------------------------------------------------------------------------------------


def _malformed_first(answer: Answer) -> Delivery:
    told = good(answer)
    if not answer.streamed:
        return replace(told, pieces=(b'{"oops',))
    return replace(told, pieces=(_spoilt(told.pieces[0]), *told.pieces[1:]))


def _malformed_later(answer: Answer) -> Delivery | None:
    if not answer.streamed:
        return None
    told = good(answer)
    middle = len(told.pieces) // 2
    return replace(told, pieces=(*told.pieces[:middle], _spoilt(told.pieces[middle]), *told.pieces[middle + 1 :]))


def _spoilt(event: bytes) -> bytes:
    return re.sub(rb"data: .*", b"data: {oops", event, count=1)


def _wrong_type(answer: Answer) -> Delivery:
    return replace(good(answer), headers=_typed(answer, "text/html" if answer.streamed else "text/plain"))


def _page(answer: Answer) -> Delivery:
    """What a captive portal says to everything."""
    return Delivery(200, _typed(answer, "text/html"), (b"<html><body>Please sign in</body></html>",), sized=True)


def _other_form(answer: Answer) -> Delivery | None:
    """One piece where a stream was asked for."""
    return good(replace(answer, streamed=False)) if answer.streamed else None


def _gzip(answer: Answer) -> Delivery:
    told = good(answer)
    packed = gzip.compress(b"".join(told.pieces), mtime=0)
    return replace(told, headers=(*told.headers, ("content-encoding", "gzip")), pieces=(packed,))


def _no_gzip(answer: Answer) -> Delivery:
    told = good(answer)
    return replace(told, headers=(*told.headers, ("content-encoding", "gzip")))


def _empty(answer: Answer) -> Delivery:
    return replace(good(answer), pieces=())


def _error_event(*, first: bool) -> Callable[[Answer], Delivery | None]:
    def make(answer: Answer) -> Delivery | None:
        if not answer.streamed:
            return None
        told = good(answer)
        begun = () if first else told.pieces[: len(told.pieces) // 2]
        return replace(told, pieces=(*begun, error_event(answer.protocol)))

    return make


# --- what the model says --------------------------------------------------------------------------------------------


def _says(saying: Saying) -> Callable[[Answer], Delivery]:
    return lambda answer: good(replace(answer, saying=saying))


def _with(change: Callable[[str, bytes], bytes], saying: Saying | None = None) -> Callable[[Answer], Delivery]:
    """The good answer with its bytes changed, event by event or as a whole."""

    def make(answer: Answer) -> Delivery:
        told = good(answer if saying is None else replace(answer, saying=saying))
        return replace(told, pieces=tuple(change(answer.protocol, piece) for piece in told.pieces))

    return make


def _refused(protocol: str, data: bytes) -> bytes:
    """The words for a refusal: a stop reason, a finish reason, a part of another kind."""
    if protocol == "anthropic":
        return data.replace(b'"stop_reason": "end_turn"', b'"stop_reason": "refusal"')
    if protocol == "chat":
        return data.replace(b'"finish_reason": "stop"', b'"finish_reason": "content_filter"')
    data = data.replace(b'"output_text"', b'"refusal"').replace(b"output_text.", b"refusal.")
    return re.sub(rb'("type": "refusal", )"text"', rb'\1"refusal"', data)


_UNKNOWN = {
    "anthropic": (rb'\{"type": "tool_use", "id"', b'{"type": "future_block", "id"'),
    "chat": (rb'"type": "function", "function"', b'"type": "future_call", "future_call"'),
    "responses": (rb'\{"type": "function_call", "id"', b'{"type": "future_item", "id"'),
}


def _unknown_block(protocol: str, data: bytes) -> bytes:
    return re.sub(*_UNKNOWN[protocol], data)


def _bad_arguments(protocol: str, data: bytes) -> bytes:
    """The call's arguments are no JSON; in an Anthropic answer in one piece they cannot be other than JSON."""
    if b"input_json_delta" in data or b"tool_calls" in data or b"function_call" in data:
        return data.replace(b"}\\", b"\\").replace(b'"}"', b'""').replace(b'\\"}"', b'\\""')
    return data.replace(b'"input": {"file_path": "b.py"}', b'"input": "{oops"')


_CALL = (("Read", {"file_path": "b.py"}),)

FAULTS: tuple[Fault, ...] = (
    Fault("refused", _before("reset"), refuses=True),
    Fault("closed before headers", _before("cut")),
    Fault("reset before headers", _before("reset")),
    Fault("reset mid-stream", _amid("reset")),
    Fault("reset within an event", _amid("reset", torn=True)),
    Fault("connection ends mid-stream", _amid("cut")),
    *(Fault(f"clean EOF after {count} events", _ends_after(count)) for count in range(1, _MOST_EVENTS)),
    Fault("hang before headers", _before("hang")),
    Fault("hang mid-stream", _amid("hang")),
    Fault("slow drip", _drips),
    *(Fault(str(status), _status(status)) for status in (400, 401, 403, 404, 408, 409, 413)),
    Fault("429", _status(429)),
    Fault("429 with retry-after", _status(429, ("retry-after", "1"))),
    Fault("500", _status(500)),
    Fault("502 HTML", _html),
    Fault("503", _status(503)),
    Fault("529", _status(529)),
    Fault("no HTTP", _no_http),
    Fault("malformed first", _malformed_first),
    Fault("malformed later", _malformed_later),
    Fault("wrong content type", _wrong_type, harmless=True),
    Fault("a web page", _page),
    Fault("one piece for a stream", _other_form, harmless=True),
    Fault("gzip", _gzip),
    Fault("gzip that is none", _no_gzip, harmless=True),
    Fault("empty stream", _empty),
    Fault("error event first", _error_event(first=True)),
    Fault("error event later", _error_event(first=False)),
    Fault("refusal", _with(_refused, Saying("I had better not."))),
    Fault("max_tokens", _says(Saying("This is cut o", stop="length"))),
    Fault("unknown block", _with(_unknown_block, Saying("Look there.", _CALL, whole=True))),
    Fault("bad tool JSON", _with(_bad_arguments, Saying("Look there.", _CALL, whole=True))),
    Fault("unknown tool", _says(Saying("Look there.", (("NoSuchTool", {"file_path": "b.py"}),)))),
    Fault("empty content", _says(Saying())),
    Fault("context overflow", _overflow),
)
