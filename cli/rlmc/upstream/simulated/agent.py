"""What a simulated model does next: the other half of a coding agent, decided from the conversation alone.

A change: search, read, plan, edit, run the tests, tick off the plan, report. A question: search, read, answer. Without
tools: a text, or JSON that fits the asked schema. Steps whose tool the client does not have are left out.
"""

from __future__ import annotations

import re

import msgspec

from rlmc.domain.frozen import dataclass
from rlmc.upstream.simulated import texts
from rlmc.upstream.simulated.body import Body
from rlmc.upstream.simulated.conversation import Conversation, read_conversation
from rlmc.upstream.simulated.edits import edit_for
from rlmc.upstream.simulated.kinds import Kind
from rlmc.upstream.simulated.schema import fill
from rlmc.upstream.simulated.tools import Call, Toolbox
from rlmc.upstream.simulated.words import search_words

_CHANGE = re.compile(
    r"^\W*(?:please\s+|can you\s+|could you\s+|now\s+|then\s+)*(?:add|apply|change|convert|correct|create|delete|edit|"
    r"fix|implement|make|move|patch|refactor|remove|rename|replace|rewrite|set|update|use|write)\b",
    re.IGNORECASE | re.MULTILINE,
)
_APPROVAL = re.compile(
    r"^\W*(?:yes|yep|yeah|ok|okay|sure|do it|go ahead|go on|please do|continue|approved|sounds good)\b", re.IGNORECASE
)
_PROPOSE = re.compile(r"\b(?:propose|proposal|suggest|would you change)\b", re.IGNORECASE)
_DETAIL = re.compile(r"\b(?:in detail|detailed|thorough|walk me through|explain)", re.IGNORECASE)
_COMPACT = "Respond with TEXT ONLY"
_TEST_COMMANDS = (
    ((".py",), "python -m pytest -q"),
    ((".rs",), "cargo test"),
    ((".go",), "go test ./..."),
    ((".ts", ".js", "package.json"), "npm test"),
)
_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is put on the wire. `stop` overrides the natural stop reason."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    stop: str | None = None


def next_step(body: Body, *, thorough: bool) -> Reply:
    conversation = read_conversation(body)
    toolbox = Toolbox.of(body)
    schema = body.output_schema()
    if schema is not None and not toolbox:
        title = texts.title(conversation.task)
        return Reply(msgspec.json.encode(fill(schema, {"title": title})).decode())
    if _COMPACT in conversation.task:
        return Reply(texts.summary(conversation))
    choice = body.tool_choice or {}
    if choice.get("type") in ("any", "tool"):
        forced = toolbox.forced(choice.get("name"))
        if forced is not None:
            return Reply(calls=(forced,))
    parallel = choice.get("disable_parallel_tool_use") is not True
    if toolbox and _wants_change(conversation):
        return _change(conversation, toolbox, thorough, parallel)
    return _question(conversation, toolbox, thorough, parallel)


def _wants_change(conversation: Conversation) -> bool:
    task = conversation.task
    if _PROPOSE.search(task):
        return False
    return bool(_CHANGE.search(task) or _is_approval(conversation))


def _is_approval(conversation: Conversation) -> bool:
    """A short yes. What it means stands in the messages before it."""
    return len(conversation.task) < 80 and bool(_APPROVAL.match(conversation.task))


def _change(conversation: Conversation, toolbox: Toolbox, thorough: bool, parallel: bool) -> Reply:
    approved = _is_approval(conversation)
    files = conversation.files()
    if not (approved and files):
        look = _look(conversation, toolbox, reads=3, searches=1, parallel=parallel)
        if look is not None:
            return look
    edits = [s for s in conversation.steps if s.kind in (Kind.EDIT, Kind.WRITE)]
    changed = any(not s.failed for s in edits)
    if files and not conversation.count(Kind.PLAN) and not edits and not approved:
        plan = toolbox.plan(texts.plan(conversation, finished=False))
        if plan is not None:
            return Reply(calls=(plan,))
    if not changed and len(edits) < _ATTEMPTS:
        edit = edit_for(conversation)
        call = toolbox.edit(edit.path, edit.old, edit.new) if edit else None
        if call is not None:
            return Reply(calls=(call,))
    if changed and not _ran_after_edit(conversation):
        run = toolbox.shell(*_check(conversation))
        if run is not None:
            return Reply(calls=(run,))
    if changed and conversation.count(Kind.PLAN) == 1:
        plan = toolbox.plan(texts.plan(conversation, finished=True))
        if plan is not None:
            return Reply(calls=(plan,))
    return Reply(texts.done(conversation, thorough=thorough))


def _question(conversation: Conversation, toolbox: Toolbox, thorough: bool, parallel: bool) -> Reply:
    detailed = bool(_DETAIL.search(conversation.task))
    if toolbox:
        look = _look(conversation, toolbox, reads=6 if detailed else 4, searches=3, parallel=parallel)
        if look is not None:
            return look
    if _PROPOSE.search(conversation.task):
        edit = edit_for(conversation)
        if edit is not None:
            return Reply(texts.proposal(edit, thorough=thorough))
    return Reply(texts.answer(conversation, thorough=thorough, detailed=detailed))


def _look(conversation: Conversation, toolbox: Toolbox, *, reads: int, searches: int, parallel: bool) -> Reply | None:
    """The next search or read; None once enough was seen or nothing more can be found."""
    done = conversation.count(Kind.READ)
    if done >= reads or conversation.count(Kind.EDIT, Kind.WRITE):
        return None
    unread = conversation.unread()
    if not unread:
        return _search(conversation, toolbox, searches)
    # Two files at once where the second is sure to be wanted too, as agents do now and then.
    width = 2 if parallel and reads - done >= 5 and len(unread) >= 3 else 1
    calls = tuple(c for c in map(toolbox.read, unread[:width]) if c is not None)
    return Reply(calls=calls) if calls else None


def _search(conversation: Conversation, toolbox: Toolbox, most: int) -> Reply | None:
    """With the next of the task's words; where the user named the files there is nothing to search for."""
    tried = conversation.count(Kind.SEARCH, Kind.SHELL)
    words = search_words(conversation.task)
    if tried >= min(most, len(words)) or (conversation.steps and not tried):
        return None
    call = toolbox.search(words[tried])
    if call is None and not tried:
        call = toolbox.shell("ls -la", "List the files here")
    if call is None:
        return None
    return Reply("" if tried else f"(simulated) I will look for {words[0]} first.", (call,))


def _ran_after_edit(conversation: Conversation) -> bool:
    kinds = [s.kind for s in conversation.steps]
    edited = max((n for n, k in enumerate(kinds) if k in (Kind.EDIT, Kind.WRITE)), default=-1)
    return Kind.SHELL in kinds[edited + 1 :]


def _check(conversation: Conversation) -> tuple[str, str]:
    """The command that tests such a project, and what it is for."""
    names = " ".join(conversation.files())
    for endings, command in _TEST_COMMANDS:
        if any(ending in names for ending in endings):
            return command, "Run the tests"
    return "ls -la", "List the files here"
