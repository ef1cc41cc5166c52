"""Telling rlmc's own address from any other, so that one rlmc is never chained behind another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from rlmc.config.env import BEFORE_ENVS

BASE_URL = "ANTHROPIC_BASE_URL"
OPENAI_BASE_URL = "OPENAI_BASE_URL"
OPENAI_API_BASE = "OPENAI_API_BASE"
# By vendor, the variables that name its clients' base URL; the first wins.
VARIABLES = {"anthropic": (BASE_URL,), "openai": (OPENAI_BASE_URL, OPENAI_API_BASE)}
LOOPBACK = ("127.0.0.1", "localhost")
NO_PROXY_LISTS = {"NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK}

_SESSION_PATH = re.compile(r"/s/[A-Za-z0-9_-]{16,}(/.*)?")
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def own_origin(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def session_base_url(port: int, token: str) -> str:
    return f"{own_origin(port)}/s/{token}"


def openai_base_url(base_url: str) -> str:
    """The same address for clients of OpenAI's protocols, whose base URL has the version in it."""
    return f"{base_url}/v1"


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


def upstream_of(environ: Mapping[str, str], vendor: str) -> str | None:
    """Where an environment points a vendor's clients that is not us; where it is us, where that was before."""
    urls = [environ.get(name) for name in VARIABLES[vendor]]
    found = next((url for url in map(foreign, urls) if url is not None), None)
    if found is None and any(url and is_own(url) for url in urls):
        return foreign(environ.get(BEFORE_ENVS[vendor]))
    return found


def upstreams_of(environ: Mapping[str, str]) -> dict[str, str]:
    return some({vendor: upstream_of(environ, vendor) for vendor in VARIABLES})


def some(upstreams: Mapping[str, str | None]) -> dict[str, str]:
    """Those that are known."""
    return {vendor: url for vendor, url in upstreams.items() if url is not None}


def before(upstreams: Mapping[str, str], env: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """What tells an rlmc inside this one where the agent was pointed at first: of the vendors whose variables `env`
    takes the place of, and no others. What an outer one has said of them in `environ` is said no longer."""
    ours = [vendor for vendor, names in VARIABLES.items() if any(name in env for name in names)]
    told = {BEFORE_ENVS[vendor]: upstreams.get(vendor, "") for vendor in ours}
    return {name: url for name, url in told.items() if url or environ.get(name)}


def is_first_party(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host == "anthropic.com" or host.endswith(".anthropic.com")
