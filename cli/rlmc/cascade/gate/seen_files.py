"""What a conversation shows of a file: its reads, writes and edits replayed in order.

Rule: what is said to be known is what the file was when the conversation last showed it. Where an edit does not fit
what is known, or its effect on it cannot be told, all that was known is given up rather than guessed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from rlmc.cascade.gate import numbered
from rlmc.cascade.gate.file_calls import (
    HARMLESS,
    Edit,
    FileCall,
    Gone,
    Read,
    Replacement,
    Write,
    file_calls,
    plain_path,
)
from rlmc.cascade.gate.history import Event, Exchange, events, exchanges
from rlmc.cascade.gate.numbered import Listing
from rlmc.cascade.gate.shell_reads import shown_by
from rlmc.cascade.inner_calls import inner_calls
from rlmc.domain.chat import ChatRequest, Text, ToolCall, ToolResult
from rlmc.domain.frozen import dataclass

# Clients cut lines of this length, each in its own way.
_LONGEST_LINE = 2000
# Claude Code answers so in place of lines it has shown before.
_UNCHANGED = "File unchanged"
# So many lines stand together but once in a file.
_TELLING_LINES = 4
_BY_HAND = "user modified"
_BEGINNING = 600
# Codex says where its commands and patches begin.
_ROOT = re.compile(r"<environment_context>.{0,2000}?<cwd>(/[^<\n]{1,1000})</cwd>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive lines of a file; `first` is the number of the first."""

    first: int
    text: str


@dataclass(frozen=True, slots=True)
class SeenFile:
    """What is known of a file that was read, written or edited: stretches of it, none touching the next.

    `last` is the number of the file's last line, None where it was not shown. `possibly_stale` is true when something
    ran since that may have changed the file.
    """

    stretches: tuple[Stretch, ...]
    last: int | None
    possibly_stale: bool = False

    @property
    def whole(self) -> str | None:
        """The file's text, if all of it is known."""
        if len(self.stretches) != 1 or self.stretches[0].first != 1:
            return None
        text = self.stretches[0].text
        return text if text.count("\n") + 1 == self.last else None

    def occurrences(self, text: str) -> int:
        """How often a text occurs in what is known, overlaps counted; 2 for any more than one."""
        count = 0
        for stretch in self.stretches:
            at = stretch.text.find(text)
            while at >= 0 and count < 2:
                count += 1
                at = stretch.text.find(text, at + 1)
        return count

    def holds(self, text: str) -> bool:
        return any(text in stretch.text for stretch in self.stretches)


# A file of which all that is known is that it exists.
_NOTHING_KNOWN = SeenFile((), None, possibly_stale=True)


def root_of(request: ChatRequest) -> str:
    """The folder that paths begin at, where the client tells it."""
    texts = (p.text for m in request.messages if m.role == "user" for p in m.parts if isinstance(p, Text))
    found = [match[1] for text in texts for match in _ROOT.finditer(text)]
    return found[-1] if found else ""


def seen_file(request: ChatRequest, path: str) -> SeenFile | None:
    """What the conversation shows of the file; None when it was never read, written or edited."""
    path, root = plain_path(path), root_of(request)
    file: SeenFile | None = None
    for event in events(request.messages):
        for asked in _asked(event, root):
            file = _after(file, event, asked, path)
    return file


def seen_paths(request: ChatRequest) -> frozenset[str]:
    """All files that were read, written or edited."""
    root = root_of(request)
    succeeded = (exchange for exchange in exchanges(request.messages) if exchange.succeeded)
    return frozenset(
        asked.path for e in succeeded for asked in _asked(e, root) if not isinstance(asked, ToolCall | Text)
    )


def written(content: str) -> SeenFile:
    """A file just written whole."""
    return SeenFile((Stretch(1, content),), content.count("\n") + 1)


def edited(file: SeenFile, edit: Edit) -> SeenFile:
    """The file after an edit that went through."""
    start = 1
    for replacement in edit.replacements:
        if edit.whole_lines:
            found = found_at(file, replacement, start)
            if isinstance(found, str):
                return _NOTHING_KNOWN
            start = behind(found, replacement)
        if not replacement.old:
            # Edit tools take this for the wish to make a file of the new text.
            file = written(replacement.new)
        elif file.whole is not None:
            file = _in_whole(file, file.whole, replacement, edit.takes_line)
        else:
            file = _in_part(file, replacement, edit.takes_line)
    return file


def found_at(file: SeenFile, wanted: Replacement, start: int) -> int | str:
    """The number of the first of the lines that a patch changes, or why it cannot be told: they are looked for from
    line `start` on, behind the place that is told, and the first that fit are changed. Where none fit as they are,
    those that nearly do are taken: so lines that were seen may not be where others are found before them."""
    stretch = next((s for s in file.stretches if f"\n{wanted.old}\n" in f"\n{s.text}\n"), None)
    if stretch is None or file.occurrences(wanted.old) != 1:
        return "the old text is not whole lines of what was seen of the file"
    if sum(bool(line.strip()) for line in wanted.old.split("\n")) < _TELLING_LINES:
        if stretch.first != 1:
            return "the old text may occur where the file was not seen"
        if file.possibly_stale:
            return "the file may have changed since it was seen"
    lines = {s.first + n: line for s in file.stretches for n, line in enumerate(s.text.split("\n"))}
    number = stretch.first + f"\n{stretch.text}\n".split(f"\n{wanted.old}\n")[0].count("\n")
    if wanted.place:
        place = _place(lines, wanted.place, start, whole=file.whole is not None)
        if place is None:
            return "the line it is to be found behind was not seen"
        start = place + 1
    end = number + wanted.old.count("\n")
    if number < start or (wanted.at_end and not _ends(file, lines, end)):
        return "the old text is not where they are looked for"
    return number


def behind(found: int, made: Replacement) -> int:
    """Where the next lines are looked for."""
    return found + made.new.count("\n") + bool(made.new)


def _place(lines: dict[int, str], place: str, start: int, *, whole: bool) -> int | None:
    """The first line that is the place, else the first that is but for blanks: if no other can be the place itself."""
    for same in (str, str.rstrip, str.strip) if whole else (str,):
        found = min((n for n, line in lines.items() if n >= start and same(line) == same(place)), default=None)
        if found is not None:
            return found
    return None


def _ends(file: SeenFile, lines: dict[int, str], number: int) -> bool:
    """Whether this is the file's last line. An empty one at the end is none."""
    if file.last is None:
        return False
    return number == file.last or (number == file.last - 1 and lines.get(file.last) == "")


def _asked(event: Event, root: str) -> Iterator[FileCall | ToolCall | Text]:
    """What an event was about: files, a call that is about none that is known, or a text."""
    if not isinstance(event, Exchange):
        yield event
        return
    inner = inner_calls(event.call)
    for call in (event.call,) if inner is None else inner:
        asked = file_calls(call, root)
        if len(inner or ()) > 1:
            # What each of several calls gave back is not told apart.
            asked = tuple(one for one in asked if not isinstance(one, Read))
        if asked:
            yield from asked
        else:
            yield call


def _after(file: SeenFile | None, event: Event, asked: FileCall | ToolCall | Text, path: str) -> SeenFile | None:
    if not isinstance(event, Exchange) or isinstance(asked, Text):
        # Claude Code tells of changes made by the user or a formatter.
        told = isinstance(asked, Text) and f"{path} was modified" in asked.text
        return _NOTHING_KNOWN if file is not None and told else file
    if isinstance(asked, ToolCall):
        stale = file is not None and asked.name not in HARMLESS
        return replace(file, possibly_stale=True) if file is not None and stale else file
    if asked.path != path:
        return file
    if event.failed:
        # What failed is one of several calls, or one of a patch's files: this one may have been changed before.
        several = not isinstance(asked, Read) and _makes_several(event.call)
        return _NOTHING_KNOWN if file is not None and several else file
    result = event.result
    if isinstance(asked, Read):
        return _looked(file, result, _listing(asked, event.call, result)) if result is not None else file
    if result is None or isinstance(asked, Gone) or _BY_HAND in result.text[:_BEGINNING]:
        return _NOTHING_KNOWN
    return written(asked.content) if isinstance(asked, Write) else edited(file or _NOTHING_KNOWN, asked)


def _makes_several(call: ToolCall) -> bool:
    inner = inner_calls(call) or ()
    return len(inner) > 1 or any(len(file_calls(one)) > 1 for one in inner)


def _listing(asked: Read, call: ToolCall, result: ToolResult) -> Listing | None:
    if asked.shell is not None:
        return shown_by(asked.shell, call, result.text)
    if asked.plain is not None:
        return numbered.parse_plain(result.text, whole=asked.plain == "whole")
    return numbered.parse(result.text, asked.limit)


def _looked(before: SeenFile | None, result: ToolResult, listing: Listing | None) -> SeenFile:
    """After a read: what it shows, and of what was known before the lines it does not reach."""
    if listing is None:
        known = before is not None and result.text.startswith(_UNCHANGED)
        return replace(before, possibly_stale=False) if before is not None and known else _NOTHING_KNOWN
    # A line cut short is as good as one not shown.
    lines = {listing.first + n: line for n, line in enumerate(listing.lines) if len(line) < _LONGEST_LINE}
    kept = _still_true(before, lines, listing) if before is not None else {}
    last = listing.last if listing.ended else before.last if before is not None and kept else None
    stale = before is not None and before.possibly_stale and not kept.keys() <= lines.keys()
    return SeenFile(_stretches(kept | lines), last, stale)


def _still_true(before: SeenFile, lines: dict[int, str], listing: Listing) -> dict[int, str]:
    """The lines known before, unless the file is not what it was then."""
    kept = {s.first + n: line for s in before.stretches for n, line in enumerate(s.text.split("\n"))}
    changed = any(lines.get(n, line) != line for n, line in kept.items())
    longer = listing.last > (before.last or listing.last)
    shorter = listing.ended and max(before.last or 0, max(kept, default=0)) > listing.last
    return {} if changed or longer or shorter else kept


def _stretches(lines: dict[int, str]) -> tuple[Stretch, ...]:
    runs: list[tuple[int, list[str]]] = []
    for number in sorted(lines):
        if runs and number == runs[-1][0] + len(runs[-1][1]):
            runs[-1][1].append(lines[number])
        else:
            runs.append((number, [lines[number]]))
    return tuple(Stretch(first, "\n".join(run)) for first, run in runs)


def _in_whole(file: SeenFile, text: str, wanted: Replacement, takes_line: bool) -> SeenFile:
    count = text.count(wanted.old)
    if count == 0 or (count > 1 and not wanted.everywhere):
        return _NOTHING_KNOWN
    changed = _replaced(text, wanted, takes_line)
    return SeenFile((Stretch(1, changed),), changed.count("\n") + 1, file.possibly_stale)


def _in_part(file: SeenFile, wanted: Replacement, takes_line: bool) -> SeenFile:
    """Where only parts are known, an edit outside of them may move or cut them in ways that cannot be seen."""
    hits = [n for n, stretch in enumerate(file.stretches) if wanted.old in stretch.text]
    if wanted.everywhere:
        if "\n" in wanted.old or "\n" in wanted.new or not wanted.new:
            return _NOTHING_KNOWN
        changed = (replace(s, text=_replaced(s.text, wanted, takes_line)) for s in file.stretches)
        return replace(file, stretches=tuple(changed))
    if len(hits) != 1 or file.stretches[hits[0]].text.count(wanted.old) != 1:
        return _NOTHING_KNOWN
    stretch = file.stretches[hits[0]]
    if not wanted.new and stretch.text.endswith(wanted.old):
        # The line break behind it may have gone too, and with it the next line would have come up.
        return _NOTHING_KNOWN
    text = _replaced(stretch.text, wanted, takes_line)
    more = text.count("\n") - stretch.text.count("\n")
    moved = (replace(s, first=s.first + more) for s in file.stretches[hits[0] + 1 :])
    stretches = (*file.stretches[: hits[0]], replace(stretch, text=text), *moved)
    return replace(file, stretches=stretches, last=None if file.last is None else file.last + more)


def _replaced(text: str, wanted: Replacement, takes_line: bool) -> str:
    old = wanted.old
    if takes_line and not wanted.new and not old.endswith("\n") and f"{old}\n" in text:
        old = f"{old}\n"
    return text.replace(old, wanted.new, -1 if wanted.everywhere else 1)
