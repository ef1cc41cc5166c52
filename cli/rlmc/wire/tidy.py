"""A conversation put in the order every protocol accepts, before it is written for another one.

Rules: every call has a result, and every result stands in the message after its call, in the order of the calls; ids
are unique and legal everywhere; no message is empty and no two of the same role follow each other; nothing is invented
but the word that a result is missing. The same beginning becomes the same beginning, so that prompt caches hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

from rlmc.domain.chat import Role, Text, ToolCall
from rlmc.domain.frozen import dataclass
from rlmc.domain.prompt import PromptMessage, PromptPart, Result

NO_RESULT = "[no result]"
_LEGAL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def legal_id(original: str, again: int = 0) -> str:
    """The id itself where every provider takes it, else one made from it. `again` counts its earlier uses."""
    if not again and _LEGAL_ID.fullmatch(original):
        return original
    return "call_" + sha256(f"{again} {original}".encode(errors="replace")).hexdigest()[:24]


def tidy(messages: Iterable[PromptMessage]) -> tuple[PromptMessage, ...]:
    """The messages in order. A result whose call is unknown becomes words of the user's."""
    order = _Order()
    for message in messages:
        order.add(message)
    order.close()
    return tuple(PromptMessage(role, tuple(parts)) for role, parts in order.messages if parts)


@dataclass(slots=True)
class _Open:
    """A call whose result must come next. `given` is the id it goes by from here on."""

    original: str
    given: str
    result: Result | None = None


class _Order:
    """Messages one after another; `_rest` is what the user says beside the results that are still open."""

    def __init__(self) -> None:
        self.messages: list[tuple[Role, list[PromptPart]]] = []
        self._open: list[_Open] = []
        self._rest: list[PromptPart] = []
        self._uses: dict[str, int] = {}

    def add(self, message: PromptMessage) -> None:
        if message.role == "user":
            self._user(message)
            return
        if message.role == "assistant":
            self.close()
            parts = [self._call(part) if isinstance(part, ToolCall) else part for part in message.parts]
            self._say("assistant", [part for part in parts if not _blank(part)])
            return
        # An operator's word between a call and its result waits until the result has come.
        words = [part for part in message.parts if isinstance(part, Text) and part.text.strip()]
        if self._open:
            self._rest.extend(Text(f"<system-reminder>\n{part.text}\n</system-reminder>") for part in words)
        else:
            self._say("system", list(words))

    def close(self) -> None:
        """Nothing more comes for the calls that are open."""
        results: list[PromptPart] = [
            call.result or Result(call.given, (Text(NO_RESULT),), is_error=True) for call in self._open
        ]
        rest, self._open, self._rest = self._rest, [], []
        self._say("user", [*results, *rest])

    def _user(self, message: PromptMessage) -> None:
        for part in message.parts:
            if isinstance(part, Result):
                self._result(part)
            elif not _blank(part):
                self._rest.append(part)
        if all(call.result is not None for call in self._open):
            self.close()

    def _result(self, result: Result) -> None:
        for call in self._open:
            if call.original == result.call_id and call.result is None:
                call.result = replace(result, call_id=call.given)
                return
        self._rest.append(Text(_words(result)))
        self._rest.extend(part for part in result.content if not isinstance(part, Text))

    def _call(self, call: ToolCall) -> ToolCall:
        again = self._uses.get(call.id, 0)
        self._uses[call.id] = again + 1
        given = legal_id(call.id, again)
        self._open.append(_Open(call.id, given))
        return replace(call, id=given)

    def _say(self, role: Role, parts: list[PromptPart]) -> None:
        if not parts:
            return
        if self.messages and self.messages[-1][0] == role:
            self.messages[-1][1].extend(parts)
        else:
            self.messages.append((role, parts))


def _blank(part: PromptPart) -> bool:
    return isinstance(part, Text) and not part.text.strip()


def _words(result: Result) -> str:
    text = "\n".join(part.text for part in result.content if isinstance(part, Text))
    return f"[result of a tool call]\n{text}"
