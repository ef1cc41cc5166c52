"""Which edit a task asks for, as far as its words and the files seen tell.

An edit always replaces text that occurs exactly once in the newest content seen, so that a client can apply it.
"""

from __future__ import annotations

import posixpath
import re
from itertools import pairwise

from rlmc.domain.frozen import dataclass
from rlmc.upstream.simulated.conversation import Conversation
from rlmc.upstream.simulated.words import search_words

_QUOTED = re.compile(r"`([^`\n]+)`|\"([^\"\n]+)\"|'([^'\n]{2,})'")
_FROM_TO = re.compile(r"\b(?:from|rename|replace|change)\s+(\S+)\s+(?:to|with|by|into)\s+(\S+)", re.IGNORECASE)
_TO = re.compile(r"\bto\s+(?:say\s+)?([\w -]{1,60}?)[.!]?\s*$", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z_]\w{3,}")
_COMMENTS = {".py": "#", ".sh": "#", ".rb": "#", ".toml": "#", ".yaml": "#", ".yml": "#", ".sql": "--"}
_PROSE = (".txt", ".md", ".rst")


@dataclass(frozen=True, slots=True)
class Edit:
    path: str
    old: str
    new: str


def edit_for(conversation: Conversation) -> Edit | None:
    """The change to make now; None when no file was seen that it could go to."""
    files = conversation.files()
    if not files:
        return None
    sources = [conversation.task, conversation.said, conversation.earlier]
    for source in sources:
        for old, new in _replacements(source):
            for path in _by_likelihood(conversation, files):
                found = _unique(files[path], old)
                if found is not None and old != new:
                    return Edit(path, found, found.replace(old, new, 1))
    path = _by_likelihood(conversation, files)[0]
    return _in_line(path, files[path], f"{conversation.task} {conversation.earlier}")


def _replacements(text: str) -> list[tuple[str, str]]:
    quoted = [next(g for g in m.groups() if g) for m in _QUOTED.finditer(text)]
    pairs = list(pairwise(quoted))
    plain = [(m.group(1).strip("`\"'"), m.group(2).strip("`\"'.,")) for m in _FROM_TO.finditer(text)]
    return pairs + plain


def _by_likelihood(conversation: Conversation, files: dict[str, str]) -> list[str]:
    """Files the task names, then those that define the word it is about, then those that hold it, then the others;
    those read last first."""
    word = search_words(conversation.task)[0]
    defined = re.compile(rf"\b(?:def|class|function|func|fn)\s+{re.escape(word)}\b")

    def unlikely(path: str) -> tuple[bool, bool, bool]:
        content = files[path]
        return posixpath.basename(path) not in conversation.task, not defined.search(content), word not in content

    latest_first = list(reversed(files))
    return sorted(latest_first, key=unlikely)


def _unique(content: str, wanted: str) -> str | None:
    """The lines around the first occurrence of `wanted`, enough of them to occur only once."""
    at = content.find(wanted)
    if at < 0:
        return None
    start = content.rfind("\n", 0, at) + 1
    end = content.find("\n", at + len(wanted))
    end = len(content) if end < 0 else end
    while content.count(content[start:end]) > 1 and start > 0:
        start = content.rfind("\n", 0, start - 1) + 1
    piece = content[start:end]
    return piece if content.count(piece) == 1 else None


def _in_line(path: str, content: str, words: str) -> Edit | None:
    """Without a clear wish: new prose where the task ends in it, else a marked comment on the line it is about."""
    lines = [line for line in content.split("\n") if line.strip() and content.count(line) == 1]
    if not lines:
        return None
    wanted = {w.lower() for w in _WORD.findall(words)}
    line = max(lines, key=lambda text: sum(w.lower() in wanted for w in _WORD.findall(text)))
    suffix = posixpath.splitext(path)[1]
    prose = _TO.search(words.strip())
    if suffix in _PROSE and prose:
        return Edit(path, line, prose.group(1).strip())
    mark = _COMMENTS.get(suffix, "//")
    return Edit(path, line, f"{line}  {mark} simulated change")
