"""Telling rlmc's own address from any other, so that one rlmc is never chained behind another."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

BASE_URL = "ANTHROPIC_BASE_URL"
LOOPBACK = ("127.0.0.1", "localhost")
NO_PROXY_LISTS = {"NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK}

_SESSION_PATH = re.compile(r"/s/[A-Za-z0-9_-]{16,}(/.*)?")
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def session_base_url(port: int, token: str) -> str:
    return f"http://127.0.0.1:{port}/s/{token}"


def is_own(url: str) -> bool:
    """Whether this is the address of a session of rlmc, living or long gone."""
    try:
        parts = urlsplit(url)
        return parts.hostname in _LOOPBACK_HOSTS and bool(_SESSION_PATH.fullmatch(parts.path))
    except ValueError:
        return False


def foreign(url: str | None) -> str | None:
    """A base URL that was set by somebody else, to be kept as the upstream; None otherwise."""
    cleaned = (url or "").strip()
    return cleaned if cleaned and not is_own(cleaned) else None


def is_first_party(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host == "anthropic.com" or host.endswith(".anthropic.com")
