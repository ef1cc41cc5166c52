"""One past state: the draft model's next step beside what was done then.

Rule: only a draft that would have been served is compared: what the gate refuses, what balanced does not release and
what it would have had checked first is none. What is compared is the same, or the judge says what the draft loses, as
in an audit: in an order drawn by chance, and once more in the other where it finds the draft worse. No verdict is a
loss of 1.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Literal

from rlmc.calibrate.states import WORTH_IT, Case
from rlmc.cascade.audit.judge import loss, question
from rlmc.cascade.audit.same import same
from rlmc.cascade.bucket import bucket_of
from rlmc.cascade.policies import balanced
from rlmc.cascade.reading import CONTENT
from rlmc.cascade.verify import candidate_json
from rlmc.domain.chat import Completion, ToolCall
from rlmc.domain.frozen import dataclass
from rlmc.domain.shape import Shape
from rlmc.errors import WireError
from rlmc.wire.anthropic.codec import ANTHROPIC
from rlmc.wire.assemble import Assembler

How = Literal["same", "judged", "no-verdict", "gate", "effect", "checked"]
"""The last three are drafts that are never served: refused by the gate, not released for what they could do, or looked
at by the verify model first."""
SERVED: tuple[How, ...] = ("same", "judged", "no-verdict")
JUDGE_TOKENS = 2_000
"""Of a judgement: room for a short thought."""
_CHARS_PER_TOKEN = 3
_TRIES = 2
# Every judgement reads the same instruction from the cache.
_SHAPE = Shape(cache_control=True)


@dataclass(frozen=True, slots=True)
class Label:
    """What came of a state, by its digest. `bucket` is the draft's kind; `loss` is None where it is never served."""

    state: str
    how: How
    bucket: str
    loss: float | None


@dataclass(frozen=True, slots=True)
class Failed:
    """A model did not answer; the state may be tried again."""

    why: str


Ask = Callable[[bytes], Completion | Failed]


@dataclass(frozen=True, slots=True)
class Asks:
    """How the two models are asked. `shape` is what the draft model accepts, `effort` what the judge is told, if it
    can be told anything."""

    draft: Ask
    judge: Ask
    shape: Shape
    effort: str | None


def compare(case: Case, asks: Asks) -> Label | Failed:
    turn = case.turn
    if turn.draft is None:
        raise ValueError("nobody drafts")
    said = asks.draft(ANTHROPIC.draft_body(turn.request, turn.draft.name, asks.shape, {}))
    if isinstance(said, Failed):
        return said
    draft, seen = CONTENT.draft(turn, said)
    bucket = bucket_of(auxiliary=False, effect=seen.effect)
    how: How | None = None
    if seen.findings:
        how = "gate"
    elif seen.effect is not None and seen.effect not in balanced.POLICY.releases:
        how = "effect"
    elif balanced.after_draft(balanced.POLICY, case.signals, seen, WORTH_IT, case.route).kind != "skip":
        how = "checked"
    if how is not None:
        return Label(case.state.digest, how, bucket, None)
    draft, done = _bare(draft), _bare(case.done)
    if same(draft, done):
        return Label(case.state.digest, "same", bucket, 0.0)
    lost = _judge(case, draft, done, asks)
    if isinstance(lost, Failed):
        return lost
    return Label(case.state.digest, "no-verdict" if lost is None else "judged", bucket, 1.0 if lost is None else lost)


def _bare(answer: Completion) -> Completion:
    """Without arguments that say as much as nothing: what is recorded has those that the client has filled in."""
    return replace(
        answer, parts=tuple(_bare_call(part) if isinstance(part, ToolCall) else part for part in answer.parts)
    )


def _bare_call(call: ToolCall) -> ToolCall:
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return call
    if not isinstance(arguments, dict):
        return call
    kept = {name: value for name, value in arguments.items() if value is not None and value is not False}
    return replace(call, arguments=json.dumps(kept, ensure_ascii=False))


def _judge(case: Case, draft: Completion, done: Completion, asks: Asks) -> float | Failed | None:
    """What the draft loses; None where there is no verdict. The same state is always begun in the same order."""
    place: Literal["first", "second"] = Random(case.state.digest).choice(("first", "second"))  # noqa: S311 - no secret
    found = _judgement(case, draft, done, place, asks)
    if not isinstance(found, float) or not found:
        return found
    again = _judgement(case, draft, done, "second" if place == "first" else "first", asks)
    return (found + again) / 2 if isinstance(again, float) else again


def _judgement(
    case: Case, draft: Completion, done: Completion, place: Literal["first", "second"], asks: Asks
) -> float | Failed | None:
    turn = case.turn
    pair = (draft, done) if place == "first" else (done, draft)
    room = turn.brief_tokens * _CHARS_PER_TOKEN + sum(len(candidate_json(step)) for step in pair)
    for _ in range(_TRIES):
        brief = question(turn.request, *pair, secrets.token_hex(8), room)
        if brief is None:
            return None
        body = ANTHROPIC.brief_body(brief.system, brief.text, turn.verify.name, asks.effort, JUDGE_TOKENS, _SHAPE)
        answer = asks.judge(body)
        if isinstance(answer, Failed):
            return answer
        lost = loss(answer, place)
        if lost is not None:
            return lost
    return None


def read_answer(raw: bytes) -> Completion | Failed:
    """An answer's bytes, streamed or whole."""
    try:
        if raw.lstrip().startswith(b"{"):
            return ANTHROPIC.decode_completion(raw)
        decoder, assembler = ANTHROPIC.stream_decoder(), Assembler()
        for delta in (*decoder.feed(raw), *decoder.close()):
            assembler.feed(delta)
    except WireError:
        return Failed("an answer of another shape")
    return assembler.result() or Failed("the stream failed")
