"""What the digests of a prompt's beginnings are made with: a hash that goes on from block to block.

SHA-256, since processors have it built in: twice as fast there as any hash of the standard library that is keyed by
itself.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

DIGEST_BYTES = 8
"""As many of a digest are kept."""

_KEY_BYTES = 64


def chain(key: bytes) -> Any:
    """A hasher at its beginning. `key`, of at most 64 bytes, makes the digests its owner's own: it fills the first of
    the blocks the hash works in, and what is cut off of the digests keeps anybody from going on without it."""
    return sha256(key.ljust(_KEY_BYTES, b"\0"), usedforsecurity=False)
