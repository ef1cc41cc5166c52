"""Accept or act: how a simulated verify model treats another model's candidate.

It lets a candidate stand when it would do the same itself, or when both have come to a text and the candidate is a
plausible one; of those it still turns a fixed share down, picked by a hash, because real verifiers disagree too. Asked
on a compact context it has no conversation to act in, so there a hash alone decides.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import msgspec

from rlmc.domain.frozen import dataclass
from rlmc.upstream.simulated.agent import Reply
from rlmc.upstream.simulated.body import Block, Body, Message

_WORD = re.compile(r"\bACCEPT-[0-9a-f]{16}\b")
_NONCE = re.compile(r"[0-9a-f]{16}")
_OFFER = re.compile(r"untrusted candidate", re.IGNORECASE)
_BRIEF = "candidate check"
_PLAUSIBLE_CHARS = 40


@dataclass(frozen=True, slots=True)
class Candidate:
    """`word` accepts it. `texts` and `calls` (name, arguments) are what it would say and do."""

    word: str
    texts: tuple[str, ...]
    calls: tuple[tuple[str, Any], ...]


def take_candidate(body: Body) -> tuple[Body, Candidate | None]:
    """The candidate in the last user text, and the request without it, as the client itself made it."""
    last = body.messages[-1]
    blocks = last.blocks()
    text = str(blocks[-1].get("text", "")) if last.role == "user" and blocks else ""
    word = _WORD.search(text)
    if word is None or not _OFFER.search(text):
        return body, None
    rest: list[Block] = blocks[:-1]
    messages = [*body.messages[:-1], *([Message("user", rest)] if rest else [])]
    return msgspec.structs.replace(body, messages=messages), _read(word.group(), text)


def brief_reply(body: Body, dissent: int) -> Reply | None:
    """The answer to a question on a compact context; None when this is none. `dissent` is in percent."""
    instruction = body.system if isinstance(body.system, str) else "".join(b.get("text", "") for b in body.system or [])
    if body.tools or _BRIEF not in instruction[:200]:
        return None
    blocks = body.messages[-1].blocks()
    text = str(blocks[-1].get("text", "")) if blocks else ""
    word = _WORD.search(text)
    if word is None:
        return None
    # The word differs each time, so it may not decide.
    drawn = hashlib.blake2b(_NONCE.sub("", text).encode(), digest_size=8).digest()
    return Reply(word.group() if int.from_bytes(drawn) % 100 >= dissent else "REJECT")


def accepts(own: Reply, candidate: Candidate, task: str, dissent: int) -> bool:
    if own.calls or candidate.calls:
        return [(c.name, c.input) for c in own.calls] == list(candidate.calls)
    offered = "".join(candidate.texts)
    if len(offered) < _PLAUSIBLE_CHARS:
        return False
    drawn = hashlib.blake2b(f"{task}\0{offered}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn) % 100 >= dissent


def _read(word: str, text: str) -> Candidate:
    """The first JSON list or object in the text, whatever its keys are called."""
    value: Any = None
    for match in re.finditer(r"[\[{]", text):
        try:
            value, _ = json.JSONDecoder().raw_decode(text, match.start())
        except json.JSONDecodeError:
            continue
        break
    texts: list[str] = []
    calls: list[tuple[str, Any]] = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            continue
        name = next((item[k] for k in ("call", "name", "tool") if isinstance(item.get(k), str)), None)
        said = next((item[k] for k in ("say", "text") if isinstance(item.get(k), str)), None)
        if name is not None:
            calls.append((name, _arguments(next((item[k] for k in ("arguments", "input") if k in item), {}))))
        elif said is not None:
            texts.append(said)
    return Candidate(word, tuple(texts), tuple(calls))


def _arguments(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
