"""What the command line sends the daemon, read with care: each field as what it must be, or `BadRequest`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from rlmc.server.bound import Bound, bound_to


class BadRequest(Exception):
    """The command line sent something that makes no sense; the text says what."""


def object_in(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise BadRequest("the body is no JSON") from error
    if not isinstance(value, dict):
        raise BadRequest("the body is no object")
    return value


def text_in(wanted: Mapping[str, Any], key: str) -> str:
    value = wanted.get(key)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{key} must be a text")
    return value


def bound_in(pid: object) -> Bound | None:
    if pid is None:
        return None
    if not isinstance(pid, int) or pid <= 0:
        raise BadRequest("bound_pid must be the number of a process")
    return bound_to(pid)


def is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def texts_in(wanted: Mapping[str, Any], key: str) -> dict[str, str]:
    value = wanted.get(key) or {}
    if not isinstance(value, dict):
        raise BadRequest(f"{key} must be an object of texts")
    return {str(k): v for k, v in value.items() if isinstance(v, str)}
