"""The top-level fields of a request rlmc writes, as the endpoint takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from rlmc.domain.shape import Shape

Json = dict[str, Any]


def shaped(fields: Json, shape: Shape, *, reason: bool) -> Json:
    """Those of `fields` that are set and not refused, with what switches reasoning off where it is to be, and what the
    endpoint wants sent with every request that does not say otherwise."""
    kept = {name: value for name, value in fields.items() if present(value) and name not in shape.drop_fields}
    return _over(shape.extra, _over(kept, {} if reason else shape.reasoning_off))


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Json:
    """Both, with the last word to what is above; an object in both has the members of both."""
    merged = {**below, **above}
    for name in below.keys() & above.keys():
        if isinstance(below[name], dict) and isinstance(above[name], dict):
            merged[name] = {**below[name], **above[name]}
    return merged


def present(value: object) -> bool:
    return value is not None and not (isinstance(value, Raw) and bytes(value) in {b"", b"null"})
