"""A conversation's messages one after another, for protocols in which several items can be one message.

Rule: only the last message is still open; what is before it stays as it is.
"""

from __future__ import annotations

from rlmc.domain.chat import Contents, Message, Part, Role
from rlmc.domain.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """How far a conversation has come: how many messages there are, of which role the last one is, how many parts it
    has, and what all of them hold."""

    messages: int
    role: Role
    parts: int
    contents: Contents


class UnderWay:
    """`role` and `parts` are those of the last message; there is none while `role` is None."""

    def __init__(self) -> None:
        self.role: Role | None = None
        self.parts: list[Part] = []
        self._passed: tuple[Message, ...] = ()  # of another conversation, and the beginning of this one, too
        self._done: list[Message] = []
        self._contents = Contents()  # of all that is passed, and of so many that are done
        self._counted = 0

    @classmethod
    def behind(cls, point: Point, messages: tuple[Message, ...]) -> UnderWay:
        """Where another conversation, with these messages, was at this point."""
        found = cls()
        if point.messages:
            found._passed = messages[: point.messages - 1]
            found.role, found.parts = point.role, list(messages[point.messages - 1].parts[: point.parts])
        found._contents = point.contents
        return found

    def point(self) -> Point:
        count = len(self._passed) + len(self._done) + (self.role is not None)
        return Point(count, self.role or "user", len(self.parts), self.contents())

    def open(self, role: Role) -> list[Part]:
        """A new message, which is the last one from now on: its parts, to be filled."""
        if self.role is not None:
            self._done.append(Message(self.role, tuple(self.parts)))
        self.role, self.parts = role, []
        return self.parts

    def contents(self) -> Contents:
        """What the messages hold."""
        new, self._counted = self._done[self._counted :], len(self._done)
        self._contents = self._contents.with_(new)
        return self._contents if self.role is None else self._contents.with_((Message(self.role, tuple(self.parts)),))

    def messages(self) -> tuple[Message, ...]:
        last = () if self.role is None else (Message(self.role, tuple(self.parts)),)
        return (*self._passed, *self._done, *last)
