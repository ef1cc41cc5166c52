"""Base URLs as people write them, as the addresses of endpoints.

Rule: SDKs disagree on who says `/v1`, so it may be there or not, and a URL may go down to the call itself. Who names an
address for a provider wants nothing sent to another: an endpoint the address is not meant for is gone.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from rlmc.upstream.provider import Endpoint

_CALLS = {"/messages": "anthropic", "/chat/completions": "chat", "/responses": "responses"}
_VERSION = re.compile(r"/v\d+$", re.ASCII)


def moved(endpoints: tuple[Endpoint, ...], url: str) -> tuple[Endpoint, ...]:
    """A provider's endpoints at another base URL; one of Messages where nothing is known of it.

    Where all are at one place, apart only by `/v1`, all move. Else the end of the URL tells whose it is: a version, or
    the path of a call, is what OpenAI's clients have there.
    """
    spoken = next((protocol for end, protocol in _CALLS.items() if url.endswith(end)), None)
    if not endpoints:
        protocol = spoken or "anthropic"
        return (Endpoint(protocol, base_of(url, protocol), "none"),)
    if any(one.protocol == spoken for one in endpoints):
        meant = [one for one in endpoints if one.protocol == spoken]
    elif len({_root(one) for one in endpoints}) > 1:
        openai = _VERSION.search(url) is not None
        meant = [one for one in endpoints if (one.protocol != "anthropic") == openai] or list(endpoints)
    elif any(one.protocol == "anthropic" for one in endpoints):
        root = base_of(url, "anthropic")
        return tuple(replace(one, url=root if one.protocol == "anthropic" else f"{root}/v1") for one in endpoints)
    else:
        meant = list(endpoints)
    return tuple(replace(one, url=base_of(url, one.protocol)) for one in meant)


def base_of(url: str, protocol: str) -> str:
    """The base URL an endpoint of the protocol has there."""
    url = url.rstrip("/")
    if protocol == "anthropic":
        return url.removesuffix("/messages").removesuffix("/v1")
    url = url.removesuffix("/chat/completions").removesuffix("/responses")
    return url if urlsplit(url).path else url + "/v1"


def _root(endpoint: Endpoint) -> str:
    return endpoint.url if endpoint.protocol == "anthropic" else endpoint.url.removesuffix("/v1")
