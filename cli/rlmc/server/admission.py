"""What is not served at all: said from a request's head alone, before anything of it is read or sent on.

Rules: a web page gets nothing here, under whatever name it reached this host. Where two readers of one head could
disagree on what it says, it is refused instead of read.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from rlmc.config.env import TOKEN_HEADER
from rlmc.server.exchange import Exchange
from rlmc.server.headers import first
from rlmc.upstream.transport import Headers

# TRACE would have a provider say back the credentials it was sent; of others nobody knows what they do.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# What is decided by, so that there must be one of it.
_ONCE = frozenset(
    {"host", "origin", "sec-fetch-site", "content-type", "content-encoding", "content-length", "transfer-encoding"}
    | {"authorization", TOKEN_HEADER}
)
_NOT_IN_A_PATH = re.compile(rb"[\x00-\x1f\x7f\\]|(?:^|/)\.\.?(?=/|$)")


class Refusal(NamedTuple):
    status: int
    why: str


def refusal(exchange: Exchange, port: int, *, own_page: bool = False) -> Refusal | None:
    """Why a request must not be served, or None.

    `own_page`: the page of this very origin may ask, too. A browser names the origin also where a page loads its own
    modules.
    """
    if exchange.http_version != "1.1":
        return Refusal(505, "HTTP/1.1 is spoken here, and nothing else")
    if exchange.method not in _METHODS:
        return Refusal(405, "this method is not served")
    headers = exchange.headers
    once = [name for name, _ in headers if name in _ONCE]
    twice = next((name for name in once if once.count(name) > 1), None)
    if twice is not None:
        return Refusal(400, f"the header {twice} is there more than once")
    if (first(headers, "transfer-encoding") or "chunked").strip().lower() != "chunked":
        return Refusal(501, "no transfer-encoding but chunked is known here")
    return _of_a_page(headers, port, own_page)


def _of_a_page(headers: Headers, port: int, own_page: bool) -> Refusal | None:
    host = (first(headers, "host") or "").lower()
    if host not in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"):
        return Refusal(403, "this address is served on the loopback host only")
    origin = first(headers, "origin")
    if origin is not None and not (own_page and origin == f"http://{host}"):
        return Refusal(403, "requests from web pages are not served")
    if (first(headers, "sec-fetch-site") or "none") not in ("none", "same-origin"):
        return Refusal(403, "requests from web pages are not served")
    return None


def is_crooked(path: str) -> bool:
    """Whether a path leads elsewhere than it says: out of the address a provider is reached at, or past its words.

    A provider may unescape it before it looks, so what it would see then is what counts.
    """
    return _NOT_IN_A_PATH.search(unquote_to_bytes(path)) is not None
