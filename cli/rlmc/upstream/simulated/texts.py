"""What the simulated models say to people. Every text says that it is simulated, and only repeats what was seen."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from rlmc.upstream.simulated.conversation import Conversation
from rlmc.upstream.simulated.edits import Edit
from rlmc.upstream.simulated.kinds import Kind
from rlmc.upstream.simulated.words import search_words

LABEL = "(Simulated answer.)"
MISTAKE = "(simulated mistake)"
"""Ends an answer that is wrong on purpose."""
_DEFINED = re.compile(
    r"^\s*(?:async\s+def|def|class|function|func|fn|export\s+function|type|interface)\s+(\w+)", re.MULTILINE
)
_MEANING = re.compile(r'^\s*(?:"""|#|//)\s*(.{12,100}?)(?:"""|\.|$)', re.MULTILINE)


def answer(conversation: Conversation, *, thorough: bool, detailed: bool) -> str:
    """What the files read in this task hold. A thorough model adds how it looked."""
    read = [s for s in conversation.steps if s.kind is Kind.READ and not s.failed]
    files = conversation.files()
    if not read:
        return f"{LABEL} {_seen(conversation)}"
    parts = [f"{LABEL} From what I read for “{_short(conversation.task)}”:", ""]
    for step in read:
        content = files.get(step.path or "", step.result)
        parts.append(_about(step.path or step.tool, content, most=12 if detailed else 4))
        parts += _where(content, search_words(conversation.task)[:2])
        if detailed:
            parts += _in_detail(content)
    if thorough:
        searches = conversation.count(Kind.SEARCH)
        parts.append(f"I checked this in {_count(len(read), 'file')} after {_count(searches, 'search', 'searches')}.")
    return "\n".join(parts).strip()


def proposal(edit: Edit, *, thorough: bool) -> str:
    old, new = (text.strip().split("\n")[-1].replace("`", "'") for text in (edit.old, edit.new))
    text = f"{LABEL} In {edit.path} I would replace `{old}` with `{new}` and leave the rest as it is."
    if thorough:
        text += " I would read where it is used once more, and run the tests afterwards."
    return text + " Shall I go ahead?"


def done(conversation: Conversation, *, thorough: bool) -> str:
    edits = [s for s in conversation.steps if s.kind in (Kind.EDIT, Kind.WRITE) and not s.failed]
    runs = [s for s in conversation.steps if s.kind is Kind.SHELL]
    names = ", ".join(dict.fromkeys(posixpath.basename(s.path or "") for s in edits))
    text = f"{LABEL} Done: I changed {names}." if edits else f"{LABEL} I could not make the change; nothing was edited."
    if runs:
        last = runs[-1].result.strip().split("\n")[-1][:120]
        text += f" The last command ended with: {last}."
    if thorough and edits:
        seen = _count(len(conversation.files()), "file")
        text += f" The change is {_count(len(edits), 'edit')}, after reading {seen}."
    return text


def plan(conversation: Conversation, finished: bool) -> list[tuple[str, str]]:
    target = posixpath.basename(next(reversed(conversation.files()), "the code"))
    items = [f"Read what {target} does now", f"Make the change in {target}", "Run the tests"]
    states = ["completed"] * 3 if finished else ["completed", "in_progress", "pending"]
    return list(zip(items, states, strict=True))


def summary(conversation: Conversation) -> str:
    files = "\n".join(f"- {p}" for p in conversation.files()) or "- none"
    task = _short(conversation.earlier or conversation.task)
    return f"<summary>\n{LABEL} Task: {task}\nFiles read:\n{files}\n</summary>"


def title(text: str) -> str:
    return f"Simulated: {_short(text, 40)}"


def long_text(conversation: Conversation) -> str:
    """A text far over what a verification is worth."""
    return (
        answer(conversation, thorough=True, detailed=True)
        + "\n\n"
        + " ".join(f"Point {n}: this sentence is simulated and makes the answer longer." for n in range(1, 61))
    )


def _about(path: str, content: str, most: int) -> str:
    names = list(dict.fromkeys(_DEFINED.findall(content)))
    lines = content.count("\n") + 1
    found = f", defining {', '.join(names[:most])}" if names else ""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"- {posixpath.basename(path)} has {_count(lines, 'line')}{found}{more}."


def _where(content: str, words: Sequence[str]) -> list[str]:
    """The first line that holds each word, a definition before any other."""
    lines = content.split("\n")
    notes = []
    for word in words:
        hits = [n for n, line in enumerate(lines) if word.lower() in line.lower()]
        if hits:
            at = next((n for n in hits if _DEFINED.match(lines[n])), hits[0])
            notes.append(f"  - {word} is on line {at + 1}: {lines[at].strip()[:100]}")
    return notes


def _in_detail(content: str) -> Sequence[str]:
    notes = list(dict.fromkeys(_MEANING.findall(content)))
    return [f"  - it says: {note.strip()}" for note in notes[:10]]


def _seen(conversation: Conversation) -> str:
    if conversation.steps:
        last = conversation.steps[-1].result.strip().split("\n")[0][:160]
        return f"The last thing I saw was: {last or 'nothing'}"
    return f"A real model would answer “{_short(conversation.task)}” here."


def _short(text: str, most: int = 60) -> str:
    line = " ".join(_user_words(text).split())
    return line if len(line) <= most else line[: most - 1].rsplit(" ", 1)[0] + "…"


def _user_words(text: str) -> str:
    """Without the tags that clients put around a text."""
    return re.sub(r"</?[a-z_-]+>", " ", text)


def _count(n: int, one: str, many: str | None = None) -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"
