"""The calls of an answer put together from what chunks say of them.

Rules: a call is known by its number, by its id where there is none, else by its place; a new id under an old number is
a new call. Whatever is repeated is taken once.
"""

from __future__ import annotations

import msgspec

from rlmc.domain.chat import ToolCall
from rlmc.wire.arguments import custom_arguments
from rlmc.wire.chat.answer_shape import CallPiece
from rlmc.wire.chat.calls import arguments_of

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class GrowingCall:
    __slots__ = ("_id", "_number", "custom", "name", "pieces")

    def __init__(self, number: int) -> None:
        self._number = number
        self._id = ""
        self.name = ""
        self.custom = False
        self.pieces: list[str] = []

    @property
    def id(self) -> str:
        return self._id or f"call_{self._number}"

    def is_other(self, id_: str) -> bool:
        """Whether the id is another call's."""
        return bool(id_ and self._id and id_ != self._id)

    def has_id(self, id_: str) -> bool:
        return self._id == id_

    def add(self, piece: CallPiece) -> str:
        """What the piece adds to the arguments."""
        self._id = self._id or piece.id or ""
        if piece.custom is not None:
            self.custom = True
            self._named(piece.custom.name or "")
            more = piece.custom.input or ""
        else:
            function = piece.function
            if function is None:
                return ""
            self._named(function.name or "")
            given = function.arguments
            more = "" if isinstance(given, dict) and self.pieces else arguments_of(given)
        if more:
            self.pieces.append(more)
        return more

    def call(self) -> ToolCall:
        arguments = "".join(self.pieces)
        return ToolCall(self.id, self.name, custom_arguments(arguments) if self.custom else arguments)

    def whole(self) -> bool:
        """Whether the arguments are complete."""
        try:
            _OBJECT.decode("".join(self.pieces).encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            return False
        return True

    def _named(self, name: str) -> None:
        """A name may come in pieces, again and again, or grow; once there are arguments it is complete."""
        if not name or self.pieces or name == self.name:
            return
        self.name = name if name.startswith(self.name) else self.name + name


class Fragments:
    """`calls` in the order in which they began."""

    def __init__(self) -> None:
        self.calls: list[GrowingCall] = []
        self._numbered: dict[int, GrowingCall] = {}

    def add(self, piece: CallPiece) -> tuple[GrowingCall, str]:
        """The call a piece is of, and what it adds to the arguments."""
        call = self._find(piece)
        return call, call.add(piece)

    def _find(self, piece: CallPiece) -> GrowingCall:
        id_, name = piece.id or "", _name(piece)
        if piece.index is not None:
            found = self._numbered.get(piece.index)
            if found is None or (found.is_other(id_) and (name or found.whole())):
                found = self._numbered[piece.index] = self._new()
            return found
        if id_:
            return next((call for call in self.calls if call.has_id(id_)), None) or self._new()
        last = self.calls[-1] if self.calls else None
        if last is None or (name and last.name and (name != last.name or last.whole())):
            return self._new()
        return last

    def _new(self) -> GrowingCall:
        call = GrowingCall(len(self.calls))
        self.calls.append(call)
        return call


def _name(piece: CallPiece) -> str:
    named = piece.custom or piece.function
    return (named.name or "") if named is not None else ""
