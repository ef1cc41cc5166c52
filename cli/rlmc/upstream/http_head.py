"""The head of an HTTP/1.1 request: where it goes, and its bytes.

Rule: names, values and their order are those given. `Host` goes before them and the length of the body after them,
whatever they say of either; nothing else is added. What could end a line and begin another is refused.
"""

from __future__ import annotations

import base64
import functools
import re
from urllib.parse import unquote, urlsplit

from rlmc.domain.frozen import dataclass
from rlmc.errors import UpstreamError
from rlmc.upstream.transport import Headers

_PORTS = {"http": 80, "https": 443}
# Where no body is the usual thing, its length is not said.
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OWN = frozenset({"host", "content-length"})
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
CONTROL = bytes(n for n in range(32) if n != 9) + b"\x7f"
"""What could end a header, and begin another."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. `shown` is the host for error texts, `authority` for the head, `path` has the query with it.
    `origin` is where a line to it leads. `login` is what the user part of the URL stands for; it is a secret."""

    origin: str
    tls: bool
    host: str
    port: int
    shown: str
    authority: str
    path: str
    login: str | None


@functools.lru_cache(maxsize=128)
def target_of(url: str) -> Target:
    """Raises UpstreamError where nobody can be asked."""
    shown = "the provider"
    try:
        parts = urlsplit(url)
        shown = str(parts.hostname)
        given = parts.port
        shown = f"{shown}:{given}" if given else shown
        usual = _PORTS[parts.scheme]
        if not parts.hostname:
            raise ValueError(url)
    except (KeyError, ValueError) as error:
        raise UpstreamError("other", f"the request to {shown} failed ({type(error).__name__})") from None
    authority = parts.netloc.rpartition("@")[2]
    if given in (None, usual):
        authority = authority.removesuffix(":").removesuffix(f":{usual}")
    path = parts.path or "/"
    if parts.query:
        path = f"{path}?{parts.query}"
    login = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    port = given or usual
    origin = f"{parts.scheme}://{parts.hostname}:{port}"
    return Target(origin, parts.scheme == "https", parts.hostname, port, shown, authority, path, login)


def head_of(method: str, target: Target, headers: Headers, length: int) -> bytes:
    """Raises UpstreamError where the head would be read as another one than was meant."""
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.authority}"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in _OWN]
    if length or method not in _BODILESS:
        lines.append(f"Content-Length: {length}")
    if target.login is not None:
        if any(name.lower() == "authorization" for name, _ in headers):
            raise _refused(target, "two credentials")
        lines.append(f"Authorization: {target.login}")
    try:
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    except UnicodeEncodeError:
        raise _refused(target, "a header that is no text") from None
    if len(head) - len(head.translate(None, CONTROL)) != 2 * len(lines) + 2:  # the ends of the lines themselves
        raise _refused(target, "a control character")
    if _METHOD.fullmatch(method) is None or " " in target.path:
        raise _refused(target, "no method or path")
    return head


def _refused(target: Target, why: str) -> UpstreamError:
    return UpstreamError("other", f"the request to {target.shown} failed ({why})")
