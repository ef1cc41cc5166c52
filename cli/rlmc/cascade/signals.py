"""Cheap facts about a turn. Everything a router looks at is here, and goes into the ledger as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from rlmc.cascade.effects import effect_of
from rlmc.cascade.failures import has_failed
from rlmc.cascade.keywords import is_approval, is_complex, looks_hard
from rlmc.cascade.side_calls import is_aside, is_compaction, is_judgement
from rlmc.cascade.spoken import user_words
from rlmc.domain.chat import ChatRequest, Contents, Media, Message, Text, ToolCall, ToolResult
from rlmc.domain.effect import Effect, worst
from rlmc.domain.frozen import dataclass
from rlmc.domain.turn import Turn

# A side call's finer word that marks it as mere text about the session.
_LIGHT_PURPOSES = frozenset({"summary-extraction", "followup-generation"})

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Signals:
    """What the request is, and what it comes after. No word of the user's is kept.

    `follows` is what the turn comes after: the user's words, tool results, or something else (a notification, a cut
    answer). `previous_effect` is the riskiest effect among the calls whose results just came in. `complex` and `hard`
    are two readings of the user's words (see keywords.py), `approval` a third: they say no more than "go on".
    `thinking` is the request's mode word. `repeated_errors`: tools failed on this turn and on the one before.
    """

    request_class: str
    auxiliary: bool
    compaction: bool
    classifier: bool
    first_turn: bool
    first_in_session: bool
    follows: str
    previous_effect: Effect | None
    errors: int
    repeated_errors: bool
    tool_results: int
    has_tools: bool
    media: bool
    media_now: bool
    opaque: bool
    server_tools: bool
    forced_tool: bool
    safeguards: bool
    output_format: bool
    thinking: str | None
    prewarm: bool
    stream: bool
    last_is_system: bool
    user_chars: int
    complex: bool
    hard: bool
    approval: bool
    prompt_chars: int

    def record(self) -> dict[str, Plain]:
        """For the ledger."""
        return dict(zip(_NAMES, _FACTS(self), strict=True))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Signals:
        """Back from the ledger. Raises KeyError where a fact is missing, ValueError where one makes no sense."""
        facts = {name: record[name] for name in _NAMES}
        effect = facts["previous_effect"]
        return cls(**(facts | {"previous_effect": None if effect is None else Effect(effect)}))


_NAMES = tuple(field.name for field in fields(Signals))
_FACTS = attrgetter(*_NAMES)


@dataclass(frozen=True, slots=True)
class Past:
    """What a conversation remembers for the signals of its next turn: the user prompt it last heard of, whether the
    task under way looks hard, whether the last turn's tools had failed, how many turns there were."""

    prompt_id: str | None = None
    hard: bool = False
    failed: bool = False
    turns: int = 0


def read_signals(turn: Turn, past: Past) -> Signals:
    request, hints = turn.request, turn.hints
    messages = request.messages
    # From the end on: a conversation's past is long, and was looked at when it was new.
    at = next((n for n in range(len(messages) - 1, -1, -1) if messages[n].role != "system"), -1)
    last = messages[at] if at >= 0 else None
    contents = request.contents or Contents().with_(messages)
    user_text = user_words(last) if last is not None else ""
    results = [p for p in last.parts if isinstance(p, ToolResult)] if last is not None else []
    if results and not user_text:
        follows = "tool-results"
    elif user_text:
        follows = "user"
    else:
        follows = "other"
    new_prompt = hints.prompt_id is not None and hints.prompt_id != past.prompt_id
    first_turn = new_prompt or (hints.prompt_id is None and follows == "user")
    approval = is_approval(user_text)
    errors = sum(has_failed(p) for p in results)
    return Signals(
        request_class=hints.request_class or ("subagent" if hints.agent_id else "main"),
        auxiliary=_is_auxiliary(request, turn),
        compaction=hints.request_class == "compaction" or is_compaction(request, last),
        classifier=is_judgement(request) or _asks_to_judge(request, turn),
        first_turn=first_turn,
        first_in_session=past.turns == 0,
        follows=follows,
        previous_effect=worst(_effects(turn, at, results)),
        errors=errors,
        repeated_errors=errors > 0 and past.failed,
        tool_results=_results_in_task(messages),
        has_tools=bool(request.tools),
        media=contents.media,
        media_now=last is not None and _has_media(last),
        opaque=contents.opaque,
        server_tools=any(t.server for t in request.tools),
        forced_tool=request.tool_choice in ("any", "tool"),
        safeguards=request.safeguards,
        output_format=request.output_schema is not None,
        thinking=request.thinking,
        prewarm=request.max_tokens == 0,
        stream=request.stream,
        last_is_system=at < len(messages) - 1,
        user_chars=len(user_text),
        complex=is_complex(user_text),
        hard=past.hard if approval or not user_text else looks_hard(user_text),
        approval=approval,
        prompt_chars=request.chars,
    )


def _asks_to_judge(request: ChatRequest, turn: Turn) -> bool:
    """A side call without tools that wants a whole answer at once: Claude Code asks its safety checks so. A title or a
    summary is streamed."""
    return turn.hints.request_class == "auxiliary" and not request.stream and not request.tools


def _is_auxiliary(request: ChatRequest, turn: Turn) -> bool:
    """A side call the client itself calls one, made for a text about the session. Anything that might be a judgement
    (not streamed, another purpose, with tools) is not taken for one. Where the client says nothing, its words count."""
    hints = turn.hints
    if hints.request_class is None:
        return is_aside(request)
    return (
        hints.request_class == "auxiliary"
        and (hints.purpose is None or hints.purpose in _LIGHT_PURPOSES)
        and request.stream
        and not request.tools
    )


def _effects(turn: Turn, at: int, results: list[ToolResult]) -> list[Effect]:
    """Of the calls whose results came in with message `at`; a result without its call counts as an unknown tool."""
    if not results:
        return []
    called: dict[str, ToolCall] = {}
    for n in range(at - 1, -1, -1):
        message = turn.request.messages[n]
        if message.role == "assistant":
            called = {p.id: p for p in message.parts if isinstance(p, ToolCall)}
            break
    specs = {t.name: t for t in turn.request.tools}
    calls = (called.get(r.call_id, ToolCall("", "", "{}")) for r in results)
    return [effect_of(c.name, c.arguments, specs.get(c.name), turn.tools) for c in calls]


def _results_in_task(messages: Sequence[Message]) -> int:
    """Tool results since the user last spoke."""
    count = 0
    for message in reversed(messages):
        if message.role == "user":
            words = False
            for part in message.parts:
                if isinstance(part, ToolResult):
                    count += 1
                else:
                    words = words or isinstance(part, Text)
            if words and user_words(message):
                break
    return count


def _has_media(message: Message) -> bool:
    return any(isinstance(p, Media) or (isinstance(p, ToolResult) and p.media) for p in message.parts)


def past_after(past: Past, turn: Turn, signals: Signals) -> Past:
    """What the conversation remembers once this turn has come in."""
    return Past(
        prompt_id=turn.hints.prompt_id or past.prompt_id,
        hard=signals.hard,
        failed=signals.errors > 0,
        turns=past.turns + 1,
    )
