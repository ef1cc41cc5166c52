"""Thinking blocks that behave like signed ones: bound to their model and to everything said before them.

A block that comes back changed, from another model, or behind a changed history is refused in the provider's words. So
a session that would be bricked at the real provider is bricked here too.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import msgspec

from rlmc.upstream.simulated.body import BadRequest, Block, Body

_ATTRIBUTION = "x-anthropic-billing-header:"
_FOREIGN = "Invalid `signature` in `thinking` block"
_MOVED = (
    f"{_FOREIGN}. The block is bound to a different conversation. Remove the block, or set "
    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
)


def think(body: Body, model: str) -> Block | None:
    """A thinking block for the next answer, if the request asks for thinking."""
    if body.thinking_mode() not in ("adaptive", "enabled", "between_tools"):
        return None
    *_, prefix = _prefixes(body)
    shown = (body.thinking or {}).get("display") != "omitted"
    text = "(simulated thinking) What was asked, what was seen, what is next." if shown else ""
    return {"type": "thinking", "thinking": text, "signature": _sign(model, prefix)}


def check_thinking(body: Body, model: str) -> None:
    """Raises `BadRequest` for a block that is not this model's own or whose history has changed."""
    binding = (body.thinking or {}).get("block_binding")
    dropping = isinstance(binding, dict) and binding.get("prefix_mismatch_behavior") == "drop_block"
    prefixes = _prefixes(body)
    for n, message in enumerate(body.messages):
        prefix = next(prefixes)
        for m, block in enumerate(message.blocks()):
            if block.get("type") != "thinking":
                continue
            signature = str(block.get("signature", ""))
            if signature == _sign(model, prefix) or dropping:
                continue
            moved = signature.startswith(_mark(model))
            raise BadRequest(f"messages.{n}.content.{m}: {_MOVED if moved else _FOREIGN}")


def _sign(model: str, prefix: bytes) -> str:
    signed = hashlib.blake2b(model.encode(), key=prefix, digest_size=48).digest()
    return _mark(model) + base64.b64encode(signed).decode()


def _mark(model: str) -> str:
    return "c2lt" + base64.b64encode(model.ljust(9).encode()).decode()


def _prefixes(body: Body) -> Iterator[bytes]:
    """A digest of everything before each message, and one of the whole; thinking itself is no part of it, nor are
    cache markers and the white space around texts."""
    chain = hashlib.blake2b(digest_size=32)
    for block in body.system_blocks():
        text = str(block.get("text", ""))
        if not text.startswith(_ATTRIBUTION):
            chain.update(text.strip().encode())
    for message in body.messages:
        yield chain.copy().digest()
        for block in message.blocks():
            match block.get("type"):
                case "thinking" | "redacted_thinking":
                    continue
                case "text":
                    chain.update(message.role.encode() + str(block.get("text", "")).strip().encode())
                case _:
                    plain = {k: v for k, v in block.items() if k != "cache_control"}
                    chain.update(msgspec.json.encode(plain, order="deterministic"))
    yield chain.digest()
