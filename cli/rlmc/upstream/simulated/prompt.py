"""A request as a cache sees it: pieces in the order tools, system, messages, each with its size and a chained digest.

Two requests share a cached prefix exactly when their digests agree there. Cache markers are no part of a digest; what
the provider's documentation says to invalidate is mixed in where it says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Literal

import msgspec

from rlmc.domain.frozen import dataclass
from rlmc.upstream.simulated.body import Block, Body, marker_of

CHARS_PER_TOKEN = 3.7
_IMAGE_CHARS = 5_600
_ATTRIBUTION = "x-anthropic-billing-header:"
_NEVER_MARKED = ("thinking", "redacted_thinking")


@dataclass(frozen=True, slots=True)
class Piece:
    """One tool or block. `tokens` counts the prompt up to and with it. `step` is its place in a look-back, where a run
    of tool calls, or of results, is one place. `digest` names the prefix that ends here; `marker` asks to cache it."""

    tokens: int
    step: int
    digest: bytes
    marker: Literal["5m", "1h"] | None


def render(body: Body, model: str) -> list[Piece]:
    pieces: list[Piece] = []
    chain = hashlib.blake2b(model.encode(), digest_size=16)
    chars = 0
    step = -1
    previous = ""
    for kind, block, seed in _blocks(body):
        if seed is not None:
            chain.update(seed)
            continue
        chain.update(msgspec.json.encode({k: v for k, v in block.items() if k != "cache_control"}))
        chars += size_of(block)
        if kind not in ("tool_use", "tool_result") or kind != previous:
            step += 1
        previous = kind
        pieces.append(Piece(tokens_of(chars), step, chain.copy().digest(), marker_of(block)))
    if body.cache_control and pieces:
        return _mark_last(body, pieces)
    return pieces


def _blocks(body: Body) -> Iterator[tuple[str, Block, bytes | None]]:
    """Blocks in prompt order; between them, as seeds, the settings that invalidate everything behind them."""
    for tool in body.tools:
        yield "tool", tool, None
    wanted = (body.output_config or {}).get("format")
    yield "", {}, msgspec.json.encode([body.speed or "standard", wanted])
    for n, block in enumerate(body.system_blocks()):
        # The provider takes the client's first, unchanged attribution line out of the prompt.
        if n == 0 and str(block.get("text", "")).startswith(_ATTRIBUTION):
            continue
        yield "system", block, None
    images = any(b.get("type") == "image" for m in body.messages for b in m.blocks())
    choice = body.tool_choice or {"type": "auto"}
    yield "", {}, msgspec.json.encode([choice, images])
    for message in body.messages:
        yield "", {}, message.role.encode()
        for block in message.blocks():
            yield str(block.get("type")), block, None


def _mark_last(body: Body, pieces: list[Piece]) -> list[Piece]:
    """A marker on the request as a whole marks its last block that may carry one."""
    lifetime = marker_of({"cache_control": body.cache_control})
    unmarkable = 0
    for block in reversed(body.messages[-1].blocks()):
        if block.get("type") not in _NEVER_MARKED:
            break
        unmarkable += 1
    index = len(pieces) - 1 - unmarkable
    last = pieces[index]
    pieces[index] = Piece(last.tokens, last.step, last.digest, last.marker or lifetime)
    return pieces


def size_of(block: Block) -> int:
    """Characters a model reads of one block."""
    match block.get("type"):
        case "text":
            return len(str(block.get("text", "")))
        case "thinking":
            return len(str(block.get("thinking", "")))
        case "tool_use":
            return len(str(block.get("name", ""))) + len(msgspec.json.encode(block.get("input")))
        case "tool_result":
            content = block.get("content")
            if isinstance(content, list):
                return sum(size_of(b) for b in content if isinstance(b, dict))
            return len(str(content or ""))
        case "image" | "document":
            return _IMAGE_CHARS
        case _:
            return len(msgspec.json.encode({k: v for k, v in block.items() if k != "cache_control"}))


def tokens_of(chars: int) -> int:
    return round(chars / CHARS_PER_TOKEN)
