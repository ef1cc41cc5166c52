"""Past states: moments of recorded sessions at which a draft model would have been asked, and what was done then.

Looking for them reads every file once and keeps no content. Those that are chosen are read again, one file after the
other, and built into the request an agent would have made. Rule: a state is one only where the policy balanced would
have had a draft; what was done was the answer of a model of the verify model's own rank, given to its end.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path

import msgspec

from rlmc.calibrate.tools import tools
from rlmc.calibrate.transcript import Answer, Json, Transcript
from rlmc.cascade.economics import Prospect
from rlmc.cascade.effects import effect_of
from rlmc.cascade.hard_gates import hard_gate
from rlmc.cascade.learning import kind_of
from rlmc.cascade.policies import balanced
from rlmc.cascade.policies.policy import Route
from rlmc.cascade.signals import Past, Signals, read_signals
from rlmc.domain.chat import Completion, Part, Text, ToolCall
from rlmc.domain.effect import Effect, worst
from rlmc.domain.frozen import dataclass
from rlmc.domain.turn import ClientHints, DraftAbilities, Model, Turn
from rlmc.errors import UnknownShape, WireError
from rlmc.replay.readers import claude_code, sniff
from rlmc.replay.readers.claude_code import CHARS_PER_TOKEN
from rlmc.replay.readers.files import files_below
from rlmc.replay.readers.lines import first_lines, lines
from rlmc.replay.recorded import ReadingFaults
from rlmc.wire.anthropic.codec import ANTHROPIC

LONGEST_TOKENS = 60_000
"""Of a prompt. Longer ones are left out: they cost most and tell no more."""
MAX_TOKENS = 8192
"""Of a drafted answer."""
WORTH_IT = Prospect(direct=2, skipped=1)
"""A draft that pays, whatever it costs: what is asked here is how good it is."""

_SYSTEM = """\
You are a coding agent in a terminal. You work for the user on the project in the working directory, step by step, \
with the tools you are given: read before you change, keep changes small, check what you did, and say shortly what you \
did when the task is done.
Working directory: {directory}"""
_FAMILY = re.compile(r"claude-(?:[\d.-]*-)?([a-z]+)")


@dataclass(frozen=True, slots=True)
class Models:
    """Who drafts, and whose rank what was done has to be of. `abilities` and `context` are those of the two models,
    `tools` the user's own words on what tools do."""

    draft: Model
    verify: Model
    abilities: DraftAbilities = field(default_factory=DraftAbilities)
    context: int = 200_000
    tools: Mapping[str, Effect] = field(default_factory=dict)
    brief_tokens: int = 4000


@dataclass(frozen=True, slots=True)
class State:
    """Where one is, without its content. `kind` is that of what was done, `digest` its name, `chars` its size."""

    file: Path
    key: str
    digest: str
    kind: str
    model: str
    chars: int


@dataclass(slots=True)
class Found:
    """What is in the files: states, each once, and how many recorded answers are none, by why."""

    states: list[State] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    files: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A state with its content: the turn as it would have come in, and what was done."""

    state: State
    turn: Turn
    signals: Signals
    route: Route
    done: Completion


# --- which there are --------------------------------------------------------------------------------------------------


def transcripts(named: Sequence[Path], home: Path, faults: ReadingFaults) -> list[Path]:
    """Those of Claude Code's main loops among some files and folders; without any, among those it keeps itself."""
    files = files_below(named, [home / place for place in claude_code.READER.places], faults)
    return [
        file
        for file in files
        if claude_code.READER.session_file(file) == file and sniff(first_lines(file)) is claude_code.READER
    ]


def newest_model(files: Sequence[Path], faults: ReadingFaults) -> str | None:
    """The model that was asked in the newest session: what a client will ask for, as far as one can know."""
    for file in reversed(files):
        answers = [a for a in _read(file, faults, _nothing).answers.values() if a.model and not a.by_rlmc]
        if answers:
            return answers[-1].asked or answers[-1].model
    return None


def look(files: Iterable[Path], models: Models, faults: ReadingFaults, progress: Callable[[int], None]) -> Found:
    """`progress` is told how many bytes more were read."""
    found = Found()
    met: set[str] = set()
    for file in files:
        found.files += 1
        transcript = _read(file, faults, progress)
        for answer in transcript.answers.values():
            digest = answer.digest
            if digest in met:  # sessions that go on from another begin with a copy of it
                continue
            met.add(digest)
            chars = transcript.before(answer).chars
            why = _unfit(transcript, answer, models)
            if why is not None:
                found.left_out[why] += 1
                continue
            found.states.append(State(file, answer.key, digest, _kind(answer, models), answer.model, chars))
    return found


def _unfit(transcript: Transcript, answer: Answer, models: Models) -> str | None:
    """Why an answer is none to compare with; None where it is one."""
    before = transcript.before(answer)
    if answer.by_rlmc:
        return "drafted by rlmc"
    if not _of_rank(answer.model, models):
        return "another model"
    if before.asked or not before.results:
        return "first steps"
    if before.errors:
        return "after an error"
    if before.media:
        return "images"
    if before.chars > LONGEST_TOKENS * CHARS_PER_TOKEN:
        return "too long"
    if answer.strange or not transcript.complete(answer):
        return "incomplete"
    return None


def _of_rank(model: str, models: Models) -> bool:
    """Of Claude models only the verify model's own family; with others nobody knows, and any but the draft will do."""
    if model in (models.draft.name, str(models.draft)):
        return False
    own, wanted = _FAMILY.match(model), _FAMILY.match(models.verify.name)
    return own is None or wanted is None or own[1] == wanted[1]


def _kind(answer: Answer, models: Models) -> str:
    called = ((call.name or "", bytes(call.input).decode(errors="replace")) for call in answer.calls)
    return kind_of(worst(effect_of(name, arguments, None, models.tools) for name, arguments in called))


# --- which are taken --------------------------------------------------------------------------------------------------


def choose(states: Sequence[State], size: int) -> list[State]:
    """As many of each kind as of any other, as far as there are so many; always the same ones of the same states."""
    kinds: dict[str, list[State]] = {}
    for state in sorted(states, key=lambda state: state.digest):
        kinds.setdefault(state.kind, []).append(state)
    chosen: list[State] = []
    left = size
    for waiting, of_kind in zip(
        range(len(kinds), 0, -1),
        sorted(kinds.values(), key=lambda of_kind: (len(of_kind), of_kind[0].kind)),
        strict=True,
    ):
        share = of_kind[: -(-left // waiting)] if left > 0 else []
        share = share[:left]
        left -= len(share)
        chosen += share
    return chosen


# --- with their content -----------------------------------------------------------------------------------------------


def cases(
    chosen: Iterable[State], models: Models, faults: ReadingFaults, unusable: Callable[[State], None]
) -> Iterator[Case]:
    """File after file, in the order of the session: providers find the beginning of a prompt in their cache."""
    by_file: dict[Path, list[State]] = {}
    for state in chosen:
        by_file.setdefault(state.file, []).append(state)
    for file in sorted(by_file):
        transcript = _read(file, faults, _nothing)
        wanted = {state.key: state for state in by_file[file]}
        for key in [key for key in transcript.answers if key in wanted]:
            case = _case(transcript, transcript.answers[key], wanted.pop(key), models)
            if isinstance(case, Case):
                yield case
            else:
                unusable(case)
        for state in wanted.values():  # the file is not what it was
            unusable(state)


def _case(transcript: Transcript, answer: Answer, state: State, models: Models) -> Case | State:
    """The state itself where it turns out to be none."""
    messages = transcript.messages(answer)
    if messages is None:
        return state
    offer = transcript.offer(answer)
    own = [{"type": "text", "text": _SYSTEM.format(directory=transcript.directory or "(unknown)")}]
    body: Json = {
        "model": models.verify.name,
        "max_tokens": MAX_TOKENS,
        "system": own if offer is None else offer.system,
        "tools": tools(transcript.tools) if offer is None else offer.tools,
        "messages": messages,
        "stream": True,
    }
    try:
        request = ANTHROPIC.decode_request(msgspec.json.encode(body))
    except (UnknownShape, WireError):
        return state
    if request.chars > LONGEST_TOKENS * CHARS_PER_TOKEN:
        return state
    turn = Turn(
        request=request,
        hints=ClientHints(request_class="main"),
        verify=models.verify,
        verify_context=models.context,
        draft=models.draft,
        draft_block=None,
        draft_abilities=models.abilities,
        own_calls=True,
        nonce=secrets.token_hex(8),
        tools=models.tools,
        brief_tokens=models.brief_tokens,
    )
    signals = read_signals(turn, Past(turns=1))
    route = balanced.route(balanced.POLICY, signals, WORTH_IT)
    if hard_gate(turn, signals) is not None or route.kind != "skip":
        return state
    return Case(state, turn, signals, route, _completion(transcript.recorded(answer), answer.model))


def _completion(blocks: list[Json], model: str) -> Completion:
    parts: list[Part] = []
    for block in blocks:
        if block["type"] == "text":
            parts.append(Text(block["text"]))
        else:
            parts.append(ToolCall(block["id"] or "", block["name"] or "", bytes(block["input"]).decode()))
    calls = any(isinstance(part, ToolCall) for part in parts)
    return Completion(model, tuple(parts), "tool_use" if calls else "end_turn", None)


def _read(file: Path, faults: ReadingFaults, progress: Callable[[int], None]) -> Transcript:
    transcript = Transcript()
    for line in lines(file, faults, progress):
        transcript.add(line)
    return transcript


def _nothing(_bytes: int) -> None:
    pass
