"""Cheap facts about a turn. Everything a router looks at is here, and goes into the ledger as it is."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rlmc.cascade.effects import Effect, worst
from rlmc.cascade.session import SessionState
from rlmc.domain.chat import ChatRequest, Media, Message, Opaque, Text, ToolCall, ToolResult
from rlmc.domain.turn import Turn

# Texts a client puts into the user's mouth.
_NOT_THE_USER = ("<system-reminder>", "[SYSTEM NOTIFICATION", "<task-notification>", "<local-command")
_COMPACTION = "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools."
_CLASSIFIER = ("security monitor for autonomous", "security classifier")
# A side call's finer word that marks it as mere text about the session.
_LIGHT_PURPOSES = frozenset({"summary-extraction", "followup-generation"})


@dataclass(frozen=True, slots=True)
class Signals:
    """`follows` is what the turn comes after: the user's words, tool results, or something else (a notification, a cut
    answer). `previous_effect` is the riskiest effect among the calls whose results just came in."""

    request_class: str
    auxiliary: bool
    compaction: bool
    classifier: bool
    first_turn: bool
    follows: str
    previous_effect: Effect | None
    errors: int
    tool_results: int
    has_tools: bool
    media: bool
    media_now: bool
    opaque: bool
    last_is_system: bool
    user_text: str
    prompt_chars: int

    def record(self) -> dict[str, str | int | float | bool | None]:
        """For the ledger: the facts without any of the user's words."""
        facts: dict[str, str | int | float | bool | None] = {name: getattr(self, name) for name in _RECORDED}
        facts["user_chars"] = len(self.user_text)
        return facts


_RECORDED = tuple(field.name for field in fields(Signals) if field.name != "user_text")


def read_signals(turn: Turn, state: SessionState) -> Signals:
    request, hints = turn.request, turn.hints
    spoken = [m for m in request.messages if m.role != "system"]
    last = spoken[-1] if spoken else None
    user_text = _user_text(last) if last is not None and last.role == "user" else ""
    results = [p for p in last.parts if isinstance(p, ToolResult)] if last is not None else []
    if results and not user_text:
        follows = "tool-results"
    elif user_text:
        follows = "user"
    else:
        follows = "other"
    new_prompt = hints.prompt_id is not None and hints.prompt_id != state.prompt_id
    first_turn = new_prompt or (hints.prompt_id is None and follows == "user")
    compaction = hints.request_class == "compaction" or _COMPACTION in _last_text(last)
    head = request.system_head.lower()
    return Signals(
        request_class=hints.request_class or ("subagent" if hints.agent_id else "main"),
        auxiliary=_is_auxiliary(request, turn),
        compaction=compaction,
        classifier=any(phrase in head for phrase in _CLASSIFIER) or _is_judgement(request, turn),
        first_turn=first_turn,
        follows=follows,
        previous_effect=worst(_called(spoken, results)),
        errors=sum(r.is_error for r in results),
        tool_results=_results_in_task(spoken),
        has_tools=bool(request.tools),
        media=any(_has_media(m) for m in spoken),
        media_now=last is not None and _has_media(last),
        opaque=any(isinstance(p, Opaque) for m in request.messages for p in m.parts),
        last_is_system=bool(request.messages) and request.messages[-1].role == "system",
        user_text=user_text,
        prompt_chars=request.chars,
    )


def _is_judgement(request: ChatRequest, turn: Turn) -> bool:
    """A side call without tools that wants a whole answer at once: Claude Code asks its safety checks so. A title or a
    summary is streamed."""
    return turn.hints.request_class == "auxiliary" and not request.stream and not request.tools


def _is_auxiliary(request: ChatRequest, turn: Turn) -> bool:
    """A side call the client itself calls one, made for a text about the session. Anything that might be a judgement
    (not streamed, another purpose, with tools) is not taken for one."""
    hints = turn.hints
    return (
        hints.request_class == "auxiliary"
        and (hints.purpose is None or hints.purpose in _LIGHT_PURPOSES)
        and request.stream
        and not request.tools
    )


def _user_text(message: Message) -> str:
    texts = (p.text for p in message.parts if isinstance(p, Text))
    return "\n".join(t for t in texts if t.strip() and not t.lstrip().startswith(_NOT_THE_USER))


def _last_text(message: Message | None) -> str:
    if message is None or message.role != "user":
        return ""
    return "\n".join(p.text for p in message.parts if isinstance(p, Text))


def _called(spoken: list[Message], results: list[ToolResult]) -> list[str]:
    """Names of the tools whose results just came in; a result without its call counts as an unknown tool."""
    if not results:
        return []
    names: dict[str, str] = {}
    for message in reversed(spoken[:-1]):
        if message.role == "assistant":
            names = {p.id: p.name for p in message.parts if isinstance(p, ToolCall)}
            break
    return [names.get(r.call_id, "") for r in results]


def _results_in_task(spoken: list[Message]) -> int:
    """Tool results since the user last spoke."""
    count = 0
    for message in reversed(spoken):
        if message.role == "user":
            count += sum(isinstance(p, ToolResult) for p in message.parts)
            if _user_text(message):
                break
    return count


def _has_media(message: Message) -> bool:
    return any(isinstance(p, Media) or (isinstance(p, ToolResult) and p.media) for p in message.parts)
