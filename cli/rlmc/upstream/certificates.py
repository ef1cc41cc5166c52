"""Whose certificates are trusted: those of the system, and the user's own bundle beside them."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path


@functools.lru_cache(maxsize=8)
def trust(ca_file: str | None) -> ssl.SSLContext:
    """Some Python builds come without any system certificates; those of certifi stand in for them."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not (paths.capath and any(Path(paths.capath).iterdir())):
        import certifi

        context.load_verify_locations(certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context
