"""The configuration files opencode reads, in the order in which one overrides another.

Rule: only read. A base URL in any of them wins over the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from rlmc.domain.frozen import dataclass
from rlmc.launch.integration import Files, LaunchRequest
from rlmc.launch.integrations.jsonc import inner, read_object, text_at
from rlmc.launch.integrations.places import home, upward, xdg

CONTENT = "OPENCODE_CONFIG_CONTENT"

_NAMES = ("opencode.json", "opencode.jsonc")
_MANAGED = {"darwin": "/Library/Application Support/opencode", "linux": "/etc/opencode"}
_VARIABLE = re.compile(r"\{env:([^}]+)\}")


@dataclass(frozen=True, slots=True)
class OpencodeSettings:
    """`base_urls` is what the user's files say, by provider, and `managed` what an administrator's do, which nothing
    overrides. `content` is the configuration in the environment, None where it makes no sense. `logins` are the
    providers with a subscription."""

    base_urls: Mapping[str, str]
    managed: Mapping[str, str]
    content: Mapping[str, Any] | None = field(repr=False)
    model: str | None
    logins: frozenset[str]


def read_settings(request: LaunchRequest, files: Files) -> OpencodeSettings:
    environ = request.environ
    text = environ.get(CONTENT)
    content = read_object(text) if text and text.strip() else {}
    found = [values for path in _paths(request) if (values := read_object(files.read(path))) is not None]
    found += [content] if content else []
    managed = [
        values
        for name in _NAMES
        if (values := read_object(files.read(f"{_MANAGED.get(request.platform, '/etc/opencode')}/{name}"))) is not None
    ]
    auth = read_object(files.read(f"{xdg(environ, 'XDG_DATA_HOME', '.local/share')}/opencode/auth.json")) or {}
    return OpencodeSettings(
        base_urls=_base_urls(found, environ),
        managed=_base_urls(managed, environ),
        content=content,
        model=next((model for values in reversed(found) if (model := text_at(values, "model"))), None),
        logins=frozenset(name for name in auth if text_at(auth, name, "type") == "oauth"),
    )


def _paths(request: LaunchRequest) -> list[str]:
    """From weakest to strongest."""
    environ = request.environ
    own = f"{xdg(environ, 'XDG_CONFIG_HOME', '.config')}/opencode"
    around = list(reversed(upward(request.directory)))
    paths = [f"{own}/config.json", *_in(own)]
    if environ.get("OPENCODE_CONFIG"):
        path = environ["OPENCODE_CONFIG"]
        paths.append(path if path.startswith("/") else f"{request.directory}/{path}")
    paths += [path for folder in around for path in _in(folder)]
    paths += [path for folder in (home(environ), *around) for path in _in(f"{folder}/.opencode")]
    if environ.get("OPENCODE_CONFIG_DIR"):
        paths += _in(environ["OPENCODE_CONFIG_DIR"].rstrip("/"))
    return paths


def _in(folder: str) -> list[str]:
    return [f"{folder}/{name}" for name in _NAMES]


def _base_urls(found: list[Mapping[str, Any]], environ: Mapping[str, str]) -> dict[str, str]:
    urls: dict[str, str] = {}
    for values in found:
        for name in inner(values, "provider"):
            url = text_at(values, "provider", name, "options", "baseURL")
            if url is not None:
                urls[name] = _VARIABLE.sub(lambda match: environ.get(match[1], ""), url)
    return urls
