"""The child's environment, and what rlmc itself takes from the user's: keys by name, and the way to the outside.

Rule: the child's environment is a copy with a few things added; rlmc's own is never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_CA_FILES = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE")


def appended(current: str, items: Iterable[str]) -> str:
    """A comma list with `items` at its end where they are missing. `*`, which covers everything, stays alone."""
    present = [item.strip() for item in current.split(",") if item.strip()]
    if "*" in present:
        return current
    missing = [item for item in items if item not in present]
    return ",".join([*present, *missing]) if missing else current


def child_environment(
    environ: Mapping[str, str], env: Mapping[str, str], env_lists: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    child = {**environ, **env}
    for name, items in env_lists.items():
        # Programs read either spelling first: the one that is missing must not hide what the other says.
        twin = name.lower() if name.isupper() else name.upper()
        child[name] = appended(environ.get(name) or environ.get(twin, ""), items)
    return child


def keys_of(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: environ[name] for name in sorted(set(names)) if environ.get(name)}


def network_of(environ: Mapping[str, str]) -> dict[str, str]:
    """How this user reaches the outside, in the words of the daemon's control channel. Lower case wins, as in curl."""
    found = {name: environ.get(name) or environ.get(name.upper()) for name in ("https_proxy", "http_proxy", "no_proxy")}
    found["ca_file"] = next((environ[name] for name in _CA_FILES if environ.get(name)), None)
    return {name: value for name, value in found.items() if value}
