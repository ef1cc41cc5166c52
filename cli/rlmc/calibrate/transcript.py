"""One session of Claude Code as the tree its transcript is: what stood before each answer, and the answer itself.

A line names the line before it, so a session that went back and took another way is a tree, and what an answer knew is
the way from the root to it. What makes it hard: an answer is spread over lines; of calls made at once only one result
may lie on that way; results may stand between an answer's blocks; some versions write a growing answer again and again.
Newer ones also say what a request held beside the conversation, and what a model was told in between.

Rule: only what a model was shown is taken from a line, never what the client keeps beside it for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Raw

from rlmc.domain.frozen import dataclass
from rlmc.replay.readers.claude_code import drafted_by_rlmc
from rlmc.replay.readers.lines import decoded

Json = dict[str, Any]

_SYNTHETIC = "<synthetic>"  # the client's own words in the shape of an answer
_INTERRUPTED = "[Request interrupted"
_ENDED = {"tool_use": True, "end_turn": False}  # and whether there were calls then
_SEEN_BY_MODELS = frozenset({"text", "tool_use", "thinking", "redacted_thinking"})
_DIGEST_BYTES = 8


class _Block(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = Raw(b"{}")
    tool_use_id: str | None = None
    content: Raw = Raw(b"")
    is_error: bool | None = None


class _Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    content: str | list[_Block] | None = None
    stop_reason: str | None = None


class _Line(msgspec.Struct, gc=False, rename="camel"):
    type: str = ""
    uuid: str | None = None
    parent_uuid: str | None = None
    cwd: str | None = None
    is_sidechain: bool | None = None
    agent_id: str | None = None
    is_api_error_message: bool | None = None
    request_id: str | None = None
    requested_model: str | None = None
    request_ref: str | None = None
    message: Raw = Raw(b"")
    rendered: Raw = Raw(b"")
    id: str | None = None
    shape_hash: str | None = None
    shape: Raw = Raw(b"")


class _Told(msgspec.Struct, gc=False):
    content: str


class Offer(msgspec.Struct, gc=False):
    """What a request held beside the conversation, as it was sent."""

    system: Raw
    tools: Raw


_TOLD = msgspec.json.Decoder(list[_Told])
_OFFER = msgspec.json.Decoder(Offer)
_LINE = msgspec.json.Decoder(_Line)
_MESSAGE = msgspec.json.Decoder(_Message)


@dataclass(slots=True)
class _Node:
    """A line. `answer` is the key of the answer it is a part of; `blocks` are those of a line under the user's name."""

    at: int
    parent: str | None
    answer: str | None = None
    blocks: list[_Block] = field(default_factory=list)


@dataclass(slots=True)
class Answer:
    """What a model said in a main loop. `follows` names the line before its first one, `key` is its own in the file."""

    key: str
    at: int
    follows: str | None
    model: str
    asked: str | None
    request: str | None
    reference: str | None = None
    blocks: list[_Block] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    stop: str | None = None
    _seen: set[str | int] = field(default_factory=set)

    @property
    def calls(self) -> list[_Block]:
        return [block for block in self.blocks if block.type == "tool_use"]

    @property
    def by_rlmc(self) -> bool:
        """Whether a draft model gave it."""
        return drafted_by_rlmc(self.key, self.model, self.asked, self.request)

    @property
    def strange(self) -> bool:
        """Whether there is something in it that another model cannot be shown."""
        return any(block.type not in _SEEN_BY_MODELS for block in self.blocks)

    @property
    def digest(self) -> str:
        """Names it by what it is, wherever it stands."""
        said = [f"{self.key} {self.request}".encode()]
        for block in self.blocks:
            said += [block.type.encode(), (block.text or "").encode(), (block.name or "").encode(), bytes(block.input)]
        return blake2b(b"\0".join(said), digest_size=_DIGEST_BYTES).hexdigest()

    def add(self, blocks: Iterable[_Block]) -> None:
        for block in blocks:
            mark: str | int = block.id or hash((block.type, block.text))
            if mark not in self._seen:
                self._seen.add(mark)
                self.blocks.append(block)


@dataclass(frozen=True, slots=True)
class Before:
    """What came in just before an answer, and how much stands before it in all. `asked`: somebody spoke."""

    results: int
    errors: int
    asked: bool
    chars: int
    media: bool


class Transcript:
    """Fed the lines of a session's own file; those of sub-agents are passed over."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.directory: str | None = None
        self._nodes: dict[str, _Node] = {}
        self._children: dict[str, list[str]] = {}
        self._results: dict[str, tuple[int, _Block]] = {}
        self._sizes: dict[str, tuple[int, bool]] = {}
        self._offers: dict[str, Offer] = {}
        self._requests: dict[str, str] = {}
        self._count = 0

    def add(self, raw: bytes) -> None:
        line = decoded(_LINE, raw)
        if line is None:
            return
        if line.uuid is None:
            self._ask(line)
            return
        if line.uuid in self._nodes or line.is_sidechain or line.agent_id:
            return
        self._count += 1
        node = self._nodes[line.uuid] = _Node(self._count, line.parent_uuid)
        if line.parent_uuid is not None:
            self._children.setdefault(line.parent_uuid, []).append(line.uuid)
        if line.type == "attachment":
            node.blocks = [_Block("text", text=told.content) for told in decoded(_TOLD, line.rendered) or ()]
        if line.type not in ("user", "assistant"):
            return
        message = decoded(_MESSAGE, line.message)
        if message is None:
            node.blocks = [_Block("unreadable")]
            return
        self.directory = self.directory or line.cwd
        content = message.content
        blocks = [_Block("text", text=content)] if isinstance(content, str) else content or []
        if line.type == "user":
            self._take(node, blocks)
        elif not line.is_api_error_message and message.model != _SYNTHETIC:
            self._answer(node, line, message, blocks)

    def _ask(self, line: _Line) -> None:
        """Of a request a line says which offer it made, of an offer another what it was."""
        if line.type == "api-request" and line.id and line.shape_hash:
            self._requests[line.id] = line.shape_hash
        elif line.type == "api-request-shape" and line.shape_hash:
            offer = decoded(_OFFER, line.shape)
            if offer is not None:
                self._offers[line.shape_hash] = offer

    def _take(self, node: _Node, blocks: list[_Block]) -> None:
        node.blocks = blocks
        for block in blocks:
            if block.type == "tool_result" and block.tool_use_id:
                self._results.setdefault(block.tool_use_id, (node.at, block))

    def _answer(self, node: _Node, line: _Line, message: _Message, blocks: list[_Block]) -> None:
        key = node.answer = message.id or line.uuid or ""
        answer = self.answers.get(key)
        if answer is None:
            answer = self.answers[key] = Answer(
                key, node.at, line.parent_uuid, message.model or "", line.requested_model, line.request_id
            )
            answer.reference = line.request_ref
        answer.lines.append(line.uuid or "")
        answer.stop = message.stop_reason or answer.stop
        answer.add(blocks)

    # --- what is asked of it ------------------------------------------------------------------------------------------

    @property
    def tools(self) -> set[str]:
        """The names of all tools that were called."""
        return {call.name or "" for answer in self.answers.values() for call in answer.calls} - {""}

    def offer(self, answer: Answer) -> Offer | None:
        """What the request for an answer held; None where the transcript does not say."""
        return self._offers.get(self._requests.get(answer.reference or "", ""))

    def complete(self, answer: Answer) -> bool:
        """Whether the answer was given to its end. Most lines do not say so themselves: then it was if all its calls
        were made, or if nobody is told to have interrupted it."""
        if answer.stop is not None:
            return _ENDED.get(answer.stop) is bool(answer.calls)
        if answer.calls:
            return all(call.id in self._results for call in answer.calls)
        return any(block.type == "text" for block in answer.blocks) and not self._interrupted(answer)

    def before(self, answer: Answer) -> Before:
        results = errors = 0
        asked = False
        for node in self._way(answer):
            if node.answer is not None:
                break
            for block in node.blocks:
                results += block.type == "tool_result"
                errors += block.type == "tool_result" and bool(block.is_error)
                asked |= block.type == "text" and not (block.text or "").lstrip().startswith("<system-reminder>")
        chars, media = self._size(answer.follows)
        offer = self.offer(answer)
        chars += 0 if offer is None else len(offer.system) + len(offer.tools)
        return Before(results, errors, asked, chars, media)

    def messages(self, answer: Answer) -> list[Json] | None:
        """The conversation up to an answer; None where a call in it has no result, or something in it is not to be
        shown to another model."""
        found: list[Json] = []
        taken: set[str] = set()
        answered: set[str] = set()
        for node in reversed(list(self._way(answer))):
            if node.answer is not None:
                if node.answer in taken:
                    continue
                taken.add(node.answer)
                earlier = self.answers[node.answer]
                results = [self._result(call, answer) for call in earlier.calls]
                if earlier.strange or any(result is None for result in results):
                    return None
                answered.update(call.id or "" for call in earlier.calls)
                _say(found, "assistant", [_shown(block) for block in earlier.blocks if not _hidden(block)])
                _say(found, "user", [result for result in results if result is not None])
                continue
            texts = [block for block in node.blocks if block.type != "tool_result"]
            if any(block.type != "text" for block in texts):
                return None
            _say(found, "user", [_shown(block) for block in texts if not _hidden(block)])
        # What the answer followed has to be the last there is: a call whose result came later was not known yet.
        return found if found and found[0]["role"] == found[-1]["role"] == "user" else None

    def recorded(self, answer: Answer) -> list[Json]:
        return [_shown(block) for block in answer.blocks if not _hidden(block)]

    def _way(self, answer: Answer) -> Iterator[_Node]:
        """From the line before the answer back to the root. A way that leads in a circle ends where it meets itself."""
        at, met = answer.follows, set[str]()
        while at is not None and at in self._nodes and at not in met:
            met.add(at)
            node = self._nodes[at]
            if node.answer != answer.key:
                yield node
            at = node.parent

    def _result(self, call: _Block, answer: Answer) -> Json | None:
        at, block = self._results.get(call.id or "", (0, None))
        if block is None or at > answer.at:
            return None
        shown: Json = {"type": "tool_result", "tool_use_id": call.id}
        if len(block.content):
            shown["content"] = block.content
        if block.is_error:
            shown["is_error"] = True
        return shown

    def _size(self, at: str | None) -> tuple[int, bool]:
        """Characters up to a line, about, and whether there is an image or document among them."""
        way: list[str] = []
        met: set[str] = set()
        while at is not None and at in self._nodes and at not in self._sizes and at not in met:
            met.add(at)
            way.append(at)
            at = self._nodes[at].parent
        chars, media = self._sizes.get(at or "", (0, False))
        for name in reversed(way):
            node = self._nodes[name]
            own = node.blocks
            if node.answer is not None and self.answers[node.answer].at == node.at:
                own = self.answers[node.answer].blocks
            chars += sum(len(b.text or "") + len(b.content) + len(b.input) for b in own)
            media = media or any(b.type in ("image", "document") or b'"base64"' in bytes(b.content) for b in own)
            self._sizes[name] = chars, media
        return chars, media

    def _interrupted(self, answer: Answer) -> bool:
        after = [self._nodes[child] for name in answer.lines for child in self._children.get(name, ())]
        return any((block.text or "").startswith(_INTERRUPTED) for node in after for block in node.blocks)


def _hidden(block: _Block) -> bool:
    """Thinking is its model's alone, and nothing is nothing."""
    return block.type != "tool_use" and not (block.type == "text" and (block.text or "").strip())


def _shown(block: _Block) -> Json:
    if block.type == "tool_use":
        return {"type": "tool_use", "id": block.id, "name": block.name, "input": block.input}
    return {"type": "text", "text": block.text}


def _say(messages: list[Json], role: str, content: list[Json]) -> None:
    """Roles take turns: what comes from the same side is one message."""
    if not content:
        return
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"] += content
    else:
        messages.append({"role": role, "content": content})
