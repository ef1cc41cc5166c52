"""Where the cascade looks at content: what a draft is, what a verdict says, what a verification is shown.

Rule: everything that needs the words of a request or an answer goes through a `Reading`, and what comes out needs none.
So the same cascade runs on a recorded session, whose reading gives back what was seen then.
"""

from __future__ import annotations

from typing import Protocol

from rlmc.cascade import gate
from rlmc.cascade.brief import Brief, brief_of, brief_verdict
from rlmc.cascade.draft import clean_draft
from rlmc.cascade.effects import RELEASED, effect_of
from rlmc.cascade.gate import edit
from rlmc.cascade.inner_calls import inner_calls
from rlmc.cascade.seen import Drafted
from rlmc.cascade.verify import Verdict, judge, verify_text
from rlmc.domain.chat import Completion, ToolCall, ToolSpec
from rlmc.domain.effect import Effect, worst
from rlmc.domain.turn import Turn

# A brief's length is given in tokens; this many characters are a cautious token.
_CHARS_PER_TOKEN = 3.0


class Reading(Protocol):
    def draft(self, turn: Turn, completion: Completion) -> tuple[Completion, Drafted]:
        """The draft as a client may get it, and what the gate says of it."""
        ...

    def appendix(self, turn: Turn, draft: Completion) -> str:
        """What a verification on the whole prompt appends to it."""
        ...

    def verdict(self, turn: Turn, answer: Completion) -> tuple[Verdict, Completion]: ...

    def brief(self, turn: Turn, draft: Completion) -> Brief | None:
        """The compact context for a brief verification; None when there is no room for the draft."""
        ...

    def brief_accepts(self, turn: Turn, answer: Completion) -> bool: ...


def _effect(call: ToolCall, spec: ToolSpec | None, turn: Turn) -> Effect:
    effect = effect_of(call.name, call.arguments, spec, turn.tools)
    if effect is not Effect.EDIT:
        return effect
    # An edit by a tool whose arguments nothing here can check is as good as unknown.
    inner = inner_calls(call) or (call,)
    harmless = (effect_of(one.name, one.arguments, None, turn.tools) in RELEASED for one in inner)
    checked = all(one.name in edit.COVERED or known for one, known in zip(inner, harmless, strict=True))
    return effect if checked else Effect.UNSAFE


class ContentReading:
    """The live one."""

    def draft(self, turn: Turn, completion: Completion) -> tuple[Completion, Drafted]:
        draft = clean_draft(completion, turn)
        specs = {t.name: t for t in turn.request.tools}
        effects = [_effect(call, specs.get(call.name), turn) for call in draft.tool_calls]
        riskiest = worst(effects)
        tool = next((c.name for c, e in zip(draft.tool_calls, effects, strict=True) if e is riskiest), "")
        # A name that the client did not give is the draft's own words, which nobody keeps.
        tool = tool if tool in specs or not tool else "an unknown tool"
        chars = len(draft.text) + sum(len(c.name) + len(c.arguments) for c in draft.tool_calls)
        output = completion.usage.output if completion.usage is not None else round(chars / _CHARS_PER_TOKEN)
        findings = gate.inspect(turn.request, draft)
        return draft, Drafted(riskiest, len(effects), chars, output, findings, tool)

    def appendix(self, turn: Turn, draft: Completion) -> str:
        return verify_text(draft, turn.nonce)

    def verdict(self, turn: Turn, answer: Completion) -> tuple[Verdict, Completion]:
        return judge(answer, turn.nonce)

    def brief(self, turn: Turn, draft: Completion) -> Brief | None:
        return brief_of(turn.request, draft, turn.nonce, round(turn.brief_tokens * _CHARS_PER_TOKEN))

    def brief_accepts(self, turn: Turn, answer: Completion) -> bool:
        return brief_verdict(answer, turn.nonce)


CONTENT = ContentReading()
